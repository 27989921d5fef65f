/* SPDX-License-Identifier: MIT */
/* A set of names: what a listing has reported and an event may report again. */
#ifndef IOCP_IO_WATCH_NAMES_H
#define IOCP_IO_WATCH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct watch_names {
    char **slots; /* open addressing; a removed name leaves an empty string */
    size_t size, used;
};

bool watch_names_add(struct watch_names *set, const char *name); /* false: no memory */
bool watch_names_remove(struct watch_names *set, const char *name); /* was it there? */
void watch_names_clear(struct watch_names *set);

#endif
