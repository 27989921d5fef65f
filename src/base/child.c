/* SPDX-License-Identifier: MIT */
/*
 * Starting programs; see child.h. It is clone(2), because posix_spawn gives no pidfd and clone3, which
 * could, is refused by seccomp profiles. The child borrows this process' memory, where the system lets it
 * (the thread sanitizer does not), and the caller sleeps until it has become the program. One that is
 * suspended gets a copy of the memory instead, closes at once what is not meant for it, and waits at its
 * gate, a socket.
 *
 * From its first to its last instruction the child makes system calls only, by number: functions of the
 * C library may take locks that another thread held, and sanitizers keep books in memory that is not its own.
 */
#include "base/child.h"

#include "base/os.h"
#include "base/own_fd.h"
#include "base/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* It runs in somebody else's memory, on a stack that no sanitizer knows. */
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

/* The thread sanitizer takes any clone for a fork, and the caller for the child from then on. */
#define BORROWED (THREAD_SANITIZER ? 0 : CLONE_VM)

enum { STACK_SIZE = 64 * 1024, SIGNALS = 64, UNSTARTED = 127 };

/* In memory that both have. Once there is a child the parent only reads, and only when that is gone. */
struct launch {
    const struct child_how *how;
    int fd[3];      /* what becomes 0, 1, 2; none of them a number below 3 but its own */
    bool copied[3];
    int gate;       /* the child's end */
    uint64_t unmasked;
    int err;
};

/* ---- in the child ---- */

/* The kernel's own structure, whose first word is the handler; zero means the default. */
struct action {
    uintptr_t word[8];
};

IN_CHILD static void reset_signals(const struct launch *l)
{
    for (int number = 1; number <= SIGNALS; number++) {
        struct action now = {{0}}, then = {{0}};
        bool ignore = number == SIGINT && l->how->no_interrupt;

        syscall(SYS_rt_sigaction, number, NULL, &now, sizeof l->unmasked);
        if (!ignore && now.word[0] <= (uintptr_t)SIG_IGN)
            continue;
        then.word[0] = ignore ? (uintptr_t)SIG_IGN : (uintptr_t)SIG_DFL;
        syscall(SYS_rt_sigaction, number, &then, NULL, sizeof l->unmasked);
    }
}

IN_CHILD static int place_std(const struct launch *l)
{
    for (int i = 0; i < 3; i++) {
        int fd = l->fd[i];

        if (fd == CHILD_NULL) {
            fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
            if (fd < 0)
                return errno;
            if (fd != i && (syscall(SYS_dup3, fd, i, 0) < 0 || syscall(SYS_close, fd) < 0))
                return errno;
        } else if (fd == i) {
            if (syscall(SYS_fcntl, fd, F_SETFD, 0) < 0)
                return errno;
        } else if (fd >= 0 && syscall(SYS_dup3, fd, i, 0) < 0) {
            return errno;
        }
    }
    return 0;
}

IN_CHILD static bool is_listed(int fd, const struct child_how *how)
{
    for (size_t i = 0; i < how->only_count; i++) {
        if (how->only[i] == fd)
            return true;
    }
    return !how->only;
}

IN_CHILD static void close_if(int fd, const struct launch *l)
{
    if (fd > 2 && fd != l->gate &&
        (!l->how->inherit || !is_listed(fd, l->how) || (syscall(SYS_fcntl, fd, F_GETFD) & FD_CLOEXEC)))
        syscall(SYS_close, fd);
}

/* linux_dirent64, which no header has. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* Where /proc is. A directory whose entries disappear is gone through until nothing new does. */
IN_CHILD static bool close_listed(const struct launch *l)
{
    _Alignas(struct entry) char space[2048];
    int dir = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
    long n;

    if (dir < 0)
        return false;
    while ((n = syscall(SYS_getdents64, dir, space, sizeof space)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(space + at);
            int fd = 0;

            for (const char *c = e->name; *c >= '0' && *c <= '9'; c++)
                fd = fd * 10 + (*c - '0');
            if (fd != dir)
                close_if(fd, l);
            at += e->size;
        }
    }
    syscall(SYS_close, dir);
    return n == 0;
}

/* What is not meant for the program. The one that shares our memory has its exec do most of it. */
IN_CHILD static void close_others(const struct launch *l)
{
    struct rlimit limit = {.rlim_cur = 0};
    unsigned gate = (unsigned)l->gate;

    if (l->how->inherit && !l->how->suspended && !l->how->only)
        return;
    if (!l->how->inherit && l->gate < 0 && syscall(SYS_close_range, 3, ~0u, 0) == 0)
        return;
    if (!l->how->inherit && l->gate >= 0 && syscall(SYS_close_range, gate + 1, ~0u, 0) == 0 &&
        (gate == 3 || syscall(SYS_close_range, 3, gate - 1, 0) == 0))
        return;
    if (close_listed(l))
        return;
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (int fd = 3; (rlim_t)fd < limit.rlim_cur && fd < 1 << 20; fd++)
        close_if(fd, l);
}

IN_CHILD static int prepare(const struct launch *l)
{
    int err;

    reset_signals(l);
    if (l->how->new_session && syscall(SYS_setsid) < 0)
        return errno;
    if (l->how->new_group && !l->how->new_session && syscall(SYS_setpgid, 0, 0) < 0)
        return errno;
    err = place_std(l);
    if (err)
        return err;
    close_others(l);
    return l->how->directory && syscall(SYS_chdir, l->how->directory) < 0 ? errno : 0;
}

/* Every signal is blocked still: nothing but its gate, or SIGKILL, ends the wait. */
IN_CHILD static void wait_at_gate(const struct launch *l, int err)
{
    char go = 0;

    if (syscall(SYS_write, l->gate, &err, sizeof err) != sizeof err || err)
        syscall(SYS_exit_group, UNSTARTED);
    if (syscall(SYS_read, l->gate, &go, 1) != 1)
        syscall(SYS_exit_group, 1); /* whoever might have let it go is no more */
}

IN_CHILD static int run(void *arg)
{
    struct launch *l = arg;
    const struct child_how *how = l->how;

    l->err = prepare(l);
    if (how->suspended)
        wait_at_gate(l, l->err);
    if (!l->err) {
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &l->unmasked, NULL, sizeof l->unmasked);
        syscall(SYS_execve, how->path, how->argv, how->envp);
        l->err = errno;
    }
    syscall(SYS_exit_group, UNSTARTED);
    return 0;
}

/* ---- in the parent ---- */

static int above_std(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The child runs already: where there is no room above, its pidfd stays where it is. */
static int keep(int fd)
{
    int moved = fd > 2 ? fd : above_std(fd);

    if (moved < 0)
        return fd;
    if (moved != fd)
        close(fd);
    return own_fd(moved);
}

/* A standard descriptor that becomes another one is copied out of the way first: 1 and 2 may change
 * places. */
static int take_sources(struct launch *l)
{
    int err = 0;

    for (int i = 0; i < 3; i++) {
        l->fd[i] = l->how->std[i];
        if (l->fd[i] < 0 || l->fd[i] > 2 || l->fd[i] == i)
            continue;
        l->fd[i] = above_std(l->fd[i]);
        l->copied[i] = l->fd[i] >= 0;
        if (l->fd[i] < 0 && !err)
            err = -errno;
    }
    return err;
}

static void drop_sources(struct launch *l)
{
    for (int i = 0; i < 3; i++) {
        if (l->copied[i])
            close(l->fd[i]);
    }
}

static int make_gate(struct launch *l, int *ours)
{
    int pair[2], err;

    if (!l->how->suspended)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    err = fd_pair_above_std(pair);
    if (err)
        return err;
    *ours = own_fd(pair[0]);
    l->gate = pair[1];
    return 0;
}

static pid_t clone_apart(struct launch *l, int flags, int *pidfd)
{
    pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, pidfd, NULL, NULL);

    if (pid == 0)
        run(l);
    return pid;
}

static pid_t clone_borrowing(struct launch *l, int flags, int *pidfd)
{
    int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, kind, -1, 0);
    pid_t pid;

    if (stack == MAP_FAILED)
        return -1;
    pid = clone(run, stack + STACK_SIZE, flags, l, pidfd);
    munmap(stack, STACK_SIZE);
    return pid;
}

static int clone_it(struct launch *l, struct child *child)
{
    int flags = CLONE_PIDFD | SIGCHLD | (l->how->suspended ? 0 : BORROWED | CLONE_VFORK);
    int err = os_refusal("clone");
    uint64_t all = ~UINT64_C(0), before;

    if (err)
        return err;
    /* Also those of the C library's own: no handler may run in the child, and nobody cancels us here. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    child->pid = (flags & CLONE_VM ? clone_borrowing : clone_apart)(l, flags, &child->pidfd);
    err = child->pid < 0 ? -errno : 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof all);
    return err;
}

/* What it says of its preparations; one that was killed meanwhile has none, and has ended. */
static int hear(int gate)
{
    int err = 0;
    long n;

    do
        n = syscall(SYS_read, gate, &err, sizeof err);
    while (n < 0 && errno == EINTR);
    return n == sizeof err ? err : 0;
}

static void bury(struct child *child)
{
    siginfo_t info;

    while (syscall(SYS_waitid, P_PIDFD, child->pidfd, &info, WEXITED, NULL) < 0 && errno == EINTR)
        ;
    own_fd_close(child->pidfd);
    child->pidfd = -1;
}

static int start(struct launch *l, struct child *child)
{
    int err = take_sources(l);

    if (!err)
        err = make_gate(l, &child->gate);
    if (!err)
        err = clone_it(l, child);
    if (l->gate >= 0)
        close(l->gate);
    if (!err) {
        child->pidfd = keep(child->pidfd);
        err = -(l->how->suspended ? hear(child->gate) : l->err);
        if (err)
            bury(child);
    }
    drop_sources(l);
    if (err && child->gate >= 0)
        own_fd_close(child->gate);
    return err;
}

int child_start(const struct child_how *how, struct child *child)
{
    struct launch *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int err;

    *child = (struct child){.pid = -1, .pidfd = -1, .gate = -1};
    if (l == MAP_FAILED)
        return -errno;
    l->how = how;
    l->gate = -1;
    err = start(l, child);
    munmap(l, sizeof *l);
    return err;
}

void child_go(int gate)
{
    send(gate, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
