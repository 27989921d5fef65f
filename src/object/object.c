/* SPDX-License-Identifier: MIT */
/* The two ends of an object's life; see object.h. */
#include "object/object.h"

#include <assert.h>

void object_init(struct object *obj, const struct object_type *type)
{
    assert(type != NULL);
    obj->type = type;
    atomic_init(&obj->name, NULL);
    atomic_store_explicit(&obj->handles, 0, memory_order_relaxed);
    atomic_store_explicit(&obj->refs, 1, memory_order_release); /* last: see look_at_fd in handle.c */
}

void object_destroy(struct object *obj)
{
    assert(atomic_load(&obj->refs) == 0);
    assert(atomic_load(&obj->handles) == 0);
    obj->type->destroy(obj);
}
