/* SPDX-License-Identifier: MIT */
/*
 * Time. Deadlines everywhere are absolute CLOCK_MONOTONIC nanoseconds, computed once from the
 * caller's milliseconds; Windows' 100 ns units since 1601 exist only at this door.
 */
#ifndef IOCP_BASE_CLOCK_H
#define IOCP_BASE_CLOCK_H

#include "base/futex.h" /* DEADLINE_NEVER */

#include <stdint.h>
#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)
/* 1 January 1601 to 1 January 1970, in 100 ns units. */
#define FILETIME_UNIX_EPOCH INT64_C(116444736000000000)

static inline uint64_t clock_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Wall clock in 100 ns units since 1601 (a FILETIME's value). */
static inline int64_t clock_filetime(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return FILETIME_UNIX_EPOCH + (int64_t)ts.tv_sec * 10000000 + ts.tv_nsec / 100;
}

/* Deadline for a wait of `ms` milliseconds; 0xFFFFFFFF (INFINITE) never comes, 0 has passed. */
static inline uint64_t deadline_from_ms(uint32_t ms)
{
    if (ms == UINT32_MAX)
        return DEADLINE_NEVER;
    if (ms == 0)
        return 0;
    return clock_now_ns() + (uint64_t)ms * NS_PER_MS;
}

/* Deadline for a due time in 100 ns units: negative is relative, positive absolute since 1601. */
static inline uint64_t deadline_from_due(int64_t due)
{
    int64_t rel = due == INT64_MIN ? INT64_MAX : due < 0 ? -due : due - clock_filetime();

    if (rel <= 0)
        return clock_now_ns();
    if ((uint64_t)rel > UINT64_MAX / 400)
        return DEADLINE_NEVER - 1;
    return clock_now_ns() + (uint64_t)rel * 100;
}

#endif
