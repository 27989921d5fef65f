/* SPDX-License-Identifier: MIT */
/*
 * Values per thread: see tls.h. A thread's values are one array, made when it first sets one, and
 * listed, so that freeing an index can clear it in every thread. The thread itself reads and
 * writes its array without a lock; values are atomic for the one who frees the index.
 */
#include "wait/tls.h"

#include "base/fork.h"
#include "base/list.h"
#include "base/lock.h"
#include "wait/thread.h"

#include <stdlib.h>

/* Destructors may set values again: so many rounds at most, as pthreads do. */
enum { EXIT_ROUNDS = 4 };

struct slot_array {
    struct list link; /* in space.arrays */
    _Atomic(void *) values[SLOT_COUNT];
};

static struct space {
    struct lock lock; /* everything but the values */
    struct list arrays;
    _Atomic bool used[SLOT_COUNT]; /* written under the lock */
    void (*callbacks[SLOT_COUNT])(void *value);
} spaces[2] = {
    {.lock = LOCK_INIT(LOCK_LEAF), .arrays = LIST_INIT(spaces[0].arrays)},
    {.lock = LOCK_INIT(LOCK_LEAF), .arrays = LIST_INIT(spaces[1].arrays)},
};

static void **array_of(struct thread *t, enum slot_space_name name)
{
    return name == SPACE_TLS ? &t->tls_slots : &t->fls_slots;
}

static void (*callback_of(struct space *s, unsigned index))(void *value)
{
    void (*callback)(void *value);

    lock_acquire(&s->lock);
    callback = atomic_load(&s->used[index]) ? s->callbacks[index] : NULL;
    lock_release(&s->lock);
    return callback;
}

/* Calls back for every value of the ending thread. true: there was one. Who takes a value calls for it: the
 * callback is asked for before, or it would be gone with an index that is freed in between. */
static bool call_back(struct space *s, struct slot_array *a)
{
    bool any = false;

    for (unsigned i = 0; i < SLOT_COUNT; i++) {
        void (*callback)(void *value) = atomic_load(&a->values[i]) ? callback_of(s, i) : NULL;
        void *value = callback ? atomic_exchange(&a->values[i], NULL) : NULL;

        if (value) {
            callback(value);
            any = true;
        }
    }
    return any;
}

static void free_array(enum slot_space_name name, struct thread *t)
{
    struct space *s = &spaces[name];
    struct slot_array *a = *array_of(t, name);

    if (!a)
        return;
    *array_of(t, name) = NULL;
    lock_acquire(&s->lock);
    list_remove(&a->link);
    lock_release(&s->lock);
    free(a);
}

static void at_thread_exit(struct thread *t)
{
    for (int i = 0; i < EXIT_ROUNDS && t->fls_slots; i++) {
        if (!call_back(&spaces[SPACE_FLS], t->fls_slots))
            break;
    }
    free_array(SPACE_FLS, t);
    free_array(SPACE_TLS, t);
}

static __attribute__((constructor)) void set_exit_hook(void)
{
    thread_exit_hooks[0] = at_thread_exit;
}

uint32_t slot_alloc(enum slot_space_name name, void (*callback)(void *value))
{
    struct space *s = &spaces[name];
    uint32_t index = SLOT_NONE;

    lock_acquire(&s->lock);
    for (uint32_t i = 0; i < SLOT_COUNT && index == SLOT_NONE; i++) {
        if (atomic_load(&s->used[i]))
            continue;
        index = i;
        s->callbacks[i] = callback;
        atomic_store(&s->used[i], true);
    }
    lock_release(&s->lock);
    return index;
}

/* Takes one value of this index away from some thread; NULL when none is left. */
static void *take_one(struct space *s, uint32_t index)
{
    void *value = NULL;

    lock_acquire(&s->lock);
    list_for_each(n, &s->arrays) {
        value = atomic_exchange(&container_of(n, struct slot_array, link)->values[index], NULL);
        if (value)
            break;
    }
    lock_release(&s->lock);
    return value;
}

bool slot_free(enum slot_space_name name, uint32_t index)
{
    struct space *s = &spaces[name];
    void (*callback)(void *value);
    void *value;

    if (!slot_valid(name, index))
        return false;
    callback = callback_of(s, index);
    while ((value = take_one(s, index)) != NULL) {
        if (callback)
            callback(value);
    }
    lock_acquire(&s->lock);
    s->callbacks[index] = NULL;
    atomic_store(&s->used[index], false);
    lock_release(&s->lock);
    return true;
}

bool slot_valid(enum slot_space_name name, uint32_t index)
{
    return index < SLOT_COUNT && atomic_load(&spaces[name].used[index]);
}

bool slot_set(enum slot_space_name name, uint32_t index, void *value)
{
    struct space *s = &spaces[name];
    struct thread *self = thread_current();
    struct slot_array *a = *array_of(self, name);

    if (!a) {
        if (!value)
            return true;
        a = calloc(1, sizeof *a);
        if (!a)
            return false;
        lock_acquire(&s->lock);
        list_push_back(&s->arrays, &a->link);
        lock_release(&s->lock);
        *array_of(self, name) = a;
    }
    atomic_store_explicit(&a->values[index], value, memory_order_release);
    return true;
}

void *slot_get(enum slot_space_name name, uint32_t index)
{
    struct slot_array *a = *array_of(thread_current(), name);

    return a ? atomic_load_explicit(&a->values[index], memory_order_acquire) : NULL;
}

/* Of a forked child's threads only the one that forked is left, and so is its array. */
static void keep_own(struct space *s, struct slot_array *own)
{
    lock_init(&s->lock, LOCK_LEAF);
    list_init(&s->arrays);
    if (own) {
        list_init(&own->link);
        list_push_back(&s->arrays, &own->link);
    }
}

static void after_fork(void)
{
    struct thread *self = thread_current_or_null();

    keep_own(&spaces[SPACE_TLS], self ? self->tls_slots : NULL);
    keep_own(&spaces[SPACE_FLS], self ? self->fls_slots : NULL);
}

FORK_HOOK(NULL, LOCK_LEAF, after_fork);
