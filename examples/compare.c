/* SPDX-License-Identifier: MIT */
/*
 * The five ways of doing I/O side by side, on one real file and on real TCP connections: the same
 * reads and the same echoes, each byte compared, done synchronously, overlapped with a wait on the
 * handle, with one event per operation, with completion routines, and with a completion port.
 * Prints what each can and cannot do, and how fast it was with how many threads.
 *
 *   compare [READS [MESSAGES]]
 */
#include "example.h"

#define BLOCKS       4096
#define MESSAGE_SIZE 64
#define HANDLE_READS 8   /* overlapped on the handle: every wake-up asks all of them */
#define EVENT_READS  64  /* MAXIMUM_WAIT_OBJECTS */
#define MANY_READS   256 /* routines and port: as many as one likes */
#define SYNC_PEERS   100 /* a thread each */
#define EVENT_PEERS  64
#define MANY_PEERS   400
#define WORKERS      2

static DWORD reads_wanted = 60000, messages_wanted = 60000;

/* -- the file -- */

static unsigned char expected[BLOCKS][BLOCK_SIZE];
static LONG64 reads_started, reads_done, reads_at_once;

struct read {
    OVERLAPPED overlapped;
    HANDLE file;
    DWORD block;
    unsigned char data[BLOCK_SIZE];
};

static struct read reads[MANY_READS];

static DWORD next_block(LONG64 n) {
    return (DWORD)((ULONGLONG)n * 2654435761u >> 7) % BLOCKS;
}

/* TRUE for the very last one. */
static BOOL read_done(struct read *read, BOOL ok, DWORD size) {
    check(ok && size == BLOCK_SIZE, "a read");
    check(memcmp(read->data, expected[read->block], BLOCK_SIZE) == 0, "comparing a block");
    return InterlockedIncrement64(&reads_done) == reads_wanted;
}

/* Gives the read its next block; FALSE when enough have been started. */
static BOOL next_read(struct read *read) {
    LONG64 n = InterlockedIncrement64(&reads_started);
    if (n > reads_wanted)
        return FALSE;
    read->block = next_block(n);
    set_block(&read->overlapped, read->block);
    return TRUE;
}

/* Before ReadFile returns the read may be over, and with a port in another thread's hands: the
 * caller must not look at it any more. */
static BOOL start_read(struct read *read) {
    if (!next_read(read))
        return FALSE;
    BOOL at_once = ReadFile(read->file, read->data, BLOCK_SIZE, NULL, &read->overlapped);
    check_started(at_once, "ReadFile");
    if (at_once)
        InterlockedIncrement64(&reads_at_once);
    return TRUE;
}

static DWORD file_synchronous(HANDLE file) {
    struct read *read = reads;
    DWORD size;
    while (next_read(read)) {
        LARGE_INTEGER offset;
        offset.QuadPart = (LONGLONG)read->block * BLOCK_SIZE;
        check(SetFilePointerEx(file, offset, NULL, FILE_BEGIN), "SetFilePointerEx");
        BOOL ok = ReadFile(file, read->data, BLOCK_SIZE, &size, NULL);
        read_done(read, ok, size);
    }
    return 1;
}

static DWORD file_handle(HANDLE file) {
    BOOL busy[HANDLE_READS];
    DWORD size, left = 0;
    for (int i = 0; i < HANDLE_READS; i++)
        left += busy[i] = start_read(&reads[i]);
    while (left) {
        check(WaitForSingleObject(file, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
        for (int i = 0; i < HANDLE_READS; i++) {
            if (!busy[i] || !HasOverlappedIoCompleted(&reads[i].overlapped))
                continue;
            BOOL ok = GetOverlappedResult(file, &reads[i].overlapped, &size, FALSE);
            read_done(&reads[i], ok, size);
            busy[i] = start_read(&reads[i]);
            left -= !busy[i];
        }
    }
    return 1;
}

/* The wait takes the lowest signalled index; what has ended is moved out of the way of the others
 * by putting it last. */
static DWORD file_events(HANDLE file) {
    HANDLE events[EVENT_READS];
    struct read *of[EVENT_READS];
    DWORD size, left = 0;
    for (int i = 0; i < EVENT_READS; i++) {
        reads[i].overlapped.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL);
        check(reads[i].overlapped.hEvent != NULL, "CreateEvent");
    }
    for (; left < EVENT_READS && start_read(&reads[left]); left++) {
        of[left] = &reads[left];
        events[left] = reads[left].overlapped.hEvent;
    }
    while (left) {
        DWORD which = WaitForMultipleObjects(left, events, FALSE, INFINITE) - WAIT_OBJECT_0;
        check(which < left, "WaitForMultipleObjects");
        struct read *read = of[which];
        BOOL ok = GetOverlappedResult(file, &read->overlapped, &size, FALSE);
        read_done(read, ok, size);
        BOOL again = start_read(read);
        of[which] = of[left - 1];
        events[which] = events[left - 1];
        of[left - 1] = read;
        events[left - 1] = read->overlapped.hEvent;
        left -= !again;
    }
    for (int i = 0; i < EVENT_READS; i++) {
        CloseHandle(reads[i].overlapped.hEvent);
        reads[i].overlapped.hEvent = NULL;
    }
    return 1;
}

static VOID CALLBACK on_read(DWORD error, DWORD size, LPOVERLAPPED overlapped) {
    struct read *read = CONTAINING_RECORD(overlapped, struct read, overlapped);
    read_done(read, error == 0, size);
    if (next_read(read))
        check(ReadFileEx(read->file, read->data, BLOCK_SIZE, &read->overlapped, on_read),
              "ReadFileEx");
}

static DWORD file_apc(HANDLE file) {
    (void)file;
    for (int i = 0; i < MANY_READS && next_read(&reads[i]); i++)
        check(ReadFileEx(reads[i].file, reads[i].data, BLOCK_SIZE, &reads[i].overlapped, on_read),
              "ReadFileEx");
    while (reads_done < reads_wanted)
        check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");
    return 1;
}

static HANDLE port;

static void stop_workers(void) {
    for (int i = 0; i < WORKERS; i++)
        check(PostQueuedCompletionStatus(port, 0, 0, NULL), "PostQueuedCompletionStatus");
}

/* Runs WORKERS threads on a new port; `begin` starts the first operations from this thread. */
static DWORD with_workers(LPTHREAD_START_ROUTINE work, void (*begin)(void *), void *context) {
    HANDLE threads[WORKERS];
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, WORKERS);
    check(port != NULL, "CreateIoCompletionPort");
    begin(context);
    for (int i = 0; i < WORKERS; i++)
        check((threads[i] = CreateThread(NULL, 0, work, NULL, 0, NULL)) != NULL, "CreateThread");
    WaitForMultipleObjects(WORKERS, threads, TRUE, INFINITE);
    for (int i = 0; i < WORKERS; i++)
        CloseHandle(threads[i]);
    CloseHandle(port);
    return WORKERS;
}

static DWORD WINAPI serve_reads(LPVOID unused) {
    DWORD size;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    (void)unused;
    for (;;) {
        BOOL ok = GetQueuedCompletionStatus(port, &size, &key, &overlapped, INFINITE);
        check(ok || overlapped, "GetQueuedCompletionStatus");
        if (!overlapped)
            return 0;
        struct read *read = CONTAINING_RECORD(overlapped, struct read, overlapped);
        BOOL last = read_done(read, ok, size);
        if (last)
            stop_workers();
        else
            start_read(read);
    }
}

static void begin_reads(void *file) {
    check(CreateIoCompletionPort(file, port, 0, 0) == port, "CreateIoCompletionPort");
    for (int i = 0; i < MANY_READS; i++)
        start_read(&reads[i]);
}

static DWORD file_port(HANDLE file) {
    return with_workers(serve_reads, begin_reads, file);
}

/* -- the sockets -- */

struct peer {
    OVERLAPPED overlapped;
    SOCKET server_end, client_end;
    BOOL open;
    DWORD flags;
    char data[MESSAGE_SIZE];
};

static struct peer peers[MANY_PEERS];
static DWORD peer_count;
static LONG peers_left;

static void start_receive(struct peer *peer, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    WSABUF buffer = {MESSAGE_SIZE, peer->data};
    peer->flags = 0;
    check_started(
        WSARecv(peer->server_end, &buffer, 1, NULL, &peer->flags, &peer->overlapped, routine) == 0,
        "WSARecv");
}

/* Answers what came; FALSE when the client has gone. */
static BOOL answer(struct peer *peer, DWORD size) {
    if (size)
        check(send(peer->server_end, peer->data, (int)size, 0) == (int)size, "send");
    return size != 0;
}

static DWORD WINAPI serve_one(LPVOID argument) {
    struct peer *peer = argument;
    int size;
    do {
        size = recv(peer->server_end, peer->data, MESSAGE_SIZE, 0);
        check(size >= 0, "recv");
    } while (answer(peer, (DWORD)size));
    return 0;
}

static DWORD sockets_synchronous(void) {
    static HANDLE threads[SYNC_PEERS];
    for (DWORD i = 0; i < peer_count; i++)
        check((threads[i] = CreateThread(NULL, 65536, serve_one, &peers[i], 0, NULL)) != NULL,
              "CreateThread");
    for (DWORD i = 0; i < peer_count; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    return peer_count;
}

/* Waits for any of the objects, one for each peer: its socket or its event. */
static void serve_by_waiting(HANDLE *objects) {
    struct peer *of[EVENT_PEERS];
    DWORD size, left = peer_count;
    for (DWORD i = 0; i < left; i++) {
        of[i] = &peers[i];
        start_receive(&peers[i], NULL);
    }
    while (left) {
        DWORD which = WaitForMultipleObjects(left, objects, FALSE, INFINITE) - WAIT_OBJECT_0;
        check(which < left, "WaitForMultipleObjects");
        struct peer *peer = of[which];
        HANDLE object = objects[which];
        check(GetOverlappedResult((HANDLE)peer->server_end, &peer->overlapped, &size, FALSE),
              "WSARecv");
        of[which] = of[left - 1];
        objects[which] = objects[left - 1];
        of[left - 1] = peer;
        objects[left - 1] = object;
        if (answer(peer, size))
            start_receive(peer, NULL);
        else
            left--;
    }
}

static DWORD sockets_handle(void) {
    HANDLE objects[EVENT_PEERS];
    for (DWORD i = 0; i < peer_count; i++)
        objects[i] = (HANDLE)peers[i].server_end;
    serve_by_waiting(objects);
    return 1;
}

static DWORD sockets_events(void) {
    HANDLE objects[EVENT_PEERS];
    for (DWORD i = 0; i < peer_count; i++) {
        objects[i] = peers[i].overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        check(objects[i] != NULL, "CreateEvent");
    }
    serve_by_waiting(objects);
    for (DWORD i = 0; i < peer_count; i++)
        CloseHandle(objects[i]);
    return 1;
}

static void CALLBACK on_receive(DWORD error, DWORD size, LPWSAOVERLAPPED overlapped, DWORD flags) {
    struct peer *peer = CONTAINING_RECORD(overlapped, struct peer, overlapped);
    (void)flags;
    check(error == 0, "WSARecv");
    if (answer(peer, size))
        start_receive(peer, on_receive);
    else
        peers_left--;
}

static DWORD sockets_apc(void) {
    for (DWORD i = 0; i < peer_count; i++)
        start_receive(&peers[i], on_receive);
    while (peers_left)
        check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");
    return 1;
}

static DWORD WINAPI serve_sockets(LPVOID unused) {
    DWORD size;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    (void)unused;
    for (;;) {
        check(GetQueuedCompletionStatus(port, &size, &key, &overlapped, INFINITE), "WSARecv");
        if (!overlapped)
            return 0;
        struct peer *peer = CONTAINING_RECORD(overlapped, struct peer, overlapped);
        if (answer(peer, size))
            start_receive(peer, NULL);
        else if (InterlockedDecrement(&peers_left) == 0)
            stop_workers();
    }
}

static void begin_sockets(void *unused) {
    (void)unused;
    for (DWORD i = 0; i < peer_count; i++) {
        check(CreateIoCompletionPort((HANDLE)peers[i].server_end, port, 0, 0) == port,
              "CreateIoCompletionPort");
        start_receive(&peers[i], NULL);
    }
}

static DWORD sockets_port(void) {
    return with_workers(serve_sockets, begin_sockets, NULL);
}

/* The client, the same for all: says something on every connection, then hears every answer. */
static DWORD WINAPI ask(LPVOID unused) {
    DWORD rounds = messages_wanted / peer_count;
    char text[MESSAGE_SIZE], heard[MESSAGE_SIZE];
    (void)unused;
    for (DWORD round = 0; round < rounds; round++) {
        for (DWORD i = 0; i < peer_count; i++) {
            memset(text, (int)(round * 31 + i), sizeof text);
            check(send(peers[i].client_end, text, MESSAGE_SIZE, 0) == MESSAGE_SIZE, "send");
        }
        for (DWORD i = 0; i < peer_count; i++) {
            memset(text, (int)(round * 31 + i), sizeof text);
            check(recv(peers[i].client_end, heard, MESSAGE_SIZE, MSG_WAITALL) == MESSAGE_SIZE,
                  "recv");
            check(memcmp(text, heard, MESSAGE_SIZE) == 0, "comparing an echo");
        }
    }
    for (DWORD i = 0; i < peer_count; i++)
        check(shutdown(peers[i].client_end, SD_SEND) == 0, "shutdown");
    return 0;
}

/* -- the comparison -- */

struct model {
    const char *name, *which, *limit, *who, *accept;
    DWORD (*file)(HANDLE file); /* both return how many threads they used */
    DWORD (*sockets)(void);
    DWORD reads, peers, flags;
};

static const struct model models[] = {
    {"synchronous", "the one called", "1 for each thread", "the thread that called",
     "accept blocks a thread", file_synchronous, sockets_synchronous, 1, SYNC_PEERS, 0},
    {"overlapped, handle", "no: ask each one", "64 handles", "whoever waits",
     "AcceptEx, one at a time", file_handle, sockets_handle, HANDLE_READS, EVENT_PEERS,
     FILE_FLAG_OVERLAPPED},
    {"overlapped, events", "yes, by its event", "64 operations", "whoever waits",
     "AcceptEx with an event", file_events, sockets_events, EVENT_READS, EVENT_PEERS,
     FILE_FLAG_OVERLAPPED},
    {"APC", "yes, its routine", "none", "only the thread that issued", "none takes a routine",
     file_apc, sockets_apc, MANY_READS, MANY_PEERS, FILE_FLAG_OVERLAPPED},
    {"completion port", "yes, key and OVERLAPPED", "none", "any worker", "AcceptEx, any number",
     file_port, sockets_port, MANY_READS, MANY_PEERS, FILE_FLAG_OVERLAPPED},
};

static double now_seconds(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart / (double)frequency.QuadPart;
}

static void run_file(const struct model *model) {
    char path[64];
    HANDLE file = make_file(path, sizeof path, BLOCKS, model->flags);
    reads_started = reads_done = reads_at_once = 0;
    memset(reads, 0, sizeof reads);
    for (int i = 0; i < MANY_READS; i++)
        reads[i].file = file;
    double begin = now_seconds();
    DWORD threads = model->file(file);
    double rate = (double)reads_done / (now_seconds() - begin);
    check(reads_done == reads_wanted, "counting the reads");
    CloseHandle(file);
    printf("%-20s%6lu%9lu%11.0f", model->name, (unsigned long)model->reads, (unsigned long)threads,
           rate);
    if (model->file == file_apc || model->file == file_synchronous)
        printf("%10s", "-"); /* ReadFileEx does not say */
    else
        printf("%8.0f %%", 100.0 * (double)reads_at_once / (double)reads_done);
}

static void run_sockets(const struct model *model) {
    memset(peers, 0, sizeof peers);
    peer_count = model->peers;
    peers_left = (LONG)peer_count;
    for (DWORD i = 0; i < peer_count; i++)
        connect_pair(&peers[i].server_end, &peers[i].client_end);
    double begin = now_seconds();
    HANDLE client = CreateThread(NULL, 0, ask, NULL, 0, NULL);
    check(client != NULL, "CreateThread");
    DWORD threads = model->sockets();
    WaitForSingleObject(client, INFINITE);
    CloseHandle(client);
    double rate = (double)(messages_wanted / peer_count * peer_count) / (now_seconds() - begin);
    for (DWORD i = 0; i < peer_count; i++) {
        closesocket(peers[i].server_end);
        closesocket(peers[i].client_end);
    }
    printf("%11lu%9lu%11.0f\n", (unsigned long)peer_count, (unsigned long)threads, rate);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc > 1 && atoi(argv[1]) > 0)
        reads_wanted = (DWORD)atoi(argv[1]);
    if (argc > 2 && atoi(argv[2]) >= MANY_PEERS)
        messages_wanted = (DWORD)atoi(argv[2]);
    start_winsock();
    for (DWORD i = 0; i < BLOCKS; i++)
        fill_block(expected[i], i);

    const size_t count = sizeof models / sizeof *models;
    printf("%-20s%-25s%-19s%-29s%s\n", "model", "tells which one ended", "at most",
           "an end is served by", "accepting");
    for (size_t i = 0; i < count; i++)
        printf("%-20s%-25s%-19s%-29s%s\n", models[i].name, models[i].which, models[i].limit,
               models[i].who, models[i].accept);

    printf("\n%-20s%s\n", "",
           "file: 4 KiB reads of a 16 MiB file         sockets: 64-byte echoes over TCP");
    printf("%-20s%6s%9s%11s%10s%11s%9s%11s\n", "model", "reads", "threads", "reads/s", "at once",
           "peers", "threads", "echoes/s");
    for (size_t i = 0; i < count; i++) {
        run_file(&models[i]);
        run_sockets(&models[i]);
    }
    printf("\nevery byte compared: %lu reads and about %lu echoes for each model, all right\n",
           (unsigned long)reads_wanted, (unsigned long)messages_wanted);
    WSACleanup();
    return 0;
}
