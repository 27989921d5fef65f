/* SPDX-License-Identifier: MIT */
/* Names as Windows programs write them, and what becomes of them. */
#include "unit.h"

#include "base/path.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum path_kind kind;
    const char *text;
} good[] = {
    {"file.txt", PATH_FILE, "file.txt"},
    {"dir\\sub\\File.TXT", PATH_FILE, "dir/sub/File.TXT"},
    {"dir\\sub/mixed", PATH_FILE, "dir/sub/mixed"},
    {"..\\up", PATH_FILE, "../up"},
    {"\\rooted\\x", PATH_FILE, "/rooted/x"},
    {"/tmp/x", PATH_FILE, "/tmp/x"},
    {"//tmp/x", PATH_FILE, "//tmp/x"},
    {"C:\\Windows\\x", PATH_FILE, "/Windows/x"},
    {"c:/x", PATH_FILE, "/x"},
    {"C:\\", PATH_FILE, "/"},
    {"C:", PATH_FILE, "."},
    {"C:rel\\x", PATH_FILE, "rel/x"},
    {"Q:\\a\\b", PATH_FILE, "/srv/q/a/b"},
    {"q:\\", PATH_FILE, "/srv/q/"},
    {"\\\\?\\C:\\long\\x", PATH_FILE, "/long/x"},
    {"\\\\.\\Q:\\x", PATH_FILE, "/srv/q/x"},
    {"\\??\\C:\\x", PATH_FILE, "/x"},
    {"\\\\?\\/home/x", PATH_FILE, "/home/x"},
    {"NUL", PATH_NULL, "/dev/null"},
    {"nul:", PATH_NULL, "/dev/null"},
    {"\\\\.\\NUL", PATH_NULL, "/dev/null"},
    {"nullable.txt", PATH_FILE, "nullable.txt"},
    {"CON", PATH_CONSOLE, "/dev/tty"},
    {"CONOUT$", PATH_CONSOLE, "/dev/tty"},
    {"console.log", PATH_FILE, "console.log"},
    {"COM1", PATH_SERIAL, "/dev/ttyS0"},
    {"com3:", PATH_SERIAL, "/dev/pts/77"},
    {"\\\\.\\COM10", PATH_SERIAL, "/dev/ttyS9"},
    {"COM10", PATH_FILE, "COM10"},
    {"COMet", PATH_FILE, "COMet"},
    {"\\\\.\\pipe\\Name\\With", PATH_PIPE, "Name\\With"},
    {"\\\\.\\PIPE\\x", PATH_PIPE, "x"},
    {"\\\\?\\pipe\\x", PATH_PIPE, "x"},
    {"//./pipe/x", PATH_PIPE, "x"},
};

static const struct {
    const char *name;
    unsigned status;
} bad[] = {
    {"", 0xC000003A},
    {"\\\\server\\share\\x", 0xC00000BE},
    {"\\\\?\\UNC\\server\\share", 0xC00000BE},
    {"\\\\.\\PhysicalDrive0", 0xC0000034},
    {"\\\\.\\pipe\\", 0xC0000034},
    {"\\\\.\\", 0xC0000034},
};

TEST(names)
{
    static struct path path;
    char name[64];

    setenv("IOCP_DRIVE_Q", "/srv/q/", 1);
    setenv("IOCP_COM3", "/dev/pts/77", 1);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memset(&path, 0x55, sizeof path);
        CHECK_EQ(path_parse(&path, good[i].name), 0);
        CHECK_EQ(path.kind, good[i].kind);
        CHECK_STR(path.text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!CHECK_EQ(path_parse(&path, bad[i].name), (int)bad[i].status & 0xFFFFFFFFu))
            printf("    %s\n", bad[i].name);
    /* A drive that the environment does not name is the root. */
    snprintf(name, sizeof name, "Z:\\x");
    CHECK_EQ(path_parse(&path, name), 0);
    CHECK_STR(path.text, "/x");
}

TEST(lengths)
{
    static struct path path;
    char name[PATH_SIZE + 8];

    memset(name, 'a', sizeof name);
    name[PATH_SIZE - 1] = 0;
    CHECK_EQ(path_parse(&path, name), 0);
    CHECK_EQ(strlen(path.text), PATH_SIZE - 1);
    name[PATH_SIZE - 1] = 'a';
    name[PATH_SIZE] = 0;
    CHECK_EQ(path_parse(&path, name), 0xC0000106u);
    memcpy(name, "Q:\\", 3);
    CHECK_EQ(path_parse(&path, name), 0xC0000106u);
}

TEST(wide)
{
    static struct path path;

    CHECK_EQ(path_parse16(&path, u"C:\\caf\u00e9"), 0);
    CHECK_STR(path.text, "/caf\xC3\xA9");
}
