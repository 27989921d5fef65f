/* SPDX-License-Identifier: MIT */
/* absent.h: what nng's tests name and this library has not: a fault is a signal here, no filter ever sees it. */
#ifndef NNG_ABSENT_H
#define NNG_ABSENT_H

#include <winsock2.h>
#include <windows.h>

typedef LONG(WINAPI *LPTOP_LEVEL_EXCEPTION_FILTER)(EXCEPTION_POINTERS *what);
#define SetUnhandledExceptionFilter(filter) ((void)(filter), (LPTOP_LEVEL_EXCEPTION_FILTER)0)

#endif
