/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous procedure calls: queued to a thread, run by that thread inside an alertable wait,
 * first in first out, completion routines and user APCs alike. The apc is embedded in what
 * it belongs to (request, timer) or allocated (QueueUserAPC); `run` owns it from then on.
 */
#ifndef IOCP_WAIT_APC_H
#define IOCP_WAIT_APC_H

#include "wait/thread.h"

struct apc {
    struct list link;               /* in thread.apcs, guarded by its apc_lock */
    void (*run)(struct apc *apc);   /* calls user code on the thread's own stack */
    void (*drop)(struct apc *apc);  /* the thread ended first: free it, call nobody */
};

/* Queues and, if the thread waits alertably, wakes it. false: the thread is terminating. */
bool apc_queue(struct thread *t, struct apc *apc);

/* Withdraws a queued APC: true if it was still queued (the caller owns it again). */
bool apc_withdraw(struct thread *t, struct apc *apc);

/* Runs everything queued to the calling thread, also what is queued meanwhile. How many ran. */
unsigned apc_run_all(struct thread *self);

/*
 * Brackets around an alertable sleep, made by wait.c and queue.c: between them an arriving APC
 * claims the waiter and wakes it - in poller p if not NULL, else on its futex, or by its wake_fd.
 * begin claims at once when an APC is queued already.
 */
void apc_alertable_begin(struct thread *self, struct poller *p, bool by_fd);
void apc_alertable_end(struct thread *self);

/* The thread ends: no more APCs are taken, queued ones are dropped. */
void apc_terminate(struct thread *self);

static inline bool apc_pending(struct thread *self)
{
    return atomic_load_explicit(&self->apc_count, memory_order_acquire) != 0;
}

#endif
