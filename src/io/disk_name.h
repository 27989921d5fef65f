/* SPDX-License-Identifier: MIT */
/*
 * What is done to files by name: deleting, moving, copying, directories. Paths are Linux paths.
 * Deleting and moving obey the share modes of those who have the file open.
 */
#ifndef IOCP_IO_DISK_NAME_H
#define IOCP_IO_DISK_NAME_H

#include <stdbool.h>
#include <stdint.h>

uint32_t disk_delete(const char *path);
uint32_t disk_make_directory(const char *path);
uint32_t disk_remove_directory(const char *path);

enum { MOVE_REPLACE = 1, MOVE_COPY = 2 }; /* MOVEFILE_REPLACE_EXISTING, _COPY_ALLOWED */
uint32_t disk_move(const char *from, const char *to, uint32_t flags);
/* The same for a file that the caller has open with the right to delete it. */
uint32_t disk_move_open(const char *from, const char *to, uint32_t flags);

/* With its mode and times of access and writing. */
uint32_t disk_copy(const char *from, const char *to, bool fail_if_exists);

/* Absolute, `.` and `..` taken out by text alone. false: it does not fit. */
bool disk_absolute(const char *path, char *out, uint32_t size);

#endif
