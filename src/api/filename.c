/* SPDX-License-Identifier: MIT */
/*
 * Names and handles for the file functions; see filename.h.
 */
#include "api/filename.h"

#include "api/api.h"
#include "base/text.h"

#include <ntstatus.h>
#include <string.h>

static bool settle(uint32_t status)
{
    if (status == STATUS_SUCCESS)
        return true;
    win32_fail(status);
    return false;
}

/* A pipe's name is no path; its functions parse for themselves. */
static uint32_t only_paths(uint32_t status, const struct path *path)
{
    if (status == STATUS_SUCCESS && path->kind == PATH_PIPE)
        return STATUS_OBJECT_NAME_INVALID;
    return status;
}

bool filename_a(struct path *path, const char *name)
{
    if (!name)
        return settle(STATUS_OBJECT_PATH_NOT_FOUND);
    return settle(only_paths(path_parse(path, name), path));
}

bool filename_w(struct path *path, const void *name)
{
    if (!name)
        return settle(STATUS_OBJECT_PATH_NOT_FOUND);
    return settle(only_paths(path_parse16(path, name), path));
}

uint32_t filename_handle(void *handle, uint32_t rights, struct file **out)
{
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)handle, false, out, &access);

    if (status != STATUS_SUCCESS)
        return status == STATUS_OBJECT_TYPE_MISMATCH ? (uint32_t)STATUS_INVALID_HANDLE : status;
    if ((access & rights) == rights)
        return STATUS_SUCCESS;
    file_put(*out);
    return STATUS_ACCESS_DENIED;
}

uint32_t filename_out_a(const char *text, char *buffer, uint32_t size)
{
    size_t length = strlen(text);

    if (length >= size || !buffer)
        return (uint32_t)length + 1;
    memcpy(buffer, text, length + 1);
    return (uint32_t)length;
}

uint32_t filename_out_w(const char *text, void *buffer, uint32_t size)
{
    size_t length = strlen(text);
    uint16_t *out = buffer;
    uint32_t units = (uint32_t)text_to_utf16(text, length, NULL, 0, false);

    if (units >= size || !out)
        return units + 1;
    text_to_utf16(text, length, out, units, false);
    out[units] = 0;
    return units;
}
