/* SPDX-License-Identifier: MIT */
/*
 * Registered I/O. A send or receive is a request in the socket's lane like any other, but its answer is a
 * result in a completion queue: a list of operations that are over, whose room was promised when the
 * socket's request queue was made, so that nothing can be missing when one ends. A notification tells once,
 * by a packet or an event, that results lie there.
 *
 * Buffers, completion queues and request queues are objects with handles of their kinds, which the program
 * has as RIO_BUFFERID, RIO_CQ and RIO_RQ. A request queue lives as long as its socket is open, and no other
 * call closes it.
 */
#ifndef IOCP_IO_RIO_H
#define IOCP_IO_RIO_H

#include "io/file.h"

#include "minwinbase.h"

#include <stdbool.h>
#include <stdint.h>

/* A RIO_BUF by another name. */
struct __attribute__((may_alias)) rio_slice {
    uintptr_t buffer;
    uint32_t offset, size;
};

/* A RIORESULT by another name. */
struct __attribute__((may_alias)) rio_result {
    int32_t status; /* a WSA code */
    uint32_t bytes;
    uint64_t socket_context, request_context;
};

/* ---- rio.c: buffers, completion queues ---- */

/* WSAEFAULT: no memory there; WSAEINVAL: size 0. Nothing is pinned. */
uint32_t rio_buffer_register(void *base, uint32_t size, uintptr_t *id);
void rio_buffer_deregister(uintptr_t id); /* an unknown one is ignored */

enum { RIO_QUEUE_MAX = 0x8000000 }; /* results of a completion queue */

/* How a completion queue notifies: by a packet, by an event, or (neither) not at all. */
struct rio_notification {
    uintptr_t port, event; /* handles; 0: not this way */
    bool reset;            /* the event, by each rio_notify */
    uintptr_t key;         /* of the packet */
    OVERLAPPED *ov;
};

uint32_t rio_cq_create(uint32_t size, const struct rio_notification *by, uintptr_t *cq);
void rio_cq_close(uintptr_t cq); /* results that lie there or are still to come are dropped */
/* WSAETOOMANYREFS: less than has been promised. */
uint32_t rio_cq_resize(uintptr_t cq, uint32_t size);
/* Once, when there is a result whose request did not say "quietly", or at once if there is. WSAEALREADY:
 * asked for already. */
uint32_t rio_notify(uintptr_t cq);
/* Up to max results, oldest first; a plain look. WSAEINVAL. */
uint32_t rio_dequeue(uintptr_t cq, struct rio_result *out, uint32_t max, uint32_t *count);

/* ---- rio_queue.c: request queues ---- */

struct rio_limits {
    uint32_t receives, sends; /* that may be started and not dequeued */
};

/* WSAEOPNOTSUPP: not made for registered I/O, or raw; WSAENOBUFS: a completion queue has not so much room. */
uint32_t rio_rq_create(struct file *f, const struct rio_limits *limits, uintptr_t receive_cq,
                       uintptr_t send_cq, uint64_t context, uintptr_t *rq);
uint32_t rio_rq_resize(uintptr_t rq, const struct rio_limits *limits);
/* The socket is being closed: what was held back ends, and nothing more is accepted. */
void rio_end(struct file *f);

/* ---- rio_io.c: operations ---- */

enum rio_flag { /* Windows' numbers, asserted in api/mswsock_rio.c */
    RIO_QUIET = 1,  /* RIO_MSG_DONT_NOTIFY */
    RIO_HELD = 2,   /* RIO_MSG_DEFER */
    RIO_WHOLE = 4,  /* RIO_MSG_WAITALL */
    RIO_COMMIT = 8, /* RIO_MSG_COMMIT_ONLY */
};

/* One call; the slices may be NULL, and are read during the call only. */
struct rio_call {
    enum lane_direction direction;
    const struct rio_slice *data;
    uint32_t count; /* of data */
    const struct rio_slice *local, *remote, *control, *flags_out;
    uint32_t flags; /* enum rio_flag */
    uint64_t context;
};

/* STATUS_SUCCESS: one result will follow, or lies there. Else none does: WSAEFAULT, WSAEINVAL, WSAENOBUFS. */
uint32_t rio_start(uintptr_t rq, const struct rio_call *call);

#endif
