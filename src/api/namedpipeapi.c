/* SPDX-License-Identifier: MIT */
/*
 * Anonymous pipes. Both ends are synchronous, as Windows makes them.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "io/stream.h"
#include "object/handle.h"

#include <fcntl.h>
#include <ntstatus.h>

BOOL WINAPI CreatePipe(PHANDLE hReadPipe, PHANDLE hWritePipe, LPSECURITY_ATTRIBUTES lpPipeAttributes,
                       DWORD nSize)
{
    uint32_t flags = lpPipeAttributes && lpPipeAttributes->bInheritHandle ? HANDLE_INHERIT : 0;
    struct file *ends[2];
    uintptr_t handles[2];
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (hReadPipe && hWritePipe)
        status = stream_pipe(nSize, &ends[0], &ends[1]);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (flags) {
        fcntl(ends[0]->fd, F_SETFD, 0);
        fcntl(ends[1]->fd, F_SETFD, 0);
    }
    status = file_publish(ends[0], flags, &handles[0]);
    if (status != STATUS_SUCCESS) {
        file_put(ends[1]);
        return win32_result(status);
    }
    status = file_publish(ends[1], flags, &handles[1]);
    if (status != STATUS_SUCCESS) {
        handle_close(handles[0]);
        return win32_result(status);
    }
    *hReadPipe = (HANDLE)handles[0];
    *hWritePipe = (HANDLE)handles[1];
    return TRUE;
}
