/* SPDX-License-Identifier: MIT */
/*
 * Processes as objects: this one, children that CreateProcess has started, and others that a program
 * opened by their id. Signalled when they have ended. The home thread watches their pidfds; a child of
 * ours is reaped there, by its pidfd, so that no other child of the program is ever touched.
 */
#ifndef IOCP_WAIT_PROCESS_H
#define IOCP_WAIT_PROCESS_H

#include "base/list.h"
#include "object/object.h"
#include "wait/dispatcher.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child;

/* Rules: (1) constant once watched: pid, pidfd, child, id. (2) under the lock of the table in process.c:
 * link, watched, gate, suspended. (3) atomics: written by the home thread before the dispatcher is set, but
 * `killed_with`, by who kills. */
struct process {
    struct object object;
    struct dispatcher dispatcher;
    struct list link;
    bool watched;   /* in the table; holds a reference */
    bool child;     /* ours to reap */
    pid_t pid;
    int pidfd;      /* -1: this process */
    int gate;       /* owned: what a suspended child waits at; -1 */
    uint32_t suspended; /* how often: it runs at 0 */
    uint64_t id;    /* never reused */
    _Atomic bool ended;
    _Atomic bool code_known;
    _Atomic uint32_t code;
    _Atomic int64_t killed_with; /* the code that TerminateProcess gave; -1: nobody did */
    int64_t created, exited;     /* 100 ns since 1601; exited: valid with `ended` */
    uint64_t user_us, kernel_us; /* of a child: valid with `ended` */
};

/* The one that stands for this process; never signalled, never freed. Not counted. */
struct process *process_self(void);

static inline struct process *process_from_object(struct object *obj)
{
    return container_of(obj, struct process, object);
}

/* A process object without a process: all that can fail for want of memory. One reference. */
uint32_t process_new(struct process **out);
/* It is this child from now on, whose descriptors it owns. On failure the child was killed. */
uint32_t process_watch_child(struct process *p, const struct child *child);
/* The process with this id, this one, ours or a stranger; held as by a handle until handle_drop.
 * STATUS_INVALID_PARAMETER: there is none. */
uint32_t process_open(pid_t pid, struct process **out);

/* The exit code, STILL_ACTIVE (259) while it runs; STATUS_NOT_SUPPORTED: the kernel does not tell a
 * stranger's, or a child's that somebody else has reaped. */
uint32_t process_exit_code(struct process *p, uint32_t *code);
/* Of a child that was started suspended: how often it is so. The second one to STATUS_NOT_SUPPORTED once it
 * runs, STATUS_SUSPEND_COUNT_EXCEEDED. */
uint32_t process_resume(struct process *p, uint32_t *previous);
uint32_t process_suspend(struct process *p, uint32_t *previous);
/* Is its id still its own? Not for ever: it is asked just before the id is used. */
bool process_is_alive(struct process *p);
/* Kills it. STATUS_ACCESS_DENIED: it has ended, or is not ours to kill. */
uint32_t process_terminate(struct process *p, uint32_t code);

#endif
