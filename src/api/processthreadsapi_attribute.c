/* SPDX-License-Identifier: MIT */
/*
 * processthreadsapi.h, fifth part: lists of attributes. The one attribute that means something here is the
 * list of handles to be inherited; processthreadsapi_create.c reads it.
 */
#include "api/attributes.h"

#include "api/api.h"

#include <windows.h>

static BOOL fail(DWORD code)
{
    last_error_set(code);
    return FALSE;
}

BOOL WINAPI InitializeProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList,
                                              DWORD dwAttributeCount, DWORD dwFlags, PSIZE_T lpSize)
{
    SIZE_T room, size = sizeof *lpAttributeList + (SIZE_T)dwAttributeCount * sizeof lpAttributeList->at[0];

    if (dwFlags || !lpSize)
        return fail(ERROR_INVALID_PARAMETER);
    room = *lpSize;
    *lpSize = size;
    if (!lpAttributeList || room < size)
        return fail(ERROR_INSUFFICIENT_BUFFER);
    lpAttributeList->max = dwAttributeCount;
    lpAttributeList->count = 0;
    return TRUE;
}

const struct attribute *attribute_find(const struct _PROC_THREAD_ATTRIBUTE_LIST *list, uintptr_t key)
{
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (list->at[i].key == key)
            return &list->at[i];
    }
    return NULL;
}

BOOL WINAPI UpdateProcThreadAttribute(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList, DWORD dwFlags,
                                      DWORD_PTR Attribute, PVOID lpValue, SIZE_T cbSize,
                                      PVOID lpPreviousValue, PSIZE_T lpReturnSize)
{
    if (!lpAttributeList || dwFlags || lpPreviousValue || lpReturnSize)
        return fail(ERROR_INVALID_PARAMETER);
    if (lpAttributeList->count == lpAttributeList->max)
        return fail(ERROR_GEN_FAILURE);
    if (Attribute != PROC_THREAD_ATTRIBUTE_HANDLE_LIST)
        return fail(ERROR_NOT_SUPPORTED);
    if (cbSize == 0 || cbSize % sizeof(HANDLE))
        return fail(ERROR_BAD_LENGTH);
    if (attribute_find(lpAttributeList, Attribute))
        return fail(ERROR_OBJECT_NAME_EXISTS);
    lpAttributeList->at[lpAttributeList->count++] = (struct attribute){Attribute, lpValue, cbSize};
    return TRUE;
}

VOID WINAPI DeleteProcThreadAttributeList(LPPROC_THREAD_ATTRIBUTE_LIST lpAttributeList)
{
    lpAttributeList->max = lpAttributeList->count = 0;
}
