/* SPDX-License-Identifier: MIT */
/*
 * fibersapi.h: values per thread with a callback that receives the value when its thread ends or the
 * slot is freed. Fibers themselves are absent, so a "fiber-local" value is the thread's.
 * Page: "fibersapi.h header", learn.microsoft.com/windows/win32/api/fibersapi/.
 */
#ifndef _FIBERS_H_
#define _FIBERS_H_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#ifndef FLS_OUT_OF_INDEXES
#define FLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#endif

/* A new slot, NULL in every thread; callback may be NULL. FLS_OUT_OF_INDEXES: ERROR_NOT_ENOUGH_MEMORY. */
WINBASEAPI DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION callback) IOCP_SYM(FlsAlloc);

/* Calls the callback for every thread's value that is not NULL. ERROR_INVALID_PARAMETER: no such slot. */
WINBASEAPI BOOL WINAPI FlsFree(DWORD index) IOCP_SYM(FlsFree);

/* The calling thread's value. Success sets the last error to ERROR_SUCCESS, which tells a stored NULL from
 * ERROR_INVALID_PARAMETER. */
WINBASEAPI PVOID WINAPI FlsGetValue(DWORD index) IOCP_SYM(FlsGetValue);
WINBASEAPI BOOL WINAPI FlsSetValue(DWORD index, PVOID value) IOCP_SYM(FlsSetValue);

/* FALSE. */
WINBASEAPI BOOL WINAPI IsThreadAFiber(void) IOCP_SYM(IsThreadAFiber);

IOCP_EXTERN_C_END

#endif
