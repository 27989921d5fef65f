/* SPDX-License-Identifier: MIT */
/*
 * Between engine.c, which chooses, and the two ways of doing the work. `start` returns 0 when the
 * op was taken, and then done() comes exactly once; `cancel` is called while the caller pins the
 * op's memory.
 */
#ifndef IOCP_ENGINE_BACKENDS_H
#define IOCP_ENGINE_BACKENDS_H

#include "engine/engine.h"

/* op.state; both backends use it, guarded by their lock. */
enum op_state {
    OP_IDLE,
    OP_WAITING,   /* in a list of the backend's: can be withdrawn */
    OP_RUNNING,   /* the kernel or a pool thread has it */
    OP_WITHDRAWN, /* cancelled while waiting: its answer is on the way */
};

/* A thread with nothing to do stays so long; tests are less patient. */
extern _Atomic uint64_t threads_idle_ns;
int threads_start(struct op *op);
void threads_cancel(struct op *op, uint32_t generation);

#ifdef IOCP_HAVE_LIBURING
/* Makes the ring: 0, and in *why what it lacks or NULL; or -errno, and in *why the step that was refused. */
int uring_open(const char **why);
bool uring_takes(const struct op *op); /* constant; what the ring lacks the threads do */
int uring_start(struct op *op);
void uring_cancel(struct op *op, uint32_t generation);
#endif

#endif
