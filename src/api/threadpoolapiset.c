/* SPDX-License-Identifier: MIT */
/*
 * threadpoolapiset.h: the thread pool. The program's pointers are those to the structs of the pool room;
 * what is not a pointer from a Create function cannot be told, as on Windows.
 */
#include "api/api.h"
#include "api/handles.h"
#include "api/threadpool.h"
#include "base/clock.h"
#include "io/file.h"
#include "wait/userlock.h"

#include <ntstatus.h>
#include <windows.h>

static struct task_env env_from(const TP_CALLBACK_ENVIRON *environment)
{
    struct task_env env = {.pool = NULL};

    if (!environment)
        return env;
    env.pool = (struct pool *)environment->Pool;
    env.group = (struct group *)environment->CleanupGroup;
    env.cancelled = environment->CleanupGroupCancelCallback;
    env.runs_long = environment->u.s.LongFunction;
    env.persistent = environment->u.s.Persistent;
    return env;
}

/* A new task, or NULL and the last error. */
static struct task *made(uint32_t status, struct task *t)
{
    if (status == STATUS_SUCCESS)
        return t;
    win32_fail(status);
    return NULL;
}

static uint64_t deadline_from_filetime(const FILETIME *time)
{
    return deadline_from_due((int64_t)((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime));
}

/* ---- pools ---- */

PTP_POOL WINAPI CreateThreadpool(PVOID reserved)
{
    struct pool *pool = NULL;
    uint32_t status = reserved ? (uint32_t)STATUS_INVALID_PARAMETER : pool_new(&pool);

    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return (PTP_POOL)pool;
}

VOID WINAPI CloseThreadpool(PTP_POOL ptpp)
{
    pool_unuse((struct pool *)ptpp);
}

VOID WINAPI SetThreadpoolThreadMaximum(PTP_POOL ptpp, DWORD cthrdMost)
{
    pool_set_max((struct pool *)ptpp, cthrdMost);
}

BOOL WINAPI SetThreadpoolThreadMinimum(PTP_POOL ptpp, DWORD cthrdMic)
{
    return win32_result(pool_set_min((struct pool *)ptpp, cthrdMic));
}

BOOL WINAPI SetThreadpoolStackInformation(PTP_POOL ptpp, PTP_POOL_STACK_INFORMATION ptpsi)
{
    if (!ptpsi || (ptpsi->StackReserve && ptpsi->StackReserve < ptpsi->StackCommit))
        return win32_result(STATUS_INVALID_PARAMETER);
    pool_set_stack((struct pool *)ptpp, ptpsi->StackReserve, ptpsi->StackCommit);
    return TRUE;
}

BOOL WINAPI QueryThreadpoolStackInformation(PTP_POOL ptpp, PTP_POOL_STACK_INFORMATION ptpsi)
{
    if (!ptpsi)
        return win32_result(STATUS_INVALID_PARAMETER);
    pool_get_stack((struct pool *)ptpp, &ptpsi->StackReserve, &ptpsi->StackCommit);
    return TRUE;
}

/* ---- cleanup groups ---- */

PTP_CLEANUP_GROUP WINAPI CreateThreadpoolCleanupGroup(VOID)
{
    struct group *g = NULL;
    uint32_t status = group_new(&g);

    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return (PTP_CLEANUP_GROUP)g;
}

VOID WINAPI CloseThreadpoolCleanupGroupMembers(PTP_CLEANUP_GROUP ptpcg, BOOL fCancelPendingCallbacks,
                                               PVOID pvCleanupContext)
{
    group_close_members((struct group *)ptpcg, fCancelPendingCallbacks, pvCleanupContext);
}

VOID WINAPI CloseThreadpoolCleanupGroup(PTP_CLEANUP_GROUP ptpcg)
{
    group_put((struct group *)ptpcg);
}

/* ---- work ---- */

BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK pfns, PVOID pv, PTP_CALLBACK_ENVIRON pcbe)
{
    struct task_env env = env_from(pcbe);

    return win32_result(pfns ? simple_submit(&env, pfns, pv) : (uint32_t)STATUS_INVALID_PARAMETER);
}

PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK pfnwk, PVOID pv, PTP_CALLBACK_ENVIRON pcbe)
{
    struct task_env env = env_from(pcbe);
    struct task *t = NULL;
    uint32_t status = pfnwk ? work_new(&env, pfnwk, pv, &t) : (uint32_t)STATUS_INVALID_PARAMETER;

    return (PTP_WORK)made(status, t);
}

VOID WINAPI SubmitThreadpoolWork(PTP_WORK pwk)
{
    task_submit((struct task *)pwk);
}

VOID WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK pwk, BOOL fCancelPendingCallbacks)
{
    task_wait((struct task *)pwk, fCancelPendingCallbacks);
}

VOID WINAPI CloseThreadpoolWork(PTP_WORK pwk)
{
    task_close((struct task *)pwk);
}

/* ---- timers ---- */

PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK pfnti, PVOID pv, PTP_CALLBACK_ENVIRON pcbe)
{
    struct task_env env = env_from(pcbe);
    struct task *t = NULL;
    uint32_t status = pfnti ? pool_timer_new(&env, pfnti, pv, &t) : (uint32_t)STATUS_INVALID_PARAMETER;

    return (PTP_TIMER)made(status, t);
}

BOOL WINAPI SetThreadpoolTimerEx(PTP_TIMER pti, PFILETIME pftDueTime, DWORD msPeriod, DWORD msWindowLength)
{
    (void)msWindowLength;
    if (!pftDueTime)
        return pool_timer_stop((struct task *)pti);
    return pool_timer_set((struct task *)pti, deadline_from_filetime(pftDueTime), msPeriod);
}

VOID WINAPI SetThreadpoolTimer(PTP_TIMER pti, PFILETIME pftDueTime, DWORD msPeriod, DWORD msWindowLength)
{
    SetThreadpoolTimerEx(pti, pftDueTime, msPeriod, msWindowLength);
}

BOOL WINAPI IsThreadpoolTimerSet(PTP_TIMER pti)
{
    return pool_timer_is_set((struct task *)pti);
}

VOID WINAPI WaitForThreadpoolTimerCallbacks(PTP_TIMER pti, BOOL fCancelPendingCallbacks)
{
    task_wait((struct task *)pti, fCancelPendingCallbacks);
}

VOID WINAPI CloseThreadpoolTimer(PTP_TIMER pti)
{
    task_close((struct task *)pti);
}

/* ---- waits ---- */

uint32_t threadpool_waitable_get(const void *handle, struct object **out)
{
    uint32_t status = api_waitable_get(handle, out);

    if (status == STATUS_SUCCESS && (*out)->type->kind == OBJECT_MUTEX) {
        object_put(*out);
        status = STATUS_INVALID_PARAMETER;
    }
    return status;
}

PTP_WAIT WINAPI CreateThreadpoolWait(PTP_WAIT_CALLBACK pfnwa, PVOID pv, PTP_CALLBACK_ENVIRON pcbe)
{
    struct task_env env = env_from(pcbe);
    struct task *t = NULL;
    uint32_t status = pfnwa ? pool_wait_new(&env, pfnwa, pv, &t) : (uint32_t)STATUS_INVALID_PARAMETER;

    return (PTP_WAIT)made(status, t);
}

BOOL WINAPI SetThreadpoolWaitEx(PTP_WAIT pwa, HANDLE h, PFILETIME pftTimeout, PVOID Reserved)
{
    struct object *obj = NULL;
    uint32_t status = STATUS_SUCCESS;
    BOOL in_time;

    (void)Reserved;
    if (h)
        status = threadpool_waitable_get(h, &obj);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    in_time = pool_wait_set((struct task *)pwa, obj,
                            pftTimeout ? deadline_from_filetime(pftTimeout) : DEADLINE_NEVER);
    if (obj)
        object_put(obj);
    return in_time;
}

VOID WINAPI SetThreadpoolWait(PTP_WAIT pwa, HANDLE h, PFILETIME pftTimeout)
{
    SetThreadpoolWaitEx(pwa, h, pftTimeout, NULL);
}

VOID WINAPI WaitForThreadpoolWaitCallbacks(PTP_WAIT pwa, BOOL fCancelPendingCallbacks)
{
    task_wait((struct task *)pwa, fCancelPendingCallbacks);
}

VOID WINAPI CloseThreadpoolWait(PTP_WAIT pwa)
{
    task_close((struct task *)pwa);
}

/* ---- I/O ---- */

PTP_IO WINAPI CreateThreadpoolIo(HANDLE fl, PTP_WIN32_IO_CALLBACK pfnio, PVOID pv, PTP_CALLBACK_ENVIRON pcbe)
{
    struct task_env env = env_from(pcbe);
    struct task *t = NULL;
    struct file *f;
    uint32_t status = pfnio ? file_from_handle_fresh((uintptr_t)fl, &f) : (uint32_t)STATUS_INVALID_PARAMETER;

    if (status == STATUS_SUCCESS) {
        status = pool_io_new(&env, f, pfnio, pv, &t);
        file_put(f);
    }
    return (PTP_IO)made(status, t);
}

VOID WINAPI StartThreadpoolIo(PTP_IO pio)
{
    task_expect((struct task *)pio);
}

VOID WINAPI CancelThreadpoolIo(PTP_IO pio)
{
    task_expect_less((struct task *)pio);
}

VOID WINAPI WaitForThreadpoolIoCallbacks(PTP_IO pio, BOOL fCancelPendingCallbacks)
{
    task_wait((struct task *)pio, fCancelPendingCallbacks);
}

VOID WINAPI CloseThreadpoolIo(PTP_IO pio)
{
    task_close((struct task *)pio);
}

/* ---- inside a callback ---- */

static struct run *run_of(PTP_CALLBACK_INSTANCE pci)
{
    return (struct run *)pci;
}

static void when_done(HANDLE h, int kind, struct object **slot)
{
    struct object *obj;
    uint32_t status = api_object_get(h, kind, &obj);

    if (status == STATUS_SUCCESS)
        run_when_done(slot, obj);
    else
        win32_fail(status);
}

VOID WINAPI SetEventWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE evt)
{
    when_done(evt, OBJECT_EVENT, &run_of(pci)->event);
}

VOID WINAPI ReleaseSemaphoreWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE sem, DWORD crel)
{
    run_of(pci)->release_count = (int32_t)crel;
    when_done(sem, OBJECT_SEMAPHORE, &run_of(pci)->semaphore);
}

VOID WINAPI ReleaseMutexWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE mut)
{
    when_done(mut, OBJECT_MUTEX, &run_of(pci)->mutex);
}

VOID WINAPI LeaveCriticalSectionWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, PCRITICAL_SECTION pcs)
{
    run_of(pci)->section = (struct user_section *)pcs;
}

static void free_library(void *module)
{
    FreeLibrary(module);
}

VOID WINAPI FreeLibraryWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HMODULE mod)
{
    run_of(pci)->module = mod;
    run_of(pci)->free_module = free_library;
}

BOOL WINAPI CallbackMayRunLong(PTP_CALLBACK_INSTANCE pci)
{
    return run_may_be_long(run_of(pci));
}

VOID WINAPI DisassociateCurrentThreadFromCallback(PTP_CALLBACK_INSTANCE pci)
{
    run_disassociate(run_of(pci));
}
