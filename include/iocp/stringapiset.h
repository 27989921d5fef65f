/* SPDX-License-Identifier: MIT */
/*
 * stringapiset.h: between UTF-16 and code pages, and comparing. The constants (CP_UTF8,
 * MB_ERR_INVALID_CHARS, CSTR_EQUAL ...) are in winnls.h.
 * Page: "stringapiset.h header", learn.microsoft.com/windows/win32/api/stringapiset/.
 */
#ifndef _APISETSTRING_
#define _APISETSTRING_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/*
 * Answer the units written, or needed if the target's size is 0, or 0 on failure. A source length of -1
 * means "up to and including the zero", else no zero is added. CP_UTF8, and CP_ACP, CP_OEMCP and
 * CP_THREAD_ACP, which mean the same here; 28591 and 20127; no other. What cannot be converted becomes
 * U+FFFD (or default_char, '?', towards 28591 and 20127), unless MB_/WC_ERR_INVALID_CHARS asks to fail.
 * Errors: ERROR_INSUFFICIENT_BUFFER, ERROR_NO_UNICODE_TRANSLATION, ERROR_INVALID_FLAGS,
 * ERROR_INVALID_PARAMETER (also: default_char or used_default given with CP_UTF8).
 */
WINBASEAPI int WINAPI MultiByteToWideChar(UINT code_page, DWORD flags, LPCCH text, int length, LPWSTR wide,
                                          int size) IOCP_SYM(MultiByteToWideChar);
WINBASEAPI int WINAPI WideCharToMultiByte(UINT code_page, DWORD flags, LPCWCH wide, int length, LPSTR text,
                                          int size, LPCCH default_char, LPBOOL used_default)
    IOCP_SYM(WideCharToMultiByte);

/* By the value of the units, upper-cased by Unicode's simple table if ignore_case. CSTR_LESS_THAN,
 * CSTR_EQUAL or CSTR_GREATER_THAN; 0: ERROR_INVALID_PARAMETER. */
WINBASEAPI int WINAPI CompareStringOrdinal(LPCWCH a, int a_length, LPCWCH b, int b_length, BOOL ignore_case)
    IOCP_SYM(CompareStringOrdinal);

IOCP_EXTERN_C_END

#endif
