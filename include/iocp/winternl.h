/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: what the SDK declares of the native API, as far as it is there. windows.h does not bring
 * it, so that sources may define these types themselves; all functions, and those of iocp_nt.h, are
 * found by GetProcAddress in "ntdll.dll" too. They return an NTSTATUS and leave the last error alone.
 * More statuses: ntstatus.h.
 * Pages: learn.microsoft.com/windows/win32/api/winternl/.
 */
#ifndef _WINTERNL_
#define _WINTERNL_

#include <windef.h>

IOCP_EXTERN_C_BEGIN

typedef LONG NTSTATUS;

#ifndef NT_SUCCESS
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#endif
#define NT_INFORMATION(status) ((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status)     ((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status)       ((ULONG)(status) >> 30 == 3)

typedef struct _STRING {
    USHORT Length;        /* bytes */
    USHORT MaximumLength; /* bytes */
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING;
typedef const STRING *PCANSI_STRING, *PCOEM_STRING;
typedef const char *PCSZ;

typedef struct _UNICODE_STRING {
    USHORT Length;        /* bytes */
    USHORT MaximumLength; /* bytes */
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

#define OBJ_INHERIT          0x00000002
#define OBJ_PERMANENT        0x00000010
#define OBJ_EXCLUSIVE        0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF           0x00000080
#define OBJ_OPENLINK         0x00000100
#define OBJ_KERNEL_HANDLE    0x00000200
#define OBJ_VALID_ATTRIBUTES 0x000003F2

#define InitializeObjectAttributes(p, name, attributes, root, security) \
    ((p)->Length = sizeof(OBJECT_ATTRIBUTES), (p)->RootDirectory = (root), (p)->Attributes = (attributes), \
     (p)->ObjectName = (name), (p)->SecurityDescriptor = (security), (p)->SecurityQualityOfService = NULL)

/* The first half of an OVERLAPPED: Internal and InternalHigh. */
typedef struct _IO_STATUS_BLOCK {
    IOCP_NAMELESS union {
        NTSTATUS Status;
        PVOID Pointer;
    } DUMMYUNIONNAME;
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef VOID(NTAPI *PIO_APC_ROUTINE)(PVOID context, PIO_STATUS_BLOCK status, ULONG reserved);

/* Of NtCreateFile: what to do, and what Information says was done. */
#define FILE_SUPERSEDE    0x00000000
#define FILE_OPEN         0x00000001
#define FILE_CREATE       0x00000002
#define FILE_OPEN_IF      0x00000003
#define FILE_OVERWRITE    0x00000004
#define FILE_OVERWRITE_IF 0x00000005
#define FILE_SUPERSEDED     0x00000000
#define FILE_OPENED         0x00000001
#define FILE_CREATED        0x00000002
#define FILE_OVERWRITTEN    0x00000003
#define FILE_EXISTS         0x00000004
#define FILE_DOES_NOT_EXIST 0x00000005

/* Options of NtCreateFile; FileModeInformation has some of them. */
#define FILE_DIRECTORY_FILE            0x00000001
#define FILE_WRITE_THROUGH             0x00000002
#define FILE_SEQUENTIAL_ONLY           0x00000004
#define FILE_NO_INTERMEDIATE_BUFFERING 0x00000008
#define FILE_SYNCHRONOUS_IO_ALERT      0x00000010
#define FILE_SYNCHRONOUS_IO_NONALERT   0x00000020
#define FILE_NON_DIRECTORY_FILE        0x00000040
#define FILE_CREATE_TREE_CONNECTION    0x00000080
#define FILE_COMPLETE_IF_OPLOCKED      0x00000100
#define FILE_NO_EA_KNOWLEDGE           0x00000200
#define FILE_OPEN_FOR_RECOVERY         0x00000400
#define FILE_RANDOM_ACCESS             0x00000800
#define FILE_DELETE_ON_CLOSE           0x00001000
#define FILE_OPEN_BY_FILE_ID           0x00002000
#define FILE_OPEN_FOR_BACKUP_INTENT    0x00004000
#define FILE_NO_COMPRESSION            0x00008000
#define FILE_OPEN_REQUIRING_OPLOCK     0x00010000
#define FILE_RESERVE_OPFILTER          0x00100000
#define FILE_OPEN_REPARSE_POINT        0x00200000
#define FILE_OPEN_NO_RECALL            0x00400000

typedef enum _FILE_INFORMATION_CLASS {
    FileDirectoryInformation = 1,
    FileFullDirectoryInformation,
    FileBothDirectoryInformation,
    FileBasicInformation,
    FileStandardInformation,
    FileInternalInformation,
    FileEaInformation,
    FileAccessInformation,
    FileNameInformation,
    FileRenameInformation,
    FileLinkInformation,
    FileNamesInformation,
    FileDispositionInformation,
    FilePositionInformation,
    FileFullEaInformation,
    FileModeInformation,
    FileAlignmentInformation,
    FileAllInformation,
    FileAllocationInformation,
    FileEndOfFileInformation,
    FileAlternateNameInformation,
    FileStreamInformation,
    FilePipeInformation,
    FilePipeLocalInformation,
    FilePipeRemoteInformation,
    FileMailslotQueryInformation,
    FileMailslotSetInformation,
    FileCompressionInformation,
    FileObjectIdInformation,
    FileCompletionInformation,
    FileMoveClusterInformation,
    FileQuotaInformation,
    FileReparsePointInformation,
    FileNetworkOpenInformation,
    FileAttributeTagInformation,
    FileTrackingInformation,
    FileIdBothDirectoryInformation,
    FileIdFullDirectoryInformation,
    FileValidDataLengthInformation,
    FileShortNameInformation = 40,
    FileSfioReserveInformation = 44,
    FileSfioVolumeInformation = 45,
    FileHardLinkInformation = 46,
    FileNormalizedNameInformation = 48,
    FileIdGlobalTxDirectoryInformation = 50,
    FileStandardLinkInformation = 54,
    FileMaximumInformation
} FILE_INFORMATION_CLASS, *PFILE_INFORMATION_CLASS;

/* Records of a directory's listing: each begins NextEntryOffset bytes behind the one before, the last has 0
 * there. ShortName is empty. */
#define IOCP_DIR_INFORMATION_HEAD \
    ULONG NextEntryOffset; \
    ULONG FileIndex; \
    LARGE_INTEGER CreationTime; \
    LARGE_INTEGER LastAccessTime; \
    LARGE_INTEGER LastWriteTime; \
    LARGE_INTEGER ChangeTime; \
    LARGE_INTEGER EndOfFile; \
    LARGE_INTEGER AllocationSize; \
    ULONG FileAttributes; \
    ULONG FileNameLength /* bytes */

typedef struct _FILE_DIRECTORY_INFORMATION {
    IOCP_DIR_INFORMATION_HEAD;
    WCHAR FileName[1];
} FILE_DIRECTORY_INFORMATION, *PFILE_DIRECTORY_INFORMATION;

typedef struct _FILE_FULL_DIR_INFORMATION {
    IOCP_DIR_INFORMATION_HEAD;
    ULONG EaSize;
    WCHAR FileName[1];
} FILE_FULL_DIR_INFORMATION, *PFILE_FULL_DIR_INFORMATION;
typedef FILE_FULL_DIR_INFORMATION FILE_FULL_DIRECTORY_INFORMATION, *PFILE_FULL_DIRECTORY_INFORMATION;

typedef struct _FILE_BOTH_DIR_INFORMATION {
    IOCP_DIR_INFORMATION_HEAD;
    ULONG EaSize;
    CHAR ShortNameLength;
    WCHAR ShortName[12];
    WCHAR FileName[1];
} FILE_BOTH_DIR_INFORMATION, *PFILE_BOTH_DIR_INFORMATION;
typedef FILE_BOTH_DIR_INFORMATION FILE_BOTH_DIRECTORY_INFORMATION, *PFILE_BOTH_DIRECTORY_INFORMATION;

typedef struct _FILE_ID_FULL_DIR_INFORMATION {
    IOCP_DIR_INFORMATION_HEAD;
    ULONG EaSize;
    LARGE_INTEGER FileId;
    WCHAR FileName[1];
} FILE_ID_FULL_DIR_INFORMATION, *PFILE_ID_FULL_DIR_INFORMATION;
typedef FILE_ID_FULL_DIR_INFORMATION FILE_ID_FULL_DIRECTORY_INFORMATION, *PFILE_ID_FULL_DIRECTORY_INFORMATION;

typedef struct _FILE_ID_BOTH_DIR_INFORMATION {
    IOCP_DIR_INFORMATION_HEAD;
    ULONG EaSize;
    CHAR ShortNameLength;
    WCHAR ShortName[12];
    LARGE_INTEGER FileId;
    WCHAR FileName[1];
} FILE_ID_BOTH_DIR_INFORMATION, *PFILE_ID_BOTH_DIR_INFORMATION;
typedef FILE_ID_BOTH_DIR_INFORMATION FILE_ID_BOTH_DIRECTORY_INFORMATION, *PFILE_ID_BOTH_DIRECTORY_INFORMATION;

typedef struct _FILE_NAMES_INFORMATION {
    ULONG NextEntryOffset;
    ULONG FileIndex;
    ULONG FileNameLength; /* bytes */
    WCHAR FileName[1];
} FILE_NAMES_INFORMATION, *PFILE_NAMES_INFORMATION;

typedef struct _FILE_BASIC_INFORMATION {
    LARGE_INTEGER CreationTime; /* 100 ns since 1601, as all times here */
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    ULONG FileAttributes;
} FILE_BASIC_INFORMATION, *PFILE_BASIC_INFORMATION;

typedef struct _FILE_STANDARD_INFORMATION {
    LARGE_INTEGER AllocationSize;
    LARGE_INTEGER EndOfFile;
    ULONG NumberOfLinks;
    BOOLEAN DeletePending;
    BOOLEAN Directory;
} FILE_STANDARD_INFORMATION, *PFILE_STANDARD_INFORMATION;

typedef struct _FILE_INTERNAL_INFORMATION {
    LARGE_INTEGER IndexNumber;
} FILE_INTERNAL_INFORMATION, *PFILE_INTERNAL_INFORMATION;

typedef struct _FILE_EA_INFORMATION {
    ULONG EaSize;
} FILE_EA_INFORMATION, *PFILE_EA_INFORMATION;

typedef struct _FILE_ACCESS_INFORMATION {
    ACCESS_MASK AccessFlags;
} FILE_ACCESS_INFORMATION, *PFILE_ACCESS_INFORMATION;

typedef struct _FILE_NAME_INFORMATION {
    ULONG FileNameLength; /* bytes */
    WCHAR FileName[1];
} FILE_NAME_INFORMATION, *PFILE_NAME_INFORMATION;

typedef struct _FILE_RENAME_INFORMATION {
    BOOLEAN ReplaceIfExists;
    HANDLE RootDirectory;
    ULONG FileNameLength; /* bytes */
    WCHAR FileName[1];
} FILE_RENAME_INFORMATION, *PFILE_RENAME_INFORMATION;

typedef struct _FILE_DISPOSITION_INFORMATION {
    BOOLEAN DoDeleteFile;
} FILE_DISPOSITION_INFORMATION, *PFILE_DISPOSITION_INFORMATION;

typedef struct _FILE_POSITION_INFORMATION {
    LARGE_INTEGER CurrentByteOffset;
} FILE_POSITION_INFORMATION, *PFILE_POSITION_INFORMATION;

typedef struct _FILE_MODE_INFORMATION {
    ULONG Mode;
} FILE_MODE_INFORMATION, *PFILE_MODE_INFORMATION;

typedef struct _FILE_ALIGNMENT_INFORMATION {
    ULONG AlignmentRequirement; /* a mask */
} FILE_ALIGNMENT_INFORMATION, *PFILE_ALIGNMENT_INFORMATION;

typedef struct _FILE_ALL_INFORMATION {
    FILE_BASIC_INFORMATION BasicInformation;
    FILE_STANDARD_INFORMATION StandardInformation;
    FILE_INTERNAL_INFORMATION InternalInformation;
    FILE_EA_INFORMATION EaInformation;
    FILE_ACCESS_INFORMATION AccessInformation;
    FILE_POSITION_INFORMATION PositionInformation;
    FILE_MODE_INFORMATION ModeInformation;
    FILE_ALIGNMENT_INFORMATION AlignmentInformation;
    FILE_NAME_INFORMATION NameInformation;
} FILE_ALL_INFORMATION, *PFILE_ALL_INFORMATION;

typedef struct _FILE_ALLOCATION_INFORMATION {
    LARGE_INTEGER AllocationSize;
} FILE_ALLOCATION_INFORMATION, *PFILE_ALLOCATION_INFORMATION;

typedef struct _FILE_END_OF_FILE_INFORMATION {
    LARGE_INTEGER EndOfFile;
} FILE_END_OF_FILE_INFORMATION, *PFILE_END_OF_FILE_INFORMATION;

typedef struct _FILE_NETWORK_OPEN_INFORMATION {
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    LARGE_INTEGER AllocationSize;
    LARGE_INTEGER EndOfFile;
    ULONG FileAttributes;
} FILE_NETWORK_OPEN_INFORMATION, *PFILE_NETWORK_OPEN_INFORMATION;

typedef struct _FILE_ATTRIBUTE_TAG_INFORMATION {
    ULONG FileAttributes;
    ULONG ReparseTag;
} FILE_ATTRIBUTE_TAG_INFORMATION, *PFILE_ATTRIBUTE_TAG_INFORMATION;

typedef struct _FILE_PIPE_LOCAL_INFORMATION {
    ULONG NamedPipeType;
    ULONG NamedPipeConfiguration;
    ULONG MaximumInstances;
    ULONG CurrentInstances;
    ULONG InboundQuota;
    ULONG ReadDataAvailable;
    ULONG OutboundQuota;
    ULONG WriteQuotaAvailable;
    ULONG NamedPipeState;
    ULONG NamedPipeEnd;
} FILE_PIPE_LOCAL_INFORMATION, *PFILE_PIPE_LOCAL_INFORMATION;

typedef struct _FILE_PIPE_INFORMATION {
    ULONG ReadMode;
    ULONG CompletionMode;
} FILE_PIPE_INFORMATION, *PFILE_PIPE_INFORMATION;

typedef enum _FSINFOCLASS {
    FileFsVolumeInformation = 1,
    FileFsLabelInformation,
    FileFsSizeInformation,
    FileFsDeviceInformation,
    FileFsAttributeInformation,
    FileFsControlInformation,
    FileFsFullSizeInformation,
    FileFsObjectIdInformation
} FS_INFORMATION_CLASS, *PFS_INFORMATION_CLASS;

typedef struct _FILE_FS_VOLUME_INFORMATION {
    LARGE_INTEGER VolumeCreationTime; /* 0 */
    ULONG VolumeSerialNumber;         /* the device's number */
    ULONG VolumeLabelLength;          /* 0 */
    BOOLEAN SupportsObjects;
    WCHAR VolumeLabel[1];
} FILE_FS_VOLUME_INFORMATION, *PFILE_FS_VOLUME_INFORMATION;

typedef struct _FILE_FS_SIZE_INFORMATION {
    LARGE_INTEGER TotalAllocationUnits;
    LARGE_INTEGER AvailableAllocationUnits;
    ULONG SectorsPerAllocationUnit;
    ULONG BytesPerSector;
} FILE_FS_SIZE_INFORMATION, *PFILE_FS_SIZE_INFORMATION;

typedef struct _FILE_FS_FULL_SIZE_INFORMATION {
    LARGE_INTEGER TotalAllocationUnits;
    LARGE_INTEGER CallerAvailableAllocationUnits;
    LARGE_INTEGER ActualAvailableAllocationUnits;
    ULONG SectorsPerAllocationUnit;
    ULONG BytesPerSector;
} FILE_FS_FULL_SIZE_INFORMATION, *PFILE_FS_FULL_SIZE_INFORMATION;

typedef struct _FILE_FS_DEVICE_INFORMATION {
    ULONG DeviceType; /* FILE_DEVICE_DISK ... of winioctl.h */
    ULONG Characteristics;
} FILE_FS_DEVICE_INFORMATION, *PFILE_FS_DEVICE_INFORMATION;

typedef enum _PROCESSINFOCLASS {
    ProcessBasicInformation = 0
} PROCESSINFOCLASS;

typedef struct _PROCESS_BASIC_INFORMATION {
    NTSTATUS ExitStatus;
    struct _PEB *PebBaseAddress; /* NULL */
    ULONG_PTR AffinityMask;      /* 0 of another process */
    LONG BasePriority;
    ULONG_PTR UniqueProcessId;
    ULONG_PTR InheritedFromUniqueProcessId;
} PROCESS_BASIC_INFORMATION, *PPROCESS_BASIC_INFORMATION;

typedef enum _SYSTEM_INFORMATION_CLASS {
    SystemBasicInformation = 0,
    SystemProcessorPerformanceInformation = 8
} SYSTEM_INFORMATION_CLASS;

typedef struct _SYSTEM_BASIC_INFORMATION {
    BYTE Reserved1[4];
    ULONG MaximumIncrement;
    ULONG PhysicalPageSize;
    ULONG NumberOfPhysicalPages;
    ULONG LowestPhysicalPage;
    ULONG HighestPhysicalPage;
    ULONG AllocationGranularity;
    ULONG_PTR LowestUserAddress;
    ULONG_PTR HighestUserAddress;
    ULONG_PTR ActiveProcessors;
    CCHAR NumberOfProcessors;
} SYSTEM_BASIC_INFORMATION, *PSYSTEM_BASIC_INFORMATION;

/* Units of 100 ns; the kernel's time contains the idle time. Reserved1[1]: the time of interrupts. */
typedef struct _SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION {
    LARGE_INTEGER IdleTime;
    LARGE_INTEGER KernelTime;
    LARGE_INTEGER UserTime;
    LARGE_INTEGER Reserved1[2];
    ULONG Reserved2;
} SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION, *PSYSTEM_PROCESSOR_PERFORMANCE_INFORMATION;

/* Controls of pipes, and what FSCTL_PIPE_PEEK answers. */
#define FSCTL_PIPE_DISCONNECT 0x00110004
#define FSCTL_PIPE_LISTEN     0x00110008
#define FSCTL_PIPE_PEEK       0x0011400C
#define FSCTL_PIPE_TRANSCEIVE 0x0011C017

/* What FILE_PIPE_INFORMATION and FILE_PIPE_LOCAL_INFORMATION hold. */
#define FILE_PIPE_BYTE_STREAM_MODE   0x00000000
#define FILE_PIPE_MESSAGE_MODE       0x00000001
#define FILE_PIPE_QUEUE_OPERATION    0x00000000
#define FILE_PIPE_COMPLETE_OPERATION 0x00000001
#define FILE_PIPE_BYTE_STREAM_TYPE   0x00000000
#define FILE_PIPE_MESSAGE_TYPE       0x00000001
#define FILE_PIPE_INBOUND            0x00000000
#define FILE_PIPE_OUTBOUND           0x00000001
#define FILE_PIPE_FULL_DUPLEX        0x00000002
#define FILE_PIPE_CLIENT_END         0x00000000
#define FILE_PIPE_SERVER_END         0x00000001

#define FILE_PIPE_DISCONNECTED_STATE 0x00000001
#define FILE_PIPE_LISTENING_STATE    0x00000002
#define FILE_PIPE_CONNECTED_STATE    0x00000003
#define FILE_PIPE_CLOSING_STATE      0x00000004

typedef struct _FILE_PIPE_PEEK_BUFFER {
    ULONG NamedPipeState;
    ULONG ReadDataAvailable; /* bytes in the pipe */
    ULONG NumberOfMessages;  /* 0 */
    ULONG MessageLength;     /* bytes that are left of the first message */
    CHAR Data[1];
} FILE_PIPE_PEEK_BUFFER, *PFILE_PIPE_PEEK_BUFFER;

IOCP_ASSERT_SIZE(UNICODE_STRING, 16);
IOCP_ASSERT_SIZE(OBJECT_ATTRIBUTES, 48);
IOCP_ASSERT_SIZE(IO_STATUS_BLOCK, 16);
IOCP_ASSERT_SIZE(FILE_DIRECTORY_INFORMATION, 72);
IOCP_ASSERT_SIZE(FILE_FULL_DIR_INFORMATION, 72);
IOCP_ASSERT_SIZE(FILE_BOTH_DIR_INFORMATION, 96);
IOCP_ASSERT_SIZE(FILE_ID_FULL_DIR_INFORMATION, 88);
IOCP_ASSERT_SIZE(FILE_ID_BOTH_DIR_INFORMATION, 112);
IOCP_ASSERT_SIZE(FILE_NAMES_INFORMATION, 16);
IOCP_ASSERT_SIZE(FILE_BASIC_INFORMATION, 40);
IOCP_ASSERT_SIZE(FILE_STANDARD_INFORMATION, 24);
IOCP_ASSERT_SIZE(FILE_ALL_INFORMATION, 104);
IOCP_ASSERT_SIZE(FILE_NETWORK_OPEN_INFORMATION, 56);
IOCP_ASSERT_SIZE(FILE_PIPE_LOCAL_INFORMATION, 40);
IOCP_ASSERT_SIZE(FILE_PIPE_INFORMATION, 8);
IOCP_ASSERT_SIZE(FILE_FS_VOLUME_INFORMATION, 24);
IOCP_ASSERT_SIZE(FILE_FS_FULL_SIZE_INFORMATION, 32);
IOCP_ASSERT_SIZE(PROCESS_BASIC_INFORMATION, 48);
IOCP_ASSERT_SIZE(SYSTEM_BASIC_INFORMATION, 64);
IOCP_ASSERT_SIZE(SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION, 48);

/* The Win32 error that means the same; ERROR_MR_MID_NOT_FOUND if there is none. */
NTSYSAPI ULONG NTAPI RtlNtStatusToDosError(NTSTATUS status) IOCP_SYM(RtlNtStatusToDosError);

/*
 * CreateFile under native names: \??\ before what CreateFile takes, and \Device\Afd (and what is below it)
 * for a handle that takes polls of sockets (NtDeviceIoControlFile). Without FILE_SYNCHRONOUS_IO_* the handle
 * is overlapped. status->Information: FILE_OPENED, FILE_CREATED ... STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_NAME_COLLISION, STATUS_SHARING_VIOLATION. A name may begin at a RootDirectory.
 * Differs: allocation size and extended attributes are ignored.
 */
NTSYSAPI NTSTATUS NTAPI NtCreateFile(PHANDLE file, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
                                     PIO_STATUS_BLOCK status, PLARGE_INTEGER allocation,
                                     ULONG file_attributes, ULONG share, ULONG disposition, ULONG options,
                                     PVOID ea, ULONG ea_size) IOCP_SYM(NtCreateFile);
NTSYSAPI NTSTATUS NTAPI NtOpenFile(PHANDLE file, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
                                   PIO_STATUS_BLOCK status, ULONG share, ULONG options) IOCP_SYM(NtOpenFile);

/*
 * DeviceIoControl with the parts of an OVERLAPPED one by one.
 *   event     is signalled at the end; NULL: the handle is
 *   routine   NULL, or what runs on the calling thread, in an alertable wait, with the context
 *   context   without a routine, what a dequeue gives for the OVERLAPPED; NULL: no packet
 *   status    lives until completion, with `out`
 * The codes are 0x12017 and 0x1201B, AFD's receives, on any socket (their structure: buffers, count, AFD's
 * flags, TDI's flags; of the second, address and its size), and 0x12024, AFD's poll, on \Device\Afd or any
 * socket; `in` and `out` are its structure
 * (time-out, count, exclusive; of each socket handle, events and status). It ends when something asked for
 * is so of one of the sockets, with STATUS_TIMEOUT, or cancelled by NtCancelIoFileEx or CancelIoEx.
 * STATUS_SUCCESS, STATUS_PENDING; STATUS_INVALID_DEVICE_REQUEST: another code; STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_HANDLE.
 */
NTSYSAPI NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                              PVOID context, PIO_STATUS_BLOCK status, ULONG code, PVOID in,
                                              ULONG in_size, PVOID out, ULONG out_size)
    IOCP_SYM(NtDeviceIoControlFile);

/*
 * ReadFile and WriteFile with the parts of an OVERLAPPED one by one; event, context, status as above.
 *   routine   runs on the calling thread, in an alertable wait; the context is its first argument
 *   offset    where; an overlapped disk file needs one. NULL, or { FILE_USE_FILE_POINTER_POSITION, -1 } on a
 *             synchronous handle: its position. { FILE_WRITE_TO_END_OF_FILE, -1 }: behind the end
 *   key       ignored
 * STATUS_PENDING, STATUS_SUCCESS, STATUS_END_OF_FILE, STATUS_INVALID_PARAMETER (the offset; a routine on a
 * file that has a port), STATUS_ACCESS_DENIED, STATUS_INVALID_HANDLE, STATUS_FILE_LOCK_CONFLICT,
 * STATUS_PIPE_BROKEN.
 */
#define FILE_WRITE_TO_END_OF_FILE      0xFFFFFFFF
#define FILE_USE_FILE_POINTER_POSITION 0xFFFFFFFE
NTSYSAPI NTSTATUS NTAPI NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, PVOID context,
                                   PIO_STATUS_BLOCK status, PVOID data, ULONG size, PLARGE_INTEGER offset,
                                   PULONG key) IOCP_SYM(NtReadFile);
NTSYSAPI NTSTATUS NTAPI NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, PVOID context,
                                    PIO_STATUS_BLOCK status, PVOID data, ULONG size, PLARGE_INTEGER offset,
                                    PULONG key) IOCP_SYM(NtWriteFile);

/*
 * Controls of pipes: FSCTL_PIPE_LISTEN (ConnectNamedPipe), FSCTL_PIPE_DISCONNECT, FSCTL_PIPE_PEEK (`out` is a
 * FILE_PIPE_PEEK_BUFFER), FSCTL_PIPE_TRANSCEIVE (TransactNamedPipe). STATUS_SUCCESS, STATUS_PENDING,
 * STATUS_PIPE_CONNECTED, STATUS_PIPE_CLOSING, STATUS_BUFFER_OVERFLOW (there is more),
 * STATUS_ILLEGAL_FUNCTION (not the server's end), STATUS_INFO_LENGTH_MISMATCH, STATUS_ACCESS_DENIED,
 * STATUS_INVALID_DEVICE_REQUEST: another control, or no pipe.
 */
NTSYSAPI NTSTATUS NTAPI NtFsControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, PVOID context,
                                        PIO_STATUS_BLOCK status, ULONG code, PVOID in, ULONG in_size,
                                        PVOID out, ULONG out_size) IOCP_SYM(NtFsControlFile);

/* CloseHandle. STATUS_INVALID_HANDLE. */
NTSYSAPI NTSTATUS NTAPI NtClose(HANDLE handle) IOCP_SYM(NtClose);

/* WaitForSingleObjectEx. timeout: NULL for ever; negative: that many 100 ns; positive: until that time.
 * STATUS_WAIT_0, STATUS_TIMEOUT, STATUS_USER_APC, STATUS_ABANDONED_WAIT_0, STATUS_INVALID_HANDLE. */
NTSYSAPI NTSTATUS NTAPI NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable, PLARGE_INTEGER timeout)
    IOCP_SYM(NtWaitForSingleObject);

/*
 * Tells about a file. Classes: Basic, Standard, Internal, Ea, Access, Name, Position, Mode, Alignment, All,
 * NetworkOpen, AttributeTag, Pipe, PipeLocal, and 41 (the completion modes, an ULONG). status->Information
 * gets the bytes written. STATUS_INFO_LENGTH_MISMATCH, STATUS_BUFFER_OVERFLOW (a name that does not fit),
 * STATUS_INVALID_INFO_CLASS. Differs: names are Linux paths.
 */
NTSYSAPI NTSTATUS NTAPI NtQueryInformationFile(HANDLE file, PIO_STATUS_BLOCK status, PVOID info, ULONG size,
                                               FILE_INFORMATION_CLASS kind) IOCP_SYM(NtQueryInformationFile);

/*
 * Changes a file. Classes: Basic, Rename, Disposition, Allocation, EndOfFile, Position, Pipe, and
 *   FileCompletionInformation, { HANDLE port; PVOID key; }: CreateIoCompletionPort
 *   41, ULONG                    SetFileCompletionNotificationModes
 *   61, { HANDLE port; PVOID key; }: takes the file away from its port and gives it to another one, or with
 *     NULL to none. Operations that pend complete where the file belongs at their end; packets that are
 *     queued already stay. With NULL the file can be given to a port by CreateIoCompletionPort again.
 * STATUS_INVALID_PARAMETER (not overlapped, has a port), STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_INFO_CLASS.
 */
NTSYSAPI NTSTATUS NTAPI NtSetInformationFile(HANDLE file, PIO_STATUS_BLOCK status, PVOID info, ULONG size,
                                             FILE_INFORMATION_CLASS kind) IOCP_SYM(NtSetInformationFile);

/*
 * Tells about the volume a file is on, or its device. Classes: Volume, Size, FullSize, Device.
 * status->Information gets the bytes written. STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_INFO_CLASS,
 * STATUS_INVALID_HANDLE. Differs: no label, no time of creation.
 */
NTSYSAPI NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE file, PIO_STATUS_BLOCK status, PVOID info,
                                                     ULONG size, FS_INFORMATION_CLASS kind)
    IOCP_SYM(NtQueryVolumeInformationFile);

/* Tells about a process; one class: ProcessBasicInformation. *needed, if not NULL: the bytes written.
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_INFO_CLASS, STATUS_INVALID_HANDLE. Differs: no PEB. */
NTSYSAPI NTSTATUS NTAPI NtQueryInformationProcess(HANDLE process, PROCESSINFOCLASS kind, PVOID info,
                                                  ULONG size, PULONG needed)
    IOCP_SYM(NtQueryInformationProcess);

/*
 * Tells about the machine. SystemBasicInformation, and SystemProcessorPerformanceInformation: of each
 * processor one structure, as many as fit. *needed, if not NULL: the bytes written, or needed for a class of
 * one size. STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_INFO_CLASS, STATUS_NOT_SUPPORTED (without /proc).
 */
NTSYSAPI NTSTATUS NTAPI NtQuerySystemInformation(SYSTEM_INFORMATION_CLASS kind, PVOID info, ULONG size,
                                                 PULONG needed) IOCP_SYM(NtQuerySystemInformation);

/*
 * Lists a directory, some entries a call, in order of the names, "." and ".." too. Classes: Directory, Full,
 * Both, Names, IdFull, IdBoth. The other arguments as of NtReadFile; done inside the call.
 *   pattern   with * and ?, NULL: everything; remembered from the first call, or the last one with `restart`
 *   single    one entry only
 * status->Information gets the bytes written. STATUS_NO_MORE_FILES at the end, STATUS_NO_SUCH_FILE (nothing
 * matches), STATUS_BUFFER_OVERFLOW (the first name is cut off), STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_PARAMETER (no directory), STATUS_INVALID_INFO_CLASS. Differs: case counts; no short names.
 */
NTSYSAPI NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                             PVOID context, PIO_STATUS_BLOCK status, PVOID info, ULONG size,
                                             FILE_INFORMATION_CLASS kind, BOOLEAN single,
                                             PUNICODE_STRING pattern, BOOLEAN restart)
    IOCP_SYM(NtQueryDirectoryFile);

/* The time, 100 ns since 1601. */
NTSYSAPI NTSTATUS NTAPI NtQuerySystemTime(PLARGE_INTEGER time) IOCP_SYM(NtQuerySystemTime);

/* Make string a view of text, which stays the caller's; NULL: an empty one. */
NTSYSAPI VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text) IOCP_SYM(RtlInitUnicodeString);
NTSYSAPI VOID NTAPI RtlInitString(PSTRING string, PCSZ text) IOCP_SYM(RtlInitString);
NTSYSAPI VOID NTAPI RtlInitAnsiString(PANSI_STRING string, PCSZ text) IOCP_SYM(RtlInitAnsiString);

IOCP_EXTERN_C_END

#endif
