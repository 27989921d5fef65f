/* SPDX-License-Identifier: MIT */
/*
 * What the file functions of the skin share: names in, names out, and the way from a handle to a
 * file. A functions take UTF-8, W functions UTF-16; both go through the same parser.
 */
#ifndef IOCP_API_FILENAME_H
#define IOCP_API_FILENAME_H

#include "base/path.h"
#include "io/file.h"

#include <stdbool.h>
#include <stdint.h>

/* A name for a file that the file system knows; sets the last error and answers false if not. */
bool filename_a(struct path *path, const char *name);
bool filename_w(struct path *path, const void *name);

/* The file behind a handle with all of these rights (0: any), counted. NTSTATUS. */
uint32_t filename_handle(void *handle, uint32_t rights, struct file **out);

/*
 * Puts a text into the caller's buffer of `size` units. Answers as GetFullPathName and its kin do:
 * the length without the terminator, or the size that would have been needed.
 */
uint32_t filename_out_a(const char *text, char *buffer, uint32_t size);
uint32_t filename_out_w(const char *text, void *buffer, uint32_t size);

#endif
