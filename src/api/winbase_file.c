/* SPDX-License-Identifier: MIT */
/*
 * The file functions that winbase.h declares: moving, copying, links.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/disk_name.h"

#include <errno.h>
#include <ntstatus.h>
#include <stdlib.h>
#include <unistd.h>

/* Both names or neither. On the heap: two of them are too much for a small stack. */
struct pair {
    struct path from, to;
};

static struct pair *pair_a(const char *from, const char *to)
{
    struct pair *p = malloc(sizeof *p);

    if (!p) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    if (filename_a(&p->from, from) && filename_a(&p->to, to))
        return p;
    free(p);
    return NULL;
}

static struct pair *pair_w(const void *from, const void *to)
{
    struct pair *p = malloc(sizeof *p);

    if (!p) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    if (filename_w(&p->from, from) && filename_w(&p->to, to))
        return p;
    free(p);
    return NULL;
}

/* Consumes p. */
static BOOL done(struct pair *p, uint32_t status)
{
    free(p);
    return win32_result(status);
}

static BOOL move(struct pair *p, DWORD flags)
{
    uint32_t how = 0;

    if (!p)
        return FALSE;
    if (flags & MOVEFILE_DELAY_UNTIL_REBOOT)
        return done(p, status_from_win32(ERROR_CALL_NOT_IMPLEMENTED));
    if (flags & MOVEFILE_REPLACE_EXISTING)
        how |= MOVE_REPLACE;
    if (flags & MOVEFILE_COPY_ALLOWED)
        how |= MOVE_COPY;
    return done(p, disk_move(p->from.text, p->to.text, how));
}

BOOL WINAPI MoveFileA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName)
{
    return move(pair_a(lpExistingFileName, lpNewFileName), MOVEFILE_COPY_ALLOWED);
}

BOOL WINAPI MoveFileW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName)
{
    return move(pair_w(lpExistingFileName, lpNewFileName), MOVEFILE_COPY_ALLOWED);
}

BOOL WINAPI MoveFileExA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName, DWORD dwFlags)
{
    return move(pair_a(lpExistingFileName, lpNewFileName), dwFlags);
}

BOOL WINAPI MoveFileExW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName, DWORD dwFlags)
{
    return move(pair_w(lpExistingFileName, lpNewFileName), dwFlags);
}

static BOOL copy(struct pair *p, BOOL fail_if_exists)
{
    uint32_t status;

    if (!p)
        return FALSE;
    status = disk_copy(p->from.text, p->to.text, fail_if_exists != 0);
    if (status == STATUS_OBJECT_NAME_COLLISION)
        status = status_from_win32(ERROR_FILE_EXISTS);
    return done(p, status);
}

BOOL WINAPI CopyFileA(LPCSTR lpExistingFileName, LPCSTR lpNewFileName, BOOL bFailIfExists)
{
    return copy(pair_a(lpExistingFileName, lpNewFileName), bFailIfExists);
}

BOOL WINAPI CopyFileW(LPCWSTR lpExistingFileName, LPCWSTR lpNewFileName, BOOL bFailIfExists)
{
    return copy(pair_w(lpExistingFileName, lpNewFileName), bFailIfExists);
}

static BOOL hard_link(struct pair *p)
{
    if (!p)
        return FALSE;
    if (link(p->to.text, p->from.text) < 0)
        return done(p, disk_path_status(errno, p->to.text));
    return done(p, STATUS_SUCCESS);
}

BOOL WINAPI CreateHardLinkA(LPCSTR lpFileName, LPCSTR lpExistingFileName,
                            LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    (void)lpSecurityAttributes;
    return hard_link(pair_a(lpFileName, lpExistingFileName));
}

BOOL WINAPI CreateHardLinkW(LPCWSTR lpFileName, LPCWSTR lpExistingFileName,
                            LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    (void)lpSecurityAttributes;
    return hard_link(pair_w(lpFileName, lpExistingFileName));
}

static BOOLEAN symbolic_link(struct pair *p)
{
    if (!p)
        return FALSE;
    if (symlink(p->to.text, p->from.text) < 0)
        return (BOOLEAN)done(p, disk_path_status(errno, p->from.text));
    return (BOOLEAN)done(p, STATUS_SUCCESS);
}

BOOLEAN WINAPI CreateSymbolicLinkA(LPCSTR lpSymlinkFileName, LPCSTR lpTargetFileName, DWORD dwFlags)
{
    (void)dwFlags; /* links to directories are no other kind here */
    return symbolic_link(pair_a(lpSymlinkFileName, lpTargetFileName));
}

BOOLEAN WINAPI CreateSymbolicLinkW(LPCWSTR lpSymlinkFileName, LPCWSTR lpTargetFileName, DWORD dwFlags)
{
    (void)dwFlags;
    return symbolic_link(pair_w(lpSymlinkFileName, lpTargetFileName));
}
