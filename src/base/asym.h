/* SPDX-License-Identifier: MIT */
/*
 * An asymmetric fence: two threads each store one thing and then load what the other stores, and at
 * least one must see the other's store. One side does it all the time and should pay nothing, the
 * other side rarely and may pay a microsecond. asym_light() on the frequent side is no instruction
 * at all; asym_heavy() on the rare side makes every running thread of the process execute a full
 * fence (membarrier(2)). Where the kernel refuses that, both are ordinary full fences.
 */
#ifndef IOCP_BASE_ASYM_H
#define IOCP_BASE_ASYM_H

#include "base/sanitizer.h"

#include <stdatomic.h>
#include <stdbool.h>

#if THREAD_SANITIZER
/* The thread sanitizer knows no fences; that all who fence change one word in some order, it understands. */
extern _Atomic unsigned asym_word;

static inline void asym_fence(void)
{
    atomic_fetch_add(&asym_word, 1);
}
#else
static inline void asym_fence(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}
#endif

extern bool asym_by_kernel; /* set before main, constant afterwards */

static inline void asym_light(void)
{
    if (__builtin_expect(asym_by_kernel, 1))
        atomic_signal_fence(memory_order_seq_cst);
    else
        asym_fence();
}

void asym_heavy(void);

#endif
