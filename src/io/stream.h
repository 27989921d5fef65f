/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are read and written in order: pipes, FIFOs, terminals, devices, eventfds and
 * the like. The program may share them with others, so O_NONBLOCK is never set on them: attempts
 * use RWF_NOWAIT, and where that is refused poll(2) says whether a call may be made.
 */
#ifndef IOCP_IO_STREAM_H
#define IOCP_IO_STREAM_H

#include "io/file.h"

extern const struct file_ops stream_ops;

/* Both ends of a new pipe, close-on-exec; size 0: the kernel's default. */
uint32_t stream_pipe(uint32_t size, struct file **read_end, struct file **write_end);
uint32_t stream_pipe_size(const struct file *f);

/* PeekNamedPipe on a pipe(2): how many bytes were copied, how many there are. */
uint32_t stream_peek(struct file *f, void *data, uint32_t size, uint32_t *read, uint32_t *total);
/* PIPE_NOWAIT or nothing: an anonymous pipe has no messages. */
uint32_t stream_set_nowait(struct file *f, uint32_t mode);

#endif
