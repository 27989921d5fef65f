/* SPDX-License-Identifier: MIT */
/*
 * The end of a connection that the thread pool serves, as the pages have it: closesocket,
 * WaitForThreadpoolIoCallbacks(TRUE), CloseThreadpoolIo, and the memory is freed; while a callback runs, or
 * starts the next receive, or its packet lies behind others. After the wait nobody is called any more,
 * neither for this connection nor, by a packet that comes late, for whatever was made in the meantime.
 */
#include "stress.h"

#include <stdbool.h>
#include <unistd.h>

enum { SLOTS = 6, MAGIC = 0x51075107, LATE = 64 };

struct connection {
    OVERLAPPED ov; /* first */
    uint32_t magic;
    pthread_mutex_t lock; /* closing, and starting the next receive */
    bool closing;
    SOCKET socket;
    struct sockaddr_in address;
    PTP_IO io;
    _Atomic bool over; /* nobody is called any more */
    char buffer[16];
};

static int sender;
static _Atomic uint64_t calls, aborted, turn;

static void receive(struct connection *c)
{
    WSABUF b = {.len = sizeof c->buffer, .buf = c->buffer};
    DWORD flags = 0;

    memset(&c->ov, 0, sizeof c->ov);
    StartThreadpoolIo(c->io);
    if (WSARecv(c->socket, &b, 1, NULL, &flags, &c->ov, NULL) != 0)
        MUST(WSAGetLastError() == WSA_IO_PENDING);
}

static void CALLBACK on_receive(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                                ULONG_PTR bytes, PTP_IO io)
{
    struct connection *c = context;

    (void)instance;
    MUST(c->magic == MAGIC && overlapped == &c->ov && io == c->io);
    MUST(!atomic_load(&c->over));
    MUST(error == 0 ? bytes == 1 : error == ERROR_OPERATION_ABORTED);
    atomic_fetch_add(error ? &aborted : &calls, 1);
    pthread_mutex_lock(&c->lock);
    if (!c->closing)
        receive(c);
    pthread_mutex_unlock(&c->lock);
    MUST(!atomic_load(&c->over));
}

/* Takes a thread of the pool for some turns: what is queued behind it comes late. */
static void CALLBACK hold(PTP_CALLBACK_INSTANCE instance, PVOID until)
{
    (void)instance;
    while (atomic_load(&turn) < (uintptr_t)until)
        SwitchToThread();
}

static struct connection *new_connection(PTP_CALLBACK_ENVIRON environment)
{
    struct connection *c = calloc(1, sizeof *c);
    socklen_t size = sizeof c->address;

    MUST(c);
    c->magic = MAGIC;
    pthread_mutex_init(&c->lock, NULL);
    c->socket = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    MUST(c->socket != INVALID_SOCKET);
    c->address.sin_family = AF_INET;
    c->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(iocp_bind(c->socket, (struct sockaddr *)&c->address, sizeof c->address) == 0);
    MUST(getsockname((int)c->socket, (struct sockaddr *)&c->address, &size) == 0);
    c->io = CreateThreadpoolIo((HANDLE)c->socket, on_receive, c, environment);
    MUST(c->io);
    receive(c);
    return c;
}

static void end_connection(struct connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    MUST(closesocket(c->socket) == 0);
    pthread_mutex_unlock(&c->lock);
    WaitForThreadpoolIoCallbacks(c->io, TRUE);
    atomic_store(&c->over, true);
    CloseThreadpoolIo(c->io);
    while (!HasOverlappedIoCompleted(&c->ov))
        SwitchToThread();
    pthread_mutex_destroy(&c->lock);
    memset(c, 0xDD, sizeof *c);
    free(c);
}

static void send_to(struct connection *c)
{
    char byte = 1;

    sendto(sender, &byte, 1, 0, (struct sockaddr *)&c->address, sizeof c->address);
}

int main(int argc, char **argv)
{
    TP_CALLBACK_ENVIRON environment;
    struct connection *slots[SLOTS] = {NULL};
    HANDLE queues[LATE] = {NULL};
    PTP_POOL pool;
    uint32_t threads;
    WSADATA data;
    uint64_t seed;

    stress_begin(argc, argv, 20000, 1500);
    seed = stress_seed;
    MUST(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    pool = CreateThreadpool(NULL);
    MUST(pool);
    threads = 1 + stress_random(&seed, 3);
    SetThreadpoolThreadMaximum(pool, threads);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    for (uint64_t n = 0; n < stress_count; n++) {
        uint32_t i = stress_random(&seed, SLOTS), late = stress_random(&seed, LATE);

        atomic_store(&turn, n);
        for (uint32_t k = n % 16 == 0 ? threads : 0; k > 0; k--)
            MUST(TrySubmitThreadpoolCallback(hold, (PVOID)(uintptr_t)(n + 4), &environment));
        for (uint32_t k = stress_random(&seed, 20); k > 0; k--) {
            uint32_t other = stress_random(&seed, SLOTS);

            if (slots[other])
                send_to(slots[other]);
        }
        if (slots[i])
            end_connection(slots[i]);
        if (queues[late]) /* other things that the pool knows by a handle */
            MUST(DeleteTimerQueueEx(queues[late], INVALID_HANDLE_VALUE));
        queues[late] = CreateTimerQueue();
        slots[i] = new_connection(&environment);
    }
    atomic_store(&turn, UINT64_MAX);
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i])
            end_connection(slots[i]);
    }
    for (int i = 0; i < LATE; i++)
        MUST(!queues[i] || DeleteTimerQueueEx(queues[i], INVALID_HANDLE_VALUE));
    CloseThreadpool(pool);
    close(sender);
    printf("# called %llu times, %llu of them for the end\n", (unsigned long long)calls,
           (unsigned long long)aborted);
    return 0;
}
