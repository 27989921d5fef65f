/* SPDX-License-Identifier: MIT */
/*
 * Places at a port in the corners: a dequeue of many packets at once, and a routine that dequeues while
 * the call it interrupted has given the place back.
 */
#include "conform.h"
#include "packet.h"

#define WINE_WHY "Wine 8 does not limit the threads of a port"

struct taker {
    HANDLE port, taken, leave;
    SOCKET socket;
    volatile LONG got, bytes;
};

/* ---- many at once ---- */

enum { LOT = 64, ROOM = 200 };

static unsigned __stdcall take_a_lot(void *arg)
{
    struct taker *t = arg;
    OVERLAPPED_ENTRY entries[ROOM];
    ULONG n = 0;
    CHECK(GetQueuedCompletionStatusEx(t->port, entries, ROOM, &n, 10000, FALSE));
    InterlockedExchange(&t->got, (LONG)n);
    SetEvent(t->taken);
    while (!LOOK(t->bytes)) /* it runs, in the port's eyes */
        SwitchToThread();
    return 0;
}

/* However many there are: a multiple of what the library takes at a time, or not. */
static void a_lot_keeps_its_place(int count)
{
    struct taker t = {.port = new_port(1), .taken = CreateEventA(NULL, FALSE, FALSE, NULL)};
    for (int i = 0; i < count; i++)
        CHECK(PostQueuedCompletionStatus(t.port, 1, 2, NULL));
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, take_a_lot, &t, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(t.taken, 10000), WAIT_OBJECT_0);
    CHECK_EQ(t.got, count);
    CHECK(PostQueuedCompletionStatus(t.port, 3, 4, NULL));
    CHECK_NO_PACKET(t.port, A_WHILE);
    InterlockedExchange(&t.bytes, 1);
    CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CHECK_PACKET(t.port, 3, 4, NULL);
    CloseHandle(thread);
    CloseHandle(t.taken);
    CloseHandle(t.port);
}

TEST_W8(many_at_once_keep_the_place, "PORT-16 PORT-26", WINE_WHY)
{
    static const int counts[] = {LOT - 1, LOT, LOT + 1, 2 * LOT, ROOM};
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        a_lot_keeps_its_place(counts[i]);
}

/* ---- a routine that dequeues ---- */

static void CALLBACK dequeue_in_routine(ULONG_PTR arg)
{
    struct taker *t = (struct taker *)arg;
    CHECK_PACKET(t->port, 11, 12, NULL);
    SetEvent(t->leave);
}

static unsigned __stdcall receive_between(void *arg)
{
    struct taker *t = arg;
    char byte;
    CHECK_PACKET(t->port, 1, 2, NULL);
    SetEvent(t->taken);
    CHECK_EQ(recv(t->socket, &byte, 1, 0), 1);
    InterlockedExchange(&t->bytes, 1);
    return 0;
}

/* The nested dequeue takes a place, the receive that goes on gives it back, its end takes one: one. */
TEST(routine_dequeues_within_a_blocking_call, "PORT-18 PORT-21 APC-20")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct taker t = {.port = new_port(1), .socket = pair[0]};
    t.taken = CreateEventA(NULL, FALSE, FALSE, NULL);
    t.leave = CreateEventA(NULL, FALSE, FALSE, NULL);
    CHECK(PostQueuedCompletionStatus(t.port, 1, 2, NULL));
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, receive_between, &t, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(t.taken, 10000), WAIT_OBJECT_0);
    CHECK(PostQueuedCompletionStatus(t.port, 11, 12, NULL));
    CHECK(QueueUserAPC(dequeue_in_routine, thread, (ULONG_PTR)&t));
    CHECK_EQ(WaitForSingleObject(t.leave, 10000), WAIT_OBJECT_0);
    CHECK(PostQueuedCompletionStatus(t.port, 21, 22, NULL));
    CHECK_PACKET(t.port, 21, 22, NULL); /* the thread blocks again: its place is free */
    CHECK_EQ(send(pair[1], "x", 1, 0), 1);
    CHECK_EQ(WaitForSingleObject(thread, 10000), WAIT_OBJECT_0);
    CHECK(PostQueuedCompletionStatus(t.port, 31, 32, NULL));
    CHECK_PACKET(t.port, 31, 32, NULL); /* and ended: nothing of it is left */
    CloseHandle(thread);
    CloseHandle(t.taken);
    CloseHandle(t.leave);
    CloseHandle(t.port);
    close_pair(pair);
}
