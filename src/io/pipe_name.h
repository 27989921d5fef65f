/* SPDX-License-Identifier: MIT */
/* What pipe_name.c (names and their instances) and pipe_serve.c (who comes to open them) share. */
#ifndef IOCP_IO_PIPE_NAME_H
#define IOCP_IO_PIPE_NAME_H

#include "base/list.h"
#include "base/lock.h"
#include "io/pipe_dir.h"

/* text, dir, file, shape and listener are constant; the rest is guarded by pipe_names.lock. */
struct pipe_name {
    struct list link;
    char *text;              /* owned */
    char dir[PIPE_DIR_SIZE], file[PIPE_FILE_SIZE];
    struct pipe_shape shape; /* of the first instance */
    int listener;
    uint32_t count;          /* instances, those being made included */
    uint32_t waiting;        /* visitors that wait for a free one */
    struct list instances;   /* struct pipe.instance */
    struct list available;   /* struct pipe.available: longest first */
};

extern struct pipe_names {
    struct lock lock;
    struct list names; /* struct pipe_name; guarded by the lock */
} pipe_names;

struct pipe_name *pipe_name_find_locked(const char *text); /* folded; NULL */

/* ---- pipe_serve.c ---- */

int pipe_serve_begin(void); /* 0 or -errno */
int pipe_serve_stand_in(void); /* a descriptor that is never ready */
int pipe_serve_prepare(int listener); /* watched, but nobody is attended; 0 or -errno */
void pipe_serve_listen(int listener); /* from now on they are; cannot fail */
void pipe_serve_end(int listener);
void pipe_serve_call(void); /* somebody waits for what is available now */
void pipe_serve_dismiss(struct pipe_name *n); /* the name is going: those who wait are sent away */
void pipe_serve_afresh(void); /* in a forked child */

#endif
