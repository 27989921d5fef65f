/* SPDX-License-Identifier: MIT */
/* The thread pool's cleanup groups. */
#include "conform.h"

#define LONG_TIME 10000

static volatile LONG calls, cancels, wrong;
static HANDLE entered, go;
static int cleanup_mark;

static void begin(void)
{
    calls = cancels = wrong = 0;
    entered = CreateSemaphoreA(NULL, 0, 1000000, NULL);
    go = manual_event();
}

static void end(void)
{
    CloseHandle(entered);
    CloseHandle(go);
}

static void CALLBACK gated(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    (void)work;
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    InterlockedIncrement(&calls);
}

static void CALLBACK gated_simple(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    gated(instance, context, NULL);
}

static void CALLBACK ticks(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)context;
    (void)timer;
    InterlockedIncrement(&calls);
    ReleaseSemaphore(entered, 1, NULL);
}

static void CALLBACK waited(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait,
                            TP_WAIT_RESULT result)
{
    (void)instance;
    (void)context;
    (void)wait;
    (void)result;
    InterlockedIncrement(&calls);
}

static void CALLBACK cancelled(PVOID context, PVOID cleanup_context)
{
    if (cleanup_context != &cleanup_mark || !context)
        InterlockedIncrement(&wrong);
    else
        InterlockedIncrement((volatile LONG *)context);
    InterlockedIncrement(&cancels);
}

TEST(closing_members_waits_for_callbacks, "POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    volatile LONG mine = 0;
    begin();
    REQUIRE(group != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, cancelled);
    PTP_WORK first = CreateThreadpoolWork(gated, (PVOID)&mine, &environment);
    PTP_WORK second = CreateThreadpoolWork(gated, (PVOID)&mine, &environment);
    REQUIRE(first && second);
    for (int i = 0; i < 3; i++) {
        SubmitThreadpoolWork(first);
        SubmitThreadpoolWork(second);
    }
    CHECK(TrySubmitThreadpoolCallback(gated_simple, (PVOID)&mine, &environment));
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, &cleanup_mark);
    CHECK_EQ(LOOK(calls), 7);
    CHECK_EQ(LOOK(cancels), 0); /* nothing was cancelled */
    JOIN(thread);
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    end();
}

TEST(cancelling_members, "POOL-13 POOL-14")
{
    enum { OBJECTS = 6 };
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    PTP_POOL pool = CreateThreadpool(NULL);
    volatile LONG marks[OBJECTS] = {0};
    begin();
    REQUIRE(group && pool);
    SetThreadpoolThreadMaximum(pool, 1);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    SetThreadpoolCallbackCleanupGroup(&environment, group, cancelled);
    for (int i = 0; i < OBJECTS; i++) {
        PTP_WORK work = CreateThreadpoolWork(gated, (PVOID)&marks[i], &environment);
        REQUIRE(work != NULL);
        SubmitThreadpoolWork(work);
    }
    CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0); /* one runs, there is one thread */
    HANDLE thread = start_thread(set_when_main_sleeps, go);
    CloseThreadpoolCleanupGroupMembers(group, TRUE, &cleanup_mark);
    JOIN(thread);
    CHECK_EQ(LOOK(calls), 1);
    CHECK_EQ(LOOK(wrong), 0);
    for (int i = 1; i < OBJECTS; i++)
        CHECK_EQ(LOOK(marks[i]), 1);
    CloseThreadpoolCleanupGroup(group);
    CloseThreadpool(pool);
    DestroyThreadpoolEnvironment(&environment);
    end();
}

/* One that was closed by itself while its callback runs: the group's closing waits for that callback. */
TEST(closed_members_are_waited_for, "POOL-03 POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    volatile LONG mine = 0;
    REQUIRE(group != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, cancelled);
    for (int cancel = 0; cancel <= 1; cancel++) {
        begin();
        PTP_WORK work = CreateThreadpoolWork(gated, (PVOID)&mine, &environment);
        REQUIRE(work != NULL);
        SubmitThreadpoolWork(work);
        CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
        CloseThreadpoolWork(work);
        HANDLE thread = start_thread(set_when_main_sleeps, go);
        CloseThreadpoolCleanupGroupMembers(group, cancel, &cleanup_mark);
        CHECK_EQ(LOOK(calls), 1);
        CHECK_EQ(LOOK(cancels), 0);
        SetEvent(go);
        JOIN(thread);
        end();
    }
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
}

/* The page of SetThreadpoolCallbackCleanupGroup: called if the group is cancelled before the object is
 * released. */
TEST(idle_members_are_cancelled_too, "POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    volatile LONG marks[4] = {0};
    HANDLE event = auto_event();
    begin();
    REQUIRE(group && event);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, cancelled);
    PTP_WORK closed = CreateThreadpoolWork(gated, (PVOID)&marks[0], &environment);
    PTP_WORK idle = CreateThreadpoolWork(gated, (PVOID)&marks[1], &environment);
    PTP_TIMER timer = CreateThreadpoolTimer(ticks, (PVOID)&marks[2], &environment);
    PTP_WAIT wait = CreateThreadpoolWait(waited, (PVOID)&marks[3], &environment);
    REQUIRE(closed && idle && timer && wait);
    FILETIME minute = {(DWORD)-600000000, 0xFFFFFFFF};
    SetThreadpoolTimer(timer, &minute, 0, 0);
    SetThreadpoolWait(wait, event, NULL);
    CloseThreadpoolWork(closed); /* a member no more */
    CloseThreadpoolCleanupGroupMembers(group, TRUE, &cleanup_mark);
    CHECK_EQ(LOOK(marks[0]), 0);
    CHECK_EQ(LOOK(marks[1]), 1);
    CHECK_EQ(LOOK(marks[2]), 1);
    CHECK_EQ(LOOK(marks[3]), 1);
    CHECK_EQ(LOOK(wrong), 0);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(event, 20), WAIT_OBJECT_0); /* nobody took it */
    CHECK_EQ(LOOK(calls), 0);
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    CloseHandle(event);
    end();
}

TEST(periodic_timers_end_with_their_group, "POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    begin();
    REQUIRE(group != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    for (int i = 0; i < 10; i++) {
        FILETIME now = {0, 0};
        PTP_TIMER timer = CreateThreadpoolTimer(ticks, NULL, &environment);
        REQUIRE(timer != NULL);
        SetThreadpoolTimer(timer, &now, 1, 0);
    }
    for (int i = 0; i < 30; i++)
        CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    LONG then = LOOK(calls);
    CHECK(STAYS(30, LOOK(calls) == then));
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    end();
}

TEST(a_group_is_used_again, "POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    begin();
    SetEvent(go);
    REQUIRE(group != NULL);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    for (int round = 1; round <= 20; round++) {
        for (int i = 0; i < 10; i++) {
            PTP_WORK work = CreateThreadpoolWork(gated, NULL, &environment);
            REQUIRE(work != NULL);
            SubmitThreadpoolWork(work);
        }
        CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
        CHECK_EQ(LOOK(calls), round * 10);
    }
    CloseThreadpoolCleanupGroupMembers(group, TRUE, NULL); /* nobody there */
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    end();
}

static volatile LONG io_calls;

static void CALLBACK io_done(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                             ULONG_PTR bytes, PTP_IO io)
{
    (void)instance;
    (void)context;
    (void)overlapped;
    (void)bytes;
    (void)io;
    if (error == 0)
        InterlockedIncrement(&io_calls);
}

/* A program that closes the file, then the group without its members, and the I/O object last. */
TEST(the_group_is_closed_before_its_member, "POOL-12 POOL-13")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    static OVERLAPPED ov;
    static char buffer[16];
    HANDLE file = temp_file(16, FILE_FLAG_OVERLAPPED);
    io_calls = 0;
    REQUIRE(group && file != INVALID_HANDLE_VALUE);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    PTP_IO io = CreateThreadpoolIo(file, io_done, NULL, &environment);
    REQUIRE(io != NULL);
    StartThreadpoolIo(io);
    CHECK(ReadFile(file, buffer, 16, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(LOOK(io_calls), 1);
    CloseHandle(file);
#ifdef __linux__ /* undefined by the page; Wine asserts that a group is empty */
    CloseThreadpoolCleanupGroup(group);
    CloseThreadpoolIo(io);
#else
    CloseThreadpoolIo(io);
    CloseThreadpoolCleanupGroup(group);
#endif
    DestroyThreadpoolEnvironment(&environment);
}

static void CALLBACK again(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    if (InterlockedIncrement(&calls) == 1)
        ReleaseSemaphore(entered, 1, NULL);
    SubmitThreadpoolWork(work);
    if (context)
        SubmitThreadpoolWork(*(PTP_WORK *)context); /* and the other one */
}

/* Work that goes on by itself stops when its group is closed, whether callbacks are cancelled or not. */
TEST_W8(work_that_submits_itself_ends_with_its_group, "POOL-13", "waits for ever")
{
    if (conform_wine)
        SKIP("Wine waits for ever, and its process cannot even be ended then");
    for (int i = 0; i < 200; i++) {
        TP_CALLBACK_ENVIRON environment;
        PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
        PTP_WORK work[3];
        begin();
        InitializeThreadpoolEnvironment(&environment);
        SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
        for (int k = 0; k < 3; k++) {
            work[k] = CreateThreadpoolWork(again, k == 0 ? &work[1] : NULL, &environment);
            REQUIRE(work[k] != NULL);
        }
        SubmitThreadpoolWork(work[0]);
        SubmitThreadpoolWork(work[2]);
        CHECK_EQ(WaitForSingleObject(entered, LONG_TIME), WAIT_OBJECT_0);
        CloseThreadpoolCleanupGroupMembers(group, i % 2, NULL);
        LONG ran = LOOK(calls);
        SwitchToThread();
        CHECK_EQ(LOOK(calls), ran);
        CloseThreadpoolCleanupGroup(group);
        end();
    }
}

static void CALLBACK counts(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)context;
    (void)work;
    InterlockedIncrement(&calls);
}

static void CALLBACK hands_on(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    ReleaseSemaphore(entered, 1, NULL);
    WaitForSingleObject(go, LONG_TIME);
    until_main_sleeps(); /* in closing the group */
    SubmitThreadpoolWork(*(PTP_WORK *)context);
}

/* The callback of one member submits another one, which was made before it, while the group waits for the
 * first. */
TEST_W8(a_member_submits_another_while_they_are_closed, "POOL-01 POOL-13", "closes one after the other")
{
    for (int i = 0; i < 100; i++) {
        TP_CALLBACK_ENVIRON environment;
        PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
        begin();
        InitializeThreadpoolEnvironment(&environment);
        SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
        PTP_WORK second = CreateThreadpoolWork(counts, NULL, &environment);
        PTP_WORK first = CreateThreadpoolWork(hands_on, &second, &environment);
        REQUIRE(first && second);
        SubmitThreadpoolWork(first);
        REQUIRE(WaitForSingleObject(entered, LONG_TIME) == WAIT_OBJECT_0);
        SetEvent(go);
        CloseThreadpoolCleanupGroupMembers(group, i % 2, NULL);
        LONG ran = LOOK(calls);
        CHECK(ran == 1 || (i % 2 && ran == 0));
        CloseThreadpoolCleanupGroup(group);
        end();
        CHECK_EQ(LOOK(calls), ran);
    }
}
