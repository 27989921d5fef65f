/* SPDX-License-Identifier: MIT */
/*
 * What the tests with other processes share. The other process is this program again, with the name of the
 * test `as_child` and, in the environment, what to do there. After conform.h.
 */
#ifndef CHILD_H
#define CHILD_H

#define SOON_ENOUGH 20000

/* Written by who includes this: does in the child what it was asked for, and ends the process. */
static void be_child(const char *action);

TEST(as_child, "")
{
    const char *action = getenv("IOCP_CHILD");
    if (!action)
        SKIP("runs in children only");
    be_child(action);
}

static inline const char *self(void)
{
    static char path[300];
    GetModuleFileNameA(NULL, path, sizeof path);
    return path;
}

static inline const char *child_command(void)
{
    static char line[400];
    snprintf(line, sizeof line, "\"%s\" as_child", self());
    return line;
}

struct child {
    PROCESS_INFORMATION info;
    STARTUPINFOA startup; /* may be filled before it is started; zeroed will do */
};

/* 0 after a failure, which it has reported. */
static inline int start_child(struct child *c, const char *action, BOOL inherit, DWORD flags)
{
    char line[400];
    strcpy(line, child_command());
    if (!c->startup.cb)
        c->startup.cb = sizeof c->startup;
    SetEnvironmentVariableA("IOCP_CHILD", action);
    BOOL ok = CreateProcessA(NULL, line, NULL, NULL, inherit, flags, NULL, NULL, &c->startup, &c->info);
    SetEnvironmentVariableA("IOCP_CHILD", NULL);
    return ok || FAIL("CreateProcess failed");
}

/* Waits for a process' end and closes its handle; its exit code. */
static inline DWORD end_of(HANDLE process)
{
    DWORD code = 0xDEAD;
    CHECK_EQ(WaitForSingleObject(process, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process, &code));
    CHECK(CloseHandle(process));
    return code;
}

static inline DWORD finish_child(struct child *c)
{
    DWORD code = end_of(c->info.hProcess);
    CHECK_EQ(WaitForSingleObject(c->info.hThread, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK(CloseHandle(c->info.hThread));
    return code;
}

/* An anonymous pipe one of whose ends a child can inherit: 0 the reading, 1 the writing. */
static inline void pipe_for_child(HANDLE ends[2], int inherited)
{
    SECURITY_ATTRIBUTES security = {sizeof security, NULL, TRUE};
    if (!CreatePipe(&ends[0], &ends[1], &security, 0))
        FAIL("CreatePipe failed");
    SetHandleInformation(ends[!inherited], HANDLE_FLAG_INHERIT, 0);
}

#endif
