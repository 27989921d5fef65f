/* SPDX-License-Identifier: MIT */
/*
 * The file object's life: made or adopted, associated, closed in two steps. Cleanup (last handle)
 * refuses and cancels; destroy (last reference) gives the number back. Between the two a socket's
 * kernel object is gone already: a placeholder sits on its number, so that the peer sees the end
 * at once while no stranger can get the number.
 */
#include "io/file.h"

#include "base/os.h"
#include "base/own_fd.h"
#include "base/slab.h"
#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/port.h"
#include "ntstatus.h"
#include "object/handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

SLAB(files, sizeof(struct file), sizeof(struct object)); /* but sockets, which are larger */

/* ---- placeholder ---- */

/* Made when it is needed first; -1: no descriptor is to be had just now. */
static int placeholder(void)
{
    static _Atomic int fd = -1;
    int have = atomic_load(&fd);
    int made;

    if (have >= 0)
        return have;
    made = own_fd(fd_above_std(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
    if (made < 0)
        return -1;
    if (atomic_compare_exchange_strong(&fd, &have, made))
        return made;
    own_fd_close(made);
    return have;
}

/* Closes what is behind f->fd but keeps the number. */
static void vacate(struct file *f)
{
    int fd = placeholder();

    if (fd < 0 || os_dup_onto(fd, f->fd, O_CLOEXEC) < 0)
        shutdown(f->fd, SHUT_RDWR); /* the next best: the peer sees the end */
}

/* ---- closing ---- */

/* Nothing changes it any more. */
static struct port *server_at_end(struct file *f)
{
    struct port *port;

    lock_acquire(&f->lock);
    port = file_server_locked(f);
    lock_release(&f->lock);
    return port;
}

static void cleanup(struct object *obj)
{
    struct file *f = file_from_object(obj);
    struct cancel_match all = {0};

    lock_acquire(&f->lock);
    f->closing = true;
    lock_release(&f->lock);
    if (f->ops && f->ops->cleanup)
        f->ops->cleanup(f);
    lane_unregister(f);
    file_take_mark_back(f, server_at_end(f), f->binding);
    cancel_blockers(f);
    cancel_requests(f, &all);
    cancel_lanes(f);
    if (f->ops && f->ops->hang_up && !f->keep_fd)
        f->ops->hang_up(f);
    if (f->keep_fd)
        handle_release_fd(&f->object, f->fd);
    else if ((f->kind == FILE_KIND_SOCKET || f->kind == FILE_KIND_NAMED) && atomic_load(&obj->refs) > 1)
        vacate(f);
}

static void put_key(struct file_key *key)
{
    if (key)
        object_put(&key->object);
}

static void destroy(struct object *obj)
{
    struct file *f = file_from_object(obj);
    struct port *port = atomic_load(&f->port);
    struct port *first = f->rare ? f->rare->first_port : NULL;
    struct port *server = f->rare ? f->rare->server : NULL;
    struct file_key *key = f->rare ? f->rare->key : NULL;
    struct file_key *later = f->rare ? f->rare->later : NULL;

    assert(list_empty(&f->pending));
    if (f->registered) /* made, but its publication failed */
        lane_unregister(f);
    if (f->ops && f->ops->destroy)
        f->ops->destroy(f);
    if (f->keep_fd)
        handle_release_fd(obj, f->fd);
    else
        handle_close_fd(obj, f->fd);
    free(f->rare);
    if (f->ops && f->ops->free)
        f->ops->free(f);
    else
        slab_give(&files, f);
    if (port)
        object_put(&port->object);
    if (first)
        object_put(&first->object);
    if (server)
        object_put(&server->object);
    put_key(key);
    put_key(later);
}

static bool is_number(struct file *f, int fd)
{
    bool is;

    lock_acquire(&f->lock);
    is = f->fd == fd;
    lock_release(&f->lock);
    return is;
}

/* A duplicate's number is nobody's but the handle's. */
static void fd_closed(struct object *obj, int fd)
{
    struct file *f = file_from_object(obj);

    if (!is_number(f, fd))
        handle_close_fd(obj, fd);
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &file_from_object(obj)->dispatcher;
}

const struct object_type file_type = {
    .name = "file",
    .kind = OBJECT_FILE,
    .cleanup = cleanup,
    .destroy = destroy,
    .fd_closed = fd_closed,
    .dispatcher = dispatcher_of,
};

/* ---- making ---- */

uint32_t file_need_rare(struct file *f)
{
    struct file_rare *made = calloc(1, sizeof *made);

    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    lock_acquire(&f->lock);
    if (!f->rare) {
        f->rare = made;
        made = NULL;
    }
    lock_release(&f->lock);
    free(made);
    return STATUS_SUCCESS;
}

static void identify(struct file *f, const struct stat *st)
{
    f->rare->dev = st->st_dev;
    f->rare->ino = st->st_ino;
    f->rare->known = true;
}

void file_new_in(struct file *f, int fd, enum file_kind kind, uint32_t flags, uint32_t access,
                 const struct file_ops *ops)
{
    lock_init(&f->lock, LOCK_FILE);
    dispatcher_init_lazy(&f->dispatcher);
    f->fd = fd;
    f->kind = (uint8_t)kind;
    f->flags = (uint16_t)flags;
    f->keep_fd = (flags & FILE_STD) != 0;
    f->access = access;
    f->ops = ops;
    list_init(&f->ready.link);
    f->ready.ready = QUEUE_READY;
    for (int i = 0; i < LANE_COUNT; i++)
        list_init(&f->lanes[i].requests);
    list_init(&f->pending);
    list_init(&f->sync_waiters);
    object_init(&f->object, &file_type);
}

uint32_t file_new(int fd, enum file_kind kind, uint32_t flags, uint32_t access,
                  const struct file_ops *ops, void *extra, struct file **out)
{
    struct file *f = slab_take(&files);
    struct stat st;

    if (!f) {
        if (!(flags & (FILE_STD | FILE_ADOPTED)))
            close(fd);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memset((char *)f + sizeof f->object, 0, sizeof *f - sizeof f->object);
    f->rare = calloc(1, sizeof *f->rare);
    if (!f->rare) {
        slab_give(&files, f);
        if (!(flags & (FILE_STD | FILE_ADOPTED)))
            close(fd);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (fstat(fd, &st) == 0)
        identify(f, &st);
    f->extra = extra;
    file_new_in(f, fd, kind, flags, access, ops);
    *out = f;
    return STATUS_SUCCESS;
}

/* ---- numbers that are lost ---- */

/* A number of `object`, other than `fd`, whose handle is open; -1. */
struct another {
    const struct object *object;
    int fd;
    int found;
};

static void note_another(struct object *obj, uintptr_t fd, void *ctx)
{
    struct another *a = ctx;

    if (obj == a->object && (int)fd != a->fd && handle_fd_is((int)fd, obj))
        a->found = (int)fd;
}

static int another_number(const struct file *f, int fd)
{
    struct another a = {.object = &f->object, .fd = fd, .found = -1};

    if (atomic_load(&f->object.handles) > 0)
        handle_each_fd(note_another, &a);
    return a.found;
}

/* *moves: it was registered, and is not any more. False: `other` has been closed since it was looked for. */
static bool leave_number(struct file *f, int fd, int other, bool is_strangers, bool *moves)
{
    bool stands;

    lock_acquire(&f->lock); /* closing looks at f->fd under it, after the handle has gone */
    stands = f->fd != fd || other < 0 || handle_fd_is(other, &f->object);
    if (stands && f->fd == fd) {
        *moves = f->registered && other >= 0;
        lane_unregister_locked(f);
        if (other >= 0) {
            f->fd = other;
        } else {
            f->keep_fd = true;
            f->fd_lost = is_strangers;
        }
    }
    lock_release(&f->lock);
    return stands;
}

/*
 * The number is the program's to close, or was closed behind our back and means something else by now. To the
 * handle that is closing it; a file that has another number goes on under that.
 */
static void lose_number(struct file *f, int fd, bool is_strangers)
{
    bool moves = false, left = false;
    int other = -1;

    while (!left && is_number(f, fd)) {
        other = another_number(f, fd);
        left = leave_number(f, fd, other, is_strangers, &moves);
    }
    if (moves) {
        lane_register(f);
        lane_kick(f);
    }
    if (other >= 0) /* who sleeps on the number sleeps on that one from now on; else they are called back */
        file_call_blockers(f);
    handle_lose_fd(&f->object, fd);
}

/* The kernel has given out the number, so an object that still has it was closed behind our back. */
static uint32_t open_number(struct file *f, int fd, uint32_t access, uint32_t handle_flags,
                            uint32_t (*open)(struct object *, int, uint32_t, uint32_t))
{
    uint32_t status = open(&f->object, fd, access, handle_flags);
    struct object *stale;

    if (status != STATUS_OBJECT_NAME_COLLISION)
        return status;
    stale = handle_get_fd_owner(fd);
    if (stale) {
        lose_number(file_from_object(stale), fd, true);
        object_put(stale);
    }
    return open(&f->object, fd, access, handle_flags);
}

uint32_t file_publish(struct file *f, uint32_t handle_flags, uintptr_t *h)
{
    uint32_t status = open_number(f, f->fd, f->access, handle_flags, handle_open_fd);

    *h = (uintptr_t)f->fd;
    file_put(f);
    return status;
}

uint32_t file_duplicate(struct file *f, int fd, uint32_t access, uint32_t handle_flags, uintptr_t *h)
{
    uint32_t status = open_number(f, fd, access, handle_flags, handle_open_another_fd);

    if (status == STATUS_SUCCESS)
        *h = (uintptr_t)fd;
    else
        close(fd);
    return status;
}

/* ---- adopting ---- */

static uint32_t adopt_by_kind(int fd, const struct stat *st, uint32_t flags, struct file **out)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFBLK:
    case S_IFDIR:
        return file_adopt_disk(fd, flags, out);
    case S_IFSOCK:
        return file_adopt_socket(fd, flags, out);
    case S_IFIFO:
        return file_adopt_stream(fd, flags, FILE_KIND_PIPE, out);
    case S_IFCHR:
        return file_adopt_stream(fd, flags, FILE_KIND_CHAR, out);
    default: /* eventfd, timerfd, signalfd ... have no type bits */
        return file_adopt_stream(fd, flags, FILE_KIND_EVENTFD, out);
    }
}

uint32_t file_identify(struct file *f)
{
    struct stat st;
    uint32_t status;

    if (fstat(f->fd, &st) < 0)
        return STATUS_INVALID_HANDLE;
    status = file_need_rare(f);
    if (status == STATUS_SUCCESS)
        identify(f, &st);
    return status;
}

uint32_t file_access_of_fd(int fd)
{
    switch (fcntl(fd, F_GETFL) & O_ACCMODE) {
    case O_RDONLY:
        return FILE_GENERIC_READ;
    case O_WRONLY:
        return FILE_GENERIC_WRITE;
    default:
        return FILE_GENERIC_READ | FILE_GENERIC_WRITE;
    }
}

/* Makes a file of a number never seen before. On success it is published. */
static uint32_t adopt(int fd)
{
    struct stat st;
    struct file *f;
    uint32_t flags = FILE_ADOPTED | FILE_OVERLAPPED;
    uint8_t generation;
    uint32_t status;
    int modes;

    if (fd < 3 || own_fd_is(fd) || !handle_fd_free(fd, &generation))
        return STATUS_INVALID_HANDLE;
    modes = fcntl(fd, F_GETFL);
    if (modes < 0 || fstat(fd, &st) < 0)
        return STATUS_INVALID_HANDLE;
    if (modes & O_NONBLOCK)
        flags |= FILE_NONBLOCK_FD;
    status = adopt_by_kind(fd, &st, flags, &f);
    if (status != STATUS_SUCCESS)
        return status;
    status = file_identify(f);
    if (status == STATUS_SUCCESS)
        status = handle_adopt_fd(&f->object, fd, f->access, generation);
    if (status != STATUS_SUCCESS) { /* another thread was faster, or the number is being closed */
        f->keep_fd = true;
        handle_release_fd(&f->object, fd);
    }
    file_put(f);
    return status;
}

uint32_t file_from_handle(uintptr_t h, bool adopt_unknown, struct file **out, uint32_t *access)
{
    struct object *obj;
    uint32_t status = handle_get(h, OBJECT_FILE, &obj, access);

    if (status == STATUS_INVALID_HANDLE && adopt_unknown && handle_is_fd(h)) {
        adopt((int)h);
        status = handle_get(h, OBJECT_FILE, &obj, access);
    }
    if (status == STATUS_SUCCESS)
        *out = file_from_object(obj);
    return status;
}

static bool is_stranger(const struct file *f)
{
    struct stat st;

    if (!(f->flags & FILE_ADOPTED) || !f->rare || !f->rare->known)
        return false;
    return fstat(f->fd, &st) < 0 || st.st_dev != f->rare->dev || st.st_ino != f->rare->ino;
}

static uint32_t forget(struct file *f)
{
    lock_acquire(&f->lock);
    f->keep_fd = true;
    lock_release(&f->lock);
    return handle_close((uintptr_t)f->fd);
}

uint32_t file_from_handle_fresh(uintptr_t h, struct file **out)
{
    uint32_t status = file_from_handle(h, true, out, NULL);

    if (status != STATUS_SUCCESS || !is_stranger(*out))
        return status;
    lose_number(*out, (*out)->fd, true);
    file_put(*out);
    return file_from_handle(h, true, out, NULL);
}

uint32_t file_forget(int fd)
{
    struct object *obj;
    struct file *f;
    uint32_t status;

    if (fd < 3)
        return STATUS_INVALID_HANDLE;
    status = handle_get((uintptr_t)fd, OBJECT_FILE, &obj, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    f = file_from_object(obj);
    /* What has been adopted is the file's own number, which may be closed already; not a duplicate's. */
    status = f->flags & FILE_ADOPTED && f->fd == fd ? forget(f) : (uint32_t)STATUS_INVALID_HANDLE;
    object_put(obj);
    return status;
}

uint32_t file_release(int fd)
{
    struct object *obj;
    uint32_t status = handle_get((uintptr_t)fd, OBJECT_FILE, &obj, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    lose_number(file_from_object(obj), fd, false);
    object_put(obj);
    return STATUS_SUCCESS;
}

/* ---- another descriptor ---- */

/* What is put behind a number of the program's keeps its ways: it blocks if the old one did. */
static int take_ways(struct file *f, int newfd)
{
    int flags = fcntl(f->fd, F_GETFD);
    struct stat st;

    if (!(f->flags & FILE_NONBLOCK_FD))
        fcntl(newfd, F_SETFL, fcntl(newfd, F_GETFL) & ~O_NONBLOCK);
    if (f->rare && f->rare->known && fstat(newfd, &st) == 0) /* else it would pass for a stranger */
        identify(f, &st);
    return flags >= 0 && !(flags & FD_CLOEXEC) ? 0 : O_CLOEXEC;
}

uint32_t file_replace_fd(struct file *f, int newfd)
{
    int flags = f->flags & FILE_ADOPTED ? take_ways(f, newfd) : O_CLOEXEC;
    int err;

    lane_unregister(f);
    err = os_dup_onto(newfd, f->fd, flags);
    lane_unregister(f); /* what somebody registered in between may have been the old one */
    close(newfd);
    return status_from_errno(-err);
}
