/* A program at a fixed address that takes the address of malloc, as those do which
   let one choose another allocator. */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t counter = PTHREAD_MUTEX_INITIALIZER;
void *(*volatile allocate)(size_t) = malloc;

int main(void) {
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&counter);
        free(allocate(10));
        pthread_mutex_unlock(&counter);
    }
    return 0;
}
