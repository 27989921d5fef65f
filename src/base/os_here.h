/* SPDX-License-Identifier: MIT */
/*
 * recv, send and the read from the page cache in the caller's own code. The kernel's way through TCP or a
 * file system is so deep that the processor has forgotten where the functions of ours return to: each level
 * between here and the program costs a mispredicted return, and these two none. The same as os_recv, os_send
 * and os_read otherwise.
 */
#ifndef IOCP_BASE_OS_HERE_H
#define IOCP_BASE_OS_HERE_H

#include "base/os.h"
#include "base/sanitizer.h"

#include <errno.h>
#include <sys/syscall.h>

/* For the functions between here and the program. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__x86_64__) && !defined(__ILP32__) && !ADDRESS_SANITIZER && !THREAD_SANITIZER
/* With the last two arguments 0, or flags. -errno. */
static ALWAYS_INLINE long os_call_here(long number, int fd, const void *what, size_t size, long fourth,
                                       long flags)
{
    register long r10 __asm__("r10") = fourth;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = flags;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"((long)fd), "S"(what), "d"(size), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static ALWAYS_INLINE ssize_t os_socket_here(long number, int fd, const void *data, size_t size, int flags)
{
    long n = os_call_here(number, fd, data, size, flags, 0);

    if (__builtin_expect(n >= 0, 1))
        return n;
    errno = (int)-n;
    return -1;
}

static ALWAYS_INLINE ssize_t os_recv_here(int fd, void *data, size_t size, int flags)
{
    return os_socket_here(SYS_recvfrom, fd, data, size, flags);
}

static ALWAYS_INLINE ssize_t os_send_here(int fd, const void *data, size_t size, int flags)
{
    return os_socket_here(SYS_sendto, fd, data, size, flags);
}

static ALWAYS_INLINE int64_t os_read_here(int fd, const struct iovec *iov, unsigned count, uint64_t offset,
                                          int rw_flags)
{
    long n;

    if (__builtin_expect(os_fault != NULL, 0))
        return os_read(fd, iov, count, offset, rw_flags);
    do {
        n = os_call_here(SYS_preadv2, fd, iov, count, (long)offset, rw_flags);
    } while (n == -EINTR);
    return n;
}
#else
#define os_recv_here os_recv
#define os_send_here os_send
#define os_read_here os_read
#endif

#endif
