/* SPDX-License-Identifier: MIT */
/*
 * Opening files: the five dispositions and their errors, share modes, directories, deletion on close.
 */
#include "conform.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static HANDLE open_as(const char *path, DWORD access, DWORD share, DWORD disposition, DWORD flags)
{
    return CreateFileA(path, access, share, NULL, disposition, flags, NULL);
}

/* Like CHECK_ERR, for a call that gives a file handle. */
#define CHECK_OPENERR(CALL, CODE)                                                                    \
    (SetLastError(0xDEADBEEF),                                                                       \
     conform_pass(CHECK_MSG((CALL) == INVALID_HANDLE_VALUE, "%s succeeded", #CALL) && CHECK_LASTERR(CODE)))

static int exists(const char *path)
{
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

static DWORD size_of(HANDLE file)
{
    DWORD size = GetFileSize(file, NULL);
    CloseHandle(file);
    return size;
}

/* ---- dispositions ---- */

TEST(what_is_missing, "FILE-26")
{
    const char *path = temp_path();
    char below[400];
    CHECK_OPENERR(open_as(path, GENERIC_READ, 0, OPEN_EXISTING, 0), ERROR_FILE_NOT_FOUND);
    CHECK_EQ(ERROR_FILE_NOT_FOUND, 2);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, 0, TRUNCATE_EXISTING, 0), ERROR_FILE_NOT_FOUND);
    CHECK_OPENERR(open_as(path, GENERIC_READ, 0, OPEN_EXISTING, FILE_FLAG_OVERLAPPED), ERROR_FILE_NOT_FOUND);
    CHECK(!exists(path));
    snprintf(below, sizeof below, "%s/below", path); /* no such directory: another error */
    CHECK_OPENERR(open_as(below, GENERIC_READ, 0, OPEN_EXISTING, 0), ERROR_PATH_NOT_FOUND);
    CHECK_OPENERR(open_as(below, GENERIC_WRITE, 0, CREATE_ALWAYS, 0), ERROR_PATH_NOT_FOUND);
    CHECK_OPENERR(open_as(below, GENERIC_WRITE, 0, CREATE_NEW, 0), ERROR_PATH_NOT_FOUND);
}

TEST(no_name, "FILE-26")
{
    CHECK_OPENERR(open_as("", GENERIC_READ, 0, OPEN_EXISTING, 0), ERROR_PATH_NOT_FOUND);
    CHECK_OPENERR(open_as("", GENERIC_WRITE, 0, CREATE_ALWAYS, 0), ERROR_PATH_NOT_FOUND);
    CHECK_OPENERR(open_as(NULL, GENERIC_READ, 0, OPEN_EXISTING, 0), ERROR_PATH_NOT_FOUND);
}

TEST(what_is_there_already, "FILE-26")
{
    const char *path = temp_content(10);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, 0, CREATE_NEW, 0), ERROR_FILE_EXISTS);
    CHECK_EQ(ERROR_FILE_EXISTS, 80);
    HANDLE file = open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, CREATE_NEW, 0), ERROR_FILE_EXISTS);
    CHECK_EQ(size_of(file), 10); /* untouched by the attempts */
}

TEST(create_new_makes, "FILE-26")
{
    const char *path = temp_path();
    SetLastError(0xDEADBEEF);
    HANDLE file = open_as(path, GENERIC_WRITE, 0, CREATE_NEW, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(exists(path));
    CHECK_EQ(size_of(file), 0);
}

TEST(open_existing_and_truncate, "FILE-26")
{
    const char *path = temp_content(10);
    HANDLE file = open_as(path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_EXISTING, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(size_of(file), 10);
    file = open_as(path, GENERIC_WRITE, 0, TRUNCATE_EXISTING, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(size_of(file), 0);
    CHECK_OPENERR(open_as(path, GENERIC_READ, 0, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK_OPENERR(open_as(path, GENERIC_READ, 0, 6, 0), ERROR_INVALID_PARAMETER);
}

TEST(truncating_needs_the_right, "")
{
    const char *path = temp_content(10);
    TODO_WINE("Wine 8 truncates without the right to write") {
        HANDLE file = open_as(path, GENERIC_READ, 0, TRUNCATE_EXISTING, 0);
        CHECK(file == INVALID_HANDLE_VALUE);
        CHECK_LASTERR(ERROR_INVALID_PARAMETER);
        if (file != INVALID_HANDLE_VALUE)
            CloseHandle(file);
        file = open_as(path, GENERIC_READ, 0, OPEN_EXISTING, 0);
        CHECK_EQ(size_of(file), 10);
    }
}

TEST(always_tells_by_last_error, "FILE-27")
{
    static const DWORD dispositions[] = {OPEN_ALWAYS, CREATE_ALWAYS};
    for (int i = 0; i < 2; i++) {
        const char *path = temp_path();
        DWORD bytes;
        SetLastError(0xDEADBEEF);
        HANDLE file = open_as(path, GENERIC_WRITE, 0, dispositions[i], 0);
        REQUIRE(file != INVALID_HANDLE_VALUE);
        CHECK_LASTERR(0);
        CHECK(WriteFile(file, "12345", 5, &bytes, NULL));
        CloseHandle(file);
        SetLastError(0xDEADBEEF);
        file = open_as(path, GENERIC_WRITE, 0, dispositions[i], 0);
        REQUIRE(file != INVALID_HANDLE_VALUE);
        CHECK_LASTERR(ERROR_ALREADY_EXISTS);
        CHECK_EQ(ERROR_ALREADY_EXISTS, 183);
        CHECK_EQ(size_of(file), dispositions[i] == OPEN_ALWAYS ? 5 : 0);
    }
}

TEST(wide_names, "FILE-26 FILE-27")
{
    const char *path = temp_path();
    WCHAR wide[300];
    int i = 0;
    for (; path[i]; i++)
        wide[i] = (WCHAR)(unsigned char)path[i];
    wide[i] = 0;
    SetLastError(0xDEADBEEF);
    CHECK(CreateFileW(wide, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_NOT_FOUND);
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_LASTERR(0);
    CHECK(exists(path));
    CloseHandle(file);
}

/* ---- share modes ---- */

/* Rights as a share mode names them: read 1, write 2, delete 4. */
static DWORD access_of(unsigned rights)
{
    return (rights & 1 ? GENERIC_READ : 0) | (rights & 2 ? GENERIC_WRITE : 0) | (rights & 4 ? DELETE : 0);
}

TEST(share_matrix, "FILE-28")
{
    const char *path = temp_content(10);
    int wrong = 0, code = 0, opened = 0, refused = 0;
    for (unsigned first = 0; first < 64; first++) {
        unsigned has = first & 7, lets = first >> 3;
        HANDLE a = open_as(path, access_of(has), lets, OPEN_EXISTING, 0);
        REQUIRE(a != INVALID_HANDLE_VALUE);
        for (unsigned second = 0; second < 64; second++) {
            unsigned wants = second & 7, admits = second >> 3;
            /* Each wants what the other lets, and the other has what it admits; who has no right of these
             * does not take part. */
            int fits = !has || !wants || (!(wants & ~lets) && !(has & ~admits));
            SetLastError(0xDEADBEEF);
            HANDLE b = open_as(path, access_of(wants), admits, OPEN_EXISTING, 0);
            if ((b != INVALID_HANDLE_VALUE) != fits && !wrong++)
                FAIL("has %u lets %u, wants %u admits %u: %s", has, lets, wants, admits,
                     fits ? "refused" : "opened");
            if (b == INVALID_HANDLE_VALUE) {
                refused++;
                code += GetLastError() != ERROR_SHARING_VIOLATION;
            } else {
                opened++;
                CloseHandle(b);
            }
        }
        CloseHandle(a);
    }
    CHECK_EQ(ERROR_SHARING_VIOLATION, 32);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(code, 0);
    CHECK_EQ(opened + refused, 4096);
    CHECK(opened > 500 && refused > 500);
}

TEST(share_of_three, "FILE-28")
{
    const char *path = temp_content(10);
    HANDLE a = open_as(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, 0);
    HANDLE b = open_as(path, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    REQUIRE(a != INVALID_HANDLE_VALUE && b != INVALID_HANDLE_VALUE);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING, 0), ERROR_SHARING_VIOLATION);
    CloseHandle(b); /* it was the one that did not let */
    HANDLE c = open_as(path, GENERIC_WRITE, SHARE_ALL, OPEN_EXISTING, 0);
    CHECK(c != INVALID_HANDLE_VALUE);
    CHECK_OPENERR(open_as(path, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0), ERROR_SHARING_VIOLATION);
    CloseHandle(c);
    b = open_as(path, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
    CHECK(b != INVALID_HANDLE_VALUE);
    CloseHandle(b);
    CloseHandle(a);
    a = open_as(path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_EXISTING, 0); /* nothing is left over */
    CHECK(a != INVALID_HANDLE_VALUE);
    CloseHandle(a);
}

TEST(share_counts_for_creating, "FILE-28 FILE-27 FILE-26")
{
    const char *path = temp_content(10);
    HANDLE a = open_as(path, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
    REQUIRE(a != INVALID_HANDLE_VALUE);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, SHARE_ALL, CREATE_ALWAYS, 0), ERROR_SHARING_VIOLATION);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, SHARE_ALL, TRUNCATE_EXISTING, 0), ERROR_SHARING_VIOLATION);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, SHARE_ALL, OPEN_ALWAYS, 0), ERROR_SHARING_VIOLATION);
    CHECK_OPENERR(open_as(path, FILE_APPEND_DATA, SHARE_ALL, OPEN_EXISTING, 0), ERROR_SHARING_VIOLATION);
    CHECK_EQ(GetFileSize(a, NULL), 10); /* refused before anything was truncated */
    HANDLE b = open_as(path, FILE_READ_ATTRIBUTES, 0, OPEN_EXISTING, 0); /* attributes only: no part in it */
    CHECK(b != INVALID_HANDLE_VALUE);
    CloseHandle(b);
    CloseHandle(a);
}

TEST(share_lasts_until_the_last_duplicate, "FILE-28")
{
    const char *path = temp_content(10);
    HANDLE second = NULL, first = open_as(path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_EXISTING, 0);
    REQUIRE(first != INVALID_HANDLE_VALUE);
    CHECK(DuplicateHandle(GetCurrentProcess(), first, GetCurrentProcess(), &second, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(CloseHandle(first));
    CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0), ERROR_SHARING_VIOLATION);
    CHECK_EQ(GetFileSize(second, NULL), 10);
    CHECK(CloseHandle(second));
    first = open_as(path, GENERIC_READ, 0, OPEN_EXISTING, 0);
    CHECK(first != INVALID_HANDLE_VALUE);
    CloseHandle(first);
}

struct contest {
    const char *path;
    struct meeting *start;
    volatile LONG *holders;
    LONG won, wrong, rounds;
};

THREAD_FN(opens_alone)
{
    struct contest *c = arg;
    meet(c->start);
    for (LONG i = 0; i < c->rounds; i++) {
        HANDLE file = open_as(c->path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_EXISTING, 0);
        if (file == INVALID_HANDLE_VALUE) {
            c->wrong += GetLastError() != ERROR_SHARING_VIOLATION;
            continue;
        }
        c->wrong += InterlockedIncrement(c->holders) != 1;
        c->won++;
        InterlockedDecrement(c->holders);
        CloseHandle(file);
    }
    return 0;
}

TEST(exclusive_means_one, "FILE-28")
{
    const char *path = temp_content(10);
    struct meeting start = {.need = 3};
    volatile LONG holders = 0;
    struct contest c[3];
    HANDLE threads[3];
    LONG won = 0;
    for (int i = 0; i < 3; i++) {
        c[i] = (struct contest){path, &start, &holders, 0, 0, conform_wine ? 100 : 1000};
        threads[i] = start_thread(opens_alone, &c[i]);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(c[i].wrong, 0);
        won += c[i].won;
    }
    CHECK(won > 0);
}

TEST(deleting_needs_the_share, "FILE-28")
{
    const char *path = temp_content(10);
    HANDLE file = open_as(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(DeleteFileA(path), ERROR_SHARING_VIOLATION);
    CHECK(exists(path));
    CloseHandle(file);
    file = open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
    CHECK(DeleteFileA(path));
    CHECK_EQ(GetFileSize(file, NULL), 10); /* the handle lives on */
    CloseHandle(file);
    CHECK(!exists(path));
    CHECK_ERR(DeleteFileA(path), ERROR_FILE_NOT_FOUND);
}

/* ---- directories ---- */

TEST(directories, "FILE-29")
{
    const char *path = temp_path();
    REQUIRE(CreateDirectoryA(path, NULL));
    CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0), ERROR_ACCESS_DENIED);
    CHECK_EQ(ERROR_ACCESS_DENIED, 5);
    CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED),
                  ERROR_ACCESS_DENIED);
    CHECK_OPENERR(open_as(path, GENERIC_WRITE, SHARE_ALL, OPEN_ALWAYS, 0), ERROR_ACCESS_DENIED);
    HANDLE directory = open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    CHECK(directory != INVALID_HANDLE_VALUE);
    BY_HANDLE_FILE_INFORMATION info;
    CHECK(GetFileInformationByHandle(directory, &info));
    CHECK(info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
    CHECK(CloseHandle(directory));
    directory = open_as(path, FILE_LIST_DIRECTORY, SHARE_ALL, OPEN_EXISTING,
                        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED);
    CHECK(directory != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(directory));
    const char *file_path = temp_content(10);
    HANDLE file = open_as(file_path, GENERIC_READ, 0, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    CHECK(file != INVALID_HANDLE_VALUE); /* the flag does a file no harm */
    CHECK_EQ(size_of(file), 10);
    CHECK(RemoveDirectoryA(path));
    CHECK(!exists(path));
}

/* ---- deletion on close ---- */

TEST(delete_on_close_with_others, "")
{
    const char *path = temp_path();
    DWORD bytes;
    HANDLE file = open_as(path, GENERIC_READ | GENERIC_WRITE | DELETE, SHARE_ALL, CREATE_NEW,
                          FILE_FLAG_DELETE_ON_CLOSE);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, "abc", 3, &bytes, NULL));
    CHECK(exists(path));
    /* Who comes later must share deletion. */
    CHECK_OPENERR(open_as(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, 0),
                  ERROR_SHARING_VIOLATION);
    HANDLE other = open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0);
    REQUIRE(other != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(file));
    CHECK_EQ(GetFileSize(other, NULL), 3); /* not gone while somebody has it open ... */
    char text[4] = {0};
    CHECK(ReadFile(other, text, 3, &bytes, NULL));
    CHECK_STR(text, "abc");
    TODO_WINE("Wine 8 forgets the deletion when another handle is open")
        CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0), ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(other));
    TODO_WINE("Wine 8 forgets the deletion when another handle is open") {
        CHECK(!exists(path)); /* ... but after the last */
        CHECK_OPENERR(open_as(path, GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0), ERROR_FILE_NOT_FOUND);
    }
}

TEST(delete_on_close_of_one_handle, "FILE-28")
{
    const char *path = temp_content(10);
    HANDLE file = open_as(path, GENERIC_READ | DELETE, SHARE_ALL, OPEN_EXISTING,
                          FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(exists(path));
    CHECK(CloseHandle(file));
    CHECK(!exists(path));
    path = temp_content(10);
    file = open_as(path, GENERIC_READ | DELETE, SHARE_ALL, OPEN_EXISTING, 0); /* without the flag: stays */
    CHECK(CloseHandle(file));
    CHECK(exists(path));
}

TEST(delete_on_close_wants_the_share_of_those_before, "FILE-28")
{
    const char *path = temp_content(10);
    HANDLE file = open_as(path, GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_OPENERR(open_as(path, GENERIC_READ | DELETE, SHARE_ALL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE),
                  ERROR_SHARING_VIOLATION);
    CHECK(CloseHandle(file));
    CHECK(exists(path));
}
