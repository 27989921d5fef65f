/* SPDX-License-Identifier: MIT */
/*
 * strsafe.h: text that always ends with a terminator and never runs over. Cch functions count characters
 * (units), Cb functions bytes. The answer is S_OK; STRSAFE_E_INSUFFICIENT_BUFFER: the target holds as
 * much as fits; STRSAFE_E_INVALID_PARAMETER: a NULL pointer, a size of 0 or above STRSAFE_MAX_CCH, a target
 * that is not terminated. The Ex forms are not here. Formats as in iocpcrt_stdio.h.
 * Page: "Strsafe.h", learn.microsoft.com/windows/win32/menurc/strsafe-ovw.
 */
#ifndef _STRSAFE_H_INCLUDED_
#define _STRSAFE_H_INCLUDED_

#include <corecrt.h>
#include <minwindef.h>
#include <stdarg.h>

IOCP_EXTERN_C_BEGIN

#define STRSAFE_MAX_CCH    2147483647
#define STRSAFE_MAX_LENGTH (STRSAFE_MAX_CCH - 1)
#ifndef S_OK
#define S_OK ((HRESULT)0)
#endif
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER   ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE         ((HRESULT)0x80070026)

typedef char *STRSAFE_LPSTR;
typedef const char *STRSAFE_LPCSTR;
typedef WCHAR *STRSAFE_LPWSTR;
typedef const WCHAR *STRSAFE_LPCWSTR;

/* size: of the target in characters, with the terminator; count: of the source. */
_CRTIMP HRESULT WINAPI StringCchCopyA(char *target, size_t size, const char *source) IOCP_SYM(StringCchCopyA);
_CRTIMP HRESULT WINAPI StringCchCopyW(WCHAR *target, size_t size, const WCHAR *source)
    IOCP_SYM(StringCchCopyW);
#ifdef UNICODE
#define StringCchCopy StringCchCopyW
#else
#define StringCchCopy StringCchCopyA
#endif
_CRTIMP HRESULT WINAPI StringCchCopyNA(char *target, size_t size, const char *source, size_t count)
    IOCP_SYM(StringCchCopyNA);
_CRTIMP HRESULT WINAPI StringCchCopyNW(WCHAR *target, size_t size, const WCHAR *source, size_t count)
    IOCP_SYM(StringCchCopyNW);
#ifdef UNICODE
#define StringCchCopyN StringCchCopyNW
#else
#define StringCchCopyN StringCchCopyNA
#endif
_CRTIMP HRESULT WINAPI StringCchCatA(char *target, size_t size, const char *source) IOCP_SYM(StringCchCatA);
_CRTIMP HRESULT WINAPI StringCchCatW(WCHAR *target, size_t size, const WCHAR *source) IOCP_SYM(StringCchCatW);
#ifdef UNICODE
#define StringCchCat StringCchCatW
#else
#define StringCchCat StringCchCatA
#endif
_CRTIMP HRESULT WINAPI StringCchCatNA(char *target, size_t size, const char *source, size_t count)
    IOCP_SYM(StringCchCatNA);
_CRTIMP HRESULT WINAPI StringCchCatNW(WCHAR *target, size_t size, const WCHAR *source, size_t count)
    IOCP_SYM(StringCchCatNW);
#ifdef UNICODE
#define StringCchCatN StringCchCatNW
#else
#define StringCchCatN StringCchCatNA
#endif
_CRTIMP HRESULT WINAPI StringCchPrintfA(char *target, size_t size, const char *format, ...)
    IOCP_SYM(StringCchPrintfA);
_CRTIMP HRESULT WINAPI StringCchPrintfW(WCHAR *target, size_t size, const WCHAR *format, ...)
    IOCP_SYM(StringCchPrintfW);
#ifdef UNICODE
#define StringCchPrintf StringCchPrintfW
#else
#define StringCchPrintf StringCchPrintfA
#endif
_CRTIMP HRESULT WINAPI StringCchVPrintfA(char *target, size_t size, const char *format, va_list arguments)
    IOCP_SYM(StringCchVPrintfA);
_CRTIMP HRESULT WINAPI StringCchVPrintfW(WCHAR *target, size_t size, const WCHAR *format, va_list arguments)
    IOCP_SYM(StringCchVPrintfW);
#ifdef UNICODE
#define StringCchVPrintf StringCchVPrintfW
#else
#define StringCchVPrintf StringCchVPrintfA
#endif
/* *length (may be NULL) without the terminator, which must be among the first `size`. */
_CRTIMP HRESULT WINAPI StringCchLengthA(const char *text, size_t size, size_t *length)
    IOCP_SYM(StringCchLengthA);
_CRTIMP HRESULT WINAPI StringCchLengthW(const WCHAR *text, size_t size, size_t *length)
    IOCP_SYM(StringCchLengthW);
#ifdef UNICODE
#define StringCchLength StringCchLengthW
#else
#define StringCchLength StringCchLengthA
#endif

/* size: of the target in bytes, with the terminator; count: of the source. */
_CRTIMP HRESULT WINAPI StringCbCopyA(char *target, size_t size, const char *source) IOCP_SYM(StringCbCopyA);
_CRTIMP HRESULT WINAPI StringCbCopyW(WCHAR *target, size_t size, const WCHAR *source) IOCP_SYM(StringCbCopyW);
#ifdef UNICODE
#define StringCbCopy StringCbCopyW
#else
#define StringCbCopy StringCbCopyA
#endif
_CRTIMP HRESULT WINAPI StringCbCopyNA(char *target, size_t size, const char *source, size_t count)
    IOCP_SYM(StringCbCopyNA);
_CRTIMP HRESULT WINAPI StringCbCopyNW(WCHAR *target, size_t size, const WCHAR *source, size_t count)
    IOCP_SYM(StringCbCopyNW);
#ifdef UNICODE
#define StringCbCopyN StringCbCopyNW
#else
#define StringCbCopyN StringCbCopyNA
#endif
_CRTIMP HRESULT WINAPI StringCbCatA(char *target, size_t size, const char *source) IOCP_SYM(StringCbCatA);
_CRTIMP HRESULT WINAPI StringCbCatW(WCHAR *target, size_t size, const WCHAR *source) IOCP_SYM(StringCbCatW);
#ifdef UNICODE
#define StringCbCat StringCbCatW
#else
#define StringCbCat StringCbCatA
#endif
_CRTIMP HRESULT WINAPI StringCbCatNA(char *target, size_t size, const char *source, size_t count)
    IOCP_SYM(StringCbCatNA);
_CRTIMP HRESULT WINAPI StringCbCatNW(WCHAR *target, size_t size, const WCHAR *source, size_t count)
    IOCP_SYM(StringCbCatNW);
#ifdef UNICODE
#define StringCbCatN StringCbCatNW
#else
#define StringCbCatN StringCbCatNA
#endif
_CRTIMP HRESULT WINAPI StringCbPrintfA(char *target, size_t size, const char *format, ...)
    IOCP_SYM(StringCbPrintfA);
_CRTIMP HRESULT WINAPI StringCbPrintfW(WCHAR *target, size_t size, const WCHAR *format, ...)
    IOCP_SYM(StringCbPrintfW);
#ifdef UNICODE
#define StringCbPrintf StringCbPrintfW
#else
#define StringCbPrintf StringCbPrintfA
#endif
_CRTIMP HRESULT WINAPI StringCbVPrintfA(char *target, size_t size, const char *format, va_list arguments)
    IOCP_SYM(StringCbVPrintfA);
_CRTIMP HRESULT WINAPI StringCbVPrintfW(WCHAR *target, size_t size, const WCHAR *format, va_list arguments)
    IOCP_SYM(StringCbVPrintfW);
#ifdef UNICODE
#define StringCbVPrintf StringCbVPrintfW
#else
#define StringCbVPrintf StringCbVPrintfA
#endif
/* *length (may be NULL) without the terminator, which must be among the first `size`. */
_CRTIMP HRESULT WINAPI StringCbLengthA(const char *text, size_t size, size_t *length)
    IOCP_SYM(StringCbLengthA);
_CRTIMP HRESULT WINAPI StringCbLengthW(const WCHAR *text, size_t size, size_t *length)
    IOCP_SYM(StringCbLengthW);
#ifdef UNICODE
#define StringCbLength StringCbLengthW
#else
#define StringCbLength StringCbLengthA
#endif

IOCP_EXTERN_C_END

#endif
