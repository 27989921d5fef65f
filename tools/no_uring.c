/* SPDX-License-Identifier: MIT */
/*
 * Runs a command on a machine without io_uring: a seccomp filter refuses the three system calls
 * with the error asked for, as container runtimes (EPERM) and old or hardened kernels (ENOSYS) do, or
 * a machine short of memory (ENOMEM).
 *
 *   no_uring EPERM|ENOSYS|ENOMEM COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The numbers are the same on every architecture since 5.1. */
#define FIRST_CALL 425 /* io_uring_setup, then io_uring_enter */
#define LAST_CALL  427 /* io_uring_register */

int main(int argc, char **argv) {
    int error = argc > 2 && strcmp(argv[1], "EPERM") == 0    ? EPERM
                : argc > 2 && strcmp(argv[1], "ENOSYS") == 0 ? ENOSYS
                : argc > 2 && strcmp(argv[1], "ENOMEM") == 0 ? ENOMEM
                                                             : 0;
    if (!error)
        return fprintf(stderr, "no_uring EPERM|ENOSYS|ENOMEM COMMAND [ARGUMENT...]\n"), 2;

    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_CALL, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_CALL, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return perror("no_uring: seccomp"), 2;
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
