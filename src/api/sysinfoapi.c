/* SPDX-License-Identifier: MIT */
/*
 * Facts about the machine and the time since it started. The version reported is 6.2, which is
 * what any current Windows tells a program that carries no manifest.
 */
#define WIN32_LEAN_AND_MEAN /* gethostname stays the C library's */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/clock.h"
#include "base/own_fd.h"
#include "base/text.h"

#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ULONGLONG WINAPI GetTickCount64(void)
{
    return clock_now_ns() / NS_PER_MS;
}

DWORD WINAPI GetTickCount(void)
{
    return (DWORD)GetTickCount64();
}

/* The processors this process may run on, as a mask of the first 64. */
static DWORD_PTR processor_mask(DWORD *count)
{
    cpu_set_t set;
    DWORD_PTR mask = 0;

    if (sched_getaffinity(0, sizeof set, &set)) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);

        *count = online > 0 ? (DWORD)online : 1;
        return *count >= 64 ? ~(DWORD_PTR)0 : ((DWORD_PTR)1 << *count) - 1;
    }
    *count = (DWORD)CPU_COUNT(&set);
    for (int i = 0; i < 64; i++)
        if (CPU_ISSET(i, &set))
            mask |= (DWORD_PTR)1 << i;
    return mask;
}

void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
    memset(lpSystemInfo, 0, sizeof *lpSystemInfo);
#if defined(__aarch64__)
    lpSystemInfo->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_ARM64;
#else
    lpSystemInfo->wProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
    lpSystemInfo->dwProcessorType = 8664;
#endif
    lpSystemInfo->dwPageSize = (DWORD)sysconf(_SC_PAGESIZE);
    lpSystemInfo->lpMinimumApplicationAddress = (LPVOID)0x10000;
    lpSystemInfo->lpMaximumApplicationAddress = (LPVOID)0x7FFFFFFEFFFF;
    lpSystemInfo->dwActiveProcessorMask = processor_mask(&lpSystemInfo->dwNumberOfProcessors);
    lpSystemInfo->dwAllocationGranularity = 0x10000;
}

void WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
    GetSystemInfo(lpSystemInfo);
}

/* The plain structure and the EX one share their head, in both spellings; only EX ones end with the kind. */
static BOOL get_version(DWORD *head, size_t plain, size_t ex, size_t kind)
{
    DWORD size = head[0];

    if (size != plain && size != ex) {
        last_error_set(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memset(head, 0, size);
    memcpy(head, (const DWORD[]){size, 6, 2, 9200, VER_PLATFORM_WIN32_NT}, 5 * sizeof *head);
    if (size == ex)
        ((BYTE *)head)[kind] = VER_NT_WORKSTATION;
    return TRUE;
}

BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA lpVersionInformation)
{
    return get_version((DWORD *)lpVersionInformation, sizeof(OSVERSIONINFOA), sizeof(OSVERSIONINFOEXA),
                       offsetof(OSVERSIONINFOEXA, wProductType));
}

BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW lpVersionInformation)
{
    return get_version((DWORD *)lpVersionInformation, sizeof(OSVERSIONINFOW), sizeof(OSVERSIONINFOEXW),
                       offsetof(OSVERSIONINFOEXW, wProductType));
}

DWORD WINAPI GetVersion(void)
{
    return 9200u << 16 | 2 << 8 | 6;
}

static DWORDLONG meminfo_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    unsigned long long kilobytes = 0;

    if (line)
        sscanf(line + strlen(name), ": %llu", &kilobytes);
    return kilobytes * 1024;
}

static void read_meminfo(char *text, size_t size)
{
    FILE *file = fd_open_text("/proc/meminfo");
    size_t length = 0;

    if (file) {
        length = fread(text, 1, size - 1, file);
        fclose(file);
    }
    text[length] = 0;
}

BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX lpBuffer)
{
    char text[4096];

    if (lpBuffer->dwLength != sizeof *lpBuffer) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    read_meminfo(text, sizeof text);
    memset(lpBuffer, 0, sizeof *lpBuffer);
    lpBuffer->dwLength = sizeof *lpBuffer;
    lpBuffer->ullTotalPhys = meminfo_bytes(text, "MemTotal");
    lpBuffer->ullAvailPhys = meminfo_bytes(text, "MemAvailable");
    lpBuffer->ullTotalPageFile = lpBuffer->ullTotalPhys + meminfo_bytes(text, "SwapTotal");
    lpBuffer->ullAvailPageFile = lpBuffer->ullAvailPhys + meminfo_bytes(text, "SwapFree");
    lpBuffer->ullTotalVirtual = (DWORDLONG)1 << 47;
    lpBuffer->ullAvailVirtual = lpBuffer->ullTotalVirtual;
    if (!lpBuffer->ullTotalPhys) {
        last_error_set(ERROR_GEN_FAILURE);
        return FALSE;
    }
    lpBuffer->dwMemoryLoad = (DWORD)(100 - 100 * lpBuffer->ullAvailPhys / lpBuffer->ullTotalPhys);
    return TRUE;
}

BOOL WINAPI GetPhysicallyInstalledSystemMemory(PULONGLONG TotalMemoryInKilobytes)
{
    char text[4096];

    if (!TotalMemoryInKilobytes) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    read_meminfo(text, sizeof text);
    *TotalMemoryInKilobytes = meminfo_bytes(text, "MemTotal") / 1024;
    return TRUE;
}

/* ---- the computer's name ---- */

/* "name.domain" for the fully qualified forms, its first part for the host's, the rest for the domain's. */
static bool computer_name(COMPUTER_NAME_FORMAT form, char *text, size_t size)
{
    char *dot;

    if (gethostname(text, size) != 0)
        return false;
    text[size - 1] = 0;
    dot = strchr(text, '.');
    switch (form) {
    case ComputerNameNetBIOS:
    case ComputerNamePhysicalNetBIOS:
        text[MAX_COMPUTERNAME_LENGTH] = 0;
        CharUpperA(text);
        /* fall through */
    case ComputerNameDnsHostname:
    case ComputerNamePhysicalDnsHostname:
        if ((dot = strchr(text, '.')) != NULL)
            *dot = 0;
        return true;
    case ComputerNameDnsDomain:
    case ComputerNamePhysicalDnsDomain:
        memmove(text, dot ? dot + 1 : "", dot ? strlen(dot + 1) + 1 : 1);
        return true;
    case ComputerNameDnsFullyQualified:
    case ComputerNamePhysicalDnsFullyQualified:
        return true;
    default:
        return false;
    }
}

/* *room: in, characters of the buffer; out, the length, or what is needed with its zero. */
static BOOL answer_name(size_t length, bool has_buffer, LPDWORD room)
{
    bool fits = has_buffer && length < *room;

    *room = (DWORD)(fits ? length : length + 1);
    if (!fits)
        last_error_set(ERROR_MORE_DATA);
    return fits;
}

BOOL WINAPI GetComputerNameExA(COMPUTER_NAME_FORMAT NameType, LPSTR lpBuffer, LPDWORD nSize)
{
    char text[HOST_NAME_MAX + 1];
    DWORD room = nSize ? *nSize : 0;

    if (!nSize || (room > 0 && !lpBuffer) || !computer_name(NameType, text, sizeof text)) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!answer_name(strlen(text), lpBuffer != NULL, nSize))
        return FALSE;
    strcpy(lpBuffer, text);
    return TRUE;
}

BOOL WINAPI GetComputerNameExW(COMPUTER_NAME_FORMAT NameType, LPWSTR lpBuffer, LPDWORD nSize)
{
    char text[HOST_NAME_MAX + 1];
    uint16_t wide[HOST_NAME_MAX + 1];
    DWORD room = nSize ? *nSize : 0;
    ptrdiff_t length;

    if (!nSize || (room > 0 && !lpBuffer) || !computer_name(NameType, text, sizeof text)) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    length = text_to_utf16(text, strlen(text), wide, HOST_NAME_MAX, false);
    if (!answer_name((size_t)length, lpBuffer != NULL, nSize))
        return FALSE;
    memcpy(lpBuffer, wide, (size_t)length * sizeof *wide);
    lpBuffer[length] = 0;
    return TRUE;
}

static BOOL short_buffer(BOOL answered)
{
    if (!answered && last_error_get() == ERROR_MORE_DATA)
        last_error_set(ERROR_BUFFER_OVERFLOW);
    return answered;
}

BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize)
{
    return short_buffer(GetComputerNameExA(ComputerNameNetBIOS, lpBuffer, nSize));
}

BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize)
{
    return short_buffer(GetComputerNameExW(ComputerNameNetBIOS, lpBuffer, nSize));
}

/* ---- directories ---- */

static const char windows_directory[] = "C:\\Windows";
static const char system_directory[] = "C:\\Windows\\System32";

UINT WINAPI GetSystemDirectoryA(LPSTR lpBuffer, UINT uSize)
{
    return filename_out_a(system_directory, lpBuffer, uSize);
}

UINT WINAPI GetSystemDirectoryW(LPWSTR lpBuffer, UINT uSize)
{
    return filename_out_w(system_directory, lpBuffer, uSize);
}

UINT WINAPI GetWindowsDirectoryA(LPSTR lpBuffer, UINT uSize)
{
    return filename_out_a(windows_directory, lpBuffer, uSize);
}

UINT WINAPI GetWindowsDirectoryW(LPWSTR lpBuffer, UINT uSize)
{
    return filename_out_w(windows_directory, lpBuffer, uSize);
}
