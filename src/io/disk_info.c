/* SPDX-License-Identifier: MIT */
/*
 * Files described; see disk_info.h. "Read-only" is the absence of every write bit; setting it
 * takes them all away, unsetting gives back the owner's.
 */
#include "io/disk_info.h"

#include "base/clock.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/request.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int64_t filetime(const struct statx_timestamp *t)
{
    return FILETIME_UNIX_EPOCH + (int64_t)t->tv_sec * 10000000 + t->tv_nsec / 100;
}

static uint32_t attributes_of(uint32_t mode)
{
    uint32_t attributes = S_ISDIR(mode) ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_ARCHIVE;

    if (!(mode & 0222) && !S_ISLNK(mode))
        attributes |= FILE_ATTRIBUTE_READONLY;
    if (S_ISLNK(mode))
        attributes |= FILE_ATTRIBUTE_REPARSE_POINT;
    return attributes;
}

static void describe(const struct statx *x, struct disk_info *info)
{
    info->attributes = attributes_of(x->stx_mode);
    info->accessed = filetime(&x->stx_atime);
    info->written = filetime(&x->stx_mtime);
    info->changed = filetime(&x->stx_ctime);
    if (x->stx_mask & STATX_BTIME)
        info->created = filetime(&x->stx_btime);
    else
        info->created = info->changed < info->written ? info->changed : info->written;
    info->size = S_ISDIR(x->stx_mode) ? 0 : x->stx_size;
    info->allocated = x->stx_blocks * 512;
    info->index = x->stx_ino;
    info->volume = makedev(x->stx_dev_major, x->stx_dev_minor);
    info->links = x->stx_nlink;
}

enum { WANTED = STATX_BASIC_STATS | STATX_BTIME };

uint32_t disk_info_at(int dir_fd, const char *path, struct disk_info *info)
{
    struct statx x;

    if (statx(dir_fd, path, 0, WANTED, &x) < 0 &&
        statx(dir_fd, path, AT_SYMLINK_NOFOLLOW, WANTED, &x) < 0)
        return disk_path_status(errno, path);
    describe(&x, info);
    return 0;
}

uint32_t disk_info_fd(int fd, struct disk_info *info)
{
    struct statx x;

    if (statx(fd, "", AT_EMPTY_PATH, WANTED, &x) < 0)
        return status_from_errno(errno);
    describe(&x, info);
    return 0;
}

/* t >= 0 */
static struct timespec from_filetime(int64_t t)
{
    struct timespec ts = {.tv_nsec = UTIME_OMIT};
    int64_t since = t - FILETIME_UNIX_EPOCH;

    if (t == DISK_TIME_KEEP)
        return ts;
    ts.tv_sec = (time_t)(since / 10000000);
    ts.tv_nsec = (long)(since % 10000000) * 100;
    if (ts.tv_nsec < 0) {
        ts.tv_nsec += 1000000000;
        ts.tv_sec--;
    }
    return ts;
}

uint32_t disk_set_times(int fd, int64_t accessed, int64_t written)
{
    struct timespec times[2];

    if (accessed < 0 || written < 0)
        return STATUS_INVALID_PARAMETER;
    times[0] = from_filetime(accessed);
    times[1] = from_filetime(written);
    if (futimens(fd, times) == 0)
        return 0;
    /* The handle of a link has no other way. */
    if (errno == EBADF && utimensat(fd, "", times, AT_EMPTY_PATH) == 0)
        return 0;
    return status_from_errno(errno);
}

uint32_t disk_set_attributes(int fd, const char *path, uint32_t attributes)
{
    struct stat st;
    mode_t mode;

    if ((fd >= 0 ? fstat(fd, &st) : stat(path, &st)) < 0)
        return fd >= 0 ? status_from_errno(errno) : disk_path_status(errno, path);
    mode = st.st_mode & 07777;
    if (S_ISDIR(st.st_mode))
        return 0; /* read-only means nothing on a directory */
    if (attributes & FILE_ATTRIBUTE_READONLY)
        mode &= ~(mode_t)0222;
    else if (!(mode & 0222))
        mode |= 0200; /* the owner's alone: what the others had is not known any more */
    else
        return 0;
    if ((fd >= 0 ? fchmod(fd, mode) : chmod(path, mode)) < 0)
        return status_from_errno(errno);
    return 0;
}
