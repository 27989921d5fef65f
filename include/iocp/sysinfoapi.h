/* SPDX-License-Identifier: MIT */
/*
 * sysinfoapi.h: the machine, its memory, the version, and the date and time.
 * Page: "sysinfoapi.h header", learn.microsoft.com/windows/win32/api/sysinfoapi/.
 */
#ifndef _SYSINFOAPI_H_
#define _SYSINFOAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

typedef struct _SYSTEM_INFO {
    IOCP_NAMELESS union {
        DWORD dwOemId;
        IOCP_NAMELESS struct {
            WORD wProcessorArchitecture;
            WORD wReserved;
        } DUMMYSTRUCTNAME;
    } DUMMYUNIONNAME;
    DWORD dwPageSize;
    LPVOID lpMinimumApplicationAddress;
    LPVOID lpMaximumApplicationAddress;
    DWORD_PTR dwActiveProcessorMask; /* of the first 64 */
    DWORD dwNumberOfProcessors;      /* that this process may use */
    DWORD dwProcessorType;
    DWORD dwAllocationGranularity;
    WORD wProcessorLevel;
    WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

/* Bytes; set dwLength before the call. */
typedef struct _MEMORYSTATUSEX {
    DWORD dwLength;
    DWORD dwMemoryLoad; /* percent in use */
    DWORDLONG ullTotalPhys;
    DWORDLONG ullAvailPhys;
    DWORDLONG ullTotalPageFile;
    DWORDLONG ullAvailPageFile;
    DWORDLONG ullTotalVirtual;
    DWORDLONG ullAvailVirtual;
    DWORDLONG ullAvailExtendedVirtual;
} MEMORYSTATUSEX, *LPMEMORYSTATUSEX;

IOCP_ASSERT_SIZE(SYSTEM_INFO, 48);
IOCP_ASSERT_SIZE(MEMORYSTATUSEX, 64);

WINBASEAPI VOID WINAPI GetSystemInfo(LPSYSTEM_INFO info) IOCP_SYM(GetSystemInfo);
WINBASEAPI VOID WINAPI GetNativeSystemInfo(LPSYSTEM_INFO info) IOCP_SYM(GetNativeSystemInfo);

/* One entry for each core, NUMA node, cache and package, of the first 64 processors. *length in bytes: in,
 * room; out, used or on ERROR_INSUFFICIENT_BUFFER needed. */
WINBASEAPI BOOL WINAPI GetLogicalProcessorInformation(PSYSTEM_LOGICAL_PROCESSOR_INFORMATION buffer,
                                                      PDWORD length)
    IOCP_SYM(GetLogicalProcessorInformation);

/* ERROR_INVALID_PARAMETER: dwLength. */
WINBASEAPI BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX status) IOCP_SYM(GlobalMemoryStatusEx);

/* What Linux can use, in kilobytes. */
WINBASEAPI BOOL WINAPI GetPhysicallyInstalledSystemMemory(PULONGLONG kilobytes)
    IOCP_SYM(GetPhysicallyInstalledSystemMemory);

/* ---------- the computer's name ---------- */

#ifndef MAX_COMPUTERNAME_LENGTH
#define MAX_COMPUTERNAME_LENGTH 15
#endif

typedef enum _COMPUTER_NAME_FORMAT {
    ComputerNameNetBIOS, /* the first 15 letters, in capitals */
    ComputerNameDnsHostname,
    ComputerNameDnsDomain,
    ComputerNameDnsFullyQualified,
    ComputerNamePhysicalNetBIOS,
    ComputerNamePhysicalDnsHostname,
    ComputerNamePhysicalDnsDomain,
    ComputerNamePhysicalDnsFullyQualified,
    ComputerNameMax
} COMPUTER_NAME_FORMAT;

/* *size: in, characters of the buffer; out, the length without the zero, or on ERROR_MORE_DATA what is needed
 * with it. */
WINBASEAPI BOOL WINAPI GetComputerNameExA(COMPUTER_NAME_FORMAT form, LPSTR buffer, LPDWORD size)
    IOCP_SYM(GetComputerNameExA);
WINBASEAPI BOOL WINAPI GetComputerNameExW(COMPUTER_NAME_FORMAT form, LPWSTR buffer, LPDWORD size)
    IOCP_SYM(GetComputerNameExW);

/* ---------- directories ---------- */

/*
 * Names for the places where Windows has its own files, in Windows' form: there is nothing in them here, but
 * LoadLibrary knows ws2_32.dll and its like below any directory. Answer as GetTempPath.
 */
WINBASEAPI UINT WINAPI GetSystemDirectoryA(LPSTR buffer, UINT size) IOCP_SYM(GetSystemDirectoryA);
WINBASEAPI UINT WINAPI GetSystemDirectoryW(LPWSTR buffer, UINT size) IOCP_SYM(GetSystemDirectoryW);
WINBASEAPI UINT WINAPI GetWindowsDirectoryA(LPSTR buffer, UINT size) IOCP_SYM(GetWindowsDirectoryA);
WINBASEAPI UINT WINAPI GetWindowsDirectoryW(LPWSTR buffer, UINT size) IOCP_SYM(GetWindowsDirectoryW);

/* ---------- version ---------- */

/* 6.2, which is what Windows says to programs without a manifest. Takes an OSVERSIONINFO or an
 * OSVERSIONINFOEX; ERROR_INSUFFICIENT_BUFFER: dwOSVersionInfoSize is of neither. */
WINBASEAPI BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA info) IOCP_SYM(GetVersionExA);
WINBASEAPI BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW info) IOCP_SYM(GetVersionExW);

WINBASEAPI DWORD WINAPI GetVersion(VOID) IOCP_SYM(GetVersion);

/* Adds to the mask for VerifyVersionInfo (winbase.h) how the fields of VER_* are compared: VER_EQUAL,
 * VER_GREATER ... */
NTSYSAPI ULONGLONG NTAPI VerSetConditionMask(ULONGLONG mask, DWORD fields, BYTE condition)
    IOCP_SYM(VerSetConditionMask);

/* ---------- time ---------- */

/* Milliseconds of the steady clock, which counts from the start of the machine; 32 bits wrap in 49.7 days. */
WINBASEAPI DWORD WINAPI GetTickCount(VOID) IOCP_SYM(GetTickCount);
WINBASEAPI ULONGLONG WINAPI GetTickCount64(VOID) IOCP_SYM(GetTickCount64);

/* Now, in UTC or by the local clock. */
WINBASEAPI VOID WINAPI GetSystemTime(LPSYSTEMTIME time) IOCP_SYM(GetSystemTime);
WINBASEAPI VOID WINAPI GetLocalTime(LPSYSTEMTIME time) IOCP_SYM(GetLocalTime);
WINBASEAPI VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME time) IOCP_SYM(GetSystemTimeAsFileTime);
WINBASEAPI VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME time)
    IOCP_SYM(GetSystemTimePreciseAsFileTime);

#ifdef UNICODE
#define GetComputerNameEx GetComputerNameExW
#define GetSystemDirectory GetSystemDirectoryW
#define GetWindowsDirectory GetWindowsDirectoryW
#define GetVersionEx      GetVersionExW
#else
#define GetComputerNameEx GetComputerNameExA
#define GetSystemDirectory GetSystemDirectoryA
#define GetWindowsDirectory GetWindowsDirectoryA
#define GetVersionEx      GetVersionExA
#endif

IOCP_EXTERN_C_END

#endif
