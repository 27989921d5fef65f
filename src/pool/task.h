/* SPDX-License-Identifier: MIT */
/*
 * A task: what has callbacks to be run. Work, timers, waits, I/O and what the older functions make of
 * them differ in what causes a callback (task_add_locked) and in how it is called; everything else is here:
 * counting, cancelling, waiting, closing.
 *
 * pending callbacks are those caused and not begun, running those begun and not ended. A task with pending
 * callbacks stands in its pool's queue, once; whoever takes it out begins one callback and puts it back if
 * more are pending. So causing one allocates nothing and cannot fail, and cancelling is a subtraction:
 * a thread that finds nothing pending has come for nothing. Tasks of I/O are never queued: for them
 * a callback is pending from StartThreadpoolIo on, and the packet that brings it is the file's. Operations
 * that were started before a cancellation are told by their key (key.h), which is replaced by it.
 *
 * The program holds one reference until it closes the task, the queue and each run one of their own; so
 * do an armed timer and a listener.
 */
#ifndef IOCP_POOL_TASK_H
#define IOCP_POOL_TASK_H

#include "object/object.h"
#include "pool/pool.h"
#include "wait/dispatcher.h"
#include "wait/queue.h"

#include <stdbool.h>
#include <stdint.h>

struct group;
struct run;
struct task;
struct user_section;

struct task_ops {
    /* Calls the program's function, on a thread of the pool, no lock held. `packet` is that of a task of
     * I/O, else NULL. */
    void (*call)(struct task *t, struct run *run, const struct packet *packet);
    /* No more callbacks are to be caused. true: one was going to be. May be NULL. */
    bool (*stop)(struct task *t);
    /* I/O: what is started from now on has another key, which is returned. May be NULL. */
    uintptr_t (*rekey)(struct task *t);
    /* Closed, nothing pends and nothing runs: once, no lock held. May be NULL. */
    void (*finished)(struct task *t);
};

struct task {
    struct object object;
    struct queue_entry entry;    /* in the pool's queue if `queued` */
    const struct task_ops *ops;  /* constant, as all down to `member` */
    struct pool *pool;           /* a use */
    void *context;
    bool runs_long;
    bool persistent;
    bool unannounced;            /* I/O: every packet calls, no callback is pending before */
    bool once;                   /* closed by the end of its first callback, or by being cancelled */
    void (*cancelled)(void *context, void *cleanup_context); /* of the group; may be NULL */
    struct group *group;         /* counted, or NULL */
    _Atomic uintptr_t handle;    /* 0: it has none */
    struct list member;          /* in group->members; guarded by the group's lock */
    bool left;                   /* closed by itself, not by the group; likewise */
    bool gone;                   /* no member of the group any more; likewise */
    struct dispatcher idle;      /* signalled: nothing pends and nothing runs. Its lock guards: */
    uint32_t pending;
    uint32_t running;
    uint32_t timeouts;           /* waits: of the pending ones, those that a time-out caused */
    uintptr_t since;             /* I/O: callbacks of packets with earlier keys were cancelled */
    uint32_t cancelling;         /* waits that cancel: what is caused meanwhile is cancelled at once */
    bool refusing;               /* nothing is caused any more */
    bool ending;                 /* its own callback does not submit it any more */
    uint32_t caused;             /* callbacks, ever */
    bool queued;
    bool closed;
    bool finished;
    struct object *done;         /* reference to be put when finished, or NULL */
};

/* Where and how the callbacks of a new task run (TP_CALLBACK_ENVIRON). All zero: as usual. */
struct task_env {
    struct pool *pool;   /* borrowed; NULL: the default pool */
    struct group *group; /* borrowed; NULL: none */
    void (*cancelled)(void *context, void *cleanup_context);
    bool runs_long;
    bool persistent;
};

/* The common part of a new task, all zero before. The memory around it is freed by type->destroy, which
 * begins with task_fini. */
uint32_t task_init(struct task *t, const struct object_type *type, const struct task_ops *ops,
                   const struct task_env *env, void *context);
void task_fini(struct task *t);
/* The last step: from here on its group may close it. False: the group has retired its members, before this
 * one was among them. */
bool task_join(struct task *t);

static inline struct task *task_from_object(struct object *obj)
{
    return container_of(obj, struct task, object);
}

/* One more callback, which the program asks for. The caller has a reference. While a wait cancels, it counts
 * unless it is the task's own callback that asks: that could go on for ever. */
void task_submit(struct task *t);
/* One more callback, in two steps: under t->idle.lock, and if that says so, afterwards, without. */
bool task_add_locked(struct task *t);
void task_queue(struct task *t);

/* What is caused now is dropped. t->idle.lock is held. */
static inline bool task_drops_locked(const struct task *t)
{
    return t->refusing || t->cancelling > 0;
}

/* How many callbacks will not begin that would have. */
uint32_t task_cancel(struct task *t);
/* Until no callback pends or runs; with cancel, those not begun never do. */
void task_wait(struct task *t, bool cancel);
/* Nothing is caused any more, whoever asks for it. */
void task_refuse(struct task *t);
/* Its own callback does not submit it any more. */
void task_end_chain(struct task *t);
/* Does anything pend or run? *caused: how many callbacks there have been to do so. */
bool task_is_busy(struct task *t, uint32_t *caused);

/* The program's reference ends: nothing more is caused; what pends still runs. Once; later calls do
 * nothing. */
void task_close(struct task *t);

/* A handle that CloseHandle refuses, also in *h; until task_unpublish, which is true for the first only. */
uint32_t task_publish(struct task *t, uintptr_t *h);
bool task_unpublish(struct task *t);

/*
 * The older functions' way of ending a task: closes it. STATUS_PENDING: callbacks pend or run; of `latch`,
 * which may be NULL, the task holds a reference until they are done. STATUS_INVALID_HANDLE: it was ended
 * before.
 */
uint32_t task_retire(struct task *t, struct object *latch);

/* Sets the event, which it refers to, when its last reference is dropped. */
uint32_t latch_new(struct object *event, struct object **out);

/* For I/O: a callback is expected, and one that is not any more. */
void task_expect(struct task *t);
void task_expect_less(struct task *t);

/* Does the work of what was dequeued from the pool. */
void task_serve(struct worker *w, struct queue_entry *e);

/* ---- runs: one callback being run (TP_CALLBACK_INSTANCE) ---- */

/* Lies in worker.room and is touched by that thread alone. */
struct run {
    struct task *task;        /* counted */
    struct worker *worker;
    bool timed_out;           /* of a wait: why it was caused */
    bool associated;          /* the task counts it as running */
    bool spared;              /* pool_spare */
    /* What is to be done when it returns; objects counted, NULL for nothing. */
    struct object *event, *semaphore, *mutex;
    int32_t release_count;
    struct user_section *section;
    void *module;
    void (*free_module)(void *module);
};

bool run_may_be_long(struct run *run);
void run_disassociate(struct run *run);
/* `slot` is one of the run's. Takes over the reference; of each kind the last one given counts. */
void run_when_done(struct object **slot, struct object *obj);
void run_end(struct run *run);

/* ---- groups ---- */

uint32_t group_new(struct group **out);
/* Closes all tasks that are members now and waits for their callbacks, and for those of members that were
 * closed before; see task_close, task_wait. */
void group_close_members(struct group *g, bool cancel, void *cleanup_context);
/* task_retire for all members. STATUS_PENDING: callbacks pend or run, be it of one that was closed before;
 * of `latch`, which may be NULL, the group holds a reference until they are done. Once. */
uint32_t group_retire_members(struct group *g, struct object *latch);
void group_put(struct group *g);
struct object *group_object(struct group *g);
struct group *group_from_object(struct object *obj); /* NULL if it is something else */

#endif
