/* SPDX-License-Identifier: MIT */
/*
 * commapi.h: serial lines. CreateFile opens COMn (the device that the environment variable IOCP_COMn
 * names, else /dev/ttyS<n-1>), and terminals by their Linux path but for the program's own controlling
 * one; exclusively, whatever the share mode: a second opening gets ERROR_ACCESS_DENIED. The line is raw
 * from then on, its speed and format as they were. Every function here fails with ERROR_INVALID_HANDLE,
 * with ERROR_INVALID_FUNCTION where the handle is no serial line, with ERROR_DEVICE_NOT_CONNECTED once
 * the device has vanished, and with ERROR_NOT_SUPPORTED where the device lacks what it is asked for (a
 * pseudo terminal has no modem lines). Pages:
 * learn.microsoft.com/windows/win32/devio/communications-resources and .../api/winbase/.
 */
#ifndef _COMM_H_
#define _COMM_H_

#include <iocp_comm.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* ---------- serial lines: settings ---------- */

/* As it was set, until somebody else changes the device. */
WINBASEAPI BOOL WINAPI GetCommState(HANDLE line, LPDCB dcb) IOCP_SYM(GetCommState);
/* Takes effect at once, empties no queue. ERROR_INVALID_PARAMETER: a format that does not exist, XonChar
 * equal to XoffChar, speed 0. ERROR_CALL_NOT_IMPLEMENTED: DSR and DTR hand-shaking, RTS_CONTROL_TOGGLE,
 * fErrorChar with fParity, fNull, fAbortOnError. */
WINBASEAPI BOOL WINAPI SetCommState(HANDLE line, LPDCB dcb) IOCP_SYM(SetCommState);
/* The DCB with a head. size: in and out, bytes; too little: ERROR_INSUFFICIENT_BUFFER and what is needed. */
WINBASEAPI BOOL WINAPI GetCommConfig(HANDLE line, LPCOMMCONFIG config, LPDWORD size) IOCP_SYM(GetCommConfig);
WINBASEAPI BOOL WINAPI SetCommConfig(HANDLE line, LPCOMMCONFIG config, DWORD size) IOCP_SYM(SetCommConfig);
WINBASEAPI BOOL WINAPI GetCommProperties(HANDLE line, LPCOMMPROP properties) IOCP_SYM(GetCommProperties);
/* Wished sizes of the queues in bytes; EV_RX80FULL goes by the first. */
WINBASEAPI BOOL WINAPI SetupComm(HANDLE line, DWORD in_queue, DWORD out_queue) IOCP_SYM(SetupComm);

/*
 * How long reads and writes that begin later may take. A read ends as soon as it has all bytes; when the
 * pause after a byte exceeds ReadIntervalTimeout; when multiplier * bytes + constant milliseconds have
 * passed: then it succeeds with what it has, even nothing. 0: no such limit. ReadIntervalTimeout
 * MAXDWORD: with both others 0 what is there is returned at once; with others below MAXDWORD the same if
 * anything is there; with the multiplier MAXDWORD it also ends with the first byte that comes. All three
 * MAXDWORD: ERROR_INVALID_PARAMETER.
 */
WINBASEAPI BOOL WINAPI SetCommTimeouts(HANDLE line, LPCOMMTIMEOUTS timeouts) IOCP_SYM(SetCommTimeouts);
WINBASEAPI BOOL WINAPI GetCommTimeouts(HANDLE line, LPCOMMTIMEOUTS timeouts) IOCP_SYM(GetCommTimeouts);

/* ---------- serial lines: events ---------- */

/* EV_ bits to be told of. Forgets what happened before; a pending WaitCommEvent succeeds with 0. */
WINBASEAPI BOOL WINAPI SetCommMask(HANDLE line, DWORD events) IOCP_SYM(SetCommMask);
WINBASEAPI BOOL WINAPI GetCommMask(HANDLE line, LPDWORD events) IOCP_SYM(GetCommMask);
/*
 * The next events, or those since the last call, into *events, which must stay as long as overlapped.
 * overlapped: needed where the handle is overlapped. ERROR_IO_PENDING; ERROR_INVALID_PARAMETER: no mask
 * is set, or another call is pending. Modem lines, breaks and errors are looked at every 10 ms.
 */
WINBASEAPI BOOL WINAPI WaitCommEvent(HANDLE line, LPDWORD events, LPOVERLAPPED overlapped)
    IOCP_SYM(WaitCommEvent);

/* ---------- serial lines: errors, queues, modem lines ---------- */

/* CE_ bits since the last call, and the state of the queues; both may be NULL. */
WINBASEAPI BOOL WINAPI ClearCommError(HANDLE line, LPDWORD errors, LPCOMSTAT state) IOCP_SYM(ClearCommError);
/* ABORT ends pending reads, writes with ERROR_OPERATION_ABORTED; CLEAR forgets received, unsent bytes. */
WINBASEAPI BOOL WINAPI PurgeComm(HANDLE line, DWORD flags) IOCP_SYM(PurgeComm);
/* One byte ahead of what waits. ERROR_INVALID_PARAMETER: there is no room for it now. */
WINBASEAPI BOOL WINAPI TransmitCommChar(HANDLE line, char byte) IOCP_SYM(TransmitCommChar);
/* SETDTR and the like. RESETDEV: ERROR_NOT_SUPPORTED. */
WINBASEAPI BOOL WINAPI EscapeCommFunction(HANDLE line, DWORD function) IOCP_SYM(EscapeCommFunction);
WINBASEAPI BOOL WINAPI SetCommBreak(HANDLE line) IOCP_SYM(SetCommBreak);
WINBASEAPI BOOL WINAPI ClearCommBreak(HANDLE line) IOCP_SYM(ClearCommBreak);
/* MS_ bits. */
WINBASEAPI BOOL WINAPI GetCommModemStatus(HANDLE line, LPDWORD status) IOCP_SYM(GetCommModemStatus);

/* ---------- serial lines: texts of settings ---------- */

/*
 * "COM1:9600,n,8,1,x" or "baud=9600 parity=n data=8 stop=1 to=on xon=on odsr=off octs=on dtr=on rts=hs
 * idsr=off", in either case; sets what it names. ERROR_INVALID_PARAMETER: it cannot be read. The long
 * form may set time-outs: to=on gives totals of 60 s, to=off none.
 */
WINBASEAPI BOOL WINAPI BuildCommDCBA(LPCSTR text, LPDCB dcb) IOCP_SYM(BuildCommDCBA);
WINBASEAPI BOOL WINAPI BuildCommDCBW(LPCWSTR text, LPDCB dcb) IOCP_SYM(BuildCommDCBW);
WINBASEAPI BOOL WINAPI BuildCommDCBAndTimeoutsA(LPCSTR text, LPDCB dcb, LPCOMMTIMEOUTS timeouts)
    IOCP_SYM(BuildCommDCBAndTimeoutsA);
WINBASEAPI BOOL WINAPI BuildCommDCBAndTimeoutsW(LPCWSTR text, LPDCB dcb, LPCOMMTIMEOUTS timeouts)
    IOCP_SYM(BuildCommDCBAndTimeoutsW);

#ifdef UNICODE
#define BuildCommDCB            BuildCommDCBW
#define BuildCommDCBAndTimeouts BuildCommDCBAndTimeoutsW
#else
#define BuildCommDCB            BuildCommDCBA
#define BuildCommDCBAndTimeouts BuildCommDCBAndTimeoutsA
#endif

IOCP_EXTERN_C_END

#endif
