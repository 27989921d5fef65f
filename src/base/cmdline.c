/* SPDX-License-Identifier: MIT */
/* Command lines; see cmdline.h. The arguments are written behind their own pointers: no argument is
 * longer than what it was made of, and there are no more of them than every second character. */
#include "base/cmdline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Up to the first blank outside of quotes. */
static const char *copy_program(const char *at, char **to)
{
    bool quoted = false;

    for (; *at && (quoted || !is_blank(*at)); at++) {
        if (*at == '"')
            quoted = !quoted;
        else
            *(*to)++ = *at;
    }
    return at;
}

/* Backslashes and what they stand before. */
static const char *copy_slashes(const char *at, char **to)
{
    size_t n = strspn(at, "\\");
    bool before_quote = at[n] == '"';

    memset(*to, '\\', before_quote ? n / 2 : n);
    *to += before_quote ? n / 2 : n;
    at += n;
    if (before_quote && n % 2)
        *(*to)++ = *at++;
    return at;
}

static const char *copy_argument(const char *at, char **to)
{
    bool quoted = false;

    while (*at && (quoted || !is_blank(*at))) {
        if (*at == '\\') {
            at = copy_slashes(at, to);
        } else if (*at != '"') {
            *(*to)++ = *at++;
        } else if (quoted && at[1] == '"') {
            *(*to)++ = '"';
            at += 2;
        } else {
            quoted = !quoted;
            at++;
        }
    }
    return at;
}

char **cmdline_split(const char *line)
{
    size_t length = strlen(line);
    size_t count_max = length / 2 + 2;
    char **argv = malloc((count_max + 1) * sizeof *argv + length + 2);
    char *to = (char *)(argv + count_max + 1);
    const char *at = line;
    size_t count = 0;

    if (!argv)
        return NULL;
    argv[count++] = to;
    at = copy_program(at, &to);
    *to++ = 0;
    for (;;) {
        at += strspn(at, " \t");
        if (!*at)
            break;
        argv[count++] = to;
        at = copy_argument(at, &to);
        *to++ = 0;
    }
    argv[count] = NULL;
    return argv;
}
