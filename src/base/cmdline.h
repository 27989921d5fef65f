/* SPDX-License-Identifier: MIT */
/*
 * A command line taken apart into arguments, as programs of Windows do it when they start: the first word
 * is the program, where only quotes count; in the others backslashes before a quote are halved, an odd
 * one makes the quote a character, and two quotes inside quotes are one.
 */
#ifndef IOCP_BASE_CMDLINE_H
#define IOCP_BASE_CMDLINE_H

/* NULL-terminated, in one block from malloc; NULL: no memory. */
char **cmdline_split(const char *line);

#endif
