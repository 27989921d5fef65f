/* SPDX-License-Identifier: MIT */
/*
 * What the command iocp-verify loads before a program: free and realloc, which tell the library what memory
 * is about to be given back, and close, which tells it what descriptor. The library, shared, static or loaded
 * later, asks for iocp_verify_attach and iocp_verify_attach_close when it starts; in a program without it
 * nothing is told to anybody.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PUBLIC __attribute__((visibility("default")))

typedef void freed_fn(const void *memory, size_t size);
typedef void free_fn(void *memory);
typedef void *realloc_fn(void *memory, size_t size);
typedef void closed_fn(int fd);
typedef int close_fn(int fd);

static _Atomic(free_fn *) next_free;
static _Atomic(realloc_fn *) next_realloc;
static _Atomic(close_fn *) next_close;
static _Atomic(freed_fn *) freed;
static _Atomic(closed_fn *) closed;

PUBLIC void iocp_verify_attach(freed_fn *fn);
PUBLIC void iocp_verify_attach_close(closed_fn *fn);

/* Once for all, so that what the look-up itself frees finds the way. */
static void find_next(void)
{
    atomic_store_explicit(&next_realloc, (realloc_fn *)(uintptr_t)dlsym(RTLD_NEXT, "realloc"),
                          memory_order_release);
    atomic_store_explicit(&next_close, (close_fn *)(uintptr_t)dlsym(RTLD_NEXT, "close"),
                          memory_order_release);
    atomic_store_explicit(&next_free, (free_fn *)(uintptr_t)dlsym(RTLD_NEXT, "free"), memory_order_release);
}

static void tell(void *memory)
{
    freed_fn *fn = atomic_load_explicit(&freed, memory_order_acquire);

    if (fn && memory)
        fn(memory, malloc_usable_size(memory));
}

PUBLIC void free(void *memory)
{
    free_fn *fn = atomic_load_explicit(&next_free, memory_order_acquire);

    if (!fn) {
        find_next();
        fn = atomic_load_explicit(&next_free, memory_order_acquire);
    }
    tell(memory);
    fn(memory);
}

/* Also where it would not move the block: the program cannot know that. */
PUBLIC void *realloc(void *memory, size_t size)
{
    realloc_fn *fn = atomic_load_explicit(&next_realloc, memory_order_acquire);

    if (!fn) {
        find_next();
        fn = atomic_load_explicit(&next_realloc, memory_order_acquire);
    }
    tell(memory);
    return fn(memory, size);
}

PUBLIC int close(int fd)
{
    close_fn *fn = atomic_load_explicit(&next_close, memory_order_acquire);
    closed_fn *tell_of = atomic_load_explicit(&closed, memory_order_acquire);

    if (!fn) {
        find_next();
        fn = atomic_load_explicit(&next_close, memory_order_acquire);
    }
    if (tell_of)
        tell_of(fd);
    return fn(fd);
}

PUBLIC void iocp_verify_attach_close(closed_fn *fn)
{
    atomic_store_explicit(&closed, fn, memory_order_release);
}

PUBLIC void iocp_verify_attach(freed_fn *fn)
{
    atomic_store_explicit(&freed, fn, memory_order_release);
}

__attribute__((constructor)) static void begin(void)
{
    find_next();
}
