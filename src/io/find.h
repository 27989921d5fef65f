/* SPDX-License-Identifier: MIT */
/*
 * Listing a directory by a pattern with * and ?. The names are read and sorted when the search
 * begins, as NTFS would give them; what they are is looked at when their turn comes.
 */
#ifndef IOCP_IO_FIND_H
#define IOCP_IO_FIND_H

#include "io/disk_info.h"
#include "object/object.h"

#include <stdbool.h>
#include <stdint.h>

struct find_entry {
    char name[256];
    struct disk_info info;
};

extern const struct object_type find_type;

/*
 * Begins at the first name that matches. One reference in *out. STATUS_NO_SUCH_FILE: nothing
 * matches; STATUS_OBJECT_PATH_NOT_FOUND: no such directory.
 */
uint32_t find_begin(const char *path, struct object **out, struct find_entry *first);

/* STATUS_NO_MORE_FILES at the end. One thread at a time. */
uint32_t find_next(struct object *find, struct find_entry *next);

/* The same in an open directory, before the first name. */
uint32_t find_begin_fd(int dir_fd, const char *pattern, struct object **out);
/* What find_next gave last comes once more. */
void find_back(struct object *find);

bool find_matches(const char *pattern, const char *name);

#endif
