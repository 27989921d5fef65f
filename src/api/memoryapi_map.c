/* SPDX-License-Identifier: MIT */
/*
 * CreateFileMapping, MapViewOfFile and their kin.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "api/handles.h"
#include "base/status.h"
#include "base/text.h"
#include "io/disk.h"
#include "io/section.h"
#include "object/handle.h"
#include "object/name.h"

#include <ntstatus.h>
#include <stdlib.h>

/* What a protection asks of the file, and lets views do. */
struct protection {
    uint32_t rights;
    bool write;
};

static uint32_t protection_of(DWORD protect, struct protection *out)
{
    switch (protect & 0xFF) {
    case PAGE_READONLY:
    case PAGE_WRITECOPY:
        *out = (struct protection){FILE_READ_DATA, false};
        return STATUS_SUCCESS;
    case PAGE_READWRITE:
        *out = (struct protection){FILE_READ_DATA | FILE_WRITE_DATA, true};
        return STATUS_SUCCESS;
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_WRITECOPY:
        *out = (struct protection){FILE_READ_DATA | FILE_EXECUTE, false};
        return STATUS_SUCCESS;
    case PAGE_EXECUTE_READWRITE:
        *out = (struct protection){FILE_READ_DATA | FILE_WRITE_DATA | FILE_EXECUTE, true};
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

static uint32_t check_kind(DWORD protect)
{
    if (protect & (SEC_IMAGE | SEC_LARGE_PAGES))
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    if (protect & ~(DWORD)(0xFF | SEC_COMMIT | SEC_RESERVE | SEC_NOCACHE | SEC_WRITECOMBINE))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static uint32_t create(HANDLE file, DWORD protect, uint64_t size, LPCSTR name, struct object **out)
{
    struct section_how how = {.size = size};
    struct protection p;
    uint32_t status = check_kind(protect);

    if (status == STATUS_SUCCESS)
        status = protection_of(protect, &p);
    if (status != STATUS_SUCCESS)
        return status;
    how.write = p.write;
    if (file == INVALID_HANDLE_VALUE) {
        how.write = true; /* nobody else's memory */
        return section_new(&how, name, out);
    }
    status = filename_handle(file, p.rights, &how.file);
    if (status != STATUS_SUCCESS)
        return status;
    if (how.file->ops != &disk_ops || how.file->kind == FILE_KIND_DIR)
        status = STATUS_INVALID_FILE_FOR_SECTION;
    else
        status = section_new(&how, name, out);
    file_put(how.file);
    return status;
}

HANDLE WINAPI CreateFileMappingA(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect,
                                 DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow, LPCSTR lpName)
{
    uint64_t size = (uint64_t)dwMaximumSizeHigh << 32 | dwMaximumSizeLow;
    struct object *section = NULL;
    uint32_t status = create(hFile, flProtect, size, lpName, &section);

    return api_publish(status, section, SECTION_ALL_ACCESS | SECTION_MAP_EXECUTE_EXPLICIT,
                       lpFileMappingAttributes && lpFileMappingAttributes->bInheritHandle);
}

HANDLE WINAPI CreateFileMappingW(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes, DWORD flProtect,
                                 DWORD dwMaximumSizeHigh, DWORD dwMaximumSizeLow, LPCWSTR lpName)
{
    char *name = text_utf8_new((const uint16_t *)lpName);
    HANDLE h;

    if (lpName && !name)
        return win32_fail(STATUS_NO_MEMORY), NULL;
    h = CreateFileMappingA(hFile, lpFileMappingAttributes, flProtect, dwMaximumSizeHigh, dwMaximumSizeLow,
                           name);
    free(name);
    return h;
}

HANDLE WINAPI OpenFileMappingA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
    struct object *section = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (lpName)
        status = object_name_find(lpName, OBJECT_SECTION, &section);
    return api_publish(status, section, dwDesiredAccess, bInheritHandle);
}

HANDLE WINAPI OpenFileMappingW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName)
{
    char *name = text_utf8_new((const uint16_t *)lpName);
    HANDLE h;

    if (lpName && !name)
        return win32_fail(STATUS_NO_MEMORY), NULL;
    h = OpenFileMappingA(dwDesiredAccess, bInheritHandle, name);
    free(name);
    return h;
}

/* FILE_MAP_ALL_ACCESS asks for writing; COPY alone, or beside READ, for a view of its own. */
static void wishes(DWORD access, struct section_view *view)
{
    view->write = (access & FILE_MAP_WRITE) != 0;
    view->copy = !view->write && (access & FILE_MAP_COPY) != 0;
    view->execute = (access & FILE_MAP_EXECUTE) != 0;
}

LPVOID WINAPI MapViewOfFileEx(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
                              DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap, LPVOID lpBaseAddress)
{
    struct section_view view = {.offset = (uint64_t)dwFileOffsetHigh << 32 | dwFileOffsetLow,
                                .size = dwNumberOfBytesToMap, .at = lpBaseAddress};
    struct object *section;
    void *base = NULL;
    uint32_t granted;
    uint32_t status = handle_get((uintptr_t)hFileMappingObject, OBJECT_SECTION, &section, &granted);

    if (status != STATUS_SUCCESS)
        return win32_fail(STATUS_INVALID_HANDLE), NULL;
    wishes(dwDesiredAccess, &view);
    if ((view.write && !(granted & SECTION_MAP_WRITE)) || !(granted & (SECTION_MAP_READ | SECTION_MAP_WRITE)))
        status = STATUS_ACCESS_DENIED;
    else
        status = section_map(section, &view, &base);
    object_put(section);
    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return base;
}

LPVOID WINAPI MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess, DWORD dwFileOffsetHigh,
                            DWORD dwFileOffsetLow, SIZE_T dwNumberOfBytesToMap)
{
    return MapViewOfFileEx(hFileMappingObject, dwDesiredAccess, dwFileOffsetHigh, dwFileOffsetLow,
                           dwNumberOfBytesToMap, NULL);
}

BOOL WINAPI UnmapViewOfFile(LPCVOID lpBaseAddress)
{
    return win32_result(section_unmap(lpBaseAddress));
}

BOOL WINAPI FlushViewOfFile(LPCVOID lpBaseAddress, SIZE_T dwNumberOfBytesToFlush)
{
    return win32_result(section_flush(lpBaseAddress, dwNumberOfBytesToFlush));
}
