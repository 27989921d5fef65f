/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h: threads, user APCs, thread-local slots, processes.
 *
 * Every thread may call in, however it was started; the library takes notice of it at its first call and
 * of its end. Thread ids are Linux's (gettid), process ids too. A thread argument may be the value of
 * GetCurrentThread, a process argument that of GetCurrentProcess. Common errors: ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY.
 * Page: "processthreadsapi.h header", learn.microsoft.com/windows/win32/api/processthreadsapi/.
 */
#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

#define TLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#ifndef FLS_OUT_OF_INDEXES
#define FLS_OUT_OF_INDEXES ((DWORD)0xFFFFFFFF)
#endif

/* ---------- starting and ending threads ---------- */

/*
 * Starts a thread; with CREATE_SUSPENDED it runs at the first ResumeThread. stack_size: bytes, 0 for the
 * default. *id, which may be NULL, gets its id. The handle is waitable (signalled when the thread has
 * ended) and is the caller's to close. NULL: ERROR_NOT_ENOUGH_MEMORY and others.
 */
WINBASEAPI HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES attributes, SIZE_T stack_size,
                                      LPTHREAD_START_ROUTINE start, LPVOID parameter, DWORD flags, LPDWORD id)
    IOCP_SYM(CreateThread);

/* Ends the calling thread. The destructors of its thread-local values run, in C++ also those of its stack. */
WINBASEAPI DECLSPEC_NORETURN VOID WINAPI ExitThread(DWORD exit_code) IOCP_SYM(ExitThread);

/* The calling thread itself: as ExitThread. Another one: ERROR_CALL_NOT_IMPLEMENTED, because a thread
 * cannot be torn out of a C library without leaving its locks behind. */
WINBASEAPI BOOL WINAPI TerminateThread(HANDLE thread, DWORD exit_code) IOCP_SYM(TerminateThread);

/*
 * Answer the suspend count from before, or (DWORD)-1. Suspending works until the thread has begun to run
 * (that is, on one of CREATE_SUSPENDED); later: ERROR_CALL_NOT_IMPLEMENTED. hThread of CreateProcess, too.
 */
WINBASEAPI DWORD WINAPI ResumeThread(HANDLE thread) IOCP_SYM(ResumeThread);
WINBASEAPI DWORD WINAPI SuspendThread(HANDLE thread) IOCP_SYM(SuspendThread);

/* STILL_ACTIVE (259) until it ends. */
WINBASEAPI BOOL WINAPI GetExitCodeThread(HANDLE thread, LPDWORD exit_code) IOCP_SYM(GetExitCodeThread);

/* ---------- which thread ---------- */

/* A pseudo handle, (HANDLE)-2, which means the calling thread wherever it is used: DuplicateHandle makes a
 * real one of it. Need not be closed. */
WINBASEAPI HANDLE WINAPI GetCurrentThread(void) IOCP_SYM(GetCurrentThread);
WINBASEAPI DWORD WINAPI GetCurrentThreadId(void) IOCP_SYM(GetCurrentThreadId);

/* 0 on failure. */
WINBASEAPI DWORD WINAPI GetThreadId(HANDLE thread) IOCP_SYM(GetThreadId);
WINBASEAPI DWORD WINAPI GetProcessIdOfThread(HANDLE thread) IOCP_SYM(GetProcessIdOfThread);

/* A handle for a thread of this process that the library has seen. ERROR_INVALID_PARAMETER: no such. */
WINBASEAPI HANDLE WINAPI OpenThread(DWORD access, BOOL inherit, DWORD id) IOCP_SYM(OpenThread);

/* TRUE; Linux does not say whether another thread got the processor. */
WINBASEAPI BOOL WINAPI SwitchToThread(void) IOCP_SYM(SwitchToThread);
WINBASEAPI DWORD WINAPI GetCurrentProcessorNumber(void) IOCP_SYM(GetCurrentProcessorNumber);

/* ---------- priority and description ---------- */

/* THREAD_PRIORITY_*: checked and remembered, no more; scheduling stays Linux's. Get answers
 * THREAD_PRIORITY_ERROR_RETURN on failure. */
WINBASEAPI BOOL WINAPI SetThreadPriority(HANDLE thread, int priority) IOCP_SYM(SetThreadPriority);
WINBASEAPI int WINAPI GetThreadPriority(HANDLE thread) IOCP_SYM(GetThreadPriority);

/* A name for debuggers; its first 15 bytes are what Linux shows. An HRESULT: S_OK, or the error. What Get
 * gives is freed with LocalFree. */
WINBASEAPI HRESULT WINAPI SetThreadDescription(HANDLE thread, PCWSTR text) IOCP_SYM(SetThreadDescription);
WINBASEAPI HRESULT WINAPI GetThreadDescription(HANDLE thread, PWSTR *text) IOCP_SYM(GetThreadDescription);

/* ---------- times, stacks ---------- */

/*
 * FILETIMEs of the start (for a thread that Windows sources did not start: of its first call) and the end
 * (0: still running), and processor time in units of 100 ns. Another thread's is told in clock ticks
 * (10 ms) while it runs. No pointer may be NULL.
 */
WINBASEAPI BOOL WINAPI GetThreadTimes(HANDLE thread, LPFILETIME created, LPFILETIME ended, LPFILETIME kernel,
                                      LPFILETIME user) IOCP_SYM(GetThreadTimes);
WINBASEAPI BOOL WINAPI GetProcessTimes(HANDLE process, LPFILETIME created, LPFILETIME ended,
                                       LPFILETIME kernel, LPFILETIME user) IOCP_SYM(GetProcessTimes);

/* Of all processors since the machine started; kernel time contains the idle time. Pointers may be NULL. */
WINBASEAPI BOOL WINAPI GetSystemTimes(PFILETIME idle, PFILETIME kernel, PFILETIME user)
    IOCP_SYM(GetSystemTimes);

/* The stack of the calling thread: low <= address < high. */
WINBASEAPI VOID WINAPI GetCurrentThreadStackLimits(PULONG_PTR low, PULONG_PTR high)
    IOCP_SYM(GetCurrentThreadStackLimits);

/* ---------- user APCs ---------- */

/* Has function(data) called by that thread in its next alertable wait. 0: failed; ERROR_GEN_FAILURE: the
 * thread is ending. */
WINBASEAPI DWORD WINAPI QueueUserAPC(PAPCFUNC function, HANDLE thread,
                                     ULONG_PTR data) IOCP_SYM(QueueUserAPC);

/* ---------- thread-local slots ---------- */

/* A new slot, NULL in every thread. TLS_OUT_OF_INDEXES: ERROR_NOT_ENOUGH_MEMORY. */
WINBASEAPI DWORD WINAPI TlsAlloc(void) IOCP_SYM(TlsAlloc);
WINBASEAPI BOOL WINAPI TlsFree(DWORD index) IOCP_SYM(TlsFree);

/* Success sets the last error to ERROR_SUCCESS, which tells a stored NULL from a failure. */
WINBASEAPI LPVOID WINAPI TlsGetValue(DWORD index) IOCP_SYM(TlsGetValue);
WINBASEAPI BOOL WINAPI TlsSetValue(DWORD index, LPVOID value) IOCP_SYM(TlsSetValue);

/* ---------- the process ---------- */

/* A pseudo handle, (HANDLE)-1. */
WINBASEAPI HANDLE WINAPI GetCurrentProcess(void) IOCP_SYM(GetCurrentProcess);
WINBASEAPI DWORD WINAPI GetCurrentProcessId(void) IOCP_SYM(GetCurrentProcessId);
WINBASEAPI DWORD WINAPI GetProcessId(HANDLE process) IOCP_SYM(GetProcessId);

/*
 * access, inherit: remembered. ERROR_INVALID_PARAMETER: there is no such process. Whether it may be
 * killed is asked when it is. The handle is signalled when the process has ended.
 */
WINBASEAPI HANDLE WINAPI OpenProcess(DWORD access, BOOL inherit, DWORD id) IOCP_SYM(OpenProcess);

/* *_PRIORITY_CLASS as a nice value for every thread there is. Above the present one: ERROR_ACCESS_DENIED
 * without the right. Get: 0 on failure. */
WINBASEAPI BOOL WINAPI SetPriorityClass(HANDLE process, DWORD priority) IOCP_SYM(SetPriorityClass);
WINBASEAPI DWORD WINAPI GetPriorityClass(HANDLE process) IOCP_SYM(GetPriorityClass);

/*
 * STILL_ACTIVE (259) while it runs; then the low 8 bits that it left, or all 32 that TerminateProcess of this
 * program gave, or an exception's code if a signal ended it. ERROR_NOT_SUPPORTED: a process that
 * this program did not start, and a kernel before 6.15.
 */
WINBASEAPI BOOL WINAPI GetExitCodeProcess(HANDLE process, LPDWORD exit_code) IOCP_SYM(GetExitCodeProcess);

/* exit and _exit, of the code the low 8 bits reach Linux; SIGKILL for another process.
 * ERROR_ACCESS_DENIED: it has ended, or is somebody else's. */
WINBASEAPI DECLSPEC_NORETURN VOID WINAPI ExitProcess(UINT exit_code) IOCP_SYM(ExitProcess);
WINBASEAPI BOOL WINAPI TerminateProcess(HANDLE process, UINT exit_code) IOCP_SYM(TerminateProcess);

/* ---------- starting programs ---------- */

typedef struct _STARTUPINFOA {
    DWORD cb;
    LPSTR lpReserved;
    LPSTR lpDesktop;
    LPSTR lpTitle;
    DWORD dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute;
    DWORD dwFlags; /* STARTF_USESTDHANDLES; the others are ignored */
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput, hStdOutput, hStdError;
} STARTUPINFOA, *LPSTARTUPINFOA;

typedef struct _STARTUPINFOW {
    DWORD cb;
    LPWSTR lpReserved;
    LPWSTR lpDesktop;
    LPWSTR lpTitle;
    DWORD dwX, dwY, dwXSize, dwYSize, dwXCountChars, dwYCountChars, dwFillAttribute;
    DWORD dwFlags;
    WORD wShowWindow;
    WORD cbReserved2;
    LPBYTE lpReserved2;
    HANDLE hStdInput, hStdOutput, hStdError;
} STARTUPINFOW, *LPSTARTUPINFOW;

typedef struct _PROCESS_INFORMATION {
    HANDLE hProcess;
    HANDLE hThread; /* another handle of the process: to be resumed, waited for and closed */
    DWORD dwProcessId;
    DWORD dwThreadId;
} PROCESS_INFORMATION, *PPROCESS_INFORMATION, *LPPROCESS_INFORMATION;

/*
 * Starts a program. application: its name, or NULL: the first word of the command line, looked for beside
 * this program, in the current directory and in PATH, with ".exe" added if need be. command_line becomes
 * its arguments by Windows' rules; NULL: the name. inherit: descriptors that are inheritable
 * (bInheritHandle, SetHandleInformation) keep their numbers in the child, which are their handles there;
 * other handles are not inherited. environment: strings, each terminated, an empty one at the end, UTF-16
 * with CREATE_UNICODE_ENVIRONMENT; NULL: this program's. flags: CREATE_NEW_PROCESS_GROUP,
 * DETACHED_PROCESS (a session of its own), CREATE_SUSPENDED (it begins at ResumeThread(hThread)) and
 * priority classes count; EXTENDED_STARTUPINFO_PRESENT: *startup is a STARTUPINFOEX, with its size in cb;
 * DEBUG_*: ERROR_CALL_NOT_IMPLEMENTED. Both handles in *information are the caller's to close.
 * ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY (the
 * directory is none), ERROR_INVALID_PARAMETER (also: of a list of handles one is not inheritable, or inherit
 * is FALSE).
 */
WINBASEAPI BOOL WINAPI CreateProcessA(LPCSTR application, LPSTR command_line,
                                      LPSECURITY_ATTRIBUTES process_attributes,
                                      LPSECURITY_ATTRIBUTES thread_attributes, BOOL inherit, DWORD flags,
                                      LPVOID environment, LPCSTR directory, LPSTARTUPINFOA startup,
                                      LPPROCESS_INFORMATION information) IOCP_SYM(CreateProcessA);
WINBASEAPI BOOL WINAPI CreateProcessW(LPCWSTR application, LPWSTR command_line,
                                      LPSECURITY_ATTRIBUTES process_attributes,
                                      LPSECURITY_ATTRIBUTES thread_attributes, BOOL inherit, DWORD flags,
                                      LPVOID environment, LPCWSTR directory, LPSTARTUPINFOW startup,
                                      LPPROCESS_INFORMATION information) IOCP_SYM(CreateProcessW);

typedef struct _PROC_THREAD_ATTRIBUTE_LIST *LPPROC_THREAD_ATTRIBUTE_LIST;

/*
 * Attributes for CreateProcess, in memory of the caller's: for count of them *size bytes. list NULL, or *size
 * too small: *size is what it takes, ERROR_INSUFFICIENT_BUFFER. flags: 0.
 */
WINBASEAPI BOOL WINAPI InitializeProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST list, DWORD count,
                                                         DWORD flags, PSIZE_T size)
    IOCP_SYM(InitializeProcThreadAttributeList);

/*
 * PROC_THREAD_ATTRIBUTE_HANDLE_LIST: value is an array of handles (size: its bytes), which has to stay until
 * the list is deleted, and is looked at by CreateProcess (NULL: ERROR_NOACCESS); of the inheritable handles
 * only these are inherited. Standard handles always are. Other attributes: ERROR_NOT_SUPPORTED.
 * ERROR_BAD_LENGTH, ERROR_OBJECT_NAME_EXISTS (it is set already), ERROR_GEN_FAILURE (the list is full).
 * flags: 0; previous, return_size: NULL.
 */
WINBASEAPI BOOL WINAPI UpdateProcThreadAttribute(LPPROC_THREAD_ATTRIBUTE_LIST list, DWORD flags,
                                                 DWORD_PTR attribute, PVOID value, SIZE_T size,
                                                 PVOID previous, PSIZE_T return_size)
    IOCP_SYM(UpdateProcThreadAttribute);
WINBASEAPI VOID WINAPI DeleteProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST list)
    IOCP_SYM(DeleteProcThreadAttributeList);

/* What this program was started with: its standard handles. */
WINBASEAPI VOID WINAPI GetStartupInfoW(LPSTARTUPINFOW startup) IOCP_SYM(GetStartupInfoW);

#ifdef UNICODE
typedef STARTUPINFOW STARTUPINFO;
typedef LPSTARTUPINFOW LPSTARTUPINFO;
#define CreateProcess CreateProcessW
#else
typedef STARTUPINFOA STARTUPINFO;
typedef LPSTARTUPINFOA LPSTARTUPINFO;
#define CreateProcess CreateProcessA
#endif

IOCP_EXTERN_C_END

#endif
