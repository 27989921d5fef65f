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

enum { HEAD = offsetof(FILE_NOTIFY_INFORMATION, FileName), ALIGNMENT = 4 };

void watch_records_init(struct watch_records *w, size_t capacity)
{
    *w = (struct watch_records){.capacity = capacity};
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

/* Is the record behind the last one the same as the last one? */
static bool repeats(struct watch_records *w, const FILE_NOTIFY_INFORMATION *next)
{
    const FILE_NOTIFY_INFORMATION *last = record_at(w, w->last);

    return w->size > 0 && next->Action == FILE_ACTION_MODIFIED && last->Action == next->Action &&
           last->FileNameLength == next->FileNameLength &&
           memcmp(last->FileName, next->FileName, next->FileNameLength) == 0;
}

void watch_records_add(struct watch_records *w, uint32_t action, const char *path, size_t length)
{
    size_t at = (w->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    FILE_NOTIFY_INFORMATION *record;
    size_t units;

    if (w->overflow)
        return; /* until the program has been told, one more makes no difference */
    units = (size_t)text_to_utf16(path, length, NULL, 0, false);
    if (at + HEAD + units * 2 > w->capacity || !make_room(w, at + HEAD + units * 2 + ALIGNMENT)) {
        watch_records_drop(w);
        return;
    }
    record = record_at(w, at);
    record->NextEntryOffset = 0;
    record->Action = action;
    record->FileNameLength = (DWORD)(units * 2);
    text_to_utf16(path, length, (uint16_t *)record->FileName, units, false);
    if (repeats(w, record))
        return;
    memset(w->data + w->size, 0, at - w->size);
    if (w->size > 0)
        record_at(w, w->last)->NextEntryOffset = (DWORD)(at - w->last);
    w->last = at;
    w->size = at + HEAD + units * 2;
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
