/* SPDX-License-Identifier: MIT */
/*
 * What the small examples share: a file whose every block says which block it is, a connected pair
 * of TCP sockets, and the habit of checking each call. Plain Windows, as the examples are.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4096

static inline void die(const char *what) {
    fprintf(stderr, "%s failed: error %lu\n", what, (unsigned long)GetLastError());
    exit(1);
}

static inline void check(BOOL ok, const char *what) {
    if (!ok)
        die(what);
}

/* An operation was accepted if it succeeded or promised to end later. */
static inline void check_started(BOOL ok, const char *what) {
    if (!ok && GetLastError() != ERROR_IO_PENDING) /* WSA_IO_PENDING is the same number */
        die(what);
}

static inline void fill_block(unsigned char *block, DWORD number) {
    for (DWORD i = 0; i < BLOCK_SIZE; i++)
        block[i] = (unsigned char)(number * 131 + i * 7 + (i >> 8));
}

static inline BOOL block_is(const unsigned char *block, DWORD number) {
    unsigned char expected[BLOCK_SIZE];
    fill_block(expected, number);
    return memcmp(block, expected, BLOCK_SIZE) == 0;
}

static inline void set_block(OVERLAPPED *overlapped, DWORD number) {
    ULONGLONG offset = (ULONGLONG)number * BLOCK_SIZE;
    overlapped->Offset = (DWORD)offset;
    overlapped->OffsetHigh = (DWORD)(offset >> 32);
}

/* Makes a file of so many blocks and opens it again for reading and writing. It goes with its
 * handle. */
static inline HANDLE make_file(char *path, size_t size, DWORD blocks, DWORD flags) {
    unsigned char block[BLOCK_SIZE];
    DWORD written;
    snprintf(path, size, "iocp-example-%lu.tmp", (unsigned long)GetCurrentProcessId());
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL,
                              NULL);
    check(file != INVALID_HANDLE_VALUE, "CreateFile");
    for (DWORD i = 0; i < blocks; i++) {
        fill_block(block, i);
        check(WriteFile(file, block, BLOCK_SIZE, &written, NULL) && written == BLOCK_SIZE,
              "WriteFile");
    }
    check(CloseHandle(file), "CloseHandle");
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       flags | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    check(file != INVALID_HANDLE_VALUE, "CreateFile");
    return file;
}

static inline void start_winsock(void) {
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    SetLastError((DWORD)error);
    check(error == 0, "WSAStartup");
}

/* Two ends of one TCP connection over the loopback. socket() makes overlapped sockets. */
static inline void connect_pair(SOCKET *near_end, SOCKET *far_end) {
    struct sockaddr_in address;
    int size = sizeof address, on = 1;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(listener != INVALID_SOCKET, "socket");
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    check(listen(listener, 1) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *far_end = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(*far_end != INVALID_SOCKET, "socket");
    check(connect(*far_end, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    *near_end = accept(listener, NULL, NULL);
    check(*near_end != INVALID_SOCKET, "accept");
    closesocket(listener);
    setsockopt(*near_end, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    setsockopt(*far_end, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
}

static inline void send_text(SOCKET socket, const char *text) {
    int size = (int)strlen(text);
    check(send(socket, text, size, 0) == size, "send");
}

#endif
