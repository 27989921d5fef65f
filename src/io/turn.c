/* SPDX-License-Identifier: MIT */
/* Turns; see turn.h. The waiting sleep on an eventfd that counts, and each that wakes tries again. */
#include "io/turn.h"

#include "base/futex.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <poll.h>
#include <sys/eventfd.h>

void turn_init(struct turn *turn)
{
    *turn = (struct turn){.fd = -1};
}

void turn_done(struct turn *turn)
{
    if (turn->fd >= 0)
        own_fd_close(turn->fd);
}

static bool turn_try(struct file *f, struct turn *turn, bool first)
{
    bool mine;

    lock_acquire(&f->lock);
    mine = !turn->busy;
    if (mine) {
        turn->busy = true;
        turn->waiting -= !first;
    } else {
        turn->waiting += first;
    }
    lock_release(&f->lock);
    return mine;
}

static void turn_give_up(struct file *f, struct turn *turn)
{
    lock_acquire(&f->lock);
    turn->waiting--;
    lock_release(&f->lock);
}

static int turn_fd(struct file *f, struct turn *turn)
{
    int fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));

    lock_acquire(&f->lock);
    if (turn->fd < 0) {
        turn->fd = fd;
        fd = -1;
    }
    lock_release(&f->lock);
    if (fd >= 0)
        own_fd_close(fd);
    return turn->fd;
}

static uint32_t turn_wait(struct file *f, struct turn *turn)
{
    int fd = turn_fd(f, turn);
    eventfd_t token;
    uint32_t status;

    while (!turn_try(f, turn, false)) {
        if (fd < 0)
            status = wait_sleep(0, false); /* out of descriptors: then by turns */
        else
            status = wait_fd(fd, POLLIN, DEADLINE_NEVER, false);
        if (status == STATUS_CANCELLED)
            return status;
        if (fd >= 0)
            eventfd_read(fd, &token);
    }
    return STATUS_SUCCESS;
}

uint32_t turn_begin(struct file *f, struct turn *turn)
{
    struct file_blocker blocker;
    uint32_t status = STATUS_INVALID_HANDLE;
    bool cancelled;

    if (turn_try(f, turn, true))
        return STATUS_SUCCESS;
    wait_sync_begin();
    if (file_block_enter(f, &blocker)) {
        status = turn_wait(f, turn);
        file_block_leave(f, &blocker);
    }
    cancelled = wait_sync_end();
    if (status != STATUS_SUCCESS) {
        turn_give_up(f, turn);
    } else if (cancelled) { /* who did has been told so: what follows may wait as long again */
        turn_end(f, turn);
        status = STATUS_CANCELLED;
    }
    return status;
}

void turn_end(struct file *f, struct turn *turn)
{
    int fd = -1;

    lock_acquire(&f->lock);
    turn->busy = false;
    if (turn->waiting > 0)
        fd = turn->fd;
    lock_release(&f->lock);
    if (fd >= 0)
        os_ring(fd); /* the caller holds the file, and so the descriptor */
}
