/* SPDX-License-Identifier: MIT */
/*
 * Overlapped I/O with one event for each operation: the return value of WaitForMultipleObjects says
 * which operation ended. It waits for at most 64 objects, and there this model stops.
 */
#include "example.h"

struct read {
    OVERLAPPED overlapped;
    unsigned char block[BLOCK_SIZE];
};

/* As many reads on one file handle as can be waited for, taken in the order in which they end. */
static void reads_on_a_file(void) {
    static struct read reads[MAXIMUM_WAIT_OBJECTS];
    HANDLE events[MAXIMUM_WAIT_OBJECTS];
    char path[64];
    DWORD size;
    HANDLE file = make_file(path, sizeof path, MAXIMUM_WAIT_OBJECTS, FILE_FLAG_OVERLAPPED);

    for (DWORD i = 0; i < MAXIMUM_WAIT_OBJECTS; i++) {
        events[i] = reads[i].overlapped.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL);
        check(events[i] != NULL, "CreateEvent");
        set_block(&reads[i].overlapped, i);
        check_started(ReadFile(file, reads[i].block, BLOCK_SIZE, NULL, &reads[i].overlapped),
                      "ReadFile");
    }
    for (DWORD taken = 0; taken < MAXIMUM_WAIT_OBJECTS; taken++) {
        DWORD which = WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, events, FALSE, INFINITE) -
                      WAIT_OBJECT_0;
        check(which < MAXIMUM_WAIT_OBJECTS, "WaitForMultipleObjects");
        check(GetOverlappedResult(file, &reads[which].overlapped, &size, FALSE),
              "GetOverlappedResult");
        check(size == BLOCK_SIZE && block_is(reads[which].block, which), "comparing a block");
    }
    for (DWORD i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
        CloseHandle(events[i]);
    CloseHandle(file);
    printf("file:    %d reads on one handle, each known by its event\n", MAXIMUM_WAIT_OBJECTS);
}

struct peer {
    SOCKET near_end, far_end;
    OVERLAPPED overlapped;
    char buffer[16];
};

static void receives_on_many_sockets(void) {
    static struct peer peers[MAXIMUM_WAIT_OBJECTS];
    HANDLE events[MAXIMUM_WAIT_OBJECTS];
    DWORD flags, size;
    for (int i = 0; i < MAXIMUM_WAIT_OBJECTS; i++) {
        WSABUF buffer = {sizeof peers[i].buffer, peers[i].buffer};
        connect_pair(&peers[i].near_end, &peers[i].far_end);
        events[i] = peers[i].overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        check(events[i] != NULL, "CreateEvent");
        flags = 0;
        check_started(
            WSARecv(peers[i].near_end, &buffer, 1, NULL, &flags, &peers[i].overlapped, NULL) == 0,
            "WSARecv");
    }
    for (int i = 0; i < MAXIMUM_WAIT_OBJECTS;
         i++) { /* let them speak in some order: 37 and 64 have no common factor */
        DWORD speaker = (DWORD)i * 37 % MAXIMUM_WAIT_OBJECTS;
        send_text(peers[speaker].far_end, "it is me");
        DWORD which = WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, events, FALSE, INFINITE) -
                      WAIT_OBJECT_0;
        check(which == speaker, "knowing who spoke");
        check(GetOverlappedResult((HANDLE)peers[which].near_end, &peers[which].overlapped, &size,
                                  FALSE) &&
                  size == 8,
              "GetOverlappedResult");
        ResetEvent(events[which]);
    }

    /* The 65th. */
    HANDLE more[MAXIMUM_WAIT_OBJECTS + 1];
    memcpy(more, events, sizeof events);
    more[MAXIMUM_WAIT_OBJECTS] = events[0];
    check(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS + 1, more, FALSE, 0) == WAIT_FAILED,
          "being refused");
    DWORD error = GetLastError();
    check(error == ERROR_INVALID_PARAMETER, "being refused");

    for (int i = 0; i < MAXIMUM_WAIT_OBJECTS; i++) {
        closesocket(peers[i].near_end);
        closesocket(peers[i].far_end);
        CloseHandle(events[i]);
    }
    printf("sockets: %d receives, the wait said each time whose; waiting for %d fails with error "
           "%lu\n",
           MAXIMUM_WAIT_OBJECTS, MAXIMUM_WAIT_OBJECTS + 1, (unsigned long)error);
}

int main(void) {
    start_winsock();
    reads_on_a_file();
    receives_on_many_sockets();
    WSACleanup();
    return 0;
}
