/* SPDX-License-Identifier: MIT */
/*
 * Close against completion. A receive and a zero-byte receive pend on a socket of a port; one
 * thread closes the socket while another sends to it or closes the peer. Each operation must give
 * exactly one completion, with data, with the end, or with an error; its memory is freed then.
 */
#include "stress.h"

enum { BATCH = 32, PER_SOCKET = 2 };

static struct stress_meeting meeting = {.need = 3};
static SOCKET ours[BATCH], theirs[BATCH];
static _Atomic int stop;
static uint64_t with_data, at_end, with_error;

static void *close_ours(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < BATCH; i++)
            MUST(closesocket(ours[i]) == 0);
        stress_meet(&meeting);
    }
}

static void *use_theirs(void *arg)
{
    uint64_t random = stress_seed;

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < BATCH; i++) {
            if (stress_random(&random, 4))
                send((int)theirs[i], "x", 1, MSG_NOSIGNAL);
            close((int)theirs[i]);
        }
        stress_meet(&meeting);
    }
}

static void start(SOCKET s, ULONG size)
{
    struct {
        OVERLAPPED ov;
        char data[8];
    } *r = calloc(1, sizeof *r);
    WSABUF buf = {size, r->data};
    DWORD flags = 0;

    MUST(WSARecv(s, &buf, 1, NULL, &flags, &r->ov, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING);
}

static void take(HANDLE port)
{
    DWORD bytes = 77;
    ULONG_PTR key;
    OVERLAPPED *ov = NULL;
    BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000);

    MUST(ov != NULL);
    MUST(key == 5);
    if (!good) {
        MUST(GetLastError() == ERROR_OPERATION_ABORTED || GetLastError() == ERROR_NETNAME_DELETED);
        with_error++;
    } else if (bytes) {
        with_data++;
    } else {
        at_end++;
    }
    memset(ov, 0xDD, sizeof *ov);
    free(ov);
}

int main(int argc, char **argv)
{
    pthread_t closer, user;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    uint64_t rounds;
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    stress_begin(argc, argv, 100000, 5000);
    rounds = stress_count / BATCH + 1;
    closer = stress_thread(close_ours, NULL);
    user = stress_thread(use_theirs, NULL);
    for (uint64_t n = 0; n < rounds; n++) {
        for (int i = 0; i < BATCH; i++) {
            int fd[2];

            MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
            ours[i] = (SOCKET)fd[0];
            theirs[i] = (SOCKET)fd[1];
            MUST(CreateIoCompletionPort((HANDLE)ours[i], port, 5, 0) == port);
            start(ours[i], 0);
            start(ours[i], 8);
        }
        stress_meet(&meeting);
        if (n % 2)
            for (int i = 0; i < BATCH * PER_SOCKET; i++)
                take(port);
        stress_meet(&meeting);
        if (n % 2 == 0)
            for (int i = 0; i < BATCH * PER_SOCKET; i++)
                take(port);
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    pthread_join(closer, NULL);
    pthread_join(user, NULL);
    MUST(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0) && !ov && GetLastError() == WAIT_TIMEOUT);
    printf("# %llu closes; completions: %llu with data, %llu at the end, %llu with an error\n",
           (unsigned long long)(rounds * BATCH), (unsigned long long)with_data, (unsigned long long)at_end,
           (unsigned long long)with_error);
    CloseHandle(port);
    stress_balanced();
    return 0;
}
