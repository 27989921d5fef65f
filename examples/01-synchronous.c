/* SPDX-License-Identifier: MIT */
/*
 * Synchronous I/O: a call comes back when its data is there, and a handle does one operation at a
 * time. Two threads may share the handle, but they take turns; and a thread that waits for one peer
 * can do nothing for any other, so every peer costs a thread.
 */
#include "example.h"

#define BLOCKS 64
#define PEERS  8

struct reader {
    HANDLE file;
    LONG *seen; /* how often each block came, BLOCKS of them */
    DWORD count;
};

/* The file position belongs to the handle. Because operations on it take turns, no block is read
 * twice and none is left out, however the threads interleave. */
static DWORD WINAPI read_blocks(LPVOID argument) {
    struct reader *self = argument;
    unsigned char block[BLOCK_SIZE];
    DWORD size;
    for (;;) {
        check(ReadFile(self->file, block, sizeof block, &size, NULL), "ReadFile");
        if (size == 0)
            return 0; /* the end of the file: success, and no bytes */
        for (DWORD i = 0; i < BLOCKS; i++)
            if (block_is(block, i))
                InterlockedIncrement(&self->seen[i]);
        self->count++;
    }
}

static void share_a_handle(void) {
    char path[64];
    LONG seen[BLOCKS] = {0};
    struct reader readers[2];
    HANDLE threads[2], file = make_file(path, sizeof path, BLOCKS, 0);
    for (int i = 0; i < 2; i++) {
        readers[i].file = file;
        readers[i].seen = seen;
        readers[i].count = 0;
        threads[i] = CreateThread(NULL, 0, read_blocks, &readers[i], 0, NULL);
        check(threads[i] != NULL, "CreateThread");
    }
    WaitForMultipleObjects(2, threads, TRUE, INFINITE);
    for (int i = 0; i < 2; i++)
        CloseHandle(threads[i]);
    CloseHandle(file);
    for (int i = 0; i < BLOCKS; i++)
        if (seen[i] != 1) {
            fprintf(stderr, "block %d came %ld times\n", i, (long)seen[i]);
            exit(1);
        }
    printf("file:    two threads on one handle read %lu + %lu = %d blocks, each exactly once\n",
           (unsigned long)readers[0].count, (unsigned long)readers[1].count, BLOCKS);
}

/* One thread for each peer: recv() holds it until this very peer says something. */
static DWORD WINAPI echo(LPVOID argument) {
    SOCKET peer = (SOCKET)(ULONG_PTR)argument;
    char buffer[256];
    int size;
    while ((size = recv(peer, buffer, sizeof buffer, 0)) > 0)
        check(send(peer, buffer, size, 0) == size, "send");
    check(size == 0, "recv");
    closesocket(peer);
    return 0;
}

static void a_thread_for_each_peer(void) {
    SOCKET near_end, far_end[PEERS];
    HANDLE threads[PEERS];
    char text[32], answer[32];
    for (int i = 0; i < PEERS; i++) {
        connect_pair(&near_end, &far_end[i]);
        threads[i] = CreateThread(NULL, 0, echo, (LPVOID)(ULONG_PTR)near_end, 0, NULL);
        check(threads[i] != NULL, "CreateThread");
    }
    for (int i = PEERS - 1; i >= 0; i--) {
        int size = snprintf(text, sizeof text, "this is peer %d", i);
        send_text(far_end[i], text);
        check(recv(far_end[i], answer, size, MSG_WAITALL) == size &&
                  memcmp(text, answer, size) == 0,
              "echo");
        check(shutdown(far_end[i], SD_SEND) == 0, "shutdown");
    }
    check(WaitForMultipleObjects(PEERS, threads, TRUE, INFINITE) == WAIT_OBJECT_0,
          "WaitForMultipleObjects");
    for (int i = 0; i < PEERS; i++) {
        CloseHandle(threads[i]);
        closesocket(far_end[i]);
    }
    printf("sockets: %d peers were served by %d threads, which mostly waited\n", PEERS, PEERS);
}

int main(void) {
    start_winsock();
    share_a_handle();
    a_thread_for_each_peer();
    WSACleanup();
    return 0;
}
