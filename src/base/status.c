/* SPDX-License-Identifier: MIT */
/*
 * The table of failures. Rows are sorted by NTSTATUS, so that a lookup is a binary search and a
 * row stands once; the errno table below it names rows. The Win32 column is what
 * RtlNtStatusToDosError answers (conform/everyday_error.c holds it to that) except for wait
 * results, see status_to_dos_error(); the WSA column is what a Winsock call reports.
 */
#include "base/status.h"

#include <errno.h>
#include <stddef.h>

#define WIN32_NO_MESSAGE 317u   /* ERROR_MR_MID_NOT_FOUND: no row */
#define WSA_NO_ROW 10022u       /* WSAEINVAL */

struct row {
    uint32_t status;
    uint16_t win32;
    uint16_t wsa;
};

/* Statuses below 0x40000000 are not failures; they stand here only if some call reports them as
 * the reason why it has nothing to give. */
static const struct row rows[] = {
    {0x00000000, 0, 0},
    {0x00000080, 735, 735},         /* abandoned: port closed under a waiter */
    {0x000000C0, 192, 192},         /* user APC: the wait ended because a routine ran */
    {0x00000102, 258, 10060},       /* timeout */
    {0x00000103, 997, 997},         /* pending */
    {0x80000005, 234, 10040},       /* buffer overflow */
    {0x80000006, 18, 10110},        /* no more files */
    {0x8000000D, 299, 10022},       /* partial copy */
    {0x80000011, 170, 10055},       /* device busy */
    {0x8000001A, 259, 10110},       /* no more entries */
    {0xC0000001, 31, 10022},        /* unsuccessful */
    {0xC0000002, 1, 10045},         /* not implemented */
    {0xC0000003, 87, 10022},        /* invalid info class */
    {0xC0000004, 24, 10022},        /* info length mismatch */
    {0xC0000005, 998, 10014},       /* access violation */
    {0xC0000008, 6, 10038},         /* invalid handle */
    {0xC000000B, 87, 10022},        /* invalid client id */
    {0xC000000D, 87, 10022},        /* invalid parameter */
    {0xC000000E, 433, 10050},       /* no such device */
    {0xC000000F, 2, 10050},         /* no such file */
    {0xC0000010, 1, 10045},         /* invalid device request */
    {0xC0000011, 38, 10101},        /* end of file */
    {0xC0000013, 21, 10050},        /* no media */
    {0xC0000016, 234, 10035},       /* more processing required */
    {0xC0000017, 8, 10055},         /* no memory */
    {0xC0000018, 487, 10022},       /* conflicting addresses (of memory) */
    {0xC0000019, 487, 10022},       /* not mapped view */
    {0xC000001E, 5, 10013},         /* invalid lock sequence */
    {0xC000001F, 5, 10013},          /* invalid view size */
    {0xC0000020, 193, 10022},        /* invalid file for section */
    {0xC0000021, 5, 10013},         /* already committed */
    {0xC0000022, 5, 10013},         /* access denied */
    {0xC0000023, 122, 10014},       /* buffer too small */
    {0xC0000024, 6, 10038},         /* object type mismatch */
    {0xC000002D, 487, 10022},       /* not committed */
    {0xC0000030, 87, 10022},        /* invalid parameter mix */
    {0xC0000033, 123, 10022},       /* object name invalid */
    {0xC0000034, 2, 10050},         /* object name not found */
    {0xC0000035, 183, 10048},       /* object name collision */
    {0xC0000039, 161, 10022},       /* object path invalid */
    {0xC000003A, 3, 10050},         /* object path not found */
    {0xC000003B, 161, 10022},       /* object path syntax bad */
    {0xC0000040, 8, 10055},         /* section too big */
    {0xC0000041, 5, 10013},         /* port connection refused */
    {0xC0000042, 6, 10038},         /* invalid port handle */
    {0xC0000043, 32, 10048},        /* sharing violation */
    {0xC0000044, 1816, 10055},      /* quota exceeded */
    {0xC0000046, 288, 10022},       /* mutant not owned */
    {0xC0000047, 298, 10022},       /* semaphore limit exceeded */
    {0xC0000048, 87, 10022},        /* port already set */
    {0xC000004B, 5, 10022},         /* thread is terminating */
    {0xC0000054, 33, 33},           /* file lock conflict: of a file that is sent */
    {0xC0000055, 33, 10022},        /* lock not granted */
    {0xC0000056, 5, 10022},         /* delete pending */
    {0xC0000061, 1314, 10013},      /* privilege not held */
    {0xC000007A, 127, 10022},       /* procedure not found */
    {0xC000007B, 193, 10022},       /* invalid image format */
    {0xC000007E, 158, 10022},       /* range not locked */
    {0xC000007F, 112, 10055},       /* disk full */
    {0xC000009A, 1450, 10055},      /* insufficient resources */
    {0xC000009D, 1167, 10050},      /* device not connected */
    {0xC00000A2, 19, 10013},        /* media write protected */
    {0xC00000A3, 21, 10035},        /* device not ready */
    {0xC00000AB, 231, 10055},       /* pipe instance not available */
    {0xC00000AC, 231, 10055},       /* pipe not available */
    {0xC00000AD, 230, 10057},       /* invalid pipe state */
    {0xC00000AE, 231, 10055},       /* pipe busy */
    {0xC00000AF, 1, 10045},         /* illegal function: of the other end of a pipe */
    {0xC00000B0, 233, 10058},       /* pipe disconnected */
    {0xC00000B1, 232, 10058},       /* pipe closing */
    {0xC00000B2, 535, 10056},       /* pipe connected */
    {0xC00000B3, 536, 10057},       /* pipe listening */
    {0xC00000B4, 230, 10057},       /* invalid read mode */
    {0xC00000B5, 121, 10060},       /* I/O timeout */
    {0xC00000BA, 5, 10013},         /* file is a directory */
    {0xC00000BB, 50, 10045},        /* not supported */
    {0xC00000BE, 53, 10051},        /* bad network path */
    {0xC00000BF, 54, 10050},        /* network busy */
    {0xC00000C3, 58, 10050},        /* invalid network response */
    {0xC00000C4, 59, 10050},        /* unexpected network error */
    {0xC00000C9, 64, 10050},        /* network name deleted */
    {0xC00000D0, 71, 10035},        /* request not accepted */
    {0xC00000D4, 17, 10022},        /* not the same device */
    {0xC00000D9, 232, 10035},       /* pipe empty */
    {0xC00000E8, 1784, 10014},      /* invalid user buffer */
    {0xC00000EF, 87, 10022},        /* invalid parameter 1 */
    {0xC0000101, 145, 10022},       /* directory not empty */
    {0xC0000102, 1392, 10022},      /* file corrupt */
    {0xC0000103, 267, 10022},       /* not a directory */
    {0xC0000106, 206, 10063},       /* name too long */
    {0xC000010A, 5, 10022},         /* process is terminating */
    {0xC000011E, 1006, 10022},       /* mapped file size zero */
    {0xC000011F, 4, 10024},         /* too many open files */
    {0xC0000120, 995, 995},         /* cancelled */
    {0xC0000121, 5, 10013},         /* cannot delete */
    {0xC0000123, 5, 10022},         /* file deleted */
    {0xC0000128, 6, 10038},         /* file closed */
    {0xC000012D, 1455, 10055},      /* commitment limit */
    {0xC0000135, 126, 10022},       /* DLL not found */
    {0xC000013B, 64, 10053},        /* local disconnect */
    {0xC000013C, 64, 10054},        /* remote disconnect */
    {0xC000013D, 51, 10055},        /* remote resources */
    {0xC000013E, 59, 10054},        /* link failed */
    {0xC000013F, 59, 10060},        /* link timeout */
    {0xC0000140, 59, 10057},        /* invalid connection */
    {0xC0000141, 59, 10049},        /* invalid address */
    {0xC0000148, 124, 10022},       /* invalid level */
    {0xC000014B, 109, 10054},       /* pipe broken */
    {0xC0000185, 1117, 10050},      /* I/O device error */
    {0xC0000194, 1131, 10022},      /* possible deadlock */
    {0xC00001A1, 307, 10022},       /* invalid lock range */
    {0xC0000202, 1394, 10055},      /* too many links to follow */
    {0xC0000205, 1130, 10055},      /* insufficient server resources */
    {0xC0000206, 1784, 10040},      /* invalid buffer size */
    {0xC0000207, 1214, 10049},      /* invalid address component */
    {0xC0000208, 1214, 10049},      /* invalid address wildcard */
    {0xC0000209, 68, 10048},        /* too many addresses */
    {0xC000020A, 52, 10048},        /* address already exists */
    {0xC000020B, 64, 10049},        /* address closed */
    {0xC000020C, 64, 10053},        /* connection disconnected */
    {0xC000020D, 64, 10054},        /* connection reset */
    {0xC000020E, 68, 10055},        /* too many nodes */
    {0xC000020F, 59, 10053},        /* transaction aborted */
    {0xC0000220, 1132, 10022},       /* mapped alignment */
    {0xC0000225, 1168, 10022},      /* not found */
    {0xC0000234, 1909, 10013},      /* account locked out */
    {0xC0000235, 6, 10013},         /* handle not closable */
    {0xC0000236, 1225, 10061},      /* connection refused */
    {0xC0000237, 1226, 10101},      /* graceful disconnect */
    {0xC0000238, 1227, 10048},      /* address already associated */
    {0xC0000239, 1228, 10049},      /* address not associated */
    {0xC000023A, 1229, 10057},      /* connection invalid */
    {0xC000023B, 1230, 10056},      /* connection active */
    {0xC000023C, 1231, 10051},      /* network unreachable */
    {0xC000023D, 1232, 10065},      /* host unreachable */
    {0xC000023E, 1233, 10051},      /* protocol unreachable */
    {0xC000023F, 1234, 10054},      /* port unreachable */
    {0xC0000240, 1235, 10004},      /* request aborted */
    {0xC0000241, 1236, 10053},      /* connection aborted */
    {0xC0000265, 1142, 10022},      /* too many links */
    {0xC0000275, 4390, 10022},      /* not a reparse point */
    {0xC0000280, 1921, 10062},      /* reparse point not resolved */
    {0xC0000904, 223, 10022},       /* file too large */
};

/* errno, what it means on a file or pipe, and what it means on a socket. Where the two differ the
 * reason stands beside it. The rows are kept in no order: 60 of them, on error paths only. */
struct errno_row {
    int err;
    uint32_t file;
    uint32_t socket;
};

#define WSA(code) (STATUS_WRAP_WSA | (code))

static const struct errno_row errno_rows[] = {
    {EPERM, 0xC0000022, 0xC0000022},
    {EACCES, 0xC0000022, 0xC0000022},
    {ENOENT, 0xC0000034, 0xC0000034},
    {ENOTDIR, 0xC000003A, 0xC000003A},
    {EEXIST, 0xC0000035, 0xC0000035},
    {EISDIR, 0xC00000BA, 0xC00000BA},
    {ENOTEMPTY, 0xC0000101, 0xC0000101},
    {ENAMETOOLONG, 0xC0000106, 0xC0000106},
    {ELOOP, 0xC0000280, 0xC0000280},
    {EROFS, 0xC00000A2, 0xC00000A2},
    {EXDEV, 0xC00000D4, 0xC00000D4},
    {EMLINK, 0xC0000265, 0xC0000265},
    {ETXTBSY, 0xC0000043, 0xC0000043},
    {EBUSY, 0x80000011, 0x80000011},
    {ENODEV, 0xC000000E, 0xC000000E},
    {ENXIO, 0xC000000E, 0xC000000E},
    {EIO, 0xC0000185, 0xC0000185},
    {ENOSPC, 0xC000007F, 0xC000009A},       /* sockets: out of some table, not out of disk */
    {EDQUOT, 0xC000007F, 0xC000009A},
    {EFBIG, 0xC0000904, 0xC0000904},
    {ESPIPE, 0xC0000010, 0xC0000010},
    {ENOTTY, 0xC0000010, 0xC0000010},
    {EBADF, 0xC0000008, 0xC0000008},
    {EFAULT, 0xC0000005, 0xC0000005},
    {EINVAL, 0xC000000D, 0xC000000D},
    {EOVERFLOW, 0xC000000D, 0xC000000D},
    {E2BIG, 0xC000000D, 0xC000000D},
    {EILSEQ, 0xC0000033, 0xC0000033},
    {ENOEXEC, 0xC000007B, 0xC000007B},
    {ESRCH, 0xC000000B, 0xC000000B},
    {ENOMEM, 0xC0000017, 0xC0000017},
    {ENOBUFS, 0xC000009A, 0xC000009A},
    {ENOLCK, 0xC000009A, 0xC000009A},
    {EMFILE, 0xC000011F, 0xC000011F},
    {ENFILE, 0xC000011F, 0xC000011F},
    {EDEADLK, 0xC0000194, 0xC0000194},
    {ENOSYS, 0xC0000002, 0xC0000002},
    {EOPNOTSUPP, 0xC00000BB, 0xC00000BB},
    {ECANCELED, 0xC0000120, 0xC0000120},
    {EINTR, 0xC0000120, 0xC0000240},        /* base/os.c retries: it can only be a wanted one */
    {EAGAIN, 0xC00000A3, 0xC00000A3},       /* WSAEWOULDBLOCK */
    {ETIMEDOUT, 0xC00000B5, 0xC00000B5},
    /* A pipe without reader is "closing"; a socket gives EPIPE when the peer reset it (a program's
     * own SD_SEND is known to the socket room, which never asks the kernel to send then). */
    {EPIPE, 0xC00000B1, 0xC000020D},
    {ECONNRESET, 0xC000014B, 0xC000020D},   /* files: AF_UNIX ends that serve as pipes */
    {ECONNABORTED, 0xC0000241, 0xC0000241},
    {ECONNREFUSED, 0xC0000236, 0xC0000236},
    {ENETRESET, 0xC000020D, WSA(10052)},
    {ENETDOWN, 0xC00000C4, WSA(10050)},
    {ENETUNREACH, 0xC000023C, 0xC000023C},
    {EHOSTUNREACH, 0xC000023D, 0xC000023D},
    {EHOSTDOWN, 0xC000023D, WSA(10064)},
    {ENOTCONN, 0xC0000140, 0xC0000140},
    {EISCONN, 0xC000023B, 0xC000023B},
    {EADDRINUSE, 0xC000020A, 0xC000020A},
    {EADDRNOTAVAIL, 0xC0000207, 0xC0000207},
    {EMSGSIZE, 0xC0000206, 0xC0000206},
    {ENOTSOCK, 0xC0000024, 0xC0000024},
    {EINPROGRESS, 0x00000103, 0xC00000A3},  /* Winsock's connect says "would block" */
    {EALREADY, 0x00000103, WSA(10037)},
    {ESHUTDOWN, 0xC00000B0, 0xC00000B0},
    {EDESTADDRREQ, 0xC0000141, WSA(10039)},
    {EPROTOTYPE, 0xC00000BB, WSA(10041)},
    {ENOPROTOOPT, 0xC00000BB, WSA(10042)},
    {EPROTONOSUPPORT, 0xC00000BB, WSA(10043)},
    {ESOCKTNOSUPPORT, 0xC00000BB, WSA(10044)},
    {EPFNOSUPPORT, 0xC00000BB, WSA(10046)},
    {EAFNOSUPPORT, 0xC00000BB, WSA(10047)},
    {ETOOMANYREFS, 0xC000009A, WSA(10059)},
    {EUSERS, 0xC000009A, WSA(10068)},
    {EPROTO, 0xC00000C4, 0xC0000241},       /* accept4: the connection died in the queue */
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const struct row *find(uint32_t status)
{
    size_t low = 0, high = LENGTH(rows);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rows[middle].status == status)
            return &rows[middle];
        if (rows[middle].status < status)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct errno_row *find_errno(int err)
{
    if (err < 0)
        err = -err;
    for (size_t i = 0; i < LENGTH(errno_rows); i++)
        if (errno_rows[i].err == err)
            return &errno_rows[i];
    return NULL;
}

uint32_t status_from_errno(int err)
{
    const struct errno_row *row;

    if (err == 0)
        return 0;
    row = find_errno(err);
    return row ? row->file : 0xC0000001;
}

uint32_t status_from_errno_socket(int err)
{
    const struct errno_row *row;

    if (err == 0)
        return 0;
    row = find_errno(err);
    return row ? row->socket : 0xC0000001;
}

uint32_t status_from_errno_write(int err)
{
    /* Windows probes a buffer to be filled and says "access violation"; one to be written out it
     * only copies from, and tells that failure apart: conform/file_write.c, buffers_not_there. */
    return err == EFAULT || err == -EFAULT ? 0xC00000E8 : status_from_errno(err);
}

uint32_t status_from_win32(uint32_t code)
{
    if (code == 0)
        return 0;
    return code == 997 ? 0x00000103 : STATUS_WRAP_WIN32 | (code & 0xFFFF);
}

uint32_t status_from_wsa(uint32_t code)
{
    if (code == 0)
        return 0;
    return code == 997 ? 0x00000103 : STATUS_WRAP_WSA | (code & 0xFFFF);
}

/* A wrapped code comes out as it went in. */
static bool unwrap(uint32_t status, uint32_t *code)
{
    uint32_t facility = status & 0xFFFF0000;

    if (facility != STATUS_WRAP_WIN32 && facility != STATUS_WRAP_WSA && facility != STATUS_WRAP_WARNING)
        return false;
    *code = status & 0xFFFF;
    return true;
}

uint32_t status_to_win32(uint32_t status)
{
    const struct row *row;
    uint32_t code;

    if (status == 0) /* mostly */
        return 0;
    if (unwrap(status, &code))
        return code;
    row = find(status);
    if (row)
        return row->win32;
    return status_severity(status) < 2 ? 0 : WIN32_NO_MESSAGE;
}

uint32_t status_to_wsa(uint32_t status)
{
    const struct row *row;
    uint32_t code;

    if (status == 0) /* mostly */
        return 0;
    if (unwrap(status, &code))
        return code;
    row = find(status);
    if (row)
        return row->wsa;
    return status_severity(status) < 2 ? 0 : WSA_NO_ROW;
}

uint32_t status_to_dos_error(uint32_t status)
{
    switch (status) {
    case 0x00000080:    /* the abandoned-wait range has texts of its own */
        return 128;
    case 0x000000C0:
        return 737;
    case 0x00000102:
        return 1460;
    case 0x0000010C:    /* a directory watch that overflowed succeeds with 0 bytes */
        return 1022;
    default:
        break;
    }
    if (status_severity(status) < 2 && !find(status))
        return WIN32_NO_MESSAGE;
    return status_to_win32(status);
}
