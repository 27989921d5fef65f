/* SPDX-License-Identifier: MIT */
/* The thread pool: work objects, single callbacks, private pools, and what a callback may ask for. */
#include "conform.h"

#define LONG_TIME 10000

static volatile LONG calls, inside, inside_most;
static HANDLE entered, go, done;

/* Fresh counters and events; every test that uses them calls it first. */
static void begin(void)
{
    calls = inside = inside_most = 0;
    if (!entered) {
        entered = CreateSemaphoreA(NULL, 0, 1000000, NULL);
        go = CreateSemaphoreA(NULL, 0, 1000000, NULL);
        done = CreateSemaphoreA(NULL, 0, 1000000, NULL);
    }
    while (WaitForSingleObject(entered, 0) == WAIT_OBJECT_0 || WaitForSingleObject(go, 0) == WAIT_OBJECT_0 ||
           WaitForSingleObject(done, 0) == WAIT_OBJECT_0)
        ;
}

/* Takes so many of a semaphore; 0 if one did not come in time. */
static int take(HANDLE semaphore, int count)
{
    while (count > 0 && WaitForSingleObject(semaphore, LONG_TIME) == WAIT_OBJECT_0)
        count--;
    return count == 0;
}

static void note_entry(void)
{
    LONG now = InterlockedIncrement(&inside), most = LOOK(inside_most);
    while (now > most && InterlockedCompareExchange(&inside_most, now, most) != most)
        most = LOOK(inside_most);
}

static void CALLBACK count_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    InterlockedIncrement((volatile LONG *)context);
}

/* Says that it is there, waits until it may go, says that it has gone. */
static void CALLBACK gated(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    (void)work;
    note_entry();
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    InterlockedIncrement(&calls);
    InterlockedDecrement(&inside);
    ReleaseSemaphore(done, 1, NULL);
}

TEST(every_submit_runs_once, "POOL-01 POOL-02")
{
    volatile LONG count = 0;
    PTP_WORK work = CreateThreadpoolWork(count_work, (PVOID)&count, NULL);
    REQUIRE(work != NULL);
    for (int round = 1; round <= 20; round++) {
        for (int i = 0; i < 500; i++)
            SubmitThreadpoolWork(work);
        WaitForThreadpoolWorkCallbacks(work, FALSE);
        CHECK_EQ(LOOK(count), round * 500);
    }
    CloseThreadpoolWork(work);
}

static PTP_WORK submitted_into;
static HANDLE submitted_now;

static DWORD WINAPI submit_ten(LPVOID parameter)
{
    (void)parameter;
    for (int i = 0; i < 10; i++)
        SubmitThreadpoolWork(submitted_into);
    SetEvent(submitted_now);
    return 0;
}

static DWORD WINAPI wait_cancelled(LPVOID parameter)
{
    (void)parameter;
    WaitForThreadpoolWorkCallbacks(submitted_into, TRUE);
    return 0;
}

/* What others submit while a wait cancels is not lost: it is submitted after what was cancelled. */
TEST(submitted_during_a_cancelling_wait, "POOL-01 POOL-02")
{
    begin();
    submitted_into = CreateThreadpoolWork(gated, NULL, NULL);
    submitted_now = auto_event();
    REQUIRE(submitted_into != NULL);
    SubmitThreadpoolWork(submitted_into);
    REQUIRE(take(entered, 1));
    HANDLE waiter = CreateThread(NULL, 0, wait_cancelled, NULL, 0, NULL);
    until_asleep(GetThreadId(waiter));
    CHECK_EQ(WaitForSingleObject(waiter, 0), WAIT_TIMEOUT); /* the one that runs is waited for */
    HANDLE thread = CreateThread(NULL, 0, submit_ten, NULL, 0, NULL);
    CHECK_EQ(WaitForSingleObject(submitted_now, LONG_TIME), WAIT_OBJECT_0);
    ReleaseSemaphore(go, 11, NULL);
    CHECK(take(done, 11));
    CHECK_EQ(LOOK(calls), 11);
    CHECK_EQ(WaitForSingleObject(waiter, LONG_TIME), WAIT_OBJECT_0);
    WaitForThreadpoolWorkCallbacks(submitted_into, FALSE);
    CloseThreadpoolWork(submitted_into);
    CHECK_EQ(WaitForSingleObject(thread, LONG_TIME), WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(waiter);
    CloseHandle(submitted_now);
}

TEST(submits_of_one_object_overlap, "POOL-01")
{
    begin();
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, NULL);
    REQUIRE(work != NULL);
    for (int i = 0; i < 5; i++)
        SubmitThreadpoolWork(work);
    TODO_WINE("it takes a thread for idle that has just begun another callback") {
        CHECK(take(entered, 5)); /* all five are inside at once: nobody has been let go */
    }
    ReleaseSemaphore(go, 5, NULL);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), 5);
    CloseThreadpoolWork(work);
}

THREAD_FN(cancels)
{
    ReleaseSemaphore(done, 1, NULL);
    WaitForThreadpoolWorkCallbacks((PTP_WORK)arg, TRUE);
    return 0;
}

/* Ten are submitted, one has begun; then the rest is cancelled. How many ran: 1, if the cancelling thread
 * slept in its call already. */
static LONG run_and_cancel(PTP_WORK work)
{
    begin();
    for (int i = 0; i < 10; i++)
        SubmitThreadpoolWork(work);
    CHECK(take(entered, 1)); /* one thread: nine have not begun */
    HANDLE thread = start_thread(cancels, work);
    CHECK(take(done, 1));
    until_asleep(GetThreadId(thread)); /* in the call, or before it: then again */
    ReleaseSemaphore(go, 10, NULL);
    JOIN(thread); /* it has waited for the one that runs */
    LONG ran = LOOK(calls);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), ran);
    return ran;
}

TEST(cancel_drops_what_has_not_begun, "POOL-02 POOL-14")
{
    TP_CALLBACK_ENVIRON environment;
    LONG ran = 0;
    PTP_POOL pool = CreateThreadpool(NULL);
    REQUIRE(pool != NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);
    REQUIRE(work != NULL);
    for (int i = 0; i < 5 && (ran = run_and_cancel(work)) != 1; i++)
        continue;
    CHECK_EQ(ran, 1);
    SubmitThreadpoolWork(work); /* the object goes on as before */
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), 2);
    CloseThreadpoolWork(work);
    DestroyThreadpoolEnvironment(&environment);
    CloseThreadpool(pool);
}

TEST(wait_with_nothing_to_wait_for, "POOL-02")
{
    volatile LONG count = 0;
    PTP_WORK work = CreateThreadpoolWork(count_work, (PVOID)&count, NULL);
    REQUIRE(work != NULL);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    WaitForThreadpoolWorkCallbacks(work, TRUE);
    CHECK_EQ(LOOK(count), 0);
    CloseThreadpoolWork(work);
}

TEST(close_lets_callbacks_finish, "POOL-03")
{
    begin();
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, NULL);
    REQUIRE(work != NULL);
    for (int i = 0; i < 4; i++)
        SubmitThreadpoolWork(work);
    CHECK(take(entered, 1));
    CloseThreadpoolWork(work);
    ReleaseSemaphore(go, 4, NULL);
    CHECK(take(done, 4));
    CHECK_EQ(LOOK(calls), 4);
}

static void CALLBACK closes_itself(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    CloseThreadpoolWork(work);
    ReleaseSemaphore((HANDLE)context, 1, NULL);
}

TEST(a_callback_closes_its_object, "POOL-03")
{
    begin();
    for (int i = 0; i < 500; i++) {
        PTP_WORK work = CreateThreadpoolWork(closes_itself, done, NULL);
        REQUIRE(work != NULL);
        SubmitThreadpoolWork(work);
    }
    CHECK(take(done, 500));
}

static void CALLBACK submits_itself(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    if (InterlockedIncrement(&calls) < 1000)
        SubmitThreadpoolWork(work);
    else
        ReleaseSemaphore(done, 1, NULL);
}

TEST(a_callback_submits_its_object, "POOL-01")
{
    begin();
    PTP_WORK work = CreateThreadpoolWork(submits_itself, NULL, NULL);
    REQUIRE(work != NULL);
    SubmitThreadpoolWork(work);
    CHECK(take(done, 1));
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), 1000);
    CloseThreadpoolWork(work);
}

static void CALLBACK waits_for_another(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    SubmitThreadpoolWork((PTP_WORK)context);
    WaitForThreadpoolWorkCallbacks((PTP_WORK)context, FALSE);
    ReleaseSemaphore(done, 1, NULL);
}

TEST(callbacks_wait_for_others, "POOL-02")
{
    begin();
    volatile LONG count = 0;
    PTP_WORK last = CreateThreadpoolWork(count_work, (PVOID)&count, NULL), chain[40];
    REQUIRE(last != NULL);
    for (int i = 0; i < 40; i++)
        REQUIRE((chain[i] = CreateThreadpoolWork(waits_for_another, i ? chain[i - 1] : last, NULL)) != NULL);
    SubmitThreadpoolWork(chain[39]); /* forty threads deep: each of them blocks in the pool */
    CHECK(take(done, 40));
    CHECK_EQ(LOOK(count), 1);
    for (int i = 0; i < 40; i++)
        CloseThreadpoolWork(chain[i]);
    CloseThreadpoolWork(last);
}

static void CALLBACK simple(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    InterlockedIncrement((volatile LONG *)context);
    ReleaseSemaphore(done, 1, NULL);
}

TEST(single_callbacks, "POOL-04")
{
    begin();
    volatile LONG count = 0;
    for (int i = 0; i < 300; i++)
        CHECK_EQ(TrySubmitThreadpoolCallback(simple, (PVOID)&count, NULL), TRUE);
    CHECK(take(done, 300));
    CHECK_EQ(LOOK(count), 300);
    CHECK_EQ(WaitForSingleObject(done, 0), WAIT_TIMEOUT);
}

/* ---- private pools ---- */

static void CALLBACK alone(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    note_entry();
    if (InterlockedIncrement(&calls) % 4 == 0)
        Sleep(1); /* blocking is no reason for a second thread */
    else
        SwitchToThread();
    ((DWORD *)context)[GetCurrentThreadId() % 64]++;
    InterlockedDecrement(&inside);
}

TEST(one_thread_serialises, "POOL-14")
{
    begin();
    DWORD plain[64] = {0}; /* counted without interlocking, on purpose */
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    REQUIRE(pool != NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    CHECK(SetThreadpoolThreadMinimum(pool, 1));
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK first = CreateThreadpoolWork(alone, plain, &environment);
    PTP_WORK second = CreateThreadpoolWork(alone, plain, &environment);
    REQUIRE(first && second);
    for (int i = 0; i < 100; i++) {
        SubmitThreadpoolWork(first);
        SubmitThreadpoolWork(second);
    }
    WaitForThreadpoolWorkCallbacks(first, FALSE);
    WaitForThreadpoolWorkCallbacks(second, FALSE);
    CHECK_EQ(LOOK(calls), 200);
    CHECK_EQ(LOOK(inside_most), 1);
    DWORD sum = 0;
    for (int i = 0; i < 64; i++)
        sum += plain[i];
    CHECK_EQ(sum, 200);
    CloseThreadpoolWork(first);
    CloseThreadpoolWork(second);
    DestroyThreadpoolEnvironment(&environment);
    CloseThreadpool(pool);
}

TEST(pools_have_threads_of_their_own, "POOL-14")
{
    begin();
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    volatile LONG count = 0;
    REQUIRE(pool != NULL);
    SetThreadpoolThreadMaximum(pool, 2);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);
    PTP_WORK other = CreateThreadpoolWork(count_work, (PVOID)&count, NULL);
    REQUIRE(work && other);
    for (int i = 0; i < 4; i++)
        SubmitThreadpoolWork(work);
    CHECK(take(entered, 2));
    CHECK_EQ(WaitForSingleObject(entered, 100), WAIT_TIMEOUT); /* two threads, both taken */
    SubmitThreadpoolWork(other); /* the default pool does not care */
    WaitForThreadpoolWorkCallbacks(other, FALSE);
    CHECK_EQ(LOOK(count), 1);
    ReleaseSemaphore(go, 4, NULL);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), 4);
    CHECK_EQ(LOOK(inside_most), 2);
    SubmitThreadpoolWork(work);
    SubmitThreadpoolWork(work);
    CloseThreadpool(pool); /* with the object's end, and not before */
    ReleaseSemaphore(go, 2, NULL);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(LOOK(calls), 6);
    CloseThreadpoolWork(work);
    CloseThreadpoolWork(other);
    DestroyThreadpoolEnvironment(&environment);
}

TEST(stack_information, "POOL-14")
{
    begin();
    TP_POOL_STACK_INFORMATION information = {1 << 20, 1 << 16}, got = {0, 0};
    TP_CALLBACK_ENVIRON environment;
    volatile LONG count = 0;
    PTP_POOL pool = CreateThreadpool(NULL);
    REQUIRE(pool != NULL);
    CHECK(SetThreadpoolStackInformation(pool, &information));
    CHECK(QueryThreadpoolStackInformation(pool, &got));
    CHECK_EQ(got.StackReserve, 1 << 20);
    CHECK_EQ(got.StackCommit, 1 << 16);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    CHECK(TrySubmitThreadpoolCallback(simple, (PVOID)&count, &environment));
    CHECK(take(done, 1));
    CloseThreadpool(pool);
}

enum { CHAIN = 6 };

static TP_CALLBACK_ENVIRON chained;

/* Has the next one made by this thread, and leaves it its place. */
static void CALLBACK calls_the_next(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    (void)context;
    if (InterlockedIncrement(&inside) < CHAIN)
        CHECK(TrySubmitThreadpoolCallback(calls_the_next, NULL, &chained));
    else
        ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    ReleaseSemaphore(done, 1, NULL);
}

/* Threads that are being started have the one or the other. */
TEST(stack_changed_as_threads_start, "POOL-14")
{
    for (int round = 0; round < 10; round++) {
        TP_POOL_STACK_INFORMATION information[2] = {{1 << 20, 1 << 16}, {2 << 20, 1 << 16}};
        PTP_POOL pool = CreateThreadpool(NULL);
        REQUIRE(pool != NULL);
        begin();
        InitializeThreadpoolEnvironment(&chained);
        SetThreadpoolCallbackPool(&chained, pool);
        CHECK(TrySubmitThreadpoolCallback(calls_the_next, NULL, &chained));
        for (int i = 0; i < 1000000 && WaitForSingleObject(entered, 0) != WAIT_OBJECT_0; i++)
            CHECK(SetThreadpoolStackInformation(pool, &information[i & 1]));
        ReleaseSemaphore(go, CHAIN, NULL);
        CHECK(take(done, CHAIN));
        CloseThreadpool(pool);
    }
}

static volatile LONG there;

/* Computes until so many are there. */
static void CALLBACK spins(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    InterlockedIncrement(&there);
    while (LOOK(there) < *(LONG *)context)
        ;
    ReleaseSemaphore(done, 1, NULL);
}

/* However many processors there are, callbacks that wait for each other by computing come together. */
TEST(computing_callbacks_come_together, "POOL-01")
{
    SYSTEM_INFO machine;
    GetSystemInfo(&machine);
    LONG need = (LONG)machine.dwNumberOfProcessors + 1;
    begin();
    there = 0;
    for (LONG i = 0; i < need; i++)
        CHECK(TrySubmitThreadpoolCallback(spins, &need, NULL));
    CHECK(take(done, need));
}

/* ---- inside callbacks ---- */

static void CALLBACK may_run_long(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    volatile LONG *state = context; /* 0: begun, 1: may go */
    BOOL may = CallbackMayRunLong(instance);
    InterlockedExchange(&calls, may + 10);
    ReleaseSemaphore(entered, 1, NULL);
    while (!LOOK(*state))
        ; /* takes a processor, and no place */
    ReleaseSemaphore(done, 1, NULL);
}

TEST(long_callbacks_free_their_place, "POOL-14")
{
    begin();
    volatile LONG state = 0, count = 0;
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    REQUIRE(pool != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    SetThreadpoolThreadMaximum(pool, 5);
    for (int i = 0; i < 4; i++) { /* more than there are processors here */
        CHECK(TrySubmitThreadpoolCallback(may_run_long, (PVOID)&state, &environment));
        CHECK(take(entered, 1));
        CHECK_EQ(LOOK(calls), TRUE + 10);
    }
    CHECK(TrySubmitThreadpoolCallback(simple, (PVOID)&count, &environment));
    CHECK(take(done, 1));
    CHECK_EQ(LOOK(count), 1);
    InterlockedExchange(&state, 1);
    CHECK(take(done, 4));
    DestroyThreadpoolEnvironment(&environment);
    CloseThreadpool(pool);
}

TEST(no_thread_left_for_a_long_callback, "POOL-14")
{
    begin();
    volatile LONG state = 1;
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    REQUIRE(pool != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    SetThreadpoolThreadMaximum(pool, 1);
    CHECK(TrySubmitThreadpoolCallback(may_run_long, (PVOID)&state, &environment));
    CHECK(take(done, 1));
    CHECK_EQ(LOOK(calls), FALSE + 10);
    DestroyThreadpoolEnvironment(&environment);
    CloseThreadpool(pool);
}

static void CALLBACK dissociates(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)context;
    DisassociateCurrentThreadFromCallback(instance);
    WaitForThreadpoolWorkCallbacks(work, FALSE); /* not for this one any more */
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    ReleaseSemaphore(done, 1, NULL);
}

TEST(disassociated_callbacks_do_not_count, "POOL-02")
{
    begin();
    PTP_WORK work = CreateThreadpoolWork(dissociates, NULL, NULL);
    REQUIRE(work != NULL);
    SubmitThreadpoolWork(work);
    CHECK(take(entered, 1));
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK_EQ(WaitForSingleObject(done, 0), WAIT_TIMEOUT);
    CloseThreadpoolWork(work);
    ReleaseSemaphore(go, 1, NULL);
    CHECK(take(done, 1));
}

/* ---- what is done when a callback returns ---- */

struct returns {
    HANDLE event, semaphore, mutex;
    CRITICAL_SECTION section;
    volatile LONG leaving;
};

static void CALLBACK returning(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct returns *r = context;
    (void)work;
    WaitForSingleObject(r->mutex, INFINITE);
    EnterCriticalSection(&r->section);
    SetEventWhenCallbackReturns(instance, r->event);
    ReleaseSemaphoreWhenCallbackReturns(instance, r->semaphore, 3);
    ReleaseMutexWhenCallbackReturns(instance, r->mutex);
    LeaveCriticalSectionWhenCallbackReturns(instance, &r->section);
    FreeLibraryWhenCallbackReturns(instance, LoadLibraryA("kernel32.dll"));
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    InterlockedExchange(&r->leaving, 1);
}

TEST(when_a_callback_returns, "POOL-15")
{
    begin();
    struct returns r = {.event = manual_event(),
                        .semaphore = CreateSemaphoreA(NULL, 0, 5, NULL),
                        .mutex = CreateMutexA(NULL, FALSE, NULL)};
    InitializeCriticalSection(&r.section);
    PTP_WORK work = CreateThreadpoolWork(returning, &r, NULL);
    REQUIRE(work && r.event && r.semaphore && r.mutex);
    SubmitThreadpoolWork(work);
    CHECK(take(entered, 1));
    CHECK_EQ(WaitForSingleObject(r.event, 20), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(r.semaphore, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(r.mutex, 0), WAIT_TIMEOUT);
    CHECK(!TryEnterCriticalSection(&r.section));
    ReleaseSemaphore(go, 1, NULL);
    CHECK_EQ(WaitForSingleObject(r.event, LONG_TIME), WAIT_OBJECT_0);
    CHECK_EQ(LOOK(r.leaving), 1);
    WaitForThreadpoolWorkCallbacks(work, FALSE); /* by then all of it has been done */
    LONG before = -1;
    CHECK(ReleaseSemaphore(r.semaphore, 1, &before));
    CHECK_EQ(before, 3);
    CHECK_EQ(WaitForSingleObject(r.mutex, 0), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(r.mutex));
    CHECK(TryEnterCriticalSection(&r.section));
    LeaveCriticalSection(&r.section);
    CloseThreadpoolWork(work);
    DeleteCriticalSection(&r.section);
    CloseHandle(r.event);
    CloseHandle(r.semaphore);
    CloseHandle(r.mutex);
}

static void CALLBACK sets_event(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    SetEventWhenCallbackReturns(instance, (HANDLE)context);
}

TEST(event_when_a_single_callback_returns, "POOL-15 POOL-04")
{
    HANDLE event = auto_event();
    REQUIRE(event != NULL);
    for (int i = 0; i < 200; i++) {
        CHECK(TrySubmitThreadpoolCallback(sets_event, event, NULL));
        CHECK_EQ(WaitForSingleObject(event, LONG_TIME), WAIT_OBJECT_0);
    }
    CloseHandle(event);
}

static void CALLBACK again(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    if (InterlockedIncrement(&calls) % 8 == 1)
        ReleaseSemaphore(entered, 1, NULL);
    SubmitThreadpoolWork(work);
}

/* "If TRUE, only the currently executing callbacks are waited for": not those that they submit. */
TEST_W8(waiting_with_cancel_ends_a_chain, "POOL-02", "waits for ever")
{
    begin();
    PTP_WORK work = CreateThreadpoolWork(again, NULL, NULL);
    REQUIRE(work != NULL);
    for (int i = 0; i < 500; i++) {
        SubmitThreadpoolWork(work); /* after the wait it counts again */
        REQUIRE(take(entered, 1));
        WaitForThreadpoolWorkCallbacks(work, TRUE);
        LONG ran = LOOK(calls);
        SwitchToThread();
        CHECK_EQ(LOOK(calls), ran);
        while (WaitForSingleObject(entered, 0) == WAIT_OBJECT_0)
            ;
        InterlockedExchange(&calls, 0);
    }
    CloseThreadpoolWork(work);
}
