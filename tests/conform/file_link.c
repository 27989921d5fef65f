/* SPDX-License-Identifier: MIT */
/* Handles of symbolic links themselves: attributes, times, where they point to, removal. And what else
 * libuv's
 * tests of files expect: directories that are not overwritten, modules that are none. */
#include "conform.h"

#include <winioctl.h>

struct link {
    DWORD tag;
    WORD size, reserved, substitute_offset, substitute_size, print_offset, print_size;
    DWORD flags;
    WCHAR text[512];
};

static int make_link(const char *name, const char *target)
{
    WIN32_FIND_DATAA found;
    HANDLE find;

    if (!CreateSymbolicLinkA(name, target, 0))
        return 0;
    find = FindFirstFileA(name, &found); /* Wine says that it has made one */
    if (find == INVALID_HANDLE_VALUE)
        return 0;
    FindClose(find);
    return 1;
}

static HANDLE open_link(const char *name, DWORD access)
{
    return CreateFileA(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

TEST(link_itself, "")
{
    const char *target = temp_content(100), *name = temp_path();
    FILETIME written = {0x12345600, 0x01D00000}, seen;
    BY_HANDLE_FILE_INFORMATION info;
    struct link link;
    DWORD bytes = 0;
    HANDLE file;

    DeleteFileA(name);
    if (!make_link(name, target))
        SKIP("no symbolic links here");
    file = open_link(name, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(GetFileInformationByHandle(file, &info));
    CHECK(info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
    CHECK(SetFileTime(file, NULL, NULL, &written));
    CHECK(GetFileTime(file, NULL, NULL, &seen));
    CHECK_EQ(seen.dwHighDateTime, written.dwHighDateTime);
    CHECK(DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, NULL, 0, &link, sizeof link, &bytes, NULL));
    CHECK_EQ(link.tag, IO_REPARSE_TAG_SYMLINK);
    CHECK_EQ(bytes, link.size + 8u);
    CHECK_EQ(link.print_size, 2 * strlen(target));
    for (size_t i = 0; i < strlen(target); i++)
        CHECK_EQ(link.text[link.print_offset / 2 + i], target[i]);
    CHECK_ERR(DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, NULL, 0, &link, 24, &bytes, NULL),
              ERROR_INSUFFICIENT_BUFFER);
    CloseHandle(file);

    /* The file behind it has kept its time; without the flag it is what is opened. */
    file = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(GetFileTime(file, NULL, NULL, &seen));
    CHECK(seen.dwHighDateTime != written.dwHighDateTime);
    CHECK_EQ(GetFileSize(file, NULL), 100);
    CHECK_ERR(DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, NULL, 0, &link, sizeof link, &bytes, NULL),
              ERROR_NOT_A_REPARSE_POINT);
    CloseHandle(file);
    CHECK(DeleteFileA(name));
    CHECK(GetFileAttributesA(target) != INVALID_FILE_ATTRIBUTES);
    DeleteFileA(target);
}

TEST(dangling_link, "")
{
    const char *name = temp_path();
    FILE_DISPOSITION_INFO gone = {TRUE};
    HANDLE file;

    DeleteFileA(name);
    if (!make_link(name, "nowhere"))
        SKIP("no symbolic links here");
    CHECK(CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    file = open_link(name, DELETE);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(SetFileInformationByHandle(file, FileDispositionInfo, &gone, sizeof gone));
    CloseHandle(file);
    CHECK(open_link(name, FILE_READ_ATTRIBUTES) == INVALID_HANDLE_VALUE);
}

TEST(directory_is_not_overwritten, "")
{
    const char *name = temp_path();

    DeleteFileA(name);
    REQUIRE(CreateDirectoryA(name, NULL));
    CHECK(CreateFileA(name, GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, FILE_FLAG_BACKUP_SEMANTICS, NULL) ==
          INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_EXISTS);
    CHECK(CreateFileA(name, GENERIC_WRITE, 7, NULL, TRUNCATE_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL) ==
          INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_EXISTS);
    CHECK(CreateFileA(name, GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_ACCESS_DENIED);
    CHECK(RemoveDirectoryA(name));
}

TEST(module_that_is_none, "")
{
    const char *name = temp_content(1000);

    CHECK(LoadLibraryA(name) == NULL);
    CHECK_LASTERR(ERROR_BAD_EXE_FORMAT);
    DeleteFileA(name);
    CHECK(LoadLibraryA(name) == NULL);
    CHECK_LASTERR(ERROR_MOD_NOT_FOUND);
}

TEST(variable_that_is_not_there, "")
{
    CHECK(SetEnvironmentVariableA("IOCP_NO_SUCH_NAME", NULL));
    CHECK_EQ(GetEnvironmentVariableA("IOCP_NO_SUCH_NAME", NULL, 0), 0);
    CHECK_LASTERR(ERROR_ENVVAR_NOT_FOUND);
}

TEST(file_is_no_pipe, "")
{
    HANDLE file = temp_file(10, 0);
    DWORD mode = PIPE_READMODE_BYTE | PIPE_WAIT;

    TODO_WINE("says that the handle is bad") {
        CHECK_ERR(SetNamedPipeHandleState(file, &mode, NULL, NULL), ERROR_INVALID_PARAMETER);
    }
    CloseHandle(file);
}
