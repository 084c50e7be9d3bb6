/* Prints what every function returns and what it leaves in errno, for the same
   calls in the same order, whoever serves them. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define UNTOUCHED 77
#define SAY(call)                                                              \
    do {                                                                       \
        errno = UNTOUCHED;                                                     \
        int status = (call);                                                   \
        int left = errno;                                                      \
        printf("%s: %s = %d, errno %d\n", part, #call, status, left);          \
    } while (0)

static const char *part = "";
static const struct timespec past = {.tv_sec = 1};
static const struct timespec wrong = {.tv_sec = 1, .tv_nsec = 2000000000};

static struct timespec soon(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += 3000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

static void *in_thread(void *body) {
    ((void (*)(void))body)();
    return NULL;
}
/* Does it in another thread, to its end. */
static void elsewhere(void (*body)(void)) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, body);
    pthread_join(thread, NULL);
}

static pthread_mutex_t mutex;
static void others_mutex(void) {
    struct timespec at = soon(CLOCK_REALTIME), then = soon(CLOCK_MONOTONIC);
    SAY(pthread_mutex_trylock(&mutex));
    SAY(pthread_mutex_timedlock(&mutex, &past));
    SAY(pthread_mutex_timedlock(&mutex, &at));
    SAY(pthread_mutex_timedlock(&mutex, &wrong));
    SAY(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &then));
    SAY(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &past));
}
static void unlock_others(void) { SAY(pthread_mutex_unlock(&mutex)); }
static void die_holding(void) { SAY(pthread_mutex_lock(&mutex)); }
static void unlocked_elsewhere(void) {
    SAY(pthread_mutex_trylock(&mutex));
    SAY(pthread_mutex_unlock(&mutex));
}

static void mutexes(const char *name, int type, int robust, int protocol) {
    part = name;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(&mutex, &attributes);
    SAY(pthread_mutex_lock(&mutex));
    elsewhere(others_mutex);
    /* A robust one would be destroyed, though it is held. */
    if (robust != PTHREAD_MUTEX_ROBUST)
        SAY(pthread_mutex_destroy(&mutex));
    SAY(pthread_mutex_trylock(&mutex));
    SAY(pthread_mutex_timedlock(&mutex, &past));
    SAY(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &past));
    if (type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE)
        SAY(pthread_mutex_lock(&mutex));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        for (int i = 0; i < 4; i++)
            SAY(pthread_mutex_unlock(&mutex));
    if (type == PTHREAD_MUTEX_ERRORCHECK || robust == PTHREAD_MUTEX_ROBUST)
        elsewhere(unlock_others);
    SAY(pthread_mutex_unlock(&mutex));
    if (type == PTHREAD_MUTEX_ERRORCHECK || type == PTHREAD_MUTEX_RECURSIVE)
        SAY(pthread_mutex_unlock(&mutex));
    elsewhere(unlocked_elsewhere);
    SAY(pthread_mutex_timedlock(&mutex, &past));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_timedlock(&mutex, &wrong));
    SAY(pthread_mutex_trylock(&mutex));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &past));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        SAY(pthread_mutex_unlock(&mutex));
    if (robust == PTHREAD_MUTEX_ROBUST) {
        elsewhere(die_holding);
        SAY(pthread_mutex_lock(&mutex));
        SAY(pthread_mutex_consistent(&mutex));
        SAY(pthread_mutex_unlock(&mutex));
        elsewhere(die_holding);
        SAY(pthread_mutex_trylock(&mutex));
        SAY(pthread_mutex_unlock(&mutex));
        SAY(pthread_mutex_lock(&mutex));
        SAY(pthread_mutex_trylock(&mutex));
        SAY(pthread_mutex_timedlock(&mutex, &past));
    }
    SAY(pthread_mutex_destroy(&mutex));
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static void others_rwlock(void) {
    struct timespec at = soon(CLOCK_REALTIME), then = soon(CLOCK_MONOTONIC);
    SAY(pthread_rwlock_tryrdlock(&rwlock));
    SAY(pthread_rwlock_trywrlock(&rwlock));
    SAY(pthread_rwlock_timedrdlock(&rwlock, &at));
    SAY(pthread_rwlock_timedwrlock(&rwlock, &past));
    SAY(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &then));
    SAY(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &past));
    SAY(pthread_rwlock_timedwrlock(&rwlock, &wrong));
}
static void rwlocks(void) {
    part = "rwlock";
    SAY(pthread_rwlock_rdlock(&rwlock));
    SAY(pthread_rwlock_tryrdlock(&rwlock));
    SAY(pthread_rwlock_timedrdlock(&rwlock, &past));
    SAY(pthread_rwlock_timedrdlock(&rwlock, &wrong));
    SAY(pthread_rwlock_clockrdlock(&rwlock, CLOCK_PROCESS_CPUTIME_ID, &past));
    SAY(pthread_rwlock_trywrlock(&rwlock));
    SAY(pthread_rwlock_timedwrlock(&rwlock, &past));
    for (int i = 0; i < 3; i++)
        SAY(pthread_rwlock_unlock(&rwlock));
    SAY(pthread_rwlock_wrlock(&rwlock));
    SAY(pthread_rwlock_wrlock(&rwlock));
    SAY(pthread_rwlock_rdlock(&rwlock));
    SAY(pthread_rwlock_tryrdlock(&rwlock));
    SAY(pthread_rwlock_timedwrlock(&rwlock, &past));
    elsewhere(others_rwlock);
    SAY(pthread_rwlock_unlock(&rwlock));
    SAY(pthread_rwlock_clockwrlock(&rwlock, CLOCK_REALTIME, &past));
    SAY(pthread_rwlock_unlock(&rwlock));
    SAY(pthread_rwlock_destroy(&rwlock));
}

static pthread_spinlock_t spin;
static void spins(void) {
    part = "spin";
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    SAY(pthread_spin_lock(&spin));
    SAY(pthread_spin_trylock(&spin));
    SAY(pthread_spin_unlock(&spin));
    SAY(pthread_spin_trylock(&spin));
    SAY(pthread_spin_unlock(&spin));
    SAY(pthread_spin_destroy(&spin));
}

static void nothing(int signal) { (void)signal; }
static sem_t semaphore;
static void semaphores(void) {
    part = "semaphore";
    sem_init(&semaphore, 0, 2);
    struct timespec at = soon(CLOCK_REALTIME), then = soon(CLOCK_MONOTONIC);
    SAY(sem_wait(&semaphore));
    SAY(sem_timedwait(&semaphore, &wrong));
    SAY(sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &past));
    SAY(sem_trywait(&semaphore));
    SAY(sem_trywait(&semaphore));
    SAY(sem_timedwait(&semaphore, &past));
    SAY(sem_timedwait(&semaphore, &at));
    SAY(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &then));
    SAY(sem_post(&semaphore));
    SAY(sem_clockwait(&semaphore, CLOCK_REALTIME, &past));
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {.it_value = {.tv_usec = 5000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    SAY(sem_wait(&semaphore));
    SAY(sem_destroy(&semaphore));
}

static pthread_cond_t condvar = PTHREAD_COND_INITIALIZER;
static void condvars(void) {
    part = "condvar";
    struct timespec at = soon(CLOCK_REALTIME), then = soon(CLOCK_MONOTONIC);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    SAY(pthread_cond_timedwait(&condvar, &mutex, &at));
    SAY(pthread_mutex_lock(&mutex));
    SAY(pthread_cond_timedwait(&condvar, &mutex, &past));
    SAY(pthread_cond_timedwait(&condvar, &mutex, &at));
    SAY(pthread_cond_timedwait(&condvar, &mutex, &wrong));
    SAY(pthread_cond_clockwait(&condvar, &mutex, CLOCK_MONOTONIC, &then));
    SAY(pthread_cond_clockwait(&condvar, &mutex, CLOCK_PROCESS_CPUTIME_ID, &past));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_cond_destroy(&condvar));
    SAY(pthread_mutex_destroy(&mutex));
}

static void barriers(void) {
    part = "barrier";
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 1);
    SAY(pthread_barrier_wait(&barrier));
    SAY(pthread_barrier_destroy(&barrier));
}

/* Memory is made into a lock, or not. */
static void inits(void) {
    part = "init";
    union {
        pthread_mutex_t mutex;
        pthread_rwlock_t rwlock;
        pthread_spinlock_t spin;
        pthread_cond_t condvar;
        pthread_barrier_t barrier;
        sem_t semaphore;
        mtx_t mtx;
        cnd_t cnd;
    } memory;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    SAY(pthread_mutex_init(&memory.mutex, &attributes));
    SAY(pthread_mutex_lock(&memory.mutex));
    SAY(pthread_mutex_unlock(&memory.mutex));
    SAY(pthread_mutex_destroy(&memory.mutex));
    SAY(pthread_mutex_lock(&memory.mutex));
    SAY(pthread_rwlock_init(&memory.rwlock, NULL));
    SAY(pthread_rwlock_destroy(&memory.rwlock));
    SAY(pthread_spin_init(&memory.spin, PTHREAD_PROCESS_SHARED));
    SAY(pthread_spin_destroy(&memory.spin));
    SAY(pthread_cond_init(&memory.condvar, NULL));
    SAY(pthread_cond_destroy(&memory.condvar));
    SAY(pthread_barrier_init(&memory.barrier, NULL, 0));
    SAY(pthread_barrier_init(&memory.barrier, NULL, 2));
    SAY(pthread_barrier_destroy(&memory.barrier));
    SAY(sem_init(&memory.semaphore, 0, 0xffffffffu));
    SAY(sem_init(&memory.semaphore, 0, 1));
    SAY(sem_destroy(&memory.semaphore));
    SAY(mtx_init(&memory.mtx, 99));
    SAY(mtx_init(&memory.mtx, mtx_plain | mtx_recursive));
    SAY(mtx_trylock(&memory.mtx));
    SAY(mtx_lock(&memory.mtx));
    SAY(mtx_unlock(&memory.mtx));
    SAY(mtx_unlock(&memory.mtx));
    mtx_destroy(&memory.mtx);
    SAY(cnd_init(&memory.cnd));
    cnd_destroy(&memory.cnd);
}

static mtx_t mtx;
static void others_mtx(void) {
    struct timespec at = soon(CLOCK_REALTIME);
    SAY(mtx_trylock(&mtx));
    SAY(mtx_timedlock(&mtx, &at));
    SAY(mtx_timedlock(&mtx, &wrong));
}
static void c11(void) {
    part = "C11";
    struct timespec at = soon(CLOCK_REALTIME);
    cnd_t cnd;
    mtx_init(&mtx, mtx_timed);
    cnd_init(&cnd);
    SAY(mtx_lock(&mtx));
    elsewhere(others_mtx);
    SAY(mtx_trylock(&mtx));
    SAY(cnd_timedwait(&cnd, &mtx, &at));
    SAY(mtx_unlock(&mtx));
    SAY(mtx_trylock(&mtx));
    SAY(mtx_unlock(&mtx));
    mtx_destroy(&mtx);
    cnd_destroy(&cnd);
}

int main(void) {
    int stalled = PTHREAD_MUTEX_STALLED, robust = PTHREAD_MUTEX_ROBUST;
    mutexes("normal", PTHREAD_MUTEX_NORMAL, stalled, PTHREAD_PRIO_NONE);
    mutexes("recursive", PTHREAD_MUTEX_RECURSIVE, stalled, PTHREAD_PRIO_NONE);
    mutexes("errorcheck", PTHREAD_MUTEX_ERRORCHECK, stalled, PTHREAD_PRIO_NONE);
    mutexes("adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, stalled, PTHREAD_PRIO_NONE);
    mutexes("robust", PTHREAD_MUTEX_NORMAL, robust, PTHREAD_PRIO_NONE);
    mutexes("robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, robust, PTHREAD_PRIO_NONE);
    mutexes("robust recursive", PTHREAD_MUTEX_RECURSIVE, robust, PTHREAD_PRIO_NONE);
    mutexes("inheriting", PTHREAD_MUTEX_NORMAL, stalled, PTHREAD_PRIO_INHERIT);
    mutexes("inheriting errorcheck", PTHREAD_MUTEX_ERRORCHECK, stalled, PTHREAD_PRIO_INHERIT);
    rwlocks();
    spins();
    semaphores();
    condvars();
    barriers();
    inits();
    c11();
    return 0;
}
