/* SPDX-License-Identifier: MIT */
/* Semaphores: the dispatcher's signal count is the semaphore's count. */
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"

#include <stdlib.h>

struct semaphore {
    struct object object;
    struct dispatcher dispatcher;
    int32_t max; /* constant */
};

static void destroy(struct object *obj)
{
    object_name_clear(obj);
    free(container_of(obj, struct semaphore, object));
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &container_of(obj, struct semaphore, object)->dispatcher;
}

const struct object_type semaphore_type = {
    .name = "semaphore",
    .kind = OBJECT_SEMAPHORE,
    .cleanup = object_name_clear,
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
    dispatcher_init(&s->dispatcher, CONSUME_ONE, initial);
    s->max = max;
    return object_publish_name(&s->object, name, out);
}

uint32_t semaphore_release(struct object *sem, int32_t n, int32_t *previous)
{
    struct semaphore *s = container_of(sem, struct semaphore, object);
    struct dispatcher *d = &s->dispatcher;
    uint32_t status = STATUS_SUCCESS;
    struct wake_list wakes;

    if (n < 1)
        return STATUS_INVALID_PARAMETER;
    wake_list_init(&wakes);
    lock_acquire(&d->lock);
    if (n > s->max - d->signal) {
        status = STATUS_SEMAPHORE_LIMIT_EXCEEDED;
    } else {
        if (previous)
            *previous = d->signal;
        d->signal += n;
        dispatcher_wake_locked(d, &wakes);
    }
    lock_release(&d->lock);
    wake_list_run(&wakes);
    return status;
}
