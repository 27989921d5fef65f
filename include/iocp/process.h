/* SPDX-License-Identifier: MIT */
/*
 * process.h: the C run-time's way of starting threads, and the process id. What <unistd.h> and
 * <stdlib.h> have under the same name (getpid, execv, exit, abort) comes from there.
 * Page: "_beginthread, _beginthreadex", learn.microsoft.com/cpp/c-runtime-library/reference/.
 */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <iocpdef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

IOCP_EXTERN_C_BEGIN

typedef void (*_beginthread_proc_type)(void *);
typedef unsigned (*_beginthreadex_proc_type)(void *);

/*
 * Starts a thread that closes its own handle when it returns or calls _endthread: the value answered may
 * be of no use any more. (uintptr_t)-1 on failure, with errno EINVAL, EAGAIN or ENOMEM.
 */
IOCP_API uintptr_t _beginthread(void (*start)(void *), unsigned stack_size, void *argument)
    IOCP_SYM(_beginthread);
IOCP_API DECLSPEC_NORETURN void _endthread(void) IOCP_SYM(_endthread);

/* CreateThread with the C run-time's types: the handle is the caller's to close, flags 0 or
 * CREATE_SUSPENDED, *id may be NULL. 0 on failure, with errno EINVAL or EAGAIN. */
IOCP_API uintptr_t _beginthreadex(void *security, unsigned stack_size, unsigned (*start)(void *),
                                  void *argument, unsigned flags, unsigned *id) IOCP_SYM(_beginthreadex);
IOCP_API DECLSPEC_NORETURN void _endthreadex(unsigned exit_code) IOCP_SYM(_endthreadex);

/* A function, not a macro: sources have `#define getpid _getpid`. */
static __inline__ __attribute__((__unused__)) int _getpid(void)
{
    return (int)getpid();
}

IOCP_EXTERN_C_END

#endif
