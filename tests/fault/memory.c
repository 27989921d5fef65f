/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: a small program's life (port, packets, file, sockets, events, threads) is
 * repeated with the first, second, third ... allocation failing, until none is left to fail. Each call
 * must work or fail with a code that says so; what was accepted is answered; the ledger balances;
 * nothing crashes or hangs. Skipped under sanitizers, which own malloc themselves.
 */
#include "base/os.h"
#include "base/sanitizer.h"
#include "fault.h"

#include <iocp.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MALLOC (!ADDRESS_SANITIZER && !THREAD_SANITIZER)

static _Atomic int armed;    /* count allocations */
static _Atomic long counted; /* since armed */
static long burst;           /* fail_at fails, and those right behind it as often as this says */

#if OWN_MALLOC
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_memalign(size_t to, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static int fails(void)
{
    long n;

    if (!atomic_load(&armed))
        return 0;
    n = atomic_fetch_add(&counted, 1) + 1;
    if (n < fail_at || n >= fail_at + burst)
        return 0;
    errno = ENOMEM; /* the C library insists on it when it makes a thread */
    return 1;
}

static int slab_fails(const char *call)
{
    return strcmp(call, "slab") == 0 && fails();
}

/* The C library's own needs memory for the message, and says "Unexpected error." without. */
void __assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
    atomic_store(&armed, 0);
    printf("FAIL memory: allocation %ld: %s:%u: %s: %s does not hold\n", fail_at, file, line, function, what);
    fflush(stdout);
    abort();
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *aligned_alloc(size_t to, size_t size) { return fails() ? NULL : __libc_memalign(to, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
#endif

static void packets(HANDLE port)
{
    int posted = 0, got = 0;

    for (int i = 0; i < 3; i++) {
        if (PostQueuedCompletionStatus(port, 1, 2, NULL))
            posted++;
        else
            EXPECT(said_so());
    }
    for (;;) {
        DWORD bytes;
        ULONG_PTR key;
        OVERLAPPED *ov;

        if (!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0))
            break;
        EXPECT(bytes == 1 && key == 2 && !ov);
        got++;
    }
    EXPECT(GetLastError() == WAIT_TIMEOUT);
    EXPECT(posted == got);
}

static void file(HANDLE port)
{
    static char data[4096];
    OVERLAPPED ov = {0};
    HANDLE f = CreateFileA("/proc/self/exe", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                           FILE_FLAG_OVERLAPPED, NULL);

    if (f == INVALID_HANDLE_VALUE) {
        EXPECT(said_so());
        return;
    }
    if (CreateIoCompletionPort(f, port, 3, 0) != port)
        EXPECT(said_so());
    else if (ReadFile(f, data, sizeof data, NULL, &ov) || GetLastError() == ERROR_IO_PENDING)
        expect_packet(port, &ov);
    else
        EXPECT(said_so());
    EXPECT(CloseHandle(f));
}

static void transfer(HANDLE port, SOCKET s, int peer)
{
    OVERLAPPED in = {0}, out = {0};
    char data[8] = "";
    WSABUF bufs[6] = {{1, data}, {1, data + 1}, {1, data + 2}, {1, data + 3}, {1, data + 4}, {1, data + 5}};
    DWORD flags = 0;
    int pending = 0;

    if (WSARecv(s, bufs, 6, NULL, &flags, &in, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING)
        pending = 1;
    else
        EXPECT(said_so());
    if (pending) {
        EXPECT(write(peer, "ab", 2) == 2);
        expect_packet(port, &in);
    }
    if (WSASend(s, bufs, 6, NULL, 0, &out, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING)
        expect_packet(port, &out);
    else
        EXPECT(said_so());
    if (WSARecv(s, bufs, 2, NULL, &flags, &in, NULL) == 0 || WSAGetLastError() == WSA_IO_PENDING) {
        CancelIoEx((HANDLE)s, &in);
        expect_packet(port, &in);
    } else {
        EXPECT(said_so());
    }
}

static DWORD change(HANDLE port, SOCKET s, UINT8 operation)
{
    SOCK_NOTIFY_REGISTRATION r = {s, NULL, SOCK_NOTIFY_EVENT_IN, operation, SOCK_NOTIFY_TRIGGER_LEVEL, 0};

    EXPECT(ProcessSocketNotifications(port, 1, &r, 0, 0, NULL, NULL) == 0);
    return r.registrationResult;
}

static void readiness(HANDLE port, SOCKET s, int peer)
{
    OVERLAPPED_ENTRY e;
    UINT32 count;
    char data[8];

    if (change(port, s, SOCK_NOTIFY_OP_ENABLE) != 0) {
        EXPECT(change(port, s, SOCK_NOTIFY_OP_REMOVE) == ERROR_NOT_FOUND);
        return;
    }
    EXPECT(write(peer, "ab", 2) == 2);
    EXPECT(ProcessSocketNotifications(port, 0, NULL, 10000, 1, &e, &count) == 0);
    EXPECT(SocketNotificationRetrieveEvents(&e) == SOCK_NOTIFY_EVENT_IN);
    EXPECT(read((int)s, data, sizeof data) == 2);
    EXPECT(change(port, s, SOCK_NOTIFY_OP_REMOVE) == 0);
    EXPECT(ProcessSocketNotifications(port, 0, NULL, 10000, 1, &e, &count) == 0);
    EXPECT(SocketNotificationRetrieveEvents(&e) == SOCK_NOTIFY_EVENT_REMOVE);
}

static void sockets(HANDLE port)
{
    int fd[2];
    HANDLE h;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd)) {
        EXPECT(!"socketpair");
        return;
    }
    h = (HANDLE)(intptr_t)fd[0];
    if (CreateIoCompletionPort(h, port, 3, 0) == port) {
        transfer(port, (SOCKET)fd[0], fd[1]);
        readiness(port, (SOCKET)fd[0], fd[1]);
        EXPECT(closesocket((SOCKET)fd[0]) == 0);
    } else {
        EXPECT(said_so() || GetLastError() == ERROR_INVALID_HANDLE); /* could not be adopted */
        if (iocp_forget(fd[0]) == 0 || GetLastError() == ERROR_INVALID_HANDLE)
            close(fd[0]);
    }
    close(fd[1]);
}

/* ---- registered I/O, on a socket that is connected to itself ---- */

static RIO_EXTENSION_FUNCTION_TABLE rio;

/* After a notification, if one could be asked for; else by looking. */
static void expect_result(HANDLE port, RIO_CQ queue, OVERLAPPED *told, int asked)
{
    RIORESULT r = {0};

    if (asked)
        expect_packet(port, told);
    EXPECT(rio.RIODequeueCompletion(queue, &r, 1) == 1);
    SetLastError((DWORD)r.Status);
    EXPECT(r.Status == 0 || said_so());
}

static void results(HANDLE port, RIO_CQ queue, RIO_RQ requests, OVERLAPPED *told)
{
    static char memory[16];
    RIO_BUF buf = {rio.RIORegisterBuffer(memory, sizeof memory), 0, 8};
    RIORESULT r;

    if (buf.BufferId == RIO_INVALID_BUFFERID) {
        EXPECT(said_so());
        return;
    }
    if (rio.RIOSend(requests, &buf, 1, 0, NULL))
        expect_result(port, queue, told, rio.RIONotify(queue) == 0);
    else
        EXPECT(said_so());
    buf.Offset = 8;
    if (!rio.RIOReceive(requests, &buf, 1, RIO_MSG_DEFER, NULL))
        EXPECT(said_so());
    rio.RIODeregisterBuffer(buf.BufferId);
    EXPECT(rio.RIODequeueCompletion(queue, &r, 1) == 0);
}

static void registered(HANDLE port)
{
    static OVERLAPPED told;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    int size = sizeof a;
    RIO_CQ queue;
    RIO_RQ requests;

    if (s == INVALID_SOCKET) {
        EXPECT(said_so());
        return;
    }
    EXPECT(iocp_bind(s, (struct sockaddr *)&a, size) == 0 && iocp_getsockname(s, (void *)&a, &size) == 0);
    EXPECT(iocp_connect(s, (struct sockaddr *)&a, size) == 0);
    how.Iocp.IocpHandle = port;
    how.Iocp.Overlapped = &told;
    queue = rio.RIOCreateCompletionQueue(2, &how);
    EXPECT(queue != RIO_INVALID_CQ || said_so());
    requests = queue ? rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, queue, queue, NULL) : RIO_INVALID_RQ;
    EXPECT(requests != RIO_INVALID_RQ || said_so());
    if (requests)
        results(port, queue, requests, &told);
    EXPECT(closesocket(s) == 0);
    rio.RIOCloseCompletionQueue(queue);
}

static void load(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    WSADATA data;
    DWORD bytes;
    SOCKET s;

    EXPECT(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);
    EXPECT(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes,
                    NULL, NULL) == 0);
    closesocket(s);
}

/* ---- the thread pool: what could be made works ---- */

static volatile LONG called;

static void CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance, (void)context, (void)work;
    InterlockedIncrement(&called);
}

static void CALLBACK on_single(PTP_CALLBACK_INSTANCE instance, PVOID event)
{
    InterlockedIncrement(&called);
    SetEventWhenCallbackReturns(instance, event);
}

static void CALLBACK on_timer(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_TIMER timer)
{
    (void)timer;
    on_single(instance, event);
}

static void CALLBACK on_wait(PTP_CALLBACK_INSTANCE instance, PVOID event, PTP_WAIT wait, TP_WAIT_RESULT why)
{
    (void)wait;
    EXPECT(why == WAIT_TIMEOUT);
    on_single(instance, event);
}

static void CALLBACK on_registered(PVOID event, BOOLEAN fired)
{
    EXPECT(fired);
    SetEvent(event);
}

static int comes(HANDLE event) { return WaitForSingleObject(event, 10000) == WAIT_OBJECT_0; }

static void tasks(HANDLE event, PTP_CALLBACK_ENVIRON environment)
{
    FILETIME soon = {(DWORD)-10000, 0xFFFFFFFF};
    PTP_WORK work = CreateThreadpoolWork(on_work, NULL, environment);
    PTP_TIMER timer = CreateThreadpoolTimer(on_timer, event, environment);
    PTP_WAIT wait = CreateThreadpoolWait(on_wait, event, environment);

    called = 0;
    if (work) {
        SubmitThreadpoolWork(work);
        SubmitThreadpoolWork(work);
        WaitForThreadpoolWorkCallbacks(work, FALSE);
        EXPECT(called == 2);
        CloseThreadpoolWork(work);
    }
    if (timer) {
        SetThreadpoolTimer(timer, &soon, 0, 0);
        EXPECT(comes(event));
        CloseThreadpoolTimer(timer);
    }
    if (wait) {
        SetThreadpoolWait(wait, event, &soon);
        EXPECT(comes(event));
        CloseThreadpoolWait(wait);
    }
}

static void pool(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL), registered;
    PTP_POOL made = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment;

    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, made);
    if (!made)
        EXPECT(said_so());
    if (event && made)
        tasks(event, &environment);
    if (event && TrySubmitThreadpoolCallback(on_single, event, made ? &environment : NULL))
        EXPECT(comes(event));
    if (event &&
        RegisterWaitForSingleObject(&registered, event, on_registered, event, 1, WT_EXECUTEONLYONCE)) {
        EXPECT(comes(event));
        while (!UnregisterWaitEx(registered, INVALID_HANDLE_VALUE))
            EXPECT(said_so()); /* it needs an event of its own; again, then */
    }
    if (made)
        CloseThreadpool(made);
    if (event)
        EXPECT(CloseHandle(event));
}

static DWORD WINAPI end_at_once(void *arg) { return (DWORD)(uintptr_t)arg; }

static void objects(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, "fault");
    HANDLE semaphore = CreateSemaphoreA(NULL, 1, 2, NULL);
    HANDLE thread = CreateThread(NULL, 0, end_at_once, (void *)7, 0, NULL);
    DWORD code = 0;

    if (event) {
        EXPECT(SetEvent(event) && WaitForSingleObject(event, 0) == WAIT_OBJECT_0);
        EXPECT(CloseHandle(event));
    }
    if (semaphore) {
        EXPECT(WaitForSingleObject(semaphore, 0) == WAIT_OBJECT_0);
        EXPECT(CloseHandle(semaphore));
    }
    if (!thread) {
        EXPECT(said_so());
        return;
    }
    EXPECT(WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
    EXPECT(GetExitCodeThread(thread, &code) && code == 7);
    EXPECT(CloseHandle(thread));
}

static void life(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);

    if (!port) {
        EXPECT(said_so());
        return;
    }
    packets(port);
    file(port);
    sockets(port);
    registered(port);
    objects();
    pool();
    EXPECT(CloseHandle(port));
}

/* ---- threads that the library meets while there is no memory at all ---- */

enum { STRANGERS = 8, STRANGER_ROUNDS = 40 };

static HANDLE strangers_port, strangers_event;
static pthread_barrier_t strangers_meet;

static void *be_stranger(void *arg)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    (void)arg;

    pthread_barrier_wait(&strangers_meet);
    EXPECT(GetCurrentThreadId() != 0);
    EXPECT(SetEvent(strangers_event));
    EXPECT(WaitForSingleObject(strangers_event, 10000) == WAIT_OBJECT_0);
    EXPECT(!GetQueuedCompletionStatus(strangers_port, &bytes, &key, &ov, 0));
    EXPECT(GetLastError() == WAIT_TIMEOUT);
    EXPECT(PostQueuedCompletionStatus(strangers_port, 1, 2, NULL) ? 0 : said_so());
    pthread_barrier_wait(&strangers_meet); /* all of them at once */
    return NULL;
}

static void strangers(void)
{
    pthread_t threads[STRANGERS];

    strangers_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    strangers_event = CreateEventA(NULL, TRUE, FALSE, NULL);
    pthread_barrier_init(&strangers_meet, NULL, STRANGERS + 1);
    for (int round = 0; round < STRANGER_ROUNDS; round++) {
        for (int i = 0; i < STRANGERS; i++)
            EXPECT(pthread_create(&threads[i], NULL, be_stranger, NULL) == 0);
        fail_at = 1;
        burst = LONG_MAX / 2;
        atomic_store(&counted, 0);
        atomic_store(&armed, 1);
        pthread_barrier_wait(&strangers_meet);
        pthread_barrier_wait(&strangers_meet);
        for (int i = 0; i < STRANGERS; i++)
            pthread_join(threads[i], NULL);
        atomic_store(&armed, 0);
    }
    EXPECT(CloseHandle(strangers_port) && CloseHandle(strangers_event));
    balanced();
}

int main(void)
{
    if (!OWN_MALLOC) {
        puts("the sanitizer owns malloc");
        return 77;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60);
#if OWN_MALLOC
    os_fault = slab_fails;
#endif
    load();
    life(); /* what is made once is there */
    for (burst = 1; burst <= 4; burst += 3) {
        for (fail_at = 1;; fail_at++) {
            atomic_store(&counted, 0);
            atomic_store(&armed, 1);
            life();
            atomic_store(&armed, 0);
            balanced();
            if (atomic_load(&counted) < fail_at || wrong)
                break;
        }
        printf("# bursts of %ld: %ld allocations made to fail\n", burst, fail_at - 1);
    }
    strangers();
    puts(wrong ? "FAIL memory" : "ok memory");
    return wrong;
}
