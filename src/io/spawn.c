/* SPDX-License-Identifier: MIT */
/* Starting programs; see spawn.h. All that can fail for want of memory is made before there is a child. */
#include "io/spawn.h"

#include "base/status.h"
#include "io/file.h"
#include "ntstatus.h"
#include "object/handle.h"

#include <errno.h>
#include <fcntl.h>

/* ---- what two programs have then ---- */

static void note_shared(struct object *obj)
{
    if (obj->type->kind == OBJECT_FILE)
        atomic_fetch_or(&file_from_object(obj)->modes, FILE_MODE_SHARED);
}

static void note_inheritable(struct object *obj, uintptr_t fd, void *ctx)
{
    const struct child_how *how = ctx;
    bool listed = !how->only;

    for (size_t i = 0; i < how->only_count; i++)
        listed |= how->only[i] == (int)fd;
    if (listed && !(fcntl((int)fd, F_GETFD) & FD_CLOEXEC))
        note_shared(obj);
}

/* Before there is a child: closing such a handle meanwhile must not end what the child goes on with. */
static void note_all_shared(const struct child_how *how)
{
    if (how->inherit)
        handle_each_fd(note_inheritable, (void *)(uintptr_t)how);
    for (int i = 0; i < 3; i++) {
        struct object *obj = how->std[i] >= 0 ? handle_get_fd_owner(how->std[i]) : NULL;

        if (!obj)
            continue;
        note_shared(obj);
        object_put(obj);
    }
}

/* ---- starting ---- */

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
    note_all_shared(how);
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
