/* SPDX-License-Identifier: MIT */
/*
 * Registered I/O against itself. Sockets with requests, some of them deferred, are closed by one thread while
 * a second sends to them, a third starts and commits more, and one or two dequeue results as a server does:
 * after each notification there must be results, and the next one must be to be had. Each request that was
 * accepted gives exactly one result, and all room in the queue comes back.
 */
#include "stress.h"

#include <stddef.h>
#include <sys/un.h>

enum { BATCH = 16, LIMIT = 4, AT_ONCE = 8, STOP = 99, BEFORE = 4, DURING = 4, PIECE = 96 };

static RIO_EXTENSION_FUNCTION_TABLE rio;

struct request {
    _Atomic int results;
};

static struct request all[BATCH * (BEFORE + DURING)]; /* of a round */
static char memory[sizeof all / sizeof *all][PIECE];   /* a piece for each */

static struct stress_meeting meeting = {.need = 3};
static SOCKET ours[BATCH];
static int theirs[BATCH];
static RIO_RQ requests[BATCH];
static RIO_CQ queue;
static RIO_BUFFERID buffer;
static pthread_mutex_t dequeuing = PTHREAD_MUTEX_INITIALIZER; /* as the page asks for */
static _Atomic int stop;
static _Atomic uint64_t results, aborted;
static uint64_t accepted, refused;

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
    uint64_t random = stress_seed ^ 77;

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < BATCH; i++) {
            if (stress_random(&random, 4))
                send(theirs[i], "abcdef", 1 + stress_random(&random, 6), MSG_NOSIGNAL);
            close(theirs[i]);
        }
        stress_meet(&meeting);
    }
}

/* What follows a notification. */
static void dequeue(void)
{
    RIORESULT got[AT_ONCE];
    ULONG n;

    pthread_mutex_lock(&dequeuing);
    n = rio.RIODequeueCompletion(queue, got, AT_ONCE);
    MUST(n > 0 && n != RIO_CORRUPT_CQ);
    MUST(rio.RIONotify(queue) == 0);
    pthread_mutex_unlock(&dequeuing);
    for (ULONG i = 0; i < n; i++) {
        struct request *r = (struct request *)(uintptr_t)got[i].RequestContext;

        MUST(got[i].SocketContext < BATCH);
        MUST(atomic_fetch_add(&r->results, 1) == 0);
        if (got[i].Status)
            atomic_fetch_add(&aborted, 1);
        atomic_fetch_add(&results, 1);
    }
}

static void *serve_port(void *port)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    for (;;) {
        MUST(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000));
        if (key == STOP)
            return NULL;
        dequeue();
    }
}

static void *serve_event(void *event)
{
    for (;;) {
        MUST(WaitForSingleObject(event, 20000) == WAIT_OBJECT_0);
        if (atomic_load(&stop))
            return NULL;
        dequeue();
    }
}

static void start(int i, uint64_t *random, struct request *r)
{
    RIO_BUF buf = {buffer, (ULONG)(r - all) * PIECE, stress_random(random, PIECE) + 1};
    DWORD flags = stress_random(random, 3) ? 0 : RIO_MSG_DEFER;
    BOOL good;

    if (stress_random(random, 2))
        good = rio.RIOReceive(requests[i], &buf, 1, flags, r);
    else
        good = rio.RIOSend(requests[i], &buf, 1, flags, r);
    if (good)
        accepted++;
    else
        refused++;
    MUST(good || GetLastError() == WSAENOBUFS || GetLastError() == WSAEINVAL);
    if (!stress_random(random, 4))
        rio.RIOReceive(requests[i], NULL, 0, RIO_MSG_COMMIT_ONLY, NULL);
}

static void make(int i, int listener, const struct sockaddr_un *name, socklen_t size)
{
    ours[i] = WSASocketA(AF_UNIX, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    MUST(ours[i] != INVALID_SOCKET);
    MUST(iocp_connect(ours[i], (const struct sockaddr *)name, (int)size) == 0);
    theirs[i] = accept(listener, NULL, NULL);
    MUST(theirs[i] >= 0);
    requests[i] = rio.RIOCreateRequestQueue(ours[i], LIMIT, 1, LIMIT, 1, queue, queue, (void *)(intptr_t)i);
    MUST(requests[i] != RIO_INVALID_RQ);
}

/* As many rounds with that queue; everything has come back when this returns. */
static void run(uint64_t rounds, int listener, const struct sockaddr_un *name, socklen_t size)
{
    uint64_t random = stress_seed;

    MUST(rio.RIONotify(queue) == 0);
    for (uint64_t n = 0; n < rounds; n++) {
        struct request *next = all;
        time_t until;

        memset(all, 0, sizeof all);
        for (int i = 0; i < BATCH; i++) {
            make(i, listener, name, size);
            for (int k = 0; k < BEFORE; k++)
                start(i, &random, next++);
        }
        stress_meet(&meeting);
        for (int k = 0; k < DURING; k++)
            for (int i = 0; i < BATCH; i++)
                start(i, &random, next++);
        stress_meet(&meeting);
        until = time(NULL) + 20;
        while (atomic_load(&results) < accepted) {
            MUST(time(NULL) < until);
            sched_yield();
        }
        MUST(atomic_load(&results) == accepted);
    }
}

static void by_port(uint64_t rounds, int listener, const struct sockaddr_un *name, socklen_t size)
{
    static OVERLAPPED ov;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};
    pthread_t workers[2];

    how.Iocp.IocpHandle = port;
    how.Iocp.Overlapped = &ov;
    queue = rio.RIOCreateCompletionQueue(BATCH * LIMIT * 2, &how);
    MUST(queue != RIO_INVALID_CQ);
    for (int i = 0; i < 2; i++)
        workers[i] = stress_thread(serve_port, port);
    run(rounds, listener, name, size);
    for (int i = 0; i < 2; i++)
        MUST(PostQueuedCompletionStatus(port, 0, STOP, NULL));
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    rio.RIOCloseCompletionQueue(queue);
    CloseHandle(port);
}

/* Ends the threads of the race, too. */
static void by_event(uint64_t rounds, int listener, const struct sockaddr_un *name, socklen_t size)
{
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_EVENT_COMPLETION};
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    pthread_t worker;

    how.Event.EventHandle = event;
    how.Event.NotifyReset = TRUE;
    queue = rio.RIOCreateCompletionQueue(BATCH * LIMIT * 2, &how);
    MUST(queue != RIO_INVALID_CQ);
    worker = stress_thread(serve_event, event);
    run(rounds, listener, name, size);
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    SetEvent(event);
    pthread_join(worker, NULL);
    rio.RIOCloseCompletionQueue(queue);
    CloseHandle(event);
}

static int listen_somewhere(struct sockaddr_un *name, socklen_t *size)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "iocp-stress-rio-%d", (int)getpid());
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name->sun_path + 1));
    MUST(listener >= 0 && bind(listener, (struct sockaddr *)name, *size) == 0);
    MUST(listen(listener, BATCH) == 0);
    return listener;
}

static void load(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    DWORD bytes;
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);

    MUST(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes,
                  NULL, NULL) == 0);
    closesocket(s);
    buffer = rio.RIORegisterBuffer(memory[0], sizeof memory);
    MUST(buffer != RIO_INVALID_BUFFERID);
}

int main(int argc, char **argv)
{
    pthread_t closer, user;
    struct sockaddr_un name;
    socklen_t size;
    WSADATA data;
    int listener;

    stress_begin(argc, argv, 20000, 1000);
    MUST(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    load();
    listener = listen_somewhere(&name, &size);
    closer = stress_thread(close_ours, NULL);
    user = stress_thread(use_theirs, NULL);
    by_port(stress_count / 2 / BATCH + 1, listener, &name, size);
    by_event(stress_count / 2 / BATCH + 1, listener, &name, size);
    pthread_join(closer, NULL);
    pthread_join(user, NULL);
    rio.RIODeregisterBuffer(buffer);
    close(listener);
    printf("# %llu requests, %llu of them ended badly; %llu were refused\n", (unsigned long long)accepted,
           (unsigned long long)atomic_load(&aborted), (unsigned long long)refused);
    stress_balanced();
    return 0;
}
