/* SPDX-License-Identifier: MIT */
/*
 * Regular files, directories and block devices: opening by Windows' rules, and reading and writing
 * at offsets. An overlapped transfer is tried at once from the page cache; what would block goes
 * to the engine. A synchronous handle does one transfer at a time.
 */
#ifndef IOCP_IO_DISK_H
#define IOCP_IO_DISK_H

#include "io/file.h"
#include "io/share.h"
#include "io/turn.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Windows' numbers, so that the skin hands them down as they are. */
enum disk_disposition {
    DISK_CREATE_NEW = 1,
    DISK_CREATE_ALWAYS,
    DISK_OPEN_EXISTING,
    DISK_OPEN_ALWAYS,
    DISK_TRUNCATE_EXISTING,
};

struct disk_how {
    uint32_t access;    /* specific rights (FILE_READ_DATA ...), no generic ones */
    uint8_t share;      /* enum share_right = FILE_SHARE_* */
    uint8_t disposition;
    uint32_t flags;     /* enum file_flag: OVERLAPPED, DIRECT, DELETE_ON_CLOSE */
    bool write_through;
    bool directories;   /* FILE_FLAG_BACKUP_SEMANTICS */
    bool read_only;     /* FILE_ATTRIBUTE_READONLY for a new file */
    bool no_follow;     /* FILE_FLAG_OPEN_REPARSE_POINT */
};

/*
 * Opens or creates. *existed tells what was found. STATUS_OBJECT_NAME_COLLISION: CREATE_NEW on
 * something that is there. The file may turn out to be a pipe or device: then its kind says so.
 */
uint32_t disk_open(const char *path, const struct disk_how *how, struct file **out, bool *existed);

/* Generic rights and MAXIMUM_ALLOWED spelled out. */
uint32_t disk_access_specific(uint32_t access);

/* "No such file" or "no such path"? For names that gave ENOENT. */
uint32_t disk_missing(const char *path);

/* errno of a call with a path, with disk_missing's distinction. */
uint32_t disk_path_status(int err, const char *path);

/* The share entry of a file that was opened here; NULL for other kinds and adopted ones. */
struct share_open *disk_share(struct file *f);

/* An offset of all ones means "at the end of the file". */
#define DISK_APPEND UINT64_MAX

/* What FILE_FLAG_NO_BUFFERING (FILE_DIRECT) counts in. */
enum { DISK_SECTOR = 512 };

extern const struct file_ops disk_ops;

/* What disk_open gives to file_new. Private to disk*.c. */
struct disk {
    struct share_open share;
    bool shared;        /* constant: `share` was acquired */
    bool regular;       /* constant: has a size that can be asked for */
    bool slow;          /* constant: O_DIRECT or O_DSYNC, where "no wait" waits all the same */
    bool direct;        /* constant: O_DIRECT alone */
    _Atomic uint8_t waited; /* so many transfers more are not tried without waiting, or DIRECT_NEVER */
    struct turn turn;   /* of transfers on synchronous handles */
    _Atomic int lock_sibling; /* for range locks, where `fd` takes none; owned; -1 (filelock_ofd.c) */
    bool lock_on_sibling; /* ... those that it holds are on that; guarded by their table */
    _Atomic(struct watch *) watch; /* a directory's changes; owned; NULL until asked for, then constant */
    _Atomic(struct disk_list *) list; /* how far a directory is listed; the same */
};

struct stat;
struct watch;
/* st and mode (F_GETFL) are the descriptor's. NULL: no memory. */
struct disk *disk_new(const struct stat *st, int mode);

#endif
