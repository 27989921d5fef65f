/* SPDX-License-Identifier: MIT */
/*
 * One completion port for everything: a TCP socket, a named pipe, a serial line, a directory watch and a
 * timer, served by one loop. What comes over the socket, the pipe or the line goes back the same way; changes
 * of the directory and every tick of the timer are printed. Each source of I/O carries its OVERLAPPED and the
 * function that takes its completions, so the loop knows none of them.
 *
 *   one_port [--port N] [--pipe NAME] [--line COMn] [--watch DIR] [--tick MS] [--ticks N]
 *
 * Port 0 lets the system choose; the port is printed. Without --line or --watch these are left out. It ends
 * after Ctrl+C, or after N ticks. Windows: link with ws2_32 and mswsock.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_SIZE (sizeof(struct sockaddr_in) + 16)

/* Whatever is asked for one thing after the other: at most one operation is outstanding, and its packet
 * calls `done`. */
struct source {
    OVERLAPPED overlapped;
    HANDLE handle;
    void (*done)(struct source *self, BOOL ok, DWORD bytes);
    struct source *next; /* of all that have a handle, for the end */
    DWORD mask;          /* of a line: what has happened */
    SOCKET accepted;     /* of the listener: the connection to come */
    _Alignas(DWORD) char buffer[4096];
};

static struct {
    HANDLE port;
    LPFN_ACCEPTEX accept_ex;
    struct source *first;
    LONG64 started, completed;
    DWORD ticks, last_tick;
    BOOL stopping;
} loop;

enum { KEY_SOURCE, KEY_TICK, KEY_STOP };

static void die(const char *what) {
    fprintf(stderr, "one_port: %s failed: error %lu\n", what, (unsigned long)GetLastError());
    exit(1);
}

static void say(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
}

static struct source *source_new(HANDLE handle, void (*done)(struct source *, BOOL, DWORD)) {
    struct source *self = calloc(1, sizeof *self);
    if (!self || !CreateIoCompletionPort(handle, loop.port, KEY_SOURCE, 0))
        die("binding to the port");
    self->handle = handle;
    self->done = done;
    self->next = loop.first;
    loop.first = self;
    return self;
}

static void source_free(struct source *self) {
    struct source **link = &loop.first;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    free(self);
}

/* After this call `self` may be changed only if it answers FALSE: then no packet will come. */
static BOOL started(BOOL accepted) {
    if (!accepted && GetLastError() != ERROR_IO_PENDING)
        return FALSE;
    loop.started++;
    return TRUE;
}

static OVERLAPPED *fresh(struct source *self, void (*done)(struct source *, BOOL, DWORD)) {
    memset(&self->overlapped, 0, sizeof self->overlapped);
    self->done = done;
    return &self->overlapped;
}

/* ---- sockets ---- */

static void connection_end(struct source *self) {
    closesocket((SOCKET)self->handle);
    source_free(self);
}

static void connection_receive(struct source *self, BOOL ok, DWORD bytes);

static void connection_send(struct source *self, BOOL ok, DWORD bytes) {
    if (!ok || bytes == 0 || loop.stopping ||
        !started(WriteFile(self->handle, self->buffer, bytes, NULL, fresh(self, connection_receive))))
        connection_end(self);
}

static void connection_receive(struct source *self, BOOL ok, DWORD bytes) {
    (void)bytes;
    if (!ok || loop.stopping ||
        !started(ReadFile(self->handle, self->buffer, sizeof self->buffer, NULL,
                          fresh(self, connection_send))))
        connection_end(self);
}

static void listener_done(struct source *self, BOOL ok, DWORD bytes);

static void listener_accept(struct source *self) {
    DWORD received;
    self->accepted = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (self->accepted == INVALID_SOCKET)
        die("socket");
    if (!started(loop.accept_ex((SOCKET)self->handle, self->accepted, self->buffer, 0, ADDRESS_SIZE,
                                ADDRESS_SIZE, &received, fresh(self, listener_done))))
        die("AcceptEx");
}

static void listener_done(struct source *self, BOOL ok, DWORD bytes) {
    SOCKET listener = (SOCKET)self->handle;
    (void)bytes;
    if (loop.stopping || !ok) {
        closesocket(self->accepted);
        if (!loop.stopping)
            listener_accept(self);
        return;
    }
    setsockopt(self->accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&listener,
               sizeof listener);
    say("socket: a client");
    connection_receive(source_new((HANDLE)self->accepted, connection_receive), TRUE, 0);
    listener_accept(self);
}

static void listen_on(unsigned short number) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(number)};
    int size = sizeof address;
    GUID guid = WSAID_ACCEPTEX;
    DWORD bytes;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, SOMAXCONN) ||
        getsockname(listener, (struct sockaddr *)&address, &size) ||
        WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, &loop.accept_ex,
                 sizeof loop.accept_ex, &bytes, NULL, NULL))
        die("listening");
    listener_accept(source_new((HANDLE)listener, listener_done));
    printf("socket: listening on port %u\n", ntohs(address.sin_port));
}

/* ---- the named pipe ---- */

static void pipe_read(struct source *self, BOOL ok, DWORD bytes);

/* Waits for a client; one that is there already promises no packet. */
static void pipe_connect(struct source *self) {
    if (ConnectNamedPipe(self->handle, fresh(self, pipe_read)) || GetLastError() == ERROR_IO_PENDING)
        loop.started++;
    else if (GetLastError() == ERROR_PIPE_CONNECTED)
        pipe_read(self, TRUE, 0);
    else
        die("ConnectNamedPipe");
}

static void pipe_next_client(struct source *self) {
    if (loop.stopping)
        return;
    say("pipe: the client has gone");
    DisconnectNamedPipe(self->handle);
    pipe_connect(self);
}

static void pipe_write(struct source *self, BOOL ok, DWORD bytes) {
    if (!ok || !started(WriteFile(self->handle, self->buffer, bytes, NULL, fresh(self, pipe_read))))
        pipe_next_client(self);
}

static void pipe_read(struct source *self, BOOL ok, DWORD bytes) {
    (void)bytes;
    if (!ok || loop.stopping ||
        !started(ReadFile(self->handle, self->buffer, sizeof self->buffer, NULL, fresh(self, pipe_write))))
        pipe_next_client(self);
}

static void open_pipe(const char *name) {
    char path[MAX_PATH];
    snprintf(path, sizeof path, "\\\\.\\pipe\\%s", name);
    HANDLE pipe = CreateNamedPipeA(path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1,
                                   4096, 4096, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        die("CreateNamedPipe");
    printf("pipe: %s\n", path);
    pipe_connect(source_new(pipe, pipe_read));
}

/* ---- the serial line ---- */

static void line_event(struct source *self, BOOL ok, DWORD bytes);

static void line_wait(struct source *self, BOOL ok, DWORD bytes) {
    (void)bytes;
    if (!ok || loop.stopping)
        return;
    if (!started(WaitCommEvent(self->handle, &self->mask, fresh(self, line_event))))
        say("line: gone");
}

static void line_write(struct source *self, BOOL ok, DWORD bytes) {
    if (ok && bytes && !loop.stopping &&
        started(WriteFile(self->handle, self->buffer, bytes, NULL, fresh(self, line_wait))))
        return;
    line_wait(self, ok, bytes);
}

static void line_event(struct source *self, BOOL ok, DWORD bytes) {
    COMSTAT state = {0};
    DWORD errors;
    (void)bytes;
    if (!ok || loop.stopping) {
        if (!loop.stopping)
            say("line: gone");
        return;
    }
    ClearCommError(self->handle, &errors, &state);
    DWORD size = state.cbInQue < sizeof self->buffer ? state.cbInQue : sizeof self->buffer;
    if (!(self->mask & EV_RXCHAR) || size == 0)
        line_wait(self, TRUE, 0);
    else if (!started(ReadFile(self->handle, self->buffer, size, NULL, fresh(self, line_write))))
        say("line: gone");
}

static void open_line(const char *name) {
    COMMTIMEOUTS at_once = {.ReadIntervalTimeout = MAXDWORD};
    DCB dcb = {.DCBlength = sizeof dcb};
    HANDLE line = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED, NULL);
    if (line == INVALID_HANDLE_VALUE || !GetCommState(line, &dcb))
        die("opening the line");
    dcb.BaudRate = CBR_115200;
    dcb.ByteSize = 8;
    dcb.Parity = NOPARITY;
    dcb.StopBits = ONESTOPBIT;
    if (!SetCommState(line, &dcb) || !SetCommTimeouts(line, &at_once) || !SetCommMask(line, EV_RXCHAR))
        die("setting up the line");
    printf("line: %s\n", name);
    line_wait(source_new(line, line_event), TRUE, 0);
}

/* ---- the directory ---- */

static void watch_changes(struct source *self, BOOL ok, DWORD bytes);

static void watch_next(struct source *self) {
    if (!started(ReadDirectoryChangesW(self->handle, self->buffer, sizeof self->buffer, TRUE,
                                       FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME, NULL,
                                       fresh(self, watch_changes), NULL)))
        say("watch: ended");
}

static void watch_changes(struct source *self, BOOL ok, DWORD bytes) {
    static const char *const actions[] = {"?", "added", "removed", "modified", "renamed from", "renamed to"};
    if (!ok || loop.stopping)
        return;
    if (bytes == 0)
        say("watch: more has changed than could be kept");
    for (DWORD at = 0; at < bytes;) {
        FILE_NOTIFY_INFORMATION *one = (FILE_NOTIFY_INFORMATION *)(self->buffer + at);
        char name[3 * MAX_PATH + 1];
        int units = (int)(one->FileNameLength / sizeof(WCHAR));
        int length = WideCharToMultiByte(CP_UTF8, 0, one->FileName, units, name, sizeof name, NULL, NULL);
        printf("watch: %s %.*s\n", actions[one->Action <= 5 ? one->Action : 0], length, name);
        if (one->NextEntryOffset == 0)
            break;
        at += one->NextEntryOffset;
    }
    fflush(stdout);
    watch_next(self);
}

static void watch_directory(const char *path) {
    DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE directory = CreateFileA(path, FILE_LIST_DIRECTORY, share, NULL, OPEN_EXISTING,
                                   FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    if (directory == INVALID_HANDLE_VALUE)
        die("opening the directory");
    watch_next(source_new(directory, watch_changes));
    printf("watch: %s\n", path);
}

/* ---- the timer, and the loop ---- */

static VOID CALLBACK tick(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer) {
    (void)instance;
    (void)context;
    (void)timer;
    PostQueuedCompletionStatus(loop.port, 0, KEY_TICK, NULL);
}

static PTP_TIMER start_ticking(DWORD milliseconds) {
    ULARGE_INTEGER due = {.QuadPart = (ULONGLONG)(-10000LL * milliseconds)};
    FILETIME first = {due.LowPart, due.HighPart};
    PTP_TIMER timer = CreateThreadpoolTimer(tick, NULL, NULL);
    if (!timer)
        die("CreateThreadpoolTimer");
    SetThreadpoolTimer(timer, &first, milliseconds, 0);
    return timer;
}

static BOOL WINAPI on_control(DWORD type) {
    (void)type;
    return PostQueuedCompletionStatus(loop.port, 0, KEY_STOP, NULL);
}

/* Cancels what is pending; each of it still ends in a packet, and the loop goes on until the last. */
static void stop(void) {
    loop.stopping = TRUE;
    for (struct source *one = loop.first; one; one = one->next)
        CancelIoEx(one->handle, NULL);
}

static void serve(void) {
    while (!loop.stopping || loop.started != loop.completed) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(loop.port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped) {
            struct source *source = CONTAINING_RECORD(overlapped, struct source, overlapped);
            loop.completed++;
            source->done(source, ok, bytes);
        } else if (!ok) {
            die("GetQueuedCompletionStatus");
        } else if (key == KEY_TICK) {
            printf("timer: tick %lu\n", (unsigned long)++loop.ticks);
            fflush(stdout);
            if (loop.ticks == loop.last_tick)
                stop();
        } else if (!loop.stopping) {
            stop();
        }
    }
}

int main(int argc, char **argv) {
    const char *pipe = "one_port", *line = NULL, *directory = NULL;
    unsigned short number = 7778;
    DWORD milliseconds = 1000;
    WSADATA data;

    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--port") == 0)
            number = (unsigned short)atoi(value);
        else if (strcmp(argv[i], "--pipe") == 0)
            pipe = value;
        else if (strcmp(argv[i], "--line") == 0)
            line = value;
        else if (strcmp(argv[i], "--watch") == 0)
            directory = value;
        else if (strcmp(argv[i], "--tick") == 0 && atoi(value) > 0)
            milliseconds = (DWORD)atoi(value);
        else if (strcmp(argv[i], "--ticks") == 0)
            loop.last_tick = (DWORD)atoi(value);
        else
            return fprintf(stderr, "one_port [--port N] [--pipe NAME] [--line COMn] [--watch DIR] "
                                   "[--tick MS] [--ticks N]\n"),
                   2;
    }
    if (WSAStartup(MAKEWORD(2, 2), &data))
        die("WSAStartup");
    loop.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!loop.port || !SetConsoleCtrlHandler(on_control, TRUE))
        die("CreateIoCompletionPort");
    listen_on(number);
    open_pipe(pipe);
    if (line)
        open_line(line);
    if (directory)
        watch_directory(directory);
    PTP_TIMER timer = start_ticking(milliseconds);
    say("serving");

    serve();
    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    CloseThreadpoolTimer(timer);
    while (loop.first) {
        struct source *one = loop.first;
        if (one->done == listener_done || one->done == connection_send || one->done == connection_receive)
            closesocket((SOCKET)one->handle);
        else
            CloseHandle(one->handle);
        source_free(one);
    }
    CloseHandle(loop.port);
    WSACleanup();
    printf("ledger: operations started %lld = completions delivered %lld\n", (long long)loop.started,
           (long long)loop.completed);
    return 0;
}
