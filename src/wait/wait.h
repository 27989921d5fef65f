/* SPDX-License-Identifier: MIT */
/*
 * Waiting for one, any or all of up to 64 dispatchers, with a deadline, alertably or not; and the
 * plain alertable sleep. Every sleep of a user thread passes through this room: it frees the
 * thread's place in its port's concurrency count, makes sure that somebody serves the pollers
 * while the thread sleeps, and runs queued APCs on the sleeper's own stack.
 *
 * Results are NTSTATUS: STATUS_WAIT_0 + index, STATUS_ABANDONED_WAIT_0 + index, STATUS_USER_APC
 * (APCs were run), STATUS_TIMEOUT; STATUS_INSUFFICIENT_RESOURCES for objects that processes share.
 */
#ifndef IOCP_WAIT_WAIT_H
#define IOCP_WAIT_WAIT_H

#include "wait/dispatcher.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define WAIT_OBJECTS_MAX 64

/* The dispatchers are pinned by the caller. deadline_ns: 0 tests without sleeping. */
uint32_t wait_for(struct dispatcher *const *objects, unsigned count, bool all, bool alertable,
                  uint64_t deadline_ns);

static inline uint32_t wait_for_one(struct dispatcher *d, bool alertable, uint64_t deadline_ns)
{
    return wait_for(&d, 1, false, alertable, deadline_ns);
}

/* STATUS_USER_APC after APCs ran, else STATUS_TIMEOUT (0 ms: yields the processor). */
uint32_t wait_sleep(uint64_t deadline_ns, bool alertable);

/* What a blocking call does about routines that are queued to its thread. */
enum wait_routines {
    WAIT_NO_ROUTINES,
    WAIT_RUNS_ROUTINES,
    WAIT_LEAVES_ROUTINES, /* it comes back with STATUS_USER_APC, none has run yet */
};

/*
 * A blocking call on one fd (synchronous socket, pipe): sleeps until `events` (poll(2) bits) show
 * on fd, the deadline passes, or the thread is told to stop.
 * Returns STATUS_SUCCESS (look again), STATUS_TIMEOUT, or STATUS_CANCELLED: CancelSynchronousIo,
 * or wait_fd_interrupt() because the file is being closed.
 * With alertable true, queued APCs run meanwhile and the sleep goes on.
 */
uint32_t wait_fd(int fd, short events, uint64_t deadline_ns, bool alertable);

/* The same on several: fds[0] is this room's own slot, the others say poll(2)'s events. At
 * STATUS_SUCCESS some of them have revents. */
uint32_t wait_fds(struct pollfd *fds, unsigned count, uint64_t deadline_ns, bool alertable);
/* The same for those who look again whenever they come back: STATUS_SUCCESS also for nothing, above all when
 * somebody has called them by wait_sync_look, or routines have run. */
uint32_t wait_fds_once(struct pollfd *fds, unsigned count, uint64_t deadline_ns, enum wait_routines routines);

/*
 * The region of one synchronous call that CancelSynchronousIo can reach. begin forgets an earlier
 * cancel; wait_sync_cancel is what another thread calls: false if t is in no such region. Of those of a
 * routine and those of the call that it runs in the innermost is meant.
 */
struct sync_calls;
void wait_sync_begin(void);
bool wait_sync_end(void); /* true: somebody has been told that it is cancelled */
bool wait_sync_cancelled(void);
bool wait_sync_cancel(struct thread *t);
/* The same for those that t was in (t->calls) when it noted that it can be called back; it is still. */
bool wait_sync_cancel_calls(struct thread *t, struct sync_calls *calls);
/* Likewise: what t waits for may be so though no descriptor will say it. It comes back from wait_fds_once. */
void wait_sync_look(struct thread *t, struct sync_calls *calls);

/* Inside that region: what was queued before a sleep that has become needless runs all the same. */
void wait_run_routines(void);

/* The same to one that waits in its own region for *word, a futex, which becomes 1: whoever reads that may go
 * only by wait_sync_end. */
void wait_sync_tell(struct thread *t, struct sync_calls *calls, _Atomic uint32_t *word);

/* Around a system call of the caller's own that may block (disk read): frees its place. The result of begin
 * goes to end. */
bool wait_block_begin(void);
void wait_block_end(bool token);

/* Sleep on a word of the user's (WaitOnAddress, condition variable ...), through this room. */
int wait_on_word(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);

#endif
