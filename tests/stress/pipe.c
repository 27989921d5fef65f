/* SPDX-License-Identifier: MIT */
/*
 * A pipe server under load: instances on a completion port, served by several threads, used again and again;
 * clients on threads of this process and of two others, which connect, exchange messages and go. Half of
 * them are rude: they leave without reading, or cancel. Every message of a polite client is answered once,
 * with its own bytes turned round, and the server counts as many as the clients do.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { INSTANCES = 6, WORKERS = 3, CLIENTS = 3, PROCESSES = 2, LARGEST = 80000 };

struct head {
    uint32_t client, number, polite, size; /* of the whole message */
};

static char name[64];
static uint64_t rounds;

static char turned(char c)
{
    return (char)(c ^ 0x5A);
}

/* ---- server ---- */

enum phase { CONNECTING, READING, WRITING };

struct instance {
    OVERLAPPED ov;
    HANDLE pipe;
    enum phase phase;
    DWORD got;
    char data[LARGEST + sizeof(struct head)];
};

static HANDLE port;
static _Atomic uint64_t polite_served, rude_served, connections;

static _Atomic bool ending; /* the instances are being closed under the workers */

/* One of the errors that are all right here, or the end. */
static bool may_be(DWORD error, DWORD one, DWORD other)
{
    if (error == ERROR_INVALID_HANDLE || error == ERROR_OPERATION_ABORTED) /* it is closed meanwhile */
        return atomic_load(&ending);
    return error == one || error == other;
}

static void next_client(struct instance *i);

/* The client has gone, or never was: the instance goes to the next one. */
static void recycle(struct instance *i)
{
    if (DisconnectNamedPipe(i->pipe))
        next_client(i);
    else
        MUST(may_be(GetLastError(), 0, 0));
}

static void begin_read(struct instance *i)
{
    i->phase = READING;
    memset(&i->ov, 0, sizeof i->ov);
    /* In small pieces at times, so that the rest of a message has to be fetched. */
    if (!ReadFile(i->pipe, i->data + i->got, i->got ? LARGEST : 1000, NULL, &i->ov)) {
        DWORD error = GetLastError();

        if (error == ERROR_IO_PENDING || error == ERROR_MORE_DATA)
            return; /* its packet comes */
        MUST(may_be(error, ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED));
        recycle(i);
    }
}

static void next_client(struct instance *i)
{
    i->phase = CONNECTING;
    i->got = 0;
    memset(&i->ov, 0, sizeof i->ov);
    MUST(!ConnectNamedPipe(i->pipe, &i->ov));
    if (GetLastError() == ERROR_PIPE_CONNECTED) {
        atomic_fetch_add(&connections, 1);
        begin_read(i);
        return;
    }
    if (GetLastError() == ERROR_NO_DATA) { /* a client came and went in between */
        recycle(i);
        return;
    }
    MUST(may_be(GetLastError(), ERROR_IO_PENDING, ERROR_IO_PENDING));
}

static void answer(struct instance *i)
{
    struct head head;

    memcpy(&head, i->data, sizeof head);
    MUST(i->got >= sizeof head);
    if (head.polite)
        MUST(head.size == i->got); /* a rude client's may have been cut off by its cancel */
    atomic_fetch_add(head.polite ? &polite_served : &rude_served, 1);
    for (DWORD k = sizeof head; k < i->got; k++)
        i->data[k] = turned(i->data[k]);
    i->phase = WRITING;
    memset(&i->ov, 0, sizeof i->ov);
    if (!WriteFile(i->pipe, i->data, i->got, NULL, &i->ov) && GetLastError() != ERROR_IO_PENDING) {
        MUST(may_be(GetLastError(), ERROR_NO_DATA, ERROR_BROKEN_PIPE));
        recycle(i);
    }
}

static void step(struct instance *i, BOOL ok, DWORD error, DWORD bytes)
{
    if (i->phase == CONNECTING) {
        MUST(ok);
        atomic_fetch_add(&connections, 1);
        begin_read(i);
    } else if (!ok && error != ERROR_MORE_DATA) {
        MUST(may_be(error, ERROR_BROKEN_PIPE, ERROR_NO_DATA));
        recycle(i);
    } else if (i->phase == WRITING) {
        MUST(bytes == i->got);
        i->got = 0;
        begin_read(i);
    } else {
        i->got += bytes;
        MUST(i->got <= sizeof i->data);
        if (!ok)
            begin_read(i);
        else
            answer(i);
    }
}

static void *work(void *arg)
{
    for (;;) {
        struct instance *i;
        OVERLAPPED *ov = NULL;
        ULONG_PTR key;
        DWORD bytes;
        BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);

        MUST(ov || key);
        if (!ov)
            return arg;
        i = (struct instance *)(void *)ov;
        if (!ok && GetLastError() == ERROR_OPERATION_ABORTED)
            continue; /* the end: its pipe was closed */
        step(i, ok, GetLastError(), bytes);
    }
}

/* ---- clients ---- */

static HANDLE connect_to_it(void)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    HANDLE h;

    for (;;) {
        h = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                        NULL);
        if (h != INVALID_HANDLE_VALUE)
            break;
        MUST(GetLastError() == ERROR_PIPE_BUSY);
        MUST(WaitNamedPipeA(name, 60000));
    }
    MUST(SetNamedPipeHandleState(h, &mode, NULL, NULL));
    return h;
}

struct client {
    uint32_t id, number;
    uint64_t state, asked; /* polite questions */
    char data[LARGEST + sizeof(struct head)], reply[LARGEST + sizeof(struct head)];
};

static DWORD make_message(struct client *c, uint32_t polite)
{
    struct head head = {c->id, ++c->number, polite, 0};
    uint32_t size = stress_random(&c->state, 4) ? stress_random(&c->state, 300)
                                                : stress_random(&c->state, LARGEST);

    head.size = size + sizeof head;
    memcpy(c->data, &head, sizeof head);
    for (uint32_t i = 0; i < size; i++)
        c->data[sizeof head + i] = (char)(i * 7 + c->number);
    return head.size;
}

static void check_reply(const struct client *c, DWORD size, DWORD bytes)
{
    MUST(bytes == size);
    MUST(memcmp(c->reply, c->data, sizeof(struct head)) == 0);
    for (DWORD i = sizeof(struct head); i < size; i++)
        MUST(c->reply[i] == turned(c->data[i]));
}

static void ask(struct client *c, HANDLE h)
{
    DWORD size = make_message(c, 1), bytes = 0;
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};

    if (stress_random(&c->state, 2)) {
        TransactNamedPipe(h, c->data, size, c->reply, sizeof c->reply, NULL, &ov);
        MUST(GetOverlappedResult(h, &ov, &bytes, TRUE));
    } else {
        WriteFile(h, c->data, size, NULL, &ov);
        MUST(GetOverlappedResult(h, &ov, &bytes, TRUE) && bytes == size);
        MUST(ReadFile(h, c->reply, sizeof c->reply, &bytes, NULL));
    }
    check_reply(c, size, bytes);
    c->asked++;
    CloseHandle(ov.hEvent);
}

/* Leaves in the middle of something. */
static void be_rude(struct client *c, HANDLE h)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD size = make_message(c, 0), bytes;

    switch (stress_random(&c->state, 3)) {
    case 0:
        break; /* says nothing */
    case 1:
        WriteFile(h, c->data, size, NULL, &ov);
        CancelIoEx(h, &ov);
        GetOverlappedResult(h, &ov, &bytes, TRUE);
        break;
    default:
        TransactNamedPipe(h, c->data, size, c->reply, 10, NULL, &ov);
        CancelIoEx(h, &ov);
        GetOverlappedResult(h, &ov, &bytes, TRUE);
        break;
    }
    CloseHandle(ov.hEvent);
}

static void *run_client(void *arg)
{
    struct client *c = arg;

    for (uint64_t round = 0; round < rounds; round++) {
        HANDLE h = connect_to_it();

        for (uint32_t n = stress_random(&c->state, 5); n > 0; n--)
            ask(c, h);
        if (stress_random(&c->state, 2))
            be_rude(c, h);
        MUST(CloseHandle(h));
    }
    return arg;
}

/* The clients of one process. How many polite questions were asked. */
static uint64_t run_clients(uint32_t first, uint64_t seed)
{
    pthread_t threads[CLIENTS];
    struct client *clients = calloc(CLIENTS, sizeof *clients);
    uint64_t asked = 0;

    MUST(clients);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i].id = first + i;
        clients[i].state = (seed + (first + i) * 977) | 1;
        threads[i] = stress_thread(run_client, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        asked += clients[i].asked;
    }
    free(clients);
    return asked;
}

/* ---- processes ---- */

struct process {
    pid_t pid;
    int from;
};

static struct process start_process(const char *self, uint32_t first)
{
    struct process p;
    char id[16], count[24], seed[24];
    int fds[2];

    MUST(pipe(fds) == 0);
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    snprintf(id, sizeof id, "%u", first);
    snprintf(count, sizeof count, "%llu", (unsigned long long)rounds);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)stress_seed);
    fflush(stdout);
    p.pid = fork();
    if (p.pid == 0) {
        dup2(fds[1], 1);
        execl(self, self, "--client", name, id, count, seed, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    p.from = fds[0];
    return p;
}

static uint64_t end_process(struct process *p)
{
    char text[4096];
    size_t got = 0;
    int status = -1;
    ssize_t n;

    while ((n = read(p->from, text + got, sizeof text - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = 0;
    close(p->from);
    MUST(waitpid(p->pid, &status, 0) == p->pid);
    if (status != 0)
        printf("%s", text);
    MUST(status == 0);
    return strtoull(text, NULL, 10);
}

static void serve(struct instance *instances, pthread_t *workers)
{
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (int i = 0; i < INSTANCES; i++) {
        instances[i].pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                             PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, INSTANCES, 65536,
                                             65536, 0, NULL);
        MUST(instances[i].pipe != INVALID_HANDLE_VALUE);
        MUST(CreateIoCompletionPort(instances[i].pipe, port, 0, 0) == port);
        next_client(&instances[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = stress_thread(work, NULL);
}

int main(int argc, char **argv)
{
    static struct instance instances[INSTANCES];
    struct process processes[PROCESSES];
    pthread_t workers[WORKERS];
    uint64_t asked = 0;

    if (argc == 6 && strcmp(argv[1], "--client") == 0) {
        snprintf(name, sizeof name, "%s", argv[2]);
        rounds = strtoull(argv[4], NULL, 10);
        asked = run_clients((uint32_t)atoi(argv[3]), strtoull(argv[5], NULL, 10));
        printf("%llu\n", (unsigned long long)asked);
        return 0;
    }
    stress_begin(argc, argv, 5000, 150);
    rounds = stress_count;
    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-stress-%d", (int)getpid());
    serve(instances, workers);
    for (uint32_t i = 0; i < PROCESSES; i++)
        processes[i] = start_process(argv[0], (i + 1) * 100);
    asked = run_clients(0, stress_seed);
    for (int i = 0; i < PROCESSES; i++)
        asked += end_process(&processes[i]);
    atomic_store(&ending, true);
    for (int i = 0; i < INSTANCES; i++)
        MUST(CloseHandle(instances[i].pipe));
    for (int i = 0; i < WORKERS; i++)
        MUST(PostQueuedCompletionStatus(port, 0, 1, NULL));
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    MUST(CloseHandle(port));
    printf("# %llu connections, %llu polite questions, %llu rude\n",
           (unsigned long long)atomic_load(&connections), (unsigned long long)asked,
           (unsigned long long)atomic_load(&rude_served));
    MUST(asked == atomic_load(&polite_served));
    stress_balanced();
    return 0;
}
