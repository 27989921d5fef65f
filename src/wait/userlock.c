/* SPDX-License-Identifier: MIT */
/*
 * Sections, reader/writer locks, condition variables, one-time initialisation, barriers: each a
 * few atomic operations on words in the program's memory, and the futex when somebody must sleep.
 * Who wakes touches nothing but the address after the word is changed: the memory may be freed
 * by whoever it let go.
 */
#include "wait/userlock.h"

#include "base/futex.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>

enum { SPIN_ROUNDS = 60 };

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- critical sections ---- */

void section_init(struct user_section *s, uint32_t spin)
{
    s->debug = NULL;
    atomic_init(&s->word, 0);
    s->recursion = 0;
    atomic_init(&s->owner, 0);
    s->semaphore = 0;
    s->spin = spin & 0x00FFFFFFu;
}

static uintptr_t my_id(void)
{
    return atomic_load_explicit(&thread_current()->tid, memory_order_relaxed);
}

/* Only the owner can read its own id there, so relaxed order is enough. */
static bool owned_by(struct user_section *s, uintptr_t id)
{
    return atomic_load_explicit(&s->owner, memory_order_relaxed) == id;
}

static void own(struct user_section *s, uintptr_t id)
{
    atomic_store_explicit(&s->owner, id, memory_order_relaxed);
    s->recursion = 1;
}

static bool take_free(struct user_section *s)
{
    uint32_t free = 0;

    return atomic_compare_exchange_strong_explicit(&s->word, &free, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

bool section_try(struct user_section *s)
{
    uintptr_t id = my_id();

    if (owned_by(s, id)) {
        s->recursion++;
        return true;
    }
    if (!take_free(s))
        return false;
    own(s, id);
    return true;
}

static void enter_slow(struct user_section *s)
{
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        cpu_relax();
        if (atomic_load_explicit(&s->word, memory_order_relaxed) == 0 && take_free(s))
            return;
    }
    while (atomic_exchange_explicit(&s->word, 2, memory_order_acquire) != 0)
        wait_on_word(&s->word, 2, DEADLINE_NEVER);
}

void section_enter(struct user_section *s)
{
    if (section_try(s))
        return;
    enter_slow(s);
    own(s, my_id());
}

void section_leave(struct user_section *s)
{
    if (--s->recursion > 0)
        return;
    atomic_store_explicit(&s->owner, 0, memory_order_relaxed);
    if (atomic_exchange_explicit(&s->word, 0, memory_order_release) == 2)
        futex_wake(&s->word, 1);
}

/* ---- reader/writer locks ---- */

/*
 * Bit 0     a writer holds it.
 * Bit 1     a writer may sleep: new readers wait too, lest writers starve.
 * Bit 2     a reader may sleep.
 * Bits 3..  how many readers hold it; never together with bit 0.
 * The last holder to leave clears both "may sleep" bits and wakes everybody if readers sleep, one
 * writer otherwise. A woken writer takes the lock with bit 1 set: others may still sleep.
 */
enum { SRW_WRITER = 1, SRW_WRITERS_SLEEP = 2, SRW_READERS_SLEEP = 4, SRW_READER = 8 };
#define SRW_SLEEPERS (SRW_WRITERS_SLEEP | SRW_READERS_SLEEP)

static bool srw_swap(_Atomic uint32_t *word, uint32_t *was, uint32_t to)
{
    return atomic_compare_exchange_weak_explicit(word, was, to, memory_order_acq_rel,
                                                 memory_order_relaxed);
}

static bool may_write(uint32_t state)
{
    return (state & ~(uint32_t)SRW_SLEEPERS) == 0;
}

static bool may_read(uint32_t state)
{
    return (state & (SRW_WRITER | SRW_WRITERS_SLEEP)) == 0;
}

bool srw_try(_Atomic uint32_t *word)
{
    uint32_t state = atomic_load_explicit(word, memory_order_relaxed);

    while (may_write(state)) {
        if (srw_swap(word, &state, state | SRW_WRITER))
            return true;
    }
    return false;
}

bool srw_try_shared(_Atomic uint32_t *word)
{
    uint32_t state = atomic_load_explicit(word, memory_order_relaxed);

    while (may_read(state)) {
        if (srw_swap(word, &state, state + SRW_READER))
            return true;
    }
    return false;
}

/* Announces a sleeper and sleeps; back at once if the state has changed. */
static void srw_sleep(_Atomic uint32_t *word, uint32_t state, uint32_t flag)
{
    if ((state & flag) || srw_swap(word, &state, state | flag))
        wait_on_word(word, state | flag, DEADLINE_NEVER);
}

void srw_lock(_Atomic uint32_t *word)
{
    uint32_t slept = 0;

    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (srw_try(word))
            return;
        cpu_relax();
    }
    for (;;) {
        uint32_t state = atomic_load_explicit(word, memory_order_relaxed);

        if (!may_write(state)) {
            srw_sleep(word, state, SRW_WRITERS_SLEEP);
            slept = SRW_WRITERS_SLEEP;
        } else if (srw_swap(word, &state, state | SRW_WRITER | slept)) {
            return;
        }
    }
}

void srw_lock_shared(_Atomic uint32_t *word)
{
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (srw_try_shared(word))
            return;
        cpu_relax();
    }
    for (;;) {
        uint32_t state = atomic_load_explicit(word, memory_order_relaxed);

        if (!may_read(state))
            srw_sleep(word, state, SRW_READERS_SLEEP);
        else if (srw_swap(word, &state, state + SRW_READER))
            return;
    }
}

static void srw_leave(_Atomic uint32_t *word, uint32_t holder)
{
    uint32_t state = atomic_load_explicit(word, memory_order_relaxed);
    uint32_t rest;

    do {
        assert(state >= holder);
        rest = state - holder;
        if (may_write(rest)) /* the last one leaves */
            rest = 0;
    } while (!srw_swap(word, &state, rest));
    if (rest == 0 && (state & SRW_SLEEPERS))
        futex_wake(word, state & SRW_READERS_SLEEP ? INT_MAX : 1);
}

void srw_unlock(_Atomic uint32_t *word)
{
    srw_leave(word, SRW_WRITER);
}

void srw_unlock_shared(_Atomic uint32_t *word)
{
    srw_leave(word, SRW_READER);
}

/* ---- condition variables ---- */

bool condition_sleep(struct user_condition *c, uint64_t deadline_ns, void (*unlock)(void *lock),
                     void (*relock)(void *lock), void *lock)
{
    uint32_t sequence = atomic_load(&c->sequence);
    bool woken;

    atomic_fetch_add(&c->sleepers, 1);
    unlock(lock);
    while (atomic_load(&c->sequence) == sequence &&
           wait_on_word(&c->sequence, sequence, deadline_ns) != -ETIMEDOUT)
        ;
    woken = atomic_load(&c->sequence) != sequence;
    atomic_fetch_sub(&c->sleepers, 1);
    relock(lock);
    return woken;
}

void condition_wake(struct user_condition *c, bool all)
{
    if (atomic_load(&c->sleepers) == 0)
        return;
    atomic_fetch_add(&c->sequence, 1);
    futex_wake(&c->sequence, all ? INT_MAX : 1);
}

/* ---- one-time initialisation ---- */

/*
 * The two low bits say how far it is; the context, whose low bits are zero, stands above them once
 * it is done. While a thread runs it, bit 2 says that others sleep.
 */
enum {
    ONCE_NEW = 0,
    ONCE_SYNC = 1,
    ONCE_FINISHED = 2,
    ONCE_ASYNC = 3,
    ONCE_STATE = 3,
    ONCE_SLEEPERS = 4,
};

static _Atomic uint32_t *once_word(_Atomic uintptr_t *once)
{
    return (_Atomic uint32_t *)once; /* the low half: little endian is all we build for */
}

enum once_result once_check(_Atomic uintptr_t *once, void **context)
{
    uintptr_t state = atomic_load_explicit(once, memory_order_acquire);

    if ((state & ONCE_STATE) != ONCE_FINISHED)
        return ONCE_BUSY;
    if (context)
        *context = (void *)(state & ~(uintptr_t)ONCE_STATE);
    return ONCE_DONE;
}

enum once_result once_begin(_Atomic uintptr_t *once, bool async, void **context)
{
    uintptr_t mine = async ? ONCE_ASYNC : ONCE_SYNC;

    for (;;) {
        uintptr_t state = atomic_load(once);

        if (once_check(once, context) == ONCE_DONE)
            return ONCE_DONE;
        if ((state & ONCE_STATE) == ONCE_NEW) {
            if (atomic_compare_exchange_strong(once, &state, mine))
                return ONCE_YOURS;
        } else if ((state & ONCE_STATE) == ONCE_FINISHED) {
            continue;
        } else if ((state & ONCE_STATE) != mine) {
            return ONCE_MISUSED; /* both ways at once */
        } else if (async) {
            return ONCE_YOURS; /* several may race, one wins in once_complete */
        } else if ((state & ONCE_SLEEPERS) ||
                   atomic_compare_exchange_strong(once, &state, state | ONCE_SLEEPERS)) {
            wait_on_word(once_word(once), ONCE_SYNC | ONCE_SLEEPERS, DEADLINE_NEVER);
        }
    }
}

static bool once_end(_Atomic uintptr_t *once, uintptr_t from, uintptr_t to)
{
    uintptr_t state = atomic_load(once);

    do {
        if ((state & ONCE_STATE) != from)
            return false;
    } while (!atomic_compare_exchange_weak(once, &state, to));
    if (from == ONCE_SYNC && (state & ONCE_SLEEPERS))
        futex_wake(once_word(once), INT_MAX);
    return true;
}

bool once_complete(_Atomic uintptr_t *once, bool async, void *context)
{
    return once_end(once, async ? ONCE_ASYNC : ONCE_SYNC, (uintptr_t)context | ONCE_FINISHED);
}

bool once_fail(_Atomic uintptr_t *once)
{
    return once_end(once, ONCE_SYNC, ONCE_NEW);
}

/* ---- barriers ---- */

void barrier_init(struct user_barrier *b, uint32_t total)
{
    b->total = total;
    atomic_init(&b->arrived, 0);
    atomic_init(&b->round, 0);
    atomic_init(&b->inside, 0);
}

bool barrier_enter(struct user_barrier *b)
{
    uint32_t round = atomic_load(&b->round);
    bool last;

    atomic_fetch_add(&b->inside, 1);
    last = atomic_fetch_add(&b->arrived, 1) + 1 == b->total;
    if (last) {
        atomic_store(&b->arrived, 0);
        atomic_fetch_add(&b->round, 1);
        futex_wake(&b->round, INT_MAX);
    }
    while (atomic_load(&b->round) == round)
        wait_on_word(&b->round, round, DEADLINE_NEVER);
    atomic_fetch_sub(&b->inside, 1);
    return last;
}

void barrier_delete(struct user_barrier *b)
{
    while (atomic_load(&b->inside) != 0)
        sched_yield();
}
