/* SPDX-License-Identifier: MIT */
/*
 * A named pipe that serves many clients at once with a few threads: several instances of one name on one
 * completion port. Each instance goes round: wait for a client, read its question, write the answer, read
 * again, and when the client has gone, wait for the next. The clients are threads of this program; any other
 * program of the user may come as well.
 */
#include "example.h"

#define INSTANCES 4
#define WORKERS   2
#define CLIENTS   8
#define QUESTIONS 50
#define TEXT_SIZE 128

enum step { CONNECT, READ, WRITE };

struct instance {
    OVERLAPPED overlapped; /* one operation at a time */
    HANDLE pipe;
    enum step step;
    char text[TEXT_SIZE];
};

static char name[64];
static HANDLE port;
static volatile LONG clients_served, questions_answered;

/* What to do when an operation could not even be started: the client has gone, or an operation that is
 * still under way was started after all. */
static BOOL is_started(BOOL ok) {
    return ok || GetLastError() == ERROR_IO_PENDING || GetLastError() == ERROR_MORE_DATA;
}

static void wait_for_client(struct instance *instance);

static void next_client(struct instance *instance) {
    check(DisconnectNamedPipe(instance->pipe), "DisconnectNamedPipe");
    wait_for_client(instance);
}

static void read_question(struct instance *instance) {
    instance->step = READ;
    if (!is_started(ReadFile(instance->pipe, instance->text, TEXT_SIZE / 2, NULL, &instance->overlapped)))
        next_client(instance);
}

/* A packet comes when a client does. ERROR_PIPE_CONNECTED: one was faster, and there is no packet. */
static void wait_for_client(struct instance *instance) {
    instance->step = CONNECT;
    memset(&instance->overlapped, 0, sizeof instance->overlapped);
    if (ConnectNamedPipe(instance->pipe, &instance->overlapped) || GetLastError() == ERROR_IO_PENDING)
        return;
    if (GetLastError() == ERROR_PIPE_CONNECTED) {
        InterlockedIncrement(&clients_served);
        read_question(instance);
    } else if (GetLastError() == ERROR_NO_DATA) {
        next_client(instance); /* it has come and gone meanwhile */
    } else {
        die("ConnectNamedPipe");
    }
}

static void write_answer(struct instance *instance, DWORD size) {
    char question[TEXT_SIZE / 2 + 1];
    memcpy(question, instance->text, size);
    question[size] = 0;
    snprintf(instance->text, TEXT_SIZE, "you said \"%s\"", question);
    instance->step = WRITE;
    if (!is_started(WriteFile(instance->pipe, instance->text, (DWORD)strlen(instance->text), NULL,
                              &instance->overlapped)))
        next_client(instance);
}

static void serve(struct instance *instance, BOOL ok, DWORD size) {
    if (!ok) { /* ERROR_BROKEN_PIPE: the client is done; ERROR_MORE_DATA: it talks too much */
        next_client(instance);
    } else if (instance->step == CONNECT) {
        InterlockedIncrement(&clients_served);
        read_question(instance);
    } else if (instance->step == READ) {
        write_answer(instance, size);
    } else {
        InterlockedIncrement(&questions_answered);
        read_question(instance);
    }
}

static DWORD WINAPI work(LPVOID unused) {
    (void)unused;
    for (;;) {
        DWORD size = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *overlapped = NULL;
        BOOL ok = GetQueuedCompletionStatus(port, &size, &key, &overlapped, INFINITE);
        if (!overlapped) /* posted by main: the end */
            return 0;
        if (ok || GetLastError() != ERROR_OPERATION_ABORTED)
            serve((struct instance *)key, ok, size);
    }
}

/* ---- a client ---- */

static DWORD WINAPI ask(LPVOID number) {
    DWORD mode = PIPE_READMODE_MESSAGE, size;
    char question[32], answer[TEXT_SIZE], expected[TEXT_SIZE];
    HANDLE pipe;

    while ((pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL)) ==
           INVALID_HANDLE_VALUE) {
        check(GetLastError() == ERROR_PIPE_BUSY, "CreateFile"); /* all instances have a client */
        check(WaitNamedPipeA(name, 10000), "WaitNamedPipe");
    }
    check(SetNamedPipeHandleState(pipe, &mode, NULL, NULL), "SetNamedPipeHandleState");
    for (int i = 0; i < QUESTIONS; i++) {
        snprintf(question, sizeof question, "%d of %d", i, (int)(INT_PTR)number);
        snprintf(expected, sizeof expected, "you said \"%s\"", question);
        check(TransactNamedPipe(pipe, question, (DWORD)strlen(question), answer, sizeof answer, &size, NULL),
              "TransactNamedPipe");
        check(size == strlen(expected) && memcmp(answer, expected, size) == 0, "comparing an answer");
    }
    check(CloseHandle(pipe), "CloseHandle");
    return 0;
}

int main(void) {
    static struct instance instances[INSTANCES];
    HANDLE workers[WORKERS], clients[CLIENTS];

    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-example-%lu", (unsigned long)GetCurrentProcessId());
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    check(port != NULL, "CreateIoCompletionPort");
    for (int i = 0; i < INSTANCES; i++) {
        instances[i].pipe =
            CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                             PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS,
                             INSTANCES, 4096, 4096, 0, NULL);
        check(instances[i].pipe != INVALID_HANDLE_VALUE, "CreateNamedPipe");
        check(CreateIoCompletionPort(instances[i].pipe, port, (ULONG_PTR)&instances[i], 0) == port,
              "CreateIoCompletionPort");
        wait_for_client(&instances[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        check((workers[i] = CreateThread(NULL, 0, work, NULL, 0, NULL)) != NULL, "CreateThread");
    for (int i = 0; i < CLIENTS; i++)
        check((clients[i] = CreateThread(NULL, 0, ask, (LPVOID)(INT_PTR)i, 0, NULL)) != NULL, "CreateThread");
    check(WaitForMultipleObjects(CLIENTS, clients, TRUE, INFINITE) == WAIT_OBJECT_0, "waiting for clients");

    for (int i = 0; i < WORKERS; i++)
        check(PostQueuedCompletionStatus(port, 0, 0, NULL), "PostQueuedCompletionStatus");
    check(WaitForMultipleObjects(WORKERS, workers, TRUE, INFINITE) == WAIT_OBJECT_0, "waiting for workers");
    for (int i = 0; i < INSTANCES; i++)
        check(CloseHandle(instances[i].pipe), "CloseHandle");
    CloseHandle(port);
    printf("%d instances and %d threads served %ld clients and answered %ld questions\n", INSTANCES, WORKERS,
           (long)clients_served, (long)questions_answered);
    return clients_served == CLIENTS && questions_answered >= CLIENTS * (QUESTIONS - 1) ? 0 : 1;
}
