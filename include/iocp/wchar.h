/* SPDX-License-Identifier: MIT */
/*
 * The C library's <wchar.h>. In C, under -fshort-wchar or for a program that says it is one for Windows
 * (_WIN32), with the wide functions on 16-bit units; C++ gets those from windows.h or tchar.h, because its
 * own headers read this one half-way.
 */
#pragma GCC system_header
#include_next <wchar.h>
#if !defined(__cplusplus) && !defined(IOCP_BUILDING) && (defined(_WIN32) || __WCHAR_MAX__ <= 0xFFFF)
#include <iocpcrt_wide.h>
#endif
