/* SPDX-License-Identifier: MIT */
/*
 * Code pages and comparing. CP_ACP, CP_OEMCP and CP_THREAD_ACP are UTF-8 here, as in a Windows
 * program whose manifest asks for it; ISO 8859-1 (28591), US-ASCII (20127) and no other page
 * besides are known.
 */
#include <windows.h>

#include "api/api.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

enum { LATIN1 = 28591, ASCII = 20127 };

static bool is_utf8(UINT page)
{
    return page == CP_UTF8 || page == CP_ACP || page == CP_OEMCP || page == CP_THREAD_ACP;
}

/* One byte per unit; returns as text_to_utf16 does. */
static ptrdiff_t widen(const char *source, size_t length, uint16_t *target, size_t size,
                       uint32_t limit, bool strict)
{
    if (size > 0 && length > size)
        return TEXT_TOO_SMALL;
    for (size_t i = 0; i < length; i++) {
        uint32_t c = (unsigned char)source[i];

        if (c > limit && strict)
            return TEXT_MALFORMED;
        if (size > 0)
            target[i] = (uint16_t)(c > limit ? 0xFFFD : c);
    }
    return (ptrdiff_t)length;
}

/* One byte per unit: two substitutes for a surrogate pair. */
static ptrdiff_t narrow(const uint16_t *source, size_t length, char *target, size_t size,
                        uint32_t limit, char substitute, BOOL *substituted)
{
    size_t done = 0;

    for (size_t i = 0; i < length; i++, done++) {
        bool bad = source[i] > limit;

        if (bad && substituted)
            *substituted = TRUE;
        if (size > 0 && done == size)
            return TEXT_TOO_SMALL;
        if (size > 0)
            target[done] = bad ? substitute : (char)source[i];
    }
    return (ptrdiff_t)done;
}

static int finish(ptrdiff_t count)
{
    if (count == TEXT_TOO_SMALL)
        last_error_set(ERROR_INSUFFICIENT_BUFFER);
    else if (count == TEXT_MALFORMED)
        last_error_set(ERROR_NO_UNICODE_TRANSLATION);
    return count < 0 ? 0 : (int)count;
}

static int fail(DWORD code)
{
    last_error_set(code);
    return 0;
}

int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar)
{
    bool strict = (dwFlags & MB_ERR_INVALID_CHARS) != 0;
    size_t length;

    if (!lpMultiByteStr || cbMultiByte == 0 || cbMultiByte < -1 || cchWideChar < 0 ||
        (cchWideChar > 0 && !lpWideCharStr) ||
        (const void *)lpMultiByteStr == (const void *)lpWideCharStr)
        return fail(ERROR_INVALID_PARAMETER);
    if (is_utf8(CodePage) && (dwFlags & ~(DWORD)MB_ERR_INVALID_CHARS) && CodePage == CP_UTF8)
        return fail(ERROR_INVALID_FLAGS);
    length = cbMultiByte < 0 ? strlen(lpMultiByteStr) + 1 : (size_t)cbMultiByte;
    if (is_utf8(CodePage))
        return finish(text_to_utf16(lpMultiByteStr, length, (uint16_t *)lpWideCharStr,
                                    (size_t)cchWideChar, strict));
    if (CodePage == LATIN1 || CodePage == ASCII)
        return finish(widen(lpMultiByteStr, length, (uint16_t *)lpWideCharStr, (size_t)cchWideChar,
                            CodePage == LATIN1 ? 0xFF : 0x7F, strict));
    return fail(ERROR_INVALID_PARAMETER);
}

int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar,
                               LPBOOL lpUsedDefaultChar)
{
    const uint16_t *source = (const uint16_t *)lpWideCharStr;
    size_t length, size = (size_t)cbMultiByte;

    if (!source || cchWideChar == 0 || cchWideChar < -1 || cbMultiByte < 0 ||
        (cbMultiByte > 0 && !lpMultiByteStr) ||
        (const void *)lpMultiByteStr == (const void *)lpWideCharStr)
        return fail(ERROR_INVALID_PARAMETER);
    length = cchWideChar < 0 ? text_length16(source) + 1 : (size_t)cchWideChar;
    if (CodePage == CP_UTF8 && (lpDefaultChar || lpUsedDefaultChar))
        return fail(ERROR_INVALID_PARAMETER);
    if (CodePage == CP_UTF8 && (dwFlags & ~(DWORD)WC_ERR_INVALID_CHARS))
        return fail(ERROR_INVALID_FLAGS);
    if (lpUsedDefaultChar)
        *lpUsedDefaultChar = FALSE;
    if (is_utf8(CodePage))
        return finish(text_to_utf8(source, length, lpMultiByteStr, size,
                                   (dwFlags & WC_ERR_INVALID_CHARS) != 0));
    if (CodePage == LATIN1 || CodePage == ASCII)
        return finish(narrow(source, length, lpMultiByteStr, size,
                             CodePage == LATIN1 ? 0xFF : 0x7F,
                             lpDefaultChar ? lpDefaultChar[0] : '?', lpUsedDefaultChar));
    return fail(ERROR_INVALID_PARAMETER);
}

UINT WINAPI GetACP(void)
{
    return CP_UTF8;
}

UINT WINAPI GetOEMCP(void)
{
    return CP_UTF8;
}

BOOL WINAPI IsValidCodePage(UINT CodePage)
{
    return CodePage == CP_UTF8 || CodePage == LATIN1 || CodePage == ASCII;
}

BOOL WINAPI GetCPInfo(UINT CodePage, LPCPINFO lpCPInfo)
{
    if (!lpCPInfo || !(is_utf8(CodePage) || CodePage == LATIN1 || CodePage == ASCII))
        return fail(ERROR_INVALID_PARAMETER);
    memset(lpCPInfo, 0, sizeof *lpCPInfo);
    lpCPInfo->MaxCharSize = is_utf8(CodePage) ? 4 : 1;
    lpCPInfo->DefaultChar[0] = '?';
    return TRUE;
}

BOOL WINAPI IsDBCSLeadByte(BYTE TestChar)
{
    (void)TestChar;
    return FALSE;
}

BOOL WINAPI IsDBCSLeadByteEx(UINT CodePage, BYTE TestChar)
{
    (void)CodePage;
    (void)TestChar;
    return FALSE;
}

/* Compares units, upper-cased first if asked to; the result is 1, 2 or 3 (less, equal, greater). */
int WINAPI CompareStringOrdinal(LPCWCH lpString1, int cchCount1, LPCWCH lpString2, int cchCount2,
                                BOOL bIgnoreCase)
{
    size_t n1, n2;

    if (!lpString1 || !lpString2 || cchCount1 < -1 || cchCount2 < -1)
        return fail(ERROR_INVALID_PARAMETER);
    n1 = cchCount1 < 0 ? text_length16((const uint16_t *)lpString1) : (size_t)cchCount1;
    n2 = cchCount2 < 0 ? text_length16((const uint16_t *)lpString2) : (size_t)cchCount2;
    for (size_t i = 0; i < n1 && i < n2; i++) {
        uint32_t a = (uint16_t)lpString1[i], b = (uint16_t)lpString2[i];

        if (bIgnoreCase) {
            a = text_upper(a);
            b = text_upper(b);
        }
        if (a != b)
            return a < b ? CSTR_LESS_THAN : CSTR_GREATER_THAN;
    }
    return n1 == n2 ? CSTR_EQUAL : n1 < n2 ? CSTR_LESS_THAN : CSTR_GREATER_THAN;
}

/* How many characters there are to map; 0 and the last error: it may not be asked like that. */
static size_t to_map(const void *text, size_t whole, int length, DWORD flags, const void *out, int size)
{
    DWORD kind = flags & ~(DWORD)LCMAP_LINGUISTIC_CASING;
    size_t count = length < 0 ? whole : (size_t)length;

    if (!text || length == 0 || size < 0 || (size > 0 && !out) || count > INT_MAX)
        return (size_t)fail(ERROR_INVALID_PARAMETER);
    if (kind != LCMAP_LOWERCASE && kind != LCMAP_UPPERCASE)
        return (size_t)fail(ERROR_INVALID_FLAGS);
    if (size > 0 && (size_t)size < count)
        return (size_t)fail(ERROR_INSUFFICIENT_BUFFER);
    return count;
}

/* Source and target may be one. */
int WINAPI LCMapStringA(LCID Locale, DWORD dwMapFlags, LPCSTR lpSrcStr, int cchSrc, LPSTR lpDestStr,
                        int cchDest)
{
    size_t whole = lpSrcStr && cchSrc < 0 ? strlen(lpSrcStr) + 1 : 0;
    size_t count = to_map(lpSrcStr, whole, cchSrc, dwMapFlags, lpDestStr, cchDest);

    (void)Locale;
    if (cchDest == 0 || count == 0)
        return (int)count;
    memmove(lpDestStr, lpSrcStr, count);
    if (dwMapFlags & LCMAP_UPPERCASE)
        CharUpperBuffA(lpDestStr, (DWORD)count);
    else
        CharLowerBuffA(lpDestStr, (DWORD)count);
    return (int)count;
}

int WINAPI LCMapStringW(LCID Locale, DWORD dwMapFlags, LPCWSTR lpSrcStr, int cchSrc, LPWSTR lpDestStr,
                        int cchDest)
{
    size_t whole = lpSrcStr && cchSrc < 0 ? text_length16((const uint16_t *)lpSrcStr) + 1 : 0;
    size_t count = to_map(lpSrcStr, whole, cchSrc, dwMapFlags, lpDestStr, cchDest);

    (void)Locale;
    if (cchDest == 0 || count == 0)
        return (int)count;
    memmove(lpDestStr, lpSrcStr, count * sizeof *lpSrcStr);
    if (dwMapFlags & LCMAP_UPPERCASE)
        CharUpperBuffW(lpDestStr, (DWORD)count);
    else
        CharLowerBuffW(lpDestStr, (DWORD)count);
    return (int)count;
}
