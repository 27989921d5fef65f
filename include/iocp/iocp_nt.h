/* SPDX-License-Identifier: MIT */
/*
 * iocp_nt.h: functions that ntdll.dll has and no header of the SDK declares. Sources for Windows look them
 * up with GetProcAddress under declarations of their own, which is why nothing else includes this; here
 * is what they do, and a way to call them directly. They leave the last error alone.
 */
#ifndef IOCP_NT_H
#define IOCP_NT_H

#include <windows.h>
#include <winternl.h>

IOCP_EXTERN_C_BEGIN

/*
 * A wait packet: the way to a port for things that become signalled.
 * STATUS_SUCCESS, STATUS_OBJECT_NAME_EXISTS, STATUS_NO_MEMORY. Close it with NtClose: an association ends
 * with it, and its packet is taken out of the queue.
 */
NTSYSAPI NTSTATUS NTAPI NtCreateWaitCompletionPacket(PHANDLE packet, ACCESS_MASK access,
                                                     POBJECT_ATTRIBUTES attributes)
    IOCP_SYM(NtCreateWaitCompletionPacket);

/*
 * Once `target` is signalled, the port gets a packet of these four values; the signal is consumed as by a
 * wait. Then, when that packet has been dequeued, the wait packet may be associated again. Closing the
 * handle of `target` or of the port does not matter.
 *   target   an event, semaphore, timer, thread, process, file; no mutex
 *   key, overlapped, status, bytes   what the dequeue gives
 *   already  may be NULL. TRUE: it was signalled, the packet is in the queue
 * STATUS_SUCCESS; STATUS_INVALID_PARAMETER_1: it is associated; STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_HANDLE; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSYSAPI NTSTATUS NTAPI NtAssociateWaitCompletionPacket(HANDLE packet, HANDLE port, HANDLE target, PVOID key,
                                                        PVOID overlapped, NTSTATUS status, ULONG_PTR bytes,
                                                        PBOOLEAN already)
    IOCP_SYM(NtAssociateWaitCompletionPacket);

/* Ends an association. STATUS_SUCCESS: no packet will come; STATUS_PENDING: it is in the queue and stays
 * (without `remove`); STATUS_CANCELLED: there is none, or it has been dequeued. */
NTSYSAPI NTSTATUS NTAPI NtCancelWaitCompletionPacket(HANDLE packet, BOOLEAN remove)
    IOCP_SYM(NtCancelWaitCompletionPacket);

/* A keyed event. flags: 0. */
NTSYSAPI NTSTATUS NTAPI NtCreateKeyedEvent(PHANDLE event, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
                                           ULONG flags) IOCP_SYM(NtCreateKeyedEvent);
NTSYSAPI NTSTATUS NTAPI NtOpenKeyedEvent(PHANDLE event, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes)
    IOCP_SYM(NtOpenKeyedEvent);

/*
 * Both sleep until another thread makes the opposite call with the same key. event NULL: one that all share.
 * key: not odd. timeout as in NtWaitForSingleObject.
 * STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_USER_APC, STATUS_INVALID_PARAMETER_1 (the key).
 */
NTSYSAPI NTSTATUS NTAPI NtWaitForKeyedEvent(HANDLE event, PVOID key, BOOLEAN alertable,
                                            PLARGE_INTEGER timeout) IOCP_SYM(NtWaitForKeyedEvent);
NTSYSAPI NTSTATUS NTAPI NtReleaseKeyedEvent(HANDLE event, PVOID key, BOOLEAN alertable,
                                            PLARGE_INTEGER timeout) IOCP_SYM(NtReleaseKeyedEvent);

/* CancelIoEx by the IO_STATUS_BLOCK of the operation (NULL: all); CancelIo. result: may not be NULL.
 * STATUS_NOT_FOUND: there was none. */
NTSYSAPI NTSTATUS NTAPI NtCancelIoFileEx(HANDLE file, PIO_STATUS_BLOCK operation, PIO_STATUS_BLOCK result)
    IOCP_SYM(NtCancelIoFileEx);
NTSYSAPI NTSTATUS NTAPI NtCancelIoFile(HANDLE file, PIO_STATUS_BLOCK result) IOCP_SYM(NtCancelIoFile);

/* GetVersionEx, always with the true version: see docs/DEVIATIONS.md. */
NTSYSAPI NTSTATUS NTAPI RtlGetVersion(OSVERSIONINFOW *version) IOCP_SYM(RtlGetVersion);

IOCP_EXTERN_C_END

#endif
