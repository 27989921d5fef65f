/* SPDX-License-Identifier: MIT */
/* The APC queue of a thread; see apc.h. Everything here happens under the thread's apc_lock. */
#include "wait/apc.h"

#include "base/futex.h"
#include "base/os.h"
#include "engine/poller.h"

#include <assert.h>

static bool claim_for_apc(struct thread *t)
{
    uint32_t armed = WAITER_ARMED;

    return atomic_compare_exchange_strong(&t->waiter.state, &armed, WAITER_APC);
}

bool apc_queue(struct thread *t, struct apc *apc)
{
    bool wake_futex = false;

    lock_acquire(&t->apc_lock);
    if (t->terminating) {
        lock_release(&t->apc_lock);
        return false;
    }
    list_push_back(&t->apcs, &apc->link);
    atomic_fetch_add(&t->apc_count, 1);
    if (t->alertable && claim_for_apc(t)) {
        /* The eventfds are written under the lock, which keeps them open; neither write blocks. */
        if (t->apc_poller)
            poller_wake(t->apc_poller);
        else if (t->apc_wakes_fd)
            os_ring(t->wake_fd);
        else
            wake_futex = true;
    }
    lock_release(&t->apc_lock);
    if (wake_futex)
        futex_wake(&t->waiter.state, 1);
    return true;
}

bool apc_withdraw(struct thread *t, struct apc *apc)
{
    bool queued;

    lock_acquire(&t->apc_lock);
    queued = list_linked(&apc->link);
    if (queued) {
        list_remove(&apc->link);
        atomic_fetch_sub(&t->apc_count, 1);
    }
    lock_release(&t->apc_lock);
    return queued;
}

static struct apc *take(struct thread *self)
{
    struct list *n;

    lock_acquire(&self->apc_lock);
    n = list_pop_front(&self->apcs);
    if (n)
        atomic_fetch_sub(&self->apc_count, 1);
    lock_release(&self->apc_lock);
    return n ? container_of(n, struct apc, link) : NULL;
}

unsigned apc_run_all(struct thread *self)
{
    struct apc *apc;
    unsigned ran = 0;

    lock_assert_none();
    while (apc_pending(self) && (apc = take(self)) != NULL) {
        apc->run(apc);
        ran++;
    }
    return ran;
}

void apc_alertable_begin(struct thread *self, struct poller *p, bool by_fd)
{
    lock_acquire(&self->apc_lock);
    self->alertable = true;
    self->apc_poller = p;
    self->apc_wakes_fd = by_fd;
    if (!list_empty(&self->apcs))
        claim_for_apc(self);
    lock_release(&self->apc_lock);
}

void apc_alertable_end(struct thread *self)
{
    lock_acquire(&self->apc_lock);
    self->alertable = false;
    self->apc_poller = NULL;
    self->apc_wakes_fd = false;
    lock_release(&self->apc_lock);
}

void apc_terminate(struct thread *self)
{
    struct apc *apc;

    lock_acquire(&self->apc_lock);
    self->terminating = true;
    lock_release(&self->apc_lock);
    while ((apc = take(self)) != NULL)
        apc->drop(apc);
}
