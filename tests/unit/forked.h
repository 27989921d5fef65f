/* SPDX-License-Identifier: MIT */
/*
 * Parts of a unit test that run in a forked child of their own: a library that starts anew, limits that
 * nobody else is to have. The child's checks are its own; that it failed, or hung, is the parent's. After
 * unit.h.
 */
#ifndef FORKED_H
#define FORKED_H

#include "base/sanitizer.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The address sanitizer's malloc may be locked for ever in the child of a process whose threads allocate. */
#define CHILDREN_ALLOCATE (!ADDRESS_SANITIZER)

/* For the thread sanitizer: children of a process with threads start threads of their own, and rightly. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

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
