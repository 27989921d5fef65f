/* SPDX-License-Identifier: MIT */
/*
 * What is known about files, by handle and by name: attributes, times, sizes, identity; and what
 * can be changed of it.
 */
#include <windows.h>

#include "api/api.h"
#include "api/fileinfo.h"
#include "api/filelist.h"
#include "api/filename.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "base/text.h"
#include "io/disk.h"
#include "io/disk_info.h"
#include "io/disk_name.h"

#include <errno.h>
#include <fcntl.h>
#include <ntstatus.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winternl.h>

static FILETIME to_filetime(int64_t t)
{
    FILETIME ft = {.dwLowDateTime = (DWORD)t, .dwHighDateTime = (DWORD)(t >> 32)};

    return ft;
}

/* All ones means "do not touch this time from now on": here it is left alone this time. */
static int64_t from_filetime(const FILETIME *ft)
{
    int64_t t;

    if (!ft)
        return DISK_TIME_KEEP;
    t = (int64_t)((uint64_t)ft->dwHighDateTime << 32 | ft->dwLowDateTime);
    return t == -1 ? DISK_TIME_KEEP : t;
}

static uint32_t info_of(HANDLE handle, struct disk_info *info)
{
    struct file *f;
    uint32_t status = filename_handle(handle, 0, &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind == FILE_KIND_DISK || f->kind == FILE_KIND_DIR)
        status = disk_info_fd(f->fd, info);
    else
        status = STATUS_INVALID_DEVICE_REQUEST;
    file_put(f);
    return status;
}

/* ---- by name ---- */

static DWORD attributes(const struct path *path)
{
    struct disk_info info;
    uint32_t status = disk_info_at(AT_FDCWD, path->text, &info);

    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_FILE_ATTRIBUTES;
    return info.attributes;
}

DWORD WINAPI GetFileAttributesA(LPCSTR lpFileName)
{
    struct path path;

    return filename_a(&path, lpFileName) ? attributes(&path) : INVALID_FILE_ATTRIBUTES;
}

DWORD WINAPI GetFileAttributesW(LPCWSTR lpFileName)
{
    struct path path;

    return filename_w(&path, lpFileName) ? attributes(&path) : INVALID_FILE_ATTRIBUTES;
}

static BOOL attributes_ex(const struct path *path, GET_FILEEX_INFO_LEVELS level,
                          WIN32_FILE_ATTRIBUTE_DATA *out)
{
    struct disk_info info;
    uint32_t status;

    if (level != GetFileExInfoStandard || !out)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = disk_info_at(AT_FDCWD, path->text, &info);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    out->dwFileAttributes = info.attributes;
    out->ftCreationTime = to_filetime(info.created);
    out->ftLastAccessTime = to_filetime(info.accessed);
    out->ftLastWriteTime = to_filetime(info.written);
    out->nFileSizeHigh = (DWORD)(info.size >> 32);
    out->nFileSizeLow = (DWORD)info.size;
    return TRUE;
}

BOOL WINAPI GetFileAttributesExA(LPCSTR lpFileName, GET_FILEEX_INFO_LEVELS fInfoLevelId,
                                 LPVOID lpFileInformation)
{
    struct path path;

    return filename_a(&path, lpFileName) && attributes_ex(&path, fInfoLevelId, lpFileInformation);
}

BOOL WINAPI GetFileAttributesExW(LPCWSTR lpFileName, GET_FILEEX_INFO_LEVELS fInfoLevelId,
                                 LPVOID lpFileInformation)
{
    struct path path;

    return filename_w(&path, lpFileName) && attributes_ex(&path, fInfoLevelId, lpFileInformation);
}

BOOL WINAPI SetFileAttributesA(LPCSTR lpFileName, DWORD dwFileAttributes)
{
    struct path path;

    return filename_a(&path, lpFileName) &&
           win32_result(disk_set_attributes(-1, path.text, dwFileAttributes));
}

BOOL WINAPI SetFileAttributesW(LPCWSTR lpFileName, DWORD dwFileAttributes)
{
    struct path path;

    return filename_w(&path, lpFileName) &&
           win32_result(disk_set_attributes(-1, path.text, dwFileAttributes));
}

/* ---- times ---- */

BOOL WINAPI GetFileTime(HANDLE hFile, LPFILETIME lpCreationTime, LPFILETIME lpLastAccessTime,
                        LPFILETIME lpLastWriteTime)
{
    struct disk_info info;
    uint32_t status = info_of(hFile, &info);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (lpCreationTime)
        *lpCreationTime = to_filetime(info.created);
    if (lpLastAccessTime)
        *lpLastAccessTime = to_filetime(info.accessed);
    if (lpLastWriteTime)
        *lpLastWriteTime = to_filetime(info.written);
    return TRUE;
}

/* The time of creation belongs to the file system: a new one is taken and forgotten. */
BOOL WINAPI SetFileTime(HANDLE hFile, const FILETIME *lpCreationTime,
                        const FILETIME *lpLastAccessTime, const FILETIME *lpLastWriteTime)
{
    struct file *f;
    uint32_t status = filename_handle(hFile, FILE_WRITE_ATTRIBUTES, &f);

    (void)lpCreationTime;
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = disk_set_times(f->fd, from_filetime(lpLastAccessTime), from_filetime(lpLastWriteTime));
    file_put(f);
    return win32_result(status);
}

/* ---- by handle ---- */

BOOL WINAPI GetFileInformationByHandle(HANDLE hFile, LPBY_HANDLE_FILE_INFORMATION lpFileInformation)
{
    struct disk_info info;
    uint32_t status = info_of(hFile, &info);

    if (!lpFileInformation)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    lpFileInformation->dwFileAttributes = info.attributes;
    lpFileInformation->ftCreationTime = to_filetime(info.created);
    lpFileInformation->ftLastAccessTime = to_filetime(info.accessed);
    lpFileInformation->ftLastWriteTime = to_filetime(info.written);
    lpFileInformation->dwVolumeSerialNumber = (DWORD)info.volume;
    lpFileInformation->nFileSizeHigh = (DWORD)(info.size >> 32);
    lpFileInformation->nFileSizeLow = (DWORD)info.size;
    lpFileInformation->nNumberOfLinks = info.links;
    lpFileInformation->nFileIndexHigh = (DWORD)(info.index >> 32);
    lpFileInformation->nFileIndexLow = (DWORD)info.index;
    return TRUE;
}

static uint32_t name_info(struct file *f, FILE_NAME_INFO *out, DWORD size)
{
    char name[PATH_SIZE];
    size_t room = size > offsetof(FILE_NAME_INFO, FileName) ? size - offsetof(FILE_NAME_INFO, FileName) : 0;
    size_t units;

    if (size < sizeof *out)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (!os_name_of(f->fd, name, sizeof name))
        return STATUS_FILE_DELETED;
    units = (size_t)text_to_utf16(name, strlen(name), NULL, 0, false);
    out->FileNameLength = (DWORD)(units * 2);
    if (units * 2 > room)
        return STATUS_BUFFER_OVERFLOW;
    text_to_utf16(name, strlen(name), (uint16_t *)out->FileName, units, false);
    return STATUS_SUCCESS;
}

static uint32_t basic_info(struct file *f, FILE_BASIC_INFO *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    out->CreationTime.QuadPart = info.created;
    out->LastAccessTime.QuadPart = info.accessed;
    out->LastWriteTime.QuadPart = info.written;
    out->ChangeTime.QuadPart = info.changed;
    out->FileAttributes = info.attributes;
    return STATUS_SUCCESS;
}

static uint32_t standard_info(struct file *f, FILE_STANDARD_INFO *out)
{
    struct disk_info info;
    struct share_open *share = disk_share(f);
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    out->AllocationSize.QuadPart = (LONGLONG)info.allocated;
    out->EndOfFile.QuadPart = (LONGLONG)info.size;
    out->NumberOfLinks = info.links;
    out->DeletePending = share && share_marked_deleted(share);
    out->Directory = (info.attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    return STATUS_SUCCESS;
}

static uint32_t id_info(struct file *f, FILE_ID_INFO *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    out->VolumeSerialNumber = info.volume;
    memset(&out->FileId, 0, sizeof out->FileId);
    memcpy(&out->FileId, &info.index, sizeof info.index);
    return STATUS_SUCCESS;
}

static uint32_t tag_info(struct file *f, FILE_ATTRIBUTE_TAG_INFO *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status == STATUS_SUCCESS) {
        out->FileAttributes = info.attributes;
        out->ReparseTag = 0;
    }
    return status;
}

/* Listings go on from call to call; the classes with "Restart" begin anew. */
static uint32_t list(struct file *f, int class, void *out, DWORD size)
{
    bool full = class == FileFullDirectoryInfo || class == FileFullDirectoryRestartInfo;
    struct disk_list_how how = {
        .restart = class == FileFullDirectoryRestartInfo || class == FileIdBothDirectoryRestartInfo};
    uint32_t used;
    uint32_t same = full ? FileFullDirectoryInformation : FileIdBothDirectoryInformation;
    uint32_t status = filelist(f, same, &how, out, size, &used);

    return status == STATUS_NO_SUCH_FILE ? (uint32_t)STATUS_NO_MORE_FILES : status;
}

static uint32_t query(struct file *f, int class, void *out, DWORD size)
{
    switch (class) {
    case FileIdBothDirectoryInfo:
    case FileIdBothDirectoryRestartInfo:
    case FileFullDirectoryInfo:
    case FileFullDirectoryRestartInfo:
        return list(f, class, out, size);
    case FileBasicInfo:
        return size < sizeof(FILE_BASIC_INFO) ? STATUS_INFO_LENGTH_MISMATCH : basic_info(f, out);
    case FileStandardInfo:
        return size < sizeof(FILE_STANDARD_INFO) ? STATUS_INFO_LENGTH_MISMATCH : standard_info(f, out);
    case FileNameInfo:
        return name_info(f, out, size);
    case FileIdInfo:
        return size < sizeof(FILE_ID_INFO) ? STATUS_INFO_LENGTH_MISMATCH : id_info(f, out);
    case FileAttributeTagInfo:
        return size < sizeof(FILE_ATTRIBUTE_TAG_INFO) ? STATUS_INFO_LENGTH_MISMATCH : tag_info(f, out);
    default:
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    }
}

uint32_t fileinfo_query(void *handle, int class, void *out, uint32_t size)
{
    struct file *f;
    uint32_t status = filename_handle(handle, 0, &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind != FILE_KIND_DISK && f->kind != FILE_KIND_DIR)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else
        status = query(f, class, out, size);
    file_put(f);
    return status;
}

BOOL WINAPI GetFileInformationByHandleEx(HANDLE hFile, FILE_INFO_BY_HANDLE_CLASS FileInformationClass,
                                         LPVOID lpFileInformation, DWORD dwBufferSize)
{
    if (!lpFileInformation)
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(fileinfo_query(hFile, FileInformationClass, lpFileInformation, dwBufferSize));
}

/* ---- changing by handle ---- */

static uint32_t set_disposition(struct file *f, bool delete, bool even_read_only)
{
    struct share_open *share = disk_share(f);
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    if (!share)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (delete && !even_read_only && (info.attributes & FILE_ATTRIBUTE_READONLY))
        return STATUS_CANNOT_DELETE;
    share_mark_deleted(share, delete);
    return STATUS_SUCCESS;
}

/* What the flags ask beyond deletion is so here anyway: images are not checked, names go as POSIX has it. */
static uint32_t set_disposition_ex(struct file *f, const FILE_DISPOSITION_INFO_EX *in)
{
    if (in->Flags & ~(DWORD)0x1F)
        return STATUS_INVALID_PARAMETER;
    return set_disposition(f, in->Flags & FILE_DISPOSITION_FLAG_DELETE,
                           in->Flags & FILE_DISPOSITION_FLAG_IGNORE_READONLY_ATTRIBUTE);
}

static uint32_t set_basic(struct file *f, const FILE_BASIC_INFO *in)
{
    uint32_t status = disk_set_times(f->fd, in->LastAccessTime.QuadPart > 0 ? in->LastAccessTime.QuadPart : 0,
                                     in->LastWriteTime.QuadPart > 0 ? in->LastWriteTime.QuadPart : 0);

    if (status == STATUS_SUCCESS && in->FileAttributes)
        status = disk_set_attributes(f->fd, NULL, in->FileAttributes);
    return status;
}

static uint32_t set_size(struct file *f, int64_t size)
{
    if (size < 0)
        return STATUS_INVALID_PARAMETER;
    return ftruncate(f->fd, size) < 0 ? status_from_errno(errno) : (uint32_t)STATUS_SUCCESS;
}

/* Room is reserved, or what lies behind the end given back; the size itself stays. */
static uint32_t set_allocation(struct file *f, int64_t size)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    if (size < (int64_t)info.size)
        return set_size(f, size);
    if (size > 0 && fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, size) < 0 && errno != EOPNOTSUPP)
        return status_from_errno(errno);
    return STATUS_SUCCESS;
}

static uint32_t rename_to(struct file *f, const FILE_RENAME_INFO *in, DWORD size)
{
    char from[PATH_SIZE];
    struct path to;
    char *name;
    size_t units;
    uint16_t *copy;
    uint32_t status;

    if (size < sizeof *in)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (in->FileNameLength > size - offsetof(FILE_RENAME_INFO, FileName))
        return STATUS_INVALID_PARAMETER;
    units = in->FileNameLength / 2;
    copy = calloc(units + 1, sizeof *copy);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, in->FileName, units * 2);
    name = text_utf8_new(copy);
    free(copy);
    if (!name)
        return STATUS_NO_MEMORY;
    status = path_parse(&to, name);
    free(name);
    if (status != STATUS_SUCCESS)
        return status;
    if (!os_name_of(f->fd, from, sizeof from))
        return STATUS_FILE_DELETED;
    return disk_move_open(from, to.text, in->ReplaceIfExists ? MOVE_REPLACE : 0);
}

static uint32_t change(struct file *f, int class, const void *in, DWORD size)
{
    switch (class) {
    case FileBasicInfo:
        return size < sizeof(FILE_BASIC_INFO) ? STATUS_INFO_LENGTH_MISMATCH : set_basic(f, in);
    case FileRenameInfo:
        return rename_to(f, in, size);
    case FileDispositionInfo:
        return size < sizeof(FILE_DISPOSITION_INFO)
                   ? STATUS_INFO_LENGTH_MISMATCH
                   : set_disposition(f, ((const FILE_DISPOSITION_INFO *)in)->DeleteFile != 0, false);
    case FileDispositionInfoEx:
        return size < sizeof(FILE_DISPOSITION_INFO_EX) ? STATUS_INFO_LENGTH_MISMATCH
                                                       : set_disposition_ex(f, in);
    case FileAllocationInfo:
        return size < sizeof(FILE_ALLOCATION_INFO)
                   ? STATUS_INFO_LENGTH_MISMATCH
                   : set_allocation(f, ((const FILE_ALLOCATION_INFO *)in)->AllocationSize.QuadPart);
    case FileEndOfFileInfo:
        return size < sizeof(FILE_END_OF_FILE_INFO)
                   ? STATUS_INFO_LENGTH_MISMATCH
                   : set_size(f, ((const FILE_END_OF_FILE_INFO *)in)->EndOfFile.QuadPart);
    case FileIoPriorityHintInfo:
        return STATUS_SUCCESS; /* a hint: taken, and nothing is made of it */
    default:
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    }
}

static uint32_t right_for(int class)
{
    switch (class) {
    case FileBasicInfo:
        return FILE_WRITE_ATTRIBUTES;
    case FileRenameInfo:
    case FileDispositionInfo:
    case FileDispositionInfoEx:
        return DELETE;
    case FileAllocationInfo:
    case FileEndOfFileInfo:
        return FILE_WRITE_DATA;
    default:
        return 0;
    }
}

uint32_t fileinfo_change(void *handle, int class, const void *in, uint32_t size)
{
    struct file *f;
    uint32_t status = filename_handle(handle, right_for(class), &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind != FILE_KIND_DISK && f->kind != FILE_KIND_DIR)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else
        status = change(f, class, in, size);
    file_put(f);
    return status;
}

BOOL WINAPI SetFileInformationByHandle(HANDLE hFile, FILE_INFO_BY_HANDLE_CLASS FileInformationClass,
                                       LPVOID lpFileInformation, DWORD dwBufferSize)
{
    if (!lpFileInformation)
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(fileinfo_change(hFile, FileInformationClass, lpFileInformation, dwBufferSize));
}

/* ---- names of handles ---- */

/* A Linux path, as everywhere where a name comes out: every function takes it back. */
static uint32_t final_name(HANDLE handle, char *out, size_t size)
{
    struct file *f;
    uint32_t status = filename_handle(handle, 0, &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (!os_name_of(f->fd, out, size))
        status = STATUS_FILE_DELETED;
    file_put(f);
    return status;
}

DWORD WINAPI GetFinalPathNameByHandleA(HANDLE hFile, LPSTR lpszFilePath, DWORD cchFilePath, DWORD dwFlags)
{
    char name[PATH_SIZE];
    uint32_t status = final_name(hFile, name, sizeof name);

    (void)dwFlags;
    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    return filename_out_a(name, lpszFilePath, cchFilePath);
}

DWORD WINAPI GetFinalPathNameByHandleW(HANDLE hFile, LPWSTR lpszFilePath, DWORD cchFilePath, DWORD dwFlags)
{
    char name[PATH_SIZE];
    uint32_t status = final_name(hFile, name, sizeof name);

    (void)dwFlags;
    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    return filename_out_w(name, lpszFilePath, cchFilePath);
}
