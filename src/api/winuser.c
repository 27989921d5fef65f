/* SPDX-License-Identifier: MIT */
/*
 * winuser.h: letter case, stepping through strings, wsprintf, waits without messages. Letter case goes in
 * 16 bits by Unicode's simple table; in bytes the letters of ASCII alone, because the case forms of a
 * UTF-8 sequence may have other lengths.
 */
#include <windows.h>

#include "api/api.h"
#include "api/crt.h"
#include "base/text.h"

#include <ntstatus.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static uint32_t upper_ascii(uint32_t c)
{
    return c - 'a' < 26u ? c - 32 : c;
}

/* A pointer whose high part is zero is a single character, and so is the answer. */
static bool is_character(const void *text)
{
    return (uintptr_t)text <= 0xFFFF;
}

DWORD WINAPI CharUpperBuffA(LPSTR lpsz, DWORD cchLength)
{
    for (DWORD i = 0; i < cchLength; i++)
        lpsz[i] = (char)upper_ascii((unsigned char)lpsz[i]);
    return cchLength;
}

DWORD WINAPI CharUpperBuffW(LPWSTR lpsz, DWORD cchLength)
{
    for (DWORD i = 0; i < cchLength; i++)
        lpsz[i] = (WCHAR)text_upper((uint16_t)lpsz[i]);
    return cchLength;
}

DWORD WINAPI CharLowerBuffA(LPSTR lpsz, DWORD cchLength)
{
    for (DWORD i = 0; i < cchLength; i++)
        lpsz[i] = (char)text_fold((unsigned char)lpsz[i]);
    return cchLength;
}

DWORD WINAPI CharLowerBuffW(LPWSTR lpsz, DWORD cchLength)
{
    for (DWORD i = 0; i < cchLength; i++)
        lpsz[i] = (WCHAR)text_lower((uint16_t)lpsz[i]);
    return cchLength;
}

LPSTR WINAPI CharUpperA(LPSTR lpsz)
{
    if (is_character(lpsz))
        return (LPSTR)(uintptr_t)upper_ascii((uint32_t)(uintptr_t)lpsz);
    CharUpperBuffA(lpsz, (DWORD)strlen(lpsz));
    return lpsz;
}

LPWSTR WINAPI CharUpperW(LPWSTR lpsz)
{
    if (is_character(lpsz))
        return (LPWSTR)(uintptr_t)text_upper((uint32_t)(uintptr_t)lpsz);
    CharUpperBuffW(lpsz, (DWORD)text_length16((const uint16_t *)lpsz));
    return lpsz;
}

LPSTR WINAPI CharLowerA(LPSTR lpsz)
{
    if (is_character(lpsz))
        return (LPSTR)(uintptr_t)text_fold((uint32_t)(uintptr_t)lpsz);
    CharLowerBuffA(lpsz, (DWORD)strlen(lpsz));
    return lpsz;
}

LPWSTR WINAPI CharLowerW(LPWSTR lpsz)
{
    if (is_character(lpsz))
        return (LPWSTR)(uintptr_t)text_lower((uint32_t)(uintptr_t)lpsz);
    CharLowerBuffW(lpsz, (DWORD)text_length16((const uint16_t *)lpsz));
    return lpsz;
}

LPSTR WINAPI CharNextA(LPCSTR lpsz)
{
    return (LPSTR)(*lpsz ? lpsz + 1 : lpsz);
}

LPWSTR WINAPI CharNextW(LPCWSTR lpsz)
{
    return (LPWSTR)(*lpsz ? lpsz + 1 : lpsz);
}

LPSTR WINAPI CharPrevA(LPCSTR lpszStart, LPCSTR lpszCurrent)
{
    return (LPSTR)(lpszCurrent > lpszStart ? lpszCurrent - 1 : lpszStart);
}

LPWSTR WINAPI CharPrevW(LPCWSTR lpszStart, LPCWSTR lpszCurrent)
{
    return (LPWSTR)(lpszCurrent > lpszStart ? lpszCurrent - 1 : lpszStart);
}

/* ---- wsprintf ---- */

enum { WSPRINTF_ROOM = 1024 };

/* What was written of a text of that length; nothing if the format was bad. */
static size_t written(ptrdiff_t length)
{
    if (length < 0)
        return 0;
    return length < WSPRINTF_ROOM ? (size_t)length : WSPRINTF_ROOM - 1;
}

int WINAPI wvsprintfA(LPSTR buffer, LPCSTR format, va_list arguments)
{
    size_t length = written(crt_format(buffer, WSPRINTF_ROOM - 1, format, arguments));

    buffer[length] = 0;
    return (int)length;
}

int WINAPI wvsprintfW(LPWSTR buffer, LPCWSTR format, va_list arguments)
{
    size_t length = written(crt_format16((uint16_t *)buffer, WSPRINTF_ROOM - 1, (const uint16_t *)format,
                                         arguments));

    buffer[length] = 0;
    return (int)length;
}

int WINAPIV wsprintfA(LPSTR buffer, LPCSTR format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = wvsprintfA(buffer, format, arguments);
    va_end(arguments);
    return length;
}

int WINAPIV wsprintfW(LPWSTR buffer, LPCWSTR format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = wvsprintfW(buffer, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- windows ---- */

int WINAPI GetSystemMetrics(int nIndex)
{
    return nIndex == SM_NETWORK ? 3 : 0;
}

/* ---- waiting ---- */

DWORD WINAPI MsgWaitForMultipleObjectsEx(DWORD nCount, const HANDLE *pHandles, DWORD dwMilliseconds,
                                         DWORD dwWakeMask, DWORD dwFlags)
{
    BOOL alertable = (dwFlags & MWMO_ALERTABLE) != 0;

    (void)dwWakeMask;
    if (nCount >= MAXIMUM_WAIT_OBJECTS || (nCount && !pHandles) ||
        (dwFlags & ~(DWORD)(MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE)))
        return win32_fail(STATUS_INVALID_PARAMETER), WAIT_FAILED;
    if (nCount)
        return WaitForMultipleObjectsEx(nCount, pHandles, (dwFlags & MWMO_WAITALL) != 0, dwMilliseconds,
                                        alertable);
    return SleepEx(dwMilliseconds, alertable) ? WAIT_IO_COMPLETION : WAIT_TIMEOUT;
}

DWORD WINAPI MsgWaitForMultipleObjects(DWORD nCount, const HANDLE *pHandles, BOOL fWaitAll,
                                       DWORD dwMilliseconds, DWORD dwWakeMask)
{
    return MsgWaitForMultipleObjectsEx(nCount, pHandles, dwMilliseconds, dwWakeMask,
                                       fWaitAll ? MWMO_WAITALL : 0);
}
