/* SPDX-License-Identifier: MIT */
/*
 * The kernel's queue for transfers on files opened with O_DIRECT; see aio.h. What is done lies in a ring
 * that the kernel writes and that is read here without a system call: its head is ours, under the lock.
 * An eventfd, edge triggered and never read, is written after the ring.
 *
 * A context is never given back: to destroy one takes the kernel some 10 ms, in which somebody who
 * closes a port would sit. It waits for the next poller; there are as many as pollers had one at a time.
 */
#include "engine/aio.h"

#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

/* What the kernel maps into the process; fio and QEMU read it so too. */
struct events {
    uint32_t id, size;
    _Atomic uint32_t head, tail;
    uint32_t magic, compat_features, incompat_features, header_size;
    struct io_event event[];
};
#define EVENTS_MAGIC 0xa10a10a1u

enum { UNDER_WAY_MAX = 256, ANSWERS_AT_ONCE = 32 };

struct aio {
    struct aio *next;        /* unused ones; guarded by queues.lock */
    struct lock lock;        /* events->head */
    struct events *events;   /* constant; its address is the kernel's name for the context */
    size_t mapped;           /* constant: bytes of it */
    int event_fd;            /* constant while a poller has it */
    _Atomic uint32_t starts; /* what was written before a start is seen by who answers */
};

static struct {
    struct lock lock; /* unused; who makes one for a poller, so that it does not get two */
    struct aio *unused;
} queues = {.lock = LOCK_INIT(LOCK_ENGINE)};

/* Stands in poller.aio where there is none to be had. */
static struct aio none;

int aio_probe(void)
{
    int err = os_aio_destroy(0); /* there is no context 0, if there are contexts at all */

    return err == -EINVAL ? 0 : err;
}

/* ---- life ---- */

static void keep_locked(struct aio *a)
{
    lock_assert_held(&queues.lock);
    assert(atomic_load(&a->events->head) == atomic_load(&a->events->tail));
    own_fd_close(a->event_fd);
    a->next = queues.unused;
    queues.unused = a;
}

void aio_free(struct aio *a)
{
    if (!a || a == &none)
        return;
    lock_acquire(&queues.lock);
    keep_locked(a);
    lock_release(&queues.lock);
}

static struct aio *make(void)
{
    struct aio *a = calloc(1, sizeof *a);
    unsigned long context = 0;

    if (!a)
        return NULL;
    if (os_aio_setup(UNDER_WAY_MAX, &context) < 0) {
        free(a);
        return NULL;
    }
    lock_init(&a->lock, LOCK_ENGINE);
    a->events = (struct events *)context;
    a->mapped = sizeof *a->events + a->events->size * sizeof a->events->event[0];
    if (a->events->magic == EVENTS_MAGIC && a->events->incompat_features == 0 &&
        a->events->header_size == sizeof *a->events)
        return a;
    os_aio_destroy(context); /* another layout: not ours to read */
    free(a);
    return NULL;
}

/* A queue whose eventfd is in p's set; `none` if there is something missing. */
static struct aio *attach_locked(struct poller *p)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = TOKEN_AIO};
    int fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    struct aio *a = queues.unused;

    lock_assert_held(&queues.lock);
    if (fd < 0)
        return &none;
    if (a)
        queues.unused = a->next;
    else
        a = make();
    if (!a) {
        own_fd_close(fd);
        return &none;
    }
    a->event_fd = fd;
    if (os_epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        keep_locked(a);
        return &none;
    }
    atomic_fetch_add(&p->registered, 1);
    return a;
}

bool aio_attach(struct poller *p, bool *made)
{
    struct aio *a = atomic_load_explicit(&p->aio, memory_order_acquire);

    *made = false;
    if (a)
        return a != &none;
    lock_acquire(&queues.lock);
    a = atomic_load(&p->aio);
    if (!a) {
        a = attach_locked(p);
        *made = a != &none;
        atomic_store(&p->aio, a);
    }
    lock_release(&queues.lock);
    return a != &none;
}

/* ---- work ---- */

int aio_start(struct op *op)
{
    struct aio *a = atomic_load_explicit(&op->direct->aio, memory_order_acquire);
    struct iocb block = {
        .aio_data = (uintptr_t)op,
        .aio_rw_flags = RWF_NOWAIT,
        .aio_fildes = (uint32_t)op->fd,
        .aio_lio_opcode = op->code == OP_WRITE ? IOCB_CMD_PWRITEV : IOCB_CMD_PREADV,
        .aio_buf = (uintptr_t)op->iov,
        .aio_nbytes = op->iov_count,
        .aio_offset = (int64_t)op->offset,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = (uint32_t)a->event_fd,
    };

    assert(op->code == OP_READ || op->code == OP_WRITE);
    assert(op->rw_flags == 0 && op->offset <= INT64_MAX);
    if (op->iov_count == 1) { /* the shorter way through the kernel */
        block.aio_lio_opcode = op->code == OP_WRITE ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
        block.aio_buf = (uintptr_t)op->iov[0].iov_base;
        block.aio_nbytes = op->iov[0].iov_len;
    }
    atomic_fetch_add_explicit(&a->starts, 1, memory_order_release); /* read in `take` */
    return os_aio_submit((unsigned long)a->events, &block);
}

/* How many answers lie there. */
static uint32_t count(const struct events *events)
{
    uint32_t head = atomic_load_explicit(&events->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&events->tail, memory_order_acquire);

    return tail >= head ? tail - head : tail + events->size - head;
}

static uint32_t take(struct aio *a, struct io_event *out, uint32_t max)
{
    struct events *events = a->events;
    uint32_t head, n;

    lock_acquire(&a->lock);
    head = atomic_load_explicit(&events->head, memory_order_relaxed);
    n = count(events);
    if (n > max)
        n = max;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = events->event[head];
        head = head + 1 < events->size ? head + 1 : 0;
    }
    atomic_store_explicit(&events->head, head, memory_order_release);
    lock_release(&a->lock);
    (void)atomic_load_explicit(&a->starts, memory_order_acquire);
    return n;
}

/* Not more than lay there at the beginning: whoever starts them anew at once would keep this thread here
 * for ever. What comes later is an edge of its own. */
void aio_harvest(struct poller *p)
{
    struct aio *a = atomic_load_explicit(&p->aio, memory_order_acquire);
    struct io_event some[ANSWERS_AT_ONCE];
    uint32_t left, n;

    lock_acquire(&a->lock);
    left = count(a->events);
    lock_release(&a->lock);
    while (left > 0 && (n = take(a, some, left < ANSWERS_AT_ONCE ? left : ANSWERS_AT_ONCE)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            struct op *op = (struct op *)(uintptr_t)some[i].data;

            op->done(op, os_answer("io_getevents", some[i].res));
        }
        left -= n;
    }
}

/* ---- fork ---- */

void aio_forget(struct aio *a)
{
    if (!a || a == &none)
        return;
    own_fd_close(a->event_fd);
    munmap(a->events, a->mapped);
}

/* Contexts are of the parent's memory, whose mapping of them is here and means nothing. */
static void drop_unused(void)
{
    for (struct aio *a = queues.unused; a; a = a->next)
        munmap(a->events, a->mapped);
    queues.unused = NULL;
}

FORK_HOOK(&queues.lock, LOCK_ENGINE, drop_unused);
