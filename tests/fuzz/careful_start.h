/* SPDX-License-Identifier: MIT */
/*
 * Lists of attributes, and a process that is started with one. The list lies in this program's memory and
 * is begun before it is used; how many it has room for, what is put in and how much of it is anything.
 */
#ifndef FUZZ_CAREFUL_START_H
#define FUZZ_CAREFUL_START_H

enum { INHERITED = 4 };

static union {
    uintptr_t aligned;
    char bytes[256];
} attribute_list;

static LPPROC_THREAD_ATTRIBUTE_LIST the_list(void)
{
    return (LPPROC_THREAD_ATTRIBUTE_LIST)(void *)&attribute_list;
}

static uintptr_t careful_InitializeProcThreadAttributeList(void)
{
    SIZE_T size = rnd(8) ? sizeof attribute_list : rnd(sizeof attribute_list);

    return (uintptr_t)InitializeProcThreadAttributeList(rnd(16) ? the_list() : NULL,
                                                        rnd(4) ? rnd(4) : (DWORD)any_number(),
                                                        rnd(16) ? 0 : (DWORD)any_number(), &size);
}

/* One that means something, half of the time. */
static BOOL put_attribute(HANDLE *inherited)
{
    SIZE_T size = rnd(4) ? sizeof(HANDLE) * (1 + rnd(INHERITED)) : rnd(sizeof(HANDLE) * INHERITED);

    for (unsigned i = 0; i < INHERITED; i++)
        inherited[i] = (HANDLE)any_handle();
    return UpdateProcThreadAttribute(the_list(), rnd(16) ? 0 : (DWORD)any_number(),
                                     rnd(2) ? PROC_THREAD_ATTRIBUTE_HANDLE_LIST : (DWORD_PTR)any_number(),
                                     inherited, size, NULL, NULL);
}

static uintptr_t careful_UpdateProcThreadAttribute(void)
{
    HANDLE inherited[INHERITED];
    char line[] = "/bin/true";
    STARTUPINFOEXA how = {.StartupInfo.cb = sizeof how, .lpAttributeList = the_list()};
    PROCESS_INFORMATION made;
    SIZE_T size = sizeof attribute_list;

    if (!InitializeProcThreadAttributeList(the_list(), rnd(4), 0, &size) || !put_attribute(inherited))
        return FALSE;
    if (!CreateProcessA(line, NULL, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                        &how.StartupInfo, &made))
        return FALSE;
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return TRUE;
}

static uintptr_t careful_DeleteProcThreadAttributeList(void)
{
    DeleteProcThreadAttributeList(the_list());
    return TRUE;
}

#endif
