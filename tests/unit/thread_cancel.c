/* SPDX-License-Identifier: MIT */
/*
 * A thread that has been asked to end (pthread_cancel) starts overlapped operations all the same: it does not
 * end in the middle of one, with the file's lane, or a lock, in its hands.
 */
#include "unit.h"

#include "base/sanitizer.h"

#include <iocp.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { BUFFERS = 2, PATIENCE_MS = 20000 };

/* The C library's calls, which a sanitizer wants to see, are cancellation points. */
#define WATCHED (ADDRESS_SANITIZER || THREAD_SANITIZER)

/* An operation of the thread that is to end. */
struct deed {
    SOCKET socket;
    HANDLE handle;
    OVERLAPPED ov;
    char data[BUFFERS];
    int result;
    DWORD error;
    bool came_back;
    void (*run)(struct deed *d);
};

static void make_pair(SOCKET pair[2], int family, int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof address;

    CHECK_EQ(family, AF_INET);
    pair[0] = iocp_socket(family, type, 0);
    pair[1] = iocp_socket(family, type, 0);
    CHECK_EQ(iocp_bind(pair[1], (struct sockaddr *)&address, size), 0);
    CHECK_EQ(iocp_getsockname(pair[1], (struct sockaddr *)&address, &size), 0);
    if (type == SOCK_STREAM) {
        SOCKET listener = pair[1];

        CHECK_EQ(iocp_listen(listener, 1), 0);
        CHECK_EQ(iocp_connect(pair[0], (struct sockaddr *)&address, size), 0);
        pair[1] = iocp_accept(listener, NULL, NULL);
        closesocket(listener);
    } else {
        CHECK_EQ(iocp_connect(pair[0], (struct sockaddr *)&address, size), 0);
    }
}

static void buffers_of(struct deed *d, WSABUF bufs[BUFFERS])
{
    for (int i = 0; i < BUFFERS; i++)
        bufs[i] = (WSABUF){1, &d->data[i]};
}

static void note(struct deed *d, int result)
{
    d->result = result;
    d->error = GetLastError();
}

static void send_many(struct deed *d)
{
    WSABUF bufs[BUFFERS];

    buffers_of(d, bufs);
    note(d, WSASend(d->socket, bufs, BUFFERS, NULL, 0, &d->ov, NULL));
}

static void receive_many(struct deed *d)
{
    WSABUF bufs[BUFFERS];
    DWORD flags = 0;

    buffers_of(d, bufs);
    note(d, WSARecv(d->socket, bufs, BUFFERS, NULL, &flags, &d->ov, NULL));
}

static void read_pipe(struct deed *d)
{
    note(d, ReadFile(d->handle, d->data, sizeof d->data, NULL, &d->ov) ? 0 : -1);
}

static void write_pipe(struct deed *d)
{
    note(d, WriteFile(d->handle, d->data, sizeof d->data, NULL, &d->ov) ? 0 : -1);
}

static void *ending(void *arg)
{
    struct deed *d = arg;

    pthread_cancel(pthread_self()); /* deferred: it ends at the next cancellation point */
    d->run(d);
    d->came_back = true;
    pthread_testcancel();
    return NULL;
}

/* The call is the thread's last, and it returns. */
static void run_and_end(struct deed *d)
{
    pthread_t thread;
    void *result;

    CHECK_EQ(pthread_create(&thread, NULL, ending, d), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK(d->came_back);
}

static void answered(HANDLE file, OVERLAPPED *ov, DWORD size)
{
    DWORD bytes = 0;

    CHECK_EQ(WaitForSingleObject(ov->hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(file, ov, &bytes, FALSE));
    CHECK_EQ(bytes, size);
}

/* The lane is free for the next. */
static void on_a_socket(int type, void (*run)(struct deed *d))
{
    SOCKET pair[2];
    struct deed first = {.run = run, .data = "ab"}, second = {.run = run, .data = "ab"};
    bool receives = run == receive_many;

    make_pair(pair, AF_INET, type);
    first.socket = second.socket = pair[receives];
    first.ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    second.ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (receives)
        CHECK_EQ(iocp_send(pair[0], "xy", 2, 0), 2);
    run_and_end(&first);
    if (receives)
        CHECK_EQ(iocp_send(pair[0], "xy", 2, 0), 2);
    run(&second);
    CHECK(second.result == 0 || second.error == ERROR_IO_PENDING);
    answered((HANDLE)first.socket, &first.ov, BUFFERS);
    answered((HANDLE)first.socket, &second.ov, BUFFERS);
    CloseHandle(first.ov.hEvent);
    CloseHandle(second.ov.hEvent);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(sockets)
{
    WSADATA data;

    if (WATCHED)
        SKIP("a sanitizer sees the calls of the C library");
    CHECK_EQ(WSAStartup(0x202, &data), 0);
    on_a_socket(SOCK_STREAM, send_many);
    on_a_socket(SOCK_STREAM, receive_many);
    on_a_socket(SOCK_DGRAM, send_many);
    on_a_socket(SOCK_DGRAM, receive_many);
}

static void on_a_pipe(DWORD type)
{
    static int number;
    char name[64];
    struct deed deeds[2] = {{.run = write_pipe, .data = "ab"}, {.run = read_pipe}}, more[2];

    snprintf(name, sizeof name, "\\\\.\\pipe\\thread_cancel.%d.%d", (int)GetCurrentProcessId(), number++);
    deeds[1].handle =
        CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, type, 1, 4096, 4096, 0, NULL);
    deeds[0].handle =
        CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    CHECK(deeds[0].handle != INVALID_HANDLE_VALUE);
    CHECK(deeds[1].handle != INVALID_HANDLE_VALUE);
    memcpy(more, deeds, sizeof more);
    for (int i = 0; i < 2; i++) {
        deeds[i].ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        more[i].ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        run_and_end(&deeds[i]);
    }
    for (int i = 0; i < 2; i++)
        more[i].run(&more[i]);
    for (int i = 0; i < 2; i++) {
        answered(deeds[i].handle, &deeds[i].ov, BUFFERS);
        answered(more[i].handle, &more[i].ov, BUFFERS);
        CloseHandle(deeds[i].ov.hEvent);
        CloseHandle(more[i].ov.hEvent);
    }
    CHECK(CloseHandle(deeds[0].handle));
    CHECK(CloseHandle(deeds[1].handle));
}

TEST(pipes)
{
    if (WATCHED)
        SKIP("a sanitizer sees the calls of the C library");
    on_a_pipe(PIPE_TYPE_BYTE);
    on_a_pipe(PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
}

static _Atomic int calls;

static void WINAPI count(ULONG_PTR unused)
{
    (void)unused;
    atomic_fetch_add(&calls, 1);
}

static void call_sleeper(struct deed *d)
{
    note(d, QueueUserAPC(count, d->handle, 0) ? 0 : -1);
}

static DWORD WINAPI receive_alertably(void *arg)
{
    char byte;

    return (DWORD)iocp_recv(*(SOCKET *)arg, &byte, 1, 0);
}

/* It sleeps in a receive, and is woken by its descriptor, under the lock of its routines. */
TEST(routines)
{
    SOCKET pair[2];
    struct deed d = {.run = call_sleeper};
    WSADATA data;

    if (WATCHED)
        SKIP("a sanitizer sees the calls of the C library");
    CHECK_EQ(WSAStartup(0x202, &data), 0);
    make_pair(pair, AF_INET, SOCK_STREAM);
    d.handle = CreateThread(NULL, 0, receive_alertably, &pair[0], 0, NULL);
    for (int i = 1; i <= 10; i++) {
        d.came_back = false;
        run_and_end(&d);
        CHECK_EQ(d.result, 0);
        CHECK(WITHIN(PATIENCE_MS, atomic_load(&calls) == i));
    }
    CHECK_EQ(iocp_send(pair[1], "x", 1, 0), 1);
    CHECK_EQ(WaitForSingleObject(d.handle, PATIENCE_MS), WAIT_OBJECT_0);
    CloseHandle(d.handle);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

static void post(struct deed *d)
{
    note(d, PostQueuedCompletionStatus(d->handle, 0, 1, &d->ov) ? 0 : -1);
}

static DWORD WINAPI take_one(void *port)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    return GetQueuedCompletionStatus(port, &bytes, &key, &ov, PATIENCE_MS) ? 1 : 0;
}

TEST(posts)
{
    struct deed d = {.run = post};
    DWORD code = 0;

    if (WATCHED)
        SKIP("a sanitizer sees the calls of the C library");
    d.handle = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (int i = 0; i < 10; i++) {
        HANDLE thread = CreateThread(NULL, 0, take_one, d.handle, 0, NULL);

        d.came_back = false;
        run_and_end(&d);
        CHECK_EQ(d.result, 0);
        CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(thread, &code));
        CHECK_EQ(code, 1);
        CloseHandle(thread);
    }
    CloseHandle(d.handle);
}
