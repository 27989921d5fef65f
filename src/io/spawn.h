/* SPDX-License-Identifier: MIT */
/*
 * Starting a program: posix_spawn underneath, so nothing of this process is copied and no code of ours
 * runs in the child. What the child gets: the three standard descriptors, those others that are marked as
 * inheritable if the caller wants that, its directory, its environment, an empty signal mask.
 */
#ifndef IOCP_IO_SPAWN_H
#define IOCP_IO_SPAWN_H

#include "wait/process.h"

#include <stdbool.h>
#include <stdint.h>

struct spawn_how {
    const char *path;      /* absolute if `directory` is set */
    char *const *argv;
    char *const *envp;
    const char *directory; /* NULL: the present one */
    int std[3];            /* -1: stays as it is; SPAWN_NULL: nothing to read, nobody to write to */
    bool inherit;          /* descriptors above 2 without FD_CLOEXEC */
    bool new_group;
    bool new_session;
};

#define SPAWN_NULL (-2)

/* One reference. STATUS_INVALID_IMAGE_FORMAT: no program; others by errno. */
uint32_t spawn_process(const struct spawn_how *how, struct process **out);

#endif
