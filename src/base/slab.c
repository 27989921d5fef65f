/* SPDX-License-Identifier: MIT */
/* Pieces of one size, cut from chunks that are never given back: see slab.h. */
#include "base/slab.h"

#include "base/os.h"
#include "base/sanitizer.h"

#include <sys/mman.h>

enum { CHUNK = 64 * 1024 };

#if ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_register_root_region(p, n) ((void)(p), (void)(n))
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* Free pieces may be read up to `kept` and not a byte further. */
static void hide(const struct slab *s, void *piece)
{
    ASAN_POISON_MEMORY_REGION((char *)piece + s->kept, s->size - s->kept);
}

static void show(const struct slab *s, void *piece)
{
    ASAN_UNPOISON_MEMORY_REGION((char *)piece + s->kept, s->size - s->kept);
}

static bool grow_locked(struct slab *s)
{
    void *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    lock_assert_held(&s->lock);
    if (chunk == MAP_FAILED)
        return false;
    __lsan_register_root_region(chunk, CHUNK); /* what pieces point at is no leak */
    s->fresh = chunk; /* what was left of the last one is smaller than a piece */
    s->fresh_size = CHUNK;
    return true;
}

static void *take_locked(struct slab *s)
{
    void *piece = s->free;

    lock_assert_held(&s->lock);
    if (os_fault && os_fault("slab"))
        return NULL;
    if (piece) {
        show(s, piece);
        s->free = *slab_next(s, piece);
        return piece;
    }
    if (s->fresh_size < s->size && !grow_locked(s))
        return NULL;
    piece = s->fresh;
    s->fresh += s->size;
    s->fresh_size -= s->size;
    return piece;
}

static void give_locked(struct slab *s, void *piece)
{
    void *last = s->free ? s->free_last : NULL;

    if (ADDRESS_SANITIZER && last) {
        show(s, last);
        *slab_next(s, last) = piece;
        hide(s, last);
        *slab_next(s, piece) = NULL;
    } else {
        *slab_next(s, piece) = s->free;
        s->free = piece;
    }
    if (ADDRESS_SANITIZER)
        s->free_last = piece;
    hide(s, piece);
}

void *slab_take(struct slab *s)
{
    void *piece;

    lock_acquire(&s->lock);
    piece = take_locked(s);
    lock_release(&s->lock);
    return piece;
}

void slab_give(struct slab *s, void *piece)
{
    lock_acquire(&s->lock);
    give_locked(s, piece);
    lock_release(&s->lock);
}

unsigned slab_take_chain(struct slab *s, void **first, unsigned count)
{
    unsigned n = 0;
    void *piece;

    *first = NULL;
    lock_acquire(&s->lock);
    while (n < count && (piece = take_locked(s)) != NULL) {
        *slab_next(s, piece) = *first;
        *first = piece;
        n++;
    }
    lock_release(&s->lock);
    return n;
}

void slab_give_chain(struct slab *s, void *first)
{
    lock_acquire(&s->lock);
    while (first) {
        void *next = *slab_next(s, first);

        give_locked(s, first);
        first = next;
    }
    lock_release(&s->lock);
}
