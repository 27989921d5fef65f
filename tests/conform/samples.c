/* SPDX-License-Identifier: MIT */
/*
 * Small things that Microsoft's own samples lean on: the way to another machine, addresses made by name, text
 * to a console that may be none, random numbers, where Windows lies.
 */
#include "conform.h"

#include <bcrypt.h>
#include <mstcpip.h>
#include <process.h>
#include <sys/stat.h>
#include <wincrypt.h>

/* ---- SIO_ROUTING_INTERFACE_QUERY ---- */

TEST(the_way_to_loopback, "")
{
    net_start();
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = loopback(4711);
    SOCKADDR_STORAGE from;
    struct sockaddr_in *in = (struct sockaddr_in *)&from;
    DWORD bytes = 0;

    memset(&from, 0xEE, sizeof from);
    CHECK_EQ(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, &from, sizeof from, &bytes, NULL, NULL),
             0);
    CHECK(bytes >= sizeof *in);
    CHECK_EQ(in->sin_family, AF_INET);
    TODO_WINE("names another interface")
    {
        CHECK_EQ(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    }
    CHECK_EQ(bind(s, (struct sockaddr *)in, sizeof *in), 0);

    /* The socket that asks stays what it was: it can still be connected elsewhere. */
    int length = sizeof to;
    CHECK_WSAERR(getpeername(s, (struct sockaddr *)&to, &length), WSAENOTCONN);
    closesocket(s);
}

TEST(the_way_is_not_known_without_room, "")
{
    net_start();
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = loopback(4711);
    char from[8];
    DWORD bytes = 0;

    CHECK_WSAERR(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof to, from, 4, &bytes, NULL, NULL),
                 WSAEFAULT);
    CHECK_WSAERR(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, NULL, 0, from, sizeof from, &bytes, NULL, NULL),
                 WSAEFAULT);
    closesocket(s);
}

/* ---- mstcpip.h ---- */

#ifndef __MINGW32__ /* whose header has none of these */
TEST(addresses_by_name, "")
{
    SOCKADDR_STORAGE address;
    PSOCKADDR a = (PSOCKADDR)&address;

    for (int six = 0; six < 2; six++) {
        memset(&address, 0xEE, sizeof address);
        a->sa_family = six ? AF_INET6 : AF_INET;
        INETADDR_SETLOOPBACK(a);
        CHECK(INETADDR_ISLOOPBACK(a) && !INETADDR_ISANY(a) && !INETADDR_ISV4MAPPED(a));
        CHECK_EQ(SS_PORT(a), 0);
        SS_PORT(a) = htons(80);
        CHECK_EQ(six ? ((PSOCKADDR_IN6)a)->sin6_port : ((PSOCKADDR_IN)a)->sin_port, htons(80));
        CHECK_EQ(INETADDR_ADDRESS(a)[six ? 15 : 3], 1);
        INETADDR_SETANY(a);
        CHECK(INETADDR_ISANY(a) && !INETADDR_ISLOOPBACK(a));
        CHECK_EQ(a->sa_family, six ? AF_INET6 : AF_INET);
    }
    struct sockaddr_in one = loopback(1), other = loopback(2);
    CHECK(IN4ADDR_ISLOOPBACK(&one) && IN4ADDR_ISEQUAL(&one, &other) && !IN4ADDR_ISANY(&one));
    one.sin_addr.s_addr = htonl(0xE0000001);
    CHECK(IN4_IS_ADDR_MULTICAST(&one.sin_addr) && !IN4_ADDR_EQUAL(&one.sin_addr, &other.sin_addr));
    one.sin_addr.s_addr = htonl(0xA9FE0001);
    CHECK(IN4_IS_ADDR_LINKLOCAL(&one.sin_addr) && !IN4_IS_ADDR_UNSPECIFIED(&one.sin_addr));
}
#endif

/* ---- the console ---- */

TEST(a_file_is_no_console, "")
{
    HANDLE file =
        CreateFileA(temp_path(), GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    DWORD written = 77;

    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(WriteConsoleA(file, "text", 4, &written, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(WriteConsoleW(file, u"text", 4, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(GetFileSize(file, NULL), 0);
    CHECK_ERR(WriteConsoleA(NULL, "text", 4, &written, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(file);
}

/* ---- random numbers ---- */

static int all_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return 0;
    return 1;
}

typedef LONG(WINAPI *generator)(PVOID, PUCHAR, ULONG, ULONG);

TEST(random_numbers_of_the_system, "")
{
    HMODULE module = LoadLibraryA("bcrypt.dll");
    REQUIRE(module != NULL);
    generator generate = (generator)(void (*)(void))GetProcAddress(module, "BCryptGenRandom");
    REQUIRE(generate != NULL);
    static unsigned char bytes[100000];

    CHECK_EQ(generate(NULL, bytes, sizeof bytes, BCRYPT_USE_SYSTEM_PREFERRED_RNG), 0);
    CHECK(!all_zero(bytes, 32) && !all_zero(bytes + sizeof bytes - 32, 32));
    CHECK_EQ(generate(NULL, bytes, 0, BCRYPT_USE_SYSTEM_PREFERRED_RNG), 0);
    CHECK(generate(NULL, bytes, 8, 0) != 0);
}

TEST(random_numbers_of_a_provider, "")
{
    HCRYPTPROV provider = 0;
    unsigned char bytes[64] = {0};

    REQUIRE(CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT | CRYPT_SILENT));
    CHECK(provider != 0);
    CHECK(CryptGenRandom(provider, sizeof bytes, bytes));
    CHECK(!all_zero(bytes, 32) && !all_zero(bytes + 32, 32));
    CHECK(CryptReleaseContext(provider, 0));
    CHECK(!CryptGenRandom(0, sizeof bytes, bytes));
}

/* ---- where Windows lies, who we are ---- */

TEST(the_system_directory, "")
{
    char name[MAX_PATH], narrow[4];
    WCHAR wide[MAX_PATH];
    UINT length = GetSystemDirectoryA(name, sizeof name);

    REQUIRE(length > 0 && length < sizeof name);
    CHECK_EQ(strlen(name), length);
    CHECK_EQ(GetSystemDirectoryA(narrow, sizeof narrow), length + 1);
    CHECK_EQ(GetSystemDirectoryW(wide, MAX_PATH), length);
    CHECK_EQ(wide[length], 0);
    strcat(name, "\\ws2_32.dll");
    CHECK(LoadLibraryA(name) != NULL);
    CHECK(GetWindowsDirectoryA(name, sizeof name) < length);
}

TEST(the_process_id, "")
{
    int (*get)(void) = _getpid; /* a function, whatever `getpid` is made to mean */
    CHECK_EQ((DWORD)get(), GetCurrentProcessId());
}
