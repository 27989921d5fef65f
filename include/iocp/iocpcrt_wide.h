/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_wide.h: the wide functions of the C run-time, on WCHAR, the 16-bit units of UTF-16.
 *
 * What the C library does not have (_wcsicmp, wcscpy_s, _wfopen ...) is here under its own name in every
 * mode. What it has (wcslen, wcscpy, swprintf ...) works on its wchar_t of 32 bits; the same for WCHAR
 * has the prefix iocp_. Under -fshort-wchar, where wchar_t is WCHAR and L"" is UTF-16, the plain names mean
 * those with the prefix, also as std::wcslen; and wide functions that are not here are compile errors,
 * because the C library's would read 32-bit characters. std::wstring and the wide streams live inside the
 * C++ library and cannot be redirected: they do not work in that mode.
 *
 * Formats as in iocpcrt_stdio.h; in a wide format %s is a string of WCHAR and %hs and %S one of char.
 */
#ifndef IOCP_CRT_WIDE_H
#define IOCP_CRT_WIDE_H

#include <corecrt.h>
#include <minwindef.h>
#include <stdarg.h>
#include <stdio.h>

#if __WCHAR_MAX__ <= 0xFFFF
/* Before the names become macros: afterwards these add nothing to them. */
#ifdef __cplusplus
extern "C++" {
#include <cstdlib>
#include <cwchar>
}
#else
#include <stdlib.h>
#include <wchar.h>
#endif
#endif

IOCP_EXTERN_C_BEGIN

/* ---------- what the C library has for its own wchar_t ---------- */

_CRTIMP size_t iocp_wcslen(const WCHAR *text) IOCP_SYM(wcslen);
_CRTIMP size_t iocp_wcsnlen(const WCHAR *text, size_t size) IOCP_SYM(wcsnlen);
_CRTIMP WCHAR *iocp_wcscpy(WCHAR *target, const WCHAR *source) IOCP_SYM(wcscpy);
_CRTIMP WCHAR *iocp_wcsncpy(WCHAR *target, const WCHAR *source, size_t count) IOCP_SYM(wcsncpy);
_CRTIMP WCHAR *iocp_wcscat(WCHAR *target, const WCHAR *source) IOCP_SYM(wcscat);
_CRTIMP WCHAR *iocp_wcsncat(WCHAR *target, const WCHAR *source, size_t count) IOCP_SYM(wcsncat);
_CRTIMP int iocp_wcscmp(const WCHAR *a, const WCHAR *b) IOCP_SYM(wcscmp);
_CRTIMP int iocp_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count) IOCP_SYM(wcsncmp);
_CRTIMP int iocp_wcscoll(const WCHAR *a, const WCHAR *b) IOCP_SYM(wcscoll);
_CRTIMP size_t iocp_wcsspn(const WCHAR *text, const WCHAR *set) IOCP_SYM(wcsspn);
_CRTIMP size_t iocp_wcscspn(const WCHAR *text, const WCHAR *set) IOCP_SYM(wcscspn);
_CRTIMP WCHAR *iocp_wcstok(WCHAR *text, const WCHAR *separators, WCHAR **context) IOCP_SYM(wcstok);
_CRTIMP WCHAR *iocp_wcsdup(const WCHAR *text) IOCP_SYM(wcsdup);
_CRTIMP long iocp_wcstol(const WCHAR *text, WCHAR **end, int base) IOCP_SYM(wcstol);
_CRTIMP unsigned long iocp_wcstoul(const WCHAR *text, WCHAR **end, int base) IOCP_SYM(wcstoul);
_CRTIMP long long iocp_wcstoll(const WCHAR *text, WCHAR **end, int base) IOCP_SYM(wcstoll);
_CRTIMP unsigned long long iocp_wcstoull(const WCHAR *text, WCHAR **end, int base) IOCP_SYM(wcstoull);
_CRTIMP double iocp_wcstod(const WCHAR *text, WCHAR **end) IOCP_SYM(wcstod);
_CRTIMP float iocp_wcstof(const WCHAR *text, WCHAR **end) IOCP_SYM(wcstof);
_CRTIMP WCHAR *iocp_wmemcpy(WCHAR *target, const WCHAR *source, size_t count) IOCP_SYM(wmemcpy);
_CRTIMP WCHAR *iocp_wmemmove(WCHAR *target, const WCHAR *source, size_t count) IOCP_SYM(wmemmove);
_CRTIMP WCHAR *iocp_wmemset(WCHAR *target, WCHAR c, size_t count) IOCP_SYM(wmemset);
_CRTIMP int iocp_wmemcmp(const WCHAR *a, const WCHAR *b, size_t count) IOCP_SYM(wmemcmp);

/* C++ has each of these twice, so that const comes out as it went in. */
#ifdef __cplusplus
extern "C++" {
#define IOCP_WIDE_FIND(name, what)                                           \
    _CRTIMP const WCHAR *iocp_##name(const WCHAR *text, what) IOCP_SYM(name); \
    _CRTIMP WCHAR *iocp_##name(WCHAR *text, what) IOCP_SYM(name);
#else
#define IOCP_WIDE_FIND(name, what) _CRTIMP WCHAR *iocp_##name(const WCHAR *text, what) IOCP_SYM(name);
#endif
IOCP_WIDE_FIND(wcschr, WCHAR c)
IOCP_WIDE_FIND(wcsrchr, WCHAR c)
IOCP_WIDE_FIND(wcsstr, const WCHAR *part)
IOCP_WIDE_FIND(wcspbrk, const WCHAR *set)
#undef IOCP_WIDE_FIND
#ifdef __cplusplus
_CRTIMP const WCHAR *iocp_wmemchr(const WCHAR *text, WCHAR c, size_t count) IOCP_SYM(wmemchr);
_CRTIMP WCHAR *iocp_wmemchr(WCHAR *text, WCHAR c, size_t count) IOCP_SYM(wmemchr);
}
#else
_CRTIMP WCHAR *iocp_wmemchr(const WCHAR *text, WCHAR c, size_t count) IOCP_SYM(wmemchr);
#endif

/* C's swprintf: a negative answer if the text does not fit, the buffer is terminated all the same. */
_CRTIMP int iocp_swprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...) IOCP_SYM(swprintf);
_CRTIMP int iocp_vswprintf(WCHAR *buffer, size_t size, const WCHAR *format, va_list arguments)
    IOCP_SYM(vswprintf);

/* To a stream, as UTF-8; the number of UTF-16 units, or -1. The stream stays one of bytes. */
_CRTIMP int iocp_wprintf(const WCHAR *format, ...) IOCP_SYM(wprintf);
_CRTIMP int iocp_fwprintf(FILE *stream, const WCHAR *format, ...) IOCP_SYM(fwprintf);
_CRTIMP int iocp_vwprintf(const WCHAR *format, va_list arguments) IOCP_SYM(vwprintf);
_CRTIMP int iocp_vfwprintf(FILE *stream, const WCHAR *format, va_list arguments) IOCP_SYM(vfwprintf);
_CRTIMP int iocp_fputws(const WCHAR *text, FILE *stream) IOCP_SYM(fputws);

/* UTF-8 to UTF-16 and back, whatever the locale is; (size_t)-1 and EILSEQ for malformed text. */
_CRTIMP size_t iocp_mbstowcs(WCHAR *target, const char *source, size_t size) IOCP_SYM(mbstowcs);
_CRTIMP size_t iocp_wcstombs(char *target, const WCHAR *source, size_t size) IOCP_SYM(wcstombs);

/* ---------- Microsoft's own: as their counterparts for char ---------- */

_CRTIMP WCHAR *_wcsdup(const WCHAR *text) IOCP_SYM(_wcsdup);
_CRTIMP int _wcsicmp(const WCHAR *a, const WCHAR *b) IOCP_SYM(_wcsicmp);
_CRTIMP int _wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count) IOCP_SYM(_wcsnicmp);
#define _wcsicoll   _wcsicmp
_CRTIMP int wcsicmp(const WCHAR *a, const WCHAR *b) IOCP_SYM(wcsicmp);
_CRTIMP int wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count) IOCP_SYM(wcsnicmp);
_CRTIMP WCHAR *_wcslwr(WCHAR *text) IOCP_SYM(_wcslwr);
_CRTIMP WCHAR *_wcsupr(WCHAR *text) IOCP_SYM(_wcsupr);
_CRTIMP WCHAR *_wcsrev(WCHAR *text) IOCP_SYM(_wcsrev);
#define wcsrev _wcsrev
_CRTIMP errno_t _wcslwr_s(WCHAR *text, size_t size) IOCP_SYM(_wcslwr_s);
_CRTIMP errno_t _wcsupr_s(WCHAR *text, size_t size) IOCP_SYM(_wcsupr_s);

_CRTIMP errno_t wcscpy_s(WCHAR *target, rsize_t size, const WCHAR *source) IOCP_SYM(wcscpy_s);
_CRTIMP errno_t wcscat_s(WCHAR *target, rsize_t size, const WCHAR *source) IOCP_SYM(wcscat_s);
_CRTIMP errno_t wcsncpy_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
    IOCP_SYM(wcsncpy_s);
_CRTIMP errno_t wcsncat_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
    IOCP_SYM(wcsncat_s);
_CRTIMP WCHAR *wcstok_s(WCHAR *text, const WCHAR *separators, WCHAR **context) IOCP_SYM(wcstok_s);
_CRTIMP size_t wcsnlen_s(const WCHAR *text, size_t size) IOCP_SYM(wcsnlen_s);
_CRTIMP errno_t wmemcpy_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
    IOCP_SYM(wmemcpy_s);
_CRTIMP errno_t wmemmove_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
    IOCP_SYM(wmemmove_s);

_CRTIMP int _snwprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...) IOCP_SYM(_snwprintf);
_CRTIMP int _vsnwprintf(WCHAR *buffer, size_t size, const WCHAR *format, va_list arguments)
    IOCP_SYM(_vsnwprintf);
_CRTIMP int _scwprintf(const WCHAR *format, ...) IOCP_SYM(_scwprintf);
_CRTIMP int _vscwprintf(const WCHAR *format, va_list arguments) IOCP_SYM(_vscwprintf);
_CRTIMP int swprintf_s(WCHAR *buffer, size_t size, const WCHAR *format, ...) IOCP_SYM(swprintf_s);
_CRTIMP int vswprintf_s(WCHAR *buffer, size_t size, const WCHAR *format, va_list arguments)
    IOCP_SYM(vswprintf_s);
_CRTIMP int _snwprintf_s(WCHAR *buffer, size_t size, size_t count, const WCHAR *format, ...)
    IOCP_SYM(_snwprintf_s);
_CRTIMP int _vsnwprintf_s(WCHAR *buffer, size_t size, size_t count, const WCHAR *format, va_list arguments)
    IOCP_SYM(_vsnwprintf_s);
#define wprintf_s   iocp_wprintf
#define fwprintf_s  iocp_fwprintf
#define vwprintf_s  iocp_vwprintf
#define vfwprintf_s iocp_vfwprintf

_CRTIMP int _wtoi(const WCHAR *text) IOCP_SYM(_wtoi);
_CRTIMP long _wtol(const WCHAR *text) IOCP_SYM(_wtol);
_CRTIMP long long _wtoi64(const WCHAR *text) IOCP_SYM(_wtoi64);
_CRTIMP double _wtof(const WCHAR *text) IOCP_SYM(_wtof);
#define _wcstoi64  iocp_wcstoll
#define _wcstoui64 iocp_wcstoull
_CRTIMP WCHAR *_itow(int value, WCHAR *buffer, int radix) IOCP_SYM(_itow);
_CRTIMP WCHAR *_i64tow(long long value, WCHAR *buffer, int radix) IOCP_SYM(_i64tow);
_CRTIMP WCHAR *_ui64tow(unsigned long long value, WCHAR *buffer, int radix) IOCP_SYM(_ui64tow);
_CRTIMP errno_t _itow_s(int value, WCHAR *buffer, size_t size, int radix) IOCP_SYM(_itow_s);
_CRTIMP errno_t _i64tow_s(long long value, WCHAR *buffer, size_t size, int radix) IOCP_SYM(_i64tow_s);
_CRTIMP errno_t _ui64tow_s(unsigned long long value, WCHAR *buffer, size_t size, int radix)
    IOCP_SYM(_ui64tow_s);

/* With a terminator, which *written (may be NULL) counts. count may be _TRUNCATE. */
_CRTIMP errno_t mbstowcs_s(size_t *written, WCHAR *target, size_t size, const char *source, size_t count)
    IOCP_SYM(mbstowcs_s);
_CRTIMP errno_t wcstombs_s(size_t *written, char *target, size_t size, const WCHAR *source, size_t count)
    IOCP_SYM(wcstombs_s);

/* Names of files in UTF-16; the mode of a stream too. */
_CRTIMP FILE *_wfopen(const WCHAR *name, const WCHAR *mode) IOCP_SYM(_wfopen);
_CRTIMP errno_t _wfopen_s(FILE **stream, const WCHAR *name, const WCHAR *mode) IOCP_SYM(_wfopen_s);
_CRTIMP FILE *_wfsopen(const WCHAR *name, const WCHAR *mode, int share) IOCP_SYM(_wfsopen);
_CRTIMP int _wunlink(const WCHAR *name) IOCP_SYM(_wunlink);
_CRTIMP int _wremove(const WCHAR *name) IOCP_SYM(_wremove);
_CRTIMP int _wrename(const WCHAR *from, const WCHAR *to) IOCP_SYM(_wrename);

IOCP_EXTERN_C_END

/* ---------- -fshort-wchar: the plain names ---------- */

#if __WCHAR_MAX__ <= 0xFFFF
IOCP_EXTERN_C_BEGIN
/* Never defined; a call is an error when it is compiled. C++ only looks at calls that remain, as its
 * standard headers mention every name. */
#define IOCP_WIDE_REFUSAL(name) "the C library's " #name " reads 32-bit characters, -fshort-wchar has 16"
#ifdef __cplusplus
#define IOCP_WIDE_REFUSED(name) \
    __attribute__((__error__(IOCP_WIDE_REFUSAL(name)))) long iocp_refused_##name(...);
#elif defined(__clang__)
#define IOCP_WIDE_REFUSED(name) \
    __attribute__((__unavailable__(IOCP_WIDE_REFUSAL(name)))) long iocp_refused_##name();
#else
#define IOCP_WIDE_REFUSED(name) \
    __attribute__((__error__(IOCP_WIDE_REFUSAL(name)))) long iocp_refused_##name();
#endif
IOCP_WIDE_REFUSED(btowc)
IOCP_WIDE_REFUSED(wctob)
IOCP_WIDE_REFUSED(mbrtowc)
IOCP_WIDE_REFUSED(wcrtomb)
IOCP_WIDE_REFUSED(mbsrtowcs)
IOCP_WIDE_REFUSED(wcsrtombs)
IOCP_WIDE_REFUSED(mbtowc)
IOCP_WIDE_REFUSED(wctomb)
IOCP_WIDE_REFUSED(fgetwc)
IOCP_WIDE_REFUSED(getwc)
IOCP_WIDE_REFUSED(getwchar)
IOCP_WIDE_REFUSED(fgetws)
IOCP_WIDE_REFUSED(fputwc)
IOCP_WIDE_REFUSED(putwc)
IOCP_WIDE_REFUSED(putwchar)
IOCP_WIDE_REFUSED(ungetwc)
IOCP_WIDE_REFUSED(wscanf)
IOCP_WIDE_REFUSED(fwscanf)
IOCP_WIDE_REFUSED(swscanf)
IOCP_WIDE_REFUSED(vwscanf)
IOCP_WIDE_REFUSED(vfwscanf)
IOCP_WIDE_REFUSED(vswscanf)
IOCP_WIDE_REFUSED(wcsftime)
IOCP_WIDE_REFUSED(wcsxfrm)
/* This one with its type: std::stold takes its address. */
__attribute__((__error__("the C library's wcstold reads 32-bit characters, -fshort-wchar has 16")))
long double iocp_refused_wcstold(const WCHAR *text, WCHAR **end);
IOCP_EXTERN_C_END

#ifdef __cplusplus
namespace std {
using ::iocp_wcslen;
using ::iocp_wcsnlen;
using ::iocp_wcscpy;
using ::iocp_wcsncpy;
using ::iocp_wcscat;
using ::iocp_wcsncat;
using ::iocp_wcscmp;
using ::iocp_wcsncmp;
using ::iocp_wcscoll;
using ::iocp_wcschr;
using ::iocp_wcsrchr;
using ::iocp_wcsstr;
using ::iocp_wcspbrk;
using ::iocp_wcsspn;
using ::iocp_wcscspn;
using ::iocp_wcstok;
using ::iocp_wcsdup;
using ::iocp_wcstol;
using ::iocp_wcstoul;
using ::iocp_wcstoll;
using ::iocp_wcstoull;
using ::iocp_wcstod;
using ::iocp_wcstof;
using ::iocp_wmemcpy;
using ::iocp_wmemmove;
using ::iocp_wmemset;
using ::iocp_wmemcmp;
using ::iocp_wmemchr;
using ::iocp_swprintf;
using ::iocp_vswprintf;
using ::iocp_wprintf;
using ::iocp_fwprintf;
using ::iocp_vwprintf;
using ::iocp_vfwprintf;
using ::iocp_fputws;
using ::iocp_mbstowcs;
using ::iocp_wcstombs;
using ::iocp_refused_btowc;
using ::iocp_refused_wctob;
using ::iocp_refused_mbrtowc;
using ::iocp_refused_wcrtomb;
using ::iocp_refused_mbsrtowcs;
using ::iocp_refused_wcsrtombs;
using ::iocp_refused_mbtowc;
using ::iocp_refused_wctomb;
using ::iocp_refused_fgetwc;
using ::iocp_refused_getwc;
using ::iocp_refused_getwchar;
using ::iocp_refused_fgetws;
using ::iocp_refused_fputwc;
using ::iocp_refused_putwc;
using ::iocp_refused_putwchar;
using ::iocp_refused_ungetwc;
using ::iocp_refused_wscanf;
using ::iocp_refused_fwscanf;
using ::iocp_refused_swscanf;
using ::iocp_refused_vwscanf;
using ::iocp_refused_vfwscanf;
using ::iocp_refused_vswscanf;
using ::iocp_refused_wcstold;
using ::iocp_refused_wcsftime;
using ::iocp_refused_wcsxfrm;
}
#endif

#undef wcslen
#define wcslen iocp_wcslen
#undef wcsnlen
#define wcsnlen iocp_wcsnlen
#undef wcscpy
#define wcscpy iocp_wcscpy
#undef wcsncpy
#define wcsncpy iocp_wcsncpy
#undef wcscat
#define wcscat iocp_wcscat
#undef wcsncat
#define wcsncat iocp_wcsncat
#undef wcscmp
#define wcscmp iocp_wcscmp
#undef wcsncmp
#define wcsncmp iocp_wcsncmp
#undef wcscoll
#define wcscoll iocp_wcscoll
#undef wcschr
#define wcschr iocp_wcschr
#undef wcsrchr
#define wcsrchr iocp_wcsrchr
#undef wcsstr
#define wcsstr iocp_wcsstr
#undef wcspbrk
#define wcspbrk iocp_wcspbrk
#undef wcsspn
#define wcsspn iocp_wcsspn
#undef wcscspn
#define wcscspn iocp_wcscspn
#undef wcstok
#define wcstok iocp_wcstok
#undef wcsdup
#define wcsdup iocp_wcsdup
#undef wcstol
#define wcstol iocp_wcstol
#undef wcstoul
#define wcstoul iocp_wcstoul
#undef wcstoll
#define wcstoll iocp_wcstoll
#undef wcstoull
#define wcstoull iocp_wcstoull
#undef wcstod
#define wcstod iocp_wcstod
#undef wcstof
#define wcstof iocp_wcstof
#undef wmemcpy
#define wmemcpy iocp_wmemcpy
#undef wmemmove
#define wmemmove iocp_wmemmove
#undef wmemset
#define wmemset iocp_wmemset
#undef wmemcmp
#define wmemcmp iocp_wmemcmp
#undef wmemchr
#define wmemchr iocp_wmemchr
#undef swprintf
#define swprintf iocp_swprintf
#undef vswprintf
#define vswprintf iocp_vswprintf
#undef wprintf
#define wprintf iocp_wprintf
#undef fwprintf
#define fwprintf iocp_fwprintf
#undef vwprintf
#define vwprintf iocp_vwprintf
#undef vfwprintf
#define vfwprintf iocp_vfwprintf
#undef fputws
#define fputws iocp_fputws
#undef mbstowcs
#define mbstowcs iocp_mbstowcs
#undef wcstombs
#define wcstombs iocp_wcstombs
#undef btowc
#define btowc iocp_refused_btowc
#undef wctob
#define wctob iocp_refused_wctob
#undef mbrtowc
#define mbrtowc iocp_refused_mbrtowc
#undef wcrtomb
#define wcrtomb iocp_refused_wcrtomb
#undef mbsrtowcs
#define mbsrtowcs iocp_refused_mbsrtowcs
#undef wcsrtombs
#define wcsrtombs iocp_refused_wcsrtombs
#undef mbtowc
#define mbtowc iocp_refused_mbtowc
#undef wctomb
#define wctomb iocp_refused_wctomb
#undef fgetwc
#define fgetwc iocp_refused_fgetwc
#undef getwc
#define getwc iocp_refused_getwc
#undef getwchar
#define getwchar iocp_refused_getwchar
#undef fgetws
#define fgetws iocp_refused_fgetws
#undef fputwc
#define fputwc iocp_refused_fputwc
#undef putwc
#define putwc iocp_refused_putwc
#undef putwchar
#define putwchar iocp_refused_putwchar
#undef ungetwc
#define ungetwc iocp_refused_ungetwc
#undef wscanf
#define wscanf iocp_refused_wscanf
#undef fwscanf
#define fwscanf iocp_refused_fwscanf
#undef swscanf
#define swscanf iocp_refused_swscanf
#undef vwscanf
#define vwscanf iocp_refused_vwscanf
#undef vfwscanf
#define vfwscanf iocp_refused_vfwscanf
#undef vswscanf
#define vswscanf iocp_refused_vswscanf
#undef wcstold
#define wcstold iocp_refused_wcstold
#undef wcsftime
#define wcsftime iocp_refused_wcsftime
#undef wcsxfrm
#define wcsxfrm iocp_refused_wcsxfrm
#endif

#endif
