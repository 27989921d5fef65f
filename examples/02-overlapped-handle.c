/* SPDX-License-Identifier: MIT */
/*
 * Overlapped I/O, waiting on the handle: the calls return at once and several operations are under
 * way on one handle. The handle becomes signalled when any of them ends, and that is all it says:
 * which one it was has to be found out by asking each OVERLAPPED.
 */
#include "example.h"

#define READS 8

static void several_reads_on_a_file(void) {
    static unsigned char blocks[READS][BLOCK_SIZE];
    OVERLAPPED overlapped[READS];
    char path[64];
    DWORD size;
    HANDLE file = make_file(path, sizeof path, READS, FILE_FLAG_OVERLAPPED);

    memset(overlapped, 0,
           sizeof overlapped); /* hEvent stays NULL: the handle itself will be signalled */
    for (DWORD i = 0; i < READS; i++) {
        set_block(&overlapped[i], READS - 1 - i);
        check_started(ReadFile(file, blocks[i], BLOCK_SIZE, NULL, &overlapped[i]), "ReadFile");
    }

    int wakes = 0, known = 0;
    BOOL taken[READS] = {FALSE};
    while (known < READS) {
        check(WaitForSingleObject(file, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
        wakes++;
        for (DWORD i = 0; i < READS; i++) { /* something has ended; what? ask them all */
            if (taken[i] || !HasOverlappedIoCompleted(&overlapped[i]))
                continue;
            check(GetOverlappedResult(file, &overlapped[i], &size, FALSE), "GetOverlappedResult");
            check(size == BLOCK_SIZE && block_is(blocks[i], READS - 1 - i), "comparing a block");
            taken[i] = TRUE;
            known++;
        }
    }
    CloseHandle(file);
    printf("file:    %d reads on one handle, %d wake-ups, none of which said which read it was\n",
           READS, wakes);
}

/* A receive that cannot end yet and a send that can, on one socket: the wake-up is for the send,
 * but nothing tells so. The handle then stays signalled, so waiting on it again is of no use for
 * the other. */
static void a_receive_and_a_send_on_a_socket(void) {
    SOCKET socket, peer;
    OVERLAPPED receiving, sending;
    char greeting[] = "hello", answer[16];
    WSABUF out = {sizeof greeting, greeting}, in = {sizeof answer, answer};
    DWORD flags = 0, size;

    connect_pair(&socket, &peer);
    memset(&receiving, 0, sizeof receiving);
    memset(&sending, 0, sizeof sending);
    check_started(WSARecv(socket, &in, 1, NULL, &flags, &receiving, NULL) == 0, "WSARecv");
    check_started(WSASend(socket, &out, 1, NULL, 0, &sending, NULL) == 0, "WSASend");

    check(WaitForSingleObject((HANDLE)socket, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
    check(!GetOverlappedResult((HANDLE)socket, &receiving, &size, FALSE) &&
              GetLastError() == ERROR_IO_INCOMPLETE,
          "finding the receive unfinished");
    check(GetOverlappedResult((HANDLE)socket, &sending, &size, FALSE) && size == sizeof greeting,
          "finding the send finished");
    check(WaitForSingleObject((HANDLE)socket, 0) == WAIT_OBJECT_0,
          "finding the handle still signalled");

    send_text(peer, "and good day");
    while (!HasOverlappedIoCompleted(&receiving))
        Sleep(1); /* nothing better is left: the handle is signalled anyway */
    check(GetOverlappedResult((HANDLE)socket, &receiving, &size, FALSE), "GetOverlappedResult");
    check(size == 12 && memcmp(answer, "and good day", 12) == 0, "comparing the answer");
    closesocket(socket);
    closesocket(peer);
    printf("sockets: the handle was signalled for the send while the receive was still pending\n");
}

int main(void) {
    start_winsock();
    several_reads_on_a_file();
    a_receive_and_a_send_on_a_socket();
    WSACleanup();
    return 0;
}
