/* What the kernel answers through libc's `syscall`, and what it leaves in errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int word;
static sigjmp_buf back;

static void show(const char *what, long status) {
    printf("%s: %ld %d\n", what, status, errno);
    fflush(stdout);
    errno = 77;
}

static void nothing(int signal) { (void)signal; }
static void jump(int signal) { (void)signal; siglongjmp(back, 1); }

static void interrupted(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    errno = 77;
}

static void *waits(void *unused) {
    (void)unused;
    errno = 77;
    long status = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    return (void *)(status == 0 && errno == 77 ? &word : NULL);
}

/* Ends while it is at a futex. */
static void *is_cancelled(void *unused) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    return unused;
}

static void all(void) {
    struct timespec short_time = {.tv_nsec = 2000000}, now;
    errno = 77;
    show("changed", syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL));
    show("too long", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &short_time));
    clock_gettime(CLOCK_MONOTONIC, &now);
    show("over", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &now, NULL, 7));
    show("no bits", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &now, NULL, 0));
    show("nowhere", syscall(SYS_futex, NULL, FUTEX_WAIT, 0, NULL));
    show("crooked", syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 0, NULL));
    show("nobody", syscall(SYS_futex, &word, FUTEX_WAKE, 1));
    show("nobody", syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1));
    show("no operation", syscall(SYS_futex, &word, 99, 1));
    show("requeue", syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 1, &word));
    show("no call", syscall(99999, 1, 2, 3, 4, 5, 6));
    show("pid", syscall(SYS_getpid) == getpid());
    long page = syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, (long)(MAP_PRIVATE | MAP_ANONYMOUS),
                        -1L, 0L);
    show("six arguments", page > 0 && *(char *)page == 0);

    interrupted(nothing);
    show("interrupted", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL));
    interrupted(jump);
    if (!sigsetjmp(back, 1)) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    show("left", 0);

    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, waits, NULL);
    long woken = 0;
    while (woken == 0) woken = syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 9);
    pthread_join(thread, &result);
    show("woken", woken == 1 && result == &word);

    pthread_create(&thread, NULL, is_cancelled, NULL);
    usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    show("cancelled", result == PTHREAD_CANCELED);

    pid_t child = fork();
    if (child == 0) {
        errno = 77;
        long status = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &short_time);
        _exit(status == -1 && errno == ETIMEDOUT ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    show("forked", status);
}

int main(void) {
    for (int round = 0; round < 3; round++) all();
    return 0;
}
