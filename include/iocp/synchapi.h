/* SPDX-License-Identifier: MIT */
/*
 * synchapi.h: events, semaphores, mutexes, waitable timers, waiting and sleeping; and the locks that
 * lie in the program's own memory: critical sections, slim reader/writer locks, condition variables,
 * one-time initialisation, barriers, waiting on an address.
 *
 * Objects: a Create or Open function answers a handle, which the caller closes with CloseHandle, or
 * NULL. Names of events, semaphores and mutexes are known to all processes of the user (iocp_names_info
 * says whether), those of timers in this process only; "Local\" in front of one changes nothing. A name that
 * an object of the same kind has already opens that one, and GetLastError is then ERROR_ALREADY_EXISTS
 * (0 after a creation); of another kind: ERROR_INVALID_HANDLE. Of the attributes bInheritHandle alone
 * is looked at; access rights are remembered with the handle and do not restrict it. Common errors:
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY; of names
 * ERROR_FILENAME_EXCED_RANGE, ERROR_PATH_NOT_FOUND (a backslash), ERROR_NO_SYSTEM_RESOURCES (2048 of them,
 * or 256 processes); Open: ERROR_FILE_NOT_FOUND. Times are milliseconds; INFINITE waits for ever.
 * Page: "synchapi.h header", learn.microsoft.com/windows/win32/api/synchapi/.
 */
#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

#define MUTEX_MODIFY_STATE MUTANT_QUERY_STATE
#define MUTEX_ALL_ACCESS   MUTANT_ALL_ACCESS

#define CREATE_MUTEX_INITIAL_OWNER 0x00000001
#define CREATE_EVENT_MANUAL_RESET  0x00000001
#define CREATE_EVENT_INITIAL_SET   0x00000002
#define CREATE_WAITABLE_TIMER_MANUAL_RESET    0x00000001
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002

/* ---------- events ---------- */

/*
 * manual: stays set until ResetEvent and lets everybody through; otherwise each wait that is satisfied
 * takes the signal. initial: begins as set.
 */
WINBASEAPI HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES attributes, BOOL manual, BOOL initial,
                                      LPCSTR name) IOCP_SYM(CreateEventA);
WINBASEAPI HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES attributes, BOOL manual, BOOL initial,
                                      LPCWSTR name) IOCP_SYM(CreateEventW);

/* The same with flags (CREATE_EVENT_*) and the access of the handle (EVENT_ALL_ACCESS ...). */
WINBASEAPI HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags,
                                        DWORD access) IOCP_SYM(CreateEventExA);
WINBASEAPI HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags,
                                        DWORD access) IOCP_SYM(CreateEventExW);
WINBASEAPI HANDLE WINAPI OpenEventA(DWORD access, BOOL inherit, LPCSTR name) IOCP_SYM(OpenEventA);
WINBASEAPI HANDLE WINAPI OpenEventW(DWORD access, BOOL inherit, LPCWSTR name) IOCP_SYM(OpenEventW);

WINBASEAPI BOOL WINAPI SetEvent(HANDLE event) IOCP_SYM(SetEvent);
WINBASEAPI BOOL WINAPI ResetEvent(HANDLE event) IOCP_SYM(ResetEvent);

/* Lets through who waits at this moment (one, if the event is not manual) and leaves it reset.
 * ERROR_CALL_NOT_IMPLEMENTED: another process has it open. */
WINBASEAPI BOOL WINAPI PulseEvent(HANDLE event) IOCP_SYM(PulseEvent);

/* ---------- semaphores ---------- */

/* 0 <= initial <= maximum, maximum > 0. */
WINBASEAPI HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES attributes, LONG initial, LONG maximum,
                                          LPCSTR name) IOCP_SYM(CreateSemaphoreA);
WINBASEAPI HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES attributes, LONG initial, LONG maximum,
                                          LPCWSTR name) IOCP_SYM(CreateSemaphoreW);

/* flags: 0. */
WINBASEAPI HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES attributes, LONG initial, LONG maximum,
                                            LPCSTR name, DWORD flags, DWORD access)
    IOCP_SYM(CreateSemaphoreExA);
WINBASEAPI HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES attributes, LONG initial, LONG maximum,
                                            LPCWSTR name, DWORD flags, DWORD access)
    IOCP_SYM(CreateSemaphoreExW);
WINBASEAPI HANDLE WINAPI OpenSemaphoreA(DWORD access, BOOL inherit, LPCSTR name) IOCP_SYM(OpenSemaphoreA);
WINBASEAPI HANDLE WINAPI OpenSemaphoreW(DWORD access, BOOL inherit, LPCWSTR name) IOCP_SYM(OpenSemaphoreW);

/* Adds count (> 0); *previous, which may be NULL, gets the count from before. ERROR_TOO_MANY_POSTS:
 * over the maximum, and nothing was added. */
WINBASEAPI BOOL WINAPI ReleaseSemaphore(HANDLE semaphore, LONG count,
                                        LPLONG previous) IOCP_SYM(ReleaseSemaphore);

/* ---------- mutexes ---------- */

/* owned: the calling thread has it from the start, unless the mutex existed before. A thread that ends
 * while it owns one abandons it: the next wait answers WAIT_ABANDONED and owns the mutex. */
WINBASEAPI HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES attributes, BOOL owned, LPCSTR name)
    IOCP_SYM(CreateMutexA);
WINBASEAPI HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES attributes, BOOL owned, LPCWSTR name)
    IOCP_SYM(CreateMutexW);
WINBASEAPI HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags,
                                        DWORD access) IOCP_SYM(CreateMutexExA);
WINBASEAPI HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags,
                                        DWORD access) IOCP_SYM(CreateMutexExW);
WINBASEAPI HANDLE WINAPI OpenMutexA(DWORD access, BOOL inherit, LPCSTR name) IOCP_SYM(OpenMutexA);
WINBASEAPI HANDLE WINAPI OpenMutexW(DWORD access, BOOL inherit, LPCWSTR name) IOCP_SYM(OpenMutexW);

/* Once for each wait that took it. ERROR_NOT_OWNER: the calling thread does not own it. */
WINBASEAPI BOOL WINAPI ReleaseMutex(HANDLE mutex) IOCP_SYM(ReleaseMutex);

/* ---------- waitable timers ---------- */

/* Called as an APC of the thread that set the timer; low and high are the due time as a FILETIME. */
typedef VOID(APIENTRY *PTIMERAPCROUTINE)(LPVOID context, DWORD low, DWORD high);

/* manual: stays signalled until it is set again; otherwise the wait that it satisfies takes the signal. */
WINBASEAPI HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES attributes, BOOL manual, LPCSTR name)
    IOCP_SYM(CreateWaitableTimerA);
WINBASEAPI HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES attributes, BOOL manual, LPCWSTR name)
    IOCP_SYM(CreateWaitableTimerW);

/* flags: CREATE_WAITABLE_TIMER_*. Timers are of high resolution with or without that flag. */
WINBASEAPI HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES attributes, LPCSTR name, DWORD flags,
                                                DWORD access) IOCP_SYM(CreateWaitableTimerExA);
WINBASEAPI HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES attributes, LPCWSTR name, DWORD flags,
                                                DWORD access) IOCP_SYM(CreateWaitableTimerExW);
WINBASEAPI HANDLE WINAPI OpenWaitableTimerA(DWORD access, BOOL inherit,
                                            LPCSTR name) IOCP_SYM(OpenWaitableTimerA);
WINBASEAPI HANDLE WINAPI OpenWaitableTimerW(DWORD access, BOOL inherit,
                                            LPCWSTR name) IOCP_SYM(OpenWaitableTimerW);

/*
 * Starts the timer anew, unsignalled. *due in units of 100 ns: negative, from now; else a FILETIME. A
 * moment in the past fires at once. period: milliseconds between further signals, 0 for none. routine
 * (or NULL) runs in an alertable wait of the calling thread. resume: succeeds with the last error
 * ERROR_NOT_SUPPORTED, since nothing here wakes a sleeping machine.
 */
WINBASEAPI BOOL WINAPI SetWaitableTimer(HANDLE timer, const LARGE_INTEGER *due, LONG period,
                                        PTIMERAPCROUTINE routine, LPVOID context, BOOL resume)
    IOCP_SYM(SetWaitableTimer);

/* The same; the reason and the tolerable delay (milliseconds) are not used. */
WINBASEAPI BOOL WINAPI SetWaitableTimerEx(HANDLE timer, const LARGE_INTEGER *due, LONG period,
                                          PTIMERAPCROUTINE routine, LPVOID context, PREASON_CONTEXT reason,
                                          ULONG tolerable_delay) IOCP_SYM(SetWaitableTimerEx);

/* Stops it, and takes back an APC that has not run yet. A signal that is there stays. */
WINBASEAPI BOOL WINAPI CancelWaitableTimer(HANDLE timer) IOCP_SYM(CancelWaitableTimer);

/* ---------- waiting ---------- */

/*
 * Waits until the object is signalled, and takes the signal if the object is of that sort. Answers
 * WAIT_OBJECT_0, WAIT_ABANDONED (a mutex), WAIT_TIMEOUT, WAIT_FAILED; alertable: WAIT_IO_COMPLETION once
 * an APC of this thread has run. Events, semaphores, mutexes, timers, threads and the process can be
 * waited for, and files (signalled when their last overlapped operation has ended).
 */
WINBASEAPI DWORD WINAPI WaitForSingleObject(HANDLE object, DWORD timeout) IOCP_SYM(WaitForSingleObject);
WINBASEAPI DWORD WINAPI WaitForSingleObjectEx(HANDLE object, DWORD timeout, BOOL alertable)
    IOCP_SYM(WaitForSingleObjectEx);

/*
 * One of up to MAXIMUM_WAIT_OBJECTS handles: WAIT_OBJECT_0 (or WAIT_ABANDONED_0) plus the lowest index
 * that is signalled. all: every one of them at the same moment; none is taken before. With all, an
 * object that stands there twice is ERROR_INVALID_PARAMETER.
 */
WINBASEAPI DWORD WINAPI WaitForMultipleObjects(DWORD count, const HANDLE *objects, BOOL all, DWORD timeout)
    IOCP_SYM(WaitForMultipleObjects);
WINBASEAPI DWORD WINAPI WaitForMultipleObjectsEx(DWORD count, const HANDLE *objects, BOOL all,
                                                 DWORD timeout,
                                                 BOOL alertable) IOCP_SYM(WaitForMultipleObjectsEx);

/* Sets an event, releases a mutex or adds 1 to a semaphore, then waits. The two steps are not one, here
 * as there. */
WINBASEAPI DWORD WINAPI SignalObjectAndWait(HANDLE signal, HANDLE wait, DWORD timeout, BOOL alertable)
    IOCP_SYM(SignalObjectAndWait);

/* 0 gives the processor away. SleepEx answers 0, or WAIT_IO_COMPLETION after an APC. */
WINBASEAPI VOID WINAPI Sleep(DWORD milliseconds) IOCP_SYM(Sleep);
WINBASEAPI DWORD WINAPI SleepEx(DWORD milliseconds, BOOL alertable) IOCP_SYM(SleepEx);

/* ---------- critical sections ---------- */

#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000
#define RTL_CRITICAL_SECTION_FLAG_NO_DEBUG_INFO 0x01000000

/* A lock that its owner may enter again. Always TRUE. spin is remembered only (a short fixed number of tries
 * comes before sleeping), flags are not used. */
WINBASEAPI VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION section)
    IOCP_SYM(InitializeCriticalSection);
WINBASEAPI BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section, DWORD spin)
    IOCP_SYM(InitializeCriticalSectionAndSpinCount);
WINBASEAPI BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION section, DWORD spin, DWORD flags)
    IOCP_SYM(InitializeCriticalSectionEx);

/* Answers the old count. */
WINBASEAPI DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION section, DWORD spin)
    IOCP_SYM(SetCriticalSectionSpinCount);
WINBASEAPI VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION section) IOCP_SYM(EnterCriticalSection);
WINBASEAPI BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION section)
    IOCP_SYM(TryEnterCriticalSection);
WINBASEAPI VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION section) IOCP_SYM(LeaveCriticalSection);

/* Nobody may be inside. */
WINBASEAPI VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION section) IOCP_SYM(DeleteCriticalSection);

/* ---------- slim reader/writer locks ---------- */

typedef RTL_SRWLOCK SRWLOCK, *PSRWLOCK;
#define SRWLOCK_INIT RTL_SRWLOCK_INIT

/* Many readers or one writer; no owner, no second entry, nothing to delete. Zeros are a free lock. */
WINBASEAPI VOID WINAPI InitializeSRWLock(PSRWLOCK lock) IOCP_SYM(InitializeSRWLock);
WINBASEAPI VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK lock) IOCP_SYM(AcquireSRWLockExclusive);
WINBASEAPI VOID WINAPI AcquireSRWLockShared(PSRWLOCK lock) IOCP_SYM(AcquireSRWLockShared);
WINBASEAPI VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK lock) IOCP_SYM(ReleaseSRWLockExclusive);
WINBASEAPI VOID WINAPI ReleaseSRWLockShared(PSRWLOCK lock) IOCP_SYM(ReleaseSRWLockShared);
WINBASEAPI BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK lock) IOCP_SYM(TryAcquireSRWLockExclusive);
WINBASEAPI BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK lock) IOCP_SYM(TryAcquireSRWLockShared);

/* ---------- condition variables ---------- */

typedef RTL_CONDITION_VARIABLE CONDITION_VARIABLE, *PCONDITION_VARIABLE;
#define CONDITION_VARIABLE_INIT            RTL_CONDITION_VARIABLE_INIT
#define CONDITION_VARIABLE_LOCKMODE_SHARED RTL_CONDITION_VARIABLE_LOCKMODE_SHARED

WINBASEAPI VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE condition)
    IOCP_SYM(InitializeConditionVariable);

/* Leaves the lock (entered once), sleeps until woken, and takes the lock again in any case. FALSE:
 * ERROR_TIMEOUT. May wake up without reason: look at what you wait for. */
WINBASEAPI BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE condition, PCRITICAL_SECTION section,
                                                DWORD timeout) IOCP_SYM(SleepConditionVariableCS);
WINBASEAPI BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE condition, PSRWLOCK lock,
                                                 DWORD timeout,
                                                 ULONG flags) IOCP_SYM(SleepConditionVariableSRW);
WINBASEAPI VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE condition) IOCP_SYM(WakeConditionVariable);
WINBASEAPI VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE condition)
    IOCP_SYM(WakeAllConditionVariable);

/* ---------- one-time initialisation ---------- */

typedef RTL_RUN_ONCE INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;
typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE once, PVOID parameter, PVOID *context);

#define INIT_ONCE_STATIC_INIT       RTL_RUN_ONCE_INIT
#define INIT_ONCE_CHECK_ONLY        RTL_RUN_ONCE_CHECK_ONLY
#define INIT_ONCE_ASYNC             RTL_RUN_ONCE_ASYNC
#define INIT_ONCE_INIT_FAILED       RTL_RUN_ONCE_INIT_FAILED
#define INIT_ONCE_CTX_RESERVED_BITS RTL_RUN_ONCE_CTX_RESERVED_BITS

WINBASEAPI VOID WINAPI InitOnceInitialize(PINIT_ONCE once) IOCP_SYM(InitOnceInitialize);

/* Calls function if none has succeeded yet, while others wait. *context (or NULL) gets what it left; the
 * low INIT_ONCE_CTX_RESERVED_BITS bits of that are 0. FALSE: the function said so, and may be tried
 * again. */
WINBASEAPI BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE once, PINIT_ONCE_FN function, PVOID parameter,
                                           LPVOID *context) IOCP_SYM(InitOnceExecuteOnce);

/* The same in two steps. *pending TRUE: initialise, then call InitOnceComplete. INIT_ONCE_CHECK_ONLY:
 * FALSE with ERROR_GEN_FAILURE while it is not done. INIT_ONCE_ASYNC: several may try, one wins, and
 * the others' InitOnceComplete fails with ERROR_GEN_FAILURE. */
WINBASEAPI BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE once, DWORD flags, PBOOL pending,
                                               LPVOID *context) IOCP_SYM(InitOnceBeginInitialize);
WINBASEAPI BOOL WINAPI InitOnceComplete(LPINIT_ONCE once, DWORD flags,
                                        LPVOID context) IOCP_SYM(InitOnceComplete);

/* ---------- barriers ---------- */

typedef RTL_BARRIER SYNCHRONIZATION_BARRIER, *PSYNCHRONIZATION_BARRIER, *LPSYNCHRONIZATION_BARRIER;

#define SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY  0x01
#define SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY 0x02
#define SYNCHRONIZATION_BARRIER_FLAGS_NO_DELETE  0x04

/* spin: -1 for the default; not used. Enter answers TRUE to one of the threads. flags are not used. */
WINBASEAPI BOOL WINAPI InitializeSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER barrier, LONG threads,
                                                        LONG spin)
    IOCP_SYM(InitializeSynchronizationBarrier);
WINBASEAPI BOOL WINAPI EnterSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER barrier, DWORD flags)
    IOCP_SYM(EnterSynchronizationBarrier);

/* Waits until those who passed it have left. */
WINBASEAPI BOOL WINAPI DeleteSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER barrier)
    IOCP_SYM(DeleteSynchronizationBarrier);

/* ---------- waiting on an address ---------- */

/* Sleeps while the size bytes (1, 2, 4 or 8, aligned) at address equal those at compare. TRUE: woken, or
 * they differ; perhaps without reason. FALSE: ERROR_TIMEOUT, ERROR_INVALID_PARAMETER. */
WINBASEAPI BOOL WINAPI WaitOnAddress(volatile VOID *address, PVOID compare, SIZE_T size, DWORD timeout)
    IOCP_SYM(WaitOnAddress);
WINBASEAPI VOID WINAPI WakeByAddressSingle(PVOID address) IOCP_SYM(WakeByAddressSingle);
WINBASEAPI VOID WINAPI WakeByAddressAll(PVOID address) IOCP_SYM(WakeByAddressAll);

IOCP_ASSERT_SIZE(CRITICAL_SECTION, 40);
IOCP_ASSERT_SIZE(SRWLOCK, 8);
IOCP_ASSERT_SIZE(CONDITION_VARIABLE, 8);
IOCP_ASSERT_SIZE(INIT_ONCE, 8);
IOCP_ASSERT_SIZE(SYNCHRONIZATION_BARRIER, 32);

#ifdef UNICODE
#define CreateEvent           CreateEventW
#define CreateEventEx         CreateEventExW
#define OpenEvent             OpenEventW
#define CreateSemaphore       CreateSemaphoreW
#define CreateSemaphoreEx     CreateSemaphoreExW
#define OpenSemaphore         OpenSemaphoreW
#define CreateMutex           CreateMutexW
#define CreateMutexEx         CreateMutexExW
#define OpenMutex             OpenMutexW
#define CreateWaitableTimer   CreateWaitableTimerW
#define CreateWaitableTimerEx CreateWaitableTimerExW
#define OpenWaitableTimer     OpenWaitableTimerW
#else
#define CreateEvent           CreateEventA
#define CreateEventEx         CreateEventExA
#define OpenEvent             OpenEventA
#define CreateSemaphore       CreateSemaphoreA
#define CreateSemaphoreEx     CreateSemaphoreExA
#define OpenSemaphore         OpenSemaphoreA
#define CreateMutex           CreateMutexA
#define CreateMutexEx         CreateMutexExA
#define OpenMutex             OpenMutexA
#define CreateWaitableTimer   CreateWaitableTimerA
#define CreateWaitableTimerEx CreateWaitableTimerExA
#define OpenWaitableTimer     OpenWaitableTimerA
#endif

IOCP_EXTERN_C_END

#endif
