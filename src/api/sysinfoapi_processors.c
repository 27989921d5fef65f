/* SPDX-License-Identifier: MIT */
/*
 * sysinfoapi.h, second part: how processors share cores, packages, nodes and caches, as /sys tells it. Each
 * thing is reported by the lowest processor that belongs to it. Where /sys does not tell, every processor is
 * a core, and all of them are one package and one node.
 */
#include <windows.h>

#include "api/api.h"
#include "base/own_fd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MASK_BITS = 64 };

struct answer {
    SYSTEM_LOGICAL_PROCESSOR_INFORMATION *entries;
    size_t room; /* entries */
    size_t count;
};

/* The first line of /sys/devices/system/..., without its end. false: there is none. */
__attribute__((format(printf, 3, 4))) static bool read_line(char *line, size_t size, const char *format, ...)
{
    char path[160] = "/sys/devices/system/";
    size_t used = strlen(path);
    va_list args;
    FILE *file;
    bool got;

    va_start(args, format);
    vsnprintf(path + used, sizeof path - used, format, args);
    va_end(args);
    file = fd_open_text(path);
    if (!file)
        return false;
    got = fgets(line, (int)size, file) != NULL;
    fclose(file);
    if (got)
        line[strcspn(line, "\n")] = 0;
    return got;
}

/* "ff", "1,00000000": words of 32 bits, the lowest last. */
static ULONG_PTR parse_mask(const char *text)
{
    ULONG_PTR mask = 0;

    for (const char *word = text; word; word = strchr(word, ',')) {
        if (*word == ',')
            word++;
        mask = mask << 32 | strtoul(word, NULL, 16);
    }
    return mask;
}

static SYSTEM_LOGICAL_PROCESSOR_INFORMATION *add(struct answer *a, ULONG_PTR mask,
                                                 LOGICAL_PROCESSOR_RELATIONSHIP relation)
{
    static _Thread_local SYSTEM_LOGICAL_PROCESSOR_INFORMATION nowhere;
    SYSTEM_LOGICAL_PROCESSOR_INFORMATION *entry = a->count < a->room ? &a->entries[a->count] : &nowhere;

    a->count++;
    memset(entry, 0, sizeof *entry);
    entry->ProcessorMask = mask;
    entry->Relationship = relation;
    return entry;
}

/* Who shares something with this processor; itself alone if it is not told. */
static ULONG_PTR sharers(int cpu, const char *what)
{
    char line[1024];
    ULONG_PTR mask = 0;

    if (read_line(line, sizeof line, "cpu/cpu%d/%s", cpu, what))
        mask = parse_mask(line);
    return mask ? mask : (ULONG_PTR)1 << cpu;
}

static bool is_lowest(int cpu, ULONG_PTR mask)
{
    return __builtin_ctzll(mask) == cpu;
}

static void add_core(struct answer *a, int cpu)
{
    ULONG_PTR mask = sharers(cpu, "topology/thread_siblings");

    if (is_lowest(cpu, mask))
        add(a, mask, RelationProcessorCore)->ProcessorCore.Flags = mask & (mask - 1) ? LTP_PC_SMT : 0;
}

static unsigned long cache_number(int cpu, int index, const char *what)
{
    char line[64], *unit;
    unsigned long n;

    if (!read_line(line, sizeof line, "cpu/cpu%d/cache/index%d/%s", cpu, index, what))
        return 0;
    n = strtoul(line, &unit, 10);
    return *unit == 'K' ? n * 1024 : *unit == 'M' ? n * 1024 * 1024 : n;
}

static void add_caches(struct answer *a, int cpu)
{
    char type[64], what[64];

    for (int i = 0; read_line(type, sizeof type, "cpu/cpu%d/cache/index%d/type", cpu, i); i++) {
        CACHE_DESCRIPTOR *cache;
        ULONG_PTR mask;

        snprintf(what, sizeof what, "cache/index%d/shared_cpu_map", i);
        mask = sharers(cpu, what);
        if (!is_lowest(cpu, mask))
            continue;
        cache = &add(a, mask, RelationCache)->Cache;
        cache->Level = (BYTE)cache_number(cpu, i, "level");
        cache->Associativity = (BYTE)cache_number(cpu, i, "ways_of_associativity");
        cache->LineSize = (WORD)cache_number(cpu, i, "coherency_line_size");
        cache->Size = (DWORD)cache_number(cpu, i, "size");
        cache->Type = type[0] == 'D' ? CacheData : type[0] == 'I' ? CacheInstruction : CacheUnified;
    }
}

static void add_nodes(struct answer *a, ULONG_PTR all)
{
    char line[1024];
    DWORD node = 0;

    for (; read_line(line, sizeof line, "node/node%u/cpumap", node); node++) {
        ULONG_PTR mask = parse_mask(line);

        if (mask)
            add(a, mask, RelationNumaNode)->NumaNode.NodeNumber = node;
    }
    if (node == 0)
        add(a, all, RelationNumaNode);
}

static void add_packages(struct answer *a, ULONG_PTR all)
{
    bool told = access("/sys/devices/system/cpu/cpu0/topology/core_siblings", R_OK) == 0;

    if (!told)
        add(a, all, RelationProcessorPackage);
    for (int cpu = 0; told && cpu < MASK_BITS; cpu++) {
        ULONG_PTR mask = all >> cpu & 1 ? sharers(cpu, "topology/core_siblings") : 0;

        if (mask && is_lowest(cpu, mask))
            add(a, mask, RelationProcessorPackage);
    }
}

BOOL WINAPI GetLogicalProcessorInformation(PSYSTEM_LOGICAL_PROCESSOR_INFORMATION Buffer,
                                           PDWORD ReturnedLength)
{
    struct answer a = {.entries = Buffer};
    DWORD_PTR mine, all;
    bool fits;

    if (!ReturnedLength) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    if (!GetProcessAffinityMask(GetCurrentProcess(), &mine, &all))
        return FALSE;
    a.room = Buffer ? *ReturnedLength / sizeof *Buffer : 0;
    for (int cpu = 0; cpu < MASK_BITS; cpu++) {
        if (!(all >> cpu & 1))
            continue;
        add_core(&a, cpu);
        add_caches(&a, cpu);
    }
    add_packages(&a, all);
    add_nodes(&a, all);
    fits = a.count <= a.room;
    *ReturnedLength = (DWORD)(a.count * sizeof *Buffer);
    if (!fits)
        last_error_set(ERROR_INSUFFICIENT_BUFFER);
    return fits;
}
