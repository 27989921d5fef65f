/* SPDX-License-Identifier: MIT */
/* What watch_tree.c and watch_event.c share: the tree from inside. Nobody else includes this. */
#ifndef IOCP_IO_WATCH_NODE_H
#define IOCP_IO_WATCH_NODE_H

#include "base/list.h"
#include "io/watch_names.h"
#include "io/watch_tree.h"

#include <sys/types.h>

enum { WATCH_RAW = 64 * 1024 }; /* bytes of events read at a time */

/* One watched directory. */
struct watch_node {
    struct watch_node *next;   /* in its bucket */
    struct watch_node *parent; /* NULL: the top */
    struct list children;      /* watch_node.sibling */
    struct list sibling;
    struct list to_list;       /* in watch_tree.to_list: its entries are to be looked at */
    struct list fresh;         /* in watch_tree.fresh: `listed` is not empty */
    struct watch_names listed; /* reported by a listing; events may say it again */
    char *name;                /* owned */
    int wd;
    unsigned round;            /* of the repair that has seen it last */
    struct list later;         /* in watch_tree.later: it could not be found under its name, */
    bool unlisted;             /* ... and has to be looked into, */
    struct watch_names missed; /* ... or these directories in it have to be watched */
    dev_t dev;                 /* identity: names may be another's by the time they are opened */
    ino_t ino;                 /* ... and what its entries call their parent */
};

/* All of it belongs to the thread that reads. */
struct watch_tree {
    int fd;                      /* inotify; constant */
    int dir_fd;                  /* a copy of its own; constant */
    int parent_wd;               /* of the directory above the top; -1: none */
    uint32_t filter, mask;       /* constant */
    bool subtree;                /* constant */
    bool detailed;               /* constant */
    bool repairing;
    bool gone;                   /* the top was deleted */
    bool lost;                   /* the kernel has dropped events */
    bool more;                   /* the last turn may have left events unread */
    int failure;                 /* -errno: a directory that appeared is not watched */
    unsigned round;
    watch_emit emit;
    void *ctx;
    struct watch_node *top;
    struct watch_node **buckets; /* by wd */
    size_t bucket_count, node_count;
    struct list to_list;
    struct list fresh;
    struct list later;           /* watch_node.later: what waits for news of a rename above it */
    char *path;                  /* the last path made */
    size_t path_size;
    char *raw;                   /* events that were read; WATCH_RAW bytes */
    size_t raw_at, raw_end;      /* those not looked at yet */
};

struct watch_node *watch_node_find(struct watch_tree *t, int wd);
struct watch_node *watch_node_child(struct watch_node *parent, const char *name);
bool watch_node_move(struct watch_tree *t, struct watch_node *n, struct watch_node *parent, const char *name);
void watch_node_drop(struct watch_tree *t, struct watch_node *top); /* with all below it */
/* Opens its directory, or says -ENOENT if something else has its name by now; the top is dir_fd. */
int watch_node_open(struct watch_tree *t, const struct watch_node *n, int flags);
const char *watch_node_path(struct watch_tree *t, const struct watch_node *n, const char *name,
                            size_t *length);

/* A directory has appeared: watched, listed, its contents reported. 0 or -errno. */
int watch_tree_arrive(struct watch_tree *t, struct watch_node *parent, const char *name);
/* All events that were read are dealt with: what could not be found is looked for again. 0 or -errno. */
int watch_tree_catch_up(struct watch_tree *t);
/* No event that was read can say again what a listing has said. */
void watch_tree_forget_listed(struct watch_tree *t);
void watch_tree_watch_parent(struct watch_tree *t);
bool watch_tree_top_gone(const struct watch_tree *t);

/* Emits a change of a name if the filter asks for it. */
void watch_tree_emit(struct watch_tree *t, uint32_t action, const struct watch_node *n, const char *name,
                     bool directory);

#endif
