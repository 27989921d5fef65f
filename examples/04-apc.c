/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous procedure calls: each operation brings its completion routine, so any number may be
 * under way. A routine runs only in the thread that started the operation, and only while that
 * thread is in an alertable wait. There is no routine for listen() and accept(); and no second
 * thread can help.
 */
#include "example.h"

#define READS 200 /* more than 64 */
#define PEERS 100

struct read {
    OVERLAPPED overlapped;
    DWORD number;
    unsigned char block[BLOCK_SIZE];
};

static DWORD issuer, finished, written;

/* hEvent is the program's own here: it may say whose completion this is. */
static VOID CALLBACK on_read(DWORD error, DWORD size, LPOVERLAPPED overlapped) {
    struct read *read = overlapped->hEvent;
    check(error == 0 && size == BLOCK_SIZE, "ReadFileEx");
    check(block_is(read->block, read->number), "comparing a block");
    check(GetCurrentThreadId() == issuer, "running in the issuing thread");
    finished++;
}

static VOID CALLBACK on_write(DWORD error, DWORD size, LPOVERLAPPED overlapped) {
    (void)overlapped;
    check(error == 0 && size == BLOCK_SIZE, "WriteFileEx");
    written++;
}

static void reads_on_a_file(void) {
    static struct read reads[READS];
    char path[64];
    HANDLE file = make_file(path, sizeof path, READS - 1, FILE_FLAG_OVERLAPPED);

    static unsigned char last[BLOCK_SIZE];
    OVERLAPPED writing;
    memset(&writing, 0, sizeof writing);
    set_block(&writing, READS - 1);
    fill_block(last, READS - 1);
    check(WriteFileEx(file, last, BLOCK_SIZE, &writing, on_write), "WriteFileEx");
    while (!written)
        check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");

    for (DWORD i = 0; i < READS; i++) {
        reads[i].number = i;
        reads[i].overlapped.hEvent = &reads[i];
        set_block(&reads[i].overlapped, i);
        check(ReadFileEx(file, reads[i].block, BLOCK_SIZE, &reads[i].overlapped, on_read),
              "ReadFileEx");
    }
    while (!HasOverlappedIoCompleted(&reads[READS - 1].overlapped))
        Sleep(1); /* not alertable: reads end meanwhile, but no routine runs */
    check(finished == 0, "running no routine outside an alertable wait");

    int wakes = 0;
    for (; finished < READS; wakes++)
        check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");
    CloseHandle(file);
    printf("file:    1 write and %d reads on one handle; the routines ran in %d alertable sleeps, "
           "never outside\n",
           READS, wakes);
}

struct peer {
    OVERLAPPED overlapped;
    SOCKET near_end, far_end;
    char buffer[16];
};

static DWORD heard;

static void CALLBACK on_receive(DWORD error, DWORD size, LPWSAOVERLAPPED overlapped, DWORD flags) {
    struct peer *peer = CONTAINING_RECORD(overlapped, struct peer, overlapped);
    (void)flags;
    check(error == 0 && size == 5, "WSARecv");
    heard++;
    send_text(peer->near_end, "heard");
}

static void receives_on_many_sockets(void) {
    static struct peer peers[PEERS];
    char answer[5];
    for (int i = 0; i < PEERS; i++) {
        WSABUF buffer = {sizeof peers[i].buffer, peers[i].buffer};
        DWORD flags = 0;
        connect_pair(&peers[i].near_end, &peers[i].far_end);
        check_started(WSARecv(peers[i].near_end, &buffer, 1, NULL, &flags, &peers[i].overlapped,
                              on_receive) == 0,
                      "WSARecv");
    }
    for (int i = PEERS - 1; i >= 0; i--)
        send_text(peers[i].far_end, "hello");
    while (heard < PEERS)
        check(SleepEx(INFINITE, TRUE) == WAIT_IO_COMPLETION, "SleepEx");
    for (int i = 0; i < PEERS; i++) {
        check(recv(peers[i].far_end, answer, 5, MSG_WAITALL) == 5 &&
                  memcmp(answer, "heard", 5) == 0,
              "recv");
        closesocket(peers[i].near_end);
        closesocket(peers[i].far_end);
    }
    printf(
        "sockets: %d receives, answered from their routines by the one thread that started them\n",
        PEERS);
}

int main(void) {
    issuer = GetCurrentThreadId();
    start_winsock();
    reads_on_a_file();
    receives_on_many_sockets();
    WSACleanup();
    return 0;
}
