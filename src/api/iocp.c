/* SPDX-License-Identifier: MIT */
/* iocp.h: the library's own calls, which no Windows has. */
#include "api/api.h"
#include "engine/engine.h"
#include "io/file.h"
#include "io/request.h"

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
