/* SPDX-License-Identifier: MIT */
/*
 * ReadFileScatter and WriteFileGather.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/request.h"

#include <ntstatus.h>
#include <stdlib.h>
#include <unistd.h>

/* The pages as buffers, the last one as far as `size` goes. */
static uint32_t set_segments(struct request *r, const FILE_SEGMENT_ELEMENT *segments, DWORD size)
{
    DWORD page = (DWORD)sysconf(_SC_PAGESIZE);
    DWORD count = size / page + (size % page != 0);
    struct io_buf *bufs = calloc(count ? count : 1, sizeof *bufs);
    uint32_t status = STATUS_SUCCESS;

    if (!bufs)
        return STATUS_NO_MEMORY;
    for (DWORD i = 0; i < count; i++) {
        bufs[i].base = segments[i].Buffer;
        bufs[i].len = size - i * page < page ? size - i * page : page;
        if (!bufs[i].base || (uintptr_t)bufs[i].base % page)
            status = STATUS_INVALID_PARAMETER;
    }
    if (status == STATUS_SUCCESS)
        status = request_set_bufs(r, bufs, count);
    free(bufs);
    return status;
}

static uint32_t start(struct file *f, const FILE_SEGMENT_ELEMENT *segments, DWORD size, OVERLAPPED *ov,
                      bool write)
{
    struct request *r;
    uint32_t status;

    if (f->ops != &disk_ops || !(f->flags & FILE_OVERLAPPED) || !(f->flags & FILE_DIRECT))
        return STATUS_INVALID_PARAMETER;
    status = request_new(f, ov, true, &r);
    if (status != STATUS_SUCCESS)
        return status;
    status = set_segments(r, segments, size);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    r->offset = (uint64_t)ov->OffsetHigh << 32 | ov->Offset;
    request_begin(r);
    return write ? f->ops->write(r) : f->ops->read(r);
}

static BOOL transfer(HANDLE handle, const FILE_SEGMENT_ELEMENT *segments, DWORD size, OVERLAPPED *ov,
                     bool write)
{
    struct file *f;
    uint32_t status;

    if (!ov || !segments)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = filename_handle(handle, write ? FILE_WRITE_DATA : FILE_READ_DATA, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = start(f, segments, size, ov, write);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI ReadFileScatter(HANDLE hFile, FILE_SEGMENT_ELEMENT *aSegmentArray, DWORD nNumberOfBytesToRead,
                            LPDWORD lpReserved, LPOVERLAPPED lpOverlapped)
{
    (void)lpReserved;
    return transfer(hFile, aSegmentArray, nNumberOfBytesToRead, lpOverlapped, false);
}

BOOL WINAPI WriteFileGather(HANDLE hFile, FILE_SEGMENT_ELEMENT *aSegmentArray, DWORD nNumberOfBytesToWrite,
                            LPDWORD lpReserved, LPOVERLAPPED lpOverlapped)
{
    (void)lpReserved;
    return transfer(hFile, aSegmentArray, nNumberOfBytesToWrite, lpOverlapped, true);
}
