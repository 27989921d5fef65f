/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: what Microsoft documents of the native API, as far as it is there: the types that
 * sources pass about, and RtlNtStatusToDosError. windows.h does not bring it, so that sources may
 * define these types themselves. More statuses: ntstatus.h.
 * Pages: learn.microsoft.com/windows/win32/api/winternl/.
 */
#ifndef _WINTERNL_
#define _WINTERNL_

#include <windef.h>

IOCP_EXTERN_C_BEGIN

typedef LONG NTSTATUS;

#ifndef NT_SUCCESS
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#endif
#define NT_INFORMATION(status) ((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status)     ((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status)       ((ULONG)(status) >> 30 == 3)

typedef struct _UNICODE_STRING {
    USHORT Length;        /* bytes */
    USHORT MaximumLength; /* bytes */
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

/* The first half of an OVERLAPPED: Internal and InternalHigh. */
typedef struct _IO_STATUS_BLOCK {
    IOCP_NAMELESS union {
        NTSTATUS Status;
        PVOID Pointer;
    } DUMMYUNIONNAME;
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef VOID(NTAPI *PIO_APC_ROUTINE)(PVOID context, PIO_STATUS_BLOCK status, ULONG reserved);

IOCP_ASSERT_SIZE(UNICODE_STRING, 16);
IOCP_ASSERT_SIZE(OBJECT_ATTRIBUTES, 48);
IOCP_ASSERT_SIZE(IO_STATUS_BLOCK, 16);

/* The Win32 error that means the same; ERROR_MR_MID_NOT_FOUND if there is none. */
NTSYSAPI ULONG NTAPI RtlNtStatusToDosError(NTSTATUS status) IOCP_SYM(RtlNtStatusToDosError);

IOCP_EXTERN_C_END

#endif
