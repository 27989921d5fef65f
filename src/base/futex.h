/* SPDX-License-Identifier: MIT */
/*
 * Sleeping on a 32-bit word. Deadlines are absolute CLOCK_MONOTONIC nanoseconds; DEADLINE_NEVER
 * sleeps until woken. A return of 0 promises nothing: the caller looks at the word again.
 */
#ifndef IOCP_BASE_FUTEX_H
#define IOCP_BASE_FUTEX_H

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

/* 0 (woken, the word differed, or interrupted) or -ETIMEDOUT. */
int futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);

/* Wakes up to `count` sleepers. Reads nothing through the pointer: the word may be gone already. */
void futex_wake(_Atomic uint32_t *word, int count);

/* The same for a word in memory that processes share. */
int futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);
void futex_wake_shared(_Atomic uint32_t *word, int count);

#endif
