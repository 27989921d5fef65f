/* SPDX-License-Identifier: MIT */
/*
 * Where the processes of one user meet: a directory that is his alone, for the sockets of named pipes and
 * the file of shared names. Below `iocp` in $XDG_RUNTIME_DIR (not for set-user-ID programs), else in
 * /run/user/UID, each only if it is the user's and nobody else may write there, else /tmp/iocp-UID.
 */
#ifndef IOCP_BASE_USER_DIR_H
#define IOCP_BASE_USER_DIR_H

enum { USER_DIR_SIZE = 256 };

/* Its path, shorter than USER_DIR_SIZE, valid for ever; made at the first call. NULL: there is none. */
const char *user_dir(void);

#endif
