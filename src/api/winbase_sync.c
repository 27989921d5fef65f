/* SPDX-License-Identifier: MIT */
/* winbase.h: on which processors threads may run. Masks cover processors 0 to 63. */
#include "api/api.h"
#include "api/handles.h"
#include "base/status.h"

#include <ntstatus.h>
#include <windows.h>

#include <errno.h>
#include <sched.h>
#include <unistd.h>

enum { MASK_BITS = 64 };

static DWORD_PTR mask_from_set(const cpu_set_t *set)
{
    DWORD_PTR mask = 0;

    for (int i = 0; i < MASK_BITS; i++) {
        if (CPU_ISSET(i, set))
            mask |= (DWORD_PTR)1 << i;
    }
    return mask;
}

static DWORD_PTR configured_mask(void)
{
    long n = sysconf(_SC_NPROCESSORS_CONF);

    return n >= MASK_BITS ? ~(DWORD_PTR)0 : ((DWORD_PTR)1 << n) - 1;
}

BOOL WINAPI GetProcessAffinityMask(HANDLE hProcess, PDWORD_PTR lpProcessAffinityMask,
                                   PDWORD_PTR lpSystemAffinityMask)
{
    struct object *obj;
    cpu_set_t set;
    uint32_t status = api_object_get(hProcess, OBJECT_PROCESS, &obj);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    object_put(obj);
    if (sched_getaffinity(getpid(), sizeof set, &set) < 0)
        return win32_result(status_from_errno(errno));
    *lpProcessAffinityMask = mask_from_set(&set);
    *lpSystemAffinityMask = configured_mask();
    return TRUE;
}

static uint32_t set_affinity(pid_t tid, DWORD_PTR mask, DWORD_PTR *previous)
{
    cpu_set_t set;

    if (sched_getaffinity(tid, sizeof set, &set) < 0)
        return status_from_errno(errno);
    *previous = mask_from_set(&set);
    CPU_ZERO(&set);
    for (int i = 0; i < MASK_BITS; i++) {
        if (mask >> i & 1)
            CPU_SET(i, &set);
    }
    return sched_setaffinity(tid, sizeof set, &set) < 0 ? status_from_errno(errno) : STATUS_SUCCESS;
}

DWORD_PTR WINAPI SetThreadAffinityMask(HANDLE hThread, DWORD_PTR dwThreadAffinityMask)
{
    struct thread *t;
    DWORD_PTR previous = 0;
    uint32_t status = api_thread_get(hThread, &t);

    if (status == STATUS_SUCCESS) {
        status = dwThreadAffinityMask & ~configured_mask()
                     ? (uint32_t)STATUS_INVALID_PARAMETER
                     : set_affinity((pid_t)atomic_load(&t->tid), dwThreadAffinityMask, &previous);
        object_put(&t->object);
    }
    if (status == STATUS_SUCCESS)
        return previous;
    win32_fail(status);
    return 0;
}
