/* Locks that follow one another in the same memory, each made at another line. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

static void use_mtx(mtx_t *mtx, int times) {
    for (int i = 0; i < times; i++) {
        mtx_lock(mtx);
        mtx_unlock(mtx);
    }
}

static void use_mutex(pthread_mutex_t *mutex, int times) {
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(mutex);
        pthread_mutex_unlock(mutex);
    }
}

int main(void) {
    void *memory = malloc(64);
    mtx_init(memory, mtx_plain); /* the first life */
    use_mtx(memory, 3);
    mtx_destroy(memory);
    pthread_mutex_init(memory, NULL); /* the second life */
    use_mutex(memory, 50);
    pthread_mutex_destroy(memory);
    mtx_init(memory, mtx_plain); /* the third life */
    use_mtx(memory, 70);
    mtx_destroy(memory);
    pthread_rwlock_init(memory, NULL); /* the fourth life */
    pthread_rwlock_rdlock(memory);
    pthread_rwlock_unlock(memory);
    pthread_rwlock_destroy(memory);
    return 0;
}
