/* SPDX-License-Identifier: MIT */
/*
 * Keyed events: meeting places without a state. Who waits with a key meets one who releases with the
 * same key; whichever comes first sleeps until the other is there. Never signalled, never waited for
 * otherwise; the native API has them, and small locks are built on them.
 */
#ifndef IOCP_WAIT_KEYED_H
#define IOCP_WAIT_KEYED_H

#include "object/object.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct object_type keyed_event_type;

uint32_t keyed_event_new(const char *name, struct object **out);

/* The process' own, for who has no handle. Not counted. */
struct object *keyed_event_global(void);

/* STATUS_SUCCESS: met. STATUS_TIMEOUT, STATUS_USER_APC, STATUS_INVALID_PARAMETER_1 (an odd key). */
uint32_t keyed_event_wait(struct object *event, uintptr_t key, bool alertable, uint64_t deadline_ns);
uint32_t keyed_event_release(struct object *event, uintptr_t key, bool alertable, uint64_t deadline_ns);

#endif
