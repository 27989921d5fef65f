/* SPDX-License-Identifier: MIT */
/* What the native functions tell about pipes. NTSTATUS. */
#ifndef IOCP_API_NT_PIPE_H
#define IOCP_API_NT_PIPE_H

#include "io/file.h"

#include <stdint.h>

/* FilePipeInformation and FilePipeLocalInformation. *size: the bytes written. */
uint32_t nt_pipe_query(void *handle, uint32_t class, void *out, uint32_t room, uint32_t *size);
/* FilePipeInformation. */
uint32_t nt_pipe_set(void *handle, const void *in, uint32_t size);

/* FILE_PIPE_CONNECTED_STATE and the like; f is a pipe. */
uint32_t nt_pipe_state(struct file *f);

#endif
