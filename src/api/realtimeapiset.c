/* SPDX-License-Identifier: MIT */
/* realtimeapiset.h: CLOCK_MONOTONIC stands still while the machine sleeps, CLOCK_BOOTTIME does not. */
#include <windows.h>

#include "api/api.h"

#include <time.h>

static ULONGLONG hundreds_of_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (ULONGLONG)now.tv_sec * 10000000 + (ULONGLONG)now.tv_nsec / 100;
}

BOOL WINAPI QueryUnbiasedInterruptTime(PULONGLONG UnbiasedTime)
{
    if (!UnbiasedTime) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *UnbiasedTime = hundreds_of_ns(CLOCK_MONOTONIC);
    return TRUE;
}

void WINAPI QueryUnbiasedInterruptTimePrecise(PULONGLONG lpUnbiasedInterruptTimePrecise)
{
    *lpUnbiasedInterruptTimePrecise = hundreds_of_ns(CLOCK_MONOTONIC);
}

void WINAPI QueryInterruptTime(PULONGLONG lpInterruptTime)
{
    *lpInterruptTime = hundreds_of_ns(CLOCK_BOOTTIME);
}

void WINAPI QueryInterruptTimePrecise(PULONGLONG lpInterruptTimePrecise)
{
    *lpInterruptTimePrecise = hundreds_of_ns(CLOCK_BOOTTIME);
}
