/* SPDX-License-Identifier: MIT */
/*
 * bcrypt.h: of Microsoft's cryptography the random numbers alone.
 * Page: "BCryptGenRandom function", learn.microsoft.com/windows/win32/api/bcrypt/.
 */
#ifndef __BCRYPT_H__
#define __BCRYPT_H__

#include <windows.h>

IOCP_EXTERN_C_BEGIN

typedef LONG NTSTATUS;
typedef NTSTATUS *PNTSTATUS;

typedef PVOID BCRYPT_HANDLE;
typedef PVOID BCRYPT_ALG_HANDLE;

#ifndef BCRYPT_SUCCESS
#define BCRYPT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#endif

#define BCRYPT_RNG_USE_ENTROPY_IN_BUFFER 0x00000001 /* the kernel's numbers need none: ignored */
#define BCRYPT_USE_SYSTEM_PREFERRED_RNG  0x00000002

/*
 * Fills `size` bytes with the kernel's random numbers. The algorithm is NULL and the flags say
 * BCRYPT_USE_SYSTEM_PREFERRED_RNG: there are no providers to open. STATUS_INVALID_HANDLE for another
 * algorithm or without that flag, STATUS_INVALID_PARAMETER for other flags or NULL.
 */
WINBASEAPI NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE algorithm, PUCHAR buffer, ULONG size,
                                           ULONG flags) IOCP_SYM(BCryptGenRandom);

IOCP_EXTERN_C_END

#endif
