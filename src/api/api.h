/* SPDX-License-Identifier: MIT */
/*
 * What every file of the API skin shares: the last error of the calling thread and the stair from
 * NTSTATUS to the two ways Win32 functions answer. Nothing else in the skin translates.
 */
#ifndef IOCP_API_API_H
#define IOCP_API_API_H

#include <stdbool.h>
#include <stdint.h>

/* One value per thread behind GetLastError and WSAGetLastError. Initial-exec, because it is read
 * and written on every hot path; its four bytes fit the surplus that dlopen reserves. */
extern _Thread_local uint32_t last_error_value __attribute__((tls_model("initial-exec")));

static inline uint32_t last_error_get(void) { return last_error_value; }
static inline void last_error_set(uint32_t code) { last_error_value = code; }

/* NTSTATUS to BOOL: 1 on success, which leaves the last error alone; else 0 with the Win32 code
 * set. Pending, time-out, "an APC ran" and "abandoned" count as "else", and so does a warning
 * such as buffer overflow (234). */
int win32_answer(uint32_t status);
static inline int win32_result(uint32_t status)
{
    return __builtin_expect(status == 0, 1) || win32_answer(status);
}

/* NTSTATUS to Winsock's int: 0 on success (last error alone), else SOCKET_ERROR (-1) with the WSA
 * code set. */
int wsa_result(uint32_t status);

/* The same for functions that answer with a handle: sets the last error of a failed status, as in
 * `return win32_fail(status), INVALID_HANDLE_VALUE;`. */
void win32_fail(uint32_t status);
void wsa_fail(uint32_t status);

/* SetConsoleCtrlHandler(NULL, TRUE): what children are born with. */
bool api_console_ignores_interrupt(void);

#endif
