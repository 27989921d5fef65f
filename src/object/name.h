/* SPDX-License-Identifier: MIT */
/*
 * Names of objects, one table for the process and all kinds. A name belongs to its object from
 * object_name_set until the last handle is closed; the table holds no reference.
 */
#ifndef IOCP_OBJECT_NAME_H
#define IOCP_OBJECT_NAME_H

#include "object/object.h"

/*
 * Gives `obj`, which nobody else knows yet, the name. If it is taken already: STATUS_OBJECT_NAME_EXISTS
 * with a counted reference to its owner in *owner, when that is of the same kind; else
 * STATUS_OBJECT_TYPE_MISMATCH. The prefix `Local\` means nothing; any other backslash but that of
 * `Global\` gives STATUS_OBJECT_PATH_NOT_FOUND.
 */
uint32_t object_name_set(struct object *obj, const char *name, struct object **owner);

/* Counted. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. */
uint32_t object_name_find(const char *name, enum object_kind kind, struct object **out);

/* Takes the name away, if there is one: from every named type's cleanup and destroy. */
void object_name_clear(struct object *obj);

#endif
