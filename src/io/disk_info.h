/* SPDX-License-Identifier: MIT */
/*
 * What is known about a file, in Windows' terms: attributes made of mode bits, times in 100 ns
 * since 1601, an index and a volume number. Two attributes exist here, directory and read-only; a
 * file has "archive" besides, as every new file on Windows does.
 */
#ifndef IOCP_IO_DISK_INFO_H
#define IOCP_IO_DISK_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct disk_info {
    uint32_t attributes;
    int64_t created, accessed, written, changed; /* 100 ns since 1601 */
    uint64_t size;
    uint64_t allocated;
    uint64_t index;  /* inode */
    uint64_t volume; /* device */
    uint32_t links;
};

/* At path below the directory fd (AT_FDCWD); a dangling link is described itself. */
uint32_t disk_info_at(int dir_fd, const char *path, struct disk_info *info);
uint32_t disk_info_fd(int fd, struct disk_info *info);

enum { DISK_TIME_KEEP = 0 };

/* Access and write time; KEEP leaves one as it is. */
uint32_t disk_set_times(int fd, int64_t accessed, int64_t written);

/* Read-only or not; -1 for fd means by path. */
uint32_t disk_set_attributes(int fd, const char *path, uint32_t attributes);

#endif
