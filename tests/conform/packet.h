/* SPDX-License-Identifier: MIT */
/*
 * What the tests of ports, results and cancelling share: one dequeue with everything it left behind, checks
 * of packets with exact values. After conform.h.
 */
#ifndef PACKET_H
#define PACKET_H

/* What is in the variables and in the last error before a dequeue. */
#define OLD_BYTES 0xB17E5u
#define OLD_KEY ((ULONG_PTR)0x01DCE1)
#define OLD_ERROR 0x5E17u

/* No packet comes without this, and "no packet" must be seen this long. */
#define SOON (conform_wine ? 5000 : 20000)
#define A_WHILE 100

/* A counter or flag that another thread writes. */
#define READ(COUNTER) InterlockedExchangeAdd(&(COUNTER), 0)

struct got {
    BOOL ok;
    DWORD bytes, error;
    ULONG_PTR key;
    OVERLAPPED *ov;
};

static inline struct got get_packet(HANDLE port, DWORD ms)
{
    struct got g = {FALSE, OLD_BYTES, 0, OLD_KEY, (OVERLAPPED *)0x0BAD0};
    SetLastError(OLD_ERROR);
    g.ok = GetQueuedCompletionStatus(port, &g.bytes, &g.key, &g.ov, ms);
    g.error = GetLastError();
    return g;
}

/* Error 0: a packet of success, which leaves the last error alone. */
static inline int check_got(const char *file, int line, struct got g, DWORD error, DWORD bytes,
                            ULONG_PTR key, OVERLAPPED *ov)
{
    if (g.ok == (error == 0) && g.error == (error ? error : OLD_ERROR) && g.bytes == bytes && g.key == key &&
        g.ov == ov)
        return 1;
    return conform_fail(file, line,
                        "got %s, error %u, %u bytes, key 0x%llx, OV %p; "
                        "expected error %u, %u bytes, key 0x%llx, OV %p",
                        g.ok ? "TRUE" : "FALSE", (unsigned)g.error, (unsigned)g.bytes,
                        (unsigned long long)g.key, (void *)g.ov, (unsigned)error, (unsigned)bytes,
                        (unsigned long long)key, (void *)ov);
}

/* The next packet, which must come soon, is that of an operation that failed with ERROR. */
#define CHECK_FAILED_PACKET(PORT, ERROR, BYTES, KEY, OV)                                             \
    conform_pass(check_got(__FILE__, __LINE__, get_packet((PORT), SOON), (ERROR), (BYTES),           \
                           (ULONG_PTR)(KEY), (OV)))
/* The same for one that succeeded, or that was posted. */
#define CHECK_PACKET(PORT, BYTES, KEY, OV) CHECK_FAILED_PACKET(PORT, 0, BYTES, KEY, OV)
/* There is none for MS milliseconds: a time-out, which leaves count and key alone and OV NULL. */
#define CHECK_NO_PACKET(PORT, MS)                                                                    \
    conform_pass(check_got(__FILE__, __LINE__, get_packet((PORT), (MS)), WAIT_TIMEOUT, OLD_BYTES,    \
                           OLD_KEY, NULL))

static inline HANDLE new_port(DWORD concurrency)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, concurrency);
    if (!port)
        FAIL("cannot make a port");
    return port;
}

static inline int bind_port(HANDLE port, SOCKET s, ULONG_PTR key)
{
    return CHECK(CreateIoCompletionPort((HANDLE)s, port, key, 0) == port);
}

static inline void close_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* Closes with a reset: the peer sees an error, not the end. */
static inline void reset_socket(SOCKET s)
{
    struct linger now = {1, 0};
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&now, sizeof now), 0);
    CHECK_EQ(closesocket(s), 0);
}

/* Is the object signalled? An auto-reset event is reset by the question. */
static inline int is_set(HANDLE object) { return WaitForSingleObject(object, 0) == WAIT_OBJECT_0; }

#endif
