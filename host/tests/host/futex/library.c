/* A program with a lock of its own, for which nobody waits, and a library that waits. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

uint64_t parks_run(uint32_t rounds);

pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

int main(void) {
    for (int round = 0; round < 10; round++) {
        pthread_mutex_lock(&own);
        pthread_mutex_unlock(&own);
    }
    printf("%lu\n", (unsigned long)parks_run(10));
    return 0;
}
