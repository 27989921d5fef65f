/* SPDX-License-Identifier: MIT */
/* One bit for each number; see own_fd.h. */
#include "base/own_fd.h"

#include "base/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

enum { NUMBERS = 1 << 20, BITS = 64 };

static _Atomic uint64_t noted[NUMBERS / BITS];

static uint64_t bit_of(int fd)
{
    return UINT64_C(1) << (unsigned)fd % BITS;
}

int own_fd(int fd)
{
    if (fd >= 0 && fd <= 2)
        fd = fd_above_std(fd);
    if (fd >= 0 && fd < NUMBERS)
        atomic_fetch_or(&noted[fd / BITS], bit_of(fd));
    return fd;
}

bool own_fd_is(int fd)
{
    return fd >= 0 && fd < NUMBERS && (atomic_load(&noted[fd / BITS]) & bit_of(fd));
}

void own_fd_forget(int fd)
{
    if (fd >= 0 && fd < NUMBERS)
        atomic_fetch_and(&noted[fd / BITS], ~bit_of(fd));
}

void own_fd_close(int fd)
{
    own_fd_forget(fd);
    close(fd);
}

/* In a forked child. Its descriptors were copied before its memory: what another thread opened and noted in
 * between is noted here, but not there. */
static void forget_missing(void)
{
    for (int i = 0; i < NUMBERS / BITS; i++) {
        for (uint64_t left = atomic_load(&noted[i]); left; left &= left - 1) {
            int fd = i * BITS + __builtin_ctzll(left);

            if (fcntl(fd, F_GETFD) < 0)
                own_fd_forget(fd);
        }
    }
}

FORK_HOOK(NULL, LOCK_LEAF, forget_missing);

int fd_above_std(int fd)
{
    int moved;

    if (fd < 0 || fd > 2)
        return fd < 0 ? -errno : fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (moved < 0)
        moved = -errno;
    close(fd); /* leaves errno alone: there is nothing in it that could fail */
    return moved;
}

int fd_pair_above_std(int fds[2])
{
    int err;

    fds[0] = fd_above_std(fds[0]);
    fds[1] = fd_above_std(fds[1]);
    err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : 0;
    if (!err)
        return 0;
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return err;
}

FILE *fd_open_text(const char *path)
{
    int fd = fd_above_std(open(path, O_RDONLY | O_CLOEXEC));
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

    if (!file && fd >= 0)
        close(fd);
    return file;
}

DIR *fd_open_dir(const char *path)
{
    int fd = fd_above_std(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir && fd >= 0)
        close(fd);
    return dir;
}
