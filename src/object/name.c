/* SPDX-License-Identifier: MIT */
/* The table of names: see name.h. Few names, looked up at creation only: a small hash of lists. */
#include "object/name.h"

#include "base/fork.h"
#include "base/lock.h"
#include "ntstatus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 64, NAME_MAX_LENGTH = 260 };

struct object_name {
    struct object_name *next;
    unsigned opening;      /* calls between having found it and having opened a handle */
    struct object *object; /* borrowed: clears its name before it dies */
    char text[];
};

static struct {
    struct lock lock; /* the buckets, object.name of every named object, and its struct */
    struct object_name *buckets[BUCKETS];
    _Atomic(const struct name_sharing *) sharing;
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

static void link_locked(struct object_name *name, struct object *obj)
{
    struct object_name **bucket = bucket_of(name->text);

    lock_assert_held(&names.lock);
    name->object = obj;
    name->opening = 0;
    name->next = *bucket;
    *bucket = name;
    obj->name = name;
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

/* The table's entry goes, and is the caller's. */
static struct object_name *unlink_locked(struct object *obj)
{
    const struct name_sharing *sharing = names.sharing;
    struct object_name *name = obj->name;
    struct object_name **at;

    lock_assert_held(&names.lock);
    obj->name = NULL;
    if (!name)
        return NULL;
    for (at = bucket_of(name->text); *at != name; at = &(*at)->next)
        ;
    *at = name->next;
    if (sharing && (sharing->kinds & obj->type->kind))
        sharing->unname(obj);
    return name;
}

/* Neither open nor about to be. */
static struct object_name *unlink_if_closed_locked(struct object *obj)
{
    struct object_name *name = obj->name;

    return name && name->opening == 0 && atomic_load(&obj->handles) == 0 ? unlink_locked(obj) : NULL;
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

static uint32_t name_new(const char *text, struct object_name **out)
{
    uint32_t status = normalise(&text);
    struct object_name *name;

    if (status != STATUS_SUCCESS)
        return status;
    name = malloc(sizeof *name + strlen(text) + 1);
    if (!name)
        return STATUS_NO_MEMORY;
    strcpy(name->text, text);
    *out = name;
    return STATUS_SUCCESS;
}

/*
 * What has the name, here or elsewhere, counted, or made itself: STATUS_SUCCESS, if it has got it (or has
 * been looked for, when nothing was made).
 */
static uint32_t look_up_locked(const char *text, enum object_kind kind, struct object *made,
                               struct object **out)
{
    const struct name_sharing *sharing = names.sharing;

    *out = owner_locked(text);
    if (*out)
        return made ? (uint32_t)STATUS_OBJECT_NAME_EXISTS : (uint32_t)STATUS_SUCCESS;
    *out = made;
    if (!sharing || !(sharing->kinds & kind))
        return made ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND;
    return made ? sharing->publish(text, made, out) : sharing->find(text, kind, out);
}

/* Both calls of name.h; nothing made: find. */
static uint32_t set_or_find(const char *text, enum object_kind kind, struct object *made, struct object **out)
{
    struct object_name *name;
    struct object *obj = NULL;
    uint32_t status = name_new(text, &name);

    if (status != STATUS_SUCCESS)
        return status;
    lock_acquire(&names.lock);
    status = look_up_locked(name->text, kind, made, &obj);
    if (status == STATUS_SUCCESS || status == STATUS_OBJECT_NAME_EXISTS) {
        if (!obj->name) {
            link_locked(name, obj);
            name = NULL;
        }
        if (obj->type->kind == kind)
            obj->name->opening++;
    }
    lock_release(&names.lock);
    free(name);
    if (status != STATUS_SUCCESS && status != STATUS_OBJECT_NAME_EXISTS)
        return status;
    return obj == made ? status : of_kind(obj, kind, status, out);
}

uint32_t object_name_set(struct object *obj, const char *text, struct object **owner)
{
    return set_or_find(text, obj->type->kind, obj, owner);
}

uint32_t object_name_find(const char *text, enum object_kind kind, struct object **out)
{
    return set_or_find(text, kind, NULL, out);
}

void object_name_settle(struct object *obj)
{
    struct object_name *name = NULL;

    if (!obj->name)
        return;
    lock_acquire(&names.lock);
    if (obj->name) {
        assert(obj->name->opening > 0);
        obj->name->opening--;
        name = unlink_if_closed_locked(obj);
    }
    lock_release(&names.lock);
    if (name && obj->type->cleanup)
        obj->type->cleanup(obj);
    free(name);
}

bool object_name_leave(struct object *obj)
{
    struct object_name *name;
    bool open;

    if (!obj->name)
        return true;
    lock_acquire(&names.lock);
    name = unlink_if_closed_locked(obj);
    open = obj->name != NULL;
    lock_release(&names.lock);
    free(name);
    return !open;
}

void object_name_cleanup(struct object *obj)
{
    object_name_leave(obj);
}

void object_name_clear(struct object *obj)
{
    struct object_name *name;

    if (!obj->name)
        return;
    lock_acquire(&names.lock);
    name = unlink_locked(obj);
    lock_release(&names.lock);
    free(name);
}

void object_name_share(const struct name_sharing *sharing)
{
    atomic_store(&names.sharing, sharing);
}

static void forget_all(void)
{
    for (int i = 0; i < BUCKETS; i++)
        names.buckets[i] = NULL; /* the objects were the parent's */
}

FORK_HOOK(&names.lock, LOCK_GLOBAL, forget_all);
