/* SPDX-License-Identifier: MIT */
/* iocp_nt.h: cancelling by IO_STATUS_BLOCK. */
#include <windows.h>

#include "io/cancel.h"
#include "io/file.h"
#include "wait/thread.h"

#include <iocp_nt.h>
#include <ntstatus.h>
#include <winternl.h>

static uint32_t cancel(HANDLE file, const struct cancel_match *match, unsigned *asked)
{
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)file, false, &f, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    *asked = cancel_requests(f, match);
    if (!match->ov && !match->issuer)
        *asked += cancel_blockers(f);
    file_put(f);
    return STATUS_SUCCESS;
}

static NTSTATUS report(PIO_STATUS_BLOCK block, uint32_t status)
{
    block->Status = (NTSTATUS)status;
    block->Information = 0;
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                PIO_STATUS_BLOCK IoStatusBlock)
{
    struct cancel_match match = {.ov = (const OVERLAPPED *)IoRequestToCancel};
    unsigned asked = 0;
    uint32_t status = cancel(FileHandle, &match, &asked);

    if (status == STATUS_SUCCESS && asked == 0)
        status = STATUS_NOT_FOUND;
    return report(IoStatusBlock, status);
}

NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    struct cancel_match mine = {.issuer = thread_current()->serial};
    unsigned asked;

    return report(IoStatusBlock, cancel(FileHandle, &mine, &asked));
}
