/* SPDX-License-Identifier: MIT */
/*
 * Names in directories; see disk_name.h.
 */
#include "io/disk_name.h"

#include "base/os.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/request.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 10 };

/* unlink or rmdir, obeying those who have it open, and before anybody else opens it. */
static uint32_t remove_name(const char *path, int (*remove)(const char *path))
{
    struct share_name name = {.path = path};
    uint32_t status = STATUS_SUCCESS;

    if (!share_hold(&name, 1))
        return name.status;
    if (!name.there) /* what comes later has not been asked about */
        status = disk_path_status(name.err, path);
    else if (remove(path) < 0)
        status = disk_path_status(errno, path);
    share_let_go(&name, 1);
    return status;
}

uint32_t disk_delete(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return disk_path_status(errno, path);
    if (S_ISDIR(st.st_mode))
        return STATUS_FILE_IS_A_DIRECTORY;
    if (S_ISREG(st.st_mode) && !(st.st_mode & 0222))
        return STATUS_CANNOT_DELETE;
    return remove_name(path, os_unlink);
}

uint32_t disk_make_directory(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return STATUS_SUCCESS;
    return errno == ENOENT ? (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND : status_from_errno(errno);
}

uint32_t disk_remove_directory(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return disk_path_status(errno, path);
    if (!S_ISDIR(st.st_mode))
        return STATUS_NOT_A_DIRECTORY;
    return remove_name(path, rmdir);
}

/* Room for `to`: what is there may be replaced, or nothing is there. */
static uint32_t check_target(const char *to, bool replace)
{
    struct stat st;

    if (lstat(to, &st) < 0)
        return STATUS_SUCCESS;
    if (!replace)
        return STATUS_OBJECT_NAME_COLLISION;
    if (S_ISDIR(st.st_mode) || !(st.st_mode & 0222) || os_is_device(to))
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

/* 0 or an errno. NOREPLACE makes the check exact; where it is not to be had the check has to do. */
static int rename_over(const char *from, const char *to, bool replace)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, replace ? 0 : RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    return rename(from, to) == 0 ? 0 : errno;
}

/* Do those who have it open allow it? */
static uint32_t may_move(const char *from)
{
    struct share_name name = {.path = from};

    if (share_hold(&name, 1))
        share_let_go(&name, 1);
    return name.status;
}

/* Both names are held meanwhile. Only what was there then is moved or replaced: what comes later is not asked
 * about. */
static uint32_t try_move(const char *from, const char *to, bool own, bool replace, int *err)
{
    struct share_name names[] = {{.path = from, .own = own}, {.path = to}};
    uint32_t status = check_target(to, replace);

    if (status != STATUS_SUCCESS) {
        uint32_t first = own ? (uint32_t)STATUS_SUCCESS : may_move(from);

        return first != STATUS_SUCCESS ? first : status;
    }
    if (!share_hold(names, 2))
        return names[0].status != STATUS_SUCCESS ? names[0].status : (uint32_t)STATUS_ACCESS_DENIED;
    if (names[0].there)
        *err = rename_over(from, to, replace && names[1].there);
    else
        status = disk_path_status(names[0].err, from);
    share_let_go(names, 2);
    return status;
}

static uint32_t move(const char *from, const char *to, bool own, uint32_t flags)
{
    bool replace = flags & MOVE_REPLACE;
    struct stat st;
    uint32_t status;
    int err = EEXIST;

    if (lstat(from, &st) < 0)
        return disk_path_status(errno, from);
    if (strcmp(from, to) == 0)
        return own ? (uint32_t)STATUS_SUCCESS : may_move(from);
    if (os_is_device(from))
        return STATUS_ACCESS_DENIED;
    for (int tries = 0; err == EEXIST && tries < TRIES; tries++) {
        status = try_move(from, to, own, replace, &err);
        if (status != STATUS_SUCCESS)
            return status;
    }
    if (err == 0)
        return STATUS_SUCCESS;
    if (err == EXDEV && (flags & MOVE_COPY) && S_ISREG(st.st_mode)) {
        status = disk_copy(from, to, !replace);
        return status == STATUS_SUCCESS ? disk_delete(from) : status;
    }
    return err == ENOENT ? (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND : status_from_errno(err);
}

uint32_t disk_move_open(const char *from, const char *to, uint32_t flags)
{
    return move(from, to, true, flags);
}

uint32_t disk_move(const char *from, const char *to, uint32_t flags)
{
    return move(from, to, false, flags);
}

static int copy_by_hand(int in, int out)
{
    enum { PIECE = 128 * 1024 };
    char *buf = malloc(PIECE);
    int64_t n = buf ? 1 : -ENOMEM;

    while (n > 0) {
        struct iovec v = {buf, PIECE};
        int64_t written = 0;

        n = os_read(in, &v, 1, OS_CURRENT, 0);
        while (n > 0 && written < n) {
            struct iovec w = {buf + written, (size_t)(n - written)};
            int64_t m = os_write(out, &w, 1, OS_CURRENT, 0);

            if (m < 0)
                n = m;
            else
                written += m;
        }
    }
    free(buf);
    return (int)n;
}

/* In the kernel where it can; nothing is lost by going on by hand from where that stopped. */
static int copy_data(int in, int out)
{
    ssize_t n;

    do {
        n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
    } while (n > 0 || (n < 0 && errno == EINTR));
    return copy_by_hand(in, out);
}

static uint32_t copy_between(struct file *from, struct file *to)
{
    struct timespec times[2];
    struct stat st;
    int err;

    if (fstat(from->fd, &st) < 0)
        return status_from_errno(errno);
    err = copy_data(from->fd, to->fd);
    if (err)
        return status_from_errno(err);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    futimens(to->fd, times);
    fchmod(to->fd, st.st_mode & 0777);
    return STATUS_SUCCESS;
}

uint32_t disk_copy(const char *from, const char *to, bool fail_if_exists)
{
    struct disk_how read_how = {.access = FILE_GENERIC_READ, .share = SHARE_READ | SHARE_WRITE,
                                .disposition = DISK_OPEN_EXISTING};
    struct disk_how write_how = {.access = FILE_GENERIC_WRITE | DELETE,
                                 .disposition = fail_if_exists ? DISK_CREATE_NEW
                                                               : DISK_CREATE_ALWAYS};
    struct file *source;
    struct file *target;
    bool existed;
    uint32_t status = disk_open(from, &read_how, &source, &existed);

    if (status != STATUS_SUCCESS)
        return status;
    status = disk_open(to, &write_how, &target, &existed);
    if (status == STATUS_SUCCESS) {
        status = copy_between(source, target);
        file_put(target);
        if (status != STATUS_SUCCESS && !existed)
            disk_delete(to);
    }
    file_put(source);
    return status;
}

bool disk_absolute(const char *path, char *out, uint32_t size)
{
    char whole[2 * 4096 + 2];
    size_t length = 0;
    char *part;
    char *rest;

    if (path[0] == '/')
        snprintf(whole, sizeof whole, "%s", path);
    else if (getcwd(whole, 4096))
        snprintf(whole + strlen(whole), sizeof whole - strlen(whole), "/%s", path);
    else
        return false;
    for (part = strtok_r(whole, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        size_t n = strlen(part);

        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            while (length > 0 && out[--length] != '/')
                ;
            continue;
        }
        if (length + 1 + n >= size)
            return false;
        out[length] = '/';
        memcpy(out + length + 1, part, n);
        length += 1 + n;
    }
    if (length == 0 && size > 1)
        out[length++] = '/';
    out[length] = 0;
    return true;
}
