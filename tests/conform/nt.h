/* SPDX-License-Identifier: MIT */
/*
 * Native functions for tests, the way programs have them: own declarations, raw numbers, pointers from
 * GetProcAddress. After conform.h. A function that is not there is NULL; NEED(name) skips the test then.
 */
#ifndef NT_H
#define NT_H

typedef LONG nt_status;

/* The head of an OVERLAPPED. */
struct nt_block {
    union {
        nt_status status;
        void *pointer;
    } u;
    ULONG_PTR information;
};

struct nt_completion {
    HANDLE port;
    void *key;
};

struct nt_string {
    USHORT length, maximum;
    WCHAR *text;
};

struct nt_attributes {
    ULONG length;
    HANDLE root;
    struct nt_string *name;
    ULONG flags;
    void *security, *quality;
};

#define NT(NUMBER)            ((nt_status)(NUMBER))
#define NT_PENDING            NT(0x103)
#define NT_TIMEOUT            NT(0x102)
#define NT_EXISTS             NT(0x40000000)
#define NT_BAD_CLASS          NT(0xC0000003)
#define NT_BAD_LENGTH         NT(0xC0000004)
#define NT_INVALID_HANDLE     NT(0xC0000008)
#define NT_INVALID_PARAMETER  NT(0xC000000D)
#define NT_INVALID_PARAMETER1 NT(0xC00000EF)
#define NT_TYPE_MISMATCH      NT(0xC0000024)
#define NT_BUFFER_OVERFLOW    NT(0x80000005)
#define NT_NO_MORE_FILES      NT(0x80000006)
#define NT_NO_SUCH_FILE       NT(0xC000000F)
#define NT_BAD_REQUEST        NT(0xC0000010)
#define NT_END_OF_FILE        NT(0xC0000011)
#define NT_ACCESS_DENIED      NT(0xC0000022)
#define NT_NAME_NOT_FOUND     NT(0xC0000034)
#define NT_COLLISION          NT(0xC0000035)
#define NT_SHARING            NT(0xC0000043)
#define NT_LOCK_CONFLICT      NT(0xC0000054)
#define NT_PIPE_CONNECTED     NT(0xC00000B2)
#define NT_CANCELLED          NT(0xC0000120)
#define NT_NOT_FOUND          NT(0xC0000225)

#define NT_FUNCTIONS(X)                                                                                \
    X(NtClose, (HANDLE))                                                                               \
    X(NtWaitForSingleObject, (HANDLE, BOOLEAN, LARGE_INTEGER *))                                       \
    X(NtCreateFile, (HANDLE *, ULONG, struct nt_attributes *, struct nt_block *, LARGE_INTEGER *, ULONG, \
                     ULONG, ULONG, ULONG, void *, ULONG))                                              \
    X(NtDeviceIoControlFile, (HANDLE, HANDLE, void *, void *, struct nt_block *, ULONG, void *, ULONG, \
                              void *, ULONG))                                                          \
    X(NtOpenFile, (HANDLE *, ULONG, struct nt_attributes *, struct nt_block *, ULONG, ULONG))          \
    X(NtReadFile, (HANDLE, HANDLE, void *, void *, struct nt_block *, void *, ULONG, LARGE_INTEGER *,  \
                   ULONG *))                                                                           \
    X(NtWriteFile, (HANDLE, HANDLE, void *, void *, struct nt_block *, const void *, ULONG,            \
                    LARGE_INTEGER *, ULONG *))                                                         \
    X(NtFsControlFile, (HANDLE, HANDLE, void *, void *, struct nt_block *, ULONG, void *, ULONG, void *, \
                        ULONG))                                                                        \
    X(NtQueryDirectoryFile, (HANDLE, HANDLE, void *, void *, struct nt_block *, void *, ULONG, int,    \
                             BOOLEAN, struct nt_string *, BOOLEAN))                                    \
    X(NtCancelIoFileEx, (HANDLE, struct nt_block *, struct nt_block *))                                \
    X(NtCancelIoFile, (HANDLE, struct nt_block *))                                                     \
    X(NtQueryInformationFile, (HANDLE, struct nt_block *, void *, ULONG, int))                         \
    X(NtSetInformationFile, (HANDLE, struct nt_block *, void *, ULONG, int))                           \
    X(NtQueryVolumeInformationFile, (HANDLE, struct nt_block *, void *, ULONG, int))                   \
    X(NtQueryInformationProcess, (HANDLE, int, void *, ULONG, ULONG *))                                \
    X(NtQuerySystemInformation, (int, void *, ULONG, ULONG *))                                         \
    X(NtCreateWaitCompletionPacket, (HANDLE *, ULONG, struct nt_attributes *))                         \
    X(NtAssociateWaitCompletionPacket, (HANDLE, HANDLE, HANDLE, void *, void *, nt_status, ULONG_PTR,  \
                                        BOOLEAN *))                                                    \
    X(NtCancelWaitCompletionPacket, (HANDLE, BOOLEAN))                                                 \
    X(NtCreateKeyedEvent, (HANDLE *, ULONG, struct nt_attributes *, ULONG))                            \
    X(NtWaitForKeyedEvent, (HANDLE, void *, BOOLEAN, LARGE_INTEGER *))                                 \
    X(NtReleaseKeyedEvent, (HANDLE, void *, BOOLEAN, LARGE_INTEGER *))

#define X(NAME, PARAMETERS)                                                                            \
    typedef nt_status(WINAPI *NAME##_fn) PARAMETERS;                                                   \
    static NAME##_fn nt_##NAME CONFORM_USED;
NT_FUNCTIONS(X)
#undef X

/* Before main, so that no test need think of it. */
__attribute__((constructor)) static void nt_load(void)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
#define X(NAME, PARAMETERS) nt_##NAME = (NAME##_fn)(void (*)(void))GetProcAddress(ntdll, #NAME);
    NT_FUNCTIONS(X)
#undef X
}

#define NEED(NAME)                                                                                     \
    do {                                                                                               \
        if (!nt_##NAME)                                                                                \
            SKIP("no " #NAME " here");                                                                 \
    } while (0)

#define CHECK_NT(CALL, STATUS) CHECK_EQ((ULONG)(CALL), (ULONG)(STATUS))

#endif
