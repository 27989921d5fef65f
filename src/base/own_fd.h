/* SPDX-License-Identifier: MIT */
/*
 * The library's own descriptors: epoll sets, eventfds, the ring, reserves. A program that passes a
 * stale number must not get one of them adopted, and then closed. Numbers beyond the table are not
 * noted; nothing can be adopted there either. Where a program has closed 0, 1 or 2 the kernel gives out
 * these first: what is opened here is moved above them, or the program's output would go into it.
 */
#ifndef IOCP_BASE_OWN_FD_H
#define IOCP_BASE_OWN_FD_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

/* Notes fd, moved above 2, and gives it back; an error (negative) passes through, errno untouched. */
int own_fd(int fd);
bool own_fd_is(int fd);
void own_fd_forget(int fd);
/* Forgets it, then close(2): in this order, because afterwards the number may be anybody's. */
void own_fd_close(int fd);

/* Moves a descriptor numbered 0-2 above them, whoever's it is to be. The new number, or -errno (errno, if fd
 * is negative); fd is closed then. */
int fd_above_std(int fd);
/* Both ends of a pipe: 0 or -errno, with neither open. */
int fd_pair_above_std(int fds[2]);

/* fopen of a file to read, opendir: NULL with errno. */
FILE *fd_open_text(const char *path);
DIR *fd_open_dir(const char *path);

#endif
