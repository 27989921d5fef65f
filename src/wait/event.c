/* SPDX-License-Identifier: MIT */
/* Events: a dispatcher and nothing else. Also what all named objects share. */
#include "base/lock.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"

#include <stdlib.h>

struct event {
    struct object object;
    struct dispatcher dispatcher;
};

uint32_t object_publish_name(struct object *made, const char *name, struct object **out)
{
    struct object *owner = NULL;
    uint32_t status;

    *out = made;
    if (!name || name[0] == '\0')
        return STATUS_SUCCESS;
    status = object_name_set(made, name, &owner);
    if (status == STATUS_SUCCESS)
        return status;
    object_put(made);
    *out = owner;
    return status;
}

static void destroy(struct object *obj)
{
    object_name_clear(obj);
    free(container_of(obj, struct event, object));
}

struct dispatcher *event_dispatcher(struct object *event)
{
    return &container_of(event, struct event, object)->dispatcher;
}

const struct object_type event_type = {
    .name = "event",
    .kind = OBJECT_EVENT,
    .cleanup = object_name_clear,
    .destroy = destroy,
    .dispatcher = event_dispatcher,
};

uint32_t event_new(const char *name, bool manual, bool set, struct object **out)
{
    struct event *e = malloc(sizeof *e);

    if (!e)
        return STATUS_NO_MEMORY;
    object_init(&e->object, &event_type);
    dispatcher_init(&e->dispatcher, manual ? CONSUME_NOTHING : CONSUME_ONE, set);
    return object_publish_name(&e->object, name, out);
}
