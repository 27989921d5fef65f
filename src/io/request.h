/* SPDX-License-Identifier: MIT */
/*
 * One overlapped operation from call to packet. The memory of a request is the packet that a port
 * queues and the APC that a thread runs: nothing is allocated to complete.
 *
 *   NEW      built by the starting call
 *   QUEUED   in a lane of a file, waiting for its turn or for readiness
 *   STARTED  an engine has its op
 *   DONE     answered; queued as a packet or APC, or freed
 *
 * The start of every overlapped call:
 *     struct request *r = request_new(file, ov, flags);       NULL: no memory
 *     r->... = ...                                            what to do
 *     request_begin(r);                                       Internal = pending, event reset
 *     status = lane_start(r, LANE_IN) | engine ...            r is no longer ours
 * lane_start answers STATUS_PENDING or the final status; it has then completed or refused the
 * request by itself. A final error means: refused, no event, packet or routine follows.
 *
 * Every accepted request ends in request_complete(), once. After that the OVERLAPPED, the buffers
 * and the event are never touched again.
 */
#ifndef IOCP_IO_REQUEST_H
#define IOCP_IO_REQUEST_H

#include "engine/engine.h"
#include "wait/apc.h"
#include "wait/queue.h"
#include "wait/thread.h"

#include "minwindef.h"
#include "winnt.h"
#include "minwinbase.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct file;
struct port;
struct request;

enum request_state { REQUEST_NEW, REQUEST_QUEUED, REQUEST_STARTED, REQUEST_DONE };

/* A WSABUF by another name, so that no Winsock header is needed below the skin. */
struct __attribute__((may_alias)) io_buf {
    uint32_t len;
    char *base;
};

/* A place in the queue for a range of a file: filelock.c, whose table guards it. */
struct filelock;
struct filelock_wait {
    struct list link;
    struct filelock *lock;   /* owned until it is granted, then NULL */
    struct request *request; /* borrowed: embeds this; NULL: a blocking call */
    int wake_fd;             /* what a blocking call sleeps on */
    bool waiting;
};

enum { REQUEST_IOV_INLINE = 4, REQUEST_NO_ISSUER = 0 /* no thread's end cancels it */ };

/* How a file's kind does one step of a request: see lane.h for `attempt`. */
struct request_ops {
    const char *name;
    /*
     * Tries without blocking, no lock held, possibly on a library thread. STATUS_PENDING: would
     * block, try again at the next edge. Anything else is the final status, r->bytes filled.
     * May set r->drained_hint when a short transfer proves that nothing is left.
     */
    uint32_t (*attempt)(struct request *r);
    bool sheltered; /* `attempt` sees to it itself that pthread_cancel does not end the thread in it */
    /* It is going to wait in its lane. The file's lock is held. May be NULL. */
    void (*queued)(struct request *r);
    /* Last look before the answer is published (copy out addresses, flags). May be NULL. */
    void (*finish)(struct request *r, uint32_t status);
    /* Frees what the request owns beyond the common fields. May be NULL. */
    void (*release)(struct request *r);
    /*
     * Instead of OVERLAPPED, event, packet and routine: tells the program in a way of its own, and puts r.
     * status and bytes are set; r->file is the caller's to put. No lock held. May be NULL.
     */
    void (*answer)(struct request *r);
    /* Of a parked request only: it is asked to come back. No lock held; see request_park. */
    void (*cancel)(struct request *r, struct file *f);
};

/* Of a request that was done inside the starting call. */
struct request_result {
    uint32_t bytes, flags;
};

typedef void (*request_routine)(uint32_t error, uint32_t bytes, OVERLAPPED *ov, uint32_t flags);
typedef void (*request_native_routine)(void *context, OVERLAPPED *block, uint32_t reserved);

/* Who gets the answer, as the native calls have it. */
struct request_native {
    struct object *event; /* counted; NULL: the file's own signal */
    request_native_routine routine;
    void *context;        /* the routine's; else what the packet carries for an OVERLAPPED, NULL: no packet */
};

enum serial_patience {
    SERIAL_FILL,          /* until all is there */
    SERIAL_WHAT_IS_THERE, /* at the first look anything will do */
    SERIAL_ANY_BYTE,
    SERIAL_NO_PATIENCE,   /* even nothing will do */
};

/* How long a read or write of a serial line may take; begins with its turn. */
struct serial_clock {
    uint64_t due_ns;  /* all in all */
    uint64_t gap_ns;  /* a pause longer than this ends it; 0: none does */
    uint64_t last_ns; /* when the last byte came */
    uint8_t patience; /* enum serial_patience */
    bool begun, armed;
};

/*
 * A request comes in two sizes. The lean half, two cache lines, is all that a transfer of one buffer on
 * a stream has, waiting or not; the wide one goes on behind it. What does not say otherwise belongs to
 * whoever owns the request at that time.
 */
struct request {
    union {
        struct {
            struct queue_entry entry; /* its link is also the place in lane->requests, while QUEUED */
            uintptr_t key;            /* of the port; set when it is DONE, or from the start (file_key) */
        };
        struct apc apc; /* of one with a routine: its link is used as above, the rest from the start */
    };
    OVERLAPPED *ov;      /* borrowed from the user until DONE; never dereferenced after */
    uint32_t status;     /* final NTSTATUS */
    uint32_t bytes;
    struct file *file;   /* counted: gets the completion; NULL when it is DONE */
    const struct request_ops *ops;

    /* -- its life -- */
    _Atomic uint32_t refs; /* 1 = its owner; cancellers take one for a moment */
    uint32_t size;       /* sum of the buffers */
    uint32_t iov_count;
    uint16_t in_flags;   /* MSG_* */
    uint16_t out_flags;  /* WSARecv's flags at completion */
    _Atomic uint8_t state; /* enum request_state; moves under the lock of the file it waits in */
    _Atomic bool cancelled; /* set once, under the same guard as `attempting` */
    bool attempting;     /* a thread is inside ops->attempt; guarded by the lane file's lock */
    bool drained_hint;
    bool pended;         /* is in file->pending; guarded by file->lock, read by the completer */
    bool starting;       /* engine_start has not returned yet; guarded by file->lock */
    bool noted;          /* ops->queued was called */
    /* Constant from the start. */
    bool wide : 1;
    bool begun : 1;         /* request_begin was called */
    bool never_refused : 1; /* a failure inside the call is an answer all the same (ConnectEx) */
    bool answers_later : 1; /* done at once or not, the call says pending (AcceptEx, ConnectEx) */
    bool no_packet : 1;     /* bit 0 of hEvent */
    bool has_event : 1;     /* `event` is set */
    bool winsock : 1;       /* the routine takes (error, bytes, ov, flags), else 3 arguments */
    bool native : 1;        /* the packet carries `context`, not `ov` */
    uint64_t issuer;     /* thread.serial of the thread that started it */
    union {
        struct object *event;  /* of hEvent, counted until DONE; with has_event */
        struct thread *thread; /* counted; with a routine */
    };
    request_routine routine;
    struct iovec buffer;

    /* -- wide ones only -- */
    struct iovec *iov;   /* &buffer, iov_inline, or owned; request_iov() */
    struct list pending; /* in file->pending */
    _Atomic(struct file *) lane_file; /* counted if != file; whose lane it is in (AcceptEx's
                                       * second half); changed under file->lock only */
    struct iovec iov_inline[REQUEST_IOV_INLINE];
    struct op op;        /* engine work (disk) */
    uint64_t offset;
    void *context;       /* of a native call */
    struct object *also_event; /* counted: the event of a native call that has a routine as well */
    union {
        struct {
            struct sockaddr *from;  /* user's, written at completion */
            int32_t *from_len;      /* user's */
            void *msg;              /* WSARecvMsg/WSASendMsg: the user's WSAMSG */
        } sock;
        struct {
            void *owned;            /* of an address that does not fit below; NULL */
            uint32_t len;
            uint8_t name[28];       /* destination of a datagram */
        } send;
        struct {
            struct file *socket;    /* counted: the accept socket */
            char *out;              /* user's output buffer */
            uint32_t data_len, local_len, remote_len;
            uint8_t stage;
        } accept;
        struct {
            uint32_t failure;       /* NTSTATUS of a connect that failed inside the call */
            uint8_t stage;
        } connect;
        struct {
            bool append, write;
        } disk;
        struct {
            void *reply;            /* user's: where TransactNamedPipe puts the answer */
            uint32_t reply_size;
            uint32_t session;       /* of the pipe, when the call was made */
            uint8_t stage;
            int wake_fd;            /* what the caller of a blocking call sleeps on; else 0 */
        } pipe;
        struct serial_clock serial;
        struct {
            uint32_t *out; /* user's, written at completion */
            uint32_t events;
        } comm_event;
        struct filelock_wait lock;
        uint64_t any[6];
    } u;
};

/*
 * A new request on `file`. Looks up and pins hEvent (an error if it is no event). With use_event false
 * hEvent is ignored (ReadFileEx). The request holds a reference to the file of its own.
 */
uint32_t request_new(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out);
/* The same, but it takes over the caller's reference to the file, if it succeeds. */
uint32_t request_new_given(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out);
/* A lean one. It takes over the caller's reference to the file, if this succeeds. */
uint32_t request_new_lean(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out);

static inline struct iovec *request_iov(struct request *r)
{
    return r->wide ? r->iov : &r->buffer;
}

/* Copies the buffer array: of a lean request, one buffer. STATUS_INSUFFICIENT_RESOURCES: no memory for so
 * many, or more than 4 GiB. */
uint32_t request_set_bufs(struct request *r, const struct io_buf *bufs, uint32_t count);
void request_set_buf(struct request *r, void *data, uint32_t size);
/* The reference to the event is taken over. r is wide, and was made without an event. */
void request_set_native(struct request *r, const struct request_native *to);
/* The completion goes to a routine on the calling thread instead of event, file or port. */
void request_set_routine(struct request *r, request_routine routine, bool winsock);

/*
 * The bytes of the operation that the calling thread has just started, if the start said how it ended (not
 * STATUS_PENDING): the request is gone then, and the OVERLAPPED may be.
 */
static inline uint32_t request_call_bytes(void)
{
    return thread_current()->call_bytes;
}

/* Internal = STATUS_PENDING, event and file nonsignalled. The last step before starting. */
void request_begin(struct request *r);

/* The same for one with ops->answer, which concerns neither event nor file: r->ov is the library's own. */
void request_begin_apart(struct request *r);

/* Refused before anything was accepted: frees it, answers nobody. Returns status. */
uint32_t request_refuse(struct request *r, uint32_t status);

/*
 * The one door. No lock held. r->bytes is set. The request is not the caller's any more.
 * in_call: the starting call is still running and will return this status.
 */
void request_complete(struct request *r, uint32_t status, bool in_call);
/* The same, but the request's reference to its file is left to the caller. */
void request_answer(struct request *r, uint32_t status, bool in_call);

/*
 * For operations that never pend (done synchronously inside the call): begin was called, finish
 * with this: an error status refuses, anything else completes. Returns status.
 */
uint32_t request_finish_inline(struct request *r, uint32_t status);

/* Accepted by an engine: joins file->pending. false: the file is closed (refuse it). */
bool request_pend(struct request *r);

/*
 * For what waits neither in a lane nor in an engine but in a place of its kind's own (a serial line's
 * event): the same as request_pend, and whoever cancels it calls ops->cancel, which takes it out of
 * that place and completes it with STATUS_CANCELLED, or finds that somebody else has. It may come
 * before the request is in its place: who puts it there looks at r->cancelled afterwards.
 */
bool request_park(struct request *r);

/*
 * Starts r->op on the engine: STATUS_PENDING or an error (then it was refused). op.done may be
 * left NULL: then the answer completes the request, bytes as they are, errno by the table.
 */
uint32_t request_start_engine(struct request *r);
/* The same again from inside done() (the rest of a short transfer): 0, or -errno. */
int request_continue_engine(struct request *r);

void request_get(struct request *r);
void request_put(struct request *r);
/* Packets without an operation (posts): memory from the calling thread's cache, one reference. */
struct request *request_new_packet(void);

/* What it does, for people: a constant string. It is in flight, or the caller's. */
const char *request_name(const struct request *r);

/* The ledger, for iocp_ledger() and the tests: see iocp.h. */
struct ledger {
    uint64_t started, completed, refused, posted, queued, delivered, dropped;
};
void ledger_read(struct ledger *out);

#endif
