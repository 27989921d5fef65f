/* SPDX-License-Identifier: MIT */
/*
 * Names: deleting and moving, directories, the current directory, full paths, temporary files,
 * room on the disk. Names that come out are Linux paths, which every function takes back and libc
 * understands too.
 */
#include <windows.h>

#include "api/api.h"
#include "api/filename.h"
#include "base/status.h"
#include "base/text.h"
#include "io/disk.h"
#include "io/disk_info.h"
#include "io/disk_name.h"

#include <errno.h>
#include <fcntl.h>
#include <ntstatus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

BOOL WINAPI DeleteFileA(LPCSTR lpFileName)
{
    struct path path;

    return filename_a(&path, lpFileName) && win32_result(disk_delete(path.text));
}

BOOL WINAPI DeleteFileW(LPCWSTR lpFileName)
{
    struct path path;

    return filename_w(&path, lpFileName) && win32_result(disk_delete(path.text));
}

BOOL WINAPI CreateDirectoryA(LPCSTR lpPathName, LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    struct path path;

    (void)lpSecurityAttributes;
    return filename_a(&path, lpPathName) && win32_result(disk_make_directory(path.text));
}

BOOL WINAPI CreateDirectoryW(LPCWSTR lpPathName, LPSECURITY_ATTRIBUTES lpSecurityAttributes)
{
    struct path path;

    (void)lpSecurityAttributes;
    return filename_w(&path, lpPathName) && win32_result(disk_make_directory(path.text));
}

BOOL WINAPI RemoveDirectoryA(LPCSTR lpPathName)
{
    struct path path;

    return filename_a(&path, lpPathName) && win32_result(disk_remove_directory(path.text));
}

BOOL WINAPI RemoveDirectoryW(LPCWSTR lpPathName)
{
    struct path path;

    return filename_w(&path, lpPathName) && win32_result(disk_remove_directory(path.text));
}

/* ---- full paths ---- */

/* The whole name, absolute, and where its last part begins (0: it ends in a separator). */
static bool full_name(const struct path *path, char *out, uint32_t size, size_t *part)
{
    size_t length = strlen(path->text);
    bool directory = length > 1 && path->text[length - 1] == '/';
    char *slash;

    if (!disk_absolute(path->text, out, size - 1)) {
        last_error_set(ERROR_FILENAME_EXCED_RANGE);
        return false;
    }
    if (directory && strcmp(out, "/") != 0)
        strcat(out, "/");
    slash = strrchr(out, '/');
    *part = slash[1] ? (size_t)(slash + 1 - out) : 0;
    return true;
}

DWORD WINAPI GetFullPathNameA(LPCSTR lpFileName, DWORD nBufferLength, LPSTR lpBuffer, LPSTR *lpFilePart)
{
    char name[PATH_SIZE];
    struct path path;
    size_t part;
    DWORD length;

    if (!filename_a(&path, lpFileName) || !full_name(&path, name, sizeof name, &part))
        return 0;
    length = filename_out_a(name, lpBuffer, nBufferLength);
    if (lpFilePart)
        *lpFilePart = length < nBufferLength && part ? lpBuffer + part : NULL;
    return length;
}

DWORD WINAPI GetFullPathNameW(LPCWSTR lpFileName, DWORD nBufferLength, LPWSTR lpBuffer, LPWSTR *lpFilePart)
{
    char name[PATH_SIZE];
    struct path path;
    size_t part;
    DWORD length;

    if (!filename_w(&path, lpFileName) || !full_name(&path, name, sizeof name, &part))
        return 0;
    length = filename_out_w(name, lpBuffer, nBufferLength);
    if (lpFilePart)
        *lpFilePart = length < nBufferLength && part
                          ? lpBuffer + text_to_utf16(name, part, NULL, 0, false) : NULL;
    return length;
}

/* Is there something of that name? It need not be what a link points to. */
static bool is_there(const struct path *path)
{
    if (faccessat(AT_FDCWD, path->text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    win32_fail(disk_path_status(errno, path->text));
    return false;
}

DWORD WINAPI GetLongPathNameA(LPCSTR lpszShortPath, LPSTR lpszLongPath, DWORD cchBuffer)
{
    struct path path;

    return filename_a(&path, lpszShortPath) && is_there(&path)
               ? filename_out_a(path.text, lpszLongPath, cchBuffer) : 0;
}

DWORD WINAPI GetLongPathNameW(LPCWSTR lpszShortPath, LPWSTR lpszLongPath, DWORD cchBuffer)
{
    struct path path;

    return filename_w(&path, lpszShortPath) && is_there(&path)
               ? filename_out_w(path.text, lpszLongPath, cchBuffer) : 0;
}

DWORD WINAPI GetShortPathNameA(LPCSTR lpszLongPath, LPSTR lpszShortPath, DWORD cchBuffer)
{
    return GetLongPathNameA(lpszLongPath, lpszShortPath, cchBuffer);
}

DWORD WINAPI GetShortPathNameW(LPCWSTR lpszLongPath, LPWSTR lpszShortPath, DWORD cchBuffer)
{
    return GetLongPathNameW(lpszLongPath, lpszShortPath, cchBuffer);
}

/* ---- current directory ---- */

static bool current(char *out)
{
    if (getcwd(out, PATH_SIZE))
        return true;
    win32_fail(status_from_errno(errno));
    return false;
}

DWORD WINAPI GetCurrentDirectoryA(DWORD nBufferLength, LPSTR lpBuffer)
{
    char name[PATH_SIZE];

    return current(name) ? filename_out_a(name, lpBuffer, nBufferLength) : 0;
}

DWORD WINAPI GetCurrentDirectoryW(DWORD nBufferLength, LPWSTR lpBuffer)
{
    char name[PATH_SIZE];

    return current(name) ? filename_out_w(name, lpBuffer, nBufferLength) : 0;
}

static BOOL change_directory(const struct path *path)
{
    if (chdir(path->text) == 0)
        return TRUE;
    return win32_result(errno == ENOTDIR ? status_from_win32(ERROR_DIRECTORY)
                                         : disk_path_status(errno, path->text));
}

BOOL WINAPI SetCurrentDirectoryA(LPCSTR lpPathName)
{
    struct path path;

    return filename_a(&path, lpPathName) && change_directory(&path);
}

BOOL WINAPI SetCurrentDirectoryW(LPCWSTR lpPathName)
{
    struct path path;

    return filename_w(&path, lpPathName) && change_directory(&path);
}

/* ---- temporary files ---- */

/* With a separator at the end, as programs expect that append a name. */
static void temporary_directory(char *out)
{
    static const char *const variables[] = {"TMPDIR", "TMP", "TEMP"};
    const char *value = NULL;

    for (size_t i = 0; i < sizeof variables / sizeof variables[0] && !(value && *value); i++)
        value = getenv(variables[i]);
    if (!value || !*value || strlen(value) > PATH_SIZE - 2)
        value = "/tmp";
    strcpy(out, value);
    if (out[strlen(out) - 1] != '/')
        strcat(out, "/");
}

DWORD WINAPI GetTempPathA(DWORD nBufferLength, LPSTR lpBuffer)
{
    char name[PATH_SIZE];

    temporary_directory(name);
    return filename_out_a(name, lpBuffer, nBufferLength);
}

DWORD WINAPI GetTempPathW(DWORD nBufferLength, LPWSTR lpBuffer)
{
    char name[PATH_SIZE];

    temporary_directory(name);
    return filename_out_w(name, lpBuffer, nBufferLength);
}

/* DIR/pppXXXX.tmp with three letters of the prefix and up to four hexadecimal digits. Given a
 * number only the name is made; else numbers are tried until one gives a new, empty file. */
static UINT temporary_name(const struct path *dir, const char *prefix, UINT unique, char *out)
{
    size_t length = strlen(dir->text);
    const char *separator = length > 0 && dir->text[length - 1] == '/' ? "" : "/";
    uint16_t number = (uint16_t)unique;

    if (length + 16 > MAX_PATH) {
        last_error_set(ERROR_BUFFER_OVERFLOW);
        return 0;
    }
    if (unique == 0 && getrandom(&number, sizeof number, 0) < 0)
        number = (uint16_t)getpid();
    for (int tries = 0; tries < 65536; tries++, number++) {
        int fd;

        if (number == 0)
            continue;
        snprintf(out, MAX_PATH, "%.*s%s%.3s%X.tmp", (int)length, dir->text, separator, prefix ? prefix : "",
                 number);
        if (unique)
            return unique;
        fd = fd_above_std(open(out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd >= 0) {
            close(fd);
            return number;
        }
        if (errno != EEXIST) {
            win32_fail(errno == ENOENT || errno == ENOTDIR ? status_from_win32(ERROR_DIRECTORY)
                                                           : status_from_errno(errno));
            return 0;
        }
    }
    last_error_set(ERROR_FILE_EXISTS);
    return 0;
}

UINT WINAPI GetTempFileNameA(LPCSTR lpPathName, LPCSTR lpPrefixString, UINT uUnique, LPSTR lpTempFileName)
{
    struct path path;

    return filename_a(&path, lpPathName) ? temporary_name(&path, lpPrefixString, uUnique, lpTempFileName) : 0;
}

UINT WINAPI GetTempFileNameW(LPCWSTR lpPathName, LPCWSTR lpPrefixString, UINT uUnique,
                             LPWSTR lpTempFileName)
{
    char *prefix = text_utf8_new((const uint16_t *)lpPrefixString);
    char name[MAX_PATH];
    struct path path;
    UINT number = 0;

    if (filename_w(&path, lpPathName))
        number = temporary_name(&path, prefix, uUnique, name);
    if (number)
        filename_out_w(name, lpTempFileName, MAX_PATH);
    free(prefix);
    return number;
}

/* ---- room on the disk ---- */

static bool file_system(const struct path *path, struct statvfs *out)
{
    if (statvfs(path->text, out) == 0)
        return true;
    win32_fail(disk_path_status(errno, path->text));
    return false;
}

static BOOL free_space_ex(const struct path *path, PULARGE_INTEGER available, PULARGE_INTEGER total,
                          PULARGE_INTEGER all_free)
{
    struct statvfs fs;

    if (!file_system(path, &fs))
        return FALSE;
    if (available)
        available->QuadPart = (ULONGLONG)fs.f_bavail * fs.f_frsize;
    if (total)
        total->QuadPart = (ULONGLONG)fs.f_blocks * fs.f_frsize;
    if (all_free)
        all_free->QuadPart = (ULONGLONG)fs.f_bfree * fs.f_frsize;
    return TRUE;
}

BOOL WINAPI GetDiskFreeSpaceExA(LPCSTR lpDirectoryName, PULARGE_INTEGER lpFreeBytesAvailableToCaller,
                                PULARGE_INTEGER lpTotalNumberOfBytes,
                                PULARGE_INTEGER lpTotalNumberOfFreeBytes)
{
    struct path path;

    return filename_a(&path, lpDirectoryName ? lpDirectoryName : ".") &&
           free_space_ex(&path, lpFreeBytesAvailableToCaller, lpTotalNumberOfBytes,
                         lpTotalNumberOfFreeBytes);
}

BOOL WINAPI GetDiskFreeSpaceExW(LPCWSTR lpDirectoryName, PULARGE_INTEGER lpFreeBytesAvailableToCaller,
                                PULARGE_INTEGER lpTotalNumberOfBytes,
                                PULARGE_INTEGER lpTotalNumberOfFreeBytes)
{
    struct path path;

    return (lpDirectoryName ? filename_w(&path, lpDirectoryName) : filename_a(&path, ".")) &&
           free_space_ex(&path, lpFreeBytesAvailableToCaller, lpTotalNumberOfBytes,
                         lpTotalNumberOfFreeBytes);
}

/* Sectors are told as 512 bytes, the unit that unbuffered files are held to. */
static BOOL free_space(const struct path *path, LPDWORD sectors, LPDWORD bytes, LPDWORD free_clusters,
                       LPDWORD clusters)
{
    struct statvfs fs;
    ULONGLONG limit = 0x7FFFFFFF;

    if (!file_system(path, &fs))
        return FALSE;
    if (sectors)
        *sectors = (DWORD)(fs.f_frsize / 512);
    if (bytes)
        *bytes = 512;
    if (free_clusters)
        *free_clusters = (DWORD)(fs.f_bavail < limit ? fs.f_bavail : limit);
    if (clusters)
        *clusters = (DWORD)(fs.f_blocks < limit ? fs.f_blocks : limit);
    return TRUE;
}

BOOL WINAPI GetDiskFreeSpaceA(LPCSTR lpRootPathName, LPDWORD lpSectorsPerCluster, LPDWORD lpBytesPerSector,
                              LPDWORD lpNumberOfFreeClusters, LPDWORD lpTotalNumberOfClusters)
{
    struct path path;

    return filename_a(&path, lpRootPathName ? lpRootPathName : ".") &&
           free_space(&path, lpSectorsPerCluster, lpBytesPerSector, lpNumberOfFreeClusters,
                      lpTotalNumberOfClusters);
}

BOOL WINAPI GetDiskFreeSpaceW(LPCWSTR lpRootPathName, LPDWORD lpSectorsPerCluster, LPDWORD lpBytesPerSector,
                              LPDWORD lpNumberOfFreeClusters, LPDWORD lpTotalNumberOfClusters)
{
    struct path path;

    return (lpRootPathName ? filename_w(&path, lpRootPathName) : filename_a(&path, ".")) &&
           free_space(&path, lpSectorsPerCluster, lpBytesPerSector, lpNumberOfFreeClusters,
                      lpTotalNumberOfClusters);
}
