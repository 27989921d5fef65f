/* SPDX-License-Identifier: MIT */
/*
 * Pipes: making, connecting, and asking. Reading and writing is fileapi.c's, and so is opening.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "api/overlapped.h"
#include "base/text.h"
#include "io/disk.h"
#include "io/pipe.h"
#include "io/stream.h"
#include "object/handle.h"

#include <fcntl.h>
#include <ntstatus.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { USER_SIZE = 257 }; /* UNLEN and the terminator */

_Static_assert((int)PIPE_MODE_NOWAIT == PIPE_NOWAIT &&
                   (int)PIPE_MODE_READ_MESSAGES == PIPE_READMODE_MESSAGE &&
                   (int)PIPE_MODE_MESSAGES == PIPE_TYPE_MESSAGE &&
                   (int)PIPE_MODE_LOCAL == PIPE_REJECT_REMOTE_CLIENTS &&
                   (int)PIPE_INWARD == PIPE_ACCESS_INBOUND && (int)PIPE_OUTWARD == PIPE_ACCESS_OUTBOUND &&
                   (int)PIPE_UNLIMITED == PIPE_UNLIMITED_INSTANCES,
               "the modes are Windows' own");

static uint32_t publish(struct file *f, const SECURITY_ATTRIBUTES *security, HANDLE *out)
{
    uint32_t flags = security && security->bInheritHandle ? HANDLE_INHERIT : 0;
    uintptr_t h;
    uint32_t status;

    if (flags)
        fcntl(f->fd, F_SETFD, 0);
    status = file_publish(f, flags, &h);
    if (status == STATUS_SUCCESS)
        *out = (HANDLE)h;
    return status;
}

/* ---- anonymous pipes ---- */

BOOL WINAPI CreatePipe(PHANDLE hReadPipe, PHANDLE hWritePipe, LPSECURITY_ATTRIBUTES lpPipeAttributes,
                       DWORD nSize)
{
    struct file *ends[2];
    HANDLE handles[2];
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (hReadPipe && hWritePipe)
        status = stream_pipe(nSize, &ends[0], &ends[1]);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = publish(ends[0], lpPipeAttributes, &handles[0]);
    if (status != STATUS_SUCCESS) {
        file_put(ends[1]);
        return win32_result(status);
    }
    status = publish(ends[1], lpPipeAttributes, &handles[1]);
    if (status != STATUS_SUCCESS) {
        handle_close((uintptr_t)handles[0]);
        return win32_result(status);
    }
    *hReadPipe = handles[0];
    *hWritePipe = handles[1];
    return TRUE;
}

/* ---- names ---- */

static uint32_t check_name(uint32_t status, const struct path *path)
{
    if (status == STATUS_OBJECT_PATH_NOT_FOUND || status == STATUS_NO_MEMORY)
        return status;
    if (status != STATUS_SUCCESS || path->kind != PATH_PIPE)
        return STATUS_OBJECT_NAME_INVALID;
    return STATUS_SUCCESS;
}

static uint32_t name_a(struct path *path, const char *name)
{
    return name ? check_name(path_parse(path, name), path) : (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND;
}

static uint32_t name_w(struct path *path, const WCHAR *name)
{
    return name ? check_name(path_parse16(path, (const uint16_t *)name), path)
                : (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND;
}

/* ---- making ---- */

#define OPEN_MODES                                                                                   \
    ((DWORD)(PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_WRITE_THROUGH |          \
             FILE_FLAG_OVERLAPPED | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY))
#define PIPE_MODES                                                                                   \
    ((DWORD)(PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_NOWAIT | PIPE_REJECT_REMOTE_CLIENTS))

static uint32_t check_modes(DWORD open_mode, DWORD pipe_mode, DWORD instances)
{
    if (!(open_mode & PIPE_ACCESS_DUPLEX) || (open_mode & ~OPEN_MODES) || (pipe_mode & ~PIPE_MODES) ||
        instances == 0 || instances > PIPE_UNLIMITED_INSTANCES)
        return STATUS_INVALID_PARAMETER;
    if ((pipe_mode & PIPE_READMODE_MESSAGE) && !(pipe_mode & PIPE_TYPE_MESSAGE))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static HANDLE create(uint32_t status, const struct path *path, const struct pipe_how *how,
                     const SECURITY_ATTRIBUTES *security)
{
    HANDLE h = INVALID_HANDLE_VALUE;
    struct file *f;

    if (status == STATUS_SUCCESS)
        status = pipe_create(path->text, how, &f);
    if (status == STATUS_SUCCESS)
        status = publish(f, security, &h);
    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return h;
}

static struct pipe_how how_of(DWORD open_mode, DWORD pipe_mode, DWORD instances, DWORD out_size,
                              DWORD in_size, DWORD default_ms)
{
    struct pipe_how how = {
        .shape = {.messages = pipe_mode & PIPE_TYPE_MESSAGE,
                  .directions = open_mode & PIPE_ACCESS_DUPLEX,
                  .max = instances,
                  .default_ms = default_ms ? default_ms : PIPE_DEFAULT_MS,
                  .in_size = in_size,
                  .out_size = out_size},
        .mode = pipe_mode,
        .access = SYNCHRONIZE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES,
        .first = (open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE) != 0,
    };

    if (open_mode & FILE_FLAG_OVERLAPPED)
        how.flags |= FILE_OVERLAPPED;
    if (open_mode & PIPE_ACCESS_INBOUND)
        how.access |= FILE_GENERIC_READ;
    if (open_mode & PIPE_ACCESS_OUTBOUND)
        how.access |= FILE_GENERIC_WRITE;
    return how;
}

HANDLE WINAPI CreateNamedPipeA(LPCSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
                               DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
                               LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    struct pipe_how how = how_of(dwOpenMode, dwPipeMode, nMaxInstances, nOutBufferSize, nInBufferSize,
                                 nDefaultTimeOut);
    struct path path;
    uint32_t status = name_a(&path, lpName);

    if (status == STATUS_SUCCESS)
        status = check_modes(dwOpenMode, dwPipeMode, nMaxInstances);
    return create(status, &path, &how, lpSecurityAttributes);
}

HANDLE WINAPI CreateNamedPipeW(LPCWSTR lpName, DWORD dwOpenMode, DWORD dwPipeMode, DWORD nMaxInstances,
                               DWORD nOutBufferSize, DWORD nInBufferSize, DWORD nDefaultTimeOut,
                               LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    struct pipe_how how = how_of(dwOpenMode, dwPipeMode, nMaxInstances, nOutBufferSize, nInBufferSize,
                                 nDefaultTimeOut);
    struct path path;
    uint32_t status = name_w(&path, lpName);

    if (status == STATUS_SUCCESS)
        status = check_modes(dwOpenMode, dwPipeMode, nMaxInstances);
    return create(status, &path, &how, lpSecurityAttributes);
}

static BOOL wait_pipe(uint32_t status, const struct path *path, DWORD ms)
{
    return win32_result(status == STATUS_SUCCESS ? pipe_wait(path->text, ms) : status);
}

BOOL WINAPI WaitNamedPipeA(LPCSTR lpNamedPipeName, DWORD nTimeOut)
{
    struct path path;

    return wait_pipe(name_a(&path, lpNamedPipeName), &path, nTimeOut);
}

BOOL WINAPI WaitNamedPipeW(LPCWSTR lpNamedPipeName, DWORD nTimeOut)
{
    struct path path;

    return wait_pipe(name_w(&path, lpNamedPipeName), &path, nTimeOut);
}

/* ---- on a handle ---- */

/* A named pipe with all of these rights, counted; an anonymous one only where the caller says so. */
static uint32_t pipe_for(HANDLE handle, uint32_t rights, bool anonymous, struct file **out)
{
    uint32_t status = filename_handle(handle, rights, out);

    if (status != STATUS_SUCCESS)
        return status;
    if ((*out)->kind == FILE_KIND_NAMED || (anonymous && (*out)->kind == FILE_KIND_PIPE))
        return STATUS_SUCCESS;
    file_put(*out);
    return STATUS_INVALID_DEVICE_REQUEST;
}

BOOL WINAPI ConnectNamedPipe(HANDLE hNamedPipe, LPOVERLAPPED lpOverlapped)
{
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, 0, false, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = pipe_connect(f, lpOverlapped, NULL);
    if (lpOverlapped && !(f->flags & FILE_OVERLAPPED))
        overlapped_report(lpOverlapped, status, 0);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI DisconnectNamedPipe(HANDLE hNamedPipe)
{
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, 0, false, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = pipe_disconnect(f);
    file_put(f);
    return win32_result(status);
}

BOOL WINAPI SetNamedPipeHandleState(HANDLE hNamedPipe, LPDWORD lpMode, LPDWORD lpMaxCollectionCount,
                                    LPDWORD lpCollectDataTimeout)
{
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, FILE_WRITE_ATTRIBUTES, true, &f);

    if (status == STATUS_INVALID_DEVICE_REQUEST)
        status = STATUS_INVALID_PARAMETER; /* how programs tell that they have opened something else */
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (lpMaxCollectionCount || lpCollectDataTimeout)
        status = STATUS_INVALID_PARAMETER;
    else if (lpMode)
        status = f->kind == FILE_KIND_NAMED ? pipe_set_mode(f, *lpMode) : stream_set_nowait(f, *lpMode);
    file_put(f);
    return win32_result(status);
}

/* The account's name, or the number of one that has none; terminated. */
static uint32_t name_of_user(uint32_t uid, char *name, size_t size)
{
    struct passwd entry, *found = NULL;
    char room[4096];

    if (getpwuid_r(uid, &entry, room, sizeof room, &found) != 0 || !found)
        return (size_t)snprintf(name, size, "%u", uid) < size ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
    if ((size_t)snprintf(name, size, "%s", entry.pw_name) >= size)
        return STATUS_BUFFER_TOO_SMALL;
    return STATUS_SUCCESS;
}

/* Of a server's end; of an anonymous pipe the reader serves, and both ends are ours. */
static uint32_t client_user(struct file *f, char *name, size_t size)
{
    uint32_t uid = geteuid();
    uint32_t status = STATUS_SUCCESS;

    if (f->kind == FILE_KIND_NAMED)
        status = pipe_client_user(f, &uid);
    else if (!(f->access & FILE_READ_DATA))
        status = STATUS_INVALID_PARAMETER;
    return status == STATUS_SUCCESS ? name_of_user(uid, name, size) : status;
}

/* What a caller wants to know; `user`: USER_SIZE bytes, or NULL. */
struct state_query {
    DWORD *state, *instances;
    const DWORD *count, *ms;
    char *user;
};

static uint32_t handle_state(HANDLE handle, const struct state_query *q)
{
    struct file *f;
    uint32_t status = pipe_for(handle, FILE_READ_ATTRIBUTES, true, &f);
    uint32_t mode = 0;

    if (status != STATUS_SUCCESS)
        return status;
    if (q->count || q->ms)
        status = STATUS_INVALID_PARAMETER;
    else if (f->kind == FILE_KIND_NAMED)
        status = pipe_get_mode(f, &mode);
    else
        mode = atomic_load(&f->modes) & FILE_MODE_NOWAIT ? PIPE_NOWAIT : 0;
    if (status == STATUS_SUCCESS && q->user)
        status = client_user(f, q->user, USER_SIZE);
    if (status == STATUS_SUCCESS && q->state)
        *q->state = mode;
    if (status == STATUS_SUCCESS && q->instances)
        *q->instances = f->kind == FILE_KIND_NAMED ? pipe_count_instances(f) : 1;
    file_put(f);
    return status;
}

static BOOL too_small(void)
{
    last_error_set(ERROR_INSUFFICIENT_BUFFER);
    return FALSE;
}

BOOL WINAPI GetNamedPipeHandleStateA(HANDLE hNamedPipe, LPDWORD lpState, LPDWORD lpCurInstances,
                                     LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
                                     LPSTR lpUserName, DWORD nMaxUserNameSize)
{
    char user[USER_SIZE] = "";
    struct state_query q = {lpState, lpCurInstances, lpMaxCollectionCount, lpCollectDataTimeout,
                            lpUserName ? user : NULL};
    uint32_t status = handle_state(hNamedPipe, &q);
    size_t size = strlen(user) + 1;

    if (status != STATUS_SUCCESS || !lpUserName)
        return win32_result(status);
    if (size > nMaxUserNameSize)
        return too_small();
    memcpy(lpUserName, user, size);
    return TRUE;
}

BOOL WINAPI GetNamedPipeHandleStateW(HANDLE hNamedPipe, LPDWORD lpState, LPDWORD lpCurInstances,
                                     LPDWORD lpMaxCollectionCount, LPDWORD lpCollectDataTimeout,
                                     LPWSTR lpUserName, DWORD nMaxUserNameSize)
{
    char user[USER_SIZE] = "";
    struct state_query q = {lpState, lpCurInstances, lpMaxCollectionCount, lpCollectDataTimeout,
                            lpUserName ? user : NULL};
    uint32_t status = handle_state(hNamedPipe, &q);

    if (status != STATUS_SUCCESS || !lpUserName)
        return win32_result(status);
    if (nMaxUserNameSize == 0 ||
        text_to_utf16(user, strlen(user) + 1, (uint16_t *)lpUserName, nMaxUserNameSize, false) < 0)
        return too_small();
    return TRUE;
}

static void store(DWORD *to, DWORD value)
{
    if (to)
        *to = value;
}

BOOL WINAPI GetNamedPipeInfo(HANDLE hNamedPipe, LPDWORD lpFlags, LPDWORD lpOutBufferSize,
                             LPDWORD lpInBufferSize, LPDWORD lpMaxInstances)
{
    struct pipe_shape shape = {.max = 1};
    bool server = true;
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, FILE_READ_ATTRIBUTES, true, &f);
    uint32_t peer;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (f->kind == FILE_KIND_NAMED) {
        status = pipe_ask(f, &shape, &peer);
        server = pipe_of(f)->server;
    } else { /* Windows makes an anonymous pipe of a named one, which the reader serves */
        server = (f->access & FILE_READ_DATA) != 0;
        shape.in_size = shape.out_size = stream_pipe_size(f);
    }
    file_put(f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    store(lpFlags, (server ? PIPE_SERVER_END : PIPE_CLIENT_END) | shape.messages);
    store(lpOutBufferSize, server ? shape.out_size : shape.in_size);
    store(lpInBufferSize, server ? shape.in_size : shape.out_size);
    store(lpMaxInstances, shape.max);
    return TRUE;
}

static BOOL process_at(HANDLE handle, bool server_end, ULONG *id)
{
    struct pipe_shape shape;
    struct file *f;
    uint32_t status = pipe_for(handle, 0, false, &f);
    uint32_t peer;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = pipe_ask(f, &shape, &peer);
    if (pipe_of(f)->server == server_end)
        peer = (uint32_t)getpid();
    file_put(f);
    if (status == STATUS_SUCCESS && peer == 0)
        status = STATUS_PIPE_DISCONNECTED;
    else if (status == STATUS_SUCCESS && !id)
        status = STATUS_INVALID_PARAMETER;
    if (status == STATUS_SUCCESS)
        *id = peer;
    return win32_result(status);
}

BOOL WINAPI GetNamedPipeClientProcessId(HANDLE Pipe, PULONG ClientProcessId)
{
    return process_at(Pipe, false, ClientProcessId);
}

BOOL WINAPI GetNamedPipeServerProcessId(HANDLE Pipe, PULONG ServerProcessId)
{
    return process_at(Pipe, true, ServerProcessId);
}

BOOL WINAPI PeekNamedPipe(HANDLE hNamedPipe, LPVOID lpBuffer, DWORD nBufferSize, LPDWORD lpBytesRead,
                          LPDWORD lpTotalBytesAvail, LPDWORD lpBytesLeftThisMessage)
{
    struct pipe_look look = {0};
    DWORD size = lpBuffer ? nBufferSize : 0;
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, FILE_READ_DATA, true, &f);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (f->kind == FILE_KIND_NAMED)
        status = pipe_peek(f, lpBuffer, size, &look);
    else
        status = stream_peek(f, lpBuffer, size, &look.read, &look.total);
    file_put(f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    store(lpBytesRead, look.read);
    store(lpTotalBytesAvail, look.total);
    store(lpBytesLeftThisMessage, look.left);
    return TRUE;
}

/* ---- transactions ---- */

BOOL WINAPI TransactNamedPipe(HANDLE hNamedPipe, LPVOID lpInBuffer, DWORD nInBufferSize, LPVOID lpOutBuffer,
                              DWORD nOutBufferSize, LPDWORD lpBytesRead, LPOVERLAPPED lpOverlapped)
{
    struct file *f;
    uint32_t status = pipe_for(hNamedPipe, FILE_READ_DATA | FILE_WRITE_DATA, false, &f);
    uint32_t bytes = 0;

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = pipe_transact(f, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize, lpOverlapped, NULL,
                           &bytes);
    if (lpOverlapped && !(f->flags & FILE_OVERLAPPED))
        overlapped_report(lpOverlapped, status, bytes);
    file_put(f);
    store(lpBytesRead, bytes);
    return win32_result(status);
}

/* Opens it, waiting once more each time somebody else was faster. */
static uint32_t open_patiently(const char *name, DWORD ms, struct file **out)
{
    uint32_t access = disk_access_specific(GENERIC_READ | GENERIC_WRITE);

    for (;;) {
        uint32_t status = pipe_open(name, access, 0, out);

        if (status != STATUS_PIPE_NOT_AVAILABLE || ms == NMPWAIT_NOWAIT)
            return status;
        status = pipe_wait(name, ms);
        if (status != STATUS_SUCCESS)
            return status;
    }
}

static BOOL call(uint32_t status, const struct path *path, void *data, DWORD size, void *reply,
                 DWORD reply_size, DWORD *read, DWORD ms)
{
    uint32_t bytes = 0;
    struct file *f;

    if (status == STATUS_SUCCESS)
        status = open_patiently(path->text, ms, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = pipe_set_mode(f, PIPE_MODE_READ_MESSAGES);
    if (status == STATUS_SUCCESS)
        status = pipe_transact(f, data, size, reply, reply_size, NULL, NULL, &bytes);
    file_put(f);
    store(read, bytes);
    return win32_result(status);
}

BOOL WINAPI CallNamedPipeA(LPCSTR lpNamedPipeName, LPVOID lpInBuffer, DWORD nInBufferSize,
                           LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, DWORD nTimeOut)
{
    struct path path;

    return call(name_a(&path, lpNamedPipeName), &path, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize,
                lpBytesRead, nTimeOut);
}

BOOL WINAPI CallNamedPipeW(LPCWSTR lpNamedPipeName, LPVOID lpInBuffer, DWORD nInBufferSize,
                           LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesRead, DWORD nTimeOut)
{
    struct path path;

    return call(name_w(&path, lpNamedPipeName), &path, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize,
                lpBytesRead, nTimeOut);
}
