/* SPDX-License-Identifier: MIT */
/*
 * Facts about the machine and the time since it started. The version reported is 6.2, which is
 * what any current Windows tells a program that carries no manifest.
 */
#include <windows.h>

#include "api/api.h"
#include "base/clock.h"

#include <sched.h>
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

/* The plain and the EX structure share their head, in both spellings. */
BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA lpVersionInformation)
{
    OSVERSIONINFOA *info = lpVersionInformation;
    DWORD size = info->dwOSVersionInfoSize;

    if (size != sizeof(OSVERSIONINFOA) && size != sizeof(OSVERSIONINFOEXA)) {
        last_error_set(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memset(info, 0, size);
    info->dwOSVersionInfoSize = size;
    info->dwMajorVersion = 6;
    info->dwMinorVersion = 2;
    info->dwBuildNumber = 9200;
    info->dwPlatformId = VER_PLATFORM_WIN32_NT;
    if (size == sizeof(OSVERSIONINFOEXA))
        ((OSVERSIONINFOEXA *)info)->wProductType = VER_NT_WORKSTATION;
    return TRUE;
}

BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW lpVersionInformation)
{
    OSVERSIONINFOW *info = lpVersionInformation;
    DWORD size = info->dwOSVersionInfoSize;

    if (size != sizeof(OSVERSIONINFOW) && size != sizeof(OSVERSIONINFOEXW)) {
        last_error_set(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memset(info, 0, size);
    info->dwOSVersionInfoSize = size;
    info->dwMajorVersion = 6;
    info->dwMinorVersion = 2;
    info->dwBuildNumber = 9200;
    info->dwPlatformId = VER_PLATFORM_WIN32_NT;
    if (size == sizeof(OSVERSIONINFOEXW))
        ((OSVERSIONINFOEXW *)info)->wProductType = VER_NT_WORKSTATION;
    return TRUE;
}

static DWORDLONG meminfo_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    unsigned long long kilobytes = 0;

    if (line)
        sscanf(line + strlen(name), ": %llu", &kilobytes);
    return kilobytes * 1024;
}

BOOL WINAPI GlobalMemoryStatusEx(LPMEMORYSTATUSEX lpBuffer)
{
    char text[4096];
    size_t size = 0;
    FILE *file;

    if (lpBuffer->dwLength != sizeof *lpBuffer) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    file = fopen("/proc/meminfo", "re");
    if (file) {
        size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[size] = 0;
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
