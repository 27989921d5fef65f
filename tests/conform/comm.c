/* SPDX-License-Identifier: MIT */
/* Serial lines: opening, settings, time-outs, queues. Events are in comm_event.c. */
#include "conform.h"
#include "packet.h"
#include "comm_line.h"

/* An overlapped transfer on an event of its own: starts it, or waits for its end. */
struct job {
    OVERLAPPED ov;
    char data[4096];
};

static struct job *job_new(void)
{
    struct job *job = calloc(1, sizeof *job);
    job->ov.hEvent = manual_event();
    return job;
}

static void job_free(struct job *job)
{
    CloseHandle(job->ov.hEvent);
    free(job);
}

/* ERROR_IO_PENDING, 0 or another error. */
static DWORD start_read(HANDLE port, struct job *job, DWORD size)
{
    return ReadFile(port, job->data, size, NULL, &job->ov) ? 0 : GetLastError();
}

/* The end of a job: its error, and its count in *bytes. */
static DWORD job_end(HANDLE port, struct job *job, DWORD *bytes)
{
    *bytes = 0xDEAD;
    if (!CHECK_EQ(WaitForSingleObject(job->ov.hEvent, SOON), WAIT_OBJECT_0))
        return 0xDEAD;
    return GetOverlappedResult(port, &job->ov, bytes, FALSE) ? 0 : GetLastError();
}

/* ---- opening ---- */

TEST(open_existing, "COMM-01")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(GetFileType(line.port), FILE_TYPE_CHAR);
    SetLastError(0);
    HANDLE second = CreateFileA(line.name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK_EQ((uintptr_t)second, (uintptr_t)INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(line.port));
    CHECK(line_reopen(&line, 0) != INVALID_HANDLE_VALUE);
    line_end(&line);
}

TEST(open_missing, "COMM-01")
{
    static const char *const names[] = {"\\\\.\\COM199", "\\\\.\\COM10", "COM9"};
#ifdef __linux__
    setenv("IOCP_COM10", "/dev/no such line", 1);
    setenv("IOCP_COM9", "/no such directory/line", 1);
#endif
    for (int i = 0; i < 3; i++) {
        SetLastError(0);
        HANDLE port = CreateFileA(names[i], GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        CHECK_EQ((uintptr_t)port, (uintptr_t)INVALID_HANDLE_VALUE);
        CHECK_LASTERR(ERROR_FILE_NOT_FOUND);
    }
}

#ifdef __linux__
TEST(open_by_path, "COMM-01")
{
    LINE(line, 0);
    const char *path = ptsname(line.far_end);
    DCB dcb;
    CHECK(CloseHandle(line.port));
    line.port = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(line.port != INVALID_HANDLE_VALUE);
    CHECK(GetCommState(line.port, &dcb));
    CHECK_EQ(dcb.ByteSize, 8);
    line_end(&line);
}
#endif

TEST(no_line, "COMM-02 COMM-07")
{
    HANDLE file = temp_file(10, 0), event = manual_event();
    COMSTAT state;
    DWORD mask;
    DCB dcb;
    TODO_WINE("ERROR_INVALID_HANDLE, or ERROR_NOT_SUPPORTED")
    {
        CHECK_ERR(GetCommState(file, &dcb), ERROR_INVALID_FUNCTION);
        CHECK_ERR(SetCommMask(file, EV_RXCHAR), ERROR_INVALID_FUNCTION);
        CHECK_ERR(ClearCommError(file, &mask, &state), ERROR_INVALID_FUNCTION);
    }
    CHECK_ERR(GetCommState(NULL, &dcb), ERROR_INVALID_HANDLE);
    CHECK_ERR(GetCommState(INVALID_HANDLE_VALUE, &dcb), ERROR_INVALID_HANDLE);
    CHECK_ERR(PurgeComm((HANDLE)(uintptr_t)0xDEAD0, PURGE_RXCLEAR), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    CHECK(CloseHandle(file));
}

/* ---- settings ---- */

TEST(state_is_read_back, "COMM-02")
{
    LINE(line, 0);
    DCB dcb, back;
    memset(&dcb, 0, sizeof dcb);
    dcb.DCBlength = sizeof dcb;
    REQUIRE(GetCommState(line.port, &dcb));
    CHECK_EQ(dcb.DCBlength, sizeof dcb);
    CHECK_EQ(dcb.fBinary, 1);
    dcb.BaudRate = CBR_19200;
    dcb.ByteSize = 7;
    dcb.Parity = EVENPARITY;
    dcb.StopBits = TWOSTOPBITS;
    dcb.fParity = 1;
    dcb.fOutX = dcb.fInX = 1;
    dcb.XonChar = 'q';
    dcb.XoffChar = 's';
    CHECK(SetCommState(line.port, &dcb));
    memset(&back, 0, sizeof back);
    CHECK(GetCommState(line.port, &back));
    CHECK_EQ(back.BaudRate, CBR_19200);
    CHECK_EQ(back.ByteSize, 7);
    CHECK_EQ(back.Parity, EVENPARITY);
    CHECK_EQ(back.StopBits, TWOSTOPBITS);
    CHECK_EQ(back.fOutX, 1);
    CHECK_EQ(back.XonChar, 'q');
    CHECK_EQ(back.XoffChar, 's');
    line_end(&line);
}

/* Speeds that are no CBR_ number. */
TEST(any_speed, "COMM-02")
{
    LINE(line, 0);
    DCB dcb;
    REQUIRE(GetCommState(line.port, &dcb));
    dcb.BaudRate = 250000;
    CHECK(SetCommState(line.port, &dcb));
    CHECK(GetCommState(line.port, &dcb));
    CHECK_EQ(dcb.BaudRate, 250000);
    line_end(&line);
}

TEST(impossible_settings, "COMM-02")
{
    LINE(line, 0);
    DCB good, dcb;
    REQUIRE(GetCommState(line.port, &good));
    dcb = good;
    dcb.XoffChar = dcb.XonChar;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    dcb = good;
    dcb.ByteSize = 9;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    dcb = good;
    dcb.ByteSize = 8;
    dcb.StopBits = ONE5STOPBITS;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    dcb = good;
    dcb.ByteSize = 5;
    dcb.StopBits = TWOSTOPBITS;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    dcb = good;
    dcb.Parity = 5;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    dcb = good;
    dcb.BaudRate = 0;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_INVALID_PARAMETER);
    CHECK(GetCommState(line.port, &dcb));
    CHECK_EQ(dcb.ByteSize, good.ByteSize);
    line_end(&line);
}

TEST(setting_keeps_queues, "COMM-02 COMM-10")
{
    LINE(line, 0);
    COMSTAT state = {0};
    DCB dcb;
    REQUIRE(GetCommState(line.port, &dcb));
    CHECK(line_far_write(&line, "abc", 3));
    CHECK(WITHIN(SOON, ClearCommError(line.port, NULL, &state) && state.cbInQue == 3));
    dcb.BaudRate = CBR_38400;
    CHECK(SetCommState(line.port, &dcb));
    CHECK(ClearCommError(line.port, NULL, &state));
    CHECK_EQ(state.cbInQue, 3);
    line_end(&line);
}

TEST(config_and_properties, "COMM-02")
{
    LINE(line, 0);
    COMMCONFIG config;
    COMMPROP properties;
    DWORD size = sizeof config;
    memset(&config, 0, sizeof config);
    CHECK(GetCommConfig(line.port, &config, &size));
    CHECK_EQ(size, sizeof config);
    CHECK_EQ(config.dwSize, sizeof config);
    config.dcb.BaudRate = CBR_4800;
    CHECK(SetCommConfig(line.port, &config, sizeof config));
    CHECK(GetCommConfig(line.port, &config, &size));
    CHECK_EQ(config.dcb.BaudRate, CBR_4800);
    memset(&properties, 0, sizeof properties);
    CHECK(SetupComm(line.port, 2048, 1024));
    CHECK(GetCommProperties(line.port, &properties));
    CHECK_EQ(properties.dwServiceMask, SP_SERIALCOMM);
    CHECK(properties.dwSettableParams & SP_BAUD);
    line_end(&line);
}

TEST(texts, "COMM-02")
{
    COMMTIMEOUTS t;
    DCB dcb;
    memset(&dcb, 0, sizeof dcb);
    memset(&t, 0x55, sizeof t);
    CHECK(BuildCommDCBA("baud=12 parity=e data=7 stop=2 octs=on dtr=off rts=on", &dcb));
    CHECK_EQ(dcb.BaudRate, 12);
    CHECK_EQ(dcb.Parity, EVENPARITY);
    CHECK_EQ(dcb.ByteSize, 7);
    CHECK_EQ(dcb.StopBits, TWOSTOPBITS);
    CHECK_EQ(dcb.fOutxCtsFlow, 1);
    CHECK_EQ(dcb.fRtsControl, RTS_CONTROL_ENABLE);
    CHECK_EQ(dcb.fDtrControl, DTR_CONTROL_DISABLE);
    TODO_WINE("knows on and off only")
    {
        CHECK(BuildCommDCBA("rts=hs", &dcb));
        CHECK_EQ(dcb.fRtsControl, RTS_CONTROL_HANDSHAKE);
    }
    CHECK(BuildCommDCBA("COM1:96,n,8,1", &dcb));
    CHECK_EQ(dcb.BaudRate, 9600);
    CHECK_EQ(dcb.Parity, NOPARITY);
    CHECK_EQ(dcb.ByteSize, 8);
    CHECK_EQ(dcb.StopBits, ONESTOPBIT);
    CHECK_EQ(dcb.fOutX, 0);
    CHECK(BuildCommDCBAndTimeoutsA("baud=115200 to=off xon=on", &dcb, &t));
    CHECK_EQ(dcb.BaudRate, 115200);
    CHECK_EQ(dcb.fOutX, 1);
    CHECK_EQ(t.ReadTotalTimeoutConstant, 0);
    CHECK_ERR(BuildCommDCBA("9600,n", &dcb), ERROR_INVALID_PARAMETER);
    CHECK_ERR(BuildCommDCBA("baud=none", &dcb), ERROR_INVALID_PARAMETER);
    CHECK_ERR(BuildCommDCBA("COM1:9600,q,8,1", &dcb), ERROR_INVALID_PARAMETER);
}

/* ---- time-outs of reads ---- */

TEST(timeouts_are_kept, "COMM-03")
{
    LINE(line, 0);
    COMMTIMEOUTS t = {MAXDWORD, MAXDWORD, MAXDWORD, 4, 5}, back;
    CHECK_ERR(SetCommTimeouts(line.port, &t), ERROR_INVALID_PARAMETER);
    t = (COMMTIMEOUTS){1, 2, 3, 4, 5};
    CHECK(SetCommTimeouts(line.port, &t));
    CHECK(GetCommTimeouts(line.port, &back));
    CHECK_MEM(&back, &t, sizeof t);
    line_end(&line);
}

TEST(what_is_there, "COMM-03")
{
    LINE(line, 0);
    char data[16];
    DWORD bytes = 99;
    COMSTAT state;
    CHECK(set_read_timeouts(line.port, MAXDWORD, 0, 0));
    CHECK(ReadFile(line.port, data, sizeof data, &bytes, NULL)); /* would not come back if it waited */
    CHECK_EQ(bytes, 0);
    CHECK(line_far_write(&line, "hello", 5));
    CHECK(WITHIN(SOON, ClearCommError(line.port, NULL, &state) && state.cbInQue == 5));
    CHECK(ReadFile(line.port, data, sizeof data, &bytes, NULL));
    CHECK_EQ(bytes, 5);
    CHECK_MEM(data, "hello", 5);
    line_end(&line);
}

TEST(what_is_there_overlapped, "COMM-03")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct job *job = job_new();
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, MAXDWORD, 0, 0));
    for (int i = 0; i < 20; i++) {
        DWORD error = start_read(line.port, job, 16);
        CHECK_MSG(error == 0 || error == ERROR_IO_PENDING, "error %u", (unsigned)error);
        CHECK_EQ(job_end(line.port, job, &bytes), 0);
        CHECK_EQ(bytes, 0);
    }
    job_free(job);
    line_end(&line);
}

/* MAXDWORD, MAXDWORD, n: the first byte ends it, or n milliseconds without one. */
TEST(first_byte, "COMM-03 COMM-05")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct job *job = job_new();
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, MAXDWORD, MAXDWORD, 60000));
    CHECK_EQ(start_read(line.port, job, 100), ERROR_IO_PENDING);
    CHECK(line_far_write(&line, "x", 1));
    CHECK_EQ(job_end(line.port, job, &bytes), 0);
    CHECK_EQ(bytes, 1);
    CHECK(set_read_timeouts(line.port, MAXDWORD, MAXDWORD, 50));
    double began = now_ms();
    CHECK_EQ(start_read(line.port, job, 100), ERROR_IO_PENDING);
    CHECK_EQ(job_end(line.port, job, &bytes), 0);
    CHECK_EQ(bytes, 0);
    CHECK(now_ms() - began >= 45);
    job_free(job);
    line_end(&line);
}

TEST(interval, "COMM-04")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct job *job = job_new();
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, 100, 0, 0));
    CHECK_EQ(start_read(line.port, job, 100), ERROR_IO_PENDING);
    /* before the first byte the interval does not count */
    CHECK_EQ(WaitForSingleObject(job->ov.hEvent, 300), WAIT_TIMEOUT);
    double began = now_ms();
    CHECK(line_far_write(&line, "ab", 2));
    CHECK_EQ(job_end(line.port, job, &bytes), 0);
    CHECK_EQ(bytes, 2);
    CHECK_MSG(now_ms() - began >= 90, "after %.1f ms", now_ms() - began);
    CHECK_MEM(job->data, "ab", 2);
    job_free(job);
    line_end(&line);
}

THREAD_FN(feed_slowly)
{
    struct line *line = arg;
    for (int i = 0; i < 5; i++) {
        if (!line_far_write(line, "z", 1))
            FAIL("cannot feed");
        Sleep(400); /* the gap that is tested */
    }
    return 0;
}

/* Every byte begins the interval anew: all of them take longer than one. Synchronous. */
TEST(interval_of_a_slow_sender, "COMM-04")
{
    LINE(line, 0);
    char data[5];
    DWORD bytes = 0;
    CHECK(set_read_timeouts(line.port, 1500, 0, 0));
    HANDLE thread = start_thread(feed_slowly, &line);
    CHECK(ReadFile(line.port, data, sizeof data, &bytes, NULL));
    CHECK_EQ(bytes, 5);
    JOIN(thread);
    line_end(&line);
}

TEST(total, "COMM-05")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(line.port, NULL, 7, 1);
    OVERLAPPED ov = {0};
    COMSTAT state;
    char data[64];
    REQUIRE(port != NULL);
    CHECK(set_read_timeouts(line.port, 0, 10, 60)); /* 10 * 10 + 60 ms */
    CHECK(line_far_write(&line, "abc", 3));
    CHECK(WITHIN(SOON, ClearCommError(line.port, NULL, &state) && state.cbInQue == 3));
    double began = now_ms();
    CHECK_ERR(ReadFile(line.port, data, 10, NULL, &ov), ERROR_IO_PENDING);
    CHECK_PACKET(port, 3, 7, &ov);
    CHECK_MSG(now_ms() - began >= 155, "after %.1f ms", now_ms() - began);
    CHECK_MEM(data, "abc", 3);
    CHECK(CloseHandle(port));
    line_end(&line);
}

TEST(total_synchronous, "COMM-05")
{
    LINE(line, 0);
    char data[64];
    DWORD bytes = 99;
    CHECK(set_read_timeouts(line.port, 0, 0, 100));
    double began = now_ms();
    CHECK(ReadFile(line.port, data, 10, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    CHECK(now_ms() - began >= 95);
    line_end(&line);
}

/* A line that nobody reads takes only so much; then the time of the write is up. */
TEST(total_of_a_write, "COMM-05")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    enum { MUCH = 1000000 };
    COMMTIMEOUTS t = {.WriteTotalTimeoutConstant = 150};
    OVERLAPPED ov = {.hEvent = manual_event()};
    char *data = calloc(1, MUCH);
    DWORD bytes = MUCH;
    CHECK(SetCommTimeouts(line.port, &t));
    double began = now_ms();
    CHECK_ERR(WriteFile(line.port, data, MUCH, NULL, &ov), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(line.port, &ov, &bytes, FALSE));
    CHECK_MSG(bytes < MUCH, "all was written");
    CHECK(now_ms() - began >= 140);
    CHECK(CancelIo(line.port));
    CloseHandle(ov.hEvent);
    line_end(&line);
    free(data);
}

TEST(no_timeouts, "COMM-06")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct job *job = job_new();
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK_EQ(start_read(line.port, job, 4), ERROR_IO_PENDING);
    for (int i = 0; i < 3; i++) {
        CHECK(line_far_write(&line, "w", 1));
        CHECK_EQ(WaitForSingleObject(job->ov.hEvent, 30), WAIT_TIMEOUT);
    }
    CHECK(line_far_write(&line, "wx", 2));
    CHECK_EQ(job_end(line.port, job, &bytes), 0);
    CHECK_EQ(bytes, 4);
    CHECK_MEM(job->data, "wwww", 4);
    DWORD error = start_read(line.port, job, 1); /* the fifth byte is there */
    CHECK_MSG(error == 0 || error == ERROR_IO_PENDING, "error %u", (unsigned)error);
    CHECK_EQ(job_end(line.port, job, &bytes), 0);
    CHECK_EQ(job->data[0], 'x');
    job_free(job);
    line_end(&line);
}

/* Behind another read the clock does not run; it begins when the other is called back. */
TEST(clock_begins_with_the_turn, "COMM-05")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct job *first = job_new(), *second = job_new();
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK_EQ(start_read(line.port, first, 8), ERROR_IO_PENDING);
    CHECK(set_read_timeouts(line.port, 0, 0, 100));
    CHECK_EQ(start_read(line.port, second, 8), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(second->ov.hEvent, 250), WAIT_TIMEOUT);
    double began = now_ms();
    CHECK(CancelIoEx(line.port, &first->ov));
    CHECK_EQ(job_end(line.port, first, &bytes), ERROR_OPERATION_ABORTED);
    CHECK_EQ(job_end(line.port, second, &bytes), 0);
    CHECK_EQ(bytes, 0);
    CHECK(now_ms() - began >= 90);
    job_free(first);
    job_free(second);
    line_end(&line);
}

/* ---- queues ---- */

TEST(purge_aborts, "COMM-09")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    enum { MUCH = 1000000 };
    struct job *read = job_new();
    OVERLAPPED ov = {.hEvent = manual_event()};
    char *data = calloc(1, MUCH);
    DWORD bytes;
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK_EQ(start_read(line.port, read, 8), ERROR_IO_PENDING);
    CHECK_ERR(WriteFile(line.port, data, MUCH, NULL, &ov), ERROR_IO_PENDING);
    CHECK(PurgeComm(line.port, PURGE_RXABORT));
    CHECK_EQ(job_end(line.port, read, &bytes), ERROR_OPERATION_ABORTED);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    CHECK(PurgeComm(line.port, PURGE_TXABORT | PURGE_TXCLEAR));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_ERR(GetOverlappedResult(line.port, &ov, &bytes, FALSE), ERROR_OPERATION_ABORTED);
    CHECK_ERR(PurgeComm(line.port, 0x10), ERROR_INVALID_PARAMETER);
    job_free(read);
    CloseHandle(ov.hEvent);
    line_end(&line);
    free(data);
}

TEST(purge_clears, "COMM-09 COMM-10")
{
    LINE(line, 0);
    COMSTAT state;
    char data[16];
    DWORD bytes = 9;
    CHECK(line_far_write(&line, "abcdef", 6));
    CHECK(WITHIN(SOON, ClearCommError(line.port, NULL, &state) && state.cbInQue == 6));
    CHECK(PurgeComm(line.port, PURGE_RXCLEAR));
    CHECK(ClearCommError(line.port, NULL, &state));
    CHECK_EQ(state.cbInQue, 0);
    CHECK(set_read_timeouts(line.port, MAXDWORD, 0, 0));
    CHECK(ReadFile(line.port, data, sizeof data, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    line_end(&line);
}

TEST(sizes_of_queues, "COMM-10")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    enum { MUCH = 1000000 };
    OVERLAPPED ov = {.hEvent = manual_event()};
    char *data = calloc(1, MUCH);
    COMSTAT state;
    DWORD errors = 0xDEAD;
    memset(&state, 0xFF, sizeof state);
    CHECK(ClearCommError(line.port, &errors, &state));
    CHECK_EQ(errors, 0);
    CHECK_EQ(state.cbInQue, 0);
    CHECK_EQ(state.cbOutQue, 0);
    CHECK_ERR(WriteFile(line.port, data, MUCH, NULL, &ov), ERROR_IO_PENDING);
    CHECK(ClearCommError(line.port, NULL, &state));
    CHECK(state.cbOutQue > MUCH / 2 && state.cbOutQue <= MUCH);
    CHECK(CancelIoEx(line.port, &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    line_end(&line);
    free(data);
}

TEST(both_ways, "COMM-06 COMM-01")
{
    LINE(line, 0);
    static char sent[3000], back[3000];
    DWORD bytes = 0;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)pattern(i);
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK(WriteFile(line.port, sent, sizeof sent, &bytes, NULL));
    CHECK_EQ(bytes, sizeof sent);
    CHECK_EQ(line_far_read(&line, back, sizeof back, 1000), sizeof back);
    CHECK_MEM(back, sent, sizeof sent); /* no byte is special: the line is raw */
    CHECK(line_far_write(&line, sent, sizeof sent));
    CHECK(ReadFile(line.port, back, sizeof back, &bytes, NULL));
    CHECK_EQ(bytes, sizeof back);
    CHECK_MEM(back, sent, sizeof sent);
    CHECK(TransmitCommChar(line.port, '!'));
    CHECK_EQ(line_far_read(&line, back, 1, 1000), 1);
    CHECK_EQ(back[0], '!');
    CHECK(FlushFileBuffers(line.port));
    line_end(&line);
}

#ifdef __linux__
/* A pseudo terminal has no modem lines. */
TEST(no_modem_lines, "COMM-07")
{
    LINE(line, 0);
    DWORD lines;
    CHECK_ERR(GetCommModemStatus(line.port, &lines), ERROR_NOT_SUPPORTED);
    CHECK_ERR(EscapeCommFunction(line.port, SETDTR), ERROR_NOT_SUPPORTED);
    CHECK_ERR(EscapeCommFunction(line.port, RESETDEV), ERROR_NOT_SUPPORTED);
    CHECK_ERR(EscapeCommFunction(line.port, 77), ERROR_INVALID_PARAMETER);
    CHECK(EscapeCommFunction(line.port, SETXOFF));
    CHECK(EscapeCommFunction(line.port, SETXON));
    line_end(&line);
}

/* What is refused loudly. */
TEST(not_there, "COMM-02")
{
    LINE(line, 0);
    DCB good, dcb;
    REQUIRE(GetCommState(line.port, &good));
    dcb = good;
    dcb.fOutxDsrFlow = 1;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_CALL_NOT_IMPLEMENTED);
    dcb = good;
    dcb.fNull = 1;
    CHECK_ERR(SetCommState(line.port, &dcb), ERROR_CALL_NOT_IMPLEMENTED);
    line_end(&line);
}
#endif

/* The device vanishes: all that pends is answered, and what comes after fails. */
TEST(vanishing, "COMM-01 COMM-09")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(line.port, NULL, 3, 1);
    static char data[1000000];
    OVERLAPPED ovs[3];
    char in[16];
    DWORD mask;
    memset(ovs, 0, sizeof ovs);
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK_ERR(ReadFile(line.port, in, sizeof in, NULL, &ovs[0]), ERROR_IO_PENDING);
    CHECK_ERR(WriteFile(line.port, data, sizeof data, NULL, &ovs[1]), ERROR_IO_PENDING);
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ovs[2]), ERROR_IO_PENDING);
    if (line_vanish(&line)) {
        int seen = 0;
        for (int i = 0; i < 3; i++) {
            struct got g = get_packet(port, SOON);
            CHECK(!g.ok);
            CHECK_EQ(g.error, ERROR_DEVICE_NOT_CONNECTED);
            for (int k = 0; k < 3; k++)
                seen |= g.ov == &ovs[k] ? 1 << k : 0;
        }
        CHECK_EQ(seen, 7);
        CHECK_ERR(ReadFile(line.port, in, sizeof in, NULL, &ovs[0]), ERROR_DEVICE_NOT_CONNECTED);
        CHECK_ERR(WriteFile(line.port, in, sizeof in, NULL, &ovs[0]), ERROR_DEVICE_NOT_CONNECTED);
        CHECK_ERR(WaitCommEvent(line.port, &mask, &ovs[2]), ERROR_DEVICE_NOT_CONNECTED);
    } else { /* nobody can pull it out here: it is closed with all that pends */
        CHECK(CloseHandle(line.port));
        line.port = INVALID_HANDLE_VALUE;
        for (int i = 0; i < 3; i++)
            CHECK_EQ(get_packet(port, SOON).error, ERROR_OPERATION_ABORTED);
    }
    line_end(&line);
    CHECK(CloseHandle(port));
}

/* Closed with reads that wait for a far time-out. */
TEST(close_with_pending, "COMM-05")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(line.port, NULL, 3, 1);
    OVERLAPPED ovs[4];
    char in[4][16];
    memset(ovs, 0, sizeof ovs);
    CHECK(set_read_timeouts(line.port, 10, 1000, 3600000));
    for (int i = 0; i < 4; i++)
        CHECK_ERR(ReadFile(line.port, in[i], 16, NULL, &ovs[i]), ERROR_IO_PENDING);
    CHECK(CloseHandle(line.port));
    for (int i = 0; i < 4; i++)
        CHECK_EQ(get_packet(port, SOON).error, ERROR_OPERATION_ABORTED);
    CHECK(line_reopen(&line, 0) != INVALID_HANDLE_VALUE);
    line_end(&line);
    CHECK(CloseHandle(port));
}

THREAD_FN(read_blocking)
{
    struct line *l = arg;
    char data[8];
    DWORD bytes = 0;
    return ReadFile(l->port, data, sizeof data, &bytes, NULL) ? 0 : GetLastError();
}

/* A thread that waits for bytes without end is called back, and by closing, too. */
TEST(blocking_read_is_called_back, "COMM-06")
{
    LINE(line, 0);
    DWORD error = 0;
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    for (int round = 0; round < 2; round++) {
        HANDLE thread = start_thread(read_blocking, &line);
        until_asleep(GetThreadId(thread));
        CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
        if (round == 0) {
            CHECK(CancelSynchronousIo(thread));
        } else {
            CHECK(CloseHandle(line.port));
        }
        CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(thread, &error));
        CHECK_EQ(error, ERROR_OPERATION_ABORTED);
        CHECK(CloseHandle(thread));
    }
    line.port = INVALID_HANDLE_VALUE;
    line_end(&line);
}

THREAD_FN(flush_blocking)
{
    struct line *l = arg;
    return FlushFileBuffers(l->port) ? 0 : GetLastError();
}

/* A line that its far end holds up: flushing waits for the writes before it, is called back, and by closing,
 * too; and ends when the line goes on. */
TEST(flushing_a_line_that_is_held_up, "COMM-01 CANCEL-08")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    static char data[1000];
    char got[sizeof data];
    OVERLAPPED ov;
    DWORD error;
    HANDLE thread;
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    CHECK(FlushFileBuffers(line.port));
    CHECK(EscapeCommFunction(line.port, SETXOFF));
    CHECK_ERR(WriteFile(line.port, data, sizeof data, NULL, &ov), ERROR_IO_PENDING);
    thread = start_thread(flush_blocking, &line);
    until_asleep(GetThreadId(thread));
    CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
    CHECK(CancelSynchronousIo(thread));
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &error));
    CHECK_EQ(error, ERROR_OPERATION_ABORTED);
    CHECK(CloseHandle(thread));

    thread = start_thread(flush_blocking, &line);
    until_asleep(GetThreadId(thread));
    CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
    CHECK(EscapeCommFunction(line.port, SETXON));
    CHECK_EQ(line_far_read(&line, got, sizeof got, SOON), sizeof got);
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &error));
    CHECK_EQ(error, 0);
    CHECK(CloseHandle(thread));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);

    CHECK(EscapeCommFunction(line.port, SETXOFF));
    CHECK_ERR(WriteFile(line.port, data, sizeof data, NULL, &ov), ERROR_IO_PENDING);
    thread = start_thread(flush_blocking, &line);
    until_asleep(GetThreadId(thread));
    CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
    CHECK(CloseHandle(line.port));
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &error));
    CHECK_EQ(error, ERROR_OPERATION_ABORTED);
    CHECK(CloseHandle(thread));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK(CloseHandle(ov.hEvent));
    line.port = INVALID_HANDLE_VALUE;
    line_end(&line);
}

struct line_writer {
    HANDLE port;
    char byte;
    struct meeting *start;
};

enum { ALIKE = 20000, ALIKE_TIMES = 5 };

THREAD_FN(write_alike)
{
    struct line_writer *w = arg;
    char *data = malloc(ALIKE);
    DWORD bytes = 0;
    memset(data, w->byte, ALIKE);
    meet(w->start);
    for (int i = 0; i < ALIKE_TIMES; i++) {
        CHECK(WriteFile(w->port, data, ALIKE, &bytes, NULL));
        CHECK_EQ(bytes, ALIKE);
    }
    free(data);
    return 0;
}

/* More than the line takes at once: still, what one call writes comes in one piece. */
TEST(writes_of_two_threads_stay_whole, "COMM-01")
{
    struct line line;
    static char got[2 * ALIKE * ALIKE_TIMES];
    struct meeting start = {.need = 2};
    size_t run = 1;
    if (line_missing())
        SKIP(line_missing());
    REQUIRE(line_make(&line));
    REQUIRE(line_reopen(&line, 0) != INVALID_HANDLE_VALUE);
    struct line_writer a = {line.port, 'a', &start}, b = {line.port, 'b', &start};
    HANDLE threads[2] = {start_thread(write_alike, &a), start_thread(write_alike, &b)};
    CHECK_EQ(line_far_read(&line, got, sizeof got, 20000), sizeof got);
    for (size_t i = 1; i < sizeof got; i++, run++) {
        if (got[i] == got[i - 1])
            continue;
        CHECK_EQ(run % ALIKE, 0);
        run = 0;
    }
    JOIN(threads[0]);
    JOIN(threads[1]);
    line_end(&line);
}
