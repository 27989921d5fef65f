/* SPDX-License-Identifier: MIT */
/*
 * Memory for many things of one size: pieces that begin cache lines, with nothing between them. A
 * piece that was given back is used again for the same purpose only, and never unmapped: whoever
 * still holds a stale pointer to one reads a thing of that kind, dead or alive. The first `kept`
 * bytes of a piece are its owner's for ever - zero when it is new, and the slab does not write there -
 * so that a count kept in them tells the two apart (object_try_get).
 */
#ifndef IOCP_BASE_SLAB_H
#define IOCP_BASE_SLAB_H

#include "base/align.h"
#include "base/fork.h"
#include "base/lock.h"

#include <stddef.h>

struct slab {
    struct lock lock;  /* guards what follows the constants */
    const size_t size; /* of a piece, whole cache lines */
    const size_t kept; /* room for a pointer must be left behind it */
    void *free;        /* linked through the word behind `kept` */
    void *free_last;   /* sanitizers only: there a piece is used again as late as possible */
    char *fresh;       /* never used yet */
    size_t fresh_size;
};

/* At file level. KEPT: see above. */
#define SLAB(NAME, SIZE, KEPT)                                                                     \
    _Static_assert((KEPT) + sizeof(void *) <= (SIZE), "no room for the link");                     \
    static struct slab NAME = {.lock = LOCK_INIT(LOCK_LEAF),                                       \
                               .size = ((SIZE) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE,        \
                               .kept = (KEPT)};                                                    \
    static struct fork_hook NAME##_fork = {.lock = &NAME.lock, .rank = LOCK_LEAF};                 \
    __attribute__((constructor)) static void NAME##_fork_add(void)                                 \
    {                                                                                              \
        fork_register(&NAME##_fork);                                                               \
    }                                                                                              \
    _Static_assert(1, "takes the semicolon")

/* One piece, or NULL. Behind `kept` it holds anything. */
void *slab_take(struct slab *s);
void slab_give(struct slab *s, void *piece);

/* For caches: a chain of up to `count` pieces at a time. How many there are; 0: no memory. */
unsigned slab_take_chain(struct slab *s, void **first, unsigned count);
void slab_give_chain(struct slab *s, void *first);

/* The link of a chain; NULL ends it. */
static inline void **slab_next(const struct slab *s, void *piece)
{
    return (void **)(void *)((char *)piece + s->kept);
}

#endif
