/* SPDX-License-Identifier: MIT */
/* winsock2.h: the readiness of sockets as packets of a completion port. */
#include "api/socket.h"
#include "io/notice.h"
#include "object/handle.h"

#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

_Static_assert((int)NOTICE_IN == SOCK_NOTIFY_EVENT_IN, "as in the public header");
_Static_assert((int)NOTICE_OUT == SOCK_NOTIFY_EVENT_OUT, "as in the public header");
_Static_assert((int)NOTICE_HANGUP == SOCK_NOTIFY_EVENT_HANGUP, "as in the public header");
_Static_assert((int)NOTICE_ERR == SOCK_NOTIFY_EVENT_ERR, "as in the public header");
_Static_assert((int)NOTICE_REMOVE == SOCK_NOTIFY_EVENT_REMOVE, "as in the public header");
_Static_assert((int)NOTICE_FILTER == SOCK_NOTIFY_REGISTER_EVENTS_ALL, "as in the public header");
_Static_assert((int)NOTICE_OP_ENABLE == SOCK_NOTIFY_OP_ENABLE, "as in the public header");
_Static_assert((int)NOTICE_OP_DISABLE == SOCK_NOTIFY_OP_DISABLE, "as in the public header");
_Static_assert((int)NOTICE_OP_REMOVE == SOCK_NOTIFY_OP_REMOVE, "as in the public header");
_Static_assert((int)NOTICE_ONESHOT == SOCK_NOTIFY_TRIGGER_ONESHOT, "as in the public header");
_Static_assert((int)NOTICE_LEVEL == SOCK_NOTIFY_TRIGGER_LEVEL, "as in the public header");
_Static_assert((int)NOTICE_EDGE == SOCK_NOTIFY_TRIGGER_EDGE, "as in the public header");
_Static_assert((int)NOTICE_TRIGGERS == SOCK_NOTIFY_TRIGGER_ALL, "as in the public header");

static void change(struct port *port, SOCK_NOTIFY_REGISTRATION *r)
{
    struct notice_change c = {.key = (uintptr_t)r->completionKey,
                              .filter = r->eventFilter,
                              .operation = r->operation,
                              .triggers = r->triggerFlags};
    struct file *f;
    uint32_t status;

    r->registrationResult = ERROR_SUCCESS;
    if (r->operation == SOCK_NOTIFY_OP_NONE)
        return;
    status = socket_get_for_use(r->socket, &f);
    if (status != STATUS_SUCCESS) {
        r->registrationResult = status_to_wsa(status);
        return;
    }
    status = notice_change(f, port, &c);
    file_put(f);
    r->registrationResult = status == STATUS_INSUFFICIENT_RESOURCES ? WSAENOBUFS : status_to_win32(status);
}

/* What is to be dequeued goes with where it is to be put. */
static bool contradictory(UINT32 registration_count, const SOCK_NOTIFY_REGISTRATION *registrations,
                          UINT32 timeout, ULONG room, const OVERLAPPED_ENTRY *entries, const UINT32 *removed)
{
    if ((registration_count == 0) != (registrations == NULL))
        return true;
    if (room == 0)
        return timeout != 0 || entries || removed;
    return !entries || !removed;
}

DWORD WSAAPI ProcessSocketNotifications(HANDLE port_handle, UINT32 registration_count,
                                        SOCK_NOTIFY_REGISTRATION *registrations, UINT32 timeout, ULONG room,
                                        LPOVERLAPPED_ENTRY entries, UINT32 *removed)
{
    struct object *port;
    DWORD error, last;
    ULONG count = 0;

    if (contradictory(registration_count, registrations, timeout, room, entries, removed))
        return WSAEINVAL;
    if (handle_get((uintptr_t)port_handle, OBJECT_PORT, &port, NULL) != STATUS_SUCCESS)
        return ERROR_INVALID_HANDLE;
    for (UINT32 i = 0; i < registration_count; i++)
        change(port_from_object(port), &registrations[i]);
    object_put(port);
    if (room == 0)
        return ERROR_SUCCESS;
    *removed = 0;
    last = GetLastError();
    if (GetQueuedCompletionStatusEx(port_handle, entries, room, &count, timeout, FALSE)) {
        *removed = count;
        return ERROR_SUCCESS;
    }
    error = GetLastError();
    SetLastError(last);
    return error;
}
