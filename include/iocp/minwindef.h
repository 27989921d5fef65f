/* SPDX-License-Identifier: MIT */
/*
 * minwindef.h: the plain words of every Windows declaration: BOOL, DWORD, LPVOID, WINAPI, TRUE.
 * Page: "Windows Data Types", learn.microsoft.com/windows/win32/winprog/windows-data-types.
 */
#ifndef _MINWINDEF_
#define _MINWINDEF_

#include <iocpdef.h>
#include <winapifamily.h>

#ifndef NO_STRICT
#ifndef STRICT
#define STRICT 1
#endif
#endif

#define MAX_PATH 260

#ifndef NULL
#include <stddef.h>
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

/* Old decoration of parameters. Not for code that lives among POSIX headers. */
#if !defined(IOCP_BUILDING) && !defined(IOCP_POSIX_NET)
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef far
#define far
#endif
#ifndef near
#define near
#endif
#endif

#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef PASCAL
#define PASCAL
#endif
#ifndef CDECL
#define CDECL
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef WINAPIV
#define WINAPIV
#endif
#ifndef CALLBACK
#define CALLBACK
#endif
#ifndef APIENTRY
#define APIENTRY WINAPI
#endif
#ifndef APIPRIVATE
#define APIPRIVATE
#endif
#ifndef WSAAPI
#define WSAAPI
#endif
#ifndef CONST
#define CONST const
#endif

#include <basetsd.h>

IOCP_EXTERN_C_BEGIN

typedef unsigned int ULONG, *PULONG;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned char UCHAR, *PUCHAR;
typedef char *PSZ;

typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef float FLOAT, *PFLOAT;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT;
typedef int *LPLONG;
typedef void *LPVOID;
typedef const void *LPCVOID;

IOCP_EXTERN_C_END

#include <winnt.h>

IOCP_EXTERN_C_BEGIN

typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG_PTR LRESULT;

typedef HANDLE *SPHANDLE, *LPHANDLE;
typedef HANDLE HGLOBAL, HLOCAL, GLOBALHANDLE, LOCALHANDLE;

typedef INT_PTR(WINAPI *FARPROC)(void);
typedef INT_PTR(WINAPI *NEARPROC)(void);
typedef INT_PTR(WINAPI *PROC)(void);

typedef WORD ATOM;
typedef int HFILE;

DECLARE_HANDLE(HINSTANCE);
typedef HINSTANCE HMODULE;
DECLARE_HANDLE(HKEY);
typedef HKEY *PHKEY;
DECLARE_HANDLE(HKL);
DECLARE_HANDLE(HLSURF);
DECLARE_HANDLE(HMETAFILE);
DECLARE_HANDLE(HRGN);
DECLARE_HANDLE(HRSRC);
DECLARE_HANDLE(HSPRITE);
DECLARE_HANDLE(HSTR);
DECLARE_HANDLE(HTASK);
DECLARE_HANDLE(HWINSTA);

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;
#define _FILETIME_

IOCP_ASSERT_SIZE(FILETIME, 8);

/*
 * Macros in C. In C++ functions, for macros would break std::min and std::max: two types may differ, as
 * there, and std::min is the better match where `using namespace std` makes both visible.
 */
#if !defined(NOMINMAX) && !defined(IOCP_BUILDING) && !defined(IOCP_POSIX_NET)
#ifndef __cplusplus
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#elif !defined(max) && !defined(min)
extern "C++" { /* programs include windows.h inside extern "C" */
#include <type_traits>
template <class A, class B> constexpr typename std::common_type<A, B>::type max(const A &a, const B &b)
{
    typedef typename std::common_type<A, B>::type both;
    return static_cast<both>(a) > static_cast<both>(b) ? static_cast<both>(a) : static_cast<both>(b);
}
template <class A, class B> constexpr typename std::common_type<A, B>::type min(const A &a, const B &b)
{
    typedef typename std::common_type<A, B>::type both;
    return static_cast<both>(a) < static_cast<both>(b) ? static_cast<both>(a) : static_cast<both>(b);
}
}
#endif
#endif

#define MAKEWORD(low, high) \
    ((WORD)(((BYTE)((DWORD_PTR)(low) & 0xff)) | ((WORD)((BYTE)((DWORD_PTR)(high) & 0xff))) << 8))
#define MAKELONG(low, high) \
    ((LONG)(((DWORD)(WORD)((DWORD_PTR)(low) & 0xffff)) | ((DWORD)(WORD)((DWORD_PTR)(high) & 0xffff)) << 16))
#define LOWORD(n) ((WORD)((DWORD_PTR)(n) & 0xffff))
#define HIWORD(n) ((WORD)(((DWORD_PTR)(n) >> 16) & 0xffff))
#define LOBYTE(n) ((BYTE)((DWORD_PTR)(n) & 0xff))
#define HIBYTE(n) ((BYTE)(((DWORD_PTR)(n) >> 8) & 0xff))

IOCP_EXTERN_C_END

#endif
