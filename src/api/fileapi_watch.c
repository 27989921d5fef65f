/* SPDX-License-Identifier: MIT */
/*
 * FindFirstChangeNotification and its kin: a directory's handle that is signalled by changes.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/watch.h"
#include "object/handle.h"

#include <ntstatus.h>

static uint32_t open_directory(const struct path *path, struct file **out)
{
    struct disk_how how = {.access = FILE_LIST_DIRECTORY | SYNCHRONIZE, .share = SHARE_ALL,
                           .disposition = DISK_OPEN_EXISTING, .directories = true};
    bool existed;
    uint32_t status = disk_open(path->text, &how, out, &existed);

    if (status == STATUS_SUCCESS && (*out)->kind != FILE_KIND_DIR) {
        file_put(*out);
        return STATUS_NOT_A_DIRECTORY;
    }
    return status;
}

static HANDLE begin(const struct path *path, BOOL subtree, DWORD filter)
{
    struct file *f;
    uintptr_t h;
    uint32_t status;

    if (!filter || (filter & ~(DWORD)0x17F))
        return win32_fail(STATUS_INVALID_PARAMETER), INVALID_HANDLE_VALUE;
    status = open_directory(path, &f);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    /* The number first: an edge finds its file by it. */
    file_get(f);
    status = file_publish(f, 0, &h);
    if (status == STATUS_SUCCESS) {
        status = watch_notify(f, filter, subtree != 0);
        if (status != STATUS_SUCCESS)
            handle_close(h);
    }
    file_put(f);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), INVALID_HANDLE_VALUE;
    return (HANDLE)h;
}

HANDLE WINAPI FindFirstChangeNotificationA(LPCSTR lpPathName, BOOL bWatchSubtree, DWORD dwNotifyFilter)
{
    struct path path;

    if (!filename_a(&path, lpPathName))
        return INVALID_HANDLE_VALUE;
    return begin(&path, bWatchSubtree, dwNotifyFilter);
}

HANDLE WINAPI FindFirstChangeNotificationW(LPCWSTR lpPathName, BOOL bWatchSubtree, DWORD dwNotifyFilter)
{
    struct path path;

    if (!filename_w(&path, lpPathName))
        return INVALID_HANDLE_VALUE;
    return begin(&path, bWatchSubtree, dwNotifyFilter);
}

BOOL WINAPI FindNextChangeNotification(HANDLE hChangeHandle)
{
    struct file *f;
    uint32_t status = filename_handle(hChangeHandle, 0, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = watch_rearm(f);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI FindCloseChangeNotification(HANDLE hChangeHandle)
{
    struct file *f;
    uint32_t status = filename_handle(hChangeHandle, 0, &f);
    bool ours;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    ours = watch_is_notification(f);
    file_put(f);
    return win32_result(ours ? handle_close((uintptr_t)hChangeHandle) : (uint32_t)STATUS_INVALID_HANDLE);
}
