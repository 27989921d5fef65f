/* SPDX-License-Identifier: MIT */
/* GetAdaptersAddresses. Which interfaces there are is not known; a loopback is. */
#include "conform.h"

#include <iphlpapi.h>

/* The list, to be freed; NULL after a failure, which it has reported. */
static IP_ADAPTER_ADDRESSES *list_of(ULONG family, ULONG flags)
{
    ULONG size = 0;
    CHECK_EQ(GetAdaptersAddresses(family, flags, NULL, NULL, &size), ERROR_BUFFER_OVERFLOW);
    for (int tries = 0; tries < 5; tries++) { /* interfaces may come in between */
        IP_ADAPTER_ADDRESSES *list = malloc(size);
        ULONG result = GetAdaptersAddresses(family, flags, NULL, list, &size);
        if (result == ERROR_SUCCESS)
            return list;
        free(list);
        if (!CHECK_EQ(result, ERROR_BUFFER_OVERFLOW))
            break;
    }
    FAIL("no list");
    return NULL;
}

TEST(loopback_is_there, "")
{
    IP_ADAPTER_ADDRESSES *list = list_of(AF_UNSPEC, 0);
    int loopbacks = 0;
    for (IP_ADAPTER_ADDRESSES *a = list; a; a = a->Next) {
        CHECK(a->Length >= sizeof(void *) * 10);
        CHECK(a->AdapterName && a->AdapterName[0]);
        CHECK(a->FriendlyName && a->FriendlyName[0]);
        CHECK(a->Description != NULL);
        for (IP_ADAPTER_UNICAST_ADDRESS *u = a->FirstUnicastAddress; u; u = u->Next) {
            struct sockaddr_in *in = (struct sockaddr_in *)u->Address.lpSockaddr;
            CHECK(in->sin_family == AF_INET || in->sin_family == AF_INET6);
            CHECK(u->OnLinkPrefixLength <= (in->sin_family == AF_INET ? 32 : 128));
            if (in->sin_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK)) {
                loopbacks++;
                CHECK_EQ(a->IfType, IF_TYPE_SOFTWARE_LOOPBACK);
                CHECK_EQ(a->OperStatus, IfOperStatusUp);
            }
        }
    }
    CHECK_EQ(loopbacks, 1);
    free(list);
}

TEST(family_and_flags, "")
{
    IP_ADAPTER_ADDRESSES *list = list_of(AF_INET, GAA_FLAG_INCLUDE_PREFIX | GAA_FLAG_SKIP_DNS_SERVER);
    int addresses = 0, prefixes = 0;
    for (IP_ADAPTER_ADDRESSES *a = list; a; a = a->Next) {
        CHECK(a->FirstDnsServerAddress == NULL);
        for (IP_ADAPTER_UNICAST_ADDRESS *u = a->FirstUnicastAddress; u; u = u->Next, addresses++)
            CHECK_EQ(u->Address.lpSockaddr->sa_family, AF_INET);
        for (IP_ADAPTER_PREFIX *p = a->FirstPrefix; p; p = p->Next, prefixes++)
            CHECK_EQ(p->Address.lpSockaddr->sa_family, AF_INET);
    }
    CHECK(addresses > 0 && prefixes > 0);
    free(list);
    list = list_of(AF_INET, GAA_FLAG_SKIP_UNICAST | GAA_FLAG_INCLUDE_GATEWAYS);
    for (IP_ADAPTER_ADDRESSES *a = list; a; a = a->Next)
        CHECK(a->FirstUnicastAddress == NULL);
    free(list);
}

TEST(too_small, "")
{
    char small[16];
    ULONG size = sizeof small;
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, (IP_ADAPTER_ADDRESSES *)(void *)small, &size),
             ERROR_BUFFER_OVERFLOW);
    CHECK(size > sizeof small);
    CHECK_EQ(GetAdaptersAddresses(AF_UNSPEC, 0, NULL, NULL, NULL), ERROR_INVALID_PARAMETER);
    size = 0;
    TODO_WINE("takes any family")
    {
        CHECK_EQ(GetAdaptersAddresses(77, 0, NULL, NULL, &size), ERROR_INVALID_PARAMETER);
    }
}
