/* SPDX-License-Identifier: MIT */
/*
 * io.h and direct.h. A descriptor of the C run-time is one of Linux, so most of this is one system call.
 * What the library adds: a descriptor that it knows as a handle is closed as one, and each of the two
 * numbers leads to the other.
 */
#include <windows.h>

#include <direct.h>
#include <io.h>
#include <iocpcrt_utime.h>

#include "api/crt.h"
#include "base/os.h"
#include "base/sigpipe.h"
#include "base/status.h"
#include "io/file.h"
#include "io/pipe.h"
#include "io/std.h"
#include "object/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <ntstatus.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- handles and descriptors ---- */

static bool is_open(int fd)
{
    return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

static int bad_fd(void)
{
    return crt_invalid(EBADF), -1;
}

int _open_osfhandle(intptr_t handle, int flags)
{
    (void)flags; /* text mode and append are the program's wish for the descriptor; it has its own */
    for (unsigned which = 0; which < STD_COUNT; which++)
        if ((uintptr_t)handle == std_handle(which) && is_open((int)which))
            return (int)which;
    if (handle >= 3 && handle_is_fd((uintptr_t)handle) && is_open((int)handle))
        return (int)handle;
    return bad_fd();
}

/* A descriptor that the library has not seen becomes known, so that every function takes the handle. */
intptr_t _get_osfhandle(int fd)
{
    struct file *f;

    if (!is_open(fd))
        return bad_fd();
    if (fd < STD_COUNT)
        return (intptr_t)std_handle((unsigned)fd);
    if (file_from_handle_fresh((uintptr_t)fd, &f) != STATUS_SUCCESS)
        return bad_fd();
    file_put(f);
    return fd;
}

void crt_release_fd(int fd)
{
    if (fd >= 3)
        file_release(fd);
}

/* ---- opening and closing ---- */

static int open_flags(int flags)
{
    int ours = _O_BINARY | _O_TEXT | _O_SEQUENTIAL | _O_RANDOM | _O_SHORT_LIVED | _O_TEMPORARY;

    return flags & ~ours;
}

static int open_file(const char *name, int flags, int permission)
{
    struct path path;
    const char *text = crt_path(&path, name);
    mode_t mode = permission & _S_IWRITE ? 0666 : 0444;
    int fd;

    if (!text)
        return -1;
    if (flags & (_O_WTEXT & ~1))
        return crt_invalid(EINVAL), -1;
    do
        fd = open(text, open_flags(flags), mode);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && (flags & _O_TEMPORARY))
        os_unlink(text);
    return fd;
}

int _open(const char *name, int flags, ...)
{
    int permission = 0;

    if (flags & _O_CREAT) {
        va_list arguments;

        va_start(arguments, flags);
        permission = va_arg(arguments, int);
        va_end(arguments);
    }
    return open_file(name, flags, permission);
}

int _wopen(const WCHAR *name, int flags, ...)
{
    char *narrow = crt_name_new(name);
    int permission = 0, fd;

    if (!narrow)
        return -1;
    if (flags & _O_CREAT) {
        va_list arguments;

        va_start(arguments, flags);
        permission = va_arg(arguments, int);
        va_end(arguments);
    }
    fd = open_file(narrow, flags, permission);
    free(narrow);
    return fd;
}

int _creat(const char *name, int permission)
{
    return open_file(name, _O_CREAT | _O_TRUNC | _O_RDWR, permission);
}

errno_t _sopen_s(int *fd, const char *name, int flags, int share, int permission)
{
    (void)share; /* share modes hold between handles */
    if (!fd)
        return crt_invalid(EINVAL);
    *fd = open_file(name, flags, permission);
    return *fd < 0 ? errno : 0;
}

int _close(int fd)
{
    struct object *obj;

    if (fd >= 3 && handle_get((uintptr_t)fd, OBJECT_FILE, &obj, NULL) == STATUS_SUCCESS) {
        object_put(obj);
        if (handle_close((uintptr_t)fd) == STATUS_SUCCESS)
            return 0;
        return bad_fd();
    }
    return is_open(fd) ? close(fd) : bad_fd();
}

/* ---- moving bytes ---- */

/* A pipe of messages, counted: what goes over its socket is not what is read and written. NULL: no such. */
static struct file *messages_of(int fd, uint32_t *access)
{
    struct file *f;

    if (fd < STD_COUNT || file_from_handle((uintptr_t)fd, false, &f, access) != STATUS_SUCCESS)
        return NULL;
    if (f->kind == FILE_KIND_NAMED && pipe_of(f)->shape.messages)
        return f;
    file_put(f);
    return NULL;
}

static int errno_of_pipe(uint32_t status)
{
    switch (status) {
    case STATUS_PIPE_BROKEN:
    case STATUS_PIPE_CLOSING:
        return EPIPE;
    case STATUS_PIPE_EMPTY:
        return EAGAIN;
    case STATUS_ACCESS_DENIED:
        return EBADF;
    default:
        return EINVAL;
    }
}

/* f is put. */
static int move_message(struct file *f, uint32_t access, void *data, uint32_t size, bool write)
{
    uint32_t right = write ? FILE_WRITE_DATA | FILE_APPEND_DATA : FILE_READ_DATA;
    uint32_t status = access & right ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
    uint32_t bytes = 0;

    if (status == STATUS_SUCCESS)
        status = write ? f->ops->write_sync(f, data, size, NULL, &bytes)
                       : f->ops->read_sync(f, data, size, NULL, &bytes);
    file_put(f);
    if (status == STATUS_PIPE_BROKEN && !write)
        return 0;
    if (!status_is_error(status))
        return (int)bytes; /* the rest of a message that is longer comes with the next read */
    errno = errno_of_pipe(status);
    return -1;
}

int _read(int fd, void *buffer, unsigned int size)
{
    struct file *messages;
    uint32_t access;
    ssize_t n;

    if (size > INT_MAX || (!buffer && size > 0))
        return crt_invalid(EINVAL), -1;
    messages = messages_of(fd, &access);
    if (messages)
        return move_message(messages, access, buffer, size, false);
    for (;;) {
        n = read(fd, buffer, size);
        if (n >= 0)
            return (int)n;
        if (errno == EAGAIN)
            os_wait_ready(fd, POLLIN);
        else if (errno != EINTR)
            return -1;
    }
}

/* One write(2); a reader that has gone is EPIPE and no signal. */
static ssize_t write_quietly(int fd, const void *buffer, size_t size)
{
    struct sigpipe_guard guard;
    ssize_t n;

    sigpipe_hold(&guard);
    n = write(fd, buffer, size);
    sigpipe_let_go(&guard, n < 0 && errno == EPIPE);
    return n;
}

int _write(int fd, const void *buffer, unsigned int size)
{
    struct file *messages;
    uint32_t access;
    ssize_t n;

    if (size > INT_MAX || (!buffer && size > 0))
        return crt_invalid(EINVAL), -1;
    messages = messages_of(fd, &access);
    if (messages)
        return move_message(messages, access, (void *)(uintptr_t)buffer, size, true);
    for (;;) {
        n = write_quietly(fd, buffer, size);
        if (n >= 0)
            return (int)n;
        if (errno == EAGAIN)
            os_wait_ready(fd, POLLOUT);
        else if (errno != EINTR)
            return -1;
    }
}

/* ---- position and size ---- */

long long _lseeki64(int fd, long long offset, int whence)
{
    return (long long)lseek(fd, (off_t)offset, whence);
}

long _lseek(int fd, long offset, int whence)
{
    return (long)lseek(fd, offset, whence);
}

long long _telli64(int fd)
{
    return _lseeki64(fd, 0, SEEK_CUR);
}

long _tell(int fd)
{
    return _lseek(fd, 0, SEEK_CUR);
}

long long _filelengthi64(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -1 : (long long)st.st_size;
}

long _filelength(int fd)
{
    return (long)_filelengthi64(fd);
}

int _eof(int fd)
{
    long long at = _telli64(fd), length = _filelengthi64(fd);

    if (at < 0 || length < 0)
        return -1;
    return at >= length;
}

errno_t _chsize_s(int fd, long long size)
{
    if (size < 0)
        return crt_invalid(EINVAL);
    while (ftruncate(fd, (off_t)size) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

int _chsize(int fd, long size)
{
    return _chsize_s(fd, size) == 0 ? 0 : -1;
}

int _commit(int fd)
{
    return fsync(fd);
}

/* ---- more descriptors ---- */

/* A copy is a handle of its own on Windows: closing the one must not end what the other goes on with. */
static void note_copied(int fd)
{
    struct file *f;

    if (file_from_handle((uintptr_t)fd, false, &f, NULL) != STATUS_SUCCESS)
        return;
    atomic_fetch_or(&f->modes, FILE_MODE_SHARED);
    file_put(f);
}

int _dup(int fd)
{
    if (!is_open(fd))
        return bad_fd();
    note_copied(fd);
    return fcntl(fd, F_DUPFD, 0);
}

int _dup2(int from, int to)
{
    struct object *obj;

    if (!is_open(from) || to < 0)
        return bad_fd();
    if (from == to)
        return 0;
    note_copied(from);
    if (to >= 3 && handle_get((uintptr_t)to, OBJECT_FILE, &obj, NULL) == STATUS_SUCCESS) {
        object_put(obj);
        handle_close((uintptr_t)to);
    }
    return dup2(from, to) < 0 ? -1 : 0;
}

int _pipe(int *fds, unsigned int size, int flags)
{
    if (!fds)
        return crt_invalid(EINVAL), -1;
    if (pipe2(fds, flags & _O_NOINHERIT) < 0)
        return -1;
    if (size > 0 && size <= INT_MAX)
        fcntl(fds[1], F_SETPIPE_SZ, (int)size); /* a wish: the default will do */
    return 0;
}

int _isatty(int fd)
{
    return isatty(fd);
}

int *__p__fmode(void)
{
    static int mode = _O_TEXT;

    return &mode;
}

errno_t _set_fmode(int mode)
{
    if (mode != _O_TEXT && mode != _O_BINARY)
        return crt_invalid(EINVAL);
    *__p__fmode() = mode;
    return 0;
}

errno_t _get_fmode(int *mode)
{
    if (!mode)
        return crt_invalid(EINVAL);
    *mode = *__p__fmode();
    return 0;
}

int _setmode(int fd, int mode)
{
    if (mode != _O_BINARY && mode != _O_TEXT)
        return crt_invalid(EINVAL), -1;
    return is_open(fd) ? _O_BINARY : bad_fd();
}

/* ---- names ---- */

int _access(const char *name, int mode)
{
    struct path path;
    const char *text = crt_path(&path, name);

    if (!text)
        return -1;
    if (mode & ~6)
        return crt_invalid(EINVAL), -1;
    return access(text, (mode & 2 ? W_OK : 0) | (mode & 4 ? R_OK : 0));
}

errno_t _access_s(const char *name, int mode)
{
    return _access(name, mode) == 0 ? 0 : errno;
}

/* Windows has "read-only" and nothing else: who may write then is everybody who may read. */
int _chmod(const char *name, int permission)
{
    struct path path;
    struct stat st;
    const char *text = crt_path(&path, name);
    mode_t write;

    if (!text || stat(text, &st) < 0)
        return -1;
    write = (st.st_mode & S_IRUSR ? S_IWUSR : 0) | (st.st_mode & S_IWGRP) | (st.st_mode & S_IWOTH);
    if (permission & _S_IWRITE)
        return chmod(text, (st.st_mode & 07777) | write);
    return chmod(text, st.st_mode & 07777 & ~(mode_t)(S_IWUSR | S_IWGRP | S_IWOTH));
}

int _mkdir(const char *name)
{
    struct path path;
    const char *text = crt_path(&path, name);

    return text ? mkdir(text, 0777) : -1;
}

int _rmdir(const char *name)
{
    struct path path;
    const char *text = crt_path(&path, name);

    return text ? rmdir(text) : -1;
}

int _chdir(const char *name)
{
    struct path path;
    const char *text = crt_path(&path, name);

    return text ? chdir(text) : -1;
}

char *_getcwd(char *buffer, int size)
{
    if (size < 0 || (buffer && size == 0)) {
        crt_invalid(EINVAL);
        return NULL;
    }
    return getcwd(buffer, (size_t)size); /* NULL: from malloc, as long as need be */
}

/* One wide name through the narrow function. */
static int with_name(const WCHAR *name, int (*call)(const char *))
{
    char *narrow = crt_name_new(name);
    int result = narrow ? call(narrow) : -1;

    free(narrow);
    return result;
}

int _wmkdir(const WCHAR *name)
{
    return with_name(name, _mkdir);
}

int _wrmdir(const WCHAR *name)
{
    return with_name(name, _rmdir);
}

int _wchdir(const WCHAR *name)
{
    return with_name(name, _chdir);
}

int _wunlink(const WCHAR *name)
{
    return with_name(name, _unlink);
}

int _waccess(const WCHAR *name, int mode)
{
    char *narrow = crt_name_new(name);
    int result = narrow ? _access(narrow, mode) : -1;

    free(narrow);
    return result;
}

int _wchmod(const WCHAR *name, int permission)
{
    char *narrow = crt_name_new(name);
    int result = narrow ? _chmod(narrow, permission) : -1;

    free(narrow);
    return result;
}

/* ---- times ---- */

static const struct timespec *both_times(const struct _utimbuf *times, struct timespec *out)
{
    if (!times)
        return NULL;
    out[0] = (struct timespec){.tv_sec = times->actime};
    out[1] = (struct timespec){.tv_sec = times->modtime};
    return out;
}

int _futime(int fd, const struct _utimbuf *times)
{
    struct timespec both[2];

    return futimens(fd, both_times(times, both));
}

int _utime(const char *name, const struct _utimbuf *times)
{
    struct path path;
    struct timespec both[2];
    const char *text = crt_path(&path, name);

    return text ? utimensat(AT_FDCWD, text, both_times(times, both), 0) : -1;
}
