/* SPDX-License-Identifier: MIT */
/* absent.h: what nng's tests name and this library has not: a fault is a signal here, no filter ever sees
 * it, and
 * there is no console to be coloured. */
#ifndef NNG_ABSENT_H
#define NNG_ABSENT_H

#include <winsock2.h>
#include <windows.h>

typedef LONG(WINAPI *LPTOP_LEVEL_EXCEPTION_FILTER)(EXCEPTION_POINTERS *what);
#define SetUnhandledExceptionFilter(filter) ((void)(filter), (LPTOP_LEVEL_EXCEPTION_FILTER)0)

static __inline__ BOOL GetConsoleScreenBufferInfo(HANDLE console, CONSOLE_SCREEN_BUFFER_INFO *info)
{
    (void)console, (void)info;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}

static __inline__ BOOL SetConsoleTextAttribute(HANDLE console, WORD attributes)
{
    (void)console, (void)attributes;
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}

#endif
