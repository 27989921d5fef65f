/* SPDX-License-Identifier: MIT */
/*
 * realtimeapiset.h: the time since the machine started in units of 100 ns, with and without the time it
 * slept. "Precise" is the same here.
 * Page: "realtimeapiset.h header", learn.microsoft.com/windows/win32/api/realtimeapiset/.
 */
#ifndef _APISETREALTIME_
#define _APISETREALTIME_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

WINBASEAPI BOOL WINAPI QueryUnbiasedInterruptTime(PULONGLONG time) IOCP_SYM(QueryUnbiasedInterruptTime);
WINBASEAPI VOID WINAPI QueryUnbiasedInterruptTimePrecise(PULONGLONG time)
    IOCP_SYM(QueryUnbiasedInterruptTimePrecise);
WINBASEAPI VOID WINAPI QueryInterruptTime(PULONGLONG time) IOCP_SYM(QueryInterruptTime);
WINBASEAPI VOID WINAPI QueryInterruptTimePrecise(PULONGLONG time) IOCP_SYM(QueryInterruptTimePrecise);

IOCP_EXTERN_C_END

#endif
