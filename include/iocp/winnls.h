/* SPDX-License-Identifier: MIT */
/*
 * winnls.h: code pages. The process's own code page is UTF-8, as in a Windows program whose manifest
 * asks for it. Conversions are in stringapiset.h. Languages and locales are absent.
 * Page: "winnls.h header", learn.microsoft.com/windows/win32/api/winnls/.
 */
#ifndef _WINNLS_
#define _WINNLS_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define CP_ACP        0
#define CP_OEMCP      1
#define CP_MACCP      2
#define CP_THREAD_ACP 3
#define CP_SYMBOL     42
#define CP_UTF7       65000
#define CP_UTF8       65001

#define MB_PRECOMPOSED       0x00000001
#define MB_COMPOSITE         0x00000002
#define MB_USEGLYPHCHARS     0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008

#define WC_DISCARDNS         0x00000010
#define WC_SEPCHARS          0x00000020
#define WC_DEFAULTCHAR       0x00000040
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_COMPOSITECHECK    0x00000200
#define WC_NO_BEST_FIT_CHARS 0x00000400

#define CSTR_LESS_THAN    1
#define CSTR_EQUAL        2
#define CSTR_GREATER_THAN 3

#define MAX_LEADBYTES   12
#define MAX_DEFAULTCHAR 2

typedef struct _cpinfo {
    UINT MaxCharSize; /* bytes of one character */
    BYTE DefaultChar[MAX_DEFAULTCHAR];
    BYTE LeadByte[MAX_LEADBYTES]; /* none: UTF-8 has lead bytes of another kind, on Windows too */
} CPINFO, *LPCPINFO;

/* CP_UTF8. */
WINBASEAPI UINT WINAPI GetACP(void) IOCP_SYM(GetACP);
WINBASEAPI UINT WINAPI GetOEMCP(void) IOCP_SYM(GetOEMCP);

/* TRUE for CP_UTF8, 28591 (ISO 8859-1) and 20127 (US-ASCII). */
WINBASEAPI BOOL WINAPI IsValidCodePage(UINT code_page) IOCP_SYM(IsValidCodePage);

/* ERROR_INVALID_PARAMETER: no such page. */
WINBASEAPI BOOL WINAPI GetCPInfo(UINT code_page, LPCPINFO info) IOCP_SYM(GetCPInfo);

#define LCMAP_LOWERCASE         0x00000100
#define LCMAP_UPPERCASE         0x00000200
#define LCMAP_LINGUISTIC_CASING 0x01000000

/*
 * Maps `length` characters (-1: up to and with the zero) to lower or upper case, as CharLower and CharUpper
 * do, whatever the locale. Answers how many were written, with size 0 how many there are.
 * ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_INVALID_FLAGS (sort keys, widths and the like).
 */
WINBASEAPI int WINAPI LCMapStringA(LCID locale, DWORD flags, LPCSTR text, int length, LPSTR out, int size)
    IOCP_SYM(LCMapStringA);
WINBASEAPI int WINAPI LCMapStringW(LCID locale, DWORD flags, LPCWSTR text, int length, LPWSTR out, int size)
    IOCP_SYM(LCMapStringW);

#ifdef UNICODE
#define LCMapString LCMapStringW
#else
#define LCMapString LCMapStringA
#endif

/* FALSE: no page here has pairs of bytes. */
WINBASEAPI BOOL WINAPI IsDBCSLeadByte(BYTE byte) IOCP_SYM(IsDBCSLeadByte);
WINBASEAPI BOOL WINAPI IsDBCSLeadByteEx(UINT code_page, BYTE byte) IOCP_SYM(IsDBCSLeadByteEx);

IOCP_EXTERN_C_END

#endif
