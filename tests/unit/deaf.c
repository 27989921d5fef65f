/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls of threads that find no descriptor left to be woken by: whoever cancels the call, queues an
 * APC or closes the socket reaches them all the same. And what waits on a socket that cannot be renewed is
 * answered still.
 */
#include "unit.h"

#include <iocp.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { LIMIT = 64, PAIRS = 5 };

struct blocked {
    SOCKET socket;
    pthread_t thread;
    _Atomic DWORD id;
    int result;
    DWORD error;
};

static SOCKET pairs[PAIRS][2];
static _Atomic int apcs;

static void make_pair(SOCKET pair[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SOCKET listener = iocp_socket(AF_INET, SOCK_STREAM, 0);
    int size = sizeof address;

    CHECK_EQ(iocp_bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(iocp_getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(iocp_listen(listener, 1), 0);
    pair[0] = iocp_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(iocp_connect(pair[0], (struct sockaddr *)&address, size), 0);
    pair[1] = iocp_accept(listener, NULL, NULL);
    closesocket(listener);
}

static void *receive(void *arg)
{
    struct blocked *b = arg;
    char byte;

    atomic_store(&b->id, GetCurrentThreadId());
    b->result = iocp_recv(b->socket, &byte, 1, 0);
    b->error = WSAGetLastError();
    return NULL;
}

static void begin(struct blocked *b, SOCKET s)
{
    b->socket = s;
    atomic_store(&b->id, 0);
    CHECK_EQ(pthread_create(&b->thread, NULL, receive, b), 0);
    while (atomic_load(&b->id) == 0)
        sched_yield();
}

static void ended(struct blocked *b, int result, DWORD error)
{
    pthread_join(b->thread, NULL);
    CHECK_EQ(b->result, result);
    if (result < 0)
        CHECK_EQ(b->error, error);
}

static void WINAPI count(ULONG_PTR unused)
{
    (void)unused;
    atomic_fetch_add(&apcs, 1);
}

static void cancelled(void)
{
    struct blocked b;
    HANDLE thread;

    begin(&b, pairs[0][0]);
    thread = OpenThread(THREAD_ALL_ACCESS, FALSE, atomic_load(&b.id));
    while (!CancelSynchronousIo(thread) && CHECK_EQ(GetLastError(), ERROR_NOT_FOUND))
        sched_yield(); /* it is about to call */
    CloseHandle(thread);
    ended(&b, -1, ERROR_OPERATION_ABORTED);
}

static void called(void)
{
    struct blocked b;
    HANDLE thread;

    begin(&b, pairs[1][0]);
    thread = OpenThread(THREAD_ALL_ACCESS, FALSE, atomic_load(&b.id));
    CHECK(QueueUserAPC(count, thread, 0));
    while (atomic_load(&apcs) == 0)
        sched_yield();
    CloseHandle(thread);
    CHECK_EQ(iocp_send(pairs[1][1], "x", 1, 0), 1);
    ended(&b, 1, 0);
}

static void closed(void)
{
    struct blocked b;

    begin(&b, pairs[2][0]);
    closesocket(pairs[2][0]);
    pthread_join(b.thread, NULL);
    /* Of a call that is just being made the socket was shut down under its hands: it finds the end. */
    CHECK(b.result <= 0);
    if (b.result < 0 && b.error != WSAEINTR)
        CHECK_EQ(b.error, WSAENOTSOCK); /* it was closed before the call */
}

/* A receive that waits already, of one byte. */
struct waiting {
    OVERLAPPED ov;
    char byte;
};

static void wait_first(struct waiting *w, SOCKET s)
{
    WSABUF buf = {1, &w->byte};
    DWORD flags = 0;

    memset(w, 0, sizeof *w);
    w->ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(WSARecv(s, &buf, 1, NULL, &flags, &w->ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
}

static void waited(struct waiting *w, SOCKET s)
{
    DWORD bytes = 0, flags;

    CHECK_EQ(WaitForSingleObject(w->ov.hEvent, 10000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(s, &w->ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 1);
    CloseHandle(w->ov.hEvent);
}

/* Behind what waits already. */
static void in_turn(struct waiting *first)
{
    struct blocked b;

    begin(&b, pairs[3][0]);
    CHECK_EQ(iocp_send(pairs[3][1], "xy", 2, 0), 2);
    ended(&b, 1, 0);
    waited(first, pairs[3][0]);
}

static void cancelled_behind(struct waiting *first)
{
    struct blocked b;
    HANDLE thread;

    begin(&b, pairs[4][0]);
    thread = OpenThread(THREAD_ALL_ACCESS, FALSE, atomic_load(&b.id));
    while (!CancelSynchronousIo(thread) && CHECK_EQ(GetLastError(), ERROR_NOT_FOUND))
        sched_yield();
    CloseHandle(thread);
    ended(&b, -1, ERROR_OPERATION_ABORTED);
    CHECK_EQ(iocp_send(pairs[4][1], "x", 1, 0), 1);
    waited(first, pairs[4][0]);
}

/* Under a limit that was lowered since, nothing can be put behind the number any more. */
TEST(number_above_the_limit)
{
    struct rlimit before, limit;
    int taken[2 * LIMIT];
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    SOCKET pair[2];
    DWORD flags = 0, bytes = 0;
    WSADATA data;
    char byte;
    WSABUF buf = {1, &byte};

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    for (int i = 0; i < 2 * LIMIT; i++)
        taken[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    make_pair(pair);
    CHECK(pair[0] > LIMIT);
    for (int i = 0; i < 2 * LIMIT; i++)
        close(taken[i]);
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = LIMIT;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(!DisconnectEx(pair[0], NULL, TF_REUSE_SOCKET, 0));
    CHECK_EQ(iocp_send(pair[1], "x", 1, 0), 1);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 10000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 1);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CloseHandle(ov.hEvent);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(without_descriptors)
{
    struct rlimit limit = {LIMIT, LIMIT};
    struct waiting first[2];
    int taken[LIMIT], n = 0;
    WSADATA data;

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    for (int i = 0; i < PAIRS; i++)
        make_pair(pairs[i]);
    for (int i = 0; i < 2; i++)
        wait_first(&first[i], pairs[3 + i][0]);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (n < LIMIT && (taken[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    cancelled();
    called();
    closed();
    in_turn(&first[0]);
    cancelled_behind(&first[1]);
    while (n > 0)
        close(taken[--n]);
}
