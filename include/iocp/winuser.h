/* SPDX-License-Identifier: MIT */
/*
 * winuser.h: of the window system there is nothing here but what Windows keeps in this header about
 * strings: letter case, steps, wsprintf; a few macros; and the waits that would end with a message.
 * Page: "winuser.h header", learn.microsoft.com/windows/win32/api/winuser/.
 */
#ifndef _WINUSER_
#define _WINUSER_

#include <stdarg.h>
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

/* The same for the first `length` characters of a buffer; answer how many were looked at. */
WINUSERAPI DWORD WINAPI CharUpperBuffA(LPSTR text, DWORD length) IOCP_SYM(CharUpperBuffA);
WINUSERAPI DWORD WINAPI CharUpperBuffW(LPWSTR text, DWORD length) IOCP_SYM(CharUpperBuffW);
WINUSERAPI DWORD WINAPI CharLowerBuffA(LPSTR text, DWORD length) IOCP_SYM(CharLowerBuffA);
WINUSERAPI DWORD WINAPI CharLowerBuffW(LPWSTR text, DWORD length) IOCP_SYM(CharLowerBuffW);

/* One character on, or back but not before start. Steps are bytes (A) and units (W), as on Windows. */
WINUSERAPI LPSTR WINAPI CharNextA(LPCSTR text) IOCP_SYM(CharNextA);
WINUSERAPI LPWSTR WINAPI CharNextW(LPCWSTR text) IOCP_SYM(CharNextW);
WINUSERAPI LPSTR WINAPI CharPrevA(LPCSTR start, LPCSTR text) IOCP_SYM(CharPrevA);
WINUSERAPI LPWSTR WINAPI CharPrevW(LPCWSTR start, LPCWSTR text) IOCP_SYM(CharPrevW);

/*
 * Formats as printf does into a buffer of 1024 characters, which is not exceeded; answers the length without
 * the zero. Beyond what Windows has here, reals are formatted too.
 */
WINUSERAPI int WINAPIV wsprintfA(LPSTR buffer, LPCSTR format, ...) IOCP_SYM(wsprintfA);
WINUSERAPI int WINAPIV wsprintfW(LPWSTR buffer, LPCWSTR format, ...) IOCP_SYM(wsprintfW);
WINUSERAPI int WINAPI wvsprintfA(LPSTR buffer, LPCSTR format, va_list arguments) IOCP_SYM(wvsprintfA);
WINUSERAPI int WINAPI wvsprintfW(LPWSTR buffer, LPCWSTR format, va_list arguments) IOCP_SYM(wvsprintfW);

#ifdef UNICODE
#define MAKEINTRESOURCE MAKEINTRESOURCEW
#define CharUpper       CharUpperW
#define CharUpperBuff   CharUpperBuffW
#define CharLower       CharLowerW
#define CharLowerBuff   CharLowerBuffW
#define CharNext        CharNextW
#define CharPrev        CharPrevW
#define wsprintf        wsprintfW
#define wvsprintf       wvsprintfW
#else
#define MAKEINTRESOURCE MAKEINTRESOURCEA
#define CharUpper       CharUpperA
#define CharUpperBuff   CharUpperBuffA
#define CharLower       CharLowerA
#define CharLowerBuff   CharLowerBuffA
#define CharNext        CharNextA
#define CharPrev        CharPrevA
#define wsprintf        wsprintfA
#define wvsprintf       wvsprintfA
#endif

/* ---------- windows ---------- */

/* wShowWindow of a STARTUPINFO, which nothing here reads. */
#define SW_HIDE            0
#define SW_SHOWNORMAL      1
#define SW_NORMAL          1
#define SW_SHOWMINIMIZED   2
#define SW_SHOWMAXIMIZED   3
#define SW_MAXIMIZE        3
#define SW_SHOWNOACTIVATE  4
#define SW_SHOW            5
#define SW_MINIMIZE        6
#define SW_SHOWMINNOACTIVE 7
#define SW_SHOWNA          8
#define SW_RESTORE         9
#define SW_SHOWDEFAULT     10
#define SW_FORCEMINIMIZE   11

#define SM_NETWORK       63
#define SM_CLEANBOOT     67
#define SM_REMOTESESSION 0x1000

/* A fact about the machine: SM_NETWORK is 3 (there is one), all that has to do with windows 0, and so are
 * SM_CLEANBOOT (a normal start) and what is unknown. */
WINUSERAPI int WINAPI GetSystemMetrics(int index) IOCP_SYM(GetSystemMetrics);

/* ---------- waiting ---------- */

#define MWMO_WAITALL        0x0001
#define MWMO_ALERTABLE      0x0002
#define MWMO_INPUTAVAILABLE 0x0004

#define QS_KEY            0x0001
#define QS_MOUSEMOVE      0x0002
#define QS_MOUSEBUTTON    0x0004
#define QS_POSTMESSAGE    0x0008
#define QS_TIMER          0x0010
#define QS_PAINT          0x0020
#define QS_SENDMESSAGE    0x0040
#define QS_HOTKEY         0x0080
#define QS_ALLPOSTMESSAGE 0x0100
#define QS_RAWINPUT       0x0400
#define QS_MOUSE          (QS_MOUSEMOVE | QS_MOUSEBUTTON)
#define QS_INPUT          (QS_MOUSE | QS_KEY | QS_RAWINPUT)
#define QS_ALLEVENTS      (QS_INPUT | QS_POSTMESSAGE | QS_TIMER | QS_PAINT | QS_HOTKEY)
#define QS_ALLINPUT       (QS_ALLEVENTS | QS_SENDMESSAGE)

/*
 * WaitForMultipleObjectsEx for at most 63 handles, count 0 included (which only sleeps). There are no
 * windows and so no messages: wake_mask never ends the wait. WAIT_FAILED: ERROR_INVALID_PARAMETER and
 * those of the wait.
 */
WINUSERAPI DWORD WINAPI MsgWaitForMultipleObjectsEx(DWORD count, const HANDLE *handles, DWORD ms,
                                                    DWORD wake_mask, DWORD flags)
    IOCP_SYM(MsgWaitForMultipleObjectsEx);
WINUSERAPI DWORD WINAPI MsgWaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD ms,
                                                  DWORD wake_mask) IOCP_SYM(MsgWaitForMultipleObjects);

IOCP_EXTERN_C_END

#endif
