/* SPDX-License-Identifier: MIT */
/*
 * What handles.c hands in: random numbers, handles of any type, closed ones and nonsense, buffers, names and
 * paths, records. Pointers are valid or NULL, and whatever a path leads to lies in the program's own
 * temporary directory, or nowhere. One letter stands for one kind of argument: see argument().
 */
#ifndef FUZZ_ARGUMENTS_H
#define FUZZ_ARGUMENTS_H

enum { POOL = 48, OVERLAPPEDS = 64, DATA = 4096, MOST_ARGUMENTS = 11, FDS = 1024, LONG_NAME = 40000 };

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
static SOCK_NOTIFY_REGISTRATION registrations[4];
static iocp_fd_set sets[3];
static struct iocp_timeval no_time;
static LARGE_INTEGER due;
static char directory[64];
static WCHAR wide[MOST_ARGUMENTS][LONG_NAME + 1];
static WSAMSG message;
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

/* What the C library's names would close or move without asking: not the three that every program has. */
static uintptr_t any_descriptor(void)
{
    uintptr_t h = any_file();

    return (uint32_t)h < 3 ? 999 : h; /* an int is made of it */
}

/* Mostly a socket, or something that is one underneath. */
static uintptr_t any_socket(void)
{
    uintptr_t h = any_file();
    struct stat about;

    for (int tries = 0; tries < 8 && (h < 3 || h >= FDS || fstat((int)h, &about) || !S_ISSOCK(about.st_mode));
         tries++)
        h = any_file();
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

static void CALLBACK on_legacy(void *context, BOOLEAN fired)
{
    (void)context;
    (void)fired;
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
    static char paths[4][128], longest[LONG_NAME];
    static const char *const others[] = {"", "/nowhere/x", "C:\\nowhere\\<>", "\\\\.\\pipe\\x", longest};
    static unsigned turn;
    char *path = paths[turn++ % 4];

    if (rnd(8) == 0)
        return 0;
    if (!longest[0]) {
        memset(longest, '\\', sizeof longest - 1);
        memset(longest + 3, '?', 1);
        memset(longest + 8, 'a', 30000);
    }
    if (rnd(4) == 0)
        return (uintptr_t)others[rnd(sizeof others / sizeof others[0])];
    snprintf(path, sizeof paths[0], "%s/%c", directory, (char)('a' + rnd(4)));
    return (uintptr_t)path;
}

/* What is to be the index-th argument, in characters of 16 bits; now and then half a character. */
static uintptr_t widened(uintptr_t narrow, unsigned index)
{
    const char *text = (const char *)narrow;
    unsigned n = 0;

    if (!text)
        return 0;
    for (; text[n] && n < LONG_NAME; n++)
        wide[index][n] = (WCHAR)(unsigned char)text[n];
    wide[index][n] = 0;
    if (n > 0 && rnd(64) == 0)
        wide[index][n - 1] = (WCHAR)(0xD800 + rnd(0x800));
    return (uintptr_t)wide[index];
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

static uintptr_t any_message(void)
{
    message = (WSAMSG){.name = (struct sockaddr *)any_address(), .namelen = rnd(4) ? 16 : (INT)any_length()};
    message.lpBuffers = (WSABUF *)any_buffers();
    message.dwBufferCount = message.lpBuffers ? rnd(5) : (ULONG)any_number();
    message.Control.buf = rnd(4) ? scratch[14] : NULL;
    message.Control.len = message.Control.buf ? rnd(256) : rnd(8) ? 0 : (ULONG)any_number();
    message.dwFlags = rnd(4) ? 0 : (ULONG)any_number();
    return rnd(8) ? (uintptr_t)&message : 0;
}

/* A time-out, how many, whether alone; then sockets, each with events to come and a status. */
static uintptr_t any_poll_record(void)
{
    struct record {
        LARGE_INTEGER timeout;
        ULONG count, exclusive;
        struct {
            HANDLE socket;
            ULONG events;
            LONG status;
        } sockets[4];
    } *r = (struct record *)data;

    r->timeout.QuadPart = rnd(2) ? -(LONGLONG)rnd(100000) : rnd(2) ? INT64_MAX : (LONGLONG)any_number();
    r->count = rnd(8) ? rnd(5) : (ULONG)any_number();
    r->exclusive = rnd(2);
    for (unsigned i = 0; i < 4; i++) {
        r->sockets[i].socket = (HANDLE)any_file();
        r->sockets[i].events = rnd(2) ? rnd(512) : (ULONG)any_number();
        r->sockets[i].status = 0;
    }
    return rnd(16) ? (uintptr_t)data : 0;
}

/* A path of ours, below a directory's handle, the device of sockets, or none. */
static uintptr_t any_native_name(void)
{
    static const char *const names[] = {"a", "b/c", "\\Device\\Afd\\fuzz", "\\??\\C:\\nowhere\\x", ""};
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

static uintptr_t any_registrations(void)
{
    for (unsigned i = 0; i < 4; i++) {
        SOCK_NOTIFY_REGISTRATION *r = &registrations[i];

        r->socket = (SOCKET)any_socket();
        r->eventFilter = rnd(8) ? rnd(8) : (UINT16)any_number();
        r->operation = rnd(8) ? 1u << rnd(3) : (UINT8)any_number();
        r->triggerFlags = rnd(8) ? (rnd(2) ? 4 : 8) | rnd(3) : (UINT8)any_number();
    }
    return (uintptr_t)registrations;
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
 *   U any OVERLAPPED, never NULL
 *   d memory or NULL, and next s its size (any, for NULL)        w buffers, and next k how many
 *   p memory for an answer, or NULL      P the same, never NULL  L pointer to a length of any kind
 *   i number, any    l length, any    t time-out, short    b 0 or 1    0 zero
 *   n name or NULL   f path or NULL   j name of a pipe   a address or NULL
 *   c g q m routines: file, Winsock, APC, thread
 *   X how many registrations, and next Y they     Q how many packets at most
 *   N how many handles, and next A their array   V how many, after polls v   S set   T no time
 *   H where one handle is returned   D a due time
 *   G segments of pages, and next K their bytes   x head and tail   y packets, and next k how many
 *   u name and attributes of a native object      C code of a control      M a message's head
 *   e name, z path, Z pipe's name, all wide       r after d or p: its size in wide characters
 *   F something that has a descriptor             R what a wait or a timer calls
 *   E an event that is told of the end, NULL or INVALID_HANDLE_VALUE
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
    case 'U':
        return (uintptr_t)&overlappeds[rnd(OVERLAPPEDS)];
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
    case 'X':
        return rnd(8) ? 1 + rnd(4) : 0;
    case 'Q':
        return rnd(4) ? 1 + rnd(4) : 0;
    case 'Y':
        return before ? any_registrations() : 0;
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
    case 'M':
        return any_message();
    case 'e':
        return widened(any_name(), index);
    case 'z':
        return widened(any_path(), index);
    case 'Z':
        return widened(any_pipe_name(), index);
    case 'r':
        return before ? rnd(1024) : any_number();
    case 'R':
        return rnd(8) ? (uintptr_t)on_legacy : 0;
    case 'E':
        return rnd(4) ? any_handle() : rnd(2) ? UINT64_MAX : 0;
    case 'F':
        return any_descriptor();
    case 'D':
        due.QuadPart = rnd(2) ? -(LONGLONG)rnd(100000) : (LONGLONG)any_number();
        return rnd(8) ? (uintptr_t)&due : 0;
    default:
        return 0;
    }
}

#endif
