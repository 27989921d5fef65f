/* SPDX-License-Identifier: MIT */
/*
 * How long it takes until a worker that blocks outside the library is noticed and another one gets its place:
 * from just before the blocking call to the other's return from GetQueuedCompletionStatus, on a port for one
 * thread that has a packet waiting all the time. bench/blocked.c prints it, tests/unit/blocked.c bounds it.
 */
#ifndef BENCH_BLOCKED_H
#define BENCH_BLOCKED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <iocp.h>

/* What a worker blocks in. A child that has not called exec yet holds its parent as a slow disk does:
 * uninterruptibly. What is waited for by poll and read is what getaddrinfo waits for. */
enum blocked_way {
    BLOCKED_LOCK,
    BLOCKED_SLEEP,
    BLOCKED_READ,
    BLOCKED_POLL,
    BLOCKED_FAULT,
    BLOCKED_CHILD,
    BLOCKED_WAYS,
};

static const char *const blocked_names[BLOCKED_WAYS] = {
    "mutex", "nanosleep", "read", "poll", "page-fault", "vfork",
};

enum { BLOCKED_PAGE = 4096, BLOCKED_NAP_MS = 15 };

static struct {
    HANDLE port;
    enum blocked_way way;
    _Atomic long long began_ns, released_ns; /* of the round */
    sem_t released, back;
    _Atomic bool open; /* the sleeper may go on */
    pthread_mutex_t lock;
    int pipe[2];
    int faults; /* a userfaultfd, or -1 */
    char *page;
} blocked;

static long long blocked_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void blocked_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s failed: errno %d, error %u\n", what, errno, (unsigned)GetLastError());
        exit(1);
    }
}

/* NULL, or why a page fault cannot be made to wait here. */
static const char *blocked_prepare_faults(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register all = {.mode = UFFDIO_REGISTER_MODE_MISSING};

    blocked.faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (blocked.faults < 0)
        return "userfaultfd is refused here";
    blocked.page = mmap(NULL, BLOCKED_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    blocked_check(blocked.page != MAP_FAILED, "mmap");
    all.range.start = (uintptr_t)blocked.page;
    all.range.len = BLOCKED_PAGE;
    if (ioctl(blocked.faults, UFFDIO_API, &api) || ioctl(blocked.faults, UFFDIO_REGISTER, &all))
        return "userfaultfd does not take a page here";
    return NULL;
}

/* Does nothing but wait: it lives in its parent's memory. */
static void blocked_in_child(int fd)
{
    char byte;
    pid_t child = vfork();

    if (child == 0) {
        while (read(fd, &byte, 1) < 0 && errno == EINTR)
            continue;
        _exit(0);
    }
    blocked_check(child > 0, "vfork");
    waitpid(child, NULL, 0);
}

static void blocked_pass(void)
{
    struct timespec nap = {0, BLOCKED_NAP_MS * 1000000};
    struct pollfd ready = {.fd = blocked.pipe[0], .events = POLLIN};
    char byte;

    switch (blocked.way) {
    case BLOCKED_LOCK:
        pthread_mutex_lock(&blocked.lock);
        pthread_mutex_unlock(&blocked.lock);
        break;
    case BLOCKED_SLEEP:
        while (!atomic_load(&blocked.open))
            nanosleep(&nap, NULL);
        break;
    case BLOCKED_POLL:
        blocked_check(poll(&ready, 1, -1) == 1, "poll");
        blocked_check(read(blocked.pipe[0], &byte, 1) == 1, "read");
        break;
    case BLOCKED_READ:
        blocked_check(read(blocked.pipe[0], &byte, 1) == 1, "read");
        break;
    case BLOCKED_FAULT:
        *(volatile char *)blocked.page;
        break;
    default:
        blocked_in_child(blocked.pipe[0]);
        break;
    }
}

static void blocked_close_gate(void)
{
    atomic_store(&blocked.open, false);
    if (blocked.way == BLOCKED_LOCK)
        pthread_mutex_lock(&blocked.lock);
    if (blocked.way == BLOCKED_FAULT)
        blocked_check(madvise(blocked.page, BLOCKED_PAGE, MADV_DONTNEED) == 0, "madvise");
}

static void blocked_open_gate(void)
{
    struct uffdio_zeropage page = {.range = {(uintptr_t)blocked.page, BLOCKED_PAGE}};

    atomic_store(&blocked.open, true);
    if (blocked.way == BLOCKED_LOCK)
        pthread_mutex_unlock(&blocked.lock);
    else if (blocked.way == BLOCKED_FAULT)
        blocked_check(ioctl(blocked.faults, UFFDIO_ZEROPAGE, &page) == 0, "serving a page");
    else if (blocked.way != BLOCKED_SLEEP)
        blocked_check(write(blocked.pipe[1], "x", 1) == 1, "write");
}

enum { BLOCKED_STOP = 1, BLOCKED_BLOCK, BLOCKED_NOTE };

static void *blocked_worker(void *unused)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    for (;;) {
        blocked_check(GetQueuedCompletionStatus(blocked.port, &bytes, &key, &ov, INFINITE), "dequeue");
        if (key == BLOCKED_STOP)
            return unused;
        if (key == BLOCKED_BLOCK) {
            blocked.began_ns = blocked_now_ns();
            blocked_pass();
            sem_post(&blocked.back);
        } else {
            blocked.released_ns = blocked_now_ns();
            sem_post(&blocked.released);
        }
    }
}

/* The delay of each of `rounds`, in milliseconds. */
static void blocked_measure(enum blocked_way way, double *ms, int rounds)
{
    pthread_t workers[2];

    blocked.way = way;
    blocked.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    blocked_check(blocked.port != NULL && pipe2(blocked.pipe, O_CLOEXEC) == 0, "a port and a pipe");
    pthread_mutex_init(&blocked.lock, NULL);
    sem_init(&blocked.released, 0, 0);
    sem_init(&blocked.back, 0, 0);
    for (int i = 0; i < 2; i++)
        blocked_check(pthread_create(&workers[i], NULL, blocked_worker, NULL) == 0, "pthread_create");
    for (int i = 0; i < rounds; i++) {
        blocked_close_gate();
        PostQueuedCompletionStatus(blocked.port, 0, BLOCKED_BLOCK, NULL);
        PostQueuedCompletionStatus(blocked.port, 0, BLOCKED_NOTE, NULL);
        sem_wait(&blocked.released);
        ms[i] = (double)(blocked.released_ns - blocked.began_ns) / 1e6;
        blocked_open_gate();
        sem_wait(&blocked.back);
    }
    for (int i = 0; i < 2; i++)
        PostQueuedCompletionStatus(blocked.port, 0, BLOCKED_STOP, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    CloseHandle(blocked.port);
    close(blocked.pipe[0]);
    close(blocked.pipe[1]);
    sem_destroy(&blocked.released);
    sem_destroy(&blocked.back);
    pthread_mutex_destroy(&blocked.lock);
}

static int blocked_by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

#endif
