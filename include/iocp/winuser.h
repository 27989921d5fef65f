/* SPDX-License-Identifier: MIT */
/*
 * winuser.h: of the window system there is nothing here but the letter case of strings, which Windows
 * keeps in this header, and a few macros.
 * Page: "winuser.h header", learn.microsoft.com/windows/win32/api/winuser/.
 */
#ifndef _WINUSER_
#define _WINUSER_

#include <windef.h>

IOCP_EXTERN_C_BEGIN

#define IS_INTRESOURCE(r)  ((((ULONG_PTR)(r)) >> 16) == 0)
#define MAKEINTRESOURCEA(i) ((LPSTR)((ULONG_PTR)((WORD)(i))))
#define MAKEINTRESOURCEW(i) ((LPWSTR)((ULONG_PTR)((WORD)(i))))

/*
 * Change a string in place and answer it; a "pointer" below 65536 is one character, and so is the answer.
 * W: by Unicode's simple table; A: the letters of ASCII, because other letters change their length in UTF-8.
 */
WINUSERAPI LPSTR WINAPI CharUpperA(LPSTR text) IOCP_SYM(CharUpperA);
WINUSERAPI LPWSTR WINAPI CharUpperW(LPWSTR text) IOCP_SYM(CharUpperW);
WINUSERAPI LPSTR WINAPI CharLowerA(LPSTR text) IOCP_SYM(CharLowerA);
WINUSERAPI LPWSTR WINAPI CharLowerW(LPWSTR text) IOCP_SYM(CharLowerW);

#ifdef UNICODE
#define MAKEINTRESOURCE MAKEINTRESOURCEW
#define CharUpper       CharUpperW
#define CharLower       CharLowerW
#else
#define MAKEINTRESOURCE MAKEINTRESOURCEA
#define CharUpper       CharUpperA
#define CharLower       CharLowerA
#endif

IOCP_EXTERN_C_END

#endif
