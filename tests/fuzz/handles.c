/* SPDX-License-Identifier: MIT */
/*
 * Calls the entry points in any order, with handles of any type, closed ones and nonsense; NULLs, sizes
 * without measure, negative lengths, any flags. Whatever a program hands in, it is told a documented error:
 * no crash, no hang, no leak. Pointers are valid or NULL, and an OVERLAPPED in use is not used again:
 * anything else is beyond what a library can judge.
 *
 * What is called, and how, is in entries.h; what is not, and why, in excused.txt (names.sh sees that nothing
 * is missing in both). A blocked call is called back by a second thread that knows nothing but
 * CancelSynchronousIo.
 *
 * handles [--short] [--count N] [--seed N]; the same seed makes the same calls, but for what threads make of
 * them. --trace prints them, --names only the names, --table at the end how often each was called, and which
 * errors it gave; --only TEXT calls those whose names contain it. --races goes on under the thread sanitizer,
 * which is not told of what this program lends out twice.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <iocp.h>
#include <bcrypt.h>
#include <process.h>
#include <iocp_nt.h>
#include <winternl.h>
#include <io.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "arguments.h"
#include "careful.h"
#include "entries.h"
#include "../../src/base/sanitizer.h"

/* Something that this program needs is not to be had: descriptors, say, because somebody has lost them. */
static void broken(const char *what)
{
    printf("FAIL %s: %s\n", what, strerror(errno));
    fflush(stdout);
    abort();
}

static bool is_handle(uintptr_t h)
{
    return h != 0 && (int32_t)h != -1 && h < 0x80000000u;
}

/* Kinds of handles that CloseHandle does not take; a callback may run still. */
static bool end_waits_and_timers(HANDLE h)
{
    return UnregisterWaitEx(h, NULL) || DeleteTimerQueueEx(h, NULL) || DeleteTimerQueueTimer(NULL, h, NULL) ||
           GetLastError() == ERROR_IO_PENDING;
}

/* What stood at the number when it came to us: what the library keeps there after its end is not ours. */
static struct {
    dev_t device;
    ino_t node;
} known[FDS];

static void get_to_know(uintptr_t h)
{
    struct stat about = {0};

    ours[h] = fstat((int)h, &about) == 0;
    known[h].device = about.st_dev;
    known[h].node = about.st_ino;
}

static bool is_as_known(uintptr_t h)
{
    struct stat about;

    return fstat((int)h, &about) == 0 && about.st_dev == known[h].device && about.st_ino == known[h].node;
}

/* Whatever kind it is, and however often it is protected from that. */
static void dispose(uintptr_t h)
{
    if (!is_handle(h) || !may_use(h))
        return;
    SetHandleInformation((HANDLE)h, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    if (!CloseHandle((HANDLE)h) && !FindClose((HANDLE)h) && !end_waits_and_timers((HANDLE)h) && h >= 3 &&
        h < FDS && ours[h] && is_as_known(h))
        close((int)h); /* never adopted */
    if (h < FDS)
        ours[h] = false;
}

static void keep(uintptr_t h)
{
    unsigned slot = rnd(POOL);

    if (!is_handle(h))
        return;
    dispose(pool[slot]);
    pool[slot] = h;
    if (h < FDS)
        get_to_know(h);
}

/* What a call has closed is not ours any more: the library may get the number next. */
static void note_closed(void)
{
    for (unsigned i = 0; i < POOL; i++)
        if (pool[i] < FDS && ours[pool[i]] && !is_open(pool[i]))
            ours[pool[i]] = false;
}

/* A pseudo terminal: one end as a serial line of ours, the other as a descriptor. */
static void make_line(DWORD how)
{
    char path[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, path, sizeof path))
        broken("making a terminal");
    keep((uintptr_t)CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, how, NULL));
    keep((uintptr_t)fd);
}

/* A process that ends soon, or another that does not. */
static void make_process(void)
{
    char line[] = "/bin/true";
    STARTUPINFOA how = {.cb = sizeof how};
    PROCESS_INFORMATION made;

    keep((uintptr_t)OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()));
    if (!CreateProcessA(line, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &how, &made))
        return;
    CloseHandle(made.hThread);
    keep((uintptr_t)made.hProcess);
}

static DWORD socket_flags(void)
{
    return WSA_FLAG_OVERLAPPED | (rnd(2) ? WSA_FLAG_REGISTERED_IO : 0);
}

/* Two ends of a connection, on a port or not. */
static void make_connection(HANDLE port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof a;
    SOCKET listener = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, socket_flags());
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, socket_flags());

    if (rnd(2))
        CreateIoCompletionPort((HANDLE)s, port, 9, 0);
    make_rio(s, port);
    keep((uintptr_t)s);
    if (iocp_bind(listener, (struct sockaddr *)&a, size) == 0 && iocp_listen(listener, 1) == 0 &&
        iocp_getsockname(listener, (struct sockaddr *)&a, &size) == 0 &&
        iocp_connect(s, (struct sockaddr *)&a, size) == 0) /* or it is called back */
        keep((uintptr_t)iocp_accept(listener, NULL, NULL));
    closesocket(listener);
}

/* Good ones now and then: of nonsense alone nothing would ever pend. */
static void make_good_ones(void)
{
    int fd[2];
    char path[128];
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, rnd(3));
    DWORD how = rnd(2) ? FILE_FLAG_OVERLAPPED : 0;
    SOCKET s = WSASocketA(AF_INET, rnd(3) ? SOCK_STREAM : SOCK_DGRAM, 0, NULL, 0, socket_flags());
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    mkdir(directory, 0700); /* one of the calls may have removed or renamed it */
    snprintf(path, sizeof path, "%s/%c", directory, (char)('a' + rnd(4)));
    keep((uintptr_t)CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_ALWAYS,
                                rnd(2) ? FILE_FLAG_OVERLAPPED : 0, NULL));
    if (rnd(2) && iocp_bind(s, (struct sockaddr *)&a, sizeof a) == 0 && rnd(2))
        iocp_listen(s, 4);
    make_rio(s, port);
    keep((uintptr_t)s);
    if (rnd(2) ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) : pipe2(fd, O_CLOEXEC))
        broken("making a pipe");
    if (rnd(2))
        CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 7, 0);
    if (rnd(4) == 0)
        keep((uintptr_t)CreateFileA(directory, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING,
                                    FILE_FLAG_BACKUP_SEMANTICS | how, NULL));
    if (rnd(4) == 0)
        keep((uintptr_t)CreateNamedPipeA((const char *)any_pipe_name(), PIPE_ACCESS_DUPLEX | how, rnd(8),
                                         1 + rnd(4), 512, 512, 0, NULL));
    if (rnd(4) == 0)
        keep((uintptr_t)CreateFileA((const char *)any_pipe_name(), GENERIC_READ | GENERIC_WRITE, 0, NULL,
                                    OPEN_EXISTING, how, NULL));
    if (rnd(4) == 0)
        make_connection(port);
    if (rnd(16) == 0)
        make_line(how);
    if (rnd(64) == 0)
        make_process();
    keep((uintptr_t)fd[0]);
    keep((uintptr_t)fd[1]);
    keep((uintptr_t)port);
}

static bool trace, table, races;
static const char *only; /* what the names of those that are called contain */
static unsigned undocumented;
static const char *volatile current = "nothing";
static _Atomic uint64_t calls;

/* ---- what is answered ---- */

enum { CODES = 24 };

static struct tally {
    uint64_t called, failed;
    uint32_t codes[CODES]; /* the first so many that were seen, unsorted */
    unsigned count;
} tallies[ENTRIES];

static bool failed(const struct entry *e, uintptr_t result)
{
    switch (e->failure) {
    case FAILS_ZERO:
        return (int32_t)result == 0;
    case FAILS_HANDLE:
        return result == 0 || (int32_t)result == -1;
    case FAILS_SOCKET:
    case FAILS_WAIT:
        return (int32_t)result == -1;
    case FAILS_STATUS:
        return (int32_t)result < 0;
    default:
        return false;
    }
}

/* Every code that the library documents has a text, but for what a wait says when a routine has run. */
static bool is_documented(uint32_t code)
{
    static char text[256];

    return code == WAIT_IO_COMPLETION ||
           (code != 0 && code != ERROR_INTERNAL_ERROR &&
            FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, text,
                           sizeof text, NULL) != 0);
}

/* Counts the answer; a code that was not seen of this call before is looked at. */
static bool judge(const struct entry *e, uintptr_t result)
{
    struct tally *t = &tallies[e - entries];
    uint32_t code = GetLastError();
    uint32_t status = (uint32_t)result;

    t->called++;
    if (!failed(e, result))
        return true;
    t->failed++;
    if (e->failure == FAILS_STATUS)
        code = RtlNtStatusToDosError((NTSTATUS)status);
    for (unsigned i = 0; i < t->count; i++)
        if (t->codes[i] == code)
            return true;
    if (t->count < CODES)
        t->codes[t->count++] = code;
    if (is_documented(code) && code != ERROR_MR_MID_NOT_FOUND)
        return true;
    printf("  %s fails with %u (answer 0x%x), which no page speaks of; call %llu\n", e->name, code, status,
           (unsigned long long)atomic_load(&calls));
    return false;
}

static void print_tallies(void)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct tally *t = &tallies[i];

        printf("%-34s %9llu calls, %9llu failed:", entries[i].name, (unsigned long long)t->called,
               (unsigned long long)t->failed);
        for (unsigned c = 0; c < t->count; c++)
            printf(" %u", t->codes[c]);
        printf("\n");
    }
}

/* ---- one call ---- */

/* Half of the calls are of the kind that this library is about. */
static const struct entry *any_entry(void)
{
    const struct entry *e;

    do
        e = &entries[rnd(ENTRIES)];
    while (only ? !strstr(e->name, only)
                : rnd(2) && !strchr(e->arguments, 'o') && !strchr(e->arguments, 'O'));
    return e;
}

static void one_call(void)
{
    const struct entry *e = any_entry();
    uintptr_t a[MOST_ARGUMENTS] = {0}, result;

    for (unsigned i = 0; e->arguments[i]; i++)
        a[i] = argument(e->arguments[i], i, i ? a[i - 1] : 0);
    if (e->arguments[0] == 'h' && strchr(e->arguments, 'o'))
        a[0] = e->failure == FAILS_SOCKET && rnd(4) ? any_socket() : any_file();
    current = e->name;
    if (trace) {
        printf("%s", e->name);
        for (unsigned i = 0; e->arguments[i]; i++)
            printf(" %lx", (unsigned long)a[i]);
        printf("\n");
        fflush(stdout);
    }
    SetLastError(0);
    result = ((any_call)e->address)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
                                       a[10]);
    undocumented += !judge(e, result);
    note_closed();
    if (e->makes)
        keep(result);
    for (unsigned i = 0; e->arguments[i]; i++) {
        if (e->arguments[i] == 'H' && a[i])
            keep((uintptr_t)results[i % 2]);
    }
}

/* ---- against hanging ---- */

static DWORD main_thread;

/* With a handle of its own each time: one that lives longer would be closed by some call. */
static void cancel_main(void)
{
    HANDLE h = OpenThread(THREAD_ALL_ACCESS, FALSE, main_thread);

    CancelSynchronousIo(h);
    CloseHandle(h);
}

/* Calls back what blocks; reports what does not come back. */
static void *call_back(void *arg)
{
    uint64_t seen = 0;
    unsigned ms = 0;

    for (;;) {
        uint64_t now = atomic_load(&calls);

        usleep(1000);
        ms = now == seen ? ms + 1 : 0;
        seen = now;
        if (ms > 0)
            cancel_main();
        if (ms > 120000) { /* at a low priority a busy machine lets it wait for long */
            printf("FAIL %s does not come back (call %llu)\n", current, (unsigned long long)now);
            fflush(stdout);
            signal(SIGABRT, SIG_DFL);
            abort(); /* a core, or a debugger, says where it is */
        }
    }
    return arg;
}

static void on_crash(int number)
{
    char line[200];
    int n = snprintf(line, sizeof line, "FAIL signal %d in %s, call %llu\n", number, current,
                     (unsigned long long)atomic_load(&calls));

    if (write(1, line, (size_t)n) < 0) {
        /* then not */
    }
    signal(number, SIG_DFL);
    raise(number);
}

static unsigned count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* What sort of a socket: names by themselves would be numbers only. */
static void print_socket(int fd)
{
    struct sockaddr_un name = {0};
    int kind[3] = {0};
    static const int option[3] = {SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN};
    socklen_t size;

    for (unsigned i = 0; i < 3; i++) {
        size = sizeof kind[i];
        getsockopt(fd, SOL_SOCKET, option[i], &kind[i], &size);
    }
    size = sizeof name - 1;
    getsockname(fd, (struct sockaddr *)&name, &size);
    printf(" family %d, type %d%s%s%s", kind[0], kind[1], kind[2] ? ", listens" : "",
           name.sun_family == AF_UNIX && name.sun_path[0] ? " at " : "",
           name.sun_family == AF_UNIX ? name.sun_path : "");
}

/* Whose descriptors are left: the limit is passed, and somebody has to be asked. */
static void print_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;

    puts("# descriptors:");
    while (dir && (e = readdir(dir)) != NULL) {
        char path[32 + sizeof e->d_name], what[256];
        ssize_t n;

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%s", e->d_name);
        n = readlink(path, what, sizeof what - 1);
        what[n < 0 ? 0 : n] = 0;
        printf("#   %s %s", e->d_name, what);
        if (strncmp(what, "socket:", 7) == 0)
            print_socket(atoi(e->d_name));
        printf("\n");
    }
    closedir(dir);
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, ignored;

    if (!f || fscanf(f, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* All handles closed: every request must come to its end, and its packets go with their ports. */
static void clear_pool(void)
{
    memory_clear();
    pool_clear();
    for (unsigned i = 0; i < POOL; i++) {
        dispose(pool[i]);
        pool[i] = 0;
    }
    for (unsigned fd = 3; fd < FDS; fd++)
        if (ours[fd])
            dispose(fd);
    for (unsigned i = 0; i < OVERLAPPEDS; i++) {
        for (unsigned ms = 0; !HasOverlappedIoCompleted(&overlappeds[i]); ms++) {
            SleepEx(1, TRUE);
            if (ms > 10000) {
                printf("FAIL a request on a closed handle does not end\n");
                exit(1);
            }
        }
    }
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION)
        ;
}

static void print_names(void)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        puts(entries[i].name);
    exit(0);
}

static uint64_t arguments(int argc, char **argv)
{
    uint64_t count = 1000000;

    seed = (uint64_t)time(NULL) * 2654435761u;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--short"))
            count = 100000;
        else if (!strcmp(argv[i], "--trace"))
            trace = true;
        else if (!strcmp(argv[i], "--table"))
            table = true;
        else if (!strcmp(argv[i], "--races"))
            races = true;
        else if (!strcmp(argv[i], "--names"))
            print_names();
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            only = argv[++i];
        else if (!strcmp(argv[i], "--count") && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 0);
    }
    printf("# seed %llu, count %llu, %d entries, engine %s\n", (unsigned long long)seed,
           (unsigned long long)count, (int)ENTRIES, iocp_engine_name());
    fflush(stdout);
    seed |= 1;
    return count;
}

/* A guess that hits a standard handle would lead to the file that the results go to, and delete it. */
static void part_from_standard_handles(void)
{
    SetStdHandle(STD_INPUT_HANDLE, NULL);
    SetStdHandle(STD_OUTPUT_HANDLE, NULL);
    SetStdHandle(STD_ERROR_HANDLE, NULL);
}

static void begin(void)
{
    struct rlimit small = {1 << 20, 1 << 20}; /* a write far out and CopyFile would fill the disk */
    WSADATA started;
    pthread_t t;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGPIPE, on_crash); /* it must never come */
    snprintf(directory, sizeof directory, "/tmp/iocp-fuzz-XXXXXX");
    if (!mkdtemp(directory) || chdir(directory) || WSAStartup(MAKEWORD(2, 2), &started))
        broken("beginning");
    part_from_standard_handles();
    find_extensions();
    InitializeCriticalSection(&pool_section);
    main_thread = GetCurrentThreadId();
    if (pthread_create(&t, NULL, call_back, NULL))
        broken("making a thread");
}

static void clean_up(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command))
        printf("# %s remains\n", directory);
}

#if THREAD_SANITIZER
/* The buffers, and numbers of descriptors: some are made where the sanitizer does not see it. */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:^data$\nrace:^scratch$\nrace:^pages$\nrace:^results$\nrace:^segments$\nrace:^buffers$\n"
           "race:^dispose$\nrace:^any_socket$\n";
}
#endif

int main(int argc, char **argv)
{
    uint64_t count = arguments(argc, argv);
    unsigned before = 0, after;
    long memory = 0;
    struct iocp_ledger l;

    if (THREAD_SANITIZER && !races) {
        puts("one buffer is lent to many operations at once: races of this program's own");
        return 77;
    }
    begin();
    for (uint64_t i = 0; i < count; i++) {
        if (i % 24 == 0)
            make_good_ones();
        if (i % 5000 == 4999)
            clear_pool();
        if (i == count / 4) {
            clear_pool();
            before = count_descriptors();
            memory = resident_kb();
        }
        one_call();
        atomic_fetch_add(&calls, 1);
    }
    clear_pool();
    after = count_descriptors();
    memory = resident_kb() - memory;
    clean_up();
    iocp_ledger(&l);
    printf("# descriptors %u, then %u; memory grew by %ld KB; %llu operations begun, %llu refused\n", before,
           after, memory, (unsigned long long)l.started, (unsigned long long)l.refused);
    if (table)
        print_tallies();
    if (undocumented) {
        printf("FAIL %u undocumented errors\n", undocumented);
        return 1;
    }
    if (after > before + 8 || l.started != l.completed + l.refused) {
        printf("FAIL left behind: %llu operations, %d descriptors\n",
               (unsigned long long)(l.started - l.completed - l.refused), (int)(after - before));
        print_descriptors();
        return 1;
    }
    return 0;
}
