/* SPDX-License-Identifier: MIT */
/*
 * An echo server on a completion port, as a Windows textbook has it: several AcceptEx outstanding,
 * one context per connection that is found again from its OVERLAPPED, worker threads on one port,
 * and a Ctrl+C that cancels what is pending, takes every last packet out of the port, and then
 * shows the ledger: operations started = completions delivered.
 *
 *   echo_server [--port N] [--threads N] [--accepts N] [--seconds N] [--buffer BYTES] [--skip]
 *
 * --skip: what is done inside its call sends no packet (SetFileCompletionNotificationModes); the worker goes
 * on with it at once.
 *
 * Port 0 lets the system choose; the port is printed. Windows: link with ws2_32 and mswsock.
 */
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_SIZE (sizeof(struct sockaddr_in) + 16) /* AcceptEx puts two of them into the buffer */
#define THREADS_MAX  64 /* as many as WaitForMultipleObjects can wait for */

enum step { STEP_ACCEPT, STEP_RECEIVE, STEP_SEND };

/* One connection, from the AcceptEx that waits for it to its end. It always has exactly one
 * operation outstanding, or one worker busy with it, so nothing in it needs a lock but its place in
 * the list. */
struct connection {
    OVERLAPPED overlapped;
    enum step step;
    SOCKET socket;
    DWORD to_send;
    struct connection *previous, *next; /* under server.lock */
    char buffer[]; /* server.buffer_size */
};

/* Each worker counts for itself, in cache lines of its own; the sums are taken when all have ended.
 */
struct worker {
    HANDLE thread;
    LONG64 started, completed, served, bytes, broken;
    char distance[64];
};

static struct {
    HANDLE port, stop, drained;
    SOCKET listener;
    LPFN_ACCEPTEX accept_ex;
    volatile LONG stopping;
    CRITICAL_SECTION lock;
    struct connection *first; /* under lock */
    struct worker workers[THREADS_MAX];
    DWORD worker_count, accept_count, buffer_size;
    BOOL skip;
} server;

static void die(const char *what, DWORD error) {
    fprintf(stderr, "echo_server: %s failed: error %lu\n", what, (unsigned long)error);
    exit(1);
}

static struct connection *connection_new(void) {
    struct connection *connection = calloc(1, sizeof *connection + server.buffer_size);
    if (!connection)
        die("calloc", ERROR_NOT_ENOUGH_MEMORY);
    connection->socket = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                                    WSA_FLAG_OVERLAPPED);
    if (connection->socket == INVALID_SOCKET)
        die("WSASocket", WSAGetLastError());

    EnterCriticalSection(&server.lock);
    connection->next = server.first;
    if (server.first)
        server.first->previous = connection;
    server.first = connection;
    LeaveCriticalSection(&server.lock);
    return connection;
}

/* Only by the one worker that took this connection's last packet out: nothing of it is pending. */
static void connection_free(struct connection *connection) {
    EnterCriticalSection(&server.lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server.first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    BOOL last = !server.first;
    closesocket(
        connection->socket); /* under the lock: shutdown_server() must not cancel a reused socket */
    LeaveCriticalSection(&server.lock);

    free(connection);
    if (last)
        SetEvent(server.drained);
}

/* An operation counts as started if it promised a packet: success and "pending" both do. */
static BOOL started(struct worker *self, BOOL accepted) {
    if (!accepted && WSAGetLastError() != WSA_IO_PENDING)
        return FALSE;
    self->started++;
    return TRUE;
}

static void start_accept(struct worker *self) {
    struct connection *connection = connection_new();
    DWORD received;
    connection->step = STEP_ACCEPT;
    while (!started(self, server.accept_ex(server.listener, connection->socket, connection->buffer,
                                           0, ADDRESS_SIZE, ADDRESS_SIZE, &received,
                                           &connection->overlapped)))
        if (WSAGetLastError() !=
            WSAECONNRESET) /* this client gave up before we came; the next one may not */
            die("AcceptEx", WSAGetLastError());
}

/* These two return TRUE if what they started is done already and no packet comes: with --skip only. */
static BOOL start_receive(struct worker *self, struct connection *connection, DWORD *bytes) {
    WSABUF buffer = {server.buffer_size, connection->buffer};
    DWORD flags = 0;
    BOOL done = FALSE;
    connection->step = STEP_RECEIVE;
    memset(&connection->overlapped, 0, sizeof connection->overlapped);
    if (!server.stopping) {
        done = WSARecv(connection->socket, &buffer, 1, bytes, &flags, &connection->overlapped, NULL) == 0;
        if (started(self, done))
            return done && server.skip;
    }
    connection_free(connection);
    return FALSE;
}

static BOOL start_send(struct worker *self, struct connection *connection, DWORD size, DWORD *bytes) {
    WSABUF buffer = {size, connection->buffer};
    BOOL done;
    connection->step = STEP_SEND;
    connection->to_send = size;
    memset(&connection->overlapped, 0, sizeof connection->overlapped);
    done = WSASend(connection->socket, &buffer, 1, bytes, 0, &connection->overlapped, NULL) == 0;
    if (started(self, done))
        return done && server.skip;
    connection_free(connection);
    return FALSE;
}

/* The socket of an AcceptEx knows nothing of its listener until it is told; only then do shutdown()
 * and getpeername() work on it. */
static BOOL adopt(struct connection *connection) {
    BOOL no_delay = TRUE;
    if (setsockopt(connection->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                   (const char *)&server.listener, sizeof server.listener))
        return FALSE;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&no_delay,
               sizeof no_delay);
    if (server.skip &&
        !SetFileCompletionNotificationModes((HANDLE)connection->socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                                            FILE_SKIP_SET_EVENT_ON_HANDLE))
        return FALSE;
    return CreateIoCompletionPort((HANDLE)connection->socket, server.port, 0, 0) != NULL;
}

/* One completion. TRUE: the connection's next one is there already, with *bytes. */
static BOOL serve_one(struct worker *self, struct connection *connection, BOOL ok, DWORD *bytes) {
    self->completed++;
    switch (connection->step) {
    case STEP_ACCEPT:
        if (!server.stopping)
            start_accept(self); /* one comes, one goes: the number outstanding stays */
        if (!ok || !adopt(connection)) {
            connection_free(connection);
            break;
        }
        self->served++;
        return start_receive(self, connection, bytes);
    case STEP_RECEIVE:
        if (!ok || *bytes == 0) { /* reset or cancelled; or the client has finished */
            self->broken += !ok && !server.stopping;
            connection_free(connection);
            break;
        }
        return start_send(self, connection, *bytes, bytes);
    case STEP_SEND:
        if (!ok || *bytes != connection->to_send) {
            self->broken += !server.stopping;
            connection_free(connection);
            break;
        }
        self->bytes += *bytes;
        return start_receive(self, connection, bytes);
    }
    return FALSE;
}

static void serve(struct worker *self, struct connection *connection, BOOL ok, DWORD bytes) {
    while (serve_one(self, connection, ok, &bytes))
        ok = TRUE;
}

static DWORD WINAPI work(LPVOID argument) {
    struct worker *self = argument;
    for (;;) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(server.port, &bytes, &key, &overlapped, INFINITE);
        if (overlapped)
            serve(self, CONTAINING_RECORD(overlapped, struct connection, overlapped), ok, bytes);
        else if (ok)
            return 0; /* the packet that shutdown_server() posts, one for each worker */
        else
            die("GetQueuedCompletionStatus", GetLastError());
    }
}

static BOOL WINAPI on_control(DWORD type) {
    (void)type;
    SetEvent(server.stop);
    return TRUE;
}

static void listen_on(unsigned short number) {
    struct sockaddr_in address;
    int size = sizeof address;
    GUID guid = WSAID_ACCEPTEX;
    DWORD bytes;

    server.listener = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (server.listener == INVALID_SOCKET)
        die("WSASocket", WSAGetLastError());
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(number);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof address))
        die("bind", WSAGetLastError());
    if (listen(server.listener, SOMAXCONN))
        die("listen", WSAGetLastError());
    if (getsockname(server.listener, (struct sockaddr *)&address, &size))
        die("getsockname", WSAGetLastError());
    if (!CreateIoCompletionPort((HANDLE)server.listener, server.port, 0, 0))
        die("CreateIoCompletionPort", GetLastError());
    if (WSAIoctl(server.listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid,
                 &server.accept_ex, sizeof server.accept_ex, &bytes, NULL, NULL))
        die("WSAIoctl", WSAGetLastError());
    printf("listening on port %u, %lu workers, %lu accepts outstanding\n", ntohs(address.sin_port),
           (unsigned long)server.worker_count, (unsigned long)server.accept_count);
    fflush(stdout);
}

/* Cancel and drain. A cancelled operation still ends in a packet, and only the worker that takes
 * that packet frees the connection. A worker that looked at `stopping` just too early may start one
 * more operation after the cancel: so it is asked for again until nothing is left. */
static void shutdown_server(void) {
    InterlockedExchange(&server.stopping, 1);
    do {
        CancelIoEx((HANDLE)server.listener, NULL);
        EnterCriticalSection(&server.lock);
        for (struct connection *connection = server.first; connection;
             connection = connection->next)
            CancelIoEx((HANDLE)connection->socket, NULL);
        LeaveCriticalSection(&server.lock);
    } while (WaitForSingleObject(server.drained, 20) == WAIT_TIMEOUT);
    closesocket(server.listener);

    HANDLE threads[THREADS_MAX];
    for (DWORD i = 0; i < server.worker_count; i++) {
        threads[i] = server.workers[i].thread;
        PostQueuedCompletionStatus(server.port, 0, 0, NULL);
    }
    WaitForMultipleObjects(server.worker_count, threads, TRUE, INFINITE);
    for (DWORD i = 0; i < server.worker_count; i++)
        CloseHandle(threads[i]);
    CloseHandle(server.port);
}

static int show_ledger(const struct worker *first) {
    struct worker sum = *first;
    for (DWORD i = 0; i < server.worker_count; i++) {
        sum.started += server.workers[i].started;
        sum.completed += server.workers[i].completed;
        sum.served += server.workers[i].served;
        sum.bytes += server.workers[i].bytes;
        sum.broken += server.workers[i].broken;
    }
    printf("served %lld connections, echoed %lld bytes, %lld connections broke\n", sum.served,
           sum.bytes, sum.broken);
    printf("ledger: operations started %lld %s completions delivered %lld\n", sum.started,
           sum.started == sum.completed ? "=" : "IS NOT", sum.completed);
    return sum.started == sum.completed ? 0 : 1;
}

int main(int argc, char **argv) {
    unsigned short number = 7777;
    DWORD wait_ms = INFINITE;
    SYSTEM_INFO system;
    WSADATA data;
    struct worker first = {0}; /* counts the accepts that main itself starts */

    GetSystemInfo(&system);
    server.worker_count = 2 * system.dwNumberOfProcessors;
    server.accept_count = 16;
    server.buffer_size = 4096;
    for (int i = 1; i < argc; i += 2) {
        DWORD value = i + 1 < argc ? strtoul(argv[i + 1], NULL, 10) : 0;
        if (strcmp(argv[i], "--skip") == 0) {
            server.skip = TRUE;
            i--; /* it has no value */
        } else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc)
            number = (unsigned short)value;
        else if (strcmp(argv[i], "--threads") == 0 && value)
            server.worker_count = value;
        else if (strcmp(argv[i], "--accepts") == 0 && value)
            server.accept_count = value;
        else if (strcmp(argv[i], "--seconds") == 0 && value)
            wait_ms = value * 1000;
        else if (strcmp(argv[i], "--buffer") == 0 && value >= 2 * ADDRESS_SIZE)
            server.buffer_size = value;
        else
            return fprintf(stderr,
                           "echo_server [--port N] [--threads N] [--accepts N] [--seconds N] "
                           "[--buffer BYTES] [--skip]\n"),
                   2;
    }
    if (server.worker_count > THREADS_MAX)
        server.worker_count = THREADS_MAX;

    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error)
        die("WSAStartup", error);
    InitializeCriticalSection(&server.lock);
    server.stop = CreateEventA(NULL, TRUE, FALSE, NULL);
    server.drained = CreateEventA(NULL, TRUE, FALSE, NULL);
    server.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (!server.stop || !server.drained || !server.port)
        die("creating events and the port", GetLastError());
    if (!SetConsoleCtrlHandler(on_control, TRUE))
        die("SetConsoleCtrlHandler", GetLastError());

    listen_on(number);
    for (DWORD i = 0; i < server.accept_count; i++)
        start_accept(&first);
    for (DWORD i = 0; i < server.worker_count; i++) {
        server.workers[i].thread = CreateThread(NULL, 0, work, &server.workers[i], 0, NULL);
        if (!server.workers[i].thread)
            die("CreateThread", GetLastError());
    }

    WaitForSingleObject(server.stop, wait_ms);
    shutdown_server();
    DeleteCriticalSection(&server.lock);
    WSACleanup();
    return show_ledger(&first);
}
