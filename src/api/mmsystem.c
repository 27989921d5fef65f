/* SPDX-License-Identifier: MIT */
/*
 * The multimedia timer's clock. Linux timers are precise all the time, so a period is checked for
 * its range and otherwise changes nothing.
 */
#include <windows.h>

#include <mmsystem.h>

#include "base/clock.h"

enum { PERIOD_MIN = 1, PERIOD_MAX = 1000000 };

DWORD WINAPI timeGetTime(void)
{
    return (DWORD)(clock_now_ns() / NS_PER_MS);
}

static MMRESULT check_period(UINT period)
{
    return period < PERIOD_MIN || period > PERIOD_MAX ? TIMERR_NOCANDO : TIMERR_NOERROR;
}

MMRESULT WINAPI timeBeginPeriod(UINT uPeriod)
{
    return check_period(uPeriod);
}

MMRESULT WINAPI timeEndPeriod(UINT uPeriod)
{
    return check_period(uPeriod);
}

MMRESULT WINAPI timeGetDevCaps(LPTIMECAPS ptc, UINT cbtc)
{
    if (!ptc || cbtc < sizeof *ptc)
        return TIMERR_NOCANDO;
    ptc->wPeriodMin = PERIOD_MIN;
    ptc->wPeriodMax = PERIOD_MAX;
    return TIMERR_NOERROR;
}
