/* SPDX-License-Identifier: MIT */
/* iocp.h: the library's own calls, which no Windows has. */
#include "api/api.h"
#include "engine/engine.h"
#include "io/file.h"
#include "io/port.h"
#include "io/request.h"
#include "object/handle.h"
#include "wait/objects.h"

#include <ntstatus.h>

#include <iocp.h>

int iocp_forget(int fd)
{
    return win32_result(file_forget(fd)) ? 0 : -1;
}

const char *iocp_engine_name(void)
{
    if (engine_init() != 0)
        return "none";
    return engine_kind() == ENGINE_URING ? "uring" : "epoll";
}

const char *iocp_engine_info(void)
{
    return engine_info();
}

const char *iocp_names_info(void)
{
    return names_info();
}

BOOL iocp_set_spin(HANDLE port, DWORD microseconds)
{
    struct object *obj;
    uint32_t status = handle_get((uintptr_t)port, OBJECT_PORT, &obj, NULL);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (microseconds <= SPIN_MAX_US)
        spin_set(&port_from_object(obj)->queue.spin, microseconds);
    else
        status = STATUS_INVALID_PARAMETER;
    object_put(obj);
    return win32_result(status);
}

void iocp_ledger(struct iocp_ledger *out)
{
    struct ledger sums;

    ledger_read(&sums);
    out->started = sums.started;
    out->completed = sums.completed;
    out->refused = sums.refused;
    out->posted = sums.posted;
    out->queued = sums.queued;
    out->delivered = sums.delivered;
    out->dropped = sums.dropped;
}
