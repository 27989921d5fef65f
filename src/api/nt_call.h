/* SPDX-License-Identifier: MIT */
/*
 * The five arguments that native I/O calls share, and what becomes of them: who is told, and how. A call
 * begins with nt_call_begin and ends with nt_call_end. In between an overlapped file gets a request
 * (nt_call_request), a synchronous one does its work and says so (nt_call_report).
 */
#ifndef IOCP_API_NT_CALL_H
#define IOCP_API_NT_CALL_H

#include "io/file.h"
#include "io/request.h"

#include <winternl.h>

struct nt_call {
    HANDLE event;
    PIO_APC_ROUTINE routine;
    void *context;
    IO_STATUS_BLOCK *block;
    struct request_native to; /* its event counted, NULL once a request has it */
    struct nt_apc *apc;       /* owned: of a routine after a synchronous call */
};

/* STATUS_ACCESS_VIOLATION (no block), STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH (the event),
 * STATUS_INVALID_PARAMETER: a routine where a port gets the answer. Only if it succeeds is there an end. */
uint32_t nt_call_begin(struct nt_call *c, struct file *f);
uint32_t nt_call_request(struct nt_call *c, struct file *f, struct request **out);
/* Returns status. An error tells nobody but the block. */
uint32_t nt_call_report(struct nt_call *c, uint32_t status, ULONG_PTR bytes);
void nt_call_end(struct nt_call *c);

#endif
