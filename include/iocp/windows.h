/* SPDX-License-Identifier: MIT */
/*
 * windows.h: the Win32 API as far as this library has it, each part in the header where the SDK
 * has it. WIN32_LEAN_AND_MEAN leaves winsock.h and mmsystem.h out, NOMINMAX the macros min and max;
 * UNICODE chooses what a name such as CreateFile stands for. windows.h and winsock2.h may be
 * included in either order. New code for Linux that needs POSIX's sockets includes <iocp.h> instead.
 */
#ifndef _WINDOWS_
#define _WINDOWS_
#ifndef _INC_WINDOWS
#define _INC_WINDOWS
#endif

/* winsock.h comes at the end, but the names it shares with the C library must be settled before
 * any header of the C library is read (see iocp_netlibc.h). */
#if !defined(WIN32_LEAN_AND_MEAN) && !defined(_WINSOCKAPI_)
#include <iocp_netlibc.h>
#endif

#include <stdarg.h>
#include <string.h> /* ZeroMemory, CopyMemory and their kin are the C library's functions */
#include <iocpdef.h>
#ifndef IOCP_POSIX_NET /* a Linux source may ask for _WIN32_WINNT in order to know where it is */
#include <sdkddkver.h>
#endif
#include <windef.h>
#include <winerror.h>
#include <iocpcrt.h> /* what Microsoft's <string.h>, <stdio.h> ... have on top of the C library's */
#include <winbase.h>
#include <winuser.h>
#include <winnls.h>
#include <wincon.h>

#ifndef WIN32_LEAN_AND_MEAN
#include <mmsystem.h>
#include <wincrypt.h>
#ifndef _WINSOCKAPI_
#include <winsock.h>
#endif
#endif

#endif
