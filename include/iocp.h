/* SPDX-License-Identifier: MIT */
/*
 * iocp.h: completion ports, overlapped I/O, events and APCs for new Linux code. It may stand beside
 * <sys/socket.h>, <unistd.h> and friends, in any order: POSIX names keep their POSIX meaning (socket,
 * send, fd_set ... are the C library's), and everything of ours whose name does not clash is there as it
 * is: CreateIoCompletionPort, ReadFile, WSARecv, AcceptEx, ConnectEx ... Names that do clash have
 * the prefix iocp_: iocp_send is what a Windows source calls send.
 *
 * A POSIX descriptor (socket, pipe, file, eventfd) is a handle: cast it, (HANDLE)(intptr_t)fd or
 * (SOCKET)fd, and give it to CreateIoCompletionPort, ReadFile, WriteFile, WSARecv ...; that adopts it.
 * A close(2) of an adopted descriptor is iocp_forget(fd) and then close(fd), or closesocket and
 * CloseHandle alone; what the library has made is closed by these two only. struct sockaddr, AF_*, SO_* and
 * the like are the same on both sides, so addresses can be passed freely; fd_set, timeval, linger, addrinfo
 * and hostent are not.
 *
 * After windows.h with winsock.h in it, or after winsock2.h, it only adds the iocp_ names; POSIX's
 * socket headers cannot be in that file. Compile with -I PREFIX/include/iocp -I PREFIX/include.
 */
#ifndef IOCP_H
#define IOCP_H

#ifndef _WINSOCK2API_
#define IOCP_POSIX_NET 1 /* ws2def.h and its kin leave to POSIX what is POSIX's */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#pragma push_macro("WIN32_LEAN_AND_MEAN")
#pragma push_macro("NOMINMAX")
#undef WIN32_LEAN_AND_MEAN
#undef NOMINMAX
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#pragma pop_macro("WIN32_LEAN_AND_MEAN")
#pragma pop_macro("NOMINMAX")
#define IOCP_EXTENSION_FUNCTIONS 1
#endif

#include <iocp_net.h>
#include <iocp_netname.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------- calls of this library alone ---------- */

/*
 * Gives an adopted descriptor back: the library forgets it and does not close it. Operations pending
 * on it complete with ERROR_OPERATION_ABORTED. 0, or -1: GetLastError says ERROR_INVALID_HANDLE
 * (never adopted, or made by the library: those are closed, not forgotten).
 */
IOCP_API int iocp_forget(int fd);

/* Who serves regular files: "uring" or "epoll" (threads), by IOCP_ENGINE and what the kernel allows;
 * "none" if the engine asked for is refused. A constant string. */
IOCP_API const char *iocp_engine_name(void);

/* The same with the reason, such as "epoll: io_uring_setup is refused: Operation not permitted". One
 * line, valid for ever. With IOCP_VERBOSE in the environment it is printed to stderr when chosen. */
IOCP_API const char *iocp_engine_info(void);

/* Whether the names of events, mutexes and semaphores are shared with the user's other processes, and why
 * not: "shared: /run/user/1000/iocp", "local: asked for by IOCP_NAMES", "refused: ..." (the next call tries
 * again). One line, valid for ever; opens what is needed if nothing has had a name yet. IOCP_NAMES is `auto`
 * (shared where it can be), `shared` (else naming fails) or `local`. */
IOCP_API const char *iocp_names_info(void);

/*
 * What has happened in this process so far. When no operation is pending and no packet is queued:
 * started == completed + refused, and queued == delivered + dropped.
 */
struct iocp_ledger {
    uint64_t started;   /* overlapped operations begun */
    uint64_t completed; /* of those, accepted and completed: well, badly or cancelled */
    uint64_t refused;   /* of those, failed at once: no completion was or will be sent */
    uint64_t posted;    /* PostQueuedCompletionStatus */
    uint64_t queued;    /* packets put into ports, posted ones too, and completion routines queued */
    uint64_t delivered; /* packets taken out of ports, and completion routines run */
    uint64_t dropped;   /* of those queued, abandoned with their port or thread */
};

/* Fills *out (not NULL, the caller's). Exact when nothing is in progress; cheap; cannot fail. */
IOCP_API void iocp_ledger(struct iocp_ledger *out);

/*
 * A thread that finds nothing at `port` looks for up to `microseconds` (at most 10000; 0, the default: not at
 * all) before it goes to sleep. On a single busy connection that saves the time a sleeper takes to wake, and
 * costs a processor; about 25 is a good value. One thread of a port does so at a time, and it gives up
 * for a while when it mostly has to sleep after all. A port that is made takes its value from IOCP_SPIN_US in
 * the environment. FALSE: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (too large).
 */
IOCP_API BOOL iocp_set_spin(HANDLE port, DWORD microseconds);

/* ---------- what is pending, and what is wrong ---------- */

/* An operation in flight: accepted, and its answer not stored yet. */
struct iocp_pending {
    HANDLE handle;          /* of the file, socket ... that it was started on */
    const char *operation;  /* such as "receive"; a constant string */
    OVERLAPPED *overlapped; /* the program's: valid as long as the operation is in flight */
    DWORD size;             /* bytes of its buffers */
    HANDLE port;            /* that the handle belongs to, or NULL */
    ULONG_PTR key;
    DWORD thread;           /* that started it, and how long ago: */
    uint64_t milliseconds;  /* with IOCP_VERIFY in the environment, else both 0 */
};

/*
 * Writes up to `room` of the operations in flight to out (the caller's; NULL if room is 0) and returns how
 * many there are. Others go on meanwhile: those that are in flight throughout the call are found, each
 * once. Not among them: calls that block (iocp_dump counts them), GetAddrInfoEx, and what
 * RIO_MSG_DEFER holds back.
 */
IOCP_API size_t iocp_pending(struct iocp_pending *out, size_t room);

/*
 * Prints to the descriptor fd, as text, the engine, the ledger, the ports (threads released, waiting;
 * packets queued) and the operations in flight. From a debugger: "call iocp_dump(2)". With
 * IOCP_DUMP_SIGNAL=USR2 (USR1, or a number) in the environment the signal prints it to stderr; the library
 * then installs a handler and starts a thread at once (in a forked child, when it has something to wait for).
 */
IOCP_API void iocp_dump(int fd);

/*
 * The verifier. With IOCP_VERIFY=1 in the environment the library says on stderr, with the call stacks of the
 * operation and of the mistake, and then calls abort(), when
 *   - an OVERLAPPED in flight is given to another operation,
 *   - an OVERLAPPED in flight was written to: cleared, freed and used again, or on the stack of a function
 *     that has returned (looked for every 10 ms and at the end of the operation), or its memory is gone,
 *   - memory with an OVERLAPPED or a buffer in flight is freed: under the command iocp-verify, which watches
 *     free and realloc; by iocp_verify_freed; or when the program is built with AddressSanitizer,
 *   - a buffer of registered I/O is deregistered while an operation uses it,
 *   - under iocp-verify, a descriptor that is an open handle is closed with close(2).
 * It stops looking when exit() is called. An operation costs some 10 microseconds more; of thousands in
 * flight each is looked at less often. IOCP_VERIFY=report goes on after it has said so. This counts what was
 * found.
 */
IOCP_API uint64_t iocp_verify_faults(void);

/* For programs with an allocator of their own: `size` bytes at `memory` are about to be given back. */
IOCP_API void iocp_verify_freed(const void *memory, size_t size);

/* ---------- Winsock under names that do not clash; see winsock2.h and ws2tcpip.h ---------- */

IOCP_API SOCKET iocp_socket(int family, int type, int protocol);
IOCP_API int iocp_bind(SOCKET s, const struct sockaddr *address, int length);
IOCP_API int iocp_listen(SOCKET s, int backlog);
IOCP_API SOCKET iocp_accept(SOCKET s, struct sockaddr *address, int *length);
IOCP_API int iocp_connect(SOCKET s, const struct sockaddr *address, int length);
IOCP_API int iocp_shutdown(SOCKET s, int how);
IOCP_API int iocp_getsockname(SOCKET s, struct sockaddr *address, int *length);
IOCP_API int iocp_getpeername(SOCKET s, struct sockaddr *address, int *length);
IOCP_API int iocp_getsockopt(SOCKET s, int level, int option, char *value, int *length);
IOCP_API int iocp_setsockopt(SOCKET s, int level, int option, const char *value, int length);

IOCP_API int iocp_send(SOCKET s, const char *data, int length, int flags);
IOCP_API int iocp_recv(SOCKET s, char *data, int length, int flags);
IOCP_API int iocp_sendto(SOCKET s, const char *data, int length, int flags, const struct sockaddr *to,
                         int to_length);
IOCP_API int iocp_recvfrom(SOCKET s, char *data, int length, int flags, struct sockaddr *from,
                           int *from_length);

/* Sets are iocp_fd_set (IOCP_FD_SETSIZE sockets, 64 unless defined before), time is iocp_timeval. */
IOCP_API int iocp_select(int count, iocp_fd_set *read, iocp_fd_set *write, iocp_fd_set *except,
                         const struct iocp_timeval *timeout);

static inline void IOCP_FD_ZERO(iocp_fd_set *set) { set->fd_count = 0; }

static inline int IOCP_FD_ISSET(SOCKET s, const iocp_fd_set *set)
{
    for (unsigned int i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] == s)
            return 1;
    return 0;
}

static inline void IOCP_FD_SET(SOCKET s, iocp_fd_set *set)
{
    if (!IOCP_FD_ISSET(s, set) && set->fd_count < IOCP_FD_SETSIZE)
        set->fd_array[set->fd_count++] = s;
}

static inline void IOCP_FD_CLR(SOCKET s, iocp_fd_set *set)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < set->fd_count; i++)
        if (set->fd_array[i] != s)
            set->fd_array[kept++] = set->fd_array[i];
    set->fd_count = kept;
}

/* Answers and errors are Windows' (WSA codes), the lists have Windows' shape (struct iocp_addrinfo). */
IOCP_API int iocp_getaddrinfo(const char *node, const char *service, const ADDRINFOA *hints,
                              PADDRINFOA *result);
IOCP_API void iocp_freeaddrinfo(PADDRINFOA list);
IOCP_API int iocp_getnameinfo(const struct sockaddr *address, int length, char *host, DWORD host_size,
                              char *service, DWORD service_size, int flags);
IOCP_API int iocp_gethostname(char *name, int length);
IOCP_API int iocp_inet_pton(int family, const char *text, void *address);
IOCP_API const char *iocp_inet_ntop(int family, const void *address, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
