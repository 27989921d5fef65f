/* SPDX-License-Identifier: MIT */
/*
 * The board; see pipe_board.h. One memfd that grows, sealed so that it cannot shrink under a reader.
 * A word that is given back may still be looked at by the client of a closed instance, which would
 * take the next change for its own disconnection. Words are therefore used again in the order in which
 * they came back, and only when many have come back since.
 */
#include "io/pipe_board.h"

#include "base/fork.h"
#include "base/lock.h"
#include "base/own_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOARD_MAX = 1 << 20, PAGE = 4096, PAGE_WORDS = PAGE / sizeof(uint32_t), RESTING = 1 << 16 };

/* All guarded by the lock but the words themselves and, once made, fd and words. */
static struct board {
    struct lock lock;
    int fd;
    _Atomic uint32_t *words; /* BOARD_MAX of them are mapped, `made` exist */
    uint32_t made, used;
    uint32_t *next;          /* [made]: the words that rest, oldest first */
    uint32_t oldest, newest, resting;
} board = {.lock = LOCK_INIT(LOCK_GLOBAL), .fd = -1};

/* A child has none: what it shares with its parent's clients is the parent's. */
static void start_afresh(void)
{
    if (board.fd >= 0)
        own_fd_close(board.fd);
    if (board.words)
        munmap((void *)board.words, BOARD_MAX * sizeof(uint32_t));
    free(board.next);
    board.fd = -1;
    board.words = NULL;
    board.next = NULL;
    board.made = board.used = board.resting = 0;
}

FORK_HOOK(&board.lock, LOCK_GLOBAL, start_afresh);

static int begin_locked(void)
{
    int fd = own_fd(memfd_create("iocp-pipes", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    void *words;

    if (fd < 0)
        return -errno;
    words = mmap(NULL, BOARD_MAX * sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (words == MAP_FAILED || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0) {
        int err = errno;

        if (words != MAP_FAILED)
            munmap(words, BOARD_MAX * sizeof(uint32_t));
        own_fd_close(fd);
        return -err;
    }
    /* Linux 5.1; without it a client could write, to its own loss. */
    fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    board.words = words;
    board.fd = fd;
    return 0;
}

static int grow_locked(void)
{
    uint32_t *next;

    if (board.made == BOARD_MAX)
        return -ENOSPC;
    next = realloc(board.next, (board.made + PAGE_WORDS) * sizeof *next);
    if (!next)
        return -ENOMEM;
    board.next = next;
    if (ftruncate(board.fd, (off_t)((board.made + PAGE_WORDS) * sizeof(uint32_t))) < 0)
        return -errno;
    board.made += PAGE_WORDS;
    return 0;
}

int board_take(uint32_t *slot)
{
    int err = 0;

    lock_acquire(&board.lock);
    if (board.fd < 0)
        err = begin_locked();
    if (!err && board.resting > RESTING) {
        *slot = board.oldest;
        board.oldest = board.next[board.oldest];
        board.resting--;
    } else if (!err) {
        if (board.used == board.made)
            err = grow_locked();
        if (!err)
            *slot = board.used++;
    }
    lock_release(&board.lock);
    return err;
}

void board_give_back(uint32_t slot)
{
    lock_acquire(&board.lock);
    if (slot < board.used) { /* else it is from before a fork */
        if (board.resting++ == 0)
            board.oldest = slot;
        else
            board.next[board.newest] = slot;
        board.newest = slot;
    }
    lock_release(&board.lock);
}

uint32_t board_read(uint32_t slot)
{
    return atomic_load(&board.words[slot]);
}

void board_change(uint32_t slot)
{
    atomic_fetch_add(&board.words[slot], 1);
}

int board_fd(void)
{
    return board.fd;
}

/* ---- client ---- */

const _Atomic uint32_t *board_map(int fd, uint32_t slot)
{
    off_t at = (off_t)(slot / PAGE_WORDS) * PAGE;
    struct stat st;
    char *page;
    int seals;

    /* Shorter than it says, or able to become so, it would be a fault in the reader. */
    seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || slot >= BOARD_MAX || fstat(fd, &st) < 0 ||
        st.st_size < at + PAGE)
        return NULL;
    page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, at);
    if (page == MAP_FAILED)
        return NULL;
    return (const _Atomic uint32_t *)(void *)(page + slot % PAGE_WORDS * sizeof(uint32_t));
}

void board_unmap(const _Atomic uint32_t *word)
{
    munmap((void *)((uintptr_t)word & ~(uintptr_t)(PAGE - 1)), PAGE);
}
