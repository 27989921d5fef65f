/* SPDX-License-Identifier: MIT */
/*
 * errhandlingapi.h: the last error, one per thread, and the error mode.
 * Pages: learn.microsoft.com/windows/win32/api/errhandlingapi/.
 */
#ifndef _ERRHANDLING_H_
#define _ERRHANDLING_H_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/* A code of winerror.h. Functions that fail set it; those that succeed leave it alone, except where
 * their page says otherwise. WSAGetLastError reads the same value; errno has nothing to do with it. */
WINBASEAPI DWORD WINAPI GetLastError(void) IOCP_SYM(GetLastError);
WINBASEAPI void WINAPI SetLastError(DWORD code) IOCP_SYM(SetLastError);

/* SEM_* (winbase.h), one value per process; SetErrorMode returns the one before. Kept and without
 * effect: nothing here opens a dialogue box. */
WINBASEAPI UINT WINAPI SetErrorMode(UINT mode) IOCP_SYM(SetErrorMode);
WINBASEAPI UINT WINAPI GetErrorMode(void) IOCP_SYM(GetErrorMode);

IOCP_EXTERN_C_END

#endif
