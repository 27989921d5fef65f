/* SPDX-License-Identifier: MIT */
/*
 * System calls of the file path; see os.h.
 */
#include "base/os.h"

#include "base/own_fd.h"
#include "base/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A sanitizer looks at what the C library is asked to read and write. */
#define OS_WATCHED (ADDRESS_SANITIZER || THREAD_SANITIZER)

/* No cancellation points: see os_recv. An offset fills one argument where `long` has 64 bits. */
#if OS_WATCHED
#define READV preadv2
#define WRITEV pwritev2
#else
#define READV(fd, iov, count, offset, flags) syscall(SYS_preadv2, fd, iov, count, offset, 0, flags)
#define WRITEV(fd, iov, count, offset, flags) syscall(SYS_pwritev2, fd, iov, count, offset, 0, flags)
#endif

int (*os_fault)(const char *call);

static int fault(const char *call)
{
    return __builtin_expect(os_fault != NULL, 0) ? os_fault(call) : 0;
}

int os_refusal(const char *what)
{
    return fault(what);
}

int64_t os_answer(const char *what, int64_t result)
{
    int other = fault(what);

    return other ? other : result;
}

int64_t os_read(int fd, const struct iovec *iov, unsigned count, uint64_t offset, int rw_flags)
{
    ssize_t n = fault("preadv2");

    if (n < 0)
        return n;
    do {
        n = READV(fd, iov, (int)count, (off_t)offset, rw_flags);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t os_write(int fd, const struct iovec *iov, unsigned count, uint64_t offset, int rw_flags)
{
    ssize_t n = fault("pwritev2");

    if (n < 0)
        return n;
    do {
        n = WRITEV(fd, iov, (int)count, (off_t)offset, rw_flags);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

#ifndef SYS_cachestat /* Linux 6.5; the same number everywhere */
#define SYS_cachestat 451
#endif

/* How many pages of the range are in the cache, some of them perhaps still being read; -errno. */
static int64_t cached_pages(int fd, uint64_t offset, uint64_t size)
{
    struct {
        uint64_t offset, size;
    } range = {offset, size};
    struct {
        uint64_t cached, dirty, written_back, evicted, recently_evicted;
    } stat = {0};
    int err = fault("cachestat");

    if (err < 0)
        return err;
    return syscall(SYS_cachestat, fd, &range, &stat, 0) < 0 ? -errno : (int64_t)stat.cached;
}

bool os_read_waits(int fd, uint64_t offset, uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), last = offset + size - 1;
    int64_t cached = cached_pages(fd, offset, size);
    char byte;
    struct iovec v = {&byte, 1};

    if (cached >= 0 && (uint64_t)cached < last / page - offset / page + 1)
        return true;
    /* The rest is there, if the ends are: reads come in order. */
    return os_read(fd, &v, 1, offset, RWF_NOWAIT) == -EAGAIN ||
           os_read(fd, &v, 1, last, RWF_NOWAIT) == -EAGAIN;
}

int os_sync(int fd, int data_only)
{
    int err = fault("fsync");

    if (err < 0)
        return err;
    do {
        err = data_only ? fdatasync(fd) : fsync(fd);
    } while (err < 0 && errno == EINTR);
    return err < 0 ? -errno : 0;
}

int os_open(const char *path, int flags, mode_t mode)
{
    int fd = fault("openat");

    if (fd < 0)
        return fd;
    do {
        fd = openat(AT_FDCWD, path, flags, mode);
    } while (fd < 0 && errno == EINTR);
    return fd_above_std(fd);
}

int os_truncate(int fd, uint64_t size)
{
    int err = fault("ftruncate");

    if (err < 0)
        return err;
    do {
        err = ftruncate(fd, (off_t)size);
    } while (err < 0 && errno == EINTR);
    return err < 0 ? -errno : 0;
}

bool os_is_device(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

int os_unlink(const char *path)
{
    if (os_is_device(path)) {
        errno = EACCES;
        return -1;
    }
    return unlink(path);
}

#if OS_WATCHED

ssize_t os_recv(int fd, void *data, size_t size, int flags)
{
    return recv(fd, data, size, flags);
}

ssize_t os_send(int fd, const void *data, size_t size, int flags)
{
    return send(fd, data, size, flags);
}

ssize_t os_recvmsg(int fd, struct msghdr *m, int flags)
{
    return recvmsg(fd, m, flags);
}

void os_ring(int event_fd)
{
    eventfd_write(event_fd, 1);
}

int os_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    return epoll_wait(epoll_fd, events, max, timeout_ms);
}

int os_epoll_create(void)
{
    return fd_above_std(epoll_create1(EPOLL_CLOEXEC));
}

static int epoll_ctl_now(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    return epoll_ctl(epoll_fd, op, fd, event);
}

#else

ssize_t os_recv(int fd, void *data, size_t size, int flags)
{
    return syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

ssize_t os_send(int fd, const void *data, size_t size, int flags)
{
    return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t os_recvmsg(int fd, struct msghdr *m, int flags)
{
    return syscall(SYS_recvmsg, fd, m, flags);
}

void os_ring(int event_fd)
{
    const uint64_t one = 1;

    syscall(SYS_write, event_fd, &one, sizeof one);
}

int os_epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    return (int)syscall(SYS_epoll_pwait, epoll_fd, events, max, timeout_ms, NULL, 8);
}

int os_epoll_create(void)
{
    return fd_above_std((int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC));
}

static int epoll_ctl_now(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, epoll_fd, op, fd, event);
}

#endif

/* Only what enters may find no memory, or a full quota: then it says ENOMEM, whichever it was. */
int os_epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    int err = op == EPOLL_CTL_ADD ? fault("epoll_ctl") : 0;

    if (err) {
        errno = -err;
        err = -1;
    } else {
        err = epoll_ctl_now(epoll_fd, op, fd, event);
    }
    if (err < 0 && errno == ENOSPC)
        errno = ENOMEM;
    return err;
}

bool os_name_of(int fd, char *name, size_t size)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, name, size - 1);
    if (n <= 0 || name[0] != '/')
        return false;
    name[n] = 0;
    return true;
}

int os_dup_onto(int fd, int number, int flags)
{
    return syscall(SYS_dup3, fd, number, flags) < 0 ? -errno : 0;
}

int os_pidfd_open(pid_t pid)
{
    int err = fault("pidfd_open");

    if (err) {
        errno = -err;
        return -1;
    }
    return fd_above_std((int)syscall(SYS_pidfd_open, pid, 0));
}

int os_inotify_new(void)
{
    int fd = fault("inotify_init1");

    if (fd < 0)
        return fd;
    return fd_above_std(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

int os_inotify_add(int notify_fd, int fd, uint32_t mask)
{
    char path[48];
    int wd = fault("inotify_add_watch");

    if (wd < 0)
        return wd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    wd = inotify_add_watch(notify_fd, path, mask);
    return wd < 0 ? -errno : wd;
}

bool os_copy_out(void *to, const void *from, size_t size)
{
    struct iovec source = {(void *)(uintptr_t)from, size};
    struct iovec target = {to, size};
    ssize_t n;

    if (size == 0)
        return true;
    n = process_vm_writev(getpid(), &source, 1, &target, 1, 0);
    if (n < 0 && errno != EFAULT) { /* filtered: then it has to be believed */
        memcpy(to, from, size);
        return true;
    }
    return n == (ssize_t)size;
}

void os_wait_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
}

static int aio_call(const char *name, long number, unsigned long first, unsigned long second, void *third)
{
    int err = fault(name);
    long n;

    if (err < 0)
        return err;
    n = syscall(number, first, second, third);
    return n < 0 ? -errno : (int)n;
}

int os_aio_setup(unsigned size, unsigned long *context)
{
    return aio_call("io_setup", SYS_io_setup, size, (unsigned long)context, NULL);
}

int os_aio_destroy(unsigned long context)
{
    return aio_call("io_destroy", SYS_io_destroy, context, 0, NULL);
}

int os_aio_submit(unsigned long context, struct iocb *block)
{
    int n = aio_call("io_submit", SYS_io_submit, context, 1, &block);

    if (n == 0)
        return -EAGAIN;
    return n < 0 ? n : 0;
}

bool os_thread_sleeps(uint32_t tid)
{
    char path[48];
    char text[128]; /* "number (name of at most 15 bytes) state ..." and a few numbers more */
    const char *state;
    ssize_t n;
    int fd = fault("thread state");

    if (fd < 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/task/%u/stat", tid);
    fd = own_fd(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text);
    own_fd_close(fd);
    state = n > 0 ? memrchr(text, ')', (size_t)n) : NULL;
    if (!state || state + 2 >= text + n)
        return false;
    return state[2] == 'S' || state[2] == 'D';
}

uint64_t os_time_run(void)
{
    struct timespec ts = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t os_sleeps_counted(void)
{
    struct rusage used = {0};

    getrusage(RUSAGE_THREAD, &used);
    return (uint64_t)used.ru_nvcsw;
}

/* What the program sends to its process is for its own threads; what a fault raises cannot wait. */
static void signals_to_block(sigset_t *set)
{
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

    sigfillset(set);
    for (size_t i = 0; i < sizeof synchronous / sizeof synchronous[0]; i++)
        sigdelset(set, synchronous[i]);
}

int os_thread(void *(*fn)(void *), void *arg)
{
    return os_thread_with_stack(fn, arg, 0);
}

int os_thread_with_stack(void *(*fn)(void *), void *arg, size_t stack_size)
{
    sigset_t blocked, before;
    pthread_attr_t attr;
    pthread_t thread;
    int err = fault("pthread_create");

    if (err < 0)
        return err;
    signals_to_block(&blocked);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_size > 0)
        pthread_attr_setstacksize(&attr, stack_size < 65536 ? 65536 : (stack_size + 4095) & ~(size_t)4095);
    pthread_sigmask(SIG_SETMASK, &blocked, &before); /* inherited by the new thread */
    err = pthread_create(&thread, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return -err;
}
