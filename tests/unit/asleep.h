/* SPDX-License-Identifier: MIT */
/* For who is to act when another thread sleeps in the call that is tested. After unit.h. */
#ifndef ASLEEP_H
#define ASLEEP_H

#include "base/os.h"

#include <unistd.h>

/* Some seconds at most: who does not sleep by then finds done what it would have slept for, rightly. */
static inline void until_asleep(uint32_t tid)
{
    int seen = 0;

    WITHIN(5000, (seen = os_thread_sleeps(tid) ? seen + 1 : 0) == 3);
}

static inline void until_main_sleeps(void)
{
    until_asleep((uint32_t)getpid());
}

#endif
