/* SPDX-License-Identifier: MIT */
/*
 * Mutexes. A dispatcher in "own" mode does the taking; here are releasing, abandoning, and the
 * meeting of the two ends: an owner that exits while the last handle is closed. Whoever holds the
 * dispatcher's lock and sees an owner may touch that thread: it cannot finish exiting while a
 * mutex stands in its list.
 */
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/shared.h"

#include <sched.h>
#include <stdlib.h>

struct mutex {
    struct object object;
    struct shareable_ownership shareable;
};

/* Takes it from its owner. The dispatcher's lock is held, or nobody else knows the mutex. */
static void disown(struct ownership *o)
{
    struct thread *owner = o->owner;

    lock_acquire(&owner->apc_lock);
    list_remove(&o->owned);
    lock_release(&owner->apc_lock);
    o->owner = NULL;
    o->recursion = 0;
    o->dispatcher.signal = 1;
}

static void destroy(struct object *obj)
{
    struct mutex *m = container_of(obj, struct mutex, object);
    struct ownership *o = &m->shareable.ownership;

    object_name_clear(obj);
    shared_leave(m->shareable.shared);
    lock_acquire(&o->dispatcher.lock);
    if (o->owner)
        disown(o);
    lock_release(&o->dispatcher.lock);
    free(m);
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &container_of(obj, struct mutex, object)->shareable.ownership.dispatcher;
}

const struct object_type mutex_type = {
    .name = "mutex",
    .kind = OBJECT_MUTEX,
    .cleanup = object_name_cleanup,
    .destroy = destroy,
    .dispatcher = dispatcher_of,
};

uint32_t mutex_new(const char *name, bool owned, struct object **out)
{
    struct mutex *m = malloc(sizeof *m);

    if (!m)
        return STATUS_NO_MEMORY;
    object_init(&m->object, &mutex_type);
    ownership_init(&m->shareable.ownership);
    m->shareable.shared = NULL;
    if (owned) { /* before the name makes it known */
        struct thread *self = thread_current();

        lock_acquire(&m->shareable.ownership.dispatcher.lock);
        dispatcher_consume_locked(&m->shareable.ownership.dispatcher, self);
        lock_release(&m->shareable.ownership.dispatcher.lock);
    }
    return object_publish_name(&m->object, name, out);
}

uint32_t mutex_release(struct object *mutex)
{
    struct dispatcher *d = dispatcher_of(mutex);
    struct ownership *o = ownership_of(d);
    struct thread *self = thread_current();
    struct wake_list wakes;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    if (o->owner != self) {
        dispatcher_unlock(d);
        return STATUS_MUTANT_NOT_OWNED;
    }
    if (--o->recursion == 0) {
        disown(o);
        dispatcher_wake_locked(d, &wakes);
    }
    dispatcher_unlock(d);
    wake_list_run(&wakes);
    return STATUS_SUCCESS;
}

/* The first mutex of t's that is not being destroyed, counted; NULL with *more false: none left. */
static struct mutex *first_owned(struct thread *t, bool *more)
{
    struct mutex *m = NULL;
    struct list *n;

    lock_acquire(&t->apc_lock);
    n = list_first(&t->owned_mutexes);
    *more = n != NULL;
    if (n) {
        m = container_of(container_of(n, struct ownership, owned), struct mutex, shareable.ownership);
        if (!object_try_get(&m->object))
            m = NULL; /* its destroyer is about to take it off the list */
    }
    lock_release(&t->apc_lock);
    return m;
}

static void abandon(struct mutex *m, struct thread *t)
{
    struct dispatcher *d = &m->shareable.ownership.dispatcher;
    struct wake_list wakes;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    if (m->shareable.ownership.owner == t) {
        disown(&m->shareable.ownership);
        d->abandoned = true;
        dispatcher_wake_locked(d, &wakes);
    }
    dispatcher_unlock(d);
    wake_list_run(&wakes);
}

void mutex_abandon_all(struct thread *t)
{
    bool more = true;

    while (more) {
        struct mutex *m = first_owned(t, &more);

        if (m) {
            abandon(m, t);
            object_put(&m->object);
        } else if (more) {
            sched_yield();
        }
    }
}
