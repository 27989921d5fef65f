/* SPDX-License-Identifier: MIT */
/* Semaphores: the dispatcher's signal count is the semaphore's count. */
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/shared.h"

#include <stdlib.h>

struct semaphore {
    struct object object;
    struct shareable shareable;
    int32_t max; /* constant */
};

static void destroy(struct object *obj)
{
    struct semaphore *s = container_of(obj, struct semaphore, object);

    object_name_clear(obj);
    shared_leave(s->shareable.shared);
    free(s);
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &container_of(obj, struct semaphore, object)->shareable.dispatcher;
}

const struct object_type semaphore_type = {
    .name = "semaphore",
    .kind = OBJECT_SEMAPHORE,
    .cleanup = object_name_cleanup,
    .destroy = destroy,
    .dispatcher = dispatcher_of,
};

uint32_t semaphore_new(const char *name, int32_t initial, int32_t max, struct object **out)
{
    struct semaphore *s;

    if (max <= 0 || initial < 0 || initial > max)
        return STATUS_INVALID_PARAMETER;
    s = malloc(sizeof *s);
    if (!s)
        return STATUS_NO_MEMORY;
    object_init(&s->object, &semaphore_type);
    dispatcher_init(&s->shareable.dispatcher, CONSUME_ONE, initial);
    s->shareable.shared = NULL;
    s->max = max;
    return object_publish_name(&s->object, name, out);
}

int32_t semaphore_max(struct object *sem)
{
    return container_of(sem, struct semaphore, object)->max;
}

uint32_t semaphore_release(struct object *sem, int32_t n, int32_t *previous)
{
    struct semaphore *s = container_of(sem, struct semaphore, object);
    struct dispatcher *d = &s->shareable.dispatcher;
    uint32_t status = STATUS_SUCCESS;
    struct wake_list wakes;

    if (n < 1)
        return STATUS_INVALID_PARAMETER;
    wake_list_init(&wakes);
    dispatcher_lock(d);
    if (n > s->max - d->signal) {
        status = STATUS_SEMAPHORE_LIMIT_EXCEEDED;
    } else {
        if (previous)
            *previous = d->signal;
        d->signal += n;
        dispatcher_wake_locked(d, &wakes);
    }
    dispatcher_unlock(d);
    wake_list_run(&wakes);
    return status;
}
