/* SPDX-License-Identifier: MIT */
/*
 * What every handle stands for: a counted thing with a type. Two counts, two ends of a life:
 *   handles  last handle closed      -> type->cleanup (refuse new work, cancel what is pending)
 *   refs     last reference dropped  -> type->destroy (free; close the fd)
 * Each open handle owns one reference; whoever stores a pointer takes another.
 */
#ifndef IOCP_OBJECT_OBJECT_H
#define IOCP_OBJECT_OBJECT_H

#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum object_kind {
    OBJECT_PORT = 1 << 0,
    OBJECT_EVENT = 1 << 1,
    OBJECT_SEMAPHORE = 1 << 2,
    OBJECT_MUTEX = 1 << 3,
    OBJECT_TIMER = 1 << 4,
    OBJECT_THREAD = 1 << 5,
    OBJECT_FILE = 1 << 6, /* everything that has an fd: disk file, socket, pipe, tty ... */
    OBJECT_PROCESS = 1 << 7,
    OBJECT_FIND = 1 << 8, /* FindFirstFile */
    OBJECT_MODULE = 1 << 9,
    OBJECT_RIO_BUFFER = 1 << 10, /* registered I/O: buffers, completion queues, request queues */
    OBJECT_RIO_CQ = 1 << 11,
    OBJECT_RIO_RQ = 1 << 16,
    OBJECT_TASK = 1 << 12, /* of the thread pool: registered waits, timer queues and the like */
    OBJECT_SECTION = 1 << 15, /* of files or memory, to be mapped */
    OBJECT_KEYED_EVENT = 1 << 13,
    OBJECT_WAIT_PACKET = 1 << 14,
    OBJECT_ANY = ~0,
};

struct object;

struct object_type {
    const char *name;
    enum object_kind kind;
    void (*cleanup)(struct object *obj); /* may be NULL; called with no lock held */
    void (*destroy)(struct object *obj); /* frees; called with no lock held */
    /* A handle with the number fd was closed (fd objects only; may be NULL): a duplicate's number
     * is closed at once, the object's own stays until destroy. Called before cleanup. */
    void (*fd_closed)(struct object *obj, int fd);
    /* The header to wait on, or NULL where the type cannot be waited for. */
    struct dispatcher *(*dispatcher)(struct object *obj);
};

struct object {
    const struct object_type *type; /* constant after init */
    _Atomic uint32_t refs;
    _Atomic uint32_t handles;
    _Atomic(struct object_name *) name; /* owned; NULL if unnamed; written under the lock of name.c */
};

/* One reference, owned by the caller; no handle yet. */
void object_init(struct object *obj, const struct object_type *type);

static inline struct object *object_get(struct object *obj)
{
    atomic_fetch_add_explicit(&obj->refs, 1, memory_order_relaxed);
    return obj;
}

/* A reference for somebody who holds none: false if the object is dying already. */
static inline bool object_try_get(struct object *obj)
{
    uint32_t refs = atomic_load_explicit(&obj->refs, memory_order_relaxed);

    while (refs != 0 && !atomic_compare_exchange_weak(&obj->refs, &refs, refs + 1))
        ;
    return refs != 0;
}

/* A handle more, for who has none to be sure of: false once the last has gone, and cleanup may run. */
static inline bool object_try_open(struct object *obj)
{
    uint32_t handles = atomic_load(&obj->handles);

    while (handles != 0 && !atomic_compare_exchange_weak(&obj->handles, &handles, handles + 1))
        ;
    return handles != 0;
}

void object_destroy(struct object *obj); /* refs has reached 0; use object_put */

static inline void object_put(struct object *obj)
{
    /* release pairs with the acquire fence before destroy */
    if (atomic_fetch_sub_explicit(&obj->refs, 1, memory_order_acq_rel) == 1)
        object_destroy(obj);
}

/* So many at once; none is nothing. */
static inline void object_put_many(struct object *obj, unsigned n)
{
    if (n && atomic_fetch_sub_explicit(&obj->refs, n, memory_order_acq_rel) == n)
        object_destroy(obj);
}

#endif
