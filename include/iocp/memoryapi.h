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

IOCP_ASSERT_SIZE(MEMORY_BASIC_INFORMATION, 48);

IOCP_EXTERN_C_END

#endif
