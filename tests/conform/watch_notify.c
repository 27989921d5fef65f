/* SPDX-License-Identifier: MIT */
/*
 * FindFirstChangeNotification: a handle that changes signal.
 */
#include "conform.h"

#define NAMES (FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME)
enum { SOON = 20000, SETTLED = 100 };

static const char *below(const char *directory, const char *name)
{
    static char paths[2][700];
    static int turn;
    char *path = paths[turn++ & 1];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void make(const char *directory, const char *name)
{
    HANDLE file = CreateFileA(below(directory, name), GENERIC_WRITE, 7, NULL, CREATE_NEW, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
}

static const char *new_directory(void)
{
    const char *path = temp_path();
    CHECK(CreateDirectoryA(path, NULL));
    return path;
}

TEST(signalled_by_a_change, "WATCH-09")
{
    const char *path = new_directory();
    HANDLE change = FindFirstChangeNotificationA(path, FALSE, NAMES);
    REQUIRE(change != INVALID_HANDLE_VALUE);
    CHECK_EQ(WaitForSingleObject(change, SETTLED), WAIT_TIMEOUT);
    make(path, "a");
    CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(change, 0), WAIT_OBJECT_0); /* until it is re-armed */
    CHECK(FindNextChangeNotification(change));
    CHECK_EQ(WaitForSingleObject(change, SETTLED), WAIT_TIMEOUT);
    CHECK(DeleteFileA(below(path, "a")));
    CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0);
    CHECK(FindCloseChangeNotification(change));
    CHECK(RemoveDirectoryA(path));
}

TEST_W8(recorded_before_the_next_call, "WATCH-10", "Wine does not record it")
{
    const char *path = new_directory();
    HANDLE change = FindFirstChangeNotificationA(path, FALSE, NAMES);
    REQUIRE(change != INVALID_HANDLE_VALUE);
    make(path, "a");
    CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0);
    make(path, "b");
    CHECK(FindNextChangeNotification(change));
    CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0);
    CHECK(FindNextChangeNotification(change));
    CHECK_EQ(WaitForSingleObject(change, SETTLED), WAIT_TIMEOUT);
    CHECK(DeleteFileA(below(path, "a")));
    CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0);
    CHECK(DeleteFileA(below(path, "b")));
    CHECK(FindCloseChangeNotification(change));
    CHECK(RemoveDirectoryA(path));
}

TEST(classes_and_depth, "WATCH-09 WATCH-05")
{
    const char *path = new_directory();
    HANDLE names = FindFirstChangeNotificationA(path, FALSE, FILE_NOTIFY_CHANGE_DIR_NAME);
    HANDLE tree = FindFirstChangeNotificationA(path, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME);
    HANDLE both[2] = {names, tree};
    REQUIRE(names != INVALID_HANDLE_VALUE && tree != INVALID_HANDLE_VALUE);
    CHECK(CreateDirectoryA(below(path, "sub"), NULL));
    CHECK_EQ(WaitForSingleObject(names, SOON), WAIT_OBJECT_0);
    CHECK(FindNextChangeNotification(names));
    make(path, "sub/file");
    CHECK_EQ(WaitForMultipleObjects(2, both, FALSE, SOON), WAIT_OBJECT_0 + 1);
    CHECK_EQ(WaitForSingleObject(names, SETTLED), WAIT_TIMEOUT);
    CHECK(FindCloseChangeNotification(names));
    CHECK(FindCloseChangeNotification(tree));
    CHECK(DeleteFileA(below(path, "sub/file")));
    CHECK(RemoveDirectoryA(below(path, "sub")));
    CHECK(RemoveDirectoryA(path));
}

TEST(many_rounds, "WATCH-09 WATCH-10")
{
    const char *path = new_directory();
    HANDLE change = FindFirstChangeNotificationA(path, FALSE, NAMES);
    REQUIRE(change != INVALID_HANDLE_VALUE);
    for (int i = 0; i < 500; i++) { /* none is lost between the wait and the re-arming */
        make(path, "x");
        if (!CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0))
            break;
        CHECK(FindNextChangeNotification(change));
        CHECK(DeleteFileA(below(path, "x")));
        if (!CHECK_EQ(WaitForSingleObject(change, SOON), WAIT_OBJECT_0))
            break;
        CHECK(FindNextChangeNotification(change));
    }
    CHECK(FindCloseChangeNotification(change));
    CHECK(RemoveDirectoryA(path));
}

TEST(notifications_refused, "WATCH-09 ERR-04")
{
    const char *path = new_directory();
    SetLastError(0xDEADBEEF);
    CHECK(FindFirstChangeNotificationA(temp_path(), FALSE, NAMES) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_NOT_FOUND);
    CHECK(FindFirstChangeNotificationA(path, FALSE, 0) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CHECK(FindFirstChangeNotificationA(path, FALSE, 0x80000000) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CHECK(FindFirstChangeNotificationA(temp_content(1), FALSE, NAMES) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_DIRECTORY);
    CHECK_ERR(FindNextChangeNotification(NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(FindNextChangeNotification(INVALID_HANDLE_VALUE), ERROR_INVALID_HANDLE);
    CHECK_ERR(FindCloseChangeNotification(NULL), ERROR_INVALID_HANDLE);
    CHECK(RemoveDirectoryA(path));
}
