/* Operations whose number is known. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t nested = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t forked = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t waited = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t meeting;
static sem_t tickets;
static long total;
static atomic_int is_there;

static void *count(void *unused) {
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&counter);
        total++;
        pthread_mutex_unlock(&counter);
    }
    return unused;
}

static void *contend(void *unused) {
    is_there = 1;
    pthread_mutex_lock(&contended);
    pthread_mutex_unlock(&contended);
    return unused;
}

static void *leave(void *unused) {
    pthread_mutex_lock(&left);
    return unused;
}

static void *signal_it(void *unused) {
    pthread_mutex_lock(&waited);
    is_there = 2;
    pthread_cond_signal(&ready);
    pthread_mutex_unlock(&waited);
    pthread_barrier_wait(&meeting);
    return unused;
}

static pthread_t begin(void *(*body)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    return thread;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = begin(count);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);

    pthread_mutex_lock(&contended);
    pthread_t other = begin(contend);
    while (!is_there)
        usleep(100);
    usleep(50000);
    pthread_mutex_unlock(&contended);
    pthread_join(other, NULL);

    pthread_mutex_lock(&nested);
    pthread_mutex_lock(&nested);
    pthread_mutex_unlock(&nested);
    pthread_mutex_unlock(&nested);

    pthread_join(begin(leave), NULL);

    for (int i = 0; i < 3; i++) {
        pthread_rwlock_rdlock(&table);
        pthread_rwlock_unlock(&table);
    }
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);

    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin);
    pthread_spin_unlock(&spin);

    sem_init(&tickets, 0, 2);
    sem_wait(&tickets);
    sem_wait(&tickets);
    int failed = sem_trywait(&tickets);

    pthread_barrier_init(&meeting, NULL, 2);
    pthread_mutex_lock(&waited);
    pthread_t caller = begin(signal_it);
    while (is_there != 2)
        pthread_cond_wait(&ready, &waited);
    pthread_mutex_unlock(&waited);
    pthread_barrier_wait(&meeting);
    pthread_join(caller, NULL);

    pthread_mutex_lock(&forked);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_unlock(&forked);
        pthread_mutex_lock(&forked);
        _exit(pthread_mutex_trylock(&forked) == 0);
    }
    int status;
    waitpid(child, &status, 0);
    pthread_mutex_unlock(&forked);
    return total != 4000 || failed != -1 || status != 0;
}
