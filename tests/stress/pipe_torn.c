/* SPDX-License-Identifier: MIT */
/*
 * Messages of all sizes, several writes in flight, any of them cancelled at any moment, against reads with
 * buffers of all sizes, cancelled too. Every message whose write succeeded arrives once, whole and in order;
 * of one whose write was called back at most a part does that was handed out with ERROR_MORE_DATA before.
 */
#include "stress.h"

#include <stdbool.h>

enum { LARGEST = 400000, FLIGHT = 4, MAGIC = 0x6E726F74 };

struct head {
    uint32_t magic, number, size;
};

struct flight {
    OVERLAPPED ov;
    uint32_t number, size;
    bool flying;
    char data[LARGEST];
};

static char name[64];
static HANDLE ends[2];
static struct flight flights[FLIGHT];
static _Atomic unsigned char *fates; /* by number: 0 not known, 1 written, 2 called back */
static uint64_t written, called_back, arrived, in_part;

static char byte_of(uint32_t number, size_t at)
{
    return (char)(number * 31 + at * 7 + (at >> 9));
}

static void build(struct flight *f, uint32_t number, uint32_t size)
{
    struct head head = {MAGIC, number, size};

    f->number = number;
    f->size = size;
    for (size_t i = sizeof head; i < size; i++)
        f->data[i] = byte_of(number, i);
    memcpy(f->data, &head, sizeof head);
}

static void land(struct flight *f)
{
    DWORD n = 0;
    BOOL ok = GetOverlappedResult(ends[0], &f->ov, &n, TRUE);

    MUST(ok ? n == f->size : GetLastError() == ERROR_OPERATION_ABORTED && n == 0);
    atomic_store(&fates[f->number], ok ? 1 : 2);
    written += ok;
    called_back += !ok;
    f->flying = false;
}

static void *write_all(void *arg)
{
    uint64_t state = stress_seed ^ 0x5555;

    for (uint32_t number = 1; number <= stress_count; number++) {
        struct flight *f = &flights[number % FLIGHT];
        uint32_t limit = stress_random(&state, 3) ? LARGEST / 2 : 300;
        uint32_t size = sizeof(struct head) + stress_random(&state, limit);

        if (f->flying)
            land(f);
        build(f, number, number == stress_count ? sizeof(struct head) : size);
        ResetEvent(f->ov.hEvent);
        f->flying = true;
        MUST(WriteFile(ends[0], f->data, f->size, NULL, &f->ov) || GetLastError() == ERROR_IO_PENDING);
        if (number < stress_count && stress_random(&state, 2)) {
            struct flight *other = &flights[stress_random(&state, FLIGHT)];

            for (uint32_t n = stress_random(&state, 2) ? stress_random(&state, 20000) : 0; n > 0; n--)
                atomic_load(&fates[0]);
            if (other->flying && other->number < stress_count)
                CancelIoEx(ends[0], &other->ov);
        }
    }
    for (int i = 0; i < FLIGHT; i++) {
        if (flights[i].flying)
            land(&flights[i]);
    }
    return arg;
}

/* What the reader has of the message it is in. */
static struct {
    struct head head;
    uint32_t got;
    uint32_t last; /* the number of the last message that was whole */
    bool *whole;
} in;

/* A part: it goes on with the message, or begins the next; of the one before there was no more. */
static void take(const char *data, DWORD n, bool ends_it)
{
    struct head head;

    if (in.got >= sizeof head && n >= sizeof head) {
        memcpy(&head, data, sizeof head);
        if (head.magic == MAGIC && head.number > in.head.number) {
            in.got = 0;
            in_part++;
        }
    }
    if (in.got == 0) {
        MUST(n >= sizeof in.head);
        memcpy(&in.head, data, sizeof in.head);
        MUST(in.head.magic == MAGIC && in.head.number > in.last && in.head.number <= stress_count);
    }
    for (DWORD i = in.got == 0 ? sizeof head : 0; i < n; i++)
        MUST(data[i] == byte_of(in.head.number, in.got + i));
    in.got += n;
    MUST(in.got <= in.head.size && ends_it == (in.got == in.head.size));
    if (!ends_it)
        return;
    in.whole[in.head.number] = true;
    in.last = in.head.number;
    in.got = 0;
    arrived++;
}

static void read_all(void)
{
    static char data[LARGEST];
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    uint64_t state = stress_seed ^ 0xAAAA;

    while (in.last < stress_count) {
        /* Never less than a head: so it can be told where a message begins. */
        DWORD size = stress_random(&state, 3) ? LARGEST : 4096 + stress_random(&state, LARGEST / 8);
        DWORD n = 0, error;

        ResetEvent(ov.hEvent);
        MUST(ReadFile(ends[1], data, size, NULL, &ov) || GetLastError() == ERROR_IO_PENDING ||
             GetLastError() == ERROR_MORE_DATA);
        if (stress_random(&state, 4) == 0) {
            for (uint32_t looks = stress_random(&state, 20000); looks > 0; looks--)
                atomic_load(&fates[0]);
            CancelIoEx(ends[1], &ov);
        }
        error = GetOverlappedResult(ends[1], &ov, &n, TRUE) ? 0 : GetLastError();
        MUST(error == 0 || error == ERROR_MORE_DATA || error == ERROR_OPERATION_ABORTED);
        if (error == ERROR_OPERATION_ABORTED)
            MUST(n == 0);
        else
            take(data, n, error == 0);
    }
    CloseHandle(ov.hEvent);
}

int main(int argc, char **argv)
{
    DWORD mode = PIPE_READMODE_MESSAGE;
    pthread_t writer;

    stress_begin(argc, argv, 20000, 1500);
    fates = calloc(stress_count + 1, 1);
    in.whole = calloc(stress_count + 1, 1);
    MUST(fates && in.whole);
    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-torn-%d", (int)getpid());
    ends[0] = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                               PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096, 4096, 0, NULL);
    MUST(ends[0] != INVALID_HANDLE_VALUE);
    ends[1] = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                          NULL);
    MUST(ends[1] != INVALID_HANDLE_VALUE);
    MUST(SetNamedPipeHandleState(ends[1], &mode, NULL, NULL));
    for (int i = 0; i < FLIGHT; i++)
        flights[i].ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    writer = stress_thread(write_all, NULL);
    read_all();
    pthread_join(writer, NULL);
    for (uint32_t i = 1; i <= stress_count; i++)
        MUST(in.whole[i] == (atomic_load(&fates[i]) == 1));
    for (int i = 0; i < FLIGHT; i++)
        CloseHandle(flights[i].ov.hEvent);
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);
    free((void *)fates);
    free(in.whole);
    printf("# %llu written, %llu called back; %llu arrived, %llu in part\n", (unsigned long long)written,
           (unsigned long long)called_back, (unsigned long long)arrived, (unsigned long long)in_part);
    stress_balanced();
    return 0;
}
