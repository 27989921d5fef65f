/* SPDX-License-Identifier: MIT */
/* The two ends of an object's life; see object.h. */
#include "object/object.h"

#include <assert.h>

void object_init(struct object *obj, const struct object_type *type)
{
    assert(type != NULL);
    obj->type = type;
    obj->name = NULL;
    atomic_init(&obj->refs, 1);
    atomic_init(&obj->handles, 0);
}

void object_destroy(struct object *obj)
{
    assert(atomic_load(&obj->refs) == 0);
    assert(atomic_load(&obj->handles) == 0);
    obj->type->destroy(obj);
}
