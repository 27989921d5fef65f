/* SPDX-License-Identifier: MIT */
/*
 * securitybaseapi.h: security descriptors as servers make them for their pipes. They are made, checked and
 * read as on Windows; what they say is not enforced (docs/DEVIATIONS.md). Access lists are handed over only.
 * Page: "securitybaseapi.h header", learn.microsoft.com/windows/win32/api/securitybaseapi/.
 */
#ifndef _APISETSECURITYBASE_
#define _APISETSECURITYBASE_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define SECURITY_DESCRIPTOR_REVISION   1
#define SECURITY_DESCRIPTOR_MIN_LENGTH sizeof(SECURITY_DESCRIPTOR)

#define SE_OWNER_DEFAULTED 0x0001
#define SE_GROUP_DEFAULTED 0x0002
#define SE_DACL_PRESENT    0x0004
#define SE_DACL_DEFAULTED  0x0008
#define SE_SACL_PRESENT    0x0010
#define SE_SACL_DEFAULTED  0x0020
#define SE_SELF_RELATIVE   0x8000

typedef WORD SECURITY_DESCRIPTOR_CONTROL, *PSECURITY_DESCRIPTOR_CONTROL;

/* The head of an access list; its entries follow. */
typedef struct _ACL {
    BYTE AclRevision;
    BYTE Sbz1;
    WORD AclSize;
    WORD AceCount;
    WORD Sbz2;
} ACL, *PACL;

typedef struct _SECURITY_DESCRIPTOR {
    BYTE Revision;
    BYTE Sbz1;
    SECURITY_DESCRIPTOR_CONTROL Control;
    PSID Owner;
    PSID Group;
    PACL Sacl;
    PACL Dacl;
} SECURITY_DESCRIPTOR, *PISECURITY_DESCRIPTOR;
IOCP_ASSERT_SIZE(SECURITY_DESCRIPTOR, 40);

/* Makes an empty descriptor. ERROR_UNKNOWN_REVISION: another revision than SECURITY_DESCRIPTOR_REVISION. */
WINADVAPI BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor, DWORD revision)
    IOCP_SYM(InitializeSecurityDescriptor);

/* Is it one? Its revision is looked at. */
WINADVAPI BOOL WINAPI IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR descriptor)
    IOCP_SYM(IsValidSecurityDescriptor);

/*
 * Says who may: with `present` and list NULL everybody. The list stays the caller's and must live as long as
 * the descriptor. ERROR_INVALID_SECURITY_DESCR: a self-relative one, ERROR_UNKNOWN_REVISION.
 */
WINADVAPI BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR descriptor, BOOL present, PACL list,
                                                BOOL defaulted) IOCP_SYM(SetSecurityDescriptorDacl);

/* What was set; *list and *defaulted are written if *present. */
WINADVAPI BOOL WINAPI GetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR descriptor, LPBOOL present, PACL *list,
                                                LPBOOL defaulted) IOCP_SYM(GetSecurityDescriptorDacl);

IOCP_EXTERN_C_END

#endif
