/* SPDX-License-Identifier: MIT */
/*
 * namedpipeapi.h: pipes, anonymous and named. A named pipe is known to the processes of one user on one
 * machine, below $XDG_RUNTIME_DIR, if that is the user's own; docs/DEVIATIONS.md says what differs.
 * Pages: learn.microsoft.com/windows/win32/api/namedpipeapi/ and /api/winbase/.
 *
 * Names are `\\.\pipe\NAME`, at most 256 characters behind the prefix, without regard to case. A client
 * opens one with CreateFile: ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY (no instance is free: WaitNamedPipe),
 * ERROR_ACCESS_DENIED (it asks for a direction the pipe does not have).
 */
#ifndef _NAMEDPIPE_H_
#define _NAMEDPIPE_H_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* CreateNamedPipe: which way data goes, seen from the server. */
#define PIPE_ACCESS_INBOUND  0x00000001
#define PIPE_ACCESS_OUTBOUND 0x00000002
#define PIPE_ACCESS_DUPLEX   0x00000003

/* Modes. */
#define PIPE_WAIT                  0x00000000
#define PIPE_NOWAIT                0x00000001 /* calls never wait; not meant for overlapped I/O */
#define PIPE_READMODE_BYTE         0x00000000
#define PIPE_READMODE_MESSAGE      0x00000002 /* one read, one message; needs PIPE_TYPE_MESSAGE */
#define PIPE_TYPE_BYTE             0x00000000
#define PIPE_TYPE_MESSAGE          0x00000004
#define PIPE_ACCEPT_REMOTE_CLIENTS 0x00000000
#define PIPE_REJECT_REMOTE_CLIENTS 0x00000008 /* always so */

#define PIPE_UNLIMITED_INSTANCES 255

/* GetNamedPipeInfo's flags, beside PIPE_TYPE_MESSAGE. */
#define PIPE_CLIENT_END 0x00000000
#define PIPE_SERVER_END 0x00000001

/* Times of WaitNamedPipe and CallNamedPipe, else milliseconds. */
#define NMPWAIT_USE_DEFAULT_WAIT 0x00000000 /* what the server said when it made the pipe */
#define NMPWAIT_NOWAIT           0x00000001 /* CallNamedPipe only */
#define NMPWAIT_WAIT_FOREVER     0xFFFFFFFF

/* ---------- anonymous pipes ---------- */

/*
 * A pipe with one end to read and one to write, both synchronous. size: room in bytes, 0 as the system
 * likes. security: only bInheritHandle counts; may be NULL. ERROR_TOO_MANY_OPEN_FILES,
 * ERROR_NOT_ENOUGH_MEMORY. Reading from a pipe whose other end is closed: ERROR_BROKEN_PIPE; writing
 * to one: ERROR_NO_DATA, never SIGPIPE.
 */
WINBASEAPI BOOL WINAPI CreatePipe(PHANDLE read_end, PHANDLE write_end, LPSECURITY_ATTRIBUTES security,
                                  DWORD size) IOCP_SYM(CreatePipe);

/* ---------- named pipes: serving ---------- */

/*
 * One more instance of a pipe, which a client may open from now on.
 *   open_mode   PIPE_ACCESS_*, with FILE_FLAG_OVERLAPPED, FILE_FLAG_FIRST_PIPE_INSTANCE (refuses a
 *               name that exists); FILE_FLAG_WRITE_THROUGH changes nothing
 *   pipe_mode   PIPE_TYPE_*, PIPE_READMODE_*, PIPE_WAIT or PIPE_NOWAIT, PIPE_REJECT_REMOTE_CLIENTS
 *   instances   1 to 254 at a time, or PIPE_UNLIMITED_INSTANCES
 *   out_size, in_size  wishes for buffers, in bytes
 *   default_ms  for WaitNamedPipe; 0: 50 ms
 *   security    only bInheritHandle counts; may be NULL
 * INVALID_HANDLE_VALUE: ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER, ERROR_PIPE_BUSY (no more instances),
 * ERROR_ACCESS_DENIED (type, direction, instances or default_ms are not those of the first instance;
 * not the first; no private directory for names).
 */
WINBASEAPI HANDLE WINAPI CreateNamedPipeA(LPCSTR name, DWORD open_mode, DWORD pipe_mode, DWORD instances,
                                          DWORD out_size, DWORD in_size, DWORD default_ms,
                                          LPSECURITY_ATTRIBUTES security) IOCP_SYM(CreateNamedPipeA);
WINBASEAPI HANDLE WINAPI CreateNamedPipeW(LPCWSTR name, DWORD open_mode, DWORD pipe_mode, DWORD instances,
                                          DWORD out_size, DWORD in_size, DWORD default_ms,
                                          LPSECURITY_ATTRIBUTES security) IOCP_SYM(CreateNamedPipeW);

/*
 * Waits for a client, on the server's end. Overlapped: FALSE with ERROR_IO_PENDING, and the answer comes
 * when a client has opened the pipe; CancelIoEx calls it back. FALSE with ERROR_PIPE_CONNECTED: a client
 * was faster, all is well and no answer follows. ERROR_NO_DATA: the last client has gone, disconnect first;
 * ERROR_PIPE_LISTENING: nobody yet (PIPE_NOWAIT).
 */
WINBASEAPI BOOL WINAPI ConnectNamedPipe(HANDLE pipe, LPOVERLAPPED overlapped) IOCP_SYM(ConnectNamedPipe);

/*
 * Ends the connection from the server's end. What the client has not read is lost (FlushFileBuffers waits
 * until it has); its operations, and those pending here, fail with ERROR_PIPE_NOT_CONNECTED.
 */
WINBASEAPI BOOL WINAPI DisconnectNamedPipe(HANDLE pipe) IOCP_SYM(DisconnectNamedPipe);

/* ---------- named pipes: either end ---------- */

/*
 * Read and wait mode of this end, by *mode: PIPE_READMODE_*, PIPE_WAIT or PIPE_NOWAIT; NULL leaves it. A
 * client starts with bytes and waiting. The handle needs FILE_WRITE_ATTRIBUTES (GENERIC_WRITE has it).
 * ERROR_INVALID_PARAMETER: message mode on a byte pipe; the other two, which are for remote pipes, not NULL.
 */
WINBASEAPI BOOL WINAPI SetNamedPipeHandleState(HANDLE pipe, LPDWORD mode, LPDWORD collection_count,
                                               LPDWORD collection_ms) IOCP_SYM(SetNamedPipeHandleState);

/*
 * Mode of this end, how many instances the name has now, and on a server's end the name of the client's user,
 * with its terminator in user_size characters (one without an account: his number). Any may be NULL;
 * collection_* must be, and user at a client's end. ERROR_INVALID_PARAMETER; of the user
 * ERROR_INSUFFICIENT_BUFFER, ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED. Windows tells the name only if
 * the client allows to be impersonated.
 */
WINBASEAPI BOOL WINAPI GetNamedPipeHandleStateA(HANDLE pipe, LPDWORD state, LPDWORD instances,
                                                LPDWORD collection_count, LPDWORD collection_ms, LPSTR user,
                                                DWORD user_size) IOCP_SYM(GetNamedPipeHandleStateA);
WINBASEAPI BOOL WINAPI GetNamedPipeHandleStateW(HANDLE pipe, LPDWORD state, LPDWORD instances,
                                                LPDWORD collection_count, LPDWORD collection_ms, LPWSTR user,
                                                DWORD user_size) IOCP_SYM(GetNamedPipeHandleStateW);

/* Type and end, sizes that were wished for, instances allowed. Any may be NULL. Anonymous pipes too. */
WINBASEAPI BOOL WINAPI GetNamedPipeInfo(HANDLE pipe, LPDWORD flags, LPDWORD out_size, LPDWORD in_size,
                                        LPDWORD instances) IOCP_SYM(GetNamedPipeInfo);

/* The process at the client's or the server's end, from either. ERROR_PIPE_NOT_CONNECTED if there is none. */
WINBASEAPI BOOL WINAPI GetNamedPipeClientProcessId(HANDLE pipe, PULONG id)
    IOCP_SYM(GetNamedPipeClientProcessId);
WINBASEAPI BOOL WINAPI GetNamedPipeServerProcessId(HANDLE pipe, PULONG id)
    IOCP_SYM(GetNamedPipeServerProcessId);

/*
 * Looks without waiting and without taking anything: up to `size` bytes (on a message pipe of the first
 * message), how many are there at all, and how many more the first message has (0 on a byte pipe). Any
 * pointer may be NULL. Anonymous pipes too. ERROR_BROKEN_PIPE at the end, ERROR_BAD_PIPE without a client.
 */
WINBASEAPI BOOL WINAPI PeekNamedPipe(HANDLE pipe, LPVOID data, DWORD size, LPDWORD read, LPDWORD available,
                                     LPDWORD left) IOCP_SYM(PeekNamedPipe);

/*
 * Writes a message and reads the reply; the count is the reply's. ERROR_MORE_DATA: the rest of it stays.
 * ERROR_BAD_PIPE: the handle is not in message mode; ERROR_PIPE_BUSY: there is something to read already.
 */
WINBASEAPI BOOL WINAPI TransactNamedPipe(HANDLE pipe, LPVOID data, DWORD size, LPVOID reply, DWORD reply_size,
                                         LPDWORD read, LPOVERLAPPED overlapped) IOCP_SYM(TransactNamedPipe);

/* ---------- named pipes: opening ---------- */

/*
 * Waits until an instance is free, or it seems so: another client may be faster to open it.
 * ERROR_SEM_TIMEOUT; ERROR_FILE_NOT_FOUND at once if there is no such pipe.
 */
WINBASEAPI BOOL WINAPI WaitNamedPipeA(LPCSTR name, DWORD ms) IOCP_SYM(WaitNamedPipeA);
WINBASEAPI BOOL WINAPI WaitNamedPipeW(LPCWSTR name, DWORD ms) IOCP_SYM(WaitNamedPipeW);

/* Opens a message pipe (waiting up to ms for an instance), transacts and closes it. */
WINBASEAPI BOOL WINAPI CallNamedPipeA(LPCSTR name, LPVOID data, DWORD size, LPVOID reply, DWORD reply_size,
                                      LPDWORD read, DWORD ms) IOCP_SYM(CallNamedPipeA);
WINBASEAPI BOOL WINAPI CallNamedPipeW(LPCWSTR name, LPVOID data, DWORD size, LPVOID reply, DWORD reply_size,
                                      LPDWORD read, DWORD ms) IOCP_SYM(CallNamedPipeW);

#ifdef UNICODE
#define CreateNamedPipe         CreateNamedPipeW
#define GetNamedPipeHandleState GetNamedPipeHandleStateW
#define WaitNamedPipe           WaitNamedPipeW
#define CallNamedPipe           CallNamedPipeW
#else
#define CreateNamedPipe         CreateNamedPipeA
#define GetNamedPipeHandleState GetNamedPipeHandleStateA
#define WaitNamedPipe           WaitNamedPipeA
#define CallNamedPipe           CallNamedPipeA
#endif

IOCP_EXTERN_C_END

#endif
