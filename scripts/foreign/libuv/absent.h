/* SPDX-License-Identifier: MIT */
/*
 * absent.h: what libuv's Windows side names of other parts of Windows and this library has not: consoles and
 * the keyboard, the registry, access lists, job objects, snapshots of processes, memory counters. Included
 * before each of its files; the functions are in absent.c.
 */
#ifndef LIBUV_ABSENT_H
#define LIBUV_ABSENT_H

#include <winsock2.h>
#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- consoles and windows ---- */

enum {
    VK_CLEAR = 0x0C, VK_RETURN = 0x0D, VK_SHIFT = 0x10, VK_MENU = 0x12, VK_SPACE = 0x20, VK_PRIOR = 0x21,
        VK_NEXT = 0x22, VK_END = 0x23,
    VK_HOME = 0x24, VK_LEFT = 0x25, VK_UP = 0x26, VK_RIGHT = 0x27, VK_DOWN = 0x28, VK_INSERT = 0x2D,
    VK_DELETE = 0x2E, VK_NUMPAD0 = 0x60, VK_NUMPAD1, VK_NUMPAD2, VK_NUMPAD3, VK_NUMPAD4, VK_NUMPAD5,
    VK_NUMPAD6, VK_NUMPAD7, VK_NUMPAD8, VK_NUMPAD9, VK_DECIMAL = 0x6E, VK_F1 = 0x70, VK_F2, VK_F3, VK_F4,
    VK_F5, VK_F6, VK_F7, VK_F8, VK_F9, VK_F10, VK_F11, VK_F12,
    VK_LCONTROL = 0xA2, VK_RCONTROL = 0xA3, VK_LMENU = 0xA4, VK_RMENU = 0xA5, CONSOLE_TEXTMODE_BUFFER = 1,
    MAPVK_VK_TO_VSC = 0, EVENT_CONSOLE_LAYOUT = 0x4005, WINEVENT_OUTOFCONTEXT = 0,
    SIGBREAK = 21 /* a signal of Windows' C run-time only; libuv needs the number as a key */
};

typedef struct tagMSG {
    HWND hwnd;
    UINT message;
    WPARAM wParam;
    LPARAM lParam;
    DWORD time;
    POINT pt;
} MSG, *LPMSG;

BOOL GetConsoleMode(HANDLE console, DWORD *mode);
BOOL SetConsoleMode(HANDLE console, DWORD mode);
BOOL GetNumberOfConsoleInputEvents(HANDLE console, DWORD *count);
BOOL ReadConsoleInputW(HANDLE console, INPUT_RECORD *records, DWORD room, DWORD *count);
BOOL WriteConsoleInputW(HANDLE console, const INPUT_RECORD *records, DWORD size, DWORD *count);
BOOL ReadConsoleW(HANDLE console, void *text, DWORD size, DWORD *count, void *control);
BOOL WriteConsoleW(HANDLE console, const void *text, DWORD size, DWORD *count, void *reserved);
BOOL GetConsoleScreenBufferInfo(HANDLE console, CONSOLE_SCREEN_BUFFER_INFO *info);
BOOL SetConsoleCursorPosition(HANDLE console, COORD at);
BOOL GetConsoleCursorInfo(HANDLE console, CONSOLE_CURSOR_INFO *info);
BOOL SetConsoleCursorInfo(HANDLE console, const CONSOLE_CURSOR_INFO *info);
BOOL SetConsoleTextAttribute(HANDLE console, WORD attributes);
BOOL FillConsoleOutputCharacterW(HANDLE console, WCHAR c, DWORD count, COORD at, DWORD *written);
BOOL FillConsoleOutputAttribute(HANDLE console, WORD attributes, DWORD count, COORD at, DWORD *written);
BOOL FillConsoleOutputCharacterA(HANDLE console, char c, DWORD count, COORD at, DWORD *written);
BOOL ReadConsoleOutputCharacterA(HANDLE console, char *text, DWORD size, COORD at, DWORD *count);
BOOL ReadConsoleOutputAttribute(HANDLE console, WORD *attributes, DWORD size, COORD at, DWORD *count);
HANDLE CreateConsoleScreenBuffer(DWORD access, DWORD share, const SECURITY_ATTRIBUTES *security,
        DWORD flags, void *data);
DWORD GetConsoleTitleW(WCHAR *title, DWORD size);
BOOL SetConsoleTitleW(const WCHAR *title);
BOOL GetMessageW(MSG *message, HWND window, UINT first, UINT last);
BOOL TranslateMessage(const MSG *message);
LRESULT DispatchMessageW(const MSG *message);
UINT MapVirtualKeyW(UINT code, UINT kind);
int ToUnicode(UINT code, UINT scan, const BYTE *state, WCHAR *text, int size, UINT flags);
#define GetMessage      GetMessageW
#define DispatchMessage DispatchMessageW
#define MapVirtualKey   MapVirtualKeyW
#define WriteConsole    WriteConsoleW
#define FillConsoleOutputCharacter FillConsoleOutputCharacterA
#define ReadConsoleOutputCharacter ReadConsoleOutputCharacterA

/* ---- job objects ---- */

typedef struct _IO_COUNTERS {
    ULONGLONG ReadOperationCount, WriteOperationCount, OtherOperationCount;
    ULONGLONG ReadTransferCount, WriteTransferCount, OtherTransferCount;
} IO_COUNTERS;

typedef struct {
    struct {
        LARGE_INTEGER PerProcessUserTimeLimit, PerJobUserTimeLimit;
        DWORD LimitFlags;
        SIZE_T MinimumWorkingSetSize, MaximumWorkingSetSize;
        DWORD ActiveProcessLimit;
        ULONG_PTR Affinity;
        DWORD PriorityClass, SchedulingClass;
    } BasicLimitInformation;
    IO_COUNTERS IoInfo;
    SIZE_T ProcessMemoryLimit, JobMemoryLimit, PeakProcessMemoryUsed, PeakJobMemoryUsed;
} JOBOBJECT_EXTENDED_LIMIT_INFORMATION;

enum { JobObjectExtendedLimitInformation = 9 };
#define JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION 0x00000400
#define JOB_OBJECT_LIMIT_BREAKAWAY_OK               0x00000800
#define JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK        0x00001000
#define JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE          0x00002000

HANDLE CreateJobObjectW(SECURITY_ATTRIBUTES *attributes, const WCHAR *name);
BOOL SetInformationJobObject(HANDLE job, int kind, void *info, DWORD size);
BOOL AssignProcessToJobObject(HANDLE job, HANDLE process);

/* ---- access lists, users ---- */

typedef struct {
    BYTE Value[6];
} SID_IDENTIFIER_AUTHORITY;
typedef struct {
    void *pMultipleTrustee;
    int MultipleTrusteeOperation, TrusteeForm, TrusteeType;
    char *ptstrName;
} TRUSTEE;
typedef struct {
    DWORD grfAccessPermissions;
    int grfAccessMode;
    DWORD grfInheritance;
    TRUSTEE Trustee;
} EXPLICIT_ACCESS;
#define SECURITY_WORLD_SID_AUTHORITY {0, 0, 0, 0, 0, 1}
#define SECURITY_WORLD_RID           0
#define DACL_SECURITY_INFORMATION    4
#define NO_INHERITANCE               0
#define TOKEN_READ                   0x00020008
enum { SE_KERNEL_OBJECT = 6, SET_ACCESS = 2, TRUSTEE_IS_SID = 0, TRUSTEE_IS_WELL_KNOWN_GROUP = 5 };

BOOL AllocateAndInitializeSid(SID_IDENTIFIER_AUTHORITY *authority, BYTE count, DWORD a, DWORD b, DWORD c,
        DWORD d,
                              DWORD e, DWORD f, DWORD g, DWORD h, PSID *sid);
void *FreeSid(PSID sid);
DWORD GetSecurityInfo(HANDLE handle, int type, DWORD what, PSID *owner, PSID *group, PACL *dacl, PACL *sacl,
                      PSECURITY_DESCRIPTOR *descriptor);
DWORD SetSecurityInfo(HANDLE handle, int type, DWORD what, PSID owner, PSID group, PACL dacl, PACL sacl);
DWORD SetEntriesInAcl(ULONG count, EXPLICIT_ACCESS *entries, PACL old, PACL *fresh);
BOOL OpenProcessToken(HANDLE process, DWORD access, HANDLE *token);
BOOL GetUserNameW(WCHAR *name, DWORD *size);
WCHAR **CommandLineToArgvW(const WCHAR *line, int *count);
BOOL GetUserProfileDirectoryW(HANDLE token, WCHAR *path, DWORD *size);

/* ---- the registry, counters, snapshots ---- */

#define HKEY_LOCAL_MACHINE ((HKEY)(ULONG_PTR)0x80000002)
#define KEY_QUERY_VALUE    1
#define RRF_RT_REG_SZ      2

LONG RegOpenKeyExW(HKEY key, const WCHAR *name, DWORD options, DWORD access, HKEY *out);
LONG RegQueryValueExW(HKEY key, const WCHAR *name, DWORD *reserved, DWORD *type, BYTE *data, DWORD *size);
LONG RegGetValueW(HKEY key, const WCHAR *sub, const WCHAR *name, DWORD flags, DWORD *type, void *data,
        DWORD *size);
LONG RegCloseKey(HKEY key);

typedef struct {
    DWORD cb, PageFaultCount;
    SIZE_T PeakWorkingSetSize, WorkingSetSize, QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage,
        QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage, PagefileUsage, PeakPagefileUsage;
} PROCESS_MEMORY_COUNTERS;

BOOL GetProcessMemoryInfo(HANDLE process, PROCESS_MEMORY_COUNTERS *counters, DWORD size);
BOOL GetProcessIoCounters(HANDLE process, IO_COUNTERS *counters);

typedef struct {
    DWORD dwSize, cntUsage, th32ProcessID;
    ULONG_PTR th32DefaultHeapID;
    DWORD th32ModuleID, cntThreads, th32ParentProcessID;
    LONG pcPriClassBase;
    DWORD dwFlags;
    char szExeFile[MAX_PATH];
} PROCESSENTRY32;
enum { TH32CS_SNAPPROCESS = 2 };

HANDLE CreateToolhelp32Snapshot(DWORD what, DWORD process);
BOOL Process32First(HANDLE snapshot, PROCESSENTRY32 *entry);
BOOL Process32Next(HANDLE snapshot, PROCESSENTRY32 *entry);

#ifdef __cplusplus
}
#endif

#endif
