/* SPDX-License-Identifier: MIT */
/*
 * The names that have instances in this process, and the making of instances. Whoever makes one holds the
 * name's lock (pipe_dir.h): so the processes that share it agree on its shape and count.
 */
#include "io/pipe_name.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "io/pipe_board.h"
#include "io/pipe_wire.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process that is stopped while it makes an instance passes for busy; others with a stopped server take 1 s
 * each, one after the other. */
enum { LOCK_MS = 10000 };

struct pipe_names pipe_names = {.lock = LOCK_INIT(LOCK_GLOBAL), .names = LIST_INIT(pipe_names.names)};

struct pipe_name *pipe_name_find_locked(const char *text)
{
    lock_assert_held(&pipe_names.lock);
    list_for_each(l, &pipe_names.names) {
        struct pipe_name *n = container_of(l, struct pipe_name, link);

        if (strcmp(n->text, text) == 0)
            return n;
    }
    return NULL;
}

/* ---- free instances ---- */

void pipe_offer(struct pipe *p)
{
    bool call = false;

    lock_acquire(&pipe_names.lock);
    if (p->name && !list_linked(&p->available)) {
        list_push_back(&p->name->available, &p->available);
        call = p->name->waiting > 0;
    }
    lock_release(&pipe_names.lock);
    if (call)
        pipe_serve_call();
}

void pipe_withdraw(struct pipe *p)
{
    lock_acquire(&pipe_names.lock);
    list_remove(&p->available);
    lock_release(&pipe_names.lock);
}

/* ---- names ---- */

/* Exit handlers run: names of a process that is no more should not lie about. */
static void remove_all(void)
{
    lock_acquire(&pipe_names.lock);
    list_for_each(l, &pipe_names.names) {
        struct pipe_name *n = container_of(l, struct pipe_name, link);

        pipe_dir_remove(n->dir, n->file);
    }
    lock_release(&pipe_names.lock);
}

/* Names that listen, but can not be found yet, or any more: a forked child has to know their sockets. */
static struct list unlisted = LIST_INIT(unlisted); /* struct pipe_name.link; guarded by pipe_names.lock */

static void end_listening(struct pipe_name *n)
{
    pipe_serve_end(n->listener);
    lock_acquire(&pipe_names.lock);
    list_remove(&n->link);
    own_fd_forget(n->listener);
    pipe_dir_hang_up(n->listener);
    lock_release(&pipe_names.lock);
    pipe_dir_remove(n->dir, n->file);
}

static void name_free(struct pipe_name *n)
{
    if (n->listener >= 0)
        end_listening(n);
    free(n->text);
    free(n);
}

/* A fork during this call finds no socket yet, or one that it knows. */
static int begin_to_listen(struct pipe_name *n)
{
    static bool exit_known; /* guarded by pipe_names.lock */

    lock_acquire(&pipe_names.lock);
    if (!exit_known)
        atexit(remove_all);
    exit_known = true;
    n->listener = own_fd(pipe_dir_listen(n->dir, n->file));
    if (n->listener >= 0)
        list_push_back(&unlisted, &n->link);
    lock_release(&pipe_names.lock);
    return n->listener < 0 ? n->listener : 0;
}

/* Listens already, but nobody is attended before it is in the list of names. */
static int name_new(const char *text, const struct pipe_shape *shape, struct pipe_name **out)
{
    struct pipe_name *n = calloc(1, sizeof *n);
    int err;

    if (!n)
        return -ENOMEM;
    n->listener = -1;
    n->text = strdup(text);
    n->shape = *shape;
    list_init(&n->link);
    list_init(&n->instances);
    list_init(&n->available);
    pipe_dir_of(text, n->dir);
    err = n->text ? pipe_serve_begin() : -ENOMEM;
    if (!err) {
        pipe_dir_clear();
        err = begin_to_listen(n);
        if (!err)
            err = pipe_serve_prepare(n->listener);
    }
    if (err) {
        name_free(n);
        return err;
    }
    n->count = 1;
    *out = n;
    return 0;
}

/* One instance less. The last takes the name with it, and sends away those who wait for it. */
static void name_leave(struct pipe_name *n)
{
    bool last;

    lock_acquire(&pipe_names.lock);
    last = --n->count == 0;
    if (last) {
        list_remove(&n->link);
        list_push_back(&unlisted, &n->link);
    }
    lock_release(&pipe_names.lock);
    if (!last)
        return;
    pipe_serve_dismiss(n); /* nobody can begin to wait for it any more */
    name_free(n);
}

void pipe_unlist(struct pipe *p)
{
    struct pipe_name *n;

    lock_acquire(&pipe_names.lock);
    n = p->name;
    p->name = NULL;
    list_remove(&p->instance);
    list_remove(&p->available);
    lock_release(&pipe_names.lock);
    if (n)
        name_leave(n);
}

/* ---- making instances ---- */

static bool is_alike(const struct pipe_shape *a, const struct pipe_shape *b)
{
    return a->messages == b->messages && a->directions == b->directions && a->max == b->max &&
           a->default_ms == b->default_ms;
}

/* May there be one more? The name's lock is held, so nobody makes one at the same time. */
static uint32_t reserve(const char *text, const struct pipe_how *how, const struct pipe_others *others,
                        struct pipe_name **out)
{
    uint32_t status = STATUS_SUCCESS;
    struct pipe_name *n;
    uint32_t count;

    lock_acquire(&pipe_names.lock);
    n = pipe_name_find_locked(text);
    count = others->count + (n ? n->count : 0);
    if (others->silent && (how->first || how->shape.max != PIPE_UNLIMITED))
        status = STATUS_ACCESS_DENIED; /* it may have the first, or the last */
    else if (count > 0 && (how->first || !is_alike(n ? &n->shape : &others->shape, &how->shape)))
        status = STATUS_ACCESS_DENIED;
    else if (how->shape.max != PIPE_UNLIMITED && count >= how->shape.max)
        status = STATUS_PIPE_BUSY;
    else if (n)
        n->count++;
    lock_release(&pipe_names.lock);
    *out = n;
    return status;
}

/* A server's end that nobody has opened yet. */
static uint32_t make_end(const char *text, const struct pipe_how *how, struct file **out)
{
    int fd = fcntl(pipe_serve_stand_in(), F_DUPFD_CLOEXEC, 3);
    struct pipe *p;
    uint32_t status;
    int err;

    if (fd < 0)
        return status_from_errno(errno);
    status = pipe_new(fd, true, &how->shape, text, how->flags, how->access, out);
    if (status != STATUS_SUCCESS)
        return status;
    p = pipe_of(*out);
    err = board_take(&p->slot);
    p->slotted = err == 0;
    if (err) {
        file_put(*out);
        return status_from_errno(err);
    }
    return pipe_set_mode(*out, how->mode & (PIPE_MODE_NOWAIT | PIPE_MODE_READ_MESSAGES));
}

static void enlist(struct pipe *p, struct pipe_name *n, bool new_name)
{
    lock_acquire(&pipe_names.lock);
    p->name = n;
    list_push_back(&n->instances, &p->instance);
    if (new_name) {
        list_remove(&n->link);
        list_push_back(&pipe_names.names, &n->link);
    }
    lock_release(&pipe_names.lock);
    pipe_offer(p);
    if (new_name)
        pipe_serve_listen(n->listener);
}

static uint32_t create_locked(const char *text, const struct pipe_how *how, struct file **out)
{
    struct pipe_others others = {.clear = true};
    char mine[PIPE_FILE_SIZE] = "";
    struct pipe_name *n;
    uint32_t status;
    bool new_name;
    int err = 0;

    lock_acquire(&pipe_names.lock);
    n = pipe_name_find_locked(text);
    if (n)
        memcpy(mine, n->file, sizeof mine);
    lock_release(&pipe_names.lock);
    others.except = mine;
    pipe_survey(text, &others);
    status = reserve(text, how, &others, &n);
    if (status != STATUS_SUCCESS)
        return status;
    new_name = !n;
    if (new_name)
        err = name_new(text, &how->shape, &n);
    if (err)
        return status_from_errno(err);
    status = make_end(text, how, out);
    if (status != STATUS_SUCCESS) {
        name_leave(n);
        return status;
    }
    enlist(pipe_of(*out), n, new_name);
    return STATUS_SUCCESS;
}

/* A holder of a name's lock, or who waits for it: known, so that a forked child does not keep it. */
struct holder {
    struct list link; /* in holders, guarded by pipe_names.lock */
    int fd;
};
static struct list holders = LIST_INIT(holders);

static void let_go(struct holder *h)
{
    lock_acquire(&pipe_names.lock);
    list_remove(&h->link);
    pipe_dir_unlock(h->fd);
    lock_release(&pipe_names.lock);
}

static int take_hold(struct holder *h, const char *text)
{
    int err;

    list_init(&h->link);
    lock_acquire(&pipe_names.lock);
    h->fd = pipe_dir_lock_open();
    if (h->fd >= 0)
        list_push_back(&holders, &h->link);
    lock_release(&pipe_names.lock);
    if (h->fd < 0)
        return h->fd;
    err = pipe_dir_lock(h->fd, text, deadline_from_ms(LOCK_MS));
    if (err)
        let_go(h);
    return err;
}

uint32_t pipe_create(const char *name, const struct pipe_how *how, struct file **out)
{
    char text[PIPE_TEXT_MAX];
    uint32_t status = pipe_fold(name, text);
    struct holder holder;
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    err = take_hold(&holder, text);
    if (err)
        return err == -ETIMEDOUT ? (uint32_t)STATUS_PIPE_NOT_AVAILABLE : status_from_errno(err);
    status = create_locked(text, how, out);
    let_go(&holder);
    return status;
}

/* ---- fork ---- */

/* The names are the parent's, and so are locks that were held: closed here, not unlocked. */
static void start_afresh(void)
{
    struct list *l;

    while ((l = list_pop_front(&holders)) != NULL)
        close(container_of(l, struct holder, link)->fd);
    while ((l = list_pop_front(&pipe_names.names)) != NULL || (l = list_pop_front(&unlisted)) != NULL)
        own_fd_close(container_of(l, struct pipe_name, link)->listener);
    pipe_serve_afresh();
}

FORK_HOOK(&pipe_names.lock, LOCK_GLOBAL, start_afresh);
