/* SPDX-License-Identifier: MIT */
/*
 * Heaps. Every block comes from malloc with a header that knows its exact size and its heap. The
 * process heap keeps no list; a heap made by HeapCreate links its blocks, so that HeapDestroy can
 * free what the program left, and counts them against its maximum size if it has one. One lock
 * serves all lists: it is held over a few stores only, and fork can take it.
 */
#include <windows.h>

#include "api/api.h"
#include "base/fork.h"
#include "base/lock.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct heap {
    struct heap_block *blocks; /* guarded by lists_lock */
    size_t used;               /* guarded by lists_lock */
    size_t maximum;            /* constant; 0 means no limit */
    bool is_process;           /* constant */
};

/* 48 bytes, a multiple of malloc's alignment. */
struct heap_block {
    struct heap *heap;              /* borrowed: the heap outlives its blocks */
    struct heap_block *next;
    struct heap_block **link;       /* what points to this block */
    size_t size;
    uint64_t reserved[2];
    char data[];
};
_Static_assert(sizeof(struct heap_block) % 16 == 0, "blocks keep malloc's alignment");

static struct lock lists_lock = LOCK_INIT(LOCK_LEAF);
static struct heap process_heap = {.is_process = true};

FORK_HOOK(&lists_lock, LOCK_LEAF, NULL); /* a child has the same blocks */

static struct heap_block *block_of(void *memory)
{
    return (struct heap_block *)((char *)memory - sizeof(struct heap_block));
}

/* Takes the difference from the heap's allowance. */
static bool charge(struct heap *heap, size_t before, size_t after)
{
    lock_assert_held(&lists_lock);
    if (heap->maximum && after > before && after - before > heap->maximum - heap->used)
        return false;
    heap->used += after - before;
    return true;
}

static void attach(struct heap *heap, struct heap_block *block)
{
    lock_assert_held(&lists_lock);
    block->heap = heap;
    block->next = heap->blocks;
    block->link = &heap->blocks;
    if (block->next)
        block->next->link = &block->next;
    heap->blocks = block;
}

static void detach(struct heap_block *block)
{
    lock_assert_held(&lists_lock);
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
}

HANDLE WINAPI GetProcessHeap(void)
{
    return &process_heap;
}

HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize)
{
    struct heap *heap;

    if (flOptions & HEAP_GENERATE_EXCEPTIONS) {
        last_error_set(ERROR_CALL_NOT_IMPLEMENTED);
        return NULL;
    }
    if (dwMaximumSize && dwInitialSize > dwMaximumSize) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    heap = calloc(1, sizeof *heap);
    if (!heap) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    heap->maximum = dwMaximumSize;
    return heap;
}

BOOL WINAPI HeapDestroy(HANDLE hHeap)
{
    struct heap *heap = hHeap;

    if (!heap || heap->is_process) {
        last_error_set(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    while (heap->blocks) {
        struct heap_block *block = heap->blocks;

        heap->blocks = block->next;
        free(block);
    }
    free(heap);
    return TRUE;
}

/* Failures of HeapAlloc and HeapReAlloc set no last error, as documented; a caller who looks all
 * the same finds "out of memory". */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
    struct heap *heap = hHeap;
    struct heap_block *block;
    bool allowed;

    if (!heap || dwBytes > PTRDIFF_MAX - sizeof *block) {
        last_error_set(heap ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_HANDLE);
        return NULL;
    }
    block = dwFlags & HEAP_ZERO_MEMORY ? calloc(1, sizeof *block + dwBytes)
                                       : malloc(sizeof *block + dwBytes);
    if (!block) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    block->size = dwBytes;
    if (heap->is_process) {
        block->heap = heap;
        return block->data;
    }
    lock_acquire(&lists_lock);
    allowed = charge(heap, 0, dwBytes);
    if (allowed)
        attach(heap, block);
    lock_release(&lists_lock);
    if (!allowed) {
        free(block);
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    return block->data;
}

static struct heap_block *grow(struct heap_block *block, DWORD flags, size_t size)
{
    return flags & HEAP_REALLOC_IN_PLACE_ONLY ? NULL : realloc(block, sizeof *block + size);
}

/* A listed block may move only while it is off the list. */
static struct heap_block *grow_listed(struct heap *heap, struct heap_block *block, DWORD flags, size_t size)
{
    size_t before = block->size;
    struct heap_block *grown;
    bool allowed;

    lock_acquire(&lists_lock);
    allowed = charge(heap, before, size);
    if (allowed)
        detach(block);
    lock_release(&lists_lock);
    if (!allowed)
        return NULL;
    grown = grow(block, flags, size);
    lock_acquire(&lists_lock);
    attach(heap, grown ? grown : block);
    if (!grown)
        charge(heap, size, before);
    lock_release(&lists_lock);
    return grown;
}

static void shrink(struct heap *heap, struct heap_block *block, size_t size)
{
    if (!heap->is_process) {
        lock_acquire(&lists_lock);
        charge(heap, block->size, size);
        lock_release(&lists_lock);
    }
    block->size = size;
}

LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
    struct heap *heap = hHeap;
    struct heap_block *block;
    size_t before;

    if (!heap || !lpMem || block_of(lpMem)->heap != heap) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    block = block_of(lpMem);
    before = block->size;
    if (dwBytes <= before) {
        shrink(heap, block, dwBytes);
        return lpMem;
    }
    if (dwBytes > PTRDIFF_MAX - sizeof *block)
        block = NULL;
    else
        block = heap->is_process ? grow(block, dwFlags, dwBytes) : grow_listed(heap, block, dwFlags, dwBytes);
    if (!block) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    block->size = dwBytes;
    if (dwFlags & HEAP_ZERO_MEMORY)
        memset(block->data + before, 0, dwBytes - before);
    return block->data;
}

BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
    struct heap *heap = hHeap;
    struct heap_block *block;

    (void)dwFlags;
    if (!lpMem)
        return TRUE;
    block = block_of(lpMem);
    if (!heap || block->heap != heap) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!heap->is_process) {
        lock_acquire(&lists_lock);
        charge(heap, block->size, 0);
        detach(block);
        lock_release(&lists_lock);
    }
    block->heap = NULL;
    free(block);
    return TRUE;
}

SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
    (void)dwFlags;
    if (!hHeap || !lpMem || block_of((void *)lpMem)->heap != hHeap)
        return (SIZE_T)-1;
    return block_of((void *)lpMem)->size;
}

/* A block is whole if it knows its heap; a heap, if its list holds together. */
BOOL WINAPI HeapValidate(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
    struct heap *heap = hHeap;
    bool whole = true;

    (void)dwFlags;
    if (lpMem)
        return block_of((void *)lpMem)->heap == heap;
    if (heap->is_process)
        return TRUE;
    lock_acquire(&lists_lock);
    for (struct heap_block **link = &heap->blocks; *link && whole; link = &(*link)->next)
        whole = (*link)->heap == heap && (*link)->link == link;
    lock_release(&lists_lock);
    return whole;
}

/* Free memory is malloc's business: the largest free block is not known. */
SIZE_T WINAPI HeapCompact(HANDLE hHeap, DWORD dwFlags)
{
    (void)hHeap;
    (void)dwFlags;
    malloc_trim(0);
    last_error_set(NO_ERROR);
    return 0;
}

/* Both wishes of programs are true of malloc anyway: it ends the process when it finds itself corrupt,
 * and keeps sizes apart, which is what "low fragmentation" (2) means. */
BOOL WINAPI HeapSetInformation(HANDLE HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass,
                               PVOID HeapInformation, SIZE_T HeapInformationLength)
{
    bool known = HeapInformationClass == HeapEnableTerminationOnCorruption;

    if (HeapInformationClass == HeapCompatibilityInformation)
        known = HeapHandle && HeapInformation && HeapInformationLength == sizeof(ULONG) &&
                *(const ULONG *)HeapInformation == 2;
    if (!known)
        last_error_set(ERROR_INVALID_PARAMETER);
    return known;
}
