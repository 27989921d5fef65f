/* SPDX-License-Identifier: MIT */
/*
 * FormatMessage. One formatter works on UTF-8 for both spellings; the W function converts its
 * template before and the result after. The template comes from the table of message.c or from
 * the caller; its inserts (%1 to %99, with an optional printf-like format between exclamation
 * marks) come from a va_list or an array of pointer-sized values.
 */
#include <windows.h>

#include "api/api.h"
#include "api/message.h"
#include "base/status.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSERTS_MAX = 99 };

struct output {
    char *text;         /* owned */
    size_t length;
    size_t size;
    bool failed;        /* memory ran out: what follows is dropped */
};

/* Inserts are fetched in order and kept, because %2 may stand before %1. */
struct inserts {
    bool ignored;
    bool absent;
    bool wide;                      /* !s! means UTF-16 */
    const DWORD_PTR *array;         /* borrowed from the caller, or NULL */
    va_list list;
    int fetched;
    uint64_t value[INSERTS_MAX];
};

struct format {
    char flags[8];
    int width;          /* -1: none */
    int precision;      /* -1: none */
    int bits;           /* of an integer: 32 or 64 */
    int width_of_char;  /* for s and c: 1 narrow, 2 wide, 0 as the function is */
    char conversion;
};

static void put(struct output *out, const char *text, size_t length)
{
    if (out->length + length + 1 > out->size) {
        size_t size = (out->length + length + 1) * 2;
        char *grown = out->failed ? NULL : realloc(out->text, size);

        if (!grown) {
            out->failed = true;
            return;
        }
        out->text = grown;
        out->size = size;
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = 0;
}

static void put_text(struct output *out, const char *text)
{
    put(out, text, strlen(text));
}

static bool fetch(struct inserts *inserts, int index, uint64_t *value)
{
    if (inserts->absent || index < 0 || index >= INSERTS_MAX)
        return false;
    if (inserts->array) {
        *value = inserts->array[index];
        return true;
    }
    while (inserts->fetched <= index)
        inserts->value[inserts->fetched++] = va_arg(inserts->list, uint64_t);
    *value = inserts->value[index];
    return true;
}

/* A number or `*`, which takes the next insert. */
static bool parse_number(const char **at, struct inserts *inserts, int *index, int *number)
{
    uint64_t value;

    if (**at == '*') {
        (*at)++;
        if (!fetch(inserts, (*index)++, &value))
            return false;
        *number = (int)(int32_t)value;
        return true;
    }
    *number = 0;
    while (**at >= '0' && **at <= '9' && *number < 100000)
        *number = *number * 10 + (*(*at)++ - '0');
    return true;
}

static void parse_length(const char **at, struct format *format)
{
    if (strncmp(*at, "I64", 3) == 0) {
        *at += 3;
        format->bits = 64;
    } else if (strncmp(*at, "I32", 3) == 0) {
        *at += 3;
    } else if (strncmp(*at, "ll", 2) == 0) {
        *at += 2;
        format->bits = 64;
    } else if (**at == 'I' || **at == 'z') {
        ++*at;
        format->bits = 64;
    } else if (**at == 'l' || **at == 'w') {
        ++*at;
        format->width_of_char = 2;
    } else if (**at == 'h') {
        ++*at;
        format->width_of_char = 1;
    }
}

/* Parses what stands after the opening `!`, up to and including the closing one. */
static bool parse_format(const char **at, struct inserts *inserts, int *index,
                         struct format *format)
{
    size_t flags = 0;

    while (**at && strchr("-+ #0", **at) && flags + 1 < sizeof format->flags)
        format->flags[flags++] = *(*at)++;
    format->flags[flags] = 0;
    if (**at == '*' || (**at >= '0' && **at <= '9')) {
        if (!parse_number(at, inserts, index, &format->width))
            return false;
        if (format->width < 0) {
            format->width = -format->width;
            if (flags + 1 < sizeof format->flags)
                strcpy(format->flags + flags, "-");
        }
    }
    if (**at == '.') {
        ++*at;
        if (!parse_number(at, inserts, index, &format->precision))
            return false;
    }
    parse_length(at, format);
    format->conversion = **at;
    if (!**at || !strchr("diouxXcCsSp", **at))
        return false;
    ++*at;
    return *(*at)++ == '!';
}

/* The narrow text of a string insert; wide ones are converted into *owned. */
static const char *insert_text(uint64_t value, const struct format *format, bool wide,
                               size_t *length, char **owned)
{
    size_t limit = format->precision >= 0 ? (size_t)format->precision : SIZE_MAX;
    const uint16_t *source = (const uint16_t *)(uintptr_t)value;
    ptrdiff_t size;

    if (!value || !wide) {
        const char *text = value ? (const char *)(uintptr_t)value : "(null)";

        *length = strnlen(text, limit);
        return text;
    }
    *length = 0;
    while (*length < limit && source[*length] != 0)
        ++*length;
    size = text_to_utf8(source, *length, NULL, 0, false);
    *owned = malloc((size_t)size + 1);
    if (!*owned)
        return NULL;
    if (size > 0)
        text_to_utf8(source, *length, *owned, (size_t)size, false);
    *length = (size_t)size;
    return *owned;
}

static void put_string(struct output *out, uint64_t value, const struct format *format, bool wide)
{
    char *owned = NULL;
    size_t length, width = format->width > 0 ? (size_t)format->width : 0, units;
    const char *text = insert_text(value, format, wide, &length, &owned);
    bool left = strchr(format->flags, '-') != NULL;

    if (!text) {
        out->failed = true;
        return;
    }
    units = wide ? (size_t)text_to_utf16(text, length, NULL, 0, false) : length;
    for (size_t i = units; !left && i < width; i++)
        put(out, " ", 1);
    put(out, text, length);
    for (size_t i = units; left && i < width; i++)
        put(out, " ", 1);
    free(owned);
}

static void put_number(struct output *out, uint64_t value, const struct format *format)
{
    char pattern[32], text[512];
    int width = format->width < 0 ? 0 : format->width, precision = format->precision;

    if (width > 400)
        width = 400;
    if (precision > 400)
        precision = 400;
    if (format->conversion == 'p') {
        snprintf(text, sizeof text, "%016llX", (unsigned long long)value);
        put_text(out, text);
        return;
    }
    if (format->bits == 32) {
        bool is_signed = format->conversion == 'd' || format->conversion == 'i';

        value = is_signed ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value;
    }
    snprintf(pattern, sizeof pattern, "%%%s*.*ll%c", format->flags, format->conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, pattern, width, precision, (long long)value);
#pragma GCC diagnostic pop
    put_text(out, text);
}

static bool put_insert(struct output *out, const char **at, struct inserts *inserts)
{
    struct format format = {"", -1, -1, 32, 0, 's'};
    int index = 0;
    uint64_t value;
    bool wide = inserts->wide;

    for (int digits = 0; digits < 2 && **at >= '0' && **at <= '9'; digits++)
        index = index * 10 + (*(*at)++ - '0');
    index--;
    if (**at == '!') {
        ++*at;
        if (!parse_format(at, inserts, &index, &format))
            return false;
    }
    if (!fetch(inserts, index, &value))
        return false;
    if (format.conversion == 'S' || format.conversion == 'C')
        wide = !wide;
    if (format.width_of_char != 0)
        wide = format.width_of_char == 2;
    if (format.conversion == 's' || format.conversion == 'S') {
        put_string(out, value, &format, wide);
    } else if (format.conversion == 'c' || format.conversion == 'C') {
        uint16_t unit[2] = {(uint16_t)value, 0};
        char byte[2] = {(char)value, 0};

        put_string(out, (uintptr_t)(wide ? (void *)unit : (void *)byte), &format, wide);
    } else {
        put_number(out, value, &format);
    }
    return true;
}

/* What stands after a per cent sign that begins no insert. Returns false at %0: the text ends. */
static bool put_escape(struct output *out, char c, bool ignored)
{
    switch (c) {
    case '0':
        return false;
    case 'n':
        put_text(out, "\r\n");
        break;
    case 'r':
        put_text(out, "\r");
        break;
    case 't':
        put_text(out, "\t");
        break;
    default:
        if (ignored)
            put_text(out, "%");
        put(out, &c, 1);
        break;
    }
    return true;
}

/* Returns a Win32 code. */
static uint32_t expand(struct output *out, const char *at, struct inserts *inserts, bool one_line)
{
    while (*at) {
        size_t plain = strcspn(at, "%\r\n");

        put(out, at, plain);
        at += plain;
        if (*at == '\r' || *at == '\n') {
            at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
            put_text(out, one_line ? " " : "\r\n");
        } else if (*at == '%') {
            at++;
            if (*at == 0)
                return ERROR_INVALID_PARAMETER;
            if (*at >= '1' && *at <= '9' && !inserts->ignored) {
                if (!put_insert(out, &at, inserts))
                    return ERROR_INVALID_PARAMETER;
            } else if (!put_escape(out, *at++, inserts->ignored)) {
                break;
            }
        }
    }
    if (out->failed)
        return ERROR_NOT_ENOUGH_MEMORY;
    return out->length == 0 ? ERROR_NO_WORK_DONE : 0;
}

/* Codes are looked up as Win32 codes; the HRESULT and NTSTATUS forms of one are accepted too. */
static const char *find_text(DWORD flags, DWORD id)
{
    const char *text = message_text(id);

    if (!text && (id & 0xFFFF0000) == 0x80070000)
        text = message_text(id & 0xFFFF);
    if (!text && (flags & FORMAT_MESSAGE_FROM_HMODULE) && id > 0xFFFF)
        text = message_text(status_to_win32(id));
    return text;
}

/* Produces the text, for the caller to free; returns a Win32 code. */
static uint32_t format(DWORD flags, const char *source, DWORD id, va_list *arguments, bool wide,
                       struct output *out)
{
    struct inserts inserts = {.ignored = (flags & FORMAT_MESSAGE_IGNORE_INSERTS) != 0,
                              .absent = !arguments, .wide = wide};
    bool one_line = (flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) == FORMAT_MESSAGE_MAX_WIDTH_MASK;
    char table_text[512];
    uint32_t code;

    if (flags & FORMAT_MESSAGE_FROM_STRING) {
        if (!source)
            return ERROR_INVALID_PARAMETER;
    } else if (flags & (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE)) {
        const char *text = find_text(flags, id);

        if (!text)
            return ERROR_MR_MID_NOT_FOUND;
        snprintf(table_text, sizeof table_text, "%s\r\n", text);
        source = table_text;
    } else {
        return ERROR_INVALID_PARAMETER;
    }
    if (!arguments)
        return expand(out, source, &inserts, one_line);
    if (flags & FORMAT_MESSAGE_ARGUMENT_ARRAY) {
        inserts.array = (const DWORD_PTR *)(const void *)arguments;
        return expand(out, source, &inserts, one_line);
    }
    va_copy(inserts.list, *arguments);
    code = expand(out, source, &inserts, one_line);
    va_end(inserts.list);
    return code;
}

/* Finds the memory for length units and a terminator: the caller's or new. */
static void *place(DWORD flags, void *buffer, DWORD size, size_t length, size_t unit)
{
    void *memory;

    if (!(flags & FORMAT_MESSAGE_ALLOCATE_BUFFER)) {
        if (!buffer || length >= size) {
            last_error_set(ERROR_INSUFFICIENT_BUFFER);
            return NULL;
        }
        return buffer;
    }
    memory = LocalAlloc(LMEM_FIXED, (length + 1 > size ? length + 1 : size) * unit);
    if (!memory)
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    *(void **)buffer = memory;
    return memory;
}

/* An ALLOCATE_BUFFER call answers NULL in the caller's pointer whenever it fails. */
static bool prepare(DWORD flags, void *buffer)
{
    if (!(flags & FORMAT_MESSAGE_ALLOCATE_BUFFER))
        return true;
    if (!buffer) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return false;
    }
    *(void **)buffer = NULL;
    return true;
}

DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
                            DWORD dwLanguageId, LPSTR lpBuffer, DWORD nSize, va_list *Arguments)
{
    struct output out = {0};
    uint32_t code;
    char *target;
    DWORD length = 0;

    (void)dwLanguageId;
    if (!prepare(dwFlags, lpBuffer))
        return 0;
    code = format(dwFlags, lpSource, dwMessageId, Arguments, false, &out);
    if (code) {
        last_error_set(code);
    } else {
        target = place(dwFlags, lpBuffer, nSize, out.length, 1);
        if (target) {
            memcpy(target, out.text, out.length + 1);
            length = (DWORD)out.length;
        }
    }
    free(out.text);
    return length;
}

DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
                            DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize, va_list *Arguments)
{
    struct output out = {0};
    char *source = NULL;
    uint32_t code;
    uint16_t *target;
    DWORD length = 0;

    (void)dwLanguageId;
    if (!prepare(dwFlags, lpBuffer))
        return 0;
    if (dwFlags & FORMAT_MESSAGE_FROM_STRING)
        source = text_utf8_new(lpSource);
    code = format(dwFlags, source, dwMessageId, Arguments, true, &out);
    if (code) {
        last_error_set(code);
    } else {
        size_t units = (size_t)text_to_utf16(out.text, out.length, NULL, 0, false);

        target = place(dwFlags, lpBuffer, nSize, units, sizeof *target);
        if (target) {
            text_to_utf16(out.text, out.length, target, units, false);
            target[units] = 0;
            length = (DWORD)units;
        }
    }
    free(out.text);
    free(source);
    return length;
}
