/* SPDX-License-Identifier: MIT */
/* What a process has, by counting. */
#ifndef COUNT_H
#define COUNT_H

#include <dirent.h>

/* How many entries a directory has: threads in /proc/self/task, descriptors in /proc/self/fd, of which one is
 * the count's own. */
static inline int count_in(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int n = 0;

    while (directory && (entry = readdir(directory)) != NULL)
        n += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return n;
}

#endif
