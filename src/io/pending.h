/* SPDX-License-Identifier: MIT */
/* What is going on: the operations in flight and the ports, as they are found one after another. For
 * people who look; nothing in the library depends on it. */
#ifndef IOCP_IO_PENDING_H
#define IOCP_IO_PENDING_H

#include "io/request.h"

struct pending_operation {
    const char *name;    /* a constant string */
    OVERLAPPED *ov;      /* the program's; of a native call its IO_STATUS_BLOCK */
    uint32_t size;       /* bytes of its buffers */
    int fd;              /* the file's first number */
    uintptr_t port;      /* a handle of the file's port; 0: no port, or its handle is closed */
    uintptr_t key;
    bool cancelled;      /* it is asked to come back */
    uint64_t began_ns;   /* with the verifier on, else 0 */
    uint32_t tid;
};

struct pending_file {
    int fd;
    const char *kind;    /* a constant string */
    uint32_t operations;
    uint32_t blocked;    /* threads in synchronous calls on it */
};

struct pending_port {
    uintptr_t handle;
    uint32_t active_max; /* the concurrency value */
    uint32_t active;     /* released threads */
    uint32_t taken;      /* threads that block outside the library */
    uint32_t waiters;
    uint32_t members;    /* threads that belong to it */
    uint32_t packets;    /* queued */
    uint32_t ready;      /* files with readiness that nobody has looked into yet */
    uint32_t files;      /* handles associated with it */
};

struct pending_snapshot {
    struct pending_operation *operations;
    struct pending_file *files;
    struct pending_port *ports;
    size_t operation_count, file_count, port_count; /* what is there; a failed allocation leaves some out */
    bool incomplete; /* there was not memory for all */
};

void pending_take(struct pending_snapshot *out);
void pending_free(struct pending_snapshot *s);

#endif
