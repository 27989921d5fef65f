/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h, second part: how long threads, the process and the machine have been at work,
 * the stack of a thread, the priority of the process.
 */
#include "api/api.h"
#include "api/handles.h"
#include "base/clock.h"
#include "base/own_fd.h"
#include "base/status.h"

#include <ntstatus.h>
#include <windows.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static FILETIME filetime_of(uint64_t ticks)
{
    return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

/* Units of 100 ns in so many of the kernel's clock ticks. */
static uint64_t from_clock_ticks(unsigned long long ticks)
{
    long per_second = sysconf(_SC_CLK_TCK);

    return ticks * (10000000 / (uint64_t)(per_second > 0 ? per_second : 100));
}

struct stat_times {
    uint64_t user, kernel; /* 100 ns */
    uint64_t start;        /* 100 ns after the start of the machine */
};

/* From a stat file of /proc; the name in it may contain anything, so that counting begins behind it. */
static bool read_stat(const char *path, struct stat_times *out)
{
    unsigned long long user, kernel, start;
    FILE *file = fd_open_text(path);
    char text[1024];
    size_t size;
    char *rest;

    if (!file)
        return false;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s "
                                  "%*s %*s %llu", &user, &kernel, &start) != 3)
        return false;
    out->user = from_clock_ticks(user);
    out->kernel = from_clock_ticks(kernel);
    out->start = from_clock_ticks(start);
    return true;
}

/* A macro, since windows.h gives the word timeval to Winsock. */
#define FROM_TIMEVAL(t) ((uint64_t)(t).tv_sec * 10000000 + (uint64_t)(t).tv_usec * 10)

/* ---- threads ---- */

/* Processor time in units of 100 ns: the calling thread's and a dead one's are exact, of others the kernel
 * tells clock ticks. */
static void processor_time(struct thread *t, uint64_t *user, uint64_t *kernel)
{
    struct stat_times times = {0};
    struct rusage used;
    char path[64];

    if (t == thread_current() && getrusage(RUSAGE_THREAD, &used) == 0) {
        *user = FROM_TIMEVAL(used.ru_utime);
        *kernel = FROM_TIMEVAL(used.ru_stime);
        return;
    }
    snprintf(path, sizeof path, "/proc/self/task/%u/stat", atomic_load(&t->tid));
    read_stat(path, &times);
    if (!atomic_load(&t->ended)) { /* looked at last: what was read is not of a later thread */
        *user = times.user;
        *kernel = times.kernel;
    } else {
        *user = t->user_us * 10;
        *kernel = t->kernel_us * 10;
    }
}

BOOL WINAPI GetThreadTimes(HANDLE hThread, LPFILETIME lpCreationTime, LPFILETIME lpExitTime,
                           LPFILETIME lpKernelTime, LPFILETIME lpUserTime)
{
    struct thread *t;
    uint64_t user = 0, kernel = 0;
    uint32_t status;

    if (!lpCreationTime || !lpExitTime || !lpKernelTime || !lpUserTime)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = api_thread_get(hThread, &t);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    processor_time(t, &user, &kernel);
    *lpCreationTime = filetime_of((uint64_t)t->created);
    *lpExitTime = filetime_of((uint64_t)atomic_load(&t->ended));
    *lpKernelTime = filetime_of(kernel);
    *lpUserTime = filetime_of(user);
    object_put(&t->object);
    return TRUE;
}

void WINAPI GetCurrentThreadStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;

    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    *LowLimit = (ULONG_PTR)low;
    *HighLimit = (ULONG_PTR)low + size;
}

/* ---- the process ---- */

/* From its stat file: when it started, and what it has used, in clock ticks. */
static bool stat_of(pid_t pid, struct stat_times *out)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return read_stat(path, out);
}

static uint64_t start_time(const struct stat_times *times)
{
    struct timespec up;

    if (clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    return (uint64_t)clock_filetime() - ((uint64_t)up.tv_sec * 10000000 + (uint64_t)up.tv_nsec / 100) +
           times->start;
}

/* Of this process exactly; of another that runs in clock ticks; of a child that has ended exactly again. */
static uint32_t process_times(struct process *p, uint64_t *created, uint64_t *ended, struct stat_times *used)
{
    struct rusage own;
    bool self = p == process_self();
    bool running = stat_of(self ? getpid() : p->pid, used) && process_is_alive(p);

    if (!running)
        *used = (struct stat_times){0};
    *ended = 0;
    *created = running ? start_time(used) : 0;
    if (self) {
        if (getrusage(RUSAGE_SELF, &own) != 0)
            return status_from_errno(errno);
        used->user = FROM_TIMEVAL(own.ru_utime);
        used->kernel = FROM_TIMEVAL(own.ru_stime);
    } else if (atomic_load(&p->ended)) {
        *ended = (uint64_t)p->exited;
        *created = (uint64_t)p->created;
        used->user = p->user_us * 10;
        used->kernel = p->kernel_us * 10;
    }
    return STATUS_SUCCESS;
}

BOOL WINAPI GetProcessTimes(HANDLE hProcess, LPFILETIME lpCreationTime, LPFILETIME lpExitTime,
                            LPFILETIME lpKernelTime, LPFILETIME lpUserTime)
{
    struct stat_times used = {0};
    uint64_t created, ended;
    struct process *p;
    uint32_t status;

    if (!lpCreationTime || !lpExitTime || !lpKernelTime || !lpUserTime)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = api_process_get(hProcess, &p);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = process_times(p, &created, &ended, &used);
    object_put(&p->object);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    *lpCreationTime = filetime_of(created);
    *lpExitTime = filetime_of(ended);
    *lpKernelTime = filetime_of(used.kernel);
    *lpUserTime = filetime_of(used.user);
    return TRUE;
}

/* user, nice, system, idle, iowait, irq, softirq, steal: what is not idle or the user's is the kernel's;
 * Windows counts the idle time as kernel time, too. */
BOOL WINAPI GetSystemTimes(PFILETIME lpIdleTime, PFILETIME lpKernelTime, PFILETIME lpUserTime)
{
    unsigned long long t[8] = {0};
    FILE *file = fd_open_text("/proc/stat");
    uint64_t idle, user;
    int n = 0;

    if (file) {
        n = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4],
                   &t[5], &t[6], &t[7]);
        fclose(file);
    }
    if (n < 4)
        return win32_result(STATUS_NOT_SUPPORTED);
    idle = from_clock_ticks(t[3] + t[4]);
    user = from_clock_ticks(t[0] + t[1]);
    if (lpIdleTime)
        *lpIdleTime = filetime_of(idle);
    if (lpUserTime)
        *lpUserTime = filetime_of(user);
    if (lpKernelTime)
        *lpKernelTime = filetime_of(idle + from_clock_ticks(t[2] + t[5] + t[6] + t[7]));
    return TRUE;
}

/* The classes as nice values. Raising needs a right that few processes have. */
static const struct {
    DWORD priority;
    int nice;
} classes[] = {
    {IDLE_PRIORITY_CLASS, 19},         {BELOW_NORMAL_PRIORITY_CLASS, 10}, {NORMAL_PRIORITY_CLASS, 0},
    {ABOVE_NORMAL_PRIORITY_CLASS, -5}, {HIGH_PRIORITY_CLASS, -10},        {REALTIME_PRIORITY_CLASS, -20},
};

/* Linux keeps a nice value per thread; new threads inherit their creator's. */
static uint32_t set_nice(pid_t pid, int nice)
{
    char path[64];
    DIR *tasks;
    uint32_t status = STATUS_SUCCESS;
    struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = fd_open_dir(path);
    if (!tasks)
        return status_from_errno(errno);
    while ((entry = readdir(tasks)) != NULL) {
        id_t tid = (id_t)atoi(entry->d_name);

        if (tid != 0 && setpriority(PRIO_PROCESS, tid, nice) != 0 && errno != ESRCH)
            status = status_from_errno(errno);
    }
    closedir(tasks);
    return status;
}

static uint32_t pid_of(HANDLE process, pid_t *pid)
{
    struct process *p;
    uint32_t status = api_process_get(process, &p);

    if (status != STATUS_SUCCESS)
        return status;
    *pid = p == process_self() ? getpid() : p->pid;
    if (!process_is_alive(p))
        status = STATUS_PROCESS_IS_TERMINATING;
    object_put(&p->object);
    return status;
}

BOOL WINAPI SetPriorityClass(HANDLE hProcess, DWORD dwPriorityClass)
{
    pid_t pid;
    uint32_t status = pid_of(hProcess, &pid);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    for (size_t i = 0; i < ARRAYSIZE(classes); i++) {
        if (classes[i].priority == dwPriorityClass)
            return win32_result(set_nice(pid, classes[i].nice));
    }
    return win32_result(STATUS_INVALID_PARAMETER);
}

/* A nice value between two classes counts as the lower one. */
DWORD WINAPI GetPriorityClass(HANDLE hProcess)
{
    pid_t pid;
    uint32_t status = pid_of(hProcess, &pid);
    size_t i = 0;
    int nice;

    if (status != STATUS_SUCCESS)
        return win32_fail(status), 0;
    nice = getpriority(PRIO_PROCESS, (id_t)pid);
    while (i + 1 < ARRAYSIZE(classes) && nice <= classes[i + 1].nice)
        i++;
    return classes[i].priority;
}
