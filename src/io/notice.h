/* SPDX-License-Identifier: MIT */
/*
 * Notices: a socket registered with a port for its readiness (ProcessSocketNotifications). What becomes so is
 * a packet of that port, whose byte count says what. At most one packet of a registration is on its way; it
 * says what is so when a thread dequeues it, not what was so when it was queued: what has ceased meanwhile
 * is passed over in silence.
 *
 * Edges are changes that the library sees: a condition ends when a call of the library would have blocked.
 */
#ifndef IOCP_IO_NOTICE_H
#define IOCP_IO_NOTICE_H

#include "io/port.h"
#include "io/sock.h"

enum { /* what is so; Windows' numbers */
    NOTICE_IN = 0x01,
    NOTICE_OUT = 0x02,
    NOTICE_HANGUP = 0x04,
    NOTICE_FILTER = NOTICE_IN | NOTICE_OUT | NOTICE_HANGUP,
    NOTICE_ERR = 0x40,    /* asked for or not */
    NOTICE_REMOVE = 0x80, /* the last packet of a registration */
};

enum notice_operation { NOTICE_OP_NONE, NOTICE_OP_ENABLE, NOTICE_OP_DISABLE, NOTICE_OP_REMOVE = 4 };

enum notice_trigger {
    NOTICE_ONESHOT = 1,    /* disabled by its next packet */
    NOTICE_PERSISTENT = 2, /* the default */
    NOTICE_LEVEL = 4,
    NOTICE_EDGE = 8,
    NOTICE_TRIGGERS = 15,
};

struct notice_change {
    uintptr_t key;  /* of a new registration */
    uint32_t filter;
    uint8_t operation;
    uint8_t triggers;
};

/*
 * Makes, changes, ends the registration of f. STATUS_INVALID_PARAMETER: unknown or contradictory flags, or
 * registered with another port; STATUS_NOT_FOUND: not registered; STATUS_OBJECT_NAME_COLLISION: enabled
 * while it is being removed; STATUS_INVALID_HANDLE: being closed; STATUS_INSUFFICIENT_RESOURCES.
 */
uint32_t notice_change(struct file *f, struct port *port, const struct notice_change *change);

/* These are called with no lock held, and cost a load where there is no registration. */

/* The socket may have become ready. edge: its poller has just said so. */
void notice_look(struct file *f, bool edge);

/* A call would have blocked: `events` have ceased, until they are so again. */
void notice_blocked_noted(struct file *f, uint32_t events);

static inline void notice_blocked(struct file *f, uint32_t events)
{
    if (__builtin_expect(atomic_load(&sock_of(f)->user_events) & SOCK_NOTIFIED, 0))
        notice_blocked_noted(f, events);
}

/* An overlapped receive has taken data, or an accept a connection. */
void notice_received(struct file *f);

/* f is being closed: no packet follows but one that is queued. */
void notice_end(struct file *f);

/* ---- for the port ---- */

/* A notice's turn in the queue: it becomes a packet, or nothing. */
void notice_run(struct queue_entry *e);
/* Its packet was dequeued. */
void notice_unpack(struct queue_entry *e, struct packet *out);
/* Its packet is dropped: the port is closed. */
void notice_drop(struct queue_entry *e);

#endif
