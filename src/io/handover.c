/* SPDX-License-Identifier: MIT */
/*
 * The giver's side of a handover; see handover.h. The first offer makes a socket in the user's run-time
 * directory (pipe_dir.h), called by the process. The home thread answers there: it believes the kernel, not
 * the visitor, who it is, and gives nothing away but by the token and to the process that was named.
 *
 * At the desk are the listener, the visitors that have not spoken yet, and the processes that something is
 * offered to. The home thread answers with the lock held, which a fork waits for: nothing there blocks, and a
 * descriptor that is in nobody's list would stay in the child.
 */
#include "io/handover.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "engine/engine.h"
#include "io/desk.h"
#include "io/file.h"
#include "io/handover_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { VISITORS_MAX = 64 };

_Atomic uint64_t handover_kept_ns = 600 * NS_PER_SEC;

struct offer {
    struct list link;
    unsigned char token[HANDOVER_TOKEN];
    uint32_t process;
    uint64_t until_ns; /* then it is given up */
    int fd;    /* the copy, owned */
    int pidfd; /* of the process, owned: readable when it has ended */
    struct op closing;
};

/* A connection that has not said what it wants. */
struct visitor {
    struct list link;
    int fd; /* owned */
    uint32_t process;
};

static int on_event(int fd);

/* All guarded by the lock; the desk has rules of its own. */
static struct {
    struct lock lock;
    struct list offers;   /* struct offer, oldest first */
    struct list visitors; /* struct visitor, oldest first */
    unsigned visitor_count;
    int listener;
    char file[PIPE_FILE_SIZE];
    bool exit_known;
    bool expires;        /* `expiry` has its place in the heap */
    struct timer expiry; /* set while there are offers; the heap's lock guards what is inside */
    struct desk desk;
} giver = {.lock = LOCK_INIT(LOCK_GLOBAL),
           .offers = LIST_INIT(giver.offers),
           .visitors = LIST_INIT(giver.visitors),
           .listener = -1,
           .desk = DESK_INIT(&giver.lock, on_event)};

static int watch_locked(int fd)
{
    lock_assert_held(&giver.lock);
    return desk_watch(&giver.desk, fd, EPOLLIN);
}

static void unwatch_and_close(int fd)
{
    desk_unwatch(&giver.desk, fd);
    own_fd_close(fd);
}

/* ---- the end of an offer ---- */

static int64_t close_call(struct op *op)
{
    own_fd_close(op->fd);
    return 0;
}

static void closed(struct op *op, int64_t result)
{
    (void)result;
    free(container_of(op, struct offer, closing));
}

static bool lingers(int fd)
{
    struct linger linger = {0};
    socklen_t len = sizeof linger;

    return getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) == 0 && linger.l_onoff;
}

static void withdraw_locked(struct offer *o)
{
    lock_assert_held(&giver.lock);
    list_remove(&o->link);
    unwatch_and_close(o->pidfd);
    if (lingers(o->fd))
        return;
    own_fd_close(o->fd);
    o->fd = -1;
}

/* The rest of it, without the lock. The last close of a socket that lingers may take its time. */
static void offer_end(struct offer *o)
{
    o->closing = (struct op){.code = OP_CALL, .fd = o->fd, .call = close_call, .done = closed};
    if (o->fd >= 0 && engine_start(&o->closing) == 0)
        return;
    if (o->fd >= 0)
        own_fd_close(o->fd);
    free(o);
}

/* ---- visitors ---- */

static void dismiss_locked(struct visitor *v)
{
    list_remove(&v->link);
    giver.visitor_count--;
    unwatch_and_close(v->fd);
    free(v);
}

static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    return poll(&p, 1, 0) != 0;
}

/* NULL: nothing of that token is for this process. */
static struct offer *find_offer_locked(const struct visitor *v, const unsigned char *token)
{
    list_for_each(l, &giver.offers) {
        struct offer *o = container_of(l, struct offer, link);

        if (memcmp(o->token, token, HANDOVER_TOKEN) == 0)
            return o->process == v->process && !has_ended(o->pidfd) ? o : NULL;
    }
    return NULL;
}

/* What was taken, if anything was; the caller ends it. */
static struct offer *attend_locked(struct visitor *v)
{
    struct handover_answer answer = {.magic = HANDOVER_ANSWER, .given = 0};
    struct handover_hello hello;
    struct offer *o = NULL;
    ssize_t n = os_recv(v->fd, &hello, sizeof hello, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return NULL;
    if (n == (ssize_t)sizeof hello && hello.magic == HANDOVER_HELLO) { /* so small, it comes in one piece */
        o = find_offer_locked(v, hello.token);
        answer.given = o != NULL;
        if (handover_send(v->fd, &answer, o ? o->fd : -1) < 0)
            o = NULL; /* it has gone, or has no room for a descriptor: it may come again */
    }
    if (o)
        withdraw_locked(o);
    dismiss_locked(v);
    return o;
}

/* The next connection; -errno if there is none to be had now. */
static int receive_locked(void)
{
    uint32_t process;
    int fd = desk_receive(giver.listener, SOCK_NONBLOCK, &process);
    struct visitor *v;

    if (fd < 0)
        return fd;
    v = calloc(1, sizeof *v);
    if (!v) {
        close(fd);
        return 0;
    }
    if (giver.visitor_count == VISITORS_MAX) /* who connects and says nothing does not keep others out */
        dismiss_locked(container_of(giver.visitors.next, struct visitor, link));
    v->fd = own_fd(fd);
    v->process = process;
    list_push_back(&giver.visitors, &v->link);
    giver.visitor_count++;
    if (watch_locked(fd) < 0)
        dismiss_locked(v);
    return 0;
}

/* ---- on the home thread ---- */

static int on_event(int fd)
{
    struct offer *ended = NULL;
    int err = 0;

    lock_acquire(&giver.lock);
    list_for_each(l, &giver.offers) {
        struct offer *o = container_of(l, struct offer, link);

        if (o->pidfd == fd)
            ended = o;
    }
    if (ended)
        withdraw_locked(ended);
    list_for_each_safe(l, next, &giver.visitors) {
        struct visitor *v = container_of(l, struct visitor, link);

        if (v->fd == fd) {
            ended = attend_locked(v);
            break;
        }
    }
    if (fd == giver.listener)
        err = receive_locked();
    lock_release(&giver.lock);
    if (ended)
        offer_end(ended);
    return err;
}

/* ---- what nobody takes ---- */

/* The oldest, if its time is up; *next_ns: when to look again. */
static struct offer *expired_locked(uint64_t now_ns, uint64_t *next_ns)
{
    struct offer *o;

    lock_assert_held(&giver.lock);
    *next_ns = DEADLINE_NEVER;
    if (list_empty(&giver.offers))
        return NULL;
    o = container_of(giver.offers.next, struct offer, link);
    *next_ns = o->until_ns;
    if (o->until_ns > now_ns)
        return NULL;
    withdraw_locked(o);
    return o;
}

/*
 * The process that was named lives, and does not come. Until it ends its offers would keep connections open
 * that the program has closed, and their descriptors are ours, not its.
 */
static void on_expiry(struct timer *t)
{
    uint64_t now_ns = clock_now_ns(), next_ns;
    struct offer *o;

    do {
        lock_acquire(&giver.lock);
        o = expired_locked(now_ns, &next_ns);
        lock_release(&giver.lock);
        if (o)
            offer_end(o);
    } while (o);
    if (next_ns != DEADLINE_NEVER)
        timer_set(t, next_ns);
}

/* ---- offering ---- */

/* Exit handlers run. */
static void remove_file(void)
{
    char dir[PIPE_DIR_SIZE];

    lock_acquire(&giver.lock);
    if (giver.listener >= 0) {
        handover_dir((uint32_t)getpid(), dir);
        pipe_dir_remove(dir, giver.file);
    }
    lock_release(&giver.lock);
}

static int listen_locked(void)
{
    char dir[PIPE_DIR_SIZE];
    int fd, err;

    handover_dir((uint32_t)getpid(), dir);
    pipe_dir_clear();
    fd = pipe_dir_listen(dir, giver.file);
    if (fd < 0)
        return fd;
    err = watch_locked(fd);
    if (err) {
        close(fd);
        pipe_dir_remove(dir, giver.file);
        return err;
    }
    giver.listener = own_fd(fd);
    if (!giver.exit_known)
        atexit(remove_file);
    giver.exit_known = true;
    return 0;
}

static int open_locked(void)
{
    int err = desk_open(&giver.desk);

    if (!err && !giver.expires) {
        timer_init(&giver.expiry, on_expiry);
        err = timer_reserve(&giver.expiry);
        giver.expires = err == 0;
    }
    return !err && giver.listener < 0 ? listen_locked() : err;
}

/* The token, once everything else is there. */
static int draw(unsigned char token[HANDOVER_TOKEN])
{
    ssize_t n;

    do {
        n = getrandom(token, HANDOVER_TOKEN, 0);
    } while (n < 0 && errno == EINTR);
    return n == HANDOVER_TOKEN ? 0 : n < 0 ? -errno : -EIO;
}

static int fill_locked(struct offer *o, int fd)
{
    int err;

    o->pidfd = os_pidfd_open((pid_t)o->process);
    if (o->pidfd < 0)
        return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: a thread's number */
    own_fd(o->pidfd);
    if (has_ended(o->pidfd))
        return -ESRCH;
    o->fd = own_fd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (o->fd < 0)
        return -errno;
    err = open_locked();
    if (!err)
        err = draw(o->token);
    return err ? err : watch_locked(o->pidfd);
}

int handover_offer(int fd, uint32_t process, unsigned char token[HANDOVER_TOKEN])
{
    struct offer *o = calloc(1, sizeof *o);
    int err = o ? home_start() : -ENOMEM;
    bool first = false;
    uint64_t until_ns = clock_now_ns() + handover_kept_ns;

    if (err) {
        free(o);
        return err;
    }
    o->process = process;
    o->until_ns = until_ns;
    o->fd = o->pidfd = -1;
    list_init(&o->link);
    lock_acquire(&giver.lock);
    err = fill_locked(o, fd);
    if (!err) {
        memcpy(token, o->token, HANDOVER_TOKEN);
        first = list_empty(&giver.offers);
        list_push_back(&giver.offers, &o->link);
    } else {
        if (o->fd >= 0)
            own_fd_close(o->fd); /* not the last: the caller has the socket */
        if (o->pidfd >= 0)
            own_fd_close(o->pidfd);
    }
    lock_release(&giver.lock);
    if (first)
        timer_set(&giver.expiry, until_ns);
    if (err)
        free(o);
    return err;
}

/* ---- fork ---- */

/* Offers and visitors are the parent's. Not by epoll_ctl: the set is shared with it. */
static void start_afresh(void)
{
    struct list *l;

    while ((l = list_pop_front(&giver.offers)) != NULL) {
        own_fd_close(container_of(l, struct offer, link)->pidfd);
        own_fd_close(container_of(l, struct offer, link)->fd);
        free(container_of(l, struct offer, link));
    }
    while ((l = list_pop_front(&giver.visitors)) != NULL) {
        own_fd_close(container_of(l, struct visitor, link)->fd);
        free(container_of(l, struct visitor, link));
    }
    if (giver.listener >= 0)
        own_fd_close(giver.listener);
    desk_afresh(&giver.desk);
    giver.listener = -1;
    giver.expires = false;
    giver.visitor_count = 0;
}

FORK_HOOK(&giver.lock, LOCK_GLOBAL, start_afresh);
