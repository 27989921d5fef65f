/* SPDX-License-Identifier: MIT */
/* epoll, once: see poller.h. Edge triggered throughout; the wake eventfd is never read, because
 * every write is an edge of its own. */
#include "engine/poller.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "engine/aio.h"
#include "engine/home.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(READY_IN == (int)EPOLLIN && READY_PRI == (int)EPOLLPRI &&
                   READY_OUT == (int)EPOLLOUT && READY_ERR == (int)EPOLLERR &&
                   READY_HUP == (int)EPOLLHUP && READY_RDHUP == (int)EPOLLRDHUP,
               "edges carry epoll's own bits");

enum { HELP_AT_ONCE = 16, ABANDONED_TURNS = 20, DEFERRED_TURNS = 1 };

static struct {
    struct lock lock; /* list, poller.nested */
    struct list list; /* pollers with an owner: all but home's own */
    uint64_t next_id; /* never 0, home's own */
    _Atomic uint32_t count;
} pollers = {.lock = LOCK_INIT(LOCK_GLOBAL), .list = LIST_INIT(pollers.list), .next_id = 1};

int poller_new(struct poller **out, void *owner, const struct poller_ops *ops)
{
    struct poller *p = calloc(1, sizeof *p);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = TOKEN_WAKE};
    int err;

    if (!p)
        return -ENOMEM;
    p->owner = owner;
    p->ops = ops;
    list_init(&p->link);
    p->epoll_fd = own_fd(os_epoll_create());
    p->wake_fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (p->epoll_fd < 0 || p->wake_fd < 0 ||
        os_epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->wake_fd, &ev) < 0) {
        err = -errno;
        if (p->epoll_fd >= 0)
            own_fd_close(p->epoll_fd);
        if (p->wake_fd >= 0)
            own_fd_close(p->wake_fd);
        free(p);
        return err;
    }
    if (owner) {
        lock_acquire(&pollers.lock);
        p->id = pollers.next_id++;
        list_push_back(&pollers.list, &p->link);
        lock_release(&pollers.lock);
        atomic_fetch_add(&pollers.count, 1);
    }
    *out = p;
    return 0;
}

void poller_free(struct poller *p)
{
    if (p->owner) {
        lock_acquire(&pollers.lock);
        list_remove(&p->link);
        lock_release(&pollers.lock);
        atomic_fetch_sub(&pollers.count, 1);
    }
    /* Home's set watches the epoll fd itself: closing its only descriptor takes it out. */
    own_fd_close(p->epoll_fd);
    own_fd_close(p->wake_fd);
    aio_free(atomic_load(&p->aio));
    free(p);
}

static int control(struct poller *p, int op, int fd, uint64_t token)
{
    struct epoll_event ev = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
        .data.u64 = token,
    };

    return os_epoll_ctl(p->epoll_fd, op, fd, &ev) < 0 ? -errno : 0;
}

int poller_add(struct poller *p, int fd, uint64_t token)
{
    int err = control(p, EPOLL_CTL_ADD, fd, token);

    if (!err)
        atomic_fetch_add(&p->registered, 1);
    return err;
}

int poller_again(struct poller *p, int fd, uint64_t token)
{
    return control(p, EPOLL_CTL_MOD, fd, token);
}

void poller_remove(struct poller *p, int fd)
{
    struct epoll_event ev = {0};

    os_epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, &ev);
    atomic_fetch_sub(&p->registered, 1);
}

static int epoll_until(int epoll_fd, struct epoll_event *events, int max, uint64_t deadline_ns)
{
    struct timespec ts;
    uint64_t now;
    uint64_t left;
    int n;

    if (deadline_ns == 0)
        return os_epoll_wait(epoll_fd, events, max, 0);
    if (deadline_ns == DEADLINE_NEVER)
        return os_epoll_wait(epoll_fd, events, max, -1);
    now = clock_now_ns();
    left = deadline_ns > now ? deadline_ns - now : 0;
    ts.tv_sec = (time_t)(left / NS_PER_SEC);
    ts.tv_nsec = (long)(left % NS_PER_SEC);
    n = epoll_pwait2(epoll_fd, events, max, &ts, NULL);
    if (n < 0 && (errno == ENOSYS || errno == EPERM)) { /* before Linux 5.11, or filtered */
        left = (left + NS_PER_MS - 1) / NS_PER_MS;
        n = os_epoll_wait(epoll_fd, events, max, left < INT_MAX ? (int)left : INT_MAX); /* then once more */
    }
    return n;
}

int poller_wait(struct poller *p, uint64_t deadline_ns, void *harvest)
{
    struct epoll_event events[POLLER_EVENTS];
    int n = epoll_until(p->epoll_fd, events, POLLER_EVENTS, deadline_ns);
    int edges = 0;

    atomic_fetch_add_explicit(&p->harvests, 1, memory_order_relaxed);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == TOKEN_WAKE)
            continue;
        p->ops->edge(p, events[i].data.u64, events[i].events, harvest);
        edges++;
    }
    return edges;
}

void poller_wake(struct poller *p)
{
    os_ring(p->wake_fd);
}

void poller_answer(struct poller *p)
{
    aio_harvest(p);
}

static bool unattended(const struct poller *p)
{
    return atomic_load(&p->registered) > 0 && !atomic_load(&p->led);
}

/* Pins up to HELP_AT_ONCE of the pollers behind `at` (pinned; NULL: all of them) that are wanted. */
static unsigned pin_some(struct poller **out, bool (*wanted)(struct poller *p), struct poller *at)
{
    struct list *e;
    unsigned n = 0;

    lock_acquire(&pollers.lock);
    e = at ? at->link.next : pollers.list.next;
    for (; e != &pollers.list && n < HELP_AT_ONCE; e = e->next) {
        struct poller *p = container_of(e, struct poller, link);

        if (wanted(p) && p->ops->pin(p))
            out[n++] = p;
    }
    lock_release(&pollers.lock);
    return n;
}

/* Calls serve() for each poller that is wanted when its turn comes, once; some at a time under the lock. */
static void serve_all(bool (*wanted)(struct poller *p), void (*serve)(struct poller *p))
{
    struct poller *some[HELP_AT_ONCE];
    struct poller *last = NULL; /* pinned: where to go on */
    unsigned n;

    do {
        n = pin_some(some, wanted, last);
        if (last)
            last->ops->unpin(last);
        last = n == HELP_AT_ONCE ? some[n - 1] : NULL;
        for (unsigned i = 0; i < n; i++) {
            serve(some[i]);
            if (some[i] != last)
                some[i]->ops->unpin(some[i]);
        }
    } while (last);
}

/* Home thread. What it harvests itself is no sign that somebody is back. */
static void help(struct poller *p)
{
    bool alone = atomic_load(&p->harvests) == atomic_load(&p->attended);

    p->ops->help(p);
    p->watchdog_seen = atomic_load(&p->harvests);
    if (alone)
        atomic_store(&p->attended, p->watchdog_seen);
}

static bool wants_attention(struct poller *p)
{
    return unattended(p) && (!atomic_load(&p->armed) || p->ops->left(p));
}

static bool wants_help(struct poller *p)
{
    return unattended(p);
}

static void attend(struct poller *p)
{
    home_attend(p);
    if (p->ops->left(p))
        poller_wake(p); /* no edge of theirs is to come: this one calls the home thread */
}

void poller_attend_all(void)
{
    if (atomic_load_explicit(&pollers.count, memory_order_relaxed) > 0 && !home_is_current())
        serve_all(wants_attention, attend);
}

static void help_once(struct poller *p)
{
    p->ops->help(p);
}

void poller_help_all(void)
{
    if (atomic_load_explicit(&pollers.count, memory_order_relaxed) > 0)
        serve_all(wants_help, help_once);
}

static struct poller *pin_id(uint64_t id)
{
    struct poller *found = NULL;

    lock_acquire(&pollers.lock);
    list_for_each(e, &pollers.list) {
        struct poller *p = container_of(e, struct poller, link);

        if (p->id == id && p->ops->pin(p))
            found = p;
    }
    lock_release(&pollers.lock);
    return found;
}

void poller_help_id(uint64_t id)
{
    struct poller *p = pin_id(id);

    if (!p)
        return;
    atomic_store(&p->armed, false);
    if (unattended(p)) {
        help(p);
        if (p->watchdog_seen == atomic_load(&p->attended) && unattended(p) && p->ops->idle(p))
            home_attend(p); /* whoever made us attend it sleeps still */
        else
            home_watch();
    }
    p->ops->unpin(p);
}

static bool stale(struct poller *p)
{
    uint32_t harvests = atomic_load(&p->harvests);
    bool worked_on;

    if (!wants_attention(p))
        return false;
    worked_on = p->ops->worked_on(p);
    if (harvests == p->watchdog_seen && worked_on && p->deferred < DEFERRED_TURNS) {
        p->deferred++; /* a long queue: it is looked behind when that has been worked off */
        return false;
    }
    p->deferred = 0;
    if (harvests == p->watchdog_seen) {
        p->abandoned++;
        return true;
    }
    p->watchdog_seen = harvests;
    p->abandoned = 0;
    return false;
}

static bool any_unattended(void)
{
    bool any = false;

    lock_acquire(&pollers.lock);
    list_for_each(e, &pollers.list) {
        if (wants_attention(container_of(e, struct poller, link)))
            any = true;
    }
    lock_release(&pollers.lock);
    return any;
}

static void help_stale(struct poller *p)
{
    help(p);
    if (p->abandoned >= ABANDONED_TURNS) {
        p->abandoned = 0;
        home_attend(p); /* nothing more to be done until it is ready */
    }
}

bool poller_watchdog(void)
{
    serve_all(stale, help_stale);
    return any_unattended();
}

/* The sets are shared with the parent: closed here, never changed. Waiting in one, or taking a file
 * out of it, would be the parent's loss. */
static void close_inherited(void)
{
    list_for_each(e, &pollers.list) {
        struct poller *p = container_of(e, struct poller, link);

        own_fd_close(p->epoll_fd);
        own_fd_close(p->wake_fd);
        aio_forget(atomic_load(&p->aio));
    }
    list_init(&pollers.list);
    atomic_store(&pollers.count, 0);
}

FORK_HOOK(&pollers.lock, LOCK_GLOBAL, close_inherited);
