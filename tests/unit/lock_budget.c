/* SPDX-License-Identifier: MIT */
/*
 * How many locks an operation of a port takes, by rank: the numbers of docs/SCALING.md. The linker puts
 * a counter in front of what a debug build calls for every lock it has taken; other builds skip. Medians
 * of some echoes, since on a busy machine the watchdog may now and then do a worker's work.
 */
#ifdef IOCP_DEBUG
#include "unit.h"

#include "base/lock.h"

#include <iocp.h>

#include <stdlib.h>
#include <unistd.h>

void __real_lock_debug_acquired(struct lock *l);
void __wrap_lock_debug_acquired(struct lock *l);

enum { RANKS = LOCK_LEAF + 1, ECHOES = 9, CROWD = 8 };
enum step { RECEIVING, HARVESTING, SENDING, DEQUEUING, STEPS };

static _Thread_local int taken[RANKS]; /* by this thread: the home thread's are its own */
static int counts[STEPS][RANKS][ECHOES];

void __wrap_lock_debug_acquired(struct lock *l)
{
    taken[l->rank]++;
    __real_lock_debug_acquired(l);
}

static void count(enum step step, int echo)
{
    for (int rank = 0; rank < RANKS; rank++)
        counts[step][rank][echo] = taken[rank];
    memset(taken, 0, sizeof taken);
}

static int by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The other ranks are not touched at all. */
static void check_step(enum step step, int slot, int file, int queue)
{
    for (int rank = 0; rank < RANKS; rank++) {
        int want = rank == LOCK_SLOT ? slot : rank == LOCK_FILE ? file : rank == LOCK_QUEUE ? queue : 0;

        qsort(counts[step][rank], ECHOES, sizeof(int), by_size);
        if (!CHECK_EQ(counts[step][rank][ECHOES / 2], want))
            printf("  in step %d, locks of rank %d\n", (int)step, rank);
    }
}

static HANDLE port;
static int ends[2];

static OVERLAPPED *dequeue(DWORD ms)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov = NULL;

    GetQueuedCompletionStatus(port, &bytes, &key, &ov, ms);
    return ov;
}

/* ends[0] is the port's, ends[1] the C library's alone. */
static void connect_ends(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(ends[1], (struct sockaddr *)&address, size) == 0);
    ends[0] = accept(listener, NULL, NULL);
    CHECK(ends[0] >= 0);
    close(listener);
}

/* One echo, as a worker does it. */
static void echo(int number)
{
    char text[100];
    WSABUF room = {sizeof text, text};
    WSABUF reply = {5, text};
    OVERLAPPED receiving = {0};
    OVERLAPPED sending = {0};
    DWORD flags = 0;

    memset(taken, 0, sizeof taken);
    CHECK_EQ(WSARecv((SOCKET)ends[0], &room, 1, NULL, &flags, &receiving, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    count(RECEIVING, number);
    CHECK_EQ(write(ends[1], "hello", 5), 5);
    CHECK(dequeue(INFINITE) == &receiving);
    count(HARVESTING, number);
    CHECK_EQ(WSASend((SOCKET)ends[0], &reply, 1, NULL, 0, &sending, NULL), 0);
    count(SENDING, number);
    CHECK(dequeue(INFINITE) == &sending);
    count(DEQUEUING, number);
    CHECK_EQ(read(ends[1], text, sizeof text), 5);
    CHECK(memcmp(text, "hello", 5) == 0);
}

TEST(locks_of_an_echo)
{
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    connect_ends(ends);
    port = CreateIoCompletionPort((HANDLE)(intptr_t)ends[0], NULL, 0, 0);
    CHECK(port != NULL);
    for (int i = 0; i < 3; i++)
        echo(i); /* brings registration and the thread's caches about */
    for (int i = 0; i < ECHOES; i++)
        echo(i);
    check_step(RECEIVING, 0, 1, 0);  /* WSARecv on a drained socket: left pending */
    check_step(HARVESTING, 0, 4, 4); /* asleep in the poller, the edge, the receive, the packet */
    check_step(SENDING, 0, 2, 1);    /* WSASend that is done in the call */
    check_step(DEQUEUING, 0, 0, 1);  /* its packet lies there */
    closesocket((SOCKET)ends[0]);
    close(ends[1]);
    CloseHandle(port);
    WSACleanup();
}

/* Many become ready at once: one queue lock for the harvest, and one for each further dequeue. */
TEST(locks_of_a_harvest)
{
    int crowd[CROWD][2];
    OVERLAPPED receiving[CROWD] = {{0}};
    char text[100];
    WSABUF room = {sizeof text, text};
    DWORD flags = 0;
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (int i = 0; i < CROWD; i++) {
        connect_ends(crowd[i]);
        CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)crowd[i][0], port, 0, 0) == port);
    }
    for (int echo = -1; echo < ECHOES; echo++) { /* the first brings registration about */
        for (int i = 0; i < CROWD; i++)
            WSARecv((SOCKET)crowd[i][0], &room, 1, NULL, &flags, &receiving[i], NULL);
        for (int i = 0; i < CROWD; i++)
            CHECK_EQ(write(crowd[i][1], "hello", 5), 5);
        memset(taken, 0, sizeof taken);
        for (int i = 0; i < CROWD; i++) {
            CHECK(dequeue(INFINITE) != NULL);
            if (echo >= 0 && i < 2)
                count(i == 0 ? HARVESTING : DEQUEUING, echo);
        }
    }
    check_step(HARVESTING, 0, CROWD + 3, 4);
    check_step(DEQUEUING, 0, 3, 1);
    for (int i = 0; i < CROWD; i++) {
        closesocket((SOCKET)crowd[i][0]);
        close(crowd[i][1]);
    }
    CloseHandle(port);
    WSACleanup();
}

TEST(locks_of_a_post)
{
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    PostQueuedCompletionStatus(port, 0, 0, NULL);
    dequeue(0);
    memset(taken, 0, sizeof taken);
    for (int i = 0; i < ECHOES; i++) {
        CHECK(PostQueuedCompletionStatus(port, 0, 0, NULL));
        count(SENDING, i);
        dequeue(0);
        count(DEQUEUING, i);
    }
    check_step(SENDING, 0, 0, 1);
    check_step(DEQUEUING, 0, 0, 1);
    CloseHandle(port);
}
#else
#include <stdio.h>

int main(void)
{
    printf("only a debug build counts its locks\n");
    return 77;
}
#endif
