/* SPDX-License-Identifier: MIT */
/* Listing an open directory; see disk_list.h. The names are read when a listing begins; what they are is
 * looked at when their turn comes, and who has gone by then is left out. */
#include "io/disk_list.h"

#include "base/lock.h"
#include "base/status.h"
#include "io/disk.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rules: `lock` guards the rest; it is held over looks at files, which may wait for a disk: calls on one
 * handle take turns, as on Windows. */
struct disk_list {
    struct lock lock;
    char *pattern;      /* owned; NULL: everything */
    struct object *find; /* owned; NULL: not begun */
    bool told;          /* something has been listed since it began, or that there is nothing */
};

void disk_list_free(struct disk_list *l)
{
    if (!l)
        return;
    if (l->find)
        object_put(l->find);
    free(l->pattern);
    free(l);
}

static struct disk_list *list_of(struct disk *d)
{
    struct disk_list *l = atomic_load(&d->list), *none = NULL;

    if (l)
        return l;
    l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    lock_init(&l->lock, LOCK_LEAF);
    if (atomic_compare_exchange_strong(&d->list, &none, l))
        return l;
    free(l);
    return none;
}

static uint32_t begin_locked(struct disk_list *l, struct file *f, const struct disk_list_how *how)
{
    struct object *find;
    uint32_t status;
    char *copy;

    lock_assert_held(&l->lock);
    if (how->pattern) {
        copy = strdup(how->pattern);
        if (!copy)
            return STATUS_NO_MEMORY;
        free(l->pattern);
        l->pattern = copy;
    }
    status = find_begin_fd(f->fd, l->pattern ? l->pattern : "*", &find);
    if (status != STATUS_SUCCESS)
        return status;
    if (l->find)
        object_put(l->find);
    l->find = find;
    l->told = false;
    return STATUS_SUCCESS;
}

static uint32_t list_locked(struct disk_list *l, const struct disk_list_how *how, disk_list_put put,
                            void *ctx)
{
    struct find_entry entry;
    uint32_t status;
    bool first = true;

    while ((status = find_next(l->find, &entry)) == STATUS_SUCCESS) {
        status = put(ctx, &entry, first);
        if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW) {
            find_back(l->find);
            return first ? status : (uint32_t)STATUS_SUCCESS;
        }
        first = false;
        l->told = true;
        if (how->single || status == STATUS_BUFFER_OVERFLOW)
            return status;
    }
    if (!first)
        return STATUS_SUCCESS;
    if (!l->told)
        status = STATUS_NO_SUCH_FILE;
    l->told = true;
    return status;
}

uint32_t disk_list(struct file *f, const struct disk_list_how *how, disk_list_put put, void *ctx)
{
    uint32_t status = STATUS_SUCCESS;
    struct disk_list *l;

    if (f->kind != FILE_KIND_DIR)
        return STATUS_INVALID_PARAMETER;
    l = list_of(f->extra);
    if (!l)
        return STATUS_NO_MEMORY;
    lock_acquire(&l->lock);
    if (!l->find || how->restart)
        status = begin_locked(l, f, how);
    if (status == STATUS_SUCCESS)
        status = list_locked(l, how, put, ctx);
    lock_release(&l->lock);
    return status;
}
