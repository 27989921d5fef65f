/* SPDX-License-Identifier: MIT */
/*
 * profileapi.h: the fine clock, which never goes back and knows nothing of the date.
 * Page: "profileapi.h header", learn.microsoft.com/windows/win32/api/profileapi/.
 */
#ifndef _PROFILEAPI_H_
#define _PROFILEAPI_H_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/* Units of 1/frequency seconds; the frequency is 10 000 000 (Windows 10 has the same). Always TRUE. */
WINBASEAPI BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *count) IOCP_SYM(QueryPerformanceCounter);
WINBASEAPI BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *frequency)
    IOCP_SYM(QueryPerformanceFrequency);

IOCP_EXTERN_C_END

#endif
