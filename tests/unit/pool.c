/* SPDX-License-Identifier: MIT */
/*
 * The thread pool from inside: how many threads there are, when they come and go, what happens when there
 * are none to be had; callbacks that end their thread, fork, or are running when the process ends.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "forked.h"
#include "count.h"

#include "base/os.h"
#include "pool/pool.h"

#include <iocp.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, IDLE_MS = 60, CODE = 23 };

/* The thread sanitizer's runtime does not survive a child whose only thread, not the first, just ends. */
#define CHILDREN_RETURN (!THREAD_SANITIZER)

static _Atomic bool refusing;
static _Atomic int refused;

static int refuse_threads(const char *call)
{
    if (!atomic_load(&refusing) || strcmp(call, "pthread_create") != 0)
        return 0;
    atomic_fetch_add(&refused, 1);
    return -EAGAIN;
}

/* Before anything looks at them. */
static __attribute__((constructor)) void prepare(void)
{
    setenv("IOCP_POOL_IDLE_MS", "60", 1);
    os_fault = refuse_threads;
}

static uint32_t threads_of(struct pool *pool)
{
    uint32_t n;

    lock_acquire(&pool->lock);
    n = pool->threads;
    lock_release(&pool->lock);
    return n;
}

/* So many threads, for so long: none of them has left. One more may come to look, and leaves again. */
static bool stay(struct pool *pool, uint32_t n, int ms)
{
    return !WITHIN(ms, threads_of(pool) < n);
}

static bool comes_to(PTP_POOL pool, uint32_t threads)
{
    return WITHIN(PATIENCE_MS, threads_of((struct pool *)pool) == threads);
}

static TP_CALLBACK_ENVIRON in_pool(PTP_POOL pool)
{
    TP_CALLBACK_ENVIRON environment;

    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    return environment;
}

/* ---- callbacks ---- */

static HANDLE go, entered;
static _Atomic int ran, inside, inside_most;

static void CALLBACK gated(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&inside_most);

    (void)instance;
    (void)context;
    (void)work;
    while (now > most && !atomic_compare_exchange_weak(&inside_most, &most, now))
        ;
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, PATIENCE_MS);
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&ran, 1);
}

static void CALLBACK counts(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    (void)work;
    atomic_fetch_add(&ran, 1);
}

static void begin(void)
{
    ran = inside = inside_most = 0;
    go = CreateEventA(NULL, TRUE, FALSE, NULL);
    entered = CreateSemaphoreA(NULL, 0, 1000000, NULL);
}

static void end(void)
{
    CloseHandle(go);
    CloseHandle(entered);
}

static bool are_inside(int n)
{
    while (n > 0 && WaitForSingleObject(entered, PATIENCE_MS) == WAIT_OBJECT_0)
        n--;
    return n == 0;
}

/* ---- threads come and go ---- */

TEST(threads_for_those_that_block)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);

    begin();
    for (int i = 0; i < 40; i++)
        SubmitThreadpoolWork(work);
    CHECK(are_inside(40));
    CHECK(threads_of((struct pool *)pool) >= 40);
    SetEvent(go);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK(comes_to(pool, 0)); /* all of them leave */
    SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(ran, 41);
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    end();
}

TEST(as_many_as_processors_for_those_that_do_not)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    PTP_WORK work = CreateThreadpoolWork(counts, NULL, &environment);
    uint32_t most = 0;

    begin();
    for (int i = 0; i < 20000; i++) {
        SubmitThreadpoolWork(work);
        if (threads_of((struct pool *)pool) > most)
            most = threads_of((struct pool *)pool);
    }
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(ran, 20000);
    /* One more may be on its way when its work has been done by another; and a thread that the machine keeps
     * from running with the lock of another is blocked, too. */
    printf("# %u threads on %u processors\n", most, port_processors());
    CHECK(most <= 8 * port_processors() + 16);
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    end();
}

TEST(the_minimum_stays)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);

    begin();
    CHECK(SetThreadpoolThreadMinimum(pool, 3));
    CHECK_EQ(threads_of((struct pool *)pool), 3);
    for (int i = 0; i < 8; i++)
        SubmitThreadpoolWork(work);
    CHECK(are_inside(8));
    SetEvent(go);
    CHECK(comes_to(pool, 3));
    CHECK(stay((struct pool *)pool, 3, 3 * IDLE_MS));
    CHECK(SetThreadpoolThreadMinimum(pool, 0));
    CHECK(comes_to(pool, 0));
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    end();
}

TEST(a_lowered_maximum)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);

    begin();
    CHECK(SetThreadpoolThreadMinimum(pool, 8));
    SetThreadpoolThreadMaximum(pool, 1); /* eight are idle, seven too many */
    for (int i = 0; i < 20; i++)
        SubmitThreadpoolWork(work);
    CHECK(are_inside(1));
    usleep(20000); /* in which the others could come, wrongly */
    SetEvent(go);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(ran, 20);
    CHECK_EQ(inside_most, 1);
    CHECK(comes_to(pool, 1));
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    end();
}

TEST(a_closed_pool_lets_its_threads_go)
{
    int before = count_in("/proc/self/task");

    begin();
    SetEvent(go);
    for (int i = 0; i < 30; i++) {
        PTP_POOL pool = CreateThreadpool(NULL);
        TP_CALLBACK_ENVIRON environment = in_pool(pool);
        PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);

        CHECK(SetThreadpoolThreadMinimum(pool, 4));
        SubmitThreadpoolWork(work);
        CloseThreadpool(pool);
        CloseThreadpoolWork(work);
    }
    CHECK(are_inside(30));
    CHECK(WITHIN(PATIENCE_MS, count_in("/proc/self/task") <= before));
    end();
}

static void CALLBACK io_done(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                             ULONG_PTR bytes, PTP_IO io)
{
    (void)instance;
    (void)context;
    (void)overlapped;
    (void)io;
    if (error == 0 && bytes == 1)
        atomic_fetch_add(&ran, 1);
    ReleaseSemaphore(entered, 1, NULL);
}

TEST(one_stays_with_the_sockets)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    OVERLAPPED ov = {0};
    char byte;
    int pair[2];
    PTP_IO io;

    begin();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    io = CreateThreadpoolIo((HANDLE)(intptr_t)pair[0], io_done, NULL, &environment);
    StartThreadpoolIo(io);
    CHECK(!ReadFile((HANDLE)(intptr_t)pair[0], &byte, 1, NULL, &ov) && GetLastError() == ERROR_IO_PENDING);
    CHECK(comes_to(pool, 1)); /* nothing was ever queued: it came to look */
    CHECK(stay((struct pool *)pool, 1, 3 * IDLE_MS));
    CHECK(comes_to(pool, 1));
    CHECK(write(pair[1], "x", 1) == 1);
    CHECK(are_inside(1));
    CHECK_EQ(ran, 1);
    CloseHandle((HANDLE)(intptr_t)pair[0]);
    CloseThreadpoolIo(io);
    CHECK(comes_to(pool, 0));
    close(pair[1]);
    CloseThreadpool(pool);
    end();
}

static void CALLBACK wait_done(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait,
                               TP_WAIT_RESULT result)
{
    (void)instance;
    (void)context;
    (void)wait;
    (void)result;
    atomic_fetch_add(&ran, 1);
}

TEST(waits_take_no_threads)
{
    enum { WAITS = 5000 };
    static PTP_WAIT waits[WAITS];
    int before = count_in("/proc/self/task");
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);

    begin();
    for (int i = 0; i < WAITS; i++) {
        waits[i] = CreateThreadpoolWait(wait_done, NULL, NULL);
        SetThreadpoolWait(waits[i], event, NULL);
    }
    CHECK(count_in("/proc/self/task") <= before + 1);
    SetEvent(event);
    for (int i = 0; i < WAITS; i++) {
        WaitForThreadpoolWaitCallbacks(waits[i], FALSE);
        CloseThreadpoolWait(waits[i]);
    }
    CHECK_EQ(ran, WAITS);
    CloseHandle(event);
    end();
}

/* ---- no threads to be had ---- */

TEST(threads_that_cannot_be_had_come_later)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    PTP_WORK work = CreateThreadpoolWork(counts, NULL, &environment);

    begin();
    refused = 0;
    refusing = true;
    SubmitThreadpoolWork(work);
    CHECK(!SetThreadpoolThreadMinimum(pool, 2));
    CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
    CHECK(SetThreadpoolThreadMinimum(pool, 0));
    CHECK(refused >= 2);
    CHECK_EQ(threads_of((struct pool *)pool), 0);
    CHECK_EQ(ran, 0);
    refusing = false;
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(ran, 1);
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    end();
}

/* ---- callbacks that end their thread ---- */

static void CALLBACK ends_thread(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)work;
    atomic_fetch_add(&ran, 1);
    SetEventWhenCallbackReturns(instance, (HANDLE)context);
    if (atomic_load(&ran) % 3 == 0)
        CallbackMayRunLong(instance);
    ExitThread(7);
}

static void CALLBACK simply_ends_thread(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    ends_thread(instance, context, NULL);
}

TEST(threads_that_end_in_callbacks)
{
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_CALLBACK_ENVIRON environment = in_pool(pool);
    HANDLE returned = CreateEventA(NULL, FALSE, FALSE, NULL);
    PTP_WORK work = CreateThreadpoolWork(ends_thread, returned, &environment);

    begin();
    SetThreadpoolThreadMaximum(pool, 2);
    for (int i = 0; i < 40; i++) {
        SubmitThreadpoolWork(work);
        CHECK(TrySubmitThreadpoolCallback(simply_ends_thread, returned, &environment));
        CHECK_EQ(WaitForSingleObject(returned, PATIENCE_MS), WAIT_OBJECT_0);
    }
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CloseThreadpoolWork(work);
    CHECK(comes_to(pool, 0));
    CHECK_EQ(ran, 80);
    CHECK_EQ(((struct pool *)pool)->lasting, 0);
    CloseThreadpool(pool);
    CloseHandle(returned);
    end();
}

/* ---- fork ---- */

static void CALLBACK timer_done(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)context;
    (void)timer;
    atomic_fetch_add(&ran, 1);
}

/* Everything that the pool has, once. */
static void use_all(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
    PTP_WORK work = CreateThreadpoolWork(counts, NULL, NULL);
    PTP_TIMER timer = CreateThreadpoolTimer(timer_done, NULL, NULL);
    PTP_WAIT wait = CreateThreadpoolWait(wait_done, NULL, NULL);
    FILETIME now = {0, 0};
    int before = atomic_load(&ran);

    SubmitThreadpoolWork(work);
    SetThreadpoolTimer(timer, &now, 0, 0);
    SetThreadpoolWait(wait, event, NULL);
    SetEvent(event);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    WaitForThreadpoolTimerCallbacks(timer, FALSE);
    WaitForThreadpoolWaitCallbacks(wait, FALSE);
    CHECK_EQ(atomic_load(&ran) - before, 3);
    CloseThreadpoolWork(work);
    CloseThreadpoolTimer(timer);
    CloseThreadpoolWait(wait);
    CloseHandle(event);
}

static int code_of(pid_t pid)
{
    int status = -1;

    if (pid <= 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

TEST(a_child_has_a_pool_of_its_own)
{
    PTP_WORK work;

    if (!CHILDREN_ALLOCATE)
        return;
    begin();
    work = CreateThreadpoolWork(gated, NULL, NULL);
    for (int i = 0; i < 5; i++)
        SubmitThreadpoolWork(work);
    CHECK(are_inside(3));
    for (int i = 0; i < 10; i++)
        IN_CHILD({
            ran = 0;
            use_all();
        });
    SetEvent(go);
    WaitForThreadpoolWorkCallbacks(work, FALSE); /* the parent's goes on */
    CHECK_EQ(ran, 5);
    use_all();
    CloseThreadpoolWork(work);
    end();
}

static void CALLBACK forks(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    pid_t pid;

    (void)instance;
    (void)work;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        if (!context)
            return; /* the only thread ends, and so does the process */
        unit_failed = 0;
        use_all();
        fflush(stdout);
        _exit(unit_failed != 0);
    }
    CHECK_EQ(code_of(pid), 0);
    ReleaseSemaphore(entered, 1, NULL);
}

TEST(a_callback_forks)
{
    PTP_WORK work, busy;

    if (!CHILDREN_ALLOCATE)
        return;
    begin();
    work = CreateThreadpoolWork(forks, NULL, NULL);
    busy = CreateThreadpoolWork(forks, &ran, NULL);
    for (int i = 0; i < 5; i++) {
        if (CHILDREN_RETURN) {
            SubmitThreadpoolWork(work);
            CHECK(are_inside(1));
        }
        SubmitThreadpoolWork(busy);
        CHECK(are_inside(1));
    }
    CloseThreadpoolWork(work);
    CloseThreadpoolWork(busy);
    end();
}

/* ---- the end of the process ---- */

static void CALLBACK for_ever(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    atomic_fetch_add(&ran, 1);
    SubmitThreadpoolWork(work);
}

static void CALLBACK exits(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    (void)context;
    exit(CODE);
}

static void become_busy(void)
{
    PTP_WORK work = CreateThreadpoolWork(for_ever, NULL, NULL);
    PTP_WORK blocked = CreateThreadpoolWork(gated, NULL, NULL);
    PTP_TIMER timer = CreateThreadpoolTimer(timer_done, NULL, NULL);
    FILETIME now = {0, 0};

    begin();
    for (int i = 0; i < 3; i++) {
        SubmitThreadpoolWork(blocked);
        SubmitThreadpoolWork(work);
    }
    SetThreadpoolTimer(timer, &now, 1, 0);
    are_inside(1);
}

TEST(the_process_ends_while_callbacks_run)
{
    if (!CHILDREN_ALLOCATE)
        return;
    for (int i = 0; i < 30; i++) {
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            alarm(60);
            become_busy();
            if (i % 3 == 0)
                exit(CODE);
            if (i % 3 == 1)
                ExitProcess(CODE);
            TrySubmitThreadpoolCallback(exits, NULL, NULL);
            for (;;)
                pause();
        }
        CHECK_EQ(code_of(pid), CODE);
    }
}

