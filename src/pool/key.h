/* SPDX-License-Identifier: MIT */
/*
 * The completion keys of tasks of I/O. Files outlive the tasks they report to, and packets outlive the files:
 * so a key is a number, which no task ever has after another one. A task may have a new one in its place;
 * its keys grow.
 */
#ifndef IOCP_POOL_KEY_H
#define IOCP_POOL_KEY_H

#include <stdint.h>

struct task;

/* A first key for the task, of which the table holds a reference until key_close. NTSTATUS. */
uint32_t key_open(struct task *t, uintptr_t *key);
/* A later key of the task that has this one; 0: it is closed. */
uintptr_t key_next(uintptr_t key);
/* Ends all keys of the task that has this one. Once. */
void key_close(uintptr_t key);

/* The task that has or had the key, counted; NULL: it is closed. */
struct task *key_task(uintptr_t key);

#endif
