/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous procedure calls: queued by QueueUserAPC, by ReadFileEx and WriteFileEx, and by the routines
 * of WSARecv and WSASend. What runs, in which thread, when, in which order, and what the wait then says.
 * Routines of waitable timers are in timer.c.
 */
#include "conform.h"

/* What a queued function leaves behind. */
struct note {
    volatile LONG runs;
    DWORD thread;
    LONG order; /* value of `clock_ticks` when it ran last */
};

static volatile LONG clock_ticks;

static void CALLBACK note_run(ULONG_PTR data)
{
    struct note *note = (struct note *)data;
    note->thread = GetCurrentThreadId();
    note->order = InterlockedIncrement(&clock_ticks);
    InterlockedIncrement(&note->runs);
}

static LONG runs(struct note *note) { return InterlockedExchangeAdd(&note->runs, 0); }

static DWORD queue_self(struct note *note)
{
    return QueueUserAPC(note_run, GetCurrentThread(), (ULONG_PTR)note);
}

/* ---- QueueUserAPC ---- */

struct target {
    HANDLE ready, go, seen;
    struct note note;
    DWORD thread, plain, alertable;
    LONG runs_before;
};

THREAD_FN(plain_then_alertable)
{
    struct target *t = arg;
    t->thread = GetCurrentThreadId();
    t->plain = SignalObjectAndWait(t->ready, t->go, 20000, FALSE);
    t->runs_before = runs(&t->note);
    t->alertable = SleepEx(20000, TRUE);
    SetEvent(t->seen);
    WaitForSingleObject(t->go, 20000);
    return 0;
}

TEST(runs_in_target_thread_when_alertable, "APC-01 APC-03")
{
    struct target t = {.ready = auto_event(), .go = auto_event(), .seen = auto_event()};
    HANDLE thread = start_thread(plain_then_alertable, &t);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(t.ready, 20000), WAIT_OBJECT_0);
    CHECK(QueueUserAPC(note_run, thread, (ULONG_PTR)&t.note) != 0);
    CHECK_EQ(SleepEx(20, TRUE), 0); /* somebody else's APC does not end our alertable sleep */
    CHECK_EQ(runs(&t.note), 0);
    SetEvent(t.go);
    CHECK_EQ(WaitForSingleObject(t.seen, 20000), WAIT_OBJECT_0);
    CHECK_EQ(t.plain, WAIT_OBJECT_0);
    CHECK_EQ(t.runs_before, 0);
    CHECK_EQ(t.alertable, WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&t.note), 1);
    CHECK_EQ(t.note.thread, t.thread);
    CHECK(t.note.thread != GetCurrentThreadId());
    SetEvent(t.go);
    JOIN(thread);
    CHECK_EQ(runs(&t.note), 1);
    CloseHandle(t.ready);
    CloseHandle(t.go);
    CloseHandle(t.seen);
}

static ULONG_PTR got_data[3];
static int got_count;
static void CALLBACK keep_data(ULONG_PTR data) { got_data[got_count++ % 3] = data; }

TEST(data_arrives_whole, "APC-01")
{
    got_count = 0;
    CHECK(QueueUserAPC(keep_data, GetCurrentThread(), 0) != 0);
    CHECK(QueueUserAPC(keep_data, GetCurrentThread(), ~(ULONG_PTR)0) != 0);
    CHECK(QueueUserAPC(keep_data, GetCurrentThread(), (ULONG_PTR)0x123456789ABCDEF0u) != 0);
    CHECK_EQ(got_count, 0); /* queueing to oneself does not run it */
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(got_count, 3);
    CHECK_EQ(got_data[0], 0);
    CHECK_EQ(got_data[1], ~(ULONG_PTR)0);
    CHECK_EQ(got_data[2], (ULONG_PTR)0x123456789ABCDEF0u);
}

TEST(queue_to_no_thread, "APC-01")
{
    struct note note = {0};
    HANDLE event = auto_event();
    CHECK_ERR(QueueUserAPC(note_run, NULL, (ULONG_PTR)&note), ERROR_INVALID_HANDLE);
    CHECK_ERR(QueueUserAPC(note_run, event, (ULONG_PTR)&note), ERROR_INVALID_HANDLE);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(runs(&note), 0);
    CloseHandle(event);
}

#define MANY 200
static LONG fifo[MANY], fifo_count;
static void CALLBACK fifo_run(ULONG_PTR data)
{
    if (fifo_count < MANY)
        fifo[fifo_count] = (LONG)data;
    fifo_count++;
}

TEST(all_in_order_then_one_return, "APC-02 APC-04")
{
    int wrong = 0;
    fifo_count = 0;
    for (int i = 0; i < MANY; i++)
        if (!CHECK(QueueUserAPC(fifo_run, GetCurrentThread(), (ULONG_PTR)i) != 0))
            break;
    CHECK_EQ(fifo_count, 0);
    CHECK_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(WAIT_IO_COMPLETION, 0xC0);
    CHECK_EQ(fifo_count, MANY);
    for (int i = 0; i < MANY; i++)
        wrong += fifo[i] != i;
    CHECK_EQ(wrong, 0);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(fifo_count, MANY);
}

struct burst {
    HANDLE ready, done;
    DWORD result, after;
    LONG seen;
};

THREAD_FN(takes_burst)
{
    struct burst *b = arg;
    SetEvent(b->ready);
    WaitForSingleObject(b->done, 20000);
    b->result = SleepEx(INFINITE, TRUE);
    b->seen = fifo_count;
    b->after = SleepEx(0, TRUE);
    return 0;
}

TEST(all_from_another_thread_in_order, "APC-02")
{
    struct burst b = {.ready = auto_event(), .done = auto_event()};
    int wrong = 0;
    fifo_count = 0;
    HANDLE thread = start_thread(takes_burst, &b);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(b.ready, 20000), WAIT_OBJECT_0);
    for (int i = 0; i < MANY; i++)
        QueueUserAPC(fifo_run, thread, (ULONG_PTR)i);
    SetEvent(b.done);
    JOIN(thread);
    CHECK_EQ(b.result, WAIT_IO_COMPLETION);
    CHECK_EQ(b.seen, MANY);
    CHECK_EQ(b.after, 0);
    for (int i = 0; i < MANY; i++)
        wrong += fifo[i] != i;
    CHECK_EQ(wrong, 0);
    CloseHandle(b.ready);
    CloseHandle(b.done);
}

TEST(waits_that_are_not_alertable, "APC-03")
{
    struct note note = {0};
    HANDLE event = manual_event(), signalled = manual_event(), both[2] = {event, signalled};
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED_ENTRY entry;
    ULONG removed;
    SetEvent(signalled);
    CHECK(queue_self(&note) != 0);
    Sleep(0);
    Sleep(5);
    CHECK_EQ(SleepEx(0, FALSE), 0);
    CHECK_EQ(SleepEx(5, FALSE), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(event, 5), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(signalled, INFINITE), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObjectEx(event, 5, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(2, both, TRUE, 5), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(2, both, FALSE, 5), WAIT_OBJECT_0 + 1);
    CHECK_EQ(WaitForMultipleObjectsEx(1, both, FALSE, 5, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjectsEx(2, both, TRUE, 5, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(SignalObjectAndWait(signalled, event, 5, FALSE), WAIT_TIMEOUT);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &removed, 5, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(runs(&note), 0);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 1);
    CloseHandle(event);
    CloseHandle(signalled);
    CloseHandle(port);
}

TEST(sleep_ex_results, "APC-04")
{
    struct note note = {0};
    double start = now_ms();
    CHECK_EQ(SleepEx(60, TRUE), 0);
    double took = now_ms() - start;
    CHECK_MSG(took >= 45, "slept %.1f ms of 60", took);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    queue_self(&note);
    CHECK_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION); /* an APC that was waiting ends it */
    CHECK_EQ(runs(&note), 1);
    queue_self(&note);
    queue_self(&note);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 3);
    CHECK_EQ(SleepEx(0, TRUE), 0);
}

/* ---- an APC that comes during the wait ---- */

enum how { SLEEP, SINGLE, ANY, ALL, SIGNAL, HOWS };

struct sleeper {
    HANDLE ready, never, other;
    enum how how;
    DWORD result;
};

THREAD_FN(sleeps_alertably)
{
    struct sleeper *s = arg;
    HANDLE both[2] = {s->never, s->other};
    if (s->how == SIGNAL) {
        s->result = SignalObjectAndWait(s->ready, s->never, 20000, TRUE);
        return 0;
    }
    SetEvent(s->ready);
    switch (s->how) {
    case SLEEP: s->result = SleepEx(20000, TRUE); break;
    case SINGLE: s->result = WaitForSingleObjectEx(s->never, 20000, TRUE); break;
    case ANY: s->result = WaitForMultipleObjectsEx(2, both, FALSE, 20000, TRUE); break;
    default: s->result = WaitForMultipleObjectsEx(2, both, TRUE, 20000, TRUE); break;
    }
    return 0;
}

TEST(ends_a_wait_that_sleeps, "APC-05 APC-04 WAIT-19")
{
    for (int how = SLEEP; how < HOWS; how++)
        for (int late = 0; late < 2; late++) {
            struct sleeper s = {auto_event(), auto_event(), auto_event(), (enum how)how, 0};
            struct note note = {0};
            if (how == ALL)
                SetEvent(s.other); /* one of the two is not enough, and stays as it is */
            HANDLE thread = start_thread(sleeps_alertably, &s);
            REQUIRE(thread != NULL);
            CHECK_EQ(WaitForSingleObject(s.ready, 20000), WAIT_OBJECT_0);
            if (late)
                until_asleep(GetThreadId(thread));
            CHECK(QueueUserAPC(note_run, thread, (ULONG_PTR)&note) != 0);
            JOIN(thread);
            CHECK_MSG(s.result == WAIT_IO_COMPLETION, "wait %d gave %u", how, (unsigned)s.result);
            CHECK_EQ(runs(&note), 1);
            CHECK_EQ(WaitForSingleObject(s.other, 0), how == ALL ? WAIT_OBJECT_0 : WAIT_TIMEOUT);
            CloseHandle(s.ready);
            CloseHandle(s.never);
            CloseHandle(s.other);
        }
}

struct racer {
    struct meeting start;
    HANDLE event;
    LONG rounds, seen_apc, seen_event, both_lost;
    struct note note;
};

THREAD_FN(waits_in_race)
{
    struct racer *r = arg;
    for (LONG i = 0; i < r->rounds; i++) {
        LONG before = runs(&r->note);
        meet(&r->start);
        DWORD first = WaitForSingleObjectEx(r->event, 10000, TRUE);
        DWORD second = first == WAIT_OBJECT_0 ? SleepEx(10000, TRUE)
                                              : WaitForSingleObject(r->event, 10000);
        if (first == WAIT_IO_COMPLETION && second == WAIT_OBJECT_0)
            r->seen_apc++;
        else if (first == WAIT_OBJECT_0 && second == WAIT_IO_COMPLETION)
            r->seen_event++;
        if (runs(&r->note) != before + 1)
            r->both_lost++;
        meet(&r->start);
    }
    return 0;
}

TEST(event_and_apc_at_once_lose_neither, "APC-05 APC-06 APC-02")
{
    struct racer r = {.start = {.need = 2}, .event = auto_event(), .rounds = conform_wine ? 500 : 4000};
    HANDLE thread = start_thread(waits_in_race, &r);
    REQUIRE(thread != NULL);
    for (LONG i = 0; i < r.rounds; i++) {
        meet(&r.start);
        if (i & 1)
            SetEvent(r.event);
        QueueUserAPC(note_run, thread, (ULONG_PTR)&r.note);
        if (!(i & 1))
            SetEvent(r.event);
        meet(&r.start);
    }
    JOIN(thread);
    CHECK_EQ(r.seen_apc + r.seen_event, r.rounds);
    CHECK_EQ(r.both_lost, 0);
    CHECK_EQ(runs(&r.note), r.rounds);
    CloseHandle(r.event);
}

TEST(signalled_object_comes_first, "APC-06")
{
    struct note note = {0};
    HANDLE events[2] = {auto_event(), manual_event()};
    CHECK(queue_self(&note) != 0);
    SetEvent(events[0]);
    CHECK_EQ(WaitForSingleObjectEx(events[0], INFINITE, TRUE), WAIT_OBJECT_0);
    CHECK_EQ(runs(&note), 0);
    SetEvent(events[1]);
    CHECK_EQ(WaitForSingleObjectEx(events[1], 0, TRUE), WAIT_OBJECT_0);
    CHECK_EQ(WaitForMultipleObjectsEx(2, events, FALSE, 1000, TRUE), WAIT_OBJECT_0 + 1);
    SetEvent(events[0]);
    CHECK_EQ(WaitForMultipleObjectsEx(2, events, TRUE, 1000, TRUE), WAIT_OBJECT_0);
    CHECK_EQ(runs(&note), 0);
    CHECK_EQ(WaitForMultipleObjectsEx(1, events, FALSE, 1000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 1);
    CloseHandle(events[0]);
    CloseHandle(events[1]);
}

TEST(zero_timeout_still_runs_apcs, "APC-07")
{
    struct note note = {0};
    HANDLE events[2] = {auto_event(), auto_event()};
    queue_self(&note);
    CHECK_EQ(WaitForSingleObjectEx(events[0], 0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 1);
    CHECK_EQ(WaitForSingleObjectEx(events[0], 0, TRUE), WAIT_TIMEOUT);
    queue_self(&note);
    CHECK_EQ(WaitForMultipleObjectsEx(2, events, FALSE, 0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 2);
    CHECK_EQ(WaitForMultipleObjectsEx(2, events, FALSE, 0, TRUE), WAIT_TIMEOUT);
    queue_self(&note);
    CHECK_EQ(WaitForMultipleObjectsEx(2, events, TRUE, 0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(runs(&note), 3);
    CHECK_EQ(WaitForSingleObjectEx(events[0], 0, FALSE), WAIT_TIMEOUT);
    CloseHandle(events[0]);
    CloseHandle(events[1]);
}

/* ---- life and death of the thread ---- */

struct born {
    struct note notes[3];
    LONG seen_at_start, order_at_start;
    DWORD thread, after;
};

static DWORD WINAPI born_thread(void *arg)
{
    struct born *b = arg;
    b->order_at_start = InterlockedIncrement(&clock_ticks);
    b->seen_at_start = runs(&b->notes[0]) + runs(&b->notes[1]) + runs(&b->notes[2]);
    b->thread = GetCurrentThreadId();
    b->after = SleepEx(0, TRUE);
    return 0;
}

TEST(queued_before_the_start, "APC-08")
{
    struct born b = {.after = 99};
    HANDLE thread = CreateThread(NULL, 0, born_thread, &b, CREATE_SUSPENDED, NULL);
    REQUIRE(thread != NULL);
    for (int i = 0; i < 3; i++)
        CHECK(QueueUserAPC(note_run, thread, (ULONG_PTR)&b.notes[i]) != 0);
    CHECK_EQ(WaitForSingleObject(thread, 30), WAIT_TIMEOUT);
    CHECK_EQ(runs(&b.notes[0]), 0);
    CHECK_EQ(ResumeThread(thread), 1);
    JOIN(thread);
    CHECK_EQ(b.seen_at_start, 3);
    CHECK_EQ(b.after, 0); /* nothing was left */
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(b.notes[i].thread, b.thread);
        CHECK(b.notes[i].order < b.order_at_start);
    }
    CHECK(b.notes[0].order < b.notes[1].order && b.notes[1].order < b.notes[2].order);
}

struct nest {
    int depth, deepest, entered, left_inner_first;
    DWORD results[4];
};

static void CALLBACK nest_run(ULONG_PTR data)
{
    struct nest *n = (struct nest *)data;
    int me = n->entered++;
    if (++n->depth > n->deepest)
        n->deepest = n->depth;
    if (me < 3)
        n->results[me] = SleepEx(0, TRUE);
    n->left_inner_first += n->depth == me + 1;
    n->depth--;
}

TEST(alertable_wait_inside_an_apc, "APC-09")
{
    struct nest n = {0};
    for (int i = 0; i < 3; i++)
        QueueUserAPC(nest_run, GetCurrentThread(), (ULONG_PTR)&n);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(n.entered, 3);
    CHECK_EQ(n.deepest, 3);
    CHECK_EQ(n.left_inner_first, 3);
    CHECK_EQ(n.results[0], WAIT_IO_COMPLETION);
    CHECK_EQ(n.results[1], WAIT_IO_COMPLETION);
    CHECK_EQ(n.results[2], 0);
    CHECK_EQ(n.depth, 0);
    CHECK_EQ(SleepEx(0, TRUE), 0);
}

struct ender {
    HANDLE ready, go;
};

THREAD_FN(ends_without_alert)
{
    struct ender *e = arg;
    return SignalObjectAndWait(e->ready, e->go, 20000, FALSE);
}

TEST(pending_at_exit_are_dropped, "APC-10")
{
    struct note note = {0};
    struct ender e = {auto_event(), auto_event()};
    HANDLE thread = start_thread(ends_without_alert, &e);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(e.ready, 20000), WAIT_OBJECT_0); /* it runs: APC-08 is past */
    CHECK(QueueUserAPC(note_run, thread, (ULONG_PTR)&note) != 0);
    SetEvent(e.go);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK_EQ(runs(&note), 0);
    CHECK_ERR(QueueUserAPC(note_run, thread, (ULONG_PTR)&note), ERROR_GEN_FAILURE);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(runs(&note), 0);
    CloseHandle(thread);
    CloseHandle(e.ready);
    CloseHandle(e.go);
}

static void CALLBACK end_thread(ULONG_PTR data) { ExitThread((DWORD)data); }

THREAD_FN(is_ended)
{
    struct ender *e = arg; /* here `go` is a mutex */
    WaitForSingleObject(e->go, 20000);
    SetEvent(e->ready);
    SleepEx(20000, TRUE);
    return 1;
}

TEST(may_end_the_thread, "APC-01 APC-10 THREAD-02 WAIT-15")
{
    struct note note = {0};
    struct ender e = {auto_event(), CreateMutexA(NULL, FALSE, NULL)};
    HANDLE mutex = e.go, thread = start_thread(is_ended, &e);
    DWORD code = 0;
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(e.ready, 20000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_TIMEOUT);
    CHECK(QueueUserAPC(end_thread, thread, 77) != 0);
    QueueUserAPC(note_run, thread, (ULONG_PTR)&note); /* behind it, or too late: never runs */
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 77);
    CHECK_EQ(runs(&note), 0);
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_ABANDONED);
    CHECK(ReleaseMutex(mutex));
    CloseHandle(thread);
    CloseHandle(mutex);
    CloseHandle(e.ready);
}

struct flood {
    HANDLE thread;
    struct note *note;
    LONG each, refused;
};

THREAD_FN(queues_many)
{
    struct flood *f = arg;
    for (LONG i = 0; i < f->each; i++)
        f->refused += !QueueUserAPC(note_run, f->thread, (ULONG_PTR)f->note);
    return 0;
}

TEST(many_senders_each_once, "APC-01 APC-02")
{
    struct note note = {0};
    LONG each = conform_wine ? 300 : 5000;
    struct flood floods[3];
    HANDLE self, threads[3];
    LONG before = 0, empty = 0;
    REQUIRE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self, 0, FALSE,
                            DUPLICATE_SAME_ACCESS));
    for (int i = 0; i < 3; i++) {
        floods[i] = (struct flood){self, &note, each, 0};
        threads[i] = start_thread(queues_many, &floods[i]);
    }
    while (runs(&note) < 3 * each) {
        before = runs(&note);
        DWORD result = SleepEx(10000, TRUE);
        if (!CHECK_EQ(result, WAIT_IO_COMPLETION))
            break;
        empty += runs(&note) == before; /* 0xC0 although nothing ran */
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(floods[i].refused, 0);
    }
    CHECK_EQ(empty, 0);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(runs(&note), 3 * each);
    CloseHandle(self);
}

/* ---- ReadFileEx, WriteFileEx ---- */

struct answer {
    OVERLAPPED ov; /* first: the routine finds the rest from it */
    DWORD runs, error, bytes, thread, flags;
    LONG order;
    ULONG_PTR status;
};

static void answered(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    struct answer *a = (struct answer *)ov;
    a->runs++;
    a->error = error;
    a->bytes = bytes;
    a->flags = flags;
    a->thread = GetCurrentThreadId();
    a->order = InterlockedIncrement(&clock_ticks);
    a->status = ov->Internal;
}

static void CALLBACK file_routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    answered(error, bytes, ov, 0);
}

static void CALLBACK socket_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    answered(error, bytes, ov, flags);
}

/* Alertable sleeps until the routine has run (10 s); true if each of them said so. */
static int await(struct answer *a)
{
    while (!a->runs)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            return 0;
    return 1;
}

TEST(read_file_ex_calls_back, "APC-11 APC-12")
{
    unsigned char buffer[100];
    struct answer a = {0};
    HANDLE event = auto_event(), file = temp_file(1000, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    a.ov.Offset = 300;
    CHECK(ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine));
    /* However soon it is done, the routine waits for an alertable wait. */
    CHECK(WITHIN(20000, HasOverlappedIoCompleted(&a.ov)));
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    Sleep(5); /* which this is not */
    CHECK_EQ(a.runs, 0);
    CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(a.runs, 1);
    CHECK_EQ(a.error, 0);
    CHECK_EQ(a.bytes, 100);
    CHECK_EQ(a.thread, GetCurrentThreadId());
    CHECK_EQ(a.status, 0);
    CHECK_EQ(a.ov.InternalHigh, 100);
    for (int i = 0; i < 100; i++)
        if (!CHECK_EQ(buffer[i], pattern(300 + i)))
            break;
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(a.runs, 1);
    CloseHandle(file);
    CloseHandle(event);
}

TEST(write_file_ex_calls_back, "APC-11")
{
    unsigned char back[4];
    struct answer w = {0}, r = {0};
    HANDLE file = temp_file(16, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    w.ov.Offset = 20;
    CHECK(WriteFileEx(file, "wxyz", 4, &w.ov, file_routine));
    CHECK_EQ(w.runs, 0);
    if (await(&w)) {
        CHECK_EQ(w.runs, 1);
        CHECK_EQ(w.error, 0);
        CHECK_EQ(w.bytes, 4);
        CHECK_EQ(w.thread, GetCurrentThreadId());
    }
    r.ov.Offset = 20;
    CHECK(ReadFileEx(file, back, 4, &r.ov, file_routine));
    if (await(&r))
        CHECK_MEM(back, "wxyz", 4);
    CloseHandle(file);
}

struct other_thread {
    HANDLE file, started, leave;
    struct answer a;
    unsigned char buffer[10];
    DWORD thread, result;
};

THREAD_FN(reads_and_waits)
{
    struct other_thread *o = arg;
    o->thread = GetCurrentThreadId();
    CHECK(ReadFileEx(o->file, o->buffer, sizeof o->buffer, &o->a.ov, file_routine));
    SetEvent(o->started);
    CHECK_EQ(WaitForSingleObject(o->leave, 20000), WAIT_OBJECT_0);
    CHECK_EQ(o->a.runs, 0);
    o->result = SleepEx(10000, TRUE);
    return 0;
}

TEST(routine_runs_in_the_issuing_thread, "APC-11 APC-12")
{
    struct other_thread o = {.started = auto_event(), .leave = auto_event()};
    o.file = temp_file(100, FILE_FLAG_OVERLAPPED);
    HANDLE thread = start_thread(reads_and_waits, &o);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(o.started, 20000), WAIT_OBJECT_0);
    CHECK(WITHIN(20000, HasOverlappedIoCompleted(&o.a.ov)));
    CHECK_EQ(SleepEx(20, TRUE), 0); /* an alertable wait here is the wrong place */
    CHECK_EQ(o.a.runs, 0);
    SetEvent(o.leave);
    JOIN(thread);
    CHECK_EQ(o.result, WAIT_IO_COMPLETION);
    CHECK_EQ(o.a.runs, 1);
    CHECK_EQ(o.a.thread, o.thread);
    CHECK(o.thread != GetCurrentThreadId());
    CloseHandle(o.file);
    CloseHandle(o.started);
    CloseHandle(o.leave);
}

TEST(hevent_belongs_to_the_program, "APC-13")
{
    unsigned char buffer[10];
    struct answer a = {0}, w = {0};
    HANDLE event = manual_event(), file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    a.ov.hEvent = event; /* a real event: neither reset at the start nor set at the end */
    SetEvent(event);
    CHECK(ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine));
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    await(&a);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    ResetEvent(event);
    a.runs = 0;
    CHECK(ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine));
    await(&a);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(a.ov.hEvent == event);
    w.ov.hEvent = (HANDLE)(ULONG_PTR)0x1234567; /* no handle at all: context of one's own */
    CHECK(WriteFileEx(file, "abc", 3, &w.ov, file_routine));
    await(&w);
    CHECK_EQ(w.error, 0);
    CHECK_EQ(w.bytes, 3);
    CHECK_EQ((ULONG_PTR)w.ov.hEvent, 0x1234567);
    CloseHandle(file);
    CloseHandle(event);
}

TEST(routine_comes_although_the_file_is_closed, "APC-12 APC-11")
{
    unsigned char buffer[10];
    struct answer a = {0};
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    a.ov.Offset = 7;
    CHECK(ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine));
    CHECK(WITHIN(20000, HasOverlappedIoCompleted(&a.ov)));
    CHECK(CloseHandle(file));
    CHECK_EQ(a.runs, 0);
    CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(a.runs, 1);
    CHECK_EQ(a.error, 0);
    CHECK_EQ(a.bytes, 10);
    CHECK_EQ(buffer[0], pattern(7));
    CHECK_EQ(SleepEx(0, TRUE), 0);
}

/* The routine frees what its operation used and closes the file. */
struct freed {
    OVERLAPPED ov;
    HANDLE file;
    int *done;
    unsigned char buffer[64];
};

static void CALLBACK free_all(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    struct freed *f = (struct freed *)ov;
    *f->done += !error && bytes == sizeof f->buffer && f->buffer[0] == pattern(0);
    CloseHandle(f->file);
    free(f);
}

TEST(routine_may_free_everything, "APC-11 OVL-18")
{
    int done = 0;
    for (int i = 0; i < 50; i++) {
        struct freed *f = calloc(1, sizeof *f);
        f->file = temp_file(100, FILE_FLAG_OVERLAPPED);
        f->done = &done;
        CHECK(ReadFileEx(f->file, f->buffer, sizeof f->buffer, &f->ov, free_all));
        if (i % 7 == 0)
            SleepEx(0, TRUE);
    }
    while (done < 50)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            break;
    CHECK_EQ(done, 50);
}

TEST(routine_hears_of_errors, "APC-14 APC-11")
{
    unsigned char buffer[10];
    struct answer a = {.bytes = 77};
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    a.ov.Offset = 100; /* at the end: told by the call or by the routine, never by both */
    SetLastError(0xDEADBEEF);
    if (ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine)) {
        if (await(&a)) {
            CHECK_EQ(a.error, ERROR_HANDLE_EOF);
            CHECK_EQ(a.bytes, 0);
        }
    } else {
        CHECK_LASTERR(ERROR_HANDLE_EOF);
        CHECK_EQ(SleepEx(0, TRUE), 0);
        CHECK_EQ(a.runs, 0);
    }
    CloseHandle(file);
    a.runs = 0;
    CHECK_ERR(ReadFileEx(file, buffer, sizeof buffer, &a.ov, file_routine), ERROR_INVALID_HANDLE);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(a.runs, 0);
}

TEST(cancelled_socket_read_calls_back_995, "APC-14 APC-12 CANCEL-11")
{
    SOCKET pair[2];
    char buffer[2][8];
    struct answer a = {.bytes = 77}, b = {.bytes = 77};
    DWORD flags = 0;
    WSABUF buf = {sizeof buffer[1], buffer[1]};
    REQUIRE(tcp_pair(pair));
    CHECK(ReadFileEx((HANDLE)pair[0], buffer[0], sizeof buffer[0], &a.ov, file_routine));
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &b.ov, socket_routine), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(SleepEx(10, TRUE), 0);
    CHECK(!HasOverlappedIoCompleted(&a.ov));
    CHECK(CancelIo((HANDLE)pair[0]));
    CHECK_EQ(a.runs, 0);
    while (a.runs + b.runs < 2)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            break;
    CHECK_EQ(a.runs, 1);
    CHECK_EQ(a.error, ERROR_OPERATION_ABORTED);
    CHECK_EQ(a.bytes, 0);
    CHECK_EQ(b.runs, 1);
    CHECK_EQ(b.error, WSA_OPERATION_ABORTED);
    CHECK_EQ(b.bytes, 0);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(all_routines_before_the_wait_returns, "APC-15 APC-12")
{
    enum { N = 40 };
    unsigned char buffers[N][16];
    struct answer answers[N];
    HANDLE event = auto_event(), file = temp_file(4096, FILE_FLAG_OVERLAPPED);
    int ran = 0;
    REQUIRE(file != INVALID_HANDLE_VALUE);
    memset(answers, 0, sizeof answers);
    for (int i = 0; i < N; i++) {
        answers[i].ov.Offset = i * 50;
        CHECK(ReadFileEx(file, buffers[i], 16, &answers[i].ov, file_routine));
    }
    for (int i = 0; i < N; i++)
        CHECK(WITHIN(20000, HasOverlappedIoCompleted(&answers[i].ov)));
    Sleep(1); /* not alertable: nothing runs */
    for (int i = 0; i < N; i++)
        ran += answers[i].runs;
    CHECK_EQ(ran, 0);
    CHECK_EQ(WaitForSingleObjectEx(event, 10000, TRUE), WAIT_IO_COMPLETION);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(answers[i].runs, 1);
        CHECK_EQ(answers[i].bytes, 16);
        CHECK_EQ(buffers[i][0], pattern(i * 50));
    }
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CloseHandle(event);
    CloseHandle(file);
}

/* ---- Winsock routines ---- */

TEST(routine_of_a_receive, "APC-16 APC-12")
{
    SOCKET pair[2];
    char buffer[8];
    struct answer a = {.flags = 99};
    WSABUF buf = {sizeof buffer, buffer};
    DWORD flags = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &a.ov, socket_routine), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "hello", 5));
    CHECK(WITHIN(20000, HasOverlappedIoCompleted(&a.ov)));
    CHECK_EQ(a.runs, 0);
    CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(a.runs, 1);
    CHECK_EQ(a.error, 0);
    CHECK_EQ(a.bytes, 5);
    CHECK_EQ(a.flags, 0);
    CHECK_EQ(a.thread, GetCurrentThreadId());
    CHECK_MEM(buffer, "hello", 5);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(routine_although_the_call_returned_0, "APC-16")
{
    SOCKET pair[2];
    char buffer[8];
    struct answer r = {0}, s = {0};
    WSABUF in = {sizeof buffer, buffer}, out = {3, (char *)"abc"};
    DWORD flags = 0, bytes = 0;
    REQUIRE(tcp_pair(pair));
    int result = WSASend(pair[1], &out, 1, &bytes, 0, &s.ov, socket_routine);
    CHECK(result == 0 || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_EQ(s.runs, 0);
    if (await(&s)) {
        CHECK_EQ(s.error, 0);
        CHECK_EQ(s.bytes, 3);
    }
    u_long waiting = 0;
    CHECK(WITHIN(20000, !ioctlsocket(pair[0], FIONREAD, &waiting) && waiting == 3));
    result = WSARecv(pair[0], &in, 1, &bytes, &flags, &r.ov, socket_routine);
    CHECK(result == 0 || WSAGetLastError() == WSA_IO_PENDING);
    if (!result)
        CHECK_EQ(bytes, 3);
    CHECK_EQ(r.runs, 0);
    if (await(&r)) {
        CHECK_EQ(r.runs, 1);
        CHECK_EQ(r.error, 0);
        CHECK_EQ(r.bytes, 3);
    }
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(r.runs, 1);
    CHECK_EQ(s.runs, 1);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* A receive that starts the next one from its routine. */
struct chain {
    OVERLAPPED ov;
    SOCKET socket;
    char byte;
    int depth, deepest, count, wrong;
};

static void CALLBACK chain_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    struct chain *c = (struct chain *)ov;
    WSABUF buf = {1, &c->byte};
    DWORD recv_flags = 0;
    if (++c->depth > c->deepest)
        c->deepest = c->depth;
    c->wrong += error || bytes != 1 || flags || c->byte != (char)('a' + c->count % 26);
    if (++c->count < 100 && WSARecv(c->socket, &buf, 1, NULL, &recv_flags, ov, chain_routine) &&
        WSAGetLastError() != WSA_IO_PENDING)
        c->wrong++;
    c->depth--;
}

TEST(routine_starts_the_next_receive, "APC-17 APC-16")
{
    SOCKET pair[2];
    struct chain c = {0};
    WSABUF buf = {1, &c.byte};
    DWORD flags = 0;
    char text[100];
    REQUIRE(tcp_pair(pair));
    for (int i = 0; i < 100; i++)
        text[i] = (char)('a' + i % 26);
    c.socket = pair[0];
    WSARecv(pair[0], &buf, 1, NULL, &flags, &c.ov, chain_routine);
    CHECK(send_all(pair[1], text, 100));
    while (c.count < 100)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            break;
    CHECK_EQ(c.count, 100);
    CHECK_EQ(c.wrong, 0);
    CHECK_EQ(c.deepest, 1);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* ---- blocking Winsock calls ---- */

struct blocked {
    SOCKET socket;
    int how; /* 0 recv, 1 accept, 2 select */
    HANDLE ready;
    DWORD thread;
    int result;
    char byte;
};

THREAD_FN(blocks_in_winsock)
{
    struct blocked *b = arg;
    fd_set set;
    b->thread = GetCurrentThreadId();
    FD_ZERO(&set);
    FD_SET(b->socket, &set);
    SetEvent(b->ready);
    if (b->how == 0)
        b->result = recv(b->socket, &b->byte, 1, 0);
    else if (b->how == 1) {
        SOCKET s = accept(b->socket, NULL, NULL);
        b->result = s == INVALID_SOCKET ? SOCKET_ERROR : 1;
        closesocket(s);
    } else
        b->result = select((int)b->socket + 1, &set, NULL, NULL, NULL);
    return 0;
}

static void apc_during(struct blocked *b, const struct sockaddr_in *address, SOCKET peer)
{
    struct note note = {0};
    b->ready = auto_event();
    HANDLE thread = start_thread(blocks_in_winsock, b);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(b->ready, 20000), WAIT_OBJECT_0);
    CHECK(QueueUserAPC(note_run, thread, (ULONG_PTR)&note) != 0);
    CHECK_MSG(WITHIN(conform_wine ? 1500 : 20000, runs(&note) == 1), "no APC ran in blocking call %d",
              b->how);
    CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT); /* and the call goes on */
    if (address)
        CHECK_EQ(connect(peer, (const struct sockaddr *)address, sizeof *address), 0);
    else
        CHECK_EQ(send(peer, "x", 1, 0), 1);
    JOIN(thread);
    CHECK_EQ(b->result, 1);
    if (runs(&note))
        CHECK_EQ(note.thread, b->thread);
    CloseHandle(b->ready);
}

TEST(blocking_recv_is_alertable, "APC-20")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct blocked b = {.socket = pair[0], .how = 0};
    apc_during(&b, NULL, pair[1]);
    CHECK_EQ(b.byte, 'x');
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* Its stack is gone then: nobody may look for the call there. */
static void apc_ends(int how)
{
    SOCKET pair[2];
    DWORD code = 0;
    REQUIRE(tcp_pair(pair));
    struct blocked b = {.socket = pair[0], .how = how, .ready = auto_event()};
    HANDLE thread = start_thread(blocks_in_winsock, &b);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(b.ready, 20000), WAIT_OBJECT_0);
    CHECK(QueueUserAPC(end_thread, thread, 78) != 0);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 78);
    CloseHandle(thread);
    CloseHandle(b.ready);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(recv(pair[1], &b.byte, 1, 0), 0);
    closesocket(pair[1]);
}

TEST(may_end_a_thread_that_blocks, "APC-20 APC-10 THREAD-02")
{
    apc_ends(0);
    apc_ends(2);
}

TEST(blocking_select_is_alertable, "APC-20")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct blocked b = {.socket = pair[0], .how = 2};
    apc_during(&b, NULL, pair[1]);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST_W8(blocking_accept_is_alertable, "APC-20", "Wine 8 waits in accept without being alertable")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address);
    SOCKET peer = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(listener != INVALID_SOCKET);
    struct blocked b = {.socket = listener, .how = 1};
    apc_during(&b, &address, peer);
    closesocket(peer);
    closesocket(listener);
}
