/* SPDX-License-Identifier: MIT */
/*
 * Locks in the program's own memory: critical sections, slim reader/writer locks, condition variables,
 * one-time initialisation, waiting on an address.
 */
#include "conform.h"

/* ---- critical sections ---- */

struct excluded {
    CRITICAL_SECTION *section;
    volatile LONG *inside;
    LONG rounds, wrong;
    LONG *plain;
};

THREAD_FN(enters)
{
    struct excluded *e = arg;
    for (LONG i = 0; i < e->rounds; i++) {
        EnterCriticalSection(e->section);
        EnterCriticalSection(e->section);
        e->wrong += InterlockedIncrement(e->inside) != 1;
        LONG seen = *e->plain;
        if (i % 32 == 0)
            SwitchToThread();
        *e->plain = seen + 1;
        InterlockedDecrement(e->inside);
        LeaveCriticalSection(e->section);
        e->wrong += TryEnterCriticalSection(e->section) == 0; /* still ours */
        LeaveCriticalSection(e->section);
        LeaveCriticalSection(e->section);
    }
    return 0;
}

TEST(section_excludes, "SYNC-01")
{
    CRITICAL_SECTION section;
    volatile LONG inside = 0;
    LONG plain = 0, rounds = 5000;
    struct excluded e[4];
    HANDLE threads[4];
    InitializeCriticalSection(&section);
    for (int i = 0; i < 4; i++) {
        e[i] = (struct excluded){&section, &inside, rounds, 0, &plain};
        threads[i] = start_thread(enters, &e[i]);
    }
    for (int i = 0; i < 4; i++) {
        JOIN(threads[i]);
        CHECK_EQ(e[i].wrong, 0);
    }
    CHECK_EQ(plain, 4 * rounds);
    DeleteCriticalSection(&section);
}

struct tries {
    CRITICAL_SECTION *section;
    HANDLE said, step;
    BOOL first, second, third;
};

THREAD_FN(tries_to_enter)
{
    struct tries *t = arg;
    t->first = TryEnterCriticalSection(t->section);
    SignalObjectAndWait(t->said, t->step, 20000, FALSE);
    t->second = TryEnterCriticalSection(t->section);
    SignalObjectAndWait(t->said, t->step, 20000, FALSE);
    t->third = TryEnterCriticalSection(t->section);
    if (t->third)
        LeaveCriticalSection(t->section);
    return 0;
}

TEST(one_leave_per_enter, "SYNC-01 SYNC-02")
{
    CRITICAL_SECTION section;
    struct tries t = {&section, auto_event(), auto_event(), 9, 9, 9};
    CHECK(InitializeCriticalSectionAndSpinCount(&section, 100));
    EnterCriticalSection(&section);
    CHECK(TryEnterCriticalSection(&section) != 0); /* owned by the caller */
    HANDLE thread = start_thread(tries_to_enter, &t);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(t.said, 20000), WAIT_OBJECT_0);
    LeaveCriticalSection(&section);
    CHECK_EQ(SignalObjectAndWait(t.step, t.said, 20000, FALSE), WAIT_OBJECT_0);
    LeaveCriticalSection(&section);
    SetEvent(t.step);
    JOIN(thread);
    CHECK_EQ(t.first, 0);
    CHECK_EQ(t.second, 0); /* two enters, one leave */
    CHECK(t.third != 0);
    CHECK(TryEnterCriticalSection(&section) != 0); /* free */
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    CHECK(InitializeCriticalSectionEx(&section, 0, 0)); /* the memory may be used again */
    EnterCriticalSection(&section);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    CloseHandle(t.said);
    CloseHandle(t.step);
}

struct blocked {
    CRITICAL_SECTION *section;
    volatile LONG came, in;
};

THREAD_FN(enters_once)
{
    struct blocked *b = arg;
    InterlockedIncrement(&b->came);
    EnterCriticalSection(b->section);
    InterlockedIncrement(&b->in);
    LeaveCriticalSection(b->section);
    return 0;
}

TEST(section_blocks_until_left, "SYNC-01")
{
    CRITICAL_SECTION section;
    struct blocked b = {.section = &section};
    HANDLE threads[3];
    InitializeCriticalSection(&section);
    EnterCriticalSection(&section);
    for (int i = 0; i < 3; i++)
        threads[i] = start_thread(enters_once, &b);
    CHECK(WITHIN(10000, LOOK(b.came) == 3));
    CHECK_EQ(WaitForMultipleObjects(3, threads, FALSE, 30), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(b.in), 0);
    LeaveCriticalSection(&section);
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    CHECK_EQ(LOOK(b.in), 3);
    DeleteCriticalSection(&section);
}

/* ---- slim locks ---- */

struct slim {
    SRWLOCK *lock;
    struct meeting *inside;
    volatile LONG *readers, *writers;
    LONG rounds, wrong, *plain;
};

THREAD_FN(reads_together)
{
    struct slim *s = arg;
    AcquireSRWLockShared(s->lock);
    meet(s->inside); /* ends only when all hold it at once */
    ReleaseSRWLockShared(s->lock);
    return 0;
}

TEST(slim_lock_admits_many_readers, "SYNC-03")
{
    SRWLOCK lock, fixed = SRWLOCK_INIT;
    struct meeting inside = {.need = 4};
    HANDLE threads[3];
    memset(&lock, 0, sizeof lock);
    CHECK_EQ(sizeof(SRWLOCK), sizeof(void *));
    CHECK_MEM(&lock, &fixed, sizeof lock);
    struct slim s = {.lock = &lock, .inside = &inside};
    for (int i = 0; i < 3; i++)
        threads[i] = start_thread(reads_together, &s);
    AcquireSRWLockShared(&lock);
    meet(&inside);
    CHECK(!TryAcquireSRWLockExclusive(&lock));
    ReleaseSRWLockShared(&lock);
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    CHECK(TryAcquireSRWLockExclusive(&lock));
    CHECK(!TryAcquireSRWLockExclusive(&lock)); /* not recursive */
    CHECK(!TryAcquireSRWLockShared(&lock));
    ReleaseSRWLockExclusive(&lock);
    CHECK(TryAcquireSRWLockShared(&lock));
    CHECK(!TryAcquireSRWLockExclusive(&lock));
    CHECK(TryAcquireSRWLockShared(&lock));
    ReleaseSRWLockShared(&lock);
    CHECK(!TryAcquireSRWLockExclusive(&lock)); /* one reader is left */
    ReleaseSRWLockShared(&lock);
    CHECK(TryAcquireSRWLockExclusive(&lock));
    ReleaseSRWLockExclusive(&lock);
    InitializeSRWLock(&lock);
    CHECK_MEM(&lock, &fixed, sizeof lock);
}

THREAD_FN(reads_and_writes)
{
    struct slim *s = arg;
    for (LONG i = 0; i < s->rounds; i++) {
        if (i % 3) {
            AcquireSRWLockShared(s->lock);
            InterlockedIncrement(s->readers);
            s->wrong += InterlockedExchangeAdd(s->writers, 0) != 0;
            InterlockedDecrement(s->readers);
            ReleaseSRWLockShared(s->lock);
        } else {
            AcquireSRWLockExclusive(s->lock);
            s->wrong += InterlockedIncrement(s->writers) != 1;
            s->wrong += InterlockedExchangeAdd(s->readers, 0) != 0;
            LONG seen = *s->plain;
            if (i % 30 == 0)
                SwitchToThread();
            *s->plain = seen + 1;
            InterlockedDecrement(s->writers);
            ReleaseSRWLockExclusive(s->lock);
        }
    }
    return 0;
}

TEST(slim_lock_admits_one_writer, "SYNC-03")
{
    SRWLOCK lock = SRWLOCK_INIT;
    volatile LONG readers = 0, writers = 0;
    LONG plain = 0, rounds = 6000;
    struct slim s[4];
    HANDLE threads[4];
    for (int i = 0; i < 4; i++) {
        s[i] = (struct slim){&lock, NULL, &readers, &writers, rounds, 0, &plain};
        threads[i] = start_thread(reads_and_writes, &s[i]);
    }
    for (int i = 0; i < 4; i++) {
        JOIN(threads[i]);
        CHECK_EQ(s[i].wrong, 0);
    }
    CHECK_EQ(plain, 4 * rounds / 3);
}

/* ---- condition variables: the same tests over the two kinds of lock ---- */

struct condition {
    CONDITION_VARIABLE variable;
    CRITICAL_SECTION section;
    SRWLOCK slim;
    int kind; /* 0 critical section, 1 slim exclusive, 2 slim shared */
    LONG tokens, taken, sleeping; /* under the lock */
};

static const char *const kinds[] = {"critical section", "slim exclusive", "slim shared"};

static void condition_init(struct condition *c, int kind)
{
    memset(c, 0, sizeof *c);
    c->kind = kind;
    InitializeConditionVariable(&c->variable);
    InitializeCriticalSection(&c->section);
}

static void lock(struct condition *c)
{
    if (c->kind == 0)
        EnterCriticalSection(&c->section);
    else
        AcquireSRWLockExclusive(&c->slim);
}

static void unlock(struct condition *c)
{
    if (c->kind == 0)
        LeaveCriticalSection(&c->section);
    else
        ReleaseSRWLockExclusive(&c->slim);
}

static BOOL sleep_on(struct condition *c, DWORD timeout)
{
    if (c->kind == 0)
        return SleepConditionVariableCS(&c->variable, &c->section, timeout);
    return SleepConditionVariableSRW(&c->variable, &c->slim, timeout, 0);
}

THREAD_FN(takes_token)
{
    struct condition *c = arg;
    lock(c);
    c->sleeping++;
    while (!c->tokens)
        if (!sleep_on(c, 20000)) {
            FAIL("%s: nobody woke this sleeper", kinds[c->kind]);
            break;
        }
    c->sleeping--;
    c->tokens--;
    c->taken++;
    unlock(c);
    return 0;
}

static LONG locked_read(struct condition *c, const LONG *value)
{
    lock(c);
    LONG seen = *value;
    unlock(c);
    return seen;
}

TEST(wake_one_and_all, "SYNC-04 SYNC-06")
{
    for (int kind = 0; kind < 2; kind++) {
        struct condition c;
        HANDLE threads[5];
        condition_init(&c, kind);
        for (int i = 0; i < 5; i++)
            threads[i] = start_thread(takes_token, &c);
        /* Who counts himself in holds the lock until he sleeps: sleeping releases it. */
        CHECK(WITHIN(10000, locked_read(&c, &c.sleeping) == 5));
        CHECK_EQ(locked_read(&c, &c.taken), 0);
        for (LONG i = 1; i <= 2; i++) {
            lock(&c);
            c.tokens++;
            WakeConditionVariable(&c.variable);
            unlock(&c);
            CHECK(WITHIN(10000, locked_read(&c, &c.taken) == i));
        }
        CHECK_EQ(WaitForMultipleObjects(5, threads, TRUE, 20), WAIT_TIMEOUT);
        lock(&c);
        c.tokens = 3;
        WakeAllConditionVariable(&c.variable);
        unlock(&c);
        for (int i = 0; i < 5; i++)
            JOIN(threads[i]);
        CHECK_EQ(c.taken, 5);
        CHECK_EQ(c.tokens, 0);
        DeleteCriticalSection(&c.section);
    }
}

TEST(condition_times_out, "SYNC-05 SYNC-04")
{
    for (int kind = 0; kind < 2; kind++) {
        struct condition c;
        condition_init(&c, kind);
        lock(&c);
        double start = now_ms();
        CHECK_ERR(sleep_on(&c, 50), ERROR_TIMEOUT);
        double took = now_ms() - start;
        CHECK_MSG(took >= 35, "%s: slept %.1f ms of 50", kinds[kind], took);
        CHECK_EQ(ERROR_TIMEOUT, 1460);
        CHECK_ERR(sleep_on(&c, 0), ERROR_TIMEOUT);
        /* The lock is held: nobody else gets it now, everybody afterwards. */
        c.tokens = 0;
        HANDLE thread = start_thread(takes_token, &c);
        CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
        CHECK_EQ(c.sleeping, 0);
        c.tokens = 1;
        unlock(&c);
        JOIN(thread);
        CHECK_EQ(c.taken, 1);
        DeleteCriticalSection(&c.section);
    }
}

TEST(wake_without_sleepers_is_not_kept, "SYNC-05 SYNC-06")
{
    for (int kind = 0; kind < 2; kind++) {
        struct condition c;
        condition_init(&c, kind);
        WakeConditionVariable(&c.variable);
        WakeAllConditionVariable(&c.variable);
        lock(&c);
        CHECK_ERR(sleep_on(&c, 20), ERROR_TIMEOUT);
        unlock(&c);
        DeleteCriticalSection(&c.section);
    }
}

/* A full/empty slot between one producer and one consumer: a lost wake would stop it. */
struct slot {
    struct condition c;
    CONDITION_VARIABLE emptied;
    LONG full, value, rounds, wrong;
};

static BOOL sleep_in_slot(struct slot *s, CONDITION_VARIABLE *variable)
{
    if (s->c.kind == 0)
        return SleepConditionVariableCS(variable, &s->c.section, 10000);
    return SleepConditionVariableSRW(variable, &s->c.slim, 10000, 0);
}

THREAD_FN(consumes)
{
    struct slot *s = arg;
    for (LONG i = 0; i < s->rounds; i++) {
        lock(&s->c);
        while (!s->full)
            if (!sleep_in_slot(s, &s->c.variable)) {
                InterlockedIncrement(&s->wrong);
                break;
            }
        if (s->value != i)
            InterlockedIncrement(&s->wrong);
        s->full = 0;
        WakeConditionVariable(&s->emptied);
        unlock(&s->c);
        if (LOOK(s->wrong))
            break;
    }
    return 0;
}

TEST(no_wake_is_lost, "SYNC-06 SYNC-04")
{
    for (int kind = 0; kind < 2; kind++) {
        struct slot s = {.rounds = 5000};
        condition_init(&s.c, kind);
        InitializeConditionVariable(&s.emptied);
        HANDLE thread = start_thread(consumes, &s);
        REQUIRE(thread != NULL);
        for (LONG i = 0; i < s.rounds && !LOOK(s.wrong); i++) {
            lock(&s.c);
            while (s.full)
                if (!CHECK(sleep_in_slot(&s, &s.emptied)))
                    break;
            s.full = 1;
            s.value = i;
            WakeConditionVariable(&s.c.variable);
            unlock(&s.c);
        }
        JOIN(thread);
        CHECK_EQ(s.wrong, 0);
        DeleteCriticalSection(&s.c.section);
    }
}

THREAD_FN(wakes_readers)
{
    struct condition *c = arg;
    AcquireSRWLockExclusive(&c->slim); /* only when the reader sleeps, or before it came */
    c->tokens = 1;
    WakeAllConditionVariable(&c->variable);
    ReleaseSRWLockExclusive(&c->slim);
    return 0;
}

TEST(sleep_with_a_shared_lock, "SYNC-04 SYNC-05")
{
    struct condition c;
    condition_init(&c, 2);
    AcquireSRWLockShared(&c.slim);
    HANDLE thread = start_thread(wakes_readers, &c);
    REQUIRE(thread != NULL);
    ULONG shared = CONDITION_VARIABLE_LOCKMODE_SHARED;
    while (!c.tokens)
        if (!CHECK(SleepConditionVariableSRW(&c.variable, &c.slim, 10000, shared)))
            break;
    CHECK_EQ(c.tokens, 1);
    JOIN(thread);
    CHECK(!TryAcquireSRWLockExclusive(&c.slim)); /* held again, and shared */
    CHECK(TryAcquireSRWLockShared(&c.slim));
    ReleaseSRWLockShared(&c.slim);
    CHECK_ERR(SleepConditionVariableSRW(&c.variable, &c.slim, 20, shared), ERROR_TIMEOUT);
    CHECK(!TryAcquireSRWLockExclusive(&c.slim));
    ReleaseSRWLockShared(&c.slim);
    CHECK(TryAcquireSRWLockExclusive(&c.slim));
    ReleaseSRWLockExclusive(&c.slim);
    DeleteCriticalSection(&c.section);
}

TEST(recursive_section_is_left_once, "SYNC-04")
{
    struct condition c;
    condition_init(&c, 0);
    lock(&c);
    CHECK_ERR(sleep_on(&c, 10), ERROR_TIMEOUT);
    CHECK(TryEnterCriticalSection(&c.section) != 0);
    LeaveCriticalSection(&c.section);
    HANDLE thread = start_thread(takes_token, &c);
    CHECK_EQ(WaitForSingleObject(thread, 10), WAIT_TIMEOUT);
    c.tokens = 1;
    unlock(&c);
    JOIN(thread);
    DeleteCriticalSection(&c.section);
}

/* ---- once ---- */

static volatile LONG once_runs, once_fail;
static HANDLE once_gate;

static BOOL CALLBACK once_fn(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    CHECK(once != NULL);
    LONG run = InterlockedIncrement(&once_runs);
    if (once_gate)
        CHECK_EQ(WaitForSingleObject(once_gate, 20000), WAIT_OBJECT_0);
    if (run <= once_fail) {
        SetLastError(1234);
        return FALSE;
    }
    if (context)
        *context = parameter;
    return TRUE;
}

struct caller {
    INIT_ONCE *once;
    volatile LONG *came;
    BOOL result;
    void *context;
};

THREAD_FN(calls_once)
{
    struct caller *c = arg;
    InterlockedIncrement(c->came);
    c->result = InitOnceExecuteOnce(c->once, once_fn, (void *)(ULONG_PTR)0x1000, &c->context);
    return 0;
}

TEST(once_runs_once_and_others_wait, "SYNC-07")
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    volatile LONG came = 0;
    struct caller callers[4];
    HANDLE threads[4];
    void *context = NULL;
    once_runs = once_fail = 0;
    once_gate = manual_event();
    for (int i = 0; i < 4; i++) {
        callers[i] = (struct caller){&once, &came, 9, NULL};
        threads[i] = start_thread(calls_once, &callers[i]);
    }
    CHECK(WITHIN(10000, LOOK(came) == 4 && LOOK(once_runs) == 1));
    CHECK_EQ(WaitForMultipleObjects(4, threads, FALSE, 20), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(once_runs), 1);
    SetEvent(once_gate);
    for (int i = 0; i < 4; i++) {
        JOIN(threads[i]);
        CHECK_EQ(callers[i].result, TRUE);
        CHECK_EQ((ULONG_PTR)callers[i].context, 0x1000);
    }
    CHECK_EQ(LOOK(once_runs), 1);
    CHECK(InitOnceExecuteOnce(&once, once_fn, (void *)(ULONG_PTR)0x2000, &context));
    CHECK_EQ((ULONG_PTR)context, 0x1000); /* the first one's, for ever */
    CHECK(InitOnceExecuteOnce(&once, once_fn, NULL, NULL));
    CHECK_EQ(LOOK(once_runs), 1);
    CloseHandle(once_gate);
    once_gate = NULL;
}

TEST(once_that_fails_runs_again, "SYNC-08 SYNC-07")
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    void *context = NULL;
    once_runs = 0;
    once_fail = 2;
    CHECK(!InitOnceExecuteOnce(&once, once_fn, (void *)(ULONG_PTR)0x1000, &context));
    CHECK(!InitOnceExecuteOnce(&once, once_fn, (void *)(ULONG_PTR)0x2000, &context));
    CHECK_EQ(LOOK(once_runs), 2);
    CHECK(InitOnceExecuteOnce(&once, once_fn, (void *)(ULONG_PTR)0x3000, &context));
    CHECK_EQ((ULONG_PTR)context, 0x3000);
    CHECK(InitOnceExecuteOnce(&once, once_fn, (void *)(ULONG_PTR)0x4000, &context));
    CHECK_EQ((ULONG_PTR)context, 0x3000);
    CHECK_EQ(LOOK(once_runs), 3);
}

TEST(failure_hands_on_to_a_waiter, "SYNC-08")
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    volatile LONG came = 0;
    struct caller callers[3];
    HANDLE threads[3];
    int failed = 0, good = 0;
    once_runs = 0;
    once_fail = 1;
    once_gate = manual_event();
    for (int i = 0; i < 3; i++) {
        callers[i] = (struct caller){&once, &came, 9, NULL};
        threads[i] = start_thread(calls_once, &callers[i]);
    }
    CHECK(WITHIN(10000, LOOK(came) == 3 && LOOK(once_runs) == 1));
    SetEvent(once_gate);
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        failed += callers[i].result == FALSE;
        good += callers[i].result == TRUE && callers[i].context == (void *)(ULONG_PTR)0x1000;
    }
    CHECK_EQ(failed, 1);
    CHECK_EQ(good, 2);
    CHECK_EQ(LOOK(once_runs), 2);
    CloseHandle(once_gate);
    once_gate = NULL;
}

struct beginner {
    INIT_ONCE *once;
    volatile LONG came;
    BOOL result, pending;
    void *context;
};

THREAD_FN(begins)
{
    struct beginner *b = arg;
    InterlockedIncrement(&b->came);
    b->result = InitOnceBeginInitialize(b->once, 0, &b->pending, &b->context);
    return 0;
}

TEST(begin_and_complete, "SYNC-09")
{
    INIT_ONCE once;
    BOOL pending = 9;
    void *context = NULL;
    InitOnceInitialize(&once);
    CHECK(!InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context)); /* not begun */
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context));
    CHECK_EQ(pending, TRUE);
    struct beginner b = {.once = &once, .result = 9, .pending = 9};
    HANDLE thread = start_thread(begins, &b);
    REQUIRE(thread != NULL);
    CHECK(WITHIN(10000, LOOK(b.came) == 1));
    CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
    CHECK(!InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context)); /* begun, not done */
    CHECK(InitOnceComplete(&once, 0, (void *)(ULONG_PTR)0x5000));
    JOIN(thread);
    CHECK_EQ(b.result, TRUE);
    CHECK_EQ(b.pending, FALSE);
    CHECK_EQ((ULONG_PTR)b.context, 0x5000);
    pending = 9;
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_CHECK_ONLY, &pending, &context));
    CHECK_EQ(pending, FALSE);
    CHECK_EQ((ULONG_PTR)context, 0x5000);
    context = NULL;
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context));
    CHECK_EQ(pending, FALSE);
    CHECK_EQ((ULONG_PTR)context, 0x5000);
}

TEST(complete_with_failure, "SYNC-09 SYNC-08")
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    BOOL pending = 9;
    void *context = NULL;
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context));
    struct beginner b = {.once = &once, .result = 9, .pending = 9};
    HANDLE thread = start_thread(begins, &b);
    CHECK(WITHIN(10000, LOOK(b.came) == 1));
    CHECK(InitOnceComplete(&once, INIT_ONCE_INIT_FAILED, NULL));
    JOIN(thread);
    CHECK_EQ(b.result, TRUE);
    CHECK_EQ(b.pending, TRUE); /* now it is the other one's turn */
    CHECK(InitOnceComplete(&once, 0, (void *)(ULONG_PTR)0x6000));
    CHECK(InitOnceBeginInitialize(&once, 0, &pending, &context));
    CHECK_EQ(pending, FALSE);
    CHECK_EQ((ULONG_PTR)context, 0x6000);
}

TEST(asynchronous_once, "SYNC-09")
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    BOOL pending = 9;
    void *context = NULL;
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending, &context));
    CHECK_EQ(pending, TRUE);
    pending = 9;
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending, &context)); /* side by side */
    CHECK_EQ(pending, TRUE);
    CHECK(InitOnceComplete(&once, INIT_ONCE_ASYNC, (void *)(ULONG_PTR)0x7000));
    CHECK(!InitOnceComplete(&once, INIT_ONCE_ASYNC, (void *)(ULONG_PTR)0x8000)); /* came second */
    CHECK(InitOnceBeginInitialize(&once, INIT_ONCE_ASYNC, &pending, &context));
    CHECK_EQ(pending, FALSE);
    CHECK_EQ((ULONG_PTR)context, 0x7000);
}

/* ---- waiting on an address ---- */

TEST(address_differs, "SYNC-10")
{
    BYTE one = 5, same1 = 5, other1 = 6;
    WORD two = 0x1234, same2 = 0x1234, other2 = 0x1235;
    LONG four = 0x12345678, same4 = 0x12345678, other4 = 0x12345679;
    LONG64 eight = 0x123456789ABCDEF0, same8 = eight, other8 = eight ^ ((LONG64)1 << 40);
    CHECK(WaitOnAddress(&one, &other1, 1, INFINITE));
    CHECK(WaitOnAddress(&two, &other2, 2, INFINITE));
    CHECK(WaitOnAddress(&four, &other4, 4, INFINITE));
    CHECK(WaitOnAddress(&eight, &other8, 8, INFINITE)); /* only the upper half differs */
    CHECK_ERR(WaitOnAddress(&one, &same1, 1, 10), ERROR_TIMEOUT);
    CHECK_ERR(WaitOnAddress(&two, &same2, 2, 10), ERROR_TIMEOUT);
    CHECK_ERR(WaitOnAddress(&four, &same4, 4, 10), ERROR_TIMEOUT);
    CHECK_ERR(WaitOnAddress(&eight, &same8, 8, 10), ERROR_TIMEOUT);
    CHECK_ERR(WaitOnAddress(&four, &same4, 4, 0), ERROR_TIMEOUT);
    double start = now_ms();
    CHECK_ERR(WaitOnAddress(&four, &same4, 4, 50), ERROR_TIMEOUT);
    double took = now_ms() - start;
    CHECK_MSG(took >= 35, "slept %.1f ms of 50", took);
    CHECK_EQ(sizeof(LONG), 4);
}

TEST(address_sizes, "SYNC-10")
{
    LONG64 value = 0, same = 0;
    CHECK_ERR(WaitOnAddress(&value, &same, 3, 10), ERROR_INVALID_PARAMETER);
    CHECK_ERR(WaitOnAddress(&value, &same, 0, 10), ERROR_INVALID_PARAMETER);
    CHECK_ERR(WaitOnAddress(&value, &same, 16, 10), ERROR_INVALID_PARAMETER);
}

struct napper {
    volatile LONG *address;
    LONG value, undesired; /* goes on sleeping while *address is `undesired` */
    volatile LONG *came, *gone;
};

THREAD_FN(naps)
{
    struct napper *n = arg;
    LONG undesired = n->undesired;
    InterlockedIncrement(n->came);
    while (LOOK(*n->address) == undesired)
        if (!WaitOnAddress(n->address, &undesired, sizeof undesired, 15000)) {
            FAIL("nobody woke this sleeper");
            break;
        }
    InterlockedIncrement(n->gone);
    return 0;
}

TEST(wake_all_of_one_address, "SYNC-11 SYNC-10")
{
    volatile LONG addresses[2] = {0, 0}, came = 0, gone[2] = {0, 0};
    struct napper n[6];
    HANDLE threads[6];
    for (int i = 0; i < 6; i++) {
        n[i] = (struct napper){&addresses[i & 1], 0, 0, &came, &gone[i & 1]};
        threads[i] = start_thread(naps, &n[i]);
    }
    CHECK(WITHIN(10000, LOOK(came) == 6));
    InterlockedExchange(&addresses[0], 1);
    WakeByAddressAll((PVOID)&addresses[0]);
    CHECK(WITHIN(10000, LOOK(gone[0]) == 3));
    CHECK_EQ(WaitForSingleObject(threads[1], 20), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(gone[1]), 0);
    InterlockedExchange(&addresses[1], 1);
    WakeByAddressAll((PVOID)&addresses[1]);
    for (int i = 0; i < 6; i++)
        JOIN(threads[i]);
    CHECK_EQ(LOOK(gone[1]), 3);
}

/* Sleeps without a loop, so that every return is one wake. */
struct dozer {
    volatile LONG *address;
    volatile LONG came, woken, failed;
};

THREAD_FN(dozes)
{
    struct dozer *d = arg;
    LONG undesired = 0;
    InterlockedIncrement(&d->came);
    if (WaitOnAddress(d->address, &undesired, sizeof undesired, 15000))
        InterlockedIncrement(&d->woken);
    else
        InterlockedIncrement(&d->failed);
    return 0;
}

TEST(wake_single_wakes_one, "SYNC-11")
{
    LONG most_at_first = 0;
    for (int round = 0; round < 3; round++) {
        volatile LONG address = 0, other = 0;
        struct dozer d = {.address = &address}, e = {.address = &other};
        HANDLE threads[4];
        for (int i = 0; i < 3; i++)
            threads[i] = start_thread(dozes, &d);
        threads[3] = start_thread(dozes, &e);
        CHECK(WITHIN(10000, LOOK(d.came) == 3 && LOOK(e.came) == 1));
        for (int i = 0; i < 4; i++)
            until_asleep(GetThreadId(threads[i]));
        LONG wakes = 0;
        for (LONG want = 1; want <= 3; want++) {
            for (LONG tries = 0; LOOK(d.woken) < want && tries < 5000; tries++) {
                WakeByAddressSingle((PVOID)&address);
                wakes++;
                WITHIN(10, LOOK(d.woken) >= want);
            }
            CHECK_MSG(LOOK(d.woken) <= wakes, "%d wakes let %d go", (int)wakes, (int)LOOK(d.woken));
            if (want == 1)
                most_at_first = wakes > most_at_first ? wakes : most_at_first;
        }
        CHECK_EQ(LOOK(e.woken), 0); /* another address stays asleep */
        WakeByAddressSingle((PVOID)&other);
        if (WaitForSingleObject(threads[3], 20) == WAIT_TIMEOUT)
            WITHIN(20000, (WakeByAddressSingle((PVOID)&other), LOOK(e.woken) == 1));
        for (int i = 0; i < 4; i++)
            JOIN(threads[i]);
        CHECK_EQ(d.woken, 3);
        CHECK_EQ(d.failed + e.failed, 0);
    }
    CHECK_MSG(most_at_first < 100, "the first sleeper went after %d wakes", (int)most_at_first);
}

TEST(wakes_elsewhere_wake_nobody, "SYNC-11")
{
    enum { WORDS = 4096 };
    static volatile LONG words[WORDS];
    struct dozer d = {.address = &words[0]}, e = {.address = &words[WORDS - 1]};
    HANDLE threads[2] = {start_thread(dozes, &d), start_thread(dozes, &e)};
    CHECK(WITHIN(10000, LOOK(d.came) == 1 && LOOK(e.came) == 1));
    until_asleep(GetThreadId(threads[0]));
    until_asleep(GetThreadId(threads[1]));
    for (int i = 1; i < WORDS - 1; i++) {
        WakeByAddressSingle((PVOID)&words[i]);
        WakeByAddressAll((PVOID)&words[i]);
    }
    CHECK_EQ(WaitForMultipleObjects(2, threads, FALSE, 20), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(d.woken) + LOOK(e.woken), 0);
    InterlockedExchange(&words[0], 1); /* who has not slept yet sees the value, who sleeps is woken */
    InterlockedExchange(&words[WORDS - 1], 1);
    WakeByAddressSingle((PVOID)&words[0]);
    WakeByAddressAll((PVOID)&words[WORDS - 1]);
    JOIN(threads[0]);
    JOIN(threads[1]);
    CHECK_EQ(d.woken, 1);
    CHECK_EQ(e.woken, 1);
}

struct relay {
    volatile LONG turn;
    LONG rounds, mine, wrong;
    struct relay *shared;
};

THREAD_FN(passes_on)
{
    struct relay *r = arg;
    volatile LONG *turn = &r->shared->turn;
    for (LONG i = 0; i < r->rounds; i++) {
        LONG not_mine = !r->mine;
        while (LOOK(*turn) != r->mine)
            if (!WaitOnAddress(turn, &not_mine, sizeof not_mine, 10000)) {
                r->wrong++;
                return 0;
            }
        InterlockedExchange(turn, not_mine);
        WakeByAddressSingle((PVOID)turn);
    }
    return 0;
}

TEST(no_wake_of_an_address_is_lost, "SYNC-11 SYNC-10")
{
    struct relay shared = {0}, a = {.rounds = 5000, .shared = &shared}, b = a;
    b.mine = 1;
    HANDLE one = start_thread(passes_on, &a), two = start_thread(passes_on, &b);
    JOIN(one);
    JOIN(two);
    CHECK_EQ(a.wrong + b.wrong, 0);
    CHECK_EQ(shared.turn, 0);
}
