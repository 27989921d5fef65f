/* SPDX-License-Identifier: MIT */
/*
 * corecrt.h, and what the files of the C run-time share.
 */
#include <windows.h>

#include "api/crt.h"
#include "base/status.h"
#include "base/text.h"

#include <errno.h>
#include <ntstatus.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic(_invalid_parameter_handler) handler_of_all;
static _Thread_local _invalid_parameter_handler handler_of_thread;

_invalid_parameter_handler _set_invalid_parameter_handler(_invalid_parameter_handler handler)
{
    return atomic_exchange(&handler_of_all, handler);
}

_invalid_parameter_handler _get_invalid_parameter_handler(void)
{
    return atomic_load(&handler_of_all);
}

_invalid_parameter_handler _set_thread_local_invalid_parameter_handler(_invalid_parameter_handler handler)
{
    _invalid_parameter_handler old = handler_of_thread;

    handler_of_thread = handler;
    return old;
}

_invalid_parameter_handler _get_thread_local_invalid_parameter_handler(void)
{
    return handler_of_thread;
}

int crt_invalid(int error)
{
    _invalid_parameter_handler handler = handler_of_thread;

    errno = error;
    if (!handler)
        handler = atomic_load(&handler_of_all);
    if (handler) {
        handler(NULL, NULL, NULL, 0, 0);
        errno = error;
    }
    return error;
}

errno_t _get_errno(int *value)
{
    if (!value)
        return crt_invalid(EINVAL);
    *value = errno;
    return 0;
}

/* Microsoft's functions set both at once. Here errno is what they set, and this is made from it. */
unsigned long *__doserrno(void)
{
    static _Thread_local unsigned long value;

    value = status_to_win32(status_from_errno(errno));
    return &value;
}

errno_t _set_errno(int value)
{
    errno = value;
    return 0;
}

int *_errno(void)
{
    return &errno;
}

/* ---- names ---- */

const char *crt_path(struct path *path, const char *name)
{
    if (!name) {
        crt_invalid(EINVAL);
        return NULL;
    }
    if (path_parse(path, name) != STATUS_SUCCESS || path->kind == PATH_PIPE) {
        errno = ENOENT;
        return NULL;
    }
    return path->text;
}

char *crt_name_new(const uint16_t *name)
{
    char *copy;

    if (!name) {
        crt_invalid(EINVAL);
        return NULL;
    }
    copy = text_utf8_new(name);
    if (!copy)
        errno = ENOMEM;
    return copy;
}
