/* SPDX-License-Identifier: MIT */
/*
 * BuildCommDCB and its kin: "COM1:9600,n,8,1,x" and "baud=9600 parity=n ...", as the command
 * MODE takes them. What a text names is set, the rest of the DCB stays; the stop bits of 110 bits per
 * second are two where nothing is said.
 */
#include <windows.h>

#include "api/api.h"
#include "base/text.h"

#include <ntstatus.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 255 };

/* What is being read: one word at a time. */
struct reading {
    DCB dcb;
    COMMTIMEOUTS timeouts;
    bool timeouts_set;
    bool stop_set;
};

static bool is(const char *word, const char *wanted)
{
    return _stricmp(word, wanted) == 0;
}

/* ---- values ---- */

static bool read_baud(struct reading *r, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end || n == 0 || n > MAXDWORD)
        return false;
    r->dcb.BaudRate = (DWORD)n;
    return true;
}

/* Two digits will do in the short form. */
static bool read_brief_baud(struct reading *r, const char *value)
{
    static const struct { DWORD brief, baud; } briefs[] = {
        {11, 110},   {15, 150},   {30, 300},   {60, 600},   {12, 1200},
        {24, 2400},  {48, 4800},  {96, 9600},  {19, 19200},
    };
    DWORD n;

    if (!read_baud(r, value))
        return false;
    n = r->dcb.BaudRate;
    for (size_t i = 0; i < sizeof briefs / sizeof briefs[0]; i++) {
        if (briefs[i].brief == n)
            r->dcb.BaudRate = briefs[i].baud;
    }
    return true;
}

static bool read_parity(struct reading *r, const char *value)
{
    static const char letters[] = "noems";
    const char *at = value[0] && !value[1] ? strchr(letters, (char)text_fold((unsigned char)value[0])) : NULL;

    if (!at)
        return false;
    r->dcb.Parity = (BYTE)(at - letters);
    return true;
}

static bool read_data(struct reading *r, const char *value)
{
    if (value[0] < '5' || value[0] > '8' || value[1])
        return false;
    r->dcb.ByteSize = (BYTE)(value[0] - '0');
    return true;
}

static bool read_stop(struct reading *r, const char *value)
{
    if (is(value, "1"))
        r->dcb.StopBits = ONESTOPBIT;
    else if (is(value, "1.5"))
        r->dcb.StopBits = ONE5STOPBITS;
    else if (is(value, "2"))
        r->dcb.StopBits = TWOSTOPBITS;
    else
        return false;
    r->stop_set = true;
    return true;
}

static bool read_switch(const char *value, bool *on)
{
    *on = is(value, "on");
    return *on || is(value, "off");
}

/* on, off, and the word or letters for hand-shaking (both lines number them alike); `toggle`: of RTS
 * alone. */
static bool read_control(const char *value, bool toggle, DWORD *control)
{
    if (is(value, "on"))
        *control = RTS_CONTROL_ENABLE;
    else if (is(value, "off"))
        *control = RTS_CONTROL_DISABLE;
    else if (is(value, "hs"))
        *control = RTS_CONTROL_HANDSHAKE;
    else if (toggle && is(value, "tg"))
        *control = RTS_CONTROL_TOGGLE;
    else
        return false;
    return true;
}

static bool read_timeouts(struct reading *r, const char *value)
{
    bool on;

    if (!read_switch(value, &on))
        return false;
    r->timeouts = (COMMTIMEOUTS){.WriteTotalTimeoutConstant = on ? 60000 : 0,
                                 .ReadTotalTimeoutConstant = on ? 60000 : 0};
    r->timeouts_set = true;
    return true;
}

static bool read_flow(struct reading *r, const char *name, const char *value)
{
    DWORD control;
    bool on;

    if (is(name, "dtr") || is(name, "rts")) {
        bool rts = is(name, "rts");

        if (!read_control(value, rts, &control))
            return false;
        if (rts)
            r->dcb.fRtsControl = control & 3;
        else
            r->dcb.fDtrControl = control & 3;
        return true;
    }
    if (!read_switch(value, &on))
        return false;
    if (is(name, "xon"))
        r->dcb.fOutX = r->dcb.fInX = on;
    else if (is(name, "odsr"))
        r->dcb.fOutxDsrFlow = on;
    else if (is(name, "octs"))
        r->dcb.fOutxCtsFlow = on;
    else if (is(name, "idsr"))
        r->dcb.fDsrSensitivity = on;
    else
        return false;
    return true;
}

/* ---- texts ---- */

static bool read_pair(struct reading *r, char *word)
{
    char *value = strchr(word, '=');

    if (!value)
        return false;
    *value++ = 0;
    if (is(word, "baud"))
        return read_baud(r, value);
    if (is(word, "parity"))
        return read_parity(r, value);
    if (is(word, "data"))
        return read_data(r, value);
    if (is(word, "stop"))
        return read_stop(r, value);
    if (is(word, "to"))
        return read_timeouts(r, value);
    return read_flow(r, word, value);
}

static bool read_long(struct reading *r, char *text)
{
    char *rest;

    for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (!read_pair(r, word))
            return false;
    }
    return true;
}

/* x: XON/XOFF, p: by the lines, nothing: neither. */
static bool read_retry(struct reading *r, const char *value)
{
    bool lines = is(value, "p");

    r->dcb.fInX = r->dcb.fOutX = is(value, "x");
    r->dcb.fOutxCtsFlow = r->dcb.fOutxDsrFlow = lines;
    r->dcb.fRtsControl = lines ? RTS_CONTROL_HANDSHAKE : RTS_CONTROL_ENABLE;
    r->dcb.fDtrControl = lines ? DTR_CONTROL_HANDSHAKE : DTR_CONTROL_ENABLE;
    return !*value || is(value, "x") || lines;
}

/* "9600,n,8,1,x" */
static bool read_short(struct reading *r, char *text)
{
    bool (*const fields[])(struct reading *, const char *) = {read_brief_baud, read_parity, read_data,
                                                              read_stop};
    char *next = text;

    for (int i = 0; i < 5; i++) {
        char *word = next;
        char *end = word ? strchr(word, ',') : NULL;

        next = end ? end + 1 : NULL;
        if (end)
            *end = 0;
        if (i == 4)
            return !next && read_retry(r, word ? word : "");
        if (!word || !fields[i](r, word))
            return false;
    }
    return false;
}

/* Passes "COM1", which a colon ends, or a blank before pairs. */
static char *after_name(char *text)
{
    char *end;

    if (_strnicmp(text, "com", 3) != 0)
        return text;
    strtoul(text + 3, &end, 10);
    if (end == text + 3)
        return text;
    if (*end == ':')
        end++;
    return end + strspn(end, " \t");
}

static uint32_t build(const char *text, DCB *dcb, COMMTIMEOUTS *timeouts)
{
    struct reading r = {.dcb = dcb ? *dcb : (DCB){0}};
    char copy[TEXT_MAX + 1];
    char *start;

    if (!text || !dcb || strlen(text) > TEXT_MAX)
        return STATUS_INVALID_PARAMETER;
    strcpy(copy, text);
    start = after_name(copy);
    r.dcb.DCBlength = sizeof r.dcb;
    if (!(strchr(start, '=') ? read_long(&r, start) : read_short(&r, start)))
        return STATUS_INVALID_PARAMETER;
    if (!r.stop_set && r.dcb.BaudRate == 110)
        r.dcb.StopBits = TWOSTOPBITS;
    *dcb = r.dcb;
    if (timeouts && r.timeouts_set)
        *timeouts = r.timeouts;
    return STATUS_SUCCESS;
}

static uint32_t build_wide(const WCHAR *text, DCB *dcb, COMMTIMEOUTS *timeouts)
{
    char *narrow = text ? text_utf8_new((const uint16_t *)text) : NULL;
    uint32_t status = build(narrow, dcb, timeouts);

    free(narrow);
    return status;
}

BOOL WINAPI BuildCommDCBA(LPCSTR lpDef, LPDCB lpDCB)
{
    return win32_result(build(lpDef, lpDCB, NULL));
}

BOOL WINAPI BuildCommDCBW(LPCWSTR lpDef, LPDCB lpDCB)
{
    return win32_result(build_wide(lpDef, lpDCB, NULL));
}

BOOL WINAPI BuildCommDCBAndTimeoutsA(LPCSTR lpDef, LPDCB lpDCB, LPCOMMTIMEOUTS lpCommTimeouts)
{
    return win32_result(build(lpDef, lpDCB, lpCommTimeouts));
}

BOOL WINAPI BuildCommDCBAndTimeoutsW(LPCWSTR lpDef, LPDCB lpDCB, LPCOMMTIMEOUTS lpCommTimeouts)
{
    return win32_result(build_wide(lpDef, lpDCB, lpCommTimeouts));
}
