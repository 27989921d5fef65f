/* SPDX-License-Identifier: MIT */
/*
 * A descriptor for one other process of the user. Who gives it leaves a copy with its home thread, to be
 * asked for with a token that nobody guesses; who takes it asks there, and gets it once. So neither needs
 * a right over the other, and the giver may close its own at once.
 */
#ifndef IOCP_IO_HANDOVER_H
#define IOCP_IO_HANDOVER_H

#include <stdint.h>

enum { HANDOVER_TOKEN = 16 };

/*
 * Keeps a copy of fd until `process` has taken it or has ended, or for handover_kept_ns. 0 or -errno: -ESRCH,
 * there is no such process; -EMFILE; -EACCES and others, there is no place where it could be asked for.
 */
extern _Atomic uint64_t handover_kept_ns; /* 10 minutes; for tests */
int handover_offer(int fd, uint32_t process, unsigned char token[HANDOVER_TOKEN]);

/*
 * The descriptor, or -errno: -ENOENT, nothing is offered to this process there by that token (any more);
 * -ESRCH, the other is not there, or cannot be found; -ETIMEDOUT, it does not answer.
 */
int handover_take(uint32_t process, const unsigned char token[HANDOVER_TOKEN], uint64_t deadline_ns);

#endif
