/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h: threads, user APCs, thread-local slots, and what a program may know and do
 * about its own process. There is one process here; handles of others do not exist.
 */
#include "api/api.h"
#include "api/handles.h"
#include "base/text.h"
#include "wait/apc.h"
#include "wait/objects.h"
#include "wait/tls.h"

#include <ntstatus.h>
#include <windows.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static bool inherits(const SECURITY_ATTRIBUTES *attributes)
{
    return attributes && attributes->bInheritHandle;
}

static BOOL not_implemented(void)
{
    last_error_set(ERROR_CALL_NOT_IMPLEMENTED);
    return FALSE;
}

/* ---- starting and ending ---- */

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
                           DWORD dwCreationFlags, LPDWORD lpThreadId)
{
    bool suspended = dwCreationFlags & CREATE_SUSPENDED;
    uint32_t flags = inherits(lpThreadAttributes) ? HANDLE_INHERIT : 0;
    struct thread *t;
    uintptr_t h = 0;
    uint32_t previous;
    uint32_t status;

    if (!lpStartAddress ||
        (dwCreationFlags & ~(DWORD)(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION)))
        return win32_fail(STATUS_INVALID_PARAMETER), NULL;
    /* It starts once its handle is there: a thread that runs cannot be taken back. */
    status = thread_create((uint32_t(*)(void *))lpStartAddress, lpParameter, dwStackSize, true, &t);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), NULL;
    status = handle_open(&t->object, THREAD_ALL_ACCESS, flags, &h);
    if (status == STATUS_SUCCESS) {
        if (lpThreadId)
            *lpThreadId = atomic_load(&t->tid);
        if (!suspended)
            thread_resume(t, &previous);
    } else {
        thread_discard(t);
        win32_fail(status);
    }
    object_put(&t->object);
    return (HANDLE)h;
}

void WINAPI ExitThread(DWORD dwExitCode)
{
    thread_exit(dwExitCode);
}

BOOL WINAPI TerminateThread(HANDLE hThread, DWORD dwExitCode)
{
    struct thread *t;
    uint32_t status = api_thread_get(hThread, &t);
    bool self;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    self = t == thread_current();
    object_put(&t->object);
    if (self)
        thread_exit(dwExitCode);
    return not_implemented(); /* another thread cannot be torn out of a C library soundly */
}

/* A thread, or what CreateProcess gives for the first one of another process. */
static uint32_t change_suspension(HANDLE thread, bool resume, uint32_t *previous)
{
    struct object *obj;
    uint32_t status = (uintptr_t)thread == PSEUDO_PROCESS
                          ? (uint32_t)STATUS_INVALID_HANDLE
                          : api_object_get(thread, OBJECT_THREAD | OBJECT_PROCESS, &obj);

    if (status != STATUS_SUCCESS)
        return status;
    if (obj->type->kind == OBJECT_PROCESS && !process_from_object(obj)->child)
        status = STATUS_INVALID_HANDLE;
    else if (obj->type->kind == OBJECT_PROCESS)
        status = (resume ? process_resume : process_suspend)(process_from_object(obj), previous);
    else
        status = (resume ? thread_resume : thread_suspend)(container_of(obj, struct thread, object),
                                                           previous);
    object_put(obj);
    return status;
}

static DWORD report_suspension(uint32_t status, uint32_t previous)
{
    if (status == STATUS_SUCCESS)
        return previous;
    if (status == STATUS_NOT_SUPPORTED)
        not_implemented();
    else
        win32_fail(status);
    return (DWORD)-1;
}

DWORD WINAPI ResumeThread(HANDLE hThread)
{
    uint32_t previous = 0;
    uint32_t status = change_suspension(hThread, true, &previous);

    return report_suspension(status, previous);
}

DWORD WINAPI SuspendThread(HANDLE hThread)
{
    uint32_t previous = 0;
    uint32_t status = change_suspension(hThread, false, &previous);

    return report_suspension(status, previous);
}

BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
{
    struct thread *t;
    uint32_t status;

    if (!lpExitCode)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = api_thread_get(hThread, &t);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    *lpExitCode = atomic_load(&t->exit_code);
    object_put(&t->object);
    return TRUE;
}

/* ---- which thread ---- */

HANDLE WINAPI GetCurrentThread(void)
{
    return (HANDLE)PSEUDO_THREAD;
}

DWORD WINAPI GetCurrentThreadId(void)
{
    return atomic_load_explicit(&thread_current()->tid, memory_order_relaxed);
}

DWORD WINAPI GetThreadId(HANDLE Thread)
{
    struct thread *t;
    uint32_t status = api_thread_get(Thread, &t);
    DWORD id;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    id = atomic_load(&t->tid);
    object_put(&t->object);
    return id;
}

DWORD WINAPI GetProcessIdOfThread(HANDLE Thread)
{
    return GetThreadId(Thread) ? (DWORD)getpid() : 0;
}

HANDLE WINAPI OpenThread(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwThreadId)
{
    struct thread *t = thread_find(dwThreadId);
    DWORD before = last_error_get();
    HANDLE h;

    if (!t)
        return win32_fail(STATUS_INVALID_PARAMETER), NULL;
    h = api_publish(STATUS_SUCCESS, &t->object, dwDesiredAccess, bInheritHandle);
    if (h)
        last_error_set(before);
    return h;
}

BOOL WINAPI SwitchToThread(void)
{
    return sched_yield() == 0;
}

DWORD WINAPI GetCurrentProcessorNumber(void)
{
    return (DWORD)sched_getcpu();
}

/* ---- priority and description ---- */

static bool is_priority(int p)
{
    return (p >= -2 && p <= 2) || p == THREAD_PRIORITY_IDLE || p == THREAD_PRIORITY_TIME_CRITICAL;
}

BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority)
{
    struct thread *t;
    uint32_t status = api_thread_get(hThread, &t);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (is_priority(nPriority))
        atomic_store(&t->priority, nPriority);
    else
        status = STATUS_INVALID_PARAMETER;
    object_put(&t->object);
    return win32_result(status);
}

int WINAPI GetThreadPriority(HANDLE hThread)
{
    struct thread *t;
    uint32_t status = api_thread_get(hThread, &t);
    int priority;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), THREAD_PRIORITY_ERROR_RETURN;
    priority = atomic_load(&t->priority);
    object_put(&t->object);
    return priority;
}

/* What a 32-bit HRESULT looks like for a status of ours. */
static HRESULT hresult(uint32_t status)
{
    if (status == STATUS_SUCCESS)
        return S_OK;
    win32_fail(status);
    return HRESULT_FROM_WIN32(last_error_get());
}

HRESULT WINAPI SetThreadDescription(HANDLE hThread, PCWSTR lpThreadDescription)
{
    size_t length = lpThreadDescription ? text_length16((const uint16_t *)lpThreadDescription) : 0;
    char *text = text_utf8_new((const uint16_t *)lpThreadDescription);
    uint16_t *copy = calloc(length + 1, sizeof *copy);
    struct thread *t = NULL;
    uint32_t status = copy && (text || !lpThreadDescription) ? api_thread_get(hThread, &t)
                                                             : (uint32_t)STATUS_NO_MEMORY;

    if (status == STATUS_SUCCESS) {
        for (size_t i = 0; i < length; i++)
            copy[i] = lpThreadDescription[i];
        thread_describe(t, &copy, text ? text : "");
        object_put(&t->object);
    }
    free(copy);
    free(text);
    return hresult(status);
}

HRESULT WINAPI GetThreadDescription(HANDLE hThread, PWSTR *ppszThreadDescription)
{
    struct thread *t;
    uint32_t status = api_thread_get(hThread, &t);
    size_t length;
    WCHAR *out;

    *ppszThreadDescription = NULL;
    if (status != STATUS_SUCCESS)
        return hresult(status);
    lock_acquire(&t->apc_lock);
    length = t->description ? text_length16(t->description) : 0;
    out = LocalAlloc(LMEM_FIXED, (length + 1) * sizeof *out);
    for (size_t i = 0; out && i < length; i++)
        out[i] = t->description[i];
    if (out)
        out[length] = 0;
    lock_release(&t->apc_lock);
    object_put(&t->object);
    *ppszThreadDescription = out;
    return hresult(out ? STATUS_SUCCESS : STATUS_NO_MEMORY);
}

/* ---- user APCs ---- */

struct user_apc {
    struct apc apc;
    PAPCFUNC function;
    ULONG_PTR data;
};

static void run_user_apc(struct apc *apc)
{
    struct user_apc *u = container_of(apc, struct user_apc, apc);
    PAPCFUNC function = u->function;
    ULONG_PTR data = u->data;

    free(u);
    function(data);
}

static void drop_user_apc(struct apc *apc)
{
    free(container_of(apc, struct user_apc, apc));
}

DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData)
{
    struct thread *t;
    struct user_apc *u;
    uint32_t status;

    if (!pfnAPC)
        return win32_fail(STATUS_INVALID_PARAMETER), 0;
    status = api_thread_get(hThread, &t);
    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    u = malloc(sizeof *u);
    if (!u) {
        status = STATUS_NO_MEMORY;
    } else {
        u->apc.run = run_user_apc;
        u->apc.drop = drop_user_apc;
        u->function = pfnAPC;
        u->data = dwData;
        if (!apc_queue(t, &u->apc)) {
            free(u);
            status = STATUS_UNSUCCESSFUL; /* it is ending, or has ended: ERROR_GEN_FAILURE */
        }
    }
    object_put(&t->object);
    return (DWORD)win32_result(status);
}

/* ---- thread-local slots ---- */

DWORD WINAPI TlsAlloc(void)
{
    uint32_t index = slot_alloc(SPACE_TLS, NULL);

    if (index == SLOT_NONE)
        win32_fail(STATUS_NO_MEMORY);
    return index;
}

BOOL WINAPI TlsFree(DWORD dwTlsIndex)
{
    return win32_result(slot_free(SPACE_TLS, dwTlsIndex) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
}

LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex)
{
    if (dwTlsIndex >= SLOT_COUNT)
        return win32_fail(STATUS_INVALID_PARAMETER), NULL;
    last_error_set(ERROR_SUCCESS); /* tells a stored NULL from a failure */
    return slot_get(SPACE_TLS, dwTlsIndex);
}

BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
{
    if (!slot_valid(SPACE_TLS, dwTlsIndex))
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(slot_set(SPACE_TLS, dwTlsIndex, lpTlsValue) ? STATUS_SUCCESS : STATUS_NO_MEMORY);
}
