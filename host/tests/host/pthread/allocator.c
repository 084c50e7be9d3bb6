/* An allocator of one lock and one piece of memory, of which nothing comes back. */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static pthread_mutex_t allocator = PTHREAD_MUTEX_INITIALIZER;
static char memory[1 << 28] __attribute__((aligned(4096)));
static size_t used;

void *memalign(size_t alignment, size_t size) {
    if (alignment < 16)
        alignment = 16;
    pthread_mutex_lock(&allocator);
    size_t at = (used + 16 + alignment - 1) & ~(alignment - 1);
    char *place = at + size <= sizeof memory ? memory + at : NULL;
    if (place) {
        memcpy(place - sizeof size, &size, sizeof size);
        used = at + size;
    }
    pthread_mutex_unlock(&allocator);
    return place;
}
void *malloc(size_t size) { return memalign(16, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **place, size_t alignment, size_t size) {
    *place = memalign(alignment, size);
    return *place ? 0 : 12;
}
/* Fresh memory is zero already. */
void *calloc(size_t count, size_t size) { return malloc(count * size); }
void free(void *place) {
    (void)place;
    pthread_mutex_lock(&allocator);
    pthread_mutex_unlock(&allocator);
}
void *realloc(void *place, size_t size) {
    void *new = malloc(size);
    if (place && new) {
        size_t old;
        memcpy(&old, (char *)place - sizeof old, sizeof old);
        memcpy(new, place, old < size ? old : size);
    }
    return new;
}
