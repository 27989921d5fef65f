/* SPDX-License-Identifier: MIT */
/*
 * What programs share in which the first, second, third ... call of a kind fails: each call of the library
 * must work or say that it lacks something, and what was accepted is answered, once.
 */
#ifndef FAULT_H
#define FAULT_H

#include <iocp.h>

#include <stdio.h>

static long fail_at; /* this one fails */
static int wrong;

#define EXPECT(COND)                                                                                 \
    do {                                                                                             \
        if (!(COND)) {                                                                               \
            wrong = 1;                                                                               \
            printf("line %d, failure %ld: %s (last error %u)\n", __LINE__, fail_at, #COND,        \
                   (unsigned)GetLastError());                                                        \
        }                                                                                            \
    } while (0)

/* A failure because there is no memory, in whichever spelling the call has. */
static int said_so(void)
{
    switch (GetLastError()) {
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_MAX_THRDS_REACHED:
    case WSAENOBUFS:
        return 1;
    default:
        return 0;
    }
}

/* Accepted means answered: the packet comes, whatever memory does. */
static void expect_packet(HANDLE port, OVERLAPPED *want)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov = NULL;
    BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &ov, 10000);

    EXPECT(ov == want);
    EXPECT(good || GetLastError() == ERROR_OPERATION_ABORTED || said_so());
}

/* Every request has come to one end, every packet to another. */
static void balanced(void)
{
    struct iocp_ledger l;

    iocp_ledger(&l);
    EXPECT(l.started == l.completed + l.refused);
    EXPECT(l.queued == l.delivered + l.dropped);
}

#endif
