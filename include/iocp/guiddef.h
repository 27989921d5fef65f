/* SPDX-License-Identifier: MIT */
/*
 * guiddef.h: GUID, DEFINE_GUID and comparing. As with gcc on Windows, DEFINE_GUID defines only in the
 * file that has INITGUID; elsewhere it declares.
 * Page: "GUID structure", learn.microsoft.com/windows/win32/api/guiddef/ns-guiddef-guid.
 */
#ifndef IOCP_GUIDDEF_H
#define IOCP_GUIDDEF_H

#include <iocpdef.h>
#include <string.h>

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    unsigned int Data1;
    unsigned short Data2;
    unsigned short Data3;
    unsigned char Data4[8];
} GUID;
#endif

typedef GUID *LPGUID;
typedef const GUID *LPCGUID;
typedef GUID IID, *LPIID;
typedef GUID CLSID, *LPCLSID;
typedef GUID FMTID, *LPFMTID;

#ifdef __cplusplus
#define REFGUID  const GUID &
#define REFIID   const IID &
#define REFCLSID const IID &
#define REFFMTID const IID &

__inline__ int InlineIsEqualGUID(const GUID &a, const GUID &b) { return !memcmp(&a, &b, sizeof(GUID)); }
__inline__ int IsEqualGUID(const GUID &a, const GUID &b) { return !memcmp(&a, &b, sizeof(GUID)); }
__inline__ bool operator==(const GUID &a, const GUID &b) { return IsEqualGUID(a, b) != 0; }
__inline__ bool operator!=(const GUID &a, const GUID &b) { return IsEqualGUID(a, b) == 0; }
#else
#define REFGUID  const GUID *
#define REFIID   const IID *
#define REFCLSID const IID *
#define REFFMTID const IID *
#define IsEqualGUID(a, b)       (!memcmp((a), (b), sizeof(GUID)))
#define InlineIsEqualGUID(a, b) (!memcmp((a), (b), sizeof(GUID)))
#endif

#define IsEqualIID(a, b)   IsEqualGUID(a, b)
#define IsEqualCLSID(a, b) IsEqualGUID(a, b)

IOCP_ASSERT_SIZE(GUID, 16);

#endif

/* Outside the guard: INITGUID may come to be defined between two inclusions. */
#undef DEFINE_GUID
#undef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#ifdef INITGUID
#ifdef __cplusplus
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                                  \
    EXTERN_C const GUID __attribute__((__weak__)) name =                                               \
        {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                                  \
    const GUID __attribute__((__weak__)) name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#endif
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) EXTERN_C const GUID name
#endif
