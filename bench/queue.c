/* SPDX-License-Identifier: MIT */
/*
 * The queue of a completion port by itself: what a posted packet costs, in nanoseconds. Medians of many
 * short rounds, so that a round in which the machine did something else does not count. The ping-pong of
 * two threads takes turns with one on bare futexes, by the same two threads: what the scheduler does with
 * them, it does to both. One line of "name=value" pairs. Builds for Windows too, without the futexes.
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define ROUNDS 101
#define COUNT  20000
#define BATCH  64
#define TURNS  61 /* of the ping-pong: so often each way has its turn */
#define TRIPS  40 /* of a turn */

/* What the other thread is told by key. */
enum { KEY_END, KEY_GIVE_BACK, KEY_FUTEX };

static LONGLONG frequency;
static HANDLE port;

static double now_ns(void) {
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return (double)now.QuadPart * 1e9 / (double)frequency;
}

static void check(BOOL ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s failed: error %lu\n", what, (unsigned long)GetLastError());
        exit(1);
    }
}

static void post(ULONG_PTR key) {
    check(PostQueuedCompletionStatus(port, 1, key, NULL), "PostQueuedCompletionStatus");
}

static void get(ULONG_PTR expected) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    check(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0) && key == expected,
          "GetQueuedCompletionStatus");
}

static void one_by_one(void) {
    for (ULONG_PTR i = 0; i < COUNT; i++) {
        post(i);
        get(i);
    }
}

static void all_then_all(void) {
    for (ULONG_PTR i = 0; i < COUNT; i++)
        post(i);
    for (ULONG_PTR i = 0; i < COUNT; i++)
        get(i);
}

static void in_batches(void) {
    OVERLAPPED_ENTRY entries[BATCH];
    ULONG count;
    for (ULONG_PTR i = 0; i < COUNT / BATCH; i++) {
        for (ULONG_PTR k = 0; k < BATCH; k++)
            post(k);
        check(GetQueuedCompletionStatusEx(port, entries, BATCH, &count, 0, FALSE) && count == BATCH,
              "GetQueuedCompletionStatusEx");
    }
}

/* What the taking alone costs: GetQueuedCompletionStatusEx, 64 at a time. */
static double batch_get_ns(void) {
    OVERLAPPED_ENTRY entries[BATCH];
    double took = 0, start;
    ULONG count;
    for (ULONG_PTR i = 0; i < COUNT / BATCH; i++) {
        for (ULONG_PTR k = 0; k < BATCH; k++)
            post(k);
        start = now_ns();
        check(GetQueuedCompletionStatusEx(port, entries, BATCH, &count, 0, FALSE) && count == BATCH,
              "GetQueuedCompletionStatusEx");
        took += now_ns() - start;
    }
    return took / (COUNT / BATCH * BATCH);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double (*measure)(void)) {
    double took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        took[i] = measure();
    qsort(took, ROUNDS, sizeof *took, by_size);
    return took[ROUNDS / 2];
}

static double median_ns(void (*round)(void)) {
    double took[ROUNDS];
    round();
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        round();
        took[i] = (now_ns() - start) / COUNT;
    }
    qsort(took, ROUNDS, sizeof *took, by_size);
    return took[ROUNDS / 2];
}

/* -- ping-pong -- */

static HANDLE ports[2]; /* there, and back */

#ifdef __linux__
static struct {
    int ball;
    char distance[60];
} word[2];

static void hand_over(int *ball) {
    __atomic_store_n(ball, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void catch_it(int *ball) {
    while (!__atomic_load_n(ball, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, ball, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(ball, 0, __ATOMIC_SEQ_CST);
}

static void give_back_balls(void) {
    for (int i = 0; i < TRIPS + 1; i++) {
        catch_it(&word[0].ball);
        hand_over(&word[1].ball);
    }
}

static void futex_trip(void) {
    hand_over(&word[0].ball);
    catch_it(&word[1].ball);
}
#endif

/* The other half of a ping-pong: gives back every packet on the other port. */
static DWORD WINAPI give_back(LPVOID argument) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    (void)argument;
    for (;;) {
        check(GetQueuedCompletionStatus(ports[0], &bytes, &key, &overlapped, INFINITE), "waiting");
        if (key == KEY_END)
            return 0;
#ifdef __linux__
        if (key == KEY_FUTEX) {
            give_back_balls();
            continue;
        }
#endif
        check(PostQueuedCompletionStatus(ports[1], 0, key, NULL), "answering");
    }
}

static void tell(ULONG_PTR key) {
    check(PostQueuedCompletionStatus(ports[0], 0, key, NULL), "asking");
}

static void port_trip(void) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    tell(KEY_GIVE_BACK);
    check(GetQueuedCompletionStatus(ports[1], &bytes, &key, &overlapped, INFINITE), "waiting");
}

/* Nanoseconds per trip. */
static double turn_ns(void (*trip)(void)) {
    double start;
    trip(); /* the other thread changes over */
    start = now_ns();
    for (int i = 0; i < TRIPS; i++)
        trip();
    return (now_ns() - start) / TRIPS;
}

/* There and back between two threads that both sleep in between: two wakes. */
static void ping_pong(void) {
    double by_port[TURNS], by_futex[TURNS] = {0};
    HANDLE thread;
    for (int i = 0; i < 2; i++)
        check((ports[i] = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) != NULL, "a port");
    check((thread = CreateThread(NULL, 0, give_back, NULL, 0, NULL)) != NULL, "CreateThread");
    for (int i = 0; i < TURNS; i++) {
        by_port[i] = turn_ns(port_trip);
#ifdef __linux__
        tell(KEY_FUTEX);
        by_futex[i] = turn_ns(futex_trip);
#endif
    }
    tell(KEY_END);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(ports[0]);
    CloseHandle(ports[1]);
    qsort(by_port, TURNS, sizeof *by_port, by_size);
    qsort(by_futex, TURNS, sizeof *by_futex, by_size);
    printf("ping_pong=%.0f", by_port[TURNS / 2]);
    if (by_futex[TURNS / 2] > 0)
        printf(" futex_ping_pong=%.0f", by_futex[TURNS / 2]);
    printf("\n");
}

int main(void) {
    LARGE_INTEGER value;
    QueryPerformanceFrequency(&value);
    frequency = value.QuadPart;
    check((port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) != NULL, "a port");
    printf("post_get=%.1f ", median_ns(one_by_one));
    printf("backlog=%.1f ", median_ns(all_then_all));
    printf("batch=%.1f ", median_ns(in_batches));
    printf("batch_get=%.1f ", median_of(batch_get_ns));
    ping_pong();
    CloseHandle(port);
    return 0;
}
