/* A library that locks, for a program that does not. */
#include <pthread.h>

static pthread_mutex_t within = PTHREAD_MUTEX_INITIALIZER;

void work(int times) {
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&within);
        pthread_mutex_unlock(&within);
    }
}
