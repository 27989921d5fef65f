/* SPDX-License-Identifier: MIT */
/*
 * Work on regular files, and calls that can only be made by blocking: the contract between io and
 * the engines. Two engines do it: a ring owned by the home thread (uring.c), and a bounded pool of
 * blocking threads (threads.c). IOCP_ENGINE=auto|uring|epoll chooses; engine.c probes and says why.
 * With both, transfers past the page cache may take a shorter way (aio.c).
 *
 *   start(op)   is answered by exactly one op->done(op, result): bytes or -errno, with no lock held,
 *               after the call, on a library thread or one that looks into the poller op->direct.
 *   cancel(op)  only asks. It carries the op's generation, so that a late one cannot hit the next
 *               op at the same address. The answer still comes, once.
 * Short transfers are handed up; -EINTR and -EAGAIN are not, but for -EAGAIN of an op with `direct`: it
 * would have had to wait, and is to be started again without. No ordering, no timeouts in here. An
 * op outlives the thread that started it; its memory and fd belong to the engine until done().
 */
#ifndef IOCP_ENGINE_ENGINE_H
#define IOCP_ENGINE_ENGINE_H

#include "base/list.h"
#include "engine/home.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum op_code {
    OP_READ,  /* preadv2(fd, iov, iov_count, offset, rw_flags) */
    OP_WRITE, /* pwritev2 */
    OP_FSYNC, /* fsync(fd), or fdatasync if rw_flags is 1 */
    OP_CALL,  /* call(op) on a pool thread, whatever the engine: anything that blocks */
};

enum { DIRECT_NEVER = UINT8_MAX };

struct op {
    uint8_t code;
    uint8_t state; /* the engine's own */
    int fd;
    uint32_t rw_flags;
    uint32_t generation; /* set by engine_start */
    uint32_t iov_count;
    const struct iovec *iov; /* borrowed until done */
    struct poller *direct;   /* a read or write past the page cache may go to this poller's queue, to
                              * which aio_attach gave one; pinned until done. NULL: no */
    uint64_t offset;         /* UINT64_MAX: the fd's own position */
    int64_t result;
    union {
        int64_t (*call)(struct op *op); /* OP_CALL: bytes or -errno */
        _Atomic uint8_t *direct_left;   /* with `direct`, until it starts: gets DIRECT_NEVER when the queue */
    };                                  /* refuses for good, so that the next do not ask */
    void (*done)(struct op *op, int64_t result);
    struct list link; /* the engine's own */
};

enum engine_kind { ENGINE_URING, ENGINE_EPOLL };

/*
 * Chooses at first use, from IOCP_ENGINE. 0, or -errno when "uring" was asked for by name and the
 * kernel refuses (-ENOSYS, -EPERM, ...): then nothing works and every start says so loudly.
 */
int engine_init(void);
enum engine_kind engine_kind(void);
const char *engine_info(void); /* one line: what was chosen and why */

int engine_start(struct op *op); /* 0, or -errno: not accepted, no done() will come */
void engine_cancel(struct op *op, uint32_t generation);

#endif
