/* SPDX-License-Identifier: MIT */
/*
 * The waitable part of an object: a signal count plus what a satisfied wait does to it. Events,
 * semaphores, mutexes, timers, threads and files all embed one; only wait.c knows waiters.
 *
 * Rules:
 * 1. Everything in struct dispatcher is guarded by its own lock.
 * 2. Wait-any takes one dispatcher lock at a time; wait-all takes all of its set, in address order.
 *    An object that other processes share (wait/shared.h) is locked by dispatcher_lock, which fetches its
 *    state, and unlocked by dispatcher_unlock: events, semaphores and mutexes always, by everybody.
 * 3. Whoever makes it signalled calls dispatcher_wake_locked and then, after unlocking,
 *    wake_list_run: nobody is woken under a lock.
 */
#ifndef IOCP_WAIT_DISPATCHER_H
#define IOCP_WAIT_DISPATCHER_H

#include "base/list.h"
#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

struct thread;

enum consume {
    CONSUME_NOTHING, /* manual-reset event or timer, thread, file: stays signalled */
    CONSUME_ONE,     /* auto-reset event, semaphore, synchronization timer: signal -= 1 */
    CONSUME_OWN,     /* mutex: the waiter becomes the owner, recursively */
};

/* LAZY -> WAKING -> DILIGENT: while the first waiter makes sure that all see it, others may come. */
enum laziness { DILIGENT, LAZY, WAKING };

struct dispatcher {
    struct lock lock;
    uint8_t consume;       /* enum consume; constant after init */
    bool abandoned;        /* mutex: its owner ended without releasing it */
    _Atomic uint8_t lazy;  /* enum laziness: see dispatcher_note */
    bool shared;           /* its state lies in memory that processes share (wait/shared.h) */
    int32_t signal;        /* > 0: signalled; without the lock while lazy */
    struct list waiters;   /* struct wait_block, first come first served */
};

/* The dispatcher of what is owned (CONSUME_OWN). The same lock guards the rest. */
struct ownership {
    struct dispatcher dispatcher; /* must be first */
    int32_t recursion;     /* waits satisfied for the owner */
    struct thread *owner;  /* borrowed; cleared before the thread dies */
    struct list owned;     /* node in the owner's list, guarded by the owner's apc lock */
};

static inline struct ownership *ownership_of(struct dispatcher *d)
{
    return (struct ownership *)d;
}

/*
 * Who is to be woken once all locks are released: threads by the futex words they sleep on, at most
 * one poller that a queue's leader sleeps in (pinned by the caller's reference to the queue), and
 * listeners.
 */
struct poller;
struct listener;
enum { WAKE_LIST_MAX = 16 };
struct wake_list {
    unsigned count;
    struct poller *poller;
    struct listener *fired; /* the last one first */
    _Atomic uint32_t *words[WAKE_LIST_MAX];
};

static inline void wake_list_init(struct wake_list *w)
{
    w->count = 0;
    w->poller = NULL;
    w->fired = NULL;
}

void wake_list_add(struct wake_list *w, _Atomic uint32_t *word);
void wake_list_run(struct wake_list *w);

/* The halves of an unlikely case: see wait/shared.h. shared_store says whether shared_attend must follow
 * something that has been put into the queue. */
void shared_fetch(struct dispatcher *d);
bool shared_store(struct dispatcher *d, bool queued);

static inline void dispatcher_lock(struct dispatcher *d)
{
    lock_acquire(&d->lock);
    if (__builtin_expect(d->shared, false))
        shared_fetch(d);
}

static inline void dispatcher_unlock(struct dispatcher *d)
{
    if (__builtin_expect(d->shared, false))
        shared_store(d, false);
    lock_release(&d->lock);
}

/* After something may have been put into the queue. True: shared_attend must follow. */
static inline bool dispatcher_unlock_queued(struct dispatcher *d)
{
    bool joins = __builtin_expect(d->shared, false) && shared_store(d, true);

    lock_release(&d->lock);
    return joins;
}

void dispatcher_init(struct dispatcher *d, enum consume consume, int32_t signal);
void ownership_init(struct ownership *o); /* nobody owns it */

/* Satisfies as many waiters as the signal count allows. Lock held. */
void dispatcher_wake_locked(struct dispatcher *d, struct wake_list *wakes);

/* Ends the waits of all threads in the queue: nothing would be heard of other processes. Lock held. */
void dispatcher_refuse_locked(struct dispatcher *d, struct wake_list *wakes);

/* Sets the count (1 signalled, 0 not) and wakes. Returns the previous count. Takes the lock. */
int32_t dispatcher_set(struct dispatcher *d, int32_t signal);

/*
 * Makes d signalled and, as one with it, stores `value` in *word, by which a program learns that its
 * operation is over: whoever sees it there and clears d for the next operation comes after the setting.
 */
void dispatcher_answer(struct dispatcher *d, uintptr_t *word, uintptr_t value);
/* The middle of it. Lock held. */
void dispatcher_answer_locked(struct dispatcher *d, uintptr_t *word, uintptr_t value,
                              struct wake_list *wakes);

/*
 * For the signal of a file, which every operation clears and sets and which hardly anybody waits
 * for (CONSUME_NOTHING only). Until the first wait it is a plain word; the first wait calls
 * dispatcher_attend, for good, and pays for the fence that the setters save (base/asym.h).
 */
void dispatcher_init_lazy(struct dispatcher *d);
void dispatcher_attend(struct dispatcher *d);
/* It was made signalled without the lock: satisfies those who wait, if it still is. */
void dispatcher_wake(struct dispatcher *d);

static inline bool dispatcher_is_lazy(const struct dispatcher *d)
{
    return atomic_load_explicit(&d->lazy, memory_order_relaxed) == LAZY;
}

static inline void dispatcher_note(struct dispatcher *d, int32_t signal)
{
    if (!dispatcher_is_lazy(d)) {
        dispatcher_set(d, signal);
        return;
    }
    __atomic_store_n(&d->signal, signal, __ATOMIC_RELEASE); /* pairs with the loads of waiters */
    asym_light(); /* pairs with asym_heavy in dispatcher_attend */
    if (!dispatcher_is_lazy(d))
        dispatcher_wake(d); /* not set again: a waiter may have seen it and begun the next operation */
}

/* Signals, satisfies present waiters only, and leaves it nonsignalled (PulseEvent). */
void dispatcher_pulse(struct dispatcher *d);

bool dispatcher_signalled(struct dispatcher *d);

/* What a satisfied wait of t does to it; true: the mutex had been abandoned. Lock held. */
bool dispatcher_consume_locked(struct dispatcher *d, struct thread *t);
/* Would a wait of t be satisfied now? Lock held. */
bool dispatcher_ready_locked(struct dispatcher *d, const struct thread *t);

#endif
