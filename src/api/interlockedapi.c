/* SPDX-License-Identifier: MIT */
/*
 * interlockedapi.h: singly linked lists. The header's 16 bytes hold a lock word, the depth and the
 * first entry; pushing and popping are a few instructions under that lock, which spares the
 * reading of an entry that another thread has popped and freed.
 */
#include "wait/userlock.h"

#include <windows.h>

#include <stddef.h>

struct slist {
    _Atomic uint32_t lock; /* an SRW word */
    uint32_t depth;
    SLIST_ENTRY *first;
};

_Static_assert(sizeof(struct slist) == sizeof(SLIST_HEADER), "a list lies over an SLIST_HEADER");

static struct slist *lock_list(PSLIST_HEADER head)
{
    struct slist *list = (struct slist *)head;

    srw_lock(&list->lock);
    return list;
}

void WINAPI InitializeSListHead(PSLIST_HEADER ListHead)
{
    *(struct slist *)ListHead = (struct slist){.first = NULL};
}

PSLIST_ENTRY WINAPI InterlockedPushListSListEx(PSLIST_HEADER ListHead, PSLIST_ENTRY List,
                                               PSLIST_ENTRY ListEnd, ULONG Count)
{
    struct slist *list = lock_list(ListHead);
    PSLIST_ENTRY before = list->first;

    ListEnd->Next = before;
    list->first = List;
    list->depth += Count;
    srw_unlock(&list->lock);
    return before;
}

PSLIST_ENTRY WINAPI InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    return InterlockedPushListSListEx(ListHead, ListEntry, ListEntry, 1);
}

PSLIST_ENTRY WINAPI InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    struct slist *list = lock_list(ListHead);
    PSLIST_ENTRY entry = list->first;

    if (entry) {
        list->first = entry->Next;
        list->depth--;
    }
    srw_unlock(&list->lock);
    return entry;
}

PSLIST_ENTRY WINAPI InterlockedFlushSList(PSLIST_HEADER ListHead)
{
    struct slist *list = lock_list(ListHead);
    PSLIST_ENTRY entry = list->first;

    list->first = NULL;
    list->depth = 0;
    srw_unlock(&list->lock);
    return entry;
}

USHORT WINAPI QueryDepthSList(PSLIST_HEADER ListHead)
{
    struct slist *list = lock_list(ListHead);
    USHORT depth = (USHORT)list->depth;

    srw_unlock(&list->lock);
    return depth;
}
