/* SPDX-License-Identifier: MIT */
/*
 * Keys: see key.h. A key is a place in a table (bits 0..19) and a serial number (bits 20..63) that counts all
 * keys there ever were: at a million a second they last for half a year. A place that is taken again
 * is told by the first number of its task.
 */
#include "pool/key.h"

#include "base/fork.h"
#include "base/lock.h"
#include "ntstatus.h"
#include "pool/task.h"

#include <stdlib.h>
#include <string.h>

enum { PLACE_BITS = 20, PLACES = 1 << PLACE_BITS, CHUNK_PLACES = 1024, CHUNKS = PLACES / CHUNK_PLACES };
_Static_assert(sizeof(uintptr_t) == 8, "a key has room for both");

struct key_place {
    struct task *task; /* counted; NULL: free */
    union {
        uintptr_t first;    /* the task's first key */
        uint32_t next_free; /* index + 1; 0 ends the list */
    };
};

static struct {
    struct lock lock; /* all below, and the places */
    struct key_place *chunks[CHUNKS]; /* made when needed, kept for ever */
    uint32_t used;    /* places ever taken */
    uint32_t free;    /* index + 1 of the first free one of these, or 0 */
    uint64_t serial;  /* the last */
} table = {.lock = LOCK_INIT(LOCK_LEAF)};

static struct key_place *place_of(uintptr_t key)
{
    uint32_t index = key % PLACES;
    struct key_place *chunk = table.chunks[index / CHUNK_PLACES];

    lock_assert_held(&table.lock);
    return chunk ? &chunk[index % CHUNK_PLACES] : NULL;
}

static uintptr_t next_locked(uintptr_t key)
{
    lock_assert_held(&table.lock);
    return (uintptr_t)++table.serial << PLACE_BITS | key % PLACES;
}

/* Takes a place, if there is room for one in a chunk; `made` becomes the chunk that is missing. */
static uint32_t take_locked(struct task *t, struct key_place **made, uintptr_t *key)
{
    uint32_t index = table.free ? table.free - 1 : table.used;
    struct key_place *place;

    if (index >= PLACES)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!table.chunks[index / CHUNK_PLACES]) {
        table.chunks[index / CHUNK_PLACES] = *made;
        *made = NULL;
    }
    place = place_of(index);
    if (!place)
        return STATUS_NO_MEMORY;
    if (table.free)
        table.free = place->next_free;
    else
        table.used++;
    *key = place->first = next_locked(index);
    place->task = t;
    object_get(&t->object);
    return STATUS_SUCCESS;
}

uint32_t key_open(struct task *t, uintptr_t *key)
{
    struct key_place *chunk = NULL;
    uint32_t status;

    lock_acquire(&table.lock);
    status = take_locked(t, &chunk, key);
    lock_release(&table.lock);
    if (status != STATUS_NO_MEMORY)
        return status;
    chunk = calloc(CHUNK_PLACES, sizeof *chunk);
    lock_acquire(&table.lock);
    status = take_locked(t, &chunk, key);
    lock_release(&table.lock);
    free(chunk); /* another thread was faster */
    return status;
}

static struct task *find_locked(uintptr_t key)
{
    struct key_place *place = place_of(key);

    return place && place->task && key >= place->first ? place->task : NULL;
}

uintptr_t key_next(uintptr_t key)
{
    uintptr_t next;

    lock_acquire(&table.lock);
    next = find_locked(key) ? next_locked(key) : 0; /* else it would be a key of who has the place now */
    lock_release(&table.lock);
    return next;
}

void key_close(uintptr_t key)
{
    struct key_place *place;
    struct task *t;

    lock_acquire(&table.lock);
    t = find_locked(key);
    if (t) { /* else it is the parent's, and this the child of a fork */
        place = place_of(key);
        place->task = NULL;
        place->next_free = table.free;
        table.free = key % PLACES + 1;
    }
    lock_release(&table.lock);
    if (t)
        object_put(&t->object);
}

struct task *key_task(uintptr_t key)
{
    struct task *t;

    lock_acquire(&table.lock);
    t = find_locked(key);
    if (t)
        object_get(&t->object);
    lock_release(&table.lock);
    return t;
}

/* In a forked child: the tasks were the parent's. */
static void forget_all(void)
{
    for (uint32_t i = 0; i < CHUNKS && table.chunks[i]; i++)
        memset(table.chunks[i], 0, CHUNK_PLACES * sizeof *table.chunks[i]);
    table.used = table.free = 0;
}

FORK_HOOK(&table.lock, LOCK_LEAF, forget_all);
