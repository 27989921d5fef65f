/* SPDX-License-Identifier: MIT */
/*
 * Starting a program. What the child gets: the three standard descriptors, those others that are marked
 * as inheritable if the caller wants that, its directory, its environment, an empty signal mask and
 * every signal that is not ignored as it is by default. It comes with a pidfd, made together with it:
 * its number may be another's at any moment, where SIGCHLD is ignored or somebody reaps whatever ends.
 */
#ifndef IOCP_BASE_CHILD_H
#define IOCP_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child_how {
    const char *path;      /* absolute if `directory` is set */
    char *const *argv;
    char *const *envp;
    const char *directory; /* NULL: the present one */
    int std[3];            /* -1: stays as it is; CHILD_NULL: nothing to read, nobody to write to */
    bool inherit;          /* descriptors above 2 without FD_CLOEXEC */
    const int *only;       /* ... of these only_count; NULL: all of them */
    size_t only_count;
    bool new_group;
    bool new_session;
    bool no_interrupt;     /* SIGINT is ignored */
    bool suspended;        /* the program begins when child_go says so */
};

#define CHILD_NULL (-2)

struct child {
    pid_t pid;
    int pidfd;
    int gate; /* of a suspended one; -1. Closed without child_go (or with this process), it ends */
};

/* 0, or -errno: there is no child then. That a file is no program shows only when it begins. */
int child_start(const struct child_how *how, struct child *child);

/* Lets a suspended one begin; the gate is the caller's still to close. A file that turns out to be no
 * program ends with the exit code 127. */
void child_go(int gate);

#endif
