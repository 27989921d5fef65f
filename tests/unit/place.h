/* SPDX-License-Identifier: MIT */
/* A directory of the program's own, gone with all that is in it when the process that made it ends. */
#ifndef PLACE_H
#define PLACE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *place_made;
static pid_t place_owner;

static inline int place_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    remove(path);
    return 0;
}

/* Exit handlers run in forked children as well. */
static inline void place_remove(void)
{
    if (getpid() == place_owner)
        nftw(place_made, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* `path` ends in XXXXXX, is filled in, and stays. */
static inline void place_make(char *path)
{
    place_made = path;
    place_owner = getpid();
    if (!mkdtemp(path) || atexit(place_remove) != 0)
        abort();
}

#endif
