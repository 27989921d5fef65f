/* SPDX-License-Identifier: MIT */
/*
 * winbase.h: comparing the version with what a program wants. A condition mask has three bits for each
 * field, in the order of the VER_ bits.
 */
#include <windows.h>

#include "api/api.h"

enum { CONDITION_BITS = 3, CONDITION_MASK = 7, FIELD_COUNT = 8 };

ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, DWORD TypeMask, BYTE Condition)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (TypeMask >> field & 1)
            ConditionMask |= (ULONGLONG)(Condition & CONDITION_MASK) << (field * CONDITION_BITS);
    }
    return ConditionMask;
}

static unsigned condition_of(DWORDLONG mask, DWORD field)
{
    return mask >> (__builtin_ctz(field) * CONDITION_BITS) & CONDITION_MASK;
}

static bool holds(unsigned condition, uint32_t system, uint32_t wanted)
{
    switch (condition) {
    case VER_EQUAL:
        return system == wanted;
    case VER_GREATER:
        return system > wanted;
    case VER_GREATER_EQUAL:
        return system >= wanted;
    case VER_LESS:
        return system < wanted;
    case VER_LESS_EQUAL:
        return system <= wanted;
    default:
        return false;
    }
}

struct field {
    DWORD bit;
    uint32_t system;
    uint32_t wanted;
};

/* From the most significant field down: the first that differs decides. */
static bool version_holds(const struct field *fields, int count, DWORD types, DWORDLONG mask)
{
    const struct field *last = NULL;

    for (int i = 0; i < count; i++) {
        if (!(types & fields[i].bit))
            continue;
        last = &fields[i];
        if (last->system != last->wanted)
            break;
    }
    return !last || holds(condition_of(mask, last->bit), last->system, last->wanted);
}

static BOOL verify(const OSVERSIONINFOEXA *wanted, DWORD types, DWORDLONG mask)
{
    OSVERSIONINFOEXA is = {.dwOSVersionInfoSize = sizeof is};
    bool good;

    if (!types || !mask) {
        last_error_set(ERROR_BAD_ARGUMENTS);
        return FALSE;
    }
    GetVersionExA((OSVERSIONINFOA *)&is);
    const struct field version[] = {
        {VER_MAJORVERSION, is.dwMajorVersion, wanted->dwMajorVersion},
        {VER_MINORVERSION, is.dwMinorVersion, wanted->dwMinorVersion},
        {VER_SERVICEPACKMAJOR, is.wServicePackMajor, wanted->wServicePackMajor},
        {VER_SERVICEPACKMINOR, is.wServicePackMinor, wanted->wServicePackMinor},
    };
    const struct field others[] = {
        {VER_BUILDNUMBER, is.dwBuildNumber, wanted->dwBuildNumber},
        {VER_PLATFORMID, is.dwPlatformId, wanted->dwPlatformId},
        {VER_PRODUCT_TYPE, is.wProductType, wanted->wProductType},
    };
    good = version_holds(version, ARRAYSIZE(version), types, mask);
    for (size_t i = 0; i < ARRAYSIZE(others); i++)
        good = good && version_holds(&others[i], 1, types, mask);
    if ((types & VER_SUITENAME) && condition_of(mask, VER_SUITENAME) == VER_AND)
        good = good && (is.wSuiteMask & wanted->wSuiteMask) == wanted->wSuiteMask;
    else if (types & VER_SUITENAME)
        good = good && (wanted->wSuiteMask == 0 || (is.wSuiteMask & wanted->wSuiteMask));
    if (!good)
        last_error_set(ERROR_OLD_WIN_VERSION);
    return good;
}

BOOL WINAPI VerifyVersionInfoA(LPOSVERSIONINFOEXA lpVersionInformation, DWORD dwTypeMask,
                               DWORDLONG dwlConditionMask)
{
    return verify(lpVersionInformation, dwTypeMask, dwlConditionMask);
}

BOOL WINAPI VerifyVersionInfoW(LPOSVERSIONINFOEXW lpVersionInformation, DWORD dwTypeMask,
                               DWORDLONG dwlConditionMask)
{
    const OSVERSIONINFOEXA wanted = {
        .dwMajorVersion = lpVersionInformation->dwMajorVersion,
        .dwMinorVersion = lpVersionInformation->dwMinorVersion,
        .dwBuildNumber = lpVersionInformation->dwBuildNumber,
        .dwPlatformId = lpVersionInformation->dwPlatformId,
        .wServicePackMajor = lpVersionInformation->wServicePackMajor,
        .wServicePackMinor = lpVersionInformation->wServicePackMinor,
        .wSuiteMask = lpVersionInformation->wSuiteMask,
        .wProductType = lpVersionInformation->wProductType,
    };

    return verify(&wanted, dwTypeMask, dwlConditionMask);
}
