/* SPDX-License-Identifier: MIT */
/*
 * The environment and the command line. Variables are libc's own, so that getenv and setenv of
 * the program see the same; their names keep their case. A lock makes our calls safe against
 * each other (libc's setenv is not safe against a getenv elsewhere, and stays so).
 */
#include <windows.h>

#include "api/api.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/own_fd.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static struct lock environment_lock = LOCK_INIT(LOCK_LEAF);

FORK_HOOK(&environment_lock, LOCK_LEAF, NULL); /* a child has the same variables */

/* A copy for the caller to free, or NULL with the last error set. */
static char *copy_variable(const char *name)
{
    const char *value;
    char *copy = NULL;

    if (!name || !*name) {
        last_error_set(ERROR_ENVVAR_NOT_FOUND);
        return NULL;
    }
    lock_acquire(&environment_lock);
    value = getenv(name);
    if (value)
        copy = strdup(value);
    lock_release(&environment_lock);
    if (!copy)
        last_error_set(value ? ERROR_NOT_ENOUGH_MEMORY : ERROR_ENVVAR_NOT_FOUND);
    return copy;
}

/* The usual answer: the length without the terminator if the value fits, else the size needed. An
 * empty value gives 0 and no error, which is how programs tell it from an absent one. */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize)
{
    char *value = copy_variable(lpName);
    size_t length;

    if (!value)
        return 0;
    length = strlen(value);
    if (length < nSize && lpBuffer) {
        memcpy(lpBuffer, value, length + 1);
        if (length == 0)
            last_error_set(NO_ERROR);
    } else {
        length++;
    }
    free(value);
    return (DWORD)length;
}

DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize)
{
    char *name = text_utf8_new((const uint16_t *)lpName);
    char *value = copy_variable(name);
    size_t length, units;

    free(name);
    if (!value)
        return 0;
    length = strlen(value);
    units = (size_t)text_to_utf16(value, length, NULL, 0, false);
    if (units < nSize && lpBuffer) {
        if (units > 0)
            text_to_utf16(value, length, (uint16_t *)lpBuffer, units, false);
        else
            last_error_set(NO_ERROR);
        lpBuffer[units] = 0;
    } else {
        units++;
    }
    free(value);
    return (DWORD)units;
}

BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue)
{
    int result;

    if (!lpName || !*lpName || strchr(lpName, '=')) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    lock_acquire(&environment_lock);
    result = lpValue ? setenv(lpName, lpValue, 1) : unsetenv(lpName);
    lock_release(&environment_lock);
    if (result)
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    return result == 0;
}

BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue)
{
    char *name = text_utf8_new((const uint16_t *)lpName);
    char *value = text_utf8_new((const uint16_t *)lpValue);
    BOOL result = FALSE;

    if ((lpName && !name) || (lpValue && !value))
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    else
        result = SetEnvironmentVariableA(name, value);
    free(name);
    free(value);
    return result;
}

/* Copies text, or its %VARIABLES% expanded, into out as far as it fits; returns the size needed
 * with terminator. An unknown variable stays as it is written. */
static size_t expand(const char *source, char *out, size_t size)
{
    size_t done = 0;

    while (*source) {
        const char *end = *source == '%' ? strchr(source + 1, '%') : NULL;
        char *name = end ? strndup(source + 1, (size_t)(end - source - 1)) : NULL;
        char *value = name && *name ? copy_variable(name) : NULL;
        const char *text = value ? value : source;
        size_t length = value ? strlen(value) : 1;

        for (size_t i = 0; i < length; i++, done++)
            if (done < size)
                out[done] = text[i];
        source = value ? end + 1 : source + 1;
        free(value);
        free(name);
    }
    if (done < size)
        out[done] = 0;
    return done + 1;
}

DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR lpSrc, LPSTR lpDst, DWORD nSize)
{
    DWORD before = last_error_get();
    size_t size = expand(lpSrc, lpDst, lpDst ? nSize : 0);

    last_error_set(before);
    return (DWORD)size;
}

DWORD WINAPI ExpandEnvironmentStringsW(LPCWSTR lpSrc, LPWSTR lpDst, DWORD nSize)
{
    DWORD before = last_error_get();
    char *source = text_utf8_new((const uint16_t *)lpSrc), *text = NULL;
    size_t size, units = 0;

    if (source) {
        size = expand(source, NULL, 0);
        text = malloc(size);
    }
    if (text) {
        expand(source, text, size);
        units = (size_t)text_to_utf16(text, size, NULL, 0, false);
        if (lpDst && units <= nSize)
            text_to_utf16(text, size, (uint16_t *)lpDst, units, false);
    }
    last_error_set(text ? before : ERROR_NOT_ENOUGH_MEMORY);
    free(text);
    free(source);
    return (DWORD)units;
}

/* The block of "NAME=value" strings that ends with an empty one. */
LPCH WINAPI GetEnvironmentStringsA(void)
{
    size_t size = 2, at = 0;
    char *block;

    lock_acquire(&environment_lock);
    for (char **entry = environ; entry && *entry; entry++)
        size += strlen(*entry) + 1;
    block = malloc(size);
    for (char **entry = environ; block && entry && *entry; entry++) {
        size_t length = strlen(*entry) + 1;

        memcpy(block + at, *entry, length);
        at += length;
    }
    lock_release(&environment_lock);
    if (!block) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    block[at] = 0;
    block[at + 1] = 0;
    return block;
}

LPWCH WINAPI GetEnvironmentStringsW(void)
{
    char *narrow = GetEnvironmentStringsA();
    size_t size = 1, units;
    uint16_t *block;

    if (!narrow)
        return NULL;
    for (char *entry = narrow; *entry; entry += strlen(entry) + 1)
        size += strlen(entry) + 1;
    units = (size_t)text_to_utf16(narrow, size, NULL, 0, false);
    block = malloc((units + 1) * sizeof *block);
    if (block) {
        text_to_utf16(narrow, size, block, units, false);
        block[units] = 0;
    } else {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    }
    free(narrow);
    return (LPWCH)block;
}

BOOL WINAPI FreeEnvironmentStringsA(LPCH penv)
{
    free(penv);
    return TRUE;
}

BOOL WINAPI FreeEnvironmentStringsW(LPWCH penv)
{
    free(penv);
    return TRUE;
}

/* The command line, made once from the arguments by the rules that CommandLineToArgvW undoes:
 * quotes around what is empty or holds blanks, backslashes doubled before a quote. */
static char *line_narrow;
static uint16_t *line_wide;
static pthread_once_t line_once = PTHREAD_ONCE_INIT;

static void put_quoted(FILE *out, const char *argument)
{
    bool quoted = *argument == 0 || strpbrk(argument, " \t\"");
    size_t slashes = 0;

    if (quoted)
        fputc('"', out);
    for (; *argument; argument++) {
        if (*argument == '"')
            for (slashes++; slashes > 0; slashes--)
                fputc('\\', out);
        slashes = *argument == '\\' ? slashes + 1 : 0;
        fputc(*argument, out);
    }
    for (; quoted && slashes > 0; slashes--)
        fputc('\\', out);
    if (quoted)
        fputc('"', out);
}

static void make_line(void)
{
    FILE *in = fd_open_text("/proc/self/cmdline");
    size_t space = 0, length = 0;
    char *argument = NULL;
    FILE *out = open_memstream(&line_narrow, &length);

    for (bool first = true; in && out && getdelim(&argument, &space, 0, in) > 0; first = false) {
        if (!first)
            fputc(' ', out);
        put_quoted(out, argument);
    }
    free(argument);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    if (line_narrow)
        line_wide = text_utf16_new(line_narrow);
}

LPSTR WINAPI GetCommandLineA(void)
{
    pthread_once(&line_once, make_line);
    return line_narrow;
}

LPWSTR WINAPI GetCommandLineW(void)
{
    pthread_once(&line_once, make_line);
    return (LPWSTR)line_wide;
}
