/* SPDX-License-Identifier: MIT */
/*
 * intrin.h: Microsoft's compiler intrinsics that are not the processor's own vector ones. The
 * _Interlocked*, _BitScan* and barrier words come from iocp_atomic.h.
 * Page: "Compiler intrinsics", learn.microsoft.com/cpp/intrinsics/.
 */
#ifndef _INC_INTRIN
#define _INC_INTRIN

#include <iocpcrt_stdlib.h>
#include <minwindef.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

IOCP_EXTERN_C_BEGIN

#ifndef __popcnt16
#define __popcnt16(n) ((unsigned short)__builtin_popcount((unsigned short)(n)))
#define __popcnt(n)   ((unsigned int)__builtin_popcount((unsigned int)(n)))
#define __popcnt64(n) ((unsigned long long)__builtin_popcountll((unsigned long long)(n)))
#endif
#ifndef __nop
#define __nop() __asm__ __volatile__("nop")
#endif

#ifndef __umulh
#define __umulh(a, b) \
    ((unsigned long long)(((unsigned __int128)(unsigned long long)(a) * (unsigned long long)(b)) >> 64))
#define __mulh(a, b) ((long long)(((__int128)(long long)(a) * (long long)(b)) >> 64))
#endif

/* The low half; *high gets the other. */
static __inline__ unsigned long long iocp_umul128(unsigned long long a, unsigned long long b,
                                                  unsigned long long *high)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    *high = (unsigned long long)(product >> 64);
    return (unsigned long long)product;
}
#ifndef _umul128
#define _umul128(a, b, high) iocp_umul128((a), (b), (high))
#endif

#if defined(__x86_64__) || defined(__i386__)
/* eax, ebx, ecx and edx. <cpuid.h>, if it was first, keeps its own macro of the same name. */
static __inline__ void iocp_cpuid(int info[4], int leaf, int part)
{
    __asm__ __volatile__("cpuid"
                         : "=a"(info[0]), "=b"(info[1]), "=c"(info[2]), "=d"(info[3])
                         : "a"(leaf), "c"(part));
}
#ifndef __cpuid
#define __cpuid(info, leaf)         iocp_cpuid((info), (leaf), 0)
#define __cpuidex(info, leaf, part) iocp_cpuid((info), (leaf), (part))
#endif
#endif

#define _ReturnAddress()          __builtin_return_address(0)
#define _AddressOfReturnAddress() ((void *)((char *)__builtin_frame_address(0) + sizeof(void *)))

IOCP_EXTERN_C_END

#endif
