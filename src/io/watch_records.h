/* SPDX-License-Identifier: MIT */
/*
 * Changes that wait for the next call, as the records it will get: FILE_NOTIFY_INFORMATION, or
 * FILE_NOTIFY_EXTENDED_INFORMATION if they are detailed. What does not fit drops them all, as on Windows: the
 * program is told to look for itself.
 */
#ifndef IOCP_IO_WATCH_RECORDS_H
#define IOCP_IO_WATCH_RECORDS_H

#include "io/watch_tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thread at a time; whoever embeds it says whose. */
struct watch_records {
    char *data;      /* owned */
    size_t size;     /* bytes used: whole records */
    size_t room;     /* bytes allocated */
    size_t last;     /* where the last record begins */
    size_t capacity; /* more is not kept; constant */
    bool detailed;   /* constant */
    bool overflow;   /* something was dropped */
};

void watch_records_init(struct watch_records *w, size_t capacity, bool detailed);
void watch_records_free(struct watch_records *w);

void watch_records_add(struct watch_records *w, const struct watch_change *change);
void watch_records_drop(struct watch_records *w); /* all, as if they had not fitted */

static inline bool watch_records_any(const struct watch_records *w)
{
    return w->size > 0 || w->overflow;
}

/*
 * Hands them over, and forgets them. STATUS_SUCCESS with *bytes, STATUS_NOTIFY_ENUM_DIR if they were too
 * many or are more than `size`, STATUS_ACCESS_VIOLATION if there is no memory at `to`.
 */
uint32_t watch_records_take(struct watch_records *w, void *to, size_t size, uint32_t *bytes);

#endif
