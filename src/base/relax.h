/* SPDX-License-Identifier: MIT */
/* What a loop that waits for another processor tells its own. */
#ifndef IOCP_BASE_RELAX_H
#define IOCP_BASE_RELAX_H

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
