/* SPDX-License-Identifier: MIT */
/* futex(2): see futex.h. */
#include "base/futex.h"

#include "base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static int wait_as(int op, _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec ts;
    struct timespec *limit = NULL;

    if (deadline_ns != DEADLINE_NEVER) {
        ts.tv_sec = (time_t)(deadline_ns / NS_PER_SEC);
        ts.tv_nsec = (long)(deadline_ns % NS_PER_SEC);
        limit = &ts;
    }
    /* WAIT_BITSET takes an absolute monotonic time, so EINTR needs no recomputation. */
    if (syscall(SYS_futex, word, op, expected, limit, NULL, FUTEX_BITSET_MATCH_ANY) == -1 &&
        errno == ETIMEDOUT)
        return -ETIMEDOUT;
    return 0;
}

int futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    return wait_as(FUTEX_WAIT_BITSET_PRIVATE, word, expected, deadline_ns);
}

void futex_wake(_Atomic uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

int futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    return wait_as(FUTEX_WAIT_BITSET, word, expected, deadline_ns);
}

void futex_wake_shared(_Atomic uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}
