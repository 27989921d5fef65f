/* SPDX-License-Identifier: MIT */
/*
 * Three names that many threads make, open, delete and move at once, in all share modes: who has a file alone
 * has it alone, and a file that is open and does not share deletion keeps its name.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 6, NAMES = 3, OPENINGS = THREADS };

static char directory[] = "/tmp/iocp-share-XXXXXX";

/* Who has what open just now, from after the opening to before the close. */
static struct {
    pthread_mutex_t lock;
    struct {
        ino_t ino;
        bool used, alone;
    } of[OPENINGS];
} openings = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(unsigned thread, ino_t ino, bool alone)
{
    pthread_mutex_lock(&openings.lock);
    for (unsigned i = 0; i < OPENINGS; i++)
        MUST(!openings.of[i].used || openings.of[i].ino != ino || !(alone || openings.of[i].alone));
    openings.of[thread].ino = ino;
    openings.of[thread].alone = alone;
    openings.of[thread].used = true;
    pthread_mutex_unlock(&openings.lock);
}

static void note_end(unsigned thread)
{
    pthread_mutex_lock(&openings.lock);
    openings.of[thread].used = false;
    pthread_mutex_unlock(&openings.lock);
}

static void hold(unsigned thread, uint64_t *random, HANDLE file, const char *path, DWORD share)
{
    struct stat here, there;

    MUST(fstat((int)(intptr_t)file, &here) == 0);
    note(thread, here.st_ino, share == 0);
    for (uint32_t turns = stress_random(random, 20); turns > 0; turns--)
        sched_yield(); /* who was about to take the name away does it now */
    if (!(share & FILE_SHARE_DELETE))
        MUST(stat(path, &there) == 0 && there.st_ino == here.st_ino);
    note_end(thread);
    MUST(CloseHandle(file));
}

static bool is_refusal(DWORD error)
{
    return error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED ||
           error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND || error == ERROR_FILE_EXISTS ||
           error == ERROR_ALREADY_EXISTS;
}

static void open_one(unsigned thread, uint64_t *random, const char *path)
{
    static const DWORD shares[] = {0, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE};
    DWORD share = shares[stress_random(random, 3)];
    DWORD flags = stress_random(random, 4) ? 0 : FILE_FLAG_DELETE_ON_CLOSE;
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE | (flags ? DELETE : 0), share, NULL,
                              CREATE_NEW + stress_random(random, 4), flags, NULL);

    if (file != INVALID_HANDLE_VALUE)
        hold(thread, random, file, path, share);
    else
        MUST(is_refusal(GetLastError()));
}

static void *disturb(void *arg)
{
    unsigned thread = (unsigned)(uintptr_t)arg;
    uint64_t random = stress_seed ^ ((uint64_t)(thread + 1) * 0x9E3779B97F4A7C15u);
    char path[80], other[80];

    for (uint64_t i = 0; i < stress_count; i++) {
        snprintf(path, sizeof path, "%s/%u", directory, stress_random(&random, NAMES));
        snprintf(other, sizeof other, "%s/%u", directory, stress_random(&random, NAMES));
        switch (stress_random(&random, 8)) {
        case 0:
            MUST(DeleteFileA(path) || is_refusal(GetLastError()));
            break;
        case 1:
            MUST(MoveFileExA(path, other, MOVEFILE_REPLACE_EXISTING) || is_refusal(GetLastError()));
            break;
        case 2:
            MUST(MoveFileExA(path, other, 0) || is_refusal(GetLastError()));
            break;
        default:
            open_one(thread, &random, path);
            break;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    char path[80];

    stress_begin(argc, argv, 200000, 2000);
    MUST(mkdtemp(directory));
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = stress_thread(disturb, (void *)i);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, "%s/%u", directory, i);
        unlink(path);
    }
    MUST(rmdir(directory) == 0);
    printf("ok share\n");
    return 0;
}
