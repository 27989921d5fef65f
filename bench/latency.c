/* SPDX-License-Identifier: MIT */
/*
 * How long after data has come a completion is seen, by a program that never asks a port: it polls the
 * OVERLAPPED in memory, polls HasOverlappedIoCompleted, or sleeps on the event; and, to compare, by one
 * that waits on the port. The sender is a plain pthread of which the library knows nothing, so that
 * nothing but the receiver's own way of looking can make the completion happen. Each message carries the
 * time it was sent. One line of "name=value" pairs per way, in microseconds; the file reads the Linux
 * clock and does not build for Windows.
 *
 * The way "answer" turns it round: a worker of a port answers each question and computes for 2 ms before
 * it comes back. The answer carries the time just before WSASend, and must not wait for the worker; it
 * is awaited by a peer that polls its socket on a CPU of its own, so that neither a wake nor the worker's
 * computing counts. "answer-bare" is the same with
 * a plain write(2) in place of WSASend.
 *
 *   latency [COUNT [all | unattended | answer]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <winsock2.h>
#include <windows.h>

#define WARM_UP 5

enum way { WAY_MEMORY, WAY_MACRO, WAY_EVENT, WAY_PORT };

static int wakes[2]; /* a pipe: one byte asks the sender for one message */
static SOCKET near_end, far_end;
static HANDLE port;
static int count = 200;

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void check(BOOL ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s failed: error %lu\n", what, (unsigned long)GetLastError());
        exit(1);
    }
}

/* A socket is its descriptor, so write(2) sends without any call into the library. */
static void *send_stamps(void *argument) {
    char ask;
    (void)argument;
    for (unsigned i = 0; read(wakes[0], &ask, 1) == 1; i++) {
        struct timespec pause = {0, 2000000 + i % 7 * 1300000}; /* no rhythm to fall into */
        nanosleep(&pause, NULL);
        long long stamp = now_ns();
        if (write((int)far_end, &stamp, sizeof stamp) != sizeof stamp)
            abort();
    }
    return NULL;
}

static void connect_ends(void) {
    struct sockaddr_in address;
    int size = sizeof address;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0,
          "listen");
    far_end = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(connect(far_end, (struct sockaddr *)&address, size) == 0, "connect");
    near_end = accept(listener, NULL, NULL);
    check(near_end != INVALID_SOCKET, "accept");
    closesocket(listener);
}

static void await(enum way way, OVERLAPPED *overlapped) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *done;
    volatile ULONG_PTR *status = (volatile ULONG_PTR *)&overlapped->Internal;
    switch (way) {
    case WAY_MEMORY:
        while (*status == (ULONG_PTR)STATUS_PENDING)
            continue;
        break;
    case WAY_MACRO:
        while (!HasOverlappedIoCompleted(overlapped))
            continue;
        break;
    case WAY_EVENT:
        check(WaitForSingleObject(overlapped->hEvent, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
        break;
    case WAY_PORT:
        check(GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE) && done == overlapped,
              "GetQueuedCompletionStatus");
        break;
    }
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints and frees. */
static void show(const char *name, double *took, int repeats) {
    qsort(took, (size_t)repeats, sizeof *took, by_size);
    printf("way=%s count=%d p50=%.1f p99=%.1f max=%.1f\n", name, repeats, took[repeats / 2],
           took[repeats * 99 / 100], took[repeats - 1]);
    fflush(stdout);
    free(took);
}

/* On a port without waiters the packets of the polled requests are taken out unseen. */
static void empty_port(void) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *done;
    while (port && GetQueuedCompletionStatus(port, &bytes, &key, &done, 0))
        continue;
}

static void measure(const char *name, enum way way, int repeats) {
    double *took = calloc((size_t)repeats, sizeof *took);
    HANDLE event = way == WAY_EVENT ? CreateEventA(NULL, TRUE, FALSE, NULL) : NULL;
    check(took != NULL, "calloc");
    for (int i = -WARM_UP; i < repeats; i++) {
        long long stamp = 0;
        WSABUF buffer = {sizeof stamp, (char *)&stamp};
        OVERLAPPED overlapped;
        DWORD flags = 0;
        memset(&overlapped, 0, sizeof overlapped);
        overlapped.hEvent = event;
        check(WSARecv(near_end, &buffer, 1, NULL, &flags, &overlapped, NULL) == 0 ||
                  WSAGetLastError() == WSA_IO_PENDING,
              "WSARecv");
        check(write(wakes[1], "", 1) == 1, "write");
        await(way, &overlapped);
        if (i >= 0)
            took[i] = (double)(now_ns() - stamp) / 1e3;
        check(stamp != 0 && overlapped.InternalHigh == sizeof stamp, "receiving a stamp");
    }
    if (way != WAY_PORT)
        empty_port();
    if (event)
        CloseHandle(event);
    show(name, took, repeats);
}

/* -- a worker that answers, and then computes -- */

#define COMPUTE_NS 2000000

struct question {
    long long number, stamp; /* the stamp is the answerer's */
};

/* The calling thread stays on the which-th CPU it may use; where there is only one, nothing changes. */
static void stay_on(int which) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) <= which)
        return;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && which-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
        }
}

static void compute(void) {
    volatile double x = 1;
    for (long long end = now_ns() + COMPUTE_NS; now_ns() < end;)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001 + 1e-9;
}

static OVERLAPPED *dequeue(DWORD *bytes) {
    ULONG_PTR key;
    OVERLAPPED *done;
    check(GetQueuedCompletionStatus(port, bytes, &key, &done, INFINITE), "GetQueuedCompletionStatus");
    return done;
}

/* One worker, one connection: receive, answer, compute, and take both packets. `bare`: by write(2). */
static DWORD WINAPI answer_all(LPVOID argument) {
    const BOOL bare = *(BOOL *)argument;
    struct question q;
    WSABUF buffer = {sizeof q, (char *)&q};
    stay_on(1);
    for (;;) {
        OVERLAPPED receiving = {0}, sending = {0};
        DWORD bytes, flags = 0;
        check(WSARecv(near_end, &buffer, 1, NULL, &flags, &receiving, NULL) == 0 ||
                  WSAGetLastError() == WSA_IO_PENDING,
              "WSARecv");
        check(dequeue(&bytes) == &receiving, "taking the question");
        if (bytes == 0)
            return 0;
        check(bytes == sizeof q, "a whole question");
        q.stamp = now_ns();
        if (bare)
            check(write((int)near_end, &q, sizeof q) == sizeof q, "write");
        else
            check(WSASend(near_end, &buffer, 1, NULL, 0, &sending, NULL) == 0 ||
                      WSAGetLastError() == WSA_IO_PENDING,
                  "WSASend");
        compute();
        if (!bare)
            check(dequeue(&bytes) == &sending && bytes == sizeof q, "taking the answer's packet");
    }
}

static void await_answer(int fd, struct question *got) {
    size_t have = 0;
    while (have < sizeof *got) {
        ssize_t n = read(fd, (char *)got + have, sizeof *got - have);
        check(n > 0 || (n < 0 && errno == EAGAIN), "read");
        have += n > 0 ? (size_t)n : 0;
    }
}

/* far_end stays unknown to the library while this runs: only read(2) and write(2) touch it. */
static void measure_answers(const char *name, BOOL bare, int repeats) {
    double *took = calloc((size_t)repeats, sizeof *took);
    HANDLE worker;
    cpu_set_t before;
    check(took != NULL && sched_getaffinity(0, sizeof before, &before) == 0, "preparing");
    connect_ends();
    port = CreateIoCompletionPort((HANDLE)near_end, NULL, 1, 0);
    check(port != NULL, "CreateIoCompletionPort");
    check(fcntl((int)far_end, F_SETFL, O_RDWR | O_NONBLOCK) == 0, "fcntl");
    worker = CreateThread(NULL, 0, answer_all, &bare, 0, NULL);
    check(worker != NULL, "CreateThread");
    stay_on(0); /* only now: the worker would have inherited it */
    for (int i = -WARM_UP; i < repeats; i++) {
        struct timespec pause = {0, 2 * COMPUTE_NS + (i + WARM_UP) % 7 * 300000};
        struct question q = {i + 1000, 0}, got;
        check(write((int)far_end, &q, sizeof q) == sizeof q, "write");
        await_answer((int)far_end, &got);
        if (i >= 0)
            took[i] = (double)(now_ns() - got.stamp) / 1e3;
        check(got.number == q.number && got.stamp != 0, "the right answer");
        nanosleep(&pause, NULL); /* the worker is done and asleep when the next question comes */
    }
    shutdown(far_end, SD_SEND);
    check(WaitForSingleObject(worker, 10000) == WAIT_OBJECT_0, "the worker's end");
    CloseHandle(worker);
    sched_setaffinity(0, sizeof before, &before);
    closesocket(near_end);
    closesocket(far_end);
    CloseHandle(port);
    port = NULL;
    show(name, took, repeats);
}

static void measure_unattended(void) {
    pthread_t sender;
    check(pipe(wakes) == 0, "pipe");
    connect_ends();
    check(pthread_create(&sender, NULL, send_stamps, NULL) == 0, "pthread_create");

    measure("event", WAY_EVENT, count); /* a socket of no port */
    measure("memory", WAY_MEMORY, count);
    measure("macro", WAY_MACRO, count);
    closesocket(near_end);
    closesocket(far_end);

    connect_ends(); /* and one whose port nobody asks */
    port = CreateIoCompletionPort((HANDLE)near_end, NULL, 1, 0);
    check(port != NULL, "CreateIoCompletionPort");
    measure("port-event", WAY_EVENT, count);
    measure("port-memory", WAY_MEMORY, count);
    measure("port-macro", WAY_MACRO, count);
    measure("port-dequeue", WAY_PORT, count);
    close(wakes[1]);
    pthread_join(sender, NULL);
    closesocket(near_end);
    closesocket(far_end);
    CloseHandle(port);
    port = NULL;
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[2] : "all";
    WSADATA data;
    if (argc > 1)
        count = atoi(argv[1]);
    check(count > 0, "latency [COUNT [all | unattended | answer]]: a count");
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
    if (strcmp(what, "answer") != 0)
        measure_unattended();
    if (strcmp(what, "unattended") != 0) {
        measure_answers("answer", FALSE, count);
        measure_answers("answer-bare", TRUE, count);
    }
    WSACleanup();
    return 0;
}
