/* SPDX-License-Identifier: MIT */
/* Heaps, pages, Local memory: what servers take for granted beside the model. */
#include "conform.h"

TEST(heap_blocks, "")
{
    HANDLE heap = HeapCreate(0, 0, 0);
    char *block;

    REQUIRE(heap != NULL);
    block = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);
    REQUIRE(block != NULL);
    CHECK_EQ(block[0] | block[99], 0);
    CHECK_EQ(HeapSize(heap, 0, block), 100);
    memset(block, 7, 100);
    block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 5000);
    REQUIRE(block != NULL);
    CHECK_EQ(HeapSize(heap, 0, block), 5000);
    CHECK_EQ(block[99], 7);
    CHECK_EQ(block[100] | block[4999], 0);
    CHECK(HeapValidate(heap, 0, block));
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapFree(heap, 0, NULL));
    CHECK(HeapAlloc(heap, 0, 10) != NULL); /* goes with the heap */
    CHECK(HeapDestroy(heap));
}

TEST(heap_of_the_process, "")
{
    HANDLE heap = GetProcessHeap();
    ULONG low_fragmentation = 2;
    char *block = HeapAlloc(heap, 0, 0);

    CHECK(heap != NULL && heap == GetProcessHeap());
    CHECK(block != NULL);
    CHECK_EQ(HeapSize(heap, 0, block), 0);
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0));
    CHECK(HeapSetInformation(heap, HeapCompatibilityInformation, &low_fragmentation, sizeof(ULONG)));
    CHECK(HeapAlloc(heap, 0, (SIZE_T)-100) == NULL);
}

TEST(heap_with_a_limit, "")
{
    HANDLE heap = HeapCreate(0, 0, 0x100000);
    void *block;

    REQUIRE(heap != NULL);
    CHECK(HeapAlloc(heap, 0, 0x200000) == NULL);
    block = HeapAlloc(heap, 0, 0x10000);
    CHECK(block != NULL);
    CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 0x8000) == block);
    CHECK(HeapDestroy(heap));
}

TEST(pages_reserved_committed_released, "")
{
    MEMORY_BASIC_INFORMATION info;
    SYSTEM_INFO system;
    char *base, *page;
    DWORD old = 0;

    GetSystemInfo(&system);
    base = VirtualAlloc(NULL, 0x30000, MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(base != NULL);
    CHECK_EQ((ULONG_PTR)base % system.dwAllocationGranularity, 0);
    CHECK_EQ(VirtualQuery(base + 100, &info, sizeof info), sizeof info);
    CHECK(info.BaseAddress == base && info.AllocationBase == base);
    CHECK_EQ(info.RegionSize, 0x30000);
    CHECK_EQ(info.State, MEM_RESERVE);
    CHECK_EQ(info.Type, MEM_PRIVATE);

    page = VirtualAlloc(base + 0x10010, 1, MEM_COMMIT, PAGE_READWRITE);
    CHECK(page == base + 0x10000);
    CHECK_EQ(page[0] | page[system.dwPageSize - 1], 0);
    page[5] = 1;
    CHECK_EQ(VirtualQuery(page, &info, sizeof info), sizeof info);
    CHECK_EQ(info.RegionSize, system.dwPageSize);
    CHECK_EQ(info.State, MEM_COMMIT);
    CHECK_EQ(info.Protect, PAGE_READWRITE);
    CHECK(info.AllocationBase == base);

    CHECK(VirtualProtect(page, 1, PAGE_READONLY, &old));
    CHECK_EQ(old, PAGE_READWRITE);
    CHECK(VirtualProtect(page, 1, PAGE_READWRITE, &old));
    CHECK_EQ(old, PAGE_READONLY);
    CHECK_ERR(VirtualProtect(base, 1, PAGE_READONLY, &old), ERROR_INVALID_ADDRESS);
    CHECK_ERR(VirtualProtect(page, 1, PAGE_READONLY, NULL), ERROR_NOACCESS);

    CHECK(VirtualFree(page, 1, MEM_DECOMMIT));
    CHECK_EQ(VirtualQuery(page, &info, sizeof info), sizeof info);
    CHECK_EQ(info.State, MEM_RESERVE);
    CHECK(VirtualAlloc(page, 1, MEM_COMMIT, PAGE_READWRITE) == page);
    CHECK_EQ(page[5], 0);

    CHECK_ERR(VirtualFree(base, 0x1000, MEM_RELEASE), ERROR_INVALID_PARAMETER);
    CHECK_ERR(VirtualFree(page, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS);
    CHECK(VirtualFree(base, 0, MEM_RELEASE));
    CHECK_EQ(VirtualQuery(base, &info, sizeof info), sizeof info);
    CHECK_EQ(info.State, MEM_FREE);
}

TEST(pages_where_asked, "")
{
    char *base = VirtualAlloc(NULL, 0x20000, MEM_RESERVE, PAGE_NOACCESS);

    REQUIRE(base != NULL);
    CHECK(VirtualAlloc(base, 0x1000, MEM_RESERVE, PAGE_READWRITE) == NULL);
    CHECK_LASTERR(ERROR_INVALID_ADDRESS);
    CHECK(VirtualFree(base, 0, MEM_RELEASE));
    CHECK(VirtualAlloc(base, 0x1000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == base);
    CHECK(VirtualFree(base, 0, MEM_RELEASE));
    CHECK(VirtualAlloc(NULL, 0, MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CHECK(VirtualAlloc(NULL, 1, MEM_COMMIT, 0) == NULL);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
}

TEST(local_and_global_memory, "")
{
    char *fixed = LocalAlloc(LPTR, 20);
    HGLOBAL moveable = GlobalAlloc(GHND, 30);
    char *locked;

    REQUIRE(fixed != NULL && moveable != NULL);
    CHECK_EQ(fixed[0] | fixed[19], 0);
    CHECK_EQ(LocalSize(fixed), 20);
    locked = GlobalLock(moveable);
    CHECK(locked != NULL);
    locked[29] = 3;
    CHECK_ERR(GlobalUnlock(moveable), NO_ERROR);
    moveable = GlobalReAlloc(moveable, 3000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    REQUIRE(moveable != NULL);
    CHECK_EQ(GlobalSize(moveable), 3000);
    locked = GlobalLock(moveable);
    CHECK_EQ(locked[29], 3);
    CHECK_EQ(locked[2999], 0);
    GlobalUnlock(moveable);
    CHECK(LocalFree(fixed) == NULL);
    CHECK(LocalFree(NULL) == NULL);
    CHECK(GlobalFree(moveable) == NULL);
}

TEST(clearing_and_copying, "")
{
    char a[8] = "abcdefg", b[8];

    CopyMemory(b, a, sizeof a);
    CHECK_MEM(b, a, sizeof a);
    MoveMemory(a + 1, a, 3);
    CHECK_STR(a, "aabcefg");
    FillMemory(b, 3, 'x');
    CHECK_MEM(b, "xxxd", 4);
    ZeroMemory(b, sizeof b);
    SecureZeroMemory(a, sizeof a);
    CHECK_MEM(a, b, sizeof a);
}
