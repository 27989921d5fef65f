/* SPDX-License-Identifier: MIT */
/*
 * ioapiset.h: completion ports, results of overlapped operations, cancelling. Also the calls of
 * winbase.h and iocp.h that belong to them.
 */
#include "api/api.h"
#include "api/overlapped.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/engine.h"
#include "engine/poller.h"
#include "io/cancel.h"
#include "io/file.h"
#include "io/port.h"
#include "object/handle.h"
#include "wait/wait.h"

#include <ntstatus.h>
#include <windows.h>

#define THREAD_PSEUDO_HANDLE ((uintptr_t)-2)

/*
 * The port stays pinned by the calling thread until it uses another one. During a call that runs the
 * program's code (an alertable one) that may happen: such a call holds it itself.
 */
static uint32_t port_from_handle(HANDLE handle, struct port **out)
{
    struct thread *self = thread_current();
    uintptr_t h = (uintptr_t)handle;
    struct object *obj;
    uint32_t status;

    if (__builtin_expect(self->pinned_handle == h && self->pinned && handle_is(h, self->pinned), 1)) {
        *out = port_from_object(self->pinned);
        return STATUS_SUCCESS;
    }
    status = handle_get(h, OBJECT_PORT, &obj, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    thread_pin(self, h, obj);
    *out = port_from_object(obj);
    return STATUS_SUCCESS;
}

/* ---- ports ---- */

static HANDLE publish_port(struct port *port)
{
    uintptr_t h = 0;
    uint32_t status = handle_open(&port->object, GENERIC_ALL, 0, &h);

    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return (HANDLE)h;
}

static HANDLE new_port(DWORD threads)
{
    struct port *port;
    uint32_t status = port_new(threads, &port);
    HANDLE h;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), NULL;
    h = publish_port(port);
    object_put(&port->object);
    return h;
}

static uint32_t associate(HANDLE file, HANDLE port_handle, ULONG_PTR key)
{
    struct port *port;
    struct file *f;
    uint32_t status = port_from_handle(port_handle, &port);

    if (status != STATUS_SUCCESS)
        return status;
    status = file_from_handle_fresh((uintptr_t)file, &f);
    if (status == STATUS_SUCCESS) {
        status = file_associate(f, port, key);
        file_put(f);
    }
    return status;
}

HANDLE WINAPI CreateIoCompletionPort(HANDLE FileHandle, HANDLE ExistingCompletionPort,
                                     ULONG_PTR CompletionKey, DWORD NumberOfConcurrentThreads)
{
    HANDLE port = ExistingCompletionPort;
    uint32_t status;

    if (FileHandle == INVALID_HANDLE_VALUE && port)
        return win32_fail(STATUS_INVALID_PARAMETER), NULL;
    if (!port)
        port = new_port(NumberOfConcurrentThreads);
    if (!port || FileHandle == INVALID_HANDLE_VALUE)
        return port;
    status = associate(FileHandle, port, CompletionKey);
    if (status == STATUS_SUCCESS)
        return port;
    if (!ExistingCompletionPort)
        CloseHandle(port);
    return win32_fail(status), NULL;
}

BOOL WINAPI GetQueuedCompletionStatus(HANDLE CompletionPort, LPDWORD lpNumberOfBytesTransferred,
                                      PULONG_PTR lpCompletionKey, LPOVERLAPPED *lpOverlapped,
                                      DWORD dwMilliseconds)
{
    struct port *port;
    struct packet packet;
    uint32_t status;

    if (!lpOverlapped || !lpNumberOfBytesTransferred || !lpCompletionKey)
        return win32_result(STATUS_INVALID_PARAMETER);
    *lpOverlapped = NULL;
    status = port_from_handle(CompletionPort, &port);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = port_get_one(port, &packet, deadline_from_ms(dwMilliseconds));
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    *lpNumberOfBytesTransferred = packet.bytes;
    *lpCompletionKey = packet.key;
    *lpOverlapped = packet.ov;
    return status_is_success(packet.status) || win32_result(packet.status); /* "timed out" is no failure */
}

BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE CompletionPort,
                                        LPOVERLAPPED_ENTRY lpCompletionPortEntries, ULONG ulCount,
                                        PULONG ulNumEntriesRemoved, DWORD dwMilliseconds,
                                        BOOL fAlertable)
{
    struct packet packets[PACKETS_PER_GET];
    struct port *port;
    unsigned count = 0;
    uint32_t status;
    ULONG n = 0;

    if (ulCount == 0 || !lpCompletionPortEntries || !ulNumEntriesRemoved)
        return win32_result(STATUS_INVALID_PARAMETER);
    *ulNumEntriesRemoved = 1; /* yes: what Windows leaves in a call that removes nothing */
    status = port_from_handle(CompletionPort, &port);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    object_get(&port->object); /* a routine may use another port */
    status = port_get(port, packets, ulCount, &count, fAlertable, deadline_from_ms(dwMilliseconds));
    while (count > 0) {
        for (unsigned i = 0; i < count; i++) {
            OVERLAPPED_ENTRY *e = &lpCompletionPortEntries[n++];

            e->lpCompletionKey = packets[i].key;
            e->lpOverlapped = packets[i].ov;
            e->Internal = packets[i].status;
            e->dwNumberOfBytesTransferred = packets[i].bytes;
        }
        count = count == PACKETS_PER_GET && n < ulCount ? port_get_more(port, packets, ulCount - n) : 0;
    }
    object_put(&port->object);
    if (n > 0)
        *ulNumEntriesRemoved = n;
    return win32_result(n > 0 ? (uint32_t)STATUS_SUCCESS : status);
}

BOOL WINAPI PostQueuedCompletionStatus(HANDLE CompletionPort, DWORD dwNumberOfBytesTransferred,
                                       ULONG_PTR dwCompletionKey, LPOVERLAPPED lpOverlapped)
{
    struct port *port;
    uint32_t status = port_from_handle(CompletionPort, &port);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = port_post(port, dwNumberOfBytesTransferred, dwCompletionKey, lpOverlapped);
    return win32_result(status);
}

BOOL WINAPI SetFileCompletionNotificationModes(HANDLE FileHandle, UCHAR Flags)
{
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)FileHandle, true, &f, NULL);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = file_add_modes(f, Flags);
    file_put(f);
    return win32_result(status);
}

/* ---- results ---- */

static uint32_t internal_of(const OVERLAPPED *ov)
{
    /* acquire pairs with the release store of the answer: buffers and count are there */
    return (uint32_t)__atomic_load_n(&ov->Internal, __ATOMIC_ACQUIRE);
}

BOOL WINAPI HasOverlappedIoCompleted(LPOVERLAPPED lpOverlapped)
{
    if (internal_of(lpOverlapped) != STATUS_PENDING)
        return TRUE;
    poller_help_all();
    return internal_of(lpOverlapped) != STATUS_PENDING;
}

/* Waits for what completion signals: the event, or else the file. */
static uint32_t wait_for_answer(HANDLE file, const OVERLAPPED *ov, bool alertable, uint64_t deadline)
{
    uintptr_t h = (uintptr_t)ov->hEvent & ~(uintptr_t)1;
    struct object *obj;
    uint32_t status;

    status = handle_get(h ? h : (uintptr_t)file, h ? OBJECT_EVENT : OBJECT_FILE, &obj, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    status = wait_for_one(obj->type->dispatcher(obj), alertable, deadline);
    object_put(obj);
    return status;
}

uint32_t overlapped_result(HANDLE file, OVERLAPPED *ov, DWORD *bytes, DWORD ms, bool alertable)
{
    uint32_t status = internal_of(ov);
    uint32_t waited;

    if (status == STATUS_PENDING && ms == 0) {
        poller_help_all();
        status = internal_of(ov);
        if (status == STATUS_PENDING)
            return status_from_win32(ERROR_IO_INCOMPLETE);
    }
    if (status == STATUS_PENDING) {
        waited = wait_for_answer(file, ov, alertable, deadline_from_ms(ms));
        if (waited != STATUS_SUCCESS)
            return waited;
        status = internal_of(ov);
        if (status == STATUS_PENDING) /* another operation signalled the shared file or event */
            return status_from_win32(ERROR_IO_INCOMPLETE);
    }
    *bytes = (DWORD)ov->InternalHigh;
    return status == STATUS_TIMEOUT ? (uint32_t)STATUS_SUCCESS : status; /* the operation's, not our wait's */
}

BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped,
                                LPDWORD lpNumberOfBytesTransferred, BOOL bWait)
{
    if (!lpOverlapped || !lpNumberOfBytesTransferred)
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(overlapped_result(hFile, lpOverlapped, lpNumberOfBytesTransferred,
                                          bWait ? INFINITE : 0, false));
}

BOOL WINAPI GetOverlappedResultEx(HANDLE hFile, LPOVERLAPPED lpOverlapped,
                                  LPDWORD lpNumberOfBytesTransferred, DWORD dwMilliseconds,
                                  BOOL bAlertable)
{
    if (!lpOverlapped || !lpNumberOfBytesTransferred)
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(overlapped_result(hFile, lpOverlapped, lpNumberOfBytesTransferred,
                                          dwMilliseconds, bAlertable));
}

void overlapped_report(OVERLAPPED *ov, uint32_t status, DWORD bytes)
{
    uintptr_t event = (uintptr_t)ov->hEvent & ~(uintptr_t)1;
    struct object *obj;

    ov->InternalHigh = bytes;
    ov->Internal = status;
    if (event && handle_get(event, OBJECT_EVENT, &obj, NULL) == STATUS_SUCCESS) {
        dispatcher_set(obj->type->dispatcher(obj), 1);
        object_put(obj);
    }
}

/* ---- cancelling ---- */

BOOL WINAPI CancelIo(HANDLE hFile)
{
    struct cancel_match mine = {.ov = NULL, .issuer = thread_current()->serial};
    unsigned asked;

    return win32_result(cancel_by_handle((uintptr_t)hFile, &mine, &asked));
}

BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
{
    struct cancel_match match = {.ov = lpOverlapped, .issuer = 0};
    unsigned asked = 0;
    uint32_t status = cancel_by_handle((uintptr_t)hFile, &match, &asked);

    if (status == STATUS_SUCCESS && asked == 0)
        status = STATUS_NOT_FOUND;
    return win32_result(status);
}

BOOL WINAPI CancelSynchronousIo(HANDLE hThread)
{
    struct object *obj;
    uint32_t status;

    if ((uintptr_t)hThread == THREAD_PSEUDO_HANDLE)
        return win32_result(STATUS_NOT_FOUND); /* the caller itself is in no blocking call */
    status = handle_get((uintptr_t)hThread, OBJECT_THREAD, &obj, NULL);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (!wait_sync_cancel(container_of(obj, struct thread, object)))
        status = STATUS_NOT_FOUND;
    object_put(obj);
    return win32_result(status);
}
