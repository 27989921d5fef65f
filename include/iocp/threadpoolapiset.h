/* SPDX-License-Identifier: MIT */
/*
 * threadpoolapiset.h: the thread pool. Work, timers, waits and I/O are objects whose callbacks run on the
 * threads of a pool; cleanup groups close many at once. The inline functions that fill in a callback
 * environment are in winbase.h.
 *
 * Threads appear when something is to be run, a processor is free for it and no thread is idle; a thread that
 * blocks, or has called CallbackMayRunLong, is stood in for. They leave after 20 idle seconds
 * (IOCP_POOL_IDLE_MS in the environment says otherwise). They block all signals but those of faults.
 *
 * Objects: a Create function answers a pointer, which is closed with the Close function of its kind, or NULL
 * (ERROR_NOT_ENOUGH_MEMORY). `environment` may be NULL. Closing does not wait: callbacks that are pending
 * still run, and may still use the object; after the last one it is freed. WaitFor...Callbacks returns when
 * no callback is pending or running; with `cancel` those that have not begun never do. A callback must not
 * wait for itself, may close its own object, and may end its thread. After fork the child has no pool, and
 * the objects are its parent's. Callback priorities and finalization callbacks are not used. Page:
 * "threadpoolapiset.h header", learn.microsoft.com/windows/win32/api/threadpoolapiset/.
 */
#ifndef _THREADPOOLAPISET_H_
#define _THREADPOOLAPISET_H_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* error: a Win32 error code, 0 for success. */
typedef VOID(WINAPI *PTP_WIN32_IO_CALLBACK)(PTP_CALLBACK_INSTANCE Instance, PVOID Context, PVOID Overlapped,
                                            ULONG IoResult, ULONG_PTR NumberOfBytesTransferred, PTP_IO Io);

/* ---------- pools ---------- */

/* A pool of its own, named in an environment. reserved: NULL. Closing it lets its objects live on. */
WINBASEAPI PTP_POOL WINAPI CreateThreadpool(PVOID reserved) IOCP_SYM(CreateThreadpool);
WINBASEAPI VOID WINAPI CloseThreadpool(PTP_POOL pool) IOCP_SYM(CloseThreadpool);

/* At most so many threads (512 if never set, 1 at least): with 1, no two callbacks run at once. */
WINBASEAPI VOID WINAPI SetThreadpoolThreadMaximum(PTP_POOL pool, DWORD most)
    IOCP_SYM(SetThreadpoolThreadMaximum);

/* Starts so many threads, which stay. Raises the maximum if need be. ERROR_NO_SYSTEM_RESOURCES. */
WINBASEAPI BOOL WINAPI SetThreadpoolThreadMinimum(PTP_POOL pool, DWORD least)
    IOCP_SYM(SetThreadpoolThreadMinimum);

/* Bytes of stack for threads started from now on; StackCommit is remembered only. 0: as usual. */
WINBASEAPI BOOL WINAPI SetThreadpoolStackInformation(PTP_POOL pool, PTP_POOL_STACK_INFORMATION information)
    IOCP_SYM(SetThreadpoolStackInformation);
WINBASEAPI BOOL WINAPI QueryThreadpoolStackInformation(PTP_POOL pool, PTP_POOL_STACK_INFORMATION information)
    IOCP_SYM(QueryThreadpoolStackInformation);

/* ---------- cleanup groups ---------- */

WINBASEAPI PTP_CLEANUP_GROUP WINAPI CreateThreadpoolCleanupGroup(VOID) IOCP_SYM(CreateThreadpoolCleanupGroup);

/*
 * Closes every object made with the group (they must not be closed again) and waits for their callbacks;
 * with cancel, those that have not begun are dropped, and the group's callback is called for each object
 * with the object's context and cleanup_context.
 */
WINBASEAPI VOID WINAPI CloseThreadpoolCleanupGroupMembers(PTP_CLEANUP_GROUP group, BOOL cancel,
                                                          PVOID cleanup_context)
    IOCP_SYM(CloseThreadpoolCleanupGroupMembers);

/* The group itself; members that are still there stay open. */
WINBASEAPI VOID WINAPI CloseThreadpoolCleanupGroup(PTP_CLEANUP_GROUP group)
    IOCP_SYM(CloseThreadpoolCleanupGroup);

/* ---------- work ---------- */

/* One callback without an object. ERROR_NOT_ENOUGH_MEMORY. */
WINBASEAPI BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK callback, PVOID context,
                                                   PTP_CALLBACK_ENVIRON environment)
    IOCP_SYM(TrySubmitThreadpoolCallback);

WINBASEAPI PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK callback, PVOID context,
                                                PTP_CALLBACK_ENVIRON environment)
    IOCP_SYM(CreateThreadpoolWork);

/*
 * One callback for each call; they may run at the same time. Cannot fail. Nothing happens while a cleanup
 * group cancels its members, and when the work's own callback calls while a wait cancels, or its group is
 * closed.
 */
WINBASEAPI VOID WINAPI SubmitThreadpoolWork(PTP_WORK work) IOCP_SYM(SubmitThreadpoolWork);
/* Waits for what was submitted. With cancel, for the callbacks that have begun; the others are dropped. */
WINBASEAPI VOID WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK work, BOOL cancel)
    IOCP_SYM(WaitForThreadpoolWorkCallbacks);
WINBASEAPI VOID WINAPI CloseThreadpoolWork(PTP_WORK work) IOCP_SYM(CloseThreadpoolWork);

/* ---------- timers ---------- */

WINBASEAPI PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK callback, PVOID context,
                                                  PTP_CALLBACK_ENVIRON environment)
    IOCP_SYM(CreateThreadpoolTimer);

/*
 * Replaces what was set. due: in 100 ns, negative from now, else since 1601 (0: at once); NULL: nothing more,
 * though callbacks that are pending still run. period, window: milliseconds; 0: once. Nothing is late on
 * purpose, so the window has no effect. The second answers TRUE if what was set had still been to come.
 */
WINBASEAPI VOID WINAPI SetThreadpoolTimer(PTP_TIMER timer, PFILETIME due, DWORD period, DWORD window)
    IOCP_SYM(SetThreadpoolTimer);
WINBASEAPI BOOL WINAPI SetThreadpoolTimerEx(PTP_TIMER timer, PFILETIME due, DWORD period, DWORD window)
    IOCP_SYM(SetThreadpoolTimerEx);

/* Was it set last to a time, and not to NULL? */
WINBASEAPI BOOL WINAPI IsThreadpoolTimerSet(PTP_TIMER timer) IOCP_SYM(IsThreadpoolTimerSet);
WINBASEAPI VOID WINAPI WaitForThreadpoolTimerCallbacks(PTP_TIMER timer, BOOL cancel)
    IOCP_SYM(WaitForThreadpoolTimerCallbacks);
WINBASEAPI VOID WINAPI CloseThreadpoolTimer(PTP_TIMER timer) IOCP_SYM(CloseThreadpoolTimer);

/* ---------- waits ---------- */

WINBASEAPI PTP_WAIT WINAPI CreateThreadpoolWait(PTP_WAIT_CALLBACK callback, PVOID context,
                                                PTP_CALLBACK_ENVIRON environment)
    IOCP_SYM(CreateThreadpoolWait);

/*
 * One callback when the object is signalled (WAIT_OBJECT_0; an auto-reset event is consumed for it) or when
 * the time is over (WAIT_TIMEOUT). Replaces what was set; handle NULL: nothing more. timeout: as due above,
 * NULL for ever. Takes no thread: any number of waits may be set. A handle that is none, or a mutex's, sets
 * nothing: last error ERROR_INVALID_HANDLE or ERROR_INVALID_PARAMETER (Windows raises an exception). The
 * second answers TRUE if what was set had still been to come. reserved: NULL.
 */
WINBASEAPI VOID WINAPI SetThreadpoolWait(PTP_WAIT wait, HANDLE handle, PFILETIME timeout)
    IOCP_SYM(SetThreadpoolWait);
WINBASEAPI BOOL WINAPI SetThreadpoolWaitEx(PTP_WAIT wait, HANDLE handle, PFILETIME timeout, PVOID reserved)
    IOCP_SYM(SetThreadpoolWaitEx);
WINBASEAPI VOID WINAPI WaitForThreadpoolWaitCallbacks(PTP_WAIT wait, BOOL cancel)
    IOCP_SYM(WaitForThreadpoolWaitCallbacks);
WINBASEAPI VOID WINAPI CloseThreadpoolWait(PTP_WAIT wait) IOCP_SYM(CloseThreadpoolWait);

/* ---------- I/O ---------- */

/*
 * Every completion of the handle, opened for overlapped I/O and not yet associated with a port, goes to the
 * callback. ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (not overlapped, or associated already).
 */
WINBASEAPI PTP_IO WINAPI CreateThreadpoolIo(HANDLE file, PTP_WIN32_IO_CALLBACK callback, PVOID context,
                                            PTP_CALLBACK_ENVIRON environment) IOCP_SYM(CreateThreadpoolIo);

/*
 * To be called before each operation; CancelThreadpoolIo after one that will not complete: it failed at once,
 * or succeeded at once on a handle with FILE_SKIP_COMPLETION_PORT_ON_SUCCESS. A completion that was not
 * announced is dropped.
 */
WINBASEAPI VOID WINAPI StartThreadpoolIo(PTP_IO io) IOCP_SYM(StartThreadpoolIo);
WINBASEAPI VOID WINAPI CancelThreadpoolIo(PTP_IO io) IOCP_SYM(CancelThreadpoolIo);

/* Waits for what was announced. With cancel it does not, and callbacks that have not begun are dropped; the
 * operations go on, and their OVERLAPPED and buffers stay in use until they are done. */
WINBASEAPI VOID WINAPI WaitForThreadpoolIoCallbacks(PTP_IO io, BOOL cancel)
    IOCP_SYM(WaitForThreadpoolIoCallbacks);
WINBASEAPI VOID WINAPI CloseThreadpoolIo(PTP_IO io) IOCP_SYM(CloseThreadpoolIo);

/* ---------- inside a callback ---------- */

/* What is done right after the callback has returned; of each kind the last call counts. Handles are looked
 * up at once: one that is none does nothing. */
WINBASEAPI VOID WINAPI SetEventWhenCallbackReturns(PTP_CALLBACK_INSTANCE instance, HANDLE event)
    IOCP_SYM(SetEventWhenCallbackReturns);
WINBASEAPI VOID WINAPI ReleaseSemaphoreWhenCallbackReturns(PTP_CALLBACK_INSTANCE instance, HANDLE semaphore,
                                                           DWORD count)
    IOCP_SYM(ReleaseSemaphoreWhenCallbackReturns);
WINBASEAPI VOID WINAPI ReleaseMutexWhenCallbackReturns(PTP_CALLBACK_INSTANCE instance, HANDLE mutex)
    IOCP_SYM(ReleaseMutexWhenCallbackReturns);
WINBASEAPI VOID WINAPI LeaveCriticalSectionWhenCallbackReturns(PTP_CALLBACK_INSTANCE instance,
                                                               PCRITICAL_SECTION section)
    IOCP_SYM(LeaveCriticalSectionWhenCallbackReturns);
WINBASEAPI VOID WINAPI FreeLibraryWhenCallbackReturns(PTP_CALLBACK_INSTANCE instance, HMODULE module)
    IOCP_SYM(FreeLibraryWhenCallbackReturns);

/* The callback may take long: other threads serve the pool from now on. FALSE: the maximum leaves none. */
WINBASEAPI BOOL WINAPI CallbackMayRunLong(PTP_CALLBACK_INSTANCE instance) IOCP_SYM(CallbackMayRunLong);

/* The callback does not count as running any more: its object may be waited for. */
WINBASEAPI VOID WINAPI DisassociateCurrentThreadFromCallback(PTP_CALLBACK_INSTANCE instance)
    IOCP_SYM(DisassociateCurrentThreadFromCallback);

IOCP_EXTERN_C_END

#endif
