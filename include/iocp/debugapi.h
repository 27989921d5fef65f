/* SPDX-License-Identifier: MIT */
/*
 * debugapi.h: what a program tells a debugger.
 * Pages: learn.microsoft.com/windows/win32/api/debugapi/.
 */
#ifndef _APISETDEBUG_
#define _APISETDEBUG_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

WINBASEAPI BOOL WINAPI IsDebuggerPresent(void) IOCP_SYM(IsDebuggerPresent);

/* Raises SIGTRAP, of which the process dies without a debugger. */
WINBASEAPI void WINAPI DebugBreak(void) IOCP_SYM(DebugBreak);

/* Writes to standard error, but only under a debugger or if IOCP_DEBUG_OUTPUT is in the environment. */
WINBASEAPI void WINAPI OutputDebugStringA(LPCSTR text) IOCP_SYM(OutputDebugStringA);
WINBASEAPI void WINAPI OutputDebugStringW(LPCWSTR text) IOCP_SYM(OutputDebugStringW);

#ifdef UNICODE
#define OutputDebugString OutputDebugStringW
#else
#define OutputDebugString OutputDebugStringA
#endif

IOCP_EXTERN_C_END

#endif
