/* SPDX-License-Identifier: MIT */
/*
 * basetsd.h: the integer types of known size. Windows is LLP64: LONG and DWORD have 32 bits also
 * here. What has the width of a pointer is the same type as size_t, uintptr_t and intptr_t, so that
 * pointers to the two kinds may be mixed.
 * Page: "Windows Data Types", learn.microsoft.com/windows/win32/winprog/windows-data-types.
 */
#ifndef _BASETSD_H_
#define _BASETSD_H_

#include <iocpdef.h>
#include <stddef.h>
#include <stdint.h>

IOCP_EXTERN_C_BEGIN

typedef signed char INT8, *PINT8;
typedef short INT16, *PINT16;
typedef int INT32, *PINT32;
typedef long long INT64, *PINT64;
typedef unsigned char UINT8, *PUINT8;
typedef unsigned short UINT16, *PUINT16;
typedef unsigned int UINT32, *PUINT32;
typedef unsigned long long UINT64, *PUINT64;

typedef int LONG32, *PLONG32;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned int DWORD32, *PDWORD32;
typedef long long LONG64, *PLONG64;
typedef unsigned long long ULONG64, *PULONG64;
typedef unsigned long long DWORD64, *PDWORD64;

typedef intptr_t INT_PTR, *PINT_PTR;
typedef uintptr_t UINT_PTR, *PUINT_PTR;
typedef intptr_t LONG_PTR, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, *PULONG_PTR;
typedef uintptr_t DWORD_PTR, *PDWORD_PTR;
typedef uintptr_t KAFFINITY, *PKAFFINITY;

typedef size_t SIZE_T, *PSIZE_T;
typedef intptr_t SSIZE_T, *PSSIZE_T;

typedef int HALF_PTR, *PHALF_PTR;
typedef unsigned int UHALF_PTR, *PUHALF_PTR;

typedef void *PVOID64;

#define MAXUINT8   ((UINT8)~((UINT8)0))
#define MAXINT8    ((INT8)(MAXUINT8 >> 1))
#define MININT8    ((INT8)~MAXINT8)
#define MAXUINT16  ((UINT16)~((UINT16)0))
#define MAXINT16   ((INT16)(MAXUINT16 >> 1))
#define MININT16   ((INT16)~MAXINT16)
#define MAXUINT32  ((UINT32)~((UINT32)0))
#define MAXINT32   ((INT32)(MAXUINT32 >> 1))
#define MININT32   ((INT32)~MAXINT32)
#define MAXUINT64  ((UINT64)~((UINT64)0))
#define MAXINT64   ((INT64)(MAXUINT64 >> 1))
#define MININT64   ((INT64)~MAXINT64)
#define MAXULONG32 ((ULONG32)~((ULONG32)0))
#define MAXLONG32  ((LONG32)(MAXULONG32 >> 1))
#define MINLONG32  ((LONG32)~MAXLONG32)
#define MAXULONG64 ((ULONG64)~((ULONG64)0))
#define MAXLONG64  ((LONG64)(MAXULONG64 >> 1))
#define MINLONG64  ((LONG64)~MAXLONG64)
#define MAXUINT    ((unsigned int)~0u)
#define MAXINT     ((int)(MAXUINT >> 1))
#define MININT     ((int)~MAXINT)
#define MAXULONG_PTR  (~((ULONG_PTR)0))
#define MAXLONG_PTR   ((LONG_PTR)(MAXULONG_PTR >> 1))
#define MINLONG_PTR   (~MAXLONG_PTR)
#define MAXUINT_PTR   (~((UINT_PTR)0))
#define MAXINT_PTR    ((INT_PTR)(MAXUINT_PTR >> 1))
#define MAXSIZE_T     ((SIZE_T)~((SIZE_T)0))
#define MAXSSIZE_T    ((SSIZE_T)(MAXSIZE_T >> 1))
#define MINSSIZE_T    ((SSIZE_T)~MAXSSIZE_T)
#define MAXDWORD32    ((DWORD32)~((DWORD32)0))
#define MAXDWORD64    ((DWORD64)~((DWORD64)0))
#define MAXDWORD_PTR  ((DWORD_PTR)~((DWORD_PTR)0))

#define HandleToULong(h)   ((unsigned int)(uintptr_t)(h))
#define HandleToLong(h)    ((int)(intptr_t)(h))
#define ULongToHandle(n)   ((void *)(uintptr_t)(unsigned int)(n))
#define LongToHandle(n)    ((void *)(intptr_t)(int)(n))
#define PtrToUlong(p)      ((unsigned int)(uintptr_t)(p))
#define PtrToLong(p)       ((int)(intptr_t)(p))
#define PtrToUint(p)       ((unsigned int)(uintptr_t)(p))
#define PtrToInt(p)        ((int)(intptr_t)(p))
#define ULongToPtr(n)      ((void *)(uintptr_t)(unsigned int)(n))
#define LongToPtr(n)       ((void *)(intptr_t)(int)(n))
#define UIntToPtr(n)       ((void *)(uintptr_t)(unsigned int)(n))
#define IntToPtr(n)        ((void *)(intptr_t)(int)(n))
#define HandleToUlong(h)   HandleToULong(h)
#define PtrToULong(p)      PtrToUlong(p)
#define UlongToHandle(n)   ULongToHandle(n)
#define UlongToPtr(n)      ULongToPtr(n)
#define UintToPtr(n)       UIntToPtr(n)

IOCP_EXTERN_C_END

#endif
