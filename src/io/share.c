/* SPDX-License-Identifier: MIT */
/*
 * Share modes; see share.h. Locks between processes: byte RIGHT is locked (shared) by those who
 * use a right, byte RIGHT + FORBIDS by those who forbid it. All locks are read locks, which never
 * conflict; each opener first takes its own and then asks whether a write lock on the opposite
 * byte would be refused. So of two that come at once at least one sees the other.
 *
 * A descriptor that is open for writing only cannot take read locks, and some file systems have no
 * such locks: then only the table speaks.
 */
#include "io/share.h"

#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 256, RIGHTS = 3, FORBIDS = RIGHTS };
#define LOCK_BASE INT64_C(0x7FFFFFFFFFFFFF00)

struct share_node {
    struct list link;  /* in a bucket */
    struct list opens; /* struct share_open.link */
    dev_t dev;
    ino_t ino;
    bool delete_pending; /* marked: nobody may open it any more */
};

static struct {
    struct lock lock; /* everything, and what is in struct share_open */
    struct list buckets[BUCKETS];
    bool ready;
} shares = {.lock = LOCK_INIT(LOCK_GLOBAL)};

static struct list *bucket_of(dev_t dev, ino_t ino)
{
    lock_assert_held(&shares.lock);
    if (!shares.ready) {
        for (int i = 0; i < BUCKETS; i++)
            list_init(&shares.buckets[i]);
        shares.ready = true;
    }
    return &shares.buckets[(dev * 31 + ino) % BUCKETS];
}

static struct share_node *find_locked(dev_t dev, ino_t ino)
{
    list_for_each(n, bucket_of(dev, ino)) {
        struct share_node *node = container_of(n, struct share_node, link);

        if (node->dev == dev && node->ino == ino)
            return node;
    }
    return NULL;
}

static struct share_node *find_or_make_locked(dev_t dev, ino_t ino)
{
    struct share_node *node = find_locked(dev, ino);

    if (node)
        return node;
    node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->dev = dev;
    node->ino = ino;
    list_init(&node->opens);
    list_push_back(bucket_of(dev, ino), &node->link);
    return node;
}

static void drop_if_unused_locked(struct share_node *node)
{
    if (!list_empty(&node->opens))
        return;
    list_remove(&node->link);
    free(node);
}

static uint32_t check_locked(const struct share_node *node, uint8_t uses, uint8_t allows)
{
    if (node->delete_pending)
        return STATUS_DELETE_PENDING;
    list_for_each(n, &node->opens) {
        const struct share_open *o = container_of(n, struct share_open, link);

        if ((uses & ~o->allows) || (o->uses & ~allows))
            return STATUS_SHARING_VIOLATION;
    }
    return STATUS_SUCCESS;
}

/* ---- between processes ---- */

static int lock_bytes(int fd, int command, short type, int first, int count)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = LOCK_BASE + first,
                       .l_len = count};

    if (fcntl(fd, command, &fl) < 0)
        return -errno;
    return command == F_OFD_GETLK && fl.l_type != F_UNLCK ? -EAGAIN : 0;
}

static void tell_others(int fd, uint8_t uses, uint8_t allows)
{
    for (int i = 0; i < RIGHTS; i++) {
        if (uses & 1 << i)
            lock_bytes(fd, F_OFD_SETLK, F_RDLCK, i, 1);
        if (!(allows & 1 << i))
            lock_bytes(fd, F_OFD_SETLK, F_RDLCK, i + FORBIDS, 1);
    }
}

static void untell_others(int fd)
{
    lock_bytes(fd, F_OFD_SETLK, F_UNLCK, 0, 2 * RIGHTS);
}

static bool others_object(int fd, uint8_t uses, uint8_t allows)
{
    for (int i = 0; i < RIGHTS; i++) {
        if ((uses & 1 << i) && lock_bytes(fd, F_OFD_GETLK, F_WRLCK, i + FORBIDS, 1) == -EAGAIN)
            return true;
        if (!(allows & 1 << i) && lock_bytes(fd, F_OFD_GETLK, F_WRLCK, i, 1) == -EAGAIN)
            return true;
    }
    return false;
}

/* ---- openings ---- */

static uint32_t join(struct share_open *o, const struct stat *st)
{
    struct share_node *node;
    uint32_t status;

    lock_acquire(&shares.lock);
    node = find_or_make_locked(st->st_dev, st->st_ino);
    status = node ? check_locked(node, o->uses, o->allows) : (uint32_t)STATUS_NO_MEMORY;
    if (status == STATUS_SUCCESS) {
        list_push_back(&node->opens, &o->link);
        o->node = node;
    }
    lock_release(&shares.lock);
    return status;
}

/* Leaves; true: this was the last opening of a file marked for deletion. */
static bool leave(struct share_open *o)
{
    struct share_node *node;
    bool delete = false;

    lock_acquire(&shares.lock);
    node = o->node;
    if (node) {
        if (o->delete_on_close)
            node->delete_pending = true;
        list_remove(&o->link);
        o->node = NULL;
        delete = node->delete_pending && list_empty(&node->opens);
        drop_if_unused_locked(node);
    }
    lock_release(&shares.lock);
    return delete;
}

uint32_t share_acquire(struct share_open *o, int fd, uint8_t uses, uint8_t allows)
{
    struct stat st;
    uint32_t status;

    list_init(&o->link);
    o->node = NULL;
    o->fd = fd;
    o->uses = uses;
    o->allows = uses ? allows : SHARE_ALL;
    o->delete_on_close = false;
    if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
        return STATUS_SUCCESS; /* devices are everybody's */
    status = join(o, &st);
    if (status != STATUS_SUCCESS || !S_ISREG(st.st_mode) || uses == 0)
        return status;
    tell_others(fd, o->uses, o->allows);
    if (!others_object(fd, o->uses, o->allows))
        return STATUS_SUCCESS;
    untell_others(fd);
    leave(o);
    return STATUS_SHARING_VIOLATION;
}

/* Where the file is now, renames included; false if it has no name any more. */
static bool current_name(int fd, char *name, size_t size)
{
    char link[64];
    struct stat here;
    struct stat there;
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, name, size - 1);
    if (n <= 0 || name[0] != '/')
        return false;
    name[n] = 0;
    return fstat(fd, &here) == 0 && lstat(name, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

static void delete_now(int fd)
{
    char name[4096];

    if (!current_name(fd, name, sizeof name))
        return;
    if (os_unlink(name) < 0 && errno == EISDIR)
        rmdir(name);
}

void share_release(struct share_open *o)
{
    bool had = o->node != NULL;

    if (leave(o))
        delete_now(o->fd);
    if (had && o->uses)
        untell_others(o->fd); /* the descriptor may live on in duplicates and running requests */
}

void share_mark_deleted(struct share_open *o, bool deleted)
{
    lock_acquire(&shares.lock);
    if (o->node)
        o->node->delete_pending = deleted;
    lock_release(&shares.lock);
}

bool share_marked_deleted(const struct share_open *o)
{
    bool marked;

    lock_acquire(&shares.lock);
    marked = o->node && o->node->delete_pending;
    lock_release(&shares.lock);
    return marked;
}

static uint32_t check_delete_here(const struct stat *st)
{
    struct share_node *node;
    uint32_t status = STATUS_SUCCESS;

    lock_acquire(&shares.lock);
    node = find_locked(st->st_dev, st->st_ino);
    if (node)
        status = check_locked(node, SHARE_DELETE, SHARE_ALL);
    lock_release(&shares.lock);
    return status;
}

uint32_t share_check_delete(const char *path)
{
    struct stat st;
    uint32_t status;
    int fd;

    if (lstat(path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return STATUS_SUCCESS; /* whoever does the deed reports why it fails */
    status = check_delete_here(&st);
    if (status != STATUS_SUCCESS || !S_ISREG(st.st_mode))
        return status;
    fd = fd_above_std(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (fd < 0)
        return STATUS_SUCCESS; /* not ours to read, so not ours to ask */
    if (others_object(fd, SHARE_DELETE, SHARE_ALL))
        status = STATUS_SHARING_VIOLATION;
    close(fd);
    return status;
}

/* The openings are the parent's, whose locks on the files speak to a forked child as to anybody. */
static void forget_openings(void)
{
    shares.ready = false;
}

FORK_HOOK(&shares.lock, LOCK_GLOBAL, forget_openings);
