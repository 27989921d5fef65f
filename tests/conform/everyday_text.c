/* SPDX-License-Identifier: MIT */
/* Code pages, letter case, comparing. */
#include "conform.h"

/* "a", a-umlaut, the euro sign, a face (two units) */
static const char text8[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
static const WCHAR text16[] = {'a', 0xE4, 0x20AC, 0xD83D, 0xDE00, 0};

TEST(utf8_to_utf16, "")
{
    WCHAR wide[16];

    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text8, -1, NULL, 0), 6);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text8, -1, wide, 16), 6);
    CHECK_MEM(wide, text16, sizeof text16);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text8, 3, wide, 16), 2);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text8, -1, wide, 5), 0);
    CHECK_LASTERR(ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, text8, 0, wide, 5), 0);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "a\xFF", -1, wide, 16), 0);
    CHECK_LASTERR(ERROR_NO_UNICODE_TRANSLATION);
    CHECK_EQ(MultiByteToWideChar(CP_UTF8, 0, "a\xFFz", -1, wide, 16), 4);
    CHECK_EQ(wide[1], 0xFFFD);
    CHECK_EQ(MultiByteToWideChar(12345, 0, text8, -1, wide, 16), 0);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
}

TEST(utf16_to_utf8, "")
{
    char narrow[32];
    BOOL used;

    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16, -1, NULL, 0, NULL, NULL), sizeof text8);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16, -1, narrow, 32, NULL, NULL), sizeof text8);
    CHECK_STR(narrow, text8);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16, 2, narrow, 32, NULL, NULL), 3);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16, -1, narrow, 4, NULL, NULL), 0);
    CHECK_LASTERR(ERROR_INSUFFICIENT_BUFFER);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text16 + 4, 1, narrow, 32, NULL, NULL), 0);
    CHECK_LASTERR(ERROR_NO_UNICODE_TRANSLATION);
    CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16 + 4, 1, narrow, 32, NULL, NULL), 3);
    CHECK_MEM(narrow, "\xEF\xBF\xBD", 3);
    TODO_WINE("answers lpUsedDefaultChar for UTF-8") {
        CHECK_EQ(WideCharToMultiByte(CP_UTF8, 0, text16, -1, narrow, 32, NULL, &used), 0);
        CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    }
}

TEST(latin1, "")
{
    char narrow[8];
    WCHAR wide[8];
    BOOL used = 7;

    CHECK_EQ(MultiByteToWideChar(28591, 0, "a\xE4", -1, wide, 8), 3);
    CHECK_MEM(wide, text16, 4);
    CHECK_EQ(WideCharToMultiByte(28591, 0, text16, 2, narrow, 8, NULL, &used), 2);
    CHECK_MEM(narrow, "a\xE4", 2);
    CHECK_EQ(used, FALSE);
    CHECK_EQ(WideCharToMultiByte(28591, 0, text16, 3, narrow, 8, "#", &used), 3);
    CHECK_EQ(narrow[2], '#');
    CHECK_EQ(used, TRUE);
    CHECK_EQ(WideCharToMultiByte(28591, 0, text16 + 3, 2, narrow, 8, NULL, &used), 2); /* unit by unit */
    CHECK_MEM(narrow, "??", 2);
}

TEST(pages_are_known, "")
{
    CPINFO info;

    CHECK(IsValidCodePage(CP_UTF8));
    CHECK(!IsValidCodePage(12345));
    CHECK(GetCPInfo(CP_UTF8, &info));
    CHECK_EQ(info.MaxCharSize, 4);
    CHECK_EQ(info.LeadByte[0], 0);
    CHECK_ERR(GetCPInfo(12345, &info), ERROR_INVALID_PARAMETER);
    CHECK(!IsDBCSLeadByteEx(CP_UTF8, 0xC3));
}

TEST(compare_by_units, "")
{
    static const WCHAR big[] = {'A', 0xC4, 0}, small[] = {'a', 0xE4, 0};

    CHECK_EQ(CompareStringOrdinal(big, -1, small, -1, TRUE), CSTR_EQUAL);
    CHECK_EQ(CompareStringOrdinal(big, -1, small, -1, FALSE), CSTR_LESS_THAN);
    CHECK_EQ(CompareStringOrdinal(small, -1, big, -1, FALSE), CSTR_GREATER_THAN);
    CHECK_EQ(CompareStringOrdinal(big, 1, big, 2, FALSE), CSTR_LESS_THAN);
    CHECK_EQ(CompareStringOrdinal(NULL, 1, big, 2, FALSE), 0);
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
}

TEST(lstr_functions, "")
{
    char buffer[8] = "";

    CHECK_EQ(lstrlenA(NULL), 0);
    CHECK_EQ(lstrlenW(text16), 5);
    CHECK(lstrcpynA(buffer, "abcdef", 4) == buffer);
    CHECK_STR(buffer, "abc");
    CHECK(lstrcatA(buffer, "de") == buffer);
    CHECK_STR(buffer, "abcde");
    CHECK_EQ(lstrcmpiA("Abc", "aBC"), 0);
    CHECK(lstrcmpA("abc", "abd") < 0);
}

TEST(letters_and_steps, "")
{
    char text[] = "aBc1z";
    WCHAR wide[] = {'a', 0xE4, 0x3B1, '1', 0};

    CHECK(CharUpperA(text) == text);
    CHECK_STR(text, "ABC1Z");
    CHECK_EQ(CharLowerBuffA(text, 2), 2);
    CHECK_STR(text, "abC1Z");
    CHECK_EQ((ULONG_PTR)CharUpperA((LPSTR)(ULONG_PTR)'q'), 'Q');
    CHECK(CharUpperW(wide) == wide);
    CHECK(wide[0] == 'A' && wide[1] == 0xC4 && wide[2] == 0x391 && wide[3] == '1');
    CHECK_EQ((ULONG_PTR)CharLowerW((LPWSTR)(ULONG_PTR)0xC4), 0xE4);
    CHECK(CharNextA(text) == text + 1 && CharNextA(text + 5) == text + 5);
    CHECK(CharPrevA(text, text + 2) == text + 1 && CharPrevA(text, text) == text);
    CHECK(CharNextW(wide) == wide + 1 && CharPrevW(wide, wide + 1) == wide);
}

TEST(wsprintf_formats, "")
{
    static const WCHAR format[] = {'%', 'd', '-', '%', 's', 0}, word[] = {'o', 'k', 0};
    static const WCHAR wanted[] = {'7', '-', 'o', 'k', 0};
    static char big[2000];
    char text[1024];
    WCHAR wide[1024];

    CHECK_EQ(wsprintfA(text, "%s %d %u %x %c %05d|%-4d|%lu%%", "abc", -5, 5u, 255, 'z', 42, 7, (DWORD)9),
             strlen("abc -5 5 ff z 00042|7   |9%"));
    CHECK_STR(text, "abc -5 5 ff z 00042|7   |9%");
    CHECK_EQ(wsprintfW(wide, format, 7, word), 4);
    CHECK_MEM(wide, wanted, sizeof wanted);
    memset(big, 'x', sizeof big - 1);
    wsprintfA(text, "%s", big);
    CHECK(strlen(text) <= 1023);
}
