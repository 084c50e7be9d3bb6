/* Counts acquisitions of pthread locks, for whoever doubts lockscope's numbers: loaded
   behind its library, it sees what reaches glibc. It shares nothing with lockscope.
   The number stands in the file that COUNT_FILE names, 8 bytes, and is kept up to date,
   so that it does not matter how the process ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Threads count apart, as long as there are no more than these at a time. */
#define LINES 64
struct line { _Alignas(64) atomic_long count; };
static struct line unmapped[LINES];
static struct line *lines = unmapped;
static atomic_int next;
static __thread int own;

static void had(void) {
    if (!own)
        own = 1 + atomic_fetch_add(&next, 1) % LINES;
    atomic_fetch_add_explicit(&lines[own - 1].count, 1, memory_order_relaxed);
}

__attribute__((constructor)) static void map(void) {
    const char *name = getenv("COUNT_FILE");
    int file = name ? open(name, O_RDWR | O_CREAT, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof unmapped))
        return;
    void *place = mmap(NULL, sizeof unmapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (place == MAP_FAILED)
        return;
    struct line *mapped = place;
    for (int i = 0; i < LINES; i++)
        atomic_store(&mapped[i].count, atomic_load(&lines[i].count));
    lines = mapped;
}

#define NEXT(name) ((__typeof__(&name))next_of(#name, (void **)&found))
static void *next_of(const char *name, void **found) {
    if (!*found)
        *found = dlsym(RTLD_NEXT, name);
    return *found;
}

/* A recursive mutex that its owner takes again is one hold, of which glibc counts how
   deep it is in the second word, and the kind of which is in the fifth. */
static void had_mutex(const pthread_mutex_t *mutex) {
    const int *words = (const int *)mutex;
    if ((words[4] & 3) != PTHREAD_MUTEX_RECURSIVE || words[1] == 1)
        had();
}
static int is_had(int status) { return status == 0 || status == EOWNERDEAD; }

#define MUTEX(name, parameters, arguments)                                     \
    int name parameters {                                                      \
        static void *found;                                                    \
        int status = NEXT(name) arguments;                                     \
        if (is_had(status))                                                    \
            had_mutex(mutex);                                                  \
        return status;                                                         \
    }
MUTEX(pthread_mutex_lock, (pthread_mutex_t *mutex), (mutex))
MUTEX(pthread_mutex_trylock, (pthread_mutex_t *mutex), (mutex))
MUTEX(pthread_mutex_timedlock, (pthread_mutex_t *mutex, const struct timespec *until), (mutex, until))

#define LOCK(name, type)                                                       \
    int name(type *lock) {                                                     \
        static void *found;                                                    \
        int status = NEXT(name)(lock);                                         \
        if (is_had(status))                                                    \
            had();                                                             \
        return status;                                                         \
    }
LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_tryrdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
LOCK(pthread_rwlock_trywrlock, pthread_rwlock_t)
int pthread_spin_lock(pthread_spinlock_t *lock) {
    static void *found;
    int status = NEXT(pthread_spin_lock)(lock);
    had();
    return status;
}
int pthread_spin_trylock(pthread_spinlock_t *lock) {
    static void *found;
    int status = NEXT(pthread_spin_trylock)(lock);
    if (!status)
        had();
    return status;
}
LOCK(sem_wait, sem_t)
LOCK(sem_trywait, sem_t)

/* Who comes back from a condition variable has the mutex anew. Of the two generations
   of these functions, the first is not this one. */
static void *condvar(const char *name, void **found) {
    if (!*found)
        *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return *found;
}
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    static void *found;
    int status = ((__typeof__(&pthread_cond_wait))condvar("pthread_cond_wait", &found))(cond, mutex);
    if (status == 0)
        had();
    return status;
}
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until) {
    static void *found;
    int status = ((__typeof__(&pthread_cond_timedwait))condvar("pthread_cond_timedwait", &found))(cond, mutex, until);
    if (status == 0 || status == ETIMEDOUT)
        had();
    return status;
}
int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until) {
    static void *found;
    int status = NEXT(pthread_cond_clockwait)(cond, mutex, clock, until);
    if (status == 0 || status == ETIMEDOUT)
        had();
    return status;
}
