/* SPDX-License-Identifier: MIT */
/*
 * One synchronous transfer at a time, where two at once would tear each other's data: the file
 * pointer of a disk file, the messages of a pipe. Who has to wait sleeps where CancelSynchronousIo and
 * closing reach it.
 */
#ifndef IOCP_IO_TURN_H
#define IOCP_IO_TURN_H

#include "io/file.h"

#include <stdbool.h>
#include <stdint.h>

/* Guarded by the lock of the file it belongs to. */
struct turn {
    bool busy;
    unsigned waiting;
    int fd; /* eventfd the waiting sleep on; -1 until somebody has to wait */
};

void turn_init(struct turn *turn);
void turn_done(struct turn *turn); /* the file is destroyed */

/* STATUS_SUCCESS: end it with turn_end. STATUS_CANCELLED, STATUS_INVALID_HANDLE (closed). */
uint32_t turn_begin(struct file *f, struct turn *turn);
void turn_end(struct file *f, struct turn *turn);

#endif
