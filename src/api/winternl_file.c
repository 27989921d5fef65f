/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: what NtQueryInformationFile tells about a file and NtSetInformationFile changes. Where
 * GetFileInformationByHandleEx or SetFileInformationByHandle has the same in the same layout, theirs
 * is used. Here are the rest, and the port a file belongs to.
 */
#include <windows.h>

#include "api/fileinfo.h"
#include "api/nt_pipe.h"
#include "base/status.h"
#include "io/disk_info.h"
#include "io/file.h"
#include "io/port.h"
#include "object/handle.h"

#include <errno.h>
#include <ntstatus.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <winternl.h>

/* Classes that programs know by number. */
enum { COMPLETION_MODES = 41, REPLACE_COMPLETION = 61 };

/* What both classes about ports take. */
struct completion {
    HANDLE port;
    ULONG_PTR key;
};

_Static_assert(sizeof(FILE_BASIC_INFORMATION) == sizeof(FILE_BASIC_INFO) &&
                   sizeof(FILE_STANDARD_INFORMATION) == sizeof(FILE_STANDARD_INFO) &&
                   sizeof(FILE_NAME_INFORMATION) == sizeof(FILE_NAME_INFO) &&
                   sizeof(FILE_RENAME_INFORMATION) == sizeof(FILE_RENAME_INFO) &&
                   offsetof(FILE_RENAME_INFORMATION, FileName) == offsetof(FILE_RENAME_INFO, FileName) &&
                   sizeof(FILE_ATTRIBUTE_TAG_INFORMATION) == sizeof(FILE_ATTRIBUTE_TAG_INFO),
               "one layout for both families");

/* The class of the other family, and how large its answer is at least. */
static bool same_as(ULONG class, FILE_INFO_BY_HANDLE_CLASS *same, ULONG *size)
{
    switch (class) {
    case FileBasicInformation:
        return *same = FileBasicInfo, *size = sizeof(FILE_BASIC_INFO), true;
    case FileStandardInformation:
        return *same = FileStandardInfo, *size = sizeof(FILE_STANDARD_INFO), true;
    case FileNameInformation:
        return *same = FileNameInfo, *size = sizeof(FILE_NAME_INFO), true;
    case FileRenameInformation:
        return *same = FileRenameInfo, *size = sizeof(FILE_RENAME_INFO), true;
    case FileDispositionInformation:
        return *same = FileDispositionInfo, *size = sizeof(FILE_DISPOSITION_INFO), true;
    case FileAllocationInformation:
        return *same = FileAllocationInfo, *size = sizeof(FILE_ALLOCATION_INFO), true;
    case FileEndOfFileInformation:
        return *same = FileEndOfFileInfo, *size = sizeof(FILE_END_OF_FILE_INFO), true;
    case FileAttributeTagInformation:
        return *same = FileAttributeTagInfo, *size = sizeof(FILE_ATTRIBUTE_TAG_INFO), true;
    default:
        return false;
    }
}

/* ---- asking ---- */

static ULONG mode_of(const struct file *f)
{
    ULONG mode = f->flags & FILE_OVERLAPPED ? 0 : FILE_SYNCHRONOUS_IO_NONALERT;

    if (f->flags & FILE_DIRECT)
        mode |= FILE_NO_INTERMEDIATE_BUFFERING;
    if (f->flags & FILE_DELETE_AT_CLOSE)
        mode |= FILE_DELETE_ON_CLOSE;
    return mode;
}

static LONGLONG position_of(const struct file *f)
{
    off_t at = f->flags & FILE_OVERLAPPED ? 0 : lseek(f->fd, 0, SEEK_CUR);

    return at > 0 ? at : 0;
}

static uint32_t index_of(struct file *f, FILE_INTERNAL_INFORMATION *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status == STATUS_SUCCESS)
        out->IndexNumber.QuadPart = (LONGLONG)info.index;
    return status;
}

static uint32_t network_open(struct file *f, FILE_NETWORK_OPEN_INFORMATION *out)
{
    struct disk_info info;
    uint32_t status = disk_info_fd(f->fd, &info);

    if (status != STATUS_SUCCESS)
        return status;
    out->CreationTime.QuadPart = info.created;
    out->LastAccessTime.QuadPart = info.accessed;
    out->LastWriteTime.QuadPart = info.written;
    out->ChangeTime.QuadPart = info.changed;
    out->AllocationSize.QuadPart = (LONGLONG)info.allocated;
    out->EndOfFile.QuadPart = (LONGLONG)info.size;
    out->FileAttributes = info.attributes;
    return STATUS_SUCCESS;
}

/* The classes with an answer of one size that any kind of file can give. */
union answer {
    FILE_INTERNAL_INFORMATION internal;
    FILE_EA_INFORMATION ea;
    FILE_ACCESS_INFORMATION access;
    FILE_POSITION_INFORMATION position;
    FILE_MODE_INFORMATION mode;
    FILE_ALIGNMENT_INFORMATION alignment;
    FILE_NETWORK_OPEN_INFORMATION network;
    ULONG modes;
};

static uint32_t answer(struct file *f, uint32_t access, ULONG class, union answer *out, ULONG *size)
{
    memset(out, 0, sizeof *out);
    switch (class) {
    case FileInternalInformation:
        *size = sizeof out->internal;
        return index_of(f, &out->internal);
    case FileEaInformation:
        *size = sizeof out->ea;
        return STATUS_SUCCESS;
    case FileAccessInformation:
        *size = sizeof out->access;
        out->access.AccessFlags = access;
        return STATUS_SUCCESS;
    case FilePositionInformation:
        *size = sizeof out->position;
        out->position.CurrentByteOffset.QuadPart = position_of(f);
        return STATUS_SUCCESS;
    case FileModeInformation:
        *size = sizeof out->mode;
        out->mode.Mode = mode_of(f);
        return STATUS_SUCCESS;
    case FileAlignmentInformation:
        *size = sizeof out->alignment;
        return STATUS_SUCCESS;
    case FileNetworkOpenInformation:
        *size = sizeof out->network;
        return network_open(f, &out->network);
    case COMPLETION_MODES:
        *size = sizeof out->modes;
        out->modes = atomic_load(&f->modes) & (FILE_MODE_SKIP_PORT | FILE_MODE_SKIP_EVENT);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

static uint32_t query_any(HANDLE file, ULONG class, void *out, ULONG room, ULONG *size)
{
    union answer is;
    struct file *f;
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)file, false, &f, &access);

    if (status != STATUS_SUCCESS)
        return status;
    status = answer(f, access, class, &is, size);
    file_put(f);
    if (status != STATUS_SUCCESS)
        return status;
    if (room < *size)
        return STATUS_INFO_LENGTH_MISMATCH;
    memcpy(out, &is, *size);
    return STATUS_SUCCESS;
}

static uint32_t query_name(HANDLE file, FILE_NAME_INFORMATION *out, ULONG room, ULONG *size)
{
    uint32_t status = fileinfo_query(file, FileNameInfo, out, room);

    if (status == STATUS_SUCCESS)
        *size = (ULONG)offsetof(FILE_NAME_INFORMATION, FileName) + out->FileNameLength;
    else if (status == STATUS_BUFFER_OVERFLOW)
        *size = room;
    return status;
}

static uint32_t query_all(HANDLE file, FILE_ALL_INFORMATION *out, ULONG room, ULONG *size)
{
    static const struct {
        ULONG class, offset, size;
    } parts[] = {
#define PART(class, member) {class, offsetof(FILE_ALL_INFORMATION, member), sizeof out->member}
        PART(FileInternalInformation, InternalInformation),
        PART(FileEaInformation, EaInformation),
        PART(FileAccessInformation, AccessInformation),
        PART(FilePositionInformation, PositionInformation),
        PART(FileModeInformation, ModeInformation),
        PART(FileAlignmentInformation, AlignmentInformation),
#undef PART
    };
    uint32_t status;
    ULONG used;

    if (room < sizeof *out)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = fileinfo_query(file, FileBasicInfo, &out->BasicInformation, sizeof out->BasicInformation);
    if (status == STATUS_SUCCESS)
        status = fileinfo_query(file, FileStandardInfo, &out->StandardInformation,
                                sizeof out->StandardInformation);
    for (size_t i = 0; status == STATUS_SUCCESS && i < ARRAYSIZE(parts); i++)
        status = query_any(file, parts[i].class, (char *)out + parts[i].offset, parts[i].size, &used);
    if (status != STATUS_SUCCESS)
        return status;
    status = query_name(file, &out->NameInformation,
                        room - (ULONG)offsetof(FILE_ALL_INFORMATION, NameInformation), size);
    *size += (ULONG)offsetof(FILE_ALL_INFORMATION, NameInformation);
    return status;
}

static uint32_t query(HANDLE file, ULONG class, void *out, ULONG room, ULONG *size)
{
    FILE_INFO_BY_HANDLE_CLASS same;

    switch (class) {
    case FileNameInformation:
        return query_name(file, out, room, size);
    case FileAllInformation:
        return query_all(file, out, room, size);
    case FileBasicInformation:
    case FileStandardInformation:
    case FileAttributeTagInformation:
        same_as(class, &same, size);
        return fileinfo_query(file, same, out, room);
    case FilePipeInformation:
    case FilePipeLocalInformation:
        return nt_pipe_query(file, class, out, room, size);
    default:
        return query_any(file, class, out, room, size);
    }
}

NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock,
                                      PVOID FileInformation, ULONG Length,
                                      FILE_INFORMATION_CLASS FileInformationClass)
{
    ULONG size = 0;
    uint32_t status;

    if (!IoStatusBlock || !FileInformation)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = query(FileHandle, (ULONG)FileInformationClass, FileInformation, Length, &size);
    if (!status_is_error(status)) {
        IoStatusBlock->Status = (NTSTATUS)status;
        IoStatusBlock->Information = size;
    }
    return (NTSTATUS)status;
}

/* ---- changing ---- */

static uint32_t set_port(HANDLE file, const struct completion *to)
{
    struct object *port;
    struct file *f;
    uint32_t status = handle_get((uintptr_t)to->port, OBJECT_PORT, &port, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    status = file_from_handle_fresh((uintptr_t)file, &f);
    if (status == STATUS_SUCCESS) {
        status = file_associate(f, port_from_object(port), to->key);
        file_put(f);
    }
    object_put(port);
    return status;
}

static uint32_t replace_port(HANDLE file, const struct completion *to)
{
    struct object *port = NULL;
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)file, false, &f, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    if (to->port)
        status = handle_get((uintptr_t)to->port, OBJECT_PORT, &port, NULL);
    if (status == STATUS_SUCCESS)
        status = file_rebind(f, port ? port_from_object(port) : NULL, to->key);
    if (port)
        object_put(port);
    file_put(f);
    return status;
}

static uint32_t set_modes(HANDLE file, ULONG modes)
{
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)file, true, &f, NULL);

    if (status == STATUS_SUCCESS) {
        status = file_add_modes(f, modes);
        file_put(f);
    }
    return status;
}

static uint32_t set_position(HANDLE file, LONGLONG to)
{
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)file, false, &f, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    if (to < 0 || (f->flags & FILE_OVERLAPPED))
        status = STATUS_INVALID_PARAMETER;
    else if (lseek(f->fd, to, SEEK_SET) < 0)
        status = errno == ESPIPE ? (uint32_t)STATUS_INVALID_DEVICE_REQUEST : status_from_errno(errno);
    file_put(f);
    return status;
}

static uint32_t set(HANDLE file, ULONG class, const void *in, ULONG size)
{
    FILE_INFO_BY_HANDLE_CLASS same;
    ULONG least = 0;

    switch (class) {
    case FileCompletionInformation:
        return size < sizeof(struct completion) ? STATUS_INFO_LENGTH_MISMATCH : set_port(file, in);
    case REPLACE_COMPLETION:
        return size < sizeof(struct completion) ? STATUS_INFO_LENGTH_MISMATCH : replace_port(file, in);
    case COMPLETION_MODES:
        return size < sizeof(ULONG) ? STATUS_INFO_LENGTH_MISMATCH : set_modes(file, *(const ULONG *)in);
    case FilePipeInformation:
        return nt_pipe_set(file, in, size);
    case FilePositionInformation:
        return size < sizeof(FILE_POSITION_INFORMATION)
                   ? STATUS_INFO_LENGTH_MISMATCH
                   : set_position(file, ((const FILE_POSITION_INFORMATION *)in)->CurrentByteOffset.QuadPart);
    case FileBasicInformation:
    case FileRenameInformation:
    case FileDispositionInformation:
    case FileAllocationInformation:
    case FileEndOfFileInformation:
        same_as(class, &same, &least);
        return size < least ? STATUS_INFO_LENGTH_MISMATCH : fileinfo_change(file, same, in, size);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                    ULONG Length, FILE_INFORMATION_CLASS FileInformationClass)
{
    uint32_t status;

    if (!IoStatusBlock || !FileInformation)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = set(FileHandle, (ULONG)FileInformationClass, FileInformation, Length);
    if (!status_is_error(status)) {
        IoStatusBlock->Status = (NTSTATUS)status;
        IoStatusBlock->Information = 0;
    }
    return (NTSTATUS)status;
}
