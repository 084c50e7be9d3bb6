/* Locks at the end of stacks of all kinds: those that lead where they should, and
   those that end badly. Prints how often `here` was locked. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PLAIN __attribute__((noinline))
/* After a call, so that it is not a jump. */
#define STAYS __asm__ volatile("" ::: "memory")

static pthread_mutex_t here = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t asked = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t loaded = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static int times;

PLAIN void lock_it(void)
{
    pthread_mutex_lock(&here);
    times++;
    pthread_mutex_unlock(&here);
}

PLAIN void one_way(void)
{
    lock_it();
    STAYS;
}

PLAIN void other_way(void)
{
    lock_it();
    STAYS;
}

PLAIN int down(int calls)
{
    int below = 0;
    if (calls > 0)
        below = down(calls - 1);
    else
        lock_it();
    STAYS;
    return below + 1;
}

static void *thread(void *unused)
{
    (void)unused;
    pthread_setspecific(key, &key);
    for (int i = 0; i < 50; i++) {
        one_way();
        other_way();
    }
    return NULL;
}

/* When the thread's own values are torn down. */
static void torn_down(void *unused)
{
    (void)unused;
    lock_it();
    STAYS;
}

static void handler(int unused)
{
    (void)unused;
    lock_it();
    STAYS;
}

/* A handler that interrupts a function, on a stack of its own. */
PLAIN static void in_handler(void)
{
    stack_t stack = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };
    sigaltstack(&stack, NULL);
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static ucontext_t before, within;

static void coroutine(void)
{
    lock_it();
    swapcontext(&within, &before);
}

/* A stack that ends where its memory does, between pages that cannot be read. */
PLAIN static void in_coroutine(void)
{
    const size_t page = 4096, size = 1 << 16;
    char *memory =
        mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory + page, size, PROT_READ | PROT_WRITE);
    getcontext(&within);
    within.uc_stack.ss_sp = memory + page;
    within.uc_stack.ss_size = size;
    within.uc_link = &before;
    makecontext(&within, coroutine, 0);
    swapcontext(&before, &within);
    munmap(memory, size + 2 * page);
}

#ifdef __x86_64__
/* Calls `lock_it` from code that says nothing of its frames, with a frame pointer
   that leads nowhere, and with one that leads where nothing is. */
__asm__(".text\n"
        "nameless:\n"
        "    push %rbp\n"
        "    mov %rdi, %rbp\n"
        "    sub $16, %rsp\n"
        "    call lock_it\n"
        "    add $16, %rsp\n"
        "    pop %rbp\n"
        "    ret\n");
extern void nameless(const void *frame);

PLAIN static void without_tables(void)
{
    nameless((void *)8);
    nameless((void *)0x7fffffffffff0000);
    nameless(NULL);
    nameless(&before);
}
#else
static void without_tables(void)
{
}
#endif

/* Code of a library that goes, and of another that may come in its place. */
PLAIN static void in_library(const char *path)
{
    for (int i = 0; i < 20; i++) {
        void *library = dlopen(path, RTLD_NOW);
        if (library == NULL)
            return;
        void (*call)(void (*)(void)) = (void (*)(void (*)(void)))dlsym(library, "call");
        /* The first one stays so long that it becomes known. */
        usleep(i == 0 ? 1000000 : 0);
        for (int calls = 0; calls < 10; calls++)
            call(lock_it);
        dlclose(library);
    }
    pthread_mutex_lock(&loaded);
    pthread_mutex_unlock(&loaded);
}

int main(int count, char **arguments)
{
    pthread_key_create(&key, torn_down);
    for (int i = 0; i < 3; i++) {
        pthread_t threads[2];
        for (int t = 0; t < 2; t++)
            pthread_create(&threads[t], NULL, thread, NULL);
        for (int t = 0; t < 2; t++)
            pthread_join(threads[t], NULL);
    }
    down(300);
    in_handler();
    for (int i = 0; i < 5; i++)
        in_coroutine();
    without_tables();
    if (count > 1)
        in_library(arguments[1]);
    /* Nobody has it, and still it is refused. */
    pthread_mutex_lock(&asked);
    for (int i = 0; i < 3; i++)
        pthread_mutex_trylock(&asked);
    pthread_mutex_unlock(&asked);
    printf("%d\n", times);
    return 0;
}
