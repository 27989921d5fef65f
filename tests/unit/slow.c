/* SPDX-License-Identifier: MIT */
/*
 * A slow disk: reads that do not come to an end until the test lets them. The calls that start them return
 * all the same, and sockets, timers, events, and files that are in the page cache, are not held up, on the
 * port they share with the slow file or without one. Each case is a process of its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "engine/engine.h"
#include "unit.h"
#include "forked.h"

#include <iocp.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, BLOCK = 4096, SLOW = 100, STUCK = 600, ECHOES = 200 };

/* ---- what is not to be held up ---- */

static HANDLE handle_of(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

static void start_read(HANDLE file, void *data, DWORD size, OVERLAPPED *ov)
{
    if (!ReadFile(file, data, size, NULL, ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
}

static int expect(HANDLE port, const OVERLAPPED *wanted, DWORD size)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key;
    DWORD bytes = 0;

    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, PATIENCE_MS));
    CHECK_EQ(bytes, size);
    return CHECK(ov == wanted);
}

static void echo(HANDLE port)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
    OVERLAPPED ported = {0}, portless = {.hEvent = event};
    char got[2][4];
    int a[2], b[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), 0);
    CHECK(CreateIoCompletionPort(handle_of(a[0]), port, 2, 0) == port);
    for (int i = 0; i < ECHOES; i++) {
        start_read(handle_of(a[0]), got[0], 4, &ported);
        start_read(handle_of(b[0]), got[1], 4, &portless);
        CHECK(write(a[1], "echo", 4) == 4 && write(b[1], "home", 4) == 4);
        if (!expect(port, &ported, 4))
            break;
        CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(memcmp(got, "echohome", 8) == 0);
    }
    for (int i = 0; i < 2; i++) {
        iocp_forget(a[i]);
        iocp_forget(b[i]);
        close(a[i]);
        close(b[i]);
    }
    CloseHandle(event);
}

static void timer(void)
{
    HANDLE t = CreateWaitableTimerA(NULL, FALSE, NULL);
    LARGE_INTEGER soon = {.QuadPart = -10000};

    CHECK(SetWaitableTimer(t, &soon, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForSingleObject(t, PATIENCE_MS), WAIT_OBJECT_0);
    CloseHandle(t);
}

static HANDLE new_file(void)
{
    char path[] = "/tmp/iocp-slow-XXXXXX", block[BLOCK];
    int fd = mkstemp(path);
    HANDLE file;

    for (int i = 0; i < SLOW; i++) {
        memset(block, i + 1, BLOCK);
        CHECK_EQ(write(fd, block, BLOCK), BLOCK);
    }
    close(fd);
    file = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    unlink(path);
    return file;
}

/* ---- reads that block their threads ---- */

static _Atomic uint32_t gate; /* 0: library threads that read stop at it */
static _Atomic bool cached;

/* The starting thread finds nothing in the cache; the ring reads no files. */
static int slow_disk(const char *call)
{
    if (strcmp(call, "IORING_OP_READV") == 0)
        return -EOPNOTSUPP;
    if (strcmp(call, "preadv2") != 0)
        return 0;
    if (gettid() == getpid())
        return atomic_load(&cached) ? 0 : -EAGAIN;
    while (atomic_load(&gate) == 0)
        futex_wait(&gate, 0, DEADLINE_NEVER);
    return 0;
}

static void threads_blocked(void)
{
    static unsigned char blocks[SLOW][BLOCK], one[BLOCK];
    static OVERLAPPED ov[SLOW];
    HANDLE file, hot, port;
    OVERLAPPED hot_ov = {0}, *got;
    int answers = 0;
    ULONG_PTR key;
    DWORD bytes;

    os_fault = slow_disk;
    file = new_file();
    hot = new_file();
    port = CreateIoCompletionPort(file, NULL, 1, 1);
    for (int i = 0; i < SLOW; i++) {
        ov[i].Offset = (DWORD)i * BLOCK;
        CHECK(!ReadFile(file, blocks[i], BLOCK, NULL, &ov[i]));
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    }
    echo(port);
    timer();
    CHECK(CreateIoCompletionPort(hot, port, 1, 0) == port);
    atomic_store(&cached, true);
    start_read(hot, one, BLOCK, &hot_ov);
    expect(port, &hot_ov, BLOCK);
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 0) && !got);
    /* Those that no thread has taken can be called back. */
    CHECK(CancelIoEx(file, &ov[SLOW - 1]));
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS));
    CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
    CHECK(got == &ov[SLOW - 1]);
    atomic_store(&gate, 1);
    futex_wake(&gate, INT_MAX);
    while (answers < SLOW - 1 && CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS)))
        answers++;
    for (int i = 0; i < SLOW - 1; i++)
        CHECK(ov[i].Internal == 0 && ov[i].InternalHigh == BLOCK && blocks[i][BLOCK - 1] == i + 1);
    CloseHandle(file);
    CloseHandle(hot);
    CloseHandle(port);
}

/* ---- reads that the ring has and cannot finish: more than it has slots ---- */

struct work {
    struct op op;
    struct iovec iov;
    char byte;
};

static _Atomic int answered;

static void done(struct op *op, int64_t result)
{
    op->result = result;
    atomic_fetch_add(&answered, 1);
}

static void ring_stuck(void)
{
    static struct work w[STUCK];
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    char bytes[STUCK] = {0};
    int ends[2], right = 0;

    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < STUCK; i++) {
        w[i].iov = (struct iovec){&w[i].byte, 1};
        w[i].op = (struct op){.code = OP_READ, .fd = ends[0], .iov = &w[i].iov, .iov_count = 1, .done = done};
        w[i].op.offset = UINT64_MAX;
        list_init(&w[i].op.link);
        CHECK_EQ(engine_start(&w[i].op), 0);
    }
    echo(port);
    timer();
    CHECK_EQ(answered, 0);
    CHECK_EQ(write(ends[1], bytes, STUCK), STUCK);
    CHECK(WITHIN(PATIENCE_MS, answered == STUCK));
    for (int i = 0; i < STUCK; i++)
        right += w[i].op.result == 1;
    CHECK_EQ(right, STUCK);
    CloseHandle(port);
}

/* ---- a file that is sent and is not there ---- */

static int receive(int fd, int size)
{
    static unsigned char data[SLOW * BLOCK];
    int done = 0;
    ssize_t n;

    while (done < size && (n = recv(fd, data + done, (size_t)(size - done), 0)) > 0)
        done += (int)n;
    for (int i = 0; i < done; i++)
        if (data[i] != i / BLOCK % SLOW + 1)
            return -1;
    return done;
}

static SOCKET transmitter(int peer[1], HANDLE port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);

    CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    CHECK_EQ(WSAConnect(s, (struct sockaddr *)&a, sizeof a, NULL, NULL, NULL, NULL), 0);
    peer[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    if (port)
        CHECK(CreateIoCompletionPort((HANDLE)s, port, 3, 0) == port);
    return s;
}

/* The socket's own threads go on with others; cancelling is answered at once; what is read late is sent. */
static void transmission_blocked(void)
{
    WSADATA data;
    OVERLAPPED ov[3] = {0}, *got = NULL;
    HANDLE file, port, event = CreateEventA(NULL, FALSE, FALSE, NULL);
    ULONG_PTR key;
    DWORD bytes;
    SOCKET s[3];
    int peer[3];

    os_fault = slow_disk;
    CHECK_EQ(WSAStartup(0x202, &data), 0);
    file = new_file();
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    ov[2].hEvent = event;
    for (int i = 0; i < 3; i++) {
        s[i] = transmitter(&peer[i], i < 2 ? port : NULL);
        CHECK(!TransmitFile(s[i], file, 0, 0, &ov[i], NULL, 0));
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    }
    echo(port);
    timer();
    CHECK(CancelIoEx((HANDLE)s[1], &ov[1]));
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS));
    CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
    CHECK(got == &ov[1]);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    atomic_store(&gate, 1);
    futex_wake(&gate, INT_MAX);
    CHECK_EQ(receive(peer[0], SLOW * BLOCK), SLOW * BLOCK);
    CHECK_EQ(receive(peer[2], SLOW * BLOCK), SLOW * BLOCK);
    expect(port, &ov[0], SLOW * BLOCK);
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
    for (int i = 0; i < 3; i++) {
        closesocket(s[i]);
        close(peer[i]);
    }
    CloseHandle(file);
    CloseHandle(port);
    CloseHandle(event);
}

TEST(disk_blocks_transmissions)
{
    IN_CHILD(transmission_blocked());
}

TEST(disk_blocks_threads)
{
    IN_CHILD(threads_blocked());
}

TEST(disk_blocks_the_engine)
{
    IN_CHILD(ring_stuck());
}
