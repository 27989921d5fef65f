/* SPDX-License-Identifier: MIT */
/* UTF-8 and UTF-16: every code point both ways, the malformed forms, and the sizes. */
#include "unit.h"

#include "base/text.h"

#include <stdlib.h>

TEST(every_code_point)
{
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        uint16_t wide[2];
        char narrow[4];
        ptrdiff_t units, bytes;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        if (c < 0x10000) {
            wide[0] = (uint16_t)c;
        } else {
            wide[0] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
            wide[1] = (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF));
        }
        units = c < 0x10000 ? 1 : 2;
        bytes = text_to_utf8(wide, (size_t)units, narrow, 4, true);
        if (bytes != (c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4))
            CHECK_EQ(c, -1);
        uint16_t back[2] = {0, 0};
        if (text_to_utf16(narrow, (size_t)bytes, back, 2, true) != units ||
            memcmp(back, wide, (size_t)units * 2) != 0)
            CHECK_EQ(c, -2);
    }
}

/* Text with malformed parts, and what each part is replaced by. */
static const struct {
    const char *bytes;
    size_t length;
    uint16_t units[8];
} malformed[] = {
    {"a\x80" "b", 3, {'a', 0xFFFD, 'b'}},
    {"\xC0\x80", 2, {0xFFFD, 0xFFFD}},                      /* overlong */
    {"\xE0\x80\x80", 3, {0xFFFD, 0xFFFD, 0xFFFD}},
    {"\xED\xA0\x80", 3, {0xFFFD, 0xFFFD, 0xFFFD}},          /* a surrogate */
    {"\xE2\x82", 2, {0xFFFD}},                              /* cut short */
    {"\xE2\x82x", 3, {0xFFFD, 'x'}},
    {"\xF0\x9F\x98", 3, {0xFFFD}},
    {"\xF4\x90\x80\x80", 4, {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD}}, /* beyond U+10FFFF */
    {"\xFF\xFE", 2, {0xFFFD, 0xFFFD}},
};

TEST(malformed_utf8)
{
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        uint16_t out[8] = {0};
        size_t expected = 0;

        while (expected < 8 && malformed[i].units[expected])
            expected++;
        CHECK_EQ(text_to_utf16(malformed[i].bytes, malformed[i].length, out, 8, false), expected);
        CHECK(memcmp(out, malformed[i].units, expected * 2) == 0);
        CHECK_EQ(text_to_utf16(malformed[i].bytes, malformed[i].length, NULL, 0, false), expected);
        CHECK_EQ(text_to_utf16(malformed[i].bytes, malformed[i].length, out, 8, true),
                 TEXT_MALFORMED);
    }
}

TEST(malformed_utf16)
{
    static const uint16_t lone_high[] = {'a', 0xD800, 'b'}, lone_low[] = {0xDC00},
                          cut[] = {0xD83D};
    char out[8];

    CHECK_EQ(text_to_utf8(lone_high, 3, out, 8, false), 5);
    CHECK(memcmp(out, "a\xEF\xBF\xBD" "b", 5) == 0);
    CHECK_EQ(text_to_utf8(lone_high, 3, out, 8, true), TEXT_MALFORMED);
    CHECK_EQ(text_to_utf8(lone_low, 1, out, 8, false), 3);
    CHECK_EQ(text_to_utf8(cut, 1, out, 8, false), 3);
    CHECK_EQ(text_to_utf8(cut, 1, out, 8, true), TEXT_MALFORMED);
}

TEST(sizes)
{
    uint16_t wide[8];
    char narrow[8];

    CHECK_EQ(text_to_utf16("h\xC3\xA9llo", 6, NULL, 0, true), 5);
    CHECK_EQ(text_to_utf16("h\xC3\xA9llo", 6, wide, 4, true), TEXT_TOO_SMALL);
    CHECK_EQ(text_to_utf16("h\xC3\xA9llo", 6, wide, 5, true), 5);
    CHECK_EQ(text_to_utf16("\xF0\x9F\x98\x80", 4, wide, 1, true), TEXT_TOO_SMALL);
    CHECK_EQ(text_to_utf8(u"\u00e9", 1, narrow, 1, true), TEXT_TOO_SMALL);
    CHECK_EQ(text_to_utf16("", 0, wide, 8, true), 0);
    CHECK_EQ(text_to_utf16("a", 2, wide, 8, true), 2); /* the terminator is carried over */
}

TEST(copies)
{
    char *narrow = text_utf8_new(u"caf\u00e9 \U0001F600");
    uint16_t *wide = text_utf16_new("caf\xC3\xA9");

    CHECK_STR(narrow, "caf\xC3\xA9 \xF0\x9F\x98\x80");
    CHECK(memcmp(wide, u"caf\u00e9", 10) == 0);
    CHECK(text_utf8_new(NULL) == NULL);
    CHECK(text_utf16_new(NULL) == NULL);
    free(narrow);
    free(wide);
}

TEST(case_folding)
{
    CHECK_EQ(text_compare_folded("KERNEL32", "kernel32"), 0);
    CHECK_EQ(text_compare_folded("a", "B"), -1);
    CHECK_EQ(text_compare_folded("ab", "A"), 1);
    CHECK_EQ(text_compare_folded("[", "{"), -1);
    CHECK_EQ(text_compare_folded16(u"NtDll", u"nTdLL"), 0);
    CHECK_EQ(text_upper(0xE9), 0xC9);
    CHECK_EQ(text_lower(0xC9), 0xE9);
    CHECK_EQ(text_upper('z'), 'Z');
    CHECK_EQ(text_lower(0x0416), 0x0436);
}
