/* SPDX-License-Identifier: MIT */
/*
 * Which engine does the work on files. IOCP_ENGINE=auto (or nothing) takes the ring where the kernel gives
 * one, and blocking threads elsewhere; `epoll` never asks for a ring; `uring` insists, and without one every
 * start fails with the kernel's own errno, once in words on stderr. Operations that the ring lacks, and calls
 * that can only block, go to the threads in every mode.
 */
#include "engine/engine.h"

#include "base/fork.h"
#include "engine/aio.h"
#include "engine/backends.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_once_t once;
    enum engine_kind kind;
    int err;        /* why nothing works; 0 otherwise */
    char info[256];
    _Atomic uint32_t generation;
} engine = {.once = PTHREAD_ONCE_INIT};

#ifdef IOCP_HAVE_LIBURING
static int open_ring(const char **why)
{
    return uring_open(why);
}
#else
static int open_ring(const char **why)
{
    *why = "built without liburing";
    return -ENOSYS;
}
#endif

static void say(const char *engine_name, const char *why, int err)
{
    if (err)
        snprintf(engine.info, sizeof engine.info, "%s: %s: %s", engine_name, why, strerror(-err));
    else
        snprintf(engine.info, sizeof engine.info, "%s: %s", engine_name, why);
}

/* `lacks`: how it is without something that this kernel does not have, or NULL. */
static void say_ring(bool chosen, const char *lacks)
{
    char why[128];

    snprintf(why, sizeof why, "%s%s%s",
             !chosen ? "asked for by IOCP_ENGINE"
             : lacks ? "chosen: the kernel has nearly all it needs"
                     : "chosen: the kernel has all it needs",
             lacks ? ", but " : "", lacks ? lacks : "");
    say("uring", why, 0);
}

static void choose_engine(void)
{
    const char *wish = getenv("IOCP_ENGINE");
    const char *why = "";
    bool free_choice;
    int err;

    engine.kind = ENGINE_EPOLL;
    if (!wish || !*wish)
        wish = "auto";
    if (strcmp(wish, "epoll") == 0) {
        say("epoll", "asked for by IOCP_ENGINE", 0);
        return;
    }
    if (strcmp(wish, "auto") != 0 && strcmp(wish, "uring") != 0) {
        engine.err = -EINVAL;
        say("none", "IOCP_ENGINE is neither auto, uring nor epoll", 0);
        fprintf(stderr, "iocp: IOCP_ENGINE=%s: must be auto, uring or epoll\n", wish);
        return;
    }
    free_choice = strcmp(wish, "auto") == 0;
    err = open_ring(&why);
    if (err == 0) {
        engine.kind = ENGINE_URING;
        say_ring(free_choice, why);
    } else if (free_choice) {
        say("epoll", why, err);
    } else {
        engine.err = err;
        say("none", why, err);
        fprintf(stderr, "iocp: IOCP_ENGINE=uring, but %s: %s (%s)\n", why, strerror(-err),
                strerrorname_np(-err) ? strerrorname_np(-err) : "?");
    }
}

/* What the other way of transfers past the page cache is worth here. */
static void say_direct(void)
{
    size_t used = strlen(engine.info);
    int err = aio_probe();

    if (err)
        snprintf(engine.info + used, sizeof engine.info - used, "; O_DIRECT like the rest (io_submit: %s)",
                 strerror(-err));
    else
        snprintf(engine.info + used, sizeof engine.info - used, "; O_DIRECT by io_submit");
}

static void choose(void)
{
    choose_engine();
    if (!engine.err)
        say_direct();
    if (getenv("IOCP_VERBOSE"))
        fprintf(stderr, "iocp: engine %s\n", engine.info);
}

int engine_init(void)
{
    pthread_once(&engine.once, choose);
    return engine.err;
}

enum engine_kind engine_kind(void)
{
    engine_init();
    return engine.kind;
}

const char *engine_info(void)
{
    engine_init();
    return engine.info;
}

#ifdef IOCP_HAVE_LIBURING
/* Whose op it is: the same at the start and at a cancel. */
static bool rings(const struct op *op)
{
    return engine_kind() == ENGINE_URING && uring_takes(op);
}
#endif

int engine_start(struct op *op)
{
    int err = engine_init();

    if (err)
        return err;
    if (op->direct) {
        op->generation = 0; /* no cancel reaches it there */
        err = aio_start(op);
        if (err == 0)
            return 0;
        if (err == -EOPNOTSUPP || err == -ENOSYS || err == -EPERM)
            atomic_store_explicit(op->direct_left, DIRECT_NEVER, memory_order_relaxed);
        op->direct = NULL;
    }
    op->generation = atomic_fetch_add_explicit(&engine.generation, 1, memory_order_relaxed) + 1;
#ifdef IOCP_HAVE_LIBURING
    if (rings(op)) {
        if (uring_start(op) == 0)
            return 0;
        op->generation = 0; /* short of something for the ring; no cancel looks for it with the threads */
    }
#endif
    return threads_start(op);
}

void engine_cancel(struct op *op, uint32_t generation)
{
    if (generation == 0)
        return;
#ifdef IOCP_HAVE_LIBURING
    if (rings(op)) {
        uring_cancel(op, generation);
        return;
    }
#endif
    threads_cancel(op, generation);
}

/* A forked child chooses anew: the ring was the parent's. */
static void choose_again(void)
{
    engine.once = (pthread_once_t)PTHREAD_ONCE_INIT;
    engine.err = 0;
}

FORK_HOOK(NULL, LOCK_ENGINE, choose_again);
