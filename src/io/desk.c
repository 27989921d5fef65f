/* SPDX-License-Identifier: MIT */
/*
 * The home thread at a desk; see desk.h. It has others to see to as well, and visitors may come faster than
 * they are dealt with: after so many events at once it comes back later. The set is level triggered within,
 * so what was not dealt with comes again, if somebody looks; but its entry in the home thread's set is not.
 */
#include "io/desk.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "io/pipe_dir.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_MS = 20, AT_ONCE = 64 };

static bool is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

static void look(struct desk *d)
{
    struct epoll_event ev;

    assert(home_is_current());
    lock_assert_none();
    for (int seen = 0; os_epoll_wait(d->epoll_fd, &ev, 1, 0) > 0; seen++) {
        if (seen == AT_ONCE) {
            if (!d->coming_back)
                home_submit(&d->again);
            d->coming_back = true;
            return;
        }
        if (is_shortage(d->on_event(ev.data.fd))) {
            timer_set(&d->retry, deadline_from_ms(RETRY_MS));
            return;
        }
    }
}

static void on_ready(void *ctx)
{
    look(ctx);
}

static void come_back(struct home_work *w)
{
    struct desk *d = container_of(w, struct desk, again);

    d->coming_back = false;
    look(d);
}

static void on_retry(struct timer *t)
{
    look(container_of(t, struct desk, retry));
}

int desk_open(struct desk *d)
{
    int fd, err;

    lock_assert_held(d->lock);
    if (d->epoll_fd >= 0)
        return 0;
    fd = own_fd(os_epoll_create());
    if (fd < 0)
        return -errno;
    d->again.run = come_back;
    timer_init(&d->retry, on_retry);
    err = timer_reserve(&d->retry); /* to set it cannot fail */
    if (!err) {
        d->epoll_fd = fd;
        err = home_add_fd(fd, on_ready, d);
        if (err)
            timer_unreserve(&d->retry);
    }
    if (err) {
        d->epoll_fd = -1;
        own_fd_close(fd);
    }
    return err;
}

int desk_watch(struct desk *d, int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};

    assert(d->epoll_fd >= 0);
    return os_epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void desk_watch_again(struct desk *d, int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};

    assert(d->epoll_fd >= 0);
    os_epoll_ctl(d->epoll_fd, EPOLL_CTL_MOD, fd, &ev);
}

void desk_unwatch(struct desk *d, int fd)
{
    assert(d->epoll_fd >= 0);
    os_epoll_ctl(d->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int desk_receive(int listener, int flags, uint32_t *process)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | flags);

    assert(home_is_current());
    if (fd < 0)
        return -errno;
    fd = fd_above_std(fd);
    if (fd >= 0 && (!pipe_dir_peer(fd, process) || *process == 0)) {
        close(fd);
        return -EACCES;
    }
    return fd;
}

void desk_afresh(struct desk *d)
{
    if (d->epoll_fd >= 0)
        own_fd_close(d->epoll_fd);
    d->epoll_fd = -1;
    d->coming_back = false;
}
