/* SPDX-License-Identifier: MIT */
/*
 * Files and memory that are mapped: CreateFileMapping, MapViewOfFile and their kin.
 */
#include "conform.h"

enum { UNIT = 0x10000 };

static char read_byte(HANDLE file, DWORD offset)
{
    char byte = 0;
    DWORD bytes;
    OVERLAPPED ov = {.Offset = offset};
    CHECK(ReadFile(file, &byte, 1, &bytes, &ov));
    return byte;
}

TEST(view_of_a_file, "")
{
    HANDLE file = temp_file(3 * UNIT, 0);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
    REQUIRE(section != NULL);
    CHECK_LASTERR(0);
    unsigned char *all = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
    unsigned char *part = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, UNIT, 100);
    REQUIRE(all && part);
    CHECK_EQ((ULONG_PTR)all % UNIT, 0);
    CHECK_EQ((ULONG_PTR)part % UNIT, 0);
    CHECK_EQ(all[12345], pattern(12345));
    CHECK_EQ(part[5], pattern(UNIT + 5));
    part[6] = 'x';
    CHECK_EQ(all[UNIT + 6], 'x');
    MEMORY_BASIC_INFORMATION info;
    CHECK_EQ(VirtualQuery(all + 3 * 4096, &info, sizeof info), sizeof info);
    CHECK_EQ(info.Type, MEM_MAPPED);
    CHECK(info.AllocationBase == all);
    CHECK(FlushViewOfFile(part, 0));
    CHECK(FlushViewOfFile(all + 5000, 100));
    CHECK_EQ(read_byte(file, UNIT + 6), 'x');
    CHECK(CloseHandle(section)); /* views stay */
    CHECK(CloseHandle(file));
    all[0] = 'y';
    CHECK(UnmapViewOfFile(all));
    CHECK(UnmapViewOfFile(part));
    CHECK_ERR(UnmapViewOfFile(part), ERROR_INVALID_ADDRESS);
    TODO_WINE("Wine says 87") {
        CHECK_ERR(FlushViewOfFile(part, 0), ERROR_INVALID_ADDRESS);
    }
}

TEST(the_file_grows, "")
{
    HANDLE file = temp_file(10, 0);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 100000, NULL);
    REQUIRE(section != NULL);
    CHECK_EQ(GetFileSize(file, NULL), 100000);
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    REQUIRE(view);
    view[99999] = 'z';
    CHECK(UnmapViewOfFile(view));
    CHECK_EQ(read_byte(file, 99999), 'z');
    CloseHandle(section);
    CHECK_ERR(CreateFileMappingA(file, NULL, PAGE_READONLY, 0, 200000, NULL), ERROR_NOT_ENOUGH_MEMORY);
    CloseHandle(file);
}

TEST(copy_on_write, "")
{
    HANDLE file = temp_file(100, 0);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_WRITECOPY, 0, 0, NULL);
    REQUIRE(section != NULL);
    char *view = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);
    REQUIRE(view);
    view[5] = 'c';
    CHECK_EQ((unsigned char)read_byte(file, 5), pattern(5));
    CHECK(UnmapViewOfFile(view));
    CHECK_ERR(MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
    CloseHandle(section);
    CloseHandle(file);
}

TEST(memory_without_a_file, "")
{
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 5 * UNIT, NULL);
    REQUIRE(section != NULL);
    char *one = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    char *two = MapViewOfFile(section, FILE_MAP_READ, 0, 4 * UNIT, 0);
    REQUIRE(one && two);
    CHECK_EQ(one[0], 0);
    one[4 * UNIT + 7] = 'm';
    CHECK_EQ(two[7], 'm');
    CHECK(FlushViewOfFile(one, 0));
    CHECK(UnmapViewOfFile(one));
    CHECK(UnmapViewOfFile(two));
    CloseHandle(section);
    CHECK_ERR(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0, NULL),
              ERROR_INVALID_PARAMETER);
}

TEST(sections_by_name, "")
{
    HANDLE first = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100,
                                      "iocp mapping test");
    REQUIRE(first != NULL);
    CHECK_LASTERR(0);
    HANDLE second = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 500,
                                       (LPCWSTR)u"iocp mapping test");
    CHECK_LASTERR(ERROR_ALREADY_EXISTS);
    HANDLE third = OpenFileMappingA(FILE_MAP_READ, FALSE, "iocp mapping test");
    REQUIRE(second && third);
    char *one = MapViewOfFile(first, FILE_MAP_WRITE, 0, 0, 0);
    char *two = MapViewOfFile(third, FILE_MAP_READ, 0, 0, 0);
    REQUIRE(one && two);
    one[9] = 'n';
    CHECK_EQ(two[9], 'n');
    CHECK_ERR(MapViewOfFile(third, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
    CHECK(UnmapViewOfFile(one) && UnmapViewOfFile(two));
    CloseHandle(first);
    CloseHandle(second);
    CloseHandle(third);
    CHECK_ERR(OpenFileMappingA(FILE_MAP_READ, FALSE, "iocp mapping test"), ERROR_FILE_NOT_FOUND);
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "iocp mapping test");
    CHECK_ERR(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 100, "iocp mapping test"),
              ERROR_INVALID_HANDLE);
    CloseHandle(event);
}

TEST(mapping_refused, "")
{
    HANDLE file = temp_file(2 * UNIT, 0), empty = temp_file(0, 0);
    HANDLE readable = CreateFileA(temp_content(10), GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE section = CreateFileMappingA(file, NULL, PAGE_READONLY, 0, 0, NULL);
    REQUIRE(section != NULL);
    CHECK_ERR(CreateFileMappingA(empty, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_FILE_INVALID);
    CHECK_ERR(CreateFileMappingA(readable, NULL, PAGE_READWRITE, 0, 0, NULL), ERROR_ACCESS_DENIED);
    CHECK_ERR(CreateFileMappingA(file, NULL, 0, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(MapViewOfFile(section, FILE_MAP_READ, 0, 4096, 0), ERROR_MAPPED_ALIGNMENT);
    TODO_WINE("Wine says 87") {
        CHECK_ERR(MapViewOfFile(section, FILE_MAP_READ, 0, 2 * UNIT, 0), ERROR_ACCESS_DENIED);
    }
    CHECK_ERR(MapViewOfFile(section, FILE_MAP_READ, 0, UNIT, UNIT + 5000), ERROR_ACCESS_DENIED);
    CHECK_ERR(MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
    CHECK_ERR(MapViewOfFile(NULL, FILE_MAP_READ, 0, 0, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(UnmapViewOfFile(NULL), ERROR_INVALID_ADDRESS);
    CloseHandle(section);
    CloseHandle(file);
    CloseHandle(empty);
    CloseHandle(readable);
}

TEST(at_an_address, "")
{
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, UNIT, NULL);
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    REQUIRE(view);
    CHECK_ERR(MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view), ERROR_INVALID_ADDRESS);
    CHECK_ERR(MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view + 4096), ERROR_MAPPED_ALIGNMENT);
    view[1] = 'a';
    CHECK(UnmapViewOfFile(view));
    char *again = MapViewOfFileEx(section, FILE_MAP_WRITE, 0, 0, 0, view);
    CHECK(again == view);
    CHECK_EQ(again[1], 'a');
    CHECK(UnmapViewOfFile(again));
    CloseHandle(section);
}
