/* SPDX-License-Identifier: MIT */
/*
 * versionhelpers.h: "is this Windows 7 or later". The version is that of GetVersionEx, 6.2 (Windows 8), which
 * is also what programs without a manifest are told on any later Windows.
 * Page: "Version Helper functions", learn.microsoft.com/windows/win32/sysinfo/.
 */
#ifndef _versionhelpers_H_INCLUDED_
#define _versionhelpers_H_INCLUDED_

#include <windows.h>

#define IOCP_VERSION_INLINE static __inline__ __attribute__((__unused__))

IOCP_VERSION_INLINE BOOL IsWindowsVersionOrGreater(WORD major, WORD minor, WORD service_pack)
{
    const DWORD fields = VER_MAJORVERSION | VER_MINORVERSION | VER_SERVICEPACKMAJOR;
    OSVERSIONINFOEXW wanted;

    memset(&wanted, 0, sizeof(wanted));
    wanted.dwOSVersionInfoSize = sizeof(wanted);
    wanted.dwMajorVersion = major;
    wanted.dwMinorVersion = minor;
    wanted.wServicePackMajor = service_pack;
    return VerifyVersionInfoW(&wanted, fields, VerSetConditionMask(0, fields, VER_GREATER_EQUAL));
}

IOCP_VERSION_INLINE BOOL IsWindowsXPOrGreater(void) { return IsWindowsVersionOrGreater(5, 1, 0); }
IOCP_VERSION_INLINE BOOL IsWindowsXPSP1OrGreater(void) { return IsWindowsVersionOrGreater(5, 1, 1); }
IOCP_VERSION_INLINE BOOL IsWindowsXPSP2OrGreater(void) { return IsWindowsVersionOrGreater(5, 1, 2); }
IOCP_VERSION_INLINE BOOL IsWindowsXPSP3OrGreater(void) { return IsWindowsVersionOrGreater(5, 1, 3); }
IOCP_VERSION_INLINE BOOL IsWindowsVistaOrGreater(void) { return IsWindowsVersionOrGreater(6, 0, 0); }
IOCP_VERSION_INLINE BOOL IsWindowsVistaSP1OrGreater(void) { return IsWindowsVersionOrGreater(6, 0, 1); }
IOCP_VERSION_INLINE BOOL IsWindowsVistaSP2OrGreater(void) { return IsWindowsVersionOrGreater(6, 0, 2); }
IOCP_VERSION_INLINE BOOL IsWindows7OrGreater(void) { return IsWindowsVersionOrGreater(6, 1, 0); }
IOCP_VERSION_INLINE BOOL IsWindows7SP1OrGreater(void) { return IsWindowsVersionOrGreater(6, 1, 1); }
IOCP_VERSION_INLINE BOOL IsWindows8OrGreater(void) { return IsWindowsVersionOrGreater(6, 2, 0); }
IOCP_VERSION_INLINE BOOL IsWindows8Point1OrGreater(void) { return IsWindowsVersionOrGreater(6, 3, 0); }
IOCP_VERSION_INLINE BOOL IsWindows10OrGreater(void) { return IsWindowsVersionOrGreater(10, 0, 0); }

IOCP_VERSION_INLINE BOOL IsWindowsServer(void)
{
    OSVERSIONINFOEXW wanted;

    memset(&wanted, 0, sizeof(wanted));
    wanted.dwOSVersionInfoSize = sizeof(wanted);
    wanted.wProductType = VER_NT_WORKSTATION;
    return !VerifyVersionInfoW(&wanted, VER_PRODUCT_TYPE,
                               VerSetConditionMask(0, VER_PRODUCT_TYPE, VER_EQUAL));
}

#endif
