/* SPDX-License-Identifier: MIT */
/*
 * What the files of the C run-time share: the answer to an invalid parameter, file names, and the
 * formatter behind every printf of ours.
 */
#ifndef IOCP_API_CRT_H
#define IOCP_API_CRT_H

#include "base/path.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Sets errno, calls the program's handler if it has one, and answers the error. */
int crt_invalid(int error);

/* A name as CreateFile takes it, for open(2): NULL and errno if there can be no such file. */
const char *crt_path(struct path *path, const char *name);

/* The same name in UTF-8, for free. NULL and errno: no name, or no memory. */
char *crt_name_new(const uint16_t *name);

/*
 * Formats as Windows does (see iocpcrt_stdio.h) into at most `size` units, no terminator. Answers the
 * length the whole text has, or -1 and errno (EINVAL: no such format; ENOMEM; EOVERFLOW).
 */
ptrdiff_t crt_format(char *buffer, size_t size, const char *format, va_list arguments);
ptrdiff_t crt_format16(uint16_t *buffer, size_t size, const uint16_t *format, va_list arguments);

/* Whether a stream was opened for a descriptor and what the library knows of it must be given up. */
void crt_release_fd(int fd);

#endif
