/* SPDX-License-Identifier: MIT */
/*
 * Loader glue. The system's module names, in any case, with any path in front and with or without
 * ".dll", are found as modules that are always loaded; GetProcAddress looks the name up in a table
 * of what this library exports (exports.h, written by scripts/exports.sh), so it works in a static
 * link too. A table entry belongs to the modules whose import library has that name on Windows,
 * because programs probe kernel32 for a function in order to learn what they may do. Everything
 * else, the program itself included, is not a module one can load here (ERROR_MOD_NOT_FOUND).
 */
#include <windows.h>

#include "api/api.h"
#include "base/path.h"
#include "base/text.h"

#include <dlfcn.h>
#include <ntstatus.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KERNEL = 1,     /* kernel32 and kernelbase */
    NTDLL = 2,
    WINSOCK = 4,
    MSWSOCK = 8,
    WINMM = 16,
    USER = 32,
    CRT = 64,
    IPHLP = 256,
    BCRYPT = 512,
    ADVAPI = 1024,
    SYNCH = 128,    /* kernelbase and the API set, but not kernel32 */
};

struct module {
    const char *name;
    unsigned exports;
};

static const struct module modules[] = {
    {"kernel32", KERNEL},
    {"kernelbase", KERNEL | SYNCH},
    {"ntdll", NTDLL},
    {"ws2_32", WINSOCK},
    {"mswsock", MSWSOCK},
    {"winmm", WINMM},
    {"user32", USER},
    {"iphlpapi", IPHLP},
    {"bcrypt", BCRYPT},
    {"advapi32", ADVAPI},
    {"msvcrt", CRT},
    {"ucrtbase", CRT},
    {"api-ms-win-core-synch-l1-2-0", KERNEL | SYNCH},
};

/* The address of a byte stands for the program itself. */
static const char program_module;

typedef void (*function)(void);

/* By their symbols, whatever they are: a name that is declared and not defined does not link. */
#define EXPORT(name, where) extern void export_##name(void) __asm__("iocp_" #name);
#include "api/exports.h"
#undef EXPORT

struct export {
    const char *name;
    function address;
    unsigned modules;
};

#define EXPORT(name, where) {#name, export_##name, where},
static const struct export exports[] = {
#include "api/exports.h"
};
#undef EXPORT

static const struct export *find_export(const char *name)
{
    size_t low = 0, high = sizeof exports / sizeof exports[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(exports[middle].name, name);

        if (order == 0)
            return &exports[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct module *module_of(HMODULE handle)
{
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if ((const void *)handle == (const void *)&modules[i])
            return &modules[i];
    return NULL;
}

static bool is_module(HMODULE handle)
{
    return !handle || (const void *)handle == (const void *)&program_module || module_of(handle);
}

/* "C:\Windows\System32\WS2_32.dll" and "ws2_32" are one name. */
static HMODULE find_module(const char *name)
{
    const char *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
    char base[64];
    size_t length;

    if (slash)
        name = slash + 1;
    if (backslash && backslash >= name)
        name = backslash + 1;
    length = strlen(name);
    if (length > 4 && text_compare_folded(name + length - 4, ".dll") == 0)
        length -= 4;
    if (length >= sizeof base)
        return NULL;
    memcpy(base, name, length);
    base[length] = 0;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if (text_compare_folded(base, modules[i].name) == 0)
            return (HMODULE)&modules[i];
    return NULL;
}

HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName)
{
    HMODULE module;

    if (!lpModuleName)
        return (HMODULE)&program_module;
    module = find_module(lpModuleName);
    if (!module)
        last_error_set(ERROR_MOD_NOT_FOUND);
    return module;
}

HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName)
{
    char *name = text_utf8_new((const uint16_t *)lpModuleName);
    HMODULE module = NULL;

    if (name || !lpModuleName)
        module = GetModuleHandleA(name);
    else
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    free(name);
    return module;
}

/* Nothing is counted: these modules cannot be unloaded. */
BOOL WINAPI GetModuleHandleExA(DWORD dwFlags, LPCSTR lpModuleName, HMODULE *phModule)
{
    if (!phModule || (dwFlags & ~7u)) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    /* Library and program are one module as far as an address goes. */
    *phModule = dwFlags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS ? (HMODULE)&program_module
                                                                 : GetModuleHandleA(lpModuleName);
    return *phModule != NULL;
}

BOOL WINAPI GetModuleHandleExW(DWORD dwFlags, LPCWSTR lpModuleName, HMODULE *phModule)
{
    char *name;
    BOOL result;

    if (dwFlags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS)
        return GetModuleHandleExA(dwFlags, NULL, phModule);
    name = text_utf8_new((const uint16_t *)lpModuleName);
    result = GetModuleHandleExA(dwFlags, name, phModule);
    free(name);
    return result;
}

/* Something of that name is there; that it is no module of Windows goes without saying. */
static bool is_file(const char *name)
{
    struct path path;

    return strpbrk(name, "/\\") && path_parse(&path, name) == STATUS_SUCCESS && access(path.text, F_OK) == 0;
}

HMODULE WINAPI LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags)
{
    HMODULE module;

    (void)dwFlags; /* where to search and how much to load: these are loaded already */
    if (!lpLibFileName || hFile) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    module = find_module(lpLibFileName);
    if (!module)
        last_error_set(is_file(lpLibFileName) ? ERROR_BAD_EXE_FORMAT : ERROR_MOD_NOT_FOUND);
    return module;
}

HMODULE WINAPI LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags)
{
    char *name = text_utf8_new((const uint16_t *)lpLibFileName);
    HMODULE module = LoadLibraryExA(name, hFile, dwFlags);

    free(name);
    return module;
}

HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName)
{
    return LoadLibraryExA(lpLibFileName, NULL, 0);
}

HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName)
{
    return LoadLibraryExW(lpLibFileName, NULL, 0);
}

BOOL WINAPI FreeLibrary(HMODULE hLibModule)
{
    if (!hLibModule || !is_module(hLibModule)) {
        last_error_set(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    return TRUE;
}

BOOL WINAPI DisableThreadLibraryCalls(HMODULE hLibModule)
{
    return FreeLibrary(hLibModule);
}

/* Names of the program's own are looked up with dlsym, which sees what it exports dynamically.
 * Ordinals are not known to anybody. */
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName)
{
    const struct module *module = module_of(hModule);
    const struct export *export = NULL;
    FARPROC address = NULL;

    if (!is_module(hModule)) {
        last_error_set(ERROR_MOD_NOT_FOUND);
        return NULL;
    }
    if ((uintptr_t)lpProcName > 0xFFFF) {
        export = module ? find_export(lpProcName) : NULL;
        if (export && (export->modules & module->exports))
            address = (FARPROC)export->address;
        if (!module)
            *(void **)&address = dlsym(RTLD_DEFAULT, lpProcName);
    }
    if (!address)
        last_error_set(ERROR_PROC_NOT_FOUND);
    return address;
}

/* The file that holds the module: the program, or for the system's modules whatever this library
 * was linked into. Returns its length, or -1. */
static ptrdiff_t module_path(HMODULE module, char *path, size_t size)
{
    Dl_info info;
    ptrdiff_t length;

    if (module_of(module)) {
        char *full;

        if (!dladdr((void *)module, &info) || !(full = realpath(info.dli_fname, NULL)))
            return -1;
        length = (ptrdiff_t)strnlen(full, size);
        memcpy(path, full, (size_t)length);
        free(full);
        return length;
    }
    return readlink("/proc/self/exe", path, size);
}

/* A path that does not fit is cut, with terminator, and the size is the answer. */
DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize)
{
    char path[4096];
    ptrdiff_t length = is_module(hModule) ? module_path(hModule, path, sizeof path) : -1;

    if (length < 0) {
        last_error_set(ERROR_MOD_NOT_FOUND);
        return 0;
    }
    if ((size_t)length < nSize) {
        memcpy(lpFilename, path, (size_t)length);
        lpFilename[length] = 0;
        return (DWORD)length;
    }
    if (nSize > 0) {
        memcpy(lpFilename, path, nSize - 1);
        lpFilename[nSize - 1] = 0;
    }
    last_error_set(ERROR_INSUFFICIENT_BUFFER);
    return nSize;
}

DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize)
{
    char path[4096];
    uint16_t wide[4096];
    DWORD length = GetModuleFileNameA(hModule, path, sizeof path);
    ptrdiff_t units;

    if (length == 0)
        return 0;
    units = text_to_utf16(path, length, wide, 4096, false);
    if (units < (ptrdiff_t)nSize) {
        memcpy(lpFilename, wide, (size_t)units * sizeof *wide);
        lpFilename[units] = 0;
        return (DWORD)units;
    }
    if (nSize > 0) {
        memcpy(lpFilename, wide, (nSize - 1) * sizeof *wide);
        lpFilename[nSize - 1] = 0;
    }
    last_error_set(ERROR_INSUFFICIENT_BUFFER);
    return nSize;
}
