/* SPDX-License-Identifier: MIT */
/* Listeners: see listener.h. Whether one is still to be satisfied is what its link says, under the
 * dispatcher's lock; so beginning, ending and the signal that comes in between are told apart. */
#include "wait/listener.h"

#include "base/lock.h"
#include "wait/shared.h"
#include "wait/thread.h"

#include <assert.h>

bool listener_begin(struct listener *l, struct dispatcher *d)
{
    bool listens;

    assert(d->consume != CONSUME_OWN);
    if (atomic_load_explicit(&d->lazy, memory_order_acquire) != DILIGENT)
        dispatcher_attend(d);
    l->block.waiter = NULL;
    l->block.index = 0;
    l->block.all = false;
    l->dispatcher = d;
    l->next = NULL;
    list_init(&l->block.link);
    dispatcher_lock(d);
    listens = !dispatcher_ready_locked(d, NULL);
    if (listens)
        list_push_back(&d->waiters, &l->block.link);
    else
        dispatcher_consume_locked(d, NULL);
    if (dispatcher_unlock_queued(d))
        shared_attend_soon(d);
    return listens;
}

bool listener_end(struct listener *l)
{
    struct dispatcher *d = l->dispatcher;
    bool listened;

    dispatcher_lock(d);
    listened = list_linked(&l->block.link);
    if (listened)
        list_remove(&l->block.link);
    dispatcher_unlock(d);
    return listened;
}

bool listener_fire_locked(struct dispatcher *d, struct wait_block *b, struct wake_list *wakes)
{
    struct listener *l = container_of(b, struct listener, block);

    lock_assert_held(&d->lock);
    list_remove(&b->link);
    l->next = wakes->fired;
    wakes->fired = l;
    if (b->all)
        return shared_bell_called(l);
    dispatcher_consume_locked(d, NULL);
    return false;
}

void listener_run(struct listener *fired)
{
    struct listener *first = NULL;
    struct listener *next;

    lock_assert_none();
    for (; fired; fired = next) { /* they come last first */
        next = fired->next;
        fired->next = first;
        first = fired;
    }
    for (; first; first = next) {
        next = first->next;
        first->notify(first);
    }
}
