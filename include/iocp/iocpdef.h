/* SPDX-License-Identifier: MIT */
/*
 * iocpdef.h: how a declaration of this library is written down, and the words of Microsoft's
 * compiler that Windows sources use and gcc and clang do not know. Every other header stands on it.
 */
#ifndef IOCP_IOCPDEF_H
#define IOCP_IOCPDEF_H

/* The symbol behind a public function: CreateEventA is iocp_CreateEventA, so that nothing of ours
 * meets a function of libc, of another library or of the program itself. */
#define IOCP_SYM(name) __asm__("iocp_" #name)
#define IOCP_API       __attribute__((visibility("default")))

#ifdef __cplusplus
#define IOCP_EXTERN_C_BEGIN extern "C" {
#define IOCP_EXTERN_C_END   }
#define IOCP_STATIC_ASSERT(what, text) static_assert(what, text)
#else
#define IOCP_EXTERN_C_BEGIN
#define IOCP_EXTERN_C_END
#define IOCP_STATIC_ASSERT(what, text) __extension__ _Static_assert(what, text)
#endif

/* For structures that the model shows to programs: their layout is Windows' on 64 bits. */
#define IOCP_ASSERT_SIZE(type, size) \
    IOCP_STATIC_ASSERT(sizeof(type) == (size), #type " has the size of Windows")

/* A struct or union without a name inside another one, without a word from -pedantic. */
#define IOCP_NAMELESS __extension__

#ifndef _ANONYMOUS_STRUCT
#define _ANONYMOUS_STRUCT IOCP_NAMELESS
#define _ANONYMOUS_UNION  IOCP_NAMELESS
#endif
#ifndef DUMMYUNIONNAME
#define DUMMYUNIONNAME
#define DUMMYUNIONNAME2
#define DUMMYUNIONNAME3
#define DUMMYSTRUCTNAME
#define DUMMYSTRUCTNAME2
#endif

/* Calling conventions: 64-bit systems have one. */
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef _stdcall
#define _stdcall
#endif

#ifndef __int64
#define __int64 long long
#endif
#ifndef _int64
#define _int64 long long
#endif
#ifndef __int32
#define __int32 int
#endif
#ifndef __int16
#define __int16 short
#endif
#ifndef __int8
#define __int8 char
#endif
#ifndef __w64
#define __w64
#endif
#ifndef __ptr64
#define __ptr64
#endif
#ifndef __unaligned
#define __unaligned
#endif

/* In C it says static itself, so that it needs no definition elsewhere; in C++ it may stand on a member. */
#ifndef __forceinline
#ifdef __cplusplus
#define __forceinline __inline__ __attribute__((__always_inline__, __unused__))
#else
#define __forceinline static __inline__ __attribute__((__always_inline__, __unused__))
#endif
#endif
#ifndef _inline
#define _inline __inline__
#endif
#ifndef __assume
#define __assume(what) do { if (!(what)) __builtin_unreachable(); } while (0)
#endif
#ifndef __noop
#define __noop(...) ((void)0)
#endif
#ifndef __pragma
#define __pragma(what)
#endif
/* A debugger may go on behind it; without one it is SIGTRAP. */
#ifndef __debugbreak
#if defined(__x86_64__) || defined(__i386__)
#define __debugbreak() __asm__ __volatile__("int3")
#elif defined(__aarch64__)
#define __debugbreak() __asm__ __volatile__("brk #0xf000")
#else
#define __debugbreak() __builtin_trap()
#endif
#endif
#ifndef __fastfail
#define __fastfail(code) ((void)(code), __builtin_trap())
#endif

/* __declspec(word): one macro per word, so that an unknown one is a compile error. Import and
 * export mean "visible" here. */
#if !defined(__declspec) && !defined(_MSC_VER) && !defined(IOCP_NO_DECLSPEC)
#define __declspec(what)            IOCP_DECLSPEC_##what
#define IOCP_DECLSPEC_dllimport
#define IOCP_DECLSPEC_dllexport     __attribute__((visibility("default")))
#define IOCP_DECLSPEC_noreturn      __attribute__((__noreturn__))
#define IOCP_DECLSPEC_noinline      __attribute__((__noinline__))
#define IOCP_DECLSPEC_nothrow       __attribute__((__nothrow__))
#ifdef __cplusplus /* before or behind "static", which __thread may not be */
#define IOCP_DECLSPEC_thread        thread_local
#else
#define IOCP_DECLSPEC_thread        _Thread_local
#endif
#define IOCP_DECLSPEC_selectany     __attribute__((__weak__))
#define IOCP_DECLSPEC_align(n)      __attribute__((__aligned__(n)))
#define IOCP_DECLSPEC_allocator
#define IOCP_DECLSPEC_restrict      __attribute__((__malloc__))
#define IOCP_DECLSPEC_noalias
#define IOCP_DECLSPEC_novtable
#define IOCP_DECLSPEC_naked         __attribute__((__naked__))
#define IOCP_DECLSPEC_deprecated    __attribute__((__deprecated__))
#define IOCP_DECLSPEC_uuid(text)
#endif

#define DECLSPEC_NORETURN   __attribute__((__noreturn__))
#define DECLSPEC_ALIGN(n)   __attribute__((__aligned__(n)))
#define DECLSPEC_NOINLINE   __attribute__((__noinline__))
#define DECLSPEC_SELECTANY  __attribute__((__weak__))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define DECLSPEC_NOTHROW    __attribute__((__nothrow__))
#define DECLSPEC_ADDRSAFE
#define DECLSPEC_DEPRECATED __attribute__((__deprecated__))
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif
#ifndef DECLSPEC_EXPORT
#define DECLSPEC_EXPORT IOCP_API
#endif

/* What the SDK writes before the functions of each DLL. */
#define WINBASEAPI      IOCP_API
#define WINADVAPI       IOCP_API
#define WINUSERAPI      IOCP_API
#define NTSYSAPI        IOCP_API
#define WINMMAPI        IOCP_API
#define NTSYSCALLAPI    IOCP_API

#endif
