/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's objects. They are pointers, which no library can judge once they are closed; so these
 * calls use what is open, in any order, with any handles, times and flags. Callbacks are short and say
 * what they may: handles for it are chosen by who submits.
 */
#ifndef FUZZ_CAREFUL_POOL_H
#define FUZZ_CAREFUL_POOL_H

enum task { TASK_WORK, TASK_TIMER, TASK_WAIT, TASK_IO, TASK_KINDS, TASKS = 4 };

static PTP_POOL own_pool;
static PTP_CLEANUP_GROUP group;
static TP_CALLBACK_ENVIRON environment;
static CRITICAL_SECTION pool_section;
static HANDLE io_file;
static OVERLAPPED io_overlapped;

static struct {
    void *object;
    bool grouped;
} tasks[TASK_KINDS][TASKS];

/* ---- callbacks ---- */

/* The low bits of the context say what is done, the rest is a handle. */
static void in_callback(PTP_CALLBACK_INSTANCE instance, void *context)
{
    HANDLE h = (HANDLE)((uintptr_t)context >> 3);

    switch ((uintptr_t)context & 7) {
    case 0:
        CallbackMayRunLong(instance);
        break;
    case 1:
        DisassociateCurrentThreadFromCallback(instance);
        break;
    case 2:
        SetEventWhenCallbackReturns(instance, h);
        break;
    case 3:
        ReleaseSemaphoreWhenCallbackReturns(instance, h, 1);
        break;
    case 4:
        ReleaseMutexWhenCallbackReturns(instance, h);
        break;
    case 5:
        EnterCriticalSection(&pool_section);
        LeaveCriticalSectionWhenCallbackReturns(instance, &pool_section);
        break;
    case 6:
        FreeLibraryWhenCallbackReturns(instance, NULL);
        break;
    default:
        break;
    }
}

static void CALLBACK on_simple(PTP_CALLBACK_INSTANCE instance, void *context)
{
    in_callback(instance, context);
}

static void CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WORK work)
{
    (void)work;
    in_callback(instance, context);
}

static void CALLBACK on_timer(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    (void)timer;
    in_callback(instance, context);
}

static void CALLBACK on_wait(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait, TP_WAIT_RESULT why)
{
    (void)wait;
    (void)why;
    in_callback(instance, context);
}

static void CALLBACK on_io(PTP_CALLBACK_INSTANCE instance, void *context, void *ov, ULONG error,
                           ULONG_PTR bytes, PTP_IO io)
{
    (void)ov;
    (void)error;
    (void)bytes;
    (void)io;
    in_callback(instance, context);
}

static void *any_context(void)
{
    return (void *)((uintptr_t)((uint32_t)any_handle() & 0x7FFFFFFF) << 3 | rnd(8));
}

/* ---- making and closing ---- */

static PTP_CALLBACK_ENVIRON any_environment(bool *grouped)
{
    *grouped = false;
    if (rnd(4) == 0)
        return NULL;
    InitializeThreadpoolEnvironment(&environment);
    if (own_pool && rnd(2))
        SetThreadpoolCallbackPool(&environment, own_pool);
    *grouped = group && rnd(2);
    if (*grouped)
        SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    if (rnd(4) == 0)
        SetThreadpoolCallbackRunsLong(&environment);
    if (rnd(8) == 0)
        SetThreadpoolCallbackPersistent(&environment);
    return &environment;
}

static HANDLE any_io_file(void)
{
    char path[128];

    if (io_file && rnd(16) == 0 && !tasks[TASK_IO][0].object) {
        CloseHandle(io_file);
        io_file = NULL;
    }
    if (!io_file) {
        int fd;

        snprintf(path, sizeof path, "%s/io", directory);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* with bytes: an end is no packet */
        if (fd >= 0 && write(fd, pages[0], DATA) < 0)
            abort();
        if (fd >= 0)
            close(fd);
        io_file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED,
                              NULL);
        if ((uintptr_t)io_file < FDS) /* a number that others had: their handle is not this one */
            ours[(uintptr_t)io_file] = false;
    }
    return io_file;
}

/* A thread pool's io object of a file of our own, in slot 0; on any other handle it is closed at once. */
static void *make_io(unsigned i, PTP_CALLBACK_ENVIRON env)
{
    PTP_IO io;

    if (i == 0)
        return CreateThreadpoolIo(any_io_file(), on_io, any_context(), env);
    io = CreateThreadpoolIo((HANDLE)any_file(), on_io, any_context(), NULL);
    if (io)
        CloseThreadpoolIo(io);
    return NULL;
}

static void *make(enum task kind, unsigned i)
{
    bool grouped;
    PTP_CALLBACK_ENVIRON env = any_environment(&grouped);
    void *made;

    if (tasks[kind][i].object)
        return tasks[kind][i].object;
    if (kind == TASK_WORK)
        made = CreateThreadpoolWork(on_work, any_context(), env);
    else if (kind == TASK_TIMER)
        made = CreateThreadpoolTimer(on_timer, any_context(), env);
    else if (kind == TASK_WAIT)
        made = CreateThreadpoolWait(on_wait, any_context(), env);
    else
        made = make_io(i, env);
    tasks[kind][i].grouped = grouped;
    return tasks[kind][i].object = made;
}

static void *any_task(enum task kind)
{
    return make(kind, kind == TASK_IO ? 0 : rnd(TASKS));
}

static void close_task(enum task kind, unsigned i)
{
    void *object = tasks[kind][i].object;

    tasks[kind][i].object = NULL;
    if (!object)
        return;
    if (kind == TASK_WORK)
        CloseThreadpoolWork(object);
    else if (kind == TASK_TIMER)
        CloseThreadpoolTimer(object);
    else if (kind == TASK_WAIT)
        CloseThreadpoolWait(object);
    else
        CloseThreadpoolIo(object);
}

#define MAKES(NAME, KIND)                                                                                    \
    static uintptr_t careful_Create##NAME(void) { return make(KIND, rnd(TASKS)), TRUE; }                     \
    static uintptr_t careful_Close##NAME(void) { return close_task(KIND, rnd(TASKS)), TRUE; }
MAKES(ThreadpoolWork, TASK_WORK)
MAKES(ThreadpoolTimer, TASK_TIMER)
MAKES(ThreadpoolWait, TASK_WAIT)
MAKES(ThreadpoolIo, TASK_IO)

static uintptr_t careful_CreateThreadpool(void)
{
    if (!own_pool)
        own_pool = CreateThreadpool(NULL);
    return own_pool != NULL;
}

/* Objects that are bound to it stay usable. */
static uintptr_t careful_CloseThreadpool(void)
{
    if (own_pool)
        CloseThreadpool(own_pool);
    own_pool = NULL;
    return TRUE;
}

static uintptr_t careful_CreateThreadpoolCleanupGroup(void)
{
    if (!group)
        group = CreateThreadpoolCleanupGroup();
    return group != NULL;
}

static uintptr_t careful_CloseThreadpoolCleanupGroupMembers(void)
{
    if (!group)
        return TRUE;
    CloseThreadpoolCleanupGroupMembers(group, rnd(2), rnd(2) ? data : NULL);
    for (unsigned kind = 0; kind < TASK_KINDS; kind++)
        for (unsigned i = 0; i < TASKS; i++)
            if (tasks[kind][i].grouped)
                tasks[kind][i].object = NULL;
    return TRUE;
}

static uintptr_t careful_CloseThreadpoolCleanupGroup(void)
{
    careful_CloseThreadpoolCleanupGroupMembers();
    if (group)
        CloseThreadpoolCleanupGroup(group);
    group = NULL;
    return TRUE;
}

/* ---- using ---- */

static uintptr_t careful_SetThreadpoolThreadMaximum(void)
{
    if (own_pool)
        SetThreadpoolThreadMaximum(own_pool, rnd(4) ? 1 + rnd(8) : (DWORD)any_number());
    return TRUE;
}

/* It makes so many threads at once. */
static uintptr_t careful_SetThreadpoolThreadMinimum(void)
{
    return !own_pool || SetThreadpoolThreadMinimum(own_pool, rnd(4));
}

static uintptr_t careful_SetThreadpoolStackInformation(void)
{
    TP_POOL_STACK_INFORMATION sizes = {rnd(2) ? 0 : rnd(1 << 20), rnd(2) ? 0 : any_number()};

    return !own_pool || SetThreadpoolStackInformation(own_pool, &sizes);
}

static uintptr_t careful_QueryThreadpoolStackInformation(void)
{
    TP_POOL_STACK_INFORMATION sizes;

    return !own_pool || QueryThreadpoolStackInformation(own_pool, &sizes);
}

static uintptr_t careful_TrySubmitThreadpoolCallback(void)
{
    bool grouped;

    return (uintptr_t)TrySubmitThreadpoolCallback(on_simple, any_context(), any_environment(&grouped));
}

static uintptr_t careful_SubmitThreadpoolWork(void)
{
    void *work = any_task(TASK_WORK);

    if (work)
        SubmitThreadpoolWork(work);
    return TRUE;
}

static FILETIME *any_due(void)
{
    static FILETIME when;
    LARGE_INTEGER *d = (LARGE_INTEGER *)argument('D', 0, 0);

    if (!d)
        return NULL;
    when = (FILETIME){d->LowPart, (DWORD)d->HighPart};
    return &when;
}

static uintptr_t careful_SetThreadpoolTimer(void)
{
    void *timer = any_task(TASK_TIMER);

    if (timer)
        SetThreadpoolTimer(timer, any_due(), rnd(4) ? 0 : (DWORD)any_number(), (DWORD)any_number());
    return TRUE;
}

static uintptr_t careful_SetThreadpoolTimerEx(void)
{
    void *timer = any_task(TASK_TIMER);

    if (timer)
        SetThreadpoolTimerEx(timer, any_due(), rnd(4) ? 0 : (DWORD)any_number(), (DWORD)any_number());
    return TRUE; /* whether it was set before */
}

static uintptr_t careful_IsThreadpoolTimerSet(void)
{
    void *timer = any_task(TASK_TIMER);

    if (timer)
        IsThreadpoolTimerSet(timer);
    return TRUE;
}

static uintptr_t careful_SetThreadpoolWait(void)
{
    void *wait = any_task(TASK_WAIT);

    if (wait)
        SetThreadpoolWait(wait, (HANDLE)any_handle(), any_due());
    return TRUE;
}

static uintptr_t careful_SetThreadpoolWaitEx(void)
{
    void *wait = any_task(TASK_WAIT);

    if (wait)
        SetThreadpoolWaitEx(wait, (HANDLE)any_handle(), any_due(), NULL);
    return TRUE;
}

/* Announced, then begun or called off. */
static uintptr_t careful_StartThreadpoolIo(void)
{
    PTP_IO io = any_task(TASK_IO);

    if (!io || !HasOverlappedIoCompleted(&io_overlapped))
        return TRUE;
    StartThreadpoolIo(io);
    memset(&io_overlapped, 0, sizeof io_overlapped);
    if (rnd(2) || (!ReadFile(io_file, pages[0], rnd(64), NULL, &io_overlapped) &&
                   GetLastError() != ERROR_IO_PENDING))
        CancelThreadpoolIo(io);
    return TRUE;
}

#define WAITS(NAME, KIND)                                                                                    \
    static uintptr_t careful_WaitFor##NAME##Callbacks(void)                                                  \
    {                                                                                                        \
        void *object = tasks[KIND][rnd(TASKS)].object;                                                       \
                                                                                                             \
        if (object)                                                                                          \
            WaitFor##NAME##Callbacks(object, rnd(2));                                                        \
        return TRUE;                                                                                         \
    }
WAITS(ThreadpoolWork, TASK_WORK)
WAITS(ThreadpoolTimer, TASK_TIMER)
WAITS(ThreadpoolWait, TASK_WAIT)
WAITS(ThreadpoolIo, TASK_IO)

/* All closed, and every callback at its end: by a group that all of its kind belong to. */
static void pool_clear(void)
{
    for (unsigned kind = 0; kind < TASK_KINDS; kind++) {
        for (unsigned i = 0; i < TASKS; i++) {
            void *object = tasks[kind][i].object;

            if (object && kind == TASK_IO)
                WaitForThreadpoolIoCallbacks(object, FALSE);
            if (object && kind == TASK_WORK)
                WaitForThreadpoolWorkCallbacks(object, TRUE);
            close_task((enum task)kind, i);
        }
    }
    careful_CloseThreadpoolCleanupGroup();
    careful_CloseThreadpool();
    if (io_file)
        CloseHandle(io_file);
    io_file = NULL;
}

#endif
