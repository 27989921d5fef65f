/* SPDX-License-Identifier: MIT */
/*
 * Memory: blocks of heaps, reservations, views of files. A block is handed back once, by the call that
 * belongs to it; sizes, flags, alignments and addresses beside it are anything.
 */
#ifndef FUZZ_CAREFUL_MEMORY_H
#define FUZZ_CAREFUL_MEMORY_H

enum { BLOCKS = 8, REGIONS = 4, REGION_SIZE = 0x20000 };

static HANDLE heap;
static void *blocks[BLOCKS], *locals[BLOCKS], *globals[BLOCKS], *regions[REGIONS], *views[REGIONS];

static SIZE_T any_size(void)
{
    return rnd(4) ? rnd(5000) : (SIZE_T)any_number();
}

/* Sizes beyond what a sanitizer's allocator gives end the program there; this library says 0. */
static SIZE_T heap_size(void)
{
    return rnd(4) ? rnd(5000) : rnd(1 << 20);
}

static DWORD heap_flags(void)
{
    return (rnd(2) ? 0 : (DWORD)any_number()) & ~(DWORD)HEAP_GENERATE_EXCEPTIONS;
}

static HANDLE any_heap(void)
{
    if (!heap)
        heap = HeapCreate(0, 0, 0);
    return heap;
}

/* With its blocks. */
static uintptr_t careful_HeapDestroy(void)
{
    BOOL ok = HeapDestroy(any_heap());

    memset(blocks, 0, sizeof blocks);
    heap = NULL;
    return (uintptr_t)ok;
}

static uintptr_t careful_HeapCreate(void)
{
    careful_HeapDestroy();
    heap = HeapCreate(heap_flags(), heap_size(), rnd(2) ? 0 : any_size());
    return heap != NULL;
}

static uintptr_t careful_HeapAlloc(void)
{
    void **b = &blocks[rnd(BLOCKS)];

    if (!*b)
        *b = HeapAlloc(any_heap(), heap_flags(), heap_size());
    return TRUE; /* NULL leaves the last error alone */
}

static uintptr_t careful_HeapReAlloc(void)
{
    void **b = &blocks[rnd(BLOCKS)], *moved;

    if (*b && (moved = HeapReAlloc(any_heap(), heap_flags(), *b, heap_size())) != NULL)
        *b = moved;
    return TRUE;
}

static uintptr_t careful_HeapFree(void)
{
    void **b = &blocks[rnd(BLOCKS)], *old = *b;

    *b = NULL;
    return (uintptr_t)HeapFree(any_heap(), heap_flags(), old);
}

static uintptr_t careful_HeapSize(void)
{
    void *b = blocks[rnd(BLOCKS)];

    return !b || HeapSize(any_heap(), heap_flags(), b) != (SIZE_T)-1;
}

static uintptr_t careful_HeapValidate(void)
{
    return (uintptr_t)HeapValidate(any_heap(), heap_flags(), blocks[rnd(BLOCKS)]);
}

static uintptr_t careful_HeapCompact(void)
{
    HeapCompact(any_heap(), heap_flags());
    return TRUE;
}

static uintptr_t careful_HeapSetInformation(void)
{
    return (uintptr_t)HeapSetInformation(rnd(2) ? any_heap() : NULL, (HEAP_INFORMATION_CLASS)rnd(4),
                                         rnd(2) ? data : NULL, rnd(2) ? 4 : any_size());
}

static uintptr_t careful_LocalAlloc(void)
{
    void **b = &locals[rnd(BLOCKS)];

    if (!*b)
        *b = LocalAlloc((UINT)any_number(), heap_size());
    return TRUE;
}

static uintptr_t careful_LocalFree(void)
{
    void **b = &locals[rnd(BLOCKS)];

    *b = LocalFree(*b);
    return *b == NULL;
}

static uintptr_t careful_LocalReAlloc(void)
{
    void **b = &locals[rnd(BLOCKS)], *moved;

    if (*b && (moved = LocalReAlloc(*b, heap_size(), rnd(2) ? LMEM_MOVEABLE : (UINT)any_number())) != NULL)
        *b = moved;
    return TRUE;
}

static uintptr_t careful_LocalSize(void)
{
    void *b = locals[rnd(BLOCKS)];

    if (b)
        LocalSize(b);
    return TRUE;
}

static uintptr_t careful_LocalLock(void)
{
    void *b = locals[rnd(BLOCKS)];

    return !b || LocalLock(b) != NULL;
}

static uintptr_t careful_LocalUnlock(void)
{
    void *b = locals[rnd(BLOCKS)];

    if (b)
        LocalUnlock(b); /* FALSE and no error: nobody holds it now */
    return TRUE;
}

static uintptr_t careful_GlobalAlloc(void)
{
    void **b = &globals[rnd(BLOCKS)];

    if (!*b)
        *b = GlobalAlloc((UINT)any_number(), heap_size());
    return TRUE;
}

static uintptr_t careful_GlobalFree(void)
{
    void **b = &globals[rnd(BLOCKS)];

    *b = GlobalFree(*b);
    return *b == NULL;
}

static uintptr_t careful_GlobalReAlloc(void)
{
    void **b = &globals[rnd(BLOCKS)], *moved;

    if (*b && (moved = GlobalReAlloc(*b, heap_size(), rnd(2) ? GMEM_MOVEABLE : (UINT)any_number())) != NULL)
        *b = moved;
    return TRUE;
}

static uintptr_t careful_GlobalSize(void)
{
    void *b = globals[rnd(BLOCKS)];

    if (b)
        GlobalSize(b);
    return TRUE;
}

static uintptr_t careful_GlobalLock(void)
{
    void *b = globals[rnd(BLOCKS)];

    return !b || GlobalLock(b) != NULL;
}

static uintptr_t careful_GlobalUnlock(void)
{
    void *b = globals[rnd(BLOCKS)];

    if (b)
        GlobalUnlock(b);
    return TRUE;
}

/* ---- reservations ---- */

/* In one of ours, anywhere, or nothing at all. */
static void *any_place(void)
{
    char *r = regions[rnd(REGIONS)];

    if (rnd(16) == 0)
        return (void *)(uintptr_t)(rnd(2) ? any_number() : UINT64_C(0x7FFFFFFFF000));
    return r ? r + rnd(REGION_SIZE + 4096) : NULL;
}

static SIZE_T place_size(void)
{
    return rnd(16) ? rnd(REGION_SIZE + 4096) : UINT64_MAX - rnd(2);
}

/* Commits in a reservation, or makes one; what else it makes (by chance) is given back at once. */
static uintptr_t careful_VirtualAlloc(void)
{
    unsigned i = rnd(REGIONS);
    bool old = regions[i] != NULL;
    void *where = old ? any_place() : NULL;
    DWORD type = rnd(4) ? (old ? MEM_COMMIT : MEM_RESERVE) : (DWORD)any_number();
    DWORD protect = rnd(4) ? PAGE_READWRITE : (DWORD)any_number();
    void *got = VirtualAlloc(where, old ? place_size() : REGION_SIZE, type, protect);

    if (!got)
        return FALSE;
    if (!old && !where && (type & MEM_RESERVE))
        regions[i] = got;
    else if (!where || (type & MEM_RESERVE))
        VirtualFree(got, 0, MEM_RELEASE);
    return TRUE;
}

static uintptr_t careful_VirtualFree(void)
{
    unsigned i = rnd(REGIONS);
    bool whole = rnd(4) == 0;
    void *where = whole ? regions[i] : any_place();
    DWORD type = whole ? MEM_RELEASE : rnd(4) ? MEM_DECOMMIT : (DWORD)any_number();
    BOOL ok = VirtualFree(where, whole ? 0 : place_size(), type);

    for (unsigned r = 0; ok && (type & MEM_RELEASE) && r < REGIONS; r++)
        if (regions[r] == where)
            regions[r] = NULL;
    return (uintptr_t)ok;
}

static uintptr_t careful_VirtualProtect(void)
{
    DWORD before;

    return (uintptr_t)VirtualProtect(any_place(), place_size(), rnd(2) ? PAGE_READONLY : (DWORD)any_number(),
                                     rnd(16) ? &before : NULL);
}

static uintptr_t careful_VirtualQuery(void)
{
    MEMORY_BASIC_INFORMATION about;

    return VirtualQuery(any_place(), &about, rnd(16) ? sizeof about : rnd(sizeof about)) != 0;
}

static uintptr_t careful_VirtualLock(void)
{
    return (uintptr_t)VirtualLock(any_place(), rnd(8192));
}

static uintptr_t careful_VirtualUnlock(void)
{
    return (uintptr_t)VirtualUnlock(any_place(), rnd(8192));
}

/* ---- views ---- */

static uintptr_t view_keep(void *view)
{
    unsigned i = rnd(REGIONS);

    if (!view)
        return FALSE;
    if (views[i])
        UnmapViewOfFile(views[i]);
    views[i] = view;
    return TRUE;
}

static uintptr_t careful_MapViewOfFile(void)
{
    return view_keep(MapViewOfFile((HANDLE)any_handle(), (DWORD)any_number(),
                                   rnd(8) ? 0 : (DWORD)any_number(), rnd(4) ? 0 : (DWORD)any_number(),
                                   rnd(2) ? 0 : any_size()));
}

/* Never where something of the program lies. */
static uintptr_t careful_MapViewOfFileEx(void)
{
    return view_keep(MapViewOfFileEx((HANDLE)any_handle(), (DWORD)any_number(), 0,
                                     rnd(4) ? 0 : (DWORD)any_number(), rnd(2) ? 0 : any_size(),
                                     rnd(2) ? NULL : (void *)(uintptr_t)(rnd(0x1000) << 12 | rnd(2))));
}

static uintptr_t careful_FlushViewOfFile(void)
{
    return (uintptr_t)FlushViewOfFile(views[rnd(REGIONS)], rnd(2) ? 0 : any_size());
}

static uintptr_t careful_UnmapViewOfFile(void)
{
    void **v = &views[rnd(REGIONS)], *old = *v;

    *v = NULL;
    return (uintptr_t)UnmapViewOfFile(old ? old : (void *)any_number());
}

static void memory_clear(void)
{
    for (unsigned i = 0; i < REGIONS; i++) {
        if (views[i])
            UnmapViewOfFile(views[i]);
        if (regions[i])
            VirtualFree(regions[i], 0, MEM_RELEASE);
        views[i] = regions[i] = NULL;
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        LocalFree(locals[i]);
        GlobalFree(globals[i]);
        locals[i] = globals[i] = NULL;
    }
    careful_HeapDestroy();
}

#endif
