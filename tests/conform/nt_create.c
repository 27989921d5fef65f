/* SPDX-License-Identifier: MIT */
/*
 * NtCreateFile and NtOpenFile on ordinary files: what each disposition does, and says that it did; names that
 * begin at a directory's handle.
 */
#include "conform.h"
#include "nt.h"
#include "packet.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

enum { SUPERSEDE, OPEN, CREATE, OPEN_IF, OVERWRITE, OVERWRITE_IF };
enum { SUPERSEDED, OPENED, CREATED, OVERWRITTEN };
enum { DIRECTORY_FILE = 1, SYNCHRONOUS = 0x20, NON_DIRECTORY = 0x40 };

static char place[300];
static HANDLE root;

static const char *inside(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static int begin(void)
{
    strcpy(place, temp_path());
    CHECK(CreateDirectoryA(place, NULL));
    root = CreateFileA(place, FILE_LIST_DIRECTORY | SYNCHRONIZE, 7, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
    return CHECK(root != INVALID_HANDLE_VALUE);
}

static void end(void)
{
    CloseHandle(root);
    CHECK(RemoveDirectoryA(place));
}

static nt_status make(HANDLE *out, HANDLE at, const WCHAR *name, int units, ULONG disposition, ULONG options,
                      ULONG_PTR *done)
{
    struct nt_string text = {(USHORT)(units * 2), (USHORT)(units * 2), (WCHAR *)(uintptr_t)name};
    struct nt_attributes attributes = {.length = sizeof attributes, .root = at, .name = &text, .flags = 0x40};
    struct nt_block block = {{0}, 99};
    nt_status status;
    *out = NULL;
    status = nt_NtCreateFile(out, GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE, &attributes, &block,
                             NULL,
                             FILE_ATTRIBUTE_NORMAL, 7, disposition, options | SYNCHRONOUS, NULL, 0);
    *done = block.information;
    return status;
}

TEST(dispositions, "")
{
    NEED(NtCreateFile);
    static const struct {
        ULONG disposition;
        nt_status missing, there;
        ULONG_PTR made, found;
        DWORD size;
    } cases[] = {
        {SUPERSEDE, 0, 0, CREATED, SUPERSEDED, 0},
        {OPEN, NT_NAME_NOT_FOUND, 0, 0, OPENED, 3},
        {CREATE, 0, NT_COLLISION, CREATED, 0, 3},
        {OPEN_IF, 0, 0, CREATED, OPENED, 3},
        {OVERWRITE, NT_NAME_NOT_FOUND, 0, 0, OVERWRITTEN, 0},
        {OVERWRITE_IF, 0, 0, CREATED, OVERWRITTEN, 0}};
    REQUIRE(begin());
    for (int i = 0; i < 6; i++) {
        ULONG_PTR done;
        HANDLE h;
        DWORD n;
        CHECK_NT(make(&h, root, u"f", 1, cases[i].disposition, NON_DIRECTORY, &done), cases[i].missing);
        if (cases[i].missing == 0) {
            CHECK_EQ(done, cases[i].made);
            CHECK(CloseHandle(h));
        }
        h = CreateFileA(inside("f"), GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL);
        CHECK(WriteFile(h, "abc", 3, &n, NULL));
        CloseHandle(h);
        CHECK_NT(make(&h, root, u"f", 1, cases[i].disposition, NON_DIRECTORY, &done), cases[i].there);
        if (cases[i].there == 0) {
            CHECK_EQ(done, cases[i].found);
            CHECK_EQ(GetFileSize(h, NULL), cases[i].size);
            CHECK(CloseHandle(h));
        }
        CHECK(DeleteFileA(inside("f")));
    }
    end();
}

TEST(below_a_directory, "HANDLE-01")
{
    NEED(NtCreateFile);
    ULONG_PTR done;
    HANDLE h, other;
    REQUIRE(begin());
    CHECK(CreateDirectoryA(inside("sub"), NULL));
    CHECK_NT(make(&h, root, u"sub\\f", 5, CREATE, NON_DIRECTORY, &done), 0);
    CHECK_NT(make(&other, root, u"sub", 3, OPEN, NON_DIRECTORY, &done), 0xC00000BA); /* it is a directory */
    CHECK_NT(make(&other, root, u"sub\\f", 5, OPEN, DIRECTORY_FILE, &done), 0xC0000103); /* it is not */
    CHECK_NT(make(&other, root, u"none\\f", 6, OPEN, 0, &done), 0xC000003A); /* no such path */
    CHECK_NT(make(&other, (HANDLE)(ULONG_PTR)0x7FFFFFF0, u"f", 1, OPEN, 0, &done), NT_INVALID_HANDLE);
    CHECK(CloseHandle(h));
    CHECK(DeleteFileA(inside("sub/f")));
    CHECK(RemoveDirectoryA(inside("sub")));
    end();
}

#ifdef __linux__ /* where a directory's name may have a backslash in it */
TEST(below_a_strange_directory, "HANDLE-01")
{
    ULONG_PTR done;
    HANDLE dir, h;
    char strange[600], file[700];
    REQUIRE(begin());
    snprintf(strange, sizeof strange, "%s/a\\b", place);
    snprintf(file, sizeof file, "%s/f", strange);
    CHECK_EQ(mkdir(strange, 0700), 0);
    dir = (HANDLE)(intptr_t)open(strange, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_NT(make(&h, dir, u"f", 1, CREATE, NON_DIRECTORY, &done), 0);
    CHECK(CloseHandle(h));
    CHECK_EQ(unlink(file), 0);
    CHECK(CloseHandle(dir));
    CHECK_EQ(rmdir(strange), 0);
    end();
}
#endif
