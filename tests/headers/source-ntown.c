/* SPDX-License-Identifier: MIT */
/* The types of the native API as programs define them that look its functions up at run time. */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>

typedef LONG NTSTATUS, *PNTSTATUS;

#ifndef NT_SUCCESS
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#endif
#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0)
#endif
#ifndef STATUS_NOT_FOUND
#define STATUS_NOT_FOUND ((NTSTATUS)0xC0000225)
#endif

typedef struct _IO_STATUS_BLOCK {
    NTSTATUS Status;
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

typedef enum _FILE_INFORMATION_CLASS {
    FileDirectoryInformation = 1,
    FileCompletionInformation = 30
} FILE_INFORMATION_CLASS;

typedef VOID(NTAPI *PIO_APC_ROUTINE)(PVOID context, PIO_STATUS_BLOCK status, ULONG reserved);
typedef ULONG(NTAPI *to_dos_error)(NTSTATUS status);

ULONG own_types(void);

ULONG own_types(void)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    to_dos_error convert = (to_dos_error)(void (*)(void))GetProcAddress(ntdll, "RtlNtStatusToDosError");

    return convert && NT_SUCCESS(STATUS_SUCCESS) ? convert(STATUS_NOT_FOUND) : (ULONG)sizeof(IO_STATUS_BLOCK);
}
