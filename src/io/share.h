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
    uint8_t uses;            /* enum share_right, what it may do */
    uint8_t allows;          /* what others may do */
    bool delete_on_close;
};

enum share_right { SHARE_READ = 1, SHARE_WRITE = 2, SHARE_DELETE = 4, SHARE_ALL = 7 };

/*
 * Joins the openings of the file behind fd: STATUS_SHARING_VIOLATION if it does not go with one
 * that exists, STATUS_DELETE_PENDING if the file is about to go. An opening that uses nothing
 * (attributes only) goes with everything. Whose name is held (share_hold) is waited for; so the
 * name may lead elsewhere when this returns, and the caller, who is safe from then on, looks.
 * `made`: by the caller, with a share_maker that is in effect.
 */
uint32_t share_acquire(struct share_open *o, int fd, uint8_t uses, uint8_t allows, bool made);

/*
 * Around open(O_CREAT | O_EXCL) and share_acquire: who makes a file has it open first. Others that
 * have found a file of this name (its last part) wait in share_acquire until the maker has joined.
 */
struct share_maker {
    struct list link;
    const char *leaf; /* borrowed until the end */
};
void share_make_begin(struct share_maker *m, const char *path);
void share_make_end(struct share_maker *m);

/* The handle is closed. Deletes the file if this was the last opening of one marked for it. fd: its number as
 * it is now, or -1; one that leads to another file is left alone. */
void share_release(struct share_open *o, int fd);

/* SetFileInformationByHandle(FileDispositionInfo): marks or unmarks. */
void share_mark_deleted(struct share_open *o, bool deleted);
bool share_marked_deleted(const struct share_open *o);

/* A name that is to be deleted, replaced or moved. */
struct share_name {
    const char *path;
    bool own;      /* the caller has it open with the right to do this: no question about openings */
    bool there;    /* out: something has this name; else nothing may be done to what has it by then */
    int err;       /* out: why, if nothing has: an errno */
    uint32_t status; /* out: why it may not be done. STATUS_SHARING_VIOLATION: an opening forbids it */
    int fd;          /* keeps the inode from being somebody else's; -1 */
    struct share_node *node; /* NULL: what has no share modes */
};

/*
 * All of them or none (false). While a name is held nobody joins the openings of its file, so what was
 * asked stays true until the deed is done. Not long: one system call.
 */
bool share_hold(struct share_name *names, unsigned count);
void share_let_go(struct share_name *names, unsigned count);

#endif
