/* SPDX-License-Identifier: MIT */
/*
 * Operations by the million, each with an OVERLAPPED of its own that is malloc'ed for it and freed by
 * whoever dequeues it, possibly before the starting call has come back. Streams of known bytes run
 * over socket pairs, TCP and AF_UNIX, adopted; three workers serve one port. Every byte is checked at
 * its place; at the end as many blocks were freed as allocated, and the ledger balances.
 */
#include "stress.h"

enum { PAIRS = 24, WORKERS = 3, BLOCK = 256 };

struct stream {
    SOCKET from, to;
    uint64_t sent, received; /* bytes; one send and one receive are pending at a time */
    uint64_t random;
};

struct operation {
    OVERLAPPED ov; /* first: found again from its address */
    struct stream *stream;
    int sends;
    unsigned char data[BLOCK];
};

static struct stream streams[PAIRS];
static HANDLE port;
static _Atomic uint64_t ended, allocated, freed;
static _Atomic int live; /* chains of operations still going on */

static unsigned char byte_at(uint64_t position) { return (unsigned char)(position * 167 + (position >> 9)); }

static struct operation *new_operation(struct stream *s, int sends)
{
    struct operation *o = calloc(1, sizeof *o);

    MUST(o);
    atomic_fetch_add(&allocated, 1);
    o->stream = s;
    o->sends = sends;
    return o;
}

static void free_operation(struct operation *o)
{
    memset(o, 0xDD, sizeof *o);
    free(o);
    atomic_fetch_add(&freed, 1);
}

static int more(void) { return atomic_load(&ended) < stress_count; }

/* The operation belongs to the library from the call on: nothing of it is read afterwards. */
static void start_send(struct stream *s)
{
    struct operation *o = new_operation(s, 1);
    uint32_t size = 1 + stress_random(&s->random, BLOCK);
    WSABUF buf = {size, (char *)o->data};

    for (uint32_t i = 0; i < size; i++)
        o->data[i] = byte_at(s->sent + i);
    s->sent += size;
    MUST(WSASend(s->from, &buf, 1, NULL, 0, &o->ov, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING);
}

static void start_receive(struct stream *s)
{
    struct operation *o = new_operation(s, 0);
    WSABUF buf = {BLOCK, (char *)o->data};
    DWORD flags = 0;

    MUST(WSARecv(s->to, &buf, 1, NULL, &flags, &o->ov, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING);
}

static void served(struct operation *o, DWORD bytes)
{
    struct stream *s = o->stream;
    int sends = o->sends;

    if (!sends) {
        for (DWORD i = 0; i < bytes; i++)
            MUST(o->data[i] == byte_at(s->received + i));
        s->received += bytes;
    }
    free_operation(o);
    if (sends && more())
        return start_send(s);
    if (!sends && bytes > 0)
        return start_receive(s);
    if (sends)
        MUST(iocp_shutdown(s->from, SD_SEND) == 0);
    atomic_fetch_sub(&live, 1);
}

static void *work(void *arg)
{
    for (;;) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *ov;

        MUST(GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE));
        if (!ov) { /* the end, passed on from worker to worker */
            MUST(PostQueuedCompletionStatus(port, 0, 0, NULL));
            return arg;
        }
        atomic_fetch_add(&ended, 1);
        served((struct operation *)ov, bytes);
        if (atomic_load(&live) == 0)
            MUST(PostQueuedCompletionStatus(port, 0, 0, NULL));
    }
}

static void tcp_pair(int fd[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(bind(listener, (struct sockaddr *)&a, len) == 0 && listen(listener, 1) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(connect(fd[0], (struct sockaddr *)&a, len) == 0);
    fd[1] = accept(listener, NULL, NULL);
    close(listener);
}

int main(int argc, char **argv)
{
    pthread_t threads[WORKERS];

    stress_begin(argc, argv, 10000000, 60000);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 2);
    MUST(port);
    atomic_store(&live, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        int fd[2];

        if (i % 3 == 0)
            MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
        else
            tcp_pair(fd);
        streams[i] = (struct stream){.from = (SOCKET)fd[0], .to = (SOCKET)fd[1]};
        streams[i].random = stress_seed + (uint64_t)i * 977;
        for (int k = 0; k < 2; k++)
            MUST(CreateIoCompletionPort((HANDLE)(intptr_t)fd[k], port, (ULONG_PTR)i, 0) == port);
    }
    for (int i = 0; i < WORKERS; i++)
        threads[i] = stress_thread(work, NULL);
    for (int i = 0; i < PAIRS; i++) {
        start_receive(&streams[i]);
        start_send(&streams[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PAIRS; i++) {
        MUST(streams[i].sent == streams[i].received);
        MUST(closesocket(streams[i].from) == 0 && closesocket(streams[i].to) == 0);
    }
    CloseHandle(port);
    MUST(atomic_load(&allocated) == atomic_load(&freed));
    MUST(atomic_load(&ended) == atomic_load(&allocated));
    printf("# %llu operations\n", (unsigned long long)atomic_load(&ended));
    stress_balanced();
    return 0;
}
