/* SPDX-License-Identifier: MIT */
/*
 * A client that was disconnected must not read what the server wrote before, and says 233, not 109;
 * the socket cannot tell the two ends apart. So each instance has a word in memory that its
 * process shares with its clients, who can read it only: disconnecting changes the word.
 */
#ifndef IOCP_IO_PIPE_BOARD_H
#define IOCP_IO_PIPE_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

/* ---- server ---- */

int board_take(uint32_t *slot); /* a word: 0 or -errno */
void board_give_back(uint32_t slot);
uint32_t board_read(uint32_t slot);
void board_change(uint32_t slot);
int board_fd(void); /* to be sent to clients; the board's own */

/* ---- client ---- */

/* The word `slot` of a board that came from elsewhere; NULL if it is none. fd stays the caller's. */
const _Atomic uint32_t *board_map(int fd, uint32_t slot);
void board_unmap(const _Atomic uint32_t *word);

#endif
