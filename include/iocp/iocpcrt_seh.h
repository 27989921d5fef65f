/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_seh.h: the words of structured exception handling. There are no structured exceptions: a
 * fault is a signal. So __try is a block that runs, __except a block that does not, and __finally one
 * that runs after it.
 *
 * C: __leave jumps to the end of the __try block if the program defines IOCP_SEH_LEAVE before the
 * first header of ours; then a function may have one __try only. Without it __leave does not compile. A
 * return or goto out of __try does not run __finally.
 * C++: __try is the C++ library's word for try; __leave throws a type of ours, and __finally runs when
 * the block ends that way or by itself, not when another exception passes.
 */
#ifndef IOCP_CRT_SEH_H
#define IOCP_CRT_SEH_H

#ifndef _MSC_VER
#ifdef __cplusplus
extern "C++" { /* programs include windows.h inside extern "C" */
#include <exception> /* brings __try, and must come before ours is looked at */
namespace iocp_seh {
struct leave {};
struct never {};
}
}
#ifndef __try
#define __try try
#endif
#ifndef __except
#define __except(filter) catch (const iocp_seh::leave &) {} catch (const iocp_seh::never &)
#endif
#ifndef __finally
#define __finally catch (const iocp_seh::leave &) {}
#endif
#ifndef __leave
#define __leave throw iocp_seh::leave()
#endif
#else
#ifndef __try
#define __try
#endif
#ifdef IOCP_SEH_LEAVE
#define __except(filter) iocp_seh_leave: __attribute__((__unused__)); if (0)
#define __finally        iocp_seh_leave: __attribute__((__unused__));
#else
#ifndef __except
#define __except(filter) if (0)
#endif
#ifndef __finally
#define __finally
#endif
#endif
#ifndef __leave
#define __leave goto iocp_seh_leave
#endif
#endif

/* What a filter or a handler asks: it never runs. */
#ifndef GetExceptionCode
#define GetExceptionCode()          0u
#define _exception_code()           0u
#define GetExceptionInformation()   ((struct _EXCEPTION_POINTERS *)0)
#define _exception_info()           ((struct _EXCEPTION_POINTERS *)0)
#define AbnormalTermination()       0
#define _abnormal_termination()     0
#endif
#ifndef EXCEPTION_EXECUTE_HANDLER
#define EXCEPTION_EXECUTE_HANDLER    1
#define EXCEPTION_CONTINUE_SEARCH    0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#endif
#endif

#endif
