/* SPDX-License-Identifier: MIT */
/*
 * Which sanitizer this is built for, 0 or 1, whichever compiler says it. A sanitizer watches the calls of
 * the C library, owns malloc and has threads of its own: some ways are closed to the library then, and
 * some tests.
 */
#ifndef IOCP_BASE_SANITIZER_H
#define IOCP_BASE_SANITIZER_H

#if defined(__has_feature) /* clang */
#define SANITIZER_HAS(FEATURE) __has_feature(FEATURE)
#else
#define SANITIZER_HAS(FEATURE) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZER_HAS(address_sanitizer)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZER_HAS(thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

#endif
