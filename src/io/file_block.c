/* SPDX-License-Identifier: MIT */
/*
 * Threads inside blocking calls on a file: each is on the file's list, so that closing reaches it, and
 * takes its leave of it even if it ends in there.
 */
#include "io/file.h"

#include "base/status.h"
#include "ntstatus.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <poll.h>
#include <pthread.h>

bool file_block_enter(struct file *f, struct file_blocker *b)
{
    bool open;

    b->thread = thread_current();
    b->calls = b->thread->calls;
    lock_acquire(&f->lock);
    open = !f->closing;
    if (open)
        list_push_back(&f->sync_waiters, &b->link);
    lock_release(&f->lock);
    return open;
}

void file_block_leave(struct file *f, struct file_blocker *b)
{
    lock_acquire(&f->lock);
    list_remove(&b->link);
    lock_release(&f->lock);
}

void file_call_blockers(struct file *f)
{
    lock_acquire(&f->lock);
    list_for_each(l, &f->sync_waiters) {
        const struct file_blocker *b = container_of(l, struct file_blocker, link);

        wait_sync_look(b->thread, b->calls);
    }
    lock_release(&f->lock);
}

/* Called back: what the attempt says is an error because of that, or speaks of the placeholder. */
static bool called_back(struct file *f, uint32_t status)
{
    bool closing;

    if (status == STATUS_PENDING || !wait_sync_cancelled())
        return false;
    if (status_is_error(status))
        return true;
    lock_acquire(&f->lock);
    closing = f->closing;
    lock_release(&f->lock);
    return closing;
}

static uint32_t block_loop(struct file *f, short events, uint64_t deadline_ns, enum wait_routines routines,
                           uint32_t (*attempt)(struct file *f, void *ctx), void *ctx)
{
    for (;;) {
        struct pollfd fds[2] = {[1] = {.fd = file_poll_fd(f), .events = events}};
        uint32_t status = attempt(f, ctx);

        if (called_back(f, status))
            return STATUS_CANCELLED;
        if (status != STATUS_PENDING)
            return status;
        status = wait_fds_once(fds, 2, deadline_ns, routines);
        if (status == STATUS_TIMEOUT)
            return STATUS_IO_TIMEOUT;
        if (status != STATUS_SUCCESS)
            return status;
        if (wait_sync_cancelled()) /* what is behind the number by now may be another file's */
            return STATUS_CANCELLED;
    }
}

/* One blocking call. */
struct blocking {
    struct file *file;
    struct file_blocker blocker;
    uint32_t status;
};

static void leave_call(void *arg)
{
    struct blocking *b = arg;

    file_block_leave(b->file, &b->blocker);
    wait_sync_end();
}

uint32_t file_blocking_call(struct file *f, short events, uint64_t deadline_ns, enum wait_routines routines,
                            uint32_t (*attempt)(struct file *f, void *ctx), void *ctx)
{
    struct blocking b = {.file = f};

    wait_sync_begin();
    if (!file_block_enter(f, &b.blocker)) {
        wait_sync_end();
        return STATUS_INVALID_HANDLE;
    }
    pthread_cleanup_push(leave_call, &b); /* a routine may end the thread in there */
    b.status = block_loop(f, events, deadline_ns, routines, attempt, ctx);
    pthread_cleanup_pop(1);
    return b.status;
}
