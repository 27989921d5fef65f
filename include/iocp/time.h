/* SPDX-License-Identifier: MIT */
/*
 * The C library's <time.h>, and for a program that says it is one for Windows (_WIN32) what Microsoft's
 * has on top of it; other programs get that from windows.h.
 */
#pragma GCC system_header
#include_next <time.h>
#if defined(_WIN32) && !defined(IOCP_BUILDING)
#include <iocpcrt_time.h>
#endif
