/* SPDX-License-Identifier: MIT */
/* wincrypt.h: a provider is a number, for it has nothing but random numbers to give. */
#include <windows.h>

#include <wincrypt.h>

#include "api/api.h"
#include "api/random.h"
#include "base/status.h"

static const HCRYPTPROV the_provider = 0x52414e44; /* not 0, which programs take for none */

static BOOL acquire(HCRYPTPROV *provider, const void *container, DWORD flags)
{
    if (!provider)
        return last_error_set(ERROR_INVALID_PARAMETER), FALSE;
    *provider = 0;
    if (container || (flags & ~(DWORD)CRYPT_SILENT) != CRYPT_VERIFYCONTEXT)
        return last_error_set(ERROR_CALL_NOT_IMPLEMENTED), FALSE;
    *provider = the_provider;
    return TRUE;
}

BOOL WINAPI CryptAcquireContextA(HCRYPTPROV *phProv, LPCSTR szContainer, LPCSTR szProvider, DWORD dwProvType,
                                 DWORD dwFlags)
{
    (void)szProvider;
    (void)dwProvType;
    return acquire(phProv, szContainer, dwFlags);
}

BOOL WINAPI CryptAcquireContextW(HCRYPTPROV *phProv, LPCWSTR szContainer, LPCWSTR szProvider,
                                 DWORD dwProvType, DWORD dwFlags)
{
    (void)szProvider;
    (void)dwProvType;
    return acquire(phProv, szContainer, dwFlags);
}

BOOL WINAPI CryptGenRandom(HCRYPTPROV hProv, DWORD dwLen, BYTE *pbBuffer)
{
    if (hProv != the_provider)
        return last_error_set(ERROR_INVALID_HANDLE), FALSE;
    if (!pbBuffer && dwLen)
        return last_error_set(ERROR_INVALID_PARAMETER), FALSE;
    return random_fill(pbBuffer, dwLen) ? TRUE : (last_error_set(ERROR_GEN_FAILURE), FALSE);
}

BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags)
{
    if (hProv != the_provider)
        return last_error_set(ERROR_INVALID_HANDLE), FALSE;
    return dwFlags ? (last_error_set((uint32_t)NTE_BAD_FLAGS), FALSE) : TRUE;
}
