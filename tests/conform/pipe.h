/* SPDX-License-Identifier: MIT */
/*
 * What the tests of pipes share: names that no other program uses, servers and clients, overlapped calls
 * with their answers. After conform.h and packet.h.
 */
#ifndef PIPE_H
#define PIPE_H

#define PIPE_SIZE 4096

/* `\\.\pipe\...`, of this process alone. */
static char pipe_name[80];

static __attribute__((constructor)) void make_pipe_name(void)
{
    snprintf(pipe_name, sizeof pipe_name, "\\\\.\\pipe\\iocp-test-%u", (unsigned)GetCurrentProcessId());
}

static inline HANDLE server_of(const char *name, DWORD open_mode, DWORD pipe_mode, DWORD instances)
{
    return CreateNamedPipeA(name, open_mode, pipe_mode, instances, PIPE_SIZE, PIPE_SIZE, 0, NULL);
}

static inline HANDLE new_server(DWORD open_mode, DWORD pipe_mode)
{
    HANDLE server = server_of(pipe_name, open_mode, pipe_mode, 4);
    if (server == INVALID_HANDLE_VALUE)
        FAIL("cannot make a pipe");
    return server;
}

static inline HANDLE client_of(const char *name, DWORD access, DWORD flags)
{
    return CreateFileA(name, access, 0, NULL, OPEN_EXISTING, flags, NULL);
}

#define READ_WRITE (GENERIC_READ | GENERIC_WRITE)
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)

static inline HANDLE new_client(DWORD flags)
{
    HANDLE client = client_of(pipe_name, READ_WRITE, flags);
    if (client == INVALID_HANDLE_VALUE)
        FAIL("cannot open a pipe");
    return client;
}

static inline int set_mode(HANDLE pipe, DWORD mode)
{
    return SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
}

/* Both ends of a new pipe: pair[0] serves. `overlapped`: FILE_FLAG_OVERLAPPED or 0, for both. A client of
 * messages reads messages. */
static inline int pipe_pair(HANDLE pair[2], DWORD overlapped, DWORD mode)
{
    pair[1] = INVALID_HANDLE_VALUE;
    pair[0] = new_server(PIPE_ACCESS_DUPLEX | overlapped, mode);
    if (pair[0] == INVALID_HANDLE_VALUE)
        return 0;
    pair[1] = new_client(overlapped);
    if (pair[1] == INVALID_HANDLE_VALUE) {
        CloseHandle(pair[0]);
        return 0;
    }
    return !(mode & PIPE_READMODE_MESSAGE) || CHECK(set_mode(pair[1], PIPE_READMODE_MESSAGE));
}

static inline void close_pipe(HANDLE pair[2])
{
    CloseHandle(pair[0]);
    CloseHandle(pair[1]);
}

/* 0, or the error. */
static inline DWORD read_now(HANDLE pipe, void *data, DWORD size, DWORD *bytes, OVERLAPPED *ov)
{
    return ReadFile(pipe, data, size, bytes, ov) ? 0 : GetLastError();
}

static inline DWORD write_now(HANDLE pipe, const void *data, DWORD size, DWORD *bytes, OVERLAPPED *ov)
{
    return WriteFile(pipe, data, size, bytes, ov) ? 0 : GetLastError();
}

/* A blocking write of all of it. */
static inline int put(HANDLE pipe, const void *data, DWORD size)
{
    DWORD bytes = 99;
    return WriteFile(pipe, data, size, &bytes, NULL) && bytes == size;
}

/* A read gives `error` (0: success) and exactly this text. */
static inline int check_get(const char *file, int line, HANDLE pipe, DWORD size, DWORD error,
                            const char *text)
{
    char data[4096];
    DWORD bytes = 99, got;
    SetLastError(0);
    got = read_now(pipe, data, size, &bytes, NULL);
    if (got == error && bytes == strlen(text) && memcmp(data, text, bytes) == 0)
        return 1;
    return conform_fail(file, line, "read gives error %u, %u bytes \"%.*s\"; expected error %u, \"%s\"",
                        (unsigned)got, (unsigned)bytes, bytes < 60 ? (int)bytes : 60, data, (unsigned)error,
                        text);
}
#define CHECK_GET(PIPE, SIZE, ERROR, TEXT)                                                           \
    conform_pass(check_get(__FILE__, __LINE__, (PIPE), (SIZE), (ERROR), (TEXT)))

/* The operation ends with this error (0: success) and so many bytes. */
static inline int check_answer(const char *file, int line, HANDLE pipe, OVERLAPPED *ov, DWORD error,
                               DWORD bytes)
{
    DWORD got = 99, result;
    SetLastError(0);
    result = GetOverlappedResult(pipe, ov, &got, TRUE) ? 0 : GetLastError();
    if (result == error && got == bytes)
        return 1;
    return conform_fail(file, line, "ended with error %u, %u bytes; expected error %u, %u bytes",
                        (unsigned)result, (unsigned)got, (unsigned)error, (unsigned)bytes);
}
#define CHECK_ANSWER(PIPE, OV, ERROR, BYTES)                                                         \
    conform_pass(check_answer(__FILE__, __LINE__, (PIPE), (OV), (ERROR), (BYTES)))

#endif
