/* SPDX-License-Identifier: MIT */
/*
 * heapapi.h: heaps over malloc. A heap is named by a HANDLE that no other function takes. Every heap may
 * be used by several threads at once, HEAP_NO_SERIALIZE or not.
 * Page: "heapapi.h header", learn.microsoft.com/windows/win32/api/heapapi/.
 */
#ifndef _HEAPAPI_H_
#define _HEAPAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* The heap that is always there; not to be destroyed. */
WINBASEAPI HANDLE WINAPI GetProcessHeap(VOID) IOCP_SYM(GetProcessHeap);

/*
 * A heap of up to maximum bytes (0: no limit). NULL: ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER
 * (initial > maximum), ERROR_CALL_NOT_IMPLEMENTED (HEAP_GENERATE_EXCEPTIONS).
 */
WINBASEAPI HANDLE WINAPI HeapCreate(DWORD options, SIZE_T initial, SIZE_T maximum) IOCP_SYM(HeapCreate);

/* Frees it and all its blocks. ERROR_INVALID_HANDLE: NULL, or the process heap. */
WINBASEAPI BOOL WINAPI HeapDestroy(HANDLE heap) IOCP_SYM(HeapDestroy);

/* NULL on failure. flags: HEAP_ZERO_MEMORY; for HeapReAlloc also HEAP_REALLOC_IN_PLACE_ONLY, which lets a
 * block shrink only. The block stays as it was if HeapReAlloc fails. */
WINBASEAPI LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size) IOCP_SYM(HeapAlloc);
WINBASEAPI LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID block,
                                     SIZE_T size) IOCP_SYM(HeapReAlloc);

/* NULL is fine. ERROR_INVALID_PARAMETER: a block of another heap. */
WINBASEAPI BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID block) IOCP_SYM(HeapFree);

/* The size that was asked for, or (SIZE_T)-1. */
WINBASEAPI SIZE_T WINAPI HeapSize(HANDLE heap, DWORD flags, LPCVOID block) IOCP_SYM(HeapSize);

/* Whether a block, or with NULL the heap, is in order. */
WINBASEAPI BOOL WINAPI HeapValidate(HANDLE heap, DWORD flags, LPCVOID block) IOCP_SYM(HeapValidate);

/* Gives free memory back to the system. 0 with NO_ERROR: the largest free block is not known. */
WINBASEAPI SIZE_T WINAPI HeapCompact(HANDLE heap, DWORD flags) IOCP_SYM(HeapCompact);

/* HeapEnableTerminationOnCorruption, and HeapCompatibilityInformation with a ULONG of 2, are fulfilled
 * already; all else: ERROR_INVALID_PARAMETER. */
WINBASEAPI BOOL WINAPI HeapSetInformation(HANDLE heap, HEAP_INFORMATION_CLASS what, PVOID value, SIZE_T size)
    IOCP_SYM(HeapSetInformation);

IOCP_EXTERN_C_END

#endif
