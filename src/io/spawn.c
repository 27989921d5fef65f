/* SPDX-License-Identifier: MIT */
/* Starting programs; see spawn.h. All that can fail for want of memory is made before there is a child. */
#include "io/spawn.h"

#include "base/status.h"
#include "ntstatus.h"

#include <errno.h>

static uint32_t status_of(int err)
{
    switch (err) {
    case ENOEXEC:
        return STATUS_INVALID_IMAGE_FORMAT;
    case EAGAIN:
        return STATUS_INSUFFICIENT_RESOURCES; /* no more processes */
    default:
        return status_from_errno(err);
    }
}

uint32_t spawn_process(const struct child_how *how, struct process **out)
{
    struct process *p;
    uint32_t status = process_new(&p);
    struct child child;
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    err = child_start(how, &child);
    if (err) {
        object_put(&p->object);
        return status_of(-err);
    }
    status = process_watch_child(p, &child);
    if (status != STATUS_SUCCESS) { /* nobody would learn of its end: it was killed */
        object_put(&p->object);
        return status;
    }
    *out = p;
    return STATUS_SUCCESS;
}
