/* SPDX-License-Identifier: MIT */
/*
 * The entry points that handles.c calls, each with its arguments by letter (see argument()), and how a
 * failure looks: a failed call must have left an error that has a text. What is not here stands in
 * excused.txt with its reason: names.sh compares both with what the library exports.
 */
#ifndef FUZZ_ENTRIES_H
#define FUZZ_ENTRIES_H

typedef uintptr_t (*any_call)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                              uintptr_t, uintptr_t, uintptr_t, uintptr_t);

enum failure { FAILS_ZERO, FAILS_HANDLE, FAILS_SOCKET, FAILS_WAIT, FAILS_STATUS, FAILS_NOT };

struct entry {
    const char *name;
    uintptr_t address;
    const char *arguments;
    enum failure failure;
    bool makes; /* what it returns is a handle */
};

#define CALL(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_ZERO, false}
#define MAKE(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_HANDLE, true}
#define SOCK(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_SOCKET, false}
#define WAIT(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_WAIT, false}
#define STAT(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_STATUS, false}
#define FREE(NAME, ARGUMENTS) {#NAME, (uintptr_t)NAME, ARGUMENTS, FAILS_NOT, false}
#define CARE(NAME)            {#NAME, (uintptr_t)careful_##NAME, "", FAILS_ZERO, false}
#define EXTENSION(NAME, FUNCTION, ARGUMENTS, FAILURE) {#NAME, (uintptr_t)FUNCTION, ARGUMENTS, FAILURE, false}

static const struct entry entries[] = {
    /* making */
    MAKE(CreateEventA, "pbbn"), MAKE(CreateEventExA, "pnii"), MAKE(OpenEventA, "ibn"),
    MAKE(CreateMutexA, "pbn"), MAKE(CreateMutexExA, "pnii"), MAKE(OpenMutexA, "ibn"),
    MAKE(CreateSemaphoreA, "piin"), MAKE(CreateSemaphoreExA, "piinii"), MAKE(OpenSemaphoreA, "ibn"),
    MAKE(CreateWaitableTimerA, "pbn"), MAKE(CreateWaitableTimerExA, "pnii"), MAKE(OpenWaitableTimerA, "ibn"),
    MAKE(CreateIoCompletionPort, "hhii"), MAKE(CreateIoCompletionPort, "hhi0"), MAKE(CreateFileA, "fii0ii0"),
    MAKE(WSASocketA, "iii0ii"), MAKE(iocp_socket, "iii"), MAKE(iocp_accept, "hpL"), MAKE(WSAAccept, "hpL00"),
    MAKE(WSACreateEvent, ""), MAKE(CreateThread, "00mip0"), MAKE(OpenThread, "ibi"), MAKE(OpenProcess, "ibi"),
    FREE(GetCurrentProcess, ""), FREE(GetCurrentThread, ""), MAKE(GetStdHandle, "i"),
    MAKE(FindFirstFileA, "fp"), CALL(CreatePipe, "HH0i"), CALL(DuplicateHandle, "hhhHibi"),
    /* ending */
    CALL(CloseHandle, "h"), SOCK(closesocket, "h"), CALL(WSACloseEvent, "h"), CALL(FindClose, "h"),
    FREE(iocp_forget, "h"),
    /* ports and requests */
    CALL(GetQueuedCompletionStatus, "hpppt"), CALL(GetQueuedCompletionStatusEx, "hpkptb"),
    CALL(PostQueuedCompletionStatus, "hiiO"), CALL(GetOverlappedResult, "hOp0"),
    CALL(GetOverlappedResultEx, "hOptb"), CALL(WSAGetOverlappedResult, "hOp0p"), CALL(CancelIo, "h"),
    CALL(CancelIoEx, "hO"), CALL(CancelSynchronousIo, "h"), CALL(SetFileCompletionNotificationModes, "hi"),
    CALL(ReadFile, "hdspo"), CALL(WriteFile, "hdspo"), CALL(ReadFileEx, "hdsoc"), CALL(WriteFileEx, "hdsoc"),
    /* files */
    CALL(FlushFileBuffers, "h"), FREE(SetFilePointer, "hipi"), CALL(SetFilePointerEx, "hipi"),
    FREE(GetFileSize, "hp"), CALL(GetFileSizeEx, "hp"), FREE(GetFileType, "h"), CALL(GetFileTime, "hppp"),
    CALL(SetFileTime, "hppp"), CALL(GetFileInformationByHandle, "hp"),
    CALL(GetFileInformationByHandleEx, "hids"), CALL(GetFinalPathNameByHandleA, "hdsi"),
    CALL(FindNextFileA, "hp"), CALL(DeleteFileA, "f"), CALL(GetFileAttributesA, "f"),
    CALL(GetFileAttributesExA, "fip"), CALL(MoveFileExA, "ffi"), CALL(CopyFileA, "ffb"),
    CALL(CreateDirectoryA, "f0"), CALL(RemoveDirectoryA, "f"), CALL(CreateHardLinkA, "ff0"),
    CALL(LockFile, "hiiii"), CALL(LockFileEx, "hi0iio"), CALL(UnlockFile, "hiiii"),
    CALL(UnlockFileEx, "h0iio"), MAKE(ReOpenFile, "hiii"), CALL(ReadFileScatter, "hGK0o"),
    CALL(WriteFileGather, "hGK0o"), MAKE(CreateFileMappingA, "hpiiin"), MAKE(OpenFileMappingA, "ibn"),
    CALL(SetFileValidData, "hi"), CALL(DeviceIoControl, "hCdsdspo"),
    /* sockets */
    SOCK(iocp_bind, "hal"), SOCK(iocp_listen, "hi"), SOCK(iocp_connect, "hal"), SOCK(WSAConnect, "hal0000"),
    SOCK(iocp_shutdown, "hi"), SOCK(iocp_getsockname, "hpL"), SOCK(iocp_getpeername, "hpL"),
    SOCK(iocp_getsockopt, "hiipL"), SOCK(iocp_setsockopt, "hiipl"), SOCK(ioctlsocket, "hip"),
    SOCK(iocp_send, "hdsi"), SOCK(iocp_recv, "hdsi"), SOCK(iocp_sendto, "hdsial"),
    SOCK(iocp_recvfrom, "hdsipL"), SOCK(iocp_send, "h0li"), SOCK(iocp_recv, "h0li"), SOCK(iocp_send, "hPli"),
    SOCK(iocp_recv, "hPli"), SOCK(WSARecv, "hwkppog"), SOCK(WSASend, "hwkpiog"),
    SOCK(WSARecvFrom, "hwkpppLog"), SOCK(WSASendTo, "hwkpialog"), SOCK(WSASendDisconnect, "h0"),
    SOCK(WSARecvDisconnect, "h0"), SOCK(WSAIoctl, "hidsdspo0"), CALL(AcceptEx, "hhdiiipo"),
    CALL(TransmitFile, "hhiioxi"), CALL(TransmitPackets, "hykioi"), SOCK(WSAEventSelect, "hhi"),
    SOCK(WSAEnumNetworkEvents, "hhp"), SOCK(WSAPoll, "vVt"), SOCK(iocp_select, "iSSST"),
    FREE(ProcessSocketNotifications, "hXYtQpp"), FREE(ProcessSocketNotifications, "hXY0000"),
    CALL(WSASetEvent, "h"), CALL(WSAResetEvent, "h"), SOCK(WSAHtonl, "hip"),
    SOCK(WSANtohs, "hip"), SOCK(WSAEnumProtocolsA, "0pL"), WAIT(WSAWaitForMultipleEvents, "NAbtb"),
    /* waiting */
    CALL(SetEvent, "h"), CALL(ResetEvent, "h"), CALL(PulseEvent, "h"), CALL(ReleaseMutex, "h"),
    CALL(ReleaseSemaphore, "hip"), CALL(SetWaitableTimer, "hDi000"), CALL(SetWaitableTimerEx, "hDi000i"),
    CALL(CancelWaitableTimer, "h"), WAIT(WaitForSingleObject, "ht"), WAIT(WaitForSingleObjectEx, "htb"),
    WAIT(WaitForMultipleObjects, "NAbt"), WAIT(WaitForMultipleObjectsEx, "NAbtb"),
    WAIT(SignalObjectAndWait, "hhtb"), FREE(SleepEx, "tb"), CALL(QueueUserAPC, "qhi"),
    /* pipes */
    MAKE(CreateNamedPipeA, "jiiiiii0"), MAKE(CreateFileA, "jii0ii0"), CALL(ConnectNamedPipe, "ho"),
    CALL(DisconnectNamedPipe, "h"), CALL(PeekNamedPipe, "hdsppp"), CALL(TransactNamedPipe, "hdsdspo"),
    CALL(WriteConsoleA, "hdsp0"), STAT(BCryptGenRandom, "hdsi"),
    CALL(SetNamedPipeHandleState, "hppp"), CALL(GetNamedPipeInfo, "hpppp"),
    CALL(GetNamedPipeHandleStateA, "hpppp0i"), CALL(GetNamedPipeClientProcessId, "hp"),
    CALL(GetNamedPipeServerProcessId, "hp"), CALL(WaitNamedPipeA, "jb"), CALL(CallNamedPipeA, "jdsdspb"),
    /* serial lines */
    CALL(GetCommState, "hp"), CALL(SetCommState, "hp"), CALL(GetCommTimeouts, "hp"),
    CALL(SetCommTimeouts, "hp"), CALL(SetCommMask, "hi"), CALL(GetCommMask, "hp"), CALL(WaitCommEvent, "hpo"),
    CALL(ClearCommError, "hpp"), CALL(PurgeComm, "hi"), CALL(EscapeCommFunction, "hi"),
    CALL(SetCommBreak, "h"), CALL(ClearCommBreak, "h"), CALL(TransmitCommChar, "hi"),
    CALL(GetCommModemStatus, "hp"), CALL(SetupComm, "hii"), CALL(GetCommProperties, "hp"),
    CALL(GetCommConfig, "hpL"),
    /* watches */
    CALL(ReadDirectoryChangesW, "hdsbipoc"), CALL(ReadDirectoryChangesExW, "hdsbipoci"),
    MAKE(FindFirstChangeNotificationA, "fbi"),
    CALL(FindNextChangeNotification, "h"), CALL(FindCloseChangeNotification, "h"),
    /* native calls, and the thread pool's that take handles */
    STAT(NtCreateWaitCompletionPacket, "Hi0"), STAT(NtAssociateWaitCompletionPacket, "hhhiiiip"),
    STAT(NtCancelWaitCompletionPacket, "hb"), STAT(NtCreateKeyedEvent, "Hi00"),
    STAT(NtWaitForKeyedEvent, "hPbT"), STAT(NtReleaseKeyedEvent, "hPbT"), STAT(NtWaitForKeyedEvent, "hibT"),
    STAT(NtClose, "h"), STAT(NtWaitForSingleObject, "hbT"), STAT(NtQueryInformationFile, "hPdsi"),
    STAT(NtCreateFile, "HiuPpiiii00"), STAT(NtDeviceIoControlFile, "hh0ioCdsds"),
    STAT(NtCancelIoFileEx, "hOP"), STAT(NtCancelIoFile, "hP"), CALL(BindIoCompletionCallback, "hc0"),
    CALL(QueueUserWorkItem, "mpi"),
    /* threads, processes, handles */
    CALL(GetExitCodeThread, "hp"), CALL(GetExitCodeProcess, "hp"), CALL(GetThreadId, "h"),
    CALL(GetProcessId, "h"), CALL(GetProcessIdOfThread, "h"), CALL(GetThreadTimes, "hpppp"),
    CALL(GetProcessTimes, "hpppp"), FREE(GetThreadPriority, "h"), CALL(SetThreadPriority, "hi"),
    CALL(GetPriorityClass, "h"), SOCK(ResumeThread, "h"), FREE(SetThreadDescription, "h0"),
    CALL(GetProcessAffinityMask, "hpp"), CALL(GetThreadGroupAffinity, "hp"), CALL(GetHandleInformation, "hp"),
    CALL(SetHandleInformation, "hii"), CALL(CompareObjectHandles, "hh"), FREE(RtlNtStatusToDosError, "i"),
    /* memory by handle, and numbers that stand for something */
    FREE(TlsGetValue, "i"), CALL(TlsSetValue, "ii"), CALL(TlsFree, "i"), FREE(FlsGetValue, "i"),
    CALL(FlsFree, "i"), FREE(GetModuleHandleA, "n"), CALL(GetModuleHandleExA, "inp"),
    CALL(GetProcAddress, "0n"), CALL(GetComputerNameExA, "i0p"),
    /* the same, and others, with characters of 16 bits */
    MAKE(CreateEventW, "pbbe"), MAKE(CreateEventExW, "peii"), MAKE(OpenEventW, "ibe"),
    MAKE(CreateMutexW, "pbe"), MAKE(CreateMutexExW, "peii"), MAKE(OpenMutexW, "ibe"),
    MAKE(CreateSemaphoreW, "piie"), MAKE(CreateSemaphoreExW, "piieii"), MAKE(OpenSemaphoreW, "ibe"),
    MAKE(CreateWaitableTimerW, "pbe"), MAKE(CreateWaitableTimerExW, "peii"), MAKE(OpenWaitableTimerW, "ibe"),
    MAKE(CreateFileW, "zii0ii0"), MAKE(CreateFileW, "Zii0ii0"), MAKE(CreateNamedPipeW, "Ziiiiii0"),
    MAKE(FindFirstFileW, "zp"), MAKE(CreateFileMappingW, "hpiiie"), MAKE(OpenFileMappingW, "ibe"),
    MAKE(FindFirstChangeNotificationW, "zbi"), MAKE(WSASocketW, "iii0ii"), CALL(FindNextFileW, "hp"),
    CALL(DeleteFileW, "z"), CALL(GetFileAttributesExW, "zip"), CALL(MoveFileExW, "zzi"),
    CALL(MoveFileW, "zz"), CALL(MoveFileA, "ff"), CALL(CopyFileW, "zzb"), CALL(CreateDirectoryW, "z0"),
    CALL(RemoveDirectoryW, "z"), CALL(CreateHardLinkW, "zz0"), CALL(SetFileAttributesA, "fi"),
    CALL(SetFileAttributesW, "zi"), CALL(GetFinalPathNameByHandleW, "hdri"), CALL(CreateSymbolicLinkA, "ffb"),
    CALL(CreateSymbolicLinkW, "zzb"), FREE(GetFileAttributesW, "z"), CALL(WaitNamedPipeW, "Zb"),
    CALL(CallNamedPipeW, "Zdsdspb"), CALL(GetNamedPipeHandleStateW, "hpppp0i"),
    CALL(GetDiskFreeSpaceA, "fpppp"), CALL(GetDiskFreeSpaceW, "zpppp"), CALL(GetDiskFreeSpaceExA, "fppp"),
    CALL(GetDiskFreeSpaceExW, "zppp"), FREE(GetFullPathNameA, "fsd0"), FREE(GetFullPathNameW, "zrd0"),
    SOCK(WSAEnumProtocolsW, "0pL"), SOCK(WSAAddressToStringA, "al0PL"),
    SOCK(WSAAddressToStringW, "al0PL"), SOCK(WSAStringToAddressA, "Pi0pL"),
    SOCK(WSAStringToAddressW, "Pi0pL"), FREE(GetModuleHandleW, "e"), CALL(GetModuleHandleExW, "iep"),
    CALL(GetComputerNameExW, "i0p"),
    /* more of the same kinds */
    CALL(SetEndOfFile, "h"), SOCK(WSASendMsg, "hMipog"), SOCK(WSAHtons, "hip"), SOCK(WSANtohl, "hip"),
    EXTENSION(ConnectEx, fuzz_connect_ex, "halds0o", FAILS_ZERO),
    EXTENSION(DisconnectEx, fuzz_disconnect_ex, "hoi0", FAILS_ZERO),
    EXTENSION(WSARecvMsg, fuzz_receive_message, "hMpog", FAILS_SOCKET), 
    WAIT(MsgWaitForMultipleObjects, "NAbti"), WAIT(MsgWaitForMultipleObjectsEx, "NAtii"), FREE(Sleep, "t"),
    FREE(HasOverlappedIoCompleted, "U"), CALL(iocp_set_spin, "hi"), CALL(SetCommConfig, "hds"),
    CALL(SetThreadAffinityMask, "hi"), CALL(SetThreadGroupAffinity, "hpp"), CALL(SetStdHandle, "ih"),
    STAT(NtOpenFile, "HiuPii"), STAT(NtOpenKeyedEvent, "Hiu"),
    /* the thread pool of before Vista, whose objects are handles */
    CALL(RegisterWaitForSingleObject, "HhR0ti"), CALL(UnregisterWait, "h"), CALL(UnregisterWaitEx, "hE"),
    MAKE(CreateTimerQueue, ""), CALL(CreateTimerQueueTimer, "HhR0iii"), CALL(ChangeTimerQueueTimer, "hhii"),
    CALL(DeleteTimerQueueTimer, "hhE"), CALL(DeleteTimerQueue, "h"), CALL(DeleteTimerQueueEx, "hE"),
    /* descriptors by the C library's names */
    FREE(_get_osfhandle, "F"), FREE(_open_osfhandle, "Fi"), FREE(_close, "F"),
    FREE(_lseek, "Fii"), FREE(_lseeki64, "Fii"), FREE(_tell, "F"), FREE(_telli64, "F"),
    FREE(_filelength, "F"), FREE(_filelengthi64, "F"), FREE(_chsize, "Fi"), FREE(_chsize_s, "Fi"),
    FREE(_commit, "F"), FREE(_eof, "F"), FREE(_isatty, "F"), FREE(_setmode, "Fi"),
    /* what is asked of the system, by class */
    STAT(NtQueryVolumeInformationFile, "hPdsi"), STAT(NtQueryInformationProcess, "hidsp"),
    STAT(NtQuerySystemInformation, "idsp"), CALL(GetLongPathNameA, "fds"), CALL(GetLongPathNameW, "zdr"),
    CALL(GetShortPathNameA, "fds"), CALL(GetShortPathNameW, "zdr"),
    /* what is done with care */
    CARE(InitializeProcThreadAttributeList), CARE(UpdateProcThreadAttribute),
    CARE(DeleteProcThreadAttributeList), CARE(InitializeCriticalSection),
    CARE(InitializeCriticalSectionAndSpinCount),
    CARE(InitializeCriticalSectionEx), CARE(SetCriticalSectionSpinCount), CARE(EnterCriticalSection),
    CARE(TryEnterCriticalSection), CARE(LeaveCriticalSection), CARE(DeleteCriticalSection),
    CARE(InitializeSRWLock), CARE(AcquireSRWLockExclusive), CARE(AcquireSRWLockShared),
    CARE(TryAcquireSRWLockExclusive), CARE(TryAcquireSRWLockShared), CARE(ReleaseSRWLockExclusive),
    CARE(ReleaseSRWLockShared), CARE(InitializeConditionVariable), CARE(WakeConditionVariable),
    CARE(WakeAllConditionVariable), CARE(SleepConditionVariableCS), CARE(SleepConditionVariableSRW),
    CARE(InitOnceInitialize), CARE(InitOnceExecuteOnce), CARE(InitOnceBeginInitialize),
    CARE(InitOnceComplete), CARE(InitializeSynchronizationBarrier), CARE(EnterSynchronizationBarrier),
    CARE(DeleteSynchronizationBarrier), CARE(WaitOnAddress), CARE(WakeByAddressSingle),
    CARE(WakeByAddressAll), CARE(InitializeSListHead), CARE(InterlockedPushEntrySList),
    CARE(InterlockedPushListSListEx), CARE(InterlockedPopEntrySList), CARE(InterlockedFlushSList),
    CARE(QueryDepthSList), CARE(HeapDestroy), CARE(HeapCreate), CARE(HeapAlloc), CARE(HeapReAlloc),
    CARE(HeapFree), CARE(HeapSize), CARE(HeapValidate), CARE(HeapCompact), CARE(HeapSetInformation),
    CARE(LocalAlloc), CARE(LocalFree), CARE(LocalReAlloc), CARE(LocalSize), CARE(LocalLock),
    CARE(LocalUnlock), CARE(GlobalAlloc), CARE(GlobalFree), CARE(GlobalReAlloc), CARE(GlobalSize),
    CARE(GlobalLock), CARE(GlobalUnlock), CARE(VirtualAlloc), CARE(VirtualFree), CARE(VirtualProtect),
    CARE(VirtualQuery), CARE(VirtualLock), CARE(VirtualUnlock), CARE(MapViewOfFile), CARE(MapViewOfFileEx),
    CARE(FlushViewOfFile), CARE(UnmapViewOfFile), CARE(CreateThreadpool), CARE(CloseThreadpool),
    CARE(CreateThreadpoolCleanupGroup), CARE(CloseThreadpoolCleanupGroupMembers),
    CARE(CloseThreadpoolCleanupGroup), CARE(SetThreadpoolThreadMaximum), CARE(SetThreadpoolThreadMinimum),
    CARE(SetThreadpoolStackInformation), CARE(QueryThreadpoolStackInformation),
    CARE(TrySubmitThreadpoolCallback), CARE(SubmitThreadpoolWork), CARE(SetThreadpoolTimer),
    CARE(SetThreadpoolTimerEx), CARE(IsThreadpoolTimerSet), CARE(SetThreadpoolWait),
    CARE(SetThreadpoolWaitEx), CARE(StartThreadpoolIo), CARE(CreateThreadpoolWork), CARE(CloseThreadpoolWork),
    CARE(CreateThreadpoolTimer), CARE(CloseThreadpoolTimer), CARE(CreateThreadpoolWait),
    CARE(CloseThreadpoolWait), CARE(CreateThreadpoolIo), CARE(CloseThreadpoolIo),
    CARE(WaitForThreadpoolWorkCallbacks), CARE(WaitForThreadpoolTimerCallbacks),
    CARE(WaitForThreadpoolWaitCallbacks), CARE(WaitForThreadpoolIoCallbacks),
    CARE(SetFileInformationByHandle),
    {"NtDeviceIoControlFile", (uintptr_t)careful_NtDeviceIoControlFile, "", FAILS_STATUS, false},
    {"NtReadFile", (uintptr_t)careful_NtReadFile, "", FAILS_STATUS, false},
    {"NtWriteFile", (uintptr_t)careful_NtWriteFile, "", FAILS_STATUS, false},
    {"NtFsControlFile", (uintptr_t)careful_NtFsControlFile, "", FAILS_STATUS, false},
    {"NtQueryDirectoryFile", (uintptr_t)careful_NtQueryDirectoryFile, "", FAILS_STATUS, false},
    {"NtSetInformationFile", (uintptr_t)careful_NtSetInformationFile, "", FAILS_STATUS, false},
    {"WSADuplicateSocketA", (uintptr_t)careful_WSADuplicateSocketA, "", FAILS_HANDLE, true},
    {"WSADuplicateSocketW", (uintptr_t)careful_WSADuplicateSocketW, "", FAILS_HANDLE, true},
    CARE(WSAStartup), CARE(GetThreadDescription), CARE(GetAddrInfoExW), CARE(WSAConnectByNameA),
    CARE(WSAConnectByList), SOCK(WSAJoinLeaf, "hal0000i"), CARE(GetAcceptExSockaddrs),
    CARE(__WSAFDIsSet), CARE(iocp_pending), CARE(TlsAlloc),
    CARE(FlsAlloc),
    /* registered I/O, by its table */
    CARE(RIORegisterBuffer), CARE(RIODeregisterBuffer), CARE(RIOCreateCompletionQueue),
    CARE(RIOCloseCompletionQueue), CARE(RIOResizeCompletionQueue), CARE(RIOCreateRequestQueue),
    CARE(RIOResizeRequestQueue), CARE(RIOSend), CARE(RIOReceive), CARE(RIOSendEx), CARE(RIOReceiveEx),
    CARE(RIODequeueCompletion), CARE(RIONotify),
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

#endif
