/* SPDX-License-Identifier: MIT */
/*
 * The answers to those who come to open a pipe. The home thread gives them: it listens on the socket of each
 * name that has instances here, hears the hello, and puts the connection behind an instance that is free,
 * or says that there is none. So opening a pipe needs no thread of the program, and "busy" is known.
 *
 * The home thread's epoll set holds one of ours, with the listeners and the visitors: connections that
 * have not said all of their hello, or that wait for a free instance. Tokens are descriptors; what they
 * mean is looked up under the lock, so that an event that comes too late hits nobody.
 */
#include "io/pipe.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/pipe_name.h"
#include "io/pipe_wire.h"
#include "ntstatus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { UNHEARD_MAX = 256, WAITING_MAX = 256, RETRY_MS = 20, AT_ONCE = 64 };

/* A connection that has not become a pipe. In `visitors` it is anybody's; else whose hands it is in. */
struct visitor {
    struct list link;
    int fd;
    bool watched;            /* in the epoll set */
    uint32_t got;            /* bytes of hello and text */
    struct pipe_hello hello;
    char text[PIPE_TEXT_MAX];
    struct pipe_name *waits_for; /* borrowed: NULL, it has not said all */
};

/* visitors, unheard, waiting and calling are guarded by pipe_names.lock; the descriptors are constant once
 * made; coming_back is the home thread's. */
static struct {
    struct list visitors; /* struct visitor, oldest first */
    uint32_t unheard;     /* visitors that have not said all */
    uint32_t waiting;     /* visitors that wait for a free instance */
    bool calling;         /* `call` is submitted */
    struct home_work call;
    struct timer retry;
    struct home_work again;
    bool coming_back;     /* `again` is submitted */
    int epoll_fd, stand_in;
} desk = {.visitors = LIST_INIT(desk.visitors), .epoll_fd = -1, .stand_in = -1};

/* ---- small ---- */

int pipe_answer_send(int socket, const struct pipe_answer *answer, int fd)
{
    return pipe_dir_send(socket, answer, sizeof *answer, fd);
}

static int watch(int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};

    return os_epoll_ctl(desk.epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* To be told when the visitor speaks or goes. */
static bool watch_visitor(struct visitor *v)
{
    if (!v->watched)
        v->watched = watch(v->fd, EPOLLIN | EPOLLRDHUP) == 0;
    return v->watched;
}

static void unwatch(struct visitor *v)
{
    if (v->watched)
        os_epoll_ctl(desk.epoll_fd, EPOLL_CTL_DEL, v->fd, NULL);
    v->watched = false;
}

static void dismiss(struct visitor *v)
{
    unwatch(v);
    shutdown(v->fd, SHUT_RDWR); /* a child that was just forked may have a copy */
    own_fd_close(v->fd);
    free(v);
}

static void dismiss_all(struct list *visitors)
{
    struct list *l;

    while ((l = list_pop_front(visitors)) != NULL)
        dismiss(container_of(l, struct visitor, link));
}

static void take_locked(struct visitor *v)
{
    lock_assert_held(&pipe_names.lock);
    list_remove(&v->link);
    if (v->waits_for) {
        v->waits_for->waiting--;
        desk.waiting--;
    } else {
        desk.unheard--;
    }
}

/* So many of a kind may be at the desk: their descriptors are the program's, which has not that many. */
static uint32_t at_most(uint32_t max)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 4 < max)
        return (uint32_t)(files.rlim_cur / 4);
    return max;
}

/* ---- free instances ---- */

/* Tells the waiting that there is one. Several may come for it: opening says who gets it. */
static void call_waiting(struct home_work *w)
{
    struct pipe_answer yes = {.magic = PIPE_ANSWER, .verdict = PIPE_YES};
    struct list called;

    (void)w;
    list_init(&called);
    lock_acquire(&pipe_names.lock);
    desk.calling = false;
    list_for_each_safe(l, next, &desk.visitors) {
        struct visitor *v = container_of(l, struct visitor, link);

        if (v->waits_for && !list_empty(&v->waits_for->available)) {
            take_locked(v);
            list_push_back(&called, &v->link);
        }
    }
    lock_release(&pipe_names.lock);
    list_for_each(l, &called)
        pipe_answer_send(container_of(l, struct visitor, link)->fd, &yes, -1);
    dismiss_all(&called);
}

void pipe_serve_call(void)
{
    bool submit;

    lock_acquire(&pipe_names.lock);
    submit = !desk.calling;
    desk.calling = true;
    lock_release(&pipe_names.lock);
    if (submit)
        home_submit(&desk.call);
}

/* ---- answering ---- */

/* The instance that has been free longest; its file is counted. */
static enum pipe_verdict pick(const struct visitor *v, struct pipe **out)
{
    enum pipe_verdict verdict = PIPE_NOT_NOW;
    struct pipe_name *n;
    struct list *l;

    lock_acquire(&pipe_names.lock);
    n = pipe_name_find_locked(v->text);
    if (!n) {
        verdict = PIPE_UNKNOWN;
    } else if (v->hello.rights & ~n->shape.directions) {
        verdict = PIPE_DENIED;
    } else if ((l = list_pop_front(&n->available)) != NULL) {
        verdict = PIPE_YES;
        *out = container_of(l, struct pipe, available);
        file_get((*out)->file);
    }
    lock_release(&pipe_names.lock);
    return verdict;
}

static uint32_t peer_of(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
        return 0;
    return (uint32_t)peer.pid;
}

/* The visitor becomes the other end of an instance, or is told why not. */
static void open_for(struct visitor *v)
{
    struct pipe_answer answer = {.magic = PIPE_ANSWER};
    uint32_t status = STATUS_PIPE_LISTENING;
    enum pipe_verdict verdict;
    struct pipe *p;

    unwatch(v);
    do {
        verdict = pick(v, &p);
        if (verdict != PIPE_YES)
            break;
        answer.verdict = PIPE_YES;
        answer.shape = p->shape;
        own_fd_forget(v->fd);
        status = pipe_attach(p, v->fd, peer_of(v->fd), &answer);
        if (status == STATUS_PIPE_CLOSING)
            pipe_offer(p); /* whoever wanted it has gone again */
        file_put(p->file);
    } while (status == STATUS_PIPE_LISTENING);
    if (status == STATUS_SUCCESS) {
        free(v); /* the connection is the instance's now */
        return;
    }
    if (verdict != PIPE_YES) {
        answer.verdict = verdict;
        pipe_answer_send(v->fd, &answer, -1);
    }
    dismiss(v);
}

/* What all instances are like; for WANT_FREE also whether one is free, else the visitor stays. */
static void answer_for(struct visitor *v)
{
    struct pipe_answer answer = {.magic = PIPE_ANSWER, .verdict = PIPE_UNKNOWN};
    bool waits = false;
    struct pipe_name *n;

    lock_acquire(&pipe_names.lock);
    n = pipe_name_find_locked(v->text);
    if (n) {
        answer.verdict = PIPE_YES;
        answer.shape = n->shape;
        answer.count = n->count;
        waits = v->hello.want == PIPE_WANT_FREE && list_empty(&n->available);
    }
    /* One whose going would not be noticed is not kept either. */
    if (waits && (desk.waiting >= at_most(WAITING_MAX) || !watch_visitor(v))) {
        answer.verdict = PIPE_AGAIN;
        waits = false;
    }
    if (waits) {
        answer.verdict = PIPE_NOT_NOW;
        v->waits_for = n;
        n->waiting++;
        desk.waiting++;
        pipe_answer_send(v->fd, &answer, -1); /* before somebody can call it */
        list_push_back(&desk.visitors, &v->link);
    }
    lock_release(&pipe_names.lock);
    if (waits)
        return;
    pipe_answer_send(v->fd, &answer, -1);
    dismiss(v);
}

/* ---- listening ---- */

/* Hears on. 0: all said; -EAGAIN: not yet; else it talks nonsense, or has gone. */
static int hear(struct visitor *v)
{
    for (;;) {
        uint32_t head = sizeof v->hello;
        uint32_t whole = v->got < head ? head : head + v->hello.text_size;
        char *to = v->got < head ? (char *)&v->hello + v->got : v->text + (v->got - head);
        ssize_t n;

        if (v->got >= head && (v->hello.magic != PIPE_HELLO || v->hello.text_size >= PIPE_TEXT_MAX))
            return -EPROTO;
        if (v->got >= head && v->got == whole)
            return memchr(v->text, 0, v->hello.text_size) ? -EPROTO : 0;
        n = recv(v->fd, to, whole - v->got, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EPIPE;
        v->got += (uint32_t)n;
    }
}

/* It may take its time, but so many at once do not: the oldest goes. */
static void hear_later(struct visitor *v)
{
    struct pipe_answer again = {.magic = PIPE_ANSWER, .verdict = PIPE_AGAIN};
    struct visitor *oldest = NULL;

    if (!watch_visitor(v)) {
        pipe_answer_send(v->fd, &again, -1);
        dismiss(v);
        return;
    }
    lock_acquire(&pipe_names.lock);
    if (desk.unheard > 0 && desk.unheard >= at_most(UNHEARD_MAX)) {
        list_for_each(l, &desk.visitors) {
            oldest = container_of(l, struct visitor, link);
            if (!oldest->waits_for)
                break;
        }
        take_locked(oldest);
    }
    desk.unheard++;
    list_push_back(&desk.visitors, &v->link);
    lock_release(&pipe_names.lock);
    if (!oldest)
        return;
    pipe_answer_send(oldest->fd, &again, -1);
    dismiss(oldest);
}

static void attend(struct visitor *v)
{
    int err = hear(v);

    if (err == -EAGAIN) {
        hear_later(v);
        return;
    }
    if (!err && v->hello.want == PIPE_WANT_OPEN)
        open_for(v);
    else if (!err && (v->hello.want == PIPE_WANT_FREE || v->hello.want == PIPE_WANT_SHAPE))
        answer_for(v);
    else
        dismiss(v);
}

/* The next connection on a listener: attended, or -errno. */
static int receive_visitor(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct visitor *v;

    if (fd < 0)
        return -errno;
    fd = fd_above_std(fd);
    if (fd < 0)
        return fd;
    v = peer_of(fd) ? calloc(1, sizeof *v) : NULL;
    if (!v) {
        close(fd);
        return 0;
    }
    list_init(&v->link);
    v->fd = own_fd(fd);
    attend(v);
    return 0;
}

static struct visitor *find_visitor_locked(int fd)
{
    list_for_each(l, &desk.visitors) {
        struct visitor *v = container_of(l, struct visitor, link);

        if (v->fd == fd)
            return v;
    }
    return NULL;
}

/* Something happened on fd: -errno if it could not be dealt with. */
static int on_event(int fd)
{
    struct visitor *v;
    bool listens = false;

    lock_acquire(&pipe_names.lock);
    v = find_visitor_locked(fd);
    if (v)
        take_locked(v);
    list_for_each(l, &pipe_names.names)
        listens = listens || container_of(l, struct pipe_name, link)->listener == fd;
    lock_release(&pipe_names.lock);
    if (v && v->waits_for)
        dismiss(v); /* it has nothing more to say: it has gone */
    else if (v)
        attend(v);
    return listens ? receive_visitor(fd) : 0;
}

/*
 * On the home thread, which has others to see to as well: visitors may come faster than they are dealt with.
 * The set is level triggered within, so what is not dealt with comes again, if somebody looks.
 */
static void on_ready(void *ctx)
{
    struct epoll_event ev;

    (void)ctx;
    for (int seen = 0; epoll_wait(desk.epoll_fd, &ev, 1, 0) > 0; seen++) {
        int err;

        if (seen == AT_ONCE) {
            if (!desk.coming_back)
                home_submit(&desk.again);
            desk.coming_back = true;
            return;
        }
        err = on_event(ev.data.fd);
        if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS) {
            timer_set(&desk.retry, deadline_from_ms(RETRY_MS));
            return;
        }
    }
}

static void come_back(struct home_work *w)
{
    (void)w;
    desk.coming_back = false;
    on_ready(NULL);
}

static void on_retry(struct timer *t)
{
    (void)t;
    on_ready(NULL);
}

/* ---- beginning and end ---- */

static int begin_locked(void)
{
    int err;

    if (desk.epoll_fd >= 0)
        return 0;
    if (desk.stand_in < 0)
        desk.stand_in = own_fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (desk.stand_in < 0)
        return -errno;
    desk.epoll_fd = own_fd(os_epoll_create());
    if (desk.epoll_fd < 0)
        return -errno;
    desk.call.run = call_waiting;
    desk.again.run = come_back;
    timer_init(&desk.retry, on_retry);
    err = home_add_fd(desk.epoll_fd, on_ready, NULL);
    if (err) {
        own_fd_close(desk.epoll_fd);
        desk.epoll_fd = -1;
    }
    return err;
}

int pipe_serve_begin(void)
{
    int err = home_start();

    if (err)
        return err;
    lock_acquire(&pipe_names.lock);
    err = begin_locked();
    lock_release(&pipe_names.lock);
    return err;
}

int pipe_serve_stand_in(void)
{
    return desk.stand_in;
}

int pipe_serve_prepare(int listener)
{
    return watch(listener, 0);
}

void pipe_serve_listen(int listener)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener};

    os_epoll_ctl(desk.epoll_fd, EPOLL_CTL_MOD, listener, &ev);
}

void pipe_serve_end(int listener)
{
    os_epoll_ctl(desk.epoll_fd, EPOLL_CTL_DEL, listener, NULL);
}

void pipe_serve_dismiss(struct pipe_name *n)
{
    struct list left;

    list_init(&left);
    lock_acquire(&pipe_names.lock);
    list_for_each_safe(l, next, &desk.visitors) {
        struct visitor *v = container_of(l, struct visitor, link);

        if (v->waits_for == n) {
            take_locked(v);
            list_push_back(&left, &v->link);
        }
    }
    lock_release(&pipe_names.lock);
    dismiss_all(&left);
}

/* The visitors are the parent's. */
void pipe_serve_afresh(void)
{
    struct list *l;

    while ((l = list_pop_front(&desk.visitors)) != NULL) {
        struct visitor *v = container_of(l, struct visitor, link);

        own_fd_close(v->fd);
        free(v);
    }
    if (desk.epoll_fd >= 0)
        own_fd_close(desk.epoll_fd);
    desk.epoll_fd = -1;
    desk.unheard = 0;
    desk.waiting = 0;
    desk.calling = false;
    desk.coming_back = false;
}
