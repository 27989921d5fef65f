/* SPDX-License-Identifier: MIT */
/*
 * Calls the entry points that take handles, in any order, with handles of any type, closed ones and
 * nonsense; NULLs, sizes without measure, negative lengths, any flags. Whatever a program hands in, it is
 * told an error: no crash, no hang, no leak. Pointers are valid or NULL, and an OVERLAPPED in use is not
 * used again: anything else is beyond what a library can judge.
 *
 * Not called: what ends the thread or the process, what waits for ever by its nature (locks), and text and
 * numbers, which have tests of their own. A blocked call is called back by a second thread that knows
 * nothing but CancelSynchronousIo.
 *
 * handles [--short] [--count N] [--seed N]; the same seed makes the same calls. --trace prints them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <iocp.h>
#include <process.h>
#include <iocp_nt.h>
#include <winternl.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

enum { POOL = 48, OVERLAPPEDS = 64, DATA = 4096, MOST_ARGUMENTS = 11, FDS = 1024 };

/* ---- chance ---- */

static uint64_t seed = 1;

static uint32_t rnd(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % limit);
}

/* ---- what is handed in ---- */

static uintptr_t pool[POOL]; /* values that were handles once; most still are */
static bool ours[FDS];       /* descriptors that came from us: others may be the library's own */
static OVERLAPPED overlappeds[OVERLAPPEDS];
static char data[DATA + 64] __attribute__((aligned(16)));
static char scratch[16][2048] __attribute__((aligned(16)));
static HANDLE results[2];
static HANDLE handle_array[80];
static WSABUF buffers[4];
static WSAPOLLFD polls[8];
static iocp_fd_set sets[3];
static struct iocp_timeval no_time;
static LARGE_INTEGER due;
static char directory[64];
static char pages[4][DATA] __attribute__((aligned(DATA)));
static FILE_SEGMENT_ELEMENT segments[5];
static TRANSMIT_FILE_BUFFERS around;
static TRANSMIT_PACKETS_ELEMENT packets[4];
static WCHAR native_text[64];
static UNICODE_STRING native_name;
static OBJECT_ATTRIBUTES native_object;

static bool is_open(uintptr_t fd)
{
    return fcntl((int)fd, F_GETFD) >= 0;
}

static bool may_use(uintptr_t h)
{
    if (h < 3 || h >= FDS)
        return true;
    return ours[h] || !is_open(h);
}

static uintptr_t any_handle(void)
{
    static const uintptr_t odd[] = {0, 1, 2, 999, 0x3FFFFFFF, 0x40000000, 0x40000001, 0x40000003, 0x7FFFFFFC,
                                    0x7FFFFFFF, 0x80000000, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1,
                                    UINT64_MAX - 2, UINT64_MAX - 3, UINT64_C(0x4000000000000000)};
    uintptr_t h;

    switch (rnd(12)) {
    case 0:
        return odd[rnd(sizeof odd / sizeof odd[0])];
    case 1: /* some generation of some object */
        return 0x40000000 | rnd(256) << 22 | rnd(64) << 2;
    default:
        h = pool[rnd(POOL)];
        return may_use(h) ? h : 0;
    }
}

/* Mostly something that has a descriptor. */
static uintptr_t any_file(void)
{
    uintptr_t h = any_handle();

    for (int tries = 0; tries < 6 && (h < 3 || h >= FDS || !ours[h]); tries++)
        h = any_handle();
    return h;
}

/* An OVERLAPPED that nothing is pending on, with any event; or none. */
static uintptr_t fresh_overlapped(void)
{
    OVERLAPPED *ov = &overlappeds[rnd(OVERLAPPEDS)];

    if (rnd(8) == 0 || !HasOverlappedIoCompleted(ov))
        return 0;
    memset(ov, 0, sizeof *ov);
    ov->Offset = rnd(8) ? rnd(8192) : UINT32_MAX;
    ov->OffsetHigh = rnd(16) ? 0 : rnd(2) ? UINT32_MAX : rnd(0x7FFFFFFF);
    if (rnd(3) == 0)
        ov->hEvent = (HANDLE)(any_handle() | rnd(2));
    return (uintptr_t)ov;
}

static uintptr_t any_number(void)
{
    switch (rnd(6)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX - rnd(4);
    case 2:
        return UINT32_C(1) << rnd(32);
    case 3:
        return 0x80000000u - rnd(3);
    case 4:
        return rnd(UINT32_MAX);
    default:
        return rnd(20);
    }
}

static uintptr_t any_length(void)
{
    static const int lengths[] = {-1, -2, 0, 1, 2, 15, 16, 28, 64, INT32_MIN};

    return (uintptr_t)(intptr_t)lengths[rnd(sizeof lengths / sizeof lengths[0])];
}

static void CALLBACK routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    (void)error;
    (void)bytes;
    (void)ov;
}

static void CALLBACK wsa_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    (void)flags;
    routine(error, bytes, ov);
}

static void CALLBACK apc(ULONG_PTR value)
{
    (void)value;
}

static unsigned WINAPI thread_main(void *arg)
{
    return (unsigned)(uintptr_t)arg;
}

static uintptr_t any_address(void)
{
    struct sockaddr_in *a = (struct sockaddr_in *)scratch[15];

    memset(scratch[15], 0, 256);
    a->sin_family = rnd(4) ? AF_INET : (sa_family_t)rnd(50);
    a->sin_port = htons((uint16_t)(rnd(2) ? 0 : 1 + rnd(3)));
    a->sin_addr.s_addr = htonl(rnd(8) ? INADDR_LOOPBACK : INADDR_ANY);
    return rnd(8) ? (uintptr_t)a : 0;
}

static uintptr_t any_name(void)
{
    static const char *const names[] = {"fuzz-a", "fuzz-b", "Global\\fuzz", "", "a\\b\\c"};

    return rnd(2) ? 0 : (uintptr_t)names[rnd(sizeof names / sizeof names[0])];
}

static uintptr_t any_path(void)
{
    static char path[128], longest[40000];
    static const char *const others[] = {"", "/nowhere/x", "C:\\<>", "\\\\.\\pipe\\x", longest};

    if (rnd(8) == 0)
        return 0;
    if (!longest[0]) {
        memset(longest, '\\', sizeof longest - 1);
        memset(longest + 3, '?', 1);
        memset(longest + 8, 'a', 30000);
    }
    if (rnd(4) == 0)
        return (uintptr_t)others[rnd(sizeof others / sizeof others[0])];
    snprintf(path, sizeof path, "%s/%c", directory, (char)('a' + rnd(4)));
    return (uintptr_t)path;
}

static uintptr_t any_pipe_name(void)
{
    static const char *const names[] = {"\\\\.\\pipe\\iocp-fuzz-a", "\\\\.\\pipe\\iocp-fuzz-b",
                                        "\\\\.\\pipe\\", "iocp-fuzz-a", "\\\\.\\pipe\\a\\..\\..\\b"};

    return rnd(16) ? (uintptr_t)names[rnd(16) < 14 ? rnd(2) : rnd(sizeof names / sizeof names[0])] : 0;
}

static uintptr_t any_buffers(void)
{
    for (unsigned i = 0; i < 4; i++) {
        buffers[i].buf = rnd(8) ? data : NULL;
        buffers[i].len = buffers[i].buf ? rnd(64) : rnd(8) ? 0 : (ULONG)any_number();
    }
    return rnd(8) ? (uintptr_t)buffers : 0;
}

static uintptr_t any_segments(void)
{
    for (unsigned i = 0; i < 4; i++)
        segments[i].Buffer = pages[rnd(4)] + (rnd(32) ? 0 : 8);
    return rnd(8) ? (uintptr_t)segments : 0;
}

static uintptr_t any_surroundings(void)
{
    around.Head = rnd(4) ? data : NULL;
    around.HeadLength = around.Head ? rnd(64) : rnd(8) ? 0 : (DWORD)any_number();
    around.Tail = rnd(4) ? data : NULL;
    around.TailLength = around.Tail ? rnd(64) : 0;
    return rnd(4) ? (uintptr_t)&around : 0;
}

static uintptr_t any_packets(void)
{
    for (unsigned i = 0; i < 4; i++) {
        TRANSMIT_PACKETS_ELEMENT *e = &packets[i];

        e->dwElFlags = rnd(8) ? (rnd(2) ? TP_ELEMENT_MEMORY : TP_ELEMENT_FILE) | (rnd(2) ? TP_ELEMENT_EOP : 0)
                              : rnd(8);
        e->cLength = rnd(64);
        if (e->dwElFlags & TP_ELEMENT_MEMORY) {
            e->pBuffer = rnd(8) ? data : NULL;
        } else {
            e->hFile = (HANDLE)any_file();
            e->nFileOffset.QuadPart = rnd(4) ? (LONGLONG)rnd(64) - 1 : (LONGLONG)any_number() << rnd(32);
            e->cLength = rnd(2) ? e->cLength : (ULONG)any_number();
        }
    }
    return rnd(8) ? (uintptr_t)packets : 0;
}

/* A path of ours, below a directory's handle, the device of sockets, or none. */
static uintptr_t any_native_name(void)
{
    static const char *const names[] = {"a", "b/c", "\\Device\\Afd\\fuzz", "\\??\\C:\\x", ""};
    const char *text = names[rnd(sizeof names / sizeof names[0])];
    unsigned n = 0;

    for (; text[n]; n++)
        native_text[n] = (WCHAR)(unsigned char)text[n];
    native_name.Buffer = rnd(16) ? native_text : NULL;
    native_name.Length = native_name.Buffer ? (USHORT)(n * 2 - (rnd(32) == 0 && n)) : 0;
    native_name.MaximumLength = native_name.Length;
    native_object.Length = rnd(16) ? (ULONG)sizeof native_object : (ULONG)any_number();
    native_object.RootDirectory = (HANDLE)(rnd(2) ? any_file() : 0);
    native_object.ObjectName = rnd(16) ? &native_name : NULL;
    native_object.Attributes = rnd(2) ? 0 : (ULONG)any_number();
    return rnd(16) ? (uintptr_t)&native_object : 0;
}

/* Of a device: files', pipes' and sockets' that there are, and others. */
static uintptr_t any_control(void)
{
    static const DWORD codes[] = {0x000900C4, 0x000980C8, 0x000940CF, 0x00090018, 0x00110008, 0x00110018,
                                  0x00012024, 0x0009003C};

    return rnd(2) ? codes[rnd(sizeof codes / sizeof codes[0])] : any_number();
}

static uintptr_t any_array(void)
{
    for (unsigned i = 0; i < sizeof handle_array / sizeof handle_array[0]; i++)
        handle_array[i] = (HANDLE)any_handle();
    return rnd(16) ? (uintptr_t)handle_array : 0;
}

static uintptr_t any_polls(void)
{
    for (unsigned i = 0; i < 8; i++)
        polls[i] = (WSAPOLLFD){.fd = (SOCKET)any_handle(), .events = (SHORT)any_number()};
    return rnd(8) ? (uintptr_t)polls : 0;
}

static uintptr_t any_set(unsigned which)
{
    sets[which].fd_count = rnd(5);
    for (unsigned i = 0; i < sets[which].fd_count; i++)
        sets[which].fd_array[i] = (SOCKET)any_handle();
    return rnd(2) ? (uintptr_t)&sets[which] : 0;
}

/*
 * One letter per argument:
 *   h handle or socket    o an OVERLAPPED not in use, or NULL    O any OVERLAPPED or NULL
 *   d memory or NULL, and next s its size (any, for NULL)        w buffers, and next k how many
 *   p memory for an answer, or NULL      P the same, never NULL  L pointer to a length of any kind
 *   i number, any    l length, any    t time-out, short    b 0 or 1    0 zero
 *   n name or NULL   f path or NULL   j name of a pipe   a address or NULL
 *   c g q m routines: file, Winsock, APC, thread
 *   N how many handles, and next A their array   V how many, after polls v   S set   T no time
 *   H where one handle is returned   D a due time
 *   G segments of pages, and next K their bytes   x head and tail   y packets, and next k how many
 *   u name and attributes of a native object      C code of a control
 */
static uintptr_t argument(char kind, unsigned index, uintptr_t before)
{
    switch (kind) {
    case 'h':
        return any_handle();
    case 'o':
        return fresh_overlapped();
    case 'O':
        return rnd(4) ? (uintptr_t)&overlappeds[rnd(OVERLAPPEDS)] : 0;
    case 'd':
        return rnd(8) ? (uintptr_t)data : 0;
    case 's':
        return before ? (rnd(4) ? rnd(64) : rnd(DATA)) : any_number();
    case 'w':
        return any_buffers();
    case 'k':
        return before ? rnd(5) : any_number();
    case 'p':
        return rnd(8) ? (uintptr_t)scratch[index] : 0;
    case 'P':
        return (uintptr_t)scratch[index];
    case 'L':
        *(int *)scratch[index] = (int)any_length();
        return rnd(8) ? (uintptr_t)scratch[index] : 0;
    case 'i':
        return any_number();
    case 'l':
        return any_length();
    case 't':
        return rnd(64) == 0;
    case 'b':
        return rnd(2);
    case 'n':
        return any_name();
    case 'f':
        return any_path();
    case 'j':
        return any_pipe_name();
    case 'a':
        return any_address();
    case 'c':
        return rnd(4) ? (uintptr_t)routine : 0;
    case 'g':
        return rnd(4) ? 0 : (uintptr_t)wsa_routine;
    case 'q':
        return rnd(4) ? (uintptr_t)apc : 0;
    case 'm':
        return rnd(8) ? (uintptr_t)thread_main : 0;
    case 'N':
        return rnd(8) ? rnd(6) : rnd(80);
    case 'A':
        return any_array();
    case 'V':
        return rnd(9);
    case 'v':
        return any_polls();
    case 'S':
        return any_set(index % 3);
    case 'T':
        return (uintptr_t)&no_time;
    case 'H':
        results[index % 2] = NULL;
        return rnd(8) ? (uintptr_t)&results[index % 2] : 0;
    case 'G':
        return any_segments();
    case 'K':
        return before ? (rnd(8) ? rnd(5) * DATA : rnd(4 * DATA)) : any_number();
    case 'x':
        return any_surroundings();
    case 'y':
        return any_packets();
    case 'u':
        return any_native_name();
    case 'C':
        return any_control();
    case 'D':
        due.QuadPart = rnd(2) ? -(LONGLONG)rnd(100000) : (LONGLONG)any_number();
        return rnd(8) ? (uintptr_t)&due : 0;
    default:
        return 0;
    }
}

/* ---- the calls ---- */

typedef uintptr_t (*any_call)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                              uintptr_t, uintptr_t, uintptr_t, uintptr_t);

struct entry {
    const char *name;
    uintptr_t address;
    const char *arguments;
    bool makes; /* what it returns is a handle */
};

#define CALL(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, false}
#define MAKE(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, true}

static const struct entry entries[] = {
    /* making */
    MAKE(CreateEventA, "pbbn"), MAKE(CreateEventExA, "pnii"), MAKE(OpenEventA, "ibn"),
    MAKE(CreateMutexA, "pbn"), MAKE(CreateMutexExA, "pnii"), MAKE(OpenMutexA, "ibn"),
    MAKE(CreateSemaphoreA, "piin"), MAKE(CreateSemaphoreExA, "piinii"), MAKE(OpenSemaphoreA, "ibn"),
    MAKE(CreateWaitableTimerA, "pbn"), MAKE(CreateWaitableTimerExA, "pnii"), MAKE(OpenWaitableTimerA, "ibn"),
    MAKE(CreateIoCompletionPort, "hhii"), MAKE(CreateIoCompletionPort, "hhi0"), MAKE(CreateFileA, "fii0ii0"),
    MAKE(WSASocketA, "iii0ii"), MAKE(iocp_socket, "iii"), MAKE(iocp_accept, "hpL"), MAKE(WSAAccept, "hpL00"),
    MAKE(WSACreateEvent, ""), MAKE(CreateThread, "00mip0"), MAKE(OpenThread, "ibi"), MAKE(OpenProcess, "ibi"),
    MAKE(GetCurrentProcess, ""), MAKE(GetCurrentThread, ""), MAKE(GetStdHandle, "i"),
    MAKE(FindFirstFileA, "fp"), CALL(CreatePipe, "HH0i"), CALL(DuplicateHandle, "hhhHibi"),
    /* ending */
    CALL(CloseHandle, "h"), CALL(closesocket, "h"), CALL(WSACloseEvent, "h"), CALL(FindClose, "h"),
    CALL(iocp_forget, "h"),
    /* ports and requests */
    CALL(GetQueuedCompletionStatus, "hpppt"), CALL(GetQueuedCompletionStatusEx, "hpkptb"),
    CALL(PostQueuedCompletionStatus, "hiiO"), CALL(GetOverlappedResult, "hOp0"),
    CALL(GetOverlappedResultEx, "hOptb"), CALL(WSAGetOverlappedResult, "hOp0p"), CALL(CancelIo, "h"),
    CALL(CancelIoEx, "hO"), CALL(CancelSynchronousIo, "h"), CALL(SetFileCompletionNotificationModes, "hi"),
    CALL(ReadFile, "hdspo"), CALL(WriteFile, "hdspo"), CALL(ReadFileEx, "hdsoc"), CALL(WriteFileEx, "hdsoc"),
    /* files */
    CALL(FlushFileBuffers, "h"), CALL(SetFilePointer, "hipi"), CALL(SetFilePointerEx, "hipi"),
    CALL(GetFileSize, "hp"), CALL(GetFileSizeEx, "hp"), CALL(GetFileType, "h"), CALL(GetFileTime, "hppp"),
    CALL(SetFileTime, "hppp"), CALL(GetFileInformationByHandle, "hp"),
    CALL(GetFileInformationByHandleEx, "hids"), CALL(GetFinalPathNameByHandleA, "hdsi"),
    CALL(FindNextFileA, "hp"), CALL(DeleteFileA, "f"), CALL(GetFileAttributesA, "f"),
    CALL(GetFileAttributesExA, "fip"), CALL(MoveFileExA, "ffi"), CALL(CopyFileA, "ffb"),
    CALL(CreateDirectoryA, "f0"), CALL(RemoveDirectoryA, "f"), CALL(CreateHardLinkA, "ff0"),
    CALL(LockFile, "hiiii"), CALL(LockFileEx, "hi0iio"), CALL(UnlockFile, "hiiii"),
    CALL(UnlockFileEx, "h0iio"), MAKE(ReOpenFile, "hiii"), CALL(ReadFileScatter, "hGK0o"),
    CALL(WriteFileGather, "hGK0o"), MAKE(CreateFileMappingA, "hpiiin"), MAKE(OpenFileMappingA, "ibn"),
    CALL(SetFileValidData, "hi"), CALL(DeviceIoControl, "hCdsdspo"),
    /* sockets */
    CALL(iocp_bind, "hal"), CALL(iocp_listen, "hi"), CALL(iocp_connect, "hal"), CALL(WSAConnect, "hal0000"),
    CALL(iocp_shutdown, "hi"), CALL(iocp_getsockname, "hpL"), CALL(iocp_getpeername, "hpL"),
    CALL(iocp_getsockopt, "hiipL"), CALL(iocp_setsockopt, "hiipl"), CALL(ioctlsocket, "hip"),
    CALL(iocp_send, "hdsi"), CALL(iocp_recv, "hdsi"), CALL(iocp_sendto, "hdsial"),
    CALL(iocp_recvfrom, "hdsipL"), CALL(iocp_send, "h0li"), CALL(iocp_recv, "h0li"),
    CALL(iocp_send, "hPli"), CALL(iocp_recv, "hPli"),
    CALL(WSARecv, "hwkppog"), CALL(WSASend, "hwkpiog"), CALL(WSARecvFrom, "hwkpppLog"),
    CALL(WSASendTo, "hwkpialog"), CALL(WSASendDisconnect, "h0"), CALL(WSARecvDisconnect, "h0"),
    CALL(WSAIoctl, "hidsdspo0"), CALL(AcceptEx, "hhdiiipo"), CALL(TransmitFile, "hhiioxi"),
    CALL(TransmitPackets, "hykioi"),
    CALL(WSAEventSelect, "hhi"), CALL(WSAEnumNetworkEvents, "hhp"), CALL(WSAPoll, "vVt"),
    CALL(iocp_select, "iSSST"), CALL(WSADuplicateSocketA, "hip"), CALL(WSASetEvent, "h"),
    CALL(WSAResetEvent, "h"), CALL(WSAHtonl, "hip"), CALL(WSANtohs, "hip"), CALL(WSAEnumProtocolsA, "0pL"),
    CALL(WSAWaitForMultipleEvents, "NAbtb"),
    /* waiting */
    CALL(SetEvent, "h"), CALL(ResetEvent, "h"), CALL(PulseEvent, "h"), CALL(ReleaseMutex, "h"),
    CALL(ReleaseSemaphore, "hip"), CALL(SetWaitableTimer, "hDi000"), CALL(SetWaitableTimerEx, "hDi000i"),
    CALL(CancelWaitableTimer, "h"), CALL(WaitForSingleObject, "ht"), CALL(WaitForSingleObjectEx, "htb"),
    CALL(WaitForMultipleObjects, "NAbt"), CALL(WaitForMultipleObjectsEx, "NAbtb"),
    CALL(SignalObjectAndWait, "hhtb"), CALL(SleepEx, "tb"), CALL(QueueUserAPC, "qhi"),
    /* pipes */
    MAKE(CreateNamedPipeA, "jiiiiii0"), MAKE(CreateFileA, "jii0ii0"), CALL(ConnectNamedPipe, "ho"),
    CALL(DisconnectNamedPipe, "h"), CALL(PeekNamedPipe, "hdsppp"), CALL(TransactNamedPipe, "hdsdspo"),
    CALL(SetNamedPipeHandleState, "hppp"), CALL(GetNamedPipeInfo, "hpppp"),
    CALL(GetNamedPipeHandleStateA, "hpppp0i"), CALL(GetNamedPipeClientProcessId, "hp"),
    CALL(GetNamedPipeServerProcessId, "hp"), CALL(WaitNamedPipeA, "jb"), CALL(CallNamedPipeA, "jdsdspb"),
    /* serial lines */
    CALL(GetCommState, "hp"), CALL(SetCommState, "hp"), CALL(GetCommTimeouts, "hp"),
    CALL(SetCommTimeouts, "hp"), CALL(SetCommMask, "hi"), CALL(GetCommMask, "hp"), CALL(WaitCommEvent, "hpo"),
    CALL(ClearCommError, "hpp"), CALL(PurgeComm, "hi"), CALL(EscapeCommFunction, "hi"),
    CALL(SetCommBreak, "h"), CALL(ClearCommBreak, "h"), CALL(TransmitCommChar, "hi"),
    CALL(GetCommModemStatus, "hp"), CALL(SetupComm, "hii"), CALL(GetCommProperties, "hp"),
    CALL(GetCommConfig, "hpL"),
    /* watches */
    CALL(ReadDirectoryChangesW, "hdsbipoc"), MAKE(FindFirstChangeNotificationA, "fbi"),
    CALL(FindNextChangeNotification, "h"), CALL(FindCloseChangeNotification, "h"),
    /* native calls, and the thread pool's that take handles */
    CALL(NtCreateWaitCompletionPacket, "Hi0"), CALL(NtAssociateWaitCompletionPacket, "hhhiiiip"),
    CALL(NtCancelWaitCompletionPacket, "hb"), CALL(NtCreateKeyedEvent, "Hi00"),
    CALL(NtWaitForKeyedEvent, "hPbT"), CALL(NtReleaseKeyedEvent, "hPbT"), CALL(NtWaitForKeyedEvent, "hibT"),
    CALL(NtClose, "h"), CALL(NtWaitForSingleObject, "hbT"), CALL(NtQueryInformationFile, "hPdsi"),
    CALL(NtCreateFile, "HiuPpiiii00"), CALL(NtDeviceIoControlFile, "hh0ioCdsds"),
    CALL(NtSetInformationFile, "hPdsi"), CALL(NtCancelIoFileEx, "hOP"), CALL(NtCancelIoFile, "hP"),
    CALL(BindIoCompletionCallback, "hc0"), CALL(QueueUserWorkItem, "mpi"),
    /* threads, processes, handles */
    CALL(GetExitCodeThread, "hp"), CALL(GetExitCodeProcess, "hp"), CALL(GetThreadId, "h"),
    CALL(GetProcessId, "h"), CALL(GetProcessIdOfThread, "h"), CALL(GetThreadTimes, "hpppp"),
    CALL(GetProcessTimes, "hpppp"), CALL(GetThreadPriority, "h"), CALL(SetThreadPriority, "hi"),
    CALL(GetPriorityClass, "h"), CALL(ResumeThread, "h"), CALL(SetThreadDescription, "h0"),
    CALL(GetProcessAffinityMask, "hpp"), CALL(GetThreadGroupAffinity, "hp"), CALL(GetHandleInformation, "hp"),
    CALL(SetHandleInformation, "hii"), CALL(CompareObjectHandles, "hh"), CALL(RtlNtStatusToDosError, "i"),
    /* memory by handle, and numbers that stand for something */
    CALL(TlsGetValue, "i"), CALL(TlsSetValue, "ii"), CALL(TlsFree, "i"), CALL(FlsGetValue, "i"),
    CALL(FlsFree, "i"), CALL(GetModuleHandleA, "n"), CALL(GetModuleHandleExA, "inp"),
    CALL(GetProcAddress, "0n"), CALL(GetComputerNameExA, "i0p"),
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static bool is_handle(uintptr_t h)
{
    return h != 0 && (int32_t)h != -1 && h < 0x80000000u;
}

/* Whatever kind it is, and however often it is protected from that. */
static void dispose(uintptr_t h)
{
    if (!is_handle(h) || !may_use(h))
        return;
    SetHandleInformation((HANDLE)h, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    if (!CloseHandle((HANDLE)h) && !FindClose((HANDLE)h) && h >= 3 && h < FDS && ours[h] && is_open(h))
        close((int)h); /* never adopted */
    if (h < FDS)
        ours[h] = false;
}

static void keep(uintptr_t h)
{
    unsigned slot = rnd(POOL);

    if (!is_handle(h))
        return;
    dispose(pool[slot]);
    pool[slot] = h;
    if (h < FDS)
        ours[h] = is_open(h);
}

/* What a call has closed is not ours any more: the library may get the number next. */
static void note_closed(void)
{
    for (unsigned i = 0; i < POOL; i++)
        if (pool[i] < FDS && ours[pool[i]] && !is_open(pool[i]))
            ours[pool[i]] = false;
}

/* A pseudo terminal: one end as a serial line of ours, the other as a descriptor. */
static void make_line(DWORD how)
{
    char path[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, path, sizeof path))
        abort();
    keep((uintptr_t)CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, how, NULL));
    keep((uintptr_t)fd);
}

/* A process that ends soon, or another that does not. */
static void make_process(void)
{
    char line[] = "/bin/true";
    STARTUPINFOA how = {.cb = sizeof how};
    PROCESS_INFORMATION made;

    keep((uintptr_t)OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()));
    if (!CreateProcessA(line, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &how, &made))
        return;
    CloseHandle(made.hThread);
    keep((uintptr_t)made.hProcess);
}

/* Good ones now and then: of nonsense alone nothing would ever pend. */
static void make_good_ones(void)
{
    int fd[2];
    char path[128];
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, rnd(3));
    DWORD how = rnd(2) ? FILE_FLAG_OVERLAPPED : 0;
    SOCKET s = WSASocketA(AF_INET, rnd(3) ? SOCK_STREAM : SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    snprintf(path, sizeof path, "%s/%c", directory, (char)('a' + rnd(4)));
    keep((uintptr_t)CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_ALWAYS,
                                rnd(2) ? FILE_FLAG_OVERLAPPED : 0, NULL));
    if (rnd(2) && iocp_bind(s, (struct sockaddr *)&a, sizeof a) == 0 && rnd(2))
        iocp_listen(s, 4);
    keep((uintptr_t)s);
    if (rnd(2) ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) : pipe2(fd, O_CLOEXEC))
        abort();
    if (rnd(2))
        CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 7, 0);
    if (rnd(4) == 0)
        keep((uintptr_t)CreateFileA(directory, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING,
                                    FILE_FLAG_BACKUP_SEMANTICS | how, NULL));
    if (rnd(4) == 0)
        keep((uintptr_t)CreateNamedPipeA((const char *)any_pipe_name(), PIPE_ACCESS_DUPLEX | how, rnd(8),
                                         1 + rnd(4), 512, 512, 0, NULL));
    if (rnd(4) == 0)
        keep((uintptr_t)CreateFileA((const char *)any_pipe_name(), GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                    OPEN_EXISTING, how, NULL));
    if (rnd(16) == 0)
        make_line(how);
    if (rnd(64) == 0)
        make_process();
    keep((uintptr_t)fd[0]);
    keep((uintptr_t)fd[1]);
    keep((uintptr_t)port);
}

static bool trace;
static const char *volatile current = "nothing";

/* Half of the calls are of the kind that this library is about. */
static const struct entry *any_entry(void)
{
    const struct entry *e;

    do
        e = &entries[rnd(ENTRIES)];
    while (rnd(2) && !strchr(e->arguments, 'o') && !strchr(e->arguments, 'O'));
    return e;
}

static void one_call(void)
{
    const struct entry *e = any_entry();
    uintptr_t a[MOST_ARGUMENTS] = {0}, result;

    for (unsigned i = 0; e->arguments[i]; i++)
        a[i] = argument(e->arguments[i], i, i ? a[i - 1] : 0);
    if (e->arguments[0] == 'h' && strchr(e->arguments, 'o'))
        a[0] = any_file();
    current = e->name;
    if (trace) {
        printf("%s", e->name);
        for (unsigned i = 0; e->arguments[i]; i++)
            printf(" %lx", (unsigned long)a[i]);
        printf("\n");
        fflush(stdout);
    }
    SetLastError(0);
    result = ((any_call)e->address)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
                                       a[10]);
    note_closed();
    if (e->makes)
        keep(result);
    for (unsigned i = 0; e->arguments[i]; i++) {
        if (e->arguments[i] == 'H' && a[i])
            keep((uintptr_t)results[i % 2]);
    }
}

/* ---- against hanging ---- */

static _Atomic uint64_t calls;
static DWORD main_thread;

/* With a handle of its own each time: one that lives longer would be closed by some call. */
static void cancel_main(void)
{
    HANDLE h = OpenThread(THREAD_ALL_ACCESS, FALSE, main_thread);

    CancelSynchronousIo(h);
    CloseHandle(h);
}

/* Calls back what blocks; reports what does not come back. */
static void *call_back(void *arg)
{
    uint64_t seen = 0;
    unsigned ms = 0;

    for (;;) {
        uint64_t now = atomic_load(&calls);

        usleep(1000);
        ms = now == seen ? ms + 1 : 0;
        seen = now;
        if (ms > 0)
            cancel_main();
        if (ms > 20000) {
            printf("FAIL %s does not come back (call %llu)\n", current, (unsigned long long)now);
            fflush(stdout);
            _exit(1);
        }
    }
    return arg;
}

static void on_crash(int number)
{
    char line[200];
    int n = snprintf(line, sizeof line, "FAIL signal %d in %s, call %llu\n", number, current,
                     (unsigned long long)atomic_load(&calls));

    if (write(1, line, (size_t)n) < 0) {
        /* then not */
    }
    signal(number, SIG_DFL);
    raise(number);
}

static unsigned count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, ignored;

    if (!f || fscanf(f, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* All handles closed: every request must come to its end, and its packets go with their ports. */
static void clear_pool(void)
{
    for (unsigned i = 0; i < POOL; i++) {
        dispose(pool[i]);
        pool[i] = 0;
    }
    for (unsigned fd = 3; fd < FDS; fd++)
        if (ours[fd])
            dispose(fd);
    for (unsigned i = 0; i < OVERLAPPEDS; i++) {
        for (unsigned ms = 0; !HasOverlappedIoCompleted(&overlappeds[i]); ms++) {
            SleepEx(1, TRUE);
            if (ms > 10000) {
                printf("FAIL a request on a closed handle does not end\n");
                exit(1);
            }
        }
    }
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION)
        ;
}

static uint64_t arguments(int argc, char **argv)
{
    uint64_t count = 1000000;

    seed = (uint64_t)time(NULL) * 2654435761u;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--short"))
            count = 100000;
        else if (!strcmp(argv[i], "--trace"))
            trace = true;
        else if (!strcmp(argv[i], "--count") && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 0);
    }
    printf("# seed %llu, count %llu, %d entries, engine %s\n", (unsigned long long)seed,
           (unsigned long long)count, (int)ENTRIES, iocp_engine_name());
    fflush(stdout);
    seed |= 1;
    return count;
}

static void begin(void)
{
    struct rlimit small = {1 << 20, 1 << 20}; /* a write far out and CopyFile would fill the disk */
    WSADATA started;
    pthread_t t;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGPIPE, on_crash); /* it must never come */
    snprintf(directory, sizeof directory, "/tmp/iocp-fuzz-XXXXXX");
    if (!mkdtemp(directory) || chdir(directory) || WSAStartup(MAKEWORD(2, 2), &started))
        abort();
    main_thread = GetCurrentThreadId();
    if (pthread_create(&t, NULL, call_back, NULL))
        abort();
}

static void clean_up(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command))
        printf("# %s remains\n", directory);
}

int main(int argc, char **argv)
{
    uint64_t count = arguments(argc, argv);
    unsigned before = 0, after;
    long memory = 0;
    struct iocp_ledger l;

    if (THREAD_SANITIZER) {
        puts("one buffer is lent to many operations at once: races of this program's own");
        return 77;
    }
    begin();
    for (uint64_t i = 0; i < count; i++) {
        if (i % 24 == 0)
            make_good_ones();
        if (i % 5000 == 4999)
            clear_pool();
        if (i == count / 4) {
            clear_pool();
            before = count_descriptors();
            memory = resident_kb();
        }
        one_call();
        atomic_fetch_add(&calls, 1);
    }
    clear_pool();
    after = count_descriptors();
    memory = resident_kb() - memory;
    clean_up();
    iocp_ledger(&l);
    printf("# descriptors %u, then %u; memory grew by %ld KB; %llu operations begun, %llu refused\n", before,
           after, memory, (unsigned long long)l.started, (unsigned long long)l.refused);
    if (after > before + 8 || l.started != l.completed + l.refused) {
        printf("FAIL left behind: %llu operations, %d descriptors\n",
               (unsigned long long)(l.started - l.completed - l.refused), (int)(after - before));
        return 1;
    }
    return 0;
}
