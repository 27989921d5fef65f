/* SPDX-License-Identifier: MIT */
/*
 * synchapi.h, second part: locks in the program's own memory. The structures are public, their
 * meaning is in wait/userlock.h.
 */
#include "api/api.h"
#include "base/clock.h"
#include "wait/userlock.h"

#include <ntstatus.h>
#include <windows.h>

#include <stddef.h>

_Static_assert(sizeof(struct user_section) == sizeof(CRITICAL_SECTION) &&
                   offsetof(struct user_section, word) == offsetof(CRITICAL_SECTION, LockCount) &&
                   offsetof(struct user_section, recursion) ==
                       offsetof(CRITICAL_SECTION, RecursionCount) &&
                   offsetof(struct user_section, owner) == offsetof(CRITICAL_SECTION, OwningThread) &&
                   offsetof(struct user_section, spin) == offsetof(CRITICAL_SECTION, SpinCount),
               "a section lies over a CRITICAL_SECTION");
_Static_assert(sizeof(struct user_condition) == sizeof(CONDITION_VARIABLE), "fits exactly");
_Static_assert(sizeof(struct user_barrier) <= sizeof(SYNCHRONIZATION_BARRIER), "fits");

/* ---- critical sections ---- */

static struct user_section *section(LPCRITICAL_SECTION s)
{
    return (struct user_section *)s;
}

void WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    section_init(section(lpCriticalSection), 0);
}

BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection,
                                                  DWORD dwSpinCount)
{
    section_init(section(lpCriticalSection), dwSpinCount);
    return TRUE;
}

BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount,
                                        DWORD Flags)
{
    (void)Flags; /* they choose debug information, of which there is none */
    section_init(section(lpCriticalSection), dwSpinCount);
    return TRUE;
}

DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
{
    DWORD previous = (DWORD)lpCriticalSection->SpinCount;

    lpCriticalSection->SpinCount = dwSpinCount & 0x00FFFFFFu;
    return previous;
}

void WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    section_enter(section(lpCriticalSection));
}

BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    return section_try(section(lpCriticalSection));
}

void WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    section_leave(section(lpCriticalSection));
}

void WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    section_init(section(lpCriticalSection), 0);
}

/* ---- slim reader/writer locks ---- */

static _Atomic uint32_t *srw(PSRWLOCK lock)
{
    return (_Atomic uint32_t *)&lock->Ptr;
}

void WINAPI InitializeSRWLock(PSRWLOCK SRWLock)
{
    SRWLock->Ptr = NULL;
}

void WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
    srw_lock(srw(SRWLock));
}

void WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock)
{
    srw_lock_shared(srw(SRWLock));
}

BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
    return srw_try(srw(SRWLock));
}

BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock)
{
    return srw_try_shared(srw(SRWLock));
}

void WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock)
{
    srw_unlock(srw(SRWLock));
}

void WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock)
{
    srw_unlock_shared(srw(SRWLock));
}

/* ---- condition variables ---- */

static void section_leave_any(void *lock) { section_leave(lock); }
static void section_enter_any(void *lock) { section_enter(lock); }
static void srw_lock_any(void *lock) { srw_lock(lock); }
static void srw_unlock_any(void *lock) { srw_unlock(lock); }
static void srw_lock_shared_any(void *lock) { srw_lock_shared(lock); }
static void srw_unlock_shared_any(void *lock) { srw_unlock_shared(lock); }

static struct user_condition *condition(PCONDITION_VARIABLE c)
{
    return (struct user_condition *)c;
}

static BOOL slept(bool woken)
{
    if (!woken)
        last_error_set(ERROR_TIMEOUT);
    return woken;
}

void WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    ConditionVariable->Ptr = NULL;
}

BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable,
                                     PCRITICAL_SECTION CriticalSection, DWORD dwMilliseconds)
{
    return slept(condition_sleep(condition(ConditionVariable), deadline_from_ms(dwMilliseconds),
                                 section_leave_any, section_enter_any, section(CriticalSection)));
}

BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock,
                                      DWORD dwMilliseconds, ULONG Flags)
{
    bool shared = Flags & CONDITION_VARIABLE_LOCKMODE_SHARED;

    if (Flags & ~(ULONG)CONDITION_VARIABLE_LOCKMODE_SHARED)
        return win32_result(STATUS_INVALID_PARAMETER);
    return slept(condition_sleep(condition(ConditionVariable), deadline_from_ms(dwMilliseconds),
                                 shared ? srw_unlock_shared_any : srw_unlock_any,
                                 shared ? srw_lock_shared_any : srw_lock_any, srw(SRWLock)));
}

void WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    condition_wake(condition(ConditionVariable), false);
}

void WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    condition_wake(condition(ConditionVariable), true);
}

/* ---- one-time initialisation ---- */

#define CONTEXT_BITS_RESERVED ((1u << INIT_ONCE_CTX_RESERVED_BITS) - 1)

static _Atomic uintptr_t *once(PINIT_ONCE o)
{
    return (_Atomic uintptr_t *)&o->Ptr;
}

void WINAPI InitOnceInitialize(PINIT_ONCE InitOnce)
{
    InitOnce->Ptr = NULL;
}

BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter,
                                LPVOID *Context)
{
    void *context = NULL;

    if (once_check(once(InitOnce), Context) == ONCE_DONE)
        return TRUE;
    switch (once_begin(once(InitOnce), false, Context)) {
    case ONCE_DONE:
        return TRUE;
    case ONCE_YOURS:
        break;
    default:
        return win32_result(STATUS_INVALID_PARAMETER);
    }
    if (!InitFn(InitOnce, Parameter, &context)) {
        once_fail(once(InitOnce));
        return FALSE; /* the last error is the function's */
    }
    once_complete(once(InitOnce), false, context);
    if (Context)
        *Context = context;
    return TRUE;
}

BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE lpInitOnce, DWORD dwFlags, PBOOL fPending,
                                    LPVOID *lpContext)
{
    enum once_result result = ONCE_MISUSED;

    if (dwFlags == INIT_ONCE_CHECK_ONLY)
        result = once_check(once(lpInitOnce), lpContext);
    else if (!(dwFlags & ~(DWORD)INIT_ONCE_ASYNC))
        result = once_begin(once(lpInitOnce), dwFlags & INIT_ONCE_ASYNC, lpContext);
    switch (result) {
    case ONCE_DONE:
        *fPending = FALSE;
        return TRUE;
    case ONCE_YOURS:
        *fPending = TRUE;
        return TRUE;
    case ONCE_BUSY: /* only looked */
        *fPending = TRUE;
        return win32_result(STATUS_UNSUCCESSFUL);
    default:
        return win32_result(STATUS_INVALID_PARAMETER);
    }
}

BOOL WINAPI InitOnceComplete(LPINIT_ONCE lpInitOnce, DWORD dwFlags, LPVOID lpContext)
{
    bool async = dwFlags & INIT_ONCE_ASYNC;
    bool failed = dwFlags & INIT_ONCE_INIT_FAILED;
    bool ended;

    if ((dwFlags & ~(DWORD)(INIT_ONCE_ASYNC | INIT_ONCE_INIT_FAILED)) || (async && failed) ||
        (failed && lpContext) || ((uintptr_t)lpContext & CONTEXT_BITS_RESERVED))
        return win32_result(STATUS_INVALID_PARAMETER);
    ended = failed ? once_fail(once(lpInitOnce)) : once_complete(once(lpInitOnce), async, lpContext);
    return win32_result(ended ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
}

/* ---- barriers ---- */

static struct user_barrier *barrier(LPSYNCHRONIZATION_BARRIER b)
{
    return (struct user_barrier *)b;
}

BOOL WINAPI InitializeSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER lpBarrier,
                                             LONG lTotalThreads, LONG lSpinCount)
{
    if (!lpBarrier || lTotalThreads < 1 || lSpinCount < -1)
        return win32_result(STATUS_INVALID_PARAMETER);
    barrier_init(barrier(lpBarrier), (uint32_t)lTotalThreads);
    return TRUE;
}

BOOL WINAPI EnterSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER lpBarrier, DWORD dwFlags)
{
    (void)dwFlags; /* they say whether to spin, and that nobody will delete it */
    return barrier_enter(barrier(lpBarrier));
}

BOOL WINAPI DeleteSynchronizationBarrier(LPSYNCHRONIZATION_BARRIER lpBarrier)
{
    barrier_delete(barrier(lpBarrier));
    return TRUE;
}

/* ---- waiting on an address ---- */

BOOL WINAPI WaitOnAddress(volatile VOID *Address, PVOID CompareAddress, SIZE_T AddressSize,
                          DWORD dwMilliseconds)
{
    bool fits = AddressSize == 1 || AddressSize == 2 || AddressSize == 4 || AddressSize == 8;

    if (!fits || !Address || !CompareAddress || (uintptr_t)Address % AddressSize != 0)
        return win32_result(STATUS_INVALID_PARAMETER);
    return slept(address_wait(Address, CompareAddress, AddressSize, deadline_from_ms(dwMilliseconds)));
}

void WINAPI WakeByAddressSingle(PVOID Address)
{
    address_wake(Address, false);
}

void WINAPI WakeByAddressAll(PVOID Address)
{
    address_wake(Address, true);
}
