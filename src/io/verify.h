/* SPDX-License-Identifier: MIT */
/*
 * The verifier: IOCP_VERIFY=1 in the environment (iocp.h says what it finds). Every operation in flight
 * stands in a table, with what its OVERLAPPED must look like and who began it. Off, it costs one load
 * at the begin of an operation and one at its end.
 */
#ifndef IOCP_IO_VERIFY_H
#define IOCP_IO_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

enum verify_mode { VERIFY_OFF, VERIFY_REPORT, VERIFY_ABORT };
extern _Atomic uint8_t verify_mode; /* enum; constant from the library's start until exit */

static inline bool verify_is_on(void)
{
    return __builtin_expect(atomic_load_explicit(&verify_mode, memory_order_relaxed) != VERIFY_OFF, 0);
}

void verify_begin_checked(struct request *r);
void verify_end_checked(struct request *r);

/* The OVERLAPPED has just become the library's. No lock held. */
static inline void verify_begin(struct request *r)
{
    if (verify_is_on())
        verify_begin_checked(r);
}

/* It is about to become the program's again. No lock held. */
static inline void verify_end(struct request *r)
{
    if (verify_is_on())
        verify_end_checked(r);
}

/* The program gives this memory back: whose operation is still in flight there? Any lock may be held. */
void verify_freed(const void *memory, size_t size);

/* The program gives this number back by close(2), or the library does. Any lock may be held. */
void verify_closed(int fd);

/* The program deregisters a buffer of registered I/O that so many operations still use. No lock held. */
void verify_deregistered(uintptr_t id, uint32_t uses);

/* When the operation that r is began (clock_now_ns), and on which thread. false: the table has none. */
bool verify_since(const struct request *r, uint64_t *began_ns, uint32_t *tid);

uint64_t verify_faults(void);

#endif
