/* SPDX-License-Identifier: MIT */
/* Events: a dispatcher and nothing else. Also what all named objects share. */
#include "base/lock.h"
#include "base/status.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/shared.h"
#include "winerror.h"

#include <stdlib.h>

struct event {
    struct object object;
    struct shareable shareable;
};

uint32_t object_publish_name(struct object *made, const char *name, struct object **out)
{
    struct object *owner = NULL;
    uint32_t status;

    *out = made;
    if (!name || name[0] == '\0')
        return STATUS_SUCCESS;
    status = shared_prepare(made->type->kind);
    if (status == STATUS_SUCCESS)
        status = object_name_set(made, name, &owner);
    if (status == STATUS_SUCCESS)
        return status;
    object_put(made);
    *out = owner;
    return status;
}

uint32_t object_find(const char *name, enum object_kind kind, struct object **out)
{
    uint32_t status = shared_prepare(kind);

    return status == STATUS_SUCCESS ? object_name_find(name, kind, out) : status;
}

static void destroy(struct object *obj)
{
    struct event *e = container_of(obj, struct event, object);

    object_name_clear(obj);
    shared_leave(e->shareable.shared);
    free(e);
}

struct dispatcher *event_dispatcher(struct object *event)
{
    return &container_of(event, struct event, object)->shareable.dispatcher;
}

const struct object_type event_type = {
    .name = "event",
    .kind = OBJECT_EVENT,
    .cleanup = object_name_cleanup,
    .destroy = destroy,
    .dispatcher = event_dispatcher,
};

uint32_t event_new(const char *name, bool manual, bool set, struct object **out)
{
    struct event *e = malloc(sizeof *e);

    if (!e)
        return STATUS_NO_MEMORY;
    object_init(&e->object, &event_type);
    dispatcher_init(&e->shareable.dispatcher, manual ? CONSUME_NOTHING : CONSUME_ONE, set);
    e->shareable.shared = NULL;
    return object_publish_name(&e->object, name, out);
}

uint32_t event_pulse(struct object *event)
{
    struct dispatcher *d = event_dispatcher(event);

    if (shared_elsewhere(d))
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    dispatcher_pulse(d);
    return STATUS_SUCCESS;
}
