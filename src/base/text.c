/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 and UTF-16. Both directions are a decoder that yields one code point at a time and an
 * encoder that counts first and writes second, so that "how much would it take" and "do it" cannot
 * disagree. Bad input is replaced per maximal subpart, as Unicode recommends and Windows does:
 * the bytes of a truncated sequence give one U+FFFD together, a stray byte one of its own.
 */
#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <wctype.h>

#define REPLACEMENT 0xFFFDu
#define BAD 0xFFFFFFFFu

/* The range of the second byte depends on the first; it excludes overlong forms, surrogates and
 * values above U+10FFFF. */
static unsigned lead(unsigned char c, unsigned *low, unsigned *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (c >= 0xC2 && c <= 0xDF)
        return 1;
    if (c >= 0xE0 && c <= 0xEF) {
        if (c == 0xE0)
            *low = 0xA0;
        if (c == 0xED)
            *high = 0x9F;
        return 2;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (c == 0xF0)
            *low = 0x90;
        if (c == 0xF4)
            *high = 0x8F;
        return 3;
    }
    return 0;
}

static uint32_t decode8(const char *source, size_t length, size_t *at)
{
    unsigned char c = (unsigned char)source[(*at)++];
    unsigned low, high, more;
    uint32_t value;

    if (c < 0x80)
        return c;
    more = lead(c, &low, &high);
    if (more == 0)
        return BAD;
    value = c & (0x3Fu >> more);
    for (; more > 0; more--) {
        if (*at == length)
            return BAD;
        c = (unsigned char)source[*at];
        if (c < low || c > high)
            return BAD;
        value = value << 6 | (c & 0x3F);
        low = 0x80;
        high = 0xBF;
        (*at)++;
    }
    return value;
}

static uint32_t decode16(const uint16_t *source, size_t length, size_t *at)
{
    uint32_t c = source[(*at)++];

    if (c < 0xD800 || c > 0xDFFF)
        return c;
    if (c > 0xDBFF || *at == length || source[*at] < 0xDC00 || source[*at] > 0xDFFF)
        return BAD;
    return 0x10000 + ((c - 0xD800) << 10) + (source[(*at)++] - 0xDC00u);
}

static size_t encode8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static size_t encode16(uint32_t c, uint16_t *out)
{
    if (c < 0x10000) {
        out[0] = (uint16_t)c;
        return 1;
    }
    c -= 0x10000;
    out[0] = (uint16_t)(0xD800 | c >> 10);
    out[1] = (uint16_t)(0xDC00 | (c & 0x3FF));
    return 2;
}

ptrdiff_t text_to_utf16(const char *source, size_t length, uint16_t *target, size_t size,
                        bool strict)
{
    size_t done = 0;

    for (size_t at = 0; at < length;) {
        uint32_t c = decode8(source, length, &at);
        uint16_t units[2];
        size_t count;

        if (c == BAD && strict)
            return TEXT_MALFORMED;
        count = encode16(c == BAD ? REPLACEMENT : c, units);
        if (size > 0) {
            if (count > size - done)
                return TEXT_TOO_SMALL;
            for (size_t i = 0; i < count; i++)
                target[done + i] = units[i];
        }
        done += count;
    }
    return (ptrdiff_t)done;
}

ptrdiff_t text_to_utf8(const uint16_t *source, size_t length, char *target, size_t size,
                       bool strict)
{
    size_t done = 0;

    for (size_t at = 0; at < length;) {
        uint32_t c = decode16(source, length, &at);
        char bytes[4];
        size_t count;

        if (c == BAD && strict)
            return TEXT_MALFORMED;
        count = encode8(c == BAD ? REPLACEMENT : c, bytes);
        if (size > 0) {
            if (count > size - done)
                return TEXT_TOO_SMALL;
            for (size_t i = 0; i < count; i++)
                target[done + i] = bytes[i];
        }
        done += count;
    }
    return (ptrdiff_t)done;
}

size_t text_length16(const uint16_t *text)
{
    size_t length = 0;

    while (text[length] != 0)
        length++;
    return length;
}

char *text_utf8_new(const uint16_t *source)
{
    size_t length, size;
    char *copy;

    if (!source)
        return NULL;
    length = text_length16(source);
    size = (size_t)text_to_utf8(source, length, NULL, 0, false);
    copy = malloc(size + 1);
    if (!copy)
        return NULL;
    if (size > 0)
        text_to_utf8(source, length, copy, size, false);
    copy[size] = 0;
    return copy;
}

uint16_t *text_utf16_new(const char *source)
{
    size_t length = 0, size;
    uint16_t *copy;

    if (!source)
        return NULL;
    while (source[length] != 0)
        length++;
    size = (size_t)text_to_utf16(source, length, NULL, 0, false);
    copy = malloc((size + 1) * sizeof *copy);
    if (!copy)
        return NULL;
    if (size > 0)
        text_to_utf16(source, length, copy, size, false);
    copy[size] = 0;
    return copy;
}

/* libc has the table; C.UTF-8 is how one asks for it without changing the program's locale. */
static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void open_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

uint32_t text_upper(uint32_t c)
{
    uint32_t result;

    if (c < 0x80)
        return c - 'a' < 26u ? c - 32 : c;
    pthread_once(&unicode_once, open_unicode);
    result = unicode ? (uint32_t)towupper_l((wint_t)c, unicode) : c;
    return result > 0xFFFF ? c : result;
}

uint32_t text_lower(uint32_t c)
{
    uint32_t result;

    if (c < 0x80)
        return text_fold(c);
    pthread_once(&unicode_once, open_unicode);
    result = unicode ? (uint32_t)towlower_l((wint_t)c, unicode) : c;
    return result > 0xFFFF ? c : result;
}

int text_compare_folded(const char *a, const char *b)
{
    for (size_t i = 0;; i++) {
        uint32_t x = text_fold((unsigned char)a[i]), y = text_fold((unsigned char)b[i]);

        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}

int text_compare_folded16(const uint16_t *a, const uint16_t *b)
{
    for (size_t i = 0;; i++) {
        uint32_t x = text_fold(a[i]), y = text_fold(b[i]);

        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
}
