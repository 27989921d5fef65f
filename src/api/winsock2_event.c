/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: events, network events, and waiting for the readiness of many sockets: select and WSAPoll.
 */
#include "api/socket.h"
#include "base/clock.h"
#include "io/select.h"
#include "io/sockevent.h"
#include "object/handle.h"

#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

#include <stdlib.h>

_Static_assert(SE_READ == FD_READ && SE_WRITE == FD_WRITE && SE_OOB == FD_OOB, "as in the public header");
_Static_assert(SE_ACCEPT == FD_ACCEPT && SE_CONNECT == FD_CONNECT, "as in the public header");
_Static_assert(SE_CLOSE == FD_CLOSE && SE_ALL == FD_ALL_EVENTS, "as in the public header");
_Static_assert((int)SE_COUNT == FD_MAX_EVENTS, "as in the public header");

/* ---- events ---- */

WSAEVENT WSAAPI WSACreateEvent(void)
{
    return CreateEventA(NULL, TRUE, FALSE, NULL);
}

BOOL WSAAPI WSACloseEvent(WSAEVENT event)
{
    return CloseHandle(event);
}

BOOL WSAAPI WSASetEvent(WSAEVENT event)
{
    return SetEvent(event);
}

BOOL WSAAPI WSAResetEvent(WSAEVENT event)
{
    return ResetEvent(event);
}

DWORD WSAAPI WSAWaitForMultipleEvents(DWORD count, const WSAEVENT *events, BOOL all, DWORD timeout,
                                      BOOL alertable)
{
    return WaitForMultipleObjectsEx(count, events, all, timeout, alertable);
}

/* ---- network events ---- */

/* *event stays NULL for a NULL handle. */
static uint32_t event_get(WSAEVENT handle, struct object **event)
{
    uint32_t status;

    *event = NULL;
    if (!handle)
        return STATUS_SUCCESS;
    status = handle_get((uintptr_t)handle, OBJECT_EVENT, event, NULL);
    return status == STATUS_SUCCESS ? status : status_from_wsa(WSAEINVAL);
}

static uint32_t event_select(struct file *f, WSAEVENT handle, LONG mask)
{
    struct object *event;
    uint32_t status = event_get(handle, &event);

    if (status != STATUS_SUCCESS)
        return status;
    if ((mask & ~FD_ALL_EVENTS) || (mask != 0 && !event))
        status = status_from_wsa(WSAEINVAL);
    else
        status = sockevent_select(f, event, (uint32_t)mask);
    if (event)
        object_put(event);
    return status;
}

int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT event, LONG mask)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = event_select(f, event, mask);
        file_put(f);
    }
    return wsa_result(status);
}

static uint32_t take_events(struct file *f, WSAEVENT handle, WSANETWORKEVENTS *out)
{
    struct object *event;
    uint32_t recorded = 0;
    uint32_t status;

    if (!out)
        return status_from_wsa(WSAEFAULT);
    status = event_get(handle, &event);
    if (status != STATUS_SUCCESS)
        return status;
    sockevent_take(f, event, &recorded, out->iErrorCode);
    out->lNetworkEvents = (LONG)recorded;
    if (event)
        object_put(event);
    return status;
}

int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS events)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = take_events(f, event, events);
        file_put(f);
    }
    return wsa_result(status);
}

/* ---- many sockets ---- */

enum { ITEMS_INLINE = 64 };

/* What one call of select or WSAPoll looks at. */
struct looking {
    struct select_item *items; /* items_inline, or owned */
    unsigned count;
    struct select_item items_inline[ITEMS_INLINE];
};

static uint32_t looking_init(struct looking *l, size_t room)
{
    l->items = l->items_inline;
    l->count = 0;
    if (room > ITEMS_INLINE)
        l->items = room < UINT32_MAX / sizeof *l->items ? malloc(room * sizeof *l->items) : NULL;
    return l->items ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAENOBUFS);
}

/* f is NULL for an entry that is to be skipped; else counted, and given back at the end. */
static void looking_add(struct looking *l, struct file *f, unsigned want)
{
    struct select_item *it = &l->items[l->count++];

    it->file = f;
    it->want = (uint16_t)want;
    it->got = 0;
}

static void looking_end(struct looking *l)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->items[i].file)
            file_put(l->items[i].file);
    if (l->items != l->items_inline)
        free(l->items);
}

/* ---- select ---- */

/* The three sets, and what is wanted of the sockets in each. */
struct sets {
    iocp_fd_set *set[3];
};
static const unsigned set_wants[3] = {SELECT_READ, SELECT_WRITE, SELECT_EXCEPT};

/* The program may have chosen another size of array than this file was compiled with. */
static SOCKET *set_sockets(iocp_fd_set *set)
{
    return set->fd_array;
}

static size_t sets_size(const struct sets *sets)
{
    size_t size = 0;

    for (int i = 0; i < 3; i++)
        if (sets->set[i])
            size += sets->set[i]->fd_count;
    return size;
}

static uint32_t sets_read(const struct sets *sets, struct looking *l)
{
    for (int i = 0; i < 3; i++) {
        iocp_fd_set *set = sets->set[i];

        for (unsigned n = 0; set && n < set->fd_count; n++) {
            struct file *f;
            uint32_t status = socket_get(set_sockets(set)[n], &f);

            if (status != STATUS_SUCCESS)
                return status;
            looking_add(l, f, set_wants[i]);
        }
    }
    return STATUS_SUCCESS;
}

/* Leaves in the sets what is ready. */
static void sets_write(const struct sets *sets, const struct looking *l)
{
    const struct select_item *it = l->items;

    for (int i = 0; i < 3; i++) {
        iocp_fd_set *set = sets->set[i];
        unsigned kept = 0;

        for (unsigned n = 0; set && n < set->fd_count; n++, it++)
            if (it->got)
                set_sockets(set)[kept++] = set_sockets(set)[n];
        if (set)
            set->fd_count = kept;
    }
}

static uint32_t select_sets(const struct sets *sets, uint64_t deadline, unsigned *count)
{
    size_t size = sets_size(sets);
    struct looking l;
    uint32_t status;

    if (size == 0)
        return status_from_wsa(WSAEINVAL);
    status = looking_init(&l, size);
    if (status != STATUS_SUCCESS)
        return status;
    status = sets_read(sets, &l);
    if (status == STATUS_SUCCESS)
        status = select_wait(l.items, l.count, deadline, count);
    if (status == STATUS_SUCCESS)
        sets_write(sets, &l);
    looking_end(&l);
    return status;
}

int WSAAPI select(int count, fd_set *read, fd_set *write, fd_set *except, const struct timeval *timeout)
{
    const struct sets sets = {{read, write, except}};
    uint64_t deadline = DEADLINE_NEVER;
    unsigned ready = 0;
    uint32_t status;

    (void)count;
    if (!winsock_started() && sets_size(&sets) == 0)
        return wsa_result(status_from_wsa(WSANOTINITIALISED));
    if (timeout) {
        int64_t ns = (int64_t)timeout->tv_sec * (int64_t)NS_PER_SEC + (int64_t)timeout->tv_usec * 1000;

        /* Less than nothing is nothing, as on Windows: conform/sock_event.c, select_polls_and_times_out. */
        deadline = ns > 0 ? (uint64_t)ns + clock_now_ns() : 0;
    }
    status = select_sets(&sets, deadline, &ready);
    return wsa_result(status) == 0 ? (int)ready : SOCKET_ERROR;
}

int WSAAPI __WSAFDIsSet(SOCKET s, iocp_fd_set *set)
{
    for (unsigned i = 0; i < set->fd_count; i++)
        if (set_sockets(set)[i] == s)
            return 1;
    return 0;
}

/* ---- WSAPoll ---- */

/* Windows' POLLIN is two bits, one of which is POLLRDNORM: who asks for it sees that one too. */
static unsigned poll_wants(SHORT events)
{
    unsigned want = (unsigned)events & (POLLIN | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM);

    if (want & POLLIN)
        want |= POLLRDNORM;
    return want | POLLERR | POLLHUP;
}

static bool is_skipped(const WSAPOLLFD *p)
{
    return (LONG_PTR)p->fd < 0;
}

/* *bad: how many entries are no sockets; they have something to say at once. There must be one that
 * is a socket, and no flags but those that ask for data. */
static uint32_t poll_read(const WSAPOLLFD *sockets, ULONG count, struct looking *l, unsigned *bad)
{
    const int known = POLLIN | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM;
    bool any = false;

    for (ULONG i = 0; i < count; i++) {
        struct file *f = NULL;
        uint32_t status = STATUS_SUCCESS;

        if (!is_skipped(&sockets[i]))
            status = socket_get(sockets[i].fd, &f);
        if (status == status_from_wsa(WSANOTINITIALISED))
            return status;
        if (status != STATUS_SUCCESS) {
            f = NULL;
            ++*bad;
        }
        looking_add(l, f, poll_wants(sockets[i].events));
        if (f && (sockets[i].events & ~known))
            return status_from_wsa(WSAEINVAL);
        any = any || f;
    }
    return any ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
}

static void poll_write(WSAPOLLFD *sockets, const struct looking *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (l->items[i].file)
            sockets[i].revents = (SHORT)l->items[i].got;
        else
            sockets[i].revents = is_skipped(&sockets[i]) ? 0 : POLLNVAL;
    }
}

static uint32_t poll_sockets(WSAPOLLFD *sockets, ULONG count, uint64_t deadline, unsigned *ready)
{
    unsigned bad = 0;
    struct looking l;
    uint32_t status;

    if (count == 0)
        return status_from_wsa(WSAEINVAL);
    if (!sockets)
        return status_from_wsa(WSAEFAULT);
    status = looking_init(&l, count);
    if (status != STATUS_SUCCESS)
        return status;
    status = poll_read(sockets, count, &l, &bad);
    if (status == STATUS_SUCCESS)
        status = select_wait(l.items, l.count, bad ? 0 : deadline, ready);
    if (status == STATUS_SUCCESS) {
        poll_write(sockets, &l);
        *ready += bad;
    }
    looking_end(&l);
    return status;
}

int WSAAPI WSAPoll(LPWSAPOLLFD sockets, ULONG count, INT timeout)
{
    uint64_t deadline = deadline_from_ms(timeout < 0 ? INFINITE : (DWORD)timeout);
    unsigned ready = 0;
    uint32_t status = poll_sockets(sockets, count, deadline, &ready);

    return wsa_result(status) == 0 ? (int)ready : SOCKET_ERROR;
}
