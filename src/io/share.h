/* SPDX-License-Identifier: MIT */
/*
 * Share modes and deletion on close. Within the process a table by device and inode is exact; to
 * other processes that use the library the same facts are told by OFD locks on bytes at the far
 * end of the offsets, which say "somebody reads / writes / deletes" and "somebody forbids it".
 * Programs that open a file without the library neither see nor obey them.
 */
#ifndef IOCP_IO_SHARE_H
#define IOCP_IO_SHARE_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct share_node;

/* One opening of a file; embedded in what the opener keeps. All of it is guarded by share.c. */
struct share_open {
    struct list link;
    struct share_node *node; /* NULL: holds nothing */
    int fd;                  /* borrowed until share_release */
    uint8_t uses;            /* enum share_right, what it may do */
    uint8_t allows;          /* what others may do */
    bool delete_on_close;
};

enum share_right { SHARE_READ = 1, SHARE_WRITE = 2, SHARE_DELETE = 4, SHARE_ALL = 7 };

/*
 * Joins the openings of the file behind fd: STATUS_SHARING_VIOLATION if it does not go with one
 * that exists, STATUS_DELETE_PENDING if the file is about to go. An opening that uses nothing
 * (attributes only) goes with everything.
 */
uint32_t share_acquire(struct share_open *o, int fd, uint8_t uses, uint8_t allows);

/* The handle is closed. Deletes the file if this was the last opening of one marked for it. */
void share_release(struct share_open *o);

/* SetFileInformationByHandle(FileDispositionInfo): marks or unmarks. */
void share_mark_deleted(struct share_open *o, bool deleted);
bool share_marked_deleted(const struct share_open *o);

/* May a file be deleted or renamed by name? STATUS_SHARING_VIOLATION if an opening forbids it. */
uint32_t share_check_delete(const char *path);

#endif
