/* SPDX-License-Identifier: MIT */
/* The thread pool's waits, and registered waits. */
#include "conform.h"

#define LONG_TIME 10000
#define MS (-10000LL)

static volatile LONG calls, signals, timeouts;
static HANDLE each; /* semaphore: one per callback */

static void begin(void)
{
    calls = signals = timeouts = 0;
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

static FILETIME in_ms(int ms)
{
    long long time = ms * MS;
    FILETIME f = {(DWORD)time, (DWORD)((unsigned long long)time >> 32)};
    return f;
}

static void CALLBACK note(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result)
{
    (void)instance;
    (void)context;
    (void)wait;
    InterlockedIncrement(&calls);
    if (result == WAIT_OBJECT_0)
        InterlockedIncrement(&signals);
    else if (result == WAIT_TIMEOUT)
        InterlockedIncrement(&timeouts);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(fires_once_per_setting, "POOL-07")
{
    begin();
    HANDLE event = manual_event();
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    REQUIRE(wait && event);
    SetThreadpoolWait(wait, event, NULL);
    CHECK_EQ(WaitForSingleObject(each, 30), WAIT_TIMEOUT);
    SetEvent(event);
    CHECK(callbacks(1));
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT); /* though the event is still set */
    for (int i = 0; i < 20; i++) { /* set already when the wait is set */
        SetThreadpoolWait(wait, event, NULL);
        CHECK(callbacks(1));
    }
    CHECK_EQ(LOOK(signals), 21);
    CHECK_EQ(LOOK(calls), 21);
    WaitForThreadpoolWaitCallbacks(wait, FALSE);
    CloseThreadpoolWait(wait);
    CloseHandle(event);
}

TEST(auto_reset_events_are_consumed, "POOL-07")
{
    begin();
    HANDLE event = auto_event();
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    REQUIRE(wait && event);
    for (int i = 0; i < 20; i++) {
        SetThreadpoolWait(wait, event, NULL);
        SetEvent(event);
        CHECK(callbacks(1));
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    }
    SetEvent(event); /* nobody waits: it stays */
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(calls), 20);
    CloseThreadpoolWait(wait);
    CloseHandle(event);
}

TEST(time_outs, "POOL-07")
{
    begin();
    HANDLE event = auto_event();
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    FILETIME timeout = in_ms(50), later = in_ms(60000), none = {0, 0};
    REQUIRE(wait && event);
    double start = now_ms();
    SetThreadpoolWait(wait, event, &timeout);
    CHECK(callbacks(1));
    CHECK_MSG(now_ms() - start > 45, "after %f ms", now_ms() - start);
    CHECK_EQ(LOOK(timeouts), 1);
    SetEvent(event); /* the wait is over: not consumed */
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    SetThreadpoolWait(wait, event, &later);
    SetEvent(event);
    CHECK(callbacks(1));
    CHECK_EQ(LOOK(signals), 1);
    SetThreadpoolWait(wait, event, &none); /* only looks */
    CHECK(callbacks(1));
    CHECK_EQ(LOOK(timeouts), 2);
    CloseThreadpoolWait(wait);
    CloseHandle(event);
}

TEST(setting_replaces, "POOL-07")
{
    begin();
    HANDLE first = auto_event(), second = auto_event();
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    REQUIRE(wait && first && second);
    SetThreadpoolWait(wait, first, NULL);
    SetThreadpoolWait(wait, second, NULL);
    SetEvent(first);
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(first, 0), WAIT_OBJECT_0);
    SetEvent(second);
    CHECK(callbacks(1));
    SetThreadpoolWait(wait, first, NULL);
    SetThreadpoolWait(wait, NULL, NULL); /* nothing any more */
    SetEvent(first);
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(first, 0), WAIT_OBJECT_0);
    CloseThreadpoolWait(wait);
    CloseHandle(first);
    CloseHandle(second);
}

TEST(closing_ends_the_wait, "POOL-07")
{
    begin();
    HANDLE event = auto_event();
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    REQUIRE(wait && event);
    SetThreadpoolWait(wait, event, NULL);
    CloseThreadpoolWait(wait);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CloseHandle(event);
}

TEST(more_than_sixty_four, "POOL-07")
{
    enum { WAITS = 1000 };
    static HANDLE events[WAITS];
    static PTP_WAIT waits[WAITS];
    begin();
    for (int i = 0; i < WAITS; i++) {
        events[i] = auto_event();
        REQUIRE((waits[i] = CreateThreadpoolWait(note, NULL, NULL)) && events[i]);
        SetThreadpoolWait(waits[i], events[i], NULL);
    }
    for (int i = WAITS - 1; i >= 0; i--)
        SetEvent(events[i]);
    CHECK(callbacks(WAITS));
    CHECK_EQ(LOOK(signals), WAITS);
    for (int i = 0; i < WAITS; i++) {
        WaitForThreadpoolWaitCallbacks(waits[i], FALSE);
        CloseThreadpoolWait(waits[i]);
        CHECK_EQ(WaitForSingleObject(events[i], 0), WAIT_TIMEOUT);
        CloseHandle(events[i]);
    }
    CHECK_EQ(LOOK(calls), WAITS);
}

/* Many waits on one thing: each taking of it is one callback's. */
TEST(one_event_for_many, "POOL-07")
{
    enum { WAITS = 30 };
    PTP_WAIT waits[WAITS];
    HANDLE event = auto_event(), semaphore = CreateSemaphoreA(NULL, 0, 100, NULL), both = manual_event();
    begin();
    REQUIRE(event && semaphore && both);
    for (int i = 0; i < WAITS; i++) {
        REQUIRE((waits[i] = CreateThreadpoolWait(note, NULL, NULL)) != NULL);
        SetThreadpoolWait(waits[i], event, NULL);
    }
    for (int i = 1; i <= WAITS; i++) {
        SetEvent(event);
        CHECK(callbacks(1));
        CHECK_EQ(LOOK(calls), i);
    }
    for (int i = 0; i < WAITS; i++)
        SetThreadpoolWait(waits[i], semaphore, NULL);
    ReleaseSemaphore(semaphore, 10, NULL);
    CHECK(callbacks(10));
    CHECK_EQ(WaitForSingleObject(each, 30), WAIT_TIMEOUT);
    ReleaseSemaphore(semaphore, 25, NULL);
    CHECK(callbacks(20));
    LONG before = -1;
    CHECK(ReleaseSemaphore(semaphore, 1, &before));
    CHECK_EQ(before, 5);
    for (int i = 0; i < WAITS; i++)
        SetThreadpoolWait(waits[i], both, NULL);
    SetEvent(both);
    CHECK(callbacks(WAITS));
    CHECK_EQ(LOOK(calls), 3 * WAITS);
    for (int i = 0; i < WAITS; i++)
        CloseThreadpoolWait(waits[i]);
    CloseHandle(event);
    CloseHandle(semaphore);
    CloseHandle(both);
}

THREAD_FN(waits_for_it)
{
    WaitForSingleObject((HANDLE)arg, LONG_TIME);
    return 7;
}

TEST(threads_and_timers_are_waited_for, "POOL-07")
{
    begin();
    HANDLE event = auto_event(), timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    HANDLE thread = start_thread(waits_for_it, event);
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    LARGE_INTEGER soon = {.QuadPart = 20 * MS};
    REQUIRE(wait && event && timer);
    SetThreadpoolWait(wait, thread, NULL);
    CHECK_EQ(WaitForSingleObject(each, 30), WAIT_TIMEOUT);
    SetEvent(event);
    CHECK(callbacks(1));
    DWORD code = 0;
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 7);
    SetThreadpoolWait(wait, timer, NULL);
    CHECK(SetWaitableTimer(timer, &soon, 0, NULL, NULL, FALSE));
    CHECK(callbacks(1));
    CHECK_EQ(LOOK(signals), 2);
    CloseThreadpoolWait(wait);
    CloseHandle(thread);
    CloseHandle(timer);
    CloseHandle(event);
}

static HANDLE rearmed_event;

static void CALLBACK rearm(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait,
                           TP_WAIT_RESULT result)
{
    SetThreadpoolWait(wait, rearmed_event, NULL);
    note(instance, context, wait, result);
}

TEST(set_from_its_callback, "POOL-07")
{
    begin();
    rearmed_event = auto_event();
    PTP_WAIT wait = CreateThreadpoolWait(rearm, NULL, NULL);
    REQUIRE(wait && rearmed_event);
    SetThreadpoolWait(wait, rearmed_event, NULL);
    for (int i = 0; i < 200; i++) {
        SetEvent(rearmed_event);
        CHECK(callbacks(1));
    }
    SetThreadpoolWait(wait, NULL, NULL);
    WaitForThreadpoolWaitCallbacks(wait, TRUE);
    CHECK_EQ(LOOK(signals), 200);
    CloseThreadpoolWait(wait);
    CloseHandle(rearmed_event);
}

static volatile LONG fired_true, fired_false;

static void CALLBACK registered(PVOID context, BOOLEAN fired)
{
    (void)context;
    InterlockedIncrement(fired ? &fired_true : &fired_false);
    ReleaseSemaphore(each, 1, NULL);
}

#ifdef __linux__ /* an exception on Windows; an assertion of Wine's */
TEST(mutexes_are_refused, "POOL-07 POOL-18")
{
    begin();
    HANDLE mutex = CreateMutexA(NULL, FALSE, NULL), event = auto_event(), wait_handle = NULL;
    PTP_WAIT wait = CreateThreadpoolWait(note, NULL, NULL);
    REQUIRE(wait && mutex && event);
    SetLastError(0);
    SetThreadpoolWait(wait, mutex, NULL);
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    SetThreadpoolWait(wait, (HANDLE)(uintptr_t)0x7000, NULL);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(WaitForSingleObject(each, 30), WAIT_TIMEOUT);
    CHECK_ERR(RegisterWaitForSingleObject(&wait_handle, mutex, registered, NULL, INFINITE, 0),
              ERROR_INVALID_PARAMETER);
    CHECK(!SetThreadpoolWaitEx(wait, event, NULL, NULL));
    CHECK(SetThreadpoolWaitEx(wait, event, NULL, NULL)); /* replaced in time */
    CHECK(SetThreadpoolWaitEx(wait, NULL, NULL, NULL));
    CHECK(!SetThreadpoolWaitEx(wait, NULL, NULL, NULL));
    CloseThreadpoolWait(wait);
    CloseHandle(mutex);
    CloseHandle(event);
}
#endif

/* ---- registered waits ---- */

static void begin_registered(void)
{
    begin();
    fired_true = fired_false = 0;
}

TEST_W8(registered_waits_repeat, "POOL-18", "a repeated wait may take the object once more at its end")
{
    begin_registered();
    HANDLE event = auto_event(), wait = NULL;
    REQUIRE(event != NULL);
    CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, INFINITE, WT_EXECUTEDEFAULT));
    for (int i = 1; i <= 100; i++) {
        SetEvent(event);
        CHECK(callbacks(1));
        CHECK_EQ(LOOK(fired_false), i);
    }
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(fired_true), 0);
    CloseHandle(event);
}

TEST_W8(registered_waits_time_out_again_and_again, "POOL-18",
        "the page says that the timer is reset whenever the interval elapses; there it does once")
{
    begin_registered();
    HANDLE event = auto_event(), wait = NULL;
    REQUIRE(event != NULL);
    double start = now_ms();
    CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, 20, WT_EXECUTEDEFAULT));
    CHECK(callbacks(3));
    CHECK_MSG(now_ms() - start > 55, "three times in %f ms", now_ms() - start);
    CHECK(LOOK(fired_true) >= 3);
    CHECK_EQ(LOOK(fired_false), 0);
    SetEvent(event);
    CHECK(WITHIN(LONG_TIME, LOOK(fired_false) == 1));
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    CloseHandle(event);
}

TEST(only_once, "POOL-18")
{
    DWORD flags[] = {WT_EXECUTEONLYONCE, WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
                     WT_EXECUTEONLYONCE | WT_EXECUTELONGFUNCTION};
    for (int i = 0; i < 3; i++) {
        begin_registered();
        HANDLE event = manual_event(), wait = NULL;
        REQUIRE(event != NULL);
        CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, INFINITE, flags[i]));
        SetEvent(event);
        CHECK(callbacks(1));
        CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
        CHECK_EQ(LOOK(fired_false), 1);
        CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)); /* it exists until then */
        CHECK(RegisterWaitForSingleObject(&wait, each, registered, NULL, 10, flags[i]));
        CHECK(WITHIN(LONG_TIME, LOOK(fired_true) == 1));
        CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
        CloseHandle(event);
    }
}

/* The callback posts to a port: how programs mix waits and I/O in one loop. */
static void CALLBACK post(PVOID context, BOOLEAN fired)
{
    PostQueuedCompletionStatus((HANDLE)context, fired, 77, NULL);
}

TEST(a_wait_that_posts_to_a_port, "POOL-18")
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), event = auto_event(), wait = NULL;
    DWORD bytes = 9;
    ULONG_PTR key = 0;
    OVERLAPPED *overlapped = NULL;
    REQUIRE(port && event);
    CHECK(RegisterWaitForSingleObject(&wait, event, post, port, INFINITE,
                                      WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD));
    SetEvent(event);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, LONG_TIME));
    CHECK_EQ(key, 77);
    CHECK_EQ(bytes, FALSE);
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    CloseHandle(event);
    CloseHandle(port);
}

static HANDLE entered, go;
static volatile LONG left_it;

static void CALLBACK gated(PVOID context, BOOLEAN fired)
{
    (void)context;
    (void)fired;
    SetEvent(entered);
    WaitForSingleObject(go, LONG_TIME);
    InterlockedIncrement(&left_it);
}

static void begin_gated(void)
{
    left_it = 0;
    entered = auto_event();
    go = manual_event();
}

static void end_gated(void)
{
    CloseHandle(entered);
    CloseHandle(go);
}

TEST(unregistering_while_it_runs, "POOL-19")
{
    begin_gated();
    HANDLE event = auto_event(), done = auto_event(), wait = NULL;
    REQUIRE(event && done);
    CHECK(RegisterWaitForSingleObject(&wait, event, gated, NULL, INFINITE, WT_EXECUTEONLYONCE));
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    CHECK_ERR(UnregisterWaitEx(wait, NULL), ERROR_IO_PENDING);
    SetEvent(go);
    CHECK(WITHIN(LONG_TIME, LOOK(left_it) == 1));

    ResetEvent(go);
    CHECK(RegisterWaitForSingleObject(&wait, event, gated, NULL, INFINITE, WT_EXECUTEONLYONCE));
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    CHECK_ERR(UnregisterWait(wait), ERROR_IO_PENDING);
    SetEvent(go);
    CHECK(WITHIN(LONG_TIME, LOOK(left_it) == 2));

    ResetEvent(go);
    CHECK(RegisterWaitForSingleObject(&wait, event, gated, NULL, INFINITE, WT_EXECUTEONLYONCE));
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    SetLastError(0);
    CHECK(UnregisterWaitEx(wait, done) || GetLastError() == ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(done, 50), WAIT_TIMEOUT);
    SetEvent(go);
    CHECK_EQ(WaitForSingleObject(done, LONG_TIME), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(left_it), 3);
    CloseHandle(event);
    CloseHandle(done);
    end_gated();
}

TEST(blocking_unregistration, "POOL-19")
{
    begin_gated();
    HANDLE event = auto_event(), wait = NULL;
    REQUIRE(event != NULL);
    CHECK(RegisterWaitForSingleObject(&wait, event, gated, NULL, INFINITE, WT_EXECUTEDEFAULT));
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    CHECK_EQ(LOOK(left_it), 1);
    JOIN(thread);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(entered, 30), WAIT_TIMEOUT);
    CloseHandle(event);
    end_gated();
}

TEST(unregistering_what_never_fired, "POOL-19")
{
    begin_registered();
    HANDLE event = auto_event(), done = auto_event(), wait = NULL;
    REQUIRE(event && done);
    CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, INFINITE, 0));
    CHECK_ERR(CloseHandle(wait), ERROR_INVALID_HANDLE); /* a handle of another kind */
    CHECK_ERR(SetHandleInformation(wait, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CloseHandle(wait), ERROR_INVALID_HANDLE);
    CHECK(UnregisterWaitEx(wait, NULL));
    CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, INFINITE, 0));
    CHECK(UnregisterWait(wait));
    CHECK(RegisterWaitForSingleObject(&wait, event, registered, NULL, INFINITE, 0));
    CHECK(UnregisterWaitEx(wait, done));
    CHECK_EQ(WaitForSingleObject(done, LONG_TIME), WAIT_OBJECT_0);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(each, 30), WAIT_TIMEOUT);
    CHECK_ERR(UnregisterWaitEx(NULL, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    CloseHandle(done);
}

static HANDLE own_wait;

static void CALLBACK unregisters_itself(PVOID context, BOOLEAN fired)
{
    (void)context;
    (void)fired;
    if (UnregisterWaitEx(own_wait, NULL) || GetLastError() != ERROR_IO_PENDING)
        FAIL("unregistering inside the callback");
    ReleaseSemaphore(each, 1, NULL);
}

TEST_W8(unregistering_from_the_callback, "POOL-19", "a repeated wait may call back once more")
{
    begin();
    for (int i = 0; i < 200; i++) {
        HANDLE event = auto_event(); /* a new one: Wine's repeated wait waits once more for the old */
        REQUIRE(event != NULL);
        CHECK(RegisterWaitForSingleObject(&own_wait, event, unregisters_itself, NULL, INFINITE,
                                          i % 2 ? WT_EXECUTEONLYONCE : WT_EXECUTEDEFAULT));
        SetEvent(event);
        CHECK(callbacks(1));
        CloseHandle(event);
    }
}

TEST(hundreds_of_registered_waits, "POOL-18 POOL-19")
{
    enum { WAITS = 300 };
    static HANDLE events[WAITS], waits[WAITS];
    begin_registered();
    for (int i = 0; i < WAITS; i++) {
        REQUIRE((events[i] = auto_event()) != NULL);
        CHECK(RegisterWaitForSingleObject(&waits[i], events[i], registered, NULL, INFINITE, 0));
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WAITS; i++)
            SetEvent(events[i]);
        CHECK(callbacks(WAITS));
    }
    for (int i = 0; i < WAITS; i++) {
        CHECK(UnregisterWaitEx(waits[i], INVALID_HANDLE_VALUE));
        CloseHandle(events[i]);
    }
    CHECK_EQ(LOOK(fired_false), 2 * WAITS);
}

/* ---- work items ---- */

static DWORD WINAPI item(LPVOID context)
{
    InterlockedIncrement((volatile LONG *)context);
    ReleaseSemaphore(each, 1, NULL);
    return 0;
}

TEST(work_items, "POOL-16")
{
    ULONG flags[] = {WT_EXECUTEDEFAULT, WT_EXECUTELONGFUNCTION, WT_EXECUTEINIOTHREAD,
                     WT_EXECUTEINPERSISTENTTHREAD};
    volatile LONG count = 0;
    begin();
    for (int i = 0; i < 400; i++)
        CHECK(QueueUserWorkItem(item, (PVOID)&count, flags[i % 4]));
    CHECK(callbacks(400));
    CHECK_EQ(LOOK(count), 400);
    CHECK_EQ(WaitForSingleObject(each, 0), WAIT_TIMEOUT);
}
