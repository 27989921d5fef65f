/* SPDX-License-Identifier: MIT */
/*
 * The tree of watched directories; see watch_tree.h. This file keeps the tree: nodes, their watches,
 * listings. What an event means is in watch_event.c.
 *
 * Directories are opened from the top, name by name and never through a symbolic link, and watched by
 * what was opened: a rename above the top, or one that is under way, leads nowhere else. The tree is
 * walked with a list of what is still to be listed, not by recursion: its depth is the program's.
 *
 * That the top itself is deleted is told by nobody while its descriptor is open; so its parent is
 * watched too.
 */
#include "io/watch_tree.h"

#include "base/os.h"
#include "base/own_fd.h"
#include "io/watch_node.h"

#include "minwindef.h"
#include "winnt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- nodes ---- */

static struct watch_node **bucket_of(struct watch_tree *t, int wd)
{
    return &t->buckets[(unsigned)wd & (t->bucket_count - 1)];
}

struct watch_node *watch_node_find(struct watch_tree *t, int wd)
{
    struct watch_node *n = *bucket_of(t, wd);

    while (n && n->wd != wd)
        n = n->next;
    return n;
}

struct watch_node *watch_node_child(struct watch_node *parent, const char *name)
{
    list_for_each(l, &parent->children) {
        struct watch_node *n = container_of(l, struct watch_node, sibling);

        if (strcmp(n->name, name) == 0)
            return n;
    }
    return NULL;
}

/* More directories, more buckets; without memory for them the chains get longer. */
static void spread(struct watch_tree *t)
{
    size_t count = t->bucket_count * 2;
    struct watch_node **old = t->buckets;
    struct watch_node **buckets = calloc(count, sizeof *buckets);

    if (!buckets)
        return;
    t->buckets = buckets;
    t->bucket_count = count;
    for (size_t i = 0; i < count / 2; i++) {
        for (struct watch_node *n = old[i], *next; n; n = next) {
            next = n->next;
            n->next = *bucket_of(t, n->wd);
            *bucket_of(t, n->wd) = n;
        }
    }
    free(old);
}

static struct watch_node *node_new(struct watch_tree *t, struct watch_node *parent, const char *name, int wd)
{
    struct watch_node *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->name = strdup(name);
    if (!n->name) {
        free(n);
        return NULL;
    }
    n->parent = parent;
    n->wd = wd;
    n->round = t->round;
    list_init(&n->children);
    list_init(&n->sibling);
    list_init(&n->to_list);
    list_init(&n->fresh);
    list_init(&n->later);
    if (parent)
        list_push_back(&parent->children, &n->sibling);
    if (t->node_count >= t->bucket_count)
        spread(t);
    n->next = *bucket_of(t, wd);
    *bucket_of(t, wd) = n;
    t->node_count++;
    return n;
}

static void node_release(struct watch_node *n)
{
    watch_names_clear(&n->listed);
    watch_names_clear(&n->missed);
    free(n->name);
    free(n);
}

/* One without children. */
static void node_free(struct watch_tree *t, struct watch_node *n)
{
    struct watch_node **at = bucket_of(t, n->wd);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->node_count--;
    list_remove(&n->sibling);
    list_remove(&n->to_list);
    list_remove(&n->fresh);
    list_remove(&n->later);
    node_release(n);
}

void watch_node_drop(struct watch_tree *t, struct watch_node *top)
{
    struct watch_node *n = top;

    for (;;) { /* the deepest first */
        struct list *child = list_first(&n->children);
        struct watch_node *parent = n->parent;
        bool last = n == top;

        if (child) {
            n = container_of(child, struct watch_node, sibling);
            continue;
        }
        inotify_rm_watch(t->fd, n->wd);
        node_free(t, n);
        if (last)
            return;
        n = parent;
    }
}

static bool is_below(const struct watch_node *n, const struct watch_node *top)
{
    while (n && n != top)
        n = n->parent;
    return n != NULL;
}

bool watch_node_move(struct watch_tree *t, struct watch_node *n, struct watch_node *parent, const char *name)
{
    char *copy;

    if (n == t->top || is_below(parent, n))
        return true; /* a loop that only mounts can make: it stays where it is */
    copy = strdup(name);
    if (!copy)
        return false;
    free(n->name);
    n->name = copy;
    n->parent = parent;
    list_remove(&n->sibling);
    list_push_back(&parent->children, &n->sibling);
    return true;
}

/* ---- paths ---- */

/* "a/b/name" for a name in node n, in t->path; NULL: no memory. */
const char *watch_node_path(struct watch_tree *t, const struct watch_node *n, const char *name,
                            size_t *length)
{
    size_t size = strlen(name) + 1;
    char *at;

    for (const struct watch_node *p = n; p->parent; p = p->parent)
        size += strlen(p->name) + 1;
    if (size > t->path_size) {
        char *path = realloc(t->path, size * 2);

        if (!path)
            return NULL;
        t->path = path;
        t->path_size = size * 2;
    }
    *length = size - 1;
    at = t->path + size - strlen(name) - 1;
    strcpy(at, name);
    for (const struct watch_node *p = n; p->parent; p = p->parent) {
        size_t part = strlen(p->name);

        *--at = '/';
        at -= part;
        memcpy(at, p->name, part);
    }
    return t->path;
}

enum { PIECE = 2048 }; /* bytes of a path that are opened in one go */

/* Opens what is at `name` in node n. Paths may be longer than the kernel takes. */
static int open_at(struct watch_tree *t, const struct watch_node *n, const char *name, int flags)
{
    size_t length;
    const char *path = watch_node_path(t, n, name, &length);
    int at = t->dir_fd;
    int fd;

    if (!path)
        return -ENOMEM;
    while (length > PIECE) {
        char *slash = memrchr(path, '/', PIECE);

        *slash = 0;
        fd = fd_above_std(openat(at, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (at != t->dir_fd)
            close(at);
        if (fd < 0)
            return -errno;
        at = fd;
        length -= (size_t)(slash + 1 - path);
        path = slash + 1;
    }
    fd = fd_above_std(openat(at, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd < 0)
        fd = -errno;
    if (at != t->dir_fd)
        close(at);
    return fd;
}

/* ---- watches and listings ---- */

/* It went again meanwhile, is no directory any more, or is none of ours to look into. */
static bool may_be_left(int err)
{
    return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EACCES;
}

int watch_node_open(struct watch_tree *t, const struct watch_node *n, int flags)
{
    int fd = n->parent ? open_at(t, n->parent, n->name, flags) : open_at(t, n, ".", flags);
    struct stat st;

    if (fd < 0 || !n->parent || (fstat(fd, &st) == 0 && st.st_dev == n->dev && st.st_ino == n->ino))
        return fd;
    close(fd);
    return -ENOENT;
}

/* The name of n, or of one above it, has changed: the event that says so comes yet. */
static void do_later(struct watch_tree *t, struct watch_node *n)
{
    if (!list_linked(&n->later))
        list_push_back(&t->later, &n->later);
}

/*
 * A node, with a watch, for the directory `name` in `parent`, which is open as at_fd. NULL in *out: it need
 * not be looked into, since it is gone again, or was known (in this round, while the tree is repaired).
 */
static int add_node(struct watch_tree *t, struct watch_node *parent, int at_fd, const char *name,
                    struct watch_node **out)
{
    int fd = fd_above_std(openat(at_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct watch_node *n;
    struct stat st;
    int wd;

    *out = NULL;
    if (fd < 0)
        return may_be_left(-errno) ? 0 : -errno;
    wd = os_inotify_add(t->fd, fd, t->mask | IN_ONLYDIR);
    if (wd < 0 || fstat(fd, &st) < 0) {
        close(fd);
        return wd >= 0 || may_be_left(wd) ? 0 : wd;
    }
    close(fd);
    n = watch_node_find(t, wd);
    if (n) {
        if (n->unlisted || (t->repairing && n->round != t->round))
            *out = n;
        n->round = t->round;
        if (!t->repairing && (n->parent != parent || strcmp(n->name, name) != 0))
            t->lost = true; /* what was listed under one name was another directory than it seemed */
        return watch_node_move(t, n, parent, name) ? 0 : -ENOMEM;
    }
    n = node_new(t, parent, name, wd);
    if (!n) {
        inotify_rm_watch(t->fd, wd);
        return -ENOMEM;
    }
    n->dev = st.st_dev;
    n->ino = st.st_ino;
    *out = n;
    return 0;
}

static bool is_directory(int fd, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* What a listing found. report: it is news, and an event may bring it again. */
static int found(struct watch_tree *t, struct watch_node *n, int fd, const char *name, bool directory,
                 bool report)
{
    struct watch_node *child;
    int err = 0;

    if (report) {
        if (!watch_names_add(&n->listed, name))
            return -ENOMEM;
        if (!list_linked(&n->fresh))
            list_push_back(&t->fresh, &n->fresh);
        watch_tree_emit(t, FILE_ACTION_ADDED, n, name, directory);
    }
    if (directory) {
        err = add_node(t, n, fd, name, &child);
        if (child && !list_linked(&child->to_list))
            list_push_back(&t->to_list, &child->to_list);
    }
    return err;
}

static int list_node(struct watch_tree *t, struct watch_node *n, bool report)
{
    int fd = watch_node_open(t, n, O_RDONLY);
    struct dirent *entry;
    int err = 0;
    DIR *dir;

    n->unlisted = fd < 0 && may_be_left(fd);
    if (n->unlisted)
        do_later(t, n);
    if (fd < 0)
        return n->unlisted ? 0 : fd;
    dir = fdopendir(fd);
    if (!dir) {
        err = -errno;
        close(fd);
        return err;
    }
    while (!err && (entry = readdir(dir)) != NULL) {
        bool directory;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        directory = is_directory(fd, entry);
        if (report || directory)
            err = found(t, n, fd, entry->d_name, directory, report);
    }
    closedir(dir);
    return err;
}

/* Lists all that is to be listed. A failure leaves the rest: the tree has to be repaired then. */
static int list_all(struct watch_tree *t, bool report)
{
    struct list *l;
    int err = 0;

    while ((l = list_pop_front(&t->to_list)) != NULL) {
        if (!err)
            err = list_node(t, container_of(l, struct watch_node, to_list), report);
    }
    return err;
}

int watch_tree_arrive(struct watch_tree *t, struct watch_node *parent, const char *name)
{
    int fd = watch_node_open(t, parent, O_PATH);
    struct watch_node *n;
    int err;

    if (fd < 0 && may_be_left(fd)) {
        do_later(t, parent);
        return watch_names_add(&parent->missed, name) ? 0 : -ENOMEM;
    }
    if (fd < 0)
        return fd;
    err = add_node(t, parent, fd, name, &n);
    close(fd);
    if (err || !n)
        return err;
    list_push_back(&t->to_list, &n->to_list);
    return list_all(t, true);
}

static int catch_up_one(struct watch_tree *t, struct watch_node *n)
{
    struct watch_names missed = n->missed;
    int err = 0;

    n->missed = (struct watch_names){0};
    for (size_t i = 0; i < missed.size && !err; i++) {
        if (missed.slots[i] && missed.slots[i][0])
            err = watch_tree_arrive(t, n, missed.slots[i]);
    }
    watch_names_clear(&missed);
    if (err || !n->unlisted)
        return err;
    list_push_back(&t->to_list, &n->to_list);
    return list_all(t, true);
}

int watch_tree_catch_up(struct watch_tree *t)
{
    struct list now;
    struct list *l;
    int err = 0;

    list_init(&now);
    list_splice_back(&now, &t->later);
    while ((l = list_pop_front(&now)) != NULL) {
        int failed = catch_up_one(t, container_of(l, struct watch_node, later));

        err = err ? err : failed;
    }
    return err;
}

void watch_tree_forget_listed(struct watch_tree *t)
{
    struct list *l;

    while ((l = list_pop_front(&t->fresh)) != NULL)
        watch_names_clear(&container_of(l, struct watch_node, fresh)->listed);
}

void watch_tree_watch_parent(struct watch_tree *t)
{
    struct stat here, above;
    int fd;

    if (t->parent_wd >= 0)
        inotify_rm_watch(t->fd, t->parent_wd);
    t->parent_wd = -1;
    fd = fd_above_std(openat(t->dir_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return;
    if (fstat(fd, &above) == 0 && fstat(t->dir_fd, &here) == 0 &&
        (above.st_ino != here.st_ino || above.st_dev != here.st_dev))
        t->parent_wd = os_inotify_add(t->fd, fd, IN_DELETE | IN_ONLYDIR);
    close(fd);
}

bool watch_tree_top_gone(const struct watch_tree *t)
{
    struct stat st;

    return fstat(t->dir_fd, &st) == 0 && st.st_nlink == 0;
}

/* ---- life ---- */

static uint32_t mask_of(uint32_t filter, bool subtree)
{
    uint32_t mask = IN_EXCL_UNLINK;

    if (subtree || (filter & (FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME)))
        mask |= IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
    if (filter & (FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SECURITY |
                  FILE_NOTIFY_CHANGE_LAST_WRITE))
        mask |= IN_ATTRIB;
    if (filter & (FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE))
        mask |= IN_MODIFY;
    if (filter & FILE_NOTIFY_CHANGE_LAST_ACCESS)
        mask |= IN_ACCESS;
    return mask;
}

static int watch_top(struct watch_tree *t)
{
    int wd = os_inotify_add(t->fd, t->dir_fd, t->mask | IN_MOVE_SELF | IN_ONLYDIR);
    struct stat st;

    if (wd < 0)
        return wd;
    t->top = node_new(t, NULL, "", wd);
    if (!t->top)
        return -ENOMEM;
    if (fstat(t->dir_fd, &st) == 0)
        t->top->ino = st.st_ino;
    watch_tree_watch_parent(t);
    if (!t->subtree)
        return 0;
    list_push_back(&t->to_list, &t->top->to_list);
    return list_all(t, false);
}

int watch_tree_new(int dir_fd, const struct watch_how *how, watch_emit emit, void *ctx,
                   struct watch_tree **out)
{
    struct watch_tree *t = calloc(1, sizeof *t);
    int err;

    if (!t)
        return -ENOMEM;
    t->dir_fd = own_fd(fcntl(dir_fd, F_DUPFD_CLOEXEC, 3));
    err = t->dir_fd < 0 ? -errno : -ENOMEM;
    t->filter = how->filter;
    t->subtree = how->subtree;
    t->detailed = how->detailed;
    t->mask = mask_of(how->filter, how->subtree);
    t->emit = emit;
    t->ctx = ctx;
    t->parent_wd = -1;
    list_init(&t->to_list);
    list_init(&t->fresh);
    list_init(&t->later);
    t->fd = own_fd(os_inotify_new());
    t->bucket_count = 16;
    t->buckets = calloc(t->bucket_count, sizeof(struct watch_node *));
    t->raw = malloc(WATCH_RAW);
    if (t->fd < 0)
        err = t->fd;
    else if (t->dir_fd >= 0 && t->buckets && t->raw)
        err = watch_top(t);
    if (err) {
        watch_tree_free(t);
        return err;
    }
    *out = t;
    return 0;
}

void watch_tree_free(struct watch_tree *t)
{
    if (t->fd >= 0)
        own_fd_close(t->fd); /* and all its watches: none needs to be removed by itself */
    if (t->dir_fd >= 0)
        own_fd_close(t->dir_fd);
    for (size_t i = 0; t->buckets && i < t->bucket_count; i++) {
        for (struct watch_node *n = t->buckets[i], *next; n; n = next) {
            next = n->next;
            node_release(n);
        }
    }
    free(t->buckets);
    free(t->raw);
    free(t->path);
    free(t);
}

int watch_tree_fd(const struct watch_tree *t)
{
    return t->fd;
}

bool watch_tree_more(const struct watch_tree *t)
{
    return t->more;
}

/* What the last round has not seen is not in the tree any more. */
static void sweep(struct watch_tree *t)
{
    for (size_t i = 0; i < t->bucket_count; i++) {
        struct watch_node *n = t->buckets[i];

        while (n && (n->round == t->round || n == t->top))
            n = n->next;
        if (n) {
            watch_node_drop(t, n);
            i--; /* the bucket has changed */
        }
    }
}

int watch_tree_repair(struct watch_tree *t)
{
    int err;

    if (!t->subtree)
        return 0;
    t->round++;
    t->repairing = true;
    list_push_back(&t->to_list, &t->top->to_list);
    err = list_all(t, false);
    t->repairing = false;
    if (!err)
        sweep(t);
    return err;
}
