/* SPDX-License-Identifier: MIT */
/*
 * How long after data has come a completion is seen, by a program that never asks a port: it polls the
 * OVERLAPPED in memory, polls HasOverlappedIoCompleted, or sleeps on the event; and, to compare, by one
 * that waits on the port. The sender is a plain pthread of which the library knows nothing, so that
 * nothing but the receiver's own way of looking can make the completion happen. Each message carries the
 * time it was sent. One line of "name=value" pairs per way, in microseconds; the file reads the Linux
 * clock and does not build for Windows.
 */
#include <pthread.h>
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
    qsort(took, (size_t)repeats, sizeof *took, by_size);
    printf("way=%s count=%d p50=%.1f p99=%.1f max=%.1f\n", name, repeats, took[repeats / 2],
           took[repeats * 99 / 100], took[repeats - 1]);
    fflush(stdout);
    if (event)
        CloseHandle(event);
    free(took);
}

int main(int argc, char **argv) {
    WSADATA data;
    pthread_t sender;
    if (argc > 1)
        count = atoi(argv[1]);
    check(count > 0, "latency [COUNT]: a count");
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
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
    WSACleanup();
    return 0;
}
