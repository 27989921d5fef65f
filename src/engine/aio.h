/* SPDX-License-Identifier: MIT */
/*
 * Transfers past the page cache (O_DIRECT): the thread that asks gives them to the device itself, through
 * the kernel's io_submit(2), and the device's interrupt makes the poller of the file's port ready. Nobody
 * is woken but the worker that takes the answer; the ring would need its home thread for both. Each
 * poller has a queue of its own, made at the first such transfer.
 *
 * It is asked not to wait (RWF_NOWAIT): what would - new blocks, a full device, a file system that
 * cannot do it so - goes to the ring or the threads like everything else.
 */
#ifndef IOCP_ENGINE_AIO_H
#define IOCP_ENGINE_AIO_H

#include <stdbool.h>

struct aio;
struct op;
struct poller;

/* 0, or -errno: this kernel has no such thing, or does not let us. Asks it at every call. */
int aio_probe(void);

/* The poller has its queue, made now if need be (*made says so: its set has grown by a descriptor).
 * false: it cannot have one. */
bool aio_attach(struct poller *p, bool *made);

/*
 * Starts op, read or write, on op->direct's queue. 0: op->done() follows once from aio_harvest. Its result
 * may be -EAGAIN, which means that it would have waited: then it is to be started without `direct`.
 * -errno: not taken, and op is as it was.
 */
int aio_start(struct op *op);

/* TOKEN_AIO was ready: answers what is done by now. No lock held. The caller pins the poller. */
void aio_harvest(struct poller *p);

/* Its poller goes; nothing is under way. */
void aio_free(struct aio *a);
/* In a forked child: the queue is the parent's. */
void aio_forget(struct aio *a);

#endif
