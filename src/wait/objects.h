/* SPDX-License-Identifier: MIT */
/*
 * The plain waitable objects: events, semaphores, mutexes, waitable timers; and the process
 * itself. Each *_new gives a counted reference; a name (NULL or "" for none) that exists already
 * gives that object and STATUS_OBJECT_NAME_EXISTS (0x40000000).
 */
#ifndef IOCP_WAIT_OBJECTS_H
#define IOCP_WAIT_OBJECTS_H

#include "object/object.h"
#include "wait/apc.h"
#include "wait/dispatcher.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct object_type event_type, semaphore_type, mutex_type, timer_type, process_type;

uint32_t event_new(const char *name, bool manual, bool set, struct object **out);
struct dispatcher *event_dispatcher(struct object *event);
/* Not implemented for one that another process has open: its waiters cannot be told apart from later ones. */
uint32_t event_pulse(struct object *event);

uint32_t semaphore_new(const char *name, int32_t initial, int32_t max, struct object **out);
/* STATUS_SEMAPHORE_LIMIT_EXCEEDED leaves the count alone. `previous` may be NULL. */
uint32_t semaphore_release(struct object *sem, int32_t n, int32_t *previous);

int32_t semaphore_max(struct object *sem);

uint32_t mutex_new(const char *name, bool owned, struct object **out);
uint32_t mutex_release(struct object *mutex); /* STATUS_MUTANT_NOT_OWNED */
/* The exiting thread's mutexes become abandoned. */
void mutex_abandon_all(struct thread *t);

uint32_t timer_object_new(const char *name, bool manual, struct object **out);
/* due: 100 ns units, negative relative, else absolute since 1601. routine may be NULL; it runs as
 * an APC of the calling thread. */
uint32_t timer_object_set(struct object *timer, int64_t due_100ns, int32_t period_ms,
                          void (*routine)(void *arg, uint32_t low, uint32_t high), void *arg);
uint32_t timer_object_cancel(struct object *timer);

/* The one object that stands for this process; never signalled, never freed. Not counted. */
struct object *process_object(void);

/*
 * Publishes a freshly made object under a name, if there is one. Takes over the creator's
 * reference: *out is the object itself, or the one that had the name first.
 */
uint32_t object_publish_name(struct object *made, const char *name, struct object **out);

/* The object of that name and kind, counted; of this process or, for events, semaphores and mutexes, of
 * another. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. */
uint32_t object_find(const char *name, enum object_kind kind, struct object **out);

/* Are names of events, semaphores and mutexes shared with other processes, and why (not)? */
const char *names_info(void);

#endif
