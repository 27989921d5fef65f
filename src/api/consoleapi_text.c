/* SPDX-License-Identifier: MIT */
/*
 * Text to the terminal. A console here is any terminal; WriteConsole is there for those programs that tell it
 * apart from WriteFile, and refuses what is none, as on Windows.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/text.h"
#include "io/file.h"

#include <ntstatus.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_console(HANDLE handle)
{
    struct file *f;
    bool yes;

    if (filename_handle(handle, 0, &f) != STATUS_SUCCESS)
        return false;
    yes = isatty(f->fd);
    file_put(f);
    return yes;
}

/* The whole text, or the error that stopped it. */
static BOOL write_all(HANDLE console, const char *text, size_t size)
{
    while (size > 0) {
        DWORD part = size > 0x10000 ? 0x10000 : (DWORD)size, done;

        if (!WriteFile(console, text, part, &done, NULL))
            return FALSE;
        text += done;
        size -= done;
    }
    return TRUE;
}

BOOL WINAPI WriteConsoleA(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                          LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved)
{
    BOOL ok;

    (void)lpReserved;
    if (!is_console(hConsoleOutput))
        return last_error_set(ERROR_INVALID_HANDLE), FALSE;
    ok = write_all(hConsoleOutput, lpBuffer, nNumberOfCharsToWrite);
    if (lpNumberOfCharsWritten)
        *lpNumberOfCharsWritten = ok ? nNumberOfCharsToWrite : 0;
    return ok;
}

BOOL WINAPI WriteConsoleW(HANDLE hConsoleOutput, const VOID *lpBuffer, DWORD nNumberOfCharsToWrite,
                          LPDWORD lpNumberOfCharsWritten, LPVOID lpReserved)
{
    size_t room = (size_t)nNumberOfCharsToWrite * 3;
    ptrdiff_t size;
    char *text;
    BOOL ok;

    (void)lpReserved;
    if (!is_console(hConsoleOutput))
        return last_error_set(ERROR_INVALID_HANDLE), FALSE;
    text = malloc(room + 1);
    if (!text)
        return last_error_set(ERROR_NOT_ENOUGH_MEMORY), FALSE;
    size = text_to_utf8(lpBuffer, nNumberOfCharsToWrite, text, room, false);
    ok = write_all(hConsoleOutput, text, size > 0 ? (size_t)size : 0);
    free(text);
    if (lpNumberOfCharsWritten)
        *lpNumberOfCharsWritten = ok ? nNumberOfCharsToWrite : 0;
    return ok;
}

UINT WINAPI GetConsoleCP(void)
{
    return CP_UTF8;
}

UINT WINAPI GetConsoleOutputCP(void)
{
    return CP_UTF8;
}

BOOL WINAPI SetConsoleCP(UINT wCodePageID)
{
    return wCodePageID == CP_UTF8 ? TRUE : (last_error_set(ERROR_INVALID_PARAMETER), FALSE);
}

BOOL WINAPI SetConsoleOutputCP(UINT wCodePageID)
{
    return SetConsoleCP(wCodePageID);
}
