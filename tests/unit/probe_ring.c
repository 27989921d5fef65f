/* SPDX-License-Identifier: MIT */
/*
 * Does this kernel, in this process, give us an io_uring? Exit code 0 if so, 77 with the reason if not.
 * tests/run.sh asks before it runs anything with IOCP_ENGINE=uring. It uses the raw system call on
 * purpose: the answer must not depend on the code under test.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#endif

int main(void)
{
    unsigned char parameters[256]; /* struct io_uring_params is 120 bytes; zeroed means no wishes */
    memset(parameters, 0, sizeof parameters);
    long fd = syscall(__NR_io_uring_setup, 4, parameters);
    if (fd < 0) {
        printf("io_uring_setup is refused: %s\n", strerror(errno));
        return 77;
    }
    close((int)fd);
    return 0;
}
