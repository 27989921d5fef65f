/* SPDX-License-Identifier: MIT */
/*
 * WSADuplicateSocket. The kernel's socket is shared by both processes; what the library knows of it
 * (port, lanes, blocking or not) each has for itself. Where the handover does not work - the other has no
 * place in the file system, or stands still - a process that may trace it fetches the descriptor itself.
 */
#include "io/duplicate.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "ntstatus.h"
#include "winerror.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ANSWER_MS = 2000 };

static bool mark_of(int fd, uint32_t *mark)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    *mark = (uint32_t)st.st_ino;
    return true;
}

uint32_t duplicate_offer(struct file *f, uint32_t process, struct duplicate_source *source)
{
    int err = process == 0 || (int)process < 0 ? -ESRCH : 0;

    *source = (struct duplicate_source){.process = (uint32_t)getpid(),
                                        .overlapped = (f->flags & FILE_OVERLAPPED) != 0,
                                        .fd = f->fd};
    if (!mark_of(f->fd, &source->mark))
        return status_from_wsa(WSAENOTSOCK);
    if (!err && process != source->process) {
        err = handover_offer(f->fd, process, source->token);
        source->offered = err == 0;
    }
    if (err == -ESRCH)
        return status_from_wsa(WSAEINVAL);
    if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
        return status_from_errno_socket(err);
    return STATUS_SUCCESS;
}

/* ---- here ---- */

static uint32_t another_number(struct file *f, uint32_t mark, uintptr_t *h)
{
    uint32_t found;
    int fd;

    if (!mark_of(f->fd, &found) || found != mark)
        return status_from_wsa(WSAEINVAL);
    fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return status_from_errno_socket(errno);
    return file_duplicate(f, fd, f->access, 0, h);
}

static uint32_t take_here(const struct duplicate_source *source, uintptr_t *h)
{
    struct file *f;
    uint32_t status = sock_from_handle((uintptr_t)source->fd, false, &f);

    if (status != STATUS_SUCCESS)
        return status_from_wsa(WSAEINVAL);
    status = another_number(f, source->mark, h);
    file_put(f);
    return status == STATUS_INVALID_HANDLE ? status_from_wsa(WSAEINVAL) : status; /* being closed */
}

/* ---- from another process ---- */

static int trace(const struct duplicate_source *source)
{
    int process = os_pidfd_open((pid_t)source->process);
    int fd, err;

    if (process < 0)
        return -errno;
    fd = (int)syscall(SYS_pidfd_getfd, process, source->fd, 0); /* close-on-exec already */
    err = errno;
    close(process);
    return fd < 0 ? -err : fd_above_std(fd);
}

/* What the other says holds; that it says nothing leads to another try, and its result only if that works. */
static int fetch(const struct duplicate_source *source)
{
    int fd, traced;

    if (!source->offered)
        return trace(source);
    fd = handover_take(source->process, source->token, deadline_from_ms(ANSWER_MS));
    if (fd >= 0 || fd == -ENOENT || fd == -EMFILE)
        return fd;
    traced = trace(source);
    return traced >= 0 ? traced : fd;
}

static uint32_t take_there(const struct duplicate_source *source, uintptr_t *h)
{
    uint32_t flags = source->overlapped ? FILE_OVERLAPPED : 0;
    uint32_t mark, status;
    struct file *f;
    int fd = fetch(source);
    int modes;

    if (fd == -ESRCH || fd == -EBADF || fd == -ENOENT)
        return status_from_wsa(WSAEINVAL);
    if (fd < 0)
        return status_from_errno_socket(fd);
    if (!mark_of(fd, &mark) || mark != source->mark) {
        close(fd);
        return status_from_wsa(WSAEINVAL);
    }
    modes = fcntl(fd, F_GETFL); /* shared with the other process, like the socket itself */
    flags |= modes & O_NONBLOCK ? FILE_NONBLOCK_FD : FILE_ADOPTED;
    status = file_adopt_socket(fd, flags, &f);
    if (status != STATUS_SUCCESS) {
        close(fd);
        return status;
    }
    if (flags & FILE_ADOPTED)
        status = file_identify(f);
    if (status != STATUS_SUCCESS) {
        file_put(f);
        return status;
    }
    atomic_store(&sock_of(f)->nonblocking, false);
    return file_publish(f, 0, h);
}

uint32_t duplicate_take(const struct duplicate_source *source, uintptr_t *h)
{
    return source->process == (uint32_t)getpid() ? take_here(source, h) : take_there(source, h);
}
