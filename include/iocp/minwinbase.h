/* SPDX-License-Identifier: MIT */
/*
 * minwinbase.h: the structures that calls pass to and fro: OVERLAPPED, OVERLAPPED_ENTRY,
 * SECURITY_ATTRIBUTES, SYSTEMTIME, WIN32_FIND_DATA, and the callbacks they go with.
 * Page: "minwinbase.h header", learn.microsoft.com/windows/win32/api/minwinbase/.
 */
#ifndef _MINWINBASE_
#define _MINWINBASE_

#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

/* Accepted and looked at for bInheritHandle only: Linux has no use for a security descriptor. */
typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/*
 * One asynchronous operation. It belongs to the program but must stay where it is, untouched, from
 * the starting call until the operation's completion has been seen. Zero it before use; Offset is
 * the position in a file (0 for sockets), hEvent an event or NULL; its bit 0 set means "no packet,
 * please". Internal shows STATUS_PENDING until the end, then the NTSTATUS; InternalHigh the bytes.
 */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    IOCP_NAMELESS union {
        IOCP_NAMELESS struct {
            DWORD Offset;
            DWORD OffsetHigh;
        } DUMMYSTRUCTNAME;
        PVOID Pointer;
    } DUMMYUNIONNAME;
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef struct _OVERLAPPED_ENTRY {
    ULONG_PTR lpCompletionKey;
    LPOVERLAPPED lpOverlapped;
    ULONG_PTR Internal; /* the NTSTATUS of the operation */
    DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

IOCP_ASSERT_SIZE(SECURITY_ATTRIBUTES, 24);
IOCP_ASSERT_SIZE(OVERLAPPED, 32);
IOCP_ASSERT_SIZE(OVERLAPPED_ENTRY, 32);
IOCP_STATIC_ASSERT(offsetof(OVERLAPPED, InternalHigh) == 8, "OVERLAPPED.InternalHigh");
IOCP_STATIC_ASSERT(offsetof(OVERLAPPED, Offset) == 16, "OVERLAPPED.Offset");
IOCP_STATIC_ASSERT(offsetof(OVERLAPPED, OffsetHigh) == 20, "OVERLAPPED.OffsetHigh");
IOCP_STATIC_ASSERT(offsetof(OVERLAPPED, hEvent) == 24, "OVERLAPPED.hEvent");
IOCP_STATIC_ASSERT(offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred) == 24, "OVERLAPPED_ENTRY");

typedef void(WINAPI *LPOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwErrorCode, DWORD dwNumberOfBytesTransfered,
                                                      LPOVERLAPPED lpOverlapped);

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

typedef struct _WIN32_FIND_DATAA {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
    DWORD dwReserved0; /* the reparse tag */
    DWORD dwReserved1;
    CHAR cFileName[MAX_PATH];
    CHAR cAlternateFileName[14];
} WIN32_FIND_DATAA, *PWIN32_FIND_DATAA, *LPWIN32_FIND_DATAA;

typedef struct _WIN32_FIND_DATAW {
    DWORD dwFileAttributes;
    FILETIME ftCreationTime;
    FILETIME ftLastAccessTime;
    FILETIME ftLastWriteTime;
    DWORD nFileSizeHigh;
    DWORD nFileSizeLow;
    DWORD dwReserved0;
    DWORD dwReserved1;
    WCHAR cFileName[MAX_PATH];
    WCHAR cAlternateFileName[14];
} WIN32_FIND_DATAW, *PWIN32_FIND_DATAW, *LPWIN32_FIND_DATAW;

IOCP_ASSERT_SIZE(SYSTEMTIME, 16);
IOCP_ASSERT_SIZE(WIN32_FIND_DATAA, 320);
IOCP_ASSERT_SIZE(WIN32_FIND_DATAW, 592);

#ifdef UNICODE
typedef WIN32_FIND_DATAW WIN32_FIND_DATA;
typedef PWIN32_FIND_DATAW PWIN32_FIND_DATA;
typedef LPWIN32_FIND_DATAW LPWIN32_FIND_DATA;
#else
typedef WIN32_FIND_DATAA WIN32_FIND_DATA;
typedef PWIN32_FIND_DATAA PWIN32_FIND_DATA;
typedef LPWIN32_FIND_DATAA LPWIN32_FIND_DATA;
#endif

typedef enum _FINDEX_INFO_LEVELS {
    FindExInfoStandard,
    FindExInfoBasic,
    FindExInfoMaxInfoLevel
} FINDEX_INFO_LEVELS;

typedef enum _FINDEX_SEARCH_OPS {
    FindExSearchNameMatch,
    FindExSearchLimitToDirectories,
    FindExSearchLimitToDevices,
    FindExSearchMaxSearchOp
} FINDEX_SEARCH_OPS;

#define FIND_FIRST_EX_CASE_SENSITIVE       0x00000001
#define FIND_FIRST_EX_LARGE_FETCH          0x00000002
#define FIND_FIRST_EX_ON_DISK_ENTRIES_ONLY 0x00000004

typedef enum _GET_FILEEX_INFO_LEVELS {
    GetFileExInfoStandard,
    GetFileExMaxInfoLevel
} GET_FILEEX_INFO_LEVELS;

typedef enum _FILE_INFO_BY_HANDLE_CLASS {
    FileBasicInfo,
    FileStandardInfo,
    FileNameInfo,
    FileRenameInfo,
    FileDispositionInfo,
    FileAllocationInfo,
    FileEndOfFileInfo,
    FileStreamInfo,
    FileCompressionInfo,
    FileAttributeTagInfo,
    FileIdBothDirectoryInfo,
    FileIdBothDirectoryRestartInfo,
    FileIoPriorityHintInfo,
    FileRemoteProtocolInfo,
    FileFullDirectoryInfo,
    FileFullDirectoryRestartInfo,
    FileStorageInfo,
    FileAlignmentInfo,
    FileIdInfo,
    FileIdExtdDirectoryInfo,
    FileIdExtdDirectoryRestartInfo,
    FileDispositionInfoEx,
    FileRenameInfoEx,
    FileCaseSensitiveInfo,
    FileNormalizedNameInfo,
    MaximumFileInfoByHandleClass
} FILE_INFO_BY_HANDLE_CLASS, *PFILE_INFO_BY_HANDLE_CLASS;

/* The records that ReadDirectoryChangesExW gives. */
typedef enum _READ_DIRECTORY_NOTIFY_INFORMATION_CLASS {
    ReadDirectoryNotifyInformation = 1,
    ReadDirectoryNotifyExtendedInformation,
    ReadDirectoryNotifyFullInformation,
    ReadDirectoryNotifyMaximumInformation
} READ_DIRECTORY_NOTIFY_INFORMATION_CLASS, *PREAD_DIRECTORY_NOTIFY_INFORMATION_CLASS;

/* Why a timer may wake the machine; accepted and not looked at. */
typedef struct _REASON_CONTEXT {
    ULONG Version;
    DWORD Flags;
    union {
        struct {
            HMODULE LocalizedReasonModule;
            ULONG LocalizedReasonId;
            ULONG ReasonStringCount;
            LPWSTR *ReasonStrings;
        } Detailed;
        LPWSTR SimpleReasonString;
    } Reason;
} REASON_CONTEXT, *PREASON_CONTEXT;

typedef RTL_CRITICAL_SECTION CRITICAL_SECTION;
typedef PRTL_CRITICAL_SECTION PCRITICAL_SECTION, LPCRITICAL_SECTION;

#define LOCKFILE_FAIL_IMMEDIATELY 0x00000001
#define LOCKFILE_EXCLUSIVE_LOCK   0x00000002

#define STILL_ACTIVE ((DWORD)0x00000103)

#define EXCEPTION_ACCESS_VIOLATION         ((DWORD)0xC0000005)
#define EXCEPTION_DATATYPE_MISALIGNMENT    ((DWORD)0x80000002)
#define EXCEPTION_BREAKPOINT               ((DWORD)0x80000003)
#define EXCEPTION_SINGLE_STEP              ((DWORD)0x80000004)
#define EXCEPTION_ARRAY_BOUNDS_EXCEEDED    ((DWORD)0xC000008C)
#define EXCEPTION_FLT_DENORMAL_OPERAND     ((DWORD)0xC000008D)
#define EXCEPTION_FLT_DIVIDE_BY_ZERO       ((DWORD)0xC000008E)
#define EXCEPTION_FLT_INEXACT_RESULT       ((DWORD)0xC000008F)
#define EXCEPTION_FLT_INVALID_OPERATION    ((DWORD)0xC0000090)
#define EXCEPTION_FLT_OVERFLOW             ((DWORD)0xC0000091)
#define EXCEPTION_FLT_STACK_CHECK          ((DWORD)0xC0000092)
#define EXCEPTION_FLT_UNDERFLOW            ((DWORD)0xC0000093)
#define EXCEPTION_INT_DIVIDE_BY_ZERO       ((DWORD)0xC0000094)
#define EXCEPTION_INT_OVERFLOW             ((DWORD)0xC0000095)
#define EXCEPTION_PRIV_INSTRUCTION         ((DWORD)0xC0000096)
#define EXCEPTION_IN_PAGE_ERROR            ((DWORD)0xC0000006)
#define EXCEPTION_ILLEGAL_INSTRUCTION      ((DWORD)0xC000001D)
#define EXCEPTION_NONCONTINUABLE_EXCEPTION ((DWORD)0xC0000025)
#define EXCEPTION_STACK_OVERFLOW           ((DWORD)0xC00000FD)
#define EXCEPTION_INVALID_DISPOSITION      ((DWORD)0xC0000026)
#define EXCEPTION_GUARD_PAGE               ((DWORD)0x80000001)
#define EXCEPTION_INVALID_HANDLE           ((DWORD)0xC0000008)
#define CONTROL_C_EXIT                     ((DWORD)0xC000013A)

IOCP_EXTERN_C_END

#endif
