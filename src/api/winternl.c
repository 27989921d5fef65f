/* SPDX-License-Identifier: MIT */
/*
 * winternl.h and iocp_nt.h, but for files: closing, waiting, keyed events, wait packets, and small
 * helpers. The native functions return an NTSTATUS and do not touch the last error.
 */
#include <windows.h>

#include "api/handles.h"
#include "api/nt.h"
#include "base/status.h"
#include "base/text.h"
#include "io/wait_packet.h"
#include "object/name.h"
#include "wait/keyed.h"
#include "wait/wait.h"

#include <iocp_nt.h>
#include <ntstatus.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

static const int64_t *value_of(const LARGE_INTEGER *timeout)
{
    return timeout ? (const int64_t *)&timeout->QuadPart : NULL;
}

uint32_t nt_string(const void *from, char **out)
{
    const UNICODE_STRING *string = from;
    uint16_t *copy;

    *out = NULL;
    if (!string || string->Length == 0 || !string->Buffer)
        return STATUS_SUCCESS;
    copy = calloc(string->Length / 2 + 1, sizeof *copy); /* what is counted need not be terminated */
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, string->Buffer, string->Length / 2 * sizeof *copy);
    *out = text_utf8_new(copy);
    free(copy);
    return *out ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_NO_MEMORY;
}

/* The name of an object, where all that have names stand; *out is `text` or lies in it. */
static uint32_t object_name(const OBJECT_ATTRIBUTES *attributes, char **text, const char **name)
{
    static const char directory[] = "\\BaseNamedObjects\\";
    uint32_t status = nt_string(attributes ? attributes->ObjectName : NULL, text);

    *name = *text;
    if (*text && strncmp(*text, directory, sizeof directory - 1) == 0)
        *name += sizeof directory - 1;
    return status;
}

static uint32_t publish(struct object *obj, ACCESS_MASK access, const OBJECT_ATTRIBUTES *attributes,
                        HANDLE *out)
{
    uintptr_t h;
    bool inherit = attributes && (attributes->Attributes & OBJ_INHERIT);
    uint32_t status = handle_open(obj, access, inherit ? HANDLE_INHERIT : 0, &h);

    object_name_settle(obj);
    object_put(obj);
    if (status == STATUS_SUCCESS)
        *out = (HANDLE)h;
    return status;
}

static uint32_t create(uint32_t (*make)(const char *, struct object **), HANDLE *out, ACCESS_MASK access,
                       const OBJECT_ATTRIBUTES *attributes)
{
    struct object *obj = NULL;
    const char *name;
    char *text;
    uint32_t made, status;

    if (!out)
        return STATUS_ACCESS_VIOLATION;
    status = object_name(attributes, &text, &name);
    if (status != STATUS_SUCCESS)
        return status;
    made = make(name, &obj);
    free(text);
    if (made == STATUS_OBJECT_NAME_EXISTS && !(attributes->Attributes & OBJ_OPENIF)) {
        object_name_settle(obj);
        object_put(obj);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (!status_is_success(made))
        return made;
    status = publish(obj, access, attributes, out);
    return status == STATUS_SUCCESS ? made : status;
}

/* ---- handles and waits ---- */

NTSTATUS NTAPI NtClose(HANDLE Handle)
{
    return (NTSTATUS)api_close(Handle);
}

NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    struct object *obj;
    uint32_t status = api_waitable_get(Handle, &obj);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = wait_for_one(obj->type->dispatcher(obj), Alertable, nt_deadline(value_of(Timeout)));
    object_put(obj);
    return (NTSTATUS)status;
}

/* ---- wait packets ---- */

NTSTATUS NTAPI NtCreateWaitCompletionPacket(PHANDLE WaitCompletionPacketHandle, ACCESS_MASK DesiredAccess,
                                            POBJECT_ATTRIBUTES ObjectAttributes)
{
    return (NTSTATUS)create(wait_packet_new, WaitCompletionPacketHandle, DesiredAccess, ObjectAttributes);
}

static uint32_t associate(HANDLE packet, HANDLE port, struct object *target, const struct packet *what,
                          bool *already)
{
    struct object *p, *q;
    uint32_t status = handle_get((uintptr_t)packet, OBJECT_WAIT_PACKET, &p, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    status = handle_get((uintptr_t)port, OBJECT_PORT, &q, NULL);
    if (status == STATUS_SUCCESS) {
        status = wait_packet_associate(p, port_from_object(q), target, what, already);
        object_put(q);
    }
    object_put(p);
    return status;
}

NTSTATUS NTAPI NtAssociateWaitCompletionPacket(HANDLE WaitCompletionPacketHandle, HANDLE IoCompletionHandle,
                                               HANDLE TargetObjectHandle, PVOID KeyContext, PVOID ApcContext,
                                               NTSTATUS IoStatus, ULONG_PTR IoStatusInformation,
                                               PBOOLEAN AlreadySignaled)
{
    const struct packet what = {.key = (uintptr_t)KeyContext, .ov = ApcContext, .status = (uint32_t)IoStatus,
                                .bytes = (uint32_t)IoStatusInformation};
    struct object *target;
    bool already = false;
    uint32_t status = api_object_get(TargetObjectHandle, OBJECT_ANY, &target);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = associate(WaitCompletionPacketHandle, IoCompletionHandle, target, &what, &already);
    object_put(target);
    if (status == STATUS_SUCCESS && AlreadySignaled)
        *AlreadySignaled = already;
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtCancelWaitCompletionPacket(HANDLE WaitCompletionPacketHandle, BOOLEAN RemoveSignaledPacket)
{
    struct object *p;
    uint32_t status = handle_get((uintptr_t)WaitCompletionPacketHandle, OBJECT_WAIT_PACKET, &p, NULL);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = wait_packet_cancel(p, RemoveSignaledPacket != 0);
    object_put(p);
    return (NTSTATUS)status;
}

/* ---- keyed events ---- */

NTSTATUS NTAPI NtCreateKeyedEvent(PHANDLE KeyedEventHandle, ACCESS_MASK DesiredAccess,
                                  POBJECT_ATTRIBUTES ObjectAttributes, ULONG Flags)
{
    if (Flags != 0)
        return (NTSTATUS)STATUS_INVALID_PARAMETER;
    return (NTSTATUS)create(keyed_event_new, KeyedEventHandle, DesiredAccess, ObjectAttributes);
}

NTSTATUS NTAPI NtOpenKeyedEvent(PHANDLE KeyedEventHandle, ACCESS_MASK DesiredAccess,
                                POBJECT_ATTRIBUTES ObjectAttributes)
{
    struct object *obj;
    const char *name;
    char *text;
    uint32_t status;

    if (!KeyedEventHandle)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    status = object_name(ObjectAttributes, &text, &name);
    if (status == STATUS_SUCCESS)
        status = name ? object_name_find(name, OBJECT_KEYED_EVENT, &obj) : (uint32_t)STATUS_INVALID_PARAMETER;
    free(text);
    if (status == STATUS_SUCCESS)
        status = publish(obj, DesiredAccess, ObjectAttributes, KeyedEventHandle);
    return (NTSTATUS)status;
}

static uint32_t keyed_event_get(HANDLE handle, struct object **out)
{
    if (handle)
        return handle_get((uintptr_t)handle, OBJECT_KEYED_EVENT, out, NULL);
    *out = object_get(keyed_event_global());
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtWaitForKeyedEvent(HANDLE KeyedEventHandle, PVOID KeyValue, BOOLEAN Alertable,
                                   PLARGE_INTEGER Timeout)
{
    struct object *obj;
    uint32_t status = keyed_event_get(KeyedEventHandle, &obj);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = keyed_event_wait(obj, (uintptr_t)KeyValue, Alertable, nt_deadline(value_of(Timeout)));
    object_put(obj);
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtReleaseKeyedEvent(HANDLE KeyedEventHandle, PVOID KeyValue, BOOLEAN Alertable,
                                   PLARGE_INTEGER Timeout)
{
    struct object *obj;
    uint32_t status = keyed_event_get(KeyedEventHandle, &obj);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = keyed_event_release(obj, (uintptr_t)KeyValue, Alertable, nt_deadline(value_of(Timeout)));
    object_put(obj);
    return (NTSTATUS)status;
}

/* ---- small helpers ---- */

NTSTATUS NTAPI NtQuerySystemTime(PLARGE_INTEGER SystemTime)
{
    if (!SystemTime)
        return (NTSTATUS)STATUS_ACCESS_VIOLATION;
    SystemTime->QuadPart = clock_filetime();
    return (NTSTATUS)STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGetVersion(OSVERSIONINFOW *lpVersionInformation)
{
    OSVERSIONINFOW *info = lpVersionInformation;
    DWORD size = info->dwOSVersionInfoSize;

    if (size != sizeof(OSVERSIONINFOW) && size != sizeof(OSVERSIONINFOEXW))
        return (NTSTATUS)STATUS_INVALID_PARAMETER;
    memset(info, 0, size);
    info->dwOSVersionInfoSize = size;
    info->dwMajorVersion = 10;
    info->dwMinorVersion = 0;
    info->dwBuildNumber = 19045;
    info->dwPlatformId = VER_PLATFORM_WIN32_NT;
    if (size == sizeof(OSVERSIONINFOEXW))
        ((OSVERSIONINFOEXW *)info)->wProductType = VER_NT_WORKSTATION;
    return (NTSTATUS)STATUS_SUCCESS;
}

/* A counted string is at most this long; longer texts are seen in part, as on Windows. */
enum { STRING_MAX = 0xFFFC };

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t size = SourceString ? text_length16((const uint16_t *)SourceString) * sizeof(WCHAR) : 0;

    if (size > STRING_MAX)
        size = STRING_MAX;
    DestinationString->Length = (USHORT)size;
    DestinationString->MaximumLength = SourceString ? (USHORT)(size + sizeof(WCHAR)) : 0;
    DestinationString->Buffer = (PWSTR)(uintptr_t)SourceString;
}

VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    size_t size = SourceString ? strlen(SourceString) : 0;

    if (size > STRING_MAX)
        size = STRING_MAX;
    DestinationString->Length = (USHORT)size;
    DestinationString->MaximumLength = SourceString ? (USHORT)(size + 1) : 0;
    DestinationString->Buffer = (PCHAR)(uintptr_t)SourceString;
}

VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}
