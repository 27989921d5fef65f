/* SPDX-License-Identifier: MIT */
/*
 * Heaps and pages from inside: blocks that several threads allocate, resize and free, and a process that
 * forks in the middle of it. What Win32 promises of them is tests/conform/everyday_memory.c's business.
 */
#include "unit.h"

#include <windows.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, BLOCKS = 40, FORKS = 40 };

static HANDLE shared_heap;
static atomic_bool enough;
static _Atomic int spoilt;

/* Random enough, and the same every time. */
static unsigned next(unsigned *seed)
{
    return (*seed = *seed * 1664525u + 1013904223u) >> 8;
}

static void change_one(unsigned char **block, unsigned *seed)
{
    size_t size = next(seed) % 3000 + 1, old = *block ? HeapSize(shared_heap, 0, *block) : 0;
    unsigned char *changed;

    if (*block && next(seed) % 3 == 0) {
        spoilt += (*block)[0] != (unsigned char)old || !HeapFree(shared_heap, 0, *block);
        *block = NULL;
        return;
    }
    changed = *block ? HeapReAlloc(shared_heap, 0, *block, size) : HeapAlloc(shared_heap, 0, size);
    if (!changed)
        return;
    spoilt += *block && changed[0] != (unsigned char)old;
    changed[0] = (unsigned char)size;
    *block = changed;
}

static void *allocate_and_free(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    unsigned char *blocks[BLOCKS] = {NULL};

    for (unsigned round = 0; !atomic_load(&enough) || round < 20000; round++) {
        change_one(&blocks[next(&seed) % BLOCKS], &seed);
        if (round % 64 == 0) {
            char *pages = VirtualAlloc(NULL, 0x20000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

            spoilt += !pages || pages[0x1FFFF] != 0 || !VirtualFree(pages, 0, MEM_RELEASE);
        }
    }
    for (int i = 0; i < BLOCKS; i++)
        spoilt += !HeapFree(shared_heap, 0, blocks[i]);
    return NULL;
}

static void start(pthread_t threads[THREADS])
{
    shared_heap = HeapCreate(0, 0, 0);
    atomic_store(&enough, false);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, allocate_and_free, (void *)(i + 1));
}

static void finish(pthread_t threads[THREADS])
{
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(spoilt, 0);
    CHECK(HeapValidate(shared_heap, 0, NULL));
    CHECK(HeapDestroy(shared_heap));
}

TEST(blocks_of_several_threads)
{
    pthread_t threads[THREADS];

    start(threads);
    finish(threads);
}

/* The child finds the lists whole and the locks free, whatever the other threads were doing. */
static int child(void)
{
    void *block, *pages;

    alarm(20);
    block = HeapAlloc(shared_heap, 0, 100);
    pages = VirtualAlloc(NULL, 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    return block && pages && HeapValidate(shared_heap, 0, NULL) && HeapFree(shared_heap, 0, block) &&
           VirtualFree(pages, 0, MEM_RELEASE) && HeapDestroy(shared_heap);
}

TEST(fork_amidst_allocations)
{
    pthread_t threads[THREADS];

    start(threads);
    for (int i = 0; i < FORKS; i++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
            _exit(child() ? 0 : 1);
        CHECK(pid > 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 0);
    }
    finish(threads);
}

TEST(limit_is_kept)
{
    HANDLE heap = HeapCreate(0, 0, 10000);
    void *block = HeapAlloc(heap, 0, 6000), *grown;

    CHECK(block != NULL);
    CHECK(HeapAlloc(heap, 0, 6000) == NULL);
    CHECK(HeapReAlloc(heap, 0, block, 12000) == NULL);
    CHECK_EQ(HeapSize(heap, 0, block), 6000);
    CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 7000) == NULL);
    grown = HeapReAlloc(heap, 0, block, 9999);
    CHECK(grown != NULL);
    CHECK(HeapReAlloc(heap, 0, grown, 1000) == grown);
    CHECK(HeapAlloc(heap, 0, 8999) != NULL); /* what shrinking and freeing gave back */
    CHECK(HeapReAlloc(GetProcessHeap(), 0, grown, 10) == NULL);
    CHECK(HeapDestroy(heap));
}
