/* SPDX-License-Identifier: MIT */
/*
 * The performance counter: CLOCK_MONOTONIC in units of 100 ns, which is the frequency that current
 * Windows versions report; programs multiply by it and must not overflow sooner here than there.
 */
#include <windows.h>

#include "base/clock.h"

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount)
{
    lpPerformanceCount->QuadPart = (LONGLONG)(clock_now_ns() / 100);
    return TRUE;
}

BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency)
{
    lpFrequency->QuadPart = 10000000;
    return TRUE;
}
