/* SPDX-License-Identifier: MIT */
/*
 * The directories behind one directory watch: an inotify descriptor, and for a subtree one watch per
 * directory in it, kept up while directories come, move and go. It turns what the kernel says into what
 * Windows says: an action and a path relative to the top.
 *
 * A directory that is new in the tree is listed after its watch is there, and what is in it already is
 * reported as added; an event that says the same again, because it happened between the two, is left out.
 * What the kernel has dropped, or could not watch, is never passed over: the tree answers LOST, or why.
 *
 * One thread at a time; whoever calls sees to that.
 */
#ifndef IOCP_IO_WATCH_TREE_H
#define IOCP_IO_WATCH_TREE_H

#include "io/disk_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch_tree;

/* What to watch for. */
struct watch_how {
    uint32_t filter; /* FILE_NOTIFY_CHANGE_* */
    uint32_t size;   /* bytes of the caller's buffer; the tree does not ask */
    bool subtree;
    bool detailed;   /* say also what the files are */
};

/* What a changed file is; of one that is gone most is 0. */
struct watch_details {
    struct disk_info info;
    uint64_t parent; /* index of its directory */
};

/* A change of a class that the filter names. */
struct watch_change {
    uint32_t action;  /* FILE_ACTION_* */
    const char *path; /* relative to the top */
    size_t length;
    const struct watch_details *details; /* NULL: not asked for */
};

/* What it is given is valid during the call. */
typedef void (*watch_emit)(void *ctx, const struct watch_change *change);

enum watch_state {
    WATCH_QUIET, /* all that has happened was emitted, if not watch_tree_more */
    WATCH_HALF,  /* the same, but for the first half of a rename (and what followed it): the second may
                  * come within a moment. Read again, or settle */
    WATCH_LOST,  /* more happened than was emitted: the program has to look for itself */
    WATCH_GONE,  /* the directory itself was deleted */
};

/*
 * Watches the directory dir_fd, which may be closed from then on.
 * 0, or -errno: -EMFILE no more descriptors, or of inotify's, -ENOSPC no more watches for this user.
 */
int watch_tree_new(int dir_fd, const struct watch_how *how, watch_emit emit, void *ctx,
                   struct watch_tree **out);
void watch_tree_free(struct watch_tree *t);

int watch_tree_fd(const struct watch_tree *t);

/*
 * Emits what there is, without waiting, up to a few buffers of events. settle: a half rename that has been
 * waiting is taken for what it is, a move out of sight. enum watch_state; or -errno, if a directory that
 * appeared could not be watched: watch_tree_repair is to be tried before anything is believed.
 */
int watch_tree_read(struct watch_tree *t, bool settle);
/* After it: there may be more, of which no new edge of the descriptor tells. */
bool watch_tree_more(const struct watch_tree *t);

/* Goes through the whole tree again. 0: everything is watched, and something may have been missed. */
int watch_tree_repair(struct watch_tree *t);

#endif
