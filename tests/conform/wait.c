/* SPDX-License-Identifier: MIT */
/*
 * Waits for one, any or all of up to 64 objects, and the objects they are made for: events, mutexes,
 * semaphores. What a wait returns, what it changes, and who is let go. Timers are in timer.c, alertable
 * waits in apc.c.
 */
#include "conform.h"

static DWORD test0(HANDLE h) { return WaitForSingleObject(h, 0); }

/* An auto-reset event's state, left as it was. */
static int is_set(HANDLE event)
{
    if (test0(event) != WAIT_OBJECT_0)
        return 0;
    SetEvent(event);
    return 1;
}

/* ---- one object ---- */

TEST(single_results, "WAIT-01")
{
    HANDLE event = auto_event();
    REQUIRE(event != NULL);
    CHECK_EQ(WAIT_OBJECT_0, 0);
    CHECK_EQ(WAIT_TIMEOUT, 258);
    CHECK_EQ(WAIT_FAILED, 0xFFFFFFFF);
    for (int i = 0; i < 100; i++)
        if (!CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT))
            break;
    double start = now_ms();
    CHECK_EQ(WaitForSingleObject(event, 60), WAIT_TIMEOUT);
    double took = now_ms() - start;
    CHECK_MSG(took >= 45, "waited %.1f ms of 60", took);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObject(event, 0x7FFFFFFF), WAIT_OBJECT_0);
    SetEvent(event);
    CHECK_EQ(WaitForSingleObjectEx(event, INFINITE, FALSE), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
}

TEST(single_leaves_last_error, "WAIT-01")
{
    HANDLE event = auto_event();
    SetLastError(0xDEADBEEF);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT); /* a timeout is no failure */
    CHECK_LASTERR(0xDEADBEEF);
    CHECK_EQ(WaitForMultipleObjects(1, &event, FALSE, 0), WAIT_TIMEOUT);
    CHECK_LASTERR(0xDEADBEEF);
    CloseHandle(event);
}

TEST(invalid_handles, "WAIT-02 WAIT-01")
{
    HANDLE closed = auto_event(), good = auto_event(), pair[2] = {good, closed};
    CHECK(CloseHandle(closed));
    CHECK_WAITERR(WaitForSingleObject(NULL, 0), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForSingleObject(closed, 0), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForSingleObject(closed, INFINITE), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForSingleObjectEx((HANDLE)(ULONG_PTR)0x3FFFFFF0, 0, TRUE), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForMultipleObjects(2, pair, FALSE, 0), ERROR_INVALID_HANDLE);
    SetEvent(good); /* a signalled one before the bad one does not save the call, nor is it taken */
    CHECK_WAITERR(WaitForMultipleObjects(2, pair, FALSE, 0), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForMultipleObjects(2, pair, TRUE, 0), ERROR_INVALID_HANDLE);
    CHECK_EQ(test0(good), WAIT_OBJECT_0);
    CHECK_ERR(SetEvent(closed), ERROR_INVALID_HANDLE);
    CHECK_ERR(ResetEvent(closed), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetEvent(NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(CloseHandle(closed), ERROR_INVALID_HANDLE);
    CloseHandle(good);
}

/* ---- several objects ---- */

TEST(sixty_four_and_no_more, "WAIT-03 WAIT-04")
{
    HANDLE events[65];
    for (int i = 0; i < 65; i++)
        events[i] = auto_event();
    CHECK_EQ(MAXIMUM_WAIT_OBJECTS, 64);
    CHECK_EQ(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(64, events, TRUE, 0), WAIT_TIMEOUT);
    SetEvent(events[63]);
    CHECK_EQ(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_OBJECT_0 + 63);
    for (int i = 0; i < 64; i++)
        SetEvent(events[i]);
    CHECK_WAITERR(WaitForMultipleObjects(65, events, FALSE, 0), ERROR_INVALID_PARAMETER);
    CHECK_WAITERR(WaitForMultipleObjectsEx(65, events, TRUE, 0, TRUE), ERROR_INVALID_PARAMETER);
    CHECK_WAITERR(WaitForMultipleObjects(0, events, FALSE, 0), ERROR_INVALID_PARAMETER);
    CHECK_WAITERR(WaitForMultipleObjects(0, events, TRUE, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WaitForMultipleObjects(64, events, TRUE, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT); /* all 64 were taken */
    SetEvent(events[0]);
    CHECK_EQ(WaitForMultipleObjects(1, events, FALSE, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForMultipleObjects(1, events, TRUE, 0), WAIT_TIMEOUT);
    for (int i = 0; i < 65; i++)
        CloseHandle(events[i]);
}

TEST(any_takes_the_lowest_only, "WAIT-04 WAIT-07")
{
    HANDLE h[4] = {auto_event(), CreateSemaphoreA(NULL, 0, 9, NULL), auto_event(), manual_event()};
    LONG previous = -1;
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 0), WAIT_TIMEOUT);
    SetEvent(h[2]);
    SetEvent(h[3]);
    ReleaseSemaphore(h[1], 2, NULL);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0 + 1);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0 + 1);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0 + 2);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0 + 3);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0 + 3); /* manual: keeps its state */
    SetEvent(h[0]);
    ReleaseSemaphore(h[1], 1, NULL);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 1000), WAIT_OBJECT_0);
    CHECK(ReleaseSemaphore(h[1], 1, &previous));
    CHECK_EQ(previous, 1); /* nothing but h[0] was touched */
    for (int i = 0; i < 4; i++)
        CloseHandle(h[i]);
}

TEST(all_or_nothing, "WAIT-05 WAIT-07")
{
    HANDLE h[4] = {auto_event(), CreateSemaphoreA(NULL, 1, 9, NULL), CreateMutexA(NULL, FALSE, NULL),
                   manual_event()};
    LONG previous = -1;
    SetEvent(h[0]);
    CHECK_EQ(WaitForMultipleObjects(4, h, TRUE, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(4, h, TRUE, 30), WAIT_TIMEOUT);
    /* Three of four were ready, and are as they were: the mutex is nobody's, the event set, the count 1. */
    CHECK_ERR(ReleaseMutex(h[2]), ERROR_NOT_OWNER);
    CHECK(is_set(h[0]));
    CHECK_EQ(test0(h[1]), WAIT_OBJECT_0);
    CHECK(ReleaseSemaphore(h[1], 1, &previous));
    CHECK_EQ(previous, 0);
    SetEvent(h[3]);
    CHECK_EQ(WaitForMultipleObjects(4, h, TRUE, 1000), WAIT_OBJECT_0);
    CHECK_EQ(test0(h[0]), WAIT_TIMEOUT);
    CHECK_EQ(test0(h[1]), WAIT_TIMEOUT);
    CHECK_EQ(test0(h[3]), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(h[2]));
    CHECK_ERR(ReleaseMutex(h[2]), ERROR_NOT_OWNER);
    for (int i = 0; i < 4; i++)
        CloseHandle(h[i]);
}

struct all_waiter {
    HANDLE events[3], ready;
    DWORD result;
};

THREAD_FN(waits_for_all)
{
    struct all_waiter *w = arg;
    SetEvent(w->ready);
    w->result = WaitForMultipleObjects(3, w->events, TRUE, 20000);
    return 0;
}

TEST(all_does_not_collect_one_by_one, "WAIT-05")
{
    struct all_waiter w = {.events = {auto_event(), auto_event(), auto_event()}, .ready = auto_event()};
    HANDLE thread = start_thread(waits_for_all, &w);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(w.ready, 20000), WAIT_OBJECT_0);
    SetEvent(w.events[0]);
    CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
    CHECK_EQ(test0(w.events[0]), WAIT_OBJECT_0); /* taken from under the sleeping waiter */
    SetEvent(w.events[1]);
    SetEvent(w.events[2]);
    CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT); /* 0 was signalled once, but is not now */
    CHECK(is_set(w.events[1]) && is_set(w.events[2]));
    SetEvent(w.events[0]);
    JOIN(thread);
    CHECK_EQ(w.result, WAIT_OBJECT_0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(test0(w.events[i]), WAIT_TIMEOUT);
        CloseHandle(w.events[i]);
    }
    CloseHandle(w.ready);
}

/* Two threads want both of two tokens in opposite order; taking one by one would lock them up. */
struct philosopher {
    HANDLE forks[2];
    LONG rounds, wrong;
    volatile LONG *eating;
};

THREAD_FN(dines)
{
    struct philosopher *p = arg;
    for (LONG i = 0; i < p->rounds; i++) {
        if (WaitForMultipleObjects(2, p->forks, TRUE, 20000) != WAIT_OBJECT_0) {
            p->wrong++;
            break;
        }
        p->wrong += InterlockedIncrement(p->eating) != 1;
        InterlockedDecrement(p->eating);
        SetEvent(p->forks[i & 1]);
        SetEvent(p->forks[!(i & 1)]);
    }
    return 0;
}

TEST(all_is_atomic_under_contention, "WAIT-05 WAIT-09")
{
    volatile LONG eating = 0;
    HANDLE a = CreateEventA(NULL, FALSE, TRUE, NULL), b = CreateEventA(NULL, FALSE, TRUE, NULL), threads[3];
    struct philosopher p[3];
    LONG rounds = conform_wine ? 200 : 3000;
    for (int i = 0; i < 3; i++) {
        p[i] = (struct philosopher){{i & 1 ? b : a, i & 1 ? a : b}, rounds, 0, &eating};
        threads[i] = start_thread(dines, &p[i]);
        REQUIRE(threads[i] != NULL);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(p[i].wrong, 0);
    }
    CHECK_EQ(test0(a), WAIT_OBJECT_0);
    CHECK_EQ(test0(b), WAIT_OBJECT_0);
    CloseHandle(a);
    CloseHandle(b);
}

/* One falls asleep for all, the other sets them one after another at that moment. */
struct nap {
    struct meeting start;
    HANDLE events[3];
    LONG rounds, wrong;
};

static void spin(unsigned times)
{
    for (volatile unsigned i = 0; i < times; i++)
        ;
}

THREAD_FN(falls_asleep)
{
    struct nap *n = arg;
    for (LONG i = 0; i < n->rounds; i++) {
        meet(&n->start);
        spin((unsigned)i % 97);
        if (WaitForMultipleObjects(3, n->events, TRUE, 20000) != WAIT_OBJECT_0) {
            n->wrong++;
            for (int k = 0; k < 3; k++)
                ResetEvent(n->events[k]);
        }
    }
    return 0;
}

TEST(all_sees_what_comes_while_it_falls_asleep, "WAIT-05 WAIT-09")
{
    struct nap n = {.start = {.need = 2}, .events = {auto_event(), auto_event(), auto_event()}};
    n.rounds = conform_wine ? 500 : 30000;
    HANDLE thread = start_thread(falls_asleep, &n);
    REQUIRE(thread != NULL);
    for (LONG i = 0; i < n.rounds; i++) {
        meet(&n.start);
        spin(rnd(200));
        for (int k = 0; k < 3; k++)
            SetEvent(n.events[(i + k) % 3]);
    }
    JOIN(thread);
    CHECK_EQ(n.wrong, 0);
    for (int k = 0; k < 3; k++) {
        CHECK_EQ(test0(n.events[k]), WAIT_TIMEOUT);
        CloseHandle(n.events[k]);
    }
}

TEST(all_with_one_handle_twice, "WAIT-06")
{
    HANDLE event = manual_event(), twice[3] = {event, NULL, event};
    twice[1] = manual_event();
    SetEvent(event);
    SetEvent(twice[1]);
    TODO_WINE("Wine 8 does not look for doubles")
        CHECK_WAITERR(WaitForMultipleObjects(3, twice, TRUE, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WaitForMultipleObjects(3, twice, FALSE, 0), WAIT_OBJECT_0); /* any: allowed */
    CloseHandle(event);
    CloseHandle(twice[1]);
}

TEST(all_with_two_handles_of_one_object, "WAIT-06")
{
    HANDLE event = auto_event(), again = NULL;
    CHECK(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &again, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    HANDLE both[2] = {event, again};
    SetEvent(event);
    CHECK_EQ(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_OBJECT_0);
    CHECK_EQ(test0(again), WAIT_TIMEOUT); /* taken through the other handle */
    SetEvent(again);
    TODO_WINE("Wine 8 does not look for doubles")
        CHECK_WAITERR(WaitForMultipleObjects(2, both, TRUE, 0), ERROR_INVALID_PARAMETER);
    CloseHandle(event);
    CloseHandle(again);
}

TEST(pseudo_handles, "WAIT-01 WAIT-04")
{
    HANDLE event = manual_event(), h[3] = {GetCurrentThread(), GetCurrentProcess(), event};
    CHECK_EQ(test0(GetCurrentThread()), WAIT_TIMEOUT);
    CHECK_EQ(test0(GetCurrentProcess()), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(3, h, FALSE, 0), WAIT_TIMEOUT);
    SetEvent(event);
    CHECK_EQ(WaitForMultipleObjects(3, h, FALSE, 0), WAIT_OBJECT_0 + 2);
    CHECK_EQ(WaitForMultipleObjects(3, h, TRUE, 0), WAIT_TIMEOUT);
    CloseHandle(event);
}

TEST(what_a_satisfied_wait_changes, "WAIT-07")
{
    HANDLE semaphore = CreateSemaphoreA(NULL, 2, 5, NULL), mutex = CreateMutexA(NULL, FALSE, NULL);
    HANDLE timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    HANDLE manual_timer = CreateWaitableTimerA(NULL, TRUE, NULL);
    HANDLE manual = manual_event(), automatic = auto_event();
    LARGE_INTEGER due = {.QuadPart = -1};
    LONG previous = -1;
    CHECK_EQ(test0(semaphore), WAIT_OBJECT_0);
    CHECK(ReleaseSemaphore(semaphore, 1, &previous));
    CHECK_EQ(previous, 1);
    CHECK_ERR(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    CHECK_EQ(test0(mutex), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(mutex));
    SetEvent(automatic);
    CHECK_EQ(test0(automatic), WAIT_OBJECT_0);
    CHECK_EQ(test0(automatic), WAIT_TIMEOUT);
    SetEvent(manual);
    CHECK_EQ(test0(manual), WAIT_OBJECT_0);
    CHECK_EQ(test0(manual), WAIT_OBJECT_0);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE));
    CHECK(SetWaitableTimer(manual_timer, &due, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForSingleObject(timer, 20000), WAIT_OBJECT_0);
    CHECK_EQ(test0(timer), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(manual_timer, 20000), WAIT_OBJECT_0);
    CHECK_EQ(test0(manual_timer), WAIT_OBJECT_0);
    CloseHandle(semaphore);
    CloseHandle(mutex);
    CloseHandle(timer);
    CloseHandle(manual_timer);
    CloseHandle(manual);
    CloseHandle(automatic);
}

/* ---- events ---- */

struct crowd {
    HANDLE object;
    struct meeting start;
    volatile LONG ready, released, timed_out, failed;
    DWORD timeout;
};

THREAD_FN(one_of_a_crowd)
{
    struct crowd *c = arg;
    InterlockedIncrement(&c->ready);
    DWORD result = WaitForSingleObject(c->object, c->timeout);
    if (result == WAIT_OBJECT_0)
        InterlockedIncrement(&c->released);
    else if (result == WAIT_TIMEOUT)
        InterlockedIncrement(&c->timed_out);
    else
        InterlockedIncrement(&c->failed);
    return 0;
}

static void gather(struct crowd *c, HANDLE *threads, int count)
{
    for (int i = 0; i < count; i++)
        threads[i] = start_thread(one_of_a_crowd, c);
    CHECK(WITHIN(20000, LOOK(c->ready) == count));
}

static void disperse(HANDLE *threads, int count)
{
    for (int i = 0; i < count; i++)
        JOIN(threads[i]);
}

TEST(manual_event_releases_everybody, "WAIT-08")
{
    HANDLE threads[6];
    struct crowd c = {.object = manual_event(), .timeout = 20000};
    gather(&c, threads, 6);
    CHECK_EQ(LOOK(c.released), 0);
    CHECK(SetEvent(c.object));
    disperse(threads, 6);
    CHECK_EQ(LOOK(c.released), 6);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(test0(c.object), WAIT_OBJECT_0); /* and everybody who comes later */
    CHECK(SetEvent(c.object));
    CHECK(ResetEvent(c.object)); /* two sets, one reset */
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    CHECK(ResetEvent(c.object));
    CloseHandle(c.object);
    c.object = CreateEventA(NULL, TRUE, TRUE, NULL);
    CHECK_EQ(test0(c.object), WAIT_OBJECT_0);
    CHECK_EQ(test0(c.object), WAIT_OBJECT_0);
    CloseHandle(c.object);
}

TEST(auto_event_releases_one_per_set, "WAIT-09")
{
    HANDLE threads[5];
    struct crowd c = {.object = auto_event(), .timeout = 20000};
    gather(&c, threads, 5);
    for (int i = 1; i <= 5; i++) {
        CHECK(SetEvent(c.object));
        CHECK(WITHIN(10000, LOOK(c.released) == i));
        if (i < 5) {
            CHECK_EQ(WaitForMultipleObjects(5, threads, TRUE, 10), WAIT_TIMEOUT);
            CHECK_EQ(LOOK(c.released), i);
        }
    }
    disperse(threads, 5);
    CHECK_EQ(LOOK(c.released), 5);
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    CHECK(SetEvent(c.object)); /* nobody waits: kept, and not counted */
    CHECK(SetEvent(c.object));
    CHECK_EQ(test0(c.object), WAIT_OBJECT_0);
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    CHECK(SetEvent(c.object));
    CHECK(ResetEvent(c.object));
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    CloseHandle(c.object);
}

struct ping {
    HANDLE mine, yours;
    LONG rounds, wrong;
};

THREAD_FN(pings)
{
    struct ping *p = arg;
    for (LONG i = 0; i < p->rounds; i++) {
        p->wrong += WaitForSingleObject(p->mine, 10000) != WAIT_OBJECT_0;
        SetEvent(p->yours);
    }
    return 0;
}

TEST(no_set_is_lost, "WAIT-09 WAIT-01")
{
    HANDLE a = auto_event(), b = auto_event();
    LONG rounds = conform_wine ? 500 : 5000;
    struct ping one = {a, b, rounds, 0}, two = {b, a, rounds, 0};
    HANDLE first = start_thread(pings, &one), second = start_thread(pings, &two);
    REQUIRE(first && second);
    SetEvent(a);
    JOIN(first);
    JOIN(second);
    CHECK_EQ(one.wrong, 0);
    CHECK_EQ(two.wrong, 0);
    CHECK_EQ(test0(a), WAIT_OBJECT_0);
    CHECK_EQ(test0(b), WAIT_TIMEOUT);
    CloseHandle(a);
    CloseHandle(b);
}

/* That a started thread waits already cannot be known from outside, so it is pulsed until somebody goes. Who
 * was let go at the same moment shows up: all of them, mostly. */
static LONG pulse_until_one_goes(struct crowd *c, LONG all)
{
    LONG before = LOOK(c->released);
    CHECK(WITHIN(10000, (PulseEvent(c->object), WITHIN(2, LOOK(c->released) > before))));
    WITHIN(20, LOOK(c->released) == all);
    return LOOK(c->released) - before;
}

TEST(pulse, "WAIT-10")
{
    HANDLE threads[4];
    LONG most = 0;
    struct crowd c = {.object = manual_event(), .timeout = 20000};
    CHECK(PulseEvent(c.object));
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT); /* nobody waited: nothing is kept */
    CHECK(SetEvent(c.object));
    CHECK(PulseEvent(c.object));
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT); /* nonsignaled also when it was signalled before */
    for (int i = 0; i < 10 && most < 4; i++) {
        c.ready = c.released = 0;
        gather(&c, threads, 4);
        for (int k = 0; k < 4; k++)
            until_asleep(GetThreadId(threads[k]));
        LONG went = pulse_until_one_goes(&c, 4);
        most = went > most ? went : most;
        CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
        while (LOOK(c.released) < 4)
            pulse_until_one_goes(&c, 4);
        disperse(threads, 4);
    }
    CHECK_EQ(most, 4); /* all four by one pulse, at least once in ten tries */
    CloseHandle(c.object);
    CHECK_ERR(PulseEvent(c.object), ERROR_INVALID_HANDLE);
}

TEST(pulse_of_an_auto_event_releases_one, "WAIT-10")
{
    HANDLE threads[3];
    struct crowd c = {.object = auto_event(), .timeout = 20000};
    CHECK(PulseEvent(c.object));
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    gather(&c, threads, 3);
    LONG pulses = 0; /* all of them: who was let go by one may show up after the next */
    while (LOOK(c.released) < 3 && pulses < 5000) {
        LONG before = LOOK(c.released);
        CHECK(PulseEvent(c.object));
        pulses++;
        WITHIN(2, LOOK(c.released) > before);
        CHECK_MSG(LOOK(c.released) <= pulses, "%d pulses released %d", (int)pulses, (int)LOOK(c.released));
    }
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    disperse(threads, 3);
    CHECK_EQ(LOOK(c.released), 3);
    CloseHandle(c.object);
}

/* ---- names ---- */

static const char *name_of(const char *what)
{
    static char text[64];
    snprintf(text, sizeof text, "iocp-conform-%u-%s", (unsigned)GetCurrentProcessId(), what);
    return text;
}

TEST(named_event_opens_again, "WAIT-11")
{
    SetLastError(0xDEADBEEF);
    HANDLE first = CreateEventA(NULL, TRUE, FALSE, name_of("event"));
    REQUIRE(first != NULL);
    CHECK_LASTERR(0);
    HANDLE second = CreateEventA(NULL, FALSE, TRUE, name_of("event")); /* auto-reset, set: ignored */
    REQUIRE(second != NULL);
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    CHECK(first != second);
    CHECK_EQ(test0(second), WAIT_TIMEOUT);
    CHECK(SetEvent(first));
    CHECK_EQ(test0(second), WAIT_OBJECT_0);
    CHECK_EQ(test0(second), WAIT_OBJECT_0); /* still a manual-reset event */
    HANDLE third = OpenEventA(EVENT_ALL_ACCESS, FALSE, name_of("event"));
    REQUIRE(third != NULL);
    CHECK(ResetEvent(third));
    CHECK_EQ(test0(first), WAIT_TIMEOUT);
    CHECK(CloseHandle(first));
    CHECK(CloseHandle(second));
    CHECK(SetEvent(third)); /* lives as long as one handle does */
    CHECK(CloseHandle(third));
    CHECK_ERR(OpenEventA(EVENT_ALL_ACCESS, FALSE, name_of("event")), ERROR_FILE_NOT_FOUND);
    SetLastError(0xDEADBEEF);
    first = CreateEventA(NULL, FALSE, TRUE, name_of("event"));
    CHECK_LASTERR(0);
    CHECK_EQ(test0(first), WAIT_OBJECT_0);
    CHECK_EQ(test0(first), WAIT_TIMEOUT);
    CloseHandle(first);
}

TEST(names_have_case_and_one_space, "WAIT-12")
{
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, name_of("Name"));
    REQUIRE(event != NULL);
    HANDLE other = CreateEventA(NULL, TRUE, FALSE, name_of("name"));
    REQUIRE(other != NULL);
    CHECK_LASTERR(0);
    CHECK_EQ(test0(other), WAIT_TIMEOUT);
    CHECK_EQ(test0(event), WAIT_OBJECT_0);
    CHECK_ERR(OpenEventA(EVENT_ALL_ACCESS, FALSE, name_of("NAME")), ERROR_FILE_NOT_FOUND);
    CHECK_ERR(CreateMutexA(NULL, FALSE, name_of("Name")), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateSemaphoreA(NULL, 0, 1, name_of("Name")), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateWaitableTimerA(NULL, FALSE, name_of("Name")), ERROR_INVALID_HANDLE);
    CHECK_ERR(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, name_of("Name")), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    HANDLE mutex = CreateMutexA(NULL, FALSE, name_of("Name")); /* free again */
    CHECK(mutex != NULL);
    CHECK_ERR(CreateEventA(NULL, TRUE, TRUE, name_of("Name")), ERROR_INVALID_HANDLE);
    CloseHandle(mutex);
    CloseHandle(other);
}

TEST(other_named_objects_open_again, "WAIT-12 WAIT-11")
{
    LONG previous = -1;
    HANDLE s1 = CreateSemaphoreA(NULL, 1, 5, name_of("s"));
    HANDLE s2 = CreateSemaphoreA(NULL, 4, 4, name_of("s"));
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    CHECK(ReleaseSemaphore(s2, 3, &previous));
    CHECK_EQ(previous, 1);
    CHECK(ReleaseSemaphore(s1, 1, &previous));
    CHECK_EQ(previous, 4);
    HANDLE m1 = CreateMutexA(NULL, FALSE, name_of("m"));
    HANDLE m2 = CreateMutexA(NULL, TRUE, name_of("m")); /* no ownership when it existed */
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    CHECK_ERR(ReleaseMutex(m2), ERROR_NOT_OWNER);
    CHECK_EQ(test0(m1), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(m2));
    HANDLE t1 = CreateWaitableTimerA(NULL, TRUE, name_of("t"));
    HANDLE t2 = CreateWaitableTimerA(NULL, FALSE, name_of("t"));
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    LARGE_INTEGER due = {.QuadPart = -1};
    CHECK(SetWaitableTimer(t2, &due, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForSingleObject(t1, 20000), WAIT_OBJECT_0);
    CHECK_EQ(test0(t2), WAIT_OBJECT_0);
    CloseHandle(s1);
    CloseHandle(s2);
    CloseHandle(m1);
    CloseHandle(m2);
    CloseHandle(t1);
    CloseHandle(t2);
}

TEST(wide_names_are_the_same_names, "WAIT-11 WAIT-12")
{
    const char *name = name_of("wide");
    WCHAR wide[64];
    for (int i = 0; (wide[i] = (WCHAR)(unsigned char)name[i]) != 0; i++)
        ;
    HANDLE narrow = CreateEventA(NULL, TRUE, FALSE, name);
    REQUIRE(narrow != NULL);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    CHECK(SetEvent(event));
    CHECK_EQ(test0(narrow), WAIT_OBJECT_0);
    CHECK(CloseHandle(event));
    event = OpenEventW(SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, wide);
    CHECK_EQ(test0(event), WAIT_OBJECT_0);
    CHECK_ERR(CreateSemaphoreW(NULL, 0, 1, wide), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    CloseHandle(narrow);
}

TEST(ex_forms, "WAIT-11 WAIT-07 WAIT-13")
{
    DWORD manual_set = CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET;
    HANDLE h = CreateEventExA(NULL, NULL, manual_set, EVENT_ALL_ACCESS);
    CHECK_EQ(test0(h), WAIT_OBJECT_0);
    CHECK_EQ(test0(h), WAIT_OBJECT_0);
    CloseHandle(h);
    h = CreateEventExA(NULL, NULL, CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS);
    CHECK_EQ(test0(h), WAIT_OBJECT_0);
    CHECK_EQ(test0(h), WAIT_TIMEOUT);
    CloseHandle(h);
    h = CreateMutexExA(NULL, NULL, CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS);
    CHECK(ReleaseMutex(h));
    CHECK_ERR(ReleaseMutex(h), ERROR_NOT_OWNER);
    CloseHandle(h);
    h = CreateSemaphoreExA(NULL, 2, 2, NULL, 0, SEMAPHORE_ALL_ACCESS);
    CHECK_EQ(test0(h), WAIT_OBJECT_0);
    CHECK_EQ(test0(h), WAIT_OBJECT_0);
    CHECK_EQ(test0(h), WAIT_TIMEOUT);
    CloseHandle(h);
}

/* ---- mutexes ---- */

struct contender {
    HANDLE mutex, said, step;
    DWORD first, second;
    BOOL released;
    DWORD error;
};

THREAD_FN(contends)
{
    struct contender *c = arg;
    c->first = test0(c->mutex);
    SetLastError(0xDEADBEEF);
    c->released = ReleaseMutex(c->mutex);
    c->error = GetLastError();
    SetEvent(c->said);
    WaitForSingleObject(c->step, 20000);
    c->second = test0(c->mutex);
    if (c->second == WAIT_OBJECT_0)
        ReleaseMutex(c->mutex);
    return 0;
}

TEST(mutex_is_owned_and_recursive, "WAIT-13 WAIT-14")
{
    struct contender c = {CreateMutexA(NULL, TRUE, NULL), auto_event(), auto_event(), 99, 99, 99, 0};
    HANDLE both[2] = {c.mutex, manual_event()};
    SetEvent(both[1]);
    CHECK_EQ(test0(c.mutex), WAIT_OBJECT_0);
    CHECK_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_OBJECT_0); /* owned three times */
    HANDLE thread = start_thread(contends, &c);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(c.said, 20000), WAIT_OBJECT_0);
    CHECK_EQ(c.first, WAIT_TIMEOUT);
    CHECK(!c.released);
    CHECK_EQ(c.error, ERROR_NOT_OWNER);
    CHECK(ReleaseMutex(c.mutex));
    CHECK(ReleaseMutex(c.mutex));
    SetEvent(c.step);
    JOIN(thread);
    CHECK_EQ(c.second, WAIT_TIMEOUT); /* twice is not enough */
    CHECK(ReleaseMutex(c.mutex));
    CHECK_ERR(ReleaseMutex(c.mutex), ERROR_NOT_OWNER);
    thread = start_thread(contends, &c);
    CHECK_EQ(WaitForSingleObject(c.said, 20000), WAIT_OBJECT_0);
    CHECK_EQ(c.first, WAIT_OBJECT_0);
    CHECK(c.released);
    SetEvent(c.step);
    JOIN(thread);
    CHECK_EQ(c.second, WAIT_OBJECT_0);
    CHECK_EQ(test0(c.mutex), WAIT_OBJECT_0); /* released, not abandoned */
    CHECK(ReleaseMutex(c.mutex));
    CloseHandle(both[1]);
    CloseHandle(c.mutex);
    CloseHandle(c.said);
    CloseHandle(c.step);
}

TEST(release_by_nobody, "WAIT-14")
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, NULL), event = auto_event();
    CHECK_ERR(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    CHECK_EQ(ERROR_NOT_OWNER, 288);
    CHECK_ERR(ReleaseMutex(event), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReleaseMutex(NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(test0(mutex), WAIT_OBJECT_0); /* and it is free and well */
    CHECK(ReleaseMutex(mutex));
    CloseHandle(mutex);
    CloseHandle(event);
}

struct counter {
    HANDLE mutex;
    LONG rounds, wrong;
    LONG *plain;
};

THREAD_FN(counts)
{
    struct counter *c = arg;
    for (LONG i = 0; i < c->rounds; i++) {
        c->wrong += WaitForSingleObject(c->mutex, 20000) != WAIT_OBJECT_0;
        LONG seen = *c->plain;
        if (i % 16 == 0)
            SwitchToThread();
        *c->plain = seen + 1;
        c->wrong += !ReleaseMutex(c->mutex);
    }
    return 0;
}

TEST(mutex_excludes, "WAIT-13")
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, NULL), threads[3];
    LONG plain = 0, rounds = conform_wine ? 300 : 5000;
    struct counter c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = (struct counter){mutex, rounds, 0, &plain};
        threads[i] = start_thread(counts, &c[i]);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(c[i].wrong, 0);
    }
    CHECK_EQ(plain, 3 * rounds);
    CloseHandle(mutex);
}

struct deserter {
    HANDLE mutexes[2];
    HANDLE owned, go;
};

THREAD_FN(deserts)
{
    struct deserter *d = arg;
    WaitForSingleObject(d->mutexes[0], 20000);
    WaitForSingleObject(d->mutexes[0], 20000); /* recursion makes no difference */
    WaitForSingleObject(d->mutexes[1], 20000);
    SetEvent(d->owned);
    WaitForSingleObject(d->go, 20000);
    return 0;
}

TEST(abandoned_mutex, "WAIT-15 WAIT-13")
{
    struct deserter d = {{CreateMutexA(NULL, FALSE, NULL), CreateMutexA(NULL, FALSE, NULL)}, auto_event(),
                         auto_event()};
    HANDLE thread = start_thread(deserts, &d);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(d.owned, 20000), WAIT_OBJECT_0);
    CHECK_EQ(test0(d.mutexes[0]), WAIT_TIMEOUT);
    SetEvent(d.go);
    CHECK_EQ(WaitForSingleObject(d.mutexes[0], 20000), WAIT_ABANDONED); /* a waiter that slept */
    CHECK_EQ(WAIT_ABANDONED, 0x80);
    JOIN(thread);
    CHECK_EQ(test0(d.mutexes[1]), WAIT_ABANDONED); /* a wait that came later */
    CHECK_EQ(test0(d.mutexes[1]), WAIT_OBJECT_0);  /* ours, and told once */
    CHECK(ReleaseMutex(d.mutexes[1]));
    CHECK(ReleaseMutex(d.mutexes[1]));
    CHECK_ERR(ReleaseMutex(d.mutexes[1]), ERROR_NOT_OWNER);
    CHECK_EQ(test0(d.mutexes[1]), WAIT_OBJECT_0); /* normal again */
    CHECK(ReleaseMutex(d.mutexes[1]));
    CHECK(ReleaseMutex(d.mutexes[0])); /* ours once, whatever the dead owner had */
    CHECK_ERR(ReleaseMutex(d.mutexes[0]), ERROR_NOT_OWNER);
    CloseHandle(d.mutexes[0]);
    CloseHandle(d.mutexes[1]);
    CloseHandle(d.owned);
    CloseHandle(d.go);
}

/* A thread takes both mutexes and ends. */
static void abandon(HANDLE mutexes[2])
{
    struct deserter d = {{mutexes[0], mutexes[1]}, auto_event(), auto_event()};
    HANDLE thread = start_thread(deserts, &d);
    SetEvent(d.go);
    JOIN(thread);
    CloseHandle(d.owned);
    CloseHandle(d.go);
}

TEST(abandoned_among_several, "WAIT-16")
{
    HANDLE mutexes[2] = {CreateMutexA(NULL, FALSE, NULL), CreateMutexA(NULL, FALSE, NULL)};
    HANDLE event = manual_event(), three[3] = {event, mutexes[0], mutexes[1]};
    abandon(mutexes);
    CHECK_EQ(WaitForMultipleObjects(3, three, FALSE, 1000), WAIT_ABANDONED_0 + 1);
    CHECK(ReleaseMutex(mutexes[0]));
    CHECK_EQ(WaitForMultipleObjects(2, three, FALSE, 1000), WAIT_OBJECT_0 + 1);
    CHECK(ReleaseMutex(mutexes[0]));
    CHECK_ERR(ReleaseMutex(mutexes[1]), ERROR_NOT_OWNER); /* the other one was not taken */
    CHECK_EQ(test0(mutexes[1]), WAIT_ABANDONED);
    CHECK(ReleaseMutex(mutexes[1]));
    abandon(mutexes);
    CHECK_EQ(WaitForMultipleObjects(3, three, TRUE, 20), WAIT_TIMEOUT); /* untouched, still abandoned */
    SetEvent(event);
    DWORD result = WaitForMultipleObjects(3, three, TRUE, 1000);
    CHECK_MSG(result >= WAIT_ABANDONED_0 && result < WAIT_ABANDONED_0 + 3, "wait-all gave 0x%x",
              (unsigned)result);
    CHECK_EQ(WaitForMultipleObjects(3, three, TRUE, 1000), WAIT_OBJECT_0);
    for (int i = 0; i < 2; i++) {
        CHECK(ReleaseMutex(mutexes[i]));
        CHECK(ReleaseMutex(mutexes[i]));
        CHECK_ERR(ReleaseMutex(mutexes[i]), ERROR_NOT_OWNER);
        CloseHandle(mutexes[i]);
    }
    CloseHandle(event);
}

/* ---- semaphores ---- */

TEST(semaphore_counts, "WAIT-17 WAIT-07")
{
    HANDLE threads[5];
    struct crowd c = {.object = CreateSemaphoreA(NULL, 0, 10, NULL), .timeout = 20000};
    LONG previous = -1;
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    CHECK(ReleaseSemaphore(c.object, 3, &previous));
    CHECK_EQ(previous, 0);
    CHECK(ReleaseSemaphore(c.object, 2, &previous));
    CHECK_EQ(previous, 3);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(test0(c.object), WAIT_OBJECT_0);
    CHECK_EQ(test0(c.object), WAIT_TIMEOUT);
    gather(&c, threads, 5);
    CHECK(ReleaseSemaphore(c.object, 3, NULL));
    CHECK(WITHIN(10000, LOOK(c.released) == 3));
    CHECK_EQ(WaitForMultipleObjects(5, threads, TRUE, 20), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(c.released), 3);
    CHECK(ReleaseSemaphore(c.object, 4, NULL)); /* two waiters, two to spare */
    disperse(threads, 5);
    CHECK_EQ(LOOK(c.released), 5);
    CHECK(ReleaseSemaphore(c.object, 1, &previous));
    CHECK_EQ(previous, 2);
    CloseHandle(c.object);
}

TEST(semaphore_limits, "WAIT-18")
{
    HANDLE semaphore = CreateSemaphoreA(NULL, 3, 5, NULL);
    LONG previous = 77;
    CHECK_EQ(ERROR_TOO_MANY_POSTS, 298);
    CHECK_ERR(ReleaseSemaphore(semaphore, 3, &previous), ERROR_TOO_MANY_POSTS);
    CHECK_ERR(ReleaseSemaphore(semaphore, 0x7FFFFFFF, &previous), ERROR_TOO_MANY_POSTS);
    TODO_WINE("Wine 8 takes the count as unsigned, and 0 as well") {
        CHECK_ERR(ReleaseSemaphore(semaphore, 0, NULL), ERROR_INVALID_PARAMETER);
        CHECK_ERR(ReleaseSemaphore(semaphore, -1, NULL), ERROR_INVALID_PARAMETER);
    }
    CHECK(ReleaseSemaphore(semaphore, 2, &previous));
    CHECK_EQ(previous, 3); /* the failed ones added nothing */
    CHECK_ERR(ReleaseSemaphore(semaphore, 1, NULL), ERROR_TOO_MANY_POSTS);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(test0(semaphore), WAIT_OBJECT_0);
    CHECK_EQ(test0(semaphore), WAIT_TIMEOUT);
    CHECK_ERR(CreateSemaphoreA(NULL, 6, 5, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateSemaphoreA(NULL, -1, 5, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateSemaphoreA(NULL, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReleaseSemaphore(NULL, 1, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(semaphore);
}

/* ---- signal and wait ---- */

TEST(signal_one_wait_for_another, "WAIT-19 WAIT-01")
{
    HANDLE event = auto_event(), semaphore = CreateSemaphoreA(NULL, 0, 2, NULL);
    HANDLE mutex = CreateMutexA(NULL, TRUE, NULL), set = CreateEventA(NULL, TRUE, TRUE, NULL);
    HANDLE never = auto_event();
    LONG previous = -1;
    CHECK_EQ(SignalObjectAndWait(event, set, INFINITE, FALSE), WAIT_OBJECT_0);
    CHECK_EQ(test0(event), WAIT_OBJECT_0);
    CHECK_EQ(SignalObjectAndWait(event, never, 20, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(test0(event), WAIT_OBJECT_0); /* signalled although the wait timed out */
    CHECK_EQ(SignalObjectAndWait(event, event, 1000, FALSE), WAIT_OBJECT_0);
    CHECK_EQ(test0(event), WAIT_TIMEOUT);
    CHECK_EQ(SignalObjectAndWait(semaphore, set, 1000, FALSE), WAIT_OBJECT_0);
    CHECK_EQ(SignalObjectAndWait(semaphore, set, 1000, FALSE), WAIT_OBJECT_0);
    CHECK_WAITERR(SignalObjectAndWait(semaphore, set, 1000, FALSE), ERROR_TOO_MANY_POSTS);
    CHECK_EQ(test0(semaphore), WAIT_OBJECT_0);
    CHECK(ReleaseSemaphore(semaphore, 1, &previous));
    CHECK_EQ(previous, 1);
    CHECK_EQ(SignalObjectAndWait(mutex, set, 1000, FALSE), WAIT_OBJECT_0);
    CHECK_WAITERR(SignalObjectAndWait(mutex, set, 1000, FALSE), ERROR_NOT_OWNER);
    CHECK_WAITERR(SignalObjectAndWait(set, NULL, 0, FALSE), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(SignalObjectAndWait(NULL, set, 0, FALSE), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(SignalObjectAndWait(GetCurrentThread(), set, 0, FALSE), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    CloseHandle(semaphore);
    CloseHandle(mutex);
    CloseHandle(set);
    CloseHandle(never);
}

static void CALLBACK set_flag(ULONG_PTR data) { *(volatile LONG *)data = 1; }

TEST(signal_and_wait_alertably, "WAIT-19")
{
    HANDLE event = auto_event(), never = auto_event();
    LONG flag = 0;
    CHECK(QueueUserAPC(set_flag, GetCurrentThread(), (ULONG_PTR)&flag) != 0);
    CHECK_EQ(SignalObjectAndWait(event, never, 10, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(flag, 0);
    CHECK_EQ(test0(event), WAIT_OBJECT_0);
    CHECK_EQ(SignalObjectAndWait(event, never, 10000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(flag, 1);
    CHECK_EQ(test0(event), WAIT_OBJECT_0);
    CloseHandle(event);
    CloseHandle(never);
}

/* ---- all kinds at once ---- */

THREAD_FN(ends_on_event)
{
    WaitForSingleObject((HANDLE)arg, 20000);
    return 0;
}

TEST(mixed_kinds_in_one_wait, "WAIT-04 WAIT-07 WAIT-05")
{
    SOCKET pair[2];
    char byte;
    HANDLE go = auto_event();
    WSAEVENT network = WSACreateEvent();
    WSANETWORKEVENTS what;
    OVERLAPPED ov = {.hEvent = manual_event()};
    LARGE_INTEGER due = {.QuadPart = -20 * 10000};
    REQUIRE(tcp_pair(pair));
    HANDLE thread = start_thread(ends_on_event, go), timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    HANDLE h[4] = {thread, ov.hEvent, timer, network};
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
    CHECK_EQ(WSAEventSelect(pair[1], network, FD_READ | FD_CLOSE), 0);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 0), WAIT_TIMEOUT);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 10000), WAIT_OBJECT_0 + 2);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 10000), WAIT_OBJECT_0 + 3);
    CHECK_EQ(WSAEnumNetworkEvents(pair[1], network, &what), 0);
    CHECK_EQ(what.lNetworkEvents, FD_READ);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 0), WAIT_TIMEOUT);
    CHECK_EQ(send(pair[1], "y", 1, 0), 1);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 10000), WAIT_OBJECT_0 + 1);
    CHECK_EQ(byte, 'y');
    SetEvent(go);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForMultipleObjects(4, h, FALSE, 10000), WAIT_OBJECT_0); /* the lowest of two */
    SetEvent(network);
    due.QuadPart = -1;
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForMultipleObjects(4, h, TRUE, 10000), WAIT_OBJECT_0);
    CHECK_EQ(test0(timer), WAIT_TIMEOUT);
    CloseHandle(thread);
    CloseHandle(timer);
    CloseHandle(go);
    CloseHandle(ov.hEvent);
    WSACloseEvent(network);
    closesocket(pair[0]);
    closesocket(pair[1]);
}
