/* SPDX-License-Identifier: MIT */
/*
 * The poll before the sleep (wait/spin.c) changes nothing but when a thread sleeps: packets, readiness, APCs,
 * closing and deadlines reach the one who polls, only one does, and it gives up when it does not pay. Every
 * case is tried again and again until the waiter was met while it polled.
 */
#include "unit.h"

#include "base/clock.h"
#include "io/port.h"
#include "object/handle.h"

#include <iocp.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { MET = 50, BUSY_MS = 8000 }; /* so often is every case met; on a machine too busy for that, so long */

static HANDLE port;
static struct object *port_object;
static struct queue *queue;

static void begin(DWORD places, DWORD spin_us)
{
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, places);
    CHECK(port != NULL);
    CHECK(iocp_set_spin(port, spin_us));
    CHECK_EQ(handle_get((uintptr_t)port, OBJECT_PORT, &port_object, NULL), 0);
    queue = &port_from_object(port_object)->queue;
}

static void end(void)
{
    if (port)
        CloseHandle(port);
    object_put(port_object);
}

/* How many wait; *polls: one of them does not sleep yet. */
static unsigned waiting(bool *polls)
{
    unsigned n = 0;

    lock_acquire(&queue->lock);
    list_for_each(l, &queue->waiters)
        n++;
    *polls = queue->spin.busy;
    lock_release(&queue->lock);
    return n;
}

/* A thread that waits once. */
struct call {
    pthread_t thread;
    DWORD ms;
    bool alertable;
    BOOL ok;
    DWORD error;
    ULONG_PTR key;
    _Atomic bool back;
    struct thread *self; /* counted */
};

static void *run(void *arg)
{
    struct call *c = arg;
    OVERLAPPED_ENTRY entry = {0};
    ULONG n;

    c->self = thread_current();
    object_get(&c->self->object);
    c->ok = GetQueuedCompletionStatusEx(port, &entry, 1, &n, c->ms, c->alertable);
    c->error = GetLastError();
    c->key = entry.lpCompletionKey;
    c->back = true;
    return NULL;
}

/* Returns when it waits: polling, or already asleep. */
static bool start(struct call *c, unsigned waiters)
{
    bool polls = false;

    c->back = false;
    pthread_create(&c->thread, NULL, run, c);
    while (waiting(&polls) < waiters && !c->back)
        sched_yield();
    return polls;
}

static void finish(struct call *c)
{
    pthread_join(c->thread, NULL);
    object_put(&c->self->object);
}

TEST(a_packet_reaches_who_polls)
{
    struct call c = {.ms = INFINITE};

    begin(1, 10000);
    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        met += start(&c, 1);
        CHECK(PostQueuedCompletionStatus(port, 0, 77, NULL));
        finish(&c);
        CHECK(c.ok);
        CHECK_EQ(c.key, 77);
    }
    end();
}

TEST(readiness_reaches_who_polls)
{
    struct call c = {.ms = INFINITE};
    OVERLAPPED ov;
    char byte;
    WSABUF room = {1, &byte};
    DWORD flags;
    WSADATA data;
    int fd[2];

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    begin(1, 10000);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 5, 0) == port);
    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        memset(&ov, 0, sizeof ov);
        flags = 0;
        CHECK_EQ(WSARecv((SOCKET)fd[0], &room, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
        met += start(&c, 1);
        CHECK_EQ(write(fd[1], "x", 1), 1);
        finish(&c);
        CHECK(c.ok);
        CHECK_EQ(c.key, 5);
    }
    closesocket((SOCKET)fd[0]);
    close(fd[1]);
    end();
    WSACleanup();
}

TEST(closing_reaches_who_polls)
{
    struct call c = {.ms = INFINITE};

    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        begin(1, 10000);
        met += start(&c, 1);
        CloseHandle(port);
        port = NULL;
        finish(&c);
        CHECK(!c.ok);
        CHECK_EQ(c.error, ERROR_ABANDONED_WAIT_0);
        end();
    }
}

static void CALLBACK routine(ULONG_PTR value)
{
    ++*(int *)value;
}

TEST(an_apc_reaches_who_polls)
{
    struct call c = {.ms = INFINITE, .alertable = true};
    int ran = 0, wanted = 0;
    HANDLE h;

    begin(1, 10000);
    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        met += start(&c, 1);
        h = OpenThread(THREAD_ALL_ACCESS, FALSE, atomic_load(&c.self->tid));
        CHECK(QueueUserAPC(routine, h, (ULONG_PTR)&ran));
        CloseHandle(h);
        finish(&c);
        CHECK(!c.ok);
        CHECK_EQ(c.error, WAIT_IO_COMPLETION);
        CHECK_EQ(ran, ++wanted);
    }
    end();
}

TEST(a_deadline_ends_the_poll)
{
    struct call c = {.ms = 2};

    begin(1, 10000);
    for (int i = 0; i < MET; i++) {
        uint64_t from = clock_now_ns();

        start(&c, 1);
        finish(&c);
        CHECK(!c.ok);
        CHECK_EQ(c.error, WAIT_TIMEOUT);
        CHECK(clock_now_ns() - from >= 2 * NS_PER_MS);
        queue->spin.misses = queue->spin.skip = 0; /* polls again next time */
    }
    end();
}

/* The second to come is the first to be released, whether it polls or not. */
TEST(one_polls_and_order_stays)
{
    struct call first = {.ms = INFINITE}, second = {.ms = INFINITE};

    begin(2, 10000);
    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        met += start(&first, 1);
        start(&second, 2);
        CHECK(!atomic_load(&first.self->waiter.polls) || !atomic_load(&second.self->waiter.polls));
        CHECK(PostQueuedCompletionStatus(port, 0, 1, NULL));
        finish(&second);
        CHECK_EQ(second.key, 1);
        CHECK(!first.back);
        CHECK(PostQueuedCompletionStatus(port, 0, 2, NULL));
        finish(&first);
        CHECK_EQ(first.key, 2);
    }
    end();
}

/* Who polls has no place, and takes none while all are held. */
TEST(places_are_kept)
{
    struct call c = {.ms = INFINITE};
    HANDLE other = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;

    begin(1, 10000);
    for (long long met = 0, until = unit_ms() + BUSY_MS; met < MET && unit_ms() < until;) {
        CHECK(PostQueuedCompletionStatus(port, 0, 1, NULL));
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0)); /* the one place is ours */
        met += start(&c, 1);
        CHECK(PostQueuedCompletionStatus(port, 0, 2, NULL));
        CHECK_EQ(queue->count, 1);
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0));
        CHECK_EQ(key, 2);
        CHECK(PostQueuedCompletionStatus(port, 0, 3, NULL));
        CHECK_EQ(queue->count, 1);
        CHECK(!c.back);
        CHECK(!GetQueuedCompletionStatus(other, &bytes, &key, &ov, 0)); /* gives the place away */
        finish(&c);
        CHECK(c.ok);
        CHECK_EQ(c.key, 3);
    }
    CloseHandle(other);
    end();
}

/* 4 in vain, then one of 5, of 9, of 17 ... */
TEST(gives_up_when_it_does_not_pay)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;

    begin(1, 10);
    for (int i = 0; i < 4 + 5 + 9 + 17; i++)
        CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 1));
    CHECK_EQ(queue->spin.misses, 7);
    end();
}

TEST(what_may_be_asked_for)
{
    begin(1, 10000);
    CHECK(!iocp_set_spin(port, 10001));
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQ(atomic_load(&queue->spin.limit_ns), 10000000);
    CHECK(iocp_set_spin(port, 0));
    CHECK_EQ(atomic_load(&queue->spin.limit_ns), 0);
    CHECK(!iocp_set_spin(NULL, 1));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    end();
    setenv("IOCP_SPIN_US", "25", 1);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK_EQ(handle_get((uintptr_t)port, OBJECT_PORT, &port_object, NULL), 0);
    CHECK_EQ(atomic_load(&port_from_object(port_object)->queue.spin.limit_ns), 25000);
    end();
    setenv("IOCP_SPIN_US", "a lot", 1);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK_EQ(handle_get((uintptr_t)port, OBJECT_PORT, &port_object, NULL), 0);
    CHECK_EQ(atomic_load(&port_from_object(port_object)->queue.spin.limit_ns), 0);
    end();
    unsetenv("IOCP_SPIN_US");
}
