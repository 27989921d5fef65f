/* SPDX-License-Identifier: MIT */
/*
 * Opening by Windows' rules: what is there is looked at first, then the descriptor is made, the
 * share modes are asked, and only then is anything truncated. Rights are kept on the handle and
 * checked there, so a file opened for writing has a descriptor that can read too where the owner
 * allows it: the locks behind share modes need that.
 */
#include "io/disk.h"

#include "base/os.h"
#include "base/status.h"
#include "engine/engine.h"
#include "io/request.h"
#include "io/serial.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 10, LOOKS = 100 };

#define READ_RIGHTS (FILE_READ_DATA | FILE_EXECUTE)
#define WRITE_RIGHTS (FILE_WRITE_DATA | FILE_APPEND_DATA)

uint32_t disk_access_specific(uint32_t access)
{
    uint32_t specific = access & ~(uint32_t)(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE |
                                             GENERIC_ALL | MAXIMUM_ALLOWED);

    if (access & GENERIC_READ)
        specific |= FILE_GENERIC_READ;
    if (access & GENERIC_WRITE)
        specific |= FILE_GENERIC_WRITE;
    if (access & GENERIC_EXECUTE)
        specific |= FILE_GENERIC_EXECUTE;
    if (access & (GENERIC_ALL | MAXIMUM_ALLOWED))
        specific |= FILE_ALL_ACCESS;
    return specific;
}

uint32_t disk_missing(const char *path)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    struct stat st;
    size_t length;

    if (!slash || slash == path)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    length = (size_t)(slash - path);
    if (length >= sizeof parent)
        return STATUS_NAME_TOO_LONG;
    memcpy(parent, path, length);
    parent[length] = 0;
    if (stat(parent, &st) < 0 || !S_ISDIR(st.st_mode))
        return STATUS_OBJECT_PATH_NOT_FOUND;
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

uint32_t disk_path_status(int err, const char *path)
{
    if (err < 0)
        err = -err;
    return err == ENOENT ? disk_missing(path) : status_from_errno(err);
}

static bool wants_write(const struct disk_how *how)
{
    return (how->access & WRITE_RIGHTS) != 0 || how->disposition == DISK_CREATE_ALWAYS ||
           how->disposition == DISK_TRUNCATE_EXISTING;
}

static int open_flags(const struct disk_how *how, const struct stat *there)
{
    int flags = O_CLOEXEC | O_NOCTTY;

    if (there && S_ISLNK(there->st_mode))
        return O_CLOEXEC | O_NOFOLLOW | O_PATH; /* the link itself: attributes, and where it points to */
    if (there && S_ISDIR(there->st_mode))
        return flags | O_RDONLY | O_DIRECTORY;
    if (!wants_write(how))
        flags |= O_RDONLY;
    else if (there && !S_ISREG(there->st_mode) && !(how->access & READ_RIGHTS))
        flags |= O_WRONLY; /* the end of a FIFO one opens is what one gets */
    else
        flags |= O_RDWR;
    if (how->write_through)
        flags |= O_DSYNC;
    if (how->no_follow)
        flags |= O_NOFOLLOW;
    if (there && S_ISCHR(there->st_mode))
        flags |= O_NONBLOCK; /* a serial line would wait for its carrier */
    return flags;
}

/* O_DIRECT where the file system has it; elsewhere the alignment rules alone stay. */
static int open_direct(const char *path, int flags, mode_t mode, bool direct)
{
    int fd = os_open(path, flags | (direct ? O_DIRECT : 0), mode);

    if (fd == -EINVAL && direct)
        fd = os_open(path, flags, mode);
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode, const struct disk_how *how)
{
    bool direct = (how->flags & FILE_DIRECT) && !(flags & O_DIRECTORY);
    int fd = open_direct(path, flags, mode, direct);

    if (fd == -EACCES && (flags & O_ACCMODE) == O_RDWR && !(how->access & READ_RIGHTS))
        fd = open_direct(path, (flags & ~O_ACCMODE) | O_WRONLY, mode, direct);
    else if (fd == -EACCES && !(how->access & (READ_RIGHTS | WRITE_RIGHTS)))
        fd = os_open(path, O_PATH | O_CLOEXEC, 0); /* attributes only */
    return fd_above_std(fd);
}

/* On success `maker` is in effect. */
static int create_new(const char *path, const struct disk_how *how, struct share_maker *maker)
{
    mode_t mode = how->read_only ? 0444 : 0666;
    int fd;

    share_make_begin(maker, path);
    fd = open_any(path, open_flags(how, NULL) | O_CREAT | O_EXCL, mode, how);
    if (fd < 0)
        share_make_end(maker);
    return fd;
}

/* May what is there be opened so? */
static uint32_t check_there(const struct stat *st, const struct disk_how *how)
{
    if (how->disposition == DISK_CREATE_NEW)
        return STATUS_OBJECT_NAME_COLLISION;
    if (S_ISDIR(st->st_mode)) {
        if (!how->directories)
            return STATUS_FILE_IS_A_DIRECTORY;
        if (how->disposition == DISK_CREATE_ALWAYS || how->disposition == DISK_TRUNCATE_EXISTING)
            return STATUS_OBJECT_NAME_COLLISION; /* a directory is not overwritten */
        return STATUS_SUCCESS;
    }
    /* The owner may be root, whom the kernel would let pass. */
    if (S_ISREG(st->st_mode) && !(st->st_mode & 0222) &&
        (wants_write(how) || (how->flags & FILE_DELETE_AT_CLOSE)))
        return (how->flags & FILE_DELETE_AT_CLOSE) ? (uint32_t)STATUS_CANNOT_DELETE
                                                   : (uint32_t)STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

static int look(const char *path, bool no_follow, struct stat *st)
{
    return (no_follow ? lstat(path, st) : stat(path, st)) < 0 ? -errno : 0;
}

/* Does the name still lead to what was opened? No answer is good news: what fails there fails later. */
static bool is_still_there(const char *path, bool no_follow, const struct stat *opened)
{
    struct stat st;
    int err = look(path, no_follow, &st);

    if (err)
        return err != -ENOENT && err != -ENOTDIR;
    return st.st_dev == opened->st_dev && st.st_ino == opened->st_ino;
}

/* A descriptor for what is there or, where the disposition says so, for something new (create_new). */
static uint32_t open_fd(const char *path, const struct disk_how *how, int *out, bool *existed,
                        struct share_maker *maker)
{
    bool creates = how->disposition != DISK_OPEN_EXISTING &&
                   how->disposition != DISK_TRUNCATE_EXISTING;

    for (int tries = 0; tries < TRIES; tries++) {
        struct stat st;
        int fd = look(path, how->no_follow, &st);
        uint32_t status;

        if (fd == 0) {
            *existed = true;
            status = check_there(&st, how);
            if (status != STATUS_SUCCESS)
                return status;
            fd = open_any(path, open_flags(how, &st), 0, how);
        } else if (fd == -ENOENT && creates) {
            *existed = false;
            fd = create_new(path, how, maker);
        }
        *out = fd;
        if (fd >= 0)
            return STATUS_SUCCESS;
        if (fd == -EBUSY && *existed && S_ISCHR(st.st_mode))
            return STATUS_ACCESS_DENIED; /* somebody has the line alone */
        if (!creates || (fd != -EEXIST && !(fd == -ENOENT && *existed)))
            return disk_path_status(fd, path);
        /* somebody created or removed it between two steps: look again */
    }
    return STATUS_SHARING_VIOLATION;
}

static uint8_t uses_of(const struct disk_how *how)
{
    uint8_t uses = 0;

    if (how->access & READ_RIGHTS)
        uses |= SHARE_READ;
    if (how->access & WRITE_RIGHTS)
        uses |= SHARE_WRITE;
    if ((how->access & DELETE) || (how->flags & FILE_DELETE_AT_CLOSE))
        uses |= SHARE_DELETE;
    return uses;
}

/* What an attempt to open has found. */
struct found {
    const char *path;
    const struct disk_how *how;
    struct stat st;
    bool existed;
    int fd; /* owned; whoever is given it closes it when he fails */
};

/*
 * Shares acquired, then truncated: nobody loses data to an open that is refused. STATUS_RETRY: the name
 * was taken away or given to another file before this opening was there to forbid it.
 */
static uint32_t settle(const struct found *found, struct disk *d)
{
    const struct disk_how *how = found->how;
    uint32_t status = share_acquire(&d->share, found->fd, uses_of(how), how->share, !found->existed);
    bool cuts = how->disposition == DISK_CREATE_ALWAYS || how->disposition == DISK_TRUNCATE_EXISTING;
    int err = 0;

    if (status != STATUS_SUCCESS)
        return status;
    d->shared = true;
    if (!is_still_there(found->path, how->no_follow, &found->st)) {
        share_release(&d->share, found->fd);
        return STATUS_RETRY;
    }
    if (found->existed && d->regular && cuts)
        err = os_truncate(found->fd, 0);
    if (err) {
        share_release(&d->share, found->fd);
        return status_from_errno(err);
    }
    if (found->existed && d->regular && how->disposition == DISK_CREATE_ALWAYS && how->read_only)
        fchmod(found->fd, 0444);
    d->share.delete_on_close = (how->flags & FILE_DELETE_AT_CLOSE) != 0;
    return STATUS_SUCCESS;
}

static uint32_t make_disk(const struct found *found, struct file **out)
{
    const struct disk_how *how = found->how;
    uint32_t flags = how->flags;
    struct disk *d = disk_new(&found->st, fcntl(found->fd, F_GETFL));
    uint32_t status = d ? settle(found, d) : (uint32_t)STATUS_NO_MEMORY;

    if (status != STATUS_SUCCESS) {
        close(found->fd);
        free(d);
        return status;
    }
    if ((how->access & WRITE_RIGHTS) == FILE_APPEND_DATA)
        flags |= FILE_APPEND_ONLY;
    status = file_new(found->fd, S_ISDIR(found->st.st_mode) ? FILE_KIND_DIR : FILE_KIND_DISK, flags,
                      how->access, &disk_ops, d, out);
    if (status != STATUS_SUCCESS) {
        share_release(&d->share, -1); /* closed already */
        free(d);
    }
    return status;
}

static uint32_t make_stream(int fd, const struct stat *st, const struct disk_how *how,
                            struct file **out)
{
    uint32_t flags = how->flags & FILE_OVERLAPPED;
    uint32_t status;

    if (S_ISCHR(st->st_mode) && serial_is_line(fd))
        return serial_open(fd, flags | FILE_NONBLOCK_FD, how->access, out);
    if (S_ISCHR(st->st_mode))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    status = file_adopt_stream(fd, flags, S_ISFIFO(st->st_mode) ? FILE_KIND_PIPE
                                                                         : FILE_KIND_CHAR, out);

    if (status == STATUS_SUCCESS)
        (*out)->access = how->access;
    return status;
}

static uint32_t make_file(const struct found *found, struct file **out)
{
    mode_t mode = found->st.st_mode;

    if (S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode) || S_ISLNK(mode))
        return make_disk(found, out);
    return make_stream(found->fd, &found->st, found->how, out);
}

static uint32_t try_open(struct found *found, struct file **out)
{
    struct share_maker maker;
    uint32_t status;

    found->existed = false;
    status = open_fd(found->path, found->how, &found->fd, &found->existed, &maker);
    if (status != STATUS_SUCCESS)
        return status;
    if (fstat(found->fd, &found->st) < 0) {
        status = status_from_errno(errno);
        close(found->fd);
    } else {
        status = make_file(found, out);
    }
    if (!found->existed)
        share_make_end(&maker);
    return status;
}

uint32_t disk_open(const char *path, const struct disk_how *how, struct file **out, bool *existed)
{
    struct found found = {.path = path, .how = how};
    int err = engine_init();
    uint32_t status = STATUS_RETRY;

    if (err) /* IOCP_ENGINE asks for what cannot be had: say so at the door */
        return status_from_errno(err);
    for (int tries = 0; status == STATUS_RETRY && tries < LOOKS; tries++)
        status = try_open(&found, out);
    *existed = found.existed;
    return status == STATUS_RETRY ? (uint32_t)STATUS_DELETE_PENDING : status;
}
