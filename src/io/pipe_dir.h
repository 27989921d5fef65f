/* SPDX-License-Identifier: MIT */
/*
 * Names of pipes in the file system, so that other processes of the user find them. Below iocp in
 * $XDG_RUNTIME_DIR, else in /run/user/UID (the user's, and nobody else may write there), else below
 * /tmp/iocp-UID (if that is ours alone) each name is a directory, and each process with instances of it has
 * a socket in there. Whoever makes an instance holds the lock of its name.
 */
#ifndef IOCP_IO_PIPE_DIR_H
#define IOCP_IO_PIPE_DIR_H

#include "io/pipe_wire.h"

#include <stdbool.h>

enum { PIPE_DIR_SIZE = 64, PIPE_FILE_SIZE = 40 };

/* The name with its case folded, terminated. STATUS_OBJECT_NAME_INVALID: more than 256 characters, none. */
uint32_t pipe_fold(const char *name, char text[PIPE_TEXT_MAX]);
void pipe_dir_of(const char *text, char dir[PIPE_DIR_SIZE]);

/*
 * The lock of a name (folded), between processes, and between threads, each with a descriptor of its own (or
 * -errno). A process that stands still keeps it: -ETIMEDOUT. Unlocking closes the descriptor; but a forked
 * child may have a copy, so that alone would not let go.
 */
int pipe_dir_lock_open(void);
int pipe_dir_lock(int fd, const char *text, uint64_t deadline_ns);
void pipe_dir_unlock(int fd);

/* What dead processes have left is removed, once per process. */
void pipe_dir_clear(void);
/* A socket that listens there, O_NONBLOCK; -errno. Whoever must agree with other processes about the name
 * holds its lock. Does not block. */
int pipe_dir_listen(const char *dir, char file[PIPE_FILE_SIZE]);
void pipe_dir_remove(const char *dir, const char *file);

/* Calls fn for each socket of the name until it says false. -ENOENT: there is no such name. */
int pipe_dir_each(const char *dir, bool (*fn)(const char *dir, const char *file, void *ctx), void *ctx);

/* A connection to one of them, O_NONBLOCK, whose other end is the same user's; -errno. -ETIMEDOUT: so many
 * want one that there was no room before the deadline. */
int pipe_dir_connect(const char *dir, const char *file, uint64_t deadline_ns);
/* The process at the other end of a connection, 0 where its number means nothing here. False: it is not the
 * same user's. */
bool pipe_dir_peer(int fd, uint32_t *process);
/* Closes a connection that is no pipe's, or a listener, whoever has a copy: the other end sees it at once. */
void pipe_dir_hang_up(int fd);

/* Sends all of it at once, with the descriptor fd if there is one (else -1). 0 or -errno: -EAGAIN where there
 * is no room, -EPIPE also where only a part has gone. */
int pipe_dir_send(int socket, const void *data, size_t size, int fd);

#endif
