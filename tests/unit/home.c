/* SPDX-License-Identifier: MIT */
/*
 * The home thread as a program meets it: it does the work of a port whose threads sleep elsewhere, at
 * once and as long as they sleep, not at the watchdog's next tick; and where nothing happens it sleeps.
 */
#define _GNU_SOURCE
#include "unit.h"
#include "asleep.h"

#include "base/sanitizer.h"

#include <iocp.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
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
    double alone = 0, with_port = 0;

    if (!CHECK(data != NULL))
        return;
    for (int tries = 0; tries < 10; tries++) { /* the machine may have been busy the second time */
        alone = send_much(data, 0);
        with_port = send_much(data, 1);
        if (with_port < 8 * alone + 200)
            break;
    }
    if (!CHECK(with_port < 8 * alone + 200))
        printf("  %.0f ms without a port, %.0f ms with one\n", alone, with_port);
    free(data);
}

/* How often the other threads of the process have gone to sleep so far. */
static long long sleeps_of_others(void)
{
    long long total = 0, n;
    char path[300], line[256];
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;

    while (dir && (e = readdir(dir)) != NULL) {
        FILE *f;

        if (e->d_name[0] == '.' || atoi(e->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "voluntary_ctxt_switches: %lld", &n) == 1)
                total += n;
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    return total;
}

/* Do they come to rest? For so long that ticks of 10 ms would be seen. */
static int come_to_rest(void)
{
    double limit = now_ms() + 20000;
    long long before;

    if (THREAD_SANITIZER)
        return 1; /* it has a thread of its own, which ticks */
    do {
        before = sleeps_of_others();
        usleep(250000);
        if (sleeps_of_others() == before)
            return 1;
    } while (now_ms() < limit);
    return 0;
}

/* Sockets on ports that nobody looks into; first nothing pends, then receives whose end only memory tells. */
TEST(sleeps_where_nothing_happens)
{
    enum { PORTS = 40 }; /* more than the watchdog looks after at a time */
    static OVERLAPPED ov[PORTS];
    static char byte[PORTS];
    HANDLE port[PORTS];
    int fd[PORTS][2];
    OVERLAPPED *got;
    ULONG_PTR key;
    DWORD bytes;

    for (int i = 0; i < PORTS; i++) {
        if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd[i]) == 0))
            return;
        port[i] = CreateIoCompletionPort((HANDLE)(intptr_t)fd[i][0], NULL, 0, 1);
        ReadFile((HANDLE)(intptr_t)fd[i][0], &byte[i], 1, NULL, &ov[i]);
        CHECK_EQ(write(fd[i][1], "a", 1), 1);
        CHECK(GetQueuedCompletionStatus(port[i], &bytes, &key, &got, 10000));
    }
    CHECK(come_to_rest());
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PORTS; i++) {
            ReadFile((HANDLE)(intptr_t)fd[i][0], &byte[i], 1, NULL, &ov[i]);
            CHECK_EQ(__atomic_load_n(&ov[i].Internal, __ATOMIC_ACQUIRE), 0x103);
        }
        if (round != 1)
            CHECK(come_to_rest());
        for (int i = 0; i < PORTS; i++)
            CHECK_EQ(write(fd[i][1], "b", 1), 1);
        for (int i = 0; i < PORTS; i++) {
            CHECK(WITHIN(10000, __atomic_load_n(&ov[i].Internal, __ATOMIC_ACQUIRE) != 0x103));
            CHECK_EQ(__atomic_load_n(&ov[i].Internal, __ATOMIC_ACQUIRE), 0);
            CHECK(GetQueuedCompletionStatus(port[i], &bytes, &key, &got, 10000));
        }
    }
    for (int i = 0; i < PORTS; i++) {
        closesocket((SOCKET)fd[i][0]);
        close(fd[i][1]);
        CloseHandle(port[i]);
    }
    CHECK(come_to_rest());
}

/* What a dequeue harvested and did not work off, its thread going to wait elsewhere: no edge is to come. */
TEST(harvested_and_left)
{
    enum { AT_ONCE = 20, POSTS = 24, TAKEN = 18 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    OVERLAPPED *done;
    char byte;
    WSABUF buf = {1, &byte};
    ULONG_PTR key;
    DWORD bytes, flags;
    double limit = now_ms() + 20000;
    int at_once = 0, rounds;
    int fd[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 0, 0) == port);
    /* The watchdog would take 10 to 20 ms, each time; a busy machine takes as long now and then. */
    for (rounds = 0; at_once < AT_ONCE && now_ms() < limit; rounds++) {
        double begun;

        flags = 0;
        CHECK_EQ(WSARecv((SOCKET)fd[0], &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
        for (int k = 0; k < POSTS; k++)
            PostQueuedCompletionStatus(port, 0, 0, NULL);
        CHECK_EQ(write(fd[1], "x", 1), 1);
        for (int k = 0; k < TAKEN; k++) /* one of them looks into the poller */
            CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0));
        begun = now_ms();
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 10000), WAIT_OBJECT_0);
        at_once += now_ms() - begun < 5;
        while (GetQueuedCompletionStatus(port, &bytes, &key, &done, 0))
            ;
    }
    if (!CHECK_EQ(at_once, AT_ONCE))
        printf("  in %d rounds\n", rounds);
    closesocket((SOCKET)fd[0]);
    close(fd[1]);
    CloseHandle(ov.hEvent);
    CloseHandle(port);
}

/* ---- harvested by one who does not go on with it, while another sleeps for it ---- */

static struct {
    HANDLE port, event;
    _Atomic int slept; /* -1: not yet; else what the wait said */
    _Atomic uint32_t sleeper, workers[2]; /* the threads' numbers */
    _Atomic int worker_count, busy_begun, busy_ended, computed;
} other;

enum { PATIENCE_MS = 10000, KEY_COMPUTE = 1, KEY_QUIT = 2, KEY_BUSY = 3, BUSY_MS = 60 };

static void *sleep_for_it(void *unused)
{
    (void)unused;
    other.sleeper = (uint32_t)gettid();
    other.slept = (int)WaitForSingleObject(other.event, PATIENCE_MS);
    return NULL;
}

/* Computes, calling nothing of the library, until the other thread is awake: who waits for this never is. */
static void compute_until_awake(void)
{
    for (double limit = now_ms() + PATIENCE_MS + 2000; other.slept == -1 && now_ms() < limit;)
        ;
}

static void compute(double ms)
{
    for (double limit = now_ms() + ms; now_ms() < limit;)
        ;
}

static void receive(int fd, char *byte, OVERLAPPED *ov)
{
    memset(ov, 0, sizeof *ov);
    ov->hEvent = (HANDLE)((uintptr_t)other.event | 1); /* no packet */
    ResetEvent(other.event);
    other.slept = -1;
    CHECK(!ReadFile((HANDLE)(intptr_t)fd, byte, 1, NULL, ov));
}

/* The watchdog has gone to rest when a dequeue's look takes the edge that the home thread was armed for. */
TEST(harvested_by_a_look_and_left)
{
    enum { POSTS = 60, TAKEN = 40, ROUNDS = 4, CALM_MS = 400 };
    OVERLAPPED ov, *done;
    ULONG_PTR key;
    DWORD bytes;
    pthread_t sleeper;
    char byte;
    int fd[2];

    other.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    other.event = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], other.port, 0, 0) == other.port);
    for (int i = 0; i < ROUNDS; i++) {
        receive(fd[0], &byte, &ov);
        pthread_create(&sleeper, NULL, sleep_for_it, NULL);
        compute(CALM_MS); /* nothing happens for long enough */
        for (int k = 0; k < POSTS; k++)
            PostQueuedCompletionStatus(other.port, 0, 0, NULL);
        CHECK_EQ(write(fd[1], "x", 1), 1);
        for (int k = 0; k < TAKEN; k++)
            CHECK(GetQueuedCompletionStatus(other.port, &bytes, &key, &done, 0));
        compute_until_awake();
        pthread_join(sleeper, NULL);
        CHECK_EQ(other.slept, WAIT_OBJECT_0);
        while (GetQueuedCompletionStatus(other.port, &bytes, &key, &done, 0))
            ;
    }
    closesocket((SOCKET)fd[0]);
    close(fd[1]);
    CloseHandle(other.event);
    CloseHandle(other.port);
}

static void *work(void *unused)
{
    OVERLAPPED *done;
    ULONG_PTR key;
    DWORD bytes;

    (void)unused;
    other.workers[other.worker_count++] = (uint32_t)gettid();
    while (GetQueuedCompletionStatus(other.port, &bytes, &key, &done, INFINITE) && key != KEY_QUIT)
        if (key == KEY_COMPUTE) {
            compute_until_awake();
            other.computed++;
        } else if (key == KEY_BUSY) {
            other.busy_begun++;
            compute(BUSY_MS);
            other.busy_ended++;
        }
    return NULL;
}

/* One place, two workers: of two edges that come at once the worker keeps one, the other is an event's. */
TEST(harvested_by_a_worker_that_computes)
{
    enum { ROUNDS = 20 };
    OVERLAPPED first, second;
    pthread_t sleeper, worker[2];
    char byte[2];
    int a[2], b[2];

    other.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    other.event = CreateEventA(NULL, TRUE, FALSE, NULL);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), 0);
    CreateIoCompletionPort((HANDLE)(intptr_t)a[0], other.port, KEY_COMPUTE, 0);
    CreateIoCompletionPort((HANDLE)(intptr_t)b[0], other.port, 0, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&worker[i], NULL, work, NULL);
    CHECK(WITHIN(PATIENCE_MS, other.worker_count == 2));
    for (int i = 0; i < ROUNDS; i++) {
        memset(&first, 0, sizeof first);
        CHECK(!ReadFile((HANDLE)(intptr_t)a[0], &byte[0], 1, NULL, &first));
        receive(b[0], &byte[1], &second);
        PostQueuedCompletionStatus(other.port, 0, KEY_BUSY, NULL);
        CHECK(WITHIN(PATIENCE_MS, other.busy_begun == i + 1));
        other.sleeper = 0;
        pthread_create(&sleeper, NULL, sleep_for_it, NULL); /* arms the home thread: nobody leads */
        CHECK(WITHIN(PATIENCE_MS, other.sleeper != 0 && other.busy_ended == i + 1));
        until_asleep(other.sleeper);
        for (int k = 0; k < 2; k++) /* one of them leads now, and the home thread is armed still */
            until_asleep(other.workers[k]);
        CHECK_EQ(write(a[1], "x", 1), 1);
        CHECK_EQ(write(b[1], "y", 1), 1);
        pthread_join(sleeper, NULL);
        CHECK_EQ(other.slept, WAIT_OBJECT_0);
        CHECK(WITHIN(2 * PATIENCE_MS, other.computed == i + 1));
    }
    for (int i = 0; i < 2; i++)
        PostQueuedCompletionStatus(other.port, 0, KEY_QUIT, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(worker[i], NULL);
    closesocket((SOCKET)a[0]);
    closesocket((SOCKET)b[0]);
    close(a[1]);
    close(b[1]);
    CloseHandle(other.event);
    CloseHandle(other.port);
}
