/* SPDX-License-Identifier: MIT */
/*
 * wincrypt.h: of Microsoft's older cryptography the random numbers alone. No keys are kept: what would open
 * or make a container of keys fails with ERROR_CALL_NOT_IMPLEMENTED.
 * Page: "CryptGenRandom function", learn.microsoft.com/windows/win32/api/wincrypt/.
 */
#ifndef __WINCRYPT_H__
#define __WINCRYPT_H__

#include <winbase.h>

IOCP_EXTERN_C_BEGIN

typedef ULONG_PTR HCRYPTPROV;

#define PROV_RSA_FULL  1
#define PROV_RSA_AES   24
#define PROV_INTEL_SEC 22
#define PROV_RNG       21

#define CRYPT_NEWKEYSET     0x00000008
#define CRYPT_DELETEKEYSET  0x00000010
#define CRYPT_MACHINE_KEYSET 0x00000020
#define CRYPT_SILENT        0x00000040
#define CRYPT_VERIFYCONTEXT 0xF0000000

#define NTE_BAD_UID    ((HRESULT)0x80090001)
#define NTE_BAD_FLAGS  ((HRESULT)0x80090009)
#define NTE_EXISTS     ((HRESULT)0x8009000F)
#define NTE_BAD_KEYSET ((HRESULT)0x80090016)

/* A provider for CryptGenRandom: flags CRYPT_VERIFYCONTEXT (and CRYPT_SILENT), no container; its name and
 * type are not looked at. ERROR_INVALID_PARAMETER for NULL. */
WINBASEAPI BOOL WINAPI CryptAcquireContextA(HCRYPTPROV *provider, LPCSTR container, LPCSTR name, DWORD type,
                                            DWORD flags) IOCP_SYM(CryptAcquireContextA);
WINBASEAPI BOOL WINAPI CryptAcquireContextW(HCRYPTPROV *provider, LPCWSTR container, LPCWSTR name, DWORD type,
                                            DWORD flags) IOCP_SYM(CryptAcquireContextW);

/* The kernel's random numbers. ERROR_INVALID_HANDLE for what is no provider. */
WINBASEAPI BOOL WINAPI CryptGenRandom(HCRYPTPROV provider, DWORD size, BYTE *buffer) IOCP_SYM(CryptGenRandom);

/* NTE_BAD_FLAGS unless the flags are 0 (the provider is released all the same, as there). */
WINBASEAPI BOOL WINAPI CryptReleaseContext(HCRYPTPROV provider, DWORD flags) IOCP_SYM(CryptReleaseContext);

#ifdef UNICODE
#define CryptAcquireContext CryptAcquireContextW
#else
#define CryptAcquireContext CryptAcquireContextA
#endif

IOCP_EXTERN_C_END

#endif
