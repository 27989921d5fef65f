/* SPDX-License-Identifier: MIT */
/*
 * The oldest names: Local and Global memory, and the lstr functions. A block carries its exact
 * size in front of it. "Movable" memory does not move: its handle is its address, so locking it
 * is free; programs cannot tell, except that a handle passed to a reallocation may change, which
 * the documentation allows.
 */
#include <windows.h>

#include "api/api.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_LIVE 0x4B434F4Cu
#define BLOCK_DEAD 0x44414544u

struct block {
    size_t size;
    uint32_t state;     /* BLOCK_LIVE, or BLOCK_DEAD to catch a second free while it is cheap */
    uint32_t flags;
    char data[];
};
_Static_assert(sizeof(struct block) == 16, "blocks keep malloc's alignment");

static struct block *block_of(void *memory)
{
    struct block *block = (struct block *)((char *)memory - sizeof(struct block));

    if (!memory || block->state != BLOCK_LIVE) {
        last_error_set(ERROR_INVALID_HANDLE);
        return NULL;
    }
    return block;
}

HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
    struct block *block = NULL;

    if (uBytes <= PTRDIFF_MAX - sizeof *block) {
        block = uFlags & LMEM_ZEROINIT ? calloc(1, sizeof *block + uBytes)
                                       : malloc(sizeof *block + uBytes);
    }
    if (!block) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    block->size = uBytes;
    block->state = BLOCK_LIVE;
    block->flags = uFlags;
    return block->data;
}

HLOCAL WINAPI LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
    struct block *block = block_of(hMem);
    struct block *grown;
    size_t before;

    if (!block)
        return NULL;
    if (uFlags & LMEM_MODIFY) {
        block->flags = uFlags;
        return hMem;
    }
    before = block->size;
    if (uBytes <= before) {
        block->size = uBytes;
        return hMem;
    }
    /* Fixed memory stays where it is unless the caller allows the move. */
    if (uBytes > PTRDIFF_MAX - sizeof *block || !((uFlags | block->flags) & LMEM_MOVEABLE)) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    grown = realloc(block, sizeof *block + uBytes);
    if (!grown) {
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    if (uFlags & LMEM_ZEROINIT)
        memset(grown->data + before, 0, uBytes - before);
    grown->size = uBytes;
    return grown->data;
}

HLOCAL WINAPI LocalFree(HLOCAL hMem)
{
    struct block *block;

    if (!hMem)
        return NULL;
    block = block_of(hMem);
    if (!block)
        return hMem;
    block->state = BLOCK_DEAD;
    free(block);
    return NULL;
}

SIZE_T WINAPI LocalSize(HLOCAL hMem)
{
    struct block *block = block_of(hMem);

    return block ? block->size : 0;
}

LPVOID WINAPI LocalLock(HLOCAL hMem)
{
    return block_of(hMem) ? hMem : NULL;
}

/* Unlocking what is not locked any more answers FALSE and "no error", as always here. */
BOOL WINAPI LocalUnlock(HLOCAL hMem)
{
    if (block_of(hMem))
        last_error_set(NO_ERROR);
    return FALSE;
}

HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes)
{
    return LocalAlloc(uFlags, dwBytes);
}

HGLOBAL WINAPI GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags)
{
    return LocalReAlloc(hMem, dwBytes, uFlags);
}

HGLOBAL WINAPI GlobalFree(HGLOBAL hMem)
{
    return LocalFree(hMem);
}

SIZE_T WINAPI GlobalSize(HGLOBAL hMem)
{
    return LocalSize(hMem);
}

LPVOID WINAPI GlobalLock(HGLOBAL hMem)
{
    return LocalLock(hMem);
}

BOOL WINAPI GlobalUnlock(HGLOBAL hMem)
{
    return LocalUnlock(hMem);
}

int WINAPI lstrlenA(LPCSTR lpString)
{
    return lpString ? (int)strlen(lpString) : 0;
}

int WINAPI lstrlenW(LPCWSTR lpString)
{
    return lpString ? (int)text_length16(lpString) : 0;
}

LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2)
{
    if (!lpString1 || !lpString2)
        return NULL;
    return memmove(lpString1, lpString2, strlen(lpString2) + 1);
}

LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2)
{
    if (!lpString1 || !lpString2)
        return NULL;
    return memmove(lpString1, lpString2, (text_length16(lpString2) + 1) * sizeof *lpString1);
}

/* Copies at most iMaxLength - 1 characters and always terminates. */
LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength)
{
    size_t length;

    if (!lpString1 || !lpString2)
        return NULL;
    if (iMaxLength <= 0)
        return lpString1;
    length = strnlen(lpString2, (size_t)iMaxLength - 1);
    memmove(lpString1, lpString2, length);
    lpString1[length] = 0;
    return lpString1;
}

LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength)
{
    size_t length = 0;

    if (!lpString1 || !lpString2)
        return NULL;
    if (iMaxLength <= 0)
        return lpString1;
    while (length < (size_t)iMaxLength - 1 && lpString2[length] != 0)
        length++;
    memmove(lpString1, lpString2, length * sizeof *lpString1);
    lpString1[length] = 0;
    return lpString1;
}

LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2)
{
    if (!lpString1 || !lpString2)
        return NULL;
    lstrcpyA(lpString1 + strlen(lpString1), lpString2);
    return lpString1;
}

LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2)
{
    if (!lpString1 || !lpString2)
        return NULL;
    lstrcpyW(lpString1 + text_length16(lpString1), lpString2);
    return lpString1;
}

/* NULL sorts before everything. The order is that of the code units, not of a language. */
static bool compare_null(const void *a, const void *b, int *result)
{
    if (a && b)
        return false;
    *result = (a != NULL) - (b != NULL);
    return true;
}

int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2)
{
    int result;

    if (compare_null(lpString1, lpString2, &result))
        return result;
    result = strcmp(lpString1, lpString2);
    return (result > 0) - (result < 0);
}

int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    int result;

    if (compare_null(lpString1, lpString2, &result))
        return result;
    while (*lpString1 && *lpString1 == *lpString2) {
        lpString1++;
        lpString2++;
    }
    return (*lpString1 > *lpString2) - (*lpString1 < *lpString2);
}

int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2)
{
    int result;

    return compare_null(lpString1, lpString2, &result) ? result
                                                       : text_compare_folded(lpString1, lpString2);
}

int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    int result;

    return compare_null(lpString1, lpString2, &result)
               ? result
               : text_compare_folded16(lpString1, lpString2);
}

/* Rounds halves away from zero. */
int WINAPI MulDiv(int nNumber, int nNumerator, int nDenominator)
{
    int64_t product = (int64_t)nNumber * nNumerator;
    int64_t divisor = nDenominator;
    int64_t result;

    if (divisor == 0)
        return -1;
    if (divisor < 0) {
        divisor = -divisor;
        product = -product;
    }
    result = (product + (product < 0 ? -divisor / 2 : divisor / 2)) / divisor;
    return result > INT32_MAX || result < -INT32_MAX ? -1 : (int)result;
}
