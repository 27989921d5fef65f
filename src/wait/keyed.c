/* SPDX-License-Identifier: MIT */
/* Keyed events; see keyed.h. Each sleeper brings an auto-reset dispatcher of its own on its stack, which
 * the one that it meets sets after having taken it off the list: so who is off the list has met. */
#include "wait/keyed.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/wait.h"

#include <stdlib.h>

/* Rule: the lists are guarded by `lock`. */
struct keyed_event {
    struct object object;
    struct lock lock;
    struct list waiting;   /* struct visitor, first come first served */
    struct list releasing;
};

struct visitor {
    struct list link;
    uintptr_t key;
    struct dispatcher met;
};

static struct keyed_event *of(struct object *obj)
{
    return container_of(obj, struct keyed_event, object);
}

static void destroy(struct object *obj)
{
    object_name_clear(obj);
    free(of(obj));
}

const struct object_type keyed_event_type = {
    .name = "keyed event",
    .kind = OBJECT_KEYED_EVENT,
    .cleanup = object_name_cleanup,
    .destroy = destroy,
};

static void init(struct keyed_event *e)
{
    lock_init(&e->lock, LOCK_QUEUE);
    list_init(&e->waiting);
    list_init(&e->releasing);
}

uint32_t keyed_event_new(const char *name, struct object **out)
{
    struct keyed_event *e = malloc(sizeof *e);

    if (!e)
        return STATUS_NO_MEMORY;
    object_init(&e->object, &keyed_event_type);
    init(e);
    return object_publish_name(&e->object, name, out);
}

static struct keyed_event global = {
    .object = {.type = &keyed_event_type, .refs = 1, .handles = 1},
    .lock = LOCK_INIT(LOCK_QUEUE),
    .waiting = LIST_INIT(global.waiting),
    .releasing = LIST_INIT(global.releasing),
};

struct object *keyed_event_global(void)
{
    return &global.object;
}

static struct visitor *find_locked(struct list *visitors, uintptr_t key)
{
    list_for_each(n, visitors) {
        struct visitor *v = container_of(n, struct visitor, link);

        if (v->key == key)
            return v;
    }
    return NULL;
}

/* Off the list in time: nobody has been met. */
static bool leave(struct keyed_event *e, struct visitor *v)
{
    bool alone;

    lock_acquire(&e->lock);
    alone = list_linked(&v->link);
    if (alone)
        list_remove(&v->link);
    lock_release(&e->lock);
    return alone;
}

static uint32_t meet(struct keyed_event *e, struct list *others, struct list *own, uintptr_t key,
                     bool alertable, uint64_t deadline_ns)
{
    struct visitor self = {.key = key};
    struct visitor *other;
    uint32_t status;

    if (key & 1)
        return STATUS_INVALID_PARAMETER_1;
    list_init(&self.link);
    dispatcher_init(&self.met, CONSUME_ONE, 0);
    lock_acquire(&e->lock);
    other = find_locked(others, key);
    if (other)
        list_remove(&other->link);
    else
        list_push_back(own, &self.link);
    lock_release(&e->lock);
    if (other) {
        dispatcher_set(&other->met, 1); /* its memory may go as soon as it is set */
        return STATUS_SUCCESS;
    }
    status = wait_for_one(&self.met, alertable, deadline_ns);
    if (status == STATUS_SUCCESS || leave(e, &self))
        return status;
    /* Met at the last moment, which counts; the other may still be about to say so. */
    wait_for_one(&self.met, false, DEADLINE_NEVER);
    return STATUS_SUCCESS;
}

uint32_t keyed_event_wait(struct object *event, uintptr_t key, bool alertable, uint64_t deadline_ns)
{
    struct keyed_event *e = of(event);

    return meet(e, &e->releasing, &e->waiting, key, alertable, deadline_ns);
}

uint32_t keyed_event_release(struct object *event, uintptr_t key, bool alertable, uint64_t deadline_ns)
{
    struct keyed_event *e = of(event);

    return meet(e, &e->waiting, &e->releasing, key, alertable, deadline_ns);
}

static void renew_global(void)
{
    init(&global);
}

FORK_HOOK(&global.lock, LOCK_QUEUE, renew_global);
