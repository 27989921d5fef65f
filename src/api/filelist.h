/* SPDX-License-Identifier: MIT */
/* Listings of a directory, for the two families of functions; classes are those of winternl.h. NTSTATUS. */
#ifndef IOCP_API_FILELIST_H
#define IOCP_API_FILELIST_H

#include "io/disk_list.h"

#include <stdint.h>

/* STATUS_NO_MORE_FILES, STATUS_NO_SUCH_FILE, STATUS_INFO_LENGTH_MISMATCH (not even a name of one letter),
 * STATUS_BUFFER_OVERFLOW (the one name is cut off), STATUS_INVALID_INFO_CLASS, STATUS_INVALID_PARAMETER. */
uint32_t filelist(struct file *f, uint32_t class, const struct disk_list_how *how, void *out, uint32_t size,
                  uint32_t *used);

#endif
