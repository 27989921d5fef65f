/* SPDX-License-Identifier: MIT */
/* A cleanup group's side towards its tasks; what the program does with groups is in task.h. */
#ifndef IOCP_POOL_GROUP_H
#define IOCP_POOL_GROUP_H

#include "pool/task.h"

void group_get(struct group *g);
bool group_join(struct group *g, struct task *t); /* false: its members have been retired */
void group_leave(struct group *g, struct task *t);  /* it is being closed; again: nothing */
void group_forget(struct group *g, struct task *t); /* it is closed, and nothing pends or runs: once */

#endif
