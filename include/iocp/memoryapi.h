/* SPDX-License-Identifier: MIT */
/*
 * memoryapi.h: pages. Reserved ranges begin at multiples of 64 KiB, and what is committed reads as zero.
 * Page: "memoryapi.h header", learn.microsoft.com/windows/win32/api/memoryapi/.
 */
#ifndef _MEMORYAPI_H_
#define _MEMORYAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/*
 * MEM_RESERVE takes addresses, MEM_COMMIT gives them memory (with no address: both), MEM_RESET says that
 * the contents no longer matter. address: NULL, or where it should be. protect: PAGE_*. NULL:
 * ERROR_INVALID_ADDRESS (taken, or not reserved), ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
 * ERROR_COMMITMENT_LIMIT, ERROR_PRIVILEGE_NOT_HELD (MEM_LARGE_PAGES), ERROR_CALL_NOT_IMPLEMENTED
 * (PAGE_GUARD, MEM_WRITE_WATCH, MEM_PHYSICAL).
 */
WINBASEAPI LPVOID WINAPI VirtualAlloc(LPVOID address, SIZE_T size, DWORD type, DWORD protect)
    IOCP_SYM(VirtualAlloc);

/* MEM_RELEASE: the whole reservation, by its first address and size 0; MEM_DECOMMIT: pages of it (0: all).
 * ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER. */
WINBASEAPI BOOL WINAPI VirtualFree(LPVOID address, SIZE_T size, DWORD type) IOCP_SYM(VirtualFree);

/* Changes every page that the range touches; *old gets the protection of the first. ERROR_INVALID_ADDRESS
 * (not committed), ERROR_NOACCESS (old is NULL). */
WINBASEAPI BOOL WINAPI VirtualProtect(LPVOID address, SIZE_T size, DWORD protect, PDWORD old)
    IOCP_SYM(VirtualProtect);

/* What is at address, and how far it is the same. Answers the bytes written, or 0: ERROR_BAD_LENGTH. */
WINBASEAPI SIZE_T WINAPI VirtualQuery(LPCVOID address, PMEMORY_BASIC_INFORMATION info, SIZE_T length)
    IOCP_SYM(VirtualQuery);

/* mlock and munlock; how much is allowed is RLIMIT_MEMLOCK. */
WINBASEAPI BOOL WINAPI VirtualLock(LPVOID address, SIZE_T size) IOCP_SYM(VirtualLock);
WINBASEAPI BOOL WINAPI VirtualUnlock(LPVOID address, SIZE_T size) IOCP_SYM(VirtualUnlock);

/* 0: there are no large pages. */
WINBASEAPI SIZE_T WINAPI GetLargePageMinimum(VOID) IOCP_SYM(GetLargePageMinimum);

/* ---------- files in memory ---------- */

#define FILE_MAP_COPY       SECTION_QUERY
#define FILE_MAP_WRITE      SECTION_MAP_WRITE
#define FILE_MAP_READ       SECTION_MAP_READ
#define FILE_MAP_ALL_ACCESS SECTION_ALL_ACCESS
#define FILE_MAP_EXECUTE    SECTION_MAP_EXECUTE_EXPLICIT

/*
 * A section of a file (INVALID_HANDLE_VALUE: of memory) that can be mapped; size 0: of all of it. protect:
 * what the file must have been opened for, and views may do: PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY
 * and PAGE_EXECUTE_*, with SEC_COMMIT, SEC_RESERVE, SEC_NOCACHE. A larger size makes the file grow. A name
 * that exists gives that section, with ERROR_ALREADY_EXISTS. NULL: ERROR_FILE_INVALID (empty),
 * ERROR_ACCESS_DENIED, ERROR_NOT_ENOUGH_MEMORY (it would have to grow, and may not),
 * ERROR_INVALID_PARAMETER, ERROR_CALL_NOT_IMPLEMENTED (SEC_IMAGE, SEC_LARGE_PAGES). Names are known in
 * this process.
 */
WINBASEAPI HANDLE WINAPI CreateFileMappingW(HANDLE file, LPSECURITY_ATTRIBUTES security, DWORD protect,
                                            DWORD size_high, DWORD size, LPCWSTR name)
    IOCP_SYM(CreateFileMappingW);
WINBASEAPI HANDLE WINAPI OpenFileMappingW(DWORD access, BOOL inherit, LPCWSTR name)
    IOCP_SYM(OpenFileMappingW);

/*
 * A view of a section: access FILE_MAP_READ, FILE_MAP_WRITE (the file's), FILE_MAP_COPY (its own),
 * FILE_MAP_EXECUTE. size 0: to the end. `at`: where it has to be, or NULL. It stays when section and file
 * are closed. NULL: ERROR_MAPPED_ALIGNMENT (offset and address are multiples of 64 KiB),
 * ERROR_ACCESS_DENIED (beyond the end, or more than the section may), ERROR_INVALID_ADDRESS (taken).
 */
WINBASEAPI LPVOID WINAPI MapViewOfFile(HANDLE section, DWORD access, DWORD offset_high, DWORD offset,
                                       SIZE_T size) IOCP_SYM(MapViewOfFile);
WINBASEAPI LPVOID WINAPI MapViewOfFileEx(HANDLE section, DWORD access, DWORD offset_high, DWORD offset,
                                         SIZE_T size, LPVOID at) IOCP_SYM(MapViewOfFileEx);

/* By the view's first address. ERROR_INVALID_ADDRESS. */
WINBASEAPI BOOL WINAPI UnmapViewOfFile(LPCVOID view) IOCP_SYM(UnmapViewOfFile);

/*
 * Writes what has changed in a part of a view (size 0: from there to its end) to the file, and waits for
 * that. ERROR_INVALID_ADDRESS.
 */
WINBASEAPI BOOL WINAPI FlushViewOfFile(LPCVOID from, SIZE_T size) IOCP_SYM(FlushViewOfFile);

#ifdef UNICODE
#define CreateFileMapping CreateFileMappingW
#define OpenFileMapping   OpenFileMappingW
#endif

IOCP_ASSERT_SIZE(MEMORY_BASIC_INFORMATION, 48);

IOCP_EXTERN_C_END

#endif
