/* SPDX-License-Identifier: MIT */
/*
 * interlockedapi.h: singly linked lists that many threads push to and pop from, last in first out. The
 * Interlocked functions on numbers and pointers are inline, in iocp_atomic.h.
 *
 * SLIST_HEADER and SLIST_ENTRY are aligned to MEMORY_ALLOCATION_ALIGNMENT, as malloc's memory is. Entries
 * belong to the program: a popped one may be freed at once, whatever other threads do. Differs from
 * Windows: a spin-then-sleep lock, not an instruction, guards the list.
 * Page: "interlockedapi.h header", learn.microsoft.com/windows/win32/api/interlockedapi/.
 */
#ifndef _INTERLOCKAPI_H_
#define _INTERLOCKAPI_H_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

WINBASEAPI VOID WINAPI InitializeSListHead(PSLIST_HEADER list) IOCP_SYM(InitializeSListHead);

/* Each answers what was first before the call, or NULL. */
WINBASEAPI PSLIST_ENTRY WINAPI InterlockedPushEntrySList(PSLIST_HEADER list, PSLIST_ENTRY entry)
    IOCP_SYM(InterlockedPushEntrySList);
WINBASEAPI PSLIST_ENTRY WINAPI InterlockedPopEntrySList(PSLIST_HEADER list)
    IOCP_SYM(InterlockedPopEntrySList);

/* Takes everything; the entries stay chained by Next. */
WINBASEAPI PSLIST_ENTRY WINAPI InterlockedFlushSList(PSLIST_HEADER list) IOCP_SYM(InterlockedFlushSList);

/* Pushes a chain of count entries from first to last in one step. */
WINBASEAPI PSLIST_ENTRY WINAPI InterlockedPushListSListEx(PSLIST_HEADER list, PSLIST_ENTRY first,
                                                          PSLIST_ENTRY last, ULONG count)
    IOCP_SYM(InterlockedPushListSListEx);

/* The number of entries, modulo 65536. */
WINBASEAPI USHORT WINAPI QueryDepthSList(PSLIST_HEADER list) IOCP_SYM(QueryDepthSList);

IOCP_ASSERT_SIZE(SLIST_HEADER, 16);
IOCP_ASSERT_SIZE(SLIST_ENTRY, 16);

IOCP_EXTERN_C_END

#endif
