/* SPDX-License-Identifier: MIT */
/*
 * threadpoollegacyapiset.h: the thread pool before objects: work items, registered waits, timer queues, on
 * the default pool. RegisterWaitForSingleObject, UnregisterWait, DeleteTimerQueue and
 * BindIoCompletionCallback are in winbase.h.
 *
 * Flags: WT_EXECUTELONGFUNCTION frees the thread's place; WT_EXECUTEINPERSISTENTTHREAD and
 * WT_EXECUTEINIOTHREAD run on a thread that stays from then on, and runs APCs while it is idle;
 * WT_EXECUTEINWAITTHREAD and WT_EXECUTEINTIMERTHREAD run on one thread of that purpose, one after the other;
 * the others have no effect. Handles of this header are not for CloseHandle. Common errors:
 * ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY.
 *
 * `completion` of the functions that end something: INVALID_HANDLE_VALUE waits until its callbacks are
 * done, an event is set when they are. While a callback is pending or running, NULL and an event answer FALSE
 * with ERROR_IO_PENDING; the end has begun all the same.
 * Page: "threadpoollegacyapiset.h header", learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/.
 */
#ifndef _THREADPOOLLEGACYAPISET_H_
#define _THREADPOOLLEGACYAPISET_H_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* Runs the function once. */
WINBASEAPI BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE function, PVOID context, ULONG flags)
    IOCP_SYM(QueueUserWorkItem);

/* Ends a registered wait. */
WINBASEAPI BOOL WINAPI UnregisterWaitEx(HANDLE wait, HANDLE completion) IOCP_SYM(UnregisterWaitEx);

WINBASEAPI HANDLE WINAPI CreateTimerQueue(VOID) IOCP_SYM(CreateTimerQueue);

/*
 * Calls back after `due` milliseconds and then every `period` (0: once; WT_EXECUTEONLYONCE, too), even if an
 * earlier callback still runs. queue: NULL for the default one. The timer is deleted also when it has fired.
 */
WINBASEAPI BOOL WINAPI CreateTimerQueueTimer(PHANDLE timer, HANDLE queue, WAITORTIMERCALLBACK callback,
                                             PVOID context, DWORD due, DWORD period, ULONG flags)
    IOCP_SYM(CreateTimerQueueTimer);

/* New times from now on; without effect once a timer without a period has fired. */
WINBASEAPI BOOL WINAPI ChangeTimerQueueTimer(HANDLE queue, HANDLE timer, ULONG due, ULONG period)
    IOCP_SYM(ChangeTimerQueueTimer);
WINBASEAPI BOOL WINAPI DeleteTimerQueueTimer(HANDLE queue, HANDLE timer, HANDLE completion)
    IOCP_SYM(DeleteTimerQueueTimer);

/* Deletes the queue and all its timers. A timer that is being made in it meanwhile goes with the others, or
 * CreateTimerQueueTimer fails with ERROR_INVALID_HANDLE. */
WINBASEAPI BOOL WINAPI DeleteTimerQueueEx(HANDLE queue, HANDLE completion) IOCP_SYM(DeleteTimerQueueEx);

IOCP_EXTERN_C_END

#endif
