/* SPDX-License-Identifier: MIT */
/*
 * Cancel against completion. In every round a receive pends on each of many sockets; then one
 * thread sends a byte to each while another cancels each. Whoever wins: one completion per receive,
 * success with a byte or ERROR_OPERATION_ABORTED with none, and a cancelled receive has
 * taken nothing: every byte sent is received by somebody. The OVERLAPPED is freed on dequeue, so the
 * cancelling thread may name one that is gone.
 */
#include "stress.h"

enum { SOCKETS = 64 };

static struct stress_meeting meeting = {.need = 3};
static SOCKET ours[SOCKETS], theirs[SOCKETS];
static OVERLAPPED *pending[SOCKETS];
static _Atomic int stop;
static uint64_t sent, received, cancelled, cancels;

static void *send_all(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < SOCKETS; i++)
            MUST(send((int)theirs[i], "x", 1, MSG_NOSIGNAL) == 1);
        sent += SOCKETS;
        stress_meet(&meeting);
    }
}

static void *cancel_all(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < SOCKETS; i++) {
            if (CancelIoEx((HANDLE)ours[i], pending[i]))
                cancels++;
            else
                MUST(GetLastError() == ERROR_NOT_FOUND);
        }
        stress_meet(&meeting);
    }
}

struct receive {
    OVERLAPPED ov;
    char data[8];
};

/* What a cancelled receive left behind is fetched, so that the next one pends. */
static void drain(int i)
{
    char rest[512];
    ssize_t got;

    while ((got = recv((int)ours[i], rest, sizeof rest, MSG_DONTWAIT)) > 0)
        received += (uint64_t)got;
}

static void start(int i)
{
    struct receive *r = calloc(1, sizeof *r);
    WSABUF buf = {sizeof r->data, r->data};
    DWORD flags = 0;

    MUST(r);
    pending[i] = &r->ov;
    MUST(WSARecv(ours[i], &buf, 1, NULL, &flags, &r->ov, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING);
}

/* Takes one completion; the answers must be one of the two. */
static void take(HANDLE port)
{
    DWORD bytes = 77;
    ULONG_PTR key;
    OVERLAPPED *ov = NULL;
    BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000);
    struct receive *r = (struct receive *)ov;

    MUST(ov != NULL);
    if (good) {
        MUST(bytes >= 1 && r->data[0] == 'x');
        received += bytes;
    } else {
        MUST(GetLastError() == ERROR_OPERATION_ABORTED && bytes == 0 && r->data[0] == 0);
        cancelled++;
    }
    free(r);
}

int main(int argc, char **argv)
{
    pthread_t sender, canceller;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    uint64_t rounds;

    stress_begin(argc, argv, 1000000, 20000);
    rounds = stress_count / SOCKETS + 1;
    for (int i = 0; i < SOCKETS; i++) {
        int fd[2];

        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
        ours[i] = (SOCKET)fd[0];
        theirs[i] = (SOCKET)fd[1];
        MUST(CreateIoCompletionPort((HANDLE)ours[i], port, (ULONG_PTR)i, 0) == port);
    }
    sender = stress_thread(send_all, NULL);
    canceller = stress_thread(cancel_all, NULL);
    for (uint64_t n = 0; n < rounds; n++) {
        for (int i = 0; i < SOCKETS; i++) {
            drain(i);
            start(i);
        }
        stress_meet(&meeting);
        if (n % 2) /* while they race, or after it */
            for (int i = 0; i < SOCKETS; i++)
                take(port);
        stress_meet(&meeting);
        if (n % 2 == 0)
            for (int i = 0; i < SOCKETS; i++)
                take(port);
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    pthread_join(sender, NULL);
    pthread_join(canceller, NULL);
    for (int i = 0; i < SOCKETS; i++) {
        drain(i);
        closesocket(ours[i]);
        close((int)theirs[i]);
    }
    printf("# %llu receives, %llu cancelled, %llu cancels took\n", (unsigned long long)(rounds * SOCKETS),
           (unsigned long long)cancelled, (unsigned long long)cancels);
    MUST(sent == received);
    MUST(cancelled <= cancels);
    CloseHandle(port);
    stress_balanced();
    return 0;
}
