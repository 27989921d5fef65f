/* SPDX-License-Identifier: MIT */
/* What is said at a handover: one hello, one answer, which brings the descriptor with it. */
#ifndef IOCP_IO_HANDOVER_WIRE_H
#define IOCP_IO_HANDOVER_WIRE_H

#include "io/handover.h"
#include "io/pipe_dir.h"

#define HANDOVER_HELLO 0x316b6373u /* "sck1" */
#define HANDOVER_ANSWER 0x31416b73u

struct handover_hello {
    uint32_t magic;
    unsigned char token[HANDOVER_TOKEN];
};

struct handover_answer {
    uint32_t magic;
    uint32_t given; /* 1: the descriptor comes along; 0: there is no such offer */
};

/* Where the process can be asked. */
void handover_dir(uint32_t process, char dir[PIPE_DIR_SIZE]);
/* Sends it, with a descriptor unless fd is -1. 0 or -errno. */
int handover_send(int socket, const struct handover_answer *answer, int fd);

#endif
