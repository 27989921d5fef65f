/* SPDX-License-Identifier: MIT */
/*
 * synchapi.h: events, semaphores, mutexes, waitable timers, waits and sleeping. Locks in the
 * program's own memory are in synchapi_lock.c.
 */
#include "api/api.h"
#include "api/handles.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "wait/objects.h"
#include "wait/wait.h"

#include <ntstatus.h>
#include <windows.h>

#include <sched.h>
#include <stdlib.h>

static bool inherits(const SECURITY_ATTRIBUTES *attributes)
{
    return attributes && attributes->bInheritHandle;
}

/* A name in UTF-8; *out is to be freed. false: no memory, or the last error is set. */
static bool name_from_wide(LPCWSTR name, char **out)
{
    *out = text_utf8_new((const uint16_t *)name);
    if (name && !*out) {
        win32_fail(STATUS_NO_MEMORY);
        return false;
    }
    return true;
}

/* ---- opening by name ---- */

static HANDLE open_named(enum object_kind kind, DWORD access, BOOL inherit, const char *name)
{
    struct object *obj = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;
    DWORD before = last_error_get();
    HANDLE h;

    if (name)
        status = object_find(name, kind, &obj);
    h = api_publish(status, obj, access, inherit);
    if (h)
        last_error_set(before);
    return h;
}

static HANDLE open_named_wide(enum object_kind kind, DWORD access, BOOL inherit, LPCWSTR name)
{
    char *text;
    HANDLE h;

    if (!name_from_wide(name, &text))
        return NULL;
    h = open_named(kind, access, inherit, text);
    free(text);
    return h;
}

HANDLE WINAPI OpenEventA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
    return open_named(OBJECT_EVENT, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenEventW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName)
{
    return open_named_wide(OBJECT_EVENT, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenSemaphoreA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
    return open_named(OBJECT_SEMAPHORE, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenSemaphoreW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName)
{
    return open_named_wide(OBJECT_SEMAPHORE, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenMutexA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpName)
{
    return open_named(OBJECT_MUTEX, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenMutexW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName)
{
    return open_named_wide(OBJECT_MUTEX, dwDesiredAccess, bInheritHandle, lpName);
}

HANDLE WINAPI OpenWaitableTimerA(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCSTR lpTimerName)
{
    return open_named(OBJECT_TIMER, dwDesiredAccess, bInheritHandle, lpTimerName);
}

HANDLE WINAPI OpenWaitableTimerW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpTimerName)
{
    return open_named_wide(OBJECT_TIMER, dwDesiredAccess, bInheritHandle, lpTimerName);
}

/* ---- events ---- */

HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess)
{
    struct object *obj = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (!(dwFlags & ~(DWORD)(CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET)))
        status = event_new(lpName, dwFlags & CREATE_EVENT_MANUAL_RESET,
                           dwFlags & CREATE_EVENT_INITIAL_SET, &obj);
    return api_publish(status, obj, dwDesiredAccess, inherits(lpEventAttributes));
}

HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess)
{
    char *name;
    HANDLE h;

    if (!name_from_wide(lpName, &name))
        return NULL;
    h = CreateEventExA(lpEventAttributes, name, dwFlags, dwDesiredAccess);
    free(name);
    return h;
}

static DWORD event_flags(BOOL manual, BOOL set)
{
    return (manual ? CREATE_EVENT_MANUAL_RESET : 0) | (set ? CREATE_EVENT_INITIAL_SET : 0);
}

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCSTR lpName)
{
    return CreateEventExA(lpEventAttributes, lpName, event_flags(bManualReset, bInitialState),
                          EVENT_ALL_ACCESS);
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCWSTR lpName)
{
    return CreateEventExW(lpEventAttributes, lpName, event_flags(bManualReset, bInitialState),
                          EVENT_ALL_ACCESS);
}

static uint32_t event_get(HANDLE event, struct object **out)
{
    return handle_get((uintptr_t)event, OBJECT_EVENT, out, NULL);
}

static BOOL event_change(HANDLE event, int32_t signal)
{
    struct object *obj;
    uint32_t status = event_get(event, &obj);

    if (status == STATUS_SUCCESS) {
        dispatcher_set(event_dispatcher(obj), signal);
        object_put(obj);
    }
    return win32_result(status);
}

BOOL WINAPI SetEvent(HANDLE hEvent)
{
    return event_change(hEvent, 1);
}

BOOL WINAPI ResetEvent(HANDLE hEvent)
{
    return event_change(hEvent, 0);
}

BOOL WINAPI PulseEvent(HANDLE hEvent)
{
    struct object *obj;
    uint32_t status = event_get(hEvent, &obj);

    if (status == STATUS_SUCCESS) {
        status = event_pulse(obj);
        object_put(obj);
    }
    return win32_result(status);
}

/* ---- semaphores ---- */

HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
                                 LONG lMaximumCount, LPCSTR lpName, DWORD dwFlags,
                                 DWORD dwDesiredAccess)
{
    struct object *obj = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (dwFlags == 0)
        status = semaphore_new(lpName, lInitialCount, lMaximumCount, &obj);
    return api_publish(status, obj, dwDesiredAccess, inherits(lpSemaphoreAttributes));
}

HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
                                 LONG lMaximumCount, LPCWSTR lpName, DWORD dwFlags,
                                 DWORD dwDesiredAccess)
{
    char *name;
    HANDLE h;

    if (!name_from_wide(lpName, &name))
        return NULL;
    h = CreateSemaphoreExA(lpSemaphoreAttributes, lInitialCount, lMaximumCount, name, dwFlags,
                           dwDesiredAccess);
    free(name);
    return h;
}

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
                               LONG lMaximumCount, LPCSTR lpName)
{
    return CreateSemaphoreExA(lpSemaphoreAttributes, lInitialCount, lMaximumCount, lpName, 0,
                              SEMAPHORE_ALL_ACCESS);
}

HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount,
                               LONG lMaximumCount, LPCWSTR lpName)
{
    return CreateSemaphoreExW(lpSemaphoreAttributes, lInitialCount, lMaximumCount, lpName, 0,
                              SEMAPHORE_ALL_ACCESS);
}

BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount)
{
    struct object *obj;
    int32_t previous = 0;
    uint32_t status = handle_get((uintptr_t)hSemaphore, OBJECT_SEMAPHORE, &obj, NULL);

    if (status == STATUS_SUCCESS) {
        status = semaphore_release(obj, lReleaseCount, &previous);
        object_put(obj);
    }
    if (status == STATUS_SUCCESS && lpPreviousCount)
        *lpPreviousCount = previous;
    return win32_result(status);
}

/* ---- mutexes ---- */

HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess)
{
    struct object *obj = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (!(dwFlags & ~(DWORD)CREATE_MUTEX_INITIAL_OWNER))
        status = mutex_new(lpName, dwFlags & CREATE_MUTEX_INITIAL_OWNER, &obj);
    return api_publish(status, obj, dwDesiredAccess, inherits(lpMutexAttributes));
}

HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCWSTR lpName, DWORD dwFlags,
                             DWORD dwDesiredAccess)
{
    char *name;
    HANDLE h;

    if (!name_from_wide(lpName, &name))
        return NULL;
    h = CreateMutexExA(lpMutexAttributes, name, dwFlags, dwDesiredAccess);
    free(name);
    return h;
}

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
                           LPCSTR lpName)
{
    return CreateMutexExA(lpMutexAttributes, lpName, bInitialOwner ? CREATE_MUTEX_INITIAL_OWNER : 0,
                          MUTEX_ALL_ACCESS);
}

HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
                           LPCWSTR lpName)
{
    return CreateMutexExW(lpMutexAttributes, lpName, bInitialOwner ? CREATE_MUTEX_INITIAL_OWNER : 0,
                          MUTEX_ALL_ACCESS);
}

BOOL WINAPI ReleaseMutex(HANDLE hMutex)
{
    struct object *obj;
    uint32_t status = handle_get((uintptr_t)hMutex, OBJECT_MUTEX, &obj, NULL);

    if (status == STATUS_SUCCESS) {
        status = mutex_release(obj);
        object_put(obj);
    }
    return win32_result(status);
}

/* ---- waitable timers ---- */

HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCSTR lpTimerName,
                                     DWORD dwFlags, DWORD dwDesiredAccess)
{
    DWORD known = CREATE_WAITABLE_TIMER_MANUAL_RESET | CREATE_WAITABLE_TIMER_HIGH_RESOLUTION;
    struct object *obj = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (!(dwFlags & ~known))
        status = timer_object_new(lpTimerName, dwFlags & CREATE_WAITABLE_TIMER_MANUAL_RESET, &obj);
    return api_publish(status, obj, dwDesiredAccess, inherits(lpTimerAttributes));
}

HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES lpTimerAttributes, LPCWSTR lpTimerName,
                                     DWORD dwFlags, DWORD dwDesiredAccess)
{
    char *name;
    HANDLE h;

    if (!name_from_wide(lpTimerName, &name))
        return NULL;
    h = CreateWaitableTimerExA(lpTimerAttributes, name, dwFlags, dwDesiredAccess);
    free(name);
    return h;
}

HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset,
                                   LPCSTR lpTimerName)
{
    return CreateWaitableTimerExA(lpTimerAttributes, lpTimerName,
                                  bManualReset ? CREATE_WAITABLE_TIMER_MANUAL_RESET : 0,
                                  TIMER_ALL_ACCESS);
}

HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset,
                                   LPCWSTR lpTimerName)
{
    return CreateWaitableTimerExW(lpTimerAttributes, lpTimerName,
                                  bManualReset ? CREATE_WAITABLE_TIMER_MANUAL_RESET : 0,
                                  TIMER_ALL_ACCESS);
}

BOOL WINAPI SetWaitableTimer(HANDLE hTimer, const LARGE_INTEGER *lpDueTime, LONG lPeriod,
                             PTIMERAPCROUTINE pfnCompletionRoutine, LPVOID lpArgToCompletionRoutine,
                             BOOL fResume)
{
    struct object *obj;
    uint32_t status;

    if (!lpDueTime)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = handle_get((uintptr_t)hTimer, OBJECT_TIMER, &obj, NULL);
    if (status == STATUS_SUCCESS) {
        status = timer_object_set(obj, lpDueTime->QuadPart, lPeriod,
                                  (void (*)(void *, uint32_t, uint32_t))pfnCompletionRoutine,
                                  lpArgToCompletionRoutine);
        object_put(obj);
    }
    if (status == STATUS_SUCCESS && fResume)
        last_error_set(ERROR_NOT_SUPPORTED); /* a success, as on machines that cannot wake up */
    return win32_result(status);
}

BOOL WINAPI SetWaitableTimerEx(HANDLE hTimer, const LARGE_INTEGER *lpDueTime, LONG lPeriod,
                               PTIMERAPCROUTINE pfnCompletionRoutine,
                               LPVOID lpArgToCompletionRoutine, PREASON_CONTEXT WakeContext,
                               ULONG TolerableDelay)
{
    (void)WakeContext;
    (void)TolerableDelay; /* ours are never late on purpose */
    return SetWaitableTimer(hTimer, lpDueTime, lPeriod, pfnCompletionRoutine,
                            lpArgToCompletionRoutine, FALSE);
}

BOOL WINAPI CancelWaitableTimer(HANDLE hTimer)
{
    struct object *obj;
    uint32_t status = handle_get((uintptr_t)hTimer, OBJECT_TIMER, &obj, NULL);

    if (status == STATUS_SUCCESS) {
        status = timer_object_cancel(obj);
        object_put(obj);
    }
    return win32_result(status);
}

/* ---- waits ---- */

static DWORD wait_failed(uint32_t status)
{
    win32_fail(status);
    return WAIT_FAILED;
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
{
    struct object *obj;
    uint32_t status = api_waitable_get(hHandle, &obj);

    if (status != STATUS_SUCCESS)
        return wait_failed(status);
    status = wait_for_one(obj->type->dispatcher(obj), bAlertable, deadline_from_ms(dwMilliseconds));
    object_put(obj);
    return status_is_error(status) ? wait_failed(status) : status;
}

DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
    return WaitForSingleObjectEx(hHandle, dwMilliseconds, FALSE);
}

/* Wait-all cannot take one object twice. */
static bool has_twins(struct dispatcher *const *objects, DWORD count)
{
    for (DWORD i = 1; i < count; i++) {
        for (DWORD k = 0; k < i; k++) {
            if (objects[i] == objects[k])
                return true;
        }
    }
    return false;
}

DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
                                      DWORD dwMilliseconds, BOOL bAlertable)
{
    struct object *objects[MAXIMUM_WAIT_OBJECTS];
    struct dispatcher *dispatchers[MAXIMUM_WAIT_OBJECTS];
    uint32_t status = STATUS_SUCCESS;
    DWORD n = 0;

    if (nCount == 0 || nCount > MAXIMUM_WAIT_OBJECTS || !lpHandles)
        return wait_failed(STATUS_INVALID_PARAMETER);
    while (n < nCount && (status = api_waitable_get(lpHandles[n], &objects[n])) == STATUS_SUCCESS) {
        dispatchers[n] = objects[n]->type->dispatcher(objects[n]);
        n++;
    }
    if (status == STATUS_SUCCESS && bWaitAll && has_twins(dispatchers, n))
        status = STATUS_INVALID_PARAMETER_MIX;
    if (status == STATUS_SUCCESS)
        status = wait_for(dispatchers, n, bWaitAll, bAlertable, deadline_from_ms(dwMilliseconds));
    while (n > 0)
        object_put(objects[--n]);
    return status_is_error(status) ? wait_failed(status) : status;
}

DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll,
                                    DWORD dwMilliseconds)
{
    return WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, FALSE);
}

static uint32_t signal_object(struct object *obj)
{
    switch (obj->type->kind) {
    case OBJECT_EVENT:
        dispatcher_set(event_dispatcher(obj), 1);
        return STATUS_SUCCESS;
    case OBJECT_SEMAPHORE:
        return semaphore_release(obj, 1, NULL);
    case OBJECT_MUTEX:
        return mutex_release(obj);
    default:
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
}

DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn,
                                 DWORD dwMilliseconds, BOOL bAlertable)
{
    struct object *signal;
    struct object *wait;
    uint32_t status = api_waitable_get(hObjectToWaitOn, &wait);

    if (status != STATUS_SUCCESS)
        return wait_failed(status);
    status = api_object_get(hObjectToSignal, OBJECT_ANY, &signal);
    if (status == STATUS_SUCCESS) {
        status = signal_object(signal);
        object_put(signal);
    }
    if (status == STATUS_SUCCESS)
        status = wait_for_one(wait->type->dispatcher(wait), bAlertable,
                              deadline_from_ms(dwMilliseconds));
    object_put(wait);
    return status_is_error(status) ? wait_failed(status) : status;
}

/* ---- sleeping ---- */

DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
    uint32_t status = wait_sleep(deadline_from_ms(dwMilliseconds), bAlertable);

    return status == STATUS_USER_APC ? WAIT_IO_COMPLETION : 0;
}

void WINAPI Sleep(DWORD dwMilliseconds)
{
    wait_sleep(deadline_from_ms(dwMilliseconds), false);
}
