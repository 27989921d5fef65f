/* SPDX-License-Identifier: MIT */
/*
 * VirtualAlloc and its kin. A reservation is a mapping without access and without backing; a table
 * of reservations remembers the state of every page (one byte each, itself a mapping that costs
 * only what is touched), because Windows refuses what Linux would let pass: protecting a page that
 * is not committed, releasing a part, reserving what is reserved. Reservations start on 64 KiB.
 */
#include <windows.h>

#include "api/api.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "io/section.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GRANULARITY = 0x10000 };

struct region {
    struct region *next;
    char *base;
    size_t size;        /* bytes, whole pages */
    uint8_t *pages;     /* per page: 0 reserved, else the low byte of its PAGE_ protection */
    DWORD first_protect;
};

/* Rules: (1) everything here and in the regions is guarded by the lock. */
static struct lock regions_lock = LOCK_INIT(LOCK_GLOBAL);
static struct region *regions;
static size_t page_size;

static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static int linux_protection(DWORD protect)
{
    switch (protect & 0xFF) {
    case PAGE_NOACCESS:
        return PROT_NONE;
    case PAGE_READONLY:
        return PROT_READ;
    case PAGE_READWRITE:
    case PAGE_WRITECOPY:
        return PROT_READ | PROT_WRITE;
    case PAGE_EXECUTE:
        return PROT_EXEC;
    case PAGE_EXECUTE_READ:
        return PROT_READ | PROT_EXEC;
    case PAGE_EXECUTE_READWRITE:
    case PAGE_EXECUTE_WRITECOPY:
        return PROT_READ | PROT_WRITE | PROT_EXEC;
    default:
        return -1;
    }
}

/* Guard pages need exceptions, which do not exist here; cache attributes are only advice. */
static uint32_t check_protection(DWORD protect)
{
    if (linux_protection(protect) < 0 || (protect & ~0x7FFu))
        return ERROR_INVALID_PARAMETER;
    return protect & PAGE_GUARD ? ERROR_CALL_NOT_IMPLEMENTED : 0;
}

static struct region *region_of(const char *address)
{
    lock_assert_held(&regions_lock);
    for (struct region *region = regions; region; region = region->next)
        if (address >= region->base && address < region->base + region->size)
            return region;
    return NULL;
}

/* A mapping without access, aligned to the granularity; at is a wish that must be met, or NULL. */
static char *map_reserved(char *at, size_t size)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *map, *base;
    size_t extra;

    if (at) {
        map = mmap(at, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
        if (map != MAP_FAILED && map != at) {
            munmap(map, size);
            return NULL;
        }
        return map == MAP_FAILED ? NULL : map;
    }
    map = mmap(NULL, size + GRANULARITY, PROT_NONE, flags, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    base = (char *)round_up((uintptr_t)map, GRANULARITY);
    extra = (size_t)(base - map);
    if (extra)
        munmap(map, extra);
    munmap(base + size, GRANULARITY - extra);
    return base;
}

static uint32_t reserve(char *at, size_t size, DWORD protect, struct region **result)
{
    struct region *region = calloc(1, sizeof *region);

    if (!region)
        return ERROR_NOT_ENOUGH_MEMORY;
    region->pages = mmap(NULL, size / page_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region->pages == MAP_FAILED)
        goto no_pages;
    region->base = map_reserved(at, size);
    if (!region->base)
        goto no_map;
    region->size = size;
    region->first_protect = protect;
    region->next = regions;
    regions = region;
    *result = region;
    return 0;

no_map:
    munmap(region->pages, size / page_size);
no_pages:
    free(region);
    return at ? ERROR_INVALID_ADDRESS : ERROR_NOT_ENOUGH_MEMORY;
}

static uint32_t commit(struct region *region, char *from, size_t size, DWORD protect)
{
    if (mprotect(from, size, linux_protection(protect)))
        return errno == ENOMEM ? ERROR_COMMITMENT_LIMIT : ERROR_INVALID_ADDRESS;
    memset(region->pages + (size_t)(from - region->base) / page_size, (int)(protect & 0xFF),
           size / page_size);
    return 0;
}

/* A fresh mapping in place of the old one is the only way that gives the memory back and also
 * promises zeros to the next commit. */
static uint32_t decommit(struct region *region, char *from, size_t size)
{
    if (mmap(from, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
             0) == MAP_FAILED)
        return ERROR_NOT_ENOUGH_MEMORY;
    memset(region->pages + (size_t)(from - region->base) / page_size, 0, size / page_size);
    return 0;
}

static void release(struct region *region)
{
    struct region **link = &regions;

    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    munmap(region->base, region->size);
    munmap(region->pages, region->size / page_size);
    free(region);
}

static uint32_t allocate(char *address, size_t length, DWORD type, DWORD protect, char **result)
{
    char *from = (char *)((uintptr_t)address & ~(page_size - 1));
    size_t size = round_up((size_t)(address - from) + length, page_size);
    struct region *region;
    uint32_t code;
    bool fresh = (type & MEM_RESERVE) || !address;

    if (fresh) {
        if (address) {
            char *low = (char *)((uintptr_t)address & ~((uintptr_t)GRANULARITY - 1));

            size = round_up((size_t)(address - low) + length, page_size);
            from = low;
        }
        code = reserve(address ? from : NULL, size, protect, &region);
        if (code)
            return code;
        from = region->base;
    } else {
        region = region_of(from);
        if (!region || size > region->size - (size_t)(from - region->base))
            return ERROR_INVALID_ADDRESS;
    }
    if (type & MEM_COMMIT) {
        code = commit(region, from, size, protect);
        if (code) {
            if (fresh)
                release(region);
            return code;
        }
    }
    *result = from;
    return 0;
}

static uint32_t check_allocation(LPVOID address, SIZE_T size, DWORD type, DWORD protect)
{
    uint32_t code = check_protection(protect);

    if (code)
        return code;
    if (size == 0 || size > (SIZE_T)1 << 47 || (uintptr_t)address > (uintptr_t)1 << 47)
        return ERROR_INVALID_PARAMETER;
    if (type & MEM_LARGE_PAGES)
        return ERROR_PRIVILEGE_NOT_HELD;
    if (type & (MEM_WRITE_WATCH | MEM_PHYSICAL))
        return ERROR_CALL_NOT_IMPLEMENTED;
    if (type & ~(DWORD)(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_RESET))
        return ERROR_INVALID_PARAMETER;
    if (!(type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET)))
        return ERROR_INVALID_PARAMETER;
    if ((type & MEM_RESET) && ((type & (MEM_COMMIT | MEM_RESERVE)) || !address))
        return ERROR_INVALID_PARAMETER;
    return 0;
}

LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType,
                           DWORD flProtect)
{
    uint32_t code = check_allocation(lpAddress, dwSize, flAllocationType, flProtect);
    char *result = NULL;

    if (!code) {
        lock_acquire(&regions_lock);
        if (!page_size)
            page_size = (size_t)sysconf(_SC_PAGESIZE);
        if (flAllocationType & MEM_RESET) {
            /* "The contents no longer matter": keeping them is allowed. */
            result = (char *)((uintptr_t)lpAddress & ~(page_size - 1));
            code = region_of(result) ? 0 : ERROR_INVALID_ADDRESS;
        } else {
            code = allocate(lpAddress, dwSize, flAllocationType, flProtect, &result);
        }
        lock_release(&regions_lock);
    }
    if (code) {
        last_error_set(code);
        return NULL;
    }
    return result;
}

static uint32_t free_pages(char *address, size_t length, DWORD type)
{
    struct region *region = region_of(address);
    char *from;
    size_t size;

    if (!region)
        return ERROR_INVALID_ADDRESS;
    if (type == MEM_RELEASE) {
        if (address != region->base)
            return ERROR_INVALID_ADDRESS;
        release(region);
        return 0;
    }
    if (length == 0) {
        if (address != region->base)
            return ERROR_INVALID_ADDRESS;
        return decommit(region, region->base, region->size);
    }
    from = (char *)((uintptr_t)address & ~(page_size - 1));
    size = round_up((size_t)(address - from) + length, page_size);
    if (size > region->size - (size_t)(from - region->base))
        return ERROR_INVALID_PARAMETER;
    return decommit(region, from, size);
}

BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType)
{
    uint32_t code;

    if ((dwFreeType != MEM_RELEASE && dwFreeType != MEM_DECOMMIT) ||
        (dwFreeType == MEM_RELEASE && dwSize != 0)) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    lock_acquire(&regions_lock);
    code = free_pages(lpAddress, dwSize, dwFreeType);
    lock_release(&regions_lock);
    if (code)
        last_error_set(code);
    return code == 0;
}

/* Memory that is not ours to know about (the program's image, stacks, malloc): the kernel's list
 * of mappings tells what it is. */
static bool find_mapping(const char *address, char **low, char **high, DWORD *protect)
{
    FILE *maps = fd_open_text("/proc/self/maps");
    unsigned long long first, last;
    char rights[5], line[512];
    bool found = false;

    if (!maps)
        return false;
    while (!found && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%llx-%llx %4s", &first, &last, rights) != 3)
            continue; /* the rest of an overlong line */
        if ((uintptr_t)address < first || (uintptr_t)address >= last)
            continue;
        found = true;
        *low = (char *)(uintptr_t)first;
        *high = (char *)(uintptr_t)last;
        if (rights[2] == 'x')
            *protect = rights[1] == 'w' ? PAGE_EXECUTE_READWRITE
                     : rights[0] == 'r' ? PAGE_EXECUTE_READ : PAGE_EXECUTE;
        else
            *protect = rights[1] == 'w' ? PAGE_READWRITE
                     : rights[0] == 'r' ? PAGE_READONLY : PAGE_NOACCESS;
    }
    fclose(maps);
    return found;
}

static uint32_t protect_pages(char *from, size_t size, DWORD protect, DWORD *old)
{
    struct region *region = region_of(from);
    char *low, *high;
    size_t first;

    if (!region) {
        if (!find_mapping(from, &low, &high, old))
            return ERROR_INVALID_ADDRESS;
        return mprotect(from, size, linux_protection(protect)) ? ERROR_INVALID_ADDRESS : 0;
    }
    first = (size_t)(from - region->base) / page_size;
    if (size > region->size - (size_t)(from - region->base) ||
        memchr(region->pages + first, 0, size / page_size))
        return ERROR_INVALID_ADDRESS;
    *old = region->pages[first];
    return commit(region, from, size, protect);
}

BOOL WINAPI VirtualProtect(LPVOID lpAddress, SIZE_T dwSize, DWORD flNewProtect,
                           PDWORD lpflOldProtect)
{
    uint32_t code = check_protection(flNewProtect);
    DWORD old = 0;

    if (!code && !lpflOldProtect)
        code = ERROR_NOACCESS;
    if (!code && dwSize == 0)
        code = ERROR_INVALID_PARAMETER;
    if (!code) {
        char *from;

        lock_acquire(&regions_lock);
        if (!page_size)
            page_size = (size_t)sysconf(_SC_PAGESIZE);
        from = (char *)((uintptr_t)lpAddress & ~(page_size - 1));
        code = protect_pages(from, round_up((size_t)((char *)lpAddress - from) + dwSize, page_size),
                             flNewProtect, &old);
        lock_release(&regions_lock);
    }
    if (code) {
        last_error_set(code);
        return FALSE;
    }
    *lpflOldProtect = old;
    return TRUE;
}

static void query_region(const struct region *region, char *from, MEMORY_BASIC_INFORMATION *info)
{
    size_t first = (size_t)(from - region->base) / page_size, count = region->size / page_size;
    size_t last = first;
    uint8_t state = region->pages[first];

    while (last < count && region->pages[last] == state)
        last++;
    info->BaseAddress = from;
    info->AllocationBase = region->base;
    info->AllocationProtect = region->first_protect;
    info->RegionSize = (last - first) * page_size;
    info->State = state ? MEM_COMMIT : MEM_RESERVE;
    info->Protect = state;
    info->Type = MEM_PRIVATE;
}

SIZE_T WINAPI VirtualQuery(LPCVOID lpAddress, PMEMORY_BASIC_INFORMATION lpBuffer, SIZE_T dwLength)
{
    struct region *region;
    char *from, *low, *high;
    void *view;

    if (dwLength < sizeof *lpBuffer) {
        last_error_set(ERROR_BAD_LENGTH);
        return 0;
    }
    memset(lpBuffer, 0, sizeof *lpBuffer);
    lock_acquire(&regions_lock);
    if (!page_size)
        page_size = (size_t)sysconf(_SC_PAGESIZE);
    from = (char *)((uintptr_t)lpAddress & ~(page_size - 1));
    region = region_of(from);
    if (region) {
        query_region(region, from, lpBuffer);
    } else if (find_mapping(from, &low, &high, &lpBuffer->Protect)) {
        lpBuffer->BaseAddress = from;
        lpBuffer->AllocationBase = low;
        lpBuffer->AllocationProtect = lpBuffer->Protect;
        lpBuffer->RegionSize = (size_t)(high - from);
        lpBuffer->State = MEM_COMMIT;
        lpBuffer->Type = MEM_PRIVATE;
    } else {
        lpBuffer->BaseAddress = from;
        lpBuffer->RegionSize = page_size;
        lpBuffer->State = MEM_FREE;
        lpBuffer->Protect = PAGE_NOACCESS;
    }
    lock_release(&regions_lock);
    if (!region && section_find(from, &view)) {
        lpBuffer->AllocationBase = view;
        lpBuffer->Type = MEM_MAPPED;
    }
    return sizeof *lpBuffer;
}

BOOL WINAPI VirtualLock(LPVOID lpAddress, SIZE_T dwSize)
{
    return win32_result(mlock(lpAddress, dwSize) ? status_from_errno(errno) : 0);
}

BOOL WINAPI VirtualUnlock(LPVOID lpAddress, SIZE_T dwSize)
{
    return win32_result(munlock(lpAddress, dwSize) ? status_from_errno(errno) : 0);
}

SIZE_T WINAPI GetLargePageMinimum(void)
{
    return 0; /* none: MEM_LARGE_PAGES is refused */
}

FORK_HOOK(&regions_lock, LOCK_GLOBAL, NULL); /* a child has the same pages */
