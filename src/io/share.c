/* SPDX-License-Identifier: MIT */
/*
 * Share modes; see share.h. Locks between processes: byte RIGHT is locked (shared) by those who
 * use a right, byte RIGHT + FORBIDS by those who forbid it. All locks are read locks, which never
 * conflict; each opener first takes its own and then asks whether a write lock on the opposite
 * byte would be refused. So of two that come at once at least one sees the other.
 *
 * A descriptor that is open for writing only cannot take read locks, and some file systems have no
 * such locks: then only the table speaks.
 *
 * Opening, deleting and moving are several system calls each. Who deletes or moves marks the file in
 * the table from before the question to after the deed (`busy`), and who opens joins first and then
 * looks whether the name still leads there (disk_open.c): one of the two always sees the other. Who
 * meets a mark sleeps until the table has changed; whoever marks holds nothing else he might wait for.
 */
#include "io/share.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "ntstatus.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 256, RIGHTS = 3, FORBIDS = RIGHTS, TRIES = 10, PATIENCE_MS = 2000 };
#define LOCK_BASE INT64_C(0x7FFFFFFFFFFFFF00)

struct share_node {
    struct list link;  /* in a bucket */
    struct list opens; /* struct share_open.link */
    dev_t dev;
    ino_t ino;
    bool delete_pending; /* marked: nobody may open it any more */
    unsigned busy;       /* whose name is just being taken away or changed */
};

/* Rules: `lock` guards everything, what is in struct share_open, and the makers, but for the atomics. */
static struct {
    struct lock lock;
    struct list buckets[BUCKETS];
    struct list makers; /* struct share_maker.link */
    bool ready;
    _Atomic uint32_t maker_count; /* read without the lock, after what was made was found */
    _Atomic uint32_t changes;     /* a mark is gone: counted up under the lock, slept on */
    _Atomic uint32_t sleepers;    /* ... by so many */
} shares = {.lock = LOCK_INIT(LOCK_GLOBAL)};

static void make_ready_locked(void)
{
    lock_assert_held(&shares.lock);
    if (shares.ready)
        return;
    for (int i = 0; i < BUCKETS; i++)
        list_init(&shares.buckets[i]);
    list_init(&shares.makers);
    shares.ready = true;
}

static struct list *bucket_of(dev_t dev, ino_t ino)
{
    make_ready_locked();
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
    if (!list_empty(&node->opens) || node->busy > 0)
        return;
    list_remove(&node->link);
    free(node);
}

/* Lock held; let go and taken again. False: it has taken too long. */
static bool await_change_locked(uint64_t deadline_ns)
{
    uint32_t seen = atomic_load(&shares.changes);
    bool in_time;

    atomic_fetch_add(&shares.sleepers, 1);
    lock_release(&shares.lock);
    in_time = futex_wait(&shares.changes, seen, deadline_ns) != -ETIMEDOUT;
    atomic_fetch_sub(&shares.sleepers, 1);
    lock_acquire(&shares.lock);
    return in_time;
}

static void changed_locked(void)
{
    lock_assert_held(&shares.lock);
    atomic_fetch_add(&shares.changes, 1);
}

/* After the lock is released. */
static void wake_sleepers(void)
{
    if (atomic_load(&shares.sleepers) > 0)
        futex_wake(&shares.changes, INT_MAX);
}

/* Something is done to its name, and then it is decided what becomes of it. Not so if others have it open
 * that is marked for deletion: that lasts. */
static bool passes_locked(const struct share_node *node)
{
    return node->busy > 0 && (!node->delete_pending || list_empty(&node->opens));
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

/* ---- who makes ---- */

static const char *leaf_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void share_make_begin(struct share_maker *m, const char *path)
{
    m->leaf = leaf_of(path);
    lock_acquire(&shares.lock);
    make_ready_locked();
    list_push_back(&shares.makers, &m->link);
    atomic_fetch_add(&shares.maker_count, 1);
    lock_release(&shares.lock);
}

void share_make_end(struct share_maker *m)
{
    lock_acquire(&shares.lock);
    list_remove(&m->link);
    atomic_fetch_sub(&shares.maker_count, 1);
    changed_locked();
    lock_release(&shares.lock);
    wake_sleepers();
}

/* NULL: nobody makes anything. By the descriptor: a path may lead over links. */
static const char *leaf_if_makers(int fd, char *name, size_t size)
{
    return atomic_load(&shares.maker_count) > 0 && os_name_of(fd, name, size) ? leaf_of(name) : NULL;
}

static bool being_made_locked(const char *leaf)
{
    lock_assert_held(&shares.lock);
    if (leaf && shares.ready) {
        list_for_each(l, &shares.makers) {
            if (strcmp(container_of(l, struct share_maker, link)->leaf, leaf) == 0)
                return true;
        }
    }
    return false;
}

/* ---- openings ---- */

/* Names in the way are waited for, but not for good: their owner may be a thread that was ended. */
static uint32_t join_locked(struct share_open *o, const struct stat *st, const char *leaf)
{
    uint64_t deadline_ns = 0;

    for (;;) {
        struct share_node *node = find_or_make_locked(st->st_dev, st->st_ino);
        uint32_t status = node ? check_locked(node, o->uses, o->allows) : (uint32_t)STATUS_NO_MEMORY;
        bool waits = node && (passes_locked(node) || being_made_locked(leaf));

        if (status == STATUS_SUCCESS && !waits) {
            list_push_back(&node->opens, &o->link);
            o->node = node;
            return status;
        }
        if (node)
            drop_if_unused_locked(node);
        if (!waits)
            return status;
        if (deadline_ns == 0)
            deadline_ns = deadline_from_ms(PATIENCE_MS);
        if (await_change_locked(deadline_ns))
            continue;
        if (!leaf)
            return STATUS_SHARING_VIOLATION;
        leaf = NULL; /* what takes so long is made in another directory, most likely */
    }
}

static uint32_t join(struct share_open *o, int fd, const struct stat *st, bool made)
{
    char name[4096];
    const char *leaf = made ? NULL : leaf_if_makers(fd, name, sizeof name);
    uint32_t status;

    lock_acquire(&shares.lock);
    status = join_locked(o, st, leaf);
    lock_release(&shares.lock);
    return status;
}

/* Leaves; the node, busy, if this was the last opening of a file marked for deletion. */
static struct share_node *leave(struct share_open *o)
{
    uint64_t deadline_ns = deadline_from_ms(PATIENCE_MS);
    struct share_node *node;
    bool last = false;

    lock_acquire(&shares.lock);
    node = o->node;
    if (node) {
        if (o->delete_on_close)
            node->delete_pending = true;
        list_remove(&o->link);
        o->node = NULL;
        last = node->delete_pending && list_empty(&node->opens);
        if (last)
            node->busy++;
        while (last && node->busy > 1 && await_change_locked(deadline_ns))
            ; /* somebody else is just taking the name away */
        drop_if_unused_locked(node);
    }
    lock_release(&shares.lock);
    return last ? node : NULL;
}

static void not_busy_locked(struct share_node *node)
{
    node->busy--;
    changed_locked();
    drop_if_unused_locked(node);
}

uint32_t share_acquire(struct share_open *o, int fd, uint8_t uses, uint8_t allows, bool made)
{
    struct stat st;
    uint32_t status;

    list_init(&o->link);
    o->node = NULL;
    o->uses = uses;
    o->allows = uses ? allows : SHARE_ALL;
    o->delete_on_close = false;
    if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
        return STATUS_SUCCESS; /* devices are everybody's */
    status = join(o, fd, &st, made);
    if (status != STATUS_SUCCESS || !S_ISREG(st.st_mode) || uses == 0)
        return status;
    tell_others(fd, o->uses, o->allows);
    if (!others_object(fd, o->uses, o->allows))
        return STATUS_SUCCESS;
    share_release(o, fd);
    return STATUS_SHARING_VIOLATION;
}

static bool is_node(const struct share_node *node, const struct stat *st)
{
    return st->st_dev == node->dev && st->st_ino == node->ino;
}

/* The program may have closed the number, and it may mean something else by now. */
static bool leads_to_node(int fd, const struct share_node *node)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && is_node(node, &st);
}

/* Where the file is now, renames included; false if it has no name any more. */
static bool current_name(int fd, const struct share_node *node, char *name, size_t size)
{
    struct stat st;

    return leads_to_node(fd, node) && os_name_of(fd, name, size) && lstat(name, &st) == 0 &&
           is_node(node, &st);
}

static void delete_now(int fd, const struct share_node *node)
{
    char name[4096];

    if (!current_name(fd, node, name, sizeof name))
        return;
    if (os_unlink(name) < 0 && errno == EISDIR)
        rmdir(name);
}

static bool goes_on_close(const struct share_open *o)
{
    return o->delete_on_close || share_marked_deleted(o);
}

/*
 * The locks go first, or who joins right after is refused for what this opening has told; but those of a
 * file that is to be deleted when it is: nobody can join before. The descriptor may live on in duplicates
 * and running requests, so closing it does not do this.
 */
void share_release(struct share_open *o, int fd)
{
    bool tells = o->node && o->uses && leads_to_node(fd, o->node);
    bool goes = goes_on_close(o);
    struct share_node *last;

    if (tells && !goes)
        untell_others(fd);
    last = leave(o);
    if (last)
        delete_now(fd, last);
    if (tells && goes)
        untell_others(fd);
    if (!last)
        return;
    lock_acquire(&shares.lock);
    not_busy_locked(last);
    lock_release(&shares.lock);
    wake_sleepers();
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

/* ---- names ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool leads_to(const char *path, const struct stat *marked)
{
    struct stat st;

    return lstat(path, &st) == 0 && is_same(&st, marked);
}

/* What has the name now. Without a descriptor to spare it is done without. */
static void find_name(struct share_name *n, struct stat *st)
{
    n->status = STATUS_SUCCESS;
    n->node = NULL;
    n->fd = fd_above_std(open(n->path, O_PATH | O_CLOEXEC | O_NOFOLLOW));
    n->there = (n->fd < 0 ? lstat(n->path, st) : fstat(n->fd, st)) == 0;
    n->err = n->there ? 0 : errno;
}

/* Marks it, or says in n->status why not. False: it has to be waited for. */
static bool mark_locked(struct share_name *n, const struct stat *st)
{
    struct share_node *node;

    if (!n->there || !(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)))
        return true; /* whoever is to do the deed reports why it fails */
    node = find_or_make_locked(st->st_dev, st->st_ino);
    if (!node) {
        n->status = STATUS_NO_MEMORY;
        return true;
    }
    if (node->busy > 0 && (n->own || passes_locked(node)))
        return false;
    if (!n->own)
        n->status = check_locked(node, SHARE_DELETE, SHARE_ALL);
    if (n->status == STATUS_SUCCESS) {
        node->busy++;
        n->node = node;
    }
    drop_if_unused_locked(node);
    return true;
}

static void unmark_locked(struct share_name *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (names[i].node)
            not_busy_locked(names[i].node);
        names[i].node = NULL;
    }
}

/* All at once: who waited with one mark for another might wait for somebody who does the same. */
static bool mark_all(struct share_name *names, const struct stat *st, unsigned count)
{
    uint64_t deadline_ns = deadline_from_ms(PATIENCE_MS);
    bool good = true;
    unsigned i = 0;

    lock_acquire(&shares.lock);
    while (good && i < count) {
        /* Two names of one file: the first one's mark is enough. */
        bool again = i > 0 && names[0].node && is_same(&st[0], &st[i]) && names[i].there;

        if (again || mark_locked(&names[i], &st[i])) {
            good = names[i].status == STATUS_SUCCESS;
            i += good;
            continue;
        }
        unmark_locked(names, i);
        good = await_change_locked(deadline_ns);
        if (!good)
            names[i].status = STATUS_SHARING_VIOLATION;
        i = 0;
    }
    if (!good)
        unmark_locked(names, i);
    lock_release(&shares.lock);
    wake_sleepers();
    return good;
}

/* Other processes have their say where the file is ours to read. */
static uint32_t ask_others(const struct share_name *n)
{
    uint32_t status = STATUS_SUCCESS;
    int fd;

    if (!n->node || n->own)
        return status;
    fd = fd_above_std(open(n->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (fd < 0)
        return status;
    if (others_object(fd, SHARE_DELETE, SHARE_ALL))
        status = STATUS_SHARING_VIOLATION;
    close(fd);
    return status;
}

/* True: the names still lead to what has been marked. */
static bool stand(const struct share_name *names, const struct stat *st, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (names[i].node && !leads_to(names[i].path, &st[i]))
            return false;
    }
    return true;
}

bool share_hold(struct share_name *names, unsigned count)
{
    struct stat st[2] = {0};
    bool good = true;

    assert(count <= 2);
    for (int tries = 0; tries < TRIES; tries++) {
        for (unsigned i = 0; i < count; i++)
            find_name(&names[i], &st[i]);
        good = mark_all(names, st, count);
        if (!good || stand(names, st, count))
            break;
        share_let_go(names, count);
        names[0].status = STATUS_SHARING_VIOLATION; /* unless it stands the next time */
        good = false;
    }
    for (unsigned i = 0; good && i < count; i++) {
        names[i].status = ask_others(&names[i]);
        good = names[i].status == STATUS_SUCCESS;
    }
    if (!good)
        share_let_go(names, count);
    return good;
}

void share_let_go(struct share_name *names, unsigned count)
{
    lock_acquire(&shares.lock);
    unmark_locked(names, count);
    lock_release(&shares.lock);
    wake_sleepers();
    for (unsigned i = 0; i < count; i++) {
        if (names[i].fd >= 0)
            close(names[i].fd);
        names[i].fd = -1;
    }
}

/* The openings are the parent's, whose locks on the files speak to a forked child as to anybody. */
static void forget_openings(void)
{
    shares.ready = false;
    atomic_store(&shares.maker_count, 0);
    atomic_store(&shares.sleepers, 0);
}

FORK_HOOK(&shares.lock, LOCK_GLOBAL, forget_openings);
