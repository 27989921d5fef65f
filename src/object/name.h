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

/*
 * Whoever has got an object from one of these two, or published one, opens a handle to it, or fails to, and
 * then says so: until then its name stays, even if another thread closes the last handle meanwhile. If it
 * stays closed after all, it has its cleanup here.
 */
void object_name_settle(struct object *obj);

/* Takes the name away, if there is one and nobody has a handle: every named type's cleanup, or the start of
 * it. False: it is open again, or about to be, by its name, and goes on. May come more than once. */
bool object_name_leave(struct object *obj);
void object_name_cleanup(struct object *obj); /* nothing else */
/* Takes it away at any rate: from its destroy. */
void object_name_clear(struct object *obj);

/*
 * Names that are known to other processes as well: what to do for those kinds when the table does not have
 * the name, with its lock held. publish and find as object_name_set and object_name_find; unname when the
 * table forgets it. Set by the wait room; NULL: names are this process' own.
 */
struct name_sharing {
    int kinds; /* mask of enum object_kind */
    uint32_t (*publish)(const char *name, struct object *made, struct object **owner);
    uint32_t (*find)(const char *name, enum object_kind kind, struct object **out);
    void (*unname)(struct object *obj);
};
void object_name_share(const struct name_sharing *sharing);

#endif
