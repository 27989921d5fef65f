/* SPDX-License-Identifier: MIT */
/*
 * consoleapi.h: being told that the user or the system wants the program to end. Screen buffers,
 * console input and titles are not there.
 * Pages: learn.microsoft.com/windows/console/.
 */
#ifndef _APISETCONSOLE_
#define _APISETCONSOLE_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define CTRL_C_EVENT        0 /* SIGINT */
#define CTRL_BREAK_EVENT    1 /* SIGQUIT */
#define CTRL_CLOSE_EVENT    2 /* SIGTERM, SIGHUP */
#define CTRL_LOGOFF_EVENT   5 /* never sent */
#define CTRL_SHUTDOWN_EVENT 6 /* never sent */

/* Runs on a thread of its own. TRUE: handled; FALSE: ask the handler registered before. */
typedef BOOL(WINAPI *PHANDLER_ROUTINE)(DWORD event);

/*
 * add: registers the handler, which is asked before the earlier ones; else takes its last registration
 * away. handler NULL: with `add` Ctrl+C is ignored from now on, also by children that CreateProcess starts
 * then, until they install a handler of their own (on Windows they go on ignoring it); without it handled
 * again. From the first registration on the library catches SIGINT, SIGQUIT, SIGTERM and SIGHUP; where no
 * handler answers TRUE, the signal's default action follows; five seconds after CTRL_CLOSE_EVENT, in any
 * case. ERROR_INVALID_PARAMETER (not registered), ERROR_NOT_ENOUGH_MEMORY.
 */
WINBASEAPI BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE handler, BOOL add)
    IOCP_SYM(SetConsoleCtrlHandler);

/*
 * Sends CTRL_C_EVENT (SIGINT) or CTRL_BREAK_EVENT (SIGQUIT) to a process group: that of
 * CREATE_NEW_PROCESS_GROUP, whose number is the id of its first process, or, with 0, the caller's own,
 * the caller included. Ctrl+C goes to the caller's own only: another group is not told, though the call
 * succeeds. ERROR_INVALID_PARAMETER: no such event, no such group.
 */
WINBASEAPI BOOL WINAPI GenerateConsoleCtrlEvent(DWORD event, DWORD group) IOCP_SYM(GenerateConsoleCtrlEvent);

/*
 * Writes `length` characters to a terminal. As there, a handle of anything else (output that goes to a file
 * or a pipe) is ERROR_INVALID_HANDLE: WriteFile writes to it. `written` may be NULL; reserved is ignored.
 */
WINBASEAPI BOOL WINAPI WriteConsoleA(HANDLE console, const VOID *text, DWORD length, LPDWORD written,
                                     LPVOID reserved) IOCP_SYM(WriteConsoleA);
WINBASEAPI BOOL WINAPI WriteConsoleW(HANDLE console, const VOID *text, DWORD length, LPDWORD written,
                                     LPVOID reserved) IOCP_SYM(WriteConsoleW);

/* The code page of a terminal is UTF-8, 65001; another cannot be set: ERROR_INVALID_PARAMETER. */
WINBASEAPI UINT WINAPI GetConsoleCP(VOID) IOCP_SYM(GetConsoleCP);
WINBASEAPI UINT WINAPI GetConsoleOutputCP(VOID) IOCP_SYM(GetConsoleOutputCP);
WINBASEAPI BOOL WINAPI SetConsoleCP(UINT code_page) IOCP_SYM(SetConsoleCP);
WINBASEAPI BOOL WINAPI SetConsoleOutputCP(UINT code_page) IOCP_SYM(SetConsoleOutputCP);

#ifdef UNICODE
#define WriteConsole WriteConsoleW
#else
#define WriteConsole WriteConsoleA
#endif

IOCP_EXTERN_C_END

#endif
