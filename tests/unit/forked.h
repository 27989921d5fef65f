/* SPDX-License-Identifier: MIT */
/*
 * Parts of a unit test that run in a forked child of their own: a library that starts anew, limits that
 * nobody else is to have. The child's checks are its own; that it failed, or hung, is the parent's. After
 * unit.h.
 */
#ifndef FORKED_H
#define FORKED_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* fork(2); in the child a hang is a failure. */
static inline pid_t child_begin(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        unit_failed = 0;
        alarm(60);
    }
    return pid;
}

/* In the child: all its checks have been made. */
static inline void child_end(void)
{
    fflush(stdout);
    _exit(unit_failed != 0);
}

static inline int child_passed(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs the statement in a child, and waits for its end: 0 if it failed, which has been reported. */
#define IN_CHILD(STATEMENT)                                                                        \
    __extension__({                                                                                \
        pid_t child_pid_ = child_begin();                                                          \
        if (child_pid_ == 0) {                                                                     \
            STATEMENT;                                                                             \
            child_end();                                                                           \
        }                                                                                          \
        CHECK(child_passed(child_pid_));                                                           \
    })

#endif
