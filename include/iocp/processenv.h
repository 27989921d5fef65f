/* SPDX-License-Identifier: MIT */
/*
 * processenv.h: environment, command line, current directory, standard handles.
 * Pages: learn.microsoft.com/windows/win32/api/processenv/.
 */
#ifndef _PROCESSENV_
#define _PROCESSENV_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/* ---------- environment: that of getenv and setenv, names keep their case ---------- */

/* The value, into `size` characters. Its length without the terminator; or, if it does not fit, the
 * size needed; or 0: ERROR_ENVVAR_NOT_FOUND, or no error for an empty value. */
WINBASEAPI DWORD WINAPI GetEnvironmentVariableA(LPCSTR name, LPSTR value, DWORD size)
    IOCP_SYM(GetEnvironmentVariableA);
WINBASEAPI DWORD WINAPI GetEnvironmentVariableW(LPCWSTR name, LPWSTR value, DWORD size)
    IOCP_SYM(GetEnvironmentVariableW);

/* value NULL: deletes the variable, if there is one. ERROR_INVALID_PARAMETER: no name. */
WINBASEAPI BOOL WINAPI SetEnvironmentVariableA(LPCSTR name, LPCSTR value) IOCP_SYM(SetEnvironmentVariableA);
WINBASEAPI BOOL WINAPI SetEnvironmentVariableW(LPCWSTR name, LPCWSTR value) IOCP_SYM(SetEnvironmentVariableW);

/* Replaces every %NAME% that is a variable. The size needed, terminator included; more than `size`
 * means that `expanded` is cut. 0: ERROR_NOT_ENOUGH_MEMORY. */
WINBASEAPI DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR text, LPSTR expanded, DWORD size)
    IOCP_SYM(ExpandEnvironmentStringsA);
WINBASEAPI DWORD WINAPI ExpandEnvironmentStringsW(LPCWSTR text, LPWSTR expanded, DWORD size)
    IOCP_SYM(ExpandEnvironmentStringsW);

/* All of it, "NAME=value" after "NAME=value" and an empty one at the end. The caller's, to be freed
 * with FreeEnvironmentStrings; NULL: ERROR_NOT_ENOUGH_MEMORY. */
WINBASEAPI LPCH WINAPI GetEnvironmentStringsA(void) IOCP_SYM(GetEnvironmentStringsA);
WINBASEAPI LPWCH WINAPI GetEnvironmentStringsW(void) IOCP_SYM(GetEnvironmentStringsW);
WINBASEAPI BOOL WINAPI FreeEnvironmentStringsA(LPCH strings) IOCP_SYM(FreeEnvironmentStringsA);
WINBASEAPI BOOL WINAPI FreeEnvironmentStringsW(LPWCH strings) IOCP_SYM(FreeEnvironmentStringsW);

/* ---------- command line, directory, standard handles ---------- */

/* The arguments as one text, quoted by the usual rules. The library's, for ever. */
WINBASEAPI LPSTR WINAPI GetCommandLineA(void) IOCP_SYM(GetCommandLineA);
WINBASEAPI LPWSTR WINAPI GetCommandLineW(void) IOCP_SYM(GetCommandLineW);

/* A Linux path, as getcwd gives it. Length and size as GetEnvironmentVariable. */
WINBASEAPI DWORD WINAPI GetCurrentDirectoryA(DWORD size, LPSTR path) IOCP_SYM(GetCurrentDirectoryA);
WINBASEAPI DWORD WINAPI GetCurrentDirectoryW(DWORD size, LPWSTR path) IOCP_SYM(GetCurrentDirectoryW);

/* ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_DIRECTORY, ERROR_ACCESS_DENIED. */
WINBASEAPI BOOL WINAPI SetCurrentDirectoryA(LPCSTR path) IOCP_SYM(SetCurrentDirectoryA);
WINBASEAPI BOOL WINAPI SetCurrentDirectoryW(LPCWSTR path) IOCP_SYM(SetCurrentDirectoryW);

/* which: STD_INPUT_HANDLE, STD_OUTPUT_HANDLE or STD_ERROR_HANDLE (winbase.h). The handle is not the
 * number 0, 1 or 2, and need not be closed. INVALID_HANDLE_VALUE or FALSE: ERROR_INVALID_HANDLE.
 * SetStdHandle changes what GetStdHandle says, not the descriptor. */
WINBASEAPI HANDLE WINAPI GetStdHandle(DWORD which) IOCP_SYM(GetStdHandle);
WINBASEAPI BOOL WINAPI SetStdHandle(DWORD which, HANDLE handle) IOCP_SYM(SetStdHandle);

#ifdef UNICODE
#define GetEnvironmentVariable   GetEnvironmentVariableW
#define SetEnvironmentVariable   SetEnvironmentVariableW
#define ExpandEnvironmentStrings ExpandEnvironmentStringsW
#define GetEnvironmentStrings    GetEnvironmentStringsW
#define FreeEnvironmentStrings   FreeEnvironmentStringsW
#define GetCommandLine           GetCommandLineW
#define GetCurrentDirectory      GetCurrentDirectoryW
#define SetCurrentDirectory      SetCurrentDirectoryW
#else
#define GetEnvironmentVariable   GetEnvironmentVariableA
#define SetEnvironmentVariable   SetEnvironmentVariableA
#define ExpandEnvironmentStrings ExpandEnvironmentStringsA
#define GetEnvironmentStrings    GetEnvironmentStringsA
#define FreeEnvironmentStrings   FreeEnvironmentStringsA
#define GetCommandLine           GetCommandLineA
#define GetCurrentDirectory      GetCurrentDirectoryA
#define SetCurrentDirectory      SetCurrentDirectoryA
#endif

IOCP_EXTERN_C_END

#endif
