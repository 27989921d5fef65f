/* SPDX-License-Identifier: MIT */
/*
 * The thread pool: no port, no loop and no threads of one's own. What happens - an operation ends, a
 * time has come, an object is signalled, work is submitted - calls a function on a thread of the
 * pool. A cleanup group ends all of it at once: it waits until no callback runs any more.
 */
#include "example.h"

#define BLOCKS 200
#define PEERS  100
#define WAITS  500 /* more than WaitForMultipleObjects could take */
#define ITEMS  1000

struct operation {
    OVERLAPPED overlapped;
    DWORD number;
    unsigned char buffer[BLOCK_SIZE];
};

struct peer {
    SOCKET near_end, far_end;
    PTP_IO io;
    struct operation receive;
};

static TP_CALLBACK_ENVIRON environment;
static volatile LONG blocks, messages, aborted, signals, ticks, items;

static void CALLBACK block_read(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped,
                                ULONG error, ULONG_PTR size, PTP_IO io) {
    struct operation *read = CONTAINING_RECORD(overlapped, struct operation, overlapped);
    (void)instance, (void)context, (void)io;
    check(error == 0 && size == BLOCK_SIZE && block_is(read->buffer, read->number), "a block");
    InterlockedIncrement(&blocks);
}

/* Announce, start; and take it back if no callback will come. */
static void read_file(HANDLE file, PTP_IO io) {
    static struct operation reads[BLOCKS];
    for (DWORD i = 0; i < BLOCKS; i++) {
        reads[i].number = i;
        set_block(&reads[i].overlapped, i);
        StartThreadpoolIo(io);
        if (!ReadFile(file, reads[i].buffer, BLOCK_SIZE, NULL, &reads[i].overlapped) &&
            GetLastError() != ERROR_IO_PENDING) {
            CancelThreadpoolIo(io);
            die("ReadFile");
        }
    }
    WaitForThreadpoolIoCallbacks(io, FALSE);
}

static void start_receive(struct peer *peer) {
    WSABUF buffer = {sizeof peer->receive.buffer, (char *)peer->receive.buffer};
    DWORD flags = 0;
    memset(&peer->receive.overlapped, 0, sizeof peer->receive.overlapped);
    StartThreadpoolIo(peer->io);
    if (WSARecv(peer->near_end, &buffer, 1, NULL, &flags, &peer->receive.overlapped, NULL) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        CancelThreadpoolIo(peer->io);
        die("WSARecv");
    }
}

/* Answers, and receives again; until the socket is closed. */
static void CALLBACK received(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped,
                              ULONG error, ULONG_PTR size, PTP_IO io) {
    struct peer *peer = context;
    (void)instance, (void)overlapped, (void)io;
    if (error != 0) {
        InterlockedIncrement(&aborted);
        return;
    }
    check(size == 5 && memcmp(peer->receive.buffer, "hello", 5) == 0, "a message");
    InterlockedIncrement(&messages);
    start_receive(peer);
    send_text(peer->near_end, "heard");
}

static void CALLBACK signalled(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait,
                               TP_WAIT_RESULT result) {
    (void)instance, (void)context, (void)wait;
    check(result == WAIT_OBJECT_0, "a wait");
    InterlockedIncrement(&signals);
}

static void CALLBACK tick(PTP_CALLBACK_INSTANCE instance, PVOID enough, PTP_TIMER timer) {
    (void)timer;
    if (InterlockedIncrement(&ticks) == 5)
        SetEventWhenCallbackReturns(instance, enough);
}

static void CALLBACK work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK object) {
    (void)instance, (void)context, (void)object;
    InterlockedIncrement(&items);
}

int main(void) {
    static struct peer peers[PEERS];
    static HANDLE events[WAITS];
    HANDLE enough = CreateEventA(NULL, FALSE, FALSE, NULL);
    char path[64], answer[5];
    FILETIME now = {0, 0};

    start_winsock();
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    check(enough != NULL && group != NULL, "creating event and group");
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);

    HANDLE file = make_file(path, sizeof path, BLOCKS, FILE_FLAG_OVERLAPPED);
    PTP_IO file_io = CreateThreadpoolIo(file, block_read, NULL, &environment);
    PTP_WORK object = CreateThreadpoolWork(work, NULL, &environment);
    PTP_TIMER timer = CreateThreadpoolTimer(tick, enough, &environment);
    check(file_io != NULL && object != NULL && timer != NULL, "creating objects of the pool");
    SetThreadpoolTimer(timer, &now, 10, 0); /* now, and then every 10 ms */
    for (int i = 0; i < WAITS; i++) {
        PTP_WAIT wait = CreateThreadpoolWait(signalled, NULL, &environment);
        events[i] = CreateEventA(NULL, FALSE, FALSE, NULL);
        check(events[i] != NULL && wait != NULL, "creating event and wait");
        SetThreadpoolWait(wait, events[i], NULL);
    }
    for (int i = 0; i < PEERS; i++) {
        connect_pair(&peers[i].near_end, &peers[i].far_end);
        peers[i].io =
            CreateThreadpoolIo((HANDLE)peers[i].near_end, received, &peers[i], &environment);
        check(peers[i].io != NULL, "CreateThreadpoolIo");
        start_receive(&peers[i]);
    }

    read_file(file, file_io);
    for (int i = 0; i < ITEMS; i++)
        SubmitThreadpoolWork(object);
    for (int i = 0; i < WAITS; i++)
        check(SetEvent(events[i]), "SetEvent");
    for (int i = 0; i < PEERS; i++)
        send_text(peers[i].far_end, "hello");
    for (int i = 0; i < PEERS; i++)
        check(recv(peers[i].far_end, answer, 5, MSG_WAITALL) == 5, "recv");
    check(WaitForSingleObject(enough, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");

    /* The end: what pends is aborted by closing, and the group waits for the last callback. */
    for (int i = 0; i < PEERS; i++)
        closesocket(peers[i].near_end);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    CloseThreadpoolCleanupGroup(group);
    DestroyThreadpoolEnvironment(&environment);
    CloseHandle(file);
    printf("pool:    %ld blocks, %ld messages, %ld of %d waits, %ld items of work, %s\n", (long)blocks,
           (long)messages, (long)signals, WAITS, (long)items, ticks >= 5 ? "a timer" : "no timer");
    printf("ledger:  %d receives started = %ld answered + %ld aborted\n", 2 * PEERS, (long)messages,
           (long)aborted);
    BOOL good = blocks == BLOCKS && messages == PEERS && aborted == PEERS && signals == WAITS;
    return good && items == ITEMS ? 0 : 1;
}
