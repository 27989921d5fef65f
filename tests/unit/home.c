/* SPDX-License-Identifier: MIT */
/*
 * The home thread as a program meets it: it does the work of a port whose threads sleep elsewhere, at
 * once and as long as they sleep, not at the watchdog's next tick.
 */
#define _GNU_SOURCE
#include "unit.h"

#include <iocp.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MUCH = 40 << 20 };

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *read_all(void *arg)
{
    static char waste[65536];

    while (read((int)(intptr_t)arg, waste, sizeof waste) > 0)
        ;
    close((int)(intptr_t)arg);
    return NULL;
}

/* How long one overlapped send takes that has to wait hundreds of times for room. */
static double send_much(char *data, int with_port)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    WSABUF buf = {MUCH, data};
    HANDLE port = NULL;
    pthread_t reader;
    DWORD bytes = 0;
    double begun;
    int fd[2];

    if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0))
        return 0;
    if (with_port)
        port = CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], NULL, 0, 1);
    pthread_create(&reader, NULL, read_all, (void *)(intptr_t)fd[1]);
    begun = now_ms();
    WSASend((SOCKET)fd[0], &buf, 1, NULL, 0, &ov, NULL);
    CHECK(GetOverlappedResult((HANDLE)(intptr_t)fd[0], &ov, &bytes, TRUE));
    begun = now_ms() - begun;
    CHECK_EQ(bytes, MUCH);
    closesocket((SOCKET)fd[0]);
    pthread_join(reader, NULL);
    CloseHandle(ov.hEvent);
    if (port)
        CloseHandle(port);
    return begun;
}

TEST(attends_a_port_while_its_threads_sleep)
{
    char *data = calloc(1, MUCH);
    double alone, with_port;

    if (!CHECK(data != NULL))
        return;
    alone = send_much(data, 0);
    with_port = send_much(data, 1);
    if (!CHECK(with_port < 8 * alone + 200))
        printf("  %.0f ms without a port, %.0f ms with one\n", alone, with_port);
    free(data);
}
