/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: the file that the processes of one user share, and in which the states of named
 * events, semaphores and mutexes lie. It is mapped whole, has one size, takes room on the disk as places and
 * slots are used for the first time, and knows
 *
 *   processes  SHARED_PROCESSES places; who has one holds two locks on it, which the kernel takes away when
 *              the process ends, in whatever way. So nobody has to say goodbye, and a number that is used
 *              again is not taken for a process.
 *   slots      SHARED_SLOTS objects: name, kind, state, and the sets of processes that have handles to it,
 *              that use it at all, and that have threads waiting for it.
 *
 * Rules:
 * 1. `lock` of the file guards `used` and `free`, the hashes, names, kinds and limits of slots, and the sets
 *    `handles` and `users`.
 * 2. `lock` of a slot guards its state, its serial and the set `waiting`; taken inside the file's, or alone,
 *    or several in the order of the slots. Among the locks of a process it stands behind a dispatcher's.
 * 3. A slot is in use while its set `users` is not empty; its name can be found while its hash is not 0. Each
 *    change is one store, or leaves what others pass over, so that who dies in the middle breaks nothing.
 * 4. Whatever is read here may have been written by a program that has gone mad: numbers are checked before
 *    they are used, texts end where their room does. There are no pointers, and for that reason no mutexes
 *    of the C library, whose robust kind is a list through the memory of all processes.
 */
#ifndef IOCP_WAIT_SHARED_FILE_H
#define IOCP_WAIT_SHARED_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHARED_VERSION = 2,
    SHARED_SLOTS = 16384,
    SHARED_PROCESSES = 1024,
    SHARED_NAME_SIZE = 264, /* MAX_PATH bytes of UTF-8, and the end */
    SHARED_WORDS = SHARED_PROCESSES / 64,
    SHARED_NOBODY = -1,
};

/* Bytes behind the end that are locked: by who looks whether the file is good; and two for each process. */
enum {
    SHARED_OPENING = 1 << 30,
    SHARED_LIFE = SHARED_OPENING + 1,
    SHARED_TENANT = SHARED_LIFE + SHARED_PROCESSES,
};

/* A set of processes, by their places. */
struct shared_set {
    _Atomic uint64_t words[SHARED_WORDS];
};

/*
 * Who a process is: its place plus 1 (bits 0 to 10) and how often that place has been taken (bits 11 to 30).
 * Never 0; a word of a lock is this, or 0, and SHARED_SLEEPERS.
 */
#define SHARED_SLEEPERS 0x80000000u

/* A slot's state: bits 0 to 31 the count, or who owns the mutex (0: nobody); and: */
#define SHARED_ABANDONED (UINT64_C(1) << 32)

struct shared_slot {
    _Atomic uint32_t lock;
    _Atomic uint32_t kind;   /* enum object_kind, SHARED_MANUAL */
    _Atomic uint64_t serial; /* of the object that is here, never used again; 0: none */
    _Atomic uint64_t state;
    _Atomic int32_t max;     /* of a semaphore */
    struct shared_set handles, users, waiting;
    char name[SHARED_NAME_SIZE];
};
#define SHARED_MANUAL 0x80000000u

struct shared_layout {
    char magic[8];
    uint32_t version;
    uint32_t size;
    _Atomic uint32_t lock;
    _Atomic uint32_t used;   /* slots that have been in use ever: the lowest are taken first */
    _Atomic uint32_t free;   /* no slot below this one is free; may be wrong */
    _Atomic uint64_t last_serial;
    _Atomic uint32_t hashes[SHARED_SLOTS]; /* of names; 0: no name */
    struct {
        _Atomic uint32_t taken; /* how often */
        _Atomic uint32_t rung;  /* who sends it a message, or has; 0: it has been heard (shared_bell.c) */
        _Atomic uint64_t pending[SHARED_SLOTS / 64]; /* the slots to look at then, one bit each */
    } processes[SHARED_PROCESSES];
    struct shared_slot slots[SHARED_SLOTS];
};

/* This process' view; everything but `layout` is constant between its opening and a fork. */
struct shared_file {
    struct shared_layout *layout; /* NULL: not open */
    int fd;                       /* holds the locks: the only one of this process */
    int place;
    uint32_t who;
};
extern struct shared_file shared_file;

/*
 * Opens it if need be. STATUS_NOT_SUPPORTED: names are this process' own, for the reason that
 * shared_file_info says; other failures come from want of resources, and the next call tries again.
 */
uint32_t shared_file_open(void);
/* One line, valid for ever; does not open it. */
const char *shared_file_info(void);

/* ---- processes ---- */

/* Gives a part of the file its room on the disk, so that no store into it can fail. 0 or -errno. */
int shared_file_room(int fd, size_t offset, size_t size);

/* Takes a place for this process, by the file's descriptor: the mapping is there. 0 or -errno; -EUSERS. */
int shared_file_enter(void);

static inline int shared_place_of(uint32_t who)
{
    int place = (int)(who & 0x7FF) - 1;

    return place < SHARED_PROCESSES ? place : SHARED_NOBODY;
}

/* Who has the place now. */
static inline uint32_t shared_who(int place)
{
    uint32_t taken = atomic_load(&shared_file.layout->processes[place].taken);

    return (taken & 0xFFFFF) << 11 | (uint32_t)(place + 1);
}

/* Has it ended (or is no process)? This one has not. */
bool shared_is_dead(uint32_t who);
/* Its process id as this process sees it; 0: it has ended, or its number means nothing here. */
int32_t shared_pid(uint32_t who);

/* Takes what a process that has ended has left in the slots; true: there was something. The file's lock is
 * held. */
bool shared_reap_locked(int place);
/* The same for whoever may come to know of an end; nothing if somebody is in that place. */
bool shared_reap(int place);

/* How many slots there are to look at: the others have never been in use. */
static inline int shared_used(void)
{
    uint32_t used = atomic_load(&shared_file.layout->used);

    return used < SHARED_SLOTS ? (int)used : SHARED_SLOTS;
}

/* ---- sets ---- */

static inline void shared_set_add(struct shared_set *s, int place)
{
    atomic_fetch_or(&s->words[place / 64], UINT64_C(1) << place % 64);
}

static inline void shared_set_remove(struct shared_set *s, int place)
{
    atomic_fetch_and(&s->words[place / 64], ~(UINT64_C(1) << place % 64));
}

static inline bool shared_set_has(const struct shared_set *s, int place)
{
    return atomic_load(&s->words[place / 64]) >> place % 64 & 1;
}

bool shared_set_empty(const struct shared_set *s);
/* The first member at `place` or behind it; SHARED_NOBODY: none. */
int shared_set_next(const struct shared_set *s, int place);

/* ---- locks ---- */

/* True: its last holder died with it, and what it guards may be unannounced. */
bool shared_lock(_Atomic uint32_t *lock);
void shared_unlock(_Atomic uint32_t *lock);

/* ---- slots; the file's lock is held ---- */

/* The slot of that name, which a living process has a handle to; SHARED_NOBODY: none. */
int shared_slot_find_locked(const char *name);
/* A slot with that name, in use by this process, which has a handle; SHARED_NOBODY: all are taken. */
int shared_slot_new_locked(const char *name, uint32_t kind, int32_t max, uint64_t state);
/* This process has no handle to it any more; the name goes with the last one. */
void shared_slot_unname_locked(int index, uint64_t serial);
/* This process does not use it any more. */
void shared_slot_leave_locked(int index, uint64_t serial);

#endif
