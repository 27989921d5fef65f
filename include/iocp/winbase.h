/* SPDX-License-Identifier: MIT */
/*
 * winbase.h: brings the function headers together, and has itself what the SDK never moved out of
 * it: flags of CreateFile, answers of waits, HasOverlappedIoCompleted, completion modes, moving and
 * copying files, FormatMessage, Local and Global memory, lstr functions, processor masks, environments of
 * thread pool callbacks, registered waits.
 * Pages: learn.microsoft.com/windows/win32/api/winbase/.
 */
#ifndef _WINBASE_
#define _WINBASE_

#include <stdarg.h>
#include <minwindef.h>
#include <minwinbase.h>
#include <winerror.h>
#include <commapi.h>
#include <debugapi.h>
#include <errhandlingapi.h>
#include <fibersapi.h>
#include <fileapi.h>
#include <handleapi.h>
#include <heapapi.h>
#include <interlockedapi.h>
#include <ioapiset.h>
#include <libloaderapi.h>
#include <memoryapi.h>
#include <namedpipeapi.h>
#include <processenv.h>
#include <processthreadsapi.h>
#include <processtopologyapi.h>
#include <profileapi.h>
#include <realtimeapiset.h>
#include <securitybaseapi.h>
#include <stringapiset.h>
#include <synchapi.h>
#include <sysinfoapi.h>
#include <threadpoolapiset.h>
#include <threadpoollegacyapiset.h>
#include <timezoneapi.h>

IOCP_EXTERN_C_BEGIN

/* ---------- waiting ---------- */

#define INFINITE          0xFFFFFFFF
#define WAIT_FAILED       ((DWORD)0xFFFFFFFF)
#define WAIT_OBJECT_0     ((DWORD)0)
#define WAIT_ABANDONED    ((DWORD)0x80)
#define WAIT_ABANDONED_0  ((DWORD)0x80)
#define WAIT_IO_COMPLETION ((DWORD)0xC0)

/* ---------- files: numbers ---------- */

/* Flags of CreateFile; the rest of the word is FILE_ATTRIBUTE_*. */
#define FILE_FLAG_WRITE_THROUGH         0x80000000
#define FILE_FLAG_OVERLAPPED            0x40000000
#define FILE_FLAG_NO_BUFFERING          0x20000000 /* O_DIRECT: sizes, offsets and buffers aligned */
#define FILE_FLAG_RANDOM_ACCESS         0x10000000
#define FILE_FLAG_SEQUENTIAL_SCAN       0x08000000
#define FILE_FLAG_DELETE_ON_CLOSE       0x04000000
#define FILE_FLAG_BACKUP_SEMANTICS      0x02000000 /* directories may be opened */
#define FILE_FLAG_POSIX_SEMANTICS       0x01000000 /* ignored, as the following without a comment */
#define FILE_FLAG_SESSION_AWARE         0x00800000
#define FILE_FLAG_OPEN_REPARSE_POINT    0x00200000 /* opens a symbolic link itself */
#define FILE_FLAG_OPEN_NO_RECALL        0x00100000
#define FILE_FLAG_FIRST_PIPE_INSTANCE   0x00080000
#define FILE_FLAG_OPEN_REQUIRING_OPLOCK 0x00040000

#define SECURITY_ANONYMOUS        (0 << 16)
#define SECURITY_IDENTIFICATION   (1 << 16)
#define SECURITY_IMPERSONATION    (2 << 16)
#define SECURITY_DELEGATION       (3 << 16)
#define SECURITY_CONTEXT_TRACKING 0x00040000
#define SECURITY_EFFECTIVE_ONLY   0x00080000
#define SECURITY_SQOS_PRESENT     0x00100000
#define SECURITY_VALID_SQOS_FLAGS 0x001F0000

#define FILE_BEGIN   0
#define FILE_CURRENT 1
#define FILE_END     2

#define FILE_TYPE_UNKNOWN 0x0000
#define FILE_TYPE_DISK    0x0001
#define FILE_TYPE_CHAR    0x0002
#define FILE_TYPE_PIPE    0x0003
#define FILE_TYPE_REMOTE  0x8000

/* Flags of GetFinalPathNameByHandle, without effect. */
#define VOLUME_NAME_DOS      0x0
#define VOLUME_NAME_GUID     0x1
#define VOLUME_NAME_NT       0x2
#define VOLUME_NAME_NONE     0x4
#define FILE_NAME_NORMALIZED 0x0
#define FILE_NAME_OPENED     0x8

#define STD_INPUT_HANDLE  ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE  ((DWORD)-12)

#define HANDLE_FLAG_INHERIT            0x00000001
#define HANDLE_FLAG_PROTECT_FROM_CLOSE 0x00000002 /* CloseHandle fails with ERROR_INVALID_HANDLE */

/* ---------- files: overlapped operations ---------- */

/*
 * Has the operation ended? TRUE also if it never began. Never waits; but it does what work there is to
 * do for pending operations that nobody else is attending to, so a program may go round in a loop.
 * As on Windows anything with a member Internal will do.
 */
WINBASEAPI BOOL WINAPI HasOverlappedIoCompleted(LPOVERLAPPED overlapped) IOCP_SYM(HasOverlappedIoCompleted);
#ifndef IOCP_BUILDING
#define HasOverlappedIoCompleted(overlapped) HasOverlappedIoCompleted((LPOVERLAPPED)&(overlapped)->Internal)
#endif

#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 0x1 /* done at once: no packet */
#define FILE_SKIP_SET_EVENT_ON_HANDLE        0x2 /* completions do not signal the handle itself */

/* Adds modes to a handle; they cannot be taken away. ERROR_INVALID_PARAMETER (unknown modes, or the handle
 * is not overlapped), ERROR_INVALID_HANDLE. */
WINBASEAPI BOOL WINAPI SetFileCompletionNotificationModes(HANDLE file, UCHAR flags)
    IOCP_SYM(SetFileCompletionNotificationModes);

/* ---------- directories: changes ---------- */

/*
 * The changes in a directory since the last call on this handle, as FILE_NOTIFY_INFORMATION records in
 * `data` (at least 4-byte aligned), at once or when there are any. The first call begins the watch: its
 * `filter` (FILE_NOTIFY_CHANGE_*), `subtree` and size count for all; what is kept between calls is at most
 * as much as its buffer. Synchronous, or overlapped with event, port or `routine` (not both of these).
 * TRUE with 0 bytes (STATUS_NOTIFY_ENUM_DIR in Internal): more has changed than fits; look for yourself.
 * `bytes` is written by a synchronous call. ERROR_INVALID_PARAMETER (no directory, no such filter),
 * ERROR_ACCESS_DENIED (opened without FILE_LIST_DIRECTORY; or the directory was deleted), ERROR_NOACCESS
 * (alignment), ERROR_TOO_MANY_OPEN_FILES, ERROR_NO_SYSTEM_RESOURCES (fs.inotify.max_user_instances and
 * max_user_watches), ERROR_OPERATION_ABORTED. Names have '/' between their parts.
 */
WINBASEAPI BOOL WINAPI ReadDirectoryChangesW(HANDLE directory, LPVOID data, DWORD size, BOOL subtree,
                                             DWORD filter, LPDWORD bytes, LPOVERLAPPED overlapped,
                                             LPOVERLAPPED_COMPLETION_ROUTINE routine)
    IOCP_SYM(ReadDirectoryChangesW);

/*
 * The same with records of `kind`: ReadDirectoryNotifyInformation is ReadDirectoryChangesW;
 * ReadDirectoryNotifyExtendedInformation gives FILE_NOTIFY_EXTENDED_INFORMATION records, which also say what
 * a file is: at the moment when the change is read, and in both records of a rename what it is under its
 * new name. Of one that is gone by then are known whether it was a directory, and the parent's FileId; the
 * rest is 0. The first call decides the kind, too. ERROR_INVALID_PARAMETER: another kind than in the first
 * call, or than these two; and the errors of ReadDirectoryChangesW.
 */
WINBASEAPI BOOL WINAPI ReadDirectoryChangesExW(HANDLE directory, LPVOID data, DWORD size, BOOL subtree,
                                               DWORD filter, LPDWORD bytes, LPOVERLAPPED overlapped,
                                               LPOVERLAPPED_COMPLETION_ROUTINE routine,
                                               READ_DIRECTORY_NOTIFY_INFORMATION_CLASS kind)
    IOCP_SYM(ReadDirectoryChangesExW);

/* ---------- files: again, and in memory ---------- */

/*
 * Another handle, independent of the first, to the same file: its own access, shares and flags
 * (FILE_FLAG_OVERLAPPED, NO_BUFFERING, WRITE_THROUGH ...). INVALID_HANDLE_VALUE: ERROR_SHARING_VIOLATION
 * (with the first one, too), ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER (no file on a disk).
 */
WINBASEAPI HANDLE WINAPI ReOpenFile(HANDLE file, DWORD access, DWORD share, DWORD flags) IOCP_SYM(ReOpenFile);

/* As their W versions in memoryapi.h. */
WINBASEAPI HANDLE WINAPI CreateFileMappingA(HANDLE file, LPSECURITY_ATTRIBUTES security, DWORD protect,
                                            DWORD size_high, DWORD size, LPCSTR name)
    IOCP_SYM(CreateFileMappingA);
WINBASEAPI HANDLE WINAPI OpenFileMappingA(DWORD access, BOOL inherit, LPCSTR name) IOCP_SYM(OpenFileMappingA);
#ifndef UNICODE
#define CreateFileMapping CreateFileMappingA
#define OpenFileMapping   OpenFileMappingA
#endif

/* ---------- files: information by handle ---------- */

/* Times count 100 ns from 1601. To set: 0 or -1 leaves a time, 0 the attributes as they are. */
typedef struct _FILE_BASIC_INFO {
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    DWORD FileAttributes;
} FILE_BASIC_INFO, *PFILE_BASIC_INFO;

typedef struct _FILE_STANDARD_INFO {
    LARGE_INTEGER AllocationSize;
    LARGE_INTEGER EndOfFile;
    DWORD NumberOfLinks;
    BOOLEAN DeletePending;
    BOOLEAN Directory;
} FILE_STANDARD_INFO, *PFILE_STANDARD_INFO;

typedef struct _FILE_NAME_INFO {
    DWORD FileNameLength; /* bytes */
    WCHAR FileName[1];    /* not terminated */
} FILE_NAME_INFO, *PFILE_NAME_INFO;

typedef struct _FILE_RENAME_INFO {
    IOCP_NAMELESS union {
        BOOLEAN ReplaceIfExists;
        DWORD Flags;
    } DUMMYUNIONNAME;
    HANDLE RootDirectory; /* NULL */
    DWORD FileNameLength; /* bytes */
    WCHAR FileName[1];
} FILE_RENAME_INFO, *PFILE_RENAME_INFO;

typedef struct _FILE_ALLOCATION_INFO {
    LARGE_INTEGER AllocationSize;
} FILE_ALLOCATION_INFO, *PFILE_ALLOCATION_INFO;

typedef struct _FILE_END_OF_FILE_INFO {
    LARGE_INTEGER EndOfFile;
} FILE_END_OF_FILE_INFO, *PFILE_END_OF_FILE_INFO;

typedef struct _FILE_DISPOSITION_INFO {
    BOOLEAN DeleteFile;
} FILE_DISPOSITION_INFO, *PFILE_DISPOSITION_INFO;

#define FILE_DISPOSITION_FLAG_DO_NOT_DELETE             0x00000000
#define FILE_DISPOSITION_FLAG_DELETE                    0x00000001
#define FILE_DISPOSITION_FLAG_POSIX_SEMANTICS           0x00000002
#define FILE_DISPOSITION_FLAG_FORCE_IMAGE_SECTION_CHECK 0x00000004
#define FILE_DISPOSITION_FLAG_ON_CLOSE                  0x00000008
#define FILE_DISPOSITION_FLAG_IGNORE_READONLY_ATTRIBUTE 0x00000010

typedef struct _FILE_DISPOSITION_INFO_EX {
    DWORD Flags;
} FILE_DISPOSITION_INFO_EX, *PFILE_DISPOSITION_INFO_EX;

typedef struct _FILE_ATTRIBUTE_TAG_INFO {
    DWORD FileAttributes;
    DWORD ReparseTag;
} FILE_ATTRIBUTE_TAG_INFO, *PFILE_ATTRIBUTE_TAG_INFO;

/* Records of a listing: each begins NextEntryOffset bytes behind the one before, the last has 0 there. */
typedef struct _FILE_ID_BOTH_DIR_INFO {
    DWORD NextEntryOffset;
    DWORD FileIndex;
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    LARGE_INTEGER EndOfFile;
    LARGE_INTEGER AllocationSize;
    DWORD FileAttributes;
    DWORD FileNameLength; /* bytes */
    DWORD EaSize;
    CCHAR ShortNameLength; /* 0: there are no short names */
    WCHAR ShortName[12];
    LARGE_INTEGER FileId;
    WCHAR FileName[1];
} FILE_ID_BOTH_DIR_INFO, *PFILE_ID_BOTH_DIR_INFO;

typedef struct _FILE_FULL_DIR_INFO {
    ULONG NextEntryOffset;
    ULONG FileIndex;
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    LARGE_INTEGER EndOfFile;
    LARGE_INTEGER AllocationSize;
    ULONG FileAttributes;
    ULONG FileNameLength; /* bytes */
    ULONG EaSize;
    WCHAR FileName[1];
} FILE_FULL_DIR_INFO, *PFILE_FULL_DIR_INFO;

typedef struct _FILE_ID_INFO {
    ULONGLONG VolumeSerialNumber;
    FILE_ID_128 FileId;
} FILE_ID_INFO, *PFILE_ID_INFO;

typedef enum _PRIORITY_HINT {
    IoPriorityHintVeryLow,
    IoPriorityHintLow,
    IoPriorityHintNormal,
    MaximumIoPriorityHintType
} PRIORITY_HINT;

typedef struct _FILE_IO_PRIORITY_HINT_INFO {
    PRIORITY_HINT PriorityHint;
} FILE_IO_PRIORITY_HINT_INFO, *PFILE_IO_PRIORITY_HINT_INFO;

IOCP_ASSERT_SIZE(FILE_BASIC_INFO, 40);
IOCP_ASSERT_SIZE(FILE_ID_BOTH_DIR_INFO, 112);
IOCP_ASSERT_SIZE(FILE_FULL_DIR_INFO, 72);
IOCP_ASSERT_SIZE(FILE_STANDARD_INFO, 24);
IOCP_ASSERT_SIZE(FILE_NAME_INFO, 8);
IOCP_ASSERT_SIZE(FILE_RENAME_INFO, 24);
IOCP_ASSERT_SIZE(FILE_ALLOCATION_INFO, 8);
IOCP_ASSERT_SIZE(FILE_END_OF_FILE_INFO, 8);
IOCP_ASSERT_SIZE(FILE_DISPOSITION_INFO, 1);
IOCP_ASSERT_SIZE(FILE_ATTRIBUTE_TAG_INFO, 8);
IOCP_ASSERT_SIZE(FILE_ID_INFO, 24);
IOCP_ASSERT_SIZE(FILE_IO_PRIORITY_HINT_INFO, 4);

/*
 * Fills `information` (size in bytes) with the structure of the class: FileBasicInfo,
 * FileStandardInfo, FileNameInfo, FileIdInfo, FileAttributeTagInfo; of a directory, FileIdBothDirectoryInfo
 * and FileFullDirectoryInfo list some more of its entries each time, those with "Restart" from the
 * beginning: ERROR_NO_MORE_FILES at the end. ERROR_BAD_LENGTH (too small),
 * ERROR_MORE_DATA (the name does not fit, FileNameLength says what is needed),
 * ERROR_CALL_NOT_IMPLEMENTED (another class).
 */
WINBASEAPI BOOL WINAPI GetFileInformationByHandleEx(HANDLE file, FILE_INFO_BY_HANDLE_CLASS what,
                                                    LPVOID information, DWORD size)
    IOCP_SYM(GetFileInformationByHandleEx);

/* Changes what the class says: FileBasicInfo, FileRenameInfo, FileDispositionInfo(Ex), FileAllocationInfo,
 * FileEndOfFileInfo; FileIoPriorityHintInfo is accepted. Errors as above and those of the change. */
WINBASEAPI BOOL WINAPI SetFileInformationByHandle(HANDLE file, FILE_INFO_BY_HANDLE_CLASS what,
                                                  LPVOID information, DWORD size)
    IOCP_SYM(SetFileInformationByHandle);

/* ---------- files: moving, copying, linking ---------- */

#define MOVEFILE_REPLACE_EXISTING      0x00000001
#define MOVEFILE_COPY_ALLOWED          0x00000002 /* to another file system: copy and delete */
#define MOVEFILE_DELAY_UNTIL_REBOOT    0x00000004 /* ERROR_CALL_NOT_IMPLEMENTED */
#define MOVEFILE_WRITE_THROUGH         0x00000008
#define MOVEFILE_CREATE_HARDLINK       0x00000010
#define MOVEFILE_FAIL_IF_NOT_TRACKABLE 0x00000020

#define SYMBOLIC_LINK_FLAG_DIRECTORY                0x1
#define SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE 0x2

/* Moves a file or directory; MoveFile with MOVEFILE_COPY_ALLOWED alone. ERROR_ALREADY_EXISTS,
 * ERROR_SHARING_VIOLATION, ERROR_NOT_SAME_DEVICE; names and their errors as in fileapi.h. */
WINBASEAPI BOOL WINAPI MoveFileA(LPCSTR from, LPCSTR to) IOCP_SYM(MoveFileA);
WINBASEAPI BOOL WINAPI MoveFileW(LPCWSTR from, LPCWSTR to) IOCP_SYM(MoveFileW);
WINBASEAPI BOOL WINAPI MoveFileExA(LPCSTR from, LPCSTR to, DWORD flags) IOCP_SYM(MoveFileExA);
WINBASEAPI BOOL WINAPI MoveFileExW(LPCWSTR from, LPCWSTR to, DWORD flags) IOCP_SYM(MoveFileExW);

/* Copies data, times and permissions. ERROR_FILE_EXISTS with fail_if_exists. */
WINBASEAPI BOOL WINAPI CopyFileA(LPCSTR from, LPCSTR to, BOOL fail_if_exists) IOCP_SYM(CopyFileA);
WINBASEAPI BOOL WINAPI CopyFileW(LPCWSTR from, LPCWSTR to, BOOL fail_if_exists) IOCP_SYM(CopyFileW);

/* A second name for an existing file, or a name that points to another (which need not exist).
 * security, flags: ignored. */
WINBASEAPI BOOL WINAPI CreateHardLinkA(LPCSTR name, LPCSTR existing, LPSECURITY_ATTRIBUTES security)
    IOCP_SYM(CreateHardLinkA);
WINBASEAPI BOOL WINAPI CreateHardLinkW(LPCWSTR name, LPCWSTR existing, LPSECURITY_ATTRIBUTES security)
    IOCP_SYM(CreateHardLinkW);
WINBASEAPI BOOLEAN WINAPI CreateSymbolicLinkA(LPCSTR name, LPCSTR target, DWORD flags)
    IOCP_SYM(CreateSymbolicLinkA);
WINBASEAPI BOOLEAN WINAPI CreateSymbolicLinkW(LPCWSTR name, LPCWSTR target, DWORD flags)
    IOCP_SYM(CreateSymbolicLinkW);

/* ---------- thread pool ---------- */

/* An environment says where and how the callbacks of an object run: it is filled in, given to a Create
 * function, and may then be destroyed. Initialized it means the default pool and no group. */
FORCEINLINE VOID InitializeThreadpoolEnvironment(PTP_CALLBACK_ENVIRON environment)
{
    TpInitializeCallbackEnviron(environment);
}

FORCEINLINE VOID SetThreadpoolCallbackPool(PTP_CALLBACK_ENVIRON environment, PTP_POOL pool)
{
    TpSetCallbackThreadpool(environment, pool);
}

/* cancel may be NULL. */
FORCEINLINE VOID SetThreadpoolCallbackCleanupGroup(PTP_CALLBACK_ENVIRON environment, PTP_CLEANUP_GROUP group,
                                                   PTP_CLEANUP_GROUP_CANCEL_CALLBACK cancel)
{
    TpSetCallbackCleanupGroup(environment, group, cancel);
}

FORCEINLINE VOID SetThreadpoolCallbackRunsLong(PTP_CALLBACK_ENVIRON environment)
{
    TpSetCallbackLongFunction(environment);
}

/* Without effect: modules stay loaded. */
FORCEINLINE VOID SetThreadpoolCallbackLibrary(PTP_CALLBACK_ENVIRON environment, PVOID module)
{
    TpSetCallbackRaceWithDll(environment, module);
}

/* Remembered only. */
FORCEINLINE VOID SetThreadpoolCallbackPriority(PTP_CALLBACK_ENVIRON environment,
                                               TP_CALLBACK_PRIORITY priority)
{
    TpSetCallbackPriority(environment, priority);
}

/* The thread stays from then on. */
FORCEINLINE VOID SetThreadpoolCallbackPersistent(PTP_CALLBACK_ENVIRON environment)
{
    TpSetCallbackPersistent(environment);
}

FORCEINLINE VOID DestroyThreadpoolEnvironment(PTP_CALLBACK_ENVIRON environment)
{
    TpDestroyCallbackEnviron(environment);
}

/*
 * Calls back on the default pool, with FALSE whenever the object is signalled, with TRUE after so many
 * milliseconds without (INFINITE: never), again and again after each callback, with WT_EXECUTEONLYONCE once.
 * *wait: for UnregisterWait, in any case. ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (a mutex: Windows
 * raises an exception). Flags: threadpoollegacyapiset.h.
 */
WINBASEAPI BOOL WINAPI RegisterWaitForSingleObject(PHANDLE wait, HANDLE object, WAITORTIMERCALLBACK callback,
                                                   PVOID context, ULONG milliseconds, ULONG flags)
    IOCP_SYM(RegisterWaitForSingleObject);

/* UnregisterWaitEx, DeleteTimerQueueEx without an event. */
WINBASEAPI BOOL WINAPI UnregisterWait(HANDLE wait) IOCP_SYM(UnregisterWait);
WINBASEAPI BOOL WINAPI DeleteTimerQueue(HANDLE queue) IOCP_SYM(DeleteTimerQueue);

/*
 * Every completion of the handle, opened for overlapped I/O and not yet associated with a port, is given to
 * the callback on a thread of the default pool: error (0 or a Win32 code), bytes, OVERLAPPED. flags: 0.
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER.
 */
WINBASEAPI BOOL WINAPI BindIoCompletionCallback(HANDLE file, LPOVERLAPPED_COMPLETION_ROUTINE callback,
                                            ULONG flags)
    IOCP_SYM(BindIoCompletionCallback);

/* ---------- threads and processors ---------- */

#define CREATE_SUSPENDED                  0x00000004
#define DEBUG_PROCESS                     0x00000001
#define DEBUG_ONLY_THIS_PROCESS           0x00000002
#define DETACHED_PROCESS                  0x00000008
#define CREATE_NEW_CONSOLE                0x00000010
#define CREATE_NEW_PROCESS_GROUP          0x00000200
#define CREATE_UNICODE_ENVIRONMENT        0x00000400
#define EXTENDED_STARTUPINFO_PRESENT      0x00080000
#define CREATE_BREAKAWAY_FROM_JOB         0x01000000
#define CREATE_DEFAULT_ERROR_MODE         0x04000000
#define CREATE_NO_WINDOW                  0x08000000
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000

#define NORMAL_PRIORITY_CLASS             0x00000020
#define IDLE_PRIORITY_CLASS               0x00000040
#define HIGH_PRIORITY_CLASS               0x00000080
#define REALTIME_PRIORITY_CLASS           0x00000100
#define BELOW_NORMAL_PRIORITY_CLASS       0x00004000
#define ABOVE_NORMAL_PRIORITY_CLASS       0x00008000

#define THREAD_PRIORITY_LOWEST        (-2)
#define THREAD_PRIORITY_BELOW_NORMAL  (-1)
#define THREAD_PRIORITY_NORMAL        0
#define THREAD_PRIORITY_ABOVE_NORMAL  1
#define THREAD_PRIORITY_HIGHEST       2
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_IDLE          (-15)
#define THREAD_PRIORITY_ERROR_RETURN  MAXLONG

/* STARTUPINFO.dwFlags; all but USESTDHANDLES are ignored. */
#define STARTF_USESHOWWINDOW    0x00000001
#define STARTF_USESIZE          0x00000002
#define STARTF_USEPOSITION      0x00000004
#define STARTF_USECOUNTCHARS    0x00000008
#define STARTF_USEFILLATTRIBUTE 0x00000010
#define STARTF_FORCEONFEEDBACK  0x00000040
#define STARTF_FORCEOFFFEEDBACK 0x00000080
#define STARTF_USESTDHANDLES    0x00000100

typedef struct _STARTUPINFOEXA {
    STARTUPINFOA StartupInfo;
    LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList;
} STARTUPINFOEXA, *LPSTARTUPINFOEXA;

typedef struct _STARTUPINFOEXW {
    STARTUPINFOW StartupInfo;
    LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList;
} STARTUPINFOEXW, *LPSTARTUPINFOEXW;

#ifdef UNICODE
typedef STARTUPINFOEXW STARTUPINFOEX;
typedef LPSTARTUPINFOEXW LPSTARTUPINFOEX;
#else
typedef STARTUPINFOEXA STARTUPINFOEX;
typedef LPSTARTUPINFOEXA LPSTARTUPINFOEX;
#endif

#define PROC_THREAD_ATTRIBUTE_PARENT_PROCESS    0x00020000
#define PROC_THREAD_ATTRIBUTE_HANDLE_LIST       0x00020002
#define PROC_THREAD_ATTRIBUTE_PREFERRED_NODE    0x00020004
#define PROC_THREAD_ATTRIBUTE_MITIGATION_POLICY 0x00020007
#define PROC_THREAD_ATTRIBUTE_JOB_LIST          0x0002000D
#define PROC_THREAD_ATTRIBUTE_GROUP_AFFINITY    0x00030003
#define PROC_THREAD_ATTRIBUTE_IDEAL_PROCESSOR   0x00030005

WINBASEAPI VOID WINAPI GetStartupInfoA(LPSTARTUPINFOA startup) IOCP_SYM(GetStartupInfoA);
#ifdef UNICODE
#define GetStartupInfo GetStartupInfoW
#else
#define GetStartupInfo GetStartupInfoA
#endif

/* One bit per processor, 0 to 63: those of this process, and those of the machine. */
WINBASEAPI BOOL WINAPI GetProcessAffinityMask(HANDLE process, PDWORD_PTR process_mask, PDWORD_PTR system_mask)
    IOCP_SYM(GetProcessAffinityMask);

/* For every thread there is, and so for those they start. */
WINBASEAPI BOOL WINAPI SetProcessAffinityMask(HANDLE process, DWORD_PTR mask)
    IOCP_SYM(SetProcessAffinityMask);

/* The mask before, or 0: ERROR_INVALID_PARAMETER (no such processor), ERROR_INVALID_HANDLE. */
WINBASEAPI DWORD_PTR WINAPI SetThreadAffinityMask(HANDLE thread, DWORD_PTR mask)
    IOCP_SYM(SetThreadAffinityMask);

/* Processors of a group (ALL_PROCESSOR_GROUPS: of all): those online, those there may ever be. There is one
 * group, 0; another: 0, ERROR_INVALID_PARAMETER. */
WINBASEAPI DWORD WINAPI GetActiveProcessorCount(WORD group) IOCP_SYM(GetActiveProcessorCount);
WINBASEAPI DWORD WINAPI GetMaximumProcessorCount(WORD group) IOCP_SYM(GetMaximumProcessorCount);
WINBASEAPI WORD WINAPI GetActiveProcessorGroupCount(void) IOCP_SYM(GetActiveProcessorGroupCount);
WINBASEAPI WORD WINAPI GetMaximumProcessorGroupCount(void) IOCP_SYM(GetMaximumProcessorGroupCount);

/*
 * Whether the version (see GetVersionEx) compares as the mask of VerSetConditionMask says, in the fields of
 * VER_*; major, minor and service pack count as one number. FALSE: ERROR_OLD_WIN_VERSION (it does not),
 * ERROR_BAD_ARGUMENTS (no mask).
 */
WINBASEAPI BOOL WINAPI VerifyVersionInfoA(LPOSVERSIONINFOEXA wanted, DWORD fields, DWORDLONG mask)
    IOCP_SYM(VerifyVersionInfoA);
WINBASEAPI BOOL WINAPI VerifyVersionInfoW(LPOSVERSIONINFOEXW wanted, DWORD fields, DWORDLONG mask)
    IOCP_SYM(VerifyVersionInfoW);

/* a * b / c in 64 bits, rounded to the nearest; -1 if c is 0 or the result needs more than 32. */
WINBASEAPI int WINAPI MulDiv(int a, int b, int c) IOCP_SYM(MulDiv);

/* ComputerNameNetBIOS of sysinfoapi.h; a buffer too small is ERROR_BUFFER_OVERFLOW. */
#ifndef MAX_COMPUTERNAME_LENGTH
#define MAX_COMPUTERNAME_LENGTH 15
#endif
WINBASEAPI BOOL WINAPI GetComputerNameA(LPSTR buffer, LPDWORD size) IOCP_SYM(GetComputerNameA);
WINBASEAPI BOOL WINAPI GetComputerNameW(LPWSTR buffer, LPDWORD size) IOCP_SYM(GetComputerNameW);

/* ---------- errors ---------- */

#define SEM_FAILCRITICALERRORS     0x0001
#define SEM_NOGPFAULTERRORBOX      0x0002
#define SEM_NOALIGNMENTFAULTEXCEPT 0x0004
#define SEM_NOOPENFILEERRORBOX     0x8000

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS  0x00000200
#define FORMAT_MESSAGE_FROM_STRING     0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE    0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM     0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY  0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK  0x000000FF

/*
 * The text of an error code, in English and with "\r\n" at its end (FROM_SYSTEM), or `source` with
 * %1, %2!d! ... replaced by `arguments` (FROM_STRING).
 *   flags     FORMAT_MESSAGE_*
 *   source    the text, with FROM_STRING; else ignored
 *   code      of winerror.h, or an HRESULT made of one; with FROM_HMODULE also an NTSTATUS
 *   language  ignored
 *   buffer    room for `size` characters; with ALLOCATE_BUFFER cast from a pointer to a pointer, which
 *             gets a text of at least `size` characters for LocalFree
 *   arguments a va_list *, or with ARGUMENT_ARRAY a DWORD_PTR * cast to it, or NULL
 * The length without the terminator, or 0: ERROR_MR_MID_NOT_FOUND (no text for the code),
 * ERROR_INSUFFICIENT_BUFFER, ERROR_NO_WORK_DONE (an empty text), ERROR_INVALID_PARAMETER,
 * ERROR_NOT_ENOUGH_MEMORY.
 */
WINBASEAPI DWORD WINAPI FormatMessageA(DWORD flags, LPCVOID source, DWORD code, DWORD language, LPSTR buffer,
                                       DWORD size, va_list *arguments) IOCP_SYM(FormatMessageA);
WINBASEAPI DWORD WINAPI FormatMessageW(DWORD flags, LPCVOID source, DWORD code, DWORD language, LPWSTR buffer,
                                       DWORD size, va_list *arguments) IOCP_SYM(FormatMessageW);

/* ---------- memory ---------- */

#define MoveMemory       RtlMoveMemory
#define CopyMemory       RtlCopyMemory
#define FillMemory       RtlFillMemory
#define ZeroMemory       RtlZeroMemory
#define SecureZeroMemory RtlSecureZeroMemory

#define LMEM_FIXED       0x0000
#define LMEM_MOVEABLE    0x0002
#define LMEM_NOCOMPACT   0x0010
#define LMEM_NODISCARD   0x0020
#define LMEM_ZEROINIT    0x0040
#define LMEM_MODIFY      0x0080
#define LMEM_DISCARDABLE 0x0F00
#define LHND             (LMEM_MOVEABLE | LMEM_ZEROINIT)
#define LPTR             (LMEM_FIXED | LMEM_ZEROINIT)
#define NONZEROLHND      LMEM_MOVEABLE
#define NONZEROLPTR      LMEM_FIXED

#define GMEM_FIXED       0x0000
#define GMEM_MOVEABLE    0x0002
#define GMEM_NOCOMPACT   0x0010
#define GMEM_NODISCARD   0x0020
#define GMEM_ZEROINIT    0x0040
#define GMEM_MODIFY      0x0080
#define GMEM_DISCARDABLE 0x0100
#define GMEM_SHARE       0x2000
#define GHND             (GMEM_MOVEABLE | GMEM_ZEROINIT)
#define GPTR             (GMEM_FIXED | GMEM_ZEROINIT)

/*
 * Memory as FormatMessage gives it; the handle is its address, also of "moveable" memory. Alloc and
 * ReAlloc (by a larger size only with MOVEABLE memory or flag): NULL with ERROR_NOT_ENOUGH_MEMORY.
 * Free: NULL, or what it was given with ERROR_INVALID_HANDLE. Size: bytes, 0 on failure. Unlock:
 * FALSE, and no error if the handle is good. Local and Global memory are one thing.
 */
WINBASEAPI HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T size) IOCP_SYM(LocalAlloc);
WINBASEAPI HLOCAL WINAPI LocalReAlloc(HLOCAL memory, SIZE_T size, UINT flags) IOCP_SYM(LocalReAlloc);
WINBASEAPI HLOCAL WINAPI LocalFree(HLOCAL memory) IOCP_SYM(LocalFree);
WINBASEAPI SIZE_T WINAPI LocalSize(HLOCAL memory) IOCP_SYM(LocalSize);
WINBASEAPI LPVOID WINAPI LocalLock(HLOCAL memory) IOCP_SYM(LocalLock);
WINBASEAPI BOOL WINAPI LocalUnlock(HLOCAL memory) IOCP_SYM(LocalUnlock);
WINBASEAPI HGLOBAL WINAPI GlobalAlloc(UINT flags, SIZE_T size) IOCP_SYM(GlobalAlloc);
WINBASEAPI HGLOBAL WINAPI GlobalReAlloc(HGLOBAL memory, SIZE_T size, UINT flags) IOCP_SYM(GlobalReAlloc);
WINBASEAPI HGLOBAL WINAPI GlobalFree(HGLOBAL memory) IOCP_SYM(GlobalFree);
WINBASEAPI SIZE_T WINAPI GlobalSize(HGLOBAL memory) IOCP_SYM(GlobalSize);
WINBASEAPI LPVOID WINAPI GlobalLock(HGLOBAL memory) IOCP_SYM(GlobalLock);
WINBASEAPI BOOL WINAPI GlobalUnlock(HGLOBAL memory) IOCP_SYM(GlobalUnlock);

/* ---------- strings ---------- */

/* strlen, strcpy, strcat and strcmp that answer 0 or NULL to a NULL. lstrcpyn copies at most size - 1
 * characters and terminates. lstrcmp goes by code units, lstrcmpi by those of the letters in one case. */
WINBASEAPI int WINAPI lstrlenA(LPCSTR text) IOCP_SYM(lstrlenA);
WINBASEAPI int WINAPI lstrlenW(LPCWSTR text) IOCP_SYM(lstrlenW);
WINBASEAPI LPSTR WINAPI lstrcpyA(LPSTR to, LPCSTR from) IOCP_SYM(lstrcpyA);
WINBASEAPI LPWSTR WINAPI lstrcpyW(LPWSTR to, LPCWSTR from) IOCP_SYM(lstrcpyW);
WINBASEAPI LPSTR WINAPI lstrcpynA(LPSTR to, LPCSTR from, int size) IOCP_SYM(lstrcpynA);
WINBASEAPI LPWSTR WINAPI lstrcpynW(LPWSTR to, LPCWSTR from, int size) IOCP_SYM(lstrcpynW);
WINBASEAPI LPSTR WINAPI lstrcatA(LPSTR to, LPCSTR from) IOCP_SYM(lstrcatA);
WINBASEAPI LPWSTR WINAPI lstrcatW(LPWSTR to, LPCWSTR from) IOCP_SYM(lstrcatW);
WINBASEAPI int WINAPI lstrcmpA(LPCSTR a, LPCSTR b) IOCP_SYM(lstrcmpA);
WINBASEAPI int WINAPI lstrcmpW(LPCWSTR a, LPCWSTR b) IOCP_SYM(lstrcmpW);
WINBASEAPI int WINAPI lstrcmpiA(LPCSTR a, LPCSTR b) IOCP_SYM(lstrcmpiA);
WINBASEAPI int WINAPI lstrcmpiW(LPCWSTR a, LPCWSTR b) IOCP_SYM(lstrcmpiW);

#ifdef UNICODE
#define MoveFile           MoveFileW
#define MoveFileEx         MoveFileExW
#define CopyFile           CopyFileW
#define CreateHardLink     CreateHardLinkW
#define CreateSymbolicLink CreateSymbolicLinkW
#define FormatMessage      FormatMessageW
#define GetComputerName    GetComputerNameW
#define VerifyVersionInfo  VerifyVersionInfoW
#define lstrlen            lstrlenW
#define lstrcpy            lstrcpyW
#define lstrcpyn           lstrcpynW
#define lstrcat            lstrcatW
#define lstrcmp            lstrcmpW
#define lstrcmpi           lstrcmpiW
#else
#define MoveFile           MoveFileA
#define MoveFileEx         MoveFileExA
#define CopyFile           CopyFileA
#define CreateHardLink     CreateHardLinkA
#define CreateSymbolicLink CreateSymbolicLinkA
#define FormatMessage      FormatMessageA
#define GetComputerName    GetComputerNameA
#define VerifyVersionInfo  VerifyVersionInfoA
#define lstrlen            lstrlenA
#define lstrcpy            lstrcpyA
#define lstrcpyn           lstrcpynA
#define lstrcat            lstrcatA
#define lstrcmp            lstrcmpA
#define lstrcmpi           lstrcmpiA
#endif

IOCP_EXTERN_C_END

#endif
