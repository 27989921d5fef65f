/* SPDX-License-Identifier: MIT */
/* What pipe.c lends to pipe_call.c: the gate of a session, steps of transfers, calls that are waited for. */
#ifndef IOCP_IO_PIPE_FILE_H
#define IOCP_IO_PIPE_FILE_H

#include "io/pipe.h"

/* May data flow that was asked for since the last disconnection? STATUS_PIPE_LISTENING or _DISCONNECTED. The
 * lock is held. */
uint32_t pipe_gate(const struct pipe *p, uint32_t session);
uint32_t pipe_session(struct pipe *p);
bool pipe_is_nowait(const struct file *f);

/* Parts of request_ops for transfers. */
uint32_t pipe_read_attempt(struct request *r);
uint32_t pipe_write_attempt(struct request *r);
void pipe_finish_read(struct request *r, uint32_t status);
void pipe_finish_write(struct request *r, uint32_t status);
void pipe_finish_other(struct request *r, uint32_t status);

/* Into its lane, unless the state refuses it. */
uint32_t pipe_start(struct request *r, enum lane_direction dir, const struct request_ops *ops);

/* A blocking transfer of a synchronous file. */
struct pipe_sync {
    struct pipe_transfer t;
    uint32_t session;
};
uint32_t pipe_transfer_in_turn(struct file *f, struct pipe_sync *s, bool write);

/*
 * A request whose caller waits for it, where a packet must not follow: begin, start c->r, end with what
 * the start said.
 */
struct pipe_call {
    OVERLAPPED ov;
    struct object *event;
    struct request *r;
    int fd;
};
uint32_t pipe_call_begin(struct pipe_call *c, struct file *f);
uint32_t pipe_call_end(struct pipe_call *c, struct file *f, uint32_t status, uint32_t *bytes);

#endif
