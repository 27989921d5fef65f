/* SPDX-License-Identifier: MIT */
/* The thread pool's timers, and timer queues. */
#include "conform.h"

#define LONG_TIME 10000
#define MS (-10000LL) /* of a relative due time */

static volatile LONG calls;
static HANDLE each; /* semaphore: one per callback */

static void begin(void)
{
    calls = 0;
    if (!each)
        each = CreateSemaphoreA(NULL, 0, 1000000, NULL);
    while (WaitForSingleObject(each, 0) == WAIT_OBJECT_0)
        ;
}

static int callbacks(int count)
{
    while (count > 0 && WaitForSingleObject(each, LONG_TIME) == WAIT_OBJECT_0)
        count--;
    return count == 0;
}

static FILETIME *due(long long time)
{
    static FILETIME filetimes[8];
    static int next;
    FILETIME *f = &filetimes[next++ % 8];
    f->dwLowDateTime = (DWORD)time;
    f->dwHighDateTime = (DWORD)((unsigned long long)time >> 32);
    return f;
}

static long long from_now(int ms)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return (long long)((unsigned long long)now.dwHighDateTime << 32 | now.dwLowDateTime) + ms * 10000LL;
}

static void CALLBACK tick(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)context;
    (void)timer;
    InterlockedIncrement(&calls);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(relative_due_time, "POOL-05")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    double start = now_ms();
    SetThreadpoolTimer(timer, due(60 * MS), 0, 0);
    CHECK(callbacks(1));
    CHECK_MSG(now_ms() - start > 55, "after %f ms", now_ms() - start);
    CHECK_EQ(WaitForSingleObject(each, 100), WAIT_TIMEOUT); /* once */
    CloseThreadpoolTimer(timer);
}

TEST(absolute_due_time, "POOL-05")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    double start = now_ms();
    SetThreadpoolTimer(timer, due(from_now(80)), 0, 0);
    CHECK(callbacks(1));
    CHECK_MSG(now_ms() - start > 60, "after %f ms", now_ms() - start);
    SetThreadpoolTimer(timer, due(from_now(-1000)), 0, 0); /* has been: at once */
    CHECK(callbacks(1));
    CloseThreadpoolTimer(timer);
}

TEST(periods, "POOL-05")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    double start = now_ms();
    SetThreadpoolTimer(timer, due(10 * MS), 20, 0);
    CHECK(callbacks(6));
    CHECK_MSG(now_ms() - start > 105, "six rounds in %f ms", now_ms() - start);
    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    LONG then = LOOK(calls);
    CHECK_EQ(WaitForSingleObject(each, 60) == WAIT_OBJECT_0, then > 6);
    CHECK_EQ(LOOK(calls), then);
    CloseThreadpoolTimer(timer);
}

TEST(due_at_once, "POOL-06")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    for (int i = 0; i < 50; i++) {
        SetThreadpoolTimer(timer, due(0), 0, 0);
        CHECK(callbacks(1));
    }
    WaitForThreadpoolTimerCallbacks(timer, FALSE);
    CHECK_EQ(LOOK(calls), 50);
    SetThreadpoolTimer(timer, due(0), 30, 0); /* at once, and then every 30 ms */
    CHECK(callbacks(3));
    CloseThreadpoolTimer(timer);
}

TEST(null_stops_it, "POOL-06")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    CHECK(!IsThreadpoolTimerSet(timer));
    SetThreadpoolTimer(timer, due(3600 * 1000 * MS), 0, 0);
    CHECK(IsThreadpoolTimerSet(timer));
    double took = 40;
    for (int tries = 0; tries < 200 && took >= 40; tries++) { /* stopped too late: it says nothing */
        begin();
        double start = now_ms();
        SetThreadpoolTimer(timer, due(40 * MS), 0, 0);
        SetThreadpoolTimer(timer, NULL, 0, 0);
        took = now_ms() - start;
        CHECK(!IsThreadpoolTimerSet(timer));
        WaitForThreadpoolTimerCallbacks(timer, TRUE);
    }
    CHECK_EQ(WaitForSingleObject(each, 100), WAIT_TIMEOUT);
    CloseThreadpoolTimer(timer);
}

TEST(setting_replaces, "POOL-06")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    SetThreadpoolTimer(timer, due(3600 * 1000 * MS), 0, 0);
    SetThreadpoolTimer(timer, due(20 * MS), 0, 0); /* earlier */
    CHECK(callbacks(1));
    double took = 20;
    for (int tries = 0; tries < 200 && took >= 20; tries++) { /* replaced too late: it says nothing */
        SetThreadpoolTimer(timer, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(timer, TRUE);
        begin();
        double start = now_ms();
        SetThreadpoolTimer(timer, due(20 * MS), 5, 0);
        SetThreadpoolTimer(timer, due(60 * MS), 0, 0); /* later, and once */
        took = now_ms() - start;
    }
    CHECK(callbacks(1));
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(calls), 1);
    CloseThreadpoolTimer(timer);
}

TEST(closing_stops_it, "POOL-06")
{
    int late = 0; /* those that may have been closed when it was too late */
    begin();
    for (int i = 0; i < 200; i++) {
        PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
        REQUIRE(timer != NULL);
        double start = now_ms();
        SetThreadpoolTimer(timer, due(100 * MS), 3, 0);
        CloseThreadpoolTimer(timer);
        late += now_ms() - start >= 100;
    }
    LONG then = late ? LOOK(calls) : 0;
    for (int tries = 0; late && tries < 20 && !STAYS(100, LOOK(calls) == then); tries++)
        then = LOOK(calls); /* their last callbacks may be on their way */
    CHECK(STAYS(150, LOOK(calls) == then));
    CHECK(late < 200);
}

#ifdef __linux__ /* mingw's import library of Windows 7 has it not, Wine's neither */
TEST(the_answer_of_setting, "POOL-06")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    REQUIRE(timer != NULL);
    CHECK(!SetThreadpoolTimerEx(timer, due(5000 * MS), 0, 0));
    CHECK(SetThreadpoolTimerEx(timer, due(5000 * MS), 0, 0));
    CHECK(SetThreadpoolTimerEx(timer, NULL, 0, 0)); /* was active, was cancelled */
    CHECK(!SetThreadpoolTimerEx(timer, NULL, 0, 0));
    CHECK(!SetThreadpoolTimerEx(timer, due(0), 0, 0));
    CHECK(callbacks(1));
    CHECK(!SetThreadpoolTimerEx(timer, due(5000 * MS), 0, 0));
    CloseThreadpoolTimer(timer);
}
#endif

/* One shot, armed again from inside the callback, disarmed and waited for at the end. */
static void CALLBACK rearm(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)context;
    FILETIME next = {(DWORD)(1 * MS), 0xFFFFFFFF};
    InterlockedIncrement(&calls);
    SetThreadpoolTimer(timer, &next, 0, 0);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(armed_from_its_callback, "POOL-05 POOL-06")
{
    begin();
    PTP_TIMER timer = CreateThreadpoolTimer(rearm, NULL, NULL);
    REQUIRE(timer != NULL);
    SetThreadpoolTimer(timer, due(0), 0, 0);
    CHECK(callbacks(30));
    BOOL quiet;
    int tries = 0;
    do { /* a callback that ran meanwhile may have armed it again */
        SetThreadpoolTimer(timer, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(timer, TRUE);
        LONG then = LOOK(calls);
        quiet = STAYS(40, LOOK(calls) == then);
    } while (!quiet && tries++ < 200);
    CHECK(quiet);
    CloseThreadpoolTimer(timer);
}

static void CALLBACK closes_itself(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)context;
    CloseThreadpoolTimer(timer);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(closed_from_its_callback, "POOL-05")
{
    begin();
    for (int i = 0; i < 100; i++) {
        PTP_TIMER timer = CreateThreadpoolTimer(closes_itself, NULL, NULL);
        REQUIRE(timer != NULL);
        SetThreadpoolTimer(timer, due(i % 5 * MS), 0, 0);
    }
    CHECK(callbacks(100));
}

TEST(many_timers, "POOL-05")
{
    enum { TIMERS = 500 };
    static PTP_TIMER timers[TIMERS];
    begin();
    for (int i = 0; i < TIMERS; i++) {
        REQUIRE((timers[i] = CreateThreadpoolTimer(tick, NULL, NULL)) != NULL);
        SetThreadpoolTimer(timers[i], due((1 + i * 7 % 50) * MS), 0, 0);
    }
    CHECK(callbacks(TIMERS));
    for (int i = 0; i < TIMERS; i++) {
        WaitForThreadpoolTimerCallbacks(timers[i], FALSE);
        CloseThreadpoolTimer(timers[i]);
    }
    CHECK_EQ(LOOK(calls), TIMERS);
}

/* ---- timer queues ---- */

static volatile LONG wrong_flag;
static HANDLE entered, go;

static void CALLBACK queue_tick(PVOID context, BOOLEAN fired)
{
    if (fired != TRUE)
        InterlockedIncrement(&wrong_flag);
    InterlockedIncrement((volatile LONG *)context);
    ReleaseSemaphore(each, 1, NULL);
}

static void CALLBACK gated(PVOID context, BOOLEAN fired)
{
    (void)fired;
    InterlockedIncrement(&calls);
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    InterlockedIncrement((volatile LONG *)context);
}

/* So many are inside at once. */
static int are_inside(int count)
{
    while (count > 0 && WaitForSingleObject(entered, LONG_TIME) == WAIT_OBJECT_0)
        count--;
    return count == 0;
}

/* It is being deleted, whether that is said with ERROR_IO_PENDING or not. */
static BOOL delete_queue(HANDLE queue, HANDLE event)
{
    return DeleteTimerQueueEx(queue, event) || GetLastError() == ERROR_IO_PENDING;
}

static void begin_gated(void)
{
    begin();
    entered = CreateSemaphoreA(NULL, 0, 1000000, NULL);
    go = manual_event();
}

static void end_gated(void)
{
    CloseHandle(entered);
    CloseHandle(go);
}

TEST(a_queue_timer_fires, "POOL-20")
{
    begin();
    volatile LONG count = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL;
    REQUIRE(queue != NULL);
    double start = now_ms();
    CHECK(CreateTimerQueueTimer(&timer, queue, queue_tick, (PVOID)&count, 50, 0, WT_EXECUTEDEFAULT));
    CHECK(callbacks(1));
    CHECK_MSG(now_ms() - start > 45, "after %f ms", now_ms() - start);
    CHECK_EQ(WaitForSingleObject(each, 80), WAIT_TIMEOUT); /* period 0: once */
    CHECK(ChangeTimerQueueTimer(queue, timer, 10, 10)); /* has no effect any more */
    CHECK_EQ(WaitForSingleObject(each, 80), WAIT_TIMEOUT);
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE));
    CHECK(CreateTimerQueueTimer(&timer, queue, queue_tick, (PVOID)&count, 0, 20, WT_EXECUTEINTIMERTHREAD));
    CHECK(callbacks(5));
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE));
    LONG then = LOOK(count);
    CHECK(STAYS(60, LOOK(count) == then));
    CHECK_EQ(LOOK(wrong_flag), 0);
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
}

TEST(rounds_do_not_wait_for_callbacks, "POOL-20")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE timer = NULL;
    CHECK(CreateTimerQueueTimer(&timer, NULL, gated, (PVOID)&left, 5, 5, WT_EXECUTEDEFAULT));
    TODO_WINE("it takes a thread for idle that has just begun another callback")
        CHECK(are_inside(4));
    CHECK_EQ(LOOK(left), 0);
    SetEvent(go);
    CHECK(DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE));
    CHECK_EQ(LOOK(left), LOOK(calls));
    end_gated();
}

TEST(changing_a_queue_timer, "POOL-20")
{
    begin();
    volatile LONG count = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL;
    REQUIRE(queue != NULL);
    CHECK(CreateTimerQueueTimer(&timer, queue, queue_tick, (PVOID)&count, 100000, 0, 0));
    CHECK(ChangeTimerQueueTimer(queue, timer, 10, 10));
    CHECK(callbacks(3));
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE)); /* and its timers */
    LONG then = LOOK(count);
    CHECK(STAYS(50, LOOK(count) == then));
}

TEST(deleting_a_timer_that_runs, "POOL-21")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL, event = auto_event();
    REQUIRE(queue && event);
    CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    CHECK_ERR(DeleteTimerQueueTimer(queue, timer, NULL), ERROR_IO_PENDING);
    CHECK_EQ(LOOK(left), 0);
    SetEvent(go);
    CHECK(WITHIN(LONG_TIME, LOOK(left) == 1));

    ResetEvent(go);
    CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    SetLastError(0);
    CHECK(DeleteTimerQueueTimer(queue, timer, event) || GetLastError() == ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(event, 50), WAIT_TIMEOUT);
    SetEvent(go);
    CHECK_EQ(WaitForSingleObject(event, LONG_TIME), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(left), 2);
    CHECK(delete_queue(queue, NULL));
    CloseHandle(event);
    end_gated();
}

TEST(blocking_deletion_waits, "POOL-21")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL;
    REQUIRE(queue != NULL);
    CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CHECK(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE));
    CHECK_EQ(LOOK(left), 1);
    JOIN(thread);
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
    end_gated();
}

TEST_W8(deleting_a_queue_that_runs, "POOL-21", "does not come back")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL, event = auto_event();
    REQUIRE(queue && event);
    for (int i = 0; i < 3; i++)
        CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    TODO_WINE("it takes a thread for idle that has just begun another callback")
        CHECK(are_inside(3));
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CHECK(delete_queue(queue, event));
    CHECK_EQ(WaitForSingleObject(event, LONG_TIME), WAIT_OBJECT_0); /* once all of them are done */
    CHECK_EQ(LOOK(left), LOOK(calls));
    JOIN(thread);
    CloseHandle(event);
    end_gated();
}

/* Deleted before its queue, and not waited for: the queue's deletion tells of its callback. */
TEST_W8(a_queue_tells_of_a_deleted_timer, "POOL-21", "it sets the event at once")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL, event = auto_event();
    REQUIRE(queue && event);
    CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    CHECK(are_inside(1));
    CHECK_ERR(DeleteTimerQueueTimer(queue, timer, NULL), ERROR_IO_PENDING);
    CHECK_ERR(DeleteTimerQueueEx(queue, event), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(event, 50), WAIT_TIMEOUT);
    SetEvent(go);
    CHECK_EQ(WaitForSingleObject(event, LONG_TIME), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(left), 1);
    CHECK(WITHIN(LONG_TIME, LOOK(left) == 1)); /* before `left` goes */
    CloseHandle(event);
    end_gated();
}

TEST(a_queue_waits_for_a_deleted_timer, "POOL-21")
{
    begin_gated();
    volatile LONG left = 0;
    HANDLE queue = CreateTimerQueue(), timer = NULL;
    REQUIRE(queue != NULL);
    CHECK(CreateTimerQueueTimer(&timer, queue, gated, (PVOID)&left, 0, 0, 0));
    CHECK(are_inside(1));
    CHECK_ERR(DeleteTimerQueueTimer(queue, timer, NULL), ERROR_IO_PENDING);
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
    CHECK_EQ(LOOK(left), 1);
    JOIN(thread);
    end_gated();
}

TEST(no_timer_to_delete, "POOL-21")
{
    HANDLE event = auto_event();
    CHECK_ERR(DeleteTimerQueueTimer(NULL, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(DeleteTimerQueueEx(NULL, NULL), ERROR_INVALID_HANDLE);
    if (!conform_wine) /* it takes any handle for a timer's address */
        CHECK_ERR(DeleteTimerQueueTimer(NULL, event, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(event);
}

TEST(queue_of_nothing, "POOL-21")
{
    HANDLE queue = CreateTimerQueue(), event = auto_event();
    REQUIRE(queue && event);
    CHECK(delete_queue(queue, event));
    CHECK_EQ(WaitForSingleObject(event, LONG_TIME), WAIT_OBJECT_0);
    CloseHandle(event);
}
