/* SPDX-License-Identifier: MIT */
/*
 * A daemon that has closed the standard descriptors, and uses all of the library: what the library opens
 * for itself, and what it hands out, must not become one of them, or the program's next printf would go into
 * a socket or a ring. Each step leaves open what it has made; then 0 to 2 are looked at.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"

#include <iocp.h>
#include <iocp_nt.h>
#include <winternl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_FD = 40 };

static char place[] = "/tmp/iocp-std-XXXXXX";
static const char *step;
static int failures;

static void wrong(int line, const char *what)
{
    failures++;
    dprintf(REPORT_FD, "  %s:%d: %s: %s (error %u)\n", __FILE__, line, step, what, GetLastError());
}

#define NEED(COND) ((COND) ? (void)0 : wrong(__LINE__, #COND " is false"))
#define IS_ABOVE(H) NEED((intptr_t)(H) > 2)

/* A thread of the library may have one for the moment until it has moved it. */
static int stays(int fd)
{
    for (int ms = 0; ms < 1000; ms++) {
        if (fcntl(fd, F_GETFD) < 0)
            return 0;
        usleep(1000);
    }
    return 1;
}

static void look(void)
{
    char path[32], what[128];

    for (int fd = 0; fd < 3; fd++) {
        ssize_t n;

        if (!stays(fd))
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        n = readlink(path, what, sizeof what - 1);
        what[n < 0 ? 0 : n] = 0;
        failures++;
        dprintf(REPORT_FD, "  %s: %d is %s\n", step, fd, what);
        close(fd);
    }
}

static const char *in_place(const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

/* ---- ports and threads ---- */

static HANDLE port;

static void use_ports(void)
{
    DWORD n;
    ULONG_PTR key;
    OVERLAPPED *ov;

    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    NEED(port != NULL);
    NEED(PostQueuedCompletionStatus(port, 1, 2, NULL));
    NEED(GetQueuedCompletionStatus(port, &n, &key, &ov, 20000));
    NEED(!GetQueuedCompletionStatus(port, &n, &key, &ov, 1));
}

static HANDLE blocked_on;

static DWORD WINAPI read_blocked(void *ctx)
{
    char byte;
    DWORD n;

    (void)ctx;
    return ReadFile(blocked_on, &byte, 1, &n, NULL) ? 0 : GetLastError();
}

static void use_blocking_calls(void)
{
    HANDLE write_end, thread;
    char byte;
    DWORD n, code = 1;

    NEED(CreatePipe(&blocked_on, &write_end, NULL, 0));
    IS_ABOVE(blocked_on);
    IS_ABOVE(write_end);
    thread = CreateThread(NULL, 0, read_blocked, NULL, 0, NULL);
    while (!CancelSynchronousIo(thread) && WaitForSingleObject(thread, 1) == WAIT_TIMEOUT)
        ;
    NEED(WaitForSingleObject(thread, 20000) == WAIT_OBJECT_0);
    NEED(GetExitCodeThread(thread, &code) && code == ERROR_OPERATION_ABORTED);
    NEED(WriteFile(write_end, "x", 1, &n, NULL));
    NEED(PeekNamedPipe(blocked_on, &byte, 1, &n, NULL, NULL) && n == 1);
}

static VOID CALLBACK work(PTP_CALLBACK_INSTANCE instance, void *ctx)
{
    (void)instance;
    SetEvent(ctx);
}

static void use_pool(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL), waits;

    NEED(TrySubmitThreadpoolCallback(work, event, NULL));
    NEED(WaitForSingleObject(event, 20000) == WAIT_OBJECT_0);
    NEED(RegisterWaitForSingleObject(&waits, event, (WAITORTIMERCALLBACK)(void *)work, NULL, 60000, 0));
    SleepEx(1, TRUE);
}

/* ---- files ---- */

static void transfer(HANDLE h, void *data, DWORD size, BOOL writes)
{
    OVERLAPPED ov = {0};
    DWORD n = 0;

    if (writes ? !WriteFile(h, data, size, NULL, &ov) : !ReadFile(h, data, size, NULL, &ov))
        NEED(GetLastError() == ERROR_IO_PENDING);
    NEED(GetOverlappedResult(h, &ov, &n, TRUE) && n == size);
}

static void use_files(void)
{
    static const DWORD how[] = {FILE_FLAG_OVERLAPPED, FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING};
    void *page = aligned_alloc(4096, 4096);
    WIN32_FIND_DATAA found;
    char name[MAX_PATH];
    HANDLE h, again;

    memset(page, 'x', 4096);
    for (int i = 0; i < 2; i++) {
        h = CreateFileA(in_place("file"), GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_ALWAYS, how[i], NULL);
        IS_ABOVE(h);
        NEED(CreateIoCompletionPort(h, port, 1, 0) == port);
        transfer(h, page, 4096, TRUE);
        NEED(FlushFileBuffers(h));
        posix_fadvise((int)(intptr_t)h, 0, 0, POSIX_FADV_DONTNEED); /* the engine has to be asked */
        transfer(h, page, 4096, FALSE);
    }
    again = ReOpenFile(h, GENERIC_READ, 7, 0);
    IS_ABOVE(again);
    NEED(DuplicateHandle(GetCurrentProcess(), h, GetCurrentProcess(), &again, 0, FALSE,
                         DUPLICATE_SAME_ACCESS));
    IS_ABOVE(again);
    NEED(CopyFileA(in_place("file"), strcat(strcpy(name, in_place("file")), ".copy"), FALSE));
    NEED(DeleteFileA(name));
    NEED(GetTempFileNameA(place, "t", 0, name));
    NEED(FindFirstFileA(in_place("*"), &found) != INVALID_HANDLE_VALUE);
    NEED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL) != NULL);
    NEED(CreateFileMappingA(h, NULL, PAGE_READWRITE, 0, 4096, NULL) != NULL);
    free(page);
}

static void use_locks(void)
{
    HANDLE h = CreateFileA(in_place("locked"), GENERIC_READ, 7, NULL, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED,
                           NULL);
    HANDLE other = CreateFileA(in_place("locked"), GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    static OVERLAPPED ov, waits;

    NEED(LockFileEx(other, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &ov));
    NEED(!LockFileEx(h, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &waits) && GetLastError() == ERROR_IO_PENDING);
}

static void use_watches(void)
{
    static DWORD changes[256];
    static OVERLAPPED ov;
    HANDLE h;

    mkdir(in_place("sub"), 0700);
    h = CreateFileA(place, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    IS_ABOVE(h);
    NEED(ReadDirectoryChangesW(h, changes, sizeof changes, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, NULL, &ov,
                               NULL));
    NEED(FindFirstChangeNotificationA(place, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME) != INVALID_HANDLE_VALUE);
    NEED(GetTempFileNameA(in_place("sub"), "t", 0, (char[MAX_PATH]){0}));
}

/* ---- sockets ---- */

static void *extension(SOCKET s, GUID which)
{
    void *fn = NULL;
    DWORD n;

    WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof which, &fn, sizeof fn, &n, NULL, NULL);
    return fn;
}

static void wait_for(SOCKET s, OVERLAPPED *ov)
{
    DWORD n;

    NEED(GetOverlappedResult((HANDLE)s, ov, &n, TRUE));
}

static SOCKET new_socket(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);

    IS_ABOVE(s);
    NEED(iocp_bind(s, (struct sockaddr *)&a, sizeof a) == 0);
    return s;
}

static void use_sockets(void)
{
    LPFN_CONNECTEX connect_ex;
    LPFN_DISCONNECTEX disconnect_ex;
    SOCKET listener, s, accepted;
    struct sockaddr_in a;
    OVERLAPPED in = {0}, out = {0};
    int len = sizeof a;
    char room[128];
    DWORD n;

    listener = new_socket();
    s = new_socket();
    accepted = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    connect_ex = (LPFN_CONNECTEX)extension(s, (GUID)WSAID_CONNECTEX);
    disconnect_ex = (LPFN_DISCONNECTEX)extension(s, (GUID)WSAID_DISCONNECTEX);
    NEED(CreateIoCompletionPort((HANDLE)listener, port, 1, 0) == port);
    NEED(iocp_listen(listener, 4) == 0 && iocp_getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    NEED(!AcceptEx(listener, accepted, room, 0, 64, 64, &n, &in) && GetLastError() == ERROR_IO_PENDING);
    if (!connect_ex(s, (struct sockaddr *)&a, len, NULL, 0, NULL, &out))
        NEED(GetLastError() == ERROR_IO_PENDING);
    wait_for(s, &out);
    wait_for(listener, &in);
    NEED(disconnect_ex(s, NULL, TF_REUSE_SOCKET, 0));
    s = new_socket();
    NEED(iocp_connect(s, (struct sockaddr *)&a, len) == 0);
    accepted = iocp_accept(listener, NULL, NULL);
    IS_ABOVE(accepted);
}

static void use_readiness(void)
{
    struct iocp_timeval soon = {0, 1000};
    SOCKET s = new_socket();
    WSAPOLLFD poll = {.fd = s, .events = POLLIN};
    WSAEVENT event = WSACreateEvent();
    iocp_fd_set set = {.fd_count = 1, .fd_array = {s}};

    NEED(iocp_listen(s, 4) == 0);
    iocp_select(0, &set, NULL, NULL, &soon);
    WSAPoll(&poll, 1, 1);
    NEED(WSAEventSelect(s, event, FD_ACCEPT) == 0);
}

static void use_handovers(void)
{
    WSAPROTOCOL_INFOA about;
    SOCKET s = new_socket(), here;

    NEED(WSADuplicateSocketA(s, (DWORD)getppid(), &about) == 0);
    NEED(WSADuplicateSocketA(s, GetCurrentProcessId(), &about) == 0);
    here = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &about, 0,
                      WSA_FLAG_OVERLAPPED);
    IS_ABOVE(here);
}

/* ---- pipes, lines ---- */

#define PIPE "\\\\.\\pipe\\StdClosed"

static void use_named_pipes(void)
{
    char text[8];
    DWORD n;
    OVERLAPPED ov = {0};
    HANDLE first = CreateNamedPipeA(PIPE, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE, 4,
                                    512, 512, 0, NULL);
    HANDLE second = CreateNamedPipeA(PIPE, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, 4, 512, 512, 0, NULL);
    HANDLE client;

    IS_ABOVE(first);
    IS_ABOVE(second);
    NEED(!ConnectNamedPipe(first, &ov) && GetLastError() == ERROR_IO_PENDING);
    NEED(WaitNamedPipeA(PIPE, 20000));
    client = CreateFileA(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    IS_ABOVE(client);
    NEED(GetOverlappedResult(first, &ov, &n, TRUE));
    NEED(WriteFile(client, "abc", 3, &n, NULL));
    NEED(PeekNamedPipe(first, text, 3, &n, NULL, NULL) && n == 3);
    transfer(first, text, 3, FALSE);
    NEED(FlushFileBuffers(client));
    NEED(DisconnectNamedPipe(first));
}

static void use_lines(void)
{
    static OVERLAPPED ov;
    static DWORD events;
    char path[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), far = fcntl(fd, F_DUPFD_CLOEXEC, 50);
    HANDLE h;

    close(fd);
    NEED(grantpt(far) == 0 && unlockpt(far) == 0 && ptsname_r(far, path, sizeof path) == 0);
    h = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    IS_ABOVE(h);
    NEED(SetCommMask(h, EV_RXCHAR));
    NEED(!WaitCommEvent(h, &events, &ov) && GetLastError() == ERROR_IO_PENDING);
}

/* ---- processes, names, the machine ---- */

static void use_processes(void)
{
    char line[] = "/bin/true";
    STARTUPINFOA how = {.cb = sizeof how};
    PROCESS_INFORMATION made;

    for (DWORD flags = 0; flags <= CREATE_SUSPENDED; flags += CREATE_SUSPENDED) {
        NEED(CreateProcessA(line, NULL, NULL, NULL, FALSE, flags, NULL, NULL, &how, &made));
        look();
        if (flags)
            NEED(ResumeThread(made.hThread) == 1);
        NEED(WaitForSingleObject(made.hProcess, 20000) == WAIT_OBJECT_0);
    }
    NEED(OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()) != NULL);
}

static void use_names(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "StdClosed");
    HANDLE mutex = CreateMutexA(NULL, TRUE, "StdClosedMutex");

    NEED(event && mutex);
    NEED(WaitForSingleObject(event, 1) == WAIT_TIMEOUT);
}

static BOOL WINAPI on_control(DWORD which)
{
    (void)which;
    return TRUE;
}

static void use_the_machine(void)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof memory};
    FILETIME t[4];
    DWORD size = 0;
    SYSTEM_INFO info;

    NEED(SetConsoleCtrlHandler(on_control, TRUE));
    GetLogicalProcessorInformation(NULL, &size);
    GetSystemInfo(&info);
    NEED(GlobalMemoryStatusEx(&memory));
    NEED(GetProcessTimes(GetCurrentProcess(), &t[0], &t[1], &t[2], &t[3]));
    NEED(GetSystemTimes(&t[0], &t[1], &t[2]));
    IsDebuggerPresent();
}

static const struct {
    const char *name;
    void (*use)(void);
} steps[] = {
    {"ports", use_ports},         {"blocking calls", use_blocking_calls}, {"pool", use_pool},
    {"files", use_files},         {"locks", use_locks},                   {"watches", use_watches},
    {"sockets", use_sockets},     {"readiness", use_readiness},           {"handovers", use_handovers},
    {"named pipes", use_named_pipes}, {"lines", use_lines},               {"processes", use_processes},
    {"names", use_names},         {"the machine", use_the_machine},
};

enum { STEPS = sizeof steps / sizeof steps[0] };

/* Each step, from `first` on, in a process that has closed the three. */
static int be_daemon(unsigned first)
{
    WSADATA started;

    if (dup3(1, REPORT_FD, O_CLOEXEC) < 0)
        return 1;
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    use_ports();
    NEED(WSAStartup(MAKEWORD(2, 2), &started) == 0);
    for (unsigned i = 0; i < STEPS; i++) {
        step = steps[(first + i) % STEPS].name;
        steps[(first + i) % STEPS].use();
        look();
    }
    return failures ? 1 : 0;
}

/* Whichever is first finds all three free, and starts what the others share. */
TEST(all_of_the_library)
{
    char command[64];

    CHECK(mkdtemp(place) != NULL);
    setenv("XDG_RUNTIME_DIR", place, 1);
    fflush(stdout);
    for (unsigned first = 0; first < STEPS; first++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            alarm(120);
            exit(be_daemon(first));
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        if (!CHECK_EQ(status, 0))
            printf("  begun with: %s\n", steps[first].name);
    }
    snprintf(command, sizeof command, "rm -rf %s", place);
    CHECK_EQ(system(command), 0);
}
