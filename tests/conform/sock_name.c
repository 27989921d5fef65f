/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses: getaddrinfo and its kin, the old databases, addresses as text. Nothing here
 * asks a name server: what is looked up is numeric, this machine, or not there.
 */
#include "conform.h"

#include <netioapi.h>

/* ---- getaddrinfo ---- */

static int look_up(const char *node, const char *service, int type, int flags, ADDRINFOA **list)
{
    ADDRINFOA hints;

    net_start();
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = type;
    hints.ai_flags = flags;
    *list = NULL;
    return getaddrinfo(node, service, &hints, list);
}

static unsigned port_of(const ADDRINFOA *info)
{
    struct sockaddr_in address;
    memcpy(&address, info->ai_addr, sizeof address); /* the port is in the same place for both families */
    return ntohs(address.sin_port);
}

TEST(numeric_names, "")
{
    ADDRINFOA *list;
    struct sockaddr_in address;

    CHECK_EQ(look_up("127.0.0.1", "80", SOCK_STREAM, AI_NUMERICHOST, &list), 0);
    REQUIRE(list != NULL);
    CHECK_EQ(list->ai_family, AF_INET);
    CHECK_EQ(list->ai_socktype, SOCK_STREAM);
    CHECK_EQ(list->ai_addrlen, sizeof address);
    CHECK(list->ai_canonname == NULL);
    CHECK(list->ai_next == NULL);
    memcpy(&address, list->ai_addr, sizeof address);
    CHECK_EQ(address.sin_family, AF_INET);
    CHECK_EQ(ntohs(address.sin_port), 80);
    CHECK_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    freeaddrinfo(list);

    CHECK_EQ(look_up("::1", "65535", SOCK_DGRAM, AI_NUMERICHOST, &list), 0);
    REQUIRE(list != NULL);
    CHECK_EQ(list->ai_family, AF_INET6);
    CHECK_EQ(list->ai_socktype, SOCK_DGRAM);
    CHECK_EQ(list->ai_addrlen, sizeof(struct sockaddr_in6));
    CHECK_EQ(port_of(list), 65535);
    freeaddrinfo(list);
}

/* Of each address one entry, of the type that was asked for: none. */
TEST(any_type, "")
{
    ADDRINFOA *list = NULL;

    net_start();
    CHECK_EQ(getaddrinfo("127.0.0.1", "80", NULL, &list), 0);
    REQUIRE(list != NULL);
    TODO_WINE("Wine passes on what POSIX says: one entry for each type") {
        CHECK_EQ(list->ai_socktype, 0);
        CHECK_EQ(list->ai_protocol, 0);
        CHECK(list->ai_next == NULL);
    }
    CHECK_EQ(port_of(list), 80);
    freeaddrinfo(list);
}

TEST(services_by_name, "")
{
    ADDRINFOA *list;

    CHECK_EQ(look_up("127.0.0.1", "http", SOCK_STREAM, 0, &list), 0);
    REQUIRE(list != NULL);
    CHECK_EQ(port_of(list), 80);
    freeaddrinfo(list);
    CHECK_EQ(look_up("127.0.0.1", "no-such-service", SOCK_STREAM, 0, &list), WSATYPE_NOT_FOUND);
    CHECK_EQ(WSAGetLastError(), WSATYPE_NOT_FOUND);
    CHECK(list == NULL);
}

TEST(passive_and_not, "")
{
    ADDRINFOA hints, *list = NULL;
    struct sockaddr_in address;

    net_start();
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    CHECK_EQ(getaddrinfo(NULL, "0", &hints, &list), 0);
    REQUIRE(list != NULL);
    memcpy(&address, list->ai_addr, sizeof address);
    CHECK_EQ(address.sin_addr.s_addr, INADDR_ANY);
    freeaddrinfo(list);
    hints.ai_flags = 0;
    CHECK_EQ(getaddrinfo(NULL, "0", &hints, &list), 0);
    REQUIRE(list != NULL);
    memcpy(&address, list->ai_addr, sizeof address);
    CHECK_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    freeaddrinfo(list);
}

TEST(this_machine, "")
{
    ADDRINFOA *list;

    CHECK_EQ(look_up("localhost", NULL, SOCK_STREAM, 0, &list), 0);
    CHECK(list != NULL);
    freeaddrinfo(list);
    CHECK_EQ(look_up("", NULL, SOCK_STREAM, 0, &list), 0); /* "" is this machine */
    CHECK(list != NULL);
    freeaddrinfo(list);
    CHECK_EQ(look_up("127.0.0.1", NULL, SOCK_STREAM, AI_CANONNAME, &list), 0);
    REQUIRE(list != NULL && list->ai_canonname != NULL);
    CHECK_STR(list->ai_canonname, "127.0.0.1");
    freeaddrinfo(list);
    freeaddrinfo(NULL);
}

TEST(no_such_names, "")
{
    ADDRINFOA hints, *list;

    CHECK_EQ(look_up("localhost", "80", SOCK_STREAM, AI_NUMERICHOST, &list), WSAHOST_NOT_FOUND);
    CHECK_EQ(look_up(NULL, NULL, SOCK_STREAM, 0, &list), WSAHOST_NOT_FOUND);
    CHECK_EQ(look_up(NULL, "80", SOCK_STREAM, AI_CANONNAME, &list), WSAEINVAL);
    CHECK_EQ(look_up("127.0.0.1", "80", 77, 0, &list), WSAESOCKTNOSUPPORT);
    memset(&hints, 0, sizeof hints);
    hints.ai_family = 77;
    CHECK_EQ(getaddrinfo("127.0.0.1", "80", &hints, &list), WSAEAFNOSUPPORT);
    CHECK_EQ(EAI_NONAME, WSAHOST_NOT_FOUND);
    CHECK(strlen(gai_strerrorA(EAI_NONAME)) > 0);
}

TEST(wide_names, "")
{
    static const WCHAR node[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0}, service[] = {'8', '1', 0};
    ADDRINFOW hints, *list = NULL;
    struct sockaddr_in address;
    WCHAR host[64], serv[16];

    net_start();
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_CANONNAME;
    CHECK_EQ(GetAddrInfoW(node, service, &hints, &list), 0);
    REQUIRE(list != NULL);
    memcpy(&address, list->ai_addr, sizeof address);
    CHECK_EQ(ntohs(address.sin_port), 81);
    REQUIRE(list->ai_canonname != NULL);
    CHECK_MEM(list->ai_canonname, node, sizeof node);
    FreeAddrInfoW(list);

    CHECK_EQ(GetNameInfoW((struct sockaddr *)&address, sizeof address, host, 64, serv, 16,
                          NI_NUMERICHOST | NI_NUMERICSERV), 0);
    CHECK_MEM(host, node, sizeof node);
    CHECK_MEM(serv, service, sizeof service);
}

/* ---- getnameinfo ---- */

TEST(names_of_addresses, "")
{
    struct sockaddr_in address = loopback(80);
    struct sockaddr *sa = (struct sockaddr *)&address;
    char host[NI_MAXHOST], serv[NI_MAXSERV];

    net_start();
    CHECK_EQ(getnameinfo(sa, sizeof address, host, sizeof host, serv, sizeof serv,
                         NI_NUMERICHOST | NI_NUMERICSERV), 0);
    CHECK_STR(host, "127.0.0.1");
    CHECK_STR(serv, "80");
    CHECK_EQ(getnameinfo(sa, sizeof address, NULL, 0, serv, sizeof serv, 0), 0);
    CHECK_STR(serv, "http");
    TODO_WINE("Wine lets the C library look at the arguments") {
        CHECK_EQ(getnameinfo(sa, 8, host, sizeof host, NULL, 0, NI_NUMERICHOST), WSAEFAULT);
        CHECK_EQ(getnameinfo(sa, sizeof address, host, 0, NULL, 0, NI_NUMERICHOST), WSAEINVAL);
        CHECK_EQ(getnameinfo(sa, sizeof address, NULL, 0, NULL, 0, 0), WSAHOST_NOT_FOUND);
        CHECK_EQ(getnameinfo(sa, sizeof address, host, 3, NULL, 0, NI_NUMERICHOST), WSAEFAULT);
    }
    address.sin_family = 77;
    CHECK_EQ(getnameinfo(sa, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICHOST), WSAEAFNOSUPPORT);
}

/* ---- text ---- */

TEST(text_and_back, "")
{
    static const WCHAR wide[] = {'1', '0', '.', '2', '.', '3', '.', '4', 0};
    unsigned char v4[4], v6[16];
    char text[INET6_ADDRSTRLEN];
    WCHAR wide_text[INET6_ADDRSTRLEN];

    CHECK_EQ(inet_pton(AF_INET, "1.2.3.4", v4), 1);
    CHECK_MEM(v4, "\1\2\3\4", 4);
    CHECK(inet_ntop(AF_INET, v4, text, sizeof text) == text);
    CHECK_STR(text, "1.2.3.4");
    CHECK_EQ(inet_pton(AF_INET, "1.2.3", v4), 0);
    CHECK_EQ(inet_pton(AF_INET, "1.2.3.256", v4), 0);
    CHECK_EQ(inet_pton(AF_INET, "", v4), 0);
    CHECK_EQ(inet_pton(AF_INET6, "fe80::1:2", v6), 1);
    CHECK_EQ(v6[0], 0xFE);
    CHECK_EQ(v6[15], 2);
    CHECK(inet_ntop(AF_INET6, v6, text, sizeof text) == text);
    CHECK_STR(text, "fe80::1:2");
    CHECK_EQ(inet_pton(AF_INET6, "1.2.3.4", v6), 0);

    CHECK_EQ(InetPtonW(AF_INET, wide, v4), 1);
    CHECK_MEM(v4, "\12\2\3\4", 4);
    CHECK(InetNtopW(AF_INET, v4, wide_text, INET6_ADDRSTRLEN) == wide_text);
    CHECK_MEM(wide_text, wide, sizeof wide);
}

TEST(text_refused, "")
{
    unsigned char v4[4] = {1, 2, 3, 4};
    char text[8];

    CHECK_WSAERR(inet_pton(77, "1.2.3.4", v4), WSAEAFNOSUPPORT);
    CHECK_WSAERR(inet_pton(AF_INET, NULL, v4), WSAEFAULT);
    TODO_WINE("Wine says it in NTSTATUS")
        CHECK_ERR(inet_ntop(AF_INET, v4, text, 7), WSA_INVALID_PARAMETER);
    CHECK_ERR(inet_ntop(77, v4, text, sizeof text), WSAEAFNOSUPPORT);
}

TEST(old_text, "")
{
    struct in_addr address;

    CHECK_EQ(inet_addr("1.2.3.4"), htonl(0x01020304));
    CHECK_EQ(inet_addr("1.2"), htonl(0x01000002));
    CHECK_EQ(inet_addr("0x7f.1"), htonl(0x7F000001));
    CHECK_EQ(inet_addr(" "), 0);
    CHECK_EQ(inet_addr(""), INADDR_NONE);
    CHECK_EQ(inet_addr("1.2.3.4 x"), htonl(0x01020304)); /* a space ends it */
    CHECK_EQ(inet_addr("1.2.3.4x"), INADDR_NONE);
    CHECK_EQ(inet_addr("256.1.1.1"), INADDR_NONE);
    CHECK_EQ(inet_addr("localhost"), INADDR_NONE);
    address.s_addr = htonl(0xC0A80001);
    CHECK_STR(inet_ntoa(address), "192.168.0.1");
}

struct parsed {
    int code, family, port, scope, length;
};

static struct parsed parse(const char *text, int family)
{
    struct sockaddr_storage room;
    struct sockaddr_in6 v6;
    struct parsed p = {0, 0, 0, 0, sizeof room};
    char copy[64];

    memset(&room, 0, sizeof room);
    strcpy(copy, text);
    if (WSAStringToAddressA(copy, family, NULL, (struct sockaddr *)&room, &p.length))
        p.code = WSAGetLastError();
    memcpy(&v6, &room, sizeof v6);
    if (!p.code) {
        p.family = room.ss_family;
        p.port = ntohs(v6.sin6_port);
        p.scope = family == AF_INET6 ? (int)v6.sin6_scope_id : 0;
    }
    return p;
}

TEST(strings_to_addresses, "")
{
    static const struct {
        const char *text;
        int family, port, scope; /* port -1: no address */
    } cases[] = {
        {"1.2.3.4", AF_INET, 0, 0},       {"1.2.3.4:80", AF_INET, 80, 0},   {"1.2.3.4:", AF_INET, -1, 0},
        {"1.2.3.4:99999", AF_INET, -1, 0}, {"", AF_INET, -1, 0},            {"host", AF_INET, -1, 0},
        {"::1", AF_INET6, 0, 0},          {"[::1]", AF_INET6, 0, 0},        {"[::1]:80", AF_INET6, 80, 0},
        {"fe80::1%2", AF_INET6, 0, 2},    {"[fe80::1%2]:80", AF_INET6, 80, 2}, {"::1:80", AF_INET6, 0, 0},
        {"[::1", AF_INET6, -1, 0},        {"::1]", AF_INET6, -1, 0},        {"1.2.3.4", 99, -1, 0},
    };

    net_start();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p = parse(cases[i].text, cases[i].family);
        if (cases[i].port < 0) {
            CHECK_MSG(p.code == WSAEINVAL, "\"%s\" gives %d", cases[i].text, p.code);
            continue;
        }
        CHECK_MSG(p.code == 0 && p.family == cases[i].family && p.port == cases[i].port &&
                      p.scope == cases[i].scope,
                  "\"%s\" gives %d, family %d, port %d, scope %d", cases[i].text, p.code, p.family, p.port,
                  p.scope);
    }

    struct sockaddr_in small;
    char text[] = "1.2.3.4";
    int length = 4;
    CHECK_WSAERR(WSAStringToAddressA(text, AF_INET, NULL, (struct sockaddr *)&small, &length), WSAEFAULT);
    CHECK_EQ(length, sizeof small);
}

TEST(addresses_to_strings, "")
{
    struct sockaddr_in v4 = loopback(80);
    struct sockaddr_in6 v6;
    char text[80];
    DWORD length = sizeof text;

    net_start();
    CHECK_EQ(WSAAddressToStringA((struct sockaddr *)&v4, sizeof v4, NULL, text, &length), 0);
    CHECK_STR(text, "127.0.0.1:80");
    CHECK_EQ(length, 13);
    v4.sin_port = 0;
    CHECK_EQ(WSAAddressToStringA((struct sockaddr *)&v4, sizeof v4, NULL, text, &length), 0);
    CHECK_STR(text, "127.0.0.1");
    length = 5;
    CHECK_WSAERR(WSAAddressToStringA((struct sockaddr *)&v4, sizeof v4, NULL, text, &length), WSAEFAULT);
    CHECK_EQ(length, 10);
    length = sizeof text;
    TODO_WINE("Wine fails without an error")
        CHECK_WSAERR(WSAAddressToStringA((struct sockaddr *)&v4, 4, NULL, text, &length), WSAEINVAL);

    memset(&v6, 0, sizeof v6);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr.s6_addr[15] = 1;
    v6.sin6_scope_id = 2;
    CHECK_EQ(WSAAddressToStringA((struct sockaddr *)&v6, sizeof v6, NULL, text, &length), 0);
    CHECK_STR(text, "::1%2");
    v6.sin6_port = htons(80);
    length = sizeof text;
    CHECK_EQ(WSAAddressToStringA((struct sockaddr *)&v6, sizeof v6, NULL, text, &length), 0);
    CHECK_STR(text, "[::1%2]:80");

    WCHAR wide[80];
    static const WCHAR expected[] = {'[', ':', ':', '1', '%', '2', ']', ':', '8', '0', 0};
    length = 80;
    CHECK_EQ(WSAAddressToStringW((struct sockaddr *)&v6, sizeof v6, NULL, wide, &length), 0);
    CHECK_MEM(wide, expected, sizeof expected);
    CHECK_EQ(length, 11);
    int room = sizeof v6;
    CHECK_EQ(WSAStringToAddressW(wide, AF_INET6, NULL, (struct sockaddr *)&v6, &room), 0);
    CHECK_EQ(v6.sin6_scope_id, 2);
}

/* ---- the old databases ---- */

TEST(old_hosts, "")
{
    char name[256];
    struct hostent *host;

    net_start();
    host = gethostbyname("127.0.0.1");
    REQUIRE(host != NULL);
    CHECK_EQ(host->h_addrtype, AF_INET);
    CHECK_EQ(host->h_length, 4);
    REQUIRE(host->h_addr_list[0] != NULL);
    CHECK_MEM(host->h_addr_list[0], "\x7F\0\0\1", 4);
    CHECK(host->h_addr_list[1] == NULL);
    CHECK(host->h_aliases != NULL);

    host = gethostbyname("localhost");
    REQUIRE(host != NULL);
    CHECK_MEM(host->h_addr_list[0], "\x7F\0\0\1", 4);
    host = gethostbyaddr("\x7F\0\0\1", 4, AF_INET);
    REQUIRE(host != NULL);
    CHECK(strlen(host->h_name) > 0);
    CHECK_MEM(host->h_addr_list[0], "\x7F\0\0\1", 4);

    CHECK_EQ(gethostname(name, sizeof name), 0);
    CHECK(strlen(name) > 0);
    CHECK_WSAERR(gethostname(name, 1), WSAEFAULT);
    CHECK(gethostbyname(NULL) != NULL);
}

TEST(old_services, "")
{
    struct servent *service;
    struct protoent *protocol;

    net_start();
    service = getservbyname("http", "tcp");
    REQUIRE(service != NULL);
    CHECK_STR(service->s_name, "http");
    CHECK_STR(service->s_proto, "tcp");
    CHECK_EQ(ntohs((u_short)service->s_port), 80);
    service = getservbyport(htons(80), NULL);
    REQUIRE(service != NULL);
    CHECK_STR(service->s_name, "http");
    CHECK_ERR(getservbyname("no-such-service", NULL), WSANO_DATA);

    protocol = getprotobyname("udp");
    REQUIRE(protocol != NULL);
    CHECK_EQ(protocol->p_proto, IPPROTO_UDP);
    protocol = getprotobynumber(IPPROTO_TCP);
    REQUIRE(protocol != NULL);
    CHECK_STR(protocol->p_name, "tcp");
    CHECK_ERR(getprotobyname("no-such-protocol"), WSANO_DATA);
}

THREAD_FN(look_up_udp)
{
    struct protoent *protocol = getprotobyname("udp");
    CHECK(protocol && protocol->p_proto == IPPROTO_UDP);
    return 0;
}

TEST(old_results_belong_to_threads, "")
{
    net_start();
    struct protoent *protocol = getprotobyname("tcp");
    REQUIRE(protocol != NULL);
    JOIN(start_thread(look_up_udp, NULL));
    CHECK_STR(protocol->p_name, "tcp");
    CHECK_EQ(protocol->p_proto, IPPROTO_TCP);
}

TEST(interfaces, "")
{
    char name[IF_NAMESIZE];

    CHECK_EQ(if_nametoindex("no-such-interface"), 0);
    CHECK(if_indextoname(0x7FFFFFF0, name) == NULL);
    for (unsigned i = 1; i < 64; i++)
        if (if_indextoname(i, name))
            CHECK_EQ(if_nametoindex(name), i);
}
