/* SPDX-License-Identifier: MIT */
/*
 * Wait packets: "queue this packet to that port when the object becomes signalled". No thread sleeps for
 * it; the signal consumes the object as a wait does. Each association gives one packet; when that has
 * been dequeued, the wait packet can be associated again.
 */
#ifndef IOCP_IO_WAIT_PACKET_H
#define IOCP_IO_WAIT_PACKET_H

#include "io/port.h"
#include "object/object.h"

extern const struct object_type wait_packet_type;

uint32_t wait_packet_new(const char *name, struct object **out);

/*
 * Puts `what` into the port's queue once `target` is signalled: at once (*already), or later. Holds port and
 * target until then. STATUS_INVALID_PARAMETER_1: it is associated already, or its packet waits in a queue;
 * STATUS_OBJECT_TYPE_MISMATCH: cannot be waited for in this way (ports, mutexes).
 */
uint32_t wait_packet_associate(struct object *packet, struct port *port, struct object *target,
                               const struct packet *what, bool *already);

/*
 * STATUS_SUCCESS: no packet will come. STATUS_PENDING: it lies in the queue, and is left there unless
 * `remove`. STATUS_CANCELLED: there was no association, or its packet has been dequeued.
 */
uint32_t wait_packet_cancel(struct object *packet, bool remove);

#endif
