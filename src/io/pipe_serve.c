/* SPDX-License-Identifier: MIT */
/*
 * The answers to those who come to open a pipe. The home thread gives them: it listens on the socket of each
 * name that has instances here, hears the hello, and puts the connection behind an instance that is free,
 * or says that there is none. So opening a pipe needs no thread of the program, and "busy" is known.
 *
 * At the desk are the listeners and the visitors: connections that have not said all of their hello, or that
 * wait for a free instance.
 */
#include "io/pipe.h"

#include "base/own_fd.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/desk.h"
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

enum { UNHEARD_MAX = 256, WAITING_MAX = 256 };

/* A connection that has not become a pipe. In `visitors` it is anybody's; else whose hands it is in. */
struct visitor {
    struct list link;
    int fd;
    uint32_t process;
    bool watched;            /* at the desk */
    uint32_t got;            /* bytes of hello and text */
    struct pipe_hello hello;
    char text[PIPE_TEXT_MAX];
    struct pipe_name *waits_for; /* borrowed: NULL, it has not said all */
};

static void call_waiting(struct home_work *w);
static int on_event(int fd);

/* visitors, unheard, waiting and calling are guarded by pipe_names.lock; stand_in is constant once made; the
 * desk has rules of its own. */
static struct {
    struct list visitors; /* struct visitor, oldest first */
    uint32_t unheard;     /* visitors that have not said all */
    uint32_t waiting;     /* visitors that wait for a free instance */
    bool calling;         /* `call` is submitted */
    struct home_work call;
    int stand_in;
    struct desk desk;
} lobby = {.visitors = LIST_INIT(lobby.visitors),
           .call = {.run = call_waiting},
           .stand_in = -1,
           .desk = DESK_INIT(&pipe_names.lock, on_event)};

/* ---- small ---- */

int pipe_answer_send(int socket, const struct pipe_answer *answer, int fd)
{
    return pipe_dir_send(socket, answer, sizeof *answer, fd);
}

/* To be told when the visitor speaks or goes. */
static bool watch_visitor(struct visitor *v)
{
    if (!v->watched)
        v->watched = desk_watch(&lobby.desk, v->fd, EPOLLIN | EPOLLRDHUP) == 0;
    return v->watched;
}

static void unwatch(struct visitor *v)
{
    if (v->watched)
        desk_unwatch(&lobby.desk, v->fd);
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
        lobby.waiting--;
    } else {
        lobby.unheard--;
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
    lobby.calling = false;
    list_for_each_safe(l, next, &lobby.visitors) {
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
    submit = !lobby.calling;
    lobby.calling = true;
    lock_release(&pipe_names.lock);
    if (submit)
        home_submit(&lobby.call);
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
        status = pipe_attach(p, v->fd, v->process, &answer);
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
    if (waits && (lobby.waiting >= at_most(WAITING_MAX) || !watch_visitor(v))) {
        answer.verdict = PIPE_AGAIN;
        waits = false;
    }
    if (waits) {
        answer.verdict = PIPE_NOT_NOW;
        v->waits_for = n;
        n->waiting++;
        lobby.waiting++;
        pipe_answer_send(v->fd, &answer, -1); /* before somebody can call it */
        list_push_back(&lobby.visitors, &v->link);
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
    if (lobby.unheard > 0 && lobby.unheard >= at_most(UNHEARD_MAX)) {
        list_for_each(l, &lobby.visitors) {
            oldest = container_of(l, struct visitor, link);
            if (!oldest->waits_for)
                break;
        }
        take_locked(oldest);
    }
    lobby.unheard++;
    list_push_back(&lobby.visitors, &v->link);
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
    uint32_t process;
    int fd = desk_receive(listener, 0, &process);
    struct visitor *v;

    if (fd < 0)
        return fd;
    v = calloc(1, sizeof *v);
    if (!v) {
        close(fd);
        return 0;
    }
    list_init(&v->link);
    v->fd = own_fd(fd);
    v->process = process;
    attend(v);
    return 0;
}

static struct visitor *find_visitor_locked(int fd)
{
    list_for_each(l, &lobby.visitors) {
        struct visitor *v = container_of(l, struct visitor, link);

        if (v->fd == fd)
            return v;
    }
    return NULL;
}

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

/* ---- beginning and end ---- */

static int begin_locked(void)
{
    lock_assert_held(&pipe_names.lock);
    if (lobby.stand_in < 0)
        lobby.stand_in = own_fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (lobby.stand_in < 0)
        return -errno;
    return desk_open(&lobby.desk);
}

int pipe_serve_begin(void)
{
    int err = home_start();

    if (err)
        return err;
    lock_acquire(&pipe_names.lock); /* a fork finds the descriptors noted, or not there yet */
    err = begin_locked();
    lock_release(&pipe_names.lock);
    return err;
}

int pipe_serve_stand_in(void)
{
    return lobby.stand_in;
}

int pipe_serve_prepare(int listener)
{
    return desk_watch(&lobby.desk, listener, 0);
}

void pipe_serve_listen(int listener)
{
    desk_watch_again(&lobby.desk, listener, EPOLLIN);
}

void pipe_serve_end(int listener)
{
    desk_unwatch(&lobby.desk, listener);
}

void pipe_serve_dismiss(struct pipe_name *n)
{
    struct list left;

    list_init(&left);
    lock_acquire(&pipe_names.lock);
    list_for_each_safe(l, next, &lobby.visitors) {
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

    while ((l = list_pop_front(&lobby.visitors)) != NULL) {
        struct visitor *v = container_of(l, struct visitor, link);

        own_fd_close(v->fd);
        free(v);
    }
    desk_afresh(&lobby.desk);
    lobby.unheard = 0;
    lobby.waiting = 0;
    lobby.calling = false;
}
