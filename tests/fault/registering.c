/* SPDX-License-Identifier: MIT */
/*
 * The kernel does not take another descriptor into an epoll set, because there is no memory, or because the
 * user watches too many already. Each kind of operation that waits for a descriptor is repeated, in a process
 * of its own so that all is made anew, with the first, second, third ... registration failing, until none is
 * left to fail: it is refused with an error that says so, or answered once, as if nothing had been.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os.h"
#include "base/sanitizer.h"
#include "fault.h"

#include <iocp_nt.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int refusal;
static _Atomic long counted;

static int refuse(const char *call)
{
    if (strcmp(call, "epoll_ctl") != 0)
        return 0;
    return atomic_fetch_add(&counted, 1) + 1 == fail_at ? refusal : 0;
}

/* ---- pairs ---- */

static HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);

    EXPECT(port || said_so());
    return port;
}

static SOCKET new_socket(void)
{
    return WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
}

static SOCKET new_listener(struct sockaddr_in *a)
{
    SOCKET s = new_socket();
    int size = sizeof *a;

    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    EXPECT(iocp_bind(s, (struct sockaddr *)a, size) == 0 && iocp_listen(s, 4) == 0);
    EXPECT(iocp_getsockname(s, (struct sockaddr *)a, &size) == 0);
    return s;
}

/* The near end is the library's, the far one nobody's but the kernel's. */
static SOCKET new_pair(int *far_end)
{
    struct sockaddr_in a;
    SOCKET listener = new_listener(&a), s = new_socket();

    *far_end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(connect(*far_end, (struct sockaddr *)&a, sizeof a) == 0);
    closesocket(s);
    s = iocp_accept(listener, NULL, NULL);
    EXPECT(s != INVALID_SOCKET);
    closesocket(listener);
    return s;
}

static bool begun(BOOL ok)
{
    DWORD error = GetLastError();

    if (ok || error == ERROR_IO_PENDING)
        return true;
    EXPECT(said_so());
    return false;
}

static BOOL receive(SOCKET s, char *data, OVERLAPPED *ov)
{
    WSABUF buf = {8, data};
    DWORD flags = 0;

    return WSARecv(s, &buf, 1, NULL, &flags, ov, NULL) == 0;
}

static void expect_event(HANDLE handle, OVERLAPPED *ov)
{
    DWORD bytes;

    EXPECT(WaitForSingleObject(ov->hEvent, 10000) == WAIT_OBJECT_0);
    EXPECT(GetOverlappedResult(handle, ov, &bytes, FALSE) || said_so());
}

/* ---- what waits ---- */

static void a_receive_of_a_port(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char data[8];
    int peer;
    SOCKET s = new_pair(&peer);

    if (port && CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port && begun(receive(s, data, &ov))) {
        EXPECT(write(peer, "ab", 2) == 2);
        expect_packet(port, &ov);
    }
    closesocket(s);
    close(peer);
    CloseHandle(port);
}

static void a_receive_with_an_event(void)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char data[8];
    int peer;
    SOCKET s = new_pair(&peer);

    if (begun(receive(s, data, &ov))) {
        EXPECT(write(peer, "ab", 2) == 2);
        expect_event((HANDLE)s, &ov);
    }
    closesocket(s);
    close(peer);
    CloseHandle(ov.hEvent);
}

#define FILE_REPLACE_COMPLETION ((FILE_INFORMATION_CLASS)61) /* which winternl.h does not name */

/* Who waits goes on where it is, if it cannot go where it should. */
static void a_receive_that_moves(void)
{
    HANDLE first = new_port(), second = new_port();
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct { HANDLE port; PVOID key; } to = {second, NULL};
    IO_STATUS_BLOCK block;
    DWORD bytes;
    char data[8];
    int peer;
    SOCKET s = new_pair(&peer);

    if (first && second && begun(receive(s, data, &ov))) {
        NTSTATUS status;

        EXPECT(CreateIoCompletionPort((HANDLE)s, first, 1, 0) == first || said_so());
        status = NtSetInformationFile((HANDLE)s, &block, &to, sizeof to, FILE_REPLACE_COMPLETION);
        SetLastError(RtlNtStatusToDosError(status));
        EXPECT(status == 0 || said_so());
        EXPECT(write(peer, "ab", 2) == 2);
        EXPECT(WaitForSingleObject(ov.hEvent, 10000) == WAIT_OBJECT_0);
        EXPECT(GetOverlappedResult((HANDLE)s, &ov, &bytes, FALSE) && bytes == 2);
    }
    closesocket(s);
    close(peer);
    CloseHandle(first);
    CloseHandle(second);
    CloseHandle(ov.hEvent);
}

static void a_receive_that_is_cancelled(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char data[8];
    int peer;
    SOCKET s = new_pair(&peer);

    if (port && CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port && begun(receive(s, data, &ov))) {
        EXPECT(CancelIoEx((HANDLE)s, &ov));
        expect_packet(port, &ov);
    }
    closesocket(s);
    close(peer);
    CloseHandle(port);
}

static void an_accept(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    struct sockaddr_in a;
    SOCKET listener = new_listener(&a), s = new_socket();
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char addresses[128];
    DWORD bytes;

    if (port && CreateIoCompletionPort((HANDLE)listener, port, 1, 0) == port &&
        begun(AcceptEx(listener, s, addresses, 0, 64, 64, &bytes, &ov))) {
        EXPECT(connect(peer, (struct sockaddr *)&a, sizeof a) == 0);
        expect_packet(port, &ov);
    }
    closesocket(listener);
    closesocket(s);
    close(peer);
    CloseHandle(port);
}

static void a_connect(void)
{
    GUID id = WSAID_CONNECTEX;
    LPFN_CONNECTEX connect_ex;
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    struct sockaddr_in a, any = {.sin_family = AF_INET};
    SOCKET listener = new_listener(&a), s = new_socket();
    DWORD n;

    EXPECT(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &connect_ex, sizeof connect_ex, &n,
                    NULL, NULL) == 0);
    EXPECT(iocp_bind(s, (struct sockaddr *)&any, sizeof any) == 0);
    if (port && CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port &&
        begun(connect_ex(s, (struct sockaddr *)&a, sizeof a, NULL, 0, NULL, &ov)))
        expect_packet(port, &ov);
    closesocket(listener);
    closesocket(s);
    CloseHandle(port);
}

static void a_read_of_a_pipe(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char data[8];
    int fd[2];
    HANDLE h;

    EXPECT(pipe2(fd, O_CLOEXEC) == 0);
    h = (HANDLE)(intptr_t)fd[0];
    if (port && CreateIoCompletionPort(h, port, 1, 0) == port) {
        if (begun(ReadFile(h, data, 8, NULL, &ov))) {
            EXPECT(write(fd[1], "ab", 2) == 2);
            expect_packet(port, &ov);
        }
        CloseHandle(h);
    } else {
        close(fd[0]);
    }
    close(fd[1]);
    CloseHandle(port);
}

static void blocking_calls(void)
{
    HANDLE end[2];
    char data[8];
    DWORD n = 0;

    EXPECT(CreatePipe(&end[0], &end[1], NULL, 0));
    EXPECT(WriteFile(end[1], "ab", 2, &n, NULL) && n == 2);
    EXPECT(ReadFile(end[0], data, 8, &n, NULL) && n == 2);
    CloseHandle(end[0]);
    CloseHandle(end[1]);
}

static DWORD WINAPI open_pipe(void *name)
{
    HANDLE h = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

    if (h == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(h);
    return 0;
}

static void a_named_pipe(void)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char name[64];
    HANDLE server, client;
    DWORD code = 0;

    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-registering-%d", (int)getpid());
    server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 512, 512, 0, NULL);
    if (server == INVALID_HANDLE_VALUE) {
        EXPECT(said_so());
        CloseHandle(ov.hEvent);
        return;
    }
    if (begun(ConnectNamedPipe(server, &ov))) {
        client = CreateThread(NULL, 0, open_pipe, name, 0, NULL);
        EXPECT(client && WaitForSingleObject(client, 10000) == WAIT_OBJECT_0);
        EXPECT(GetExitCodeThread(client, &code));
        if (code)
            CancelIoEx(server, &ov); /* nobody has come */
        EXPECT(WaitForSingleObject(ov.hEvent, 10000) == WAIT_OBJECT_0);
        CloseHandle(client);
    }
    CloseHandle(server);
    CloseHandle(ov.hEvent);
}

static char directory[] = "/tmp/iocp-registering-XXXXXX";

static void a_watch(void)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    HANDLE watched = CreateFileA(directory, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING,
                                 FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    DWORD buffer[256];
    char path[128];
    int fd;

    EXPECT(watched != INVALID_HANDLE_VALUE);
    if (begun(ReadDirectoryChangesW(watched, buffer, sizeof buffer, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, NULL,
                                    &ov, NULL))) {
        snprintf(path, sizeof path, "%s/%d", directory, (int)getpid());
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        EXPECT(fd >= 0 && close(fd) == 0 && unlink(path) == 0);
        expect_event(watched, &ov);
    }
    CloseHandle(watched);
    CloseHandle(ov.hEvent);
}

static void an_event_selection(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    WSANETWORKEVENTS events;
    int peer;
    SOCKET s = new_pair(&peer);

    if (WSAEventSelect(s, event, FD_READ) != 0) {
        EXPECT(said_so());
    } else {
        EXPECT(write(peer, "ab", 2) == 2);
        EXPECT(WaitForSingleObject(event, 10000) == WAIT_OBJECT_0);
        EXPECT(WSAEnumNetworkEvents(s, event, &events) == 0 && (events.lNetworkEvents & FD_READ));
    }
    closesocket(s);
    close(peer);
    CloseHandle(event);
}

/* What was hung up speaks for ever, and nobody asked: it is taken out of the way, or the call fails. */
static void a_noisy_select(void)
{
    struct iocp_timeval time = {0, 30000};
    iocp_fd_set failed = {.fd_count = 1};
    int peer, n;
    SOCKET s = new_pair(&peer);

    close(peer);
    iocp_shutdown(s, SD_SEND);
    failed.fd_array[0] = s;
    n = iocp_select(0, NULL, NULL, &failed, &time);
    EXPECT(n >= 0 || said_so());
    closesocket(s);
}

/* Past the page cache: the device's queue reports to the port's poller, or somebody else does. */
static void a_direct_read(void)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char *block = aligned_alloc(4096, 4096), path[128];
    HANDLE f;
    int fd;

    memset(block, 7, 4096);
    snprintf(path, sizeof path, "%s/%d", directory, (int)getpid());
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    EXPECT(fd >= 0 && write(fd, block, 4096) == 4096 && close(fd) == 0);
    f = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING,
                    NULL);
    memset(block, 0, 4096);
    if (port && CreateIoCompletionPort(f, port, 1, 0) == port && begun(ReadFile(f, block, 4096, NULL, &ov))) {
        expect_packet(port, &ov);
        EXPECT(ov.InternalHigh == 4096 && block[4095] == 7);
    }
    CloseHandle(f);
    CloseHandle(port);
    unlink(path);
    free(block);
}

/* Its failure is a result; of which the port tells. */
static void a_registered_receive(void)
{
    static OVERLAPPED told;
    static char memory[8];
    GUID id = WSAID_MULTIPLE_RIO;
    RIO_EXTENSION_FUNCTION_TABLE rio;
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    RIO_BUF buf = {.Length = sizeof memory};
    int size = sizeof a;
    RIORESULT r = {0};
    RIO_CQ queue;
    RIO_RQ requests;
    DWORD bytes;

    EXPECT(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes,
                    NULL, NULL) == 0);
    EXPECT(iocp_bind(s, (struct sockaddr *)&a, size) == 0 && iocp_getsockname(s, (void *)&a, &size) == 0);
    EXPECT(iocp_connect(s, (struct sockaddr *)&a, size) == 0);
    how.Iocp.IocpHandle = new_port();
    how.Iocp.Overlapped = &told;
    queue = rio.RIOCreateCompletionQueue(2, &how);
    requests = rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, queue, queue, NULL);
    EXPECT(queue != RIO_INVALID_CQ && requests != RIO_INVALID_RQ);
    buf.BufferId = rio.RIORegisterBuffer(memory, sizeof memory);
    EXPECT(rio.RIONotify(queue) == 0);
    EXPECT(rio.RIOReceive(requests, &buf, 1, 0, NULL));
    EXPECT(write((int)s, "ab", 2) == 2);
    expect_packet(how.Iocp.IocpHandle, &told);
    EXPECT(rio.RIODequeueCompletion(queue, &r, 1) == 1);
    SetLastError((DWORD)r.Status);
    EXPECT(r.Status == 0 ? r.BytesTransferred == 2 : said_so());
    closesocket(s);
    rio.RIODeregisterBuffer(buf.BufferId);
    rio.RIOCloseCompletionQueue(queue);
    CloseHandle(how.Iocp.IocpHandle);
}

static void a_timer(void)
{
    HANDLE timer = CreateWaitableTimerA(NULL, TRUE, NULL);
    LARGE_INTEGER soon = {.QuadPart = -10000};

    if (SetWaitableTimer(timer, &soon, 0, NULL, NULL, FALSE))
        EXPECT(WaitForSingleObject(timer, 10000) == WAIT_OBJECT_0);
    else
        EXPECT(said_so());
    CloseHandle(timer);
}

static void a_process(void)
{
    char line[] = "/bin/true";
    STARTUPINFOA how = {.cb = sizeof how};
    PROCESS_INFORMATION made;

    if (!CreateProcessA(line, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &how, &made)) {
        EXPECT(said_so());
        return;
    }
    EXPECT(WaitForSingleObject(made.hProcess, 10000) == WAIT_OBJECT_0);
    CloseHandle(made.hProcess);
    CloseHandle(made.hThread);
}

/* ---- all of them ---- */

#define CASE(NAME) {#NAME, NAME}
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    CASE(a_receive_of_a_port), CASE(a_receive_with_an_event), CASE(a_receive_that_moves),
    CASE(a_receive_that_is_cancelled),
    CASE(an_accept), CASE(a_connect), CASE(a_read_of_a_pipe), CASE(blocking_calls), CASE(a_named_pipe),
    CASE(a_watch), CASE(an_event_selection), CASE(a_noisy_select), CASE(a_direct_read),
    CASE(a_registered_receive), CASE(a_timer), CASE(a_process),
};

/* 0 went well, 1 wrong, 2 well, and nothing was left to fail. */
static int in_child(void (*run)(void))
{
    WSADATA data;

    alarm(60);
    os_fault = refuse;
    EXPECT(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    run();
    run(); /* what failed the first time works the second */
    balanced();
    if (!wrong && atomic_load(&counted) < fail_at)
        return 2;
    return wrong;
}

static long repeat(const char *name, void (*run)(void))
{
    for (fail_at = 1;; fail_at++) {
        int status = -1;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            status = in_child(run);
            fflush(stdout);
            _exit(status);
        }
        if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 2)
            return fail_at - 1;
        if (status != 0) {
            printf("%s, failure %ld with %d: status 0x%x\n", name, fail_at, refusal, status);
            wrong = 1;
            return fail_at;
        }
    }
}

enum { REASONS = THREAD_SANITIZER ? 1 : 2 }; /* a process takes so long to begin there */

int main(void)
{
    static const int why[] = {-ENOMEM, -ENOSPC};

    if (!mkdtemp(directory))
        abort();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned w = 0; w < REASONS; w++) {
            long failed;

            refusal = why[w];
            failed = repeat(cases[i].name, cases[i].run);
            printf("# %s: %ld registrations made to fail\n", cases[i].name, failed);
        }
    }
    rmdir(directory);
    puts(wrong ? "FAIL registering" : "ok registering");
    return wrong;
}
