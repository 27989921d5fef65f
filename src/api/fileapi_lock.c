/* SPDX-License-Identifier: MIT */
/*
 * LockFile, LockFileEx and their counterparts.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "api/overlapped.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/filelock.h"
#include "io/request.h"

#include <ntstatus.h>

static uint64_t wide(DWORD low, DWORD high)
{
    return (uint64_t)high << 32 | low;
}

/* A regular file that may be read or written, counted. */
static uint32_t file_for(HANDLE handle, struct file **out)
{
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)handle, false, out, &access);

    if (status != STATUS_SUCCESS)
        return STATUS_INVALID_HANDLE;
    if ((*out)->kind == FILE_KIND_DIR)
        status = STATUS_INVALID_PARAMETER;
    else if ((*out)->ops != &disk_ops)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else if (!(access & (FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA)))
        status = STATUS_ACCESS_DENIED;
    if (status != STATUS_SUCCESS)
        file_put(*out);
    return status;
}

static uint32_t start(struct file *f, OVERLAPPED *ov, const struct filelock_range *range, bool wait)
{
    struct request *r;
    uint32_t status = request_new(f, ov, true, &r);

    if (status != STATUS_SUCCESS)
        return status;
    request_begin(r);
    return filelock_start(r, range, wait);
}

BOOL WINAPI LockFileEx(HANDLE hFile, DWORD dwFlags, DWORD dwReserved, DWORD nNumberOfBytesToLockLow,
                       DWORD nNumberOfBytesToLockHigh, LPOVERLAPPED lpOverlapped)
{
    struct filelock_range range = {.length = wide(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh),
                                   .exclusive = (dwFlags & LOCKFILE_EXCLUSIVE_LOCK) != 0};
    bool wait = !(dwFlags & LOCKFILE_FAIL_IMMEDIATELY);
    struct file *f;
    uint32_t status;

    if (dwReserved || !lpOverlapped)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = file_for(hFile, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    range.offset = wide(lpOverlapped->Offset, lpOverlapped->OffsetHigh);
    if (f->flags & FILE_OVERLAPPED) {
        status = start(f, lpOverlapped, &range, wait);
    } else {
        status = filelock_lock(f, &range, wait);
        overlapped_report(lpOverlapped, status, 0);
    }
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI LockFile(HANDLE hFile, DWORD dwFileOffsetLow, DWORD dwFileOffsetHigh,
                     DWORD nNumberOfBytesToLockLow, DWORD nNumberOfBytesToLockHigh)
{
    struct filelock_range range = {.offset = wide(dwFileOffsetLow, dwFileOffsetHigh),
                                   .length = wide(nNumberOfBytesToLockLow, nNumberOfBytesToLockHigh),
                                   .exclusive = true};
    struct file *f;
    uint32_t status = file_for(hFile, &f);

    if (status == STATUS_SUCCESS) {
        status = filelock_lock(f, &range, false);
        file_put(f);
    }
    return win32_result(status);
}

static BOOL unlock(HANDLE handle, uint64_t offset, uint64_t length)
{
    struct file *f;
    uint32_t status = file_for(handle, &f);

    if (status == STATUS_SUCCESS) {
        status = filelock_unlock(f, offset, length);
        file_put(f);
    }
    return win32_result(status);
}

BOOL WINAPI UnlockFileEx(HANDLE hFile, DWORD dwReserved, DWORD nNumberOfBytesToUnlockLow,
                         DWORD nNumberOfBytesToUnlockHigh, LPOVERLAPPED lpOverlapped)
{
    if (dwReserved || !lpOverlapped)
        return win32_result(STATUS_INVALID_PARAMETER);
    return unlock(hFile, wide(lpOverlapped->Offset, lpOverlapped->OffsetHigh),
                  wide(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh));
}

BOOL WINAPI UnlockFile(HANDLE hFile, DWORD dwFileOffsetLow, DWORD dwFileOffsetHigh,
                       DWORD nNumberOfBytesToUnlockLow, DWORD nNumberOfBytesToUnlockHigh)
{
    return unlock(hFile, wide(dwFileOffsetLow, dwFileOffsetHigh),
                  wide(nNumberOfBytesToUnlockLow, nNumberOfBytesToUnlockHigh));
}
