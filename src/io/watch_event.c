/* SPDX-License-Identifier: MIT */
/*
 * What events of inotify mean; see watch_tree.h. The two halves of a rename come one after the other,
 * but a reader may see the first before the second is there. It then waits a moment with everything
 * that follows: what is emitted keeps the order in which it happened. A first half with that much behind
 * it that its second must have come has none: something was moved out of sight.
 */
#include "io/watch_node.h"

#include "minwindef.h"
#include "winnt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LARGEST_EVENT = sizeof(struct inotify_event) + 256,
    BETWEEN_HALVES = 16, /* events that others may get in between */
    READINGS = 4,        /* in one turn: a directory may be written to all the time */
};

/* ---- what is said ---- */

/* A name in a directory; NULL: there is none any more. */
struct place {
    const struct watch_node *n;
    const char *name;
};

/* What is at a place now; false: nothing that we can see. Its path may be longer than the kernel takes. */
static bool look_at(struct watch_tree *t, const struct place *where, struct disk_info *info)
{
    int fd = where->n->parent ? watch_node_open(t, where->n, O_PATH) : t->dir_fd;
    bool found = fd >= 0 && disk_info_at(fd, where->name, info) == 0;

    if (fd >= 0 && fd != t->dir_fd)
        close(fd);
    return found;
}

static void describe(struct watch_tree *t, const struct place *said, const struct place *now, bool directory,
                     struct watch_details *details)
{
    details->parent = said->n->ino;
    if (now && look_at(t, now, &details->info))
        return;
    details->info = (struct disk_info){
        .attributes = directory ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_ARCHIVE,
    };
}

/* `now`: where it is that is spoken of; NULL: it is gone. */
static void say(struct watch_tree *t, uint32_t action, const struct place *said, const struct place *now,
                bool directory)
{
    struct watch_details details;
    struct watch_change change = {.action = action};

    if (t->detailed) {
        describe(t, said, now, directory, &details);
        change.details = &details;
    }
    change.path = watch_node_path(t, said->n, said->name, &change.length);
    if (change.path)
        t->emit(t->ctx, &change);
    else
        t->lost = true;
}

static bool is_asked_for(const struct watch_tree *t, bool directory)
{
    return t->filter & (directory ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME);
}

void watch_tree_emit(struct watch_tree *t, uint32_t action, const struct watch_node *n, const char *name,
                     bool directory)
{
    struct place place = {n, name};

    if (is_asked_for(t, directory))
        say(t, action, &place, action == FILE_ACTION_REMOVED ? NULL : &place, directory);
}

/* ---- names ---- */

static void arrived(struct watch_tree *t, struct watch_node *n, const char *name, bool directory)
{
    int err;

    if (!directory || !t->subtree)
        return;
    err = watch_tree_arrive(t, n, name);
    if (err)
        t->failure = err;
}

static void on_added(struct watch_tree *t, struct watch_node *n, const char *name, bool directory)
{
    if (watch_names_remove(&n->listed, name))
        return; /* the listing has seen it */
    watch_tree_emit(t, FILE_ACTION_ADDED, n, name, directory);
    arrived(t, n, name, directory);
}

/* Deleted or moved out of sight. If a listing has seen the name, or a directory of that name is still known,
 * that is a later one, of which the events to come will speak: it is new then, with all that is in it. */
static void on_removed(struct watch_tree *t, struct watch_node *n, const char *name, bool directory)
{
    struct watch_node *child = directory && t->subtree ? watch_node_child(n, name) : NULL;

    watch_names_remove(&n->listed, name);
    watch_tree_emit(t, FILE_ACTION_REMOVED, n, name, directory);
    if (child)
        watch_node_drop(t, child);
}

/* From one directory to another it is gone here and new there: so says NTFS. */
static void on_renamed(struct watch_tree *t, struct watch_node *from, const char *old_name,
                       struct watch_node *to, const char *new_name, bool directory)
{
    struct watch_node *child = directory && t->subtree ? watch_node_child(from, old_name) : NULL;
    struct place before = {from, old_name}, now = {to, new_name};
    bool same = from == to;

    watch_names_remove(&from->listed, old_name);
    watch_names_remove(&to->listed, new_name);
    if (is_asked_for(t, directory)) {
        say(t, same ? FILE_ACTION_RENAMED_OLD_NAME : FILE_ACTION_REMOVED, &before, &now, directory);
        say(t, same ? FILE_ACTION_RENAMED_NEW_NAME : FILE_ACTION_ADDED, &now, &now, directory);
    }
    if (child && !watch_node_move(t, child, to, new_name))
        t->failure = -ENOMEM;
    arrived(t, to, new_name, directory); /* is it really the one that was known by the old name? */
}

/* ---- contents ---- */

/* Was the write time set to now (touch), and not only something else about the file? */
static bool was_touched(struct watch_tree *t, const char *path)
{
    struct stat st;

    return fstatat(t->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtim.tv_sec == st.st_ctim.tv_sec && st.st_mtim.tv_nsec == st.st_ctim.tv_nsec;
}

static void on_modified(struct watch_tree *t, struct watch_node *n, const char *name, uint32_t mask)
{
    struct place place = {n, name};
    size_t length;
    const char *path = watch_node_path(t, n, name, &length);

    if (!path) {
        t->lost = true;
        return;
    }
    if ((mask & IN_ATTRIB) && !(t->filter & (FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SECURITY)) &&
        !was_touched(t, path))
        return;
    say(t, FILE_ACTION_MODIFIED, &place, &place, (mask & IN_ISDIR) != 0);
}

/* ---- events ---- */

static size_t size_of(const struct inotify_event *e)
{
    return sizeof *e + e->len;
}

/* The second half of the rename that e begins, in what was read; *behind counts what lies there. */
static struct inotify_event *second_half(struct watch_tree *t, const struct inotify_event *e,
                                         unsigned *behind)
{
    size_t at = t->raw_at + size_of(e);

    *behind = 0;
    while (at < t->raw_end) {
        struct inotify_event *other = (struct inotify_event *)(t->raw + at);

        if ((other->mask & IN_MOVED_TO) && other->cookie == e->cookie)
            return other;
        at += size_of(other);
        ++*behind;
    }
    return NULL;
}

static void on_top(struct watch_tree *t, const struct inotify_event *e)
{
    if (e->mask & IN_MOVE_SELF)
        watch_tree_watch_parent(t);
    if (e->mask & (IN_IGNORED | IN_UNMOUNT))
        t->gone = true;
}

static void on_name(struct watch_tree *t, struct watch_node *n, const struct inotify_event *e)
{
    bool directory = (e->mask & IN_ISDIR) != 0;

    if (e->mask & (IN_CREATE | IN_MOVED_TO))
        on_added(t, n, e->name, directory);
    else if (e->mask & IN_DELETE)
        on_removed(t, n, e->name, directory);
    else if (e->mask & (IN_ATTRIB | IN_MODIFY | IN_ACCESS))
        on_modified(t, n, e->name, e->mask);
}

/* False: it has to wait for its second half. */
static bool on_half(struct watch_tree *t, struct watch_node *n, const struct inotify_event *e, bool settle)
{
    unsigned behind;
    struct inotify_event *other = second_half(t, e, &behind);
    struct watch_node *to = other ? watch_node_find(t, other->wd) : NULL;
    bool directory = (e->mask & IN_ISDIR) != 0;

    if (!other && !settle && behind < BETWEEN_HALVES && t->raw_end - t->raw_at < WATCH_RAW - LARGEST_EVENT)
        return false;
    if (other)
        other->mask = 0; /* done with this one */
    if (to)
        on_renamed(t, n, e->name, to, other->name, directory);
    else
        on_removed(t, n, e->name, directory);
    return true;
}

/* False: it has to wait, and all behind it. */
static bool handle(struct watch_tree *t, const struct inotify_event *e, bool settle)
{
    struct watch_node *n;

    if (e->mask & IN_Q_OVERFLOW)
        t->lost = true;
    if (e->wd == t->parent_wd && watch_tree_top_gone(t))
        t->gone = true;
    n = watch_node_find(t, e->wd);
    if (!n)
        return true; /* of a watch that was given up */
    if (n == t->top)
        on_top(t, e);
    else if (e->mask & IN_IGNORED)
        watch_node_drop(t, n);
    if (e->len == 0 || (e->mask & IN_IGNORED))
        return true; /* about the directory itself: its parent says it by name */
    if (e->mask & IN_MOVED_FROM)
        return on_half(t, n, e, settle);
    on_name(t, n, e);
    return true;
}

/* True: something was read. */
static bool read_more(struct watch_tree *t)
{
    ssize_t n;

    if (t->raw_at > 0) {
        memmove(t->raw, t->raw + t->raw_at, t->raw_end - t->raw_at);
        t->raw_end -= t->raw_at;
        t->raw_at = 0;
    }
    do {
        n = read(t->fd, t->raw + t->raw_end, WATCH_RAW - t->raw_end);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    t->raw_end += (size_t)n;
    return true;
}

/* What was read, up to a half rename. True: one waits. */
static bool handle_raw(struct watch_tree *t, bool *settle)
{
    while (t->raw_at < t->raw_end) {
        const struct inotify_event *e = (const struct inotify_event *)(t->raw + t->raw_at);

        if (!handle(t, e, *settle))
            return true;
        if (e->mask & IN_MOVED_FROM)
            *settle = false; /* it was meant for one that has waited; the next may be new */
        t->raw_at += size_of(e);
    }
    return false;
}

int watch_tree_read(struct watch_tree *t, bool settle)
{
    bool half = false;
    int err;

    settle = settle && t->raw_at < t->raw_end; /* it is meant for what has waited in there */
    if (watch_tree_top_gone(t)) /* seen even if nobody says so: no parent to watch */
        t->gone = true;
    t->more = true;
    for (int i = 0; i < READINGS && t->more; i++) {
        t->more = read_more(t);
        half = handle_raw(t, &settle);
    }
    if (!half) {
        if (!t->more)
            watch_tree_forget_listed(t);
        err = watch_tree_catch_up(t);
        t->failure = err ? err : t->failure;
    }
    if (t->failure) {
        err = t->failure;
        t->failure = 0;
        return err;
    }
    if (t->lost) {
        t->lost = false;
        err = watch_tree_repair(t);
        return err ? err : WATCH_LOST;
    }
    if (t->gone)
        return WATCH_GONE;
    return half ? WATCH_HALF : WATCH_QUIET;
}
