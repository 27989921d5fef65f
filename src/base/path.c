/* SPDX-License-Identifier: MIT */
/*
 * Windows names to Linux paths. The order of the questions matters: prefixes first (they decide
 * whether a device is meant), then devices, then the drive; whatever is left is a path whose
 * separators are turned round. `//x` with forward slashes is a Linux path, not a server: nobody
 * writes UNC names that way, and Linux programs produce such paths all the time.
 */
#include "base/path.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_NOT_FOUND 0xC0000034u
#define PATH_NOT_FOUND 0xC000003Au
#define BAD_NETWORK_PATH 0xC00000BEu
#define NAME_TOO_LONG 0xC0000106u
#define NO_MEMORY 0xC0000017u

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

static bool is_letter(char c)
{
    return text_fold((unsigned char)c) - 'a' < 26u;
}

/* Does text begin with word, case folded? Returns what follows, or NULL. */
static const char *after(const char *text, const char *word)
{
    for (; *word; text++, word++)
        if (text_fold((unsigned char)*text) != text_fold((unsigned char)*word))
            return NULL;
    return text;
}

static uint32_t set_text(struct path *path, enum path_kind kind, const char *text)
{
    size_t length = strlen(text);

    if (length >= PATH_SIZE)
        return NAME_TOO_LONG;
    path->kind = kind;
    memcpy(path->text, text, length + 1);
    return 0;
}

/* COM1 to COM9, and any number behind \\.\ ; a colon may follow, as in "COM1:". */
static bool is_serial(const char *name, bool prefixed, unsigned *number)
{
    const char *digits = after(name, "COM");
    char *end;

    if (!digits || digits[0] < '1' || digits[0] > '9')
        return false;
    *number = (unsigned)strtoul(digits, &end, 10);
    if (*end == ':')
        end++;
    return *end == 0 && *number <= 256 && (prefixed || *number <= 9);
}

static uint32_t set_serial(struct path *path, unsigned number)
{
    char name[32];
    const char *value;

    snprintf(name, sizeof name, "IOCP_COM%u", number);
    value = getenv(name);
    if (value && *value)
        return set_text(path, PATH_SERIAL, value);
    snprintf(name, sizeof name, "/dev/ttyS%u", number - 1);
    return set_text(path, PATH_SERIAL, name);
}

static bool is_device(const char *name, const char *device)
{
    const char *rest = after(name, device);

    return rest && (rest[0] == 0 || (rest[0] == ':' && rest[1] == 0));
}

/* Answers whether name is a device, and if so parses it. */
static bool parse_device(struct path *path, const char *name, bool prefixed, uint32_t *status)
{
    unsigned number;

    if (is_device(name, "NUL")) {
        *status = set_text(path, PATH_NULL, "/dev/null");
        return true;
    }
    if (is_device(name, "CON") || is_device(name, "CONIN$") || is_device(name, "CONOUT$")) {
        *status = set_text(path, PATH_CONSOLE, "/dev/tty");
        return true;
    }
    if (is_serial(name, prefixed, &number)) {
        *status = set_serial(path, number);
        return true;
    }
    return false;
}

/* Joins the drive's directory and the rest, separators turned round. */
static uint32_t join(struct path *path, const char *root, const char *rest)
{
    size_t base = strlen(root), length = strlen(rest);

    while (base > 0 && root[base - 1] == '/' && is_separator(rest[0]))
        base--;
    if (base + length >= PATH_SIZE)
        return NAME_TOO_LONG;
    path->kind = PATH_FILE;
    memcpy(path->text, root, base);
    for (size_t i = 0; i < length; i++)
        path->text[base + i] = rest[i] == '\\' ? '/' : rest[i];
    path->text[base + length] = 0;
    return 0;
}

/* `X:\rest` is under the drive's directory; `X:rest` is relative to the current directory, which
 * is the only one we keep. */
static uint32_t parse_drive(struct path *path, const char *name)
{
    char variable[] = "IOCP_DRIVE_X";
    const char *root;

    if (!is_separator(name[2]))
        return join(path, "", name[2] ? name + 2 : ".");
    variable[sizeof variable - 2] = (char)(text_fold((unsigned char)name[0]) - 32);
    root = getenv(variable);
    return join(path, root && *root ? root : "/", name + 2);
}

/* What follows \\.\ or \\?\ : a pipe, a device, a drive path, or an absolute path of ours. */
static uint32_t parse_prefixed(struct path *path, const char *name)
{
    const char *pipe = after(name, "pipe");
    uint32_t status;

    if (pipe && is_separator(*pipe))
        return pipe[1] ? set_text(path, PATH_PIPE, pipe + 1) : NAME_NOT_FOUND;
    if (parse_device(path, name, true, &status))
        return status;
    if (is_letter(name[0]) && name[1] == ':' && is_separator(name[2]))
        return parse_drive(path, name);
    if (is_separator(name[0]))
        return join(path, "", name);
    if (after(name, "UNC\\"))
        return BAD_NETWORK_PATH;
    return NAME_NOT_FOUND;
}

uint32_t path_parse(struct path *path, const char *name)
{
    uint32_t status;

    if (name[0] == 0)
        return PATH_NOT_FOUND;
    if (strncmp(name, "\\\\.\\", 4) == 0 || strncmp(name, "\\\\?\\", 4) == 0 ||
        strncmp(name, "\\??\\", 4) == 0 || strncmp(name, "//./pipe/", 9) == 0)
        return parse_prefixed(path, name + 4);
    if (name[0] == '\\' && name[1] == '\\')
        return BAD_NETWORK_PATH;
    if (parse_device(path, name, false, &status))
        return status;
    if (is_letter(name[0]) && name[1] == ':')
        return parse_drive(path, name);
    return join(path, "", name);
}

uint32_t path_parse16(struct path *path, const uint16_t *name)
{
    char *narrow = text_utf8_new(name);
    uint32_t status;

    if (!narrow)
        return NO_MEMORY;
    status = path_parse(path, narrow);
    free(narrow);
    return status;
}
