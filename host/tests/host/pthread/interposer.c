/* A program that has a pthread_mutex_lock of its own, before everybody else's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
static long calls;

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    static int (*next)(pthread_mutex_t *);
    if (!next)
        next = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    calls++;
    return next(mutex);
}

int main(void) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&counter);
        pthread_mutex_unlock(&counter);
    }
    return calls < 100;
}
