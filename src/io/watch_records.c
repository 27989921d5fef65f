/* SPDX-License-Identifier: MIT */
/* Packing records; see watch_records.h. A file that is written to piece by piece is modified once, as
 * long as nothing else happens in between: nobody could tell the pieces apart. */
#include "io/watch_records.h"

#include "base/os.h"
#include "base/text.h"
#include "ntstatus.h"

#include "minwindef.h"
#include "winnt.h"

#include <stdlib.h>
#include <string.h>

/* The two kinds begin alike, and are linked alike. */
_Static_assert(offsetof(FILE_NOTIFY_EXTENDED_INFORMATION, NextEntryOffset) ==
                   offsetof(FILE_NOTIFY_INFORMATION, NextEntryOffset), "next");
_Static_assert(offsetof(FILE_NOTIFY_EXTENDED_INFORMATION, Action) ==
                   offsetof(FILE_NOTIFY_INFORMATION, Action), "action");

void watch_records_init(struct watch_records *w, size_t capacity, bool detailed)
{
    *w = (struct watch_records){.capacity = capacity, .detailed = detailed};
}

/* Bytes before the name, which is the last thing in a record. */
static size_t head_size(const struct watch_records *w)
{
    return w->detailed ? offsetof(FILE_NOTIFY_EXTENDED_INFORMATION, FileName)
                       : offsetof(FILE_NOTIFY_INFORMATION, FileName);
}

static size_t alignment(const struct watch_records *w)
{
    return w->detailed ? sizeof(LARGE_INTEGER) : sizeof(DWORD);
}

void watch_records_free(struct watch_records *w)
{
    free(w->data);
}

static void forget(struct watch_records *w)
{
    w->size = 0;
    w->last = 0;
    w->overflow = false;
}

void watch_records_drop(struct watch_records *w)
{
    forget(w);
    w->overflow = true;
}

static bool make_room(struct watch_records *w, size_t size)
{
    size_t room = w->room ? w->room : 4096;
    char *data;

    while (room < size)
        room *= 2;
    if (room == w->room)
        return true;
    data = realloc(w->data, room);
    if (!data)
        return false;
    w->data = data;
    w->room = room;
    return true;
}

static FILE_NOTIFY_INFORMATION *record_at(struct watch_records *w, size_t at)
{
    return (FILE_NOTIFY_INFORMATION *)(void *)(w->data + at);
}

/* Is the record at `at`, with a name of so many bytes, about the same as the last one? */
static bool repeats(struct watch_records *w, size_t at, size_t bytes)
{
    size_t head = head_size(w);

    return w->size > 0 && record_at(w, at)->Action == FILE_ACTION_MODIFIED &&
           record_at(w, w->last)->Action == FILE_ACTION_MODIFIED && w->size == w->last + head + bytes &&
           memcmp(w->data + w->last + head, w->data + at + head, bytes) == 0;
}

static void put_details(FILE_NOTIFY_EXTENDED_INFORMATION *record, const struct watch_details *details)
{
    const struct disk_info *info = &details->info;

    record->CreationTime.QuadPart = info->created;
    record->LastModificationTime.QuadPart = info->written;
    record->LastChangeTime.QuadPart = info->changed;
    record->LastAccessTime.QuadPart = info->accessed;
    record->AllocatedLength.QuadPart = (LONGLONG)info->allocated;
    record->FileSize.QuadPart = (LONGLONG)info->size;
    record->FileAttributes = info->attributes;
    record->ReparsePointTag = info->attributes & FILE_ATTRIBUTE_REPARSE_POINT ? IO_REPARSE_TAG_SYMLINK : 0;
    record->FileId.QuadPart = (LONGLONG)info->index;
    record->ParentFileId.QuadPart = (LONGLONG)details->parent;
}

/* All but the name, of so many bytes. */
static void put_head(struct watch_records *w, size_t at, const struct watch_change *change, size_t bytes)
{
    FILE_NOTIFY_EXTENDED_INFORMATION *extended;

    record_at(w, at)->NextEntryOffset = 0;
    record_at(w, at)->Action = change->action;
    if (!w->detailed) {
        record_at(w, at)->FileNameLength = (DWORD)bytes;
        return;
    }
    extended = (FILE_NOTIFY_EXTENDED_INFORMATION *)(void *)(w->data + at);
    put_details(extended, change->details);
    extended->FileNameLength = (DWORD)bytes;
}

void watch_records_add(struct watch_records *w, const struct watch_change *change)
{
    size_t at = (w->size + alignment(w) - 1) / alignment(w) * alignment(w);
    size_t head = head_size(w);
    size_t units;

    if (w->overflow)
        return; /* until the program has been told, one more makes no difference */
    units = (size_t)text_to_utf16(change->path, change->length, NULL, 0, false);
    if (at + head + units * 2 > w->capacity || !make_room(w, at + head + units * 2 + alignment(w))) {
        watch_records_drop(w);
        return;
    }
    put_head(w, at, change, units * 2);
    text_to_utf16(change->path, change->length, (uint16_t *)(void *)(w->data + at + head), units, false);
    if (repeats(w, at, units * 2)) {
        memcpy(w->data + w->last, w->data + at, head); /* what the file is now */
        return;
    }
    memset(w->data + w->size, 0, at - w->size);
    if (w->size > 0)
        record_at(w, w->last)->NextEntryOffset = (DWORD)(at - w->last);
    w->last = at;
    w->size = at + head + units * 2;
}

uint32_t watch_records_take(struct watch_records *w, void *to, size_t size, uint32_t *bytes)
{
    uint32_t status = STATUS_SUCCESS;

    *bytes = 0;
    if (w->overflow || w->size > size)
        status = STATUS_NOTIFY_ENUM_DIR;
    else if (!os_copy_out(to, w->data, w->size))
        return STATUS_ACCESS_VIOLATION;
    else
        *bytes = (uint32_t)w->size;
    forget(w);
    return status;
}
