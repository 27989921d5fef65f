/* SPDX-License-Identifier: MIT */
/* What rio.c (completion queues), rio_queue.c (request queues) and rio_io.c (operations) share. */
#ifndef IOCP_IO_RIO_INSIDE_H
#define IOCP_IO_RIO_INSIDE_H

#include "io/port.h"
#include "io/rio.h"

#include <stdatomic.h>

/*
 * A completion queue. What notifies (port, event, key, ov, reset) is constant; `lock` guards the rest. It
 * ranks as a queue's: the event's is taken under it, so that the event is set as one with `armed`.
 *   telling <= count <= promised <= size
 * A request queue's limits are promised while its socket is open, then what it has outstanding.
 */
struct rio_cq {
    struct object object;
    struct lock lock;
    bool closed;
    uintptr_t armed;        /* 1: a notification is; 0 */
    struct list results;    /* struct rio_op.link, oldest first */
    uint32_t count;         /* of them */
    uint32_t telling;       /* of those, not quiet ones */
    uint32_t promised, size;
    struct request *packet; /* owned: of the notification that is armed, by a port */

    struct port *port;      /* counted; NULL */
    struct object *event;   /* counted; NULL */
    bool reset;
    uintptr_t key;
    OVERLAPPED *ov;
};

/* One direction of a request queue. cq is constant, the request queue's lock guards the rest. */
struct rio_side {
    struct rio_cq *cq;    /* counted */
    uint32_t max;
    uint32_t outstanding; /* accepted, and the result not dequeued yet */
    struct list held;     /* struct rio_op.link: deferred */
    struct list ready;    /* ... to be started, in this order, by who has set `starting` */
    bool starting;
};

/* A request queue. `context` is constant, `asked` stands alone; `lock`, a leaf, guards the rest. */
struct rio_rq {
    struct object object;
    struct lock lock;
    _Atomic bool asked;     /* the kernel, for the local address of each datagram */
    struct file *file;      /* borrowed; NULL: the socket has been closed */
    uintptr_t handle;       /* 0: not yet */
    uint64_t context;
    struct rio_side sides[LANE_COUNT];
};

/* One operation, from the call to the dequeue. It belongs to whoever has it in a list, or to its request. */
struct rio_op {
    struct list link;
    OVERLAPPED ov;           /* names the request, to the verifier and others; the program never sees it */
    struct rio_rq *rq;       /* counted */
    struct request *request; /* owned until it is started */
    uint64_t context;
    uint8_t direction;       /* enum lane_direction */
    bool quiet;
    bool payload;            /* a receive has room for data, be it none */
    int32_t status;          /* of the result */
    uint32_t bytes;
    /* Where a datagram's addresses, control data and flags are, or go to; NULL. */
    void *local, *remote;
    void *control;           /* a RIO_CMSG_BUFFER */
    void *flags_out;         /* a uint32_t */
    uint32_t control_size;
    /* Under the verifier: the buffers of all that, counted, until it is over. */
    uint32_t used_count;
    struct rio_buffer *used[]; /* RIO_SLICES, or none */
};

enum { RIO_SLICES = 5 }; /* of one call */

/* ---- rio.c ---- */

struct rio_cq *rio_cq_get(uintptr_t h); /* counted; NULL: there is none */
bool rio_cq_is_closed(struct rio_cq *cq);
bool rio_cq_promise(struct rio_cq *cq, uint32_t n); /* room for so many more: false, there is not */
void rio_cq_take_back(struct rio_cq *cq, uint32_t n);
/* It is over. No lock held; op is the queue's, or gone. */
void rio_finish(struct rio_op *op, uint32_t status, uint32_t bytes);
struct rio_op *rio_op_new(void); /* all zero; NULL */
void rio_op_free(struct rio_op *op); /* it is in no list */
/* The memory of a slice, which op uses from now on. WSAEFAULT: an unknown buffer; WSAEINVAL: not within it,
 * or less than `least`. */
uint32_t rio_resolve(struct rio_op *op, const struct rio_slice *slice, uint32_t least, void **base);

/* ---- rio_queue.c ---- */

struct rio_rq *rio_rq_get(uintptr_t h); /* counted; NULL: there is none */
/* Room for one more operation, and the socket, counted. WSAEINVAL: closed; WSAENOBUFS: as many as may be. */
uint32_t rio_charge(struct rio_rq *rq, enum lane_direction direction, struct file **f);
/* Gives that room back. */
void rio_discharge(struct rio_rq *rq, enum lane_direction direction);

static inline struct rio_rq *rio_rq_of(struct object *obj)
{
    return container_of(obj, struct rio_rq, object);
}

#endif
