/* SPDX-License-Identifier: MIT */
/*
 * Calls that need more than one letter per argument: those that own what they are given, that would lead
 * out of the temporary directory, or that come in pairs. careful_NAME() calls NAME; FALSE: it failed.
 */
#ifndef FUZZ_CAREFUL_H
#define FUZZ_CAREFUL_H

#include "careful_locks.h"
#include "careful_memory.h"
#include "careful_pool.h"
#include "careful_rio.h"
#include "careful_start.h"

static LPFN_CONNECTEX connect_ex;
static LPFN_DISCONNECTEX disconnect_ex;
static LPFN_WSARECVMSG receive_message;

static void find_extensions(void)
{
    GUID ids[] = {WSAID_CONNECTEX, WSAID_DISCONNECTEX, WSAID_WSARECVMSG};
    void *found[3];
    DWORD n;
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);

    for (unsigned i = 0; i < 3; i++)
        if (WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &ids[i], sizeof ids[i], &found[i],
                     sizeof found[i], &n, NULL, NULL))
            abort();
    closesocket(s);
    connect_ex = (LPFN_CONNECTEX)(uintptr_t)found[0];
    disconnect_ex = (LPFN_DISCONNECTEX)(uintptr_t)found[1];
    receive_message = (LPFN_WSARECVMSG)(uintptr_t)found[2];
    find_rio();
}

static BOOL fuzz_connect_ex(SOCKET s, const struct sockaddr *a, int length, void *bytes, DWORD size,
                            DWORD *sent, OVERLAPPED *ov)
{
    return connect_ex(s, a, length, bytes, size, sent, ov);
}

static BOOL fuzz_disconnect_ex(SOCKET s, OVERLAPPED *ov, DWORD flags, DWORD reserved)
{
    return disconnect_ex(s, ov, flags, reserved);
}

static int fuzz_receive_message(SOCKET s, WSAMSG *m, DWORD *got, OVERLAPPED *ov,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE completed)
{
    return receive_message(s, m, got, ov, completed);
}

/* ---- records in which a name could lead anywhere: it is one of ours, whatever the class ---- */

static ULONG fill_rename(void)
{
    FILE_RENAME_INFO *r = (FILE_RENAME_INFO *)data;

    memset(r, 0, sizeof *r + 16);
    r->ReplaceIfExists = (BOOLEAN)rnd(2);
    r->RootDirectory = rnd(8) ? NULL : (HANDLE)any_handle();
    r->FileNameLength = rnd(4) ? 2 : (DWORD)any_number();
    r->FileName[0] = (WCHAR)('a' + rnd(4));
    return rnd(4) ? sizeof *r + 2 : rnd(64);
}

static uintptr_t careful_SetFileInformationByHandle(void)
{
    ULONG size = fill_rename();

    return (uintptr_t)SetFileInformationByHandle((HANDLE)any_file(), (FILE_INFO_BY_HANDLE_CLASS)rnd(40),
                                                 rnd(16) ? data : NULL, size);
}

static uintptr_t careful_NtSetInformationFile(void)
{
    ULONG size = fill_rename();

    return (uintptr_t)NtSetInformationFile((HANDLE)any_file(), (PIO_STATUS_BLOCK)scratch[0],
                                            rnd(16) ? data : NULL, size,
                                            (FILE_INFORMATION_CLASS)(rnd(4) ? rnd(80) : any_number()));
}

/* ---- polls of sockets ---- */

static HANDLE device;

static HANDLE any_device(void)
{
    static WCHAR text[] = {'\\', 'D', 'e', 'v', 'i', 'c', 'e', '\\', 'A', 'f', 'd', '\\', 'x', 0};
    UNICODE_STRING name = {sizeof text - 2, sizeof text - 2, text};
    OBJECT_ATTRIBUTES object = {.Length = sizeof object, .ObjectName = &name};
    IO_STATUS_BLOCK answer;

    if (device && rnd(64) == 0) { /* with polls that wait */
        CloseHandle(device);
        device = NULL;
    }
    if (!device && NtCreateFile(&device, SYNCHRONIZE, &object, &answer, NULL, 0,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0) < 0)
        abort();
    return device;
}

static uintptr_t careful_NtDeviceIoControlFile(void)
{
    OVERLAPPED *ov = (OVERLAPPED *)fresh_overlapped();
    void *record = (void *)any_poll_record();
    ULONG size = rnd(4) ? 80 : rnd(100);

    return (uintptr_t)NtDeviceIoControlFile(any_device(), rnd(2) ? NULL : (HANDLE)any_handle(), NULL, ov,
                                            (IO_STATUS_BLOCK *)ov, 0x00012024, record, size, record, size);
}

/* ---- native calls on files ---- */

static VOID NTAPI on_native(PVOID context, PIO_STATUS_BLOCK block, ULONG reserved)
{
    (void)context;
    (void)block;
    (void)reserved;
}

static HANDLE any_event_or_none(void)
{
    return rnd(4) ? NULL : (HANDLE)any_handle();
}

static PIO_APC_ROUTINE any_native_routine(void)
{
    return rnd(4) ? NULL : on_native;
}

static PLARGE_INTEGER native_place(void)
{
    static LARGE_INTEGER place;

    place.QuadPart = rnd(4) ? (LONGLONG)rnd(3 * DATA) - 2 : (LONGLONG)(any_number() << 32 | any_number());
    return rnd(4) ? &place : NULL;
}

/* Never longer than what lies there. */
static ULONG native_size(void)
{
    return rnd(4) ? rnd(64) : rnd(DATA);
}

static uintptr_t careful_NtReadFile(void)
{
    IO_STATUS_BLOCK *block = (IO_STATUS_BLOCK *)fresh_overlapped();

    return (uintptr_t)NtReadFile((HANDLE)any_file(), any_event_or_none(), any_native_routine(), block,
                                 rnd(16) ? block : NULL, rnd(16) ? data : NULL, native_size(),
                                   native_place(),
                                  NULL);
}

static uintptr_t careful_NtWriteFile(void)
{
    IO_STATUS_BLOCK *block = (IO_STATUS_BLOCK *)fresh_overlapped();

    return (uintptr_t)NtWriteFile((HANDLE)any_file(), any_event_or_none(), any_native_routine(), block,
                                  rnd(16) ? block : NULL, rnd(16) ? data : NULL, native_size(),
                                  native_place(), NULL);
}

static uintptr_t careful_NtFsControlFile(void)
{
    static const ULONG codes[] = {FSCTL_PIPE_LISTEN, FSCTL_PIPE_DISCONNECT, FSCTL_PIPE_PEEK,
                                  FSCTL_PIPE_TRANSCEIVE};
    IO_STATUS_BLOCK *block = (IO_STATUS_BLOCK *)fresh_overlapped();
    ULONG code = rnd(16) ? codes[rnd(4)] : (ULONG)any_number();

    return (uintptr_t)NtFsControlFile((HANDLE)any_file(), any_event_or_none(), any_native_routine(), block,
                                      rnd(16) ? block : NULL, code, data, native_size(),
                                      rnd(16) ? data : NULL, native_size());
}

static uintptr_t careful_NtQueryDirectoryFile(void)
{
    IO_STATUS_BLOCK *block = (IO_STATUS_BLOCK *)fresh_overlapped();
    ULONG class = rnd(4) ? rnd(40) : (ULONG)any_number();

    any_native_name();
    return (uintptr_t)NtQueryDirectoryFile((HANDLE)any_file(), any_event_or_none(), any_native_routine(),
                                           block, rnd(16) ? block : NULL, rnd(16) ? data : NULL,
                                           native_size(), (FILE_INFORMATION_CLASS)class, rnd(2),
                                           rnd(2) ? &native_name : NULL, rnd(2));
}

/* ---- pairs ---- */

/* What is given to a process is kept for it until it ends: to this one, which takes it, or to none. */
static DWORD any_receiver(void)
{
    return rnd(4) ? GetCurrentProcessId() : 0x7FFFFFF0 + rnd(16);
}

static uintptr_t careful_WSADuplicateSocketA(void)
{
    WSAPROTOCOL_INFOA about;

    if (WSADuplicateSocketA((SOCKET)any_socket(), any_receiver(), rnd(16) ? &about : NULL))
        return INVALID_SOCKET;
    return WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &about, 0, (DWORD)rnd(2));
}

static uintptr_t careful_WSADuplicateSocketW(void)
{
    WSAPROTOCOL_INFOW about;

    if (WSADuplicateSocketW((SOCKET)any_socket(), any_receiver(), rnd(16) ? &about : NULL))
        return INVALID_SOCKET;
    return WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &about, 0, (DWORD)rnd(2));
}

static uintptr_t careful_WSAStartup(void)
{
    WSADATA about;

    if (WSAStartup((WORD)any_number(), rnd(8) ? &about : NULL) == 0)
        WSACleanup();
    return TRUE;
}

static uintptr_t careful_GetThreadDescription(void)
{
    WCHAR *text = NULL;

    if (GetThreadDescription((HANDLE)any_handle(), &text) >= 0)
        LocalFree(text);
    return TRUE;
}

static uintptr_t careful_GetAddrInfoExW(void)
{
    static WCHAR node[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0}, service[] = {'8', '0', 0};
    ADDRINFOEXW hints = {.ai_flags = AI_NUMERICHOST | (rnd(2) ? 0 : (int)any_number()),
                         .ai_family = rnd(2) ? 0 : (int)rnd(50),
                         .ai_socktype = (int)rnd(6)};
    ADDRINFOEXW *list = NULL;
    HANDLE cancel = NULL;

    node[rnd(4) ? 9 : rnd(9)] = 0;
    if (GetAddrInfoExW(rnd(8) ? node : NULL, rnd(8) ? service : NULL, rnd(2) ? NS_ALL : rnd(40), NULL,
                       rnd(4) ? &hints : NULL, &list, NULL, NULL, NULL, rnd(4) ? NULL : &cancel) == 0)
        FreeAddrInfoExW(list);
    return TRUE;
}

/* A name that no server is asked for. */
static uintptr_t careful_WSAConnectByNameA(void)
{
    struct sockaddr_storage ends[2];
    struct sockaddr *local = rnd(2) ? (struct sockaddr *)&ends[0] : NULL;
    struct sockaddr *remote = rnd(2) ? (struct sockaddr *)&ends[1] : NULL;
    DWORD sizes[2] = {rnd(sizeof ends[0] + 1), rnd(sizeof ends[0] + 1)};
    struct iocp_timeval limit = {0, 1000};

    return (uintptr_t)WSAConnectByNameA(any_socket(), rnd(16) ? "127.0.0.1" : NULL,
                                        rnd(16) ? "1" : NULL, &sizes[0], local, &sizes[1], remote, &limit,
                                        NULL);
}

static uintptr_t careful_WSAConnectByList(void)
{
    SOCKET_ADDRESS_LIST list = {rnd(2) ? 1 : -(INT)rnd(3), {{(void *)any_address(), (INT)any_length()}}};
    struct iocp_timeval limit = {0, 1000};

    return (uintptr_t)WSAConnectByList(any_socket(), rnd(16) ? &list : NULL, NULL, NULL, NULL, NULL,
                                       &limit, NULL);
}

static uintptr_t careful_iocp_pending(void)
{
    size_t room = rnd(DATA / sizeof(struct iocp_pending));

    return iocp_pending(room ? (struct iocp_pending *)data : NULL, room) < 1000000;
}

static uintptr_t careful___WSAFDIsSet(void)
{
    any_set(0);
    __WSAFDIsSet((SOCKET)any_handle(), &sets[0]);
    return TRUE;
}

static uintptr_t careful_GetAcceptExSockaddrs(void)
{
    struct sockaddr *near_address, *far_address;
    INT near_size, far_size;

    GetAcceptExSockaddrs(data, rnd(64), rnd(64), rnd(64), &near_address, &near_size, &far_address, &far_size);
    return TRUE;
}

/* Numbers that lead somewhere come from Alloc; the rest are nobody's. */
static uintptr_t careful_TlsAlloc(void)
{
    DWORD index = TlsAlloc();

    if (index != TLS_OUT_OF_INDEXES && rnd(2))
        TlsSetValue(index, data);
    return index == TLS_OUT_OF_INDEXES ? FALSE : (uintptr_t)TlsFree(index);
}

static uintptr_t careful_FlsAlloc(void)
{
    DWORD index = FlsAlloc(NULL);

    return index == FLS_OUT_OF_INDEXES ? FALSE : (uintptr_t)FlsFree(index);
}

#endif
