/* SPDX-License-Identifier: MIT */
/* One bit for each number; see own_fd.h. */
#include "base/own_fd.h"

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

int fd_above_std(int fd)
{
    int moved;

    if (fd < 0 || fd > 2)
        return fd < 0 ? -errno : fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (moved < 0)
        moved = -errno;
    close(fd);
    return moved;
}
