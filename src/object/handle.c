/* SPDX-License-Identifier: MIT */
/*
 * Two tables of the same slots: one indexed by fd, one by the index inside a non-fd handle value.
 * Both are arrays of chunks that are allocated on demand and never freed, so that a slot can be
 * looked at without a table lock; each slot has a small lock of its own, held over a few loads.
 * Descriptors are looked up without even that (look_at_fd).
 *
 * Handle values of the second table: bits 2..21 index, bits 22..29 generation, bit 30 set.
 *
 * Slot states: FREE -> OPEN -> FREE, and for fds OPEN -> HELD -> CLOSING -> FREE, where HELD means that
 * the handle is closed but the object still owns the number (a duplicate lives, a request runs), and
 * CLOSING that it is inside close(2): whom the kernel gave the number meanwhile takes the slot over.
 */
#include "object/handle.h"

#include "base/fork.h"
#include "base/lock.h"
#include "ntstatus.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_HELD, SLOT_CLOSING };

struct slot {
    struct lock lock;
    _Atomic uint8_t state;      /* enum slot_state; written under the lock, as the next three */
    uint8_t flags;              /* enum handle_flag */
    _Atomic uint8_t generation; /* part of a non-fd handle; tells an adopter that an fd was closed */
    _Atomic uint32_t access;
    uint32_t next_free;    /* non-fd slots: next in the free list, guarded by table.lock */
    _Atomic(struct object *) object; /* OPEN: one counted reference and one handle; else borrowed */
};

enum { CHUNK_SLOTS = 1024, CHUNKS = 1024, NO_SLOT = UINT32_MAX };
#define HANDLE_BASE 0x40000000u
#define INDEX_MASK 0xFFFFFu

static struct table {
    _Atomic(struct slot *) chunks[CHUNKS];
    struct lock lock; /* free, used; allocation of chunks */
    uint32_t free;    /* first free slot, or NO_SLOT */
    uint32_t used;    /* slots ever taken */
} fd_table = {.lock = LOCK_INIT(LOCK_TABLE), .free = NO_SLOT},
  object_table = {.lock = LOCK_INIT(LOCK_TABLE), .free = NO_SLOT};

static struct slot *slot_at(struct table *table, uint32_t index)
{
    struct slot *chunk;

    if (index >= CHUNK_SLOTS * CHUNKS)
        return NULL;
    chunk = atomic_load_explicit(&table->chunks[index / CHUNK_SLOTS], memory_order_acquire);
    return chunk ? &chunk[index % CHUNK_SLOTS] : NULL;
}

/* The slot, its chunk allocated if need be; NULL when there is no memory or no such index. */
static struct slot *slot_make(struct table *table, uint32_t index)
{
    struct slot *slot = slot_at(table, index);
    struct slot *chunk;
    struct slot *expected = NULL;

    if (slot || index >= CHUNK_SLOTS * CHUNKS)
        return slot;
    chunk = calloc(CHUNK_SLOTS, sizeof *chunk);
    if (!chunk)
        return NULL;
    for (int i = 0; i < CHUNK_SLOTS; i++)
        lock_init(&chunk[i].lock, LOCK_SLOT);
    if (!atomic_compare_exchange_strong(&table->chunks[index / CHUNK_SLOTS], &expected, chunk))
        free(chunk);
    return slot_at(table, index);
}

static uintptr_t value_of(uint32_t index, uint8_t generation)
{
    return HANDLE_BASE | (uintptr_t)generation << 22 | (uintptr_t)index << 2;
}

/* The slot a handle value names, whatever its state; the caller checks under its lock. */
static struct slot *slot_of(uintptr_t h)
{
    if (handle_is_fd(h))
        return slot_at(&fd_table, (uint32_t)h);
    if (h > 0x7FFFFFFCu || (h & 3) != 0)
        return NULL;
    return slot_at(&object_table, (uint32_t)(h >> 2) & INDEX_MASK);
}

static bool slot_matches(const struct slot *slot, uintptr_t h)
{
    if (slot->state != SLOT_OPEN)
        return false;
    return handle_is_fd(h) || slot->generation == (uint8_t)(h >> 22);
}

/* Locks and returns the open slot of h, or NULL. */
static struct slot *slot_lock(uintptr_t h)
{
    struct slot *slot = slot_of(h);

    if (!slot)
        return NULL;
    lock_acquire(&slot->lock);
    if (slot_matches(slot, h))
        return slot;
    lock_release(&slot->lock);
    return NULL;
}

/* What has a descriptor is a file, and from a slab: callers of handle_get_fd depend on both. */
static void check_fd_object(const struct object *obj)
{
    assert(obj->type->kind == OBJECT_FILE);
    (void)obj;
}

/* Is it one more of handles that must not have gone, all of them, before? The first may come after the last
 * where an object is found by its name, or by the thread it stands for. */
enum which { FIRST, ANOTHER };

static uint32_t slot_fill(struct slot *slot, struct object *obj, uint32_t access, uint32_t flags,
                          enum which which)
{
    lock_assert_held(&slot->lock);
    if (which == FIRST)
        atomic_fetch_add(&obj->handles, 1);
    else if (!object_try_open(obj))
        return STATUS_INVALID_HANDLE;
    object_get(obj);
    atomic_store_explicit(&slot->access, access, memory_order_relaxed);
    atomic_store_explicit(&slot->object, obj, memory_order_release);
    slot->flags = (uint8_t)flags;
    atomic_store_explicit(&slot->state, SLOT_OPEN, memory_order_release); /* pairs with look_at_fd */
    return STATUS_SUCCESS;
}

static uint32_t index_take(void)
{
    struct table *t = &object_table;
    uint32_t index;

    lock_acquire(&t->lock);
    index = t->free;
    if (index != NO_SLOT)
        t->free = slot_at(t, index)->next_free;
    else if (t->used <= INDEX_MASK)
        index = t->used++;
    lock_release(&t->lock);
    return index;
}

static void index_return(uint32_t index)
{
    struct table *t = &object_table;
    struct slot *slot = slot_at(t, index);

    lock_acquire(&t->lock);
    slot->next_free = t->free;
    t->free = index;
    lock_release(&t->lock);
}

static uint32_t open_value(struct object *obj, uint32_t access, uint32_t flags, enum which which,
                           uintptr_t *out)
{
    uint32_t index = index_take();
    struct slot *slot;
    uint32_t status;

    if (index == NO_SLOT)
        return STATUS_INSUFFICIENT_RESOURCES;
    slot = slot_make(&object_table, index);
    if (!slot)
        return STATUS_NO_MEMORY; /* the index is lost: its chunk cannot be had anyway */
    lock_acquire(&slot->lock);
    status = slot_fill(slot, obj, access, flags, which);
    if (status == STATUS_SUCCESS)
        *out = value_of(index, slot->generation);
    lock_release(&slot->lock);
    if (status != STATUS_SUCCESS)
        index_return(index);
    return status;
}

uint32_t handle_open(struct object *obj, uint32_t access, uint32_t flags, uintptr_t *out)
{
    return open_value(obj, access, flags, FIRST, out);
}

uint32_t handle_open_another(struct object *obj, uint32_t access, uint32_t flags, uintptr_t *out)
{
    return open_value(obj, access, flags, ANOTHER, out);
}

static uint32_t open_fd(struct object *obj, int fd, uint32_t access, uint32_t flags, enum which which)
{
    struct slot *slot = slot_make(&fd_table, (uint32_t)fd);
    uint32_t status = STATUS_SUCCESS;

    check_fd_object(obj);
    if (!slot)
        return STATUS_NO_MEMORY;
    lock_acquire(&slot->lock);
    if (slot->state == SLOT_FREE || slot->state == SLOT_CLOSING)
        status = slot_fill(slot, obj, access, flags, which);
    else
        status = STATUS_OBJECT_NAME_COLLISION; /* somebody owns that number already */
    lock_release(&slot->lock);
    return status;
}

uint32_t handle_open_fd(struct object *obj, int fd, uint32_t access, uint32_t flags)
{
    return open_fd(obj, fd, access, flags, FIRST);
}

uint32_t handle_open_another_fd(struct object *obj, int fd, uint32_t access, uint32_t flags)
{
    return open_fd(obj, fd, access, flags, ANOTHER);
}

bool handle_fd_free(int fd, uint8_t *generation)
{
    struct slot *slot = slot_make(&fd_table, (uint32_t)fd);

    if (!slot)
        return false;
    /* The program may have been given the number before close(2) has returned to us. */
    while (slot->state == SLOT_CLOSING)
        sched_yield();
    *generation = slot->generation;
    return slot->state == SLOT_FREE;
}

uint32_t handle_adopt_fd(struct object *obj, int fd, uint32_t access, uint8_t generation)
{
    struct slot *slot = slot_make(&fd_table, (uint32_t)fd);
    uint32_t status = STATUS_SUCCESS;

    check_fd_object(obj);
    if (!slot)
        return STATUS_NO_MEMORY;
    lock_acquire(&slot->lock);
    if (slot->state == SLOT_FREE && slot->generation == generation)
        status = slot_fill(slot, obj, access, 0, FIRST);
    else
        status = STATUS_OBJECT_NAME_COLLISION;
    lock_release(&slot->lock);
    return status;
}

/*
 * The object in a slot of a descriptor, counted, if the slot is in a state up to `last`. No lock: memory
 * of an object with a descriptor stays one for ever (base/slab.h), so that trying to count it is harmless
 * even if it has died since the slot was read. Counted, it cannot change any more; if it stands in the
 * slot then, it is the right one, be it another one than before.
 */
static inline struct object *look_at_fd(uint32_t fd, uint8_t last, uint32_t *access)
{
    struct slot *slot = slot_at(&fd_table, fd);
    struct object *obj;
    uint8_t state;

    if (!slot)
        return NULL;
    obj = atomic_load_explicit(&slot->object, memory_order_acquire);
    if (!obj || !object_try_get(obj))
        return NULL;
    state = atomic_load_explicit(&slot->state, memory_order_acquire);
    if (access)
        *access = atomic_load_explicit(&slot->access, memory_order_relaxed);
    if (__builtin_expect(state >= SLOT_OPEN && state <= last &&
                             atomic_load_explicit(&slot->object, memory_order_acquire) == obj,
                         1))
        return obj;
    object_put(obj);
    return NULL;
}

struct object *handle_get_fd(uintptr_t fd)
{
    return look_at_fd((uint32_t)fd, SLOT_OPEN, NULL);
}

struct object *handle_get_fd_owner(int fd)
{
    return look_at_fd((uint32_t)fd, SLOT_HELD, NULL);
}

static uint32_t get_fd(uint32_t fd, int kinds, struct object **out, uint32_t *access_out)
{
    uint32_t access;
    struct object *obj = look_at_fd(fd, SLOT_OPEN, &access);

    if (!obj)
        return STATUS_INVALID_HANDLE;
    if (!(obj->type->kind & kinds)) {
        object_put(obj);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (access_out)
        *access_out = access;
    *out = obj;
    return STATUS_SUCCESS;
}

uint32_t handle_get(uintptr_t h, int kinds, struct object **out, uint32_t *access_out)
{
    struct slot *slot;
    struct object *obj;

    if (handle_is_fd(h))
        return get_fd((uint32_t)h, kinds, out, access_out);
    slot = slot_lock(h);
    if (!slot)
        return STATUS_INVALID_HANDLE;
    obj = slot->object;
    if (!(obj->type->kind & kinds)) {
        lock_release(&slot->lock);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    object_get(obj);
    if (access_out)
        *access_out = slot->access;
    lock_release(&slot->lock);
    *out = obj;
    return STATUS_SUCCESS;
}

/* While the caller holds obj no other object has its address; the generation, looked at last, tells
 * a later handle to it in the same slot. */
bool handle_is(uintptr_t h, const struct object *obj)
{
    uint32_t index = (uint32_t)(h >> 2) & INDEX_MASK;
    _Atomic(struct slot *) *chunk = &object_table.chunks[index / CHUNK_SLOTS];
    const struct slot *slot; /* there since the handle was opened, for ever */

    slot = &atomic_load_explicit(chunk, memory_order_relaxed)[index % CHUNK_SLOTS];
    assert(!handle_is_fd(h) && slot_of(h) == slot);
    return atomic_load_explicit(&slot->object, memory_order_acquire) == obj &&
           atomic_load_explicit(&slot->state, memory_order_acquire) == SLOT_OPEN &&
           atomic_load_explicit(&slot->generation, memory_order_acquire) == (uint8_t)(h >> 22);
}

/* Likewise: while it is held. */
bool handle_fd_is(int fd, const struct object *obj)
{
    const struct slot *slot = slot_at(&fd_table, (uint32_t)fd);

    return slot && atomic_load_explicit(&slot->object, memory_order_acquire) == obj &&
           atomic_load_explicit(&slot->state, memory_order_acquire) == SLOT_OPEN;
}

void handle_drop(struct object *obj)
{
    if (atomic_fetch_sub(&obj->handles, 1) == 1 && obj->type->cleanup)
        obj->type->cleanup(obj);
    object_put(obj);
}

uint32_t handle_close(uintptr_t h)
{
    struct slot *slot = slot_lock(h);
    struct object *obj;
    bool fd = handle_is_fd(h);

    if (!slot)
        return STATUS_INVALID_HANDLE;
    if (slot->flags & HANDLE_PROTECT) {
        lock_release(&slot->lock);
        return STATUS_HANDLE_NOT_CLOSABLE;
    }
    obj = slot->object;
    slot->state = fd ? SLOT_HELD : SLOT_FREE;
    if (!fd)
        slot->object = NULL;
    slot->generation++;
    lock_release(&slot->lock);
    if (!fd)
        index_return((uint32_t)(h >> 2) & INDEX_MASK);
    else if (obj->type->fd_closed)
        obj->type->fd_closed(obj, (int)h);
    handle_drop(obj);
    return STATUS_SUCCESS;
}

uint32_t handle_flags_get(uintptr_t h, uint32_t *flags)
{
    struct slot *slot = slot_lock(h);

    if (!slot)
        return STATUS_INVALID_HANDLE;
    *flags = slot->flags;
    lock_release(&slot->lock);
    return STATUS_SUCCESS;
}

uint32_t handle_flags_set(uintptr_t h, uint32_t mask, uint32_t flags)
{
    struct slot *slot = slot_lock(h);

    if (!slot)
        return STATUS_INVALID_HANDLE;
    slot->flags = (uint8_t)((slot->flags & ~mask) | (flags & mask));
    lock_release(&slot->lock);
    return STATUS_SUCCESS;
}

void handle_release_fd(struct object *obj, int fd)
{
    struct slot *slot = slot_at(&fd_table, (uint32_t)fd);

    if (!slot)
        return;
    lock_acquire(&slot->lock);
    if (slot->object == obj) {
        slot->state = SLOT_FREE;
        slot->object = NULL;
    }
    lock_release(&slot->lock);
}

void handle_lose_fd(struct object *obj, int fd)
{
    struct slot *slot = slot_at(&fd_table, (uint32_t)fd);
    bool was_open = false;

    if (!slot)
        return;
    lock_acquire(&slot->lock);
    if (slot->object == obj) {
        was_open = slot->state == SLOT_OPEN;
        slot->state = SLOT_FREE;
        slot->object = NULL;
        slot->generation++;
    }
    lock_release(&slot->lock);
    if (was_open)
        handle_drop(obj);
}

void handle_close_fd(struct object *obj, int fd)
{
    struct slot *slot = slot_at(&fd_table, (uint32_t)fd);

    if (slot) {
        lock_acquire(&slot->lock);
        if (slot->object == obj)
            slot->state = SLOT_CLOSING;
        slot->generation++;
        lock_release(&slot->lock);
    }
    close(fd);
    handle_release_fd(obj, fd);
}

void handle_each_fd(void (*fn)(struct object *obj, uintptr_t fd, void *ctx), void *ctx)
{
    for (uint32_t c = 0; c < CHUNKS; c++) {
        if (!atomic_load(&fd_table.chunks[c]))
            continue;
        for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
            uint32_t fd = c * CHUNK_SLOTS + i;
            struct object *obj = handle_get_fd_owner((int)fd);

            if (!obj)
                continue;
            fn(obj, fd, ctx);
            object_put(obj);
        }
    }
}

void handle_each_value(void (*fn)(struct object *obj, uintptr_t h, void *ctx), void *ctx)
{
    uint32_t used;

    lock_acquire(&object_table.lock);
    used = object_table.used;
    lock_release(&object_table.lock);
    for (uint32_t i = 0; i < used; i++) {
        struct slot *slot = slot_at(&object_table, i);
        struct object *obj = NULL;
        uintptr_t h = 0;

        if (!slot)
            continue;
        lock_acquire(&slot->lock);
        if (slot->state == SLOT_OPEN) {
            obj = object_get(slot->object);
            h = value_of(i, slot->generation);
        }
        lock_release(&slot->lock);
        if (!obj)
            continue;
        fn(obj, h, ctx);
        object_put(obj);
    }
}

/* A forked child knows no handles. What they stood for stays allocated: threads that are gone may
 * have been in the middle of it. */
static void forget_all(void)
{
    for (uint32_t c = 0; c < CHUNKS; c++) {
        atomic_store(&fd_table.chunks[c], NULL);
        atomic_store(&object_table.chunks[c], NULL);
    }
    lock_init(&fd_table.lock, LOCK_TABLE);
    fd_table.used = object_table.used = 0;
    fd_table.free = object_table.free = NO_SLOT;
}

FORK_HOOK(&object_table.lock, LOCK_TABLE, forget_all);
