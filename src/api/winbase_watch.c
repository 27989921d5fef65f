/* SPDX-License-Identifier: MIT */
/*
 * ReadDirectoryChangesW and ReadDirectoryChangesExW.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "api/overlapped.h"
#include "base/status.h"
#include "io/watch.h"
#include "io/watch_tree.h"

#include <ntstatus.h>

#define NOTIFY_CLASSES                                                                                  \
    (FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME | FILE_NOTIFY_CHANGE_ATTRIBUTES |       \
     FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_LAST_ACCESS |         \
     FILE_NOTIFY_CHANGE_CREATION | FILE_NOTIFY_CHANGE_SECURITY)

struct changes {
    void *data;
    DWORD size;
    OVERLAPPED *ov;
    request_routine routine;
};

static uint32_t check(const struct file *f, const struct changes *c, DWORD filter)
{
    if (f->kind != FILE_KIND_DIR || !filter || (filter & ~(DWORD)NOTIFY_CLASSES))
        return STATUS_INVALID_PARAMETER;
    if (((uintptr_t)c->data & (sizeof(DWORD) - 1)) || (!c->data && c->size))
        return STATUS_ACCESS_VIOLATION;
    if (c->routine && (!c->ov || !(f->flags & FILE_OVERLAPPED) || atomic_load(&f->port)))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static uint32_t start(struct file *f, const struct changes *c)
{
    struct request *r;
    uint32_t status = request_new(f, c->ov, !c->routine, &r);

    if (status != STATUS_SUCCESS)
        return status;
    request_set_buf(r, c->data, c->size);
    if (c->routine)
        request_set_routine(r, c->routine, false);
    request_begin(r);
    return watch_start(r);
}

static uint32_t read_changes(struct file *f, struct changes *c, DWORD *bytes)
{
    uint32_t done = 0;
    uint32_t status;

    if ((f->flags & FILE_OVERLAPPED) && c->ov)
        return start(f, c);
    status = watch_wait(f, c->data, c->size, &done); /* without an OVERLAPPED on any handle */
    if (bytes)
        *bytes = done;
    if (c->ov && !(f->flags & FILE_OVERLAPPED))
        overlapped_report(c->ov, status, done);
    return status;
}

static BOOL read_directory(HANDLE directory, struct changes *c, const struct watch_how *how, DWORD *bytes)
{
    struct file *f;
    uint32_t status = filename_handle(directory, FILE_LIST_DIRECTORY, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = check(f, c, how->filter);
    if (status == STATUS_SUCCESS)
        status = watch_begin(f, how);
    if (status == STATUS_SUCCESS)
        status = read_changes(f, c, bytes);
    file_put(f);
    if (status_is_success(status))
        return TRUE; /* queued, or done, with or without records */
    return win32_result(status);
}

BOOL WINAPI ReadDirectoryChangesW(HANDLE hDirectory, LPVOID lpBuffer, DWORD nBufferLength, BOOL bWatchSubtree,
                                  DWORD dwNotifyFilter, LPDWORD lpBytesReturned, LPOVERLAPPED lpOverlapped,
                                  LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
    struct changes c = {.data = lpBuffer, .size = nBufferLength, .ov = lpOverlapped,
                        .routine = (request_routine)(void (*)(void))lpCompletionRoutine};
    struct watch_how how = {.filter = dwNotifyFilter, .size = nBufferLength, .subtree = bWatchSubtree != 0};

    return read_directory(hDirectory, &c, &how, lpBytesReturned);
}

BOOL WINAPI ReadDirectoryChangesExW(HANDLE hDirectory, LPVOID lpBuffer, DWORD nBufferLength,
                                    BOOL bWatchSubtree, DWORD dwNotifyFilter, LPDWORD lpBytesReturned,
                                    LPOVERLAPPED lpOverlapped,
                                    LPOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine,
                                    READ_DIRECTORY_NOTIFY_INFORMATION_CLASS kind)
{
    struct changes c = {.data = lpBuffer, .size = nBufferLength, .ov = lpOverlapped,
                        .routine = (request_routine)(void (*)(void))lpCompletionRoutine};
    struct watch_how how = {.filter = dwNotifyFilter, .size = nBufferLength, .subtree = bWatchSubtree != 0,
                            .detailed = kind == ReadDirectoryNotifyExtendedInformation};

    if (kind != ReadDirectoryNotifyInformation && kind != ReadDirectoryNotifyExtendedInformation)
        return win32_result(STATUS_INVALID_PARAMETER);
    return read_directory(hDirectory, &c, &how, lpBytesReturned);
}
