/* SPDX-License-Identifier: MIT */
/*
 * What the command iocp-verify loads before a program: free and realloc, which tell the library what
 * memory is about to be given back. The program's library is found by name, so it must be the shared one
 * (or a program whose symbols are visible: -rdynamic).
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef void freed_fn(const void *memory, size_t size);
typedef void free_fn(void *memory);
typedef void *realloc_fn(void *memory, size_t size);

static _Atomic(free_fn *) next_free;
static _Atomic(realloc_fn *) next_realloc;
static _Atomic(freed_fn *) freed;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void tell(void *memory)
{
    freed_fn *fn = atomic_load_explicit(&freed, memory_order_acquire);

    if (fn && memory)
        fn(memory, malloc_usable_size(memory));
}

__attribute__((visibility("default"))) void free(void *memory)
{
    free_fn *fn = atomic_load_explicit(&next_free, memory_order_acquire);

    if (!fn) {
        fn = (free_fn *)(uintptr_t)next("free");
        atomic_store_explicit(&next_free, fn, memory_order_release);
    }
    tell(memory);
    fn(memory);
}

/* Also where it would not move the block: the program cannot know that. */
__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    realloc_fn *fn = atomic_load_explicit(&next_realloc, memory_order_acquire);

    if (!fn) {
        fn = (realloc_fn *)(uintptr_t)next("realloc");
        atomic_store_explicit(&next_realloc, fn, memory_order_release);
    }
    tell(memory);
    return fn(memory, size);
}

__attribute__((constructor)) static void find_library(void)
{
    atomic_store_explicit(&freed, (freed_fn *)(uintptr_t)dlsym(RTLD_DEFAULT, "iocp_verify_freed"),
                          memory_order_release);
}
