/* SPDX-License-Identifier: MIT */
/*
 * The concurrency queue: entries first in first out, waiting threads last in first out, and at
 * most active_max released threads running. It knows nothing of packets; a port embeds one.
 *
 * The queue may have a poller. Then one waiter, the leader, sleeps in it while the others sleep on
 * futexes; what the leader harvests is queued as READY entries before anybody returns to user
 * code, and whoever dequeues a READY entry does its work (run_ready) and keeps the first
 * completion that this produces for the same queue.
 *
 * Rules:
 * 1. All fields are guarded by `lock`, but for poller, run_ready and starved (constant once set).
 * 2. active counts the members that hold a place, and the waiters that were handed a packet and have
 *    not woken yet; taken counts the members whose place was taken while they block outside (outside.c).
 * 3. entries not empty and waiters not empty implies active >= active_max, or a waiter is on its
 *    way (lookers > 0), or a member with a place has put the release off (prompt.c).
 */
#ifndef IOCP_WAIT_QUEUE_H
#define IOCP_WAIT_QUEUE_H

#include "base/list.h"
#include "base/lock.h"
#include "engine/home.h"
#include "wait/dispatcher.h"
#include "wait/prompt.h"
#include "wait/spin.h"
#include "wait/thread.h"

struct poller;

enum queue_ready {
    QUEUE_PACKET,
    QUEUE_READY,  /* a file with readiness: anybody may do its work */
    QUEUE_NOTICE, /* what only a thread that dequeues may look at, when its turn has come (io/notice.h) */
};

struct queue_entry {
    struct list link; /* guarded by the queue's lock */
    uint8_t ready;    /* enum queue_ready */
    bool task;        /* a task of the thread pool, not a packet */
    bool noticed;     /* a packet that a notice gave: it is told when the packet has been unpacked */
};

struct queue {
    struct lock lock;
    bool closed;
    uint32_t active;
    uint32_t active_max;    /* the usual number, or more for a while: see stalled_locked in outside.c */
    uint32_t active_usual;  /* changed by queue_set_active_max only */
    uint32_t lookers;       /* waiters told to look, not yet back */
    uint32_t taken_out;     /* entries, ever: the looking sees whether it moves */
    uint32_t taken_out_seen;
    uint32_t taken_out_watched; /* the same for the watchdog */
    uint32_t stalled;       /* looks in a row at which it had not moved */
    uint32_t gets;          /* dequeues since the poller was last looked at */
    uint32_t look_after;    /* so many of them, and it is looked at again */
    uint32_t count;         /* entries */
    uint32_t ready;         /* of them, READY ones */
    struct list entries;    /* struct queue_entry */
    struct list waiters;    /* struct waiter.link, most recent first */
    struct list members;    /* struct thread.member: all threads that belong to this queue */
    uint32_t member_count;
    uint32_t taken;         /* members with PLACE_TAKEN */
    uint32_t calm;          /* looks in a row that had no cause */
    bool looking;           /* `look` is armed or runs, and holds a reference to the object */
    uint64_t recount_ns;    /* not before this time does a put or get look at `taken` again */
    uint64_t look_ns;       /* not before this time are the holders looked at again */
    struct timer look;      /* see outside.c; the heap's lock guards what is inside */
    struct queue_entry answers; /* READY: the poller's own queue (engine/aio.h) has answers */
    struct prompt prompt;
    struct spin spin;
    struct waiter *leader;  /* the waiter that sleeps in the poller, or NULL */
    _Atomic(struct poller *) poller; /* owned; NULL until the first fd is registered */
    /* What an edge of the poller means: a READY entry, if there is work to be done; constant. */
    struct queue_entry *(*edge)(uint64_t token, uint32_t events);
    /* Does the work of a READY entry, all but `answers`, or of a notice, on the calling thread, unlocked. */
    void (*run_ready)(struct queue_entry *e);
    /* There is work and room for so many more threads, and no waiter is left to be let go; called with no
     * lock held by whoever caused it. NULL: there is nothing that could make threads. */
    void (*starved)(struct queue *q, uint32_t threads);
    struct object *object;  /* borrowed: embeds this; pinned by every thread that belongs to it */
};

void queue_init(struct queue *q, uint32_t active_max, struct object *object,
                struct queue_entry *(*edge)(uint64_t, uint32_t),
                void (*run_ready)(struct queue_entry *));

/*
 * Takes 1 to max entries into out[]; *count says how many. STATUS_SUCCESS, STATUS_TIMEOUT,
 * STATUS_USER_APC, STATUS_ABANDONED_WAIT_0 (closed meanwhile). The caller pins the queue's object.
 */
uint32_t queue_get(struct queue *q, struct queue_entry **out, unsigned max, unsigned *count,
                   bool alertable, uint64_t deadline_ns);

/* Up to max further entries that lie there, for the thread that has just got some: it keeps its place. */
unsigned queue_get_more(struct queue *q, struct queue_entry **out, unsigned max);

/* Another number of released threads; those that run go on. */
void queue_set_active_max(struct queue *q, uint32_t active_max);

/* Does anything have to be looked for in the queue's poller? */
bool queue_polls(struct queue *q);

/* Appends one packet, or hands it to the most recent waiter. false: the queue is closed. */
bool queue_put(struct queue *q, struct queue_entry *e);

/* The same, but one of the queue's workers that is back soon may leave it to itself (prompt.c). */
bool queue_put_own(struct queue *q, struct queue_entry *e);

/* The same with dispatcher_answer: neither packet, event nor word is seen before the others (rank: queue,
 * event). */
bool queue_put_with_event(struct queue *q, struct queue_entry *e, struct dispatcher *event, uintptr_t *word,
                          uintptr_t value);

/* Appends READY entries, waking nobody: whoever harvests does that afterwards. No lock held; does
 * their work itself if the queue is closed. */
void queue_put_ready(struct queue *q, struct queue_entry *const *entries, unsigned count);

/* Waits in the poller, which is the queue's, and appends what is found; see poller_wait. No lock held. */
int queue_harvest(struct queue *q, struct poller *p, uint64_t deadline_ns);

/* Appends a notice. quiet: waking nobody, as above. false: the queue is closed. */
bool queue_put_notice(struct queue *q, struct queue_entry *e, bool quiet);

/* Does the work of a READY entry or a notice that was taken out, with no lock held. */
void queue_run_ready(struct queue *q, struct queue_entry *e);

/* Takes an entry out again: true if it was still queued (its reference is the caller's). */
bool queue_withdraw(struct queue *q, struct queue_entry *e);

/* The object is being destroyed: frees the poller. No entries, no waiters. */
void queue_free(struct queue *q);

/* Gives the queue its poller (a file of this port is about to be registered). 0 or -errno. */
int queue_make_poller(struct queue *q);
/* An fd was registered: if waiters sleep and nobody leads, one has to. */
void queue_poke(struct queue *q);

/* Wakes every waiter with WAITER_CLOSED; later gets fail. Entries stay for queue_drain. */
void queue_close(struct queue *q);
struct queue_entry *queue_drain(struct queue *q); /* one left-over entry, or NULL */

/*
 * Does what readiness is there, on a thread that is not dequeuing (home thread, a polling
 * observer): harvests the leaderless poller with timeout 0 and runs all READY entries.
 */
void queue_help(struct queue *q);

/* The calling thread is about to block / runs again: frees or retakes its place. */
bool queue_block(struct thread *self); /* true: it held a place; pass on to queue_unblock */
void queue_unblock(struct thread *self, bool held);
void queue_leave(struct thread *self); /* joins no queue any more (thread exit) */

#endif
