/* SPDX-License-Identifier: MIT */
/* The table of names: see name.h. Few names, looked up at creation only: a small hash of lists. */
#include "object/name.h"

#include "base/fork.h"
#include "base/lock.h"
#include "ntstatus.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 64, NAME_MAX_LENGTH = 260 };

struct object_name {
    struct object_name *next;
    struct object *object; /* borrowed: clears its name before it dies */
    char text[];
};

static struct {
    struct lock lock; /* the buckets, and object.name of every named object */
    struct object_name *buckets[BUCKETS];
} names = {.lock = LOCK_INIT(LOCK_GLOBAL)};

/* Skips the session's own prefix, and refuses what is no name. */
static uint32_t normalise(const char **name)
{
    const char *text = *name;

    if (strlen(text) > NAME_MAX_LENGTH)
        return STATUS_NAME_TOO_LONG;
    if (strncmp(text, "Local\\", 6) == 0)
        text += 6;
    *name = text;
    if (strncmp(text, "Global\\", 7) == 0)
        text += 7;
    if (text[0] == '\0')
        return STATUS_OBJECT_NAME_INVALID;
    return strchr(text, '\\') ? STATUS_OBJECT_PATH_NOT_FOUND : STATUS_SUCCESS;
}

static struct object_name **bucket_of(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return &names.buckets[hash % BUCKETS];
}

/* The living owner of a name, counted, or NULL. A dying one is passed over. */
static struct object *owner_locked(const char *text)
{
    lock_assert_held(&names.lock);
    for (struct object_name *n = *bucket_of(text); n; n = n->next) {
        if (strcmp(n->text, text) == 0 && object_try_get(n->object))
            return n->object;
    }
    return NULL;
}

static uint32_t of_kind(struct object *obj, enum object_kind kind, uint32_t status,
                        struct object **out)
{
    if (obj->type->kind != kind) {
        object_put(obj);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *out = obj;
    return status;
}

uint32_t object_name_set(struct object *obj, const char *text, struct object **owner)
{
    uint32_t status = normalise(&text);
    struct object_name *name;
    struct object *taken;

    if (status != STATUS_SUCCESS)
        return status;
    name = malloc(sizeof *name + strlen(text) + 1);
    if (!name)
        return STATUS_NO_MEMORY;
    strcpy(name->text, text);
    name->object = obj;
    lock_acquire(&names.lock);
    taken = owner_locked(text);
    if (!taken) {
        name->next = *bucket_of(text);
        *bucket_of(text) = name;
        obj->name = name;
    }
    lock_release(&names.lock);
    if (!taken)
        return STATUS_SUCCESS;
    free(name);
    return of_kind(taken, obj->type->kind, STATUS_OBJECT_NAME_EXISTS, owner);
}

uint32_t object_name_find(const char *text, enum object_kind kind, struct object **out)
{
    uint32_t status = normalise(&text);
    struct object *obj;

    if (status != STATUS_SUCCESS)
        return status;
    lock_acquire(&names.lock);
    obj = owner_locked(text);
    lock_release(&names.lock);
    return obj ? of_kind(obj, kind, STATUS_SUCCESS, out) : (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND;
}

void object_name_clear(struct object *obj)
{
    struct object_name *name;
    struct object_name **at;

    lock_acquire(&names.lock);
    name = obj->name;
    obj->name = NULL;
    if (name) {
        for (at = bucket_of(name->text); *at != name; at = &(*at)->next)
            ;
        *at = name->next;
    }
    lock_release(&names.lock);
    free(name);
}

static void forget_all(void)
{
    for (int i = 0; i < BUCKETS; i++)
        names.buckets[i] = NULL; /* the objects were the parent's */
}

FORK_HOOK(&names.lock, LOCK_GLOBAL, forget_all);
