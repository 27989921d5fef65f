/* SPDX-License-Identifier: MIT */
/*
 * Shared objects: see shared.h. The table below knows the one object by which this process sees a slot. It is
 * asked when a name is opened whose object has lost its last handle here, but not its last waiter:
 * then that object is the one to use.
 *
 * No wake-up is lost: who goes to sleep has put its process among the slot's waiting under the same lock
 * under which it has seen the state; who changes the state reads that set after it. If it dies before it has
 * told them, they hear of its end. A process that is told without need leaves the set.
 */
#include "wait/shared.h"

#include "base/fork.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/shared_bell.h"
#include "wait/shared_file.h"
#include "wait/wait.h"

#include <assert.h>
#include <stdlib.h>

enum { SHAREABLE = OBJECT_EVENT | OBJECT_SEMAPHORE | OBJECT_MUTEX };

/* Entries change under the file's lock and this one, and are read under either. */
static struct {
    struct lock lock;
    struct shared *of[SHARED_SLOTS]; /* borrowed */
} seen = {.lock = LOCK_INIT(LOCK_LEAF)};

static struct shared **link_of(struct dispatcher *d)
{
    if (d->consume == CONSUME_OWN)
        return &container_of(ownership_of(d), struct shareable_ownership, ownership)->shared;
    return &container_of(d, struct shareable, dispatcher)->shared;
}

static struct shared_slot *slot_of(const struct shared *s)
{
    return &shared_file.layout->slots[s->index];
}

/* ---- the state, fetched and stored ---- */

/* The slot has been taken from us: a program gone mad, or one that has closed our descriptor. The object is
 * this process' own from now on; nobody waits for ever for what only others could have given back. */
static void lose(struct shared *s)
{
    struct dispatcher *d = s->dispatcher;

    lock_assert_held(&d->lock);
    d->shared = false;
    if (s->owned)
        object_put(s->object); /* the caller has a reference as well */
    s->owned = false;
    if (d->consume == CONSUME_OWN && !ownership_of(d)->owner)
        d->signal = 1;
}

/* A mutex in the file is nobody's, ours (then the thread is known here alone), or another process'. */
static void fetch_ownership(struct ownership *o, uint64_t state)
{
    uint32_t owner = (uint32_t)state;
    struct dispatcher *d = &o->dispatcher;

    d->abandoned = false;
    d->signal = 0;
    if (o->owner)
        return;
    if (owner == 0 || owner == shared_file.who) { /* ours, and no thread's: not of our writing */
        d->signal = 1;
        d->abandoned = owner == 0 && (state & SHARED_ABANDONED);
    } else if (shared_is_dead(owner)) {
        d->signal = 1;
        d->abandoned = true;
    }
}

static int32_t clamp(int32_t count, int32_t max)
{
    return count < 0 ? 0 : count > max ? max : count;
}

void shared_fetch(struct dispatcher *d)
{
    struct shared *s = *link_of(d);
    struct shared_slot *slot;
    uint64_t state;

    lock_assert_held(&d->lock);
    if (s->who != shared_file.who) {
        lose(s);
        return;
    }
    slot = slot_of(s);
    s->stolen = shared_lock(&slot->lock);
    if (atomic_load(&slot->serial) != s->serial) {
        shared_unlock(&slot->lock);
        lose(s);
        return;
    }
    state = atomic_load(&slot->state);
    if (d->consume == CONSUME_OWN)
        fetch_ownership(ownership_of(d), state);
    else
        d->signal = clamp((int32_t)(uint32_t)state, s->max);
}

static int by_index(const void *a, const void *b)
{
    int x = (*link_of(*(struct dispatcher *const *)a))->index;
    int y = (*link_of(*(struct dispatcher *const *)b))->index;

    return (x > y) - (x < y);
}

void shared_fetch_all(struct dispatcher *const *objects, unsigned count)
{
    struct dispatcher *sorted[WAIT_OBJECTS_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        if (objects[i]->shared)
            sorted[n++] = objects[i];
    }
    qsort(sorted, n, sizeof sorted[0], by_index);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0 && by_index(&sorted[i - 1], &sorted[i]) == 0)
            lose(*link_of(sorted[i])); /* one of the two has lost the slot to the other */
        else
            shared_fetch(sorted[i]);
    }
}

static uint64_t state_of(const struct dispatcher *d, uint64_t before)
{
    if (d->consume != CONSUME_OWN)
        return (uint32_t)d->signal;
    if (ownership_of((struct dispatcher *)d)->owner)
        return shared_file.who;
    if (d->signal > 0)
        return d->abandoned ? SHARED_ABANDONED : 0;
    return before; /* another process' still */
}

/* Does anybody but the bell stand in the queue? */
static bool has_waiters(const struct shared *s)
{
    const struct list *waiters = &s->dispatcher->waiters;
    const struct list *bell = &s->bell.block.link;

    return waiters->next != waiters && (waiters->next != bell || waiters->prev != bell);
}

bool shared_store(struct dispatcher *d, bool queued)
{
    struct shared *s = *link_of(d);
    struct shared_slot *slot = slot_of(s);
    bool owned = d->consume == CONSUME_OWN && ownership_of(d)->owner && !s->lonely;
    bool rings = s->stolen && d->signal > 0;
    bool joins = queued && !s->attended && has_waiters(s);

    lock_assert_held(&d->lock);
    atomic_store(&slot->state, state_of(d, atomic_load(&slot->state)));
    if (joins) {
        shared_set_add(&slot->waiting, shared_file.place);
        s->attended = true;
    }
    shared_unlock(&slot->lock);
    if (rings)
        shared_bell_ring(s->index); /* the dead holder may not have come to it */
    /* What a thread owns stays, whatever becomes of its handles. The caller has a reference as well. */
    if (owned && !s->owned)
        object_get(s->object);
    else if (!owned && s->owned)
        object_put(s->object);
    s->owned = owned;
    return joins;
}

/*
 * Once it hears, it looks: who made it signalled may have died before this process could watch it, and been
 * buried by a third one. If nothing would be heard, that is so for whoever has joined meanwhile, too.
 */
int shared_attend(struct dispatcher *d)
{
    struct shared *s = *link_of(d);
    struct wake_list wakes;
    int err = shared_bell_attend(s->index);

    if (!err) {
        dispatcher_wake(d);
        return 0;
    }
    wake_list_init(&wakes);
    lock_acquire(&d->lock);
    s->attended = false; /* in the set still, which does no harm; the next who waits tries again */
    dispatcher_refuse_locked(d, &wakes);
    lock_release(&d->lock);
    wake_list_run(&wakes);
    return err;
}

void shared_attend_soon(struct dispatcher *d)
{
    struct shared *s = *link_of(d);

    if (shared_bell_attend_soon() == 0)
        return;
    lock_acquire(&d->lock);
    s->attended = false; /* tried again when the next one joins; no thread of the library can be had */
    lock_release(&d->lock);
}

static bool used_elsewhere(const struct shared *s)
{
    const struct shared_set *users = &slot_of(s)->users;

    for (int i = 0; (i = shared_set_next(users, i)) != SHARED_NOBODY; i++) {
        if (i != shared_file.place && !shared_is_dead(shared_who(i)))
            return true;
    }
    return false;
}

bool shared_elsewhere(struct dispatcher *d)
{
    bool elsewhere;

    dispatcher_lock(d);
    elsewhere = d->shared && used_elsewhere(*link_of(d));
    dispatcher_unlock(d);
    return elsewhere;
}

/* ---- the bell ---- */

static bool others_wait(const struct shared *s)
{
    const struct shared_set *waiting = &slot_of(s)->waiting;
    int place = shared_set_next(waiting, 0);

    return place != SHARED_NOBODY &&
           (place != shared_file.place || shared_set_next(waiting, place + 1) != SHARED_NOBODY);
}

/*
 * Threads of this process that are always there would keep those of others from an object that goes from one
 * owner to the next. So the bell counts as a waiter, first come first served: when its turn comes the others
 * may take the object, and threads that stand behind it are told to look like those, by the home thread.
 */
bool shared_bell_called(struct listener *bell)
{
    struct shared *s = container_of(bell, struct shared, bell);
    struct dispatcher *d = s->dispatcher;

    lock_assert_held(&d->lock);
    object_get(s->object);
    s->turn = d->shared && d->consume != CONSUME_NOTHING && s->attended && !list_empty(&d->waiters) &&
              others_wait(s);
    return s->turn;
}

/* True: threads wait still. */
static bool look_once(struct shared *s)
{
    struct dispatcher *d = s->dispatcher;
    struct list *bell = &s->bell.block.link;
    struct wake_list wakes;
    bool linked;
    bool waits;

    wake_list_init(&wakes);
    dispatcher_lock(d);
    linked = list_linked(bell);
    if (linked)
        list_remove(bell); /* the others have been told by whom we have been told */
    if (d->shared && list_empty(&d->waiters)) {
        s->attended = false;
        shared_set_remove(&slot_of(s)->waiting, shared_file.place);
    }
    dispatcher_wake_locked(d, &wakes);
    waits = d->shared && !list_empty(&d->waiters);
    if (linked)
        list_push_back(&d->waiters, bell);
    dispatcher_unlock(d);
    wake_list_run(&wakes);
    return waits;
}

/* Somebody new may use it, and may have died before it was watched: see shared_attend. */
static void look(struct shared *s)
{
    if (!look_once(s))
        return;
    if (shared_bell_attend(s->index) == 0)
        look_once(s);
    else
        shared_bell_attend_later();
}

/* First back into the queue, then to the others: a change that found no bell there came before this look. */
static void ring(struct listener *bell)
{
    struct shared *s = container_of(bell, struct shared, bell);
    struct dispatcher *d = s->dispatcher;
    bool shared;
    bool turn;

    lock_acquire(&d->lock);
    list_push_back(&d->waiters, &bell->block.link);
    shared = d->shared && s->who == shared_file.who;
    turn = s->turn;
    s->turn = false;
    lock_release(&d->lock);
    if (shared && turn)
        shared_bell_ring_all(s->index);
    else if (shared)
        shared_bell_ring(s->index);
    else if (turn)
        look(s);
    object_put(s->object);
}

/* The first object at *index or behind it, up to `last`, counted; NULL: none. */
static struct shared *next_seen(int *index, int last)
{
    struct shared *s = NULL;

    lock_acquire(&seen.lock);
    for (; !s && *index <= last; ++*index) {
        s = seen.of[*index];
        if (s && !object_try_get(s->object))
            s = NULL;
    }
    lock_release(&seen.lock);
    return s;
}

static void look_at(int first, int last)
{
    struct shared *s;

    while ((s = next_seen(&first, last)) != NULL) {
        look(s);
        object_put(s->object);
    }
}

void shared_look(int index)
{
    look_at(index, index);
}

void shared_look_at_all(void)
{
    look_at(0, shared_used() - 1);
}

/* ---- objects and slots ---- */

/* Nobody else knows the object yet, and `s` is not seen. */
static struct shared *prepare(struct object *obj)
{
    struct shared *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->object = obj;
    s->dispatcher = obj->type->dispatcher(obj);
    s->who = shared_file.who;
    s->bell.dispatcher = s->dispatcher;
    s->bell.notify = ring;
    s->bell.block.all = true; /* is told, takes nothing */
    list_init(&s->bell.block.link);
    return s;
}

static void bind(struct shared *s, int index)
{
    struct dispatcher *d = s->dispatcher;

    s->index = index;
    s->serial = atomic_load(&slot_of(s)->serial);
    s->max = d->consume == CONSUME_OWN ? 1 : slot_of(s)->max;
    s->owned = d->consume == CONSUME_OWN && ownership_of(d)->owner;
    if (s->owned)
        object_get(s->object);
    *link_of(d) = s;
    lock_acquire(&d->lock);
    list_push_back(&d->waiters, &s->bell.block.link);
    d->shared = true;
    lock_release(&d->lock);
    lock_acquire(&seen.lock);
    seen.of[index] = s;
    lock_release(&seen.lock);
}

/* An object of this process for what is in the slot. */
static uint32_t new_view(int index, enum object_kind kind, struct object **out)
{
    const struct shared_slot *slot = &shared_file.layout->slots[index];
    int32_t max = atomic_load(&slot->max);
    struct object *obj;
    struct shared *s;
    uint32_t status;

    if (kind == OBJECT_EVENT)
        status = event_new(NULL, atomic_load(&slot->kind) & SHARED_MANUAL, false, &obj);
    else if (kind == OBJECT_MUTEX)
        status = mutex_new(NULL, false, &obj);
    else
        status = semaphore_new(NULL, 0, max > 0 ? max : 1, &obj);
    if (status != STATUS_SUCCESS)
        return status;
    s = prepare(obj);
    if (!s) {
        object_put(obj);
        return STATUS_NO_MEMORY;
    }
    bind(s, index);
    *out = obj;
    return STATUS_SUCCESS;
}

/* The object of this process for a slot that has been found; counted. */
static uint32_t view(int index, enum object_kind kind, struct object **out)
{
    struct shared_slot *slot = &shared_file.layout->slots[index];
    struct shared *s = seen.of[index];
    uint32_t status = STATUS_SUCCESS;

    if ((atomic_load(&slot->kind) & ~SHARED_MANUAL) != (uint32_t)kind)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (s && s->serial == atomic_load(&slot->serial) && object_try_get(s->object))
        *out = s->object;
    else
        status = new_view(index, kind, out);
    if (status == STATUS_SUCCESS) {
        shared_set_add(&slot->users, shared_file.place);
        shared_set_add(&slot->handles, shared_file.place);
    }
    return status;
}

static uint32_t find(const char *name, enum object_kind kind, struct object **out)
{
    uint32_t status = STATUS_OBJECT_NAME_NOT_FOUND;
    int index;

    shared_lock(&shared_file.layout->lock);
    index = shared_slot_find_locked(name);
    if (index != SHARED_NOBODY)
        status = view(index, kind, out);
    shared_unlock(&shared_file.layout->lock);
    if (status == STATUS_SUCCESS)
        shared_bell_ring(index); /* who waits wants to hear of our end as well */
    return status;
}

/* All is there that can fail but the slot. The file's lock is held. */
static uint32_t publish_locked(const char *name, struct shared *s)
{
    struct object *obj = s->object;
    struct dispatcher *d = s->dispatcher;
    uint32_t kind = obj->type->kind | (d->consume == CONSUME_NOTHING ? SHARED_MANUAL : 0);
    int32_t max = obj->type->kind == OBJECT_SEMAPHORE ? semaphore_max(obj) : 1;
    int index = shared_slot_new_locked(name, kind, max, state_of(d, 0));

    if (index == SHARED_NOBODY)
        return STATUS_INSUFFICIENT_RESOURCES;
    bind(s, index);
    return STATUS_SUCCESS;
}

static uint32_t publish(const char *name, struct object *made, struct object **owner)
{
    struct shared *s = prepare(made);
    uint32_t status;
    int index;

    if (!s)
        return STATUS_NO_MEMORY;
    shared_lock(&shared_file.layout->lock);
    index = shared_slot_find_locked(name);
    if (index == SHARED_NOBODY)
        status = publish_locked(name, s);
    else
        status = view(index, made->type->kind, owner);
    shared_unlock(&shared_file.layout->lock);
    if (index == SHARED_NOBODY && status == STATUS_SUCCESS)
        return status;
    free(s);
    if (status != STATUS_SUCCESS)
        return status;
    shared_bell_ring(index);
    return STATUS_OBJECT_NAME_EXISTS;
}

/* A mutex without a handle anywhere, and of which only we know, goes though a thread owns it: nobody can ask
 * for it again. Whoever waits for it still has a reference, and the caller has one. */
static void leave_alone(struct shared *s)
{
    struct dispatcher *d = s->dispatcher;
    bool goes;

    dispatcher_lock(d);
    s->lonely = d->shared && shared_set_empty(&slot_of(s)->handles) && !used_elsewhere(s);
    goes = s->lonely && s->owned;
    if (goes)
        s->owned = false;
    dispatcher_unlock(d);
    if (goes)
        object_put(s->object);
}

/* The last handle of this process is closed. */
static void unname(struct object *obj)
{
    struct shared *s = *link_of(obj->type->dispatcher(obj));

    if (!s || s->who != shared_file.who)
        return;
    shared_lock(&shared_file.layout->lock);
    if (seen.of[s->index] == s)
        shared_slot_unname_locked(s->index, s->serial);
    shared_unlock(&shared_file.layout->lock);
    if (s->dispatcher->consume == CONSUME_OWN)
        leave_alone(s);
}

void shared_leave(struct shared *s)
{
    if (!s)
        return;
    if (s->who == shared_file.who) {
        shared_lock(&shared_file.layout->lock);
        if (seen.of[s->index] == s) { /* else another object of ours has the slot */
            lock_acquire(&seen.lock);
            seen.of[s->index] = NULL;
            lock_release(&seen.lock);
            shared_slot_leave_locked(s->index, s->serial);
        }
        shared_unlock(&shared_file.layout->lock);
    }
    free(s);
}

static const struct name_sharing sharing = {
    .kinds = SHAREABLE,
    .publish = publish,
    .find = find,
    .unname = unname,
};

uint32_t shared_prepare(enum object_kind kind)
{
    uint32_t status;

    if (!(kind & SHAREABLE))
        return STATUS_SUCCESS;
    status = shared_file_open();
    if (status == STATUS_SUCCESS)
        object_name_share(&sharing);
    return status == STATUS_NOT_SUPPORTED ? (uint32_t)STATUS_SUCCESS : status;
}

const char *names_info(void)
{
    shared_file_open();
    return shared_file_info();
}

static void forget_all(void)
{
    for (int i = 0; i < SHARED_SLOTS; i++)
        seen.of[i] = NULL;
    object_name_share(NULL);
}

FORK_HOOK(&seen.lock, LOCK_LEAF, forget_all);
