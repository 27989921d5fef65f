/* SPDX-License-Identifier: MIT */
/*
 * handleapi.h: closing, duplicating and asking about handles of every kind. A handle with a Linux
 * descriptor behind it (file, pipe, socket) is that descriptor; the others are large numbers.
 * Pages: learn.microsoft.com/windows/win32/api/handleapi/.
 */
#ifndef _APISETHANDLE_
#define _APISETHANDLE_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/* Closes a handle. Closing the last one of a file ends its pending operations with
 * ERROR_OPERATION_ABORTED. ERROR_INVALID_HANDLE; a descriptor that was never adopted is left alone. */
WINBASEAPI BOOL WINAPI CloseHandle(HANDLE handle) IOCP_SYM(CloseHandle);

/*
 * Makes another handle to the same object. Both processes must be this one (GetCurrentProcess()).
 *   target    gets the handle; may be NULL with DUPLICATE_CLOSE_SOURCE, which then just closes
 *   access    rights of the new handle, ignored with DUPLICATE_SAME_ACCESS
 *   options   DUPLICATE_SAME_ACCESS, DUPLICATE_CLOSE_SOURCE (the source is closed even on failure)
 * ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED (more rights than the source), ERROR_INVALID_PARAMETER,
 * ERROR_TOO_MANY_OPEN_FILES.
 */
WINBASEAPI BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process,
                                       LPHANDLE target, DWORD access, BOOL inherit, DWORD options)
    IOCP_SYM(DuplicateHandle);

/* HANDLE_FLAG_INHERIT and HANDLE_FLAG_PROTECT_FROM_CLOSE (winbase.h). Inheritance means: the
 * descriptor stays open in exec. ERROR_INVALID_PARAMETER: other flags. */
WINBASEAPI BOOL WINAPI GetHandleInformation(HANDLE handle, LPDWORD flags) IOCP_SYM(GetHandleInformation);
WINBASEAPI BOOL WINAPI SetHandleInformation(HANDLE handle, DWORD mask, DWORD flags)
    IOCP_SYM(SetHandleInformation);

/* TRUE: both handles mean one object. FALSE: ERROR_NOT_SAME_OBJECT, ERROR_INVALID_HANDLE. */
WINBASEAPI BOOL WINAPI CompareObjectHandles(HANDLE first, HANDLE second) IOCP_SYM(CompareObjectHandles);

IOCP_EXTERN_C_END

#endif
