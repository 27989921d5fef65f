/* SPDX-License-Identifier: MIT */
/*
 * mswsock.h: Microsoft's extensions: AcceptEx and its kin. As on Windows only AcceptEx,
 * GetAcceptExSockaddrs and TransmitFile are functions; pointers to the others come from WSAIoctl with
 * SIO_GET_EXTENSION_FUNCTION_POINTER and a WSAID_* GUID, are the same for every socket, and stay
 * valid for the life of the process. Unlike most of Winsock these return BOOL: FALSE with
 * ERROR_IO_PENDING means accepted. Ownership as in iocp_net.h. Registered I/O (RIO) is at the end.
 * Pages: learn.microsoft.com/windows/win32/api/mswsock/.
 */
#ifndef _MSWSOCK_
#define _MSWSOCK_

#ifndef IOCP_POSIX_NET
#include <winsock2.h>
#endif
#include <mswsockdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of SOL_SOCKET. */
#define SO_CONNDATA              0x7000
#define SO_CONNOPT               0x7001
#define SO_DISCDATA              0x7002
#define SO_DISCOPT               0x7003
#define SO_CONNDATALEN           0x7004
#define SO_CONNOPTLEN            0x7005
#define SO_DISCDATALEN           0x7006
#define SO_DISCOPTLEN            0x7007
#define SO_OPENTYPE              0x7008
#define SO_SYNCHRONOUS_ALERT     0x10
#define SO_SYNCHRONOUS_NONALERT  0x20
#define SO_MAXDG                 0x7009
#define SO_MAXPATHDG             0x700A
#define SO_UPDATE_ACCEPT_CONTEXT 0x700B /* set: the listener's SOCKET */
#define SO_CONNECT_TIME          0x700C /* get: DWORD, seconds connected; 0xFFFFFFFF: not connected */
#define SO_UPDATE_CONNECT_CONTEXT 0x7010 /* set: NULL, 0 */

/* Of IPPROTO_TCP. */
#define TCP_BSDURGENT 0x7000

/* Control codes. */
#define SIO_UDP_CONNRESET         _WSAIOW(IOC_VENDOR, 12) /* in: BOOL; FALSE: no WSAECONNRESET on UDP */
#define SIO_SOCKET_CLOSE_NOTIFY   _WSAIOW(IOC_VENDOR, 13)
#define SIO_UDP_NETRESET          _WSAIOW(IOC_VENDOR, 15)

/* Flags of TransmitFile and TransmitPackets, DisconnectEx. */
#define TF_DISCONNECT         0x01
#define TF_REUSE_SOCKET       0x02
#define TF_WRITE_BEHIND       0x04
#define TF_USE_DEFAULT_WORKER 0x00
#define TF_USE_SYSTEM_THREAD  0x10
#define TF_USE_KERNEL_APC     0x20

/* Sent before and after a file by TransmitFile; the buffers live until completion. */
typedef struct _TRANSMIT_FILE_BUFFERS {
    LPVOID Head;
    DWORD HeadLength; /* bytes */
    LPVOID Tail;
    DWORD TailLength;
} TRANSMIT_FILE_BUFFERS, *PTRANSMIT_FILE_BUFFERS, *LPTRANSMIT_FILE_BUFFERS;
IOCP_ASSERT_SIZE(TRANSMIT_FILE_BUFFERS, 32);

#define TP_ELEMENT_MEMORY 1
#define TP_ELEMENT_FILE   2
#define TP_ELEMENT_EOP    4
#define TP_DISCONNECT         TF_DISCONNECT
#define TP_REUSE_SOCKET       TF_REUSE_SOCKET
#define TP_USE_DEFAULT_WORKER TF_USE_DEFAULT_WORKER
#define TP_USE_SYSTEM_THREAD  TF_USE_SYSTEM_THREAD
#define TP_USE_KERNEL_APC     TF_USE_KERNEL_APC

typedef struct _TRANSMIT_PACKETS_ELEMENT {
    ULONG dwElFlags;
    ULONG cLength;
    IOCP_NAMELESS union {
        IOCP_NAMELESS struct {
            LARGE_INTEGER nFileOffset;
            HANDLE hFile;
        };
        PVOID pBuffer;
    };
} TRANSMIT_PACKETS_ELEMENT, *PTRANSMIT_PACKETS_ELEMENT, *LPTRANSMIT_PACKETS_ELEMENT;
IOCP_ASSERT_SIZE(TRANSMIT_PACKETS_ELEMENT, 24);

/*
 * Accepts the next connection of `listener` into `accepted`, a fresh socket (not bound, not connected,
 * may already belong to a port).
 *   output           gets, if data_size is not 0, the first bytes the client sends (then the operation
 *                    waits for them), and behind them the two addresses. Not NULL; lives until completion.
 *   data_size        bytes for data, without the addresses
 *   local_size       bytes for the local address: at least sizeof(sockaddr_in or _in6) + 16
 *   remote_size      the same for the client's
 *   bytes            gets the bytes of data if done at once
 *   overlapped       not NULL; the completion goes to the listener's port or the event
 * TRUE, or FALSE: ERROR_IO_PENDING; WSAEINVAL (not listening, or `accepted` not fresh), WSAENOTSOCK,
 * ERROR_INSUFFICIENT_BUFFER (room for addresses), WSAECONNRESET. Closing either socket ends it with
 * ERROR_OPERATION_ABORTED.
 * Afterwards set SO_UPDATE_ACCEPT_CONTEXT. Differs: getsockname, getpeername and shutdown work without it.
 */
WINSOCK_API_LINKAGE BOOL PASCAL AcceptEx(SOCKET listener, SOCKET accepted, PVOID output, DWORD data_size,
                                         DWORD local_size, DWORD remote_size, LPDWORD bytes,
                                         LPOVERLAPPED overlapped) IOCP_SYM(AcceptEx);

/* Finds the addresses that a finished AcceptEx left in `output`; the sizes as given there. The pointers
 * point into `output`. Cannot fail. */
WINSOCK_API_LINKAGE VOID PASCAL GetAcceptExSockaddrs(PVOID output, DWORD data_size, DWORD local_size,
                                                     DWORD remote_size, struct sockaddr **local,
                                                     LPINT local_length, struct sockaddr **remote,
                                                     LPINT remote_length) IOCP_SYM(GetAcceptExSockaddrs);

/*
 * Sends a file: buffers->Head, then `count` bytes of `file` (0: to its end) from the offset in
 * overlapped (NULL: from the file pointer, and the call blocks, with SO_SNDTIMEO no longer than that without
 * any progress: WSAETIMEDOUT), then buffers->Tail. `file` may be NULL, and so may `buffers`. chunk: ignored.
 * flags: TF_DISCONNECT ends the connection behind the data, TF_REUSE_SOCKET besides makes the socket fit for
 * AcceptEx or ConnectEx again. TRUE, or FALSE: ERROR_IO_PENDING, WSAENOTCONN, WSAESHUTDOWN,
 * ERROR_INVALID_HANDLE, WSAEINVAL (no stream, an offset behind the end, more than 2147483646 bytes,
 * TF_REUSE_SOCKET alone). The buffers live until completion.
 */
WINSOCK_API_LINKAGE BOOL PASCAL TransmitFile(SOCKET s, HANDLE file, DWORD count, DWORD chunk,
                                             LPOVERLAPPED overlapped, LPTRANSMIT_FILE_BUFFERS buffers,
                                             DWORD flags) IOCP_SYM(TransmitFile);

typedef BOOL(PASCAL *LPFN_ACCEPTEX)(SOCKET listener, SOCKET accepted, PVOID output, DWORD data_size,
                                    DWORD local_size, DWORD remote_size, LPDWORD bytes,
                                    LPOVERLAPPED overlapped);
typedef VOID(PASCAL *LPFN_GETACCEPTEXSOCKADDRS)(PVOID output, DWORD data_size, DWORD local_size,
                                                DWORD remote_size, struct sockaddr **local,
                                                LPINT local_length, struct sockaddr **remote,
                                                LPINT remote_length);
typedef BOOL(PASCAL *LPFN_TRANSMITFILE)(SOCKET s, HANDLE file, DWORD count, DWORD chunk,
                                        LPOVERLAPPED overlapped, LPTRANSMIT_FILE_BUFFERS buffers,
                                        DWORD flags);

/*
 * Connects a bound socket and sends `data` (size bytes; NULL and 0: nothing) right behind; data live
 * until completion. overlapped: not NULL. bytes: gets the bytes sent, if done at once. FALSE:
 * ERROR_IO_PENDING, WSAEINVAL (not bound), WSAEISCONN, WSAECONNREFUSED, WSAENETUNREACH ...;
 * a completion says ERROR_CONNECTION_REFUSED, ERROR_SEM_TIMEOUT, ERROR_NETWORK_UNREACHABLE.
 * Afterwards set SO_UPDATE_CONNECT_CONTEXT.
 */
typedef BOOL(PASCAL *LPFN_CONNECTEX)(SOCKET s, const struct sockaddr *address, int length, PVOID data,
                                     DWORD size, LPDWORD bytes, LPOVERLAPPED overlapped);

/* Ends the connection; with TF_REUSE_SOCKET the socket can go to AcceptEx or ConnectEx again.
 * reserved: 0. overlapped may be NULL (then it blocks). FALSE: ERROR_IO_PENDING, WSAENOTCONN. */
typedef BOOL(PASCAL *LPFN_DISCONNECTEX)(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved);

/*
 * Sends the `count` elements (memory, or parts of files; cLength 0: to the file's end; nFileOffset -1: from
 * the file pointer, which stays) one behind the other, with one completion. The array may go when the call
 * returns, memory and overlapped live until completion. A stream, or a connected datagram socket: there
 * TP_ELEMENT_EOP or the array's end ends a datagram. chunk: ignored. flags: TP_DISCONNECT, TP_REUSE_SOCKET as
 * with TransmitFile, streams only. overlapped NULL: blocks. FALSE: the errors of TransmitFile, WSAEFAULT,
 * WSAEMSGSIZE (a datagram of more than 65535 bytes).
 */
typedef BOOL(PASCAL *LPFN_TRANSMITPACKETS)(SOCKET s, LPTRANSMIT_PACKETS_ELEMENT elements, DWORD count,
                                           DWORD chunk, LPOVERLAPPED overlapped, DWORD flags);

/* Receives a datagram with address and control data (WSA_CMSG_*). message, in and out, lives until
 * completion. Returns like WSARecvFrom, with its errors. */
typedef INT(PASCAL *LPFN_WSARECVMSG)(SOCKET s, LPWSAMSG message, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
                                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
typedef INT(PASCAL *LPFN_WSASENDMSG)(SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD bytes,
                                     LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
typedef INT(WSAAPI *LPFN_WSAPOLL)(LPWSAPOLLFD sockets, ULONG count, INT timeout);

#define WSAID_ACCEPTEX                                                                             \
    { 0xb5367df1, 0xcbac, 0x11cf, { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_GETACCEPTEXSOCKADDRS                                                                 \
    { 0xb5367df2, 0xcbac, 0x11cf, { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_TRANSMITFILE                                                                         \
    { 0xb5367df0, 0xcbac, 0x11cf, { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_CONNECTEX                                                                            \
    { 0x25a207b9, 0xddf3, 0x4660, { 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e } }
#define WSAID_DISCONNECTEX                                                                         \
    { 0x7fda2e11, 0x8630, 0x436f, { 0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57 } }
#define WSAID_TRANSMITPACKETS                                                                      \
    { 0xd9689da0, 0x1f90, 0x11d3, { 0x99, 0x71, 0x00, 0xc0, 0x4f, 0x68, 0xc8, 0x76 } }
#define WSAID_WSARECVMSG                                                                           \
    { 0xf689d7c8, 0x6f1f, 0x436b, { 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22 } }
#define WSAID_WSASENDMSG                                                                           \
    { 0xa441e712, 0x754f, 0x43ca, { 0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d } }
#define WSAID_WSAPOLL                                                                              \
    { 0x18c76f85, 0xdc66, 0x4964, { 0x97, 0x2e, 0x23, 0xc2, 0x72, 0x38, 0x31, 0x2b } }

/*
 * The extension functions as functions of this library. Windows does not export them and programs call
 * their own pointers by these names, so they are declared on request only (<iocp.h> does request it).
 */
#ifdef IOCP_EXTENSION_FUNCTIONS
WINSOCK_API_LINKAGE BOOL PASCAL ConnectEx(SOCKET s, const struct sockaddr *address, int length, PVOID data,
                                          DWORD size, LPDWORD bytes, LPOVERLAPPED overlapped)
    __asm__("iocp_ConnectEx");
WINSOCK_API_LINKAGE BOOL PASCAL DisconnectEx(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved)
    __asm__("iocp_DisconnectEx");
WINSOCK_API_LINKAGE BOOL PASCAL TransmitPackets(SOCKET s, LPTRANSMIT_PACKETS_ELEMENT elements, DWORD count,
                                                DWORD chunk, LPOVERLAPPED overlapped, DWORD flags)
    __asm__("iocp_TransmitPackets");
WINSOCK_API_LINKAGE INT PASCAL WSARecvMsg(SOCKET s, LPWSAMSG message, LPDWORD bytes,
                                          LPWSAOVERLAPPED overlapped,
                                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
    __asm__("iocp_WSARecvMsg");
#endif

/* ---------- registered I/O ---------- */

/* How RIONotify tells. The handles may be closed once the completion queue is made; Overlapped lives as
 * long as that. */
typedef enum _RIO_NOTIFICATION_COMPLETION_TYPE {
    RIO_EVENT_COMPLETION = 1,
    RIO_IOCP_COMPLETION = 2
} RIO_NOTIFICATION_COMPLETION_TYPE, *PRIO_NOTIFICATION_COMPLETION_TYPE;

typedef struct _RIO_NOTIFICATION_COMPLETION {
    RIO_NOTIFICATION_COMPLETION_TYPE Type;
    IOCP_NAMELESS union {
        struct {
            HANDLE EventHandle;
            BOOL NotifyReset; /* RIONotify resets it first */
        } Event;
        struct {
            HANDLE IocpHandle;
            PVOID CompletionKey;
            PVOID Overlapped; /* not NULL; comes back with the packet */
        } Iocp;
    };
} RIO_NOTIFICATION_COMPLETION, *PRIO_NOTIFICATION_COMPLETION;
IOCP_ASSERT_SIZE(RIO_NOTIFICATION_COMPLETION, 32);

/*
 * data: where in a registered buffer; count 1 (on datagram sockets also NULL and 0: no data). flags:
 * RIO_MSG_*. The memory belongs to the operation until its result is dequeued, the RIO_BUFs only during the
 * call. TRUE: one result follows, also of a failure (WSAENOTCONN, WSA_OPERATION_ABORTED when the socket is
 * closed ...). FALSE: none; WSAEINVAL (the queue is not open, flags, a slice that is not within its buffer),
 * WSAEFAULT (the buffer is not registered), WSAENOBUFS (as many outstanding as were asked for).
 * Differs: any number of threads may call these at a time.
 */
typedef BOOL(PASCAL *LPFN_RIORECEIVE)(RIO_RQ queue, PRIO_BUF data, ULONG count, DWORD flags, PVOID context);
typedef BOOL(PASCAL *LPFN_RIOSEND)(RIO_RQ queue, PRIO_BUF data, ULONG count, DWORD flags, PVOID context);

/*
 * The same for datagrams; on streams what is more has no effect. local, remote: a SOCKADDR_INET each, where
 * it arrived and where it came from or goes to; control: a RIO_CMSG_BUFFER; out_flags: a ULONG. Any may
 * be NULL; a send's local must be.
 */
typedef int(PASCAL *LPFN_RIORECEIVEEX)(RIO_RQ queue, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                       PRIO_BUF remote, PRIO_BUF control, PRIO_BUF out_flags, DWORD flags,
                                       PVOID context);
typedef BOOL(PASCAL *LPFN_RIOSENDEX)(RIO_RQ queue, PRIO_BUF data, ULONG count, PRIO_BUF local,
                                     PRIO_BUF remote, PRIO_BUF control, PRIO_BUF out_flags, DWORD flags,
                                     PVOID context);

/* size: results it holds, 1 to RIO_MAX_CQ_SIZE. how: read during the call; NULL: RIONotify is not used.
 * RIO_INVALID_CQ: WSAEINVAL, WSAENOBUFS. Closing drops what lies there; it is the last use. */
typedef RIO_CQ(PASCAL *LPFN_RIOCREATECOMPLETIONQUEUE)(DWORD size, PRIO_NOTIFICATION_COMPLETION how);
typedef VOID(PASCAL *LPFN_RIOCLOSECOMPLETIONQUEUE)(RIO_CQ queue);
/* FALSE: WSAEINVAL, WSAETOOMANYREFS (less than the sockets that use it may need). */
typedef BOOL(PASCAL *LPFN_RIORESIZECOMPLETIONQUEUE)(RIO_CQ queue, DWORD size);

/*
 * For a socket made with WSA_FLAG_REGISTERED_IO; it ends with closesocket. receives, sends: as many may be
 * outstanding, from the call until the result is dequeued, and the completion queues must have room for them;
 * buffers: 1. context: comes back with each result. RIO_INVALID_RQ: WSAEINVAL (also: it has one), WSAENOBUFS,
 * WSAENOTSOCK, WSAEOPNOTSUPP.
 */
typedef RIO_RQ(PASCAL *LPFN_RIOCREATEREQUESTQUEUE)(SOCKET s, ULONG receives, ULONG receive_buffers,
                                                   ULONG sends, ULONG send_buffers, RIO_CQ receive_results,
                                                   RIO_CQ send_results, PVOID context);
/* FALSE: WSAEINVAL, WSAENOBUFS, WSAETOOMANYREFS (less than is outstanding). */
typedef BOOL(PASCAL *LPFN_RIORESIZEREQUESTQUEUE)(RIO_RQ queue, DWORD receives, DWORD sends);

/* Takes up to `size` results, oldest first; never waits. Their number, or RIO_CORRUPT_CQ: no such queue. */
typedef ULONG(PASCAL *LPFN_RIODEQUEUECOMPLETION)(RIO_CQ queue, PRIORESULT results, ULONG size);

/* One packet, or the event is set, as soon as a result lies there that was not asked for with
 * RIO_MSG_DONT_NOTIFY; perhaps at once. Returns 0, WSAEALREADY (asked, and not told yet), WSAEINVAL. */
typedef INT(PASCAL *LPFN_RIONOTIFY)(RIO_CQ queue);

/* RIO_INVALID_BUFFERID: WSAEINVAL (length 0), WSAEFAULT. Differs: nothing is locked into memory. */
typedef RIO_BUFFERID(PASCAL *LPFN_RIOREGISTERBUFFER)(PCHAR data, DWORD length);
typedef VOID(PASCAL *LPFN_RIODEREGISTERBUFFER)(RIO_BUFFERID buffer);

/* WSAIoctl with SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER and WSAID_MULTIPLE_RIO fills it. */
typedef struct _RIO_EXTENSION_FUNCTION_TABLE {
    DWORD cbSize; /* bytes of this */
    LPFN_RIORECEIVE RIOReceive;
    LPFN_RIORECEIVEEX RIOReceiveEx;
    LPFN_RIOSEND RIOSend;
    LPFN_RIOSENDEX RIOSendEx;
    LPFN_RIOCLOSECOMPLETIONQUEUE RIOCloseCompletionQueue;
    LPFN_RIOCREATECOMPLETIONQUEUE RIOCreateCompletionQueue;
    LPFN_RIOCREATEREQUESTQUEUE RIOCreateRequestQueue;
    LPFN_RIODEQUEUECOMPLETION RIODequeueCompletion;
    LPFN_RIODEREGISTERBUFFER RIODeregisterBuffer;
    LPFN_RIONOTIFY RIONotify;
    LPFN_RIOREGISTERBUFFER RIORegisterBuffer;
    LPFN_RIORESIZECOMPLETIONQUEUE RIOResizeCompletionQueue;
    LPFN_RIORESIZEREQUESTQUEUE RIOResizeRequestQueue;
} RIO_EXTENSION_FUNCTION_TABLE, *PRIO_EXTENSION_FUNCTION_TABLE;
IOCP_ASSERT_SIZE(RIO_EXTENSION_FUNCTION_TABLE, 112);

#define WSAID_MULTIPLE_RIO                                                                         \
    { 0x8509e081, 0x96dd, 0x4005, { 0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f } }

#ifdef __cplusplus
}
#endif

#endif
