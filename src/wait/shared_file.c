/* SPDX-License-Identifier: MIT */
/*
 * The file of shared names: see shared_file.h. Its locks are words that say who holds them; who sleeps for
 * one asks the kernel whether that process lives, and takes the lock from a dead one. Life is a byte range
 * lock: fcntl's, which belongs to a process, ends with it (or with exec), and is not inherited by fork.
 *
 * A process has two bytes. The first (LIFE) it has before it may take locks; the second (TENANT) once what an
 * earlier tenant of its place has left in the slots is gone. Between the two the earlier one counts as dead.
 */
#include "wait/shared_file.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "base/relax.h"
#include "ntstatus.h"
#include "object/object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

_Static_assert(sizeof(struct shared_slot) % 8 == 0 && sizeof(struct shared_layout) < (1 << 24), "");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

/* How long a sleeper trusts who is to wake it: that one may have died between giving back and waking. */
#define PATIENCE_NS (50 * NS_PER_MS)
enum { SPIN_ROUNDS = 100 };

struct shared_file shared_file = {.fd = -1, .place = SHARED_NOBODY};

/* ---- processes ---- */

/* The lock that another process holds on a byte; l_type is F_UNLCK if nobody does. */
static struct flock ask(off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    if (fcntl(shared_file.fd, F_GETLK, &lock) < 0)
        lock.l_type = F_WRLCK; /* not known: nobody is declared dead for that */
    return lock;
}

bool shared_is_dead(uint32_t who)
{
    int place = shared_place_of(who);

    if (who == shared_file.who)
        return false;
    if (place < 0 || shared_who(place) != who || place == shared_file.place)
        return true;
    return ask(SHARED_LIFE + place).l_type == F_UNLCK;
}

int32_t shared_pid(uint32_t who)
{
    int place = shared_place_of(who);
    struct flock lock;

    if (place < 0 || shared_who(place) != who)
        return 0;
    lock = ask(SHARED_LIFE + place);
    return lock.l_type == F_UNLCK || lock.l_pid < 0 ? 0 : (int32_t)lock.l_pid;
}

/* Is there nobody whom the sets of slots mean by this place? */
static bool is_vacant(int place)
{
    return place != shared_file.place && ask(SHARED_TENANT + place).l_type == F_UNLCK;
}

/* ---- sets ---- */

bool shared_set_empty(const struct shared_set *s)
{
    return shared_set_next(s, 0) == SHARED_NOBODY;
}

int shared_set_next(const struct shared_set *s, int place)
{
    for (; place < SHARED_PROCESSES; place = (place / 64 + 1) * 64) {
        uint64_t word = atomic_load(&s->words[place / 64]) >> place % 64;

        if (word)
            return place + __builtin_ctzll(word);
    }
    return SHARED_NOBODY;
}

/* ---- locks ---- */

static bool take(_Atomic uint32_t *lock, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong(lock, &from, to);
}

bool shared_lock(_Atomic uint32_t *lock)
{
    uint32_t me = shared_file.who;
    uint32_t held;

    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (atomic_load_explicit(lock, memory_order_relaxed) == 0 && take(lock, 0, me))
            return false;
        cpu_relax();
    }
    for (;;) {
        held = atomic_load(lock);
        if (held == 0) {
            if (take(lock, 0, me | SHARED_SLEEPERS)) /* there may be more */
                return false;
        } else if (shared_is_dead(held & ~SHARED_SLEEPERS)) {
            if (take(lock, held, me | SHARED_SLEEPERS))
                return true;
        } else if ((held & SHARED_SLEEPERS) || take(lock, held, held | SHARED_SLEEPERS)) {
            futex_wait_shared(lock, held | SHARED_SLEEPERS, clock_now_ns() + PATIENCE_NS);
        }
    }
}

void shared_unlock(_Atomic uint32_t *lock)
{
    if (atomic_exchange(lock, 0) & SHARED_SLEEPERS)
        futex_wake_shared(lock, 1);
}

/* ---- room ---- */

enum { CHUNK = 64 }; /* slots that get their room at once */

int shared_file_room(int fd, size_t offset, size_t size)
{
    int err = os_refusal("names fallocate");

    return err ? err : -posix_fallocate(fd, (off_t)offset, (off_t)size);
}

static int room_for_place(int place)
{
    size_t size = sizeof shared_file.layout->processes[0];

    return shared_file_room(shared_file.fd, offsetof(struct shared_layout, processes) + (size_t)place * size,
                            size);
}

/* The file's lock is held; the slot is free. */
static int room_for_slot_locked(int index)
{
    size_t size = sizeof(struct shared_slot);
    int err = 0;

    if (index < shared_used())
        return 0;
    if (index % CHUNK == 0)
        err = shared_file_room(shared_file.fd,
                               offsetof(struct shared_layout, slots) + (size_t)index * size, CHUNK * size);
    if (!err)
        atomic_store(&shared_file.layout->used, (uint32_t)index + 1);
    return err;
}

/* ---- a place of one's own ---- */

static int lock_byte(off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(shared_file.fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

int shared_file_enter(void)
{
    int place = 0;
    int err = 0;

    while (place < SHARED_PROCESSES && (err = lock_byte(SHARED_LIFE + place)) != 0) {
        if (err != -EAGAIN && err != -EACCES)
            return err;
        place++;
    }
    if (place == SHARED_PROCESSES)
        return -EUSERS;
    err = room_for_place(place);
    if (err)
        return err;
    atomic_fetch_add(&shared_file.layout->processes[place].taken, 1);
    for (int i = 0; i < SHARED_SLOTS / 64; i++)
        atomic_store(&shared_file.layout->processes[place].pending[i], 0);
    atomic_store(&shared_file.layout->processes[place].rung, 0);
    shared_file.who = shared_who(place);
    shared_lock(&shared_file.layout->lock);
    shared_reap_locked(place);
    err = lock_byte(SHARED_TENANT + place);
    shared_file.place = place;
    shared_unlock(&shared_file.layout->lock);
    return err;
}

/* ---- slots ---- */

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash ? hash : 1;
}

static struct shared_slot *slot_at(int index)
{
    return &shared_file.layout->slots[index];
}

/* Who is dead is found out by asking for the place it has in the slots. Takes a slot's name away if nobody
 * who lives has a handle. */
static bool has_living_handle(int index)
{
    struct shared_slot *s = slot_at(index);
    int place = 0;

    while ((place = shared_set_next(&s->handles, place)) != SHARED_NOBODY) {
        if (!is_vacant(place))
            return true;
        shared_reap_locked(place++);
    }
    return false;
}

int shared_slot_find_locked(const char *name)
{
    uint32_t hash = hash_of(name);
    size_t size = strlen(name) + 1;

    if (size > SHARED_NAME_SIZE)
        return SHARED_NOBODY;
    for (int i = 0, used = shared_used(); i < used; i++) {
        if (atomic_load_explicit(&shared_file.layout->hashes[i], memory_order_relaxed) == hash &&
            memcmp(slot_at(i)->name, name, size) == 0 && has_living_handle(i))
            return i;
    }
    return SHARED_NOBODY;
}

static int free_slot_from(uint32_t first)
{
    for (uint32_t i = first; i < SHARED_SLOTS; i++) {
        if (shared_set_empty(&slot_at((int)i)->users))
            return (int)i;
    }
    return SHARED_NOBODY;
}

static int free_slot_locked(void)
{
    int index = free_slot_from(atomic_load(&shared_file.layout->free));

    if (index == SHARED_NOBODY)
        index = free_slot_from(0);
    atomic_store(&shared_file.layout->free, index == SHARED_NOBODY ? SHARED_SLOTS : (uint32_t)index);
    return index;
}

/* Whoever stands in a slot and has ended. */
static void reap_all_locked(void)
{
    struct shared_set users = {0};
    int place = 0;

    for (int i = 0; i < SHARED_SLOTS; i++) {
        for (int k = 0; k < SHARED_WORDS; k++)
            atomic_fetch_or(&users.words[k], atomic_load(&slot_at(i)->users.words[k]));
    }
    for (; (place = shared_set_next(&users, place)) != SHARED_NOBODY; place++) {
        if (is_vacant(place))
            shared_reap_locked(place);
    }
}

int shared_slot_new_locked(const char *name, uint32_t kind, int32_t max, uint64_t state)
{
    struct shared_layout *l = shared_file.layout;
    int index = free_slot_locked();
    struct shared_slot *s;

    if (index == SHARED_NOBODY) {
        reap_all_locked();
        index = free_slot_locked();
    }
    if (index == SHARED_NOBODY || strlen(name) >= SHARED_NAME_SIZE || room_for_slot_locked(index) != 0)
        return SHARED_NOBODY;
    s = slot_at(index);
    atomic_store(&l->hashes[index], 0);
    shared_lock(&s->lock); /* whoever was here before may be having a last look */
    atomic_store(&s->serial, atomic_fetch_add(&l->last_serial, 1) + 1);
    atomic_store(&s->kind, kind);
    atomic_store(&s->max, max);
    atomic_store(&s->state, state);
    for (int i = 0; i < SHARED_WORDS; i++) {
        atomic_store(&s->waiting.words[i], 0);
        atomic_store(&s->handles.words[i], 0);
    }
    strcpy(s->name, name);
    shared_set_add(&s->users, shared_file.place);
    shared_unlock(&s->lock);
    shared_set_add(&s->handles, shared_file.place);
    atomic_store(&l->hashes[index], hash_of(name)); /* last: now it can be found */
    return index;
}

static void unname_if_last(int index)
{
    if (shared_set_empty(&slot_at(index)->handles))
        atomic_store(&shared_file.layout->hashes[index], 0);
}

void shared_slot_unname_locked(int index, uint64_t serial)
{
    struct shared_slot *s = slot_at(index);

    if (atomic_load(&s->serial) != serial)
        return;
    shared_set_remove(&s->handles, shared_file.place);
    unname_if_last(index);
}

/* Not in use any more: no serial, so that nobody takes it for what it was. */
static void free_if_last(int index)
{
    struct shared_slot *s = slot_at(index);

    if (!shared_set_empty(&s->users))
        return;
    atomic_store(&shared_file.layout->hashes[index], 0);
    atomic_store(&s->serial, 0);
    if ((uint32_t)index < atomic_load(&shared_file.layout->free))
        atomic_store(&shared_file.layout->free, (uint32_t)index);
}

void shared_slot_leave_locked(int index, uint64_t serial)
{
    struct shared_slot *s = slot_at(index);

    shared_lock(&s->lock);
    if (atomic_load(&s->serial) == serial) {
        shared_set_remove(&s->handles, shared_file.place);
        shared_set_remove(&s->waiting, shared_file.place);
        shared_set_remove(&s->users, shared_file.place);
        unname_if_last(index);
        free_if_last(index);
    }
    shared_unlock(&s->lock);
}

/* What `place` owns is nobody's now. The slot's lock is held. */
static void abandon(struct shared_slot *s, int place)
{
    uint32_t owner = (uint32_t)atomic_load(&s->state);

    if (atomic_load(&s->kind) == OBJECT_MUTEX && owner != 0 && shared_place_of(owner) == place)
        atomic_store(&s->state, SHARED_ABANDONED);
}

bool shared_reap_locked(int place)
{
    bool left = false;

    for (int i = 0, used = shared_used(); i < used; i++) {
        struct shared_slot *s = slot_at(i);

        if (!shared_set_has(&s->users, place) && !shared_set_has(&s->handles, place))
            continue;
        left = true;
        shared_lock(&s->lock);
        abandon(s, place);
        shared_set_remove(&s->handles, place);
        shared_set_remove(&s->waiting, place);
        shared_set_remove(&s->users, place);
        unname_if_last(i);
        free_if_last(i);
        shared_unlock(&s->lock);
    }
    return left;
}

bool shared_reap(int place)
{
    bool left = false;

    shared_lock(&shared_file.layout->lock);
    if (is_vacant(place))
        left = shared_reap_locked(place);
    shared_unlock(&shared_file.layout->lock);
    return left;
}
