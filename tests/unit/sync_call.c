/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls that keep their lane, or wait in one: routines that run meanwhile and make such calls
 * themselves, or end the thread; calls that have no descriptor to sleep on.
 */
#define _GNU_SOURCE
#include "unit.h"
#include "asleep.h"

#include <winsock2.h>

#include <windows.h>

#include <mswsock.h>

#include <iocp.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BIG = 8 << 20, SMALL = 1000, PATIENCE_MS = 20000 };

static char *big;
static SOCKET ours;
static int theirs;
static _Atomic DWORD sender_tid;
static _Atomic int sent_outside, sent_inside;

int socketpair(int family, int type, int protocol, int *fds);

static void make_pair(void)
{
    int fd[2];

    if (!big)
        big = calloc(2, BIG); /* what is sent, and room for what comes */
    if (!big || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
        abort();
    ours = (SOCKET)fd[0];
    theirs = fd[1];
    sent_outside = sent_inside = -2;
    sender_tid = 0;
}

/* Nobody holds it any more: not the frames of a thread that has ended either. */
static void end_socket(SOCKET s)
{
    CHECK_EQ(closesocket(s), 0);
    CHECK(WITHIN(PATIENCE_MS, fcntl((int)s, F_GETFD) < 0));
}

static void end_pair(void)
{
    end_socket(ours);
    close(theirs);
}

/* What comes until `size` bytes are there; -1: the end before. */
static ssize_t read_so_many(size_t size)
{
    size_t total = 0;

    while (total < size) {
        struct pollfd p = {.fd = theirs, .events = POLLIN};
        ssize_t n;

        if (poll(&p, 1, PATIENCE_MS) <= 0)
            return -1;
        n = read(theirs, big + BIG, BIG);
        if (n <= 0)
            return -1;
        total += (size_t)n;
    }
    return (ssize_t)total;
}

/* Of what nobody can tell how much it will be: false, always. */
static int read_what_is_there(void)
{
    struct pollfd p = {.fd = theirs, .events = POLLIN};

    if (poll(&p, 1, 0) > 0)
        CHECK(read(theirs, big + BIG, BIG) > 0);
    return 0;
}

static DWORD WINAPI send_big(void *arg)
{
    atomic_store(&sender_tid, GetCurrentThreadId());
    atomic_store(&sent_outside, (int)send(ours, big, BIG, 0));
    return arg != NULL;
}

static void CALLBACK send_inside(ULONG_PTR arg)
{
    (void)arg;
    atomic_store(&sent_inside, (int)send(ours, big, SMALL, 0));
}

static void CALLBACK leave_inside(ULONG_PTR arg)
{
    (void)arg;
    ExitThread(7);
}

/* One that says in sender_tid that it begins. */
static HANDLE start_caller(LPTHREAD_START_ROUTINE call)
{
    HANDLE thread = CreateThread(NULL, 0, call, NULL, 0, NULL);

    while (!atomic_load(&sender_tid))
        sched_yield();
    return thread;
}

static HANDLE start_sender(void)
{
    return start_caller(send_big);
}

/* A routine ends the thread inside its call. */
static void end_inside(HANDLE thread)
{
    DWORD code = 0;

    CHECK(QueueUserAPC(leave_inside, thread, 0));
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code) && code == 7);
    CloseHandle(thread);
}

static void start_send(OVERLAPPED *ov, DWORD size)
{
    WSABUF buf = {size, big};

    CHECK_EQ(WSASend(ours, &buf, 1, NULL, 0, ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
}

static void CALLBACK send_inside_and_wait(ULONG_PTR arg)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    WSABUF buf = {SMALL, big};

    (void)arg; /* the reader may have been so quick that nothing is in its way any more */
    CHECK(WSASend(ours, &buf, 1, NULL, 0, &ov, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    atomic_store(&sent_inside, (int)ov.InternalHigh);
}

/* What the thread itself has begun gets on while its routine waits for something behind it. */
TEST(a_routine_waits_behind_its_own_thread)
{
    HANDLE thread;

    make_pair();
    thread = start_sender();
    until_asleep(sender_tid);
    CHECK(QueueUserAPC(send_inside_and_wait, thread, 0));
    CHECK_EQ(read_so_many(BIG + SMALL), BIG + SMALL);
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(sent_outside, BIG);
    CHECK_EQ(sent_inside, SMALL);
    CloseHandle(thread);
    end_pair();
}

static void CALLBACK do_nothing(ULONG_PTR arg)
{
    (void)arg;
}

/* Called back in the moment when a routine is to run: both are heard. */
TEST(called_back_while_handing_over)
{
    for (int round = 0; round < 100; round++) {
        HANDLE thread;

        make_pair();
        thread = start_sender();
        until_asleep(sender_tid);
        CHECK(QueueUserAPC(do_nothing, thread, 0));
        if (round % 2)
            CHECK(WITHIN(PATIENCE_MS, CancelSynchronousIo(thread)));
        else
            CHECK(WITHIN(PATIENCE_MS, CancelIoEx((HANDLE)ours, NULL)));
        if (WaitForSingleObject(thread, PATIENCE_MS) != WAIT_OBJECT_0) {
            CHECK(!"a call that was called back ends");
            abort();
        }
        CHECK_EQ(sent_outside, SOCKET_ERROR);
        CloseHandle(thread);
        end_pair();
    }
}

/* The peer sees the end of a connection whose socket is used again, also if another has the descriptor. */
TEST(a_blocking_disconnection_tells_the_peer)
{
    long long begun = unit_ms();
    int also;

    make_pair();
    also = dup((int)ours);
    CHECK(also >= 0);
    CHECK(TransmitFile(ours, NULL, 0, 0, NULL, NULL, TF_DISCONNECT | TF_REUSE_SOCKET));
    CHECK_EQ(read_so_many(1), -1); /* the end; a time-out would take much longer */
    CHECK(unit_ms() - begun < PATIENCE_MS / 2);
    close(also);
    end_pair();
}

enum { AT_ONCE = 20, MOMENTS = 500 };

static pthread_barrier_t moment;

/* Few enough for the socket's buffer. */
static unsigned send_in_vain(void)
{
    unsigned in_vain = 0;

    for (int i = 0; i < AT_ONCE; i++)
        in_vain += send(ours, "x", 1, 0) != 1;
    return in_vain;
}

static void *send_at_the_same_time(void *arg)
{
    unsigned *in_vain = arg;

    for (int i = 0; i < MOMENTS; i++) {
        pthread_barrier_wait(&moment);
        *in_vain += send_in_vain() != 0;
        pthread_barrier_wait(&moment);
    }
    return NULL;
}

/* On a non-blocking socket with room no send fails, whoever else is in one at the moment. */
TEST(in_nobodys_way_for_a_moment)
{
    unsigned in_vain[2] = {0, 0}; /* moments in which some were */
    u_long on = 1;
    pthread_t other;

    make_pair();
    CHECK_EQ(send(ours, "x", 1, 0), 1);
    CHECK_EQ(read_so_many(1), 1);
    CHECK_EQ(ioctlsocket(ours, FIONBIO, &on), 0);
    pthread_barrier_init(&moment, NULL, 2);
    if (pthread_create(&other, NULL, send_at_the_same_time, &in_vain[0]))
        abort();
    for (int i = 0; i < MOMENTS; i++) {
        pthread_barrier_wait(&moment);
        in_vain[1] += send_in_vain() != 0;
        pthread_barrier_wait(&moment);
        for (struct pollfd p = {.fd = theirs, .events = POLLIN}; poll(&p, 1, 0) > 0;)
            if (read(theirs, big + BIG, BIG) <= 0)
                break;
    }
    pthread_join(other, NULL);
    pthread_barrier_destroy(&moment);
    /* It gives way only so long to one without a processor; without that most moments would see some. */
    if (!CHECK(in_vain[0] + in_vain[1] <= MOMENTS / 10))
        printf("  %u and %u of %d moments\n", in_vain[0], in_vain[1], MOMENTS);
    end_pair();
}

/* The thread was first, then what waits behind, then what its routine sends. */
TEST(a_routine_sends_while_its_thread_does)
{
    OVERLAPPED behind = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    HANDLE thread;

    make_pair();
    thread = start_sender();
    until_asleep(sender_tid);
    start_send(&behind, SMALL);
    CHECK(QueueUserAPC(send_inside, thread, 0));
    CHECK_EQ(read_so_many(BIG + 2 * SMALL), BIG + 2 * SMALL);
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(behind.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(sent_outside, BIG);
    CHECK_EQ(sent_inside, SMALL);
    CHECK_EQ(behind.InternalHigh, SMALL);
    CloseHandle(behind.hEvent);
    CloseHandle(thread);
    end_pair();
}

/* What waits behind a thread that ends in the middle of its call goes on. */
TEST(the_keeper_ends)
{
    OVERLAPPED behind = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    HANDLE thread;

    make_pair();
    thread = start_sender();
    until_asleep(sender_tid);
    start_send(&behind, SMALL);
    end_inside(thread);
    CHECK(WITHIN(PATIENCE_MS,
                 read_what_is_there() || WaitForSingleObject(behind.hEvent, 0) == WAIT_OBJECT_0));
    CHECK_EQ(behind.InternalHigh, SMALL);
    CloseHandle(behind.hEvent);
    end_pair();
}

static DWORD WINAPI receive_one(void *arg)
{
    char byte;

    atomic_store(&sender_tid, GetCurrentThreadId());
    atomic_store(&sent_outside, (int)recv(ours, &byte, 1, 0));
    return arg != NULL;
}

TEST(a_receiver_ends)
{
    HANDLE thread;

    make_pair();
    thread = start_caller(receive_one);
    until_asleep(sender_tid);
    end_inside(thread);
    CHECK_EQ(sent_outside, -2);
    end_pair();
}

static struct sockaddr_in busy;

static DWORD WINAPI connect_one(void *arg)
{
    atomic_store(&sender_tid, GetCurrentThreadId());
    atomic_store(&sent_outside, connect(ours, (struct sockaddr *)&busy, sizeof busy));
    return arg != NULL;
}

/* A listener with no room: who connects waits for long. */
static void make_busy(int fds[4])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof address;

    for (int i = 0; i < 4; i++)
        fds[i] = (int)socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind((SOCKET)fds[0], (struct sockaddr *)&address, size), 0);
    CHECK_EQ(getsockname((SOCKET)fds[0], (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(listen((SOCKET)fds[0], 0), 0);
    for (int i = 1; i < 4; i++) {
        u_long on = 1;

        CHECK_EQ(ioctlsocket((SOCKET)fds[i], FIONBIO, &on), 0);
        connect((SOCKET)fds[i], (struct sockaddr *)&address, size);
    }
    busy = address;
}

TEST(who_connects_ends)
{
    HANDLE thread;
    WSADATA data;
    int fds[4];

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    sender_tid = 0;
    sent_outside = -2;
    make_busy(fds);
    ours = socket(AF_INET, SOCK_STREAM, 0);
    thread = start_caller(connect_one);
    until_asleep(sender_tid);
    end_inside(thread);
    CHECK_EQ(sent_outside, -2);
    end_socket(ours);
    for (int i = 0; i < 4; i++)
        closesocket((SOCKET)fds[i]);
}

/* One that ends while it waits in the lane has sent nothing, and is in nobody's way. */
TEST(a_guest_ends)
{
    OVERLAPPED first = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)}, last = first;
    HANDLE thread;

    last.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    make_pair();
    start_send(&first, BIG);
    thread = start_sender();
    until_asleep(sender_tid);
    start_send(&last, SMALL);
    end_inside(thread);
    CHECK_EQ(read_so_many(BIG + SMALL), BIG + SMALL);
    CHECK_EQ(WaitForSingleObject(last.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(first.InternalHigh, BIG);
    CHECK_EQ(last.InternalHigh, SMALL);
    CloseHandle(first.hEvent);
    CloseHandle(last.hEvent);
    end_pair();
}

/* A routine of one that waits in the lane makes the same call: it waits behind it. */
TEST(a_guests_routine_sends)
{
    OVERLAPPED first = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    HANDLE thread;

    make_pair();
    start_send(&first, BIG);
    thread = start_sender();
    until_asleep(sender_tid);
    CHECK(QueueUserAPC(send_inside, thread, 0));
    CHECK_EQ(read_so_many(2 * BIG + SMALL), 2 * BIG + SMALL);
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(sent_outside, BIG);
    CHECK_EQ(sent_inside, SMALL);
    CloseHandle(first.hEvent);
    CloseHandle(thread);
    end_pair();
}

static DWORD WINAPI send_small(void *arg)
{
    atomic_store(&sender_tid, GetCurrentThreadId());
    atomic_store(&sent_outside, (int)send(ours, big, SMALL, 0));
    return arg != NULL;
}

/* There is no descriptor for its sleep: it waits for its turn all the same. */
TEST(in_turn_without_descriptors)
{
    OVERLAPPED first = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct rlimit before, limit;
    HANDLE thread;

    make_pair();
    start_send(&first, BIG);
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    limit.rlim_cur = 3;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    thread = CreateThread(NULL, 0, send_small, NULL, 0, NULL);
    while (!atomic_load(&sender_tid))
        sched_yield();
    CHECK_EQ(read_so_many(BIG + SMALL), BIG + SMALL);
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ(sent_outside, SMALL);
    CHECK_EQ(WaitForSingleObject(first.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(first.InternalHigh, BIG);
    CloseHandle(first.hEvent);
    CloseHandle(thread);
    end_pair();
}
