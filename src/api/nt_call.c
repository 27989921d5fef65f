/* SPDX-License-Identifier: MIT */
/* Who is told of the end of a native call; see nt_call.h. */
#include "api/nt_call.h"

#include "base/status.h"
#include "object/handle.h"
#include "wait/apc.h"
#include "wait/dispatcher.h"
#include "wait/thread.h"

#include <ntstatus.h>
#include <stddef.h>
#include <stdlib.h>

_Static_assert(offsetof(IO_STATUS_BLOCK, Information) == offsetof(OVERLAPPED, InternalHigh),
               "a request answers into either");

/* A routine that no request carries. */
struct nt_apc {
    struct apc apc;
    PIO_APC_ROUTINE routine;
    void *context;
    IO_STATUS_BLOCK *block;
};

static void run(struct apc *apc)
{
    struct nt_apc *a = container_of(apc, struct nt_apc, apc);
    struct nt_apc copy = *a;

    free(a);
    copy.routine(copy.context, copy.block, 0);
}

static void drop(struct apc *apc)
{
    free(container_of(apc, struct nt_apc, apc));
}

static uint32_t make_apc(struct nt_call *c)
{
    c->apc = calloc(1, sizeof *c->apc);
    if (!c->apc)
        return STATUS_INSUFFICIENT_RESOURCES;
    c->apc->apc.run = run;
    c->apc->apc.drop = drop;
    c->apc->routine = c->routine;
    c->apc->context = c->context;
    c->apc->block = c->block;
    return STATUS_SUCCESS;
}

uint32_t nt_call_begin(struct nt_call *c, struct file *f)
{
    uint32_t status = STATUS_SUCCESS;

    if (!c->block)
        return STATUS_ACCESS_VIOLATION;
    if (c->routine && atomic_load(&f->port))
        return STATUS_INVALID_PARAMETER; /* a routine and a port cannot both have the answer */
    if (c->event)
        status = handle_get((uintptr_t)c->event, OBJECT_EVENT, &c->to.event, NULL);
    if (status == STATUS_SUCCESS && c->routine && !(f->flags & FILE_OVERLAPPED))
        status = make_apc(c);
    if (status != STATUS_SUCCESS) {
        nt_call_end(c);
        return status;
    }
    c->to.routine = (request_native_routine)(void (*)(void))c->routine;
    c->to.context = c->context;
    if (c->to.event)
        dispatcher_set(c->to.event->type->dispatcher(c->to.event), 0);
    return STATUS_SUCCESS;
}

uint32_t nt_call_request(struct nt_call *c, struct file *f, struct request **out)
{
    uint32_t status = request_new(f, (OVERLAPPED *)c->block, false, out);

    if (status != STATUS_SUCCESS)
        return status;
    request_set_native(*out, &c->to);
    c->to.event = NULL;
    return STATUS_SUCCESS;
}

uint32_t nt_call_report(struct nt_call *c, uint32_t status, ULONG_PTR bytes)
{
    c->block->Status = (NTSTATUS)status;
    c->block->Information = bytes;
    if (status_is_error(status))
        return status;
    if (c->to.event)
        dispatcher_set(c->to.event->type->dispatcher(c->to.event), 1);
    if (c->apc && apc_queue(thread_current(), &c->apc->apc))
        c->apc = NULL;
    return status;
}

void nt_call_end(struct nt_call *c)
{
    if (c->to.event)
        object_put(c->to.event);
    c->to.event = NULL;
    free(c->apc);
    c->apc = NULL;
}
