/* SPDX-License-Identifier: MIT */
/*
 * Sockets that go from one port to the other and back while they receive: each message must be answered,
 * by a worker of either port. Who moves them has the lowest priority, so that it is stopped in the middle.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* SCHED_IDLE */
#endif
#include "stress.h"

#include <winternl.h>

#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { PAIRS = 4, WORKERS = 4, MOVERS = 2 * PAIRS, PATIENCE_S = 60, REPLACE = 61 };

struct replacement { /* FILE_COMPLETION_INFORMATION */
    HANDLE port;
    PVOID key;
};

static struct pair {
    int fd[2]; /* the library's end, the plain one */
    OVERLAPPED ov;
    char byte;
} pairs[PAIRS];
static HANDLE ports[2];
static _Atomic int stop;
static _Atomic uint64_t moves, sent;

static void receive(struct pair *p)
{
    WSABUF buf = {1, &p->byte};
    DWORD flags = 0;

    memset(&p->ov, 0, sizeof p->ov);
    MUST(WSARecv((SOCKET)p->fd[0], &buf, 1, NULL, &flags, &p->ov, NULL) == 0 ||
         WSAGetLastError() == WSA_IO_PENDING);
}

static void *work(void *arg)
{
    for (;;) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *ov;
        struct pair *p;
        char byte;

        MUST(GetQueuedCompletionStatus(arg, &bytes, &key, &ov, INFINITE));
        if (!ov)
            return NULL;
        if (bytes == 0) /* the other end is closed */
            continue;
        p = &pairs[key];
        MUST(ov == &p->ov && bytes == 1);
        byte = p->byte;
        receive(p);
        MUST(send(p->fd[0], &byte, 1, MSG_NOSIGNAL) == 1);
    }
}

static void *move(void *arg)
{
    struct pair *p = arg;
    struct sched_param none = {0};

    sched_setscheduler(0, SCHED_IDLE, &none);
    for (unsigned n = 0; !atomic_load(&stop); n++) {
        IO_STATUS_BLOCK block;
        struct replacement to = {ports[n % 2], (PVOID)(p - pairs)};

        MUST(NtSetInformationFile((HANDLE)(intptr_t)p->fd[0], &block, &to, sizeof to,
                                  (FILE_INFORMATION_CLASS)REPLACE) == 0);
        atomic_fetch_add(&moves, 1);
    }
    return NULL;
}

static void *speak(void *arg)
{
    struct pair *p = arg;
    struct timeval patience = {.tv_sec = PATIENCE_S};

    setsockopt(p->fd[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (uint64_t n = 0; n < stress_count / PAIRS; n++) {
        char byte = (char)n, answer = (char)(n + 1);

        MUST(send(p->fd[1], &byte, 1, 0) == 1);
        MUST(recv(p->fd[1], &answer, 1, 0) == 1 && answer == byte);
        atomic_fetch_add(&sent, 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t workers[WORKERS], movers[MOVERS], speakers[PAIRS];

    stress_begin(argc, argv, 400000, 20000);
    for (int i = 0; i < 2; i++)
        MUST((ports[i] = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) != NULL);
    for (int i = 0; i < PAIRS; i++) {
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i].fd) == 0);
        MUST(CreateIoCompletionPort((HANDLE)(intptr_t)pairs[i].fd[0], ports[0], (ULONG_PTR)i, 0) == ports[0]);
        receive(&pairs[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = stress_thread(work, ports[i % 2]);
    for (int i = 0; i < MOVERS; i++)
        movers[i] = stress_thread(move, &pairs[i % PAIRS]);
    for (int i = 0; i < PAIRS; i++)
        speakers[i] = stress_thread(speak, &pairs[i]);
    for (int i = 0; i < PAIRS; i++)
        pthread_join(speakers[i], NULL);
    atomic_store(&stop, 1);
    for (int i = 0; i < MOVERS; i++)
        pthread_join(movers[i], NULL);
    for (int i = 0; i < PAIRS; i++)
        close(pairs[i].fd[1]);
    for (int i = 0; i < WORKERS; i++)
        MUST(PostQueuedCompletionStatus(ports[i % 2], 0, 0, NULL));
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    for (int i = 0; i < PAIRS; i++)
        closesocket((SOCKET)pairs[i].fd[0]);
    for (int i = 0; i < 2; i++)
        MUST(CloseHandle(ports[i]));
    printf("# %llu messages, %llu moves\n", (unsigned long long)sent, (unsigned long long)moves);
    stress_balanced();
    return 0;
}
