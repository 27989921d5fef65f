/* SPDX-License-Identifier: MIT */
/*
 * ws2tcpip.h: GetAddrInfoEx and its kin. One that is overlapped is asked on a thread of the process's thread
 * pool, where the routine is called too. A query stands in a list until its answer is decided; whoever takes
 * it out, the thread that has asked, the one that cancels or the timer, gives the answer, so there is one. A
 * query that was given up is asked to its end all the same, and then forgotten. One that blocks, but not for
 * ever, is an overlapped one that is waited for.
 */
#include "api/socket.h"
#include "base/fork.h"
#include "base/list.h"
#include "base/text.h"
#include "io/resolve.h"
#include "object/handle.h"
#include "wait/dispatcher.h"
#include "wait/objects.h"

#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(ADDRINFOEXA) == sizeof(ADDRINFOEXW), "the two differ in the type of a pointer");

struct query {
    struct list link;   /* in `queries`, guarded by its lock; alone: the answer is decided */
    _Atomic int refs;   /* of the work that asks, and of the routine's */
    uintptr_t id;       /* what the program has as its handle */
    PTP_WORK ask, call; /* both made in advance: an answer cannot fail. `call` NULL: no routine */
    PTP_TIMER timer;    /* NULL: it may take as long as the resolver likes */
    int64_t limit;      /* of the timer: 100 ns, negative */
    OVERLAPPED *ov;     /* the user's until the answer, like all below */
    PADDRINFOEXW *result;
    struct object *event; /* counted; NULL with a routine */
    LPLOOKUPSERVICE_COMPLETION_ROUTINE routine;
    uint32_t code;
    struct resolve_hints hints;
    char *node, *service; /* owned; NULL */
};

static struct {
    struct lock lock;
    struct list all;
    uintptr_t last_id;
} queries = {.lock = LOCK_INIT(LOCK_LEAF), .all = LIST_INIT(queries.all)};

/* ---- lists ---- */

struct entry {
    union {
        ADDRINFOEXA narrow;
        ADDRINFOEXW wide;
    };
    _Alignas(8) unsigned char address[sizeof(struct sockaddr_storage)];
    _Alignas(2) char name[]; /* canonical */
};

static struct entry *entry_new(const struct resolved *r, bool wide)
{
    size_t length = r->canonical ? strlen(r->canonical) + 1 : 0;
    struct entry *e = calloc(1, sizeof *e + length * (wide ? sizeof(WCHAR) : 1));

    if (!e)
        return NULL;
    e->narrow.ai_flags = r->flags;
    e->narrow.ai_family = r->family;
    e->narrow.ai_socktype = r->type;
    e->narrow.ai_protocol = r->protocol;
    e->narrow.ai_addrlen = r->addr_len;
    e->narrow.ai_addr = (struct sockaddr *)(void *)e->address;
    memcpy(e->address, r->addr, r->addr_len);
    if (length == 0)
        return e;
    e->narrow.ai_canonname = e->name;
    if (wide)
        text_to_utf16(r->canonical, length, (WCHAR *)(void *)e->name, length, false);
    else
        memcpy(e->name, r->canonical, length);
    return e;
}

static void free_list(ADDRINFOEXA *list)
{
    while (list) {
        ADDRINFOEXA *next = list->ai_next;

        free(list);
        list = next;
    }
}

/* 0 or a WSA code; blocks. */
static uint32_t ask(const char *node, const char *service, const struct resolve_hints *hints, bool wide,
                    ADDRINFOEXA **out)
{
    ADDRINFOEXA **at = out;
    struct resolved *answers;
    uint32_t code = resolve_name(node, service, hints, &answers);

    *out = NULL;
    if (code)
        return code;
    for (const struct resolved *r = answers; r; r = r->next) {
        struct entry *e = entry_new(r, wide);

        if (!e) {
            free_list(*out);
            *out = NULL;
            code = WSA_NOT_ENOUGH_MEMORY;
            break;
        }
        *at = &e->narrow;
        at = &e->narrow.ai_next;
    }
    resolve_free(answers);
    return code;
}

/* ---- a query's life ---- */

static void query_put(struct query *q)
{
    if (atomic_fetch_sub(&q->refs, 1) != 1)
        return;
    if (q->ask)
        CloseThreadpoolWork(q->ask);
    if (q->call)
        CloseThreadpoolWork(q->call);
    if (q->timer)
        CloseThreadpoolTimer(q->timer); /* its context is a number, so it may come too late */
    if (q->event)
        object_put(q->event);
    free(q->node);
    free(q->service);
    free(q);
}

/* Is the answer the caller's to give? Of all that ask for one query, one is told so. */
static bool take(struct query *q)
{
    bool mine;

    lock_acquire(&queries.lock);
    mine = !list_empty(&q->link);
    list_remove(&q->link);
    list_init(&q->link);
    lock_release(&queries.lock);
    return mine;
}

/* After take. From here on the program may reuse what it lent. */
static void publish(struct query *q)
{
    OVERLAPPED *ov = q->ov;

    ov->InternalHigh = 0;
    __atomic_store_n(&ov->Internal, q->code, __ATOMIC_RELEASE);
    if (q->event)
        dispatcher_set(event_dispatcher(q->event), 1);
}

static void call_routine(struct query *q)
{
    publish(q);
    q->routine(q->code, 0, q->ov);
}

static VOID CALLBACK run_call(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct query *q = context;

    (void)instance;
    (void)work;
    call_routine(q);
    query_put(q);
}

static VOID CALLBACK run_ask(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    struct query *q = context;
    ADDRINFOEXA *list;
    uint32_t code;

    (void)work;
    CallbackMayRunLong(instance);
    code = ask(q->node, q->service, &q->hints, true, &list);
    if (take(q)) {
        q->code = code;
        *q->result = (PADDRINFOEXW)(void *)list;
        if (q->routine)
            call_routine(q);
        else
            publish(q);
    } else {
        free_list(list);
    }
    query_put(q);
}

/* Found, it is taken out, and the caller gives the answer; with a reference. NULL: none such. */
static struct query *take_by_id(uintptr_t id)
{
    struct query *found = NULL;

    lock_acquire(&queries.lock);
    for (struct list *n = queries.all.next; n != &queries.all && !found; n = n->next) {
        struct query *q = container_of(n, struct query, link);

        if (q->id == id)
            found = q;
    }
    if (found) {
        list_remove(&found->link);
        list_init(&found->link);
        atomic_fetch_add(&found->refs, 1);
    }
    lock_release(&queries.lock);
    return found;
}

/* false: it is answered already. */
static bool give_up(uintptr_t id, uint32_t code)
{
    struct query *q = take_by_id(id);

    if (!q)
        return false;
    q->code = code;
    if (q->routine) {
        SubmitThreadpoolWork(q->call); /* the reference goes along */
    } else {
        publish(q);
        query_put(q);
    }
    return true;
}

static VOID CALLBACK run_out(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)timer;
    give_up((uintptr_t)context, WSAETIMEDOUT);
}

/* NULL: no memory. The names are used up. limit: NULL, or how long it may take. */
static struct query *query_new(char *node, char *service, const struct resolve_hints *hints, OVERLAPPED *ov,
                               LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, const struct iocp_timeval *limit)
{
    struct query *q = calloc(1, sizeof *q);

    if (!q) {
        free(node);
        free(service);
        return NULL;
    }
    list_init(&q->link);
    atomic_init(&q->refs, 1);
    q->node = node;
    q->service = service;
    q->hints = *hints;
    q->ov = ov;
    q->routine = routine;
    lock_acquire(&queries.lock);
    q->id = ++queries.last_id;
    lock_release(&queries.lock);
    q->ask = CreateThreadpoolWork(run_ask, q, NULL);
    q->call = routine ? CreateThreadpoolWork(run_call, q, NULL) : NULL;
    q->timer = limit ? CreateThreadpoolTimer(run_out, (PVOID)q->id, NULL) : NULL;
    q->limit = limit ? -((int64_t)limit->tv_sec * 10000000 + (int64_t)limit->tv_usec * 10) : 0;
    if (q->ask && (q->call || !routine) && (q->timer || !limit))
        return q;
    query_put(q);
    return NULL;
}

/* WSA_IO_PENDING, or refused. */
static uint32_t query_start(struct query *q, PADDRINFOEXW *result, HANDLE *handle)
{
    if (!q->routine) {
        if (handle_get((uintptr_t)q->ov->hEvent, OBJECT_EVENT, &q->event, NULL) != STATUS_SUCCESS) {
            q->event = NULL;
            query_put(q);
            return WSA_INVALID_HANDLE;
        }
        dispatcher_set(event_dispatcher(q->event), 0);
    }
    q->result = result;
    q->ov->Internal = (ULONG_PTR)STATUS_PENDING;
    q->ov->Pointer = result;
    if (handle)
        *handle = (HANDLE)q->id;
    lock_acquire(&queries.lock);
    list_push_back(&queries.all, &q->link);
    lock_release(&queries.lock);
    if (q->timer) {
        FILETIME due = {(DWORD)(uint64_t)q->limit, (DWORD)((uint64_t)q->limit >> 32)};

        SetThreadpoolTimer(q->timer, &due, 0, 0); /* q is there until it has been asked */
    }
    SubmitThreadpoolWork(q->ask);
    return WSA_IO_PENDING;
}

static void forget_all(void)
{
    list_init(&queries.all); /* they are the parent's */
}

FORK_HOOK(&queries.lock, LOCK_LEAF, forget_all);

/* ---- the calls ---- */

static INT answer(uint32_t code)
{
    if (code)
        last_error_set(code);
    return (INT)code;
}

static uint32_t check(DWORD space, const GUID *provider, const ADDRINFOEXA *hints, const void *result,
                      struct resolve_hints *asked)
{
    *asked = (struct resolve_hints){0};
    if (!winsock_started())
        return WSANOTINITIALISED;
    if (!result)
        return WSAEFAULT;
    if ((space != NS_ALL && space != NS_DNS) || provider)
        return WSASERVICE_NOT_FOUND;
    if (!hints)
        return 0;
    if (hints->ai_addrlen || hints->ai_canonname || hints->ai_addr || hints->ai_next)
        return WSANO_RECOVERY;
    asked->flags = hints->ai_flags;
    asked->family = hints->ai_family;
    asked->type = hints->ai_socktype;
    asked->protocol = hints->ai_protocol;
    return 0;
}

INT WSAAPI GetAddrInfoExA(PCSTR node, PCSTR service, DWORD space, LPGUID provider, const ADDRINFOEXA *hints,
                          PADDRINFOEXA *result, struct iocp_timeval *timeout, LPOVERLAPPED overlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
{
    struct resolve_hints asked;
    uint32_t code = check(space, provider, hints, result, &asked);

    if (code)
        return answer(code);
    *result = NULL;
    if (timeout || overlapped || routine || handle)
        return answer(WSAEINVAL);
    return answer(ask(node, service, &asked, false, result));
}

/* Both names are used up. */
static uint32_t look_up_now(char *node, char *service, const struct resolve_hints *asked, bool wide,
                            ADDRINFOEXA **result)
{
    uint32_t code = ask(node, service, asked, wide, result);

    free(node);
    free(service);
    return code;
}

static uint32_t look_up_in_time(char *node, char *service, const struct resolve_hints *asked,
                                const struct iocp_timeval *limit, ADDRINFOEXA **result)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct query *q = query_new(node, service, asked, &ov, NULL, limit);
    uint32_t code = WSA_NOT_ENOUGH_MEMORY;

    if (q && ov.hEvent)
        code = query_start(q, (PADDRINFOEXW *)(void *)result, NULL);
    else if (q)
        query_put(q);
    if (code == WSA_IO_PENDING) {
        WaitForSingleObject(ov.hEvent, INFINITE); /* the timer answers, if nobody else */
        code = (uint32_t)ov.Internal;
    }
    if (ov.hEvent)
        CloseHandle(ov.hEvent);
    return code;
}

uint32_t socket_look_up(const char *node, const char *service, const struct resolve_hints *asked,
                        const struct iocp_timeval *limit, ADDRINFOEXW **result)
{
    ADDRINFOEXA **list = (ADDRINFOEXA **)(void *)result;
    char *own_node = strdup(node), *own_service = strdup(service);

    *result = NULL;
    if (!own_node || !own_service) {
        free(own_node);
        free(own_service);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    return limit ? look_up_in_time(own_node, own_service, asked, limit, list)
                 : look_up_now(own_node, own_service, asked, true, list);
}

INT WSAAPI GetAddrInfoExW(PCWSTR node, PCWSTR service, DWORD space, LPGUID provider, const ADDRINFOEXW *hints,
                          PADDRINFOEXW *result, struct iocp_timeval *timeout, LPOVERLAPPED overlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
{
    struct resolve_hints asked;
    uint32_t code = check(space, provider, (const ADDRINFOEXA *)(const void *)hints, result, &asked);
    char *narrow_node, *narrow_service;
    struct query *q;

    if (code)
        return answer(code);
    *result = NULL;
    if (overlapped ? !routine == !overlapped->hEvent : routine || handle)
        return answer(WSAEINVAL);
    if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0))
        return answer(WSAEINVAL);
    narrow_node = text_utf8_new(node);
    narrow_service = text_utf8_new(service);
    if ((node && !narrow_node) || (service && !narrow_service)) {
        free(narrow_node);
        free(narrow_service);
        return answer(WSA_NOT_ENOUGH_MEMORY);
    }
    if (!overlapped && timeout)
        return answer(look_up_in_time(narrow_node, narrow_service, &asked, timeout,
                                      (ADDRINFOEXA **)(void *)result));
    if (!overlapped)
        return answer(look_up_now(narrow_node, narrow_service, &asked, true, (ADDRINFOEXA **)(void *)result));
    q = query_new(narrow_node, narrow_service, &asked, overlapped, routine, timeout);
    return answer(q ? query_start(q, result, handle) : WSA_NOT_ENOUGH_MEMORY);
}

INT WSAAPI GetAddrInfoExCancel(LPHANDLE handle)
{
    return answer(handle && give_up((uintptr_t)*handle, WSA_E_CANCELLED) ? 0 : WSA_INVALID_HANDLE);
}

INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED overlapped)
{
    ULONG_PTR code;

    if (!overlapped)
        return answer(WSAEINVAL);
    code = __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE);
    return answer(code == (ULONG_PTR)STATUS_PENDING ? WSAEINPROGRESS : (uint32_t)code);
}

VOID WSAAPI FreeAddrInfoEx(PADDRINFOEXA list)
{
    free_list(list);
}

VOID WSAAPI FreeAddrInfoExW(PADDRINFOEXW list)
{
    free_list((PADDRINFOEXA)(void *)list);
}
