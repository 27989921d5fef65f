/* SPDX-License-Identifier: MIT */
/*
 * Listings of a directory by its handle: NtQueryDirectoryFile and the classes of
 * GetFileInformationByHandleEx. Each name once, whatever the buffer; patterns, restarts, the end.
 */
#include "conform.h"
#include "nt.h"
#include "packet.h"

#define SOON_ENOUGH 10000

enum { DIRECTORY = 1, FULL, BOTH, NAMES = 12, ID_BOTH = 37, ID_FULL };

/* The head of all records but those of NAMES, which have the length behind the first two. */
struct head {
    ULONG next, index;
    LARGE_INTEGER created, accessed, written, changed, size, allocated;
    ULONG attributes, length;
};

static const struct { int class; ULONG name; } shapes[] = {
    {DIRECTORY, 64}, {FULL, 68}, {BOTH, 94}, {NAMES, 12}, {ID_BOTH, 104}, {ID_FULL, 80}};

/* ---- a directory ---- */

static char place[300];

static const char *inside(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static void add_file(const char *name, int size)
{
    FILE *file = fopen(inside(name), "wb");
    for (int i = 0; file && i < size; i++)
        putc('x', file);
    if (!file || fclose(file))
        FAIL("cannot make %s", inside(name));
}

static HANDLE open_place(DWORD flags)
{
    HANDLE h = CreateFileA(place, FILE_LIST_DIRECTORY | SYNCHRONIZE, 7, NULL, OPEN_EXISTING,
                           FILE_FLAG_BACKUP_SEMANTICS | flags, NULL);
    if (h == INVALID_HANDLE_VALUE)
        FAIL("cannot open the directory");
    return h;
}

static void make_place(void)
{
    strcpy(place, temp_path());
    if (!CreateDirectoryA(place, NULL))
        FAIL("cannot make %s", place);
}

static void remove_place(int count, const char *const *names)
{
    for (int i = 0; i < count; i++)
        CHECK(DeleteFileA(inside(names[i])));
    CHECK(RemoveDirectoryA(place));
}

static const char *const five[] = {"a.txt", "b.txt", "c.log", "d", "somewhat-longer-than-the-others.txt"};

static void make_five(void)
{
    make_place();
    for (int i = 0; i < 5; i++)
        add_file(five[i], i * 10);
}

/* ---- reading it ---- */

static struct nt_string text_of(const WCHAR *text, int count)
{
    return (struct nt_string){(USHORT)(count * 2), (USHORT)(count * 2), (WCHAR *)(uintptr_t)text};
}

static void narrow(char *to, const void *from, ULONG bytes)
{
    const WCHAR *w = from;
    ULONG i;
    for (i = 0; i < bytes / 2 && i < 255; i++)
        to[i] = (char)w[i];
    to[i] = 0;
}

/* Counts the names in a buffer of records, as `seen` has them; with the dots apart. */
struct seen {
    int total, dots, known[5];
    long long sizes[5];
};

static void look(struct seen *seen, const char *data, int class)
{
    ULONG name_at = 0, next = 0;
    for (int i = 0; i < 6; i++)
        if (shapes[i].class == class)
            name_at = shapes[i].name;
    do {
        const struct head *h = (const void *)(data += next);
        char name[256];
        next = h->next;
        narrow(name, data + name_at, class == NAMES ? *(const ULONG *)(const void *)(data + 8) : h->length);
        seen->total++;
        seen->dots += !strcmp(name, ".") || !strcmp(name, "..");
        for (int i = 0; i < 5; i++) {
            if (strcmp(name, five[i]))
                continue;
            seen->known[i]++;
            if (class != NAMES)
                seen->sizes[i] = h->size.QuadPart;
        }
    } while (next);
}

static nt_status ask(HANDLE h, struct nt_block *block, void *data, ULONG size, int class, int single,
                     struct nt_string *pattern, int restart)
{
    nt_status status = nt_NtQueryDirectoryFile(h, NULL, NULL, NULL, block, data, size, class, (BOOLEAN)single,
                                               pattern, (BOOLEAN)restart);
    if (status == NT_PENDING) {
        WaitForSingleObject(h, SOON_ENOUGH);
        status = block->u.status;
    }
    return status;
}

/* To the end; how often it was asked. */
static int ask_all(HANDLE h, struct seen *seen, ULONG size, int class, int single, struct nt_string *pattern,
                   int restart)
{
    static LARGE_INTEGER space[4096 / 8];
    struct nt_block block;
    nt_status status;
    int times = 0;
    memset(seen, 0, sizeof *seen);
    while ((status = ask(h, &block, space, size, class, single, pattern, restart && !times)) == 0) {
        times++;
        CHECK(block.information > 0 && block.information <= size);
        look(seen, (char *)space, class);
    }
    CHECK_NT(status, NT_NO_MORE_FILES);
    return times;
}

/* ---- tests ---- */

TEST(all_classes, "")
{
    NEED(NtQueryDirectoryFile);
    make_five();
    for (int i = 0; i < 6; i++) {
        struct seen seen;
        HANDLE h = open_place(0);
        CHECK_EQ(ask_all(h, &seen, 4096, shapes[i].class, 0, NULL, 0), 1);
        CHECK_EQ(seen.total, 7);
        CHECK_EQ(seen.dots, 2);
        for (int k = 0; k < 5; k++) {
            CHECK_EQ(seen.known[k], 1);
            CHECK_EQ(seen.sizes[k], shapes[i].class == NAMES ? 0 : k * 10);
        }
        CloseHandle(h);
    }
    remove_place(5, five);
}

TEST(small_buffers, "")
{
    NEED(NtQueryDirectoryFile);
    make_five();
    HANDLE h = open_place(0);
    struct seen seen;
    LARGE_INTEGER data[64];
    struct nt_block block;
    CHECK_EQ(ask_all(h, &seen, 188, BOTH, 0, NULL, 0), 7); /* one fits, two do not */
    CHECK_EQ(seen.total, 7);
    CHECK_EQ(ask_all(h, &seen, 4096, BOTH, 1, NULL, 1), 7);
    CHECK_EQ(seen.total, 7);
    CHECK(ask_all(h, &seen, 300, FULL, 0, NULL, 1) > 1);
    CHECK_EQ(seen.total, 7);
    CHECK_NT(ask(h, &block, data, 64, BOTH, 0, NULL, 1), NT_BAD_LENGTH);
    struct nt_string pattern = text_of(u"somewhat*", 9);
    CloseHandle(h);
    h = open_place(0);
    memset(data, 0, sizeof data);
    CHECK_NT(ask(h, &block, data, 104, BOTH, 0, &pattern, 1), NT_BUFFER_OVERFLOW);
    CHECK_EQ(((struct head *)(void *)data)->length, 2 * strlen(five[4])); /* of the whole name */
    CHECK_EQ(block.information, 104);
    CHECK_EQ(((WCHAR *)((char *)data + 94))[4], 'w');
    CloseHandle(h);
    remove_place(5, five);
}

TEST(patterns_and_restarts, "")
{
    NEED(NtQueryDirectoryFile);
    make_five();
    HANDLE h = open_place(0);
    struct nt_string texts = text_of(u"*.txt", 5), one = text_of(u"c.log", 5), none = text_of(u"*.none", 6);
    struct seen seen;
    struct nt_block block;
    LARGE_INTEGER data[64];
    ask_all(h, &seen, 4096, BOTH, 0, &texts, 0);
    CHECK_EQ(seen.total, 3);
    CHECK_EQ(seen.known[0] + seen.known[1] + seen.known[4], 3);
    ask_all(h, &seen, 4096, BOTH, 0, NULL, 1); /* anew, by the same pattern */
    CHECK_EQ(seen.total, 3);
    CloseHandle(h);
    h = open_place(0);
    ask_all(h, &seen, 4096, NAMES, 0, &one, 0);
    CHECK_EQ(seen.total, 1);
    CHECK_EQ(seen.known[2], 1);
    CloseHandle(h);
    h = open_place(0);
    CHECK_NT(ask(h, &block, data, sizeof data, BOTH, 0, &none, 0), NT_NO_SUCH_FILE);
    CHECK_NT(ask(h, &block, data, sizeof data, BOTH, 0, &none, 0), NT_NO_MORE_FILES);
    CloseHandle(h);
    remove_place(5, five);
}

TEST_W8(overlapped_and_told, "OVL-03 PORT-12", "Wine says that it is not implemented")
{
    NEED(NtQueryDirectoryFile);
    make_five();
    HANDLE h = open_place(FILE_FLAG_OVERLAPPED), event = manual_event();
    HANDLE port = CreateIoCompletionPort(h, NULL, 5, 1);
    struct nt_block block;
    LARGE_INTEGER data[512];
    OVERLAPPED *done = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    nt_status status = nt_NtQueryDirectoryFile(h, event, NULL, &block, &block, data, sizeof data, BOTH, FALSE,
                                               NULL, FALSE);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_NT(block.u.status, 0);
    TODO_WINE("Wine sends no packet") {
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, conform_wine ? 1000 : SOON_ENOUGH));
        CHECK((void *)done == &block);
        CHECK_EQ(bytes, block.information);
    }
    CloseHandle(h);
    CloseHandle(port);
    CloseHandle(event);
    remove_place(5, five);
}

TEST(refused_listings, "HANDLE-01")
{
    NEED(NtQueryDirectoryFile);
    HANDLE file = temp_file(10, 0);
    struct nt_block block;
    LARGE_INTEGER data[64];
    CHECK_NT(ask(file, &block, data, sizeof data, BOTH, 0, NULL, 0), NT_INVALID_PARAMETER);
    CHECK_NT(ask((HANDLE)(ULONG_PTR)0x7FFFFFF0, &block, data, sizeof data, BOTH, 0, NULL, 0),
             NT_INVALID_HANDLE);
    make_place();
    HANDLE h = open_place(0);
    TODO_WINE("Wine says that it is not implemented") {
        CHECK_NT(ask(h, &block, data, sizeof data, 4, 0, NULL, 0), NT_BAD_CLASS);
    }
    CloseHandle(h);
    CloseHandle(file);
    remove_place(0, NULL);
}

/* ---- GetFileInformationByHandleEx ---- */

static int list_all(HANDLE h, struct seen *seen, int full, int restart, DWORD size)
{
    static LARGE_INTEGER space[4096 / 8];
    int times = 0;
    FILE_INFO_BY_HANDLE_CLASS first = full ? FileFullDirectoryRestartInfo : FileIdBothDirectoryRestartInfo;
    FILE_INFO_BY_HANDLE_CLASS next = full ? FileFullDirectoryInfo : FileIdBothDirectoryInfo;
    memset(seen, 0, sizeof *seen);
    while (GetFileInformationByHandleEx(h, restart && !times ? first : next, space, size)) {
        times++;
        look(seen, (char *)space, full ? FULL : ID_BOTH);
    }
    CHECK_EQ(GetLastError(), ERROR_NO_MORE_FILES);
    return times;
}

TEST(by_handle, "")
{
    make_five();
    HANDLE h = open_place(0);
    LARGE_INTEGER data[64];
    for (int full = 0; full < 2; full++) {
        struct seen seen;
        CHECK_EQ(list_all(h, &seen, full, full, 4096), 1);
        CHECK_EQ(seen.total, 7);
        CHECK_EQ(seen.dots, 2);
        CHECK_EQ(seen.sizes[3], 30);
        CHECK_EQ(list_all(h, &seen, full, 0, 4096), 0);
        CHECK(list_all(h, &seen, full, 1, 200) > 1);
        CHECK_EQ(seen.total, 7);
        FILE_INFO_BY_HANDLE_CLASS next = full ? FileFullDirectoryInfo : FileIdBothDirectoryInfo;
        CHECK_ERR(GetFileInformationByHandleEx(h, next, data, 60), ERROR_BAD_LENGTH);
    }
    CloseHandle(h);
    HANDLE file = temp_file(10, 0);
    CHECK_ERR(GetFileInformationByHandleEx(file, FileIdBothDirectoryInfo, data, sizeof data),
              ERROR_INVALID_PARAMETER);
    CloseHandle(file);
    remove_place(5, five);
}

TEST(the_number_of_a_file, "")
{
    make_five();
    HANDLE h = open_place(0);
    HANDLE file = CreateFileA(inside("d"), GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    BY_HANDLE_FILE_INFORMATION known = {0};
    static LARGE_INTEGER space[4096 / 8];
    int found = 0;
    CHECK(GetFileInformationByHandle(file, &known));
    CHECK(GetFileInformationByHandleEx(h, FileIdBothDirectoryInfo, space, sizeof space));
    FILE_ID_BOTH_DIR_INFO *at = (void *)space;
    for (;; at = (void *)((char *)at + at->NextEntryOffset)) {
        if (at->FileNameLength == 2 && at->FileName[0] == 'd') {
            found = 1;
            CHECK_EQ(at->FileId.LowPart, known.nFileIndexLow);
            CHECK_EQ((DWORD)at->FileId.HighPart, known.nFileIndexHigh);
            CHECK(!(at->FileAttributes & FILE_ATTRIBUTE_DIRECTORY));
            CHECK_EQ(at->LastWriteTime.LowPart, known.ftLastWriteTime.dwLowDateTime);
        }
        if (!at->NextEntryOffset)
            break;
    }
    CHECK(found);
    CloseHandle(file);
    CloseHandle(h);
    remove_place(5, five);
}

TEST_W8(ten_thousand_files, "", "Wine takes too long to make them")
{
    enum { MANY = 10000 };
    static char seen[MANY];
    static LARGE_INTEGER space[4096 / 8];
    char name[20];
    int total = 0, twice = 0;
    make_place();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "f%05d", i);
        add_file(name, 0);
    }
    HANDLE h = open_place(0);
    while (GetFileInformationByHandleEx(h, FileFullDirectoryInfo, space, sizeof space)) {
        FILE_FULL_DIR_INFO *at = (void *)space;
        for (;; at = (void *)((char *)at + at->NextEntryOffset)) {
            narrow(name, at->FileName, at->FileNameLength < 30 ? at->FileNameLength : 30);
            if (name[0] == 'f') {
                twice += seen[atoi(name + 1)]++;
                total++;
            }
            if (!at->NextEntryOffset)
                break;
        }
    }
    CHECK_EQ(GetLastError(), ERROR_NO_MORE_FILES);
    CHECK_EQ(total, MANY);
    CHECK_EQ(twice, 0);
    CloseHandle(h);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "f%05d", i);
        CHECK(DeleteFileA(inside(name)));
    }
    CHECK(RemoveDirectoryA(place));
}
