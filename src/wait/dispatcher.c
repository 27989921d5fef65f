/* SPDX-License-Identifier: MIT */
/*
 * The signalling half of waits: what makes waiters go. A waiter is claimed by one
 * compare-and-swap of its state word, so that of several objects that become signalled at once
 * only the first consumes anything for it. A member of a wait-all is told to look: only the
 * waiter itself can see all its objects together.
 */
#include "wait/dispatcher.h"

#include "base/futex.h"
#include "engine/poller.h"
#include "wait/blocks.h"
#include "wait/listener.h"
#include "wait/thread.h"

#include <assert.h>

void wake_list_add(struct wake_list *w, _Atomic uint32_t *word)
{
    if (w->count == WAKE_LIST_MAX) {
        /* A crowd: wake the first ones early, they will wait for our lock for a moment. */
        for (unsigned i = 0; i < w->count; i++)
            futex_wake(w->words[i], 1);
        w->count = 0;
    }
    w->words[w->count++] = word;
}

void wake_list_run(struct wake_list *w)
{
    for (unsigned i = 0; i < w->count; i++)
        futex_wake(w->words[i], 1);
    if (w->poller)
        poller_wake(w->poller);
    if (__builtin_expect(w->fired != NULL, 0))
        listener_run(w->fired);
}

void dispatcher_init(struct dispatcher *d, enum consume consume, int32_t signal)
{
    lock_init(&d->lock, LOCK_DISPATCHER);
    d->consume = (uint8_t)consume;
    d->abandoned = false;
    atomic_init(&d->lazy, DILIGENT);
    d->shared = false;
    d->signal = signal;
    list_init(&d->waiters);
}

void ownership_init(struct ownership *o)
{
    dispatcher_init(&o->dispatcher, CONSUME_OWN, 1);
    o->recursion = 0;
    o->owner = NULL;
    list_init(&o->owned);
}

void dispatcher_init_lazy(struct dispatcher *d)
{
    dispatcher_init(d, CONSUME_NOTHING, 0);
    atomic_init(&d->lazy, LAZY);
}

void dispatcher_attend(struct dispatcher *d)
{
    atomic_store(&d->lazy, WAKING); /* whoever comes meanwhile needs the fence, too */
    asym_heavy();
    atomic_store(&d->lazy, DILIGENT);
}

bool dispatcher_ready_locked(struct dispatcher *d, const struct thread *t)
{
    lock_assert_held(&d->lock);
    return __atomic_load_n(&d->signal, __ATOMIC_ACQUIRE) > 0 ||
           (d->consume == CONSUME_OWN && ownership_of(d)->owner == t);
}

static void own_locked(struct ownership *o, struct thread *t)
{
    if (o->owner == t) {
        o->recursion++;
        return;
    }
    o->dispatcher.signal = 0;
    o->dispatcher.abandoned = false;
    o->owner = t;
    o->recursion = 1;
    lock_acquire(&t->apc_lock);
    list_push_back(&t->owned_mutexes, &o->owned);
    lock_release(&t->apc_lock);
}

bool dispatcher_consume_locked(struct dispatcher *d, struct thread *t)
{
    bool abandoned = d->abandoned;

    /* The signal of a file may be cleared by a late lazy setter even now. */
    assert(d->consume == CONSUME_NOTHING || dispatcher_ready_locked(d, t));
    switch ((enum consume)d->consume) {
    case CONSUME_NOTHING:
        break;
    case CONSUME_ONE:
        d->signal--;
        break;
    case CONSUME_OWN:
        own_locked(ownership_of(d), t);
        break;
    }
    return abandoned;
}

static bool claim(struct waiter *w, uint32_t to)
{
    uint32_t armed = WAITER_ARMED;

    return atomic_compare_exchange_strong(&w->state, &armed, to);
}

void dispatcher_wake_locked(struct dispatcher *d, struct wake_list *wakes)
{
    lock_assert_held(&d->lock);
    list_for_each_safe(n, next, &d->waiters) {
        struct wait_block *b = container_of(n, struct wait_block, link);
        struct waiter *w = b->waiter;

        if (__atomic_load_n(&d->signal, __ATOMIC_RELAXED) <= 0)
            break;
        if (!w) {
            if (listener_fire_locked(d, b, wakes))
                break; /* whoever stands behind it, here or elsewhere, is woken when it has been called */
            continue;
        }
        if (b->all) {
            if (claim(w, WAITER_LOOK))
                wake_list_add(wakes, &w->state);
            continue;
        }
        if (!claim(w, (d->abandoned ? WAITER_ABANDONED : WAITER_SATISFIED) + b->index))
            continue; /* already on its way for another reason; it unlinks its block itself */
        list_remove(&b->link);
        dispatcher_consume_locked(d, w->thread);
        wake_list_add(wakes, &w->state);
    }
}

void dispatcher_refuse_locked(struct dispatcher *d, struct wake_list *wakes)
{
    lock_assert_held(&d->lock);
    list_for_each(n, &d->waiters) {
        struct waiter *w = container_of(n, struct wait_block, link)->waiter;

        if (w && claim(w, WAITER_DEAF))
            wake_list_add(wakes, &w->state);
    }
}

int32_t dispatcher_set(struct dispatcher *d, int32_t signal)
{
    struct wake_list wakes;
    int32_t previous;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    previous = __atomic_exchange_n(&d->signal, signal, __ATOMIC_RELAXED);
    if (signal > 0 && !list_empty(&d->waiters))
        dispatcher_wake_locked(d, &wakes);
    dispatcher_unlock(d);
    wake_list_run(&wakes);
    return previous;
}

void dispatcher_wake(struct dispatcher *d)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    dispatcher_wake_locked(d, &wakes);
    dispatcher_unlock(d);
    wake_list_run(&wakes);
}

void dispatcher_answer_locked(struct dispatcher *d, uintptr_t *word, uintptr_t value,
                              struct wake_list *wakes)
{
    lock_assert_held(&d->lock);
    /* release: whoever reads the word finds buffers and count in place */
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    __atomic_store_n(&d->signal, 1, __ATOMIC_RELAXED);
    if (!list_empty(&d->waiters))
        dispatcher_wake_locked(d, wakes);
}

void dispatcher_answer(struct dispatcher *d, uintptr_t *word, uintptr_t value)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    if (dispatcher_is_lazy(d)) {
        __atomic_store_n(word, value, __ATOMIC_RELEASE);
        dispatcher_note(d, 1);
        return;
    }
    dispatcher_lock(d);
    dispatcher_answer_locked(d, word, value, &wakes);
    dispatcher_unlock(d);
    wake_list_run(&wakes);
}

void dispatcher_pulse(struct dispatcher *d)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    d->signal = 1;
    dispatcher_wake_locked(d, &wakes);
    d->signal = 0;
    dispatcher_unlock(d);
    wake_list_run(&wakes);
}

bool dispatcher_signalled(struct dispatcher *d)
{
    bool signalled;

    dispatcher_lock(d);
    signalled = __atomic_load_n(&d->signal, __ATOMIC_ACQUIRE) > 0;
    dispatcher_unlock(d);
    return signalled;
}
