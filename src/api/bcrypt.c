/* SPDX-License-Identifier: MIT */
/* bcrypt.h: random numbers. */
#include <windows.h>

#include <bcrypt.h>
#include <ntstatus.h>

#include "api/random.h"

#include <errno.h>
#include <sys/random.h>

bool random_fill(void *buffer, size_t size)
{
    char *at = buffer;

    while (size > 0) { /* a long answer may come in parts */
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return true;
}

NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE hAlgorithm, PUCHAR pbBuffer, ULONG cbBuffer, ULONG dwFlags)
{
    if (hAlgorithm || !(dwFlags & BCRYPT_USE_SYSTEM_PREFERRED_RNG))
        return (NTSTATUS)STATUS_INVALID_HANDLE;
    if ((dwFlags & ~(ULONG)(BCRYPT_USE_SYSTEM_PREFERRED_RNG | BCRYPT_RNG_USE_ENTROPY_IN_BUFFER)) ||
        (!pbBuffer && cbBuffer))
        return (NTSTATUS)STATUS_INVALID_PARAMETER;
    return (NTSTATUS)(random_fill(pbBuffer, cbBuffer) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
}
