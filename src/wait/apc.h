/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous procedure calls: queued to a thread, run by that thread inside an alertable wait,
 * first in first out (completion routines of I/O before user APCs). The apc is embedded in what
 * it belongs to (request, timer) or allocated (QueueUserAPC); `run` owns it from then on.
 */
#ifndef IOCP_WAIT_APC_H
#define IOCP_WAIT_APC_H

#include "wait/thread.h"

struct apc {
    struct list link;               /* in thread.apc_user or apc_io, guarded by its apc_lock */
    void (*run)(struct apc *apc);   /* calls user code on the thread's own stack */
    void (*drop)(struct apc *apc);  /* the thread ended first: free it, call nobody */
};

/* Queues and, if the thread waits alertably, wakes it. false: the thread is terminating. */
bool apc_queue_user(struct thread *t, struct apc *apc);
bool apc_queue_io(struct thread *t, struct apc *apc);

/* Withdraws a queued APC: true if it was still queued (the caller owns it again). */
bool apc_withdraw(struct thread *t, struct apc *apc);

/* Runs everything queued to the calling thread, also what is queued meanwhile. How many ran. */
unsigned apc_run_all(struct thread *self);

static inline bool apc_pending(struct thread *self)
{
    return atomic_load_explicit(&self->apc_count, memory_order_acquire) != 0;
}

#endif
