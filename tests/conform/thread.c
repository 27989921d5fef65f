/* SPDX-License-Identifier: MIT */
/*
 * Threads: starting, suspending, ending, their handles and exit codes, and the values each thread has of
 * its own (TLS, FLS).
 */
#include "conform.h"

/* ---- starting ---- */

struct started {
    void *self;
    DWORD id;
    HANDLE go;
};

static DWORD WINAPI started_thread(void *arg)
{
    struct started *s = arg;
    s->self = arg;
    s->id = GetCurrentThreadId();
    if (s->go)
        WaitForSingleObject(s->go, 20000);
    return 0xFEDCBA98;
}

TEST(create_runs_with_parameter, "THREAD-01 THREAD-02")
{
    struct started s = {0};
    DWORD id = 0, code = 0;
    HANDLE thread = CreateThread(NULL, 0, started_thread, &s, 0, &id);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(s.self == &s);
    CHECK(id != 0);
    CHECK_EQ(s.id, id);
    CHECK(id != GetCurrentThreadId());
    CHECK_EQ(GetThreadId(thread), id);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 0xFEDCBA98);
    CHECK(CloseHandle(thread));
    thread = CreateThread(NULL, 256 * 1024, started_thread, &s, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    REQUIRE(thread != NULL);
    JOIN(thread);
}

TEST(create_fails_with_null, "THREAD-01")
{
    DWORD id = 77;
    struct started s = {0};
    /* A stack that no address space has. */
    SIZE_T size = (SIZE_T)1 << 60;
    CHECK(CreateThread(NULL, size, started_thread, &s, STACK_SIZE_PARAM_IS_A_RESERVATION, &id) == NULL);
    CHECK(s.self == NULL);
}

TEST(ids_are_different, "THREAD-01")
{
    enum { N = 10 };
    struct started s[N];
    HANDLE go = manual_event(), threads[N];
    DWORD ids[N];
    for (int i = 0; i < N; i++) {
        s[i] = (struct started){.go = go};
        threads[i] = CreateThread(NULL, 0, started_thread, &s[i], 0, &ids[i]);
        REQUIRE(threads[i] != NULL);
        for (int j = 0; j < i; j++)
            CHECK(ids[j] != ids[i] && threads[j] != threads[i]);
    }
    SetEvent(go);
    for (int i = 0; i < N; i++)
        JOIN(threads[i]);
    for (int i = 0; i < N; i++)
        CHECK_EQ(s[i].id, ids[i]);
    CloseHandle(go);
}

/* ---- exit codes ---- */

static DWORD WINAPI exits_early(void *arg)
{
    ExitThread((DWORD)(ULONG_PTR)arg);
    return 1;
}

static unsigned WINAPI ends_early(void *arg)
{
    _endthreadex((unsigned)(ULONG_PTR)arg);
    return 1;
}

TEST(exit_codes, "THREAD-02")
{
    struct started s = {.go = auto_event()};
    DWORD code = 0;
    HANDLE thread = CreateThread(NULL, 0, started_thread, &s, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, STILL_ACTIVE);
    CHECK_EQ(STILL_ACTIVE, 259);
    SetEvent(s.go);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 0xFEDCBA98);
    CHECK(CloseHandle(thread));
    thread = CreateThread(NULL, 0, exits_early, (void *)(ULONG_PTR)4711, 0, NULL);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 4711);
    CloseHandle(thread);
    thread = (HANDLE)_beginthreadex(NULL, 0, ends_early, (void *)(ULONG_PTR)815, 0, NULL);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 815);
    CloseHandle(thread);
    CHECK(GetExitCodeThread(GetCurrentThread(), &code));
    CHECK_EQ(code, STILL_ACTIVE);
    CHECK_ERR(GetExitCodeThread(thread, &code), ERROR_INVALID_HANDLE);
    CHECK_ERR(GetExitCodeThread(s.go, &code), ERROR_INVALID_HANDLE);
    CloseHandle(s.go);
}

/* ---- the handle ---- */

THREAD_FN(waits_for_handle) { return WaitForSingleObject((HANDLE)arg, 20000) == WAIT_OBJECT_0 ? 5 : 6; }

TEST(handle_is_signalled_at_exit, "THREAD-03")
{
    struct started s = {.go = auto_event()};
    HANDLE thread = CreateThread(NULL, 0, started_thread, &s, 0, NULL), waiters[3];
    DWORD code;
    REQUIRE(thread != NULL);
    for (int i = 0; i < 3; i++)
        waiters[i] = start_thread(waits_for_handle, thread);
    CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(3, waiters, FALSE, 0), WAIT_TIMEOUT);
    SetEvent(s.go);
    CHECK_EQ(WaitForMultipleObjects(3, waiters, TRUE, 20000), WAIT_OBJECT_0);
    for (int i = 0; i < 3; i++) {
        CHECK(GetExitCodeThread(waiters[i], &code));
        CHECK_EQ(code, 5);
        CHECK_EQ(WaitForSingleObject(thread, 0), WAIT_OBJECT_0); /* and stays so */
        CloseHandle(waiters[i]);
    }
    CHECK_EQ(WaitForMultipleObjects(1, &thread, TRUE, 0), WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(s.go);
}

TEST(closing_the_handle_changes_nothing, "THREAD-05 THREAD-02")
{
    struct started s = {.go = auto_event()};
    HANDLE second = NULL, first = CreateThread(NULL, 0, started_thread, &s, 0, NULL);
    DWORD code = 0;
    REQUIRE(first != NULL);
    CHECK(DuplicateHandle(GetCurrentProcess(), first, GetCurrentProcess(), &second, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(second != first);
    CHECK(CloseHandle(first));
    CHECK_WAITERR(WaitForSingleObject(first, 0), ERROR_INVALID_HANDLE);
    CHECK(GetExitCodeThread(second, &code));
    CHECK_EQ(code, STILL_ACTIVE);
    CHECK_EQ(WaitForSingleObject(second, 10), WAIT_TIMEOUT);
    SetEvent(s.go);
    CHECK_EQ(WaitForSingleObject(second, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(second, &code));
    CHECK_EQ(code, 0xFEDCBA98);
    CloseHandle(second);
    CloseHandle(s.go);
}

struct orphan {
    HANDLE go, done;
};

static DWORD WINAPI orphan_thread(void *arg)
{
    struct orphan *o = arg;
    WaitForSingleObject(o->go, 20000);
    SetEvent(o->done);
    return 0;
}

TEST(closing_the_last_handle_ends_nobody, "THREAD-05")
{
    struct orphan o = {auto_event(), auto_event()};
    HANDLE thread = CreateThread(NULL, 0, orphan_thread, &o, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK(CloseHandle(thread));
    CHECK_EQ(WaitForSingleObject(o.done, 10), WAIT_TIMEOUT);
    SetEvent(o.go);
    CHECK_EQ(WaitForSingleObject(o.done, 20000), WAIT_OBJECT_0);
    CloseHandle(o.go);
    CloseHandle(o.done);
}

struct real {
    HANDLE handle, ready, go;
    DWORD id;
};

static volatile LONG apc_thread;
static void CALLBACK note_thread(ULONG_PTR data) { apc_thread = (LONG)(GetCurrentThreadId() + data); }

THREAD_FN(makes_real_handle)
{
    struct real *r = arg;
    r->id = GetCurrentThreadId();
    CHECK(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &r->handle, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    SetEvent(r->ready);
    while (SleepEx(20000, TRUE) == WAIT_IO_COMPLETION && WaitForSingleObject(r->go, 0) != WAIT_OBJECT_0)
        ;
    return 33;
}

TEST(pseudo_handle_made_real, "THREAD-09")
{
    struct real r = {.ready = auto_event(), .go = auto_event()};
    HANDLE thread = start_thread(makes_real_handle, &r);
    DWORD code = 0;
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(r.ready, 20000), WAIT_OBJECT_0);
    REQUIRE(r.handle != NULL);
    CHECK(r.handle != GetCurrentThread());
    CHECK(r.handle != thread);
    CHECK_EQ(GetThreadId(r.handle), r.id);
    CHECK_EQ(GetThreadId(GetCurrentThread()), GetCurrentThreadId()); /* the pseudo handle is always me */
    CHECK_EQ(WaitForSingleObject(r.handle, 0), WAIT_TIMEOUT);
    SetEvent(r.go);
    CHECK(QueueUserAPC(note_thread, r.handle, 7) != 0);
    CHECK_EQ(WaitForSingleObject(r.handle, 20000), WAIT_OBJECT_0);
    CHECK_EQ(apc_thread, r.id + 7);
    CHECK(GetExitCodeThread(r.handle, &code));
    CHECK_EQ(code, 33);
    CHECK(CloseHandle(r.handle));
    JOIN(thread);
    CloseHandle(r.ready);
    CloseHandle(r.go);
}

/* ---- suspending ---- */

static volatile LONG suspended_ran;
static DWORD WINAPI suspended_thread(void *arg)
{
    InterlockedIncrement(&suspended_ran);
    return (DWORD)(ULONG_PTR)arg;
}

TEST(created_suspended, "THREAD-04")
{
    suspended_ran = 0;
    HANDLE thread = CreateThread(NULL, 0, suspended_thread, (void *)(ULONG_PTR)9, CREATE_SUSPENDED, NULL);
    DWORD code = 0;
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(thread, 50), WAIT_TIMEOUT);
    CHECK_EQ(suspended_ran, 0);
    CHECK_EQ(ResumeThread(thread), 1);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK_EQ(suspended_ran, 1);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQ(code, 9);
    CloseHandle(thread);
}

TEST(resuming_who_is_not_suspended, "THREAD-04")
{
    struct started s = {.go = auto_event()};
    HANDLE thread = CreateThread(NULL, 0, started_thread, &s, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(ResumeThread(thread), 0);
    CHECK_EQ(ResumeThread(thread), 0);
    SetEvent(s.go);
    JOIN(thread);
    SetLastError(0);
    CHECK_EQ(ResumeThread(NULL), (DWORD)-1);
    CHECK_LASTERR(ERROR_INVALID_HANDLE);
    CloseHandle(s.go);
}

/* ---- values per thread ---- */

struct own {
    DWORD slot;
    struct meeting *step;
    ULONG_PTR value, before, after;
    DWORD error;
};

THREAD_FN(has_own_value)
{
    struct own *o = arg;
    SetLastError(5);
    o->before = (ULONG_PTR)TlsGetValue(o->slot);
    o->error = GetLastError();
    CHECK(TlsSetValue(o->slot, (void *)o->value));
    meet(o->step); /* all have set their own */
    o->after = (ULONG_PTR)TlsGetValue(o->slot);
    return 0;
}

TEST(tls_is_per_thread, "THREAD-06 THREAD-07")
{
    struct meeting step = {.need = 3};
    struct own o[3];
    HANDLE threads[3];
    DWORD slot = TlsAlloc();
    REQUIRE(slot != TLS_OUT_OF_INDEXES);
    CHECK_EQ((ULONG_PTR)TlsGetValue(slot), 0);
    CHECK(TlsSetValue(slot, (void *)(ULONG_PTR)1));
    for (int i = 0; i < 3; i++) {
        o[i] = (struct own){slot, &step, 100 + (ULONG_PTR)i, 99, 99, 99};
        threads[i] = start_thread(has_own_value, &o[i]);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(o[i].before, 0);
        CHECK_EQ(o[i].error, 0);
        CHECK_EQ(o[i].after, 100 + i);
    }
    CHECK_EQ((ULONG_PTR)TlsGetValue(slot), 1);
    CHECK(TlsFree(slot));
}

TEST(tls_slot_used_again_reads_0, "THREAD-06")
{
    DWORD slot = TlsAlloc();
    REQUIRE(slot != TLS_OUT_OF_INDEXES);
    CHECK(TlsSetValue(slot, (void *)(ULONG_PTR)77));
    CHECK(TlsFree(slot));
    for (int i = 0; i < 20; i++) { /* sooner or later it is given out again */
        DWORD again = TlsAlloc();
        CHECK_EQ((ULONG_PTR)TlsGetValue(again), 0);
        CHECK(TlsFree(again));
        if (again == slot)
            return;
    }
}

TEST(tls_runs_out, "THREAD-06")
{
    static DWORD slots[5000];
    int count = 0, doubles = 0;
    while (count < 5000 && (slots[count] = TlsAlloc()) != TLS_OUT_OF_INDEXES)
        count++;
    CHECK_EQ(TLS_OUT_OF_INDEXES, 0xFFFFFFFF);
    CHECK_MSG(count >= 64, "only %d slots", count);
    if (count < 5000)
        CHECK_EQ(slots[count], 0xFFFFFFFF);
    CHECK_EQ(TlsAlloc(), count < 5000 ? TLS_OUT_OF_INDEXES : 0);
    for (int i = 0; i < count; i++)
        CHECK(TlsSetValue(slots[i], (void *)(ULONG_PTR)(i + 1)));
    for (int i = 0; i < count; i++)
        doubles += (ULONG_PTR)TlsGetValue(slots[i]) != (ULONG_PTR)i + 1;
    CHECK_EQ(doubles, 0);
    for (int i = 0; i < count; i++)
        CHECK(TlsFree(slots[i]));
    DWORD slot = TlsAlloc();
    CHECK(slot != TLS_OUT_OF_INDEXES);
    TlsFree(slot);
}

TEST(tls_last_error, "THREAD-07")
{
    DWORD slot = TlsAlloc();
    REQUIRE(slot != TLS_OUT_OF_INDEXES);
    SetLastError(0xDEADBEEF);
    CHECK_EQ((ULONG_PTR)TlsGetValue(slot), 0);
    CHECK_LASTERR(0); /* so a stored 0 and a failure can be told apart */
    CHECK(TlsSetValue(slot, &slot));
    SetLastError(0xDEADBEEF);
    CHECK(TlsGetValue(slot) == &slot);
    CHECK_LASTERR(0);
    SetLastError(0xDEADBEEF);
    CHECK(TlsSetValue(slot, NULL));
    CHECK_LASTERR(0xDEADBEEF);
    CHECK_ERR(TlsGetValue(TLS_OUT_OF_INDEXES), ERROR_INVALID_PARAMETER);
    CHECK_ERR(TlsSetValue(TLS_OUT_OF_INDEXES, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(TlsFree(TLS_OUT_OF_INDEXES), ERROR_INVALID_PARAMETER);
    CHECK(TlsFree(slot));
}

/* ---- FLS ---- */

static volatile LONG fls_calls, fls_sum;
static DWORD fls_thread;

static void WINAPI fls_callback(void *value)
{
    fls_thread = GetCurrentThreadId();
    InterlockedExchangeAdd(&fls_sum, (LONG)(ULONG_PTR)value);
    InterlockedIncrement(&fls_calls);
}

struct keeper {
    DWORD slots[3], id;
    HANDLE ready, go;
};

THREAD_FN(keeps_values)
{
    struct keeper *k = arg;
    k->id = GetCurrentThreadId();
    CHECK(FlsGetValue(k->slots[0]) == NULL);
    CHECK(FlsSetValue(k->slots[0], (void *)(ULONG_PTR)1000));
    CHECK(FlsSetValue(k->slots[1], (void *)(ULONG_PTR)50));
    CHECK(FlsSetValue(k->slots[1], NULL)); /* zero again: not called for */
    CHECK_EQ((ULONG_PTR)FlsGetValue(k->slots[0]), 1000);
    SetEvent(k->ready);
    WaitForSingleObject(k->go, 20000);
    return 0;
}

TEST(fls_callback_at_thread_exit, "THREAD-08")
{
    struct keeper k = {.ready = auto_event(), .go = auto_event()};
    fls_calls = fls_sum = 0;
    k.slots[0] = FlsAlloc(fls_callback);
    k.slots[1] = FlsAlloc(fls_callback);
    REQUIRE(k.slots[0] != FLS_OUT_OF_INDEXES && k.slots[1] != FLS_OUT_OF_INDEXES);
    HANDLE thread = start_thread(keeps_values, &k);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(k.ready, 20000), WAIT_OBJECT_0);
    CHECK(FlsGetValue(k.slots[0]) == NULL); /* every thread has its own */
    CHECK_EQ(fls_calls, 0);
    SetEvent(k.go);
    JOIN(thread);
    CHECK_EQ(fls_calls, 1);
    CHECK_EQ(fls_sum, 1000);
    CHECK_EQ(fls_thread, k.id);
    CHECK(FlsFree(k.slots[0])); /* nobody has a value left */
    CHECK(FlsFree(k.slots[1]));
    CHECK_EQ(fls_calls, 1);
    CloseHandle(k.ready);
    CloseHandle(k.go);
}

TEST(fls_callback_at_free, "THREAD-08")
{
    struct keeper k = {.ready = auto_event(), .go = auto_event()};
    fls_calls = fls_sum = 0;
    k.slots[0] = FlsAlloc(fls_callback);
    k.slots[1] = FlsAlloc(NULL); /* no callback at all */
    REQUIRE(k.slots[0] != FLS_OUT_OF_INDEXES && k.slots[1] != FLS_OUT_OF_INDEXES);
    CHECK(FlsSetValue(k.slots[0], (void *)(ULONG_PTR)1));
    CHECK(FlsSetValue(k.slots[1], (void *)(ULONG_PTR)7));
    HANDLE thread = start_thread(keeps_values, &k);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(k.ready, 20000), WAIT_OBJECT_0);
    CHECK(FlsFree(k.slots[0])); /* called for our value and for the other thread's */
    CHECK_EQ(fls_calls, 2);
    CHECK_EQ(fls_sum, 1001);
    CHECK(FlsFree(k.slots[1]));
    SetEvent(k.go);
    JOIN(thread);
    CHECK_EQ(fls_calls, 2); /* each value once */
    CHECK_ERR(FlsFree(FLS_OUT_OF_INDEXES), ERROR_INVALID_PARAMETER);
    CloseHandle(k.ready);
    CloseHandle(k.go);
}

static volatile LONG calls_for_values;

static void WINAPI count_callback(void *value)
{
    (void)value;
    InterlockedIncrement(&calls_for_values);
}

THREAD_FN(keeps_one_and_ends)
{
    struct keeper *k = arg;
    CHECK(FlsSetValue(k->slots[0], k));
    SetEvent(k->ready);
    return 0;
}

/* Whoever is first calls back for the value, and nobody else. */
TEST(fls_freed_as_the_thread_ends, "THREAD-08 THREAD-06")
{
    struct keeper k = {.ready = auto_event()};
    for (LONG i = 1; i <= 200; i++) {
        calls_for_values = 0;
        k.slots[0] = FlsAlloc(count_callback);
        HANDLE thread = start_thread(keeps_one_and_ends, &k);
        REQUIRE(thread != NULL);
        CHECK_EQ(WaitForSingleObject(k.ready, 20000), WAIT_OBJECT_0);
        k.slots[1] = TlsAlloc();
        CHECK(FlsFree(k.slots[0]));
        CHECK(TlsFree(k.slots[1]));
        JOIN(thread);
        CHECK_EQ(calls_for_values, 1);
    }
    CloseHandle(k.ready);
}

/* ---- threads that nobody created through this interface ---- */

#ifdef __linux__
static void *foreign(void *arg)
{
    struct keeper *k = arg;
    HANDLE real = NULL;
    CHECK(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &real, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    k->id = GetCurrentThreadId();
    k->ready = real;
    CHECK(FlsSetValue(k->slots[0], (void *)(ULONG_PTR)31));
    return NULL;
}

TEST(foreign_thread_has_a_handle, "THREAD-09 THREAD-08 THREAD-03")
{
    struct keeper k = {{0}, 0, NULL, NULL};
    pthread_t thread;
    fls_calls = fls_sum = 0;
    k.slots[0] = FlsAlloc(fls_callback);
    REQUIRE(pthread_create(&thread, NULL, foreign, &k) == 0);
    pthread_join(thread, NULL);
    REQUIRE(k.ready != NULL);
    CHECK_EQ(WaitForSingleObject(k.ready, 20000), WAIT_OBJECT_0);
    CHECK_EQ(GetThreadId(k.ready), k.id);
    CHECK_EQ(fls_calls, 1);
    CHECK_EQ(fls_sum, 31);
    CHECK(FlsFree(k.slots[0]));
    CloseHandle(k.ready);
}
#endif
