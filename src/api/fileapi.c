/* SPDX-License-Identifier: MIT */
/*
 * Files: opening, reading and writing, the file pointer, sizes. What is known about files
 * stands in fileapi_info.c, names and directories in fileapi_name.c.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "api/overlapped.h"
#include "base/os_here.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/disk_info.h"
#include "io/pipe.h"
#include "io/request.h"
#include "object/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <ntstatus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- opening ---- */

static struct disk_how how_of(DWORD access, DWORD share, DWORD disposition, DWORD flags)
{
    struct disk_how how = {
        .access = disk_access_specific(access),
        .share = (uint8_t)(share & SHARE_ALL),
        .disposition = (uint8_t)disposition,
        .write_through = (flags & FILE_FLAG_WRITE_THROUGH) != 0,
        .directories = (flags & FILE_FLAG_BACKUP_SEMANTICS) != 0,
        .read_only = (flags & FILE_ATTRIBUTE_READONLY) != 0,
        .no_follow = (flags & FILE_FLAG_OPEN_REPARSE_POINT) != 0,
    };

    if (flags & FILE_FLAG_OVERLAPPED)
        how.flags |= FILE_OVERLAPPED;
    if (flags & FILE_FLAG_NO_BUFFERING)
        how.flags |= FILE_DIRECT;
    if (flags & FILE_FLAG_DELETE_ON_CLOSE)
        how.flags |= FILE_DELETE_AT_CLOSE;
    return how;
}

static void advise(const struct file *f, DWORD flags)
{
    if (flags & FILE_FLAG_SEQUENTIAL_SCAN)
        posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    else if (flags & FILE_FLAG_RANDOM_ACCESS)
        posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
}

static HANDLE publish(struct file *f, const SECURITY_ATTRIBUTES *security)
{
    uint32_t flags = security && security->bInheritHandle ? HANDLE_INHERIT : 0;
    uintptr_t h;
    uint32_t status;

    if (flags)
        fcntl(f->fd, F_SETFD, 0);
    status = file_publish(f, flags, &h);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    return (HANDLE)h;
}

static uint32_t check_arguments(DWORD access, DWORD disposition)
{
    if (disposition < CREATE_NEW || disposition > TRUNCATE_EXISTING)
        return STATUS_INVALID_PARAMETER;
    if (disposition == TRUNCATE_EXISTING && !(access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA)))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* The client's end of a pipe: there is only opening. Share modes mean nothing, an end has one owner. */
static uint32_t open_pipe(const struct path *path, DWORD access, DWORD flags, struct file **out)
{
    uint32_t file_flags = flags & FILE_FLAG_OVERLAPPED ? FILE_OVERLAPPED : 0;

    return pipe_open(path->text, disk_access_specific(access), file_flags, out);
}

static HANDLE create_file(const struct path *path, DWORD access, DWORD share,
                          const SECURITY_ATTRIBUTES *security, DWORD disposition, DWORD flags)
{
    struct disk_how how = how_of(access, share, disposition, flags);
    uint32_t status = check_arguments(access, disposition);
    struct file *f;
    bool existed = true;
    HANDLE h;

    if (status == STATUS_SUCCESS && path->kind == PATH_PIPE) {
        status = open_pipe(path, access, flags, &f);
    } else if (status == STATUS_SUCCESS) {
        if (path->kind != PATH_FILE)
            how.disposition = OPEN_EXISTING; /* a device is always there */
        status = disk_open(path->text, &how, &f, &existed);
        if (status == STATUS_OBJECT_NAME_COLLISION)
            status = status_from_win32(ERROR_FILE_EXISTS);
        else if (status == STATUS_OBJECT_PATH_NOT_FOUND && path->kind == PATH_SERIAL)
            status = STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    if (f->kind == FILE_KIND_DISK)
        advise(f, flags);
    h = publish(f, security);
    if (h != INVALID_HANDLE_VALUE && (disposition == CREATE_ALWAYS || disposition == OPEN_ALWAYS))
        last_error_set(existed ? ERROR_ALREADY_EXISTS : NO_ERROR);
    else if (h != INVALID_HANDLE_VALUE)
        last_error_set(NO_ERROR);
    return h;
}

HANDLE WINAPI CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                          LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
                          DWORD dwFlagsAndAttributes, HANDLE hTemplateFile)
{
    struct path path;
    uint32_t status = lpFileName ? path_parse(&path, lpFileName) : (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND;

    (void)hTemplateFile;
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    return create_file(&path, dwDesiredAccess, dwShareMode, lpSecurityAttributes,
                       dwCreationDisposition, dwFlagsAndAttributes);
}

HANDLE WINAPI CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                          LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
                          DWORD dwFlagsAndAttributes, HANDLE hTemplateFile)
{
    struct path path;
    uint32_t status = lpFileName ? path_parse16(&path, (const uint16_t *)lpFileName)
                                 : (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND;

    (void)hTemplateFile;
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    return create_file(&path, dwDesiredAccess, dwShareMode, lpSecurityAttributes,
                       dwCreationDisposition, dwFlagsAndAttributes);
}

/* winbase.h's, but it is CreateFile by another name: that of the descriptor. */
HANDLE WINAPI ReOpenFile(HANDLE hOriginalFile, DWORD dwDesiredAccess, DWORD dwShareMode, DWORD dwFlags)
{
    struct disk_how how = how_of(dwDesiredAccess, dwShareMode, OPEN_EXISTING,
                                 dwFlags & ~(DWORD)FILE_FLAG_OPEN_REPARSE_POINT);
    struct file *original, *f;
    char path[48];
    uint32_t status = filename_handle(hOriginalFile, 0, &original);
    bool existed;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    how.directories = true;
    snprintf(path, sizeof path, "/proc/self/fd/%d", original->fd);
    status = original->ops == &disk_ops ? disk_open(path, &how, &f, &existed)
                                        : (uint32_t)STATUS_INVALID_PARAMETER;
    file_put(original);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    advise(f, dwFlags);
    return publish(f, NULL);
}

/* ---- reading and writing ---- */

struct transfer {
    void *data;
    DWORD size;
    OVERLAPPED *ov;
    bool write;
    request_routine routine;
};

static uint64_t offset_of(const OVERLAPPED *ov)
{
    return (uint64_t)ov->OffsetHigh << 32 | ov->Offset;
}

/* The handle's file if it may do this. Sockets have no rights of this kind. To read to nowhere is refused
 * here: otherwise it would be found out when something has come. */
static uint32_t file_for(HANDLE handle, const struct transfer *t, struct file **out)
{
    uint32_t right = t->write ? FILE_WRITE_DATA | FILE_APPEND_DATA : FILE_READ_DATA;
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)handle, true, out, &access);

    if (status != STATUS_SUCCESS)
        return status == STATUS_OBJECT_TYPE_MISMATCH ? (uint32_t)STATUS_INVALID_HANDLE : status;
    status = STATUS_ACCESS_DENIED;
    if ((*out)->kind == FILE_KIND_SOCKET || (access & right))
        status = t->data || t->size == 0 || t->write ? STATUS_SUCCESS : STATUS_ACCESS_VIOLATION;
    if (status != STATUS_SUCCESS)
        file_put(*out);
    return status;
}

/* A socket has no position, and needs no more than a lean request. It has the caller's reference to f, unless
 * it cannot be made. */
static uint32_t new_transfer(struct file *f, const struct transfer *t, struct request **out)
{
    uint32_t status;

    if (f->kind == FILE_KIND_SOCKET)
        return request_new_lean(f, t->ov, !t->routine, out);
    status = request_new_given(f, t->ov, !t->routine, out);
    if (status == STATUS_SUCCESS)
        (*out)->offset = offset_of(t->ov);
    return status;
}

/*
 * The start of one overlapped transfer; *bytes is written only when it is done already. The reference to f is
 * used up: a disk's request has it, because nothing there looks at the file once it is answered.
 */
static ALWAYS_INLINE uint32_t start(struct file *f, const struct transfer *t, DWORD *bytes)
{
    uint32_t (*begin)(struct request *) = t->write ? f->ops->write : f->ops->read;
    bool shared = f->kind != FILE_KIND_DISK;
    struct request *r;
    uint32_t status;

    status = begin ? new_transfer(f, t, &r) : (uint32_t)STATUS_INVALID_DEVICE_REQUEST;
    if (status != STATUS_SUCCESS) {
        file_put(f);
        return status;
    }
    if (shared)
        file_get(f);
    request_set_buf(r, t->data, t->size);
    if (t->routine)
        request_set_routine(r, t->routine, false);
    request_begin(r);
    status = begin(r);
    if (bytes && status != STATUS_PENDING)
        *bytes = request_call_bytes();
    if (shared)
        file_put(f);
    return status;
}

static uint32_t transfer_now(struct file *f, const struct transfer *t, DWORD *bytes)
{
    uint64_t offset = t->ov ? offset_of(t->ov) : 0;
    const uint64_t *at = t->ov ? &offset : NULL;
    uint32_t done = 0;
    uint32_t status = STATUS_INVALID_DEVICE_REQUEST;

    if (t->write && f->ops->write_sync)
        status = f->ops->write_sync(f, t->data, t->size, at, &done);
    else if (!t->write && f->ops->read_sync)
        status = f->ops->read_sync(f, t->data, t->size, at, &done);
    if (bytes)
        *bytes = done;
    if (t->ov)
        overlapped_report(t->ov, status, done);
    return status;
}

static BOOL transfer(HANDLE handle, const struct transfer *t, DWORD *bytes)
{
    struct file *f;
    uint32_t status;

    if (bytes)
        *bytes = 0;
    if (!bytes && !t->ov)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = file_for(handle, t, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (t->ov && (f->flags & FILE_OVERLAPPED))
        return win32_result(start(f, t, bytes));
    if (!t->ov && (f->flags & FILE_OVERLAPPED) && !(f->flags & FILE_ADOPTED) &&
             f->kind != FILE_KIND_NAMED)
        status = STATUS_INVALID_PARAMETER; /* it has no position to transfer at */
    else
        status = transfer_now(f, t, bytes);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
                     LPDWORD lpNumberOfBytesRead, LPOVERLAPPED lpOverlapped)
{
    struct transfer t = {.data = lpBuffer, .size = nNumberOfBytesToRead, .ov = lpOverlapped};

    return transfer(hFile, &t, lpNumberOfBytesRead);
}

BOOL WINAPI WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
                      LPDWORD lpNumberOfBytesWritten, LPOVERLAPPED lpOverlapped)
{
    struct transfer t = {.data = (void *)(uintptr_t)lpBuffer, .size = nNumberOfBytesToWrite,
                         .ov = lpOverlapped, .write = true};

    return transfer(hFile, &t, lpNumberOfBytesWritten);
}

static BOOL transfer_ex(HANDLE handle, const struct transfer *t)
{
    struct file *f;
    uint32_t status;

    if (!t->ov || !t->routine)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = file_for(handle, t, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (!(f->flags & FILE_OVERLAPPED) || atomic_load(&f->port)) {
        file_put(f);
        status = STATUS_INVALID_PARAMETER; /* a routine and a port cannot both have the answer */
    } else {
        status = start(f, t, NULL);
    }
    if (status != STATUS_PENDING && !win32_result(status))
        return FALSE;
    last_error_set(NO_ERROR);
    return TRUE;
}

BOOL WINAPI ReadFileEx(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
                       LPOVERLAPPED lpOverlapped, LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    struct transfer t = {.data = lpBuffer, .size = nNumberOfBytesToRead, .ov = lpOverlapped,
                         .routine = (request_routine)(void (*)(void))lpCompletionRoutine};

    return transfer_ex(hFile, &t);
}

BOOL WINAPI WriteFileEx(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite,
                        LPOVERLAPPED lpOverlapped, LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    struct transfer t = {.data = (void *)(uintptr_t)lpBuffer, .size = nNumberOfBytesToWrite,
                         .ov = lpOverlapped, .write = true,
                         .routine = (request_routine)(void (*)(void))lpCompletionRoutine};

    return transfer_ex(hFile, &t);
}

BOOL WINAPI FlushFileBuffers(HANDLE hFile)
{
    struct file *f;
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)hFile, false, &f, &access);

    if (status != STATUS_SUCCESS)
        return win32_result(STATUS_INVALID_HANDLE);
    if (!(access & (FILE_WRITE_DATA | FILE_APPEND_DATA)))
        status = STATUS_ACCESS_DENIED;
    else
        status = f->ops->flush ? f->ops->flush(f) : (uint32_t)STATUS_INVALID_DEVICE_REQUEST;
    file_put(f);
    return win32_result(status);
}

/* ---- pointer and size ---- */

/* Only a synchronous handle has a pointer that anything uses; an asynchronous one keeps one all
 * the same, because SetEndOfFile goes by it. A place behind `max`, or between the sectors
 * of an unbuffered file, is refused and nothing moves. */
static uint32_t seek(HANDLE handle, int64_t distance, DWORD method, int64_t max, int64_t *result)
{
    static const int whence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    struct file *f;
    uint32_t status = filename_handle(handle, 0, &f);
    off_t before, at;

    if (status != STATUS_SUCCESS)
        return status;
    before = lseek(f->fd, 0, SEEK_CUR);
    if (method > FILE_END) {
        status = STATUS_INVALID_PARAMETER;
    } else if ((at = lseek(f->fd, distance, whence[method])) < 0) {
        if (errno == EINVAL)
            status = status_from_win32(ERROR_NEGATIVE_SEEK);
        else
            status = errno == ESPIPE ? (uint32_t)STATUS_INVALID_DEVICE_REQUEST
                                     : status_from_errno(errno);
    } else if (at > max || ((f->flags & FILE_DIRECT) && at % DISK_SECTOR)) {
        lseek(f->fd, before, SEEK_SET);
        status = STATUS_INVALID_PARAMETER;
    } else {
        *result = at;
    }
    file_put(f);
    return status;
}

BOOL WINAPI SetFilePointerEx(HANDLE hFile, LARGE_INTEGER liDistanceToMove,
                             PLARGE_INTEGER lpNewFilePointer, DWORD dwMoveMethod)
{
    int64_t at;
    uint32_t status = seek(hFile, liDistanceToMove.QuadPart, dwMoveMethod, INT64_MAX, &at);

    if (status == STATUS_SUCCESS && lpNewFilePointer)
        lpNewFilePointer->QuadPart = at;
    return win32_result(status);
}

DWORD WINAPI SetFilePointer(HANDLE hFile, LONG lDistanceToMove, PLONG lpDistanceToMoveHigh,
                            DWORD dwMoveMethod)
{
    int64_t distance = lDistanceToMove;
    int64_t at = 0;
    uint32_t status;

    if (lpDistanceToMoveHigh)
        distance = (int64_t)((uint64_t)(uint32_t)*lpDistanceToMoveHigh << 32 | (uint32_t)lDistanceToMove);
    status = seek(hFile, distance, dwMoveMethod, lpDistanceToMoveHigh ? INT64_MAX : UINT32_MAX, &at);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_SET_FILE_POINTER;
    if (lpDistanceToMoveHigh)
        *lpDistanceToMoveHigh = (LONG)(at >> 32);
    if ((DWORD)at == INVALID_SET_FILE_POINTER)
        last_error_set(NO_ERROR); /* the value alone does not say that nothing is wrong */
    return (DWORD)at;
}

static uint32_t size_of(HANDLE handle, int64_t *size)
{
    struct disk_info info;
    struct file *f;
    uint32_t status = filename_handle(handle, 0, &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind == FILE_KIND_DISK || f->kind == FILE_KIND_DIR)
        status = disk_info_fd(f->fd, &info);
    else
        status = STATUS_INVALID_DEVICE_REQUEST;
    if (status == STATUS_SUCCESS)
        *size = (int64_t)info.size;
    file_put(f);
    return status;
}

BOOL WINAPI GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize)
{
    int64_t size;
    uint32_t status = size_of(hFile, &size);

    if (!lpFileSize)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (status == STATUS_SUCCESS)
        lpFileSize->QuadPart = size;
    return win32_result(status);
}

DWORD WINAPI GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh)
{
    int64_t size;
    uint32_t status = size_of(hFile, &size);

    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_FILE_SIZE;
    if (lpFileSizeHigh)
        *lpFileSizeHigh = (DWORD)(size >> 32);
    if ((DWORD)size == INVALID_FILE_SIZE)
        last_error_set(NO_ERROR);
    return (DWORD)size;
}

BOOL WINAPI SetEndOfFile(HANDLE hFile)
{
    struct file *f;
    uint32_t status = filename_handle(hFile, FILE_WRITE_DATA, &f);
    off_t at;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    at = lseek(f->fd, 0, SEEK_CUR);
    if (at < 0)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else if (ftruncate(f->fd, at) < 0)
        status = status_from_errno(errno);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI SetFileValidData(HANDLE hFile, LONGLONG ValidDataLength)
{
    struct file *f;
    int64_t size = 0;
    uint32_t status = filename_handle(hFile, FILE_WRITE_DATA, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    file_put(f);
    status = size_of(hFile, &size);
    if (status == STATUS_SUCCESS && (ValidDataLength <= 0 || ValidDataLength > size))
        status = STATUS_INVALID_PARAMETER;
    return win32_result(status);
}

DWORD WINAPI GetFileType(HANDLE hFile)
{
    struct file *f;
    uint32_t status = filename_handle(hFile, 0, &f);
    DWORD type;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), FILE_TYPE_UNKNOWN;
    switch (f->kind) {
    case FILE_KIND_DISK:
    case FILE_KIND_DIR:
        type = FILE_TYPE_DISK;
        break;
    case FILE_KIND_SOCKET:
    case FILE_KIND_PIPE:
    case FILE_KIND_NAMED:
        type = FILE_TYPE_PIPE;
        break;
    default:
        type = FILE_TYPE_CHAR;
        break;
    }
    file_put(f);
    last_error_set(NO_ERROR);
    return type;
}
