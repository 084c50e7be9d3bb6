/* What happens to programs: each is asked for by its name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore, is_forked;
static volatile long total;

static void count(int times) {
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&counter);
        total++;
        pthread_mutex_unlock(&counter);
    }
}

static pthread_t begin(void *(*body)(void *)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, NULL))
        abort();
    return thread;
}

static void *leave_held(void *unused) {
    pthread_mutex_t *mine = malloc(sizeof *mine);
    pthread_mutex_init(mine, NULL);
    pthread_mutex_lock(mine);
    count(10);
    return unused;
}
/* Threads end while they hold a lock, and others go on. */
static int exits_holding(void) {
    for (int i = 0; i < 100; i++)
        pthread_join(begin(leave_held), NULL);
    return total != 1000;
}

static void *wait_forever(void *unused) {
    sem_wait(&semaphore);
    return unused;
}
/* A thread is cancelled while it waits. */
static int cancelled(void) {
    sem_init(&semaphore, 0, 0);
    for (int i = 0; i < 40; i++) {
        pthread_t thread = begin(wait_forever);
        usleep(2000);
        pthread_cancel(thread);
        void *how;
        pthread_join(thread, &how);
        if (how != PTHREAD_CANCELED)
            return 1;
    }
    count(1000);
    return total != 1000;
}

static void *hold_meanwhile(void *unused) {
    pthread_mutex_lock(&other);
    sem_post(&semaphore);
    sem_wait(&is_forked);
    pthread_mutex_unlock(&other);
    return unused;
}
/* Forks while another thread holds a lock, and while this one does. */
static int forks(void) {
    sem_init(&semaphore, 0, 0);
    sem_init(&is_forked, 0, 0);
    for (int i = 0; i < 5; i++) {
        pthread_t thread = begin(hold_meanwhile);
        sem_wait(&semaphore);
        pthread_mutex_lock(&counter);
        pid_t child = fork();
        if (child == 0) {
            pthread_mutex_unlock(&counter);
            for (int i = 0; i < 1000; i++) {
                pthread_mutex_lock(&counter);
                pthread_mutex_unlock(&counter);
            }
            _exit(pthread_mutex_trylock(&other) == 0);
        }
        pthread_mutex_unlock(&counter);
        int status;
        waitpid(child, &status, 0);
        sem_post(&is_forked);
        pthread_join(thread, NULL);
        if (status)
            return 1;
    }
    return 0;
}

static volatile sig_atomic_t handled;
static void lock_in_handler(int signal) {
    (void)signal;
    if (pthread_mutex_trylock(&other) == 0) {
        handled++;
        pthread_mutex_unlock(&other);
    }
}
/* A handler locks, wherever it comes upon its thread. */
static int handler(void) {
    struct sigaction action = {.sa_handler = lock_in_handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {.it_interval = {.tv_usec = 100}, .it_value = {.tv_usec = 100}};
    setitimer(ITIMER_REAL, &timer, NULL);
    long rounds = 0;
    while (handled < 500 && ++rounds < 100000)
        count(1000);
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    printf("%ld %d\n", total, (int)handled);
    return 0;
}

/* Ends as it is told, when it is told. */
static int ends(const char *how) {
    count(1000);
    printf("ready\n");
    fflush(stdout);
    getchar();
    if (!strcmp(how, "_exit"))
        _exit(3);
    if (!strcmp(how, "kill"))
        raise(SIGKILL);
    abort();
}

static void *count_once(void *unused) {
    count(1);
    return unused;
}
static int threads(void) {
    for (int i = 0; i < 10000; i++)
        pthread_join(begin(count_once), NULL);
    return total != 10000;
}

/* A million locks, of which each is made, locked once, and perhaps destroyed. */
static int mutexes(int are_destroyed) {
    int most = 1000000;
    pthread_mutex_t *locks = calloc(most, sizeof *locks);
    for (int i = 0; i < most; i++) {
        pthread_mutex_init(&locks[i], NULL);
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_unlock(&locks[i]);
        if (are_destroyed)
            pthread_mutex_destroy(&locks[i]);
    }
    return 0;
}

/* Two processes that share one lock. */
static int shared(void) {
    struct { pthread_mutex_t mutex; volatile long total; } *both =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&both->mutex, &attributes);
    pid_t child = fork();
    for (int i = 0; i < 20000; i++) {
        if (pthread_mutex_lock(&both->mutex))
            abort();
        both->total++;
        pthread_mutex_unlock(&both->mutex);
    }
    if (child == 0) {
        while (both->total < 40000)
            usleep(1000);
        pthread_mutex_lock(&both->mutex);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    /* It has died as the owner. */
    int status = pthread_mutex_lock(&both->mutex);
    pthread_mutex_consistent(&both->mutex);
    pthread_mutex_unlock(&both->mutex);
    return status != 130 || both->total != 40000;
}

static volatile int is_over;
static void *count_on(void *unused) {
    while (!is_over)
        count(10);
    return unused;
}
/* A library with a lock comes and goes, while other threads lock. */
static int loads(const char *library) {
    pthread_t thread = begin(count_on);
    while (!total)
        usleep(100);
    for (int i = 0; i < 100; i++) {
        void *loaded = dlopen(library, RTLD_NOW);
        if (!loaded)
            return 1;
        void (*work)(int) = (void (*)(int))dlsym(loaded, "work");
        work(10);
        dlclose(loaded);
    }
    is_over = 1;
    pthread_join(thread, NULL);
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "exits holding")) return exits_holding();
    if (!strcmp(what, "cancelled")) return cancelled();
    if (!strcmp(what, "forks")) return forks();
    if (!strcmp(what, "handler")) return handler();
    if (!strcmp(what, "threads")) return threads();
    if (!strcmp(what, "mutexes")) return mutexes(0);
    if (!strcmp(what, "destroyed mutexes")) return mutexes(1);
    if (!strcmp(what, "shared")) return shared();
    if (!strcmp(what, "ends")) return ends(argv[2]);
    if (!strcmp(what, "loads")) return loads(argv[2]);
    return 2;
}
