/* SPDX-License-Identifier: MIT */
/* winternl.h: NtQueryDirectoryFile. It never waits for anybody, so all of it is done inside the call. */
#include <windows.h>

#include "api/filelist.h"
#include "api/nt.h"
#include "api/nt_call.h"
#include "base/status.h"

#include <ntstatus.h>
#include <stdlib.h>
#include <winternl.h>

/* An overlapped handle's answer goes the way of a request. */
static uint32_t answer(struct file *f, struct nt_call *call, uint32_t status, uint32_t bytes)
{
    struct request *r;

    if (!(f->flags & FILE_OVERLAPPED) || status_is_error(status))
        return nt_call_report(call, status, bytes);
    if (nt_call_request(call, f, &r) != STATUS_SUCCESS)
        return STATUS_INSUFFICIENT_RESOURCES;
    request_begin(r);
    r->bytes = bytes;
    return request_finish_inline(r, status);
}

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                    PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                    ULONG Length, FILE_INFORMATION_CLASS FileInformationClass,
                                    BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName, BOOLEAN RestartScan)
{
    struct nt_call call = {.event = Event, .routine = ApcRoutine, .context = ApcContext,
                           .block = IoStatusBlock};
    struct disk_list_how how = {.restart = RestartScan, .single = ReturnSingleEntry};
    uint32_t used, access;
    struct file *f;
    char *pattern;
    uint32_t status = file_from_handle((uintptr_t)FileHandle, true, &f, &access);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = nt_string(FileName, &pattern);
    how.pattern = pattern && *pattern ? pattern : NULL;
    if (status == STATUS_SUCCESS && f->kind == FILE_KIND_DIR && !(access & FILE_LIST_DIRECTORY))
        status = STATUS_ACCESS_DENIED;
    if (status == STATUS_SUCCESS && !FileInformation)
        status = STATUS_ACCESS_VIOLATION;
    if (status == STATUS_SUCCESS)
        status = nt_call_begin(&call, f);
    if (status == STATUS_SUCCESS) {
        status = filelist(f, (uint32_t)FileInformationClass, &how, FileInformation, Length, &used);
        status = answer(f, &call, status, used);
        nt_call_end(&call);
    }
    free(pattern);
    file_put(f);
    return (NTSTATUS)status;
}
