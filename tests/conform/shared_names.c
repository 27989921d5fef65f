/* SPDX-License-Identifier: MIT */
/*
 * Named events, semaphores and mutexes between processes. The others are this program again
 * (child.h); in the environment is also which names the objects have.
 */
#include "conform.h"
#include "child.h"
#include "packet.h"

#define ONE_SECOND 1000

/* ---- names ---- */

/* A name that no other run and no other test uses; the fourth before this one is forgotten. */
static const char *new_name(const char *what)
{
    static char names[8][80];
    static unsigned last;
    char *name = names[++last % 8];
    snprintf(name, sizeof names[0], "iocp-shared-%u-%u-%s", (unsigned)GetCurrentProcessId(), last, what);
    return name;
}

static HANDLE must(HANDLE h, const char *what, const char *name)
{
    if (!h) {
        FAIL("%s %s failed", what, name);
        ExitProcess(97);
    }
    return h;
}

static HANDLE open_event(const char *name)
{
    return must(OpenEventA(EVENT_ALL_ACCESS, FALSE, name), "OpenEvent", name);
}

static HANDLE open_semaphore(const char *name)
{
    return must(OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, name), "OpenSemaphore", name);
}

static HANDLE open_mutex(const char *name)
{
    return must(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, name), "OpenMutex", name);
}

/* ---- the child ---- */

static DWORD told(HANDLE h) { return WaitForSingleObject(h, SOON_ENOUGH) == WAIT_OBJECT_0 ? 0 : 1; }

/* What a child may be asked to do; the result is its exit code, of which eight bits come through. */
#define REFUSED 100
#define NOT_OWNER 28
static DWORD set_it(const char *name, const char *other)
{
    (void)other;
    return SetEvent(open_event(name)) ? 0 : 1;
}

static DWORD reset_it(const char *name, const char *other)
{
    (void)other;
    return ResetEvent(open_event(name)) ? 0 : 1;
}

/* Says that it has it open, then waits for it. */
static DWORD wait_for_it(const char *name, const char *ready)
{
    HANDLE event = open_event(name);
    return ReleaseSemaphore(open_semaphore(ready), 1, NULL) ? told(event) : 2;
}

static DWORD hold(const char *name, const char *ready)
{
    open_event(name);
    ReleaseSemaphore(open_semaphore(ready), 1, NULL);
    Sleep(INFINITE);
    return 0;
}

static DWORD release_three(const char *name, const char *other)
{
    LONG before = -1;
    (void)other;
    return ReleaseSemaphore(open_semaphore(name), 3, &before) ? (DWORD)before : 99;
}

/* 0: taken, 1: time-out, 2: abandoned, 3: else. */
static DWORD try_mutex(const char *name, const char *other)
{
    DWORD status = WaitForSingleObject(open_mutex(name), 0);
    (void)other;
    return status == WAIT_OBJECT_0 ? 0 : status == WAIT_TIMEOUT ? 1 : status == WAIT_ABANDONED ? 2 : 3;
}

static DWORD free_not_ours(const char *name, const char *other)
{
    (void)other;
    return ReleaseMutex(open_mutex(name)) ? 0 : GetLastError() == ERROR_NOT_OWNER ? NOT_OWNER : 1;
}

static HANDLE own_mutex(const char *name, const char *ready)
{
    HANDLE mutex = open_mutex(name);
    if (WaitForSingleObject(mutex, SOON_ENOUGH) != WAIT_OBJECT_0)
        ExitProcess(98);
    ReleaseSemaphore(open_semaphore(ready), 1, NULL);
    return mutex;
}

static DWORD own_for_ever(const char *name, const char *ready)
{
    own_mutex(name, ready);
    Sleep(INFINITE);
    return 0;
}

static DWORD own_and_exit(const char *name, const char *ready)
{
    own_mutex(name, ready);
    return 0;
}

THREAD_FN(own_in_thread)
{
    return WaitForSingleObject(arg, SOON_ENOUGH) == WAIT_OBJECT_0 ? 0 : 1;
}

/* A thread takes it and ends; the process lives on. */
static DWORD thread_abandons(const char *name, const char *ready)
{
    HANDLE mutex = open_mutex(name);
    JOIN(start_thread(own_in_thread, mutex));
    ReleaseSemaphore(open_semaphore(ready), 1, NULL);
    Sleep(INFINITE);
    return 0;
}

static DWORD take_often(const char *name, const char *other)
{
    HANDLE mutex = open_mutex(name);
    (void)other;
    for (int i = 0; i < 50; i++)
        if (told(mutex) || !ReleaseMutex(mutex))
            return 1;
    return 0;
}

/* Takes it twice, says so, gives it back when told, once and then again. */
static DWORD own_and_free(const char *name, const char *ready)
{
    char go[80];
    snprintf(go, sizeof go, "%s-go", name);
    HANDLE mutex = open_mutex(name), gate = open_semaphore(ready), event = open_event(go);
    if (told(mutex) || told(mutex) || !ReleaseSemaphore(gate, 1, NULL) || told(event))
        return 1;
    if (!ReleaseMutex(mutex) || !ReleaseMutex(mutex))
        return 2;
    return ReleaseMutex(mutex) ? 3 : GetLastError() == ERROR_NOT_OWNER ? NOT_OWNER : 4;
}

/* What CreateX says of a name that exists, with other properties. */
static DWORD create_event(const char *name, const char *other)
{
    (void)other;
    return CreateEventA(NULL, FALSE, FALSE, name) ? GetLastError() : GetLastError() + REFUSED;
}

static DWORD create_mutex(const char *name, const char *other)
{
    (void)other;
    return CreateMutexA(NULL, TRUE, name) ? GetLastError() : GetLastError() + REFUSED;
}

static DWORD create_semaphore(const char *name, const char *other)
{
    (void)other;
    return CreateSemaphoreA(NULL, 1, 1, name) ? GetLastError() : GetLastError() + REFUSED;
}

static DWORD find_event(const char *name, const char *other)
{
    (void)other;
    return OpenEventA(EVENT_ALL_ACCESS, FALSE, name) ? 0 : GetLastError();
}

static DWORD hammer(const char *name, const char *other);
static DWORD consume(const char *name, const char *ready);

static const struct { const char *what; DWORD (*run)(const char *, const char *); } actions[] = {
    {"set", set_it}, {"reset", reset_it}, {"wait", wait_for_it}, {"hold", hold},
    {"release three", release_three}, {"try mutex", try_mutex}, {"free not ours", free_not_ours},
    {"own for ever", own_for_ever}, {"own and exit", own_and_exit}, {"thread abandons", thread_abandons},
    {"own and free", own_and_free}, {"take often", take_often},
    {"create event", create_event}, {"create mutex", create_mutex}, {"create semaphore", create_semaphore},
    {"find event", find_event}, {"hammer", hammer},
    {"consume", consume},
};

static void be_child(const char *action)
{
    for (unsigned i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (!strcmp(action, actions[i].what))
            ExitProcess(actions[i].run(getenv("IOCP_NAME"), getenv("IOCP_OTHER")));
    ExitProcess(96);
}

/* ---- starting it ---- */

static HANDLE start(const char *action, const char *name, const char *other)
{
    struct child c = {0};
    SetEnvironmentVariableA("IOCP_NAME", name);
    SetEnvironmentVariableA("IOCP_OTHER", other ? other : "-");
    if (!start_child(&c, action, FALSE, 0))
        return NULL;
    CloseHandle(c.info.hThread);
    return c.info.hProcess;
}

static DWORD run(const char *action, const char *name, const char *other)
{
    HANDLE process = start(action, name, other);
    return process ? end_of(process) : 0xDEAD;
}

static void kill_it(HANDLE process)
{
    CHECK(TerminateProcess(process, 9));
    CHECK_EQ(end_of(process), 9);
}

/* ---- events ---- */

TEST(event_set_by_another_process, "WAIT-07 WAIT-11")
{
    for (int manual = 0; manual < 2; manual++) {
        const char *name = new_name(manual ? "manual" : "auto");
        HANDLE event = CreateEventA(NULL, manual, FALSE, name);
        REQUIRE(event != NULL);
        CHECK_LASTERR(0);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        HANDLE child = start("set", name, NULL);
        CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
        CHECK_EQ(end_of(child), 0);
        CHECK_EQ(WaitForSingleObject(event, 0), manual ? WAIT_OBJECT_0 : WAIT_TIMEOUT);
        CHECK(SetEvent(event));
        CHECK_EQ(run("reset", name, NULL), 0);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        CHECK(CloseHandle(event));
    }
}

TEST(event_waited_for_in_another_process, "WAIT-07")
{
    for (int manual = 0; manual < 2; manual++) {
        const char *name = new_name("event"), *ready = new_name("ready");
        HANDLE event = CreateEventA(NULL, manual, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 10, ready);
        HANDLE children[3];
        for (int i = 0; i < 3; i++)
            REQUIRE((children[i] = start("wait", name, ready)) != NULL);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
        for (int i = 0; i < 3; i++) {
            CHECK(SetEvent(event)); /* an auto-reset event releases exactly one */
            if (manual)
                break;
            DWORD one = WaitForMultipleObjects(3 - (DWORD)i, children, FALSE, SOON_ENOUGH);
            if (CHECK(one < 3u - (DWORD)i)) {
                CHECK_EQ(end_of(children[one]), 0);
                children[one] = children[2 - i];
                if (i < 2)
                    CHECK_EQ(WaitForMultipleObjects(2 - (DWORD)i, children, FALSE, 20), WAIT_TIMEOUT);
                CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
            }
        }
        for (int i = 0; manual && i < 3; i++)
            CHECK_EQ(end_of(children[i]), 0);
        CHECK_EQ(WaitForSingleObject(event, 0), manual ? WAIT_OBJECT_0 : WAIT_TIMEOUT);
        CHECK(CloseHandle(event));
        CHECK(CloseHandle(gate));
    }
}

TEST(event_ends_a_wait_for_several, "WAIT-05")
{
    const char *name = new_name("any");
    HANDLE objects[3] = {manual_event(), CreateEventA(NULL, FALSE, FALSE, name), auto_event()};
    HANDLE child = start("set", name, NULL);
    CHECK_EQ(WaitForMultipleObjects(3, objects, FALSE, SOON_ENOUGH), WAIT_OBJECT_0 + 1);
    CHECK_EQ(end_of(child), 0);
    CHECK_EQ(WaitForMultipleObjects(3, objects, FALSE, 10), WAIT_TIMEOUT);
    SetEvent(objects[2]);
    CHECK_EQ(WaitForMultipleObjectsEx(3, objects, FALSE, SOON_ENOUGH, TRUE), WAIT_OBJECT_0 + 2);
    for (int i = 0; i < 3; i++)
        CHECK(CloseHandle(objects[i]));
}

TEST(wait_for_all_takes_all_or_nothing, "WAIT-06")
{
    const char *name = new_name("all"), *other = new_name("all-2");
    HANDLE objects[3] = {CreateEventA(NULL, FALSE, FALSE, name), auto_event(),
                         CreateEventA(NULL, FALSE, FALSE, other)};
    CHECK_EQ(run("set", name, NULL), 0);
    CHECK_EQ(WaitForMultipleObjects(3, objects, TRUE, 10), WAIT_TIMEOUT);
    SetEvent(objects[1]);
    HANDLE child = start("set", other, NULL);
    CHECK_EQ(WaitForMultipleObjects(3, objects, TRUE, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_EQ(end_of(child), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(WaitForSingleObject(objects[i], 0), WAIT_TIMEOUT);
        CHECK(CloseHandle(objects[i]));
    }
}

static volatile LONG apcs;

static void CALLBACK count_apc(ULONG_PTR arg)
{
    (void)arg;
    InterlockedIncrement(&apcs);
}

TEST(alertable_wait_for_a_shared_object, "WAIT-01 APC-01")
{
    const char *name = new_name("alertable"), *ready = new_name("ready");
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready);
    HANDLE child = start("hold", name, ready);
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    apcs = 0;
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 0));
    CHECK_EQ(WaitForSingleObjectEx(event, SOON_ENOUGH, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(apcs, 1);
    CHECK_EQ(WaitForSingleObjectEx(event, 10, TRUE), WAIT_TIMEOUT);
    kill_it(child);
    CloseHandle(event);
    CloseHandle(gate);
}

/* ---- semaphores ---- */

TEST(semaphore_counts_across_processes, "WAIT-07 WAIT-11")
{
    const char *name = new_name("semaphore");
    HANDLE semaphore = CreateSemaphoreA(NULL, 1, 6, name);
    LONG before = 0;
    REQUIRE(semaphore != NULL);
    CHECK_EQ(run("release three", name, NULL), 1);
    CHECK_EQ(run("release three", name, NULL), 99); /* 4 + 3 is too many, and changes nothing */
    for (int i = 0; i < 4; i++)
        CHECK_EQ(WaitForSingleObject(semaphore, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(semaphore, 0), WAIT_TIMEOUT);
    HANDLE child = start("release three", name, NULL);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(WaitForSingleObject(semaphore, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_EQ(end_of(child), 0);
    CHECK_EQ(run("create semaphore", name, NULL), ERROR_ALREADY_EXISTS);
    CHECK(ReleaseSemaphore(semaphore, 6, &before));
    CHECK_EQ(before, 0);
    CHECK(CloseHandle(semaphore));
}

/* ---- mutexes ---- */

TEST(mutex_is_owned_across_processes, "WAIT-13 WAIT-14")
{
    const char *name = new_name("mutex"), *ready = new_name("ready");
    HANDLE mutex = CreateMutexA(NULL, TRUE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready);
    REQUIRE(mutex != NULL && gate != NULL);
    CHECK_EQ(run("try mutex", name, NULL), 1);
    CHECK_EQ(run("free not ours", name, NULL), NOT_OWNER);
    CHECK_EQ(run("create mutex", name, NULL), ERROR_ALREADY_EXISTS); /* which does not own it */
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(mutex));
    CHECK_EQ(run("try mutex", name, NULL), 1);
    CHECK(ReleaseMutex(mutex));
    CHECK_EQ(run("try mutex", name, NULL), 0);
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_ABANDONED);
    CHECK(ReleaseMutex(mutex));
    char go[80];
    snprintf(go, sizeof go, "%s-go", name);
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, go), child = start("own and free", name, ready);
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    HANDLE teller = start_thread(set_when_main_sleeps, event);
    CHECK_EQ(WaitForSingleObject(mutex, SOON_ENOUGH), WAIT_OBJECT_0);
    JOIN(teller);
    CHECK_EQ(end_of(child), NOT_OWNER);
    CHECK(ReleaseMutex(mutex));
    CHECK(CloseHandle(event));
    CHECK(CloseHandle(mutex));
    CHECK(CloseHandle(gate));
}

TEST(mutex_is_abandoned_with_its_owner, "WAIT-15 WAIT-16")
{
    static const char *const ends[] = {"own for ever", "own and exit", "thread abandons"};
    for (int how = 0; how < 3; how++) {
        const char *name = new_name("mutex"), *ready = new_name("ready");
        HANDLE mutex = CreateMutexA(NULL, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready);
        HANDLE several[2] = {manual_event(), mutex};
        HANDLE child = start(ends[how], name, ready);
        CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
        if (how == 0) {
            CHECK_EQ(WaitForSingleObject(mutex, 10), WAIT_TIMEOUT);
            kill_it(child);
        } else if (how == 1) {
            CHECK_EQ(end_of(child), 0);
        }
        CHECK_EQ(WaitForMultipleObjects(2, several, FALSE, SOON_ENOUGH), WAIT_ABANDONED_0 + 1);
        CHECK(ReleaseMutex(mutex));
        CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0); /* told once */
        CHECK(ReleaseMutex(mutex));
        if (how == 2)
            kill_it(child);
        CloseHandle(mutex);
        CloseHandle(gate);
        CloseHandle(several[0]);
    }
}

THREAD_FN(wait_for_mutex)
{
    DWORD status = WaitForSingleObject(arg, SOON_ENOUGH);
    ReleaseMutex(arg);
    return status;
}

/* Threads that sleep already when the owner is killed: one is told, the other gets it as usual. */
TEST(owner_is_killed_while_others_wait, "WAIT-15")
{
    const char *name = new_name("mutex"), *ready = new_name("ready");
    HANDLE mutex = CreateMutexA(NULL, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready), threads[2];
    DWORD codes[2] = {1, 1};
    HANDLE child = start("own for ever", name, ready);
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    for (int i = 0; i < 2; i++)
        threads[i] = start_thread(wait_for_mutex, mutex);
    for (int i = 0; i < 2; i++) /* who is not finds it like this; what follows is true anyhow */
        until_asleep(GetThreadId(threads[i]));
    kill_it(child);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(WaitForSingleObject(threads[i], SOON_ENOUGH), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(threads[i], &codes[i]));
        CloseHandle(threads[i]);
    }
    CHECK_EQ(codes[0] + codes[1], WAIT_ABANDONED + WAIT_OBJECT_0);
    CloseHandle(mutex);
    CloseHandle(gate);
}

enum { TAKERS = 8 };

static volatile LONG enough;

THREAD_FN(take_all_the_time)
{
    while (!LOOK(enough)) {
        if (WaitForSingleObject(arg, SOON_ENOUGH) != WAIT_OBJECT_0)
            FAIL("a wait for the mutex failed");
        ReleaseMutex(arg);
    }
    return 0;
}

/* Threads of one process that are always there do not keep another process from its turn. */
TEST(others_get_their_turn, "WAIT-13")
{
    const char *name = new_name("mutex");
    HANDLE mutex = CreateMutexA(NULL, FALSE, name), threads[TAKERS];
    enough = 0;
    for (int i = 0; i < TAKERS; i++)
        threads[i] = start_thread(take_all_the_time, mutex);
    CHECK_EQ(run("take often", name, NULL), 0);
    InterlockedExchange(&enough, 1);
    for (int i = 0; i < TAKERS; i++)
        JOIN(threads[i]);
    CloseHandle(mutex);
}

/* ---- names ---- */

TEST(name_lives_as_long_as_a_handle, "WAIT-11")
{
    const char *name = new_name("life"), *ready = new_name("ready");
    HANDLE gate = CreateSemaphoreA(NULL, 0, 10, ready);
    CHECK_EQ(run("find event", name, NULL), ERROR_FILE_NOT_FOUND);
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, name);
    CHECK_EQ(run("find event", name, NULL), 0);
    CHECK_EQ(run("create event", name, NULL), ERROR_ALREADY_EXISTS);
    HANDLE child = start("hold", name, ready);
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK(CloseHandle(event)); /* the child has it still */
    event = CreateEventA(NULL, FALSE, FALSE, name);
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0); /* manual and set, as it was made */
    CHECK(CloseHandle(event));
    kill_it(child);
    CHECK_ERR(OpenEventA(EVENT_ALL_ACCESS, FALSE, name), ERROR_FILE_NOT_FOUND);
    event = CreateEventA(NULL, FALSE, FALSE, name);
    CHECK_LASTERR(0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event));
    CHECK_EQ(run("find event", name, NULL), ERROR_FILE_NOT_FOUND);
    CloseHandle(gate);
}

TEST(name_of_another_kind_in_another_process, "WAIT-12")
{
    const char *name = new_name("kind"), *ready = new_name("ready");
    HANDLE gate = CreateSemaphoreA(NULL, 0, 1, ready), event = CreateEventA(NULL, TRUE, FALSE, name);
    CHECK_EQ(run("create mutex", name, NULL), ERROR_INVALID_HANDLE + REFUSED);
    CHECK_EQ(run("create semaphore", name, NULL), ERROR_INVALID_HANDLE + REFUSED);
    HANDLE child = start("hold", name, ready);
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK(CloseHandle(event)); /* known to the child alone */
    CHECK_ERR(CreateMutexA(NULL, FALSE, name), ERROR_INVALID_HANDLE);
    CHECK_ERR(OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, name), ERROR_INVALID_HANDLE);
    kill_it(child);
    HANDLE mutex = CreateMutexA(NULL, FALSE, name);
    CHECK(mutex != NULL);
    CHECK_LASTERR(0);
    CloseHandle(mutex);
    CloseHandle(gate);
}

TEST(prefixes, "WAIT-11 WAIT-12")
{
    const char *name = new_name("prefix");
    char local[100];
    snprintf(local, sizeof local, "Local\\%s", name);
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, local);
    CHECK_EQ(run("set", name, NULL), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
    event = CreateEventA(NULL, TRUE, FALSE, name);
    CHECK_EQ(run("set", local, NULL), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
    snprintf(local, sizeof local, "Global\\%s", name);
    event = CreateEventA(NULL, TRUE, FALSE, local);
    CHECK_EQ(run("set", local, NULL), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
}

/* ---- together with the rest ---- */

static volatile LONG called;

static void CALLBACK count_call(PVOID context, BOOLEAN timed_out)
{
    (void)timed_out;
    InterlockedIncrement(&called);
    SetEvent(context);
}

TEST(registered_wait_for_a_shared_event, "POOL-08")
{
    const char *name = new_name("registered");
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, name), done = auto_event(), wait = NULL;
    called = 0;
    REQUIRE(RegisterWaitForSingleObject(&wait, event, count_call, done, INFINITE, WT_EXECUTEDEFAULT));
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(run("set", name, NULL), 0);
        CHECK_EQ(WaitForSingleObject(done, SOON_ENOUGH), WAIT_OBJECT_0);
        CHECK_EQ(LOOK(called), i);
    }
    CHECK(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    CloseHandle(event);
    CloseHandle(done);
}

TEST(shared_event_of_an_operation, "OVL-02")
{
    const char *name = new_name("operation"), *ready = new_name("ready");
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready);
    HANDLE child = start("wait", name, ready);
    SOCKET pair[2];
    char byte = 0;
    OVERLAPPED ov = {.hEvent = event};
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), ERROR_IO_PENDING);
    CHECK(send_all(pair[1], "x", 1));
    CHECK_EQ(end_of(child), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(byte, 'x');
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(event);
    CloseHandle(gate);
}

TEST(signal_one_shared_object_and_wait_for_another, "WAIT-19")
{
    const char *name = new_name("there"), *ready = new_name("back");
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, name), gate = CreateSemaphoreA(NULL, 0, 1, ready);
    HANDLE child = start("wait", name, ready);
    CHECK_EQ(SignalObjectAndWait(event, child, SOON_ENOUGH, FALSE), WAIT_OBJECT_0);
    CHECK_EQ(end_of(child), 0);
    CHECK_EQ(WaitForSingleObject(gate, 0), WAIT_OBJECT_0);
    CloseHandle(event);
    CloseHandle(gate);
}

/* ---- stress ---- */

enum { HAMMERS = 3, HAMMER_THREADS = 3, HAMMER_ROUNDS = 1000 };

/* In a file that all of them map: who is where, and a count that only the mutex guards. */
struct hammer_page {
    volatile LONG here, in_mutex, in_turn, in_slots, count;
};

struct hammer {
    HANDLE mutex, turn, slots, taken;
    struct hammer_page *page;
    volatile LONG wrong, took;
};

static char hammer_path[400];

/* Stays mapped as long as the process lives. */
static struct hammer_page *hammer_page(const char *name)
{
    char directory[300];
    GetTempPathA(sizeof directory, directory);
    snprintf(hammer_path, sizeof hammer_path, "%s%s.tmp", directory, name);
    HANDLE file = CreateFileA(hammer_path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                              NULL, OPEN_ALWAYS, 0, NULL);
    HANDLE mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, sizeof(struct hammer_page), NULL);
    void *page = mapping ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0) : NULL;
    CloseHandle(mapping);
    CloseHandle(file);
    return page;
}

/* All processes begin together. */
static void begin_together(struct hammer *h)
{
    ULONGLONG begun = GetTickCount64();
    InterlockedIncrement(&h->page->here);
    while (LOOK(h->page->here) < HAMMERS + 1 && GetTickCount64() - begun < SOON_ENOUGH)
        SwitchToThread();
}

/* Of those in there at the same time one is too many. */
static void pass(struct hammer *h, volatile LONG *inside, LONG most, BOOL yields)
{
    if (InterlockedIncrement(inside) > most)
        InterlockedIncrement(&h->wrong);
    if (yields)
        SwitchToThread(); /* somebody else, who must not come in */
    if (inside == &h->page->in_mutex)
        h->page->count = h->page->count + 1;
    InterlockedDecrement(inside);
}

/* In turns: alone by a mutex, alone by an auto-reset event, one of two by a semaphore. */
THREAD_FN(hammer_thread)
{
    struct hammer *h = arg;
    for (int i = 0; i < HAMMER_ROUNDS; i++) {
        DWORD status = WaitForSingleObject(h->mutex, SOON_ENOUGH);
        if (status != WAIT_OBJECT_0 && status != WAIT_ABANDONED)
            InterlockedIncrement(&h->wrong);
        pass(h, &h->page->in_mutex, 1, i % 8 == 0);
        if (!ReleaseMutex(h->mutex))
            InterlockedIncrement(&h->wrong);
        HANDLE both[2] = {h->slots, h->turn};
        status = WaitForMultipleObjects(2, both, FALSE, SOON_ENOUGH);
        if (status <= WAIT_OBJECT_0 + 1)
            pass(h, status ? &h->page->in_turn : &h->page->in_slots, status ? 1 : 2, i % 8 == 4);
        if (status == WAIT_OBJECT_0 && !ReleaseSemaphore(h->slots, 1, NULL))
            InterlockedIncrement(&h->wrong);
        if (status == WAIT_OBJECT_0 + 1 && !SetEvent(h->turn))
            InterlockedIncrement(&h->wrong);
        if (status > WAIT_OBJECT_0 + 1)
            InterlockedIncrement(&h->wrong);
        if (i % 8 == 0 && ReleaseSemaphore(h->taken, 1, NULL))
            InterlockedIncrement(&h->took);
    }
    return 0;
}

static DWORD hammer(const char *name, const char *other)
{
    char text[4][100];
    static const char *const parts[4] = {"mutex", "turn", "slots", "taken"};
    HANDLE threads[HAMMER_THREADS];
    (void)other;
    for (int i = 0; i < 4; i++)
        snprintf(text[i], sizeof text[i], "%s-%s", name, parts[i]);
    struct hammer h = {open_mutex(text[0]), open_event(text[1]), open_semaphore(text[2]),
                       open_semaphore(text[3]), hammer_page(name), 0, 0};
    if (!h.page)
        return 94;
    begin_together(&h);
    for (int i = 0; i < HAMMER_THREADS; i++)
        threads[i] = start_thread(hammer_thread, &h);
    for (int i = 0; i < HAMMER_THREADS; i++)
        JOIN(threads[i]);
    return h.wrong ? 95 : 0;
}

/* Nothing is lost and nothing is there twice, after several processes have used it all at once. */
TEST(many_processes_and_threads, "WAIT-07 WAIT-13")
{
    char name[4][100];
    static const char *const parts[4] = {"mutex", "turn", "slots", "taken"};
    const char *base = new_name("stress");
    HANDLE children[HAMMERS];
    LONG count = 0;
    for (int i = 0; i < 4; i++)
        snprintf(name[i], sizeof name[i], "%s-%s", base, parts[i]);
    struct hammer h = {CreateMutexA(NULL, FALSE, name[0]), CreateEventA(NULL, FALSE, TRUE, name[1]),
                       CreateSemaphoreA(NULL, 2, 2, name[2]), CreateSemaphoreA(NULL, 0, 100000, name[3]),
                       hammer_page(base), 0, 0};
    REQUIRE(h.page != NULL);
    for (int i = 0; i < HAMMERS; i++)
        REQUIRE((children[i] = start("hammer", base, NULL)) != NULL);
    begin_together(&h);
    hammer_thread(&h);
    for (int i = 0; i < HAMMERS; i++)
        CHECK_EQ(end_of(children[i]), 0);
    CHECK_EQ(h.wrong, 0);
    CHECK_EQ(h.page->count, (HAMMERS * HAMMER_THREADS + 1) * HAMMER_ROUNDS);
    CHECK(UnmapViewOfFile(h.page));
    CHECK(DeleteFileA(hammer_path));
    CHECK_EQ(WaitForSingleObject(h.mutex, 0), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(h.mutex));
    CHECK_EQ(WaitForSingleObject(h.turn, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(h.turn, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(h.slots, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(h.slots, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(h.slots, 0), WAIT_TIMEOUT);
    CHECK(ReleaseSemaphore(h.taken, 1, &count));
    CHECK_EQ(count, (HAMMERS * HAMMER_THREADS + 1) * ((HAMMER_ROUNDS + 7) / 8));
    CloseHandle(h.mutex);
    CloseHandle(h.turn);
    CloseHandle(h.slots);
    CloseHandle(h.taken);
}

enum { KILLS = 40, CONSUMERS = 2, WORK = 50 };

/* Takes one of NAME, adds one to OTHER, for ever. */
struct consumer {
    HANDLE work, done;
};

THREAD_FN(consumer_thread)
{
    struct consumer *c = arg;
    while (WaitForSingleObject(c->work, SOON_ENOUGH) == WAIT_OBJECT_0)
        ReleaseSemaphore(c->done, 1, NULL);
    return 0;
}

/* Besides, owns and frees NAME-mutex all the time. */
static DWORD consume(const char *name, const char *ready)
{
    char text[2][100];
    HANDLE gate = open_semaphore(ready);
    snprintf(text[0], sizeof text[0], "%s-done", name);
    snprintf(text[1], sizeof text[1], "%s-mutex", name);
    struct consumer c = {open_semaphore(name), open_semaphore(text[0])};
    HANDLE mutex = open_mutex(text[1]);
    for (int i = 0; i < CONSUMERS; i++)
        start_thread(consumer_thread, &c);
    ReleaseSemaphore(gate, 1, NULL);
    while (WaitForSingleObject(mutex, SOON_ENOUGH) != WAIT_FAILED)
        ReleaseMutex(mutex);
    return 1;
}

/*
 * Processes are killed in the middle of whatever they do. What they had taken is gone with them, at most one
 * for each thread; all the rest is there, and the mutex can be had.
 */
TEST(processes_are_killed_in_between, "WAIT-07 WAIT-15")
{
    const char *work = new_name("work"), *ready = new_name("ready");
    char text[2][100];
    LONG drained = 0, done = 0;
    snprintf(text[0], sizeof text[0], "%s-done", work);
    snprintf(text[1], sizeof text[1], "%s-mutex", work);
    struct consumer c = {CreateSemaphoreA(NULL, 0, 100000, work), CreateSemaphoreA(NULL, 0, 100000, text[0])};
    HANDLE mutex = CreateMutexA(NULL, FALSE, text[1]), gate = CreateSemaphoreA(NULL, 0, 10, ready);
    HANDLE two[2] = {start("consume", work, ready), start("consume", work, ready)};
    REQUIRE(two[0] && two[1]);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    for (int i = 0; i < KILLS; i++) {
        CHECK(ReleaseSemaphore(c.work, WORK, NULL));
        for (unsigned k = rnd(20); k > 0; k--) {
            DWORD status = WaitForSingleObject(mutex, SOON_ENOUGH);
            CHECK_MSG(status == WAIT_OBJECT_0 || status == WAIT_ABANDONED, "the wait gave %u",
                      (unsigned)status);
            CHECK(ReleaseMutex(mutex));
        }
        kill_it(two[i % 2]);
        REQUIRE((two[i % 2] = start("consume", work, ready)) != NULL);
        CHECK_EQ(WaitForSingleObject(gate, SOON_ENOUGH), WAIT_OBJECT_0);
    }
    kill_it(two[0]);
    kill_it(two[1]);
    while (WaitForSingleObject(c.work, 0) == WAIT_OBJECT_0)
        drained++;
    CHECK(ReleaseSemaphore(c.done, 1, &done));
    CHECK_MSG(done + drained <= KILLS * WORK && done + drained >= KILLS * WORK - (KILLS + 2) * CONSUMERS,
              "%d done, %d left of %d", (int)done, (int)drained, KILLS * WORK);
    DWORD status = WaitForSingleObject(mutex, 0);
    CHECK_MSG(status == WAIT_OBJECT_0 || status == WAIT_ABANDONED, "the wait gave %u", (unsigned)status);
    CHECK(ReleaseMutex(mutex));
    CloseHandle(c.work);
    CloseHandle(c.done);
    CloseHandle(mutex);
    CloseHandle(gate);
}
