/* SPDX-License-Identifier: MIT */
/* securitybaseapi.h: security descriptors as structures. */
#include <windows.h>

#include "api/api.h"

#include <string.h>

static bool is_descriptor(const SECURITY_DESCRIPTOR *descriptor)
{
    if (descriptor && descriptor->Revision == SECURITY_DESCRIPTOR_REVISION)
        return true;
    last_error_set(descriptor ? ERROR_UNKNOWN_REVISION : ERROR_INVALID_PARAMETER);
    return false;
}

BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor, DWORD dwRevision)
{
    SECURITY_DESCRIPTOR *descriptor = pSecurityDescriptor;

    if (dwRevision != SECURITY_DESCRIPTOR_REVISION) {
        last_error_set(ERROR_UNKNOWN_REVISION);
        return FALSE;
    }
    memset(descriptor, 0, sizeof *descriptor);
    descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    return TRUE;
}

BOOL WINAPI IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor)
{
    if (is_descriptor(pSecurityDescriptor))
        return TRUE;
    last_error_set(ERROR_INVALID_SECURITY_DESCR);
    return FALSE;
}

BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pSecurityDescriptor, BOOL bDaclPresent, PACL pDacl,
                                      BOOL bDaclDefaulted)
{
    SECURITY_DESCRIPTOR *descriptor = pSecurityDescriptor;

    if (!is_descriptor(descriptor))
        return FALSE;
    if (descriptor->Control & SE_SELF_RELATIVE) {
        last_error_set(ERROR_INVALID_SECURITY_DESCR);
        return FALSE;
    }
    descriptor->Control &= (WORD)~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    descriptor->Dacl = bDaclPresent ? pDacl : NULL;
    if (bDaclPresent)
        descriptor->Control |= (WORD)(SE_DACL_PRESENT | (bDaclDefaulted ? SE_DACL_DEFAULTED : 0));
    return TRUE;
}

BOOL WINAPI GetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pSecurityDescriptor, LPBOOL lpbDaclPresent,
                                      PACL *pDacl, LPBOOL lpbDaclDefaulted)
{
    SECURITY_DESCRIPTOR *descriptor = pSecurityDescriptor;

    if (!is_descriptor(descriptor))
        return FALSE;
    *lpbDaclPresent = (descriptor->Control & SE_DACL_PRESENT) != 0;
    if (*lpbDaclPresent) {
        *pDacl = descriptor->Dacl;
        *lpbDaclDefaulted = (descriptor->Control & SE_DACL_DEFAULTED) != 0;
    }
    return TRUE;
}
