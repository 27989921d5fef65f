/* SPDX-License-Identifier: MIT */
/*
 * One thread takes the name of a file away in every way there is - DeleteFile, the last close of a file
 * that goes with it, MoveFileEx from it and over it - while another opens and makes files of this name. Who
 * has a file open and does not allow its deletion has it under its name; who makes a file has it open first,
 * whatever those do that only open what is there.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stress.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/iocp-names-XXXXXX", path[64], beside[64], moved[64];
static _Atomic bool stop;

static HANDLE open_as(const char *name, DWORD access, DWORD share, DWORD disposition, DWORD flags)
{
    return CreateFileA(name, access, share, NULL, disposition, flags, NULL);
}

static void close_it(HANDLE h)
{
    if (h != INVALID_HANDLE_VALUE)
        MUST(CloseHandle(h));
}

/* ---- ways to take the name away ---- */

static void delete_it(void)
{
    DeleteFileA(path);
}

static void goes_with_its_last_close(void)
{
    close_it(open_as(path, GENERIC_WRITE | DELETE, 0, OPEN_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE));
}

static void move_over_it(void)
{
    close_it(open_as(beside, GENERIC_WRITE, 0, CREATE_ALWAYS, 0));
    MoveFileExA(beside, path, MOVEFILE_REPLACE_EXISTING);
}

static void move_it_away(void)
{
    MoveFileExA(path, moved, MOVEFILE_REPLACE_EXISTING);
}

static void (*const takers[])(void) = {delete_it, goes_with_its_last_close, move_over_it, move_it_away};

static void *take(void *arg)
{
    void (*const *taker)(void) = arg;

    while (!atomic_load(&stop))
        (*taker)();
    return NULL;
}

static bool has_its_name(HANDLE h)
{
    struct stat open, named;

    MUST(fstat((int)(intptr_t)h, &open) == 0);
    return stat(path, &named) == 0 && open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static void open_while_taken(unsigned which)
{
    pthread_t t;
    uint64_t opened = 0;

    atomic_store(&stop, false);
    t = stress_thread(take, (void *)&takers[which]);
    while (opened < stress_count) {
        HANDLE h = open_as(path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_ALWAYS, 0);

        if (h == INVALID_HANDLE_VALUE) {
            MUST(GetLastError() == ERROR_SHARING_VIOLATION || GetLastError() == ERROR_ACCESS_DENIED);
            continue;
        }
        opened++;
        MUST(has_its_name(h));
        for (int i = 0; i < 5; i++)
            sched_yield();
        MUST(has_its_name(h));
        close_it(h);
    }
    atomic_store(&stop, true);
    pthread_join(t, NULL);
}

/* ---- making ---- */

static void *only_open(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop))
        close_it(open_as(path, GENERIC_READ, 0, OPEN_EXISTING, 0));
    return NULL;
}

static void make_while_opened(void)
{
    pthread_t t;

    unlink(path);
    atomic_store(&stop, false);
    t = stress_thread(only_open, NULL);
    for (uint64_t i = 0; i < stress_count; i++) {
        HANDLE h = open_as(path, GENERIC_READ | GENERIC_WRITE, 0, CREATE_NEW, 0);

        MUST(h != INVALID_HANDLE_VALUE);
        close_it(h);
        unlink(path);
    }
    atomic_store(&stop, true);
    pthread_join(t, NULL);
}

/* Two that move against each other wait for nobody: each has both names at once. */
static void *move_back(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop))
        MoveFileExA(moved, path, MOVEFILE_REPLACE_EXISTING);
    return NULL;
}

static void move_both_ways(void)
{
    DWORD begin = GetTickCount();
    pthread_t t;

    atomic_store(&stop, false);
    t = stress_thread(move_back, NULL);
    for (uint64_t i = 0; i < stress_count; i++) {
        close_it(open_as(path, GENERIC_WRITE, 7, OPEN_ALWAYS, 0));
        move_it_away();
    }
    atomic_store(&stop, true);
    pthread_join(t, NULL);
    printf("# moved both ways in %u ms\n", (unsigned)(GetTickCount() - begin));
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, 20000, 1500);
    MUST(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/name", dir);
    snprintf(beside, sizeof beside, "%s/beside", dir);
    snprintf(moved, sizeof moved, "%s/moved", dir);
    for (unsigned i = 0; i < sizeof takers / sizeof *takers; i++)
        open_while_taken(i);
    make_while_opened();
    move_both_ways();
    unlink(path);
    unlink(beside);
    unlink(moved);
    MUST(rmdir(dir) == 0);
    stress_balanced();
    return 0;
}
