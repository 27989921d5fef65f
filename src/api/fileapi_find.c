/* SPDX-License-Identifier: MIT */
/*
 * FindFirstFile and its kin.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/text.h"
#include "io/find.h"
#include "object/handle.h"

#include <ntstatus.h>
#include <string.h>

/* Both versions of the structure begin alike; the name follows. */
#define FILL(data, info)                                                                           \
    do {                                                                                           \
        memset((data), 0, sizeof *(data));                                                         \
        (data)->dwFileAttributes = (info)->attributes;                                             \
        (data)->ftCreationTime = to_filetime((info)->created);                                     \
        (data)->ftLastAccessTime = to_filetime((info)->accessed);                                  \
        (data)->ftLastWriteTime = to_filetime((info)->written);                                    \
        (data)->nFileSizeHigh = (DWORD)((info)->size >> 32);                                       \
        (data)->nFileSizeLow = (DWORD)(info)->size;                                                \
    } while (0)

static FILETIME to_filetime(int64_t t)
{
    FILETIME ft = {.dwLowDateTime = (DWORD)t, .dwHighDateTime = (DWORD)(t >> 32)};

    return ft;
}

static void fill_a(WIN32_FIND_DATAA *data, const struct find_entry *entry)
{
    FILL(data, &entry->info);
    strcpy(data->cFileName, entry->name);
}

static void fill_w(WIN32_FIND_DATAW *data, const struct find_entry *entry)
{
    FILL(data, &entry->info);
    filename_out_w(entry->name, data->cFileName, sizeof data->cFileName / sizeof data->cFileName[0]);
}

static HANDLE begin(const struct path *path, struct find_entry *entry)
{
    struct object *find;
    uintptr_t h;
    uint32_t status = find_begin(path->text, &find, entry);

    if (status == STATUS_SUCCESS) {
        status = handle_open(find, 0, 0, &h);
        object_put(find);
    }
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    return (HANDLE)h;
}

static bool next(HANDLE handle, struct find_entry *entry)
{
    struct object *find;
    uint32_t status = handle_get((uintptr_t)handle, OBJECT_FIND, &find, NULL);

    if (status == STATUS_SUCCESS) {
        status = find_next(find, entry);
        object_put(find);
    }
    if (status == STATUS_NO_MORE_FILES)
        last_error_set(ERROR_NO_MORE_FILES);
    else if (status != STATUS_SUCCESS)
        win32_fail(status);
    return status == STATUS_SUCCESS;
}

HANDLE WINAPI FindFirstFileA(LPCSTR lpFileName, LPWIN32_FIND_DATAA lpFindFileData)
{
    struct find_entry entry;
    struct path path;
    HANDLE h;

    if (!lpFindFileData)
        return win32_fail(STATUS_INVALID_PARAMETER), INVALID_HANDLE_VALUE;
    if (!filename_a(&path, lpFileName))
        return INVALID_HANDLE_VALUE;
    h = begin(&path, &entry);
    if (h != INVALID_HANDLE_VALUE)
        fill_a(lpFindFileData, &entry);
    return h;
}

HANDLE WINAPI FindFirstFileW(LPCWSTR lpFileName, LPWIN32_FIND_DATAW lpFindFileData)
{
    struct find_entry entry;
    struct path path;
    HANDLE h;

    if (!lpFindFileData)
        return win32_fail(STATUS_INVALID_PARAMETER), INVALID_HANDLE_VALUE;
    if (!filename_w(&path, lpFileName))
        return INVALID_HANDLE_VALUE;
    h = begin(&path, &entry);
    if (h != INVALID_HANDLE_VALUE)
        fill_w(lpFindFileData, &entry);
    return h;
}

BOOL WINAPI FindNextFileA(HANDLE hFindFile, LPWIN32_FIND_DATAA lpFindFileData)
{
    struct find_entry entry;

    if (!lpFindFileData)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (!next(hFindFile, &entry))
        return FALSE;
    fill_a(lpFindFileData, &entry);
    return TRUE;
}

BOOL WINAPI FindNextFileW(HANDLE hFindFile, LPWIN32_FIND_DATAW lpFindFileData)
{
    struct find_entry entry;

    if (!lpFindFileData)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (!next(hFindFile, &entry))
        return FALSE;
    fill_w(lpFindFileData, &entry);
    return TRUE;
}

BOOL WINAPI FindClose(HANDLE hFindFile)
{
    struct object *find;
    uint32_t status = handle_get((uintptr_t)hFindFile, OBJECT_FIND, &find, NULL);

    if (status == STATUS_SUCCESS) {
        object_put(find);
        status = handle_close((uintptr_t)hFindFile);
    }
    return win32_result(status);
}
