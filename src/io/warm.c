/* SPDX-License-Identifier: MIT */
/*
 * Warming; see warm.h. The kernel is told of the whole range first, so that the disk is kept busy, then
 * each page is touched: a read of one byte waits until the page is there, and copies next to nothing.
 */
#include "io/warm.h"

#include "base/os.h"
#include "engine/engine.h"
#include "io/lane.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { PAGE = 4096 };

/* All but the atomics is constant, or the engine's. */
struct warming {
    struct op op;
    struct file *source, *file; /* counted */
    uint64_t offset, end;
    _Atomic bool ended;    /* the pages are there */
    _Atomic bool dropped;  /* nobody waits for them any more */
    _Atomic unsigned refs; /* whoever started it, and the engine until its answer */
};

bool warm_needed(struct file *source, uint64_t offset, uint64_t size)
{
    return os_read_waits(source->fd, offset, size);
}

static int64_t touch(struct op *op)
{
    struct warming *w = container_of(op, struct warming, op);
    int fd = w->source->fd;

    posix_fadvise(fd, (off_t)w->offset, (off_t)(w->end - w->offset), POSIX_FADV_WILLNEED);
    for (uint64_t at = w->offset; at < w->end && !atomic_load(&w->dropped); at = (at / PAGE + 1) * PAGE) {
        char byte;
        struct iovec v = {&byte, 1};

        if (os_read(fd, &v, 1, at, 0) <= 0)
            break;
    }
    return 0;
}

static void put(struct warming *w)
{
    if (atomic_fetch_sub(&w->refs, 1) == 1)
        free(w);
}

static void done(struct op *op, int64_t result)
{
    struct warming *w = container_of(op, struct warming, op);
    struct file *f = w->file;

    (void)result;
    file_put(w->source);
    atomic_store(&w->ended, true);
    put(w);
    lane_kick(f);
    file_put(f);
}

struct warming *warm_start(struct file *source, uint64_t offset, uint64_t size, struct file *f)
{
    struct warming *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->op = (struct op){.code = OP_CALL, .fd = source->fd, .call = touch, .done = done};
    w->source = source;
    w->file = f;
    w->offset = offset;
    w->end = offset + size;
    w->refs = 2;
    file_get(source);
    file_get(f);
    if (engine_start(&w->op) == 0)
        return w;
    file_put(source);
    file_put(f);
    free(w);
    return NULL;
}

bool warm_ended(const struct warming *w)
{
    return atomic_load(&w->ended);
}

void warm_drop(struct warming *w)
{
    atomic_store(&w->dropped, true);
    put(w);
}
