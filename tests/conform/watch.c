/* SPDX-License-Identifier: MIT */
/*
 * ReadDirectoryChangesW: records, actions, filters, subtrees, what is kept between calls, and the three
 * ways of being told.
 */
#include "conform.h"
#include "watch.h"

static BOOL ask(struct watched *w)
{
    return ReadDirectoryChangesW(w->directory, w->buffer, w->size, w->subtree, w->filter, NULL, &w->ov, NULL);
}

/* Begins with an event of its own. */
static void begin(struct watched *w)
{
    w->ov.hEvent = manual_event();
    CHECK(ask(w));
}

/* ---- reading records ---- */

/* Checks the form of the records and adds them to w->text. */
static void take_records(struct watched *w, DWORD bytes)
{
    static const char marks[] = "?+-*<>";
    const char *base = (const char *)w->buffer;
    DWORD at = 0;
    for (;;) {
        const FILE_NOTIFY_INFORMATION *record = (const FILE_NOTIFY_INFORMATION *)(base + at);
        char *out = w->text + strlen(w->text);
        DWORD end = at + (DWORD)offsetof(FILE_NOTIFY_INFORMATION, FileName) + record->FileNameLength;
        if (!CHECK(end <= bytes) || !CHECK(record->Action >= 1 && record->Action <= 5))
            return;
        if (!conform_wine) /* which packs them closer */
            CHECK_EQ(at % sizeof(DWORD), 0);
        if (strlen(w->text) < sizeof w->text - 300) {
            *out++ = marks[record->Action];
            for (DWORD i = 0; i < record->FileNameLength / 2; i++)
                *out++ = record->FileName[i] == '\\' ? '/' : (char)record->FileName[i];
            *out++ = ' ';
            *out = 0;
        }
        if (!record->NextEntryOffset)
            return;
        CHECK(at + record->NextEntryOffset >= end);
        at += record->NextEntryOffset;
    }
}

/* The result of the call that is under way; its records are added to w->text. FALSE: not in time. */
static BOOL result(struct watched *w, DWORD ms, DWORD *bytes)
{
    if (WaitForSingleObject(w->ov.hEvent, ms) != WAIT_OBJECT_0)
        return FALSE;
    if (!GetOverlappedResult(w->directory, &w->ov, bytes, FALSE)) {
        CHECK_LASTERR(ERROR_NOTIFY_ENUM_DIR);
        *bytes = 0;
    }
    if (*bytes)
        take_records(w, *bytes);
    return TRUE;
}

/* Goes on asking until all that is expected has come, in any order, or nothing comes any more. */
static void gather(struct watched *w, const char *expected)
{
    DWORD bytes;
    while (!has_all(w, expected)) {
        if (!result(w, SOON, &bytes)) {
            FAIL("waited for \"%s\", got \"%s\"", expected, w->text);
            return;
        }
        ResetEvent(w->ov.hEvent);
        CHECK(ask(w));
    }
}

/* Nothing more comes within a while. */
static void check_quiet(struct watched *w)
{
    DWORD bytes;
    if (result(w, SETTLED, &bytes)) {
        FAIL("unexpected \"%s\"", w->text);
        CHECK(ask(w));
    }
}

/* ---- records and actions ---- */

TEST(created, "WATCH-01 WATCH-02 WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 0;
    begin(w);
    CHECK_EQ(w->ov.Internal, 0x103);
    CHECK_EQ(WaitForSingleObject(w->ov.hEvent, 0), WAIT_TIMEOUT);
    make(w, "first.txt");
    REQUIRE(result(w, SOON, &bytes));
    CHECK_STR(w->text, "+first.txt ");
    CHECK_EQ(w->ov.InternalHigh, bytes);
    FILE_NOTIFY_INFORMATION *record = (FILE_NOTIFY_INFORMATION *)w->buffer;
    CHECK_EQ(record->NextEntryOffset, 0);
    CHECK_EQ(record->Action, FILE_ACTION_ADDED);
    CHECK_EQ(record->FileNameLength, 18);
    CHECK_MEM(record->FileName, u"first.txt", 18);
    CHECK_EQ(sizeof *record, 16);
    CHECK(ask(w));
    done(w);
}

TEST(deleted_and_modified, "WATCH-03")
{
    struct watched *w = watched(NAMES | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_SIZE, FALSE,
                                FILE_FLAG_OVERLAPPED);
    write_to(w, "a", "x");
    begin(w);
    write_to(w, "a", "more");
    gather(w, "*a");
    w->text[0] = 0;
    CHECK(DeleteFileA(in(w, "a")));
    gather(w, "-a");
    done(w);
}

TEST(renamed, "WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "old");
    make_dir(w, "olddir");
    begin(w);
    CHECK(MoveFileA(in(w, "old"), in(w, "new")));
    gather(w, "<old >new");
    CHECK_STR(w->text, "<old >new ");
    w->text[0] = 0;
    CHECK(MoveFileA(in(w, "olddir"), in(w, "newdir")));
    gather(w, "<olddir >newdir");
    CHECK_STR(w->text, "<olddir >newdir ");
    done(w);
}

TEST(rename_pairs_stay_together, "WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    char expected[4096] = "";
    char from[20] = "n0";
    make(w, from);
    begin(w);
    for (int i = 1; i <= 100; i++) {
        char to[20];
        snprintf(to, sizeof to, "n%d", i);
        CHECK(MoveFileA(in(w, from), in(w, to)));
        snprintf(expected + strlen(expected), 64, "<%s >%s ", from, to);
        strcpy(from, to);
    }
    gather(w, "<n99 >n100");
    CHECK_STR(w->text, expected);
    done(w);
}

TEST(moved_out_and_in, "WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    const char *outside = temp_path();
    make(w, "a");
    begin(w);
    CHECK(MoveFileA(in(w, "a"), outside));
    gather(w, "-a");
    CHECK(MoveFileA(outside, in(w, "b")));
    gather(w, "+b");
    CHECK_STR(w->text, "-a +b ");
    done(w);
}

TEST(records_are_chained, "WATCH-02")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes;
    begin(w);
    make(w, "1");
    REQUIRE(result(w, SOON, &bytes));
    make(w, "2");
    make(w, "23");
    make(w, "long name with an odd length");
    CHECK(ask(w));
    gather(w, "+1 +2 +23 +long");
    done(w);
}

TEST(odd_names, "WATCH-02")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    WCHAR path[400];
    DWORD bytes;
    int n = MultiByteToWideChar(CP_ACP, 0, w->path, -1, path, 300);
    memcpy(path + n - 1, u"/\u00e4\u20ac\U0001F600", 12);
    begin(w);
    HANDLE file = CreateFileW(path, GENERIC_WRITE, SHARE_ALL, NULL, CREATE_NEW, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
    CHECK(result(w, SOON, &bytes));
    FILE_NOTIFY_INFORMATION *record = (FILE_NOTIFY_INFORMATION *)w->buffer;
    CHECK_EQ(record->FileNameLength, 8);
    CHECK_MEM(record->FileName, u"\u00e4\u20ac\U0001F600", 8);
    CHECK(DeleteFileW(path));
    CHECK(ask(w));
    done(w);
}

/* ---- three ways of being told ---- */

TEST(told_by_a_port, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *ov = NULL;
    HANDLE port = CreateIoCompletionPort(w->directory, NULL, 77, 1);
    REQUIRE(port != NULL);
    CHECK(ask(w));
    CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0), WAIT_TIMEOUT);
    for (int i = 0; i < 20; i++) {
        char name[20];
        snprintf(name, sizeof name, "f%d", i);
        make(w, name);
        REQUIRE(GetQueuedCompletionStatus(port, &bytes, &key, &ov, SOON));
        CHECK_EQ(key, 77);
        CHECK(ov == &w->ov);
        CHECK(bytes > 0);
        take_records(w, bytes);
        CHECK(ask(w));
    }
    CHECK(has_all(w, "+f0 +f7 +f19"));
    CHECK_ERR(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov,
                                    (LPOVERLAPPED_COMPLETION_ROUTINE)(void (*)(void))1),
              ERROR_INVALID_PARAMETER);
    CloseHandle(w->directory);
    w->directory = INVALID_HANDLE_VALUE;
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, SOON) || ov);
    CHECK(ov == &w->ov);
    CloseHandle(port);
    done(w);
}

static DWORD routine_bytes, routine_error;
static int routine_calls;

static void CALLBACK routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    (void)ov;
    routine_error = error;
    routine_bytes = bytes;
    routine_calls++;
}

TEST(told_by_a_routine, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    routine_calls = 0;
    CHECK(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov, routine));
    CHECK_EQ(SleepEx(0, TRUE), 0);
    make(w, "a");
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routine_calls, 1);
    CHECK_EQ(routine_error, 0);
    take_records(w, routine_bytes);
    CHECK_STR(w->text, "+a ");
    done(w);
}

THREAD_FN(make_soon)
{
    until_main_sleeps();
    make(arg, "made");
    return 0;
}

TEST(synchronous_call_blocks, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, 0);
    DWORD bytes = 0;
    HANDLE thread = start_thread(make_soon, w);
    CHECK(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, &bytes, NULL, NULL));
    take_records(w, bytes);
    CHECK_STR(w->text, "+made ");
    JOIN(thread);
    make(w, "between"); /* kept */
    CHECK(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, &bytes, NULL, NULL));
    take_records(w, bytes);
    CHECK_STR(w->text, "+made +between ");
    done(w);
}

/* ---- subtrees and filters ---- */

TEST_W8(subtree, "WATCH-04", "Wine watches no subtrees")
{
    struct watched *w = watched(NAMES, TRUE, FILE_FLAG_OVERLAPPED);
    make_dir(w, "sub");
    make_dir(w, "sub/deep");
    begin(w);
    make(w, "sub/a");
    gather(w, "+sub/a");
    make(w, "sub/deep/b");
    gather(w, "+sub/deep/b");
    CHECK(MoveFileA(in(w, "sub/deep/b"), in(w, "sub/deep/c")));
    gather(w, "<sub/deep/b >sub/deep/c");
    CHECK(DeleteFileA(in(w, "sub/deep/c")));
    gather(w, "-sub/deep/c");
    make(w, "d");
    gather(w, "+d");
    done(w);
}

TEST(only_the_directory_itself, "WATCH-04")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    make_dir(w, "sub");
    begin(w);
    make(w, "sub/a");
    check_quiet(w);
    make(w, "b");
    gather(w, "+b");
    CHECK_STR(w->text, "+b ");
    done(w);
}

TEST_W8(new_directories_join_the_subtree, "WATCH-04", "Wine watches no subtrees")
{
    struct watched *w = watched(NAMES, TRUE, FILE_FLAG_OVERLAPPED);
    begin(w);
    for (int i = 0; i < 50; i++) {
        char name[100], expected[400];
        snprintf(name, sizeof name, "d%d", i);
        make_dir(w, name);
        snprintf(name, sizeof name, "d%d/e", i);
        make_dir(w, name);
        snprintf(name, sizeof name, "d%d/e/f", i);
        make(w, name);
        w->text[0] = 0;
        snprintf(expected, sizeof expected, "+d%d +d%d/e +d%d/e/f", i, i, i);
        gather(w, expected);
    }
    done(w);
}

TEST_W8(directories_that_move, "WATCH-04", "Wine watches no subtrees")
{
    struct watched *w = watched(NAMES, TRUE, FILE_FLAG_OVERLAPPED);
    const char *outside = temp_path();
    char below[400];
    make_dir(w, "a");
    make_dir(w, "a/x");
    make_dir(w, "b");
    begin(w);
    CHECK(MoveFileA(in(w, "a"), in(w, "c"))); /* renamed: known by its new name */
    make(w, "c/x/1");
    gather(w, "<a >c +c/x/1");
    CHECK(MoveFileA(in(w, "c"), in(w, "b/c"))); /* to another directory of the tree */
    make(w, "b/c/x/2");
    gather(w, "+b/c/x/2");
    CHECK(MoveFileA(in(w, "b/c"), outside)); /* out of sight */
    gather(w, "-b/c");
    w->text[0] = 0;
    snprintf(below, sizeof below, "%s/x/3", outside);
    CloseHandle(CreateFileA(below, GENERIC_WRITE, SHARE_ALL, NULL, CREATE_NEW, 0, NULL));
    make(w, "mark");
    gather(w, "+mark");
    CHECK_STR(w->text, "+mark ");
    CHECK(MoveFileA(outside, in(w, "d"))); /* and back */
    gather(w, "+d");
    make(w, "d/x/4");
    gather(w, "+d/x/4");
    done(w);
}

TEST(filters, "WATCH-05")
{
    struct watched *w = watched(FILE_NOTIFY_CHANGE_DIR_NAME, FALSE, FILE_FLAG_OVERLAPPED);
    begin(w);
    make(w, "file");
    write_to(w, "file", "text");
    CHECK(DeleteFileA(in(w, "file")));
    check_quiet(w);
    make_dir(w, "directory");
    gather(w, "+directory");
    CHECK_STR(w->text, "+directory ");
    done(w);

    w = watched(FILE_NOTIFY_CHANGE_FILE_NAME, FALSE, FILE_FLAG_OVERLAPPED);
    begin(w);
    make_dir(w, "directory");
    check_quiet(w);
    write_to(w, "file", "text");
    gather(w, "+file");
    check_quiet(w);
    CHECK_STR(w->text, "+file ");
    done(w);

    w = watched(FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "file");
    begin(w);
    make_dir(w, "directory2");
    CHECK(MoveFileA(in(w, "directory2"), in(w, "directory3")));
    check_quiet(w);
    write_to(w, "file", "text");
    gather(w, "*file");
    done(w);
}

TEST(attributes, "WATCH-05")
{
    struct watched *w = watched(FILE_NOTIFY_CHANGE_ATTRIBUTES, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "file");
    begin(w);
    write_to(w, "file", "text");
    make(w, "other");
    CHECK(SetFileAttributesA(in(w, "file"), FILE_ATTRIBUTE_READONLY));
    gather(w, "*file");
    CHECK(!strstr(w->text, "other"));
    CHECK(SetFileAttributesA(in(w, "file"), FILE_ATTRIBUTE_NORMAL));
    done(w);
}

TEST(first_call_decides, "WATCH-05 WATCH-06")
{
    struct watched *w = watched(FILE_NOTIFY_CHANGE_FILE_NAME, FALSE, FILE_FLAG_OVERLAPPED);
    begin(w);
    make(w, "a");
    gather(w, "+a");
    w->filter = FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME;
    make(w, "b");
    gather(w, "+b");
    CHECK_STR(w->text, "+a +b ");
    done(w);
}

/* ---- between calls ---- */

TEST(kept_between_calls, "WATCH-06")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes;
    begin(w);
    make(w, "a");
    REQUIRE(result(w, SOON, &bytes));
    make(w, "b");
    make(w, "c");
    CHECK(DeleteFileA(in(w, "b")));
    CHECK(ask(w)); /* the event is reset by it */
    gather(w, "+b +c -b");
    CHECK_STR(w->text, "+a +b +c -b ");
    done(w);
}

TEST(nothing_before_the_first_call, "WATCH-06")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "before");
    begin(w);
    check_quiet(w);
    make(w, "after");
    gather(w, "+after");
    CHECK_STR(w->text, "+after ");
    done(w);
}

TEST(too_many_for_the_buffer, "WATCH-07")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 99;
    w->size = 256;
    begin(w);
    make(w, "first");
    REQUIRE(result(w, SOON, &bytes));
    for (int i = 0; i < 40; i++) {
        char name[80];
        snprintf(name, sizeof name, "a name that is by no means short %d", i);
        make(w, name);
    }
    ResetEvent(w->ov.hEvent);
    CHECK(ask(w));
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    if (GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE))
        CHECK_EQ(bytes, 0);
    else
        CHECK_LASTERR(ERROR_NOTIFY_ENUM_DIR);
    CHECK(ask(w)); /* all dropped; from now on it tells again */
    while (WaitForSingleObject(w->ov.hEvent, SETTLED) == WAIT_OBJECT_0)
        CHECK(ask(w)); /* what was still on its way */
    w->text[0] = 0;
    make(w, "again");
    gather(w, "+again");
    done(w);
}

TEST(record_larger_than_the_buffer, "WATCH-07")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 99;
    w->size = 16;
    begin(w);
    make(w, "a name of more than two characters");
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    if (GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE))
        CHECK_EQ(bytes, 0);
    else
        CHECK_LASTERR(ERROR_NOTIFY_ENUM_DIR);
    CHECK(ask(w));
    done(w);
}

/* ---- errors and ends ---- */

TEST_W8(alignment, "WATCH-08", "Wine does not check it")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    CHECK_ERR(ReadDirectoryChangesW(w->directory, (char *)w->buffer + 1, 1000, FALSE, NAMES, NULL, &w->ov,
                                    NULL), ERROR_NOACCESS);
    CHECK_ERR(ReadDirectoryChangesW(w->directory, (char *)w->buffer + 2, 1000, FALSE, NAMES, NULL, &w->ov,
                                    NULL), ERROR_NOACCESS);
    done(w);
}

TEST(refused, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    HANDLE other;
    CHECK_ERR(ReadDirectoryChangesW(NULL, w->buffer, 1000, FALSE, NAMES, NULL, &w->ov, NULL),
              ERROR_INVALID_HANDLE);
    CHECK_ERR(ReadDirectoryChangesW(w->directory, w->buffer, 1000, FALSE, 0, NULL, &w->ov, NULL),
              ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadDirectoryChangesW(w->directory, w->buffer, 1000, FALSE, 0x80000000, NULL, &w->ov, NULL),
              ERROR_INVALID_PARAMETER);
    other = CreateFileA(w->path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
                        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    REQUIRE(other != INVALID_HANDLE_VALUE);
    TODO_WINE("Wine does not look at the access") {
        CHECK_ERR(ReadDirectoryChangesW(other, w->buffer, 1000, FALSE, NAMES, NULL, &w->ov, NULL),
                  ERROR_ACCESS_DENIED);
    }
    CloseHandle(other);
    other = temp_file(1, FILE_FLAG_OVERLAPPED);
    TODO_WINE("Wine watches files") {
        CHECK_ERR(ReadDirectoryChangesW(other, w->buffer, 1000, FALSE, NAMES, NULL, &w->ov, NULL),
                  ERROR_INVALID_PARAMETER);
    }
    CloseHandle(other);
    done(w);
}

TEST(cancelled, "CANCEL-03 CANCEL-05")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes;
    begin(w);
    CHECK(CancelIoEx(w->directory, &w->ov));
    CHECK_EQ(WaitForSingleObject(w->ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_ERR(GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE), ERROR_OPERATION_ABORTED);
    make(w, "a");
    CHECK(ask(w));
    gather(w, "+a"); /* the watch itself goes on */
    done(w);
}

TEST(two_calls_at_once, "WATCH-01 OVL-13")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD other[256], bytes;
    OVERLAPPED second = {.hEvent = manual_event()};
    begin(w);
    CHECK(ReadDirectoryChangesW(w->directory, other, sizeof other, FALSE, NAMES, NULL, &second, NULL));
    make(w, "a");
    CHECK(result(w, SOON, &bytes));
    CHECK_STR(w->text, "+a ");
    CHECK_EQ(WaitForSingleObject(second.hEvent, SETTLED), WAIT_TIMEOUT);
    make(w, "b");
    CHECK_EQ(WaitForSingleObject(second.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(second.Internal, 0);
    CHECK(ask(w));
    CloseHandle(second.hEvent);
    done(w);
}

/* Documented nowhere; libuv's Windows code knows that a directory ends so. */
TEST_W8(the_directory_is_deleted, "WATCH-01", "Wine does not tell")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes;
    begin(w);
    REQUIRE(RemoveDirectoryA(w->path));
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    CHECK_ERR(GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE), ERROR_ACCESS_DENIED);
    if (ask(w)) { /* refused at once, or a moment later */
        CHECK_EQ(WaitForSingleObject(w->ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK(!GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE));
    }
    CHECK_LASTERR(ERROR_ACCESS_DENIED);
    SetEvent(w->ov.hEvent);
    done(w);
}

/* ---- many ---- */

enum { FILES = 10000, DIRECTORIES = 10 };

static void make_many(const struct watched *w)
{
    for (int d = 0; d < DIRECTORIES; d++) {
        char name[40];
        snprintf(name, sizeof name, "d%d", d);
        make_dir(w, name);
        for (int i = d; i < FILES; i += DIRECTORIES) {
            snprintf(name, sizeof name, "d%d/f%d", d, i);
            make(w, name);
        }
    }
}

THREAD_FN(make_many_thread)
{
    make_many(arg);
    return 0;
}

/* Counts the files that the records in `data` name. */
static void count_files(const void *data, DWORD bytes, char *seen)
{
    const char *at = data;
    while (bytes) {
        const FILE_NOTIFY_INFORMATION *record = (const FILE_NOTIFY_INFORMATION *)(const void *)at;
        DWORD n = record->FileNameLength / 2, i = 0;
        int number = 0;
        while (i < n && record->FileName[i] != 'f')
            i++;
        for (i++; i < n; i++)
            number = number * 10 + record->FileName[i] - '0';
        if (i == n && number < FILES && record->Action == FILE_ACTION_ADDED)
            seen[number]++;
        at += record->NextEntryOffset;
        if (!record->NextEntryOffset)
            return;
    }
}

/* Every file is reported, or the program is told that something is missing. */
static void burst(BOOL meanwhile, DWORD size)
{
    struct watched *w = watched(NAMES, TRUE, FILE_FLAG_OVERLAPPED);
    char *seen = calloc(1, FILES), *buffer = malloc(size);
    int missing = 0, twice = 0, told = 0;
    HANDLE thread = NULL;
    DWORD bytes;
    w->ov.hEvent = manual_event();
    CHECK(ReadDirectoryChangesW(w->directory, buffer, size, TRUE, NAMES, NULL, &w->ov, NULL));
    if (meanwhile)
        thread = start_thread(make_many_thread, w);
    else
        make_many(w);
    for (;;) {
        /* On a busy machine the maker may pause for long: silence counts from its end. */
        BOOL made = !thread || WaitForSingleObject(thread, 0) == WAIT_OBJECT_0;
        if (WaitForSingleObject(w->ov.hEvent, 500) != WAIT_OBJECT_0) {
            if (made)
                break;
            continue;
        }
        if (!GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE))
            bytes = 0;
        told += bytes == 0;
        count_files(buffer, bytes, seen);
        CHECK(ReadDirectoryChangesW(w->directory, buffer, size, TRUE, NAMES, NULL, &w->ov, NULL));
    }
    if (thread)
        JOIN(thread);
    for (int i = 0; i < FILES; i++) {
        missing += !seen[i];
        twice += seen[i] > 1;
    }
    CHECK_MSG(missing == 0 || told > 0, "%d files were never reported, and nobody was told", missing);
    CHECK_MSG(twice == 0, "%d files were reported twice", twice);
    if (size >= 1 << 20)
        CHECK_MSG(missing == 0, "%d files were never reported, though there was room", missing);
    CloseHandle(w->directory);
    w->directory = INVALID_HANDLE_VALUE;
    CHECK_EQ(WaitForSingleObject(w->ov.hEvent, SOON), WAIT_OBJECT_0);
    free(seen);
    free(buffer);
    done(w);
}

TEST_W8(burst_into_a_small_buffer, "WATCH-07 WATCH-06", "Wine watches no subtrees") { burst(FALSE, 16384); }
TEST_W8(burst_into_a_large_buffer, "WATCH-06", "Wine watches no subtrees") { burst(FALSE, 4 << 20); }
TEST_W8(burst_while_asking, "WATCH-06 WATCH-07", "Wine watches no subtrees") { burst(TRUE, 65536); }
