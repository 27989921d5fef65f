/* SPDX-License-Identifier: MIT */
/*
 * ReadDirectoryChangesExW: the records that say what a changed file is, beside those that only name it.
 * The oracle are Microsoft's pages (winbase/readdirectorychangesexw, winnt/file_notify_extended_information):
 * mingw's headers do not know the function.
 */
#include "conform.h"
#include "watch.h"

#ifdef __MINGW32__

TEST(extended, "") { SKIP("no ReadDirectoryChangesExW here"); }

#else

#define PLAIN    ReadDirectoryNotifyInformation
#define EXTENDED ReadDirectoryNotifyExtendedInformation

typedef FILE_NOTIFY_EXTENDED_INFORMATION RECORD;

static BOOL ask_ex(struct watched *w, READ_DIRECTORY_NOTIFY_INFORMATION_CLASS kind)
{
    return ReadDirectoryChangesExW(w->directory, w->buffer, w->size, w->subtree, w->filter, NULL, &w->ov,
                                   NULL, kind);
}

static void begin(struct watched *w)
{
    w->ov.hEvent = manual_event();
    CHECK(ask_ex(w, EXTENDED));
}

/* What came for names of one letter or path of two, by their last letter. */
static RECORD seen[128];

/* Checks the form of the records, adds them to w->text and to `seen`. */
static void take(struct watched *w, DWORD bytes)
{
    const char *base = (const char *)w->buffer;
    DWORD at = 0;
    for (;;) {
        const RECORD *record = (const RECORD *)(const void *)(base + at);
        char *out = w->text + strlen(w->text);
        DWORD units = record->FileNameLength / 2;
        DWORD end = at + (DWORD)offsetof(RECORD, FileName) + record->FileNameLength;
        if (!CHECK(end <= bytes) || !CHECK(record->Action >= 1 && record->Action <= 5) || !CHECK(units > 0))
            return;
        CHECK_EQ(at % sizeof(LARGE_INTEGER), 0);
        if (strlen(w->text) < sizeof w->text - 300) {
            *out++ = "?+-*<>"[record->Action];
            for (DWORD i = 0; i < units; i++)
                *out++ = record->FileName[i] == '\\' ? '/' : (char)record->FileName[i];
            *out++ = ' ';
            *out = 0;
        }
        seen[record->FileName[units - 1] & 127] = *record;
        if (!record->NextEntryOffset)
            return;
        CHECK(at + record->NextEntryOffset >= end);
        at += record->NextEntryOffset;
    }
}

static void gather(struct watched *w, const char *expected)
{
    DWORD bytes;
    while (!has_all(w, expected)) {
        if (WaitForSingleObject(w->ov.hEvent, SOON) != WAIT_OBJECT_0) {
            FAIL("waited for \"%s\", got \"%s\"", expected, w->text);
            return;
        }
        CHECK(GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE));
        if (bytes)
            take(w, bytes);
        ResetEvent(w->ov.hEvent);
        CHECK(ask_ex(w, EXTENDED));
    }
}

static BY_HANDLE_FILE_INFORMATION info_of(const char *path)
{
    BY_HANDLE_FILE_INFORMATION info = {0};
    HANDLE file = CreateFileA(path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS, NULL);
    CHECK(GetFileInformationByHandle(file, &info));
    CloseHandle(file);
    return info;
}

static LONGLONG id_of(const char *path)
{
    BY_HANDLE_FILE_INFORMATION info = info_of(path);
    return (LONGLONG)((ULONGLONG)info.nFileIndexHigh << 32 | info.nFileIndexLow);
}

static LONGLONG time_of(FILETIME t)
{
    return (LONGLONG)((ULONGLONG)t.dwHighDateTime << 32 | t.dwLowDateTime);
}

TEST(form, "WATCH-02")
{
    CHECK_EQ(sizeof(RECORD), 88);
    CHECK_EQ(offsetof(RECORD, CreationTime), 8);
    CHECK_EQ(offsetof(RECORD, FileSize), 48);
    CHECK_EQ(offsetof(RECORD, ReparsePointTag), 60);
    CHECK_EQ(offsetof(RECORD, FileId), 64);
    CHECK_EQ(offsetof(RECORD, FileName), 84);
    CHECK_EQ(PLAIN, 1);
    CHECK_EQ(EXTENDED, 2);
}

TEST(says_what_a_file_is, "WATCH-01 WATCH-02 WATCH-03")
{
    struct watched *w = watched(NAMES | FILE_NOTIFY_CHANGE_SIZE, FALSE, FILE_FLAG_OVERLAPPED);
    begin(w);
    make(w, "a");
    make_dir(w, "d");
    gather(w, "+a +d");
    CHECK_EQ(seen['a'].FileId.QuadPart, id_of(in(w, "a")));
    CHECK_EQ(seen['a'].ParentFileId.QuadPart, id_of(w->path));
    CHECK_EQ(seen['a'].FileAttributes, FILE_ATTRIBUTE_ARCHIVE);
    CHECK_EQ(seen['a'].FileSize.QuadPart, 0);
    CHECK_EQ(seen['d'].FileId.QuadPart, id_of(in(w, "d")));
    CHECK_EQ(seen['d'].FileAttributes, FILE_ATTRIBUTE_DIRECTORY);
    CHECK_EQ(seen['d'].ReparsePointTag, 0);
    write_to(w, "a", "twelve bytes");
    gather(w, "*a");
    CHECK_EQ(seen['a'].FileSize.QuadPart, 12);
    CHECK(seen['a'].AllocatedLength.QuadPart >= 0);
    BY_HANDLE_FILE_INFORMATION info = info_of(in(w, "a"));
    CHECK_EQ(seen['a'].CreationTime.QuadPart, time_of(info.ftCreationTime));
    CHECK_EQ(seen['a'].LastModificationTime.QuadPart, time_of(info.ftLastWriteTime));
    CHECK(seen['a'].LastChangeTime.QuadPart >= seen['a'].CreationTime.QuadPart);
    CHECK(seen['a'].LastAccessTime.QuadPart >= seen['a'].CreationTime.QuadPart);
    done(w);
}

TEST(both_names_are_one_file, "WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "a");
    LONGLONG id = id_of(in(w, "a"));
    begin(w);
    CHECK(MoveFileA(in(w, "a"), in(w, "b")));
    gather(w, "<a >b");
    CHECK_EQ(seen['a'].FileId.QuadPart, id);
    CHECK_EQ(seen['b'].FileId.QuadPart, id);
    CHECK_EQ(seen['a'].ParentFileId.QuadPart, id_of(w->path));
    done(w);
}

/* Of what is gone Windows knows more; a file and a directory are told apart all the same. */
TEST(what_is_gone, "WATCH-03")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    make(w, "a");
    make_dir(w, "d");
    begin(w);
    CHECK(DeleteFileA(in(w, "a")));
    CHECK(RemoveDirectoryA(in(w, "d")));
    gather(w, "-a -d");
    CHECK(!(seen['a'].FileAttributes & FILE_ATTRIBUTE_DIRECTORY));
    CHECK(seen['d'].FileAttributes & FILE_ATTRIBUTE_DIRECTORY);
    CHECK_EQ(seen['a'].ParentFileId.QuadPart, id_of(w->path));
    CHECK_EQ(seen['d'].ParentFileId.QuadPart, id_of(w->path));
    done(w);
}

TEST(parents_in_a_tree, "WATCH-04")
{
    struct watched *w = watched(NAMES, TRUE, FILE_FLAG_OVERLAPPED);
    make_dir(w, "s");
    begin(w);
    make(w, "s/a");
    make_dir(w, "t");
    make(w, "t/b");
    gather(w, "+s/a +t +t/b");
    CHECK_EQ(seen['a'].ParentFileId.QuadPart, id_of(in(w, "s")));
    CHECK_EQ(seen['a'].FileId.QuadPart, id_of(in(w, "s/a")));
    CHECK_EQ(seen['b'].ParentFileId.QuadPart, id_of(in(w, "t")));
    CHECK_EQ(seen['b'].FileId.QuadPart, id_of(in(w, "t/b")));
    done(w);
}

TEST(plain_records, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    FILE_NOTIFY_INFORMATION *record = (FILE_NOTIFY_INFORMATION *)w->buffer;
    DWORD bytes;
    w->ov.hEvent = manual_event();
    CHECK(ask_ex(w, PLAIN));
    make(w, "ab");
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE));
    CHECK_EQ(bytes, offsetof(FILE_NOTIFY_INFORMATION, FileName) + 4);
    CHECK_EQ(record->FileNameLength, 4);
    CHECK_MEM(record->FileName, u"ab", 4);
    CHECK(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov, NULL));
    make(w, "cd"); /* both functions are one watch */
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE));
    CHECK_MEM(record->FileName, u"cd", 4);
    CHECK(ask_ex(w, PLAIN));
    done(w);
}

TEST(kept_between_calls, "WATCH-06 WATCH-07")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 99;
    w->size = 96 * 3; /* three records */
    begin(w);
    make(w, "a");
    gather(w, "+a");
    make(w, "b");
    gather(w, "+b");
    make(w, "c");
    make(w, "d");
    gather(w, "+c +d");
    CHECK_STR(w->text, "+a +b +c +d ");
    CHECK(CancelIoEx(w->directory, &w->ov));
    CHECK_EQ(WaitForSingleObject(w->ov.hEvent, SOON), WAIT_OBJECT_0);
    for (int i = 0; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "e%d", i);
        make(w, name);
    }
    CHECK(ask_ex(w, EXTENDED));
    REQUIRE(WaitForSingleObject(w->ov.hEvent, SOON) == WAIT_OBJECT_0);
    if (GetOverlappedResult(w->directory, &w->ov, &bytes, FALSE))
        CHECK_EQ(bytes, 0);
    else
        CHECK_LASTERR(ERROR_NOTIFY_ENUM_DIR);
    CHECK(ask_ex(w, EXTENDED));
    done(w);
}

TEST(told_by_a_port, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED *ov = NULL;
    HANDLE port = CreateIoCompletionPort(w->directory, NULL, 77, 1);
    REQUIRE(port != NULL);
    CHECK(ask_ex(w, EXTENDED));
    make(w, "a");
    REQUIRE(GetQueuedCompletionStatus(port, &bytes, &key, &ov, SOON));
    CHECK_EQ(key, 77);
    CHECK(ov == &w->ov);
    take(w, bytes);
    CHECK_STR(w->text, "+a ");
    CHECK_ERR(ReadDirectoryChangesExW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov,
                                      (LPOVERLAPPED_COMPLETION_ROUTINE)(void (*)(void))1, EXTENDED),
              ERROR_INVALID_PARAMETER);
    CloseHandle(port);
    done(w);
}

static DWORD routine_bytes;

static void CALLBACK routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    (void)ov;
    CHECK_EQ(error, 0);
    routine_bytes = bytes;
}

TEST(told_by_a_routine, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    CHECK(ReadDirectoryChangesExW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov, routine,
                                  EXTENDED));
    CHECK_EQ(SleepEx(0, TRUE), 0);
    make(w, "a");
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    take(w, routine_bytes);
    CHECK_STR(w->text, "+a ");
    done(w);
}

THREAD_FN(make_soon)
{
    until_main_sleeps();
    make(arg, "a");
    return 0;
}

TEST(synchronous_call_blocks, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, 0);
    DWORD bytes = 0;
    HANDLE thread = start_thread(make_soon, w);
    CHECK(ReadDirectoryChangesExW(w->directory, w->buffer, w->size, FALSE, NAMES, &bytes, NULL, NULL,
                                  EXTENDED));
    take(w, bytes);
    CHECK_STR(w->text, "+a ");
    JOIN(thread);
    done(w);
}

TEST(refused, "WATCH-01 WATCH-08")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    CHECK_ERR(ask_ex(w, (READ_DIRECTORY_NOTIFY_INFORMATION_CLASS)0), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ask_ex(w, (READ_DIRECTORY_NOTIFY_INFORMATION_CLASS)99), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadDirectoryChangesExW(w->directory, w->buffer, 1000, FALSE, 0, NULL, &w->ov, NULL, EXTENDED),
              ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadDirectoryChangesExW(w->directory, (char *)w->buffer + 1, 1000, FALSE, NAMES, NULL, &w->ov,
                                      NULL, EXTENDED), ERROR_NOACCESS);
    CHECK_ERR(ReadDirectoryChangesExW(NULL, w->buffer, 1000, FALSE, NAMES, NULL, &w->ov, NULL, EXTENDED),
              ERROR_INVALID_HANDLE);
    HANDLE other = CreateFileA(w->path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
                               FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    CHECK_ERR(ReadDirectoryChangesExW(other, w->buffer, 1000, FALSE, NAMES, NULL, &w->ov, NULL, EXTENDED),
              ERROR_ACCESS_DENIED);
    CloseHandle(other);
    done(w);
}

#ifndef _WIN32
/* Documented nowhere: here the first call decides. */
TEST(one_kind_for_all_calls, "WATCH-01")
{
    struct watched *w = watched(NAMES, FALSE, FILE_FLAG_OVERLAPPED);
    begin(w);
    CHECK_ERR(ask_ex(w, PLAIN), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadDirectoryChangesW(w->directory, w->buffer, w->size, FALSE, NAMES, NULL, &w->ov, NULL),
              ERROR_INVALID_PARAMETER);
    make(w, "a");
    gather(w, "+a"); /* it goes on as it began */
    done(w);
}
#endif

#endif
