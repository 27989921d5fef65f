/* SPDX-License-Identifier: MIT */
/* The machine, the process, processors, lock-free lists. */
#include "conform.h"

#include <sysinfoapi.h>
#include <versionhelpers.h>

TEST(system_info, "")
{
    SYSTEM_INFO info;
    MEMORYSTATUSEX memory = {.dwLength = sizeof memory};

    GetSystemInfo(&info);
    CHECK(info.dwPageSize >= 4096 && (info.dwPageSize & (info.dwPageSize - 1)) == 0);
    CHECK_EQ(info.dwAllocationGranularity, 0x10000);
    CHECK(info.dwNumberOfProcessors >= 1);
    CHECK(info.dwActiveProcessorMask != 0);
    CHECK(info.lpMaximumApplicationAddress > info.lpMinimumApplicationAddress);
    CHECK(GlobalMemoryStatusEx(&memory));
    CHECK(memory.ullTotalPhys > 0 && memory.ullAvailPhys <= memory.ullTotalPhys);
    CHECK(memory.dwMemoryLoad <= 100);
    memory.dwLength = 5;
    CHECK_ERR(GlobalMemoryStatusEx(&memory), ERROR_INVALID_PARAMETER);
}

TEST(version, "")
{
    OSVERSIONINFOEXA info = {.dwOSVersionInfoSize = sizeof info};
    OSVERSIONINFOW wide = {.dwOSVersionInfoSize = sizeof wide};

    CHECK(GetVersionExA((OSVERSIONINFOA *)&info));
    CHECK(GetVersionExW(&wide));
    CHECK(info.dwMajorVersion >= 6);
    CHECK_EQ(info.dwPlatformId, VER_PLATFORM_WIN32_NT);
    CHECK_EQ(wide.dwMajorVersion, info.dwMajorVersion);
    CHECK_EQ((BYTE)GetVersion(), info.dwMajorVersion);
    info.dwOSVersionInfoSize = 7;
    CHECK_ERR(GetVersionExA((OSVERSIONINFOA *)&info), ERROR_INSUFFICIENT_BUFFER);
}

static BOOL version_is(DWORD major, DWORD minor, BYTE condition)
{
    OSVERSIONINFOEXA wanted = {sizeof wanted, .dwMajorVersion = major, .dwMinorVersion = minor};
    ULONGLONG mask = VerSetConditionMask(0, VER_MAJORVERSION, condition);

    VER_SET_CONDITION(mask, VER_MINORVERSION, condition);
    return VerifyVersionInfoA(&wanted, VER_MAJORVERSION | VER_MINORVERSION, mask);
}

TEST(version_compared, "")
{
    OSVERSIONINFOEXA any = {.dwOSVersionInfoSize = sizeof any};
    OSVERSIONINFOA is = {.dwOSVersionInfoSize = sizeof is};

    CHECK(GetVersionExA(&is));
    CHECK(version_is(is.dwMajorVersion, is.dwMinorVersion, VER_EQUAL));
    CHECK(version_is(is.dwMajorVersion, is.dwMinorVersion, VER_GREATER_EQUAL));
    CHECK(version_is(is.dwMajorVersion, is.dwMinorVersion + 1, VER_LESS));
    CHECK_ERR(version_is(is.dwMajorVersion, is.dwMinorVersion, VER_GREATER), ERROR_OLD_WIN_VERSION);
    CHECK_ERR(version_is(is.dwMajorVersion + 1, 0, VER_GREATER_EQUAL), ERROR_OLD_WIN_VERSION);
    CHECK(version_is(5, 9, VER_GREATER_EQUAL)); /* the major number decides */
    CHECK_ERR(VerifyVersionInfoA(&any, 0, 1), ERROR_BAD_ARGUMENTS);
    CHECK(IsWindows7OrGreater());
    CHECK(!IsWindowsVersionOrGreater(99, 0, 0));
}

TEST(how_processors_share, "")
{
    SYSTEM_LOGICAL_PROCESSOR_INFORMATION few, *all;
    DWORD length = sizeof few, needed;
    ULONG_PTR cores = 0, packages = 0, nodes = 0;
    DWORD_PTR process, system;

    REQUIRE(GetProcessAffinityMask(GetCurrentProcess(), &process, &system));
    CHECK_ERR(GetLogicalProcessorInformation(&few, &length), ERROR_INSUFFICIENT_BUFFER);
    REQUIRE(length > sizeof few && length % sizeof few == 0);
    all = malloc(length);
    needed = length;
    REQUIRE(all != NULL);
    CHECK(GetLogicalProcessorInformation(all, &length));
    CHECK_EQ(length, needed);
    for (DWORD i = 0; i < length / sizeof *all; i++) {
        if (all[i].Relationship == RelationProcessorCore) {
            CHECK_EQ(cores & all[i].ProcessorMask, 0);
            cores |= all[i].ProcessorMask;
        } else if (all[i].Relationship == RelationProcessorPackage) {
            packages |= all[i].ProcessorMask;
        } else if (all[i].Relationship == RelationNumaNode) {
            nodes |= all[i].ProcessorMask;
        } else if (all[i].Relationship == RelationCache) {
            CHECK(all[i].Cache.Level >= 1 && all[i].Cache.Level <= 4);
        }
    }
    CHECK_EQ(process & ~cores, 0);
    CHECK_EQ(packages, cores);
    CHECK_EQ(nodes, cores);
    free(all);
    CHECK_EQ(MulDiv(7, 3, 2), 11);
    CHECK_EQ(MulDiv(-7, 3, 2), -11);
    CHECK_EQ(MulDiv(2000000000, 3, 4), 1500000000);
    CHECK_EQ(MulDiv(2000000000, 3, 2), -1);
    CHECK_EQ(MulDiv(1, 1, 0), -1);
}

TEST(computer_name, "")
{
    char name[MAX_COMPUTERNAME_LENGTH + 1] = "", host[256] = "";
    WCHAR wide[256];
    DWORD size = sizeof name, again = 256, none = 0;

    CHECK(GetComputerNameA(name, &size));
    CHECK_EQ(size, strlen(name));
    CHECK(size > 0);
    CHECK(GetComputerNameExW(ComputerNameDnsHostname, wide, &again));
    CHECK_EQ(again, lstrlenW(wide));
    size = sizeof host;
    CHECK(GetComputerNameExA(ComputerNameDnsHostname, host, &size));
    CHECK_EQ(size, again);
    CHECK_ERR(GetComputerNameExA(ComputerNameDnsHostname, NULL, &none), ERROR_MORE_DATA);
    CHECK_EQ(none, size + 1);
}

TEST(processors_and_masks, "")
{
    DWORD_PTR process = 0, system = 0, before;
    GROUP_AFFINITY group = {0}, old = {0};

    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &process, &system));
    CHECK(process != 0 && (process & ~system) == 0);
    before = SetThreadAffinityMask(GetCurrentThread(), process & (~process + 1));
    CHECK(before != 0);
    CHECK(GetThreadGroupAffinity(GetCurrentThread(), &group));
    CHECK_EQ(group.Mask, process & (~process + 1));
    group.Mask = before;
    CHECK(SetThreadGroupAffinity(GetCurrentThread(), &group, &old));
    CHECK_EQ(old.Mask, process & (~process + 1));
    CHECK_EQ(old.Group, 0);
    CHECK_EQ(SetThreadAffinityMask(GetCurrentThread(), 0), 0);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CHECK(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS) >= 1);
    CHECK_EQ(GetActiveProcessorCount(0), GetActiveProcessorCount(ALL_PROCESSOR_GROUPS));
    CHECK(GetCurrentProcessorNumber() < 64 * 64);
    CHECK(SetProcessAffinityMask(GetCurrentProcess(), process));
}

static ULONGLONG ticks(FILETIME t)
{
    return (ULONGLONG)t.dwHighDateTime << 32 | t.dwLowDateTime;
}

static volatile LONG burnt;

THREAD_FN(burn)
{
    FILETIME created, ended, kernel, user = {0};

    (void)arg;
    while (GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user) &&
           ticks(user) + ticks(kernel) < 300000)
        for (int i = 0; i < 100000; i++)
            burnt = burnt + 1;
    return 0;
}

TEST(processor_time, "")
{
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, burn, NULL, 0, NULL);
    FILETIME created, ended, kernel, user, now;

    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    GetSystemTimeAsFileTime(&now);
    CHECK(GetThreadTimes(thread, &created, &ended, &kernel, &user));
    TODO_WINE("may have forgotten the times of a thread that has ended") {
        CHECK(ticks(kernel) + ticks(user) >= 200000);
    }
    CHECK(ticks(created) != 0 && ticks(ended) >= ticks(created));
    CHECK(ticks(ended) <= ticks(now) + 1000000);
    CloseHandle(thread);
    CHECK(GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user));
    CHECK(ticks(created) != 0 && ticks(created) <= ticks(now) + 10000000);
    CHECK(ticks(kernel) + ticks(user) >= 200000);
    CHECK(GetSystemTimes(&ended, &kernel, &user));
    CHECK(ticks(kernel) >= ticks(ended));
    CHECK_ERR(GetThreadTimes(NULL, &created, &ended, &kernel, &user), ERROR_INVALID_HANDLE);
}

TEST(process_facts, "")
{
    DWORD code = 0;
    ULONG_PTR low = 0, high = 0;

    CHECK_EQ(GetProcessId(GetCurrentProcess()), GetCurrentProcessId());
    CHECK(GetExitCodeProcess(GetCurrentProcess(), &code));
    CHECK_EQ(code, STILL_ACTIVE);
    CHECK_EQ(GetPriorityClass(GetCurrentProcess()), NORMAL_PRIORITY_CLASS);
    CHECK(SetPriorityClass(GetCurrentProcess(), NORMAL_PRIORITY_CLASS));
    CHECK_ERR(SetPriorityClass(GetCurrentProcess(), 12345), ERROR_INVALID_PARAMETER);
    GetCurrentThreadStackLimits(&low, &high);
    CHECK((ULONG_PTR)&low > low && (ULONG_PTR)&low < high);
}

/* ---- lock-free lists ---- */

struct item {
    SLIST_ENTRY entry;
    LONG value;
};

static SLIST_HEADER list;
static struct item items[4][250];
static volatile LONG popped, sum;

THREAD_FN(push_and_pop)
{
    struct item *mine = arg;

    for (int i = 0; i < 250; i++) {
        struct item *got;

        InterlockedPushEntrySList(&list, &mine[i].entry);
        if (i % 3 == 0 && (got = (struct item *)InterlockedPopEntrySList(&list)) != NULL) {
            InterlockedIncrement(&popped);
            InterlockedExchangeAdd(&sum, got->value);
        }
    }
    return 0;
}

TEST(slist_loses_nothing, "")
{
    HANDLE threads[4];
    LONG expected = 0;
    int left = 0;

    InitializeSListHead(&list);
    CHECK(InterlockedPopEntrySList(&list) == NULL);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 250; k++)
            expected += items[i][k].value = i * 1000 + k;
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, push_and_pop, items[i], 0, NULL);
    }
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, 20000), WAIT_OBJECT_0);
    for (int i = 0; i < 4; i++)
        CloseHandle(threads[i]);
    CHECK_EQ(QueryDepthSList(&list), 1000 - popped);
    for (SLIST_ENTRY *e = InterlockedFlushSList(&list); e; e = e->Next, left++)
        sum += ((struct item *)e)->value;
    CHECK_EQ(left, 1000 - popped);
    CHECK_EQ(sum, expected);
    CHECK_EQ(QueryDepthSList(&list), 0);
}

TEST(interlocked_answers, "")
{
    volatile LONG n = 5;
    volatile LONG64 big = 1ll << 40;
    void *volatile p = NULL;

    CHECK_EQ(InterlockedIncrement(&n), 6);
    CHECK_EQ(InterlockedDecrement(&n), 5);
    CHECK_EQ(InterlockedExchangeAdd(&n, 3), 5);
    CHECK_EQ(InterlockedAdd(&n, 2), 10);
    CHECK_EQ(InterlockedCompareExchange(&n, 1, 9), 10);
    CHECK_EQ(InterlockedCompareExchange(&n, 1, 10), 10);
    CHECK_EQ(InterlockedOr(&n, 6), 1);
    CHECK_EQ(InterlockedAnd(&n, 3), 7);
    CHECK_EQ(InterlockedXor(&n, 1), 3);
    CHECK_EQ(InterlockedExchange(&n, 9), 2);
    CHECK_EQ(InterlockedIncrement64(&big), (1ll << 40) + 1);
    CHECK_EQ(InterlockedExchangeAdd64(&big, 1), (1ll << 40) + 1);
    CHECK(InterlockedExchangePointer(&p, (void *)&n) == NULL);
    CHECK(InterlockedCompareExchangePointer(&p, NULL, (void *)&n) == (void *)&n);
    CHECK(p == NULL);
}

TEST(interlocked_bits, "")
{
    LONG words[3] = {0, 0, 0};
    LONG64 big = 0;

    CHECK(!InterlockedBitTestAndSet(words, 31));
    CHECK(!InterlockedBitTestAndSet(words, 33)); /* bit 1 of the second word */
    CHECK_EQ((DWORD)words[0], 0x80000000);
    CHECK_EQ(words[1], 2);
    CHECK(InterlockedBitTestAndReset(words, 33));
    CHECK(InterlockedBitTestAndComplement(words, 31));
    CHECK_EQ(words[0] | words[1], 0);
    CHECK(!InterlockedBitTestAndSet64(&big, 40));
    CHECK_EQ(big, 1ll << 40);
    CHECK(InterlockedBitTestAndReset64(&big, 40));
    CHECK_EQ(big, 0);
}
