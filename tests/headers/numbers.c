/* SPDX-License-Identifier: MIT */
/*
 * Compares winsock2.h with the POSIX headers, number by number and layout by layout. The two cannot
 * stand in one file, so this one is compiled twice, with -DWINSOCK and with -DPOSIX (the program).
 */
#ifdef WINSOCK
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#endif
#include <stddef.h>
#include <stdio.h>

#define N(value) {#value, (long long)(value)},
struct number {
    const char *name;
    long long value;
};

#ifdef WINSOCK
const struct number winsock_numbers[] = {
#include "numbers.inc"
    {NULL, 0}};
#else
extern const struct number winsock_numbers[];
static const struct number posix_numbers[] = {
#include "numbers.inc"
};

int main(void)
{
    int wrong = 0;

    for (size_t i = 0; winsock_numbers[i].name; i++)
        if (winsock_numbers[i].value != posix_numbers[i].value) {
            printf("%s: %lld in winsock2.h, %lld in the C library\n", posix_numbers[i].name,
                   winsock_numbers[i].value, posix_numbers[i].value);
            wrong = 1;
        }
    return wrong;
}
#endif
