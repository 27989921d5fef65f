/* SPDX-License-Identifier: MIT */
/*
 * A file name as a Windows program writes it, turned into what Linux can open. Both separators
 * count, `X:` is the directory that the environment variable IOCP_DRIVE_X names (`/` by default),
 * the prefixes `\\?\` and `\\.\` are understood, and device names are told apart. Case is not
 * folded, nothing is looked up on disk and relative names stay relative.
 */
#ifndef IOCP_BASE_PATH_H
#define IOCP_BASE_PATH_H

#include <stdint.h>

enum path_kind {
    PATH_FILE,      /* text: a Linux path */
    PATH_NULL,      /* NUL; text: /dev/null */
    PATH_CONSOLE,   /* CON, CONIN$, CONOUT$; text: /dev/tty */
    PATH_SERIAL,    /* COMn; text: $IOCP_COMn, by default /dev/ttyS<n-1> */
    PATH_PIPE,      /* \\.\pipe\NAME; text: NAME with its separators as given */
};

enum { PATH_SIZE = 4096 };

struct path {
    enum path_kind kind;
    char text[PATH_SIZE];
};

/* Fails with the NTSTATUS that opening such a name gives: path not found for an empty name, bad
 * network path for \\server\share, name not found for an unknown device, name too long. */
uint32_t path_parse(struct path *path, const char *name);

/* The same for a UTF-16 name. */
uint32_t path_parse16(struct path *path, const uint16_t *name);

#endif
