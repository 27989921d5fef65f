/* SPDX-License-Identifier: MIT */
/* handleapi.h: closing, duplicating and asking about handles of every kind. */
#include "api/api.h"
#include "api/handles.h"
#include "base/status.h"
#include "io/disk.h"
#include "object/name.h"
#include "wait/objects.h"

#include <ntstatus.h>
#include <windows.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HANDLE_FLAGS_ALL (HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE)
/* Handles in the sense of CloseHandle and its kin. Searches, modules, registered waits, timer queues and what
 * registered I/O has have closing calls of their own and are none, on Windows too. */
#define CLOSABLE                                                                                             \
    (~(OBJECT_FIND | OBJECT_MODULE | OBJECT_TASK | OBJECT_RIO_BUFFER | OBJECT_RIO_CQ | OBJECT_RIO_RQ))

_Static_assert((int)HANDLE_INHERIT == HANDLE_FLAG_INHERIT &&
                   (int)HANDLE_PROTECT == HANDLE_FLAG_PROTECT_FROM_CLOSE,
               "handle flags are Windows' own");

uint32_t api_object_get(const void *handle, int kinds, struct object **out)
{
    uintptr_t h = (uintptr_t)handle;

    if (h == PSEUDO_THREAD && (kinds & OBJECT_THREAD)) {
        *out = object_get(&thread_current()->object);
        return STATUS_SUCCESS;
    }
    if (h == PSEUDO_PROCESS && (kinds & OBJECT_PROCESS)) {
        *out = object_get(process_object());
        return STATUS_SUCCESS;
    }
    return handle_get(h, kinds, out, NULL);
}

uint32_t api_thread_get(const void *handle, struct thread **out)
{
    struct object *obj;
    uint32_t status = api_object_get(handle, OBJECT_THREAD, &obj);

    if (status == STATUS_SUCCESS)
        *out = container_of(obj, struct thread, object);
    return status;
}

uint32_t api_process_get(const void *handle, struct process **out)
{
    struct object *obj;
    uint32_t status = api_object_get(handle, OBJECT_PROCESS, &obj);

    if (status == STATUS_SUCCESS)
        *out = process_from_object(obj);
    return status;
}

uint32_t api_process_check_self(const void *handle)
{
    struct process *p;
    uint32_t status = api_process_get(handle, &p);

    if (status != STATUS_SUCCESS)
        return status;
    if (p != process_self())
        status = status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    object_put(&p->object);
    return status;
}

uint32_t api_waitable_get(const void *handle, struct object **out)
{
    uint32_t status = api_object_get(handle, OBJECT_ANY, out);

    if (status == STATUS_SUCCESS && !(*out)->type->dispatcher) {
        object_put(*out);
        status = STATUS_OBJECT_TYPE_MISMATCH;
    }
    return status;
}

void *api_publish(uint32_t status, struct object *obj, uint32_t access, bool inherit)
{
    bool existed = status == STATUS_OBJECT_NAME_EXISTS;
    uintptr_t h = 0;

    if (status == STATUS_SUCCESS || existed) {
        status = handle_open(obj, access, inherit ? HANDLE_INHERIT : 0, &h);
        object_name_settle(obj);
        object_put(obj);
    }
    if (status != STATUS_SUCCESS)
        return win32_fail(status), NULL;
    last_error_set(existed ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
    return (void *)h;
}

static bool is_pseudo(uintptr_t h)
{
    return h == PSEUDO_PROCESS || h == PSEUDO_THREAD;
}

static uint32_t check_closable(uintptr_t h)
{
    struct object *obj;
    uint32_t status = handle_get(h, CLOSABLE, &obj, NULL);

    if (status == STATUS_SUCCESS)
        object_put(obj);
    return status;
}

static uint32_t close_one(uintptr_t h)
{
    uint32_t status;

    if (is_pseudo(h))
        return STATUS_SUCCESS;
    status = check_closable(h);
    return status == STATUS_SUCCESS ? handle_close(h) : status;
}

uint32_t api_close(const void *handle)
{
    uint32_t status = close_one((uintptr_t)handle);
    struct thread *self = thread_current_or_null();

    if (self && self->pinned_handle == (uintptr_t)handle)
        thread_unpin(self);
    return status;
}

BOOL WINAPI CloseHandle(HANDLE hObject)
{
    return win32_result(api_close(hObject));
}

/* The rights that decide whether data may flow: no duplicate of a file gains one. */
#define DATA_RIGHTS ((uint32_t)(FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA))

/* A copy of the file's own descriptor: the handle's number, if it is another one, may be closed meanwhile
 * and be somebody else's. */
static uint32_t duplicate_number(struct file *f, uint32_t access, bool inherit, uintptr_t *out)
{
    int fd = fcntl(f->fd, inherit ? F_DUPFD : F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        return errno == EMFILE ? STATUS_TOO_MANY_OPENED_FILES : STATUS_INVALID_HANDLE;
    return file_duplicate(f, fd, access, inherit ? HANDLE_INHERIT : 0, out);
}

/* Another handle to what `source` stands for, which another thread may be closing. What a pseudo handle
 * stands for is there, be there a handle or not. */
static uint32_t open_again(uintptr_t source, struct object *obj, uint32_t access, bool inherit,
                           uintptr_t *out)
{
    uint32_t flags = inherit ? HANDLE_INHERIT : 0;

    if (is_pseudo(source))
        return handle_open(obj, access, flags, out);
    if (obj->type->kind == OBJECT_FILE && handle_is_fd(source))
        return duplicate_number(file_from_object(obj), access, inherit, out);
    return handle_open_another(obj, access, flags, out);
}

static uint32_t duplicate(uintptr_t source, uint32_t access, bool inherit, bool same_access,
                          uintptr_t *out)
{
    uint32_t granted = GENERIC_ALL;
    struct object *obj;
    uint32_t status;

    if (is_pseudo(source))
        status = api_object_get((void *)source, OBJECT_ANY, &obj);
    else
        status = handle_get(source, CLOSABLE, &obj, &granted);
    if (status != STATUS_SUCCESS)
        return status;
    if (same_access)
        access = granted;
    else if (obj->type->kind == OBJECT_FILE) {
        access = disk_access_specific(access);
        if (access & DATA_RIGHTS & ~granted)
            status = STATUS_ACCESS_DENIED;
    }
    if (status == STATUS_SUCCESS)
        status = open_again(source, obj, access, inherit, out);
    object_put(obj);
    return status;
}

BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
                            HANDLE hTargetProcessHandle, LPHANDLE lpTargetHandle,
                            DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions)
{
    uint32_t status = api_process_check_self(hSourceProcessHandle);
    bool closes = dwOptions & DUPLICATE_CLOSE_SOURCE;
    uintptr_t h = 0;

    if (lpTargetHandle)
        *lpTargetHandle = NULL;
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (dwOptions & ~(DWORD)(DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS))
        status = STATUS_INVALID_PARAMETER;
    else if (hTargetProcessHandle || lpTargetHandle || !closes) /* else: just closes it */
        status = api_process_check_self(hTargetProcessHandle);
    if (status == STATUS_SUCCESS && lpTargetHandle)
        status = duplicate((uintptr_t)hSourceHandle, dwDesiredAccess, bInheritHandle,
                           dwOptions & DUPLICATE_SAME_ACCESS, &h);
    if (closes) { /* whatever came of the rest */
        uint32_t closed = close_one((uintptr_t)hSourceHandle);

        if (status == STATUS_SUCCESS && !lpTargetHandle)
            status = closed;
    }
    if (status == STATUS_SUCCESS && lpTargetHandle)
        *lpTargetHandle = (HANDLE)h;
    return win32_result(status);
}

BOOL WINAPI GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags)
{
    uint32_t flags = 0;
    uint32_t status = check_closable((uintptr_t)hObject);

    if (status == STATUS_SUCCESS)
        status = handle_flags_get((uintptr_t)hObject, &flags);
    if (status == STATUS_SUCCESS && !lpdwFlags)
        status = STATUS_INVALID_PARAMETER;
    if (status == STATUS_SUCCESS)
        *lpdwFlags = flags;
    return win32_result(status);
}

BOOL WINAPI SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags)
{
    uintptr_t h = (uintptr_t)hObject;
    uint32_t status;

    if (dwMask & ~(DWORD)HANDLE_FLAGS_ALL)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = check_closable(h);
    if (status == STATUS_SUCCESS)
        status = handle_flags_set(h, dwMask, dwFlags);
    /* A descriptor is inherited by exec as the flag says. */
    if (status == STATUS_SUCCESS && (dwMask & HANDLE_FLAG_INHERIT) && handle_is_fd(h))
        fcntl((int)h, F_SETFD, dwFlags & HANDLE_FLAG_INHERIT ? 0 : FD_CLOEXEC);
    return win32_result(status);
}

BOOL WINAPI CompareObjectHandles(HANDLE hFirstObjectHandle, HANDLE hSecondObjectHandle)
{
    struct object *first;
    struct object *second;
    uint32_t status = api_object_get(hFirstObjectHandle, OBJECT_ANY, &first);
    bool same;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = api_object_get(hSecondObjectHandle, OBJECT_ANY, &second);
    if (status != STATUS_SUCCESS) {
        object_put(first);
        return win32_result(status);
    }
    same = first == second;
    object_put(first);
    object_put(second);
    if (!same)
        last_error_set(ERROR_NOT_SAME_OBJECT);
    return same;
}
