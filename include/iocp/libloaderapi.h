/* SPDX-License-Identifier: MIT */
/*
 * libloaderapi.h: modules and the functions in them. The system's modules (kernel32, ntdll, ws2_32,
 * mswsock ...) are always loaded and are found in any case, with or without path and ".dll"; they hold
 * what this library has. No other module can be loaded.
 * Pages: learn.microsoft.com/windows/win32/api/libloaderapi/.
 */
#ifndef _APISETLIBLOADER_
#define _APISETLIBLOADER_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define GET_MODULE_HANDLE_EX_FLAG_PIN                0x1
#define GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT 0x2
#define GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS       0x4

/* How LoadLibraryEx is to search and load: accepted and without effect. */
#define DONT_RESOLVE_DLL_REFERENCES         0x00000001
#define LOAD_LIBRARY_AS_DATAFILE            0x00000002
#define LOAD_WITH_ALTERED_SEARCH_PATH       0x00000008
#define LOAD_LIBRARY_AS_IMAGE_RESOURCE      0x00000020
#define LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE  0x00000040
#define LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR    0x00000100
#define LOAD_LIBRARY_SEARCH_APPLICATION_DIR 0x00000200
#define LOAD_LIBRARY_SEARCH_USER_DIRS       0x00000400
#define LOAD_LIBRARY_SEARCH_SYSTEM32        0x00000800
#define LOAD_LIBRARY_SEARCH_DEFAULT_DIRS    0x00001000

/* The module of that name; NULL as a name: the program itself. NULL: ERROR_MOD_NOT_FOUND. */
WINBASEAPI HMODULE WINAPI GetModuleHandleA(LPCSTR name) IOCP_SYM(GetModuleHandleA);
WINBASEAPI HMODULE WINAPI GetModuleHandleW(LPCWSTR name) IOCP_SYM(GetModuleHandleW);

/* The same, into *module. GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: whatever the address, the program. */
WINBASEAPI BOOL WINAPI GetModuleHandleExA(DWORD flags, LPCSTR name, HMODULE *module)
    IOCP_SYM(GetModuleHandleExA);
WINBASEAPI BOOL WINAPI GetModuleHandleExW(DWORD flags, LPCWSTR name, HMODULE *module)
    IOCP_SYM(GetModuleHandleExW);

/* As GetModuleHandle, but not for NULL (ERROR_INVALID_PARAMETER). file: NULL. ERROR_BAD_EXE_FORMAT: the path
 * of a file that is there. */
WINBASEAPI HMODULE WINAPI LoadLibraryA(LPCSTR name) IOCP_SYM(LoadLibraryA);
WINBASEAPI HMODULE WINAPI LoadLibraryW(LPCWSTR name) IOCP_SYM(LoadLibraryW);
WINBASEAPI HMODULE WINAPI LoadLibraryExA(LPCSTR name, HANDLE file, DWORD flags) IOCP_SYM(LoadLibraryExA);
WINBASEAPI HMODULE WINAPI LoadLibraryExW(LPCWSTR name, HANDLE file, DWORD flags) IOCP_SYM(LoadLibraryExW);

/* Nothing is ever unloaded, no thread call ever made. ERROR_INVALID_HANDLE: not a module. */
WINBASEAPI BOOL WINAPI FreeLibrary(HMODULE module) IOCP_SYM(FreeLibrary);
WINBASEAPI BOOL WINAPI DisableThreadLibraryCalls(HMODULE module) IOCP_SYM(DisableThreadLibraryCalls);

/* The function of that name in a module, or NULL: ERROR_PROC_NOT_FOUND (ordinals never are),
 * ERROR_MOD_NOT_FOUND. In the program itself: what it exports dynamically. */
WINBASEAPI FARPROC WINAPI GetProcAddress(HMODULE module, LPCSTR name) IOCP_SYM(GetProcAddress);

/* The path of the file that holds the module, into `size` characters. Its length; or `size` with
 * ERROR_INSUFFICIENT_BUFFER if it was cut; or 0 with ERROR_MOD_NOT_FOUND. */
WINBASEAPI DWORD WINAPI GetModuleFileNameA(HMODULE module, LPSTR path, DWORD size)
    IOCP_SYM(GetModuleFileNameA);
WINBASEAPI DWORD WINAPI GetModuleFileNameW(HMODULE module, LPWSTR path, DWORD size)
    IOCP_SYM(GetModuleFileNameW);

#ifdef UNICODE
#define GetModuleHandle   GetModuleHandleW
#define GetModuleHandleEx GetModuleHandleExW
#define LoadLibrary       LoadLibraryW
#define LoadLibraryEx     LoadLibraryExW
#define GetModuleFileName GetModuleFileNameW
#else
#define GetModuleHandle   GetModuleHandleA
#define GetModuleHandleEx GetModuleHandleExA
#define LoadLibrary       LoadLibraryA
#define LoadLibraryEx     LoadLibraryExA
#define GetModuleFileName GetModuleFileNameA
#endif

IOCP_EXTERN_C_END

#endif
