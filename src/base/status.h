/* SPDX-License-Identifier: MIT */
/*
 * The one table that relates the four languages of failure: errno (what Linux says), NTSTATUS
 * (what floors 1-3 say and OVERLAPPED.Internal shows), Win32 codes (GetLastError after a file or
 * port call) and WSA codes (the same after a Winsock call). Errors are translated in two places
 * only: where a step of I/O receives an errno, and where the API skin sets the last error.
 *
 * A code without a natural NTSTATUS travels inside one: status_from_win32() and status_from_wsa()
 * wrap a code so that it comes out again unchanged, whichever way it is asked for.
 */
#ifndef IOCP_BASE_STATUS_H
#define IOCP_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* Facility "Win32 code" as Windows numbers it, and a customer facility for Winsock codes. */
#define STATUS_WRAP_WIN32 0xC0070000u
#define STATUS_WRAP_WSA 0xE0000000u
/* As programs wrap one that store results of their own in OVERLAPPED.Internal: NTSTATUS_FROM_WIN32. */
#define STATUS_WRAP_WARNING 0x80070000u

/* errno to NTSTATUS. Both accept err and -err; 0 gives success. The second one is for sockets,
 * where the same errno has another meaning (EPIPE: the peer is gone; EAGAIN: would block). */
uint32_t status_from_errno(int err);
uint32_t status_from_errno_socket(int err);
uint32_t status_from_errno_write(int err); /* a buffer that is not there: INVALID_USER_BUFFER */

/* Wraps a Win32 or WSA code; 0 gives success, 997 gives STATUS_PENDING. */
uint32_t status_from_win32(uint32_t code);
uint32_t status_from_wsa(uint32_t code);

/* NTSTATUS to last error. Success and informational codes give 0, except for those a call reports
 * as "not done": pending (997), time-out (258), APC ran (192), abandoned (735). */
uint32_t status_to_win32(uint32_t status);
uint32_t status_to_wsa(uint32_t status);

/* As status_to_win32, but with the answers of RtlNtStatusToDosError for wait results. */
uint32_t status_to_dos_error(uint32_t status);

/* Severity is in the top two bits: 0 success, 1 information, 2 warning, 3 error. */
static inline unsigned status_severity(uint32_t status) { return status >> 30; }
static inline bool status_is_success(uint32_t status) { return (int32_t)status >= 0; }
static inline bool status_is_warning(uint32_t status) { return status_severity(status) == 2; }
static inline bool status_is_error(uint32_t status) { return status_severity(status) == 3; }

#endif
