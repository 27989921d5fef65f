/* SPDX-License-Identifier: MIT */
/* winbase.h, processtopologyapi.h: on which processors threads may run. Masks cover processors 0 to 63. */
#include "api/api.h"
#include "api/handles.h"
#include "base/own_fd.h"
#include "base/status.h"

#include <ntstatus.h>
#include <windows.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
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

static uint32_t get_affinity(pid_t tid, DWORD_PTR *mask)
{
    cpu_set_t set;

    if (sched_getaffinity(tid, sizeof set, &set) < 0)
        return status_from_errno(errno);
    *mask = mask_from_set(&set);
    return STATUS_SUCCESS;
}

BOOL WINAPI GetProcessAffinityMask(HANDLE hProcess, PDWORD_PTR lpProcessAffinityMask,
                                   PDWORD_PTR lpSystemAffinityMask)
{
    struct process *p;
    uint32_t status;

    if (!lpProcessAffinityMask || !lpSystemAffinityMask)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = api_process_get(hProcess, &p);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (process_is_alive(p))
        status = get_affinity(p == process_self() ? getpid() : p->pid, lpProcessAffinityMask);
    else
        status = STATUS_PROCESS_IS_TERMINATING;
    object_put(&p->object);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    *lpSystemAffinityMask = configured_mask();
    return TRUE;
}

static uint32_t set_affinity(pid_t tid, DWORD_PTR mask)
{
    cpu_set_t set;

    if (mask == 0 || (mask & ~configured_mask()))
        return STATUS_INVALID_PARAMETER;
    CPU_ZERO(&set);
    for (int i = 0; i < MASK_BITS; i++) {
        if (mask >> i & 1)
            CPU_SET(i, &set);
    }
    return sched_setaffinity(tid, sizeof set, &set) < 0 ? status_from_errno(errno) : STATUS_SUCCESS;
}

struct affinity {
    const DWORD_PTR *mask; /* NULL: none to set */
    DWORD_PTR *previous;
};

static uint32_t read_and_set(uint32_t tid, void *ctx)
{
    const struct affinity *a = ctx;
    uint32_t status = get_affinity((pid_t)tid, a->previous);

    return status == STATUS_SUCCESS && a->mask ? set_affinity((pid_t)tid, *a->mask) : status;
}

/* Reads the mask of a thread, then sets it if there is one to set. */
static uint32_t thread_affinity(HANDLE thread, const DWORD_PTR *mask, DWORD_PTR *previous)
{
    struct affinity a = {.mask = mask, .previous = previous};
    struct thread *t;
    uint32_t status = api_thread_get(thread, &t);

    if (status != STATUS_SUCCESS)
        return status;
    status = thread_with_id(t, read_and_set, &a);
    object_put(&t->object);
    return status;
}

DWORD_PTR WINAPI SetThreadAffinityMask(HANDLE hThread, DWORD_PTR dwThreadAffinityMask)
{
    DWORD_PTR previous;
    uint32_t status = thread_affinity(hThread, &dwThreadAffinityMask, &previous);

    if (status == STATUS_SUCCESS)
        return previous;
    win32_fail(status);
    return 0;
}

BOOL WINAPI SetProcessAffinityMask(HANDLE hProcess, DWORD_PTR dwProcessAffinityMask)
{
    struct dirent *entry;
    DIR *tasks;
    uint32_t status = api_process_check_self(hProcess);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    tasks = fd_open_dir("/proc/self/task");
    if (!tasks)
        return win32_result(status_from_errno(errno));
    while (status == STATUS_SUCCESS && (entry = readdir(tasks)) != NULL) {
        pid_t tid = atoi(entry->d_name);

        if (tid != 0)
            status = set_affinity(tid, dwProcessAffinityMask);
        if (status == status_from_errno(ESRCH))
            status = STATUS_SUCCESS; /* it has ended meanwhile */
    }
    closedir(tasks);
    return win32_result(status);
}

/* ---- groups: there is one ---- */

static DWORD count_group(WORD group, int what)
{
    long n = sysconf(what);

    if (group != 0 && group != ALL_PROCESSOR_GROUPS)
        return win32_fail(STATUS_INVALID_PARAMETER), 0;
    return n > 0 ? (DWORD)n : 1;
}

DWORD WINAPI GetActiveProcessorCount(WORD GroupNumber)
{
    return count_group(GroupNumber, _SC_NPROCESSORS_ONLN);
}

DWORD WINAPI GetMaximumProcessorCount(WORD GroupNumber)
{
    return count_group(GroupNumber, _SC_NPROCESSORS_CONF);
}

WORD WINAPI GetActiveProcessorGroupCount(void)
{
    return 1;
}

WORD WINAPI GetMaximumProcessorGroupCount(void)
{
    return 1;
}

BOOL WINAPI SetThreadGroupAffinity(HANDLE hThread, const GROUP_AFFINITY *GroupAffinity,
                                   PGROUP_AFFINITY PreviousGroupAffinity)
{
    DWORD_PTR mask, previous;
    uint32_t status;

    if (!GroupAffinity || GroupAffinity->Group != 0)
        return win32_result(STATUS_INVALID_PARAMETER);
    mask = GroupAffinity->Mask;
    status = thread_affinity(hThread, &mask, &previous);
    if (status == STATUS_SUCCESS && PreviousGroupAffinity)
        *PreviousGroupAffinity = (GROUP_AFFINITY){.Mask = previous};
    return win32_result(status);
}

BOOL WINAPI GetThreadGroupAffinity(HANDLE hThread, PGROUP_AFFINITY GroupAffinity)
{
    DWORD_PTR mask;
    uint32_t status = thread_affinity(hThread, NULL, &mask);

    if (!GroupAffinity)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (status == STATUS_SUCCESS)
        *GroupAffinity = (GROUP_AFFINITY){.Mask = mask};
    return win32_result(status);
}
