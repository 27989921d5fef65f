/* SPDX-License-Identifier: MIT */
/*
 * The thread pool against several threads at a time. What is caused, replaced, cancelled and closed at random
 * has to add up: every submit runs once; a timer or a wait that is set fires, or the call that replaced it
 * says that it was in time; a semaphore loses exactly what waits took; a member of a group is called or
 * cancelled; a receive that was accepted is called back, whatever becomes of its socket; a registered wait
 * calls nobody after its end. A round is one object, or group, of a kind, and three threads.
 */
#include "stress.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 3, STEPS = 40, KINDS = 6 };

static struct stress_meeting meeting = {.need = THREADS + 1};
static _Atomic int kind; /* of this round; KINDS: the end */

static PTP_WORK work;
static PTP_TIMER timer;
static PTP_WAIT wait;
static PTP_IO io;
static PTP_CLEANUP_GROUP group;
static TP_CALLBACK_ENVIRON environment;
static HANDLE semaphore;
static int sockets[2];
static _Atomic uint64_t caused, ran, in_time, taken, released, totals[KINDS];

static FILETIME soon(uint64_t *seed)
{
    long long time = -(long long)stress_random(seed, 400); /* up to 0.04 ms */
    FILETIME f = {(DWORD)time, (DWORD)((unsigned long long)time >> 32)};

    return f;
}

/* ---- work: submitted and waited for by all ---- */

static void CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK w)
{
    (void)context;
    MUST(w == work);
    if (atomic_fetch_add(&ran, 1) % 16 == 0)
        MUST(CallbackMayRunLong(instance) || GetLastError() != 12345);
}

static void do_work(uint64_t *seed)
{
    for (int i = 0; i < STEPS; i++) {
        atomic_fetch_add(&caused, 1);
        SubmitThreadpoolWork(work);
        if (stress_random(seed, 8) == 0)
            WaitForThreadpoolWorkCallbacks(work, FALSE);
    }
}

/* ---- timers: set, replaced, stopped by all ---- */

static void CALLBACK on_timer(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER t)
{
    (void)instance;
    (void)context;
    (void)t;
    atomic_fetch_add(&ran, 1);
}

static void do_timer(uint64_t *seed)
{
    for (int i = 0; i < STEPS; i++) {
        FILETIME due = soon(seed);

        if (stress_random(seed, 4) == 0) {
            atomic_fetch_add(&in_time, (uint64_t)SetThreadpoolTimerEx(timer, NULL, 0, 0));
        } else {
            atomic_fetch_add(&caused, 1);
            atomic_fetch_add(&in_time, (uint64_t)SetThreadpoolTimerEx(timer, &due, 0, 0));
        }
    }
}

/* ---- waits: set, replaced, timed out, signalled by all ---- */

static void CALLBACK on_wait(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT w, TP_WAIT_RESULT result)
{
    (void)instance;
    (void)context;
    (void)w;
    MUST(result == WAIT_OBJECT_0 || result == WAIT_TIMEOUT);
    if (result == WAIT_OBJECT_0)
        atomic_fetch_add(&taken, 1);
    atomic_fetch_add(&ran, 1);
}

static void do_wait(uint64_t *seed)
{
    for (int i = 0; i < STEPS; i++) {
        FILETIME due = soon(seed);
        uint32_t dice = stress_random(seed, 8);

        if (dice < 3) {
            atomic_fetch_add(&released, 1);
            MUST(ReleaseSemaphore(semaphore, 1, NULL));
        } else if (dice == 3) {
            atomic_fetch_add(&in_time, (uint64_t)SetThreadpoolWaitEx(wait, NULL, NULL, NULL));
        } else if (dice == 4 && WaitForSingleObject(semaphore, 0) == WAIT_OBJECT_0) {
            atomic_fetch_add(&taken, 1);
        } else if (dice > 4) {
            atomic_fetch_add(&caused, 1);
            atomic_fetch_add(&in_time,
                             (uint64_t)SetThreadpoolWaitEx(wait, semaphore, dice < 7 ? &due : NULL, NULL));
        }
    }
}

/* ---- members of a group: two threads make them, one closes them ---- */

struct member {
    _Atomic int called;
};

static void CALLBACK on_member(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    struct member *m = context;

    (void)instance;
    MUST(atomic_fetch_add(&m->called, 1) == 0);
    free(m);
    atomic_fetch_add(&ran, 1);
}

static void CALLBACK on_cancel(PVOID context, PVOID cleanup_context)
{
    struct member *m = context;

    /* "Called" belongs to the callback: it frees the member. Who ends up here has not been called. */
    MUST(cleanup_context == &meeting);
    MUST(atomic_fetch_add(&m->called, 1) == 0);
    free(m);
    atomic_fetch_add(&in_time, 1);
}

static void do_group(uint64_t *seed, bool closes)
{
    for (int i = 0; i < STEPS; i++) {
        struct member *m;

        if (closes) {
            if (stress_random(seed, 4) == 0)
                CloseThreadpoolCleanupGroupMembers(group, TRUE, &meeting);
            continue;
        }
        m = calloc(1, sizeof *m);
        MUST(m != NULL);
        atomic_fetch_add(&caused, 1);
        MUST(TrySubmitThreadpoolCallback(on_member, m, &environment));
    }
}

/* ---- I/O: one receives, one sends, one closes ---- */

static void CALLBACK on_io(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                           ULONG_PTR bytes, PTP_IO of)
{
    (void)instance;
    (void)context;
    MUST(of == io && (error != 0 || bytes <= 16));
    free(overlapped);
    atomic_fetch_add(&ran, 1);
}

static void receive(void)
{
    OVERLAPPED *ov = calloc(1, sizeof *ov + 16);
    WSABUF buf = {16, (char *)(ov + 1)};
    DWORD flags = 0;

    MUST(ov != NULL);
    StartThreadpoolIo(io);
    if (WSARecv((SOCKET)sockets[0], &buf, 1, NULL, &flags, ov, NULL) == 0 ||
        WSAGetLastError() == WSA_IO_PENDING) {
        atomic_fetch_add(&caused, 1);
        return;
    }
    CancelThreadpoolIo(io);
    free(ov);
}

static void do_io(uint64_t *seed, int thread)
{
    for (int i = 0; i < STEPS; i++) {
        if (thread == 0)
            receive();
        else if (thread == 1)
            MUST(send(sockets[1], "0123456789", 1 + stress_random(seed, 9), MSG_NOSIGNAL | MSG_DONTWAIT));
        else if (stress_random(seed, 8) == 0)
            CancelIoEx((HANDLE)(intptr_t)sockets[0], NULL);
    }
    if (thread == 2 && stress_random(seed, 2) == 0)
        MUST(shutdown(sockets[1], SHUT_RDWR) == 0);
}

/* ---- registered waits ---- */

struct registered {
    _Atomic int ended;
    HANDLE wait, done;
};

static void CALLBACK on_registered(PVOID context, BOOLEAN fired)
{
    struct registered *r = context;

    MUST(!atomic_load(&r->ended));
    if (!fired)
        atomic_fetch_add(&taken, 1);
    atomic_fetch_add(&ran, 1);
}

static void do_registered(uint64_t *seed)
{
    for (int i = 0; i < STEPS / 4; i++) {
        struct registered r = {.done = CreateEventA(NULL, TRUE, FALSE, NULL)};
        bool waits = stress_random(seed, 2) == 0;
        ULONG ms = stress_random(seed, 2) ? INFINITE : stress_random(seed, 3);
        ULONG flags = stress_random(seed, 2) ? WT_EXECUTEONLYONCE : WT_EXECUTEDEFAULT;

        MUST(RegisterWaitForSingleObject(&r.wait, semaphore, on_registered, &r, ms, flags));
        for (uint32_t n = stress_random(seed, 3); n > 0; n--) {
            atomic_fetch_add(&released, 1);
            MUST(ReleaseSemaphore(semaphore, 1, NULL));
        }
        if (waits) {
            MUST(UnregisterWaitEx(r.wait, INVALID_HANDLE_VALUE));
        } else {
            MUST(UnregisterWaitEx(r.wait, r.done) || GetLastError() == ERROR_IO_PENDING);
            MUST(WaitForSingleObject(r.done, 20000) == WAIT_OBJECT_0);
        }
        atomic_store(&r.ended, 1);
        MUST(CloseHandle(r.done));
    }
}

/* ---- rounds ---- */

static void *run(void *arg)
{
    int thread = (int)(intptr_t)arg;
    uint64_t seed = stress_seed + (uint64_t)thread * 977;

    for (;;) {
        stress_meet(&meeting);
        switch (atomic_load(&kind)) {
        case 0: do_work(&seed); break;
        case 1: do_timer(&seed); break;
        case 2: do_wait(&seed); break;
        case 3: do_group(&seed, thread == 0); break;
        case 4: do_io(&seed, thread); break;
        case 5: do_registered(&seed); break;
        default: return NULL;
        }
        stress_meet(&meeting);
    }
}

static void make(int k)
{
    caused = ran = in_time = taken = released = 0;
    switch (k) {
    case 0: MUST((work = CreateThreadpoolWork(on_work, NULL, &environment)) != NULL); break;
    case 1: MUST((timer = CreateThreadpoolTimer(on_timer, NULL, &environment)) != NULL); break;
    case 2: MUST((wait = CreateThreadpoolWait(on_wait, NULL, &environment)) != NULL); break;
    case 3:
        MUST((group = CreateThreadpoolCleanupGroup()) != NULL);
        SetThreadpoolCallbackCleanupGroup(&environment, group, on_cancel);
        break;
    case 4:
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
        MUST((io = CreateThreadpoolIo((HANDLE)(intptr_t)sockets[0], on_io, NULL, &environment)) != NULL);
        break;
    }
}

/* What is left in the semaphore, which is emptied. */
static uint64_t left_over(void)
{
    uint64_t n = 0;

    while (WaitForSingleObject(semaphore, 0) == WAIT_OBJECT_0)
        n++;
    return n;
}

static void add_up(int k)
{
    switch (k) {
    case 0:
        WaitForThreadpoolWorkCallbacks(work, FALSE);
        MUST(ran == caused);
        CloseThreadpoolWork(work);
        break;
    case 1:
        in_time += (uint64_t)SetThreadpoolTimerEx(timer, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(timer, FALSE);
        MUST(ran + in_time == caused);
        CloseThreadpoolTimer(timer);
        break;
    case 2:
        in_time += (uint64_t)SetThreadpoolWaitEx(wait, NULL, NULL, NULL);
        WaitForThreadpoolWaitCallbacks(wait, FALSE);
        MUST(ran + in_time == caused);
        MUST(taken + left_over() == released);
        CloseThreadpoolWait(wait);
        break;
    case 3:
        CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
        MUST(ran + in_time == caused);
        CloseThreadpoolCleanupGroup(group);
        SetThreadpoolCallbackCleanupGroup(&environment, NULL, NULL);
        break;
    case 4:
        MUST(CloseHandle((HANDLE)(intptr_t)sockets[0]));
        close(sockets[1]);
        WaitForThreadpoolIoCallbacks(io, FALSE);
        MUST(ran == caused);
        CloseThreadpoolIo(io);
        break;
    case 5: MUST(taken + left_over() == released); break;
    }
    totals[k] += ran;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    PTP_POOL pool = NULL;
    uint64_t seed;

    stress_begin(argc, argv, 30000, 1200);
    seed = stress_seed;
    MUST((semaphore = CreateSemaphoreA(NULL, 0, 1000000, NULL)) != NULL);
    InitializeThreadpoolEnvironment(&environment);
    for (int i = 0; i < THREADS; i++)
        threads[i] = stress_thread(run, (void *)(intptr_t)i);
    for (uint64_t n = 0; n < stress_count; n++) {
        int k = (int)stress_random(&seed, KINDS);

        if (n % 50 == 0) { /* the default pool, and others of few threads, which go */
            if (pool)
                CloseThreadpool(pool);
            pool = n % 100 ? CreateThreadpool(NULL) : NULL;
            if (pool)
                SetThreadpoolThreadMaximum(pool, 1 + (DWORD)stress_random(&seed, 4));
            SetThreadpoolCallbackPool(&environment, pool);
        }
        make(k);
        atomic_store(&kind, k);
        stress_meet(&meeting);
        stress_meet(&meeting);
        add_up(k);
    }
    atomic_store(&kind, KINDS);
    stress_meet(&meeting);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (pool)
        CloseThreadpool(pool);
    printf("# ran: work %llu, timers %llu, waits %llu, members %llu, I/O %llu, registered %llu\n",
           (unsigned long long)totals[0], (unsigned long long)totals[1], (unsigned long long)totals[2],
           (unsigned long long)totals[3], (unsigned long long)totals[4], (unsigned long long)totals[5]);
    CloseHandle(semaphore);
    stress_balanced();
    return 0;
}
