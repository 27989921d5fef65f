/* SPDX-License-Identifier: MIT */
/*
 * iocp_atomic.h: the Interlocked family, MemoryBarrier and YieldProcessor, as inline functions over
 * the compiler's atomics. Increment, Decrement and Add answer the new value; Exchange, ExchangeAdd,
 * CompareExchange, And, Or and Xor the old one. Plain names are full barriers; ...Acquire,
 * ...Release and ...NoFence are at least what they say. Comes with winnt.h.
 * Page: "Interlocked Variable Access", learn.microsoft.com/windows/win32/sync/.
 */
#ifndef IOCP_ATOMIC_H
#define IOCP_ATOMIC_H

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

#define IOCP_ATOMIC_INLINE static __inline__ __attribute__((__always_inline__, __unused__))

/* One function per name and width; `order` is a gcc memory order. */
#define IOCP_ATOMIC_SET(type, width, suffix, order)                                                     \
    IOCP_ATOMIC_INLINE type InterlockedIncrement##suffix##width(type volatile *p)                       \
    {                                                                                                   \
        return __atomic_add_fetch(p, 1, order);                                                         \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedDecrement##suffix##width(type volatile *p)                       \
    {                                                                                                   \
        return __atomic_sub_fetch(p, 1, order);                                                         \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedAdd##suffix##width(type volatile *p, type n)                     \
    {                                                                                                   \
        return __atomic_add_fetch(p, n, order);                                                         \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedExchangeAdd##suffix##width(type volatile *p, type n)             \
    {                                                                                                   \
        return __atomic_fetch_add(p, n, order);                                                         \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedExchange##suffix##width(type volatile *p, type n)                \
    {                                                                                                   \
        return __atomic_exchange_n(p, n, order);                                                        \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedCompareExchange##suffix##width(type volatile *p, type n, type old) \
    {                                                                                                   \
        __atomic_compare_exchange_n(p, &old, n, 0, order, __ATOMIC_ACQUIRE);                            \
        return old;                                                                                     \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedAnd##width##suffix(type volatile *p, type n)                     \
    {                                                                                                   \
        return __atomic_fetch_and(p, n, order);                                                         \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedOr##width##suffix(type volatile *p, type n)                      \
    {                                                                                                   \
        return __atomic_fetch_or(p, n, order);                                                          \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE type InterlockedXor##width##suffix(type volatile *p, type n)                     \
    {                                                                                                   \
        return __atomic_fetch_xor(p, n, order);                                                         \
    }

/* The SDK has the order before the width, but behind it for And, Or and Xor. */
#define IOCP_ATOMIC_WIDTH(type, width)                        \
    IOCP_ATOMIC_SET(type, width, , __ATOMIC_SEQ_CST)          \
    IOCP_ATOMIC_SET(type, width, Acquire, __ATOMIC_SEQ_CST)   \
    IOCP_ATOMIC_SET(type, width, Release, __ATOMIC_SEQ_CST)   \
    IOCP_ATOMIC_SET(type, width, NoFence, __ATOMIC_SEQ_CST)

IOCP_ATOMIC_WIDTH(CHAR, 8)
IOCP_ATOMIC_WIDTH(SHORT, 16)
IOCP_ATOMIC_WIDTH(LONG, )
IOCP_ATOMIC_WIDTH(LONG64, 64)

#define IOCP_ATOMIC_POINTERS(suffix)                                                                    \
    IOCP_ATOMIC_INLINE PVOID InterlockedExchangePointer##suffix(PVOID volatile *p, PVOID n)             \
    {                                                                                                   \
        return __atomic_exchange_n(p, n, __ATOMIC_SEQ_CST);                                             \
    }                                                                                                   \
    IOCP_ATOMIC_INLINE PVOID InterlockedCompareExchangePointer##suffix(PVOID volatile *p, PVOID n,      \
                                                                       PVOID old)                       \
    {                                                                                                   \
        __atomic_compare_exchange_n(p, &old, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);                 \
        return old;                                                                                     \
    }

IOCP_ATOMIC_POINTERS()
IOCP_ATOMIC_POINTERS(Acquire)
IOCP_ATOMIC_POINTERS(Release)
IOCP_ATOMIC_POINTERS(NoFence)

/* Change one bit and tell what it was. It may lie beyond the first word. */
#define IOCP_ATOMIC_CLEAR(p, bits, order) __atomic_fetch_and(p, ~(bits), order)
#define IOCP_ATOMIC_BIT(name, type, shift, change)                                           \
    IOCP_ATOMIC_INLINE BOOLEAN name(type volatile *base, type bit)                           \
    {                                                                                        \
        type mask = (type)(1ull << (bit & ((1 << shift) - 1)));                              \
                                                                                             \
        return (change(base + (bit >> shift), mask, __ATOMIC_SEQ_CST) & mask) != 0;          \
    }
IOCP_ATOMIC_BIT(InterlockedBitTestAndSet, LONG, 5, __atomic_fetch_or)
IOCP_ATOMIC_BIT(InterlockedBitTestAndReset, LONG, 5, IOCP_ATOMIC_CLEAR)
IOCP_ATOMIC_BIT(InterlockedBitTestAndComplement, LONG, 5, __atomic_fetch_xor)
IOCP_ATOMIC_BIT(InterlockedBitTestAndSet64, LONG64, 6, __atomic_fetch_or)
IOCP_ATOMIC_BIT(InterlockedBitTestAndReset64, LONG64, 6, IOCP_ATOMIC_CLEAR)
IOCP_ATOMIC_BIT(InterlockedBitTestAndComplement64, LONG64, 6, __atomic_fetch_xor)

#if defined(__x86_64__)
/* Exchanges 16 bytes if they are still those at `old`, else reads them into `old`; 1 if exchanged. */
IOCP_ATOMIC_INLINE BOOLEAN InterlockedCompareExchange128(LONG64 volatile *p, LONG64 high, LONG64 low,
                                                         LONG64 *old)
{
    struct pair {
        LONG64 v[2];
    };
    BOOLEAN done;

    __asm__ __volatile__("lock cmpxchg16b %1\n\tsete %0"
                         : "=q"(done), "+m"(*(struct pair volatile *)p), "+a"(old[0]), "+d"(old[1])
                         : "b"(low), "c"(high)
                         : "cc", "memory");
    return done;
}
#define _InterlockedCompareExchange128 InterlockedCompareExchange128
#endif

#define InterlockedIncrementSizeT(p)    ((SIZE_T)InterlockedIncrement64((LONG64 volatile *)(p)))
#define InterlockedDecrementSizeT(p)    ((SIZE_T)InterlockedDecrement64((LONG64 volatile *)(p)))
#define InterlockedExchangeAddSizeT(p, n) \
    ((SIZE_T)InterlockedExchangeAdd64((LONG64 volatile *)(p), (LONG64)(n)))
#define InterlockedAndAffinity(p, n)    InterlockedAnd64((LONG64 volatile *)(p), (LONG64)(n))
#define InterlockedOrAffinity(p, n)     InterlockedOr64((LONG64 volatile *)(p), (LONG64)(n))

/* Reads and writes with an order of their own. */
#define IOCP_ATOMIC_READ_WRITE(type, name)                                                    \
    IOCP_ATOMIC_INLINE type Read##name##Acquire(type const volatile *p)                       \
    {                                                                                         \
        return __atomic_load_n(p, __ATOMIC_ACQUIRE);                                          \
    }                                                                                         \
    IOCP_ATOMIC_INLINE type Read##name##NoFence(type const volatile *p)                       \
    {                                                                                         \
        return __atomic_load_n(p, __ATOMIC_RELAXED);                                          \
    }                                                                                         \
    IOCP_ATOMIC_INLINE void Write##name##Release(type volatile *p, type n)                    \
    {                                                                                         \
        __atomic_store_n(p, n, __ATOMIC_RELEASE);                                             \
    }                                                                                         \
    IOCP_ATOMIC_INLINE void Write##name##NoFence(type volatile *p, type n)                    \
    {                                                                                         \
        __atomic_store_n(p, n, __ATOMIC_RELAXED);                                             \
    }
typedef PVOID IOCP_ATOMIC_PVOID;
IOCP_ATOMIC_READ_WRITE(LONG, )
IOCP_ATOMIC_READ_WRITE(LONG64, 64)
IOCP_ATOMIC_READ_WRITE(DWORD, ULong)
IOCP_ATOMIC_READ_WRITE(DWORD64, ULong64)
IOCP_ATOMIC_READ_WRITE(IOCP_ATOMIC_PVOID, Pointer)

/* The compiler-intrinsic spellings. */
#define _InterlockedIncrement              InterlockedIncrement
#define _InterlockedDecrement              InterlockedDecrement
#define _InterlockedAdd                    InterlockedAdd
#define _InterlockedExchangeAdd            InterlockedExchangeAdd
#define _InterlockedExchange               InterlockedExchange
#define _InterlockedCompareExchange        InterlockedCompareExchange
#define _InterlockedAnd                    InterlockedAnd
#define _InterlockedOr                     InterlockedOr
#define _InterlockedXor                    InterlockedXor
#define _InterlockedIncrement64            InterlockedIncrement64
#define _InterlockedDecrement64            InterlockedDecrement64
#define _InterlockedAdd64                  InterlockedAdd64
#define _InterlockedExchangeAdd64          InterlockedExchangeAdd64
#define _InterlockedExchange64             InterlockedExchange64
#define _InterlockedCompareExchange64      InterlockedCompareExchange64
#define _InterlockedAnd64                  InterlockedAnd64
#define _InterlockedOr64                   InterlockedOr64
#define _InterlockedXor64                  InterlockedXor64
#define _InterlockedIncrement16            InterlockedIncrement16
#define _InterlockedDecrement16            InterlockedDecrement16
#define _InterlockedExchange16             InterlockedExchange16
#define _InterlockedExchangeAdd16          InterlockedExchangeAdd16
#define _InterlockedCompareExchange16      InterlockedCompareExchange16
#define _InterlockedAnd16                  InterlockedAnd16
#define _InterlockedOr16                   InterlockedOr16
#define _InterlockedXor16                  InterlockedXor16
#define _InterlockedExchange8              InterlockedExchange8
#define _InterlockedExchangeAdd8           InterlockedExchangeAdd8
#define _InterlockedCompareExchange8       InterlockedCompareExchange8
#define _InterlockedAnd8                   InterlockedAnd8
#define _InterlockedOr8                    InterlockedOr8
#define _InterlockedXor8                   InterlockedXor8
#define _InterlockedExchangePointer        InterlockedExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define _interlockedbittestandset          InterlockedBitTestAndSet
#define _interlockedbittestandreset        InterlockedBitTestAndReset
#define _interlockedbittestandset64        InterlockedBitTestAndSet64
#define _interlockedbittestandreset64      InterlockedBitTestAndReset64

#ifdef __cplusplus
extern "C++" {
/* The unsigned overloads that the SDK has in C++, and `long`, which Windows sources use for LONG. */
#define IOCP_ATOMIC_OVERLOADS(type, signed_type, width)                                                \
    IOCP_ATOMIC_INLINE type InterlockedIncrement(type volatile *p)                                     \
    {                                                                                                  \
        return (type)InterlockedIncrement##width((signed_type volatile *)p);                           \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedDecrement(type volatile *p)                                     \
    {                                                                                                  \
        return (type)InterlockedDecrement##width((signed_type volatile *)p);                           \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedExchange(type volatile *p, type n)                              \
    {                                                                                                  \
        return (type)InterlockedExchange##width((signed_type volatile *)p, (signed_type)n);            \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedExchangeAdd(type volatile *p, type n)                           \
    {                                                                                                  \
        return (type)InterlockedExchangeAdd##width((signed_type volatile *)p, (signed_type)n);         \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedCompareExchange(type volatile *p, type n, type old)             \
    {                                                                                                  \
        return (type)InterlockedCompareExchange##width((signed_type volatile *)p, (signed_type)n,      \
                                                       (signed_type)old);                              \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedAnd(type volatile *p, type n)                                   \
    {                                                                                                  \
        return (type)InterlockedAnd##width((signed_type volatile *)p, (signed_type)n);                 \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedOr(type volatile *p, type n)                                    \
    {                                                                                                  \
        return (type)InterlockedOr##width((signed_type volatile *)p, (signed_type)n);                  \
    }                                                                                                  \
    IOCP_ATOMIC_INLINE type InterlockedXor(type volatile *p, type n)                                   \
    {                                                                                                  \
        return (type)InterlockedXor##width((signed_type volatile *)p, (signed_type)n);                 \
    }
IOCP_ATOMIC_OVERLOADS(unsigned int, LONG, )
IOCP_ATOMIC_OVERLOADS(unsigned long long, LONG64, 64)
IOCP_ATOMIC_OVERLOADS(long, LONG64, 64)
IOCP_ATOMIC_OVERLOADS(unsigned long, LONG64, 64)
}
#endif

#ifndef MemoryBarrier
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
#if defined(__x86_64__) || defined(__i386__)
#define YieldProcessor() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define YieldProcessor() __asm__ __volatile__("yield" : : : "memory")
#else
#define YieldProcessor() __asm__ __volatile__("" : : : "memory")
#endif
#define _ReadWriteBarrier() __asm__ __volatile__("" : : : "memory")
#define _ReadBarrier()      __asm__ __volatile__("" : : : "memory")
#define _WriteBarrier()     __asm__ __volatile__("" : : : "memory")

IOCP_ATOMIC_INLINE unsigned char BitScanForward(DWORD *index, DWORD mask)
{
    if (mask)
        *index = (DWORD)__builtin_ctz(mask);
    return mask != 0;
}

IOCP_ATOMIC_INLINE unsigned char BitScanReverse(DWORD *index, DWORD mask)
{
    if (mask)
        *index = 31u - (DWORD)__builtin_clz(mask);
    return mask != 0;
}

IOCP_ATOMIC_INLINE unsigned char BitScanForward64(DWORD *index, DWORD64 mask)
{
    if (mask)
        *index = (DWORD)__builtin_ctzll(mask);
    return mask != 0;
}

IOCP_ATOMIC_INLINE unsigned char BitScanReverse64(DWORD *index, DWORD64 mask)
{
    if (mask)
        *index = 63u - (DWORD)__builtin_clzll(mask);
    return mask != 0;
}
#define _BitScanForward   BitScanForward
#define _BitScanReverse   BitScanReverse
#define _BitScanForward64 BitScanForward64
#define _BitScanReverse64 BitScanReverse64

IOCP_EXTERN_C_END

#endif
