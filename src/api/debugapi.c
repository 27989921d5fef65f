/* SPDX-License-Identifier: MIT */
/*
 * Facts about this process, its end, and what a debugger is told. OutputDebugString goes to
 * standard error, but only under a debugger or when IOCP_DEBUG_OUTPUT is set: on Windows, too, one
 * sees it only when one looks.
 */
#include <windows.h>

#include "api/api.h"
#include "base/text.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

BOOL WINAPI IsDebuggerPresent(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    int tracer = 0;

    if (!file)
        return FALSE;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    fclose(file);
    return tracer != 0;
}

void WINAPI OutputDebugStringA(LPCSTR lpOutputString)
{
    if (lpOutputString && (getenv("IOCP_DEBUG_OUTPUT") || IsDebuggerPresent()))
        fputs(lpOutputString, stderr);
}

void WINAPI OutputDebugStringW(LPCWSTR lpOutputString)
{
    char *text = text_utf8_new((const uint16_t *)lpOutputString);

    OutputDebugStringA(text);
    free(text);
}

/* Without a debugger the process dies of SIGTRAP, as it dies of the exception on Windows. */
void WINAPI DebugBreak(void)
{
    raise(SIGTRAP);
}

HANDLE WINAPI GetCurrentProcess(void)
{
    return (HANDLE)(LONG_PTR)-1;
}

DWORD WINAPI GetCurrentProcessId(void)
{
    return (DWORD)getpid();
}

/* Leaves through exit(), so that buffered output is written and the library's own threads come to
 * rest first. libc allows one thread to call exit(): later callers wait for the end. */
void WINAPI ExitProcess(UINT uExitCode)
{
    static atomic_flag leaving = ATOMIC_FLAG_INIT;

    while (atomic_flag_test_and_set(&leaving))
        pause();
    exit((int)uExitCode);
}
