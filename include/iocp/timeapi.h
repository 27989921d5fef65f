/* SPDX-License-Identifier: MIT */
/*
 * timeapi.h: the multimedia clock. Timers are precise here all the time, so asking for a period checks
 * its range and changes nothing.
 * Page: "timeapi.h header", learn.microsoft.com/windows/win32/api/timeapi/.
 */
#ifndef _TIMEAPI_H_
#define _TIMEAPI_H_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#ifndef MMNOERROR_DEFINED
#define MMNOERROR_DEFINED
typedef UINT MMRESULT;
#endif

#ifndef TIMERR_NOERROR
#define TIMERR_NOERROR 0
#define TIMERR_NOCANDO 97
#define TIMERR_STRUCT  129
#endif

typedef struct timecaps_tag {
    UINT wPeriodMin; /* milliseconds */
    UINT wPeriodMax;
} TIMECAPS, *PTIMECAPS, *NPTIMECAPS, *LPTIMECAPS;

/* Milliseconds, as GetTickCount. */
WINMMAPI DWORD WINAPI timeGetTime(void) IOCP_SYM(timeGetTime);

/* TIMERR_NOERROR, or TIMERR_NOCANDO: a period (milliseconds) outside of what timeGetDevCaps says, or a
 * structure too small for it. */
WINMMAPI MMRESULT WINAPI timeBeginPeriod(UINT period) IOCP_SYM(timeBeginPeriod);
WINMMAPI MMRESULT WINAPI timeEndPeriod(UINT period) IOCP_SYM(timeEndPeriod);
WINMMAPI MMRESULT WINAPI timeGetDevCaps(LPTIMECAPS caps, UINT size) IOCP_SYM(timeGetDevCaps);

IOCP_EXTERN_C_END

#endif
