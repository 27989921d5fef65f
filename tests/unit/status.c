/* SPDX-License-Identifier: MIT */
/* The table of failures: the pairs that programs rely on, and that wrapped codes survive. */
#include "unit.h"

#include "base/status.h"

#include <errno.h>

/* Promise ERR-06, and what a socket call says about the same status. */
static const struct {
    unsigned status, win32, wsa;
} known[] = {
    {0x00000000, 0, 0},           {0x00000103, 997, 997},
    {0x00000102, 258, 10060},     {0x000000C0, 192, 192},
    {0x00000080, 735, 735},       {0xC0000120, 995, 995},
    {0xC0000011, 38, 10101},      {0xC000014B, 109, 10054},
    {0x80000005, 234, 10040},     {0xC000020D, 64, 10054},
    {0xC0000236, 1225, 10061},    {0xC0000241, 1236, 10053},
    {0xC0000225, 1168, 10022},    {0xC0000008, 6, 10038},
    {0xC0000024, 6, 10038},       {0xC000000D, 87, 10022},
    {0xC00000B5, 121, 10060},     {0xC000023C, 1231, 10051},
    {0xC000023D, 1232, 10065},    {0xC000023F, 1234, 10054},
    {0xC0000022, 5, 10013},       {0xC0000043, 32, 10048},
    {0xC0000055, 33, 10022},      {0xC000007E, 158, 10022},
    {0xC00000AE, 231, 10055},     {0xC00000B1, 232, 10058},
    {0xC00000B2, 535, 10056},     {0xC00000B3, 536, 10057},
    {0xC00000B0, 233, 10058},     {0xC00000A3, 21, 10035},
    {0xC0000140, 59, 10057},      {0xC000009A, 1450, 10055},
    {0xC000011F, 4, 10024},       {0xC0000904, 223, 10022},
};

TEST(known_rows)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK_EQ(status_to_win32(known[i].status), known[i].win32);
        CHECK_EQ(status_to_wsa(known[i].status), known[i].wsa);
    }
}

TEST(unknown_status)
{
    CHECK_EQ(status_to_win32(0xC0001234), 317);
    CHECK_EQ(status_to_wsa(0xC0001234), 10022);
    CHECK_EQ(status_to_win32(0x00000001), 0);
    CHECK_EQ(status_to_win32(0x40000000), 0);
    CHECK_EQ(status_to_dos_error(0xC0001234), 317);
    CHECK_EQ(status_to_dos_error(0x00000102), 1460);
    CHECK_EQ(status_to_dos_error(0x0000010C), 1022);
    CHECK_EQ(status_to_dos_error(0xC0000120), 995);
}

TEST(wrapped_codes)
{
    CHECK_EQ(status_from_win32(0), 0);
    CHECK_EQ(status_from_win32(997), 0x103);
    CHECK_EQ(status_from_wsa(997), 0x103);
    for (unsigned code = 1; code < 0x10000; code++) {
        if (code == 997)
            continue;
        if (status_to_win32(status_from_win32(code)) != code ||
            status_to_wsa(status_from_win32(code)) != code ||
            status_to_win32(status_from_wsa(code)) != code ||
            status_to_wsa(status_from_wsa(code)) != code ||
            !status_is_error(status_from_win32(code)) || !status_is_error(status_from_wsa(code)))
            CHECK_EQ(code, -1);
    }
}

TEST(errno_rows)
{
    CHECK_EQ(status_from_errno(0), 0);
    CHECK_EQ(status_from_errno_socket(0), 0);
    CHECK_EQ(status_to_win32(status_from_errno(ENOENT)), 2);
    CHECK_EQ(status_to_win32(status_from_errno(-ENOENT)), 2);
    CHECK_EQ(status_to_win32(status_from_errno(ENOTDIR)), 3);
    CHECK_EQ(status_to_win32(status_from_errno(EACCES)), 5);
    CHECK_EQ(status_to_win32(status_from_errno(EBADF)), 6);
    CHECK_EQ(status_to_win32(status_from_errno(ENOSPC)), 112);
    CHECK_EQ(status_to_win32(status_from_errno(EPIPE)), 232);
    CHECK_EQ(status_to_win32(status_from_errno(ECANCELED)), 995);
    CHECK_EQ(status_to_win32(status_from_errno_socket(ECONNRESET)), 64);
    CHECK_EQ(status_to_wsa(status_from_errno_socket(ECONNRESET)), 10054);
    CHECK_EQ(status_to_wsa(status_from_errno_socket(EPIPE)), 10054);
    CHECK_EQ(status_to_wsa(status_from_errno_socket(EAGAIN)), 10035);
    CHECK_EQ(status_to_wsa(status_from_errno_socket(EINPROGRESS)), 10035);
    CHECK_EQ(status_from_errno(123456), 0xC0000001u);
}

/* The BSD part of the Winsock codes is 10000 plus the number of the old errno, by name. */
TEST(socket_errno_names)
{
    static const struct {
        int err;
        unsigned wsa;
    } names[] = {
        {EACCES, 10013},       {EFAULT, 10014},         {EINVAL, 10022},
        {EMFILE, 10024},       {EWOULDBLOCK, 10035},    {EALREADY, 10037},
        {ENOTSOCK, 10038},     {EDESTADDRREQ, 10039},   {EMSGSIZE, 10040},
        {EPROTOTYPE, 10041},   {ENOPROTOOPT, 10042},    {EPROTONOSUPPORT, 10043},
        {ESOCKTNOSUPPORT, 10044}, {EOPNOTSUPP, 10045},  {EPFNOSUPPORT, 10046},
        {EAFNOSUPPORT, 10047}, {EADDRINUSE, 10048},     {EADDRNOTAVAIL, 10049},
        {ENETDOWN, 10050},     {ENETUNREACH, 10051},    {ENETRESET, 10052},
        {ECONNABORTED, 10053}, {ECONNRESET, 10054},     {ENOBUFS, 10055},
        {EISCONN, 10056},      {ENOTCONN, 10057},       {ESHUTDOWN, 10058},
        {ETOOMANYREFS, 10059}, {ETIMEDOUT, 10060},      {ECONNREFUSED, 10061},
        {ELOOP, 10062},        {ENAMETOOLONG, 10063},   {EHOSTDOWN, 10064},
        {EHOSTUNREACH, 10065}, {EUSERS, 10068},         {EBADF, 10038},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!CHECK_EQ(status_to_wsa(status_from_errno_socket(names[i].err)), names[i].wsa))
            printf("    errno %d\n", names[i].err);
}

TEST(severity)
{
    CHECK(status_is_success(0));
    CHECK(status_is_success(0x103));
    CHECK(!status_is_success(0x80000005));
    CHECK(status_is_warning(0x80000005));
    CHECK(status_is_error(0xC0000001));
    CHECK(!status_is_error(0x80000005));
}
