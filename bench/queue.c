/* SPDX-License-Identifier: MIT */
/*
 * The queue of a completion port by itself: what a posted packet costs, in nanoseconds. Medians of many
 * short rounds, so that a round in which the machine did something else does not count. One line of
 * "name=value" pairs.
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 101
#define COUNT  20000
#define BATCH  64

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

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
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

/* The other half of a ping-pong: gives back every packet on the port it was told. */
static DWORD WINAPI give_back(LPVOID argument) {
    HANDLE *ports = argument;
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    for (;;) {
        check(GetQueuedCompletionStatus(ports[0], &bytes, &key, &overlapped, INFINITE), "waiting");
        if (!key)
            return 0;
        check(PostQueuedCompletionStatus(ports[1], 0, key, NULL), "answering");
    }
}

/* There and back between two threads that both sleep in between: two wakes. */
static double ping_pong_ns(void) {
    HANDLE ports[2], thread;
    double took[2001];
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    for (int i = 0; i < 2; i++)
        check((ports[i] = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) != NULL, "a port");
    check((thread = CreateThread(NULL, 0, give_back, ports, 0, NULL)) != NULL, "CreateThread");
    for (int i = 0; i < 2001; i++) {
        double start = now_ns();
        check(PostQueuedCompletionStatus(ports[0], 0, 1, NULL), "asking");
        check(GetQueuedCompletionStatus(ports[1], &bytes, &key, &overlapped, INFINITE), "waiting");
        took[i] = now_ns() - start;
    }
    check(PostQueuedCompletionStatus(ports[0], 0, 0, NULL), "asking");
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(ports[0]);
    CloseHandle(ports[1]);
    qsort(took, 2001, sizeof *took, by_size);
    return took[1000];
}

int main(void) {
    LARGE_INTEGER value;
    QueryPerformanceFrequency(&value);
    frequency = value.QuadPart;
    check((port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) != NULL, "a port");
    printf("post_get=%.1f ", median_ns(one_by_one));
    printf("backlog=%.1f ", median_ns(all_then_all));
    printf("batch=%.1f ", median_ns(in_batches));
    printf("ping_pong=%.0f\n", ping_pong_ns());
    CloseHandle(port);
    return 0;
}
