/* SPDX-License-Identifier: MIT */
/* The user's own directory: see user_dir.h. Chosen once in the life of a process. */
#include "base/user_dir.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[USER_DIR_SIZE]; /* empty: there is none */
static pthread_once_t root_once = PTHREAD_ONCE_INIT;

/* Ours, and nobody else gets in? It is made if it is not there. */
static bool is_private(const char *path)
{
    struct stat st;

    mkdir(path, 0700);
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077);
}

/* Whoever may write where ours lies may put his own in its place. */
static bool choose_below(const char *runtime)
{
    struct stat st;
    int n;

    if (lstat(runtime, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
        return false;
    n = snprintf(root, sizeof root, "%s/iocp", runtime);
    return n < (int)sizeof root && is_private(root);
}

static void choose_root(void)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char usual[32];

    if (runtime && runtime[0] == '/' && choose_below(runtime))
        return;
    snprintf(usual, sizeof usual, "/run/user/%u", (unsigned)geteuid());
    if (choose_below(usual))
        return;
    snprintf(root, sizeof root, "/tmp/iocp-%u", (unsigned)geteuid());
    if (!is_private(root))
        root[0] = 0;
}

const char *user_dir(void)
{
    pthread_once(&root_once, choose_root);
    return root[0] ? root : NULL;
}
