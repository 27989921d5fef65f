/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: NtCreateFile. Names below \??\ and \DosDevices\ are those of CreateFile, \Device\Afd and what
 * is below it is the device that takes polls of sockets.
 */
#include <windows.h>

#include "api/nt.h"
#include "base/path.h"
#include "base/text.h"
#include "io/afd.h"
#include "io/disk.h"
#include "object/handle.h"

#include <fcntl.h>
#include <ntstatus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winternl.h>

/* What of `name` comes after the prefix, letters of either case; NULL: it begins otherwise. */
static const char *after(const char *name, const char *prefix)
{
    for (; *prefix; prefix++, name++) {
        if (text_fold((unsigned char)*name) != text_fold((unsigned char)*prefix))
            return NULL;
    }
    return name;
}

static bool is_afd(const char *name)
{
    const char *rest = after(name, "\\Device\\Afd");

    return rest && (*rest == '\0' || *rest == '\\');
}

/* The dispositions have numbers of their own here. */
static bool disposition_of(ULONG disposition, uint8_t *out)
{
    static const uint8_t table[] = {
        [FILE_SUPERSEDE] = DISK_CREATE_ALWAYS, [FILE_OPEN] = DISK_OPEN_EXISTING,
        [FILE_CREATE] = DISK_CREATE_NEW,       [FILE_OPEN_IF] = DISK_OPEN_ALWAYS,
        [FILE_OVERWRITE] = DISK_TRUNCATE_EXISTING, [FILE_OVERWRITE_IF] = DISK_CREATE_ALWAYS,
    };

    if (disposition >= ARRAYSIZE(table))
        return false;
    *out = table[disposition];
    return true;
}

static ULONG what_was_done(ULONG disposition, bool existed)
{
    if (!existed)
        return FILE_CREATED;
    switch (disposition) {
    case FILE_SUPERSEDE:
        return FILE_SUPERSEDED;
    case FILE_OVERWRITE:
    case FILE_OVERWRITE_IF:
        return FILE_OVERWRITTEN;
    default:
        return FILE_OPENED;
    }
}

/* One call of NtCreateFile. */
struct creation {
    ULONG access, attributes, share, disposition, options;
    ULONG_PTR done; /* FILE_OPENED ... */
};

static bool is_synchronous(const struct creation *c)
{
    return (c->options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)) != 0;
}

static uint32_t open_path(const struct path *path, struct creation *c, struct file **out)
{
    struct disk_how how = {
        .access = disk_access_specific(c->access),
        .share = (uint8_t)(c->share & SHARE_ALL),
        .write_through = (c->options & FILE_WRITE_THROUGH) != 0,
        .directories = (c->options & FILE_NON_DIRECTORY_FILE) == 0,
        .read_only = (c->attributes & FILE_ATTRIBUTE_READONLY) != 0,
        .no_follow = (c->options & FILE_OPEN_REPARSE_POINT) != 0,
    };
    uint32_t status;
    bool existed;

    if (path->kind == PATH_PIPE || !disposition_of(c->disposition, &how.disposition))
        return STATUS_INVALID_PARAMETER;
    if (!is_synchronous(c))
        how.flags |= FILE_OVERLAPPED;
    if (c->options & FILE_NO_INTERMEDIATE_BUFFERING)
        how.flags |= FILE_DIRECT;
    if (c->options & FILE_DELETE_ON_CLOSE)
        how.flags |= FILE_DELETE_AT_CLOSE;
    if (path->kind != PATH_FILE)
        how.disposition = DISK_OPEN_EXISTING; /* a device is always there */
    status = disk_open(path->text, &how, out, &existed);
    if (status != STATUS_SUCCESS)
        return status;
    if ((c->options & FILE_DIRECTORY_FILE) && (*out)->kind != FILE_KIND_DIR) {
        file_put(*out);
        return STATUS_NOT_A_DIRECTORY;
    }
    c->done = what_was_done(c->disposition, existed);
    return STATUS_SUCCESS;
}

static uint32_t open_name(const char *name, struct creation *c, struct file **out)
{
    struct path path;
    const char *rest;
    uint32_t status;

    if (is_afd(name)) {
        c->done = FILE_OPENED;
        return afd_device_new(is_synchronous(c) ? 0 : FILE_OVERLAPPED, out);
    }
    rest = after(name, "\\??\\");
    if (!rest)
        rest = after(name, "\\DosDevices\\");
    if (!rest)
        return name[0] == '\\' ? STATUS_OBJECT_PATH_NOT_FOUND : STATUS_OBJECT_PATH_SYNTAX_BAD;
    status = path_parse(&path, rest);
    return status == STATUS_SUCCESS ? open_path(&path, c, out) : status;
}

/* A name that begins at an open directory; without one it is that directory. */
static uint32_t open_below(HANDLE root, const char *name, struct creation *c, struct file **out)
{
    struct path path = {.kind = PATH_FILE}, full = {.kind = PATH_FILE};
    char link[48];
    struct file *dir;
    size_t room;
    ssize_t n;
    uint32_t status = file_from_handle((uintptr_t)root, true, &dir, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir->fd);
    n = dir->kind == FILE_KIND_DIR ? readlink(link, full.text, sizeof full.text) : -1;
    file_put(dir);
    if (n <= 0 || n >= (ssize_t)sizeof full.text)
        return STATUS_OBJECT_PATH_NOT_FOUND;
    full.text[n] = 0; /* as it is here: it may have backslashes */
    if (name)
        status = path_parse(&path, name);
    if (status != STATUS_SUCCESS)
        return status;
    if (path.kind != PATH_FILE || path.text[0] == '/')
        return STATUS_OBJECT_NAME_INVALID;
    room = sizeof full.text - (size_t)n;
    if (name && (size_t)snprintf(full.text + n, room, "/%s", path.text) >= room)
        return STATUS_NAME_TOO_LONG;
    return open_path(&full, c, out);
}

static uint32_t create(const OBJECT_ATTRIBUTES *attributes, struct creation *c, HANDLE *handle)
{
    bool inherit = attributes->Attributes & OBJ_INHERIT;
    struct file *f;
    uintptr_t h;
    char *name;
    uint32_t status = nt_string(attributes->ObjectName, &name);

    if (status != STATUS_SUCCESS)
        return status;
    if (attributes->RootDirectory)
        status = open_below(attributes->RootDirectory, name, c, &f);
    else if (!name)
        status = STATUS_OBJECT_PATH_SYNTAX_BAD;
    else
        status = open_name(name, c, &f);
    free(name);
    if (status != STATUS_SUCCESS)
        return status;
    if (inherit)
        fcntl(f->fd, F_SETFD, 0);
    status = file_publish(f, inherit ? HANDLE_INHERIT : 0, &h);
    if (status == STATUS_SUCCESS)
        *handle = (HANDLE)h;
    return status;
}

NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                            PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                            ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    struct creation c = {.access = DesiredAccess, .attributes = FileAttributes, .share = ShareAccess,
                         .disposition = CreateDisposition, .options = CreateOptions};
    uint32_t status;

    (void)AllocationSize; /* a hint */
    (void)EaBuffer;       /* extended attributes of AFD sockets say what socket() says better */
    (void)EaLength;
    if (!FileHandle || !ObjectAttributes || !IoStatusBlock)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = create(ObjectAttributes, &c, FileHandle);
    if (status == STATUS_SUCCESS) {
        IoStatusBlock->Status = (NTSTATUS)status;
        IoStatusBlock->Information = c.done;
    }
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                          PIO_STATUS_BLOCK IoStatusBlock, ULONG ShareAccess, ULONG OpenOptions)
{
    return NtCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0, ShareAccess,
                        FILE_OPEN, OpenOptions, NULL, 0);
}
