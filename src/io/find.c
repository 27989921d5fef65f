/* SPDX-License-Identifier: MIT */
/*
 * Directory listings; see find.h. Case is not folded. `*.*` means every name, with a dot in it or
 * not, since programs mean that by it.
 */
#include "io/find.h"

#include "base/list.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "ntstatus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct find {
    struct object object;
    int dir_fd;
    char **names; /* owned, sorted */
    size_t count, size, next;
};

static struct find *find_of(struct object *obj)
{
    return container_of(obj, struct find, object);
}

static void destroy(struct object *obj)
{
    struct find *find = find_of(obj);

    for (size_t i = 0; i < find->count; i++)
        free(find->names[i]);
    free(find->names);
    if (find->dir_fd >= 0)
        close(find->dir_fd);
    free(find);
}

const struct object_type find_type = {.name = "find", .kind = OBJECT_FIND, .destroy = destroy};

/* One character of UTF-8: where the next one begins. */
static const char *next_character(const char *text)
{
    text++;
    while ((*text & 0xC0) == 0x80)
        text++;
    return text;
}

bool find_matches(const char *pattern, const char *name)
{
    const char *star = NULL; /* the pattern behind the last *, and where it was tried */
    const char *retry = NULL;

    if (strcmp(pattern, "*.*") == 0)
        return true;
    if (strcmp(pattern, "*.") == 0) /* what has no extension */
        return !strchr(name, '.') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == '?') {
            pattern = next_character(pattern);
            name = next_character(name);
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = retry = next_character(retry);
        } else {
            return false;
        }
    }
    while (*pattern == '*' || *pattern == '?') /* ? at the end may stand for nothing */
        pattern++;
    return *pattern == 0;
}

static bool add_name(struct find *find, const char *name)
{
    if (find->count == find->size) {
        size_t size = find->size ? find->size * 2 : 32;
        char **names = realloc(find->names, size * sizeof *names);

        if (!names)
            return false;
        find->names = names;
        find->size = size;
    }
    find->names[find->count] = strdup(name);
    return find->names[find->count++] != NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint32_t read_names(struct find *find, const char *pattern)
{
    int fd = fcntl(find->dir_fd, F_DUPFD_CLOEXEC, 3);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    uint32_t status = STATUS_SUCCESS;

    if (!dir) {
        status = status_from_errno(errno);
        if (fd >= 0)
            close(fd);
        return status;
    }
    while (status == STATUS_SUCCESS && (entry = readdir(dir)) != NULL) {
        if (find_matches(pattern, entry->d_name) && !add_name(find, entry->d_name))
            status = STATUS_NO_MEMORY;
    }
    closedir(dir);
    if (find->count)
        qsort(find->names, find->count, sizeof *find->names, compare_names);
    return status;
}

/* Splits `path` and opens its directory part. *pattern points at what follows. */
static uint32_t open_directory(struct find *find, const char *path, const char **pattern)
{
    const char *slash = strrchr(path, '/');
    char *directory;

    *pattern = slash ? slash + 1 : path;
    if (!slash)
        directory = strdup(".");
    else
        directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!directory)
        return STATUS_NO_MEMORY;
    find->dir_fd = fd_above_std(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    free(directory);
    if (find->dir_fd < 0)
        return errno == ENOENT ? (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND
                               : status_from_errno(errno);
    return STATUS_SUCCESS;
}

uint32_t find_begin(const char *path, struct object **out, struct find_entry *first)
{
    struct find *find = calloc(1, sizeof *find);
    const char *pattern;
    uint32_t status;

    if (!find)
        return STATUS_NO_MEMORY;
    object_init(&find->object, &find_type);
    find->dir_fd = -1;
    status = open_directory(find, path, &pattern);
    if (status == STATUS_SUCCESS && *pattern == 0)
        status = STATUS_NO_SUCH_FILE; /* "directory\" asks for nothing in it */
    else if (status == STATUS_SUCCESS && !strpbrk(pattern, "*?"))
        status = add_name(find, pattern) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    else if (status == STATUS_SUCCESS)
        status = read_names(find, pattern);
    if (status == STATUS_SUCCESS)
        status = find_next(&find->object, first);
    if (status == STATUS_NO_MORE_FILES)
        status = STATUS_NO_SUCH_FILE;
    if (status == STATUS_SUCCESS)
        *out = &find->object;
    else
        object_put(&find->object);
    return status;
}

uint32_t find_begin_fd(int dir_fd, const char *pattern, struct object **out)
{
    struct find *find = calloc(1, sizeof *find);
    uint32_t status = STATUS_SUCCESS;

    if (!find)
        return STATUS_NO_MEMORY;
    object_init(&find->object, &find_type);
    find->dir_fd = fd_above_std(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (find->dir_fd < 0)
        status = status_from_errno(errno);
    else
        status = read_names(find, pattern);
    if (status == STATUS_SUCCESS)
        *out = &find->object;
    else
        object_put(&find->object);
    return status;
}

void find_back(struct object *obj)
{
    find_of(obj)->next--;
}

uint32_t find_next(struct object *obj, struct find_entry *next)
{
    struct find *find = find_of(obj);

    while (find->next < find->count) {
        const char *name = find->names[find->next++];

        if (strlen(name) >= sizeof next->name)
            continue;
        if (disk_info_at(find->dir_fd, name, &next->info) != STATUS_SUCCESS)
            continue; /* vanished meanwhile */
        strcpy(next->name, name);
        return STATUS_SUCCESS;
    }
    return STATUS_NO_MORE_FILES;
}
