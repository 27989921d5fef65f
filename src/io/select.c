/* SPDX-License-Identifier: MIT */
/*
 * select and WSAPoll: poll(2), what it says translated into Winsock's view, until somebody has got
 * something. poll(2) cannot be told to keep an end of a stream or an unconnected socket to itself:
 * a socket that woke us for nothing moves into an edge-triggered epoll set, which says it once.
 */
#include "io/select.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "io/connect.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BITS (POLLIN | POLLRDNORM | SELECT_READ)
#define WRITE_BITS (POLLOUT | POLLWRNORM | SELECT_WRITE)
#define URGENT_BITS (POLLPRI | POLLRDBAND | SELECT_EXCEPT)

enum { FDS_INLINE = 66, FDS_OWN = 2 };

/* One call. fds: the wait room's slot, the noisy ones' set, then one for each item. */
struct selection {
    struct select_item *items;
    unsigned n;
    struct pollfd *fds; /* fds_inline, or owned */
    int noisy_fd;       /* -1 until there is one */
    unsigned entered;   /* so many items know that we block on them */
    uint32_t status;
    struct pollfd fds_inline[FDS_INLINE];
};

/* ---- Winsock's view ---- */

static uint32_t view_connected(struct file *f, short bits)
{
    struct sock *s = sock_of(f);
    bool own_end = atomic_load(&s->shut) & SOCK_SHUT_RECV;
    uint32_t view = 0;

    if (bits & (POLLIN | POLLRDHUP | POLLHUP | POLLERR))
        view |= READ_BITS;
    if (bits & POLLOUT)
        view |= WRITE_BITS;
    if ((bits & POLLPRI) && !sock_urgent_inline(f))
        view |= URGENT_BITS;
    if ((bits & (POLLHUP | POLLERR)) || ((bits & POLLRDHUP) && !own_end))
        view |= POLLHUP;
    if ((bits & POLLERR) || atomic_load(&s->error) || atomic_load(&s->broken))
        view |= POLLERR | POLLHUP;
    return view;
}

/* Not connected: never was, or could not be. */
static uint32_t view_open(struct file *f, short bits)
{
    if (atomic_load(&sock_of(f)->error))
        return POLLERR | POLLHUP | POLLOUT | POLLWRNORM | SELECT_EXCEPT;
    if ((f->flags & FILE_ADOPTED) && !(bits & POLLHUP)) /* connected behind our back */
        return view_connected(f, bits);
    return 0;
}

static uint32_t view_datagram(struct file *f, short bits)
{
    bits = sock_datagram_look(f, bits);
    return (bits & POLLIN ? READ_BITS : 0) | (bits & POLLOUT ? WRITE_BITS : 0);
}

static uint32_t view_of(struct file *f, short bits)
{
    struct sock *s = sock_of(f);

    if (!sock_is_stream(s))
        return view_datagram(f, bits);
    if (bits && atomic_load(&s->phase) == SOCK_PHASE_CONNECTING)
        connect_poll(f);
    switch (atomic_load(&s->phase)) {
    case SOCK_PHASE_LISTENING:
        return bits & POLLIN ? READ_BITS : 0;
    case SOCK_PHASE_CONNECTED:
        return view_connected(f, bits);
    case SOCK_PHASE_OPEN:
        return view_open(f, bits);
    default:
        return 0;
    }
}

/* What poll(2) is asked. A connect's end is news whatever is wanted of the connection. */
static short question(const struct select_item *it)
{
    short events = 0;

    if (it->want & READ_BITS)
        events |= POLLIN | POLLRDHUP;
    if ((it->want & WRITE_BITS) || atomic_load(&sock_of(it->file)->phase) == SOCK_PHASE_CONNECTING)
        events |= POLLOUT;
    if (it->want & URGENT_BITS)
        events |= POLLPRI;
    if (it->want & POLLHUP)
        events |= POLLRDHUP;
    return events;
}

/* ---- looking ---- */

/* Asks about all of them, the noisy ones too. */
static uint32_t look(struct selection *sel)
{
    for (unsigned i = 0; i < sel->n; i++) {
        struct pollfd *p = &sel->fds[FDS_OWN + i];

        p->fd = sel->items[i].file ? sel->items[i].file->fd : -1;
        p->revents = 0;
        if (p->fd >= 0)
            p->events = question(&sel->items[i]);
    }
    if (poll(sel->fds + FDS_OWN, sel->n, 0) < 0 && errno != EINTR) /* EINTR: nothing is ready */
        return STATUS_INSUFFICIENT_RESOURCES;
    return STATUS_SUCCESS;
}

/* Makes of what poll(2) said what the items have got. Returns how many have got something. */
static unsigned judge(struct selection *sel)
{
    unsigned count = 0;

    for (unsigned i = 0; i < sel->n; i++) {
        struct select_item *it = &sel->items[i];

        it->got = 0;
        if (!it->file)
            continue;
        it->got = (uint16_t)(view_of(it->file, sel->fds[FDS_OWN + i].revents) & it->want);
        count += it->got != 0;
    }
    return count;
}

/* ---- the noisy ones ---- */

static uint32_t silence(struct selection *sel, unsigned i)
{
    struct epoll_event ev = {
        .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.u32 = i};

    if (sel->noisy_fd < 0)
        sel->noisy_fd = own_fd(os_epoll_create());
    if (sel->noisy_fd < 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    /* It is in the set already if it spoke before or was given twice, but not what AcceptEx put there. */
    if (os_epoll_ctl(sel->noisy_fd, EPOLL_CTL_ADD, sel->items[i].file->fd, &ev) < 0 && errno != EEXIST)
        return STATUS_INSUFFICIENT_RESOURCES;
    return STATUS_SUCCESS;
}

/* Nobody has got anything: what spoke all the same is to be quiet from now on. */
static uint32_t silence_all(struct selection *sel)
{
    uint32_t status = STATUS_SUCCESS;

    for (unsigned i = 0; i < sel->n && status == STATUS_SUCCESS; i++) {
        struct pollfd *p = &sel->fds[FDS_OWN + i];

        if (p->fd < 0 || !p->revents)
            continue;
        status = silence(sel, i);
        p->fd = -1;
    }
    sel->fds[1].fd = sel->noisy_fd;
    sel->fds[1].events = POLLIN;
    return status;
}

static void hear_noisy(struct selection *sel)
{
    struct epoll_event events[16];

    while (sel->noisy_fd >= 0 && os_epoll_wait(sel->noisy_fd, events, 16, 0) == 16)
        ;
}

/* ---- waiting ---- */

static bool enter_all(struct selection *sel, unsigned *entered)
{
    for (*entered = 0; *entered < sel->n; ++*entered) {
        struct select_item *it = &sel->items[*entered];

        if (it->file && !file_block_enter(it->file, &it->blocker))
            return false;
    }
    return true;
}

static void leave(struct selection *sel, unsigned entered)
{
    for (unsigned i = 0; i < entered; i++) {
        if (sel->items[i].file)
            file_block_leave(sel->items[i].file, &sel->items[i].blocker);
    }
}

/* Somebody called us back: was it because a socket goes? */
static uint32_t why_cancelled(struct selection *sel)
{
    bool closing = false;

    for (unsigned i = 0; i < sel->n && !closing; i++) {
        struct file *f = sel->items[i].file;

        if (!f)
            continue;
        lock_acquire(&f->lock);
        closing = f->closing;
        lock_release(&f->lock);
    }
    return closing ? STATUS_OBJECT_TYPE_MISMATCH : STATUS_CANCELLED;
}

static uint32_t sleep_loop(struct selection *sel, uint64_t deadline_ns, unsigned *count)
{
    for (;;) {
        uint32_t status = silence_all(sel);

        if (status == STATUS_SUCCESS)
            status = wait_fds_once(sel->fds, FDS_OWN + sel->n, deadline_ns, WAIT_RUNS_ROUTINES);
        if (status == STATUS_CANCELLED)
            return why_cancelled(sel);
        if (status == STATUS_TIMEOUT)
            return STATUS_SUCCESS;
        if (status != STATUS_SUCCESS)
            return status;
        hear_noisy(sel);
        status = look(sel);
        if (wait_sync_cancelled()) /* what was looked at may be the placeholder of a closed one */
            return why_cancelled(sel);
        if (status == STATUS_SUCCESS)
            *count = judge(sel);
        if (status != STATUS_SUCCESS || *count > 0)
            return status;
    }
}

static void leave_call(void *arg)
{
    struct selection *sel = arg;

    leave(sel, sel->entered);
    wait_sync_end();
}

static uint32_t block(struct selection *sel, uint64_t deadline_ns, unsigned *count)
{
    sel->status = STATUS_OBJECT_TYPE_MISMATCH;
    wait_sync_begin();
    pthread_cleanup_push(leave_call, sel); /* a routine may end the thread in there */
    if (enter_all(sel, &sel->entered))
        sel->status = sleep_loop(sel, deadline_ns, count);
    pthread_cleanup_pop(1);
    return sel->status;
}

uint32_t select_wait(struct select_item *items, unsigned n, uint64_t deadline_ns, unsigned *count)
{
    struct selection sel = {.items = items, .n = n, .fds = sel.fds_inline, .noisy_fd = -1};
    uint32_t status;

    if (n + FDS_OWN > FDS_INLINE) {
        sel.fds = malloc((n + FDS_OWN) * sizeof *sel.fds);
        if (!sel.fds)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    *count = 0;
    status = look(&sel);
    if (status == STATUS_SUCCESS)
        *count = judge(&sel);
    if (status == STATUS_SUCCESS && *count == 0 && deadline_ns != 0)
        status = block(&sel, deadline_ns, count);
    if (sel.noisy_fd >= 0)
        own_fd_close(sel.noisy_fd);
    if (sel.fds != sel.fds_inline)
        free(sel.fds);
    return status;
}
