/* SPDX-License-Identifier: MIT */
/*
 * Listing an open directory piece by piece, as NtQueryDirectoryFile does it: the file object remembers the
 * pattern of its first call and how far the listing has come. The names come in order, "." and ".." too.
 */
#ifndef IOCP_IO_DISK_LIST_H
#define IOCP_IO_DISK_LIST_H

#include "io/file.h"
#include "io/find.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_list;

/* What to list. */
struct disk_list_how {
    const char *pattern; /* NULL: everything. Counts in the first call, and with `restart` */
    bool restart;
    bool single;         /* one entry, however large the buffer */
};

/*
 * Takes an entry, or says STATUS_BUFFER_TOO_SMALL. `first`: there is no other yet, and its name may be cut
 * off, which is STATUS_BUFFER_OVERFLOW.
 */
typedef uint32_t (*disk_list_put)(void *ctx, const struct find_entry *entry, bool first);

/*
 * Entries for one call. STATUS_NO_SUCH_FILE: nothing matches, at the first call; STATUS_NO_MORE_FILES: all
 * have been listed; what `put` answers for the first entry; STATUS_INVALID_PARAMETER: no directory. An entry
 * that `put` does not take is the next call's.
 */
uint32_t disk_list(struct file *f, const struct disk_list_how *how, disk_list_put put, void *ctx);

/* For disk.c: the end of the file object. */
void disk_list_free(struct disk_list *l);

#endif
