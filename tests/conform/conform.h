/* SPDX-License-Identifier: MIT */
/*
 * The whole of a conformance program but its tests. Each NAME.c beside this file includes it once, writes
 * TEST functions, and is then one program for two worlds: Linux (this library) and Windows (mingw, run
 * under Wine). A test names the promises it proves (docs/PROMISES.md); searching for an id finds its proof.
 *
 *     #include "conform.h"
 *
 *     TEST(set_then_wait, "WAIT-01 WAIT-09")
 *     {
 *         HANDLE event = CreateEventA(NULL, FALSE, TRUE, NULL);
 *         REQUIRE(event != NULL);
 *         CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
 *         CHECK_ERR(CloseHandle(NULL), ERROR_INVALID_HANDLE);
 *         CHECK(CloseHandle(event));
 *     }
 *
 * Run with no argument: all tests, in source order. With names: only those. --list: names and ids.
 * --after NAME: the tests that follow NAME (the runner goes on behind a test that crashed or hung).
 * Output: "# run NAME" when a test begins; the lines of failed checks; then one of
 *     ok NAME IDS      FAIL NAME IDS      skip NAME IDS # why      todo NAME IDS # why
 * Exit code: 0 all well, 1 something failed, 3 a test hung (the rest was not run), 77 all skipped.
 *
 * CHECK and its kin may be used on any thread, leave the last error alone, and go on after a failure;
 * REQUIRE returns from the function it stands in. A test that runs longer than CONFORM_TIMEOUT seconds
 * (60) is reported as failed and ends the program.
 *
 * Where Wine is known to be wrong by Microsoft's page: TEST_W8(name, ids, why) for a whole test,
 * TODO_WINE(why) { checks } for a part. What fails there under Wine is noted, not counted.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <process.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __linux__
#include <pthread.h>
extern int rmdir(const char *path);
#define CONFORM_SLASH '/'
#else
#include <fcntl.h>
#include <io.h>
#define CONFORM_SLASH '\\'
#define rmdir(PATH) RemoveDirectoryA(PATH)
#endif

#ifdef __GNUC__
#define CONFORM_USED __attribute__((unused))
#endif

/* ---- the list of tests ---- */

struct conform_test {
    const char *name, *ids, *w8; /* w8: why Wine 8 may fail it, else NULL */
    int line;
    void (*run)(void);
    struct conform_test *next;
};

static struct conform_test *conform_tests;
static struct conform_test *volatile conform_current;
static volatile LONG conform_failed, conform_todo_failed, conform_todo_blocks;
static volatile LONG conform_beat; /* counts tests begun; the watchdog compares it */
static volatile int conform_todo;
static const char *volatile conform_why;
static const char *volatile conform_skipped;
static int conform_wine;

/* Constructors run in opposite orders here and there, so the list is kept sorted by line. */
static inline void conform_add(struct conform_test *test)
{
    struct conform_test **at = &conform_tests;
    while (*at && (*at)->line < test->line)
        at = &(*at)->next;
    test->next = *at;
    *at = test;
}

#define TEST_W8(NAME, IDS, WHY)                                                                      \
    static void test_##NAME(void);                                                                   \
    static struct conform_test conform_##NAME = {#NAME, IDS, WHY, __LINE__, test_##NAME, NULL};      \
    __attribute__((constructor)) static void conform_add_##NAME(void) { conform_add(&conform_##NAME); } \
    static void test_##NAME(void)
#define TEST(NAME, IDS) TEST_W8(NAME, IDS, NULL)

/* ---- checks ---- */

/* Prints one line about a failed check and counts it; keeps the last error. Gives 0. */
__attribute__((format(printf, 3, 4))) static inline int conform_fail(const char *file, int line,
                                                                     const char *format, ...)
{
    DWORD error = GetLastError();
    char text[1024];
    va_list args;
    const char *base = strrchr(file, '/');
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int noted = conform_wine && (conform_todo || (conform_current && conform_current->w8));
    printf("%s%s:%d: %s (last error %u)\n", noted ? "# todo: " : "  ", base ? base + 1 : file, line, text,
           (unsigned)error);
    fflush(stdout);
    if (noted)
        InterlockedIncrement(&conform_todo_failed);
    else
        InterlockedIncrement(&conform_failed);
    SetLastError(error);
    return 0;
}

static inline int conform_pass(int passed) { return passed; }

static inline int conform_eq(const char *file, int line, const char *what, unsigned long long got,
                             const char *wanted, unsigned long long want)
{
    if (got == want)
        return 1;
    return conform_fail(file, line, "%s is %lld (0x%llx), expected %s = %lld (0x%llx)", what, (long long)got,
                        got, wanted, (long long)want, want);
}

#define FAIL(...) conform_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(COND) CHECK_MSG(COND, "%s is false", #COND)
/* CHECK with words of one's own, printf style. */
#define CHECK_MSG(COND, ...) conform_pass((COND) ? 1 : conform_fail(__FILE__, __LINE__, __VA_ARGS__))
#define CHECK_EQ(GOT, WANT)                                                                          \
    conform_eq(__FILE__, __LINE__, #GOT, (unsigned long long)(GOT), #WANT, (unsigned long long)(WANT))
#define CHECK_STR(GOT, WANT)                                                                         \
    CHECK_MSG(!strcmp((GOT), (WANT)), "%s is \"%s\", expected \"%s\"", #GOT, (GOT), (WANT))
#define CHECK_MEM(GOT, WANT, SIZE) CHECK_MSG(memcmp((GOT), (WANT), (SIZE)) == 0, "%s differs", #GOT)
#define CHECK_LASTERR(CODE) CHECK_EQ(GetLastError(), (DWORD)(CODE))

/* The call must give 0, FALSE or NULL, and leave exactly this last error. */
#define CHECK_ERR(CALL, CODE)                                                                        \
    (SetLastError(0xDEADBEEF), conform_pass(CHECK_MSG(!(CALL), "%s succeeded", #CALL) && CHECK_LASTERR(CODE)))
/* The call must give SOCKET_ERROR, and this WSAGetLastError. */
#define CHECK_WSAERR(CALL, CODE)                                                                     \
    (WSASetLastError(0x1EADBEEF),                                                                    \
     conform_pass(CHECK_MSG((CALL) == SOCKET_ERROR, "%s succeeded", #CALL) &&                        \
                  CHECK_EQ(WSAGetLastError(), (CODE))))
/* The wait must give WAIT_FAILED and this last error. */
#define CHECK_WAITERR(CALL, CODE)                                                                    \
    (SetLastError(0xDEADBEEF), conform_pass(CHECK_EQ((CALL), WAIT_FAILED) && CHECK_LASTERR(CODE)))

#define REQUIRE(COND)                                                                                \
    do {                                                                                             \
        if (!CHECK(COND))                                                                            \
            return;                                                                                  \
    } while (0)
#define SKIP(WHY)                                                                                    \
    do {                                                                                             \
        conform_skipped = (WHY);                                                                     \
        return;                                                                                      \
    } while (0)

/* Under Wine, failed checks in the block are noted. Do not leave the block by return or break. */
#define TODO_WINE(WHY)                                                                               \
    for (int conform_once_ = (conform_why = (WHY), conform_todo = 1,                                 \
                              InterlockedIncrement(&conform_todo_blocks), 1);                        \
         conform_once_; conform_once_ = 0, conform_todo = 0)

/* ---- time and chance ---- */

/* True as soon as COND is, false if it is not within MS milliseconds. For what no call can wait for: it looks
 * again and again, and leaves the processor to the others between two looks. */
#define WITHIN(MS, COND)                                                                             \
    __extension__({                                                                                  \
        ULONGLONG conform_end_ = GetTickCount64() + (MS);                                            \
        int conform_true_;                                                                           \
        while (!(conform_true_ = !!(COND)) && GetTickCount64() < conform_end_)                       \
            Sleep(1);                                                                                \
        conform_true_;                                                                               \
    })

/* "It does not happen": true if COND stays true for MS milliseconds, false as soon as it is not. */
#define STAYS(MS, COND) (!WITHIN((MS), !(COND)))

/* A variable that other threads write, read as one piece and in order. */
#define LOOK(VARIABLE) __atomic_load_n(&(VARIABLE), __ATOMIC_SEQ_CST)

/* A byte of a buffer that an operation still owns. Nothing that the thread sanitizer knows of keeps this
 * look apart from the operation's writing: it is the send which comes later that lets it write. */
__attribute__((noinline, no_sanitize("thread"), unused)) static char peek(const volatile char *byte)
{
    return *byte;
}

/* Milliseconds with fractions, from a clock that never goes back. */
static inline double now_ms(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return 1000.0 * (double)count.QuadPart / (double)frequency.QuadPart;
}

static uint64_t conform_seed;

/* A random number below `limit`. CONFORM_SEED=n repeats a run; the seed is printed at first use. One
 * thread only. */
static inline unsigned rnd(unsigned limit)
{
    if (!conform_seed) {
        const char *given = getenv("CONFORM_SEED");
        conform_seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
        printf("# seed %llu\n", (unsigned long long)conform_seed);
        fflush(stdout);
        conform_seed |= 1;
    }
    conform_seed ^= conform_seed << 13;
    conform_seed ^= conform_seed >> 7;
    conform_seed ^= conform_seed << 17;
    return (unsigned)((conform_seed >> 11) % limit);
}

/* ---- threads ---- */

typedef unsigned(WINAPI *thread_fn)(void *);

/* Starts a thread (THREAD_FN(name) { ... uses arg ...; return 0; }); end it with JOIN. */
#define THREAD_FN(NAME) static unsigned WINAPI NAME(void *arg CONFORM_USED)

static inline HANDLE start_thread(thread_fn fn, void *arg)
{
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, fn, arg, 0, NULL);
    if (!thread)
        FAIL("_beginthreadex failed");
    return thread;
}

/* Waits for a thread's end (20 s) and closes its handle; false if it does not end. */
#define JOIN(THREAD)                                                                                 \
    conform_pass(CHECK_EQ(WaitForSingleObject((THREAD), 20000), WAIT_OBJECT_0) & !!CloseHandle(THREAD))

static inline HANDLE manual_event(void) { return CreateEventA(NULL, TRUE, FALSE, NULL); }
static inline HANDLE auto_event(void) { return CreateEventA(NULL, FALSE, FALSE, NULL); }

/*
 * A meeting point for `need` threads, usable again and again: nobody leaves before all have come. It
 * spins, so that all leave at the same moment: that is what races want. {.need = n} makes one.
 */
struct meeting {
    LONG need;
    volatile LONG come, round;
};

static inline void meet(struct meeting *point)
{
    LONG round = InterlockedExchangeAdd(&point->round, 0);
    if (InterlockedIncrement(&point->come) == point->need) {
        InterlockedExchange(&point->come, 0);
        InterlockedIncrement(&point->round);
        return;
    }
    while (InterlockedExchangeAdd(&point->round, 0) == round)
        SwitchToThread();
}

/* ---- threads that sleep ---- */

#ifdef __linux__
static inline int asleep_now(DWORD id)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/self/task/%u/stat", (unsigned)id);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[1] && name_end[2] == 'S';
}
#endif

/* Waits until the thread sleeps in the call it said it was about to make. Where the system does not tell,
 * time is given instead. */
static inline void until_asleep(DWORD id)
{
#ifdef __linux__
    for (int seen = 0, turns = 0; seen < 3 && turns < 5000; turns++) {
        seen = asleep_now(id) ? seen + 1 : 0;
        Sleep(1);
    }
#else
    Sleep(id ? 50 : 100);
#endif
}

static DWORD conform_main; /* the thread that runs the tests */

/* For a thread that is to act when the test's own has gone to sleep in the call that it tests. Who is
 * not asleep by then finds it done already: right, but not what was meant. */
static inline void until_main_sleeps(void) { until_asleep(conform_main); }

/* A thread_fn for that. */
static inline unsigned WINAPI set_when_main_sleeps(void *event)
{
    until_main_sleeps();
    SetEvent((HANDLE)event);
    return 0;
}

/* ---- sockets ---- */

/* WSAStartup, once per program. tcp_pair calls it; tests that make sockets themselves call it first. */
static inline void net_start(void)
{
    static volatile LONG started;
    WSADATA data;
    if (!LOOK(started) && !InterlockedExchange(&started, 1) && WSAStartup(MAKEWORD(2, 2), &data))
        FAIL("WSAStartup failed");
}

/* 127.0.0.1:port, port in host order; 0 lets bind choose. */
static inline struct sockaddr_in loopback(unsigned short port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* An overlapped TCP socket listening on 127.0.0.1; its address in *address. INVALID_SOCKET on failure. */
static inline SOCKET tcp_listener(struct sockaddr_in *address)
{
    net_start();
    int size = sizeof *address;
    SOCKET listener = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    *address = loopback(0);
    if (listener == INVALID_SOCKET || bind(listener, (struct sockaddr *)address, sizeof *address) ||
        listen(listener, SOMAXCONN) || getsockname(listener, (struct sockaddr *)address, &size)) {
        FAIL("cannot listen on the loopback, error %d", WSAGetLastError());
        if (listener != INVALID_SOCKET)
            closesocket(listener);
        return INVALID_SOCKET;
    }
    return listener;
}

/* Two connected overlapped TCP sockets, Nagle off. Returns 0 after a failure, which it has reported. */
static inline int tcp_pair(SOCKET pair[2])
{
    struct sockaddr_in address;
    int on = 1;
    SOCKET listener = tcp_listener(&address);
    pair[0] = pair[1] = INVALID_SOCKET;
    if (listener == INVALID_SOCKET)
        return 0;
    pair[0] = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (pair[0] != INVALID_SOCKET && !connect(pair[0], (struct sockaddr *)&address, sizeof address))
        pair[1] = accept(listener, NULL, NULL);
    closesocket(listener);
    if (pair[1] == INVALID_SOCKET) {
        FAIL("cannot make a socket pair, error %d", WSAGetLastError());
        return 0;
    }
    setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
    setsockopt(pair[1], IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
    return 1;
}

/* Sends all of it on a blocking socket. */
static inline int send_all(SOCKET s, const void *data, int size)
{
    for (int done = 0, n; done < size; done += n)
        if ((n = send(s, (const char *)data + done, size - done, 0)) <= 0)
            return 0;
    return 1;
}

/* Starts an overlapped receive of one buffer: 0, or the error code (997 when it pends). */
static inline int start_recv(SOCKET s, void *buffer, ULONG size, OVERLAPPED *ov)
{
    WSABUF buf = {size, (char *)buffer};
    DWORD flags = 0;
    return WSARecv(s, &buf, 1, NULL, &flags, ov, NULL) ? WSAGetLastError() : 0;
}

static inline int start_send(SOCKET s, const void *data, ULONG size, OVERLAPPED *ov)
{
    WSABUF buf = {size, (char *)(uintptr_t)data};
    return WSASend(s, &buf, 1, NULL, 0, ov, NULL) ? WSAGetLastError() : 0;
}

/* ---- files ---- */

static char conform_paths[256][300], conform_directory[280];
static int conform_path_count;

static inline void conform_remove_paths(void)
{
    while (conform_path_count > 0)
        remove(conform_paths[--conform_path_count]);
    rmdir(conform_directory);
}

/* Makes a directory of this run's own. A name made of the process' number would not be: it comes round
 * again, and a run that was killed has left its files. */
static inline void conform_make_directory(void)
{
#ifdef __linux__
    const char *temp = getenv("TMPDIR");
    snprintf(conform_directory, sizeof conform_directory, "%s/iocp-XXXXXX", temp ? temp : "/tmp");
    int made = mkdtemp(conform_directory) != NULL;
#else
    char temp[260] = "";
    int made = 0;
    GetTempPathA(sizeof temp, temp);
    for (DWORD i = GetTickCount(), end = i + 1000; !made && i != end; i++) {
        snprintf(conform_directory, sizeof conform_directory, "%siocp-%lu-%lu", temp,
                 (unsigned long)GetCurrentProcessId(), (unsigned long)i);
        made = CreateDirectoryA(conform_directory, NULL);
    }
#endif
    if (!made)
        FAIL("cannot make %s", conform_directory);
    atexit(conform_remove_paths);
}

/* A path in a temporary directory that no other test uses; the file, if made, is removed at exit. */
static inline const char *temp_path(void)
{
    static int serial;
    if (!*conform_directory)
        conform_make_directory();
    char *path = conform_paths[conform_path_count < 255 ? conform_path_count++ : 255];
    snprintf(path, sizeof conform_paths[0], "%s%c%d.tmp", conform_directory, CONFORM_SLASH, ++serial);
    return path;
}

/* What byte i of a file made by temp_file is. */
static inline unsigned char pattern(unsigned long long i) {
    return (unsigned char)(i * 131 + (i >> 8) * 17 + 7);
}

/* Makes a file of `size` pattern bytes with the C library. Returns its path. */
static inline const char *temp_content(size_t size)
{
    const char *path = temp_path();
    FILE *file = fopen(path, "wb");
    for (size_t i = 0; file && i < size; i++)
        putc(pattern(i), file);
    if (!file || fclose(file))
        FAIL("cannot make %s", path);
    return path;
}

/* A handle to a new file of `size` pattern bytes, read/write, all shares; flags such as
 * FILE_FLAG_OVERLAPPED. */
static inline HANDLE temp_file(size_t size, DWORD flags)
{
    HANDLE file = CreateFileA(temp_content(size), GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                              flags,
                              NULL);
    if (file == INVALID_HANDLE_VALUE)
        FAIL("cannot open a temporary file");
    return file;
}

/* ---- running ---- */

static int conform_limit = 60;

/* Ends the program when one test takes longer than the limit; knows nothing of the library under test. */
static inline void conform_watch(void)
{
    LONG beat = -1;
    for (int tenths = 0;;) {
#ifdef __linux__
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
#else
        Sleep(100);
#endif
        if (LOOK(conform_beat) != beat) {
            beat = LOOK(conform_beat);
            tenths = 0;
        }
        struct conform_test *test = LOOK(conform_current);
        if (!test || ++tenths < conform_limit * 10)
            continue;
        if (conform_wine && (test->w8 || conform_todo))
            printf("todo %s %s # hung: %s\n", test->name, test->ids, test->w8 ? test->w8 : conform_why);
        else
            printf("FAIL %s %s # hung\n", test->name, test->ids);
        fflush(stdout);
        conform_remove_paths();
        _Exit(3);
    }
}

#ifdef __linux__
static inline void *conform_watchdog(void *arg) { return conform_watch(), arg; }
static inline void conform_start_watchdog(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, conform_watchdog, NULL) == 0)
        pthread_detach(thread);
}
#else
static inline DWORD WINAPI conform_watchdog(void *arg) { return conform_watch(), arg != NULL; }
static inline void conform_start_watchdog(void)
{
    HANDLE thread = CreateThread(NULL, 0, conform_watchdog, NULL, 0, NULL);
    if (thread)
        CloseHandle(thread);
    _setmode(_fileno(stdout), _O_BINARY);
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    conform_wine = ntdll && GetProcAddress(ntdll, "wine_get_version") != NULL;
}
#endif

/* Runs one test and prints its verdict: 0 passed (or todo), 1 failed, 77 skipped. */
static inline int conform_run(struct conform_test *test)
{
    conform_failed = conform_todo_failed = conform_todo_blocks = 0;
    conform_todo = 0;
    conform_skipped = conform_why = NULL;
    __atomic_store_n(&conform_current, test, __ATOMIC_SEQ_CST);
    InterlockedIncrement(&conform_beat);
    printf("# run %s %s%s\n", test->name, test->ids, test->w8 ? " # W8" : "");
    fflush(stdout);
    test->run();
    __atomic_store_n(&conform_current, NULL, __ATOMIC_SEQ_CST);
    if (conform_failed)
        printf("FAIL %s %s\n", test->name, test->ids);
    else if (conform_skipped)
        printf("skip %s %s # %s\n", test->name, test->ids, conform_skipped);
    else if (conform_todo_failed)
        printf("todo %s %s # %s\n", test->name, test->ids, conform_why ? conform_why : test->w8);
    else if (conform_wine && (conform_todo_blocks || test->w8))
        printf("ok %s %s # todo passed\n", test->name, test->ids);
    else
        printf("ok %s %s\n", test->name, test->ids);
    fflush(stdout);
    return conform_failed ? 1 : conform_skipped ? 77 : 0;
}

static inline int conform_named(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    const char *after = NULL;
    int ran = 0, failed = 0, skipped = 0;
    if (argc > 1 && !strcmp(argv[1], "--list")) {
        for (struct conform_test *test = conform_tests; test; test = test->next)
            printf("%s %s%s%s\n", test->name, test->ids, test->w8 ? " # W8: " : "", test->w8 ? test->w8 : "");
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "--after")) {
        after = argv[2];
        argc = 1;
    }
    if (getenv("CONFORM_TIMEOUT"))
        conform_limit = atoi(getenv("CONFORM_TIMEOUT"));
    conform_start_watchdog();
    conform_main = GetCurrentThreadId();
    for (struct conform_test *test = conform_tests; test; test = test->next) {
        if (after) {
            if (!strcmp(after, test->name))
                after = NULL;
            continue;
        }
        if (!conform_named(test->name, argc, argv))
            continue;
        int verdict = conform_run(test);
        ran++;
        failed += verdict == 1;
        skipped += verdict == 77;
    }
    if (!ran && argc > 1) {
        fprintf(stderr, "no such test\n");
        return 1;
    }
    return failed ? 1 : ran && skipped == ran ? 77 : 0;
}

#endif
