/* SPDX-License-Identifier: MIT */
/*
 * Sections: a file, or memory without a file, that can be mapped. A view keeps what it shows alive, so
 * section and file may be closed first. Sections without a file, and names, are known in this process.
 */
#ifndef IOCP_IO_SECTION_H
#define IOCP_IO_SECTION_H

#include "io/file.h"
#include "object/object.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const struct object_type section_type;

struct section_how {
    struct file *file; /* NULL: memory */
    uint64_t size;     /* 0: the file's */
    bool write;        /* what is written to a view is the file's */
};

/*
 * One reference in *out; a name that exists gives that section and STATUS_OBJECT_NAME_EXISTS. A file that is
 * smaller grows, if it may be written. STATUS_MAPPED_FILE_SIZE_ZERO: an empty file and no size.
 * STATUS_SECTION_TOO_BIG: it would have to grow, and may not.
 */
uint32_t section_new(const struct section_how *how, const char *name, struct object **out);

struct section_view {
    uint64_t offset; /* a multiple of SECTION_GRANULARITY */
    size_t size;     /* 0: to the end */
    void *at;        /* where it has to be, or NULL */
    bool write, execute;
    bool copy;       /* what is written is the view's own */
};

enum { SECTION_GRANULARITY = 0x10000 };

/*
 * STATUS_MAPPED_ALIGNMENT, STATUS_INVALID_VIEW_SIZE (behind the end), STATUS_ACCESS_DENIED (to write where
 * the section does not), STATUS_CONFLICTING_ADDRESSES (`at` is taken).
 */
uint32_t section_map(struct object *section, const struct section_view *view, void **out);

/* The view that an address lies in: where it begins. */
bool section_find(const void *address, void **base);

/* By its first address. STATUS_NOT_MAPPED_VIEW. */
uint32_t section_unmap(const void *base);

/* Writes what has changed from an address in a view on (size 0: to its end) to the file. */
uint32_t section_flush(const void *from, size_t size);

#endif
