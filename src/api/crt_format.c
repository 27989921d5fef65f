/* SPDX-License-Identifier: MIT */
/*
 * The formatter behind every printf of the C run-time. One loop reads formats of bytes and of UTF-16;
 * numbers are made by the C library from a rebuilt specification, text is copied or converted here,
 * because only here a wide string has 16 bits.
 *
 * Sizes are Windows': `l` is 32 bits for integers, so that a DWORD fits %lu whatever the width of long is
 * on this system. A caller that passes a 64-bit long gets its low half, as its program would on Windows.
 */
#include "api/crt.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Where the text goes. Exactly one of narrow and wide is in use, as `is_wide` says. */
struct sink {
    bool is_wide;
    char *narrow;
    uint16_t *wide;
    size_t size;    /* units that fit */
    size_t length;  /* units so far, those that did not fit too */
};

struct input {
    bool is_wide;
    const char *narrow;
    const uint16_t *wide;
};

enum width { WIDTH_NONE, WIDTH_CHAR, WIDTH_SHORT, WIDTH_LONG, WIDTH_64, WIDTH_DOUBLE };

struct spec {
    bool left, zero, plus, space, alternate;
    int field;      /* 0: none */
    int precision;  /* -1: none */
    enum width width;
    bool wide_text; /* %w */
    char conversion;
};

struct arguments {
    va_list list;
};

static uint32_t look(const struct input *in)
{
    return in->is_wide ? *in->wide : (unsigned char)*in->narrow;
}

static uint32_t next(struct input *in)
{
    return in->is_wide ? *in->wide++ : (unsigned char)*in->narrow++;
}

static bool take(struct input *in, char c)
{
    if (look(in) != (unsigned char)c)
        return false;
    next(in);
    return true;
}

/* Does the format go on with these characters? Then they are taken. */
static bool take_text(struct input *in, const char *text)
{
    struct input at = *in;

    for (; *text; text++)
        if (!take(&at, *text))
            return false;
    *in = at;
    return true;
}

static void put(struct sink *out, uint32_t unit)
{
    if (out->length < out->size) {
        if (out->is_wide)
            out->wide[out->length] = (uint16_t)unit;
        else
            out->narrow[out->length] = (char)unit;
    }
    out->length++;
}

static void pad(struct sink *out, char c, size_t have, int field)
{
    for (size_t i = have; field > 0 && i < (size_t)field; i++)
        put(out, (unsigned char)c);
}

/* ---- reading a specification ---- */

static int number(struct input *in, struct arguments *args, int *value)
{
    int64_t n = 0;

    if (take(in, '*')) {
        *value = va_arg(args->list, int);
        return 0;
    }
    while (look(in) - '0' < 10u) {
        n = n * 10 + (int)(next(in) - '0');
        if (n > INT_MAX / 2)
            return -1;
    }
    *value = (int)n;
    return 0;
}

static void flags(struct input *in, struct spec *s)
{
    for (;;) {
        if (take(in, '-'))
            s->left = true;
        else if (take(in, '0'))
            s->zero = true;
        else if (take(in, '+'))
            s->plus = true;
        else if (take(in, ' '))
            s->space = true;
        else if (take(in, '#'))
            s->alternate = true;
        else
            return;
    }
}

static void length_modifier(struct input *in, struct spec *s)
{
    if (take_text(in, "I64") || take_text(in, "ll") || take(in, 'z') || take(in, 'j') || take(in, 't'))
        s->width = WIDTH_64;
    else if (take_text(in, "I32") || take(in, 'l'))
        s->width = WIDTH_LONG;
    else if (take(in, 'I'))
        s->width = WIDTH_64;
    else if (take_text(in, "hh"))
        s->width = WIDTH_CHAR;
    else if (take(in, 'h'))
        s->width = WIDTH_SHORT;
    else if (take(in, 'L'))
        s->width = WIDTH_DOUBLE;
    else if (take(in, 'w'))
        s->wide_text = true;
}

static int read_spec(struct input *in, struct arguments *args, struct spec *s)
{
    *s = (struct spec){.precision = -1};
    flags(in, s);
    if (number(in, args, &s->field) < 0)
        return -1;
    if (s->field < 0) {
        s->left = true;
        s->field = s->field == INT_MIN ? INT_MAX : -s->field;
    }
    if (take(in, '.') && number(in, args, &s->precision) < 0)
        return -1;
    if (s->precision < 0)
        s->precision = -1; /* a negative one counts as none */
    length_modifier(in, s);
    uint32_t c = look(in);
    if (c == 0 || c >= 0x80)
        return -1;
    s->conversion = (char)next(in);
    return 0;
}

/* ---- numbers ---- */

/* "%-+0#*.*" and what follows, for the C library; the stars are always there but for the precision. */
static void rebuild(const struct spec *s, const char *length, char *format)
{
    *format++ = '%';
    if (s->left)
        *format++ = '-';
    if (s->zero)
        *format++ = '0';
    if (s->plus)
        *format++ = '+';
    if (s->space)
        *format++ = ' ';
    if (s->alternate)
        *format++ = '#';
    *format++ = '*';
    *format++ = '.'; /* a negative precision is none */
    *format++ = '*';
    while (*length)
        *format++ = *length++;
    *format++ = s->conversion;
    *format = 0;
}

union value {
    long long integer;
    double real;
    long double long_real;
};

static int print_number(const struct spec *s, const union value *v, char *text, size_t size)
{
    char format[24];
    bool real = strchr("eEfFgGaA", s->conversion) != NULL;

    rebuild(s, !real ? "ll" : s->width == WIDTH_DOUBLE ? "L" : "", format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (!real)
        return snprintf(text, size, format, s->field, s->precision, v->integer);
    if (s->width == WIDTH_DOUBLE)
        return snprintf(text, size, format, s->field, s->precision, v->long_real);
    return snprintf(text, size, format, s->field, s->precision, v->real);
#pragma GCC diagnostic pop
}

static int put_number(struct sink *out, const struct spec *s, const union value *v)
{
    char small[512], *text = small;
    int length = print_number(s, v, small, sizeof small);

    if (length < 0)
        return -1;
    if ((size_t)length >= sizeof small) {
        text = malloc((size_t)length + 1);
        if (!text)
            return -1;
        print_number(s, v, text, (size_t)length + 1);
    }
    for (int i = 0; i < length; i++)
        put(out, (unsigned char)text[i]);
    if (text != small)
        free(text);
    return 0;
}

/* Read with the width that the caller pushed, and cut to what Windows would have looked at. */
static long long integer_argument(struct arguments *args, const struct spec *s)
{
    bool is_signed = s->conversion == 'd' || s->conversion == 'i';

    if (s->width == WIDTH_64)
        return va_arg(args->list, long long);
    int n = va_arg(args->list, int);

    switch (s->width) {
    case WIDTH_CHAR:
        return is_signed ? (long long)(signed char)n : (long long)(unsigned char)n;
    case WIDTH_SHORT:
        return is_signed ? (long long)(short)n : (long long)(unsigned short)n;
    default:
        return is_signed ? (long long)n : (long long)(unsigned)n;
    }
}

static int put_integer(struct sink *out, struct spec *s, struct arguments *args)
{
    union value v = {.integer = integer_argument(args, s)};

    return put_number(out, s, &v);
}

static int put_real(struct sink *out, struct spec *s, struct arguments *args)
{
    union value v;

    if (s->width == WIDTH_DOUBLE)
        v.long_real = va_arg(args->list, long double);
    else
        v.real = va_arg(args->list, double);
    return put_number(out, s, &v);
}

/* 16 digits in capitals, without 0x. */
static int put_pointer(struct sink *out, struct spec *s, struct arguments *args)
{
    union value v = {.integer = (long long)(uintptr_t)va_arg(args->list, void *)};

    s->conversion = 'X';
    s->precision = 16;
    s->alternate = s->zero = s->plus = s->space = false;
    return put_number(out, s, &v);
}

/* ---- text ---- */

/* Bytes into a narrow text or units into a wide one: at most `precision`, in a field. */
static void put_same(struct sink *out, const struct spec *s, const struct input *text, size_t length)
{
    char filler = s->zero && !s->left ? '0' : ' ';
    struct input at = *text;

    if (!s->left)
        pad(out, filler, length, s->field);
    for (size_t i = 0; i < length; i++)
        put(out, next(&at));
    if (s->left)
        pad(out, ' ', length, s->field);
}

/* A precision limits the text before it is read: it need not be terminated then. */
static size_t length_within(const struct input *text, int precision)
{
    struct input at = *text;
    size_t length = 0;

    while ((precision < 0 || length < (size_t)precision) && next(&at))
        length++;
    return length;
}

/* UTF-16 in a narrow text: the precision counts bytes, and no character is cut in two. */
static int put_wide_in_narrow(struct sink *out, const struct spec *s, const uint16_t *text, size_t units)
{
    size_t bytes = (size_t)text_to_utf8(text, units, NULL, 0, false);
    char *copy = malloc(bytes + 1);

    if (!copy)
        return -1;
    text_to_utf8(text, units, copy, bytes + 1, false);
    if (s->precision >= 0 && bytes > (size_t)s->precision) {
        bytes = (size_t)s->precision;
        while (bytes > 0 && ((unsigned char)copy[bytes] & 0xC0) == 0x80)
            bytes--;
    }
    put_same(out, s, &(struct input){.narrow = copy}, bytes);
    free(copy);
    return 0;
}

/* UTF-8 in a wide text: the precision counts units. */
static int put_narrow_in_wide(struct sink *out, const struct spec *s, const char *text, size_t bytes)
{
    size_t units = (size_t)text_to_utf16(text, bytes, NULL, 0, false);
    uint16_t *copy = malloc((units + 1) * sizeof *copy);

    if (!copy)
        return -1;
    text_to_utf16(text, bytes, copy, units + 1, false);
    if (s->precision >= 0 && units > (size_t)s->precision)
        units = (size_t)s->precision;
    put_same(out, s, &(struct input){.is_wide = true, .wide = copy}, units);
    free(copy);
    return 0;
}

static int put_text(struct sink *out, const struct spec *s, bool is_wide, const void *text)
{
    static const uint16_t null_wide[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
    struct input in = {.is_wide = is_wide, .narrow = text, .wide = text};

    if (!text) {
        in.narrow = "(null)";
        in.wide = null_wide;
    }
    if (is_wide == out->is_wide) {
        put_same(out, s, &in, length_within(&in, s->precision));
        return 0;
    }
    /* Each unit of the source gives at least one of UTF-8; four bytes of UTF-8 give at least one unit. */
    if (is_wide)
        return put_wide_in_narrow(out, s, in.wide, length_within(&in, s->precision));
    int most = s->precision < 0 || s->precision > INT_MAX / 4 ? -1 : s->precision * 4;
    return put_narrow_in_wide(out, s, in.narrow, length_within(&in, most));
}

/* s and c are of the format's own kind, S and C of the other; h and l say which. */
static bool is_wide_text(const struct spec *s, bool format_is_wide)
{
    bool other = s->conversion == 'S' || s->conversion == 'C';

    if (s->width == WIDTH_SHORT)
        return false;
    if (s->width == WIDTH_LONG || s->wide_text)
        return true;
    return format_is_wide != other;
}

static int put_character(struct sink *out, struct spec *s, bool is_wide, struct arguments *args)
{
    int n = va_arg(args->list, int);
    uint16_t unit = (uint16_t)n;
    char byte = (char)n;

    s->precision = -1;
    if (!is_wide && !out->is_wide)
        put_same(out, s, &(struct input){.narrow = &byte}, 1);
    else if (is_wide && out->is_wide)
        put_same(out, s, &(struct input){.is_wide = true, .wide = &unit}, 1);
    else if (is_wide)
        return put_wide_in_narrow(out, s, &unit, 1);
    else
        return put_narrow_in_wide(out, s, &byte, 1);
    return 0;
}

/* ---- the loop ---- */

static int convert(struct sink *out, struct spec *s, bool format_is_wide, struct arguments *args)
{
    bool is_wide = is_wide_text(s, format_is_wide);

    switch (s->conversion) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return put_integer(out, s, args);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return put_real(out, s, args);
    case 'p':
        return put_pointer(out, s, args);
    case 's':
    case 'S':
        return put_text(out, s, is_wide, va_arg(args->list, void *));
    case 'c':
    case 'C':
        return put_character(out, s, is_wide, args);
    default: /* %n too, which Windows refuses */
        errno = EINVAL;
        return -1;
    }
}

static ptrdiff_t run(struct sink *out, struct input in, struct arguments *args)
{
    int kept = errno;

    while (look(&in)) {
        struct spec s;

        if (take_text(&in, "%%")) {
            put(out, '%');
            continue;
        }
        if (!take(&in, '%')) {
            put(out, next(&in));
            continue;
        }
        if (read_spec(&in, args, &s) < 0) {
            errno = EINVAL;
            return -1;
        }
        if (convert(out, &s, in.is_wide, args) < 0)
            return -1;
    }
    if (out->length > INT_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    errno = kept;
    return (ptrdiff_t)out->length;
}

ptrdiff_t crt_format(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct sink out = {.narrow = buffer, .size = size};
    struct arguments args;
    ptrdiff_t length;

    va_copy(args.list, arguments);
    length = run(&out, (struct input){.narrow = format}, &args);
    va_end(args.list);
    return length;
}

ptrdiff_t crt_format16(uint16_t *buffer, size_t size, const uint16_t *format, va_list arguments)
{
    struct sink out = {.is_wide = true, .wide = buffer, .size = size};
    struct arguments args;
    ptrdiff_t length;

    va_copy(args.list, arguments);
    length = run(&out, (struct input){.is_wide = true, .wide = format}, &args);
    va_end(args.list);
    return length;
}
