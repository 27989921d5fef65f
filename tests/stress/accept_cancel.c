/* SPDX-License-Identifier: MIT */
/*
 * AcceptEx that waits for first data, against everything that ends it. Connections that send nothing
 * arrive - each moves a request from the listener's lane to its accept socket's - while another
 * thread cancels all of the listener, closes it, or closes the accept sockets. Every AcceptEx
 * must be answered: none may be left waiting for data in a place where nobody looked. In every fourth
 * round nobody connects and the accept sockets are closed while AcceptEx is being called on them.
 */
#include "stress.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 24, ADDRESS = sizeof(struct sockaddr_in) + 16, WAYS = 4, WHILE_STARTING = 3 };

struct accept {
    OVERLAPPED ov;
    SOCKET socket;
    char out[64 + 2 * ADDRESS];
};

static struct stress_meeting meeting = {.need = 3};
static SOCKET listener;
static struct sockaddr_in address;
static struct accept accepts[BATCH];
static int clients[BATCH];
static uint64_t turn, good, failed;
static int started;
static _Atomic int stop;

static void *connect_all(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < BATCH; i++) {
            clients[i] = -1;
            if (turn % WAYS == WHILE_STARTING)
                continue;
            clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            MUST(clients[i] >= 0);
            (void)!connect(clients[i], (struct sockaddr *)&address, sizeof address);
        }
        stress_meet(&meeting);
    }
}

static void *end_all(void *arg)
{
    uint64_t random = stress_seed;
    uint32_t spins;

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        spins = stress_random(&random, turn % WAYS == WHILE_STARTING ? 400 : 40000);
        while (spins-- > 0)
            __asm__ volatile("");
        switch (turn % WAYS) {
        case 0:
            MUST(CancelIoEx((HANDLE)listener, NULL));
            break;
        case 1:
            MUST(closesocket(listener) == 0);
            break;
        default:
            for (int i = 0; i < BATCH; i++)
                MUST(closesocket(accepts[i].socket) == 0);
        }
        stress_meet(&meeting);
    }
}

static int start(struct accept *a)
{
    DWORD bytes;

    memset(&a->ov, 0, sizeof a->ov);
    MUST(!AcceptEx(listener, a->socket, a->out, 64, ADDRESS, ADDRESS, &bytes, &a->ov));
    if (WSAGetLastError() == WSA_IO_PENDING)
        return 1;
    MUST(turn % WAYS == WHILE_STARTING);
    return 0;
}

static void begin(HANDLE port)
{
    socklen_t len = sizeof address;

    listener = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    MUST(iocp_bind(listener, (struct sockaddr *)&address, (int)len) == 0);
    MUST(getsockname((int)listener, (struct sockaddr *)&address, &len) == 0);
    MUST(iocp_listen(listener, 2 * BATCH) == 0);
    MUST(CreateIoCompletionPort((HANDLE)listener, port, 1, 0) == port);
    for (int i = 0; i < BATCH; i++) {
        struct accept *a = &accepts[i];

        a->socket = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
        MUST(a->socket != INVALID_SOCKET);
        if (turn % WAYS != WHILE_STARTING)
            started += start(a);
    }
}

static void take(HANDLE port)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov = NULL;
    BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 10000);

    MUST(ov != NULL);
    MUST(ov->Internal != STATUS_PENDING);
    ok ? good++ : failed++;
}

static void close_rest(void)
{
    for (int i = 0; i < BATCH; i++) {
        if (turn % WAYS < 2)
            closesocket(accepts[i].socket);
        if (clients[i] >= 0)
            close(clients[i]);
    }
    if (turn % WAYS != 1)
        closesocket(listener);
}

int main(int argc, char **argv)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    pthread_t threads[2];
    WSADATA data;

    stress_begin(argc, argv, 20000, 600);
    MUST(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    threads[0] = stress_thread(connect_all, NULL);
    threads[1] = stress_thread(end_all, NULL);
    for (turn = 0; turn < stress_count; turn++) {
        started = 0;
        begin(port);
        stress_meet(&meeting);
        for (int i = 0; i < BATCH && turn % WAYS == WHILE_STARTING; i++)
            started += start(&accepts[i]);
        for (int i = 0; i < started; i++)
            take(port);
        stress_meet(&meeting);
        close_rest();
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("# %llu succeeded, %llu with an error\n", (unsigned long long)good,
           (unsigned long long)failed);
    CloseHandle(port);
    stress_balanced();
    return 0;
}
