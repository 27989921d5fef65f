/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the file path, once each: EINTR is retried here, failures come back as
 * -errno, and a test may make any of them fail. What a result means is decided by the caller.
 */
#ifndef IOCP_BASE_OS_H
#define IOCP_BASE_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The fd's own position, as an offset. */
#define OS_CURRENT UINT64_MAX

/*
 * For tests: asked before each call, by name ("preadv2", "openat" ...); a result other than 0 is
 * the -errno that the call gives without being made ("slab", which is no system call: no memory).
 * NULL in production.
 */
extern int (*os_fault)(const char *call);

/* What a test says about something that is no call of this file: 0, or the -errno it is to fail with. */
int os_refusal(const char *what);
/* What the kernel has answered, unless os_fault knows another answer. */
int64_t os_answer(const char *what, int64_t result);

int64_t os_read(int fd, const struct iovec *iov, unsigned count, uint64_t offset, int rw_flags);
int64_t os_write(int fd, const struct iovec *iov, unsigned count, uint64_t offset, int rw_flags);
int os_sync(int fd, int data_only);
int os_open(const char *path, int flags, mode_t mode);
int os_truncate(int fd, uint64_t size);

/* Would reading some of it wait for a disk? false also where the kernel does not tell. */
bool os_read_waits(int fd, uint64_t offset, uint64_t size);

/*
 * unlink, but a device stays: errno is EACCES. To a Windows program NUL is no file that could be
 * deleted or moved away, and here it would be /dev/null, for the whole machine if root asks.
 */
int os_unlink(const char *path);
bool os_is_device(const char *path);
/* The name that what is behind fd has now; false if it has none any more, or the kernel does not tell. */
bool os_name_of(int fd, char *name, size_t size);

/*
 * recv, send, recvmsg, epoll_wait: as the C library's, errno and all, EINTR included, but no cancellation
 * points: the library's own calls may not end a thread (pthread_cancel) in the middle of its work,
 * and the two locked instructions that the C library spends on it are a good part of a short call. What has
 * more in it than these is done with cancellation held off.
 */
struct epoll_event;
ssize_t os_recv(int fd, void *data, size_t size, int flags);
ssize_t os_send(int fd, const void *data, size_t size, int flags);
struct msghdr;
ssize_t os_recvmsg(int fd, struct msghdr *m, int flags);
void os_ring(int event_fd); /* an eventfd that does not block counts one more */
int os_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms);
/* Not by the C library's names, which sources for Windows take for an epoll of their own (wepoll). */
int os_epoll_create(void);
int os_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event);

/* Between the two no call is a cancellation point. The result of the first goes to the second. */
static inline int os_cancel_off(void)
{
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void os_cancel_back(int before)
{
    pthread_setcancelstate(before, NULL);
}

/*
 * dup3 onto a number that other threads may be using at this moment, which is what it is for: they meet
 * the old file or the new one. By number of the call, since the thread sanitizer's own dup3 frees what its
 * recv and read then still look at, and crashes. 0 or -errno.
 */
int os_dup_onto(int fd, int number, int flags);

/* As a system call, close-on-exec: negative with errno. */
int os_pidfd_open(pid_t pid);

/* A directory's changes: a descriptor, non-blocking; the number of a watch on what fd means. */
int os_inotify_new(void);
int os_inotify_add(int notify_fd, int fd, uint32_t mask);

/* Copies to where the program said; false: there is no such memory, or it may not be written. */
bool os_copy_out(void *to, const void *from, size_t size);

/* Sleeps until poll(2) reports one of `events` on fd, or an error. */
void os_wait_ready(int fd, short events);

/*
 * io_setup, io_destroy, io_submit of one block, which the C library has no calls for. 0 or -errno;
 * *context is 0 on entry.
 */
struct iocb;
int os_aio_setup(unsigned size, unsigned long *context);
int os_aio_destroy(unsigned long context);
int os_aio_submit(unsigned long context, struct iocb *block);

/*
 * Does a thread of this process sleep, for whatever reason, at this moment? false also where the
 * kernel does not tell (no /proc), and for one that waits for a processor.
 */
bool os_thread_sleeps(uint32_t tid);

/* What the calling thread has used of a processor, ns; and how often it has gone to sleep. */
uint64_t os_time_run(void);
uint64_t os_sleeps_counted(void);

/* A detached thread of the library: every signal blocked but the synchronous ones. 0 or -errno. */
int os_thread(void *(*fn)(void *), void *arg);
int os_thread_with_stack(void *(*fn)(void *), void *arg, size_t stack_size); /* 0: as usual */

#endif
