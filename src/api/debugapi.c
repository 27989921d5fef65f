/* SPDX-License-Identifier: MIT */
/*
 * What a debugger is told. OutputDebugString goes to standard error, but only under a debugger or
 * when IOCP_DEBUG_OUTPUT is set: on Windows, too, one sees it only when one looks.
 */
#include <windows.h>

#include "base/own_fd.h"
#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

BOOL WINAPI IsDebuggerPresent(void)
{
    FILE *file = fd_open_text("/proc/self/status");
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
