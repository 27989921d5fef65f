/* SPDX-License-Identifier: MIT */
/*
 * Listings of a directory by its handle: the records of NtQueryDirectoryFile, which are those of
 * GetFileInformationByHandleEx too. All begin alike; what follows differs by class.
 */
#include <windows.h>

#include "api/filelist.h"
#include "base/status.h"
#include "base/text.h"
#include "io/disk_list.h"

#include <ntstatus.h>
#include <stddef.h>
#include <string.h>
#include <winternl.h>

#define SAME(STRUCT, MEMBER)                                                                         \
    _Static_assert(offsetof(STRUCT, MEMBER) == offsetof(FILE_DIRECTORY_INFORMATION, MEMBER), "one beginning")
#define ALL_SAME(STRUCT)                                                                             \
    SAME(STRUCT, FileIndex);                                                                         \
    SAME(STRUCT, CreationTime);                                                                      \
    SAME(STRUCT, EndOfFile);                                                                         \
    SAME(STRUCT, FileNameLength)
ALL_SAME(FILE_FULL_DIR_INFORMATION);
ALL_SAME(FILE_BOTH_DIR_INFORMATION);
ALL_SAME(FILE_ID_FULL_DIR_INFORMATION);
ALL_SAME(FILE_ID_BOTH_DIR_INFORMATION);
_Static_assert(sizeof(FILE_ID_BOTH_DIR_INFO) == sizeof(FILE_ID_BOTH_DIR_INFORMATION) &&
                   offsetof(FILE_ID_BOTH_DIR_INFO, FileName) ==
                       offsetof(FILE_ID_BOTH_DIR_INFORMATION, FileName) &&
                   sizeof(FILE_FULL_DIR_INFO) == sizeof(FILE_FULL_DIR_INFORMATION) &&
                   offsetof(FILE_FULL_DIR_INFO, FileName) == offsetof(FILE_FULL_DIR_INFORMATION, FileName),
               "one layout for both families");

/* Where the name stands in a record of this class, and where the file's number; 0: nowhere. */
struct shape {
    ULONG size, name, id;
};

static bool shape_of(ULONG class, struct shape *shape)
{
    switch (class) {
    case FileDirectoryInformation:
        *shape = (struct shape){sizeof(FILE_DIRECTORY_INFORMATION),
                                offsetof(FILE_DIRECTORY_INFORMATION, FileName), 0};
        return true;
    case FileFullDirectoryInformation:
        *shape = (struct shape){sizeof(FILE_FULL_DIR_INFORMATION),
                                offsetof(FILE_FULL_DIR_INFORMATION, FileName), 0};
        return true;
    case FileBothDirectoryInformation:
        *shape = (struct shape){sizeof(FILE_BOTH_DIR_INFORMATION),
                                offsetof(FILE_BOTH_DIR_INFORMATION, FileName), 0};
        return true;
    case FileNamesInformation:
        *shape = (struct shape){sizeof(FILE_NAMES_INFORMATION),
                                offsetof(FILE_NAMES_INFORMATION, FileName), 0};
        return true;
    case FileIdFullDirectoryInformation:
        *shape = (struct shape){sizeof(FILE_ID_FULL_DIR_INFORMATION),
                                offsetof(FILE_ID_FULL_DIR_INFORMATION, FileName),
                                offsetof(FILE_ID_FULL_DIR_INFORMATION, FileId)};
        return true;
    case FileIdBothDirectoryInformation:
        *shape = (struct shape){sizeof(FILE_ID_BOTH_DIR_INFORMATION),
                                offsetof(FILE_ID_BOTH_DIR_INFORMATION, FileName),
                                offsetof(FILE_ID_BOTH_DIR_INFORMATION, FileId)};
        return true;
    default:
        return false;
    }
}

/* The caller's buffer, filled from the front; records begin at multiples of 8. */
struct records {
    char *out;
    ULONG room, used, last; /* last: where the last record stands */
    ULONG class;
    struct shape shape;
};

static void fill(const struct records *l, char *at, const struct disk_info *info, ULONG name_size)
{
    FILE_DIRECTORY_INFORMATION *d = (void *)at;

    memset(at, 0, l->shape.name);
    if (l->class == FileNamesInformation) {
        ((FILE_NAMES_INFORMATION *)(void *)at)->FileNameLength = name_size;
        return;
    }
    d->CreationTime.QuadPart = info->created;
    d->LastAccessTime.QuadPart = info->accessed;
    d->LastWriteTime.QuadPart = info->written;
    d->ChangeTime.QuadPart = info->changed;
    d->EndOfFile.QuadPart = (LONGLONG)info->size;
    d->AllocationSize.QuadPart = (LONGLONG)info->allocated;
    d->FileAttributes = info->attributes;
    d->FileNameLength = name_size;
    if (l->shape.id)
        memcpy(at + l->shape.id, &info->index, sizeof info->index);
}

static uint32_t put(void *ctx, const struct find_entry *entry, bool first)
{
    struct records *l = ctx;
    ULONG at = (l->used + 7) & ~7u;
    ULONG size = (ULONG)text_to_utf16(entry->name, strlen(entry->name), NULL, 0, false) * 2;
    WCHAR name[256];
    ULONG room;

    if (at >= l->room || l->room - at < l->shape.name + (first ? 0 : size))
        return STATUS_BUFFER_TOO_SMALL;
    room = l->room - at - l->shape.name;
    text_to_utf16(entry->name, strlen(entry->name), (uint16_t *)name, ARRAYSIZE(name), false);
    fill(l, l->out + at, &entry->info, size);
    memcpy(l->out + at + l->shape.name, name, size < room ? size : room);
    if (!first)
        *(ULONG *)(void *)(l->out + l->last) = at - l->last;
    l->last = at;
    l->used = at + l->shape.name + (size < room ? size : room);
    return size > room ? (uint32_t)STATUS_BUFFER_OVERFLOW : (uint32_t)STATUS_SUCCESS;
}

uint32_t filelist(struct file *f, uint32_t class, const struct disk_list_how *how, void *out, uint32_t size,
                  uint32_t *used)
{
    struct records l = {.out = out, .room = size, .class = class};
    uint32_t status;

    *used = 0;
    if (!shape_of(class, &l.shape))
        return STATUS_INVALID_INFO_CLASS;
    if (size < l.shape.size)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = disk_list(f, how, put, &l);
    *used = l.used;
    return status;
}
