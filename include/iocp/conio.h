/* SPDX-License-Identifier: MIT */
/*
 * conio.h: single keys and bytes of the console, as Microsoft's C run-time has them. The console is the
 * standard input (output) if that is a terminal, else /dev/tty; a program without one has no keys.
 * Page: "Console and port I/O", learn.microsoft.com/cpp/c-runtime-library/console-and-port-i-o.
 */
#ifndef _INC_CONIO
#define _INC_CONIO

#include <corecrt.h>
#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/* Not 0: a key has been pressed that _getch would return at once. Never waits. Always 0 in a process that
 * is not in the foreground of its terminal. What is pressed while no call waits, the terminal echoes. */
_CRTIMP int _kbhit(void) IOCP_SYM(_kbhit);

/* Waits for one key, without an Enter: a byte, '\r' for Enter; _getch does not echo it, _getche does. EOF:
 * there is no console. Keys without a character (arrows ...) are the terminal's ESC sequences, byte by
 * byte, not 0 or 0xE0 and a code. Ctrl+C is a signal. */
_CRTIMP int _getch(void) IOCP_SYM(_getch);
_CRTIMP int _getche(void) IOCP_SYM(_getche);

/* The byte that the next _getch returns; one at a time, else EOF. */
_CRTIMP int _ungetch(int c) IOCP_SYM(_ungetch);

/* Written to the console at once, past the standard output's buffer: what was written, or EOF; 0, or -1. */
_CRTIMP int _putch(int c) IOCP_SYM(_putch);
_CRTIMP int _cputs(const char *text) IOCP_SYM(_cputs);

/* The old names. */
_CRTIMP int kbhit(void) IOCP_SYM(_kbhit);
_CRTIMP int getch(void) IOCP_SYM(_getch);
_CRTIMP int getche(void) IOCP_SYM(_getche);
_CRTIMP int ungetch(int c) IOCP_SYM(_ungetch);
_CRTIMP int putch(int c) IOCP_SYM(_putch);
_CRTIMP int cputs(const char *text) IOCP_SYM(_cputs);

IOCP_EXTERN_C_END

#endif
