/* SPDX-License-Identifier: MIT */
/*
 * Standard handles; see std.h.
 */
#include "io/std.h"

#include "base/fork.h"
#include "base/lock.h"
#include "io/file.h"
#include "ntstatus.h"
#include "object/handle.h"

#include <stdbool.h>
#include <sys/stat.h>

static struct {
    struct lock lock;
    struct {
        bool known;
        uintptr_t handle;
    } of[STD_COUNT];
} std = {.lock = LOCK_INIT(LOCK_GLOBAL)};

static uint32_t make_file(int fd, struct file **out)
{
    uint32_t flags = FILE_STD | FILE_ADOPTED;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return STATUS_INVALID_HANDLE;
    switch (st.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFBLK:
    case S_IFDIR:
        return file_adopt_disk(fd, flags, out);
    case S_IFIFO:
    case S_IFSOCK: /* mostly the end of a named pipe that a parent has given */
        return file_adopt_stream(fd, flags, FILE_KIND_PIPE, out);
    default:
        return file_adopt_stream(fd, flags, FILE_KIND_CHAR, out);
    }
}

static uintptr_t make_handle(int fd)
{
    struct file *f;
    uintptr_t h = 0;

    if (make_file(fd, &f) != STATUS_SUCCESS)
        return 0;
    if (handle_open(&f->object, f->access, 0, &h) != STATUS_SUCCESS)
        h = 0;
    file_put(f);
    return h;
}

uintptr_t std_handle(unsigned which)
{
    uintptr_t made;
    uintptr_t h;

    lock_acquire(&std.lock);
    h = std.of[which].handle;
    if (std.of[which].known) {
        lock_release(&std.lock);
        return h;
    }
    lock_release(&std.lock);
    made = make_handle((int)which);
    lock_acquire(&std.lock);
    if (!std.of[which].known) {
        std.of[which].known = true;
        std.of[which].handle = made;
        made = 0;
    }
    h = std.of[which].handle;
    lock_release(&std.lock);
    if (made) /* another thread was faster */
        handle_close(made);
    return h;
}

void std_set_handle(unsigned which, uintptr_t h)
{
    lock_acquire(&std.lock);
    std.of[which].known = true;
    std.of[which].handle = h;
    lock_release(&std.lock);
}

/* A forked child makes its own handles of its descriptors 0-2. What the program has set stays if it
 * is a descriptor. */
static void forget_made(void)
{
    for (int i = 0; i < STD_COUNT; i++) {
        if (!handle_is_fd(std.of[i].handle))
            std.of[i].known = false;
    }
}

FORK_HOOK(&std.lock, LOCK_GLOBAL, forget_made);
