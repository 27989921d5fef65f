/* SPDX-License-Identifier: MIT */
/*
 * fileapi.h: files and directories: opening, reading, writing, sizes, times, attributes, names.
 * Pages: learn.microsoft.com/windows/win32/api/fileapi/.
 *
 * What the functions share:
 *
 * - A name is UTF-8 (A) or UTF-16 (W). "C:\dir\file", "\\?\C:\dir\file", "/dir/file" and mixtures are
 *   understood, as are "NUL" and "\\.\" devices; upper and lower case are what the file system makes of
 *   them. Names that come back are Linux paths with slashes. docs/DEVIATIONS.md says the rest.
 * - Failure: FALSE (or the value named), and GetLastError says why. Any function with a name may fail
 *   with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_INVALID_NAME,
 *   ERROR_FILENAME_EXCED_RANGE; any with a handle with ERROR_INVALID_HANDLE (no such handle),
 *   ERROR_INVALID_FUNCTION (not that kind of file), ERROR_ACCESS_DENIED (opened without the right).
 * - A handle to a file is its Linux descriptor.
 */
#ifndef _APISETFILE_
#define _APISETFILE_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

#define CREATE_NEW        1 /* ERROR_FILE_EXISTS if it exists */
#define CREATE_ALWAYS     2 /* an existing one is emptied */
#define OPEN_EXISTING     3
#define OPEN_ALWAYS       4
#define TRUNCATE_EXISTING 5 /* needs GENERIC_WRITE */

#define INVALID_FILE_SIZE        ((DWORD)0xffffffff)
#define INVALID_SET_FILE_POINTER ((DWORD)-1)
#define INVALID_FILE_ATTRIBUTES  ((DWORD)-1)

typedef struct _WIN32_FILE_ATTRIBUTE_DATA {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
} WIN32_FILE_ATTRIBUTE_DATA, *LPWIN32_FILE_ATTRIBUTE_DATA;

/* Volume serial number and index together tell whether two handles mean one file. */
typedef struct _BY_HANDLE_FILE_INFORMATION {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD dwVolumeSerialNumber;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
    DWORD nNumberOfLinks;
    DWORD nFileIndexHigh;
    DWORD nFileIndexLow;
} BY_HANDLE_FILE_INFORMATION, *PBY_HANDLE_FILE_INFORMATION, *LPBY_HANDLE_FILE_INFORMATION;

IOCP_ASSERT_SIZE(WIN32_FILE_ATTRIBUTE_DATA, 36);
IOCP_ASSERT_SIZE(BY_HANDLE_FILE_INFORMATION, 52);

/* ---------- opening, reading, writing ---------- */

/*
 * Opens or creates a file, directory (with FILE_FLAG_BACKUP_SEMANTICS) or device.
 *   access       GENERIC_READ, GENERIC_WRITE, FILE_* rights, DELETE; 0 to ask about it only
 *   share        FILE_SHARE_*: what other opens may do meanwhile. Binding among all programs that use
 *                this library, nobody else's business
 *   security     only bInheritHandle counts; may be NULL
 *   disposition  CREATE_NEW ... TRUNCATE_EXISTING
 *   flags        FILE_FLAG_* (winbase.h) and FILE_ATTRIBUTE_*, of which READONLY means something
 *   template_file ignored
 * The handle, or INVALID_HANDLE_VALUE. On success the last error is 0, or ERROR_ALREADY_EXISTS where
 * CREATE_ALWAYS and OPEN_ALWAYS met an existing file. ERROR_SHARING_VIOLATION: an earlier open does
 * not share, or this one does not share with it; ERROR_INVALID_PARAMETER. A handle opened with
 * FILE_FLAG_OVERLAPPED reads and writes asynchronously and has no file pointer for that.
 */
WINBASEAPI HANDLE WINAPI CreateFileA(LPCSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
                                     DWORD disposition, DWORD flags, HANDLE template_file)
    IOCP_SYM(CreateFileA);
WINBASEAPI HANDLE WINAPI CreateFileW(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
                                     DWORD disposition, DWORD flags, HANDLE template_file)
    IOCP_SYM(CreateFileW);

/*
 * Transfers up to `size` bytes between a file, socket, pipe or adopted descriptor and `data`.
 *   bytes       gets the bytes transferred if that is known on return; may be NULL with an OVERLAPPED
 *   overlapped  NULL: at the file pointer, which moves on; the call returns when it is done. Else at
 *               its Offset. On a handle opened for overlapped I/O the request then owns `overlapped`
 *               and `data` until it completes, unless the call has failed with another error than
 *               ERROR_IO_PENDING
 * TRUE: done (a completion is sent all the same, see SetFileCompletionNotificationModes). FALSE:
 * ERROR_IO_PENDING (accepted; exactly one completion follows: hEvent, port), ERROR_HANDLE_EOF
 * (overlapped read at or behind the end; a read at the pointer gives TRUE and 0 bytes),
 * ERROR_BROKEN_PIPE, ERROR_DISK_FULL, ERROR_INVALID_PARAMETER (neither `bytes` nor `overlapped`, or
 * no `overlapped` for an overlapped handle), ERROR_NOACCESS and ERROR_INVALID_USER_BUFFER (`data` is not
 * there to be filled, to be written).
 */
WINBASEAPI BOOL WINAPI ReadFile(HANDLE file, LPVOID data, DWORD size, LPDWORD bytes, LPOVERLAPPED overlapped)
    IOCP_SYM(ReadFile);
WINBASEAPI BOOL WINAPI WriteFile(HANDLE file, LPCVOID data, DWORD size, LPDWORD bytes,
                                 LPOVERLAPPED overlapped) IOCP_SYM(WriteFile);

/*
 * The same with a completion routine, which runs on the calling thread when it next waits alertably
 * (SleepEx, WaitForSingleObjectEx ...). hEvent is the program's. TRUE: accepted, the routine will run
 * once. FALSE: refused, it will not. ERROR_INVALID_PARAMETER: the handle is not overlapped or belongs
 * to a completion port, or a pointer is NULL.
 */
WINBASEAPI BOOL WINAPI ReadFileEx(HANDLE file, LPVOID data, DWORD size, LPOVERLAPPED overlapped,
                                  LPOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(ReadFileEx);
WINBASEAPI BOOL WINAPI WriteFileEx(HANDLE file, LPCVOID data, DWORD size, LPOVERLAPPED overlapped,
                                   LPOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WriteFileEx);

/* Returns when what was written has reached the device. Needs the right to write. */
WINBASEAPI BOOL WINAPI FlushFileBuffers(HANDLE file) IOCP_SYM(FlushFileBuffers);

/*
 * One transfer from or to pages that lie apart, in their order: as many elements as `size` has pages, each
 * the address of one. The handle must be overlapped and without buffering. Answers as ReadFile, WriteFile.
 * ERROR_INVALID_PARAMETER: another handle, `size` no multiple of sectors, an address that is no page's.
 */
WINBASEAPI BOOL WINAPI ReadFileScatter(HANDLE file, FILE_SEGMENT_ELEMENT *segments, DWORD size,
                                       LPDWORD reserved, LPOVERLAPPED overlapped) IOCP_SYM(ReadFileScatter);
WINBASEAPI BOOL WINAPI WriteFileGather(HANDLE file, FILE_SEGMENT_ELEMENT *segments, DWORD size,
                                       LPDWORD reserved, LPOVERLAPPED overlapped) IOCP_SYM(WriteFileGather);

/* ---------- pointer and size ---------- */

/* Moves the file pointer by `distance` bytes from FILE_BEGIN, FILE_CURRENT or FILE_END; *result (may be
 * NULL) gets the new position. ERROR_NEGATIVE_SEEK, ERROR_INVALID_PARAMETER. */
WINBASEAPI BOOL WINAPI SetFilePointerEx(HANDLE file, LARGE_INTEGER distance, PLARGE_INTEGER result,
                                        DWORD from) IOCP_SYM(SetFilePointerEx);

/* The same in halves; `high` may be NULL. The low half of the position, or INVALID_SET_FILE_POINTER,
 * which is an error unless the last error is 0. */
WINBASEAPI DWORD WINAPI SetFilePointer(HANDLE file, LONG distance, PLONG high, DWORD from)
    IOCP_SYM(SetFilePointer);

/* Size in bytes. GetFileSize: the low half, or INVALID_FILE_SIZE, an error unless the last error is 0. */
WINBASEAPI BOOL WINAPI GetFileSizeEx(HANDLE file, PLARGE_INTEGER size) IOCP_SYM(GetFileSizeEx);
WINBASEAPI DWORD WINAPI GetFileSize(HANDLE file, LPDWORD high) IOCP_SYM(GetFileSize);

/* Cuts or extends the file at its pointer. */
WINBASEAPI BOOL WINAPI SetEndOfFile(HANDLE file) IOCP_SYM(SetEndOfFile);
/* A promise that `length` bytes are valid, which costs nothing here: what was never written reads as zeros.
 * ERROR_INVALID_PARAMETER: not between 1 and the size. */
WINBASEAPI BOOL WINAPI SetFileValidData(HANDLE file, LONGLONG length) IOCP_SYM(SetFileValidData);

/* FILE_TYPE_DISK, FILE_TYPE_PIPE (sockets too) or FILE_TYPE_CHAR; FILE_TYPE_UNKNOWN is an error unless
 * the last error is 0. */
WINBASEAPI DWORD WINAPI GetFileType(HANDLE file) IOCP_SYM(GetFileType);

/* ---------- attributes and times ---------- */

/* FILE_ATTRIBUTE_*, or INVALID_FILE_ATTRIBUTES. READONLY means that the mode lets nobody write; nothing
 * is ever HIDDEN. */
WINBASEAPI DWORD WINAPI GetFileAttributesA(LPCSTR name) IOCP_SYM(GetFileAttributesA);
WINBASEAPI DWORD WINAPI GetFileAttributesW(LPCWSTR name) IOCP_SYM(GetFileAttributesW);

/* level: GetFileExInfoStandard; `data` points to a WIN32_FILE_ATTRIBUTE_DATA. */
WINBASEAPI BOOL WINAPI GetFileAttributesExA(LPCSTR name, GET_FILEEX_INFO_LEVELS level, LPVOID data)
    IOCP_SYM(GetFileAttributesExA);
WINBASEAPI BOOL WINAPI GetFileAttributesExW(LPCWSTR name, GET_FILEEX_INFO_LEVELS level, LPVOID data)
    IOCP_SYM(GetFileAttributesExW);

/* Sets or clears FILE_ATTRIBUTE_READONLY (the write permissions); the other attributes are ignored. */
WINBASEAPI BOOL WINAPI SetFileAttributesA(LPCSTR name, DWORD attributes) IOCP_SYM(SetFileAttributesA);
WINBASEAPI BOOL WINAPI SetFileAttributesW(LPCWSTR name, DWORD attributes) IOCP_SYM(SetFileAttributesW);

/* Times of an open file, each pointer may be NULL. A new time of creation is taken and forgotten. */
WINBASEAPI BOOL WINAPI GetFileTime(HANDLE file, LPFILETIME created, LPFILETIME accessed, LPFILETIME written)
    IOCP_SYM(GetFileTime);
WINBASEAPI BOOL WINAPI SetFileTime(HANDLE file, const FILETIME *created, const FILETIME *accessed,
                                   const FILETIME *written) IOCP_SYM(SetFileTime);

WINBASEAPI BOOL WINAPI GetFileInformationByHandle(HANDLE file, LPBY_HANDLE_FILE_INFORMATION information)
    IOCP_SYM(GetFileInformationByHandle);

/*
 * The path of an open file, into `size` characters. The length without the terminator; or, if it does
 * not fit, the size needed; or 0. `flags` are ignored: it is a Linux path. ERROR_FILE_NOT_FOUND or
 * ERROR_ACCESS_DENIED: it has no name any more.
 */
WINBASEAPI DWORD WINAPI GetFinalPathNameByHandleA(HANDLE file, LPSTR path, DWORD size, DWORD flags)
    IOCP_SYM(GetFinalPathNameByHandleA);
WINBASEAPI DWORD WINAPI GetFinalPathNameByHandleW(HANDLE file, LPWSTR path, DWORD size, DWORD flags)
    IOCP_SYM(GetFinalPathNameByHandleW);

/* ---------- locks ---------- */

/*
 * Locks a range of a file for this handle, exclusively (LOCKFILE_EXCLUSIVE_LOCK) or shared: others, of this
 * process, cannot write there, nor read in an exclusive one. Beginning in the OVERLAPPED, length in two
 * halves; it may lie behind the end. If somebody holds what conflicts, LOCKFILE_FAIL_IMMEDIATELY fails with
 * ERROR_LOCK_VIOLATION; else a synchronous handle blocks, and an overlapped one answers ERROR_IO_PENDING and
 * completes when the lock is granted (event, packet). Locks go with the handle. ERROR_INVALID_LOCK_RANGE (it
 * wraps around), ERROR_ACCESS_DENIED (neither opened for reading nor for writing).
 */
WINBASEAPI BOOL WINAPI LockFileEx(HANDLE file, DWORD flags, DWORD reserved, DWORD length, DWORD length_high,
                                  LPOVERLAPPED overlapped) IOCP_SYM(LockFileEx);
/* Exclusively, or not at all: ERROR_LOCK_VIOLATION. */
WINBASEAPI BOOL WINAPI LockFile(HANDLE file, DWORD offset, DWORD offset_high, DWORD length, DWORD length_high)
    IOCP_SYM(LockFile);

/* Gives back a range exactly as it was locked, at once. ERROR_NOT_LOCKED. Where it was locked both ways,
 * the exclusive lock goes first. */
WINBASEAPI BOOL WINAPI UnlockFileEx(HANDLE file, DWORD reserved, DWORD length, DWORD length_high,
                                    LPOVERLAPPED overlapped) IOCP_SYM(UnlockFileEx);
WINBASEAPI BOOL WINAPI UnlockFile(HANDLE file, DWORD offset, DWORD offset_high, DWORD length,
                                  DWORD length_high) IOCP_SYM(UnlockFile);

/* ---------- names and directories ---------- */

/* Fails with ERROR_SHARING_VIOLATION while the file is open without FILE_SHARE_DELETE, and with
 * ERROR_ACCESS_DENIED if it is read-only. With it, the name goes when the last handle is closed. */
WINBASEAPI BOOL WINAPI DeleteFileA(LPCSTR name) IOCP_SYM(DeleteFileA);
WINBASEAPI BOOL WINAPI DeleteFileW(LPCWSTR name) IOCP_SYM(DeleteFileW);

/* ERROR_ALREADY_EXISTS. `security` is ignored. */
WINBASEAPI BOOL WINAPI CreateDirectoryA(LPCSTR name, LPSECURITY_ATTRIBUTES security)
    IOCP_SYM(CreateDirectoryA);
WINBASEAPI BOOL WINAPI CreateDirectoryW(LPCWSTR name, LPSECURITY_ATTRIBUTES security)
    IOCP_SYM(CreateDirectoryW);

/* ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY (not a directory). */
WINBASEAPI BOOL WINAPI RemoveDirectoryA(LPCSTR name) IOCP_SYM(RemoveDirectoryA);
WINBASEAPI BOOL WINAPI RemoveDirectoryW(LPCWSTR name) IOCP_SYM(RemoveDirectoryW);

/*
 * Goes through the names that match the last component of `pattern` (* and ?, "." and ".." included).
 * FindFirstFile: a search handle, which only FindClose closes, or INVALID_HANDLE_VALUE with
 * ERROR_FILE_NOT_FOUND. FindNextFile: FALSE with ERROR_NO_MORE_FILES at the end.
 */
WINBASEAPI HANDLE WINAPI FindFirstFileA(LPCSTR pattern, LPWIN32_FIND_DATAA data) IOCP_SYM(FindFirstFileA);
WINBASEAPI HANDLE WINAPI FindFirstFileW(LPCWSTR pattern, LPWIN32_FIND_DATAW data) IOCP_SYM(FindFirstFileW);
WINBASEAPI BOOL WINAPI FindNextFileA(HANDLE find, LPWIN32_FIND_DATAA data) IOCP_SYM(FindNextFileA);
WINBASEAPI BOOL WINAPI FindNextFileW(HANDLE find, LPWIN32_FIND_DATAW data) IOCP_SYM(FindNextFileW);
WINBASEAPI BOOL WINAPI FindClose(HANDLE find) IOCP_SYM(FindClose);

/*
 * A handle that is signalled by the next change in the directory that `filter` (FILE_NOTIFY_CHANGE_*)
 * names. FindNextChangeNotification makes it nonsignalled until the next one, which may have happened
 * already. Only FindCloseChangeNotification (or CloseHandle) closes it. INVALID_HANDLE_VALUE:
 * ERROR_INVALID_PARAMETER (filter), ERROR_DIRECTORY (not one), ERROR_TOO_MANY_OPEN_FILES,
 * ERROR_NO_SYSTEM_RESOURCES (as ReadDirectoryChangesW), and the errors of names.
 */
WINBASEAPI HANDLE WINAPI FindFirstChangeNotificationA(LPCSTR directory, BOOL subtree, DWORD filter)
    IOCP_SYM(FindFirstChangeNotificationA);
WINBASEAPI HANDLE WINAPI FindFirstChangeNotificationW(LPCWSTR directory, BOOL subtree, DWORD filter)
    IOCP_SYM(FindFirstChangeNotificationW);
WINBASEAPI BOOL WINAPI FindNextChangeNotification(HANDLE notification) IOCP_SYM(FindNextChangeNotification);
WINBASEAPI BOOL WINAPI FindCloseChangeNotification(HANDLE notification) IOCP_SYM(FindCloseChangeNotification);

/* The absolute path that `name` means, which need not exist. *part (may be NULL) gets the beginning of
 * its last component, or NULL. Length and size as GetFinalPathNameByHandle. */
WINBASEAPI DWORD WINAPI GetFullPathNameA(LPCSTR name, DWORD size, LPSTR path, LPSTR *part)
    IOCP_SYM(GetFullPathNameA);
WINBASEAPI DWORD WINAPI GetFullPathNameW(LPCWSTR name, DWORD size, LPWSTR path, LPWSTR *part)
    IOCP_SYM(GetFullPathNameW);

/* The long and the short form of a name of something that is there: Linux has one form, so that both are the
 * name as it was given. path: may be name itself. ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND. */
WINBASEAPI DWORD WINAPI GetLongPathNameA(LPCSTR name, LPSTR path, DWORD size) IOCP_SYM(GetLongPathNameA);
WINBASEAPI DWORD WINAPI GetLongPathNameW(LPCWSTR name, LPWSTR path, DWORD size) IOCP_SYM(GetLongPathNameW);
WINBASEAPI DWORD WINAPI GetShortPathNameA(LPCSTR name, LPSTR path, DWORD size) IOCP_SYM(GetShortPathNameA);
WINBASEAPI DWORD WINAPI GetShortPathNameW(LPCWSTR name, LPWSTR path, DWORD size) IOCP_SYM(GetShortPathNameW);

/* The directory for temporary files, with a slash at the end: TMPDIR, TMP, TEMP, or /tmp. */
WINBASEAPI DWORD WINAPI GetTempPathA(DWORD size, LPSTR path) IOCP_SYM(GetTempPathA);
WINBASEAPI DWORD WINAPI GetTempPathW(DWORD size, LPWSTR path) IOCP_SYM(GetTempPathW);

/* Makes directory/PREnumber.tmp in `name`, MAX_PATH characters. unique 0: finds a number and creates the
 * file. The number, or 0: ERROR_DIRECTORY (no such directory), ERROR_BUFFER_OVERFLOW (too long). */
WINBASEAPI UINT WINAPI GetTempFileNameA(LPCSTR directory, LPCSTR prefix, UINT unique, LPSTR name)
    IOCP_SYM(GetTempFileNameA);
WINBASEAPI UINT WINAPI GetTempFileNameW(LPCWSTR directory, LPCWSTR prefix, UINT unique, LPWSTR name)
    IOCP_SYM(GetTempFileNameW);

/* Room on the file system that holds `directory` (NULL: the current one), in bytes or in clusters. */
WINBASEAPI BOOL WINAPI GetDiskFreeSpaceExA(LPCSTR directory, PULARGE_INTEGER available,
                                           PULARGE_INTEGER total, PULARGE_INTEGER free_bytes)
    IOCP_SYM(GetDiskFreeSpaceExA);
WINBASEAPI BOOL WINAPI GetDiskFreeSpaceExW(LPCWSTR directory, PULARGE_INTEGER available,
                                           PULARGE_INTEGER total, PULARGE_INTEGER free_bytes)
    IOCP_SYM(GetDiskFreeSpaceExW);
WINBASEAPI BOOL WINAPI GetDiskFreeSpaceA(LPCSTR root, LPDWORD sectors_per_cluster, LPDWORD bytes_per_sector,
                                         LPDWORD free_clusters, LPDWORD clusters) IOCP_SYM(GetDiskFreeSpaceA);
WINBASEAPI BOOL WINAPI GetDiskFreeSpaceW(LPCWSTR root, LPDWORD sectors_per_cluster, LPDWORD bytes_per_sector,
                                         LPDWORD free_clusters, LPDWORD clusters) IOCP_SYM(GetDiskFreeSpaceW);

/* ---------- file times ---------- */

/* -1, 0 or 1: the first is earlier, the same, later. */
WINBASEAPI LONG WINAPI CompareFileTime(const FILETIME *a, const FILETIME *b) IOCP_SYM(CompareFileTime);

/* By the difference to UTC that holds today, whatever the date, as on Windows. Always TRUE. */
WINBASEAPI BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *utc, LPFILETIME local)
    IOCP_SYM(FileTimeToLocalFileTime);
WINBASEAPI BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *local, LPFILETIME utc)
    IOCP_SYM(LocalFileTimeToFileTime);

#ifdef UNICODE
#define CreateFile               CreateFileW
#define GetFileAttributes        GetFileAttributesW
#define GetFileAttributesEx      GetFileAttributesExW
#define SetFileAttributes        SetFileAttributesW
#define GetFinalPathNameByHandle GetFinalPathNameByHandleW
#define DeleteFile               DeleteFileW
#define CreateDirectory          CreateDirectoryW
#define RemoveDirectory          RemoveDirectoryW
#define FindFirstFile            FindFirstFileW
#define FindNextFile             FindNextFileW
#define FindFirstChangeNotification FindFirstChangeNotificationW
#define GetFullPathName          GetFullPathNameW
#define GetLongPathName          GetLongPathNameW
#define GetShortPathName         GetShortPathNameW
#define GetTempPath              GetTempPathW
#define GetTempFileName          GetTempFileNameW
#define GetDiskFreeSpaceEx       GetDiskFreeSpaceExW
#define GetDiskFreeSpace         GetDiskFreeSpaceW
#else
#define CreateFile               CreateFileA
#define GetFileAttributes        GetFileAttributesA
#define GetFileAttributesEx      GetFileAttributesExA
#define SetFileAttributes        SetFileAttributesA
#define GetFinalPathNameByHandle GetFinalPathNameByHandleA
#define DeleteFile               DeleteFileA
#define CreateDirectory          CreateDirectoryA
#define RemoveDirectory          RemoveDirectoryA
#define FindFirstFile            FindFirstFileA
#define FindNextFile             FindNextFileA
#define FindFirstChangeNotification FindFirstChangeNotificationA
#define GetFullPathName          GetFullPathNameA
#define GetLongPathName          GetLongPathNameA
#define GetShortPathName         GetShortPathNameA
#define GetTempPath              GetTempPathA
#define GetTempFileName          GetTempFileNameA
#define GetDiskFreeSpaceEx       GetDiskFreeSpaceExA
#define GetDiskFreeSpace         GetDiskFreeSpaceA
#endif

IOCP_EXTERN_C_END

#endif
