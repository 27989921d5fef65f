/* SPDX-License-Identifier: MIT */
/*
 * The rare side of asym.h. membarrier(2) has to be registered for, and a filter may refuse it later
 * than that; then taking a right off a page that is in use does the same work: every processor that
 * runs a thread of this process is interrupted to forget the page.
 */
#include "base/asym.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

bool asym_by_kernel;
#if THREAD_SANITIZER
_Atomic unsigned asym_word;
#endif

static pthread_mutex_t page_mutex = PTHREAD_MUTEX_INITIALIZER;

static int membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

static void choose(void)
{
    asym_by_kernel = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

/* In a forked child; a thread that is not here may have had the mutex. */
static void choose_again(void)
{
    pthread_mutex_init(&page_mutex, NULL);
    choose();
}

static __attribute__((constructor(101))) void start(void)
{
    choose();
    pthread_atfork(NULL, NULL, choose_again);
}

static void interrupt_all(void)
{
    static char *page;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);

    pthread_mutex_lock(&page_mutex);
    if (!page)
        page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && mprotect(page, size, PROT_READ | PROT_WRITE) == 0) {
        __atomic_add_fetch(page, 1, __ATOMIC_SEQ_CST);
        mprotect(page, size, PROT_NONE);
    } else {
        page = NULL;
    }
    pthread_mutex_unlock(&page_mutex);
}

void asym_heavy(void)
{
    asym_fence();
    if (asym_by_kernel && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)
        interrupt_all();
}
