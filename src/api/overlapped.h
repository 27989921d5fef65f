/* SPDX-License-Identifier: MIT */
/* Results of overlapped operations, for the two families of errors: ioapiset.c has the code. */
#ifndef IOCP_API_OVERLAPPED_H
#define IOCP_API_OVERLAPPED_H

#include <minwinbase.h>
#include <minwindef.h>
#include <winnt.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * The final status of *ov, and its bytes; or why there is none: ERROR_IO_INCOMPLETE (in a status), or
 * what the wait of up to `ms` milliseconds ended with. `file` signals completion where ov has no event.
 */
uint32_t overlapped_result(HANDLE file, OVERLAPPED *ov, DWORD *bytes, DWORD ms, bool alertable);

/* A synchronous handle reports through an OVERLAPPED what it has done, event included. */
void overlapped_report(OVERLAPPED *ov, uint32_t status, DWORD bytes);

#endif
