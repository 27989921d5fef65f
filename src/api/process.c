/* SPDX-License-Identifier: MIT */
/*
 * process.h: the C run-time's way of starting threads. _beginthread closes its handle itself when
 * the thread ends, _beginthreadex leaves that to the program.
 */
#include "api/api.h"
#include "object/handle.h"
#include "wait/thread.h"

#include <windows.h>

#include <process.h>

#include <errno.h>
#include <stdlib.h>

struct begin {
    void (*start)(void *);
    void *arg;
    HANDLE handle; /* closed by the thread */
};

static _Thread_local HANDLE closed_at_end;

static DWORD WINAPI run_begun(void *arg)
{
    struct begin b = *(struct begin *)arg;

    free(arg);
    closed_at_end = b.handle;
    b.start(b.arg);
    _endthread();
    return 0;
}

static void set_errno(void)
{
    errno = last_error_get() == ERROR_INVALID_PARAMETER ? EINVAL : EAGAIN;
}

uintptr_t _beginthread(void (*start_address)(void *), unsigned stack_size, void *arglist)
{
    struct begin *b = malloc(sizeof *b);

    if (!b || !start_address) {
        errno = b ? EINVAL : ENOMEM;
        free(b);
        return (uintptr_t)-1;
    }
    b->start = start_address;
    b->arg = arglist;
    b->handle = CreateThread(NULL, stack_size, run_begun, b, CREATE_SUSPENDED, NULL);
    if (!b->handle) {
        set_errno();
        free(b);
        return (uintptr_t)-1;
    }
    uintptr_t h = (uintptr_t)b->handle; /* b is the thread's from here on */

    ResumeThread((HANDLE)h);
    return h;
}

void _endthread(void)
{
    HANDLE h = closed_at_end;

    closed_at_end = NULL;
    if (h)
        handle_close((uintptr_t)h);
    thread_exit(0);
}

uintptr_t _beginthreadex(void *security, unsigned stack_size, unsigned (*start_address)(void *),
                         void *arglist, unsigned initflag, unsigned *thrdaddr)
{
    HANDLE h = CreateThread(security, stack_size, (LPTHREAD_START_ROUTINE)start_address, arglist,
                            initflag, (LPDWORD)thrdaddr);

    if (!h)
        set_errno();
    return (uintptr_t)h;
}

void _endthreadex(unsigned retval)
{
    thread_exit(retval);
}
