/* SPDX-License-Identifier: MIT */
/*
 * commapi.h: serial lines. Texts that describe settings are in commapi_text.c.
 */
#include <windows.h>

#include "api/api.h"
#include "io/request.h"
#include "io/serial.h"

#include <ntstatus.h>
#include <string.h>

/* The line behind a handle, counted. */
static uint32_t find_line(HANDLE line, struct file **out)
{
    uint32_t status = file_from_handle((uintptr_t)line, false, out, NULL);

    if (status == STATUS_OBJECT_TYPE_MISMATCH)
        return STATUS_INVALID_HANDLE;
    if (status != STATUS_SUCCESS || serial_of(*out))
        return status;
    file_put(*out);
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* The same at the beginning of a call. False: the last error says why not. */
static bool line_of(HANDLE line, struct file **out)
{
    return win32_result(find_line(line, out));
}

/* ... of one that also needs an argument. */
static bool line_for(HANDLE line, const void *argument, struct file **out)
{
    return win32_result(argument ? find_line(line, out) : (uint32_t)STATUS_INVALID_PARAMETER);
}

/* The end of a call on a line. */
static BOOL done(struct file *f, uint32_t status)
{
    file_put(f);
    return win32_result(status);
}

/* ---- settings ---- */

BOOL WINAPI GetCommState(HANDLE hFile, LPDCB lpDCB)
{
    struct file *f;

    return line_for(hFile, lpDCB, &f) && done(f, serial_get_state(f, lpDCB));
}

BOOL WINAPI SetCommState(HANDLE hFile, LPDCB lpDCB)
{
    struct file *f;

    return line_for(hFile, lpDCB, &f) && done(f, serial_set_state(f, lpDCB));
}

BOOL WINAPI GetCommConfig(HANDLE hCommDev, LPCOMMCONFIG lpCC, LPDWORD lpdwSize)
{
    DWORD room;

    if (!lpCC || !lpdwSize)
        return win32_result(STATUS_INVALID_PARAMETER);
    room = *lpdwSize;
    *lpdwSize = sizeof *lpCC;
    if (room < sizeof *lpCC)
        return win32_result(STATUS_BUFFER_TOO_SMALL);
    memset(lpCC, 0, sizeof *lpCC);
    lpCC->dwSize = sizeof *lpCC;
    lpCC->wVersion = 1;
    lpCC->dwProviderSubType = PST_RS232;
    return GetCommState(hCommDev, &lpCC->dcb);
}

BOOL WINAPI SetCommConfig(HANDLE hCommDev, LPCOMMCONFIG lpCC, DWORD dwSize)
{
    (void)dwSize;
    return SetCommState(hCommDev, lpCC ? &lpCC->dcb : NULL);
}

BOOL WINAPI GetCommProperties(HANDLE hFile, LPCOMMPROP lpCommProp)
{
    struct serial *s;
    struct file *f;

    if (!line_for(hFile, lpCommProp, &f))
        return FALSE;
    s = serial_of(f);
    *lpCommProp = (COMMPROP){
        .wPacketLength = sizeof *lpCommProp,
        .wPacketVersion = 2,
        .dwServiceMask = SP_SERIALCOMM,
        .dwMaxBaud = BAUD_USER,
        .dwProvSubType = PST_RS232,
        .dwProvCapabilities = PCF_PARITY_CHECK | PCF_XONXOFF | PCF_SETXCHAR | PCF_TOTALTIMEOUTS |
                              PCF_INTTIMEOUTS,
        .dwSettableParams = SP_PARITY | SP_BAUD | SP_DATABITS | SP_STOPBITS | SP_HANDSHAKING |
                            SP_PARITY_CHECK,
        .dwSettableBaud = BAUD_USER | BAUD_075 | BAUD_110 | BAUD_134_5 | BAUD_150 | BAUD_300 | BAUD_600 |
                          BAUD_1200 | BAUD_1800 | BAUD_2400 | BAUD_4800 | BAUD_7200 | BAUD_9600 | BAUD_14400 |
                          BAUD_19200 | BAUD_38400 | BAUD_56K | BAUD_57600 | BAUD_115200 | BAUD_128K,
        .wSettableData = DATABITS_5 | DATABITS_6 | DATABITS_7 | DATABITS_8,
        .wSettableStopParity = STOPBITS_10 | STOPBITS_15 | STOPBITS_20 | PARITY_NONE | PARITY_ODD |
                               PARITY_EVEN | PARITY_MARK | PARITY_SPACE,
    };
    if (s->has_lines) {
        lpCommProp->dwProvCapabilities |= PCF_DTRDSR | PCF_RTSCTS | PCF_RLSD;
        lpCommProp->dwSettableParams |= SP_RLSD;
    }
    serial_get_queues(f, &lpCommProp->dwCurrentRxQueue, &lpCommProp->dwCurrentTxQueue);
    return done(f, STATUS_SUCCESS);
}

BOOL WINAPI SetupComm(HANDLE hFile, DWORD dwInQueue, DWORD dwOutQueue)
{
    struct file *f;

    if (!line_of(hFile, &f))
        return FALSE;
    serial_set_queues(f, dwInQueue, dwOutQueue);
    return done(f, STATUS_SUCCESS);
}

BOOL WINAPI SetCommTimeouts(HANDLE hFile, LPCOMMTIMEOUTS lpCommTimeouts)
{
    struct file *f;

    return line_for(hFile, lpCommTimeouts, &f) && done(f, serial_set_timeouts(f, lpCommTimeouts));
}

BOOL WINAPI GetCommTimeouts(HANDLE hFile, LPCOMMTIMEOUTS lpCommTimeouts)
{
    struct file *f;

    if (!line_for(hFile, lpCommTimeouts, &f))
        return FALSE;
    serial_get_timeouts(f, lpCommTimeouts);
    return done(f, STATUS_SUCCESS);
}

/* ---- events ---- */

BOOL WINAPI SetCommMask(HANDLE hFile, DWORD dwEvtMask)
{
    struct file *f;

    return line_of(hFile, &f) && done(f, serial_set_mask(f, dwEvtMask));
}

BOOL WINAPI GetCommMask(HANDLE hFile, LPDWORD lpEvtMask)
{
    struct file *f;

    if (!line_for(hFile, lpEvtMask, &f))
        return FALSE;
    *lpEvtMask = serial_get_mask(f);
    return done(f, STATUS_SUCCESS);
}

static uint32_t wait_overlapped(struct file *f, DWORD *events, OVERLAPPED *ov)
{
    struct request *r;
    uint32_t status = request_new(f, ov, true, &r);

    if (status != STATUS_SUCCESS)
        return status;
    request_begin(r);
    return serial_wait(r, (uint32_t *)events);
}

BOOL WINAPI WaitCommEvent(HANDLE hFile, LPDWORD lpEvtMask, LPOVERLAPPED lpOverlapped)
{
    uint32_t status;
    struct file *f;

    if (!line_for(hFile, lpEvtMask, &f))
        return FALSE;
    if (!(f->flags & FILE_OVERLAPPED))
        status = serial_wait_sync(f, (uint32_t *)lpEvtMask);
    else if (lpOverlapped)
        status = wait_overlapped(f, lpEvtMask, lpOverlapped);
    else
        status = STATUS_INVALID_PARAMETER;
    return done(f, status);
}

/* ---- errors, queues, lines ---- */

BOOL WINAPI ClearCommError(HANDLE hFile, LPDWORD lpErrors, LPCOMSTAT lpStat)
{
    uint32_t status;
    struct file *f;
    COMSTAT state;
    DWORD errors;

    if (!line_of(hFile, &f))
        return FALSE;
    status = serial_status(f, &state);
    if (status != STATUS_SUCCESS)
        return done(f, status);
    errors = serial_take_errors(f);
    if (lpErrors)
        *lpErrors = errors;
    if (lpStat)
        *lpStat = state;
    return done(f, STATUS_SUCCESS);
}

BOOL WINAPI PurgeComm(HANDLE hFile, DWORD dwFlags)
{
    struct file *f;

    return line_of(hFile, &f) && done(f, serial_purge(f, dwFlags));
}

BOOL WINAPI TransmitCommChar(HANDLE hFile, char cChar)
{
    struct file *f;

    return line_of(hFile, &f) && done(f, serial_send_byte(f, cChar));
}

BOOL WINAPI EscapeCommFunction(HANDLE hFile, DWORD dwFunc)
{
    struct file *f;

    return line_of(hFile, &f) && done(f, serial_escape(f, dwFunc));
}

BOOL WINAPI SetCommBreak(HANDLE hFile)
{
    return EscapeCommFunction(hFile, SETBREAK);
}

BOOL WINAPI ClearCommBreak(HANDLE hFile)
{
    return EscapeCommFunction(hFile, CLRBREAK);
}

BOOL WINAPI GetCommModemStatus(HANDLE hFile, LPDWORD lpModemStat)
{
    struct file *f;

    return line_for(hFile, lpModemStat, &f) && done(f, serial_modem_status(f, (uint32_t *)lpModemStat));
}
