/* SPDX-License-Identifier: MIT */
/*
 * The completion port: a queue of packets, and the poller of the files that belong to it. A port
 * lives as long as its handle or any file associated with it; closing the handle wakes the waiters
 * (735) and drops packets nobody can fetch any more.
 */
#ifndef IOCP_IO_PORT_H
#define IOCP_IO_PORT_H

#include "io/request.h"
#include "object/object.h"
#include "wait/queue.h"

struct port {
    struct object object;
    struct queue queue;
};

extern const struct object_type port_type;

uint32_t port_new(uint32_t concurrency, struct port **out); /* one reference; 0 = processors */

/* For who embeds a port: `type` is of the kind OBJECT_PORT, and its destroy calls queue_free. */
void port_init(struct port *port, const struct object_type *type, uint32_t concurrency);
uint32_t port_processors(void);

static inline struct port *port_from_object(struct object *obj)
{
    return container_of(obj, struct port, object);
}

/* Queues a finished request as a packet (or frees it if the port is closed). With an event, the answer has
 * not been stored in *answer (OVERLAPPED.Internal) yet: it is done here, all at once. */
void port_put(struct port *port, struct request *r, struct dispatcher *event, uintptr_t *answer);

uint32_t port_post(struct port *port, uint32_t bytes, uintptr_t key, OVERLAPPED *ov);

struct packet {
    uintptr_t key;
    OVERLAPPED *ov;
    uint32_t status;
    uint32_t bytes;
};

/* For a thread that dequeues from port->queue itself: a packet's contents; frees it. */
void port_unpack(struct queue_entry *e, struct packet *out);

/* Wakes the waiters and drops what lies there, as closing the last handle does. */
void port_close(struct port *port);

/* Packets taken at a time; a larger dequeue takes several rounds. */
enum { PACKETS_PER_GET = 64 };

/* 1 to max packets, PACKETS_PER_GET at most. STATUS_SUCCESS, _TIMEOUT, _USER_APC, _ABANDONED_WAIT_0. */
uint32_t port_get(struct port *port, struct packet *out, unsigned max, unsigned *count,
                  bool alertable, uint64_t deadline_ns);

/* The same for one packet. */
uint32_t port_get_one(struct port *port, struct packet *out, uint64_t deadline_ns);

/* What more lies there, for a caller who has just got some: no new dequeue, its place is kept. */
unsigned port_get_more(struct port *port, struct packet *out, unsigned max);

#endif
