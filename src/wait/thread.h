/* SPDX-License-Identifier: MIT */
/*
 * A thread as the library knows it. CreateThread makes one; any other pthread is attached the
 * first time it calls in, and detached by a pthread key's destructor when it exits: its mutexes
 * are abandoned, its APCs dropped, its place on a port freed, its portless requests cancelled.
 *
 * Rules:
 * 1. `apcs`, `apc_*`, `alertable`, `terminating`, `owned_mutexes` are guarded by apc_lock.
 * 2. `waiter.state` is the word the thread sleeps on; claimed by compare-and-swap (wait.c).
 * 3. Fields marked (self) are touched by the thread itself only.
 */
#ifndef IOCP_WAIT_THREAD_H
#define IOCP_WAIT_THREAD_H

#include "base/list.h"
#include "base/lock.h"
#include "object/object.h"
#include "wait/dispatcher.h"
#include "wait/prompt.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct queue;
struct queue_entry;
struct poller;

/* Values of waiter.state; >= WAITER_SATISFIED means object number (state - WAITER_SATISFIED). */
enum waiter_state {
    WAITER_IDLE,
    WAITER_ARMED,   /* asleep or about to sleep: may be claimed */
    WAITER_APC,     /* an APC was queued to an alertable waiter */
    WAITER_LOOK,    /* look again (wait-all member signalled, or the queue has work) */
    WAITER_TIMEOUT, /* the waiter itself gave up */
    WAITER_CLOSED,  /* the queue waited on was closed */
    WAITER_CANCEL,  /* CancelSynchronousIo, or the fd waited on is being closed */
    WAITER_DEAF,    /* nothing would be heard of other processes (shared.h) */
    WAITER_SATISFIED = 0x100,
    WAITER_ABANDONED = 0x200, /* same, and the mutex was abandoned */
};

struct waiter {
    _Atomic uint32_t state;
    struct thread *thread;     /* borrowed: embeds this */
    struct list link;          /* in queue.waiters, guarded by the queue's lock */
    struct queue_entry *given; /* packet handed over with WAITER_SATISFIED */
    bool in_poller;            /* sleeps in the queue's poller; guarded by the queue's lock */
    _Atomic bool polls;        /* looks at `state` itself: who claims it need not wake it (spin.c) */
};

/*
 * A thread and the places of the port it belongs to. NONE -> HELD and HELD -> NONE are moves of the
 * thread itself, so that it may read NONE without a lock. One that blocks outside the library is moved
 * HELD -> TAKEN, and back once it runs, by whoever looks at it (outside.c); TAKEN -> NONE is its own move.
 */
enum place {
    PLACE_NONE,
    PLACE_HELD,  /* counted in queue.active */
    PLACE_TAKEN, /* counted in queue.taken */
};

enum { REQUEST_CACHE_MAX = 64 };

/* Operations counted per thread, summed by ledger_read (io/request.h). */
enum ledger_count {
    LEDGER_STARTED,
    LEDGER_COMPLETED,
    LEDGER_REFUSED,
    LEDGER_POSTED,
    LEDGER_QUEUED,
    LEDGER_DELIVERED,
    LEDGER_DROPPED,
    LEDGER_COUNTS
};

/*
 * The blocking calls that a thread is in. A routine that runs in one makes its own apart from that: they are
 * called back by themselves. Guarded by the thread's apc_lock.
 */
struct sync_calls {
    struct sync_calls *outer; /* borrowed: those in which the routine runs; NULL */
    int depth;                /* inside a cancellable synchronous call */
    bool cancel;              /* it has been called back */
    bool look;                /* it is to look again (wait_sync_look) */
};

struct thread {
    struct object object;
    struct dispatcher dispatcher; /* signalled once the thread has ended */
    struct waiter waiter;

    struct lock apc_lock;
    struct list apcs;           /* struct apc, first in first out */
    bool alertable;             /* in an alertable wait now */
    bool terminating;           /* takes no more APCs */
    struct poller *apc_poller;  /* poller the alertable thread sleeps in; pinned while set */
    bool apc_wakes_fd;          /* sleeps in poll() with wake_fd */
    struct list owned_mutexes;  /* ownership.owned */
    _Atomic uint32_t apc_count; /* queued APCs: a hint read without the lock */

    struct queue *queue;        /* (self) counted; the port this thread belongs to */
    _Atomic uint8_t place;      /* enum place; written under the queue's lock */
    struct list member;         /* in queue.members, guarded by the queue's lock */
    uint64_t time_run;          /* processor time at the last look (outside.c); likewise */
    clockid_t cpu_clock;        /* what measures it; constant while running */
    struct object *pinned;      /* (self) counted; NULL: none. See thread_pin */
    uintptr_t pinned_handle;    /* (self) the handle that named it */
    struct queue_entry *kept;   /* (self) packet completed while harvesting for `keeping` */
    struct queue *keeping;      /* (self) queue whose first completion goes to `kept` */
    struct queue *harvested;    /* (self) queue whose poller it looks into at this moment */
    struct prompt_turn turn;    /* (self) */
    uint32_t call_bytes;        /* (self) what the operation moved that its starting call has just ended */
    bool issued_portless;       /* (self) ever started overlapped I/O on a handle without a port */
    int wake_fd;                /* (self creates) eventfd, -1 until needed */
    struct sync_calls *calls;   /* written by self, under apc_lock; never NULL */
    struct sync_calls own_calls; /* where no routine runs */

    uint64_t serial;            /* unique for ever; what requests remember */
    _Atomic uint32_t tid;       /* Linux thread id = GetCurrentThreadId */
    _Atomic uint32_t exit_code; /* STILL_ACTIVE (259) while running */
    pthread_t pthread;          /* valid while running */
    bool discarded;             /* set before it was let go the first time: never runs */
    bool exit_code_given;       /* (self) returned or called ExitThread: exit_code is final */
    _Atomic int32_t priority;   /* SetThreadPriority's value, remembered only */
    uint16_t *description;      /* owned; guarded by apc_lock */
    int64_t created;            /* FILETIME at which the library first saw it; constant */
    uint64_t user_us;           /* processor time, stored at the end, before `ended` */
    uint64_t kernel_us;
    _Atomic int64_t ended;      /* FILETIME, 0 while running */

    /* CreateThread only */
    uint32_t (*start)(void *);
    void *start_arg;
    _Atomic uint32_t suspend_count; /* CREATE_SUSPENDED: futex, > 0 = not started */

    struct request_cache {      /* (self) free requests of either size (io/request.c) */
        void *first;
        unsigned count;
    } requests[2];
    _Atomic uint64_t counts[LEDGER_COUNTS]; /* written by self, read by the ledger */
    struct list all;            /* in the list of all threads, guarded by its lock */
    void *tls_slots;            /* (self) owned by tls.c */
    void *fls_slots;            /* (self) owned by tls.c */
};

struct thread *thread_attach(void); /* slow half of thread_current; aborts when out of memory and spares */

extern _Thread_local struct thread *thread_self_ptr
    __attribute__((tls_model("initial-exec")));

static inline struct thread *thread_current(void)
{
    struct thread *t = thread_self_ptr;

    return __builtin_expect(t != NULL, 1) ? t : thread_attach();
}

/*
 * The port a thread used last stays pinned by it, so that finding it again by the same handle costs
 * no locked instruction (handle_is says whether the handle still means it). thread_pin takes over the
 * caller's reference. What was pinned before is let go.
 */
void thread_pin(struct thread *t, uintptr_t handle, struct object *obj);
void thread_unpin(struct thread *t);

/* The calling thread if it is known already, else NULL. */
static inline struct thread *thread_current_or_null(void)
{
    return thread_self_ptr;
}

static inline enum place thread_place(struct thread *t)
{
    return (enum place)atomic_load_explicit(&t->place, memory_order_relaxed);
}

/* Under the lock of the thread's queue. */
static inline void thread_set_place(struct thread *t, enum place place)
{
    atomic_store_explicit(&t->place, (uint8_t)place, memory_order_relaxed);
}

extern const struct object_type thread_type;

/*
 * Starts a thread. On success *out holds a counted reference. flags: CREATE_SUSPENDED (4).
 * stack_size 0 = default.
 */
uint32_t thread_create(uint32_t (*start)(void *), void *arg, size_t stack_size, bool suspended,
                       struct thread **out);
/* For a thread that the library makes and that runs the program's code: made by whoever starts it, which may
 * fail (NULL) where attaching may not; begun by the thread itself, which takes over the reference. */
struct thread *thread_prepare(void *start_arg);
void thread_begin(struct thread *t);
/* Previous suspend count in *previous. Only CREATE_SUSPENDED threads can be resumed from > 0. */
uint32_t thread_resume(struct thread *t, uint32_t *previous);
/* Only a thread that has not started can be suspended (again); else STATUS_NOT_SUPPORTED. */
uint32_t thread_suspend(struct thread *t, uint32_t *previous);
/* A suspended thread that has never run ends without running. */
void thread_discard(struct thread *t);
/* Swaps the description; `name` is the same in UTF-8, for the kernel. */
void thread_describe(struct thread *t, uint16_t **description, const char *name);
_Noreturn void thread_exit(uint32_t code); /* ExitThread, also for attached threads */

/* Counted reference to the live thread with that id, or NULL. */
struct thread *thread_find(uint32_t tid);
/* What fn says, who is given the id while the thread cannot end, so that it is nobody else's. fn does not
 * block, and takes no lock. STATUS_THREAD_IS_TERMINATING: it has ended, or is about to. */
uint32_t thread_with_id(struct thread *t, uint32_t (*fn)(uint32_t tid, void *ctx), void *ctx);

static inline void thread_count(struct thread *t, enum ledger_count what, uint64_t n)
{
    /* Only the thread itself writes: a plain add, made of relaxed halves for the reader. */
    atomic_store_explicit(&t->counts[what],
                          atomic_load_explicit(&t->counts[what], memory_order_relaxed) + n,
                          memory_order_relaxed);
}
/* Adds up all threads, dead ones too. */
void thread_counts(uint64_t sums[LEDGER_COUNTS]);

/* Hooks run in the exiting thread, after user code, before its last reference is dropped. Set by
 * constructors, and never again. */
extern void (*thread_exit_hooks[4])(struct thread *t);
/* Run when the library has nothing more to do on that thread: gives its caches up (io/request.c). */
extern void (*thread_last_hook)(struct thread *t);

#endif
