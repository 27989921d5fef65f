/* SPDX-License-Identifier: MIT */
/*
 * Locks and what else lives in the caller's memory. No library can judge a lock that was never made, is held
 * by nobody or waits for its own holder: so these calls keep to what a program may do, in any order. All on
 * one thread. A function without its answer gives TRUE.
 */
#ifndef FUZZ_CAREFUL_LOCKS_H
#define FUZZ_CAREFUL_LOCKS_H

enum { LOCKS = 4 };

static struct section {
    CRITICAL_SECTION section;
    unsigned depth;
    bool made;
} sections[LOCKS];

static struct {
    SRWLOCK lock;
    unsigned readers;
    bool writer;
} slims[LOCKS];

static struct {
    INIT_ONCE once;
    bool pending;
} onces[LOCKS];

static CONDITION_VARIABLE conditions[LOCKS];
static SYNCHRONIZATION_BARRIER barriers[LOCKS];
static bool barrier_made[LOCKS];
static SLIST_HEADER slist;
static SLIST_ENTRY links[16];
static bool linked[16];
static uint64_t watched[2];

/* ---- critical sections ---- */

static struct section *any_section(void)
{
    struct section *s = &sections[rnd(LOCKS)];

    if (!s->made) {
        InitializeCriticalSection(&s->section);
        s->made = true;
        s->depth = 0;
    }
    return s;
}

/* One that nobody holds and that is not made: how it is made is the caller's affair. */
static struct section *unmade_section(void)
{
    struct section *s = any_section();

    for (; s->depth; s->depth--)
        LeaveCriticalSection(&s->section);
    DeleteCriticalSection(&s->section);
    s->made = false;
    return s;
}

static uintptr_t careful_InitializeCriticalSection(void)
{
    struct section *s = unmade_section();

    InitializeCriticalSection(&s->section);
    return s->made = true;
}

static uintptr_t careful_InitializeCriticalSectionAndSpinCount(void)
{
    struct section *s = unmade_section();
    BOOL ok = InitializeCriticalSectionAndSpinCount(&s->section, (DWORD)any_number());

    s->made = ok;
    return (uintptr_t)ok;
}

static uintptr_t careful_InitializeCriticalSectionEx(void)
{
    struct section *s = unmade_section();
    BOOL ok = InitializeCriticalSectionEx(&s->section, (DWORD)any_number(), rnd(2) ? 0 : (DWORD)any_number());

    s->made = ok;
    return (uintptr_t)ok;
}

static uintptr_t careful_SetCriticalSectionSpinCount(void)
{
    SetCriticalSectionSpinCount(&any_section()->section, (DWORD)any_number());
    return TRUE;
}

static uintptr_t careful_EnterCriticalSection(void)
{
    struct section *s = any_section();

    EnterCriticalSection(&s->section);
    s->depth++;
    return TRUE;
}

static uintptr_t careful_TryEnterCriticalSection(void)
{
    struct section *s = any_section();

    s->depth += TryEnterCriticalSection(&s->section) != FALSE;
    return TRUE;
}

static uintptr_t careful_LeaveCriticalSection(void)
{
    struct section *s = any_section();

    if (s->depth) {
        LeaveCriticalSection(&s->section);
        s->depth--;
    }
    return TRUE;
}

static uintptr_t careful_DeleteCriticalSection(void)
{
    unmade_section();
    return TRUE;
}

/* ---- slim locks ---- */

static uintptr_t careful_InitializeSRWLock(void)
{
    unsigned i = rnd(LOCKS);

    if (!slims[i].writer && !slims[i].readers)
        InitializeSRWLock(&slims[i].lock);
    return TRUE;
}

static uintptr_t careful_AcquireSRWLockExclusive(void)
{
    unsigned i = rnd(LOCKS);

    if (!slims[i].writer && !slims[i].readers) {
        AcquireSRWLockExclusive(&slims[i].lock);
        slims[i].writer = true;
    }
    return TRUE;
}

static uintptr_t careful_AcquireSRWLockShared(void)
{
    unsigned i = rnd(LOCKS);

    if (!slims[i].writer) {
        AcquireSRWLockShared(&slims[i].lock);
        slims[i].readers++;
    }
    return TRUE;
}

static uintptr_t careful_TryAcquireSRWLockExclusive(void)
{
    unsigned i = rnd(LOCKS);

    if (TryAcquireSRWLockExclusive(&slims[i].lock))
        slims[i].writer = true;
    return TRUE;
}

static uintptr_t careful_TryAcquireSRWLockShared(void)
{
    unsigned i = rnd(LOCKS);

    slims[i].readers += TryAcquireSRWLockShared(&slims[i].lock) != FALSE;
    return TRUE;
}

static uintptr_t careful_ReleaseSRWLockExclusive(void)
{
    unsigned i = rnd(LOCKS);

    if (slims[i].writer) {
        slims[i].writer = false;
        ReleaseSRWLockExclusive(&slims[i].lock);
    }
    return TRUE;
}

static uintptr_t careful_ReleaseSRWLockShared(void)
{
    unsigned i = rnd(LOCKS);

    if (slims[i].readers) {
        slims[i].readers--;
        ReleaseSRWLockShared(&slims[i].lock);
    }
    return TRUE;
}

/* ---- conditions, once, barriers, addresses ---- */

static uintptr_t careful_InitializeConditionVariable(void)
{
    InitializeConditionVariable(&conditions[rnd(LOCKS)]);
    return TRUE;
}

static uintptr_t careful_WakeConditionVariable(void)
{
    WakeConditionVariable(&conditions[rnd(LOCKS)]);
    return TRUE;
}

static uintptr_t careful_WakeAllConditionVariable(void)
{
    WakeAllConditionVariable(&conditions[rnd(LOCKS)]);
    return TRUE;
}

static uintptr_t careful_SleepConditionVariableCS(void)
{
    struct section *s = any_section();

    if (s->depth != 1)
        return TRUE;
    return (uintptr_t)SleepConditionVariableCS(&conditions[rnd(LOCKS)], &s->section, rnd(64) == 0);
}

static uintptr_t careful_SleepConditionVariableSRW(void)
{
    unsigned i = rnd(LOCKS);

    if (!slims[i].writer && !slims[i].readers)
        return TRUE;
    return (uintptr_t)SleepConditionVariableSRW(&conditions[rnd(LOCKS)], &slims[i].lock, rnd(64) == 0,
                                                slims[i].writer ? 0 : CONDITION_VARIABLE_LOCKMODE_SHARED);
}

static BOOL CALLBACK once_main(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    (void)once;
    if (context)
        *context = NULL;
    return parameter != NULL;
}

static uintptr_t careful_InitOnceInitialize(void)
{
    unsigned i = rnd(LOCKS);

    InitOnceInitialize(&onces[i].once);
    onces[i].pending = false;
    return TRUE;
}

/* It would wait for itself while it has begun. */
static uintptr_t careful_InitOnceExecuteOnce(void)
{
    unsigned i = rnd(LOCKS);
    void *context;

    if (!onces[i].pending)
        InitOnceExecuteOnce(&onces[i].once, once_main, rnd(2) ? data : NULL, rnd(2) ? &context : NULL);
    return TRUE; /* FALSE, and no error, if the function says so */
}

static uintptr_t careful_InitOnceBeginInitialize(void)
{
    unsigned i = rnd(LOCKS);
    DWORD flags = rnd(2) ? rnd(4) : (DWORD)any_number();
    BOOL pending = FALSE, ok;
    void *context;

    if (onces[i].pending && !(flags & (INIT_ONCE_CHECK_ONLY | INIT_ONCE_ASYNC)))
        return TRUE;
    ok = InitOnceBeginInitialize(&onces[i].once, flags, &pending, rnd(2) ? &context : NULL);
    onces[i].pending |= ok && pending;
    return (uintptr_t)ok;
}

static uintptr_t careful_InitOnceComplete(void)
{
    unsigned i = rnd(LOCKS);
    BOOL ok = InitOnceComplete(&onces[i].once, rnd(2) ? rnd(8) : (DWORD)any_number(), rnd(2) ? data : NULL);

    if (ok)
        onces[i].pending = false;
    return (uintptr_t)ok;
}

static uintptr_t careful_InitializeSynchronizationBarrier(void)
{
    unsigned i = rnd(LOCKS);
    LONG threads = rnd(2) ? 1 : -(LONG)rnd(1000);

    if (barrier_made[i])
        DeleteSynchronizationBarrier(&barriers[i]);
    barrier_made[i] = InitializeSynchronizationBarrier(&barriers[i], threads, (LONG)any_number());
    return barrier_made[i];
}

/* For one thread each: for two, the other would not come. */
static uintptr_t careful_EnterSynchronizationBarrier(void)
{
    unsigned i = rnd(LOCKS);

    if (barrier_made[i])
        EnterSynchronizationBarrier(&barriers[i], (DWORD)any_number());
    return TRUE;
}

static uintptr_t careful_DeleteSynchronizationBarrier(void)
{
    unsigned i = rnd(LOCKS);

    if (barrier_made[i])
        DeleteSynchronizationBarrier(&barriers[i]);
    barrier_made[i] = false;
    return TRUE;
}

static uintptr_t careful_WaitOnAddress(void)
{
    static const SIZE_T sizes[] = {0, 1, 2, 3, 4, 8, 16, SIZE_MAX};
    uint64_t other = rnd(2);

    watched[0] = rnd(2);
    return (uintptr_t)WaitOnAddress(&watched[0], &other, sizes[rnd(8)], rnd(64) == 0);
}

static uintptr_t careful_WakeByAddressSingle(void)
{
    WakeByAddressSingle(&watched[rnd(2)]);
    return TRUE;
}

static uintptr_t careful_WakeByAddressAll(void)
{
    WakeByAddressAll(rnd(8) ? &watched[rnd(2)] : NULL);
    return TRUE;
}

/* ---- lists ---- */

static void unlink_all(PSLIST_ENTRY e)
{
    for (PSLIST_ENTRY next; e; e = next) {
        next = e->Next;
        linked[e - links] = false;
    }
}

static uintptr_t careful_InitializeSListHead(void)
{
    InitializeSListHead(&slist);
    memset(linked, 0, sizeof linked);
    return TRUE;
}

static uintptr_t careful_InterlockedPushEntrySList(void)
{
    unsigned i = rnd(16);

    if (!linked[i]) {
        linked[i] = true;
        InterlockedPushEntrySList(&slist, &links[i]);
    }
    return TRUE;
}

static uintptr_t careful_InterlockedPushListSListEx(void)
{
    unsigned i = rnd(15);

    if (!linked[i] && !linked[i + 1]) {
        links[i].Next = &links[i + 1];
        linked[i] = linked[i + 1] = true;
        InterlockedPushListSListEx(&slist, &links[i], &links[i + 1], 2);
    }
    return TRUE;
}

static uintptr_t careful_InterlockedPopEntrySList(void)
{
    PSLIST_ENTRY e = InterlockedPopEntrySList(&slist);

    if (e)
        linked[e - links] = false;
    return TRUE;
}

static uintptr_t careful_InterlockedFlushSList(void)
{
    unlink_all(InterlockedFlushSList(&slist));
    return TRUE;
}

static uintptr_t careful_QueryDepthSList(void)
{
    return QueryDepthSList(&slist) <= 16;
}

#endif
