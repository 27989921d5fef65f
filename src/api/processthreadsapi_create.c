/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h, fourth part: CreateProcess. Works on UTF-8: the W function converts what it is
 * given. Finds the program, takes the command line apart, makes the environment, resolves the standard
 * handles; the rest is io/spawn.c.
 */
#include "api/api.h"
#include "api/attributes.h"
#include "api/handles.h"
#include "base/cmdline.h"
#include "base/path.h"
#include "base/status.h"
#include "base/text.h"
#include "io/disk.h"
#include "io/file.h"
#include "io/spawn.h"

#include <ntstatus.h>
#include <windows.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

#define REFUSED (DEBUG_PROCESS | DEBUG_ONLY_THIS_PROCESS)
#define PRIORITIES (NORMAL_PRIORITY_CLASS | IDLE_PRIORITY_CLASS | HIGH_PRIORITY_CLASS |                    \
                    REALTIME_PRIORITY_CLASS | BELOW_NORMAL_PRIORITY_CLASS | ABOVE_NORMAL_PRIORITY_CLASS)

/* What the two functions hand on, in UTF-8. */
struct creation {
    const char *application;
    const char *command_line;
    const char *directory;
    void *environment;
    DWORD flags;
    bool inherit;
    HANDLE std[3];
    bool std_set;
    const struct attribute *handles; /* to be inherited, and no others; NULL: all */
};

/* ---- finding the program ---- */

static uint32_t check_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return disk_path_status(errno == ENOTDIR ? ENOENT : errno, path);
    if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

/* `directory`/`name`, and then with .exe behind it where the name has no dot. */
static uint32_t try_in(const char *directory, size_t length, const char *name, char out[PATH_MAX])
{
    const char *last = strrchr(name, '/');
    int n = snprintf(out, PATH_MAX, "%.*s%s%s", (int)length, directory, length ? "/" : "", name);
    uint32_t status;

    if (n < 0 || n >= PATH_MAX - 5)
        return STATUS_NAME_TOO_LONG;
    status = check_program(out);
    if (status == STATUS_SUCCESS || strchr(last ? last : name, '.'))
        return status;
    strcpy(out + n, ".exe");
    if (check_program(out) == STATUS_SUCCESS)
        return STATUS_SUCCESS;
    out[n] = 0;
    return status;
}

static uint32_t try_beside_us(const char *name, char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n <= 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    self[n] = 0;
    slash = strrchr(self, '/');
    return try_in(self, slash ? (size_t)(slash - self) : 0, name, out);
}

static uint32_t try_path(const char *name, char out[PATH_MAX])
{
    const char *at = getenv("PATH");

    while (at && *at) {
        size_t length = strcspn(at, ":");

        if (length > 0 && try_in(at, length, name, out) == STATUS_SUCCESS)
            return STATUS_SUCCESS;
        at += length + (at[length] == ':');
    }
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* A name as a program writes it; without a directory it is looked for. */
static uint32_t find_program(const char *name, bool search, char out[PATH_MAX])
{
    struct path path;
    uint32_t status = path_parse(&path, name);

    if (status != STATUS_SUCCESS)
        return status;
    if (!search) {
        if (snprintf(out, PATH_MAX, "%s", path.text) >= PATH_MAX)
            return STATUS_NAME_TOO_LONG;
        return check_program(out);
    }
    if (strchr(path.text, '/'))
        return try_in("", 0, path.text, out);
    if (try_beside_us(path.text, out) == STATUS_SUCCESS || try_in(".", 1, path.text, out) == STATUS_SUCCESS)
        return STATUS_SUCCESS;
    return try_path(path.text, out);
}

/* The first word; without quotes it may hold blanks, and the shortest that names a program is it. */
static uint32_t find_in_line(const char *line, char out[PATH_MAX])
{
    uint32_t first = STATUS_SUCCESS;
    char name[PATH_MAX];
    size_t n = 0;

    if (line[0] == '"') {
        n = strcspn(line + 1, "\"");
        if (n == 0 || n >= sizeof name)
            return STATUS_OBJECT_NAME_NOT_FOUND;
        memcpy(name, line + 1, n);
        name[n] = 0;
        return find_program(name, true, out);
    }
    do {
        uint32_t status;

        n += strspn(line + n, " \t");
        n += strcspn(line + n, " \t");
        if (n == 0 || n >= sizeof name)
            break;
        memcpy(name, line, n);
        name[n] = 0;
        status = find_program(name, true, out);
        if (status == STATUS_SUCCESS)
            return status;
        if (first == STATUS_SUCCESS)
            first = status;
    } while (line[n]);
    return first == STATUS_SUCCESS ? (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND : first;
}

/* The child may begin in another directory than the one the name is relative to. */
static uint32_t make_absolute(char path[PATH_MAX])
{
    char here[PATH_MAX], name[PATH_MAX];

    if (path[0] == '/')
        return STATUS_SUCCESS;
    strcpy(name, path);
    if (!getcwd(here, sizeof here) || snprintf(path, PATH_MAX, "%s/%s", here, name) >= PATH_MAX)
        return STATUS_NAME_TOO_LONG;
    return STATUS_SUCCESS;
}

/* ---- the environment ---- */

/* Strings one behind the other; those that begin with "=" are the drives' directories of Windows. */
static char **list_strings(const char *block)
{
    size_t count = 0, i = 0;
    char **list;

    for (const char *at = block; *at; at += strlen(at) + 1)
        count++;
    list = malloc((count + 1) * sizeof *list);
    if (!list)
        return NULL;
    for (const char *at = block; *at; at += strlen(at) + 1) {
        if (*at != '=')
            list[i++] = (char *)(uintptr_t)at;
    }
    list[i] = NULL;
    return list;
}

/* The same block in UTF-8; from malloc. */
static char *narrow_block(const uint16_t *block)
{
    size_t length = 0;
    ptrdiff_t size;
    char *narrow;

    while (block[length])
        length += text_length16(block + length) + 1;
    length++;
    size = text_to_utf8(block, length, NULL, 0, false);
    narrow = size > 0 ? malloc((size_t)size + 1) : NULL;
    if (narrow && text_to_utf8(block, length, narrow, (size_t)size, false) > 0)
        narrow[size] = 0;
    return narrow;
}

/* ---- standard handles ---- */

/* The files behind them, pinned until the child is there. */
static uint32_t resolve_std(const struct creation *c, struct child_how *how, struct file *pinned[3])
{
    for (int i = 0; i < 3; i++) {
        uintptr_t h = (uintptr_t)c->std[i];
        uint32_t status;

        how->std[i] = c->std_set ? CHILD_NULL : -1;
        if (!c->std_set || h == 0 || h == (uintptr_t)INVALID_HANDLE_VALUE)
            continue;
        status = file_from_handle(h, true, &pinned[i], NULL);
        if (status != STATUS_SUCCESS)
            return STATUS_INVALID_HANDLE;
        how->std[i] = handle_is_fd(h) ? (int)h : pinned[i]->fd;
    }
    return STATUS_SUCCESS;
}

/* ---- a list of handles ---- */

/* The descriptor that the child is to have, or -1: a standard handle is given another way. */
static uint32_t inherited_fd(HANDLE handle, int *fd)
{
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)handle, false, &f, NULL);
    DWORD flags;

    *fd = -1;
    if (status == STATUS_OBJECT_TYPE_MISMATCH)
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    if (status != STATUS_SUCCESS)
        return STATUS_INVALID_PARAMETER;
    file_put(f);
    if (!handle_is_fd((uintptr_t)handle))
        return STATUS_SUCCESS;
    *fd = (int)(uintptr_t)handle;
    return GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT) ? STATUS_SUCCESS
                                                                                : STATUS_INVALID_PARAMETER;
}

/* *only: from malloc. */
static uint32_t list_handles(const struct creation *c, struct child_how *how, int **only)
{
    size_t count = c->handles->size / sizeof(HANDLE);
    uint32_t status = c->inherit ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;

    if (!c->handles->value)
        return STATUS_ACCESS_VIOLATION; /* conform/process.c: wrong_lists */
    *only = malloc(count * sizeof **only);
    if (!*only)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && status == STATUS_SUCCESS; i++)
        status = inherited_fd(((HANDLE *)c->handles->value)[i], &(*only)[i]);
    how->only = *only;
    how->only_count = count;
    return status;
}

/* ---- starting ---- */

static uint32_t check_directory(const char *name, struct path *path)
{
    struct stat st;

    if (path_parse(path, name) == STATUS_SUCCESS && stat(path->text, &st) == 0 && S_ISDIR(st.st_mode))
        return STATUS_SUCCESS;
    return status_from_win32(ERROR_DIRECTORY);
}

/* Everything is at hand: makes the child. */
static uint32_t launch(const struct creation *c, struct child_how *how, struct process **out)
{
    struct file *pinned[3] = {NULL};
    int *only = NULL;
    uint32_t status = resolve_std(c, how, pinned);

    if (status == STATUS_SUCCESS && c->handles)
        status = list_handles(c, how, &only);
    if (status == STATUS_SUCCESS)
        status = spawn_process(how, out);
    free(only);
    for (int i = 0; i < 3; i++) {
        if (pinned[i])
            file_put(pinned[i]);
    }
    return status;
}

static uint32_t start(const struct creation *c, struct process **out)
{
    struct child_how how = {.inherit = c->inherit,
                            .new_group = (c->flags & CREATE_NEW_PROCESS_GROUP) != 0,
                            .new_session = (c->flags & DETACHED_PROCESS) != 0,
                            .suspended = (c->flags & CREATE_SUSPENDED) != 0};
    bool wide = c->flags & CREATE_UNICODE_ENVIRONMENT;
    char *block = NULL, **list = NULL, **argv = NULL, *alone[2] = {NULL, NULL};
    char program[PATH_MAX];
    struct path directory;
    uint32_t status;

    if (c->application)
        status = find_program(c->application, false, program);
    else
        status = find_in_line(c->command_line, program);
    if (status == STATUS_SUCCESS && c->directory) {
        status = check_directory(c->directory, &directory);
        how.directory = directory.text;
        if (status == STATUS_SUCCESS)
            status = make_absolute(program);
    }
    if (status != STATUS_SUCCESS)
        return status;
    how.path = program;
    how.no_interrupt = how.new_group || api_console_ignores_interrupt();
    alone[0] = (char *)(uintptr_t)c->application;
    if (c->command_line)
        argv = cmdline_split(c->command_line);
    how.argv = c->command_line ? argv : alone;
    if (c->environment) {
        block = wide ? narrow_block(c->environment) : NULL;
        list = wide && !block ? NULL : list_strings(wide ? block : c->environment);
    }
    how.envp = c->environment ? list : environ;
    status = how.argv && how.envp ? launch(c, &how, out) : (uint32_t)STATUS_NO_MEMORY;
    free(argv);
    free(list);
    free(block);
    return status;
}

static bool inherits(const SECURITY_ATTRIBUTES *security)
{
    return security && security->bInheritHandle;
}

/* Two handles of one object: a process of Linux ends with its first thread's program. */
static uint32_t publish(struct process *p, const SECURITY_ATTRIBUTES *process_security,
                        const SECURITY_ATTRIBUTES *thread_security, PROCESS_INFORMATION *out)
{
    uintptr_t process, thread;
    uint32_t status = handle_open(&p->object, PROCESS_ALL_ACCESS,
                                  inherits(process_security) ? HANDLE_INHERIT : 0, &process);

    if (status != STATUS_SUCCESS)
        return status;
    status = handle_open(&p->object, THREAD_ALL_ACCESS, inherits(thread_security) ? HANDLE_INHERIT : 0,
                         &thread);
    if (status != STATUS_SUCCESS) {
        handle_close(process);
        return status;
    }
    *out = (PROCESS_INFORMATION){(HANDLE)process, (HANDLE)thread, (DWORD)p->pid, (DWORD)p->pid};
    return STATUS_SUCCESS;
}

static BOOL create(const struct creation *c, const SECURITY_ATTRIBUTES *process_security,
                   const SECURITY_ATTRIBUTES *thread_security, PROCESS_INFORMATION *out)
{
    struct process *p;
    uint32_t status;

    if (!out || (!c->application && !c->command_line))
        return win32_result(STATUS_INVALID_PARAMETER);
    if (c->flags & REFUSED)
        return win32_result(status_from_win32(ERROR_CALL_NOT_IMPLEMENTED));
    status = start(c, &p);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = publish(p, process_security, thread_security, out);
    if (status != STATUS_SUCCESS)
        process_terminate(p, 1);
    object_put(&p->object);
    if (status == STATUS_SUCCESS && (c->flags & PRIORITIES) && !(c->flags & NORMAL_PRIORITY_CLASS))
        SetPriorityClass(out->hProcess, c->flags & PRIORITIES); /* raised as far as allowed */
    return win32_result(status);
}

BOOL WINAPI CreateProcessA(LPCSTR lpApplicationName, LPSTR lpCommandLine,
                           LPSECURITY_ATTRIBUTES lpProcessAttributes,
                           LPSECURITY_ATTRIBUTES lpThreadAttributes, BOOL bInheritHandles,
                           DWORD dwCreationFlags, LPVOID lpEnvironment, LPCSTR lpCurrentDirectory,
                           LPSTARTUPINFOA lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation)
{
    struct creation c = {lpApplicationName, lpCommandLine, lpCurrentDirectory, lpEnvironment,
                         dwCreationFlags, bInheritHandles, {NULL}, false, NULL};

    if (!lpStartupInfo)
        return win32_result(STATUS_INVALID_PARAMETER);
    if (dwCreationFlags & EXTENDED_STARTUPINFO_PRESENT) {
        if (lpStartupInfo->cb != sizeof(STARTUPINFOEXA))
            return win32_result(STATUS_INVALID_PARAMETER);
        c.handles = attribute_find(((STARTUPINFOEXA *)lpStartupInfo)->lpAttributeList,
                                   PROC_THREAD_ATTRIBUTE_HANDLE_LIST);
    }
    if (lpStartupInfo->dwFlags & STARTF_USESTDHANDLES) {
        c.std[0] = lpStartupInfo->hStdInput;
        c.std[1] = lpStartupInfo->hStdOutput;
        c.std[2] = lpStartupInfo->hStdError;
        c.std_set = true;
    }
    return create(&c, lpProcessAttributes, lpThreadAttributes, lpProcessInformation);
}

BOOL WINAPI CreateProcessW(LPCWSTR lpApplicationName, LPWSTR lpCommandLine,
                           LPSECURITY_ATTRIBUTES lpProcessAttributes,
                           LPSECURITY_ATTRIBUTES lpThreadAttributes, BOOL bInheritHandles,
                           DWORD dwCreationFlags, LPVOID lpEnvironment, LPCWSTR lpCurrentDirectory,
                           LPSTARTUPINFOW lpStartupInfo, LPPROCESS_INFORMATION lpProcessInformation)
{
    char *application = text_utf8_new((const uint16_t *)lpApplicationName);
    char *line = text_utf8_new((const uint16_t *)lpCommandLine);
    char *directory = text_utf8_new((const uint16_t *)lpCurrentDirectory);
    STARTUPINFOEXA startup = {.StartupInfo.cb = sizeof(STARTUPINFOA)};
    BOOL ok = FALSE;

    if (lpStartupInfo) {
        startup.StartupInfo.cb = lpStartupInfo->cb;
        startup.StartupInfo.dwFlags = lpStartupInfo->dwFlags;
        startup.StartupInfo.hStdInput = lpStartupInfo->hStdInput;
        startup.StartupInfo.hStdOutput = lpStartupInfo->hStdOutput;
        startup.StartupInfo.hStdError = lpStartupInfo->hStdError;
        if ((dwCreationFlags & EXTENDED_STARTUPINFO_PRESENT) && lpStartupInfo->cb == sizeof(STARTUPINFOEXW))
            startup.lpAttributeList = ((STARTUPINFOEXW *)lpStartupInfo)->lpAttributeList;
    }
    if ((lpApplicationName && !application) || (lpCommandLine && !line) || (lpCurrentDirectory && !directory))
        win32_fail(STATUS_NO_MEMORY);
    else
        ok = CreateProcessA(application, line, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
                            dwCreationFlags, lpEnvironment, directory,
                            lpStartupInfo ? &startup.StartupInfo : NULL, lpProcessInformation);
    free(application);
    free(line);
    free(directory);
    return ok;
}

VOID WINAPI GetStartupInfoA(LPSTARTUPINFOA lpStartupInfo)
{
    *lpStartupInfo = (STARTUPINFOA){.cb = sizeof *lpStartupInfo, .dwFlags = STARTF_USESTDHANDLES,
                                    .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                                    .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                                    .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
}

VOID WINAPI GetStartupInfoW(LPSTARTUPINFOW lpStartupInfo)
{
    *lpStartupInfo = (STARTUPINFOW){.cb = sizeof *lpStartupInfo, .dwFlags = STARTF_USESTDHANDLES,
                                    .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                                    .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                                    .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
}
