/* SPDX-License-Identifier: MIT */
/*
 * A completion port: any number of handles, one queue of results, any thread starts an operation
 * and any thread serves its end. The key says which handle it was, the OVERLAPPED which operation.
 * The memory of an operation is freed by whoever takes its packet out, and by nobody else: so it is
 * safe to release everything once the last packet is out, cancelled ones included.
 */
#include "example.h"

#define BLOCKS  200
#define PEERS   200
#define WORKERS 2

enum { KEY_FILE, KEY_SOCKET, KEY_EXIT };

struct operation {
    OVERLAPPED overlapped;
    SOCKET socket;
    DWORD number;
    unsigned char buffer[BLOCK_SIZE];
};

static HANDLE port, all_out;
static volatile LONG started, delivered, blocks, messages, cancelled;

static struct operation *operation_new(DWORD number) {
    struct operation *operation = calloc(1, sizeof *operation);
    check(operation != NULL, "calloc");
    operation->number = number;
    InterlockedIncrement(
        &started); /* before it starts: its packet may be out before the call returns */
    return operation;
}

static void serve(ULONG_PTR key, struct operation *operation, BOOL ok, DWORD error, DWORD size) {
    if (!ok) {
        check(error == ERROR_OPERATION_ABORTED, "an operation");
        InterlockedIncrement(&cancelled);
    } else if (key == KEY_FILE) {
        check(size == BLOCK_SIZE && block_is(operation->buffer, operation->number),
              "comparing a block");
        InterlockedIncrement(&blocks);
    } else {
        check(size == 5 && memcmp(operation->buffer, "hello", 5) == 0, "comparing a message");
        InterlockedIncrement(&messages);
        send_text(operation->socket, "heard");
    }
    free(operation);
    if (InterlockedIncrement(&delivered) == BLOCKS + 2 * PEERS)
        SetEvent(all_out);
}

static DWORD WINAPI work(LPVOID unused) {
    (void)unused;
    for (;;) {
        DWORD size = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(port, &size, &key, &overlapped, INFINITE);
        DWORD error = ok ? 0 : GetLastError();
        check(ok || overlapped != NULL, "GetQueuedCompletionStatus");
        if (key == KEY_EXIT)
            return 0;
        serve(key, CONTAINING_RECORD(overlapped, struct operation, overlapped), ok, error, size);
    }
}

static void start_receive(SOCKET socket, DWORD number) {
    struct operation *operation = operation_new(number);
    WSABUF buffer = {sizeof operation->buffer, (char *)operation->buffer};
    DWORD flags = 0;
    operation->socket = socket;
    check_started(WSARecv(socket, &buffer, 1, NULL, &flags, &operation->overlapped, NULL) == 0,
                  "WSARecv");
}

int main(void) {
    static SOCKET near_end[PEERS], far_end[PEERS];
    HANDLE threads[WORKERS];
    char path[64], answer[5];

    start_winsock();
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, WORKERS);
    all_out = CreateEventA(NULL, TRUE, FALSE, NULL);
    check(port != NULL && all_out != NULL, "creating port and event");
    for (int i = 0; i < WORKERS; i++)
        check((threads[i] = CreateThread(NULL, 0, work, NULL, 0, NULL)) != NULL, "CreateThread");

    HANDLE file = make_file(path, sizeof path, BLOCKS, FILE_FLAG_OVERLAPPED);
    check(CreateIoCompletionPort(file, port, KEY_FILE, 0) == port, "CreateIoCompletionPort");
    for (DWORD i = 0; i < BLOCKS; i++) {
        struct operation *operation = operation_new(i);
        set_block(&operation->overlapped, i);
        check_started(ReadFile(file, operation->buffer, BLOCK_SIZE, NULL, &operation->overlapped),
                      "ReadFile");
    }

    /* Two receives on each socket: one will be answered, the other has to be cancelled. */
    for (DWORD i = 0; i < PEERS; i++) {
        connect_pair(&near_end[i], &far_end[i]);
        check(CreateIoCompletionPort((HANDLE)near_end[i], port, KEY_SOCKET, 0) == port,
              "CreateIoCompletionPort");
        start_receive(near_end[i], i);
        start_receive(near_end[i], i);
    }
    for (int i = PEERS - 1; i >= 0; i--)
        send_text(far_end[i], "hello");
    for (int i = 0; i < PEERS; i++)
        check(recv(far_end[i], answer, 5, MSG_WAITALL) == 5 && memcmp(answer, "heard", 5) == 0,
              "recv");

    /* The end: cancel, take every packet out, and only then let go of threads, handles and port. */
    for (int i = 0; i < PEERS; i++)
        check(CancelIoEx((HANDLE)near_end[i], NULL), "CancelIoEx");
    check(WaitForSingleObject(all_out, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
    for (int i = 0; i < WORKERS; i++)
        check(PostQueuedCompletionStatus(port, 0, KEY_EXIT, NULL), "PostQueuedCompletionStatus");
    WaitForMultipleObjects(WORKERS, threads, TRUE, INFINITE);
    for (int i = 0; i < WORKERS; i++)
        CloseHandle(threads[i]);
    for (int i = 0; i < PEERS; i++) {
        closesocket(near_end[i]);
        closesocket(far_end[i]);
    }
    CloseHandle(file);
    CloseHandle(port);
    CloseHandle(all_out);
    WSACleanup();

    printf(
        "file:    %ld blocks of one file, sockets: %ld messages from %d peers, all by %d threads\n",
        (long)blocks, (long)messages, PEERS, WORKERS);
    printf("ledger:  %ld operations started = %ld completions delivered, %ld of them cancelled\n",
           (long)started, (long)delivered, (long)cancelled);
    return started == delivered && blocks == BLOCKS && messages == PEERS && cancelled == PEERS ? 0
                                                                                               : 1;
}
