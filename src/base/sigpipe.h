/* SPDX-License-Identifier: MIT */
/*
 * Writing to what nobody reads any more raises SIGPIPE in the writing thread, where the call has no flag that
 * says otherwise. It is held back for the time of the call, and taken if the call has raised it.
 */
#ifndef IOCP_BASE_SIGPIPE_H
#define IOCP_BASE_SIGPIPE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct sigpipe_guard {
    sigset_t before;
    bool was_pending;
};

static inline void sigpipe_hold(struct sigpipe_guard *g)
{
    sigset_t set;

    sigpending(&set);
    g->was_pending = sigismember(&set, SIGPIPE) == 1;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &g->before);
}

/* `raised`: the call may have raised it; if it has not, nothing is taken. Keeps errno. */
static inline void sigpipe_let_go(struct sigpipe_guard *g, bool raised)
{
    static const struct timespec now = {0, 0};
    int error = errno;
    sigset_t set;

    if (raised && !g->was_pending) {
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &g->before, NULL);
    errno = error;
}

#endif
