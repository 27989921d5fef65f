/* SPDX-License-Identifier: MIT */
/* The C run-time: error codes of the _s family, Windows' formats, descriptors and handles, wide text. */
#include "unit.h"

#include <windows.h>

#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <sys/utime.h>
#include <strsafe.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tchar.h>
#include <unistd.h>

static int called;

static void on_invalid(const WCHAR *a, const WCHAR *b, const WCHAR *c, unsigned line, uintptr_t reserved)
{
    called += !a && !b && !c && line == 0 && reserved == 0;
    errno = 0;
}

TEST(copying)
{
    char to[6];

    CHECK_EQ(strcpy_s(to, sizeof to, "12345"), 0);
    CHECK_STR(to, "12345");
    CHECK_EQ(strcpy_s(to, sizeof to, "123456"), ERANGE);
    CHECK_STR(to, "");
    CHECK_EQ(errno, ERANGE);
    strcpy(to, "x");
    CHECK_EQ(strcpy_s(to, sizeof to, NULL), EINVAL);
    CHECK_STR(to, "");
    CHECK_EQ(strcpy_s(NULL, 1, "x"), EINVAL);
    CHECK_EQ(strcpy_s(to, 0, "x"), EINVAL);
    CHECK_EQ(strncpy_s(to, sizeof to, "1234567", 5), 0);
    CHECK_STR(to, "12345");
    CHECK_EQ(strncpy_s(to, sizeof to, "1234567", 6), ERANGE);
    CHECK_STR(to, "");
    CHECK_EQ(strncpy_s(to, sizeof to, "12", 6), 0);
    CHECK_STR(to, "12");
    CHECK_EQ(strncpy_s(to, sizeof to, "1234567", _TRUNCATE), STRUNCATE);
    CHECK_STR(to, "12345");
    CHECK_EQ(strncpy_s(to, sizeof to, "12345", _TRUNCATE), 0);
    CHECK_EQ(strncpy_s(NULL, 0, NULL, 0), 0);
    CHECK_EQ(strncpy_s(to, sizeof to, NULL, 0), 0);
    CHECK_STR(to, "");
}

TEST(appending)
{
    char to[6] = "12";

    CHECK_EQ(strcat_s(to, sizeof to, "345"), 0);
    CHECK_STR(to, "12345");
    CHECK_EQ(strcat_s(to, sizeof to, "6"), ERANGE);
    CHECK_STR(to, "");
    strcpy(to, "12");
    CHECK_EQ(strncat_s(to, sizeof to, "3456", 3), 0);
    CHECK_STR(to, "12345");
    strcpy(to, "12");
    CHECK_EQ(strncat_s(to, sizeof to, "3456", _TRUNCATE), STRUNCATE);
    CHECK_STR(to, "12345");
    memset(to, 'x', sizeof to);
    CHECK_EQ(strcat_s(to, sizeof to, "y"), EINVAL);
    CHECK_STR(to, "");
}

TEST(blocks)
{
    char to[4] = "abc", from[4] = "xyz";

    CHECK_EQ(memcpy_s(to, 4, from, 4), 0);
    CHECK_STR(to, "xyz");
    CHECK_EQ(memmove_s(to, 2, from, 3), ERANGE);
    CHECK_STR(to, "xyz");
    CHECK_EQ(memcpy_s(to, 3, from, 4), ERANGE);
    CHECK_EQ(to[0] | to[1] | to[2], 0);
    CHECK_EQ(memcpy_s(to, 4, NULL, 1), EINVAL);
    CHECK_EQ(memcpy_s(NULL, 0, NULL, 0), 0);
    CHECK_EQ(memcpy_s(NULL, 4, from, 1), EINVAL);
}

TEST(the_handler_is_asked)
{
    char to[2];

    called = 0;
    CHECK(_set_invalid_parameter_handler(on_invalid) == NULL);
    CHECK_EQ(strcpy_s(to, sizeof to, "abc"), ERANGE);
    CHECK_EQ(errno, ERANGE);
    CHECK_EQ(called, 1);
    CHECK_EQ(_close(-1), -1);
    CHECK_EQ(called, 2);
    CHECK(_set_invalid_parameter_handler(NULL) == on_invalid);
    CHECK_EQ(strcpy_s(to, sizeof to, "abc"), ERANGE);
    CHECK_EQ(called, 2);
}

TEST(letters)
{
    char text[] = "aBc\xC3\x84z";

    CHECK_EQ(_stricmp("HeLLo", "hEllO"), 0);
    CHECK(_stricmp("abc", "ABD") < 0);
    CHECK(_stricmp("abd", "ABC") > 0);
    CHECK(_stricmp("a_", "AB") < 0); /* compared in small letters: '_' stands before them */
    CHECK_EQ(_strnicmp("abX", "ABy", 2), 0);
    CHECK_EQ(_strnicmp(NULL, NULL, 0), 0);
    CHECK_EQ(_stricmp(NULL, "x"), INT_MAX);
    CHECK_EQ(stricmp("aB", "Ab") + strnicmp("ax", "AY", 1) + wcsicmp(u"A", u"a"), 0);
    CHECK_EQ(_memicmp("A\0b", "a\0B", 3), 0);
    CHECK_STR(_strupr(text), "ABC\xC3\x84Z");
    CHECK_STR(_strlwr(text), "abc\xC3\x84z");
    CHECK_EQ(_strupr_s(text, 3), EINVAL);
    CHECK_STR(text, "");
}

TEST(tokens)
{
    char text[] = ",one,,two;";
    char *place = NULL;

    CHECK_STR(strtok_s(text, ",;", &place), "one");
    CHECK_STR(strtok_s(NULL, ",;", &place), "two");
    CHECK(strtok_s(NULL, ",;", &place) == NULL);
    CHECK(strtok_s(NULL, ",;", &place) == NULL);
    CHECK(strtok_s(text, ",", NULL) == NULL);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(strnlen_s("abc", 2), 2);
    CHECK_EQ(strnlen_s(NULL, 2), 0);
}

TEST(digits)
{
    char text[66];

    CHECK_STR(_itoa(-255, text, 10), "-255");
    CHECK_STR(_itoa(-255, text, 16), "ffffff01");
    CHECK_STR(_itoa(INT_MIN, text, 10), "-2147483648");
    CHECK_STR(_ltoa(-1, text, 16), "ffffffff");
    CHECK_STR(_i64toa(-1, text, 2), "1111111111111111111111111111111111111111111111111111111111111111");
    CHECK_STR(_i64toa(LLONG_MIN, text, 10), "-9223372036854775808");
    CHECK_STR(_ui64toa(35, text, 36), "z");
    CHECK_EQ(_itoa_s(100, text, 3, 10), ERANGE);
    CHECK_STR(text, "");
    CHECK_EQ(_itoa_s(100, text, 4, 10), 0);
    CHECK_EQ(_itoa_s(1, text, 4, 1), EINVAL);
    CHECK_EQ(_atoi64(" -42x"), -42);
    CHECK_EQ(_strtoui64("ffffffffffffffff", NULL, 16), -1);
}

TEST(strsafe)
{
    char to[5];
    WCHAR wide[4];
    size_t n = 9;

    CHECK_EQ(StringCchCopyA(to, 5, "abcd"), S_OK);
    CHECK_EQ(StringCchCopyA(to, 5, "vwxyz"), STRSAFE_E_INSUFFICIENT_BUFFER);
    CHECK_STR(to, "vwxy");
    CHECK_EQ(StringCchCopyA(to, 0, "a"), STRSAFE_E_INVALID_PARAMETER);
    CHECK_EQ(StringCchCopyNA(to, 5, "abcdef", 2), S_OK);
    CHECK_EQ(StringCchCatA(to, 5, "cd"), S_OK);
    CHECK_STR(to, "abcd");
    CHECK_EQ(StringCchPrintfA(to, 5, "%I64d", 123456LL), STRSAFE_E_INSUFFICIENT_BUFFER);
    CHECK_STR(to, "1234");
    CHECK_EQ(StringCchLengthA(to, 4, &n), STRSAFE_E_INVALID_PARAMETER);
    CHECK_EQ(n, 0);
    CHECK_EQ(StringCchLengthA(to, 5, &n), S_OK);
    CHECK_EQ(n, 4);
    CHECK_EQ(StringCbCopyW(wide, sizeof wide, u"abc"), S_OK);
    CHECK_EQ(StringCbLengthW(wide, sizeof wide, &n), S_OK);
    CHECK_EQ(n, 6);
    CHECK_EQ(StringCbCatW(wide, sizeof wide, u"d"), STRSAFE_E_INSUFFICIENT_BUFFER);
}

/* ---- formats ---- */

TEST(sizes_of_output)
{
    char to[5];

    memset(to, '#', sizeof to);
    CHECK_EQ(_snprintf(to, 4, "%s", "abc"), 3);
    CHECK_STR(to, "abc");
    memset(to, '#', sizeof to);
    CHECK_EQ(_snprintf(to, 4, "%s", "abcd"), 4); /* no terminator */
    CHECK_EQ(memcmp(to, "abcd#", 5), 0);
    CHECK_EQ(_snprintf(to, 4, "%s", "vwxyz"), -1);
    CHECK_EQ(memcmp(to, "vwxy#", 5), 0);
    CHECK_EQ(_snprintf(NULL, 0, ""), 0);
    CHECK_EQ(_scprintf("%d-%s", 12, "x"), 4);
    CHECK_EQ(sprintf_s(to, 5, "%s", "abcd"), 4);
    CHECK_STR(to, "abcd");
    CHECK_EQ(sprintf_s(to, 5, "%s", "abcde"), -1);
    CHECK_STR(to, "");
    CHECK_EQ(errno, ERANGE);
    CHECK_EQ(_snprintf_s(to, 5, _TRUNCATE, "%s", "abcdef"), -1);
    CHECK_STR(to, "abcd");
    CHECK_EQ(_snprintf_s(to, 5, 2, "%s", "abcdef"), -1);
    CHECK_STR(to, "ab");
    CHECK_EQ(_snprintf_s(to, 5, 10, "%s", "abcdef"), -1);
    CHECK_STR(to, "");
    CHECK_EQ(_snprintf_s(to, 5, 10, "%s", "abcd"), 4);
    CHECK_EQ(sprintf_s(to, 5, NULL), -1);
    CHECK_EQ(errno, EINVAL);
}

static const char *shown(const char *format, ...)
{
    static char text[2000];
    va_list arguments;

    va_start(arguments, format);
    if (vsprintf_s(text, sizeof text, format, arguments) < 0)
        strcpy(text, "(failed)");
    va_end(arguments);
    return text;
}

TEST(formats_of_windows)
{
    DWORD most = 0xFFFFFFFF;
    LONG minus = -1;

    CHECK_STR(shown("%lu %ld %lx", most, minus, most), "4294967295 -1 ffffffff");
    CHECK_STR(shown("%I64d %I64u %I64X", -5LL, ~0ULL, 0xABCLL), "-5 18446744073709551615 ABC");
    CHECK_STR(shown("%Iu %I32d %zu %llu", (size_t)1 << 40, -3, (size_t)7, 1ULL << 60),
              "1099511627776 -3 7 1152921504606846976");
    CHECK_STR(shown("%p", (void *)0xABC123), "0000000000ABC123");
    CHECK_STR(shown("%hd %hhu %hu", 70000, 300, 70000), "4464 44 4464");
    CHECK_STR(shown("[%5d|%-5d|%05d|%+d|% d|%#x|%#o]", 42, 42, 42, 42, 42, 42, 8),
              "[   42|42   |00042|+42| 42|0x2a|010]");
    CHECK_STR(shown("[%*d|%-*d|%.*d|%.3d]", 4, 7, 4, 7, 3, 7, -7), "[   7|7   |007|-007]");
    CHECK_STR(shown("[%8.3f|%e|%G|%a]", 3.14159, 1e10, 1e-10, 1.0), "[   3.142|1.000000e+10|1E-10|0x1p+0]");
    CHECK_STR(shown("[%5s|%-5s|%.2s|%5c|%%|%s]", "ab", "ab", "abc", 'x', (char *)NULL),
              "[   ab|ab   |ab|    x|%|(null)]");
    CHECK_STR(shown("%ls %S %hs %ws", u"\u00e4b", u"\u20ac", "c", u"\U0001F600"),
              "\u00e4b \u20ac c \U0001F600");
    CHECK_STR(shown("[%.3ls]", u"a\u20acb"), "[a]"); /* the euro has three bytes */
    CHECK_STR(shown("[%.4ls]", u"a\u20acb"), "[a\u20ac]");
    CHECK_EQ(strlen(shown("%.600d", 1)), 600);
    CHECK_EQ(strlen(shown("%900d", 1)), 900);
    CHECK_STR(shown("%q"), "(failed)");
    CHECK_STR(shown("%n", &(int){0}), "(failed)");
    CHECK_STR(shown("100%"), "(failed)");
}

TEST(a_text_that_is_not_terminated)
{
    char text[3] = {'a', 'b', 'c'};
    WCHAR wide[3] = {'a', 'b', 'c'};

    CHECK_STR(shown("%.3s", text), "abc");
    CHECK_STR(shown("%.3ls", wide), "abc");
}

static bool same(const WCHAR *a, const WCHAR *b)
{
    return iocp_wcscmp(a, b) == 0;
}

TEST(wide_formats)
{
    WCHAR to[64];

    CHECK_EQ(swprintf_s(to, 64, u"%s %d %hs %S %c", u"\u20ac", -3, "\u00e4", "\U0001F600", 'x'), 11);
    CHECK(same(to, u"\u20ac -3 \u00e4 \U0001F600 x"));
    CHECK_EQ(iocp_swprintf(to, 4, u"%ls", u"abc"), 3);
    CHECK(same(to, u"abc"));
    CHECK(iocp_swprintf(to, 4, u"%ls", u"abcd") < 0);
    CHECK(same(to, u"abc"));
    CHECK_EQ(_snwprintf_s(to, 4, _TRUNCATE, u"%05d", 7), -1);
    CHECK(same(to, u"000"));
    CHECK_EQ(_scwprintf(u"[%8s]", u"ab"), 10);
    CHECK_EQ(swprintf_s(to, 64, u"[%.2hs|%-4s]", "\u00e4\u00f6\u00fc", u"x"), 9);
    CHECK(same(to, u"[\u00e4\u00f6|x   ]"));
}

/* ---- wide text ---- */

TEST(wide_text)
{
    WCHAR to[8] = u"ab";
    WCHAR *end, *place;

    CHECK_EQ(iocp_wcslen(u"abc"), 3);
    CHECK(same(iocp_wcscat(to, u"cd"), u"abcd"));
    CHECK(same(iocp_wcsncpy(to, u"xyz", 2), u"xycd"));
    CHECK(iocp_wcscmp(u"a", u"b") < 0 && iocp_wcscmp(u"\uFFFF", u"a") > 0);
    CHECK_EQ(iocp_wcsncmp(u"abc", u"abd", 2), 0);
    CHECK(iocp_wcschr(to, 'c') == to + 2 && iocp_wcschr(to, 0) == to + 4 && !iocp_wcschr(to, 'q'));
    CHECK(iocp_wcsrchr(u"a.b.c", '.') != NULL);
    CHECK(iocp_wcsstr(to, u"yc") == to + 1 && iocp_wcsstr(to, u"") == to && !iocp_wcsstr(to, u"yd"));
    CHECK_EQ(iocp_wcscspn(u"ab;c", u";,"), 2);
    CHECK_EQ(_wcsicmp(u"ABC", u"abc"), 0);
    CHECK_EQ(wcscpy_s(to, 8, u"12345678"), ERANGE);
    CHECK_EQ(wcscpy_s(to, 8, u"1,2"), 0);
    CHECK(same(wcstok_s(to, u",", &place), u"1"));
    CHECK(same(wcstok_s(NULL, u",", &place), u"2"));
    CHECK(wcstok_s(NULL, u",", &place) == NULL);
    iocp_wcscpy(to, u" -12z");
    CHECK_EQ(iocp_wcstol(to, &end, 10), -12);
    CHECK(end == to + 4);
    CHECK_EQ(iocp_wcstol(u"zz", &end, 10), 0);
    CHECK(*end == 'z');
    CHECK_EQ(iocp_wcstod(u"2.5e2", NULL), 250);
    CHECK(same(_i64tow(-255, to, 10), u"-255"));
}

TEST(conversions)
{
    WCHAR wide[8];
    char narrow[8];
    size_t n;

    CHECK_EQ(iocp_mbstowcs(NULL, "a\u20ac\U0001F600", 0), 4);
    CHECK_EQ(iocp_mbstowcs(wide, "a\u20ac\U0001F600", 3), 2); /* half a pair is not stored */
    CHECK(wide[0] == 'a' && wide[1] == 0x20AC && wide[2] == 0);
    CHECK_EQ(iocp_mbstowcs(wide, "\xFF", 8), -1);
    CHECK_EQ(errno, EILSEQ);
    CHECK_EQ(iocp_wcstombs(narrow, u"a\u20ac\u20ac", 6), 4);
    CHECK_EQ(mbstowcs_s(&n, wide, 4, "abc", _TRUNCATE), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(mbstowcs_s(&n, wide, 3, "abc", _TRUNCATE), STRUNCATE);
    CHECK(same(wide, u"ab"));
    CHECK_EQ(mbstowcs_s(&n, wide, 3, "abc", 3), ERANGE);
    CHECK_EQ(wide[0], 0);
    CHECK_EQ(mbstowcs_s(&n, wide, 3, "abc", 2), 0);
    CHECK(same(wide, u"ab"));
    CHECK_EQ(mbstowcs_s(&n, NULL, 0, "abc", 0), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(wcstombs_s(&n, narrow, 4, u"\u20ac", _TRUNCATE), 0);
    CHECK_EQ(n, 4);
    CHECK_EQ(wcstombs_s(&n, narrow, 3, u"\u20ac", _TRUNCATE), STRUNCATE);
    CHECK_STR(narrow, "");
}

/* ---- memory, environment, time ---- */

TEST(aligned_memory)
{
    char *p = _aligned_malloc(100, 256);

    CHECK_EQ((uintptr_t)p % 256, 0);
    memset(p, 7, 100);
    p = _aligned_realloc(p, 100000, 4096);
    CHECK_EQ((uintptr_t)p % 4096, 0);
    CHECK_EQ(p[0] + p[99], 14);
    CHECK(_aligned_realloc(p, 0, 4096) == NULL);
    CHECK(_aligned_malloc(1, 3) == NULL);
    CHECK_EQ(errno, EINVAL);
    _aligned_free(NULL);
}

TEST(environment)
{
    char text[4];
    char *copy;
    size_t size;

    CHECK_EQ(_putenv_s("IOCP_CRT", "abc"), 0);
    CHECK_EQ(getenv_s(&size, NULL, 0, "IOCP_CRT"), 0);
    CHECK_EQ(size, 4);
    CHECK_EQ(getenv_s(&size, text, 4, "IOCP_CRT"), 0);
    CHECK_STR(text, "abc");
    CHECK_EQ(getenv_s(&size, text, 3, "IOCP_CRT"), ERANGE);
    CHECK_EQ(size, 4);
    CHECK_EQ(_dupenv_s(&copy, &size, "IOCP_CRT"), 0);
    CHECK_STR(copy, "abc");
    free(copy);
    CHECK_EQ(_putenv("IOCP_CRT="), 0);
    CHECK_EQ(_dupenv_s(&copy, &size, "IOCP_CRT"), 0);
    CHECK(copy == NULL && size == 0);
    CHECK_EQ(getenv_s(&size, text, 4, "IOCP_CRT"), 0);
    CHECK_EQ(size, 0);
    CHECK_EQ(_putenv("no assignment"), -1);
}

TEST(random_numbers)
{
    unsigned int a = 0, b = 0, same_count = 0;

    for (int i = 0; i < 8; i++) {
        CHECK_EQ(rand_s(&a), 0);
        same_count += a == b;
        b = a;
    }
    CHECK(same_count < 4);
    CHECK_EQ(rand_s(NULL), EINVAL);
}

TEST(dates)
{
    struct tm parts;
    time_t t = 86399;
    char text[26];

    CHECK_EQ(gmtime_s(&parts, &t), 0);
    CHECK_EQ(parts.tm_hour * 10000 + parts.tm_min * 100 + parts.tm_sec, 235959);
    CHECK_EQ(asctime_s(text, sizeof text, &parts), 0);
    CHECK_STR(text, "Thu Jan 01 23:59:59 1970\n");
    CHECK_EQ(asctime_s(text, 25, &parts), EINVAL);
    CHECK_STR(text, "");
    CHECK_EQ(localtime_s(&parts, &t), 0);
    CHECK_EQ(ctime_s(text, sizeof text, &t), 0);
    t = -1;
    CHECK_EQ(gmtime_s(&parts, &t), EINVAL);
    CHECK_EQ(parts.tm_year, -1);
    CHECK_EQ(gmtime_s(NULL, &t), EINVAL);
    CHECK_EQ(localtime_s(&parts, NULL), EINVAL);
}

static int by_last_digit(void *context, const void *a, const void *b)
{
    ++*(int *)context;
    return *(const int *)a % 10 - *(const int *)b % 10;
}

TEST(sorting)
{
    int numbers[] = {13, 22, 31, 40}, key = 92, calls = 0;
    int *found;

    qsort_s(numbers, 4, sizeof numbers[0], by_last_digit, &calls);
    CHECK_EQ(numbers[0], 40);
    CHECK_EQ(numbers[3], 13);
    CHECK(calls > 0);
    found = bsearch_s(&key, numbers, 4, sizeof numbers[0], by_last_digit, &calls);
    CHECK(found == &numbers[2]);
}

/* ---- files ---- */

static char directory[] = "/tmp/iocp-crt-XXXXXX";

static bool in_directory(void)
{
    static bool made;

    if (!made)
        made = mkdtemp(directory) && chdir(directory) == 0;
    return made;
}

TEST(streams)
{
    FILE *stream;
    char text[8] = "";

    if (!CHECK(in_directory()))
        return;
    CHECK_EQ(_mkdir("sub"), 0);
    CHECK_EQ(_mkdir(".\\sub"), -1);
    CHECK_EQ(errno, EEXIST);
    CHECK_EQ(fopen_s(&stream, "sub\\file.txt", "wt"), 0); /* separators of Windows */
    CHECK_EQ(fprintf_s(stream, "%I64d", 12345LL), 5);
    CHECK_EQ(iocp_fwprintf(stream, u"%s", u"\u00e4"), 1);
    CHECK_EQ(fclose(stream), 0);
    CHECK_EQ(_access("sub/file.txt", 6), 0);
    CHECK_EQ(_wfopen_s(&stream, u"sub\\file.txt", u"rb"), 0);
    CHECK_EQ(_fseeki64(stream, 0, SEEK_END), 0);
    CHECK_EQ(_ftelli64(stream), 7);
    CHECK_EQ(_fseeki64(stream, 0, SEEK_SET), 0);
    CHECK_EQ(fread(text, 1, 7, stream), 7);
    CHECK_STR(text, "12345\u00e4");
    fclose(stream);
    CHECK_EQ(fopen_s(&stream, "nowhere\\file.txt", "r"), ENOENT);
    CHECK(stream == NULL);
    CHECK_EQ(fopen_s(&stream, "x", "q"), EINVAL);
    CHECK_EQ(fopen_s(NULL, "x", "r"), EINVAL);
    CHECK_EQ(_unlink("sub\\file.txt"), 0);
    CHECK_EQ(_rmdir("sub"), 0);
    CHECK_EQ(_access("sub", 0), -1);
}

TEST(generic_text_is_formatted_as_on_windows)
{
    FILE *stream = tmpfile();
    char text[64] = "";

    if (!CHECK(stream != NULL))
        return;
    CHECK_EQ(_ftprintf(stream, _T("%I64d %ld %lu"), -5000000000LL, (LONG)-1, (DWORD)7), 16);
    rewind(stream);
    CHECK(fgets(text, sizeof text, stream) != NULL);
    CHECK_STR(text, "-5000000000 -1 7");
    fclose(stream);
}

TEST(descriptors)
{
    char data[8] = "";
    int fd, pair[2];

    if (!CHECK(in_directory()))
        return;
    fd = _open("d.bin", _O_CREAT | _O_RDWR | _O_BINARY | _O_TRUNC, _S_IREAD | _S_IWRITE);
    CHECK(fd >= 3);
    CHECK_EQ(fcntl(fd, F_GETFD), 0); /* inherited */
    CHECK_EQ(_write(fd, "abcdef", 6), 6);
    CHECK_EQ(_lseeki64(fd, 2, SEEK_SET), 2);
    CHECK_EQ(_read(fd, data, 2), 2);
    CHECK_STR(data, "cd");
    CHECK_EQ(_telli64(fd), 4);
    CHECK_EQ(_eof(fd), 0);
    CHECK_EQ(_filelengthi64(fd), 6);
    CHECK_EQ(_chsize_s(fd, 4), 0);
    CHECK_EQ(_eof(fd), 1);
    CHECK_EQ(_setmode(fd, _O_BINARY), _O_BINARY);
    CHECK_EQ(_setmode(fd, _O_U8TEXT), -1);
    CHECK_EQ(_isatty(fd), 0);
    CHECK_EQ(_close(fd), 0);
    CHECK_EQ(_close(fd), -1);
    CHECK_EQ(errno, EBADF);
    fd = _open("d.bin", _O_RDONLY | _O_NOINHERIT);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(_close(fd), 0);
    CHECK_EQ(_pipe(pair, 4096, _O_BINARY), 0);
    CHECK_EQ(_close(pair[0]), 0);
    signal(SIGPIPE, SIG_DFL);
    CHECK_EQ(_write(pair[1], "x", 1), -1); /* and we are still alive */
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(_close(pair[1]), 0);
    CHECK_EQ(_unlink("d.bin"), 0);
}

TEST(handle_to_descriptor_and_back)
{
    HANDLE file, copy = NULL, self = GetCurrentProcess();
    LARGE_INTEGER size;
    DWORD n;
    int fd;

    if (!CHECK(in_directory()))
        return;
    file = CreateFileA("h.bin", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    fd = _open_osfhandle((intptr_t)file, _O_BINARY);
    CHECK(fd >= 3);
    CHECK_EQ(_write(fd, "1234", 4), 4);
    CHECK(WriteFile((HANDLE)_get_osfhandle(fd), "56", 2, &n, NULL)); /* one position */
    CHECK(GetFileSizeEx((HANDLE)_get_osfhandle(fd), &size));
    CHECK_EQ(size.QuadPart, 6);
    CHECK(DuplicateHandle(self, file, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK_EQ(_close((int)(intptr_t)copy), 0);
    CHECK(!CloseHandle(copy)); /* a duplicate goes alone */
    CHECK(GetFileSizeEx(file, &size));
    CHECK_EQ(_close(fd), 0);
    CHECK(!CloseHandle(file)); /* it was the descriptor's */
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    /* It was closed: nobody shares it. */
    file = CreateFileA("h.bin", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(file));
    CHECK_EQ(_open_osfhandle(12345678, 0), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(_get_osfhandle(99999), -1);
    CHECK_EQ(_get_osfhandle(1), (intptr_t)GetStdHandle(STD_OUTPUT_HANDLE));
    CHECK_EQ(_open_osfhandle((intptr_t)GetStdHandle(STD_OUTPUT_HANDLE), 0), 1);
    DeleteFileA("h.bin");
}

/* A stream closes its descriptor without telling the library, which must not stumble over that. */
TEST(a_number_used_again_behind_our_back)
{
    if (!CHECK(in_directory()))
        return;
    for (int i = 0; i < 3; i++) {
        FILE *stream;
        LARGE_INTEGER size;
        HANDLE file, again;
        int fd;

        CHECK_EQ(fopen_s(&stream, "s.bin", "w+b"), 0);
        fputs("abc", stream);
        fflush(stream);
        fd = _fileno(stream);
        CHECK(GetFileSizeEx((HANDLE)_get_osfhandle(fd), &size)); /* known from here on */
        CHECK_EQ(size.QuadPart, 3);
        fclose(stream);
        file = CreateFileA("s.bin", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(file == (HANDLE)(intptr_t)fd);

        stream = _fdopen(_open_osfhandle((intptr_t)file, 0), "rb");
        CHECK(stream != NULL);
        CHECK_EQ(fgetc(stream), 'a');
        fclose(stream);
        again = CreateFileA("s.bin", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK(again == file);
        CHECK(CloseHandle(again));
    }
    DeleteFileA("s.bin");
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(rmdir(directory), 0);
}

TEST(times_of_a_file)
{
    char name[] = "/tmp/iocp-crt-XXXXXX";
    struct _utimbuf times = {1000000000, 1234567890};
    struct stat st;
    int fd = mkstemp(name);

    CHECK_EQ(_utime(name, &times), 0);
    CHECK(fstat(fd, &st) == 0 && st.st_atime == 1000000000 && st.st_mtime == 1234567890);
    CHECK_EQ(_futime(fd, NULL), 0);
    CHECK(fstat(fd, &st) == 0 && st.st_mtime > 1234567890);
    close(fd);
    unlink(name);
    CHECK(_utime(name, &times) == -1 && errno == ENOENT);
    CHECK(_futime(-1, &times) == -1 && errno == EBADF);
}
