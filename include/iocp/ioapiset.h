/* SPDX-License-Identifier: MIT */
/*
 * ioapiset.h: completion ports, results of overlapped operations, and cancelling them.
 * Pages: learn.microsoft.com/windows/win32/api/ioapiset/ and "I/O Completion Ports",
 * learn.microsoft.com/windows/win32/fileio/i-o-completion-ports.
 */
#ifndef _IO_APISET_H_
#define _IO_APISET_H_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/*
 * Creates a port, or binds a handle to one, or both.
 *   file      a file, pipe, socket or POSIX descriptor, which is adopted; INVALID_HANDLE_VALUE: none
 *   existing  NULL: create a port. Else bind `file` to this one
 *   key       comes with every completion of `file`
 *   threads   how many threads the port lets run at a time; 0: as many as there are processors.
 *             Ignored for an existing port
 * The port, or NULL: ERROR_INVALID_PARAMETER (already bound, or not overlapped), ERROR_INVALID_HANDLE.
 * A handle stays bound until it is closed. Close the port with CloseHandle.
 */
WINBASEAPI HANDLE WINAPI CreateIoCompletionPort(HANDLE file, HANDLE existing, ULONG_PTR key, DWORD threads)
    IOCP_SYM(CreateIoCompletionPort);

/*
 * Takes the oldest packet out of the port, waiting up to `timeout_ms` (INFINITE) for one. The thread
 * that began to wait last is the first to be served.
 * TRUE: a good packet. FALSE with *overlapped not NULL: the packet of an operation that failed;
 * GetLastError is its error, and *bytes and *key are valid. FALSE with *overlapped NULL: no packet;
 * WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0 (the port was closed), ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER (a NULL pointer); *bytes and *key are untouched.
 */
WINBASEAPI BOOL WINAPI GetQueuedCompletionStatus(HANDLE port, LPDWORD bytes, PULONG_PTR key,
                                                 LPOVERLAPPED *overlapped, DWORD timeout_ms)
    IOCP_SYM(GetQueuedCompletionStatus);

/*
 * Takes up to `count` packets at once. TRUE: *removed entries are filled; whether each operation went
 * well is the NTSTATUS in its Internal. FALSE: none; WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0, or, with
 * `alertable`, WAIT_IO_COMPLETION: an APC ran instead.
 */
WINBASEAPI BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG count,
                                                   PULONG removed, DWORD timeout_ms, BOOL alertable)
    IOCP_SYM(GetQueuedCompletionStatusEx);

/* Queues a packet of these three values; none of them is looked at, and `overlapped` may be anything. */
WINBASEAPI BOOL WINAPI PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key,
                                                  LPOVERLAPPED overlapped)
    IOCP_SYM(PostQueuedCompletionStatus);

/*
 * A control of a device: AFD's, on a socket or \Device\Afd (winternl.h, NtDeviceIoControlFile), and
 * FSCTL_GET_REPARSE_POINT, which gives what a symbolic link opened with FILE_FLAG_OPEN_REPARSE_POINT holds
 * (ERROR_NOT_A_REPARSE_POINT, ERROR_INSUFFICIENT_BUFFER). Without `overlapped` it waits for the end. TRUE:
 * *bytes is set (or will be asked
 * for by GetOverlappedResult); FALSE: ERROR_IO_PENDING, ERROR_INVALID_FUNCTION (another code, another kind
 * of handle), ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE.
 */
WINBASEAPI BOOL WINAPI DeviceIoControl(HANDLE device, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
                                       DWORD out_size, LPDWORD bytes, LPOVERLAPPED overlapped)
    IOCP_SYM(DeviceIoControl);

/*
 * The result of an overlapped operation on `file`. With `wait` it waits for hEvent or, without one,
 * for the file (then only one operation at a time may be under way). TRUE: *bytes is set. FALSE: the
 * operation's error; or ERROR_IO_INCOMPLETE: it has not ended. `file` is not needed once it has.
 */
WINBASEAPI BOOL WINAPI GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes, BOOL wait)
    IOCP_SYM(GetOverlappedResult);

/* The same with a limit in milliseconds: 0 as `wait` FALSE; else WAIT_TIMEOUT or, with `alertable`,
 * WAIT_IO_COMPLETION if it did not end. */
WINBASEAPI BOOL WINAPI GetOverlappedResultEx(HANDLE file, LPOVERLAPPED overlapped, LPDWORD bytes,
                                             DWORD timeout_ms, BOOL alertable)
    IOCP_SYM(GetOverlappedResultEx);

/* Asks for the end of every operation that this thread has started on `file`. They complete as usual,
 * with ERROR_OPERATION_ABORTED unless they were quicker. TRUE also if there was none. */
WINBASEAPI BOOL WINAPI CancelIo(HANDLE file) IOCP_SYM(CancelIo);

/* The same for the operation of one OVERLAPPED, or with NULL for all on `file`, whoever started them.
 * ERROR_NOT_FOUND: there was none. */
WINBASEAPI BOOL WINAPI CancelIoEx(HANDLE file, LPOVERLAPPED overlapped) IOCP_SYM(CancelIoEx);

/* Ends the blocking read, write or accept that `thread` is in, with ERROR_OPERATION_ABORTED there.
 * ERROR_NOT_FOUND: it is in none. */
WINBASEAPI BOOL WINAPI CancelSynchronousIo(HANDLE thread) IOCP_SYM(CancelSynchronousIo);

IOCP_EXTERN_C_END

#endif
