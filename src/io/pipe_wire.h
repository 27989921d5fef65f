/* SPDX-License-Identifier: MIT */
/*
 * What is said on a connection to a pipe's name before it carries data: one hello, one answer, and for
 * FREE a second answer when an instance is free. Both ends are the same user's, on the same machine, but
 * may be other builds of the library: a hello of another version is refused. To OPEN the answer brings
 * the descriptor of the server's board (pipe_board.h) with it.
 */
#ifndef IOCP_IO_PIPE_WIRE_H
#define IOCP_IO_PIPE_WIRE_H

#include "io/pipe.h"

#include <stdint.h>

#define PIPE_HELLO 0x32706970u  /* "pip2" */
#define PIPE_ANSWER 0x32414970u

enum pipe_want { PIPE_WANT_OPEN = 1, PIPE_WANT_FREE = 2, PIPE_WANT_SHAPE = 3 };
enum { PIPE_TEXT_MAX = 1024 };

struct pipe_hello {
    uint32_t magic;
    uint32_t want;      /* enum pipe_want */
    uint32_t rights;    /* enum pipe_direction: data will go this way */
    uint32_t text_size; /* the folded name follows, without terminator */
};

/* AGAIN: there are too many at the desk; who was to wait, or was not heard, is to come again. */
enum pipe_verdict { PIPE_YES, PIPE_NOT_NOW, PIPE_DENIED, PIPE_UNKNOWN, PIPE_AGAIN };

struct pipe_answer {
    uint32_t magic;
    uint32_t verdict; /* enum pipe_verdict */
    uint32_t slot, generation;
    uint32_t count;   /* instances in this process */
    struct pipe_shape shape;
};

/* What the processes have together whose sockets are there, but for the file `except`. */
struct pipe_others {
    const char *except; /* in; may be NULL */
    bool clear;         /* in: dead sockets are to be removed */
    struct pipe_shape shape;
    uint32_t count;
    bool silent;        /* one did not answer: what it has is not known */
};
void pipe_survey(const char *text, struct pipe_others *others);

/* Sends it, with a descriptor unless fd is -1. 0 or -errno. */
int pipe_answer_send(int socket, const struct pipe_answer *answer, int fd);

#endif
