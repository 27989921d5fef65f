/* SPDX-License-Identifier: MIT */
/*
 * The wake of a leader that another thread's look into the poller takes away. The looker has seen that nobody
 * leads, but is held before its system call until somebody leads and has been claimed; the leader is
 * held before its own until the looker is through. It must come back all the same.
 */
#include "unit.h"

#include "base/sanitizer.h"

#include <iocp.h>

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The library calls the C library's functions then. */
#define SANITIZED (ADDRESS_SANITIZER || THREAD_SANITIZER)

enum { PATIENCE_MS = 10000 };
enum way { WAY_PACKET, WAY_CLOSE, WAY_APC, WAYS };

static HANDLE port;
static sem_t looks, leads, claimed, looked; /* posted in this order */
static _Thread_local bool looker, leader;

static bool comes(sem_t *s)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_MS / 1000;
    return sem_timedwait(s, &limit) == 0;
}

long syscall(long number, ...)
{
    static long (*real)(long number, ...);
    long a[6];
    va_list list;

    if (!real)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_epoll_pwait && looker) {
        looker = false;
        sem_post(&looks);
        CHECK(comes(&claimed));
    } else if (number == SYS_epoll_pwait && leader) {
        leader = false;
        sem_post(&leads);
        CHECK(comes(&looked));
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *look(void *arg)
{
    OVERLAPPED_ENTRY entry;
    ULONG n;

    looker = true;
    CHECK(!GetQueuedCompletionStatusEx(port, &entry, 1, &n, 0, FALSE));
    CHECK(!looker); /* was here */
    sem_post(&looked);
    return arg;
}

static void CALLBACK on_apc(ULONG_PTR arg)
{
    (void)arg;
}

static void *lead(void *arg)
{
    enum way way = (enum way)(intptr_t)arg;
    OVERLAPPED_ENTRY entry = {0};
    ULONG n;
    BOOL ok;

    leader = true;
    ok = GetQueuedCompletionStatusEx(port, &entry, 1, &n, INFINITE, TRUE);
    CHECK(!leader);
    if (way == WAY_PACKET)
        CHECK(ok && entry.lpCompletionKey == 7);
    else
        CHECK(!ok && GetLastError() == (way == WAY_CLOSE ? ERROR_ABANDONED_WAIT_0 : WAIT_IO_COMPLETION));
    return NULL;
}

static DWORD WINAPI lead_as_thread(void *arg)
{
    lead(arg);
    return 0;
}

static void one_way(enum way way)
{
    HANDLE thread;
    pthread_t other;
    char byte;
    WSABUF buf = {1, &byte};
    OVERLAPPED ov = {0};
    DWORD flags = 0;
    int fd[2];

    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 2);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 1, 0) == port);
    CHECK(WSARecv((SOCKET)fd[0], &buf, 1, NULL, &flags, &ov, NULL) == SOCKET_ERROR);
    pthread_create(&other, NULL, look, NULL);
    CHECK(comes(&looks));
    thread = CreateThread(NULL, 0, lead_as_thread, (void *)(intptr_t)way, 0, NULL);
    CHECK(comes(&leads));
    if (way == WAY_PACKET)
        CHECK(PostQueuedCompletionStatus(port, 0, 7, NULL));
    else if (way == WAY_APC)
        CHECK(QueueUserAPC(on_apc, thread, 0));
    else
        CHECK(CloseHandle(port));
    sem_post(&claimed);
    pthread_join(other, NULL);
    if (!CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0)) {
        printf("FAIL a_look_leaves_the_leader_its_wake, way %d\n", way);
        fflush(stdout);
        _exit(1);
    }
    CloseHandle(thread);
    closesocket((SOCKET)fd[0]);
    close(fd[1]);
    if (way != WAY_CLOSE)
        CloseHandle(port);
}

TEST(a_look_leaves_the_leader_its_wake)
{
    sem_t *all[] = {&looks, &leads, &claimed, &looked};

    if (SANITIZED)
        return;
    for (int i = 0; i < 4; i++)
        sem_init(all[i], 0, 0);
    for (enum way way = 0; way < WAYS; way++)
        one_way(way);
}
