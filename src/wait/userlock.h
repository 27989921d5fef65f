/* SPDX-License-Identifier: MIT */
/*
 * Locks that live in the program's own memory: critical sections, slim reader/writer locks,
 * condition variables, one-time initialisation, barriers, waiting on an address. All-zero memory
 * is the free state of each. A thread that sleeps here frees its place at a port.
 */
#ifndef IOCP_WAIT_USERLOCK_H
#define IOCP_WAIT_USERLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Over a CRITICAL_SECTION: the same fields at the same places. */
struct user_section {
    void *debug;
    _Atomic uint32_t word;   /* LockCount: 0 free, 1 held, 2 held and somebody may sleep */
    int32_t recursion;       /* of the owner */
    _Atomic uintptr_t owner; /* thread id, 0 when free */
    uintptr_t semaphore;     /* unused */
    uintptr_t spin;
};

void section_init(struct user_section *s, uint32_t spin);
void section_enter(struct user_section *s);
bool section_try(struct user_section *s);
void section_leave(struct user_section *s);

/* Over an SRWLOCK: the low half of the pointer; the bits are explained in userlock.c. */
void srw_lock(_Atomic uint32_t *word);
void srw_lock_shared(_Atomic uint32_t *word);
bool srw_try(_Atomic uint32_t *word);
bool srw_try_shared(_Atomic uint32_t *word);
void srw_unlock(_Atomic uint32_t *word);
void srw_unlock_shared(_Atomic uint32_t *word);

/* Over a CONDITION_VARIABLE. */
struct user_condition {
    _Atomic uint32_t sequence; /* moves with every wake */
    _Atomic uint32_t sleepers;
};

/* unlock, sleep, lock; false: the deadline passed. */
bool condition_sleep(struct user_condition *c, uint64_t deadline_ns, void (*unlock)(void *lock),
                     void (*relock)(void *lock), void *lock);
void condition_wake(struct user_condition *c, bool all);

/* Over an INIT_ONCE. */
enum once_result { ONCE_DONE, ONCE_YOURS, ONCE_BUSY, ONCE_MISUSED };
enum once_result once_begin(_Atomic uintptr_t *once, bool async, void **context);
enum once_result once_check(_Atomic uintptr_t *once, void **context);
/* false: nothing of that kind is in progress. */
bool once_complete(_Atomic uintptr_t *once, bool async, void *context);
bool once_fail(_Atomic uintptr_t *once);

/* Over a SYNCHRONIZATION_BARRIER (32 bytes). */
struct user_barrier {
    uint32_t total;
    _Atomic uint32_t arrived;
    _Atomic uint32_t round;
    _Atomic uint32_t inside; /* threads that have not left yet */
};
void barrier_init(struct user_barrier *b, uint32_t total);
bool barrier_enter(struct user_barrier *b); /* true for one of them: the last to come */
void barrier_delete(struct user_barrier *b); /* waits until all have left */

/* size is 1, 2, 4 or 8 and the address aligned to it. false: the deadline passed. */
bool address_wait(const volatile void *address, const void *compare, size_t size,
                  uint64_t deadline_ns);
void address_wake(const void *address, bool all);

#endif
