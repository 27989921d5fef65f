/* SPDX-License-Identifier: MIT */
/* Socket notifications among threads: one-shot workers, removals and closes in the middle of everything. The
 * oracle is the page, as in sock_notify.c. */
#include "conform.h"
#include "net.h"

#ifndef SOCK_NOTIFY_OP_ENABLE

TEST(notifications, "") { SKIP("no ProcessSocketNotifications here"); }

#else

#include "notify.h"

enum { WORKERS = 4, LINKS = 12, BYTES = 600, LONG_ENOUGH = 8000 };

struct server {
    HANDLE port;
    SOCKET pairs[LINKS][2];
    volatile LONG taken[LINKS], inside[LINKS], removed, wrong;
};

static DWORD listen_once(struct server *v, LONG i)
{
    return change(v->port, v->pairs[i][0], (ULONG_PTR)i, SOCK_NOTIFY_OP_ENABLE, INPUT | HANGUP, LEVEL | ONCE);
}

/* One-shot by levels: one worker at a time has a socket. */
THREAD_FN(serve)
{
    struct server *v = arg;
    OVERLAPPED_ENTRY e;
    UINT32 count;
    while (ProcessSocketNotifications(v->port, 0, NULL, INFINITE, 1, &e, &count) == ERROR_SUCCESS) {
        DWORD events = SocketNotificationRetrieveEvents(&e);
        LONG i = (LONG)e.lpCompletionKey;
        char data[7];
        int n;
        if (i == LINKS)
            break;
        if (events & GONE) {
            InterlockedIncrement(&v->removed);
            continue;
        }
        if (InterlockedIncrement(&v->inside[i]) != 1)
            InterlockedIncrement(&v->wrong);
        n = recv(v->pairs[i][0], data, sizeof data, 0);
        if (n < 0)
            InterlockedIncrement(&v->wrong);
        InterlockedExchangeAdd(&v->taken[i], n > 0 ? n : 0);
        InterlockedDecrement(&v->inside[i]);
        if (n <= 0 ? deregister(v->port, v->pairs[i][0]) : listen_once(v, i))
            InterlockedIncrement(&v->wrong);
    }
    return 0;
}

TEST(workers, "")
{
    static struct server v;
    HANDLE threads[WORKERS];

    memset(&v, 0, sizeof v);
    v.port = fresh_port();
    for (int i = 0; i < LINKS; i++) {
        REQUIRE(tcp_pair(v.pairs[i]));
        CHECK_EQ(listen_once(&v, i), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        threads[i] = start_thread(serve, &v);
    for (int n = 0; n < BYTES; n++)
        for (int i = 0; i < LINKS; i++)
            CHECK(send_all(v.pairs[i][1], "x", 1));
    for (int i = 0; i < LINKS; i++)
        shutdown(v.pairs[i][1], SD_SEND);
    CHECK(WITHIN(25000, LOOK(v.removed) == LINKS));
    for (int i = 0; i < LINKS; i++)
        CHECK_EQ(LOOK(v.taken[i]), BYTES);
    for (int i = 0; i < WORKERS; i++)
        CHECK(PostQueuedCompletionStatus(v.port, 0, LINKS, NULL));
    for (int i = 0; i < WORKERS; i++)
        JOIN(threads[i]);
    CHECK_EQ(v.wrong, 0);
    for (int i = 0; i < LINKS; i++)
        end_pair(v.pairs[i]);
    CHECK(CloseHandle(v.port));
}

struct link {
    HANDLE port;
    SOCKET pair[2];
    struct meeting meeting;
    volatile LONG stop;
};

THREAD_FN(sender)
{
    struct link *l = arg;
    meet(&l->meeting);
    while (!LOOK(l->stop) && send(l->pair[1], "z", 1, 0) == 1)
        ;
    return 0;
}

/* A removal, in the middle of everything, is the last that is said, and is said once. */
TEST(removal_is_the_last, "")
{
    double until = now_ms() + LONG_ENOUGH;
    for (int i = 0; i < 150 && now_ms() < until; i++) {
        struct link l = {.meeting = {.need = 2}};
        HANDLE thread;
        DWORD events;

        l.port = ready(l.pair);
        CHECK_EQ(enable(l.port, l.pair[0], INPUT, i % 2 ? EDGE : LEVEL), ERROR_SUCCESS);
        thread = start_thread(sender, &l);
        meet(&l.meeting);
        for (int n = 0; n < i % 5; n++) {
            CHECK_EQ(told(l.port, LONG_WHILE), INPUT);
            drain(l.pair[0]);
        }
        CHECK_EQ(deregister(l.port, l.pair[0]), ERROR_SUCCESS);
        while ((events = told(l.port, LONG_WHILE)) == INPUT)
            ;
        CHECK_EQ(events, GONE);
        CHECK_EQ(told(l.port, 0), 0);
        InterlockedExchange(&l.stop, 1);
        JOIN(thread);
        end(l.port, l.pair);
    }
}

THREAD_FN(dequeuer)
{
    struct link *l = arg;
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    while (GetQueuedCompletionStatus(l->port, &bytes, &key, &ov, INFINITE) && key == KEY)
        if (bytes != INPUT)
            FAIL("events 0x%x", (unsigned)bytes);
    return 0;
}

/* A socket gets a port of its own in the middle of everything, and is heard of all the same. */
TEST(moving, "")
{
    double until = now_ms() + LONG_ENOUGH;
    for (int i = 0; i < 100 && now_ms() < until; i++) {
        struct link l = {.meeting = {.need = 2}};
        HANDLE thread, own = fresh_port();
        DWORD events;

        l.port = ready(l.pair);
        CHECK_EQ(enable(l.port, l.pair[0], INPUT, i % 2 ? EDGE : LEVEL), ERROR_SUCCESS);
        thread = start_thread(sender, &l);
        meet(&l.meeting);
        if (i % 4 < 2)
            SwitchToThread();
        CHECK(CreateIoCompletionPort((HANDLE)l.pair[0], i % 3 ? own : l.port, 1, 0) != NULL);
        for (int n = 0; n < 20; n++) {
            if (!CHECK_EQ(told(l.port, LONG_WHILE), INPUT))
                break;
            drain(l.pair[0]);
        }
        CHECK_EQ(deregister(l.port, l.pair[0]), ERROR_SUCCESS);
        while ((events = told(l.port, LONG_WHILE)) == INPUT)
            ;
        CHECK_EQ(events, GONE);
        InterlockedExchange(&l.stop, 1);
        end_pair(l.pair);
        JOIN(thread);
        CHECK(CloseHandle(l.port));
        CHECK(CloseHandle(own));
    }
}

/* Closing the socket while others dequeue, and closing the port while the socket is busy. */
TEST(closing_races, "")
{
    double until = now_ms() + LONG_ENOUGH;
    for (int i = 0; i < 150 && now_ms() < until; i++) {
        struct link l = {.meeting = {.need = 2}};
        HANDLE thread, workers[2];

        l.port = ready(l.pair);
        CHECK_EQ(enable(l.port, l.pair[0], INPUT, LEVEL), ERROR_SUCCESS);
        thread = start_thread(sender, &l);
        for (int n = 0; n < 2; n++)
            workers[n] = start_thread(dequeuer, &l);
        meet(&l.meeting);
        if (i % 3 == 0)
            SwitchToThread();
        if (i % 2) {
            CHECK_EQ(closesocket(l.pair[0]), 0);
            CHECK(PostQueuedCompletionStatus(l.port, 0, 1, NULL));
            CHECK(PostQueuedCompletionStatus(l.port, 0, 1, NULL));
        } else {
            CHECK(CloseHandle(l.port));
        }
        InterlockedExchange(&l.stop, 1);
        JOIN(workers[0]);
        JOIN(workers[1]);
        if (i % 2)
            CHECK(CloseHandle(l.port));
        else
            CHECK_EQ(closesocket(l.pair[0]), 0);
        JOIN(thread);
        CHECK_EQ(closesocket(l.pair[1]), 0);
    }
}

#endif
