/* SPDX-License-Identifier: MIT */
/*
 * Sections and their views; see section.h. A section holds a descriptor of its own: a duplicate of the
 * file's, or one of memfd_create. The list of views is what UnmapViewOfFile, which gets an address alone,
 * finds its size by.
 */
#include "io/section.h"

#include "base/fork.h"
#include "base/lock.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "io/request.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct section {
    struct object object;
    int fd;        /* constant */
    uint64_t size; /* constant */
    bool write;    /* constant */
};

/* Rules: the list and what is in it are guarded by the lock. */
struct view {
    struct list link;
    char *base;
    size_t size;
    struct object *section; /* counted */
};

static struct lock views_lock = LOCK_INIT(LOCK_GLOBAL);
static struct list views = LIST_INIT(views);

static struct section *section_of(struct object *obj)
{
    return container_of(obj, struct section, object);
}

static void destroy(struct object *obj)
{
    struct section *s = section_of(obj);

    object_name_clear(obj);
    if (s->fd >= 0)
        own_fd_close(s->fd);
    free(s);
}

const struct object_type section_type = {
    .name = "section",
    .kind = OBJECT_SECTION,
    .cleanup = object_name_cleanup,
    .destroy = destroy,
};

/* ---- making ---- */

static uint32_t of_memory(struct section *s, uint64_t size)
{
    if (size == 0 || size > INT64_MAX)
        return STATUS_INVALID_PARAMETER;
    s->fd = own_fd(memfd_create("iocp-section", MFD_CLOEXEC));
    if (s->fd < 0)
        return status_from_errno(errno);
    s->size = size;
    return ftruncate(s->fd, (off_t)size) < 0 ? (uint32_t)STATUS_COMMITMENT_LIMIT : (uint32_t)STATUS_SUCCESS;
}

static uint32_t of_file(struct section *s, const struct section_how *how)
{
    struct stat st;

    if (fstat(how->file->fd, &st) < 0)
        return status_from_errno(errno);
    s->size = how->size ? how->size : (uint64_t)st.st_size;
    if (s->size == 0)
        return STATUS_MAPPED_FILE_SIZE_ZERO;
    if (s->size > (uint64_t)st.st_size) {
        if (!how->write)
            return STATUS_SECTION_TOO_BIG;
        if (s->size > INT64_MAX)
            return STATUS_DISK_FULL;
        if (ftruncate(how->file->fd, (off_t)s->size) < 0)
            return status_from_errno(errno);
    }
    s->fd = own_fd(fcntl(how->file->fd, F_DUPFD_CLOEXEC, 3));
    return s->fd < 0 ? status_from_errno(errno) : (uint32_t)STATUS_SUCCESS;
}

uint32_t section_new(const struct section_how *how, const char *name, struct object **out)
{
    struct section *s;
    uint32_t status;

    if (name && *name) { /* nothing grows for the sake of one that exists */
        status = object_name_find(name, OBJECT_SECTION, out);
        if (status == STATUS_SUCCESS)
            return STATUS_OBJECT_NAME_EXISTS;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        return STATUS_NO_MEMORY;
    object_init(&s->object, &section_type);
    s->fd = -1;
    s->write = how->write;
    status = how->file ? of_file(s, how) : of_memory(s, how->size);
    if (status != STATUS_SUCCESS) {
        object_put(&s->object);
        return status;
    }
    return object_publish_name(&s->object, name, out);
}

/* ---- mapping ---- */

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

/* Room that begins at a multiple of the granularity; `at` if it has to be there. */
static char *reserve(void *at, size_t size)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *map = mmap(at, at ? size : size + SECTION_GRANULARITY, PROT_NONE,
                     flags | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    size_t before;

    if (map == MAP_FAILED)
        return NULL;
    if (at) {
        if (map == at)
            return map;
        munmap(map, size); /* a kernel that does not know the flag */
        return NULL;
    }
    before = (SECTION_GRANULARITY - (uintptr_t)map % SECTION_GRANULARITY) % SECTION_GRANULARITY;
    if (before)
        munmap(map, before);
    munmap(map + before + size, SECTION_GRANULARITY - before);
    return map + before;
}

static int protection(const struct section_view *view)
{
    return PROT_READ | (view->write || view->copy ? PROT_WRITE : 0) | (view->execute ? PROT_EXEC : 0);
}

static uint32_t map_at(struct section *s, const struct section_view *how, size_t size, char **out)
{
    char *base = reserve(how->at, whole_pages(size));
    int err;

    if (!base)
        return how->at ? (uint32_t)STATUS_CONFLICTING_ADDRESSES : (uint32_t)STATUS_NO_MEMORY;
    if (mmap(base, size, protection(how), MAP_FIXED | (how->copy ? MAP_PRIVATE : MAP_SHARED), s->fd,
             (off_t)how->offset) == MAP_FAILED) {
        err = errno;
        munmap(base, whole_pages(size));
        return status_from_errno(err);
    }
    *out = base;
    return STATUS_SUCCESS;
}

static uint32_t check_view(const struct section *s, const struct section_view *how, size_t *size)
{
    if (how->offset % SECTION_GRANULARITY || (uintptr_t)how->at % SECTION_GRANULARITY)
        return STATUS_MAPPED_ALIGNMENT;
    if (how->offset >= s->size || how->size > s->size - how->offset)
        return STATUS_INVALID_VIEW_SIZE;
    if (how->write && !s->write)
        return STATUS_ACCESS_DENIED;
    *size = how->size ? how->size : (size_t)(s->size - how->offset);
    return STATUS_SUCCESS;
}

uint32_t section_map(struct object *section, const struct section_view *how, void **out)
{
    struct section *s = section_of(section);
    struct view *view;
    size_t size;
    uint32_t status = check_view(s, how, &size);

    if (status != STATUS_SUCCESS)
        return status;
    view = malloc(sizeof *view);
    if (!view)
        return STATUS_NO_MEMORY;
    status = map_at(s, how, size, &view->base);
    if (status != STATUS_SUCCESS) {
        free(view);
        return status;
    }
    view->size = whole_pages(size);
    view->section = object_get(section);
    *out = view->base;
    lock_acquire(&views_lock);
    list_push_back(&views, &view->link);
    lock_release(&views_lock);
    return STATUS_SUCCESS;
}

static struct view *find_locked(const char *address)
{
    list_for_each(l, &views) {
        struct view *view = container_of(l, struct view, link);

        if (address >= view->base && address < view->base + view->size)
            return view;
    }
    return NULL;
}

bool section_find(const void *address, void **base)
{
    const struct view *view;

    lock_acquire(&views_lock);
    view = find_locked(address);
    if (view)
        *base = view->base;
    lock_release(&views_lock);
    return view != NULL;
}

uint32_t section_unmap(const void *base)
{
    struct view *view;

    lock_acquire(&views_lock);
    view = find_locked(base);
    if (view && view->base == base)
        list_remove(&view->link);
    lock_release(&views_lock);
    if (!view || view->base != base)
        return STATUS_NOT_MAPPED_VIEW;
    munmap(view->base, view->size);
    object_put(view->section);
    free(view);
    return STATUS_SUCCESS;
}

uint32_t section_flush(const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *begin = (char *)((uintptr_t)from / page * page);
    struct view *view;
    size_t left = 0;

    lock_acquire(&views_lock);
    view = find_locked(from);
    if (view)
        left = (size_t)(view->base + view->size - begin);
    lock_release(&views_lock);
    if (!view)
        return STATUS_NOT_MAPPED_VIEW;
    if (size)
        size += (size_t)((const char *)from - begin);
    if (size == 0 || size > left)
        size = left;
    return msync(begin, size, MS_SYNC) < 0 ? status_from_errno(errno) : (uint32_t)STATUS_SUCCESS;
}

/* Views stay mapped in the child, and are its own to unmap. */
FORK_HOOK(&views_lock, LOCK_GLOBAL, NULL);
