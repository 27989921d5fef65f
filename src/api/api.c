/* SPDX-License-Identifier: MIT */
/*
 * The upper stair: NTSTATUS to the answers of the API, and the last error of each thread.
 */
#include "api/api.h"

#include "base/status.h"

_Thread_local uint32_t last_error_value __attribute__((tls_model("initial-exec")));

int win32_answer(uint32_t status)
{
    uint32_t code = status_to_win32(status);

    if (code == 0)
        return 1;
    last_error_set(code);
    return 0;
}

int wsa_result(uint32_t status)
{
    uint32_t code = status_to_wsa(status);

    if (code == 0)
        return 0;
    last_error_set(code);
    return -1;
}

void win32_fail(uint32_t status)
{
    last_error_set(status_to_win32(status));
}

void wsa_fail(uint32_t status)
{
    last_error_set(status_to_wsa(status));
}
