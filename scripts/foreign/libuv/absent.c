/* SPDX-License-Identifier: MIT */
/*
 * absent.c: the functions of absent.h. They fail as Windows' own do in a process without a console, without
 * the rights, without the key; a test that needs one of them fails. Two exceptions: libuv asks the system for
 * random bytes, and gives up a spawn if it cannot make a job, so that a job can be made, but takes no
 * process.
 */
#include "absent.h"

#include <sys/random.h>

static BOOL fail(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

#define CONSOLE(name, parameters) BOOL name parameters { return fail(ERROR_INVALID_HANDLE); }
#define ABSENT(type, name, parameters) \
    type name parameters { return (type)(ULONG_PTR)fail(ERROR_CALL_NOT_IMPLEMENTED); }
#define REFUSED(type, name, parameters, code) type name parameters { return code; }

CONSOLE(GetConsoleMode, (HANDLE console, DWORD *mode))
CONSOLE(SetConsoleMode, (HANDLE console, DWORD mode))
CONSOLE(GetNumberOfConsoleInputEvents, (HANDLE console, DWORD *count))
CONSOLE(ReadConsoleInputW, (HANDLE console, INPUT_RECORD *records, DWORD room, DWORD *count))
CONSOLE(WriteConsoleInputW, (HANDLE console, const INPUT_RECORD *records, DWORD size, DWORD *count))
CONSOLE(ReadConsoleW, (HANDLE console, void *text, DWORD size, DWORD *count, void *control))
CONSOLE(WriteConsoleW, (HANDLE console, const void *text, DWORD size, DWORD *count, void *reserved))
CONSOLE(GetConsoleScreenBufferInfo, (HANDLE console, CONSOLE_SCREEN_BUFFER_INFO *info))
CONSOLE(SetConsoleCursorPosition, (HANDLE console, COORD at))
CONSOLE(GetConsoleCursorInfo, (HANDLE console, CONSOLE_CURSOR_INFO *info))
CONSOLE(SetConsoleCursorInfo, (HANDLE console, const CONSOLE_CURSOR_INFO *info))
CONSOLE(SetConsoleTextAttribute, (HANDLE console, WORD attributes))
CONSOLE(FillConsoleOutputCharacterA, (HANDLE console, char c, DWORD count, COORD at, DWORD *written))
CONSOLE(FillConsoleOutputCharacterW, (HANDLE console, WCHAR c, DWORD count, COORD at, DWORD *written))
CONSOLE(FillConsoleOutputAttribute, (HANDLE console, WORD attributes, DWORD count, COORD at, DWORD *written))
CONSOLE(ReadConsoleOutputCharacterA, (HANDLE console, char *text, DWORD size, COORD at, DWORD *count))
CONSOLE(ReadConsoleOutputAttribute, (HANDLE console, WORD *attributes, DWORD size, COORD at, DWORD *count))
CONSOLE(SetConsoleTitleW, (const WCHAR *title))
ABSENT(HANDLE, CreateConsoleScreenBuffer,
       (DWORD access, DWORD share, const SECURITY_ATTRIBUTES *security, DWORD flags, void *data))
ABSENT(DWORD, GetConsoleTitleW, (WCHAR *title, DWORD size))
ABSENT(BOOL, GetMessageW, (MSG *message, HWND window, UINT first, UINT last))
ABSENT(BOOL, TranslateMessage, (const MSG *message))
ABSENT(LRESULT, DispatchMessageW, (const MSG *message))
ABSENT(UINT, MapVirtualKeyW, (UINT code, UINT kind))
ABSENT(int, ToUnicode, (UINT code, UINT scan, const BYTE *state, WCHAR *text, int size, UINT flags))

HANDLE CreateJobObjectW(SECURITY_ATTRIBUTES *attributes, const WCHAR *name)
{
    return CreateEventA(NULL, TRUE, FALSE, NULL);
}

BOOL SetInformationJobObject(HANDLE job, int kind, void *info, DWORD size)
{
    return TRUE;
}

BOOL AssignProcessToJobObject(HANDLE job, HANDLE process)
{
    return fail(ERROR_ACCESS_DENIED);
}

ABSENT(BOOL, AllocateAndInitializeSid, (SID_IDENTIFIER_AUTHORITY *authority, BYTE count, DWORD a, DWORD b,
        DWORD c,
                                        DWORD d, DWORD e, DWORD f, DWORD g, DWORD h, PSID *sid))
ABSENT(void *, FreeSid, (PSID sid))
REFUSED(DWORD, GetSecurityInfo, (HANDLE handle, int type, DWORD what, PSID *owner, PSID *group, PACL *dacl,
                                 PACL *sacl, PSECURITY_DESCRIPTOR *descriptor), ERROR_CALL_NOT_IMPLEMENTED)
REFUSED(DWORD, SetSecurityInfo, (HANDLE handle, int type, DWORD what, PSID owner, PSID group, PACL dacl,
        PACL sacl),
        ERROR_CALL_NOT_IMPLEMENTED)
REFUSED(DWORD, SetEntriesInAcl, (ULONG count, EXPLICIT_ACCESS *entries, PACL old, PACL *fresh),
        ERROR_CALL_NOT_IMPLEMENTED)
ABSENT(BOOL, OpenProcessToken, (HANDLE process, DWORD access, HANDLE *token))
ABSENT(BOOL, GetUserProfileDirectoryW, (HANDLE token, WCHAR *path, DWORD *size))
ABSENT(BOOL, GetUserNameW, (WCHAR *name, DWORD *size))
ABSENT(WCHAR **, CommandLineToArgvW, (const WCHAR *line, int *count))

REFUSED(LONG, RegOpenKeyExW, (HKEY key, const WCHAR *name, DWORD options, DWORD access, HKEY *out),
        ERROR_FILE_NOT_FOUND)
REFUSED(LONG, RegQueryValueExW, (HKEY key, const WCHAR *name, DWORD *reserved, DWORD *type, BYTE *data,
        DWORD *size),
        ERROR_INVALID_HANDLE)
REFUSED(LONG, RegGetValueW, (HKEY key, const WCHAR *sub, const WCHAR *name, DWORD flags, DWORD *type,
        void *data,
                             DWORD *size), ERROR_INVALID_HANDLE)
REFUSED(LONG, RegCloseKey, (HKEY key), ERROR_INVALID_HANDLE)

ABSENT(BOOL, GetProcessMemoryInfo, (HANDLE process, PROCESS_MEMORY_COUNTERS *counters, DWORD size))
ABSENT(BOOL, GetProcessIoCounters, (HANDLE process, IO_COUNTERS *counters))

HANDLE CreateToolhelp32Snapshot(DWORD what, DWORD process)
{
    fail(ERROR_CALL_NOT_IMPLEMENTED);
    return INVALID_HANDLE_VALUE;
}

ABSENT(BOOL, Process32First, (HANDLE snapshot, PROCESSENTRY32 *entry))
ABSENT(BOOL, Process32Next, (HANDLE snapshot, PROCESSENTRY32 *entry))

/* RtlGenRandom. */
BOOLEAN SystemFunction036(void *buffer, ULONG size)
{
    return getrandom(buffer, size, 0) == (ssize_t)size;
}
