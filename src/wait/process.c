/* SPDX-License-Identifier: MIT */
/*
 * Process objects; see process.h. One epoll set of pidfds hangs in the home thread's own. What is watched
 * is in a table and named by a number there, never by a pointer: closing the last handle ends the watch
 * of a stranger, and an event may be on its way. A child is watched to its end whatever becomes of its
 * handles.
 */
#include "wait/process.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "engine/home.h"
#include "minwinbase.h"
#include "ntstatus.h"
#include "wait/objects.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDTYPE_PIDFD 3 /* waitid's P_PIDFD, which older headers lack */

enum { SUSPENSIONS_MAX = 127 };

static struct {
    struct lock lock;
    struct list watched; /* struct process.link */
    uint64_t last_id;
    int epoll_fd;        /* -1: not made yet */
} table = {.lock = LOCK_INIT(LOCK_GLOBAL), .watched = LIST_INIT(table.watched), .epoll_fd = -1};

static struct process self_process = {
    .object = {.type = &process_type, .refs = 1, .handles = 1},
    .dispatcher = {.lock = LOCK_INIT(LOCK_DISPATCHER),
                   .waiters = LIST_INIT(self_process.dispatcher.waiters)},
    .pidfd = -1,
    .gate = -1,
    .killed_with = -1,
};

struct process *process_self(void)
{
    return &self_process;
}

struct object *process_object(void)
{
    return &self_process.object;
}

/* ---- exit codes ---- */

/* Fatal signals as the exceptions that they are on Windows. */
static uint32_t code_of_signal(struct process *p, int number)
{
    int64_t given = atomic_load(&p->killed_with);

    if (number == SIGKILL && given >= 0)
        return (uint32_t)given;
    switch (number) {
    case SIGSEGV:
    case SIGBUS:
        return STATUS_ACCESS_VIOLATION;
    case SIGILL:
        return STATUS_ILLEGAL_INSTRUCTION;
    case SIGFPE:
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    case SIGABRT:
        return 3;
    case SIGKILL:
        return 1;
    default:
        return STATUS_CONTROL_C_EXIT;
    }
}

static void set_code(struct process *p, bool exited, int value)
{
    atomic_store(&p->code, exited ? (uint32_t)value : code_of_signal(p, value));
    atomic_store(&p->code_known, true);
}

/* struct pidfd_info and its call as Linux 6.15 has them, which headers may not know. */
struct exit_info {
    uint64_t mask, cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
#define INFO_EXIT (1u << 3)
#define GET_INFO _IOWR(0xFF, 11, struct exit_info)

/* Of a process that somebody else has reaped. A child of ours that the kernel reaps may not be quite gone
 * when its end is told: that is a matter of microseconds. */
static void ask_for_code(struct process *p)
{
    for (int tries = p->child ? 1000 : 1; tries > 0; tries--) {
        struct exit_info info = {.mask = INFO_EXIT};

        if (ioctl(p->pidfd, GET_INFO, &info) != 0)
            return;
        if (info.mask & INFO_EXIT) {
            bool exited = WIFEXITED(info.exit_code);

            set_code(p, exited, exited ? WEXITSTATUS(info.exit_code) : WTERMSIG(info.exit_code));
            return;
        }
        sched_yield();
    }
}

/* false: it runs still. A stranger, or a child that the program started itself, is looked at only. */
static bool collect(struct process *p)
{
    siginfo_t info = {0};
    struct rusage used = {0};
    int how = WEXITED | WNOHANG | (p->child ? 0 : WNOWAIT);
    long result;

    do
        result = syscall(SYS_waitid, IDTYPE_PIDFD, p->pidfd, &info, how, &used);
    while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0)
        return false;
    p->exited = clock_filetime();
    if (result == 0) {
        set_code(p, info.si_code == CLD_EXITED, info.si_status);
        p->user_us = (uint64_t)used.ru_utime.tv_sec * 1000000 + (uint64_t)used.ru_utime.tv_usec;
        p->kernel_us = (uint64_t)used.ru_stime.tv_sec * 1000000 + (uint64_t)used.ru_stime.tv_usec;
    } else {
        ask_for_code(p);
    }
    return true;
}

uint32_t process_exit_code(struct process *p, uint32_t *code)
{
    if (p == &self_process || !atomic_load(&p->ended)) {
        *code = STILL_ACTIVE;
        return STATUS_SUCCESS;
    }
    if (!atomic_load(&p->code_known))
        ask_for_code(p); /* it may have been reaped since */
    if (!atomic_load(&p->code_known))
        return STATUS_NOT_SUPPORTED;
    *code = atomic_load(&p->code);
    return STATUS_SUCCESS;
}

bool process_is_alive(struct process *p)
{
    if (p == &self_process)
        return true;
    return !atomic_load(&p->ended) &&
           (syscall(SYS_pidfd_send_signal, p->pidfd, 0, NULL, 0) == 0 || errno == EPERM);
}

uint32_t process_terminate(struct process *p, uint32_t code)
{
    int64_t nobody = -1;

    if (atomic_load(&p->ended))
        return STATUS_ACCESS_DENIED;
    atomic_compare_exchange_strong(&p->killed_with, &nobody, code);
    if (syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0) == 0)
        return STATUS_SUCCESS;
    return errno == EPERM || errno == ESRCH ? (uint32_t)STATUS_ACCESS_DENIED : status_from_errno(errno);
}

/* ---- watching ---- */

static struct process *find_locked(uint64_t id, pid_t pid)
{
    lock_assert_held(&table.lock);
    list_for_each(l, &table.watched) {
        struct process *p = container_of(l, struct process, link);

        if (id ? p->id == id : p->pid == pid)
            return p;
    }
    return NULL;
}

/* True for the one who ends the watch: its reference is the caller's now. */
static bool unwatch(struct process *p)
{
    bool mine;

    lock_acquire(&table.lock);
    mine = p->watched;
    if (mine) {
        p->watched = false;
        list_remove(&p->link);
        os_epoll_ctl(table.epoll_fd, EPOLL_CTL_DEL, p->pidfd, NULL);
    }
    lock_release(&table.lock);
    return mine;
}

static void look_at(uint64_t id)
{
    struct process *p;

    lock_acquire(&table.lock);
    p = find_locked(id, 0);
    if (p)
        object_get(&p->object);
    lock_release(&table.lock);
    if (!p)
        return;
    if (collect(p) && unwatch(p)) {
        atomic_store(&p->ended, true);
        dispatcher_set(&p->dispatcher, 1);
        object_put(&p->object);
    }
    object_put(&p->object);
}

/* On the home thread. Until nothing is left: it is told of the set's edges only. */
static void ready(void *ctx)
{
    int fd = (int)(intptr_t)ctx;
    struct epoll_event events[16];
    int n;

    while ((n = epoll_wait(fd, events, 16, 0)) > 0) {
        for (int i = 0; i < n; i++)
            look_at(events[i].data.u64);
    }
}

/* A test may have these fail, as the system would. */
static bool refused(const char *call)
{
    int err = os_refusal(call);

    errno = -err;
    return err != 0;
}

static int start_watching(void)
{
    int err = home_start();

    if (err)
        return err;
    lock_acquire(&table.lock);
    if (table.epoll_fd < 0) {
        int fd = refused("epoll_create1") ? -1 : own_fd(os_epoll_create());

        err = fd < 0 ? -errno : home_add_fd(fd, ready, (void *)(intptr_t)fd);
        if (!err)
            table.epoll_fd = fd;
        else if (fd >= 0)
            own_fd_close(fd); /* the next one tries again */
    }
    lock_release(&table.lock);
    return err;
}

/* Takes a reference for the watch. */
static uint32_t watch(struct process *p)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int err = 0;

    lock_acquire(&table.lock);
    ev.data.u64 = p->id = ++table.last_id;
    if (os_epoll_ctl(table.epoll_fd, EPOLL_CTL_ADD, p->pidfd, &ev) < 0) {
        err = errno;
    } else {
        p->watched = true;
        object_get(&p->object);
        list_push_back(&table.watched, &p->link);
    }
    lock_release(&table.lock);
    return err ? status_from_errno(err) : (uint32_t)STATUS_SUCCESS;
}

/* ---- suspension ---- */

uint32_t process_suspend(struct process *p, uint32_t *previous)
{
    uint32_t status = STATUS_SUCCESS;

    lock_acquire(&table.lock);
    *previous = p->suspended;
    if (p->suspended == 0)
        status = STATUS_NOT_SUPPORTED;
    else if (p->suspended == SUSPENSIONS_MAX)
        status = STATUS_SUSPEND_COUNT_EXCEEDED;
    else
        p->suspended++;
    lock_release(&table.lock);
    return status;
}

uint32_t process_resume(struct process *p, uint32_t *previous)
{
    int gate = -1;

    lock_acquire(&table.lock);
    *previous = p->suspended;
    if (p->suspended > 0 && --p->suspended == 0) {
        gate = p->gate;
        p->gate = -1;
    }
    lock_release(&table.lock);
    if (gate >= 0) {
        child_go(gate);
        own_fd_close(gate);
    }
    return STATUS_SUCCESS;
}

/* ---- life ---- */

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &process_from_object(obj)->dispatcher;
}

static void cleanup(struct object *obj)
{
    struct process *p = process_from_object(obj);

    if (!p->child && p != &self_process && unwatch(p))
        object_put(obj);
}

static void destroy(struct object *obj)
{
    struct process *p = process_from_object(obj);

    if (p == &self_process)
        abort(); /* its own reference is never dropped */
    if (p->pidfd >= 0)
        own_fd_close(p->pidfd);
    if (p->gate >= 0)
        own_fd_close(p->gate);
    free(p);
}

const struct object_type process_type = {
    .name = "process",
    .kind = OBJECT_PROCESS,
    .cleanup = cleanup,
    .destroy = destroy,
    .dispatcher = dispatcher_of,
};

uint32_t process_new(struct process **out)
{
    int err = start_watching();
    struct process *p;

    if (err)
        return status_from_errno(err);
    p = calloc(1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    object_init(&p->object, &process_type);
    dispatcher_init(&p->dispatcher, CONSUME_NOTHING, 0);
    list_init(&p->link);
    p->pidfd = p->gate = -1;
    p->created = clock_filetime();
    atomic_init(&p->killed_with, -1);
    *out = p;
    return STATUS_SUCCESS;
}

uint32_t process_watch_child(struct process *p, const struct child *child)
{
    siginfo_t info = {0};
    uint32_t status;

    p->pid = child->pid;
    p->pidfd = child->pidfd;
    p->gate = child->gate;
    p->suspended = child->gate >= 0;
    p->child = true;
    status = watch(p);
    if (status == STATUS_SUCCESS)
        return status;
    syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
    while (syscall(SYS_waitid, IDTYPE_PIDFD, p->pidfd, &info, WEXITED, NULL) < 0 && errno == EINTR)
        ;
    return status;
}

/* A handle to it is about to be opened: until then it is held as by one, or the end of a stranger's last
 * handle would end the watch. False: that has come already. */
static bool hold(struct process *p)
{
    if (p->child) /* watched to its end */
        atomic_fetch_add(&p->object.handles, 1);
    else if (!object_try_open(&p->object))
        return false;
    object_get(&p->object);
    return true;
}

static struct process *known(pid_t pid)
{
    struct process *p;

    lock_acquire(&table.lock);
    p = pid == getpid() ? &self_process : find_locked(0, pid);
    if (p && !hold(p))
        p = NULL;
    lock_release(&table.lock);
    return p;
}

uint32_t process_open(pid_t pid, struct process **out)
{
    struct process *p = known(pid);
    uint32_t status;

    if (p) {
        *out = p;
        return STATUS_SUCCESS;
    }
    if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
        return STATUS_INVALID_PARAMETER;
    status = process_new(&p);
    if (status != STATUS_SUCCESS)
        return status;
    p->pid = pid;
    p->pidfd = own_fd(os_pidfd_open(pid));
    status = p->pidfd < 0 ? status_from_errno(errno) : watch(p);
    if (status == STATUS_SUCCESS) {
        atomic_fetch_add(&p->object.handles, 1);
        *out = p;
    } else {
        object_put(&p->object);
    }
    return status == status_from_errno(ESRCH) ? (uint32_t)STATUS_INVALID_PARAMETER : status;
}

/* The child of a fork has no children, and watches nobody. */
static void begin_anew(void)
{
    list_for_each(l, &table.watched) { /* suspended ones are to see the end of the true parent */
        struct process *p = container_of(l, struct process, link);

        if (p->gate >= 0)
            own_fd_close(p->gate);
        own_fd_close(p->pidfd);
        p->gate = p->pidfd = -1;
    }
    dispatcher_init(&self_process.dispatcher, CONSUME_NOTHING, 0);
    atomic_store(&self_process.object.refs, 1);
    atomic_store(&self_process.object.handles, 1);
    list_init(&table.watched);
    if (table.epoll_fd >= 0)
        own_fd_close(table.epoll_fd);
    table.epoll_fd = -1;
}

FORK_HOOK(&table.lock, LOCK_GLOBAL, begin_anew);
