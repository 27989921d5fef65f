/* SPDX-License-Identifier: MIT */
/*
 * A directory tree that several threads work on - nested new directories, files, renames, removals -
 * while another replays what ReadDirectoryChangesW reports. In the end the replayed tree is the real one: a
 * name that is there and was never reported is a failure, and so is one that was reported and is gone.
 *
 * In a second run names of directories are used again as soon as they are free. The watch may then say that
 * something is missing; the replay reads the tree anew, and whatever is said to have appeared after that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stress.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAKERS = 3, BUFFER = 4 << 20, PATH = 600 };
#define CLASSES (FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME)

static char root[32];
static bool reuse;

/* ---- the replay ---- */

static char **names;
static size_t name_count, name_room;

static bool is_below(const char *name, const char *top)
{
    size_t n = strlen(top);

    return strncmp(name, top, n) == 0 && (name[n] == 0 || name[n] == '/');
}

static bool known(const char *name)
{
    for (size_t i = 0; i < name_count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void add(const char *name)
{
    if (known(name))
        return;
    if (name_count == name_room) {
        name_room = name_room ? name_room * 2 : 1024;
        names = realloc(names, name_room * sizeof *names);
        MUST(names);
    }
    names[name_count++] = strdup(name);
}

static void take_out(const char *top)
{
    for (size_t i = 0; i < name_count;) {
        if (is_below(names[i], top)) {
            free(names[i]);
            names[i] = names[--name_count];
        } else {
            i++;
        }
    }
}

static void move(const char *from, const char *to)
{
    take_out(to);
    for (size_t i = 0; i < name_count; i++) {
        char moved[2 * PATH];

        if (!is_below(names[i], from))
            continue;
        snprintf(moved, sizeof moved, "%s%s", to, names[i] + strlen(from));
        free(names[i]);
        names[i] = strdup(moved);
    }
    add(to);
}

/* Adds what is below `top` ("": all). What vanishes meanwhile is somebody's next record. */
static void add_found(const char *top)
{
    char path[2 * PATH], name[2 * PATH];
    DIR *dir;
    struct dirent *entry;

    snprintf(path, sizeof path, "%s/%s", root, top);
    dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s%s%s", top, *top ? "/" : "", entry->d_name);
        add(name);
        add_found(name);
    }
    if (dir)
        closedir(dir);
}

static uint64_t records, told;

/* True: the last name of all was among them. */
static bool replay(const char *data, DWORD bytes)
{
    char name[PATH], old[PATH] = "";
    bool ended = false;

    while (bytes) {
        const FILE_NOTIFY_INFORMATION *r = (const FILE_NOTIFY_INFORMATION *)data;
        int n = (int)r->FileNameLength / 2;

        MUST(n < PATH);
        for (int i = 0; i < n; i++)
            name[i] = (char)r->FileName[i];
        name[n] = 0;
        records++;
        MUST((r->Action == FILE_ACTION_RENAMED_NEW_NAME) == (old[0] != 0)); /* pairs are adjacent */
        if (r->Action == FILE_ACTION_ADDED)
            add(name);
        else if (r->Action == FILE_ACTION_REMOVED)
            take_out(name);
        else if (r->Action == FILE_ACTION_RENAMED_NEW_NAME)
            move(old, name);
        if (told && (r->Action == FILE_ACTION_ADDED || r->Action == FILE_ACTION_RENAMED_NEW_NAME))
            add_found(name);
        strcpy(old, r->Action == FILE_ACTION_RENAMED_OLD_NAME ? name : "");
        ended |= strcmp(name, "the end") == 0;
        if (!r->NextEntryOffset)
            break;
        data += r->NextEntryOffset;
    }
    return ended;
}

/* ---- the makers ---- */

struct maker {
    uint64_t random;
    char dirs[64][PATH];
    int dir_count;
    int serial;
};

static void forget_below(struct maker *m, const char *top)
{
    for (int i = 0; i < m->dir_count;) {
        if (is_below(m->dirs[i], top))
            memmove(m->dirs[i], m->dirs[--m->dir_count], PATH);
        else
            i++;
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)type, (void)place;
    return remove(path);
}

static void rename_dir(struct maker *m, const char *from, const char *to)
{
    char moved[2 * PATH];

    MUST(rename(from, to) == 0);
    for (int i = 0; i < m->dir_count; i++) {
        if (!is_below(m->dirs[i], from))
            continue;
        snprintf(moved, sizeof moved, "%s%s", to, m->dirs[i] + strlen(from));
        snprintf(m->dirs[i], PATH, "%.*s", PATH - 1, moved);
    }
}

static void one_step(struct maker *m)
{
    const char *dir = m->dirs[stress_random(&m->random, (uint32_t)m->dir_count)];
    const char *other = m->dirs[stress_random(&m->random, (uint32_t)m->dir_count)];
    char a[PATH + 40], b[PATH + 40], c[PATH];
    uint32_t what = stress_random(&m->random, 20);
    int number = (int)stress_random(&m->random, 8);

    snprintf(c, sizeof c, "%s", dir);
    snprintf(a, sizeof a, "%s/f%d", dir, number);
    snprintf(b, sizeof b, "%s/f%d", what & 1 ? dir : other, (int)stress_random(&m->random, 8));
    if (what < 9) {
        FILE *f = fopen(a, "w");

        MUST(f && fclose(f) == 0);
    } else if (what < 12) {
        MUST(unlink(a) == 0 || errno == ENOENT);
    } else if (what < 15) {
        MUST(strcmp(a, b) == 0 || access(b, F_OK) == 0 || rename(a, b) == 0 || errno == ENOENT);
    } else if (what < 18 && m->dir_count < 60 && strlen(dir) < PATH / 2) {
        snprintf(m->dirs[m->dir_count], PATH, "%.500s/d%d", c, reuse ? number : 1000 + m->serial++);
        MUST(mkdir(m->dirs[m->dir_count], 0700) == 0 || errno == EEXIST);
        m->dir_count += errno != EEXIST;
        errno = 0;
    } else if (what == 18 && strrchr(c, '/')[1] == 'd') { /* not the maker's own, at the top */
        snprintf(b, sizeof b, "%.*s/d%d", (int)(strrchr(c, '/') - c), c, 100 + m->serial++);
        rename_dir(m, c, b);
    } else if (what == 19 && strrchr(c, '/')[1] == 'd') {
        MUST(nftw(c, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
        forget_below(m, c);
    }
}

static struct maker makers[MAKERS];

static void *make(void *arg)
{
    struct maker *m = arg;

    for (uint64_t i = 0; i < stress_count; i++)
        one_step(m);
    return NULL;
}

/* ---- the watcher ---- */

static char *buffer;

static void *watch(void *arg)
{
    HANDLE directory = arg;
    HANDLE port = CreateIoCompletionPort(directory, NULL, 1, 1);
    OVERLAPPED ov = {0}, *done;
    ULONG_PTR key;
    DWORD bytes;
    bool ended = false;

    MUST(port);
    while (!ended) {
        MUST(ReadDirectoryChangesW(directory, buffer, BUFFER, TRUE, CLASSES, NULL, &ov, NULL));
        MUST(GetQueuedCompletionStatus(port, &bytes, &key, &done, 20000));
        MUST(done == &ov);
        ended = replay(buffer, bytes);
        if (bytes == 0) {
            told++;
            while (name_count > 0)
                free(names[--name_count]);
            add_found("");
            ended = known("the end");
        }
    }
    CloseHandle(port);
    return NULL;
}

static int check_found(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)type;
    if (place->level > 0 && !known(path + strlen(root) + 1)) {
        printf("FAIL %s is there and was never reported\n", path);
        exit(1);
    }
    return 0;
}

static void compare(void)
{
    char path[2 * PATH];

    nftw(root, check_found, 16, FTW_PHYS);
    for (size_t i = 0; i < name_count && told == 0; i++) {
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        if (access(path, F_OK) != 0) {
            printf("FAIL %s was reported, and is not there\n", path);
            exit(1);
        }
    }
}

static void run(void)
{
    pthread_t threads[MAKERS], watcher;
    OVERLAPPED first = {0};
    char end[64];
    HANDLE directory;

    strcpy(root, "/tmp/iocp-watch-XXXXXX");
    MUST(mkdtemp(root));
    records = told = 0;
    directory = CreateFileA(root, FILE_LIST_DIRECTORY, 7, NULL, OPEN_EXISTING,
                            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
    MUST(directory != INVALID_HANDLE_VALUE);
    /* The watch begins here; this request is taken back, what happens from now on is kept. */
    MUST(ReadDirectoryChangesW(directory, buffer, BUFFER, TRUE, CLASSES, NULL, &first, NULL));
    MUST(CancelIoEx(directory, &first));
    MUST(!GetOverlappedResult(directory, &first, &(DWORD){0}, TRUE));
    for (int i = 0; i < MAKERS; i++) {
        makers[i].random = stress_seed + (uint64_t)i * 7919;
        makers[i].dir_count = 1;
        snprintf(makers[i].dirs[0], PATH, "%s/m%d", root, i);
        MUST(mkdir(makers[i].dirs[0], 0700) == 0);
        threads[i] = stress_thread(make, &makers[i]);
    }
    watcher = stress_thread(watch, directory);
    for (int i = 0; i < MAKERS; i++)
        pthread_join(threads[i], NULL);
    snprintf(end, sizeof end, "%s/the end", root);
    MUST(fclose(fopen(end, "w")) == 0);
    pthread_join(watcher, NULL);
    CloseHandle(directory);
    printf("# %llu records, told %llu times to look\n", (unsigned long long)records,
           (unsigned long long)told);
    compare();
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    while (name_count > 0)
        free(names[--name_count]);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, 50000, 3000);
    buffer = malloc(BUFFER);
    run();
    MUST(told == 0 || stress_count > 5000); /* more could be too much for the kernel's queue */
    reuse = true;
    run();
    free(buffer);
    free(names);
    stress_balanced();
    return 0;
}
