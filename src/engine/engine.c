/* SPDX-License-Identifier: MIT */
/*
 * Which engine does the work on files. IOCP_ENGINE=auto (or nothing) takes the ring where the kernel gives
 * one, and blocking threads elsewhere; `epoll` never asks for a ring; `uring` insists, and without one every
 * start fails with the kernel's own errno, once in words on stderr, and asks again if that may be another one
 * another time. Operations that the ring lacks, and calls
 * that can only block, go to the threads in every mode.
 */
#include "engine/engine.h"

#include "base/fork.h"
#include "engine/aio.h"
#include "engine/backends.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INFO_SIZE = 256 };

static struct {
    struct lock lock;     /* one chooses at a time; guards all but generation until chosen */
    _Atomic bool chosen;  /* for good: kind and err are constant */
    enum engine_kind kind;
    int err;              /* why nothing works; 0 otherwise */
    /* What is said of the last choice, or of the first, which was none, in a room of its own; NULL: none */
    _Atomic(const char *) info;
    char first[INFO_SIZE], last[INFO_SIZE];
    _Atomic uint32_t generation;
} engine = {.lock = LOCK_INIT(LOCK_GLOBAL)};

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

static void say(char *info, const char *engine_name, const char *why, int err)
{
    if (err)
        snprintf(info, INFO_SIZE, "%s: %s: %s", engine_name, why, strerror(-err));
    else
        snprintf(info, INFO_SIZE, "%s: %s", engine_name, why);
}

/* `lacks`: how it is without something that this kernel does not have, or NULL. */
static void say_ring(char *info, bool chosen, const char *lacks)
{
    char why[128];

    snprintf(why, sizeof why, "%s%s%s",
             !chosen ? "asked for by IOCP_ENGINE"
             : lacks ? "chosen: the kernel has nearly all it needs"
                     : "chosen: the kernel has all it needs",
             lacks ? ", but " : "", lacks ? lacks : "");
    say(info, "uring", why, 0);
}

static void insist_in_vain(char *info, const char *why, int err)
{
    engine.err = err;
    say(info, "none", why, err);
    if (!atomic_load(&engine.info))
        fprintf(stderr, "iocp: IOCP_ENGINE=uring, but %s: %s (%s)\n", why, strerror(-err),
                strerrorname_np(-err) ? strerrorname_np(-err) : "?");
}

static void choose_engine(char *info)
{
    const char *wish = getenv("IOCP_ENGINE");
    const char *why = "";
    bool free_choice;
    int err;

    engine.kind = ENGINE_EPOLL;
    engine.err = 0;
    if (!wish || !*wish)
        wish = "auto";
    if (strcmp(wish, "epoll") == 0) {
        say(info, "epoll", "asked for by IOCP_ENGINE", 0);
        return;
    }
    if (strcmp(wish, "auto") != 0 && strcmp(wish, "uring") != 0) {
        engine.err = -EINVAL;
        say(info, "none", "IOCP_ENGINE is neither auto, uring nor epoll", 0);
        fprintf(stderr, "iocp: IOCP_ENGINE=%s: must be auto, uring or epoll\n", wish);
        return;
    }
    free_choice = strcmp(wish, "auto") == 0;
    err = open_ring(&why);
    if (err == 0) {
        engine.kind = ENGINE_URING;
        say_ring(info, free_choice, why);
    } else if (free_choice) {
        say(info, "epoll", why, err);
    } else {
        insist_in_vain(info, why, err);
    }
}

/* What the other way of transfers past the page cache is worth here. */
static void say_direct(char *info)
{
    size_t used = strlen(info);
    int err = aio_probe();

    if (err)
        snprintf(info + used, INFO_SIZE - used, "; O_DIRECT like the rest (io_submit: %s)", strerror(-err));
    else
        snprintf(info + used, INFO_SIZE - used, "; O_DIRECT by io_submit");
}

/* Nothing works yet, and nothing has been begun: it may be chosen again. Who chooses freely has threads then,
 * and keeps them. */
static bool may_pass(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static void choose_locked(void)
{
    bool again = atomic_load(&engine.info) != NULL;
    char *info = again ? engine.last : engine.first;

    lock_assert_held(&engine.lock);
    choose_engine(info);
    if (!engine.err)
        say_direct(info);
    if (again && may_pass(engine.err))
        return; /* somebody may be reading `first`, and it says what is to be said */
    atomic_store(&engine.info, info);
    if (getenv("IOCP_VERBOSE"))
        fprintf(stderr, "iocp: engine %s\n", info);
    /* pairs with engine_init */
    atomic_store_explicit(&engine.chosen, !may_pass(engine.err), memory_order_release);
}

static int choose(void)
{
    int err;

    lock_acquire(&engine.lock);
    if (!atomic_load(&engine.chosen))
        choose_locked();
    err = engine.err;
    lock_release(&engine.lock);
    return err;
}

int engine_init(void)
{
    return atomic_load_explicit(&engine.chosen, memory_order_acquire) ? engine.err : choose();
}

enum engine_kind engine_kind(void)
{
    return engine_init() == 0 ? engine.kind : ENGINE_EPOLL;
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
    atomic_store(&engine.chosen, false);
    atomic_store(&engine.info, NULL);
}

FORK_HOOK(&engine.lock, LOCK_GLOBAL, choose_again);
