/* SPDX-License-Identifier: MIT */
/* What the tests of directory watches share: a directory, and what happens in it. After conform.h. */
#ifndef WATCH_H
#define WATCH_H

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define NAMES (FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME)
enum { SOON = 10000, SETTLED = 100 };

/* ---- a directory that is watched ---- */

struct watched {
    const char *path;
    HANDLE directory;
    OVERLAPPED ov;
    DWORD filter;
    BOOL subtree;
    char text[8192]; /* what has happened: "+name -name *name <old >new " */
    DWORD size;      /* of the buffer in use */
    _Alignas(8) DWORD buffer[16384];
};

static inline const char *in(const struct watched *w, const char *name)
{
    static char paths[4][700];
    static int turn;
    char *path = paths[turn++ & 3];
    snprintf(path, sizeof paths[0], "%s/%s", w->path, name);
    return path;
}

static inline void make(const struct watched *w, const char *name)
{
    HANDLE file = CreateFileA(in(w, name), GENERIC_WRITE, SHARE_ALL, NULL, CREATE_ALWAYS, 0, NULL);
    CHECK_MSG(file != INVALID_HANDLE_VALUE, "cannot make %s", name);
    CloseHandle(file);
}

static inline void write_to(const struct watched *w, const char *name, const char *what)
{
    DWORD bytes;
    HANDLE file = CreateFileA(in(w, name), FILE_APPEND_DATA, SHARE_ALL, NULL, OPEN_ALWAYS, 0, NULL);
    CHECK(WriteFile(file, what, (DWORD)strlen(what), &bytes, NULL));
    CloseHandle(file);
}

static inline void make_dir(const struct watched *w, const char *name)
{
    CHECK_MSG(CreateDirectoryA(in(w, name), NULL), "cannot make %s", name);
}

static inline HANDLE open_dir(const char *path, DWORD flags)
{
    return CreateFileA(path, FILE_LIST_DIRECTORY, SHARE_ALL, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS | flags, NULL);
}

/* A new directory, opened. The caller ends it with done(). */
static inline struct watched *watched(DWORD filter, BOOL subtree, DWORD flags)
{
    struct watched *w = calloc(1, sizeof *w);
    w->path = temp_path();
    w->filter = filter;
    w->subtree = subtree;
    w->size = sizeof w->buffer;
    CHECK(CreateDirectoryA(w->path, NULL));
    w->directory = open_dir(w->path, flags);
    CHECK(w->directory != INVALID_HANDLE_VALUE);
    return w;
}

/* Removes a directory and all that is in it. */
static inline void clear(const char *path)
{
    char name[700];
    WIN32_FIND_DATAA data;
    snprintf(name, sizeof name, "%.690s/*", path);
    HANDLE find = FindFirstFileA(name, &data);
    for (BOOL more = find != INVALID_HANDLE_VALUE; more; more = FindNextFileA(find, &data)) {
        if (!strcmp(data.cFileName, ".") || !strcmp(data.cFileName, ".."))
            continue;
        snprintf(name, sizeof name, "%.400s/%.260s", path, data.cFileName);
        if (data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
            clear(name);
        else
            DeleteFileA(name);
    }
    if (find != INVALID_HANDLE_VALUE)
        FindClose(find);
    RemoveDirectoryA(path);
}

static inline void done(struct watched *w)
{
    HANDLE event = w->ov.hEvent;
    if (w->directory != INVALID_HANDLE_VALUE)
        CloseHandle(w->directory);
    if (event) {
        CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0); /* the last call ends with the handle */
        CloseHandle(event);
    }
    clear(w->path);
    free(w);
}

/* Has all that is expected come, in any order? */
static inline int has_all(const struct watched *w, const char *expected)
{
    char word[300];
    int used;
    for (; sscanf(expected, "%299s%n", word, &used) == 1; expected += used) {
        const char *at = strstr(w->text, word);
        while (at && at[strlen(word)] != ' ')
            at = strstr(at + 1, word);
        if (!at)
            return 0;
    }
    return 1;
}

#endif
