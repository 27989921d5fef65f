/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h, third part: processes as objects. How programs are started is in
 * processthreadsapi_create.c.
 */
#include "api/api.h"
#include "api/handles.h"
#include "base/status.h"

#include <ntstatus.h>
#include <windows.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

HANDLE WINAPI GetCurrentProcess(void)
{
    return (HANDLE)PSEUDO_PROCESS;
}

DWORD WINAPI GetCurrentProcessId(void)
{
    return (DWORD)getpid();
}

DWORD WINAPI GetProcessId(HANDLE Process)
{
    struct process *p;
    uint32_t status = api_process_get(Process, &p);
    pid_t pid;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    pid = p == process_self() ? getpid() : p->pid;
    object_put(&p->object);
    return (DWORD)pid;
}

HANDLE WINAPI OpenProcess(DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwProcessId)
{
    DWORD before = last_error_get();
    struct process *p;
    uint32_t status = process_open((pid_t)dwProcessId, &p);
    HANDLE h;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), NULL;
    h = api_publish(STATUS_SUCCESS, object_get(&p->object), dwDesiredAccess, bInheritHandle);
    handle_drop(&p->object);
    if (h)
        last_error_set(before);
    return h;
}

BOOL WINAPI GetExitCodeProcess(HANDLE hProcess, LPDWORD lpExitCode)
{
    struct process *p;
    uint32_t status = lpExitCode ? api_process_get(hProcess, &p) : (uint32_t)STATUS_INVALID_PARAMETER;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = process_exit_code(p, (uint32_t *)lpExitCode);
    object_put(&p->object);
    return win32_result(status);
}

/* Leaves through exit(), so that buffered output is written and the library's own threads come to
 * rest first. libc allows one thread to call exit(): later callers wait for the end. */
void WINAPI ExitProcess(UINT uExitCode)
{
    static atomic_flag leaving = ATOMIC_FLAG_INIT;

    while (atomic_flag_test_and_set(&leaving))
        pause();
    exit((int)uExitCode);
}

BOOL WINAPI TerminateProcess(HANDLE hProcess, UINT uExitCode)
{
    struct process *p;
    uint32_t status = api_process_get(hProcess, &p);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (p == process_self())
        _exit((int)uExitCode);
    status = process_terminate(p, uExitCode);
    object_put(&p->object);
    return win32_result(status);
}
