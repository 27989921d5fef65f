/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls that are called back, or told to look again: what they had in their hands by then; whose
 * call is meant where a routine makes one inside another; what is behind a number that means something else
 * now.
 */
#define _GNU_SOURCE
#include "unit.h"
#include "asleep.h"

#include <winsock2.h>

#include <windows.h>

#include <mswsock.h>

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, ADDRESS_ROOM = sizeof(struct sockaddr_in) + 16 };

int socketpair(int family, int type, int protocol, int *fds);

/* ---- threads in a call ---- */

static _Atomic DWORD caller_tid;
static _Atomic int outside, outside_error, inside, inside_error, begun_inside;
static SOCKET first, second; /* which they receive on */
static int first_peer, second_peer;

static HANDLE start_caller(LPTHREAD_START_ROUTINE call)
{
    HANDLE thread;

    caller_tid = 0;
    outside = inside = -5;
    begun_inside = 0;
    thread = CreateThread(NULL, 0, call, NULL, 0, NULL);
    while (!atomic_load(&caller_tid))
        sched_yield();
    until_asleep(caller_tid);
    return thread;
}

static void end_caller(HANDLE thread)
{
    if (WaitForSingleObject(thread, PATIENCE_MS) != WAIT_OBJECT_0) {
        CHECK(!"the call ends");
        abort();
    }
    CloseHandle(thread);
}

static DWORD WINAPI receive(void *arg)
{
    char data[16];

    caller_tid = GetCurrentThreadId();
    outside = (int)recv(first, data, sizeof data, 0);
    outside_error = WSAGetLastError();
    return arg != NULL;
}

static void receive_inside(void)
{
    char data[16];

    begun_inside = 1;
    inside = (int)recv(second, data, sizeof data, 0);
    inside_error = WSAGetLastError();
}

static void make_pair(SOCKET *ours, int *theirs)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
        abort();
    *ours = (SOCKET)fd[0];
    *theirs = fd[1];
}

static void make_pairs(void)
{
    make_pair(&first, &first_peer);
    make_pair(&second, &second_peer);
}

static void give(int fd, const char *text)
{
    CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* ---- a call inside a call ---- */

static void CALLBACK routine_receives(ULONG_PTR arg)
{
    (void)arg;
    receive_inside();
}

static void CALLBACK routine_closes_and_receives(ULONG_PTR arg)
{
    (void)arg;
    CHECK_EQ(closesocket(first), 0);
    receive_inside();
}

static HANDLE start_two_calls(PAPCFUNC routine)
{
    HANDLE thread;

    make_pairs();
    thread = start_caller(receive);
    CHECK(QueueUserAPC(routine, thread, 0));
    while (!atomic_load(&begun_inside))
        sched_yield();
    until_asleep(caller_tid);
    return thread;
}

TEST(the_inner_calls_socket_is_closed)
{
    HANDLE thread = start_two_calls(routine_receives);

    CHECK_EQ(closesocket(second), 0);
    CHECK(WITHIN(PATIENCE_MS, atomic_load(&inside) != -5));
    CHECK_EQ(inside, SOCKET_ERROR);
    CHECK_EQ(inside_error, WSAEINTR);
    until_asleep(caller_tid);
    give(first_peer, "out");
    end_caller(thread);
    CHECK_EQ(outside, 3);
    closesocket(first);
    close(first_peer);
    close(second_peer);
}

TEST(the_outer_calls_socket_is_closed)
{
    HANDLE thread = start_two_calls(routine_closes_and_receives);

    CHECK_EQ(inside, -5);
    give(second_peer, "in");
    end_caller(thread);
    CHECK_EQ(inside, 2);
    CHECK_EQ(outside, SOCKET_ERROR);
    CHECK_EQ(outside_error, WSAEINTR);
    closesocket(second);
    close(first_peer);
    close(second_peer);
}

/* The innermost, then the one around it. */
TEST(calls_are_cancelled_one_by_one)
{
    HANDLE thread = start_two_calls(routine_receives);

    CHECK(CancelSynchronousIo(thread));
    CHECK(WITHIN(PATIENCE_MS, atomic_load(&inside) != -5));
    CHECK_EQ(inside_error, WSA_OPERATION_ABORTED);
    until_asleep(caller_tid);
    CHECK_EQ(outside, -5);
    CHECK(CancelSynchronousIo(thread));
    end_caller(thread);
    CHECK_EQ(outside_error, WSA_OPERATION_ABORTED);
    closesocket(first);
    closesocket(second);
    close(first_peer);
    close(second_peer);
}

static void CALLBACK routine_ends(ULONG_PTR arg)
{
    begun_inside = 1;
    ExitThread((DWORD)arg);
}

static void CALLBACK routine_receives_alertably(ULONG_PTR arg)
{
    (void)arg;
    CHECK(QueueUserAPC(routine_ends, GetCurrentThread(), 9));
    receive_inside();
}

/* From the innermost of three. */
TEST(the_thread_ends_inside)
{
    HANDLE thread;
    DWORD code = 0;

    make_pairs();
    thread = start_caller(receive);
    CHECK(QueueUserAPC(routine_receives_alertably, thread, 0));
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code) && code == 9);
    CloseHandle(thread);
    CHECK_EQ(closesocket(first), 0);
    CHECK_EQ(closesocket(second), 0);
    close(first_peer);
    close(second_peer);
}

/* ---- what it has in its hands ---- */

static SOCKET listener, accepted;
static struct sockaddr_in address;

static void make_listener(void)
{
    int size = sizeof address;

    listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listener, 5), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
}

static SOCKET connected(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    return s;
}

static DWORD WINAPI accept_one(void *arg)
{
    caller_tid = GetCurrentThreadId();
    accepted = accept(listener, NULL, NULL);
    return arg != NULL;
}

/* A connection is accepted, or ends: the listener is closed in the moment when it has come. */
TEST(no_connection_is_left_over)
{
    WSADATA data;

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    for (int round = 0; round < 10; round++) {
        struct pollfd end = {.events = POLLIN};
        HANDLE thread;
        SOCKET client;

        make_listener();
        thread = start_caller(accept_one);
        client = connected();
        CHECK_EQ(closesocket(listener), 0);
        end_caller(thread);
        end.fd = (int)client;
        if (accepted != INVALID_SOCKET)
            closesocket(accepted);
        else
            send(client, "x", 1, 0); /* of one that was just being made the kernel tells when it is used */
        if (!CHECK(poll(&end, 1, PATIENCE_MS) == 1))
            break;
        closesocket(client);
    }
}

static HANDLE pipe_end;

static DWORD WINAPI transact(void *arg)
{
    char reply[16];
    DWORD n;

    caller_tid = GetCurrentThreadId();
    outside = TransactNamedPipe(pipe_end, "question", 8, reply, sizeof reply, &n, NULL);
    outside_error = (int)GetLastError();
    return arg != NULL;
}

/* Between the question and the reply, too. */
TEST(a_transaction_hears_it)
{
    char name[64];

    snprintf(name, sizeof name, "\\\\.\\pipe\\called-back-%d", (int)getpid());
    for (int round = 0; round < 15; round++) {
        DWORD mode = PIPE_READMODE_MESSAGE;
        HANDLE server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, 1, 0, 0, 0, NULL);
        HANDLE thread;

        pipe_end = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(SetNamedPipeHandleState(pipe_end, &mode, NULL, NULL));
        outside = -5;
        thread = CreateThread(NULL, 0, transact, NULL, 0, NULL);
        while (!CancelSynchronousIo(thread)) /* at its first moment */
            sched_yield();
        end_caller(thread);
        CHECK_EQ(outside, FALSE);
        CHECK_EQ(outside_error, ERROR_OPERATION_ABORTED);
        CloseHandle(pipe_end);
        CloseHandle(server);
    }
}

/* ---- another thing behind the number ---- */

static HANDLE adopted;

static DWORD WINAPI read_adopted(void *arg)
{
    char data[16];
    DWORD n;

    caller_tid = GetCurrentThreadId();
    outside = ReadFile(adopted, data, sizeof data, &n, NULL);
    outside_error = (int)GetLastError();
    return arg != NULL;
}

/* A number that the program has closed under a sleeper is a connection's now, with data in it. */
TEST(nobody_reads_what_is_a_strangers)
{
    int met = 0;

    for (int round = 0; round < 15; round++) {
        char data[16];
        HANDLE thread;
        SOCKET client, s;
        int fds[2];

        make_listener();
        client = connected();
        CHECK_EQ(send(client, "hello", 5, 0), 5);
        if (pipe(fds) < 0)
            abort();
        adopted = (HANDLE)(intptr_t)fds[0];
        thread = start_caller(read_adopted);
        close(fds[0]);
        s = accept(listener, NULL, NULL);
        if (s != (SOCKET)fds[0]) /* a thread that ended has given another one back */
            close(fds[1]);
        end_caller(thread);
        if (s == (SOCKET)fds[0]) {
            CHECK_EQ(outside_error, ERROR_OPERATION_ABORTED);
            close(fds[1]);
            met++;
        }
        CHECK_EQ(recv(s, data, sizeof data, 0), 5);
        closesocket(s);
        closesocket(client);
        closesocket(listener);
    }
    CHECK(met > 0);
}

/* The peer goes on, but the connection has been taken from under the receiver. */
TEST(a_receiver_hears_of_the_reuse)
{
    for (int round = 0; round < 10; round++) {
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        LPFN_DISCONNECTEX disconnect;
        GUID which = WSAID_DISCONNECTEX;
        HANDLE thread;
        SOCKET client;
        DWORD n;

        make_listener();
        client = connected();
        first = accept(listener, NULL, NULL);
        CHECK_EQ(WSAIoctl(first, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof which, &disconnect,
                          sizeof disconnect, &n, NULL, NULL), 0);
        thread = start_caller(receive);
        CHECK(disconnect(first, &ov, TF_REUSE_SOCKET, 0) || WSAGetLastError() == WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
        end_caller(thread);
        CHECK_EQ(outside, SOCKET_ERROR);
        closesocket(first);
        closesocket(client);
        closesocket(listener);
        CloseHandle(ov.hEvent);
    }
}

static bool for_write;

static DWORD WINAPI select_first(void *arg)
{
    fd_set set;

    caller_tid = GetCurrentThreadId();
    FD_ZERO(&set);
    FD_SET(first, &set);
    outside = for_write ? select(0, NULL, &set, NULL, NULL) : select(0, &set, NULL, NULL, NULL);
    return arg != NULL;
}

/* Who has begun to select on the accept socket before hears of the connection, and of its data. */
TEST(a_select_sees_what_was_accepted)
{
    for (int round = 0; round < 10; round++) {
        char room[2 * ADDRESS_ROOM];
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        HANDLE thread;
        SOCKET client;
        DWORD n;

        for_write = round % 2;
        make_listener();
        first = socket(AF_INET, SOCK_STREAM, 0);
        thread = start_caller(select_first);
        CHECK(!AcceptEx(listener, first, room, 0, ADDRESS_ROOM, ADDRESS_ROOM, &n, &ov));
        client = connected();
        CHECK_EQ(WaitForSingleObject(ov.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
        if (!for_write) {
            until_asleep(caller_tid);
            CHECK_EQ(outside, -5);
            CHECK_EQ(send(client, "x", 1, 0), 1);
        }
        end_caller(thread);
        CHECK_EQ(outside, 1);
        closesocket(first);
        closesocket(client);
        closesocket(listener);
        CloseHandle(ov.hEvent);
    }
}
