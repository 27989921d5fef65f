/* SPDX-License-Identifier: MIT */
/*
 * Completions that nobody dequeues for: the program looks at Internal, sleeps, waits for an event or
 * computes, and no thread sits in GetQueuedCompletionStatus, or none any more. The operation completes all
 * the same, within two seconds, whatever it is.
 */
#include "conform.h"

enum { SOON_MS = 2000, AREA = sizeof(struct sockaddr_in) + 16 };

/* ---- what is pending ---- */

enum what {
    FILE_READ, FILE_READ_PORT, SOCKET_RECV, SOCKET_RECV_PORT, ACCEPT, ACCEPT_PORT, CONNECT, CONNECT_PORT,
    WHATS
};

static const char *const what_names[] = {"a file", "a file of a port", "a receive", "a receive of a port",
                                         "AcceptEx", "AcceptEx of a port", "ConnectEx",
                                         "ConnectEx of a port"};

struct pending {
    enum what what;
    HANDLE port;    /* or NULL */
    HANDLE file;
    SOCKET pair[2]; /* ours, the peer; a listener and the accept socket; a client and a listener */
    SOCKET other;
    struct sockaddr_in address;
    OVERLAPPED ov;
    char data[2 * AREA + 64];
};

static LPFN_CONNECTEX connect_ex(SOCKET s)
{
    GUID guid = WSAID_CONNECTEX;
    LPFN_CONNECTEX found = NULL;
    DWORD bytes;
    WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, &found, sizeof found, &bytes, NULL,
             NULL);
    return found;
}

static void join_port(struct pending *p, HANDLE h)
{
    if (p->port)
        CHECK(CreateIoCompletionPort(h, p->port, 1, 0) == p->port);
}

static int start_connect(struct pending *p)
{
    struct sockaddr_in any = loopback(0);
    p->pair[1] = tcp_listener(&p->address);
    p->pair[0] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK_EQ(bind(p->pair[0], (struct sockaddr *)&any, sizeof any), 0);
    join_port(p, (HANDLE)p->pair[0]);
    LPFN_CONNECTEX connect = connect_ex(p->pair[0]);
    if (!connect)
        return 0;
    return connect(p->pair[0], (struct sockaddr *)&p->address, sizeof p->address, NULL, 0, NULL, &p->ov) ||
           WSAGetLastError() == WSA_IO_PENDING;
}

static int start_accept(struct pending *p)
{
    DWORD bytes;
    p->pair[0] = tcp_listener(&p->address);
    p->pair[1] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    join_port(p, (HANDLE)p->pair[0]);
    return AcceptEx(p->pair[0], p->pair[1], p->data, 0, AREA, AREA, &bytes, &p->ov) ||
           WSAGetLastError() == WSA_IO_PENDING;
}

static int start_file(struct pending *p)
{
    p->file = temp_file(sizeof p->data, FILE_FLAG_OVERLAPPED);
    join_port(p, p->file);
    return ReadFile(p->file, p->data, sizeof p->data, NULL, &p->ov) || GetLastError() == ERROR_IO_PENDING;
}

static int start_receive(struct pending *p)
{
    if (!tcp_pair(p->pair))
        return 0;
    join_port(p, (HANDLE)p->pair[0]);
    return start_recv(p->pair[0], p->data, sizeof p->data, &p->ov) == WSA_IO_PENDING;
}

/* Starts one; `port` is for those of a port. */
static int start(struct pending *p, enum what what, HANDLE port, HANDLE event)
{
    memset(p, 0, sizeof *p);
    p->what = what;
    p->pair[0] = p->pair[1] = p->other = INVALID_SOCKET;
    p->ov.hEvent = event;
    net_start();
    if (what % 2)
        p->port = port;
    switch (what / 2) {
    case 0:
        return CHECK(start_file(p));
    case 1:
        return CHECK(start_receive(p));
    case 2:
        return CHECK(start_accept(p));
    default:
        return CHECK(start_connect(p));
    }
}

/* Lets it complete: from outside, by another descriptor. */
static void let_go(struct pending *p)
{
    if (p->what / 2 == 1)
        CHECK_EQ(send(p->pair[1], "x", 1, 0), 1);
    if (p->what / 2 == 2) {
        p->other = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(connect(p->other, (struct sockaddr *)&p->address, sizeof p->address), 0);
    }
}

static void end(struct pending *p)
{
    if (p->file)
        CHECK(CloseHandle(p->file));
    for (int i = 0; i < 2; i++)
        if (p->pair[i] != INVALID_SOCKET)
            closesocket(p->pair[i]);
    if (p->other != INVALID_SOCKET)
        closesocket(p->other);
}

static int is_done(const OVERLAPPED *ov)
{
    return __atomic_load_n(&ov->Internal, __ATOMIC_ACQUIRE) != (ULONG_PTR)STATUS_PENDING;
}

static void check_done(const struct pending *p, int done, const char *how)
{
    CHECK_MSG(done, "%s does not complete while the program %s", what_names[p->what], how);
    if (done)
        CHECK_MSG(p->ov.Internal == 0, "%s ended with status 0x%llx", what_names[p->what],
                  (unsigned long long)p->ov.Internal);
}

/* ---- ways of not attending ---- */

static volatile unsigned work;

/* Computes, and looks at Internal alone: no call at all. The clock is the C library's. */
static int compute(struct pending *p)
{
    time_t limit = time(NULL) + SOON_MS / 1000 + 1;
    while (!is_done(&p->ov) && time(NULL) < limit)
        for (int i = 0; i < 10000; i++)
            work = work * 7 + 1;
    return is_done(&p->ov);
}

static int ask(struct pending *p)
{
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    while (!HasOverlappedIoCompleted(&p->ov) && GetTickCount64() < limit)
        SwitchToThread();
    return is_done(&p->ov);
}

static int sleep_in_pieces(struct pending *p)
{
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    while (!is_done(&p->ov) && GetTickCount64() < limit)
        Sleep(20); /* the way in question */
    return is_done(&p->ov);
}

static int sleep_alertably(struct pending *p)
{
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    while (!is_done(&p->ov) && GetTickCount64() < limit)
        SleepEx(20, TRUE);
    return is_done(&p->ov);
}

/* The one sleep that nothing ends before its time: it must be done when the sleep is over. */
static int sleep_long(struct pending *p)
{
    Sleep(300);
    return WITHIN(SOON_MS, is_done(&p->ov));
}

static int wait_event(struct pending *p)
{
    return WaitForSingleObject(p->ov.hEvent, SOON_MS) == WAIT_OBJECT_0 && is_done(&p->ov);
}

static int wait_other(struct pending *p)
{
    HANDLE never = manual_event();
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    while (!is_done(&p->ov) && GetTickCount64() < limit)
        WaitForSingleObject(never, 50);
    CloseHandle(never);
    return is_done(&p->ov);
}

static int ask_result(struct pending *p)
{
    HANDLE h = p->file ? p->file : (HANDLE)p->pair[0];
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    DWORD bytes;
    while (!GetOverlappedResult(h, &p->ov, &bytes, FALSE) && GetLastError() == ERROR_IO_INCOMPLETE &&
           GetTickCount64() < limit)
        SwitchToThread();
    return is_done(&p->ov);
}

static int wait_result(struct pending *p)
{
    HANDLE h = p->file ? p->file : (HANDLE)p->pair[0];
    DWORD bytes;
    return GetOverlappedResult(h, &p->ov, &bytes, TRUE) && is_done(&p->ov);
}

static const struct way {
    const char *name;
    int (*wait)(struct pending *);
} ways[] = {
    {"computes", compute},         {"polls HasOverlappedIoCompleted", ask},
    {"naps", sleep_in_pieces},     {"naps alertably", sleep_alertably},
    {"sleeps", sleep_long},        {"waits for the event", wait_event},
    {"waits elsewhere", wait_other}, {"polls GetOverlappedResult", ask_result},
    {"waits in GetOverlappedResult", wait_result},
};

static void every_combination(HANDLE port)
{
    for (enum what what = 0; what < WHATS; what++) {
        for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            struct pending p;
            HANDLE event = manual_event();
            if (start(&p, what, port, event)) {
                let_go(&p);
                check_done(&p, ways[i].wait(&p), ways[i].name);
            }
            end(&p);
            CloseHandle(event);
        }
    }
}

/* Every packet is there afterwards. */
static void take_all(HANDLE port, unsigned count)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    unsigned taken = 0;
    while (GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0) && ov)
        taken++;
    CHECK_EQ(taken, count);
}

enum { PACKETS = WHATS / 2 * (sizeof ways / sizeof ways[0]) };

TEST(nobody_ever_dequeued, "OVL-04 OVL-16")
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    every_combination(port);
    take_all(port, PACKETS);
    CloseHandle(port);
}

/* ---- the workers have left ---- */

THREAD_FN(work_once)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    CHECK(GetQueuedCompletionStatus((HANDLE)arg, &bytes, &key, &ov, 10000));
    return 0;
}

TEST(all_workers_left, "OVL-04 OVL-16")
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 2), workers[3];
    struct pending p;
    start(&p, SOCKET_RECV_PORT, port, NULL); /* so that one of them led */
    for (int i = 0; i < 3; i++)
        workers[i] = start_thread(work_once, port);
    let_go(&p);
    CHECK(PostQueuedCompletionStatus(port, 0, 0, NULL));
    CHECK(PostQueuedCompletionStatus(port, 0, 0, NULL));
    for (int i = 0; i < 3; i++)
        JOIN(workers[i]);
    end(&p);
    every_combination(port);
    take_all(port, PACKETS);
    CloseHandle(port);
}

/* The one worker took a packet and does something else, for long. */
THREAD_FN(work_without_end)
{
    HANDLE *with = arg;
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;
    CHECK(GetQueuedCompletionStatus(with[0], &bytes, &key, &ov, 10000));
    SetEvent(with[1]);
    while (WaitForSingleObject(with[2], 0) == WAIT_TIMEOUT)
        for (int i = 0; i < 1000000; i++)
            work = work * 7 + 1;
    return 0;
}

TEST(the_worker_is_busy, "OVL-04 OVL-16")
{
    HANDLE with[] = {CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1), manual_event(),
                     manual_event()};
    HANDLE worker = start_thread(work_without_end, with);
    CHECK(PostQueuedCompletionStatus(with[0], 0, 0, NULL));
    CHECK_EQ(WaitForSingleObject(with[1], 10000), WAIT_OBJECT_0);
    for (enum what what = 0; what < WHATS; what++) {
        struct pending p;
        HANDLE event = manual_event();
        if (start(&p, what, with[0], event)) {
            let_go(&p);
            check_done(&p, wait_event(&p), "computes in its worker");
        }
        end(&p);
        CloseHandle(event);
    }
    SetEvent(with[2]);
    JOIN(worker);
    for (int i = 0; i < 3; i++)
        CloseHandle(with[i]);
}

/* ---- very many of them ---- */

enum { MANY = 40, EACH = 2 };

struct unattended {
    HANDLE port;
    struct pending pending[EACH]; /* a receive, and a file or an accept */
};

/* All ports have had a worker, which has left; then everything comes at once. */
static void leave_alone(struct unattended *u, int i)
{
    static const enum what second[] = {FILE_READ_PORT, ACCEPT_PORT};
    u->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    CHECK(PostQueuedCompletionStatus(u->port, 0, 0, NULL));
    HANDLE worker = start_thread(work_once, u->port);
    JOIN(worker);
    start(&u->pending[0], SOCKET_RECV_PORT, u->port, manual_event());
    start(&u->pending[1], second[i % 2], u->port, manual_event());
}

static int all_done(const struct unattended *u)
{
    int done = 0;
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < EACH; k++)
            done += is_done(&u[i].pending[k].ov);
    return done == MANY * EACH;
}

/* As many as there may be: no port has to wait for another's turn. */
static void many_ports(int (*all_end)(struct unattended *))
{
    static struct unattended many[MANY];
    double begun;
    for (int i = 0; i < MANY; i++)
        leave_alone(&many[i], i);
    begun = now_ms();
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < EACH; k++)
            let_go(&many[i].pending[k]);
    CHECK_MSG(all_end(many), "not all completed in %.0f ms", now_ms() - begun);
    printf("# %d completions on %d ports in %.0f ms\n", MANY * EACH, MANY, now_ms() - begun);
    for (int i = 0; i < MANY; i++) {
        for (int k = 0; k < EACH; k++) {
            check_done(&many[i].pending[k], is_done(&many[i].pending[k].ov), "serves no port of many");
            CloseHandle(many[i].pending[k].ov.hEvent);
            end(&many[i].pending[k]);
        }
        take_all(many[i].port, EACH);
        CloseHandle(many[i].port);
    }
}

static int look_at_memory(struct unattended *u)
{
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    while (!all_done(u) && GetTickCount64() < limit)
        for (int i = 0; i < 10000; i++)
            work = work * 7 + 1;
    return all_done(u);
}

static int wait_for_events(struct unattended *u)
{
    double limit = now_ms() + SOON_MS, left;
    for (int i = 0; i < MANY; i++) {
        for (int k = 0; k < EACH; k++) {
            left = limit - now_ms();
            if (WaitForSingleObject(u[i].pending[k].ov.hEvent, left > 0 ? (DWORD)left : 0) != WAIT_OBJECT_0)
                return 0;
        }
    }
    return all_done(u);
}

static int ask_for_results(struct unattended *u)
{
    ULONGLONG limit = GetTickCount64() + SOON_MS;
    DWORD bytes;
    while (!all_done(u) && GetTickCount64() < limit)
        for (int i = 0; i < MANY; i++)
            for (int k = 0; k < EACH; k++)
                GetOverlappedResult(u[i].pending[k].file ? u[i].pending[k].file
                                                         : (HANDLE)u[i].pending[k].pair[0],
                                    &u[i].pending[k].ov, &bytes, FALSE);
    return all_done(u);
}

TEST(many_ports_that_nobody_serves, "OVL-04 OVL-16")
{
    many_ports(look_at_memory);
    many_ports(wait_for_events);
    many_ports(ask_for_results);
}
