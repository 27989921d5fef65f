/* SPDX-License-Identifier: MIT */
/*
 * Directory watches from inside: the limits of the kernel, queues that overflow, paths longer than the
 * kernel takes. What programs see is tested in tests/conform/watch*.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/watch_tree.h"

#include "base/os.h"
#include "io/watch_names.h"
#include "io/watch_records.h"
#include "minwindef.h"
#include "ntstatus.h"
#include "unit.h"
#include "winnt.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES = FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME };

static char root[64];
static int root_fd;
static char said[4096]; /* what was emitted: "+a -b " */
static unsigned count;
static size_t longest;
static struct watch_details last;

static const struct watch_how top_only = {.filter = NAMES}, whole_tree = {.filter = NAMES, .subtree = true},
                              with_details = {.filter = NAMES, .subtree = true, .detailed = true};

static void hear(void *ctx, const struct watch_change *change)
{
    size_t at = strlen(said);

    (void)ctx;
    CHECK_EQ(strlen(change->path), change->length);
    if (change->details)
        last = *change->details;
    count++;
    if (change->length > longest)
        longest = change->length;
    if (at + change->length + 3 < sizeof said)
        snprintf(said + at, sizeof said - at, "%c%s ", "?+-*<>"[change->action], change->path);
}

static void begin(void)
{
    strcpy(root, "/tmp/iocp-tree-XXXXXX");
    if (!mkdtemp(root))
        abort();
    root_fd = open(root, O_RDONLY | O_DIRECTORY);
    said[0] = 0;
    count = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)type, (void)place;
    return remove(path);
}

static void end(struct watch_tree *t)
{
    os_fault = NULL;
    if (t)
        watch_tree_free(t);
    close(root_fd);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make(const char *name)
{
    int fd = openat(root_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    close(fd);
}

static ino_t inode(int fd, const char *name)
{
    struct stat st;

    CHECK_EQ(fstatat(fd, name, &st, 0), 0);
    return st.st_ino;
}

/* ---- the top's descriptor ---- */

/* It is the program's to close; the number means something else then. */
TEST(number_of_the_top_is_another_file)
{
    struct watch_tree *t = NULL;
    int stranger = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number;

    begin();
    number = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
    CHECK_EQ(watch_tree_new(number, &whole_tree, hear, NULL, &t), 0);
    CHECK_EQ(dup2(stranger, number), number);
    close(stranger);
    CHECK_EQ(mkdirat(root_fd, "a", 0700), 0);
    make("a/x");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+a +a/x ");
    CHECK_EQ(mkdirat(root_fd, "a/b", 0700), 0);
    make("a/b/y");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+a +a/x +a/b +a/b/y ");
    close(number);
    end(t);
}

/* ---- limits ---- */

static const char *failing;
static int failure, passes; /* so many calls succeed first */

static int fail(const char *call)
{
    if (!failing || strcmp(call, failing) != 0 || passes-- > 0)
        return 0;
    return failure;
}

TEST(no_descriptor)
{
    struct watch_tree *t = NULL;

    begin();
    failing = "inotify_init1";
    failure = -EMFILE;
    passes = 0;
    os_fault = fail;
    CHECK_EQ(watch_tree_new(root_fd, &top_only, hear, NULL, &t), -EMFILE);
    end(t);
}

TEST(no_watch_at_the_beginning)
{
    begin();
    CHECK_EQ(mkdirat(root_fd, "a", 0700), 0);
    CHECK_EQ(mkdirat(root_fd, "a/b", 0700), 0);
    failing = "inotify_add_watch";
    failure = -ENOSPC;
    os_fault = fail;
    for (int n = 0; n < 4; n++) { /* of the top, of what is above it, of a and of b */
        struct watch_tree *t = NULL;

        passes = n;
        if (n == 1) { /* the one above is not worth failing for */
            CHECK_EQ(watch_tree_new(root_fd, &top_only, hear, NULL, &t), 0);
            watch_tree_free(t);
        } else {
            CHECK_EQ(watch_tree_new(root_fd, &whole_tree, hear, NULL, &t), -ENOSPC);
        }
    }
    end(NULL);
}

TEST(no_watch_for_a_new_directory)
{
    struct watch_tree *t = NULL;

    begin();
    CHECK_EQ(watch_tree_new(root_fd, &whole_tree, hear, NULL, &t), 0);
    CHECK_EQ(mkdirat(root_fd, "a", 0700), 0);
    make("a/x");
    failing = "inotify_add_watch";
    failure = -ENOSPC;
    passes = 0;
    os_fault = fail;
    CHECK_EQ(watch_tree_read(t, false), -ENOSPC);
    CHECK_STR(said, "+a ");
    CHECK_EQ(watch_tree_repair(t), -ENOSPC); /* as long as it lasts */
    os_fault = NULL;
    CHECK_EQ(watch_tree_repair(t), 0);
    make("a/y");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+a +a/y ");
    end(t);
}

static long queue_limit(void)
{
    long limit = 16384;
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

    if (f) {
        if (fscanf(f, "%ld", &limit) != 1)
            limit = 16384;
        fclose(f);
    }
    return limit;
}

TEST(queue_overflow)
{
    struct watch_tree *t = NULL;
    long limit = queue_limit();
    int state;

    if (limit > 100000)
        return;
    begin();
    CHECK_EQ(mkdirat(root_fd, "gone", 0700), 0);
    CHECK_EQ(watch_tree_new(root_fd, &whole_tree, hear, NULL, &t), 0);
    for (long i = 0; i <= limit / 2 + 1; i++) {
        make("x");
        unlinkat(root_fd, "x", 0);
    }
    CHECK_EQ(mkdirat(root_fd, "new", 0700), 0); /* nobody hears of these */
    CHECK_EQ(mkdirat(root_fd, "new/below", 0700), 0);
    CHECK_EQ(unlinkat(root_fd, "gone", AT_REMOVEDIR), 0);
    do
        state = watch_tree_read(t, false);
    while (state == WATCH_QUIET && watch_tree_more(t));
    CHECK_EQ(state, WATCH_LOST);
    said[0] = 0;
    make("new/below/y");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+new/below/y ");
    end(t);
}

/* ---- a directory that is written to all the time ---- */

/* Whatever is emitted is followed by something new. */
static void hear_and_write(void *ctx, const struct watch_change *change)
{
    unsigned *left = ctx;

    (void)change;
    count++;
    if (*left == 0)
        return;
    --*left;
    if (count % 2)
        unlinkat(root_fd, "x", 0);
    else
        make("x");
}

TEST(reading_ends)
{
    struct watch_tree *t = NULL;
    unsigned left = 1000;

    begin();
    CHECK_EQ(watch_tree_new(root_fd, &top_only, hear_and_write, &left, &t), 0);
    make("x");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK(watch_tree_more(t));
    CHECK(left > 900);
    for (int i = 0; i < 1000 && watch_tree_more(t); i++)
        CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_EQ(left, 0);
    CHECK_EQ(count, 1001); /* and nothing is lost */
    end(t);
}

/* ---- halves of renames ---- */

TEST(half_a_rename)
{
    struct watch_tree *t = NULL;
    char outside[80];

    begin();
    make("a");
    make("b");
    CHECK_EQ(watch_tree_new(root_fd, &top_only, hear, NULL, &t), 0);
    snprintf(outside, sizeof outside, "%s-outside", root);
    CHECK_EQ(renameat(root_fd, "a", AT_FDCWD, outside), 0);
    make("c");
    CHECK_EQ(watch_tree_read(t, false), WATCH_HALF);
    CHECK_STR(said, ""); /* order is kept: c waits, too */
    CHECK_EQ(watch_tree_read(t, true), WATCH_QUIET);
    CHECK_STR(said, "-a +c ");
    CHECK_EQ(renameat(root_fd, "b", root_fd, "d"), 0);
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "-a +c <b >d ");
    unlink(outside);
    end(t);
}

/* With so much behind it that the other half must have come, nothing waits. */
TEST(many_move_away)
{
    struct watch_tree *t = NULL;
    char name[32], outside[80];

    begin();
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i);
        make(name);
    }
    CHECK_EQ(watch_tree_new(root_fd, &top_only, hear, NULL, &t), 0);
    snprintf(outside, sizeof outside, "%s-outside", root);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i);
        CHECK_EQ(renameat(root_fd, name, AT_FDCWD, outside), 0);
    }
    CHECK_EQ(watch_tree_read(t, false), WATCH_HALF);
    CHECK(count >= 80);
    for (int i = 0; i < 100 && watch_tree_read(t, true) == WATCH_HALF; i++)
        ;
    CHECK_EQ(count, 100);
    unlink(outside);
    end(t);
}

/* ---- long paths ---- */

TEST(deeper_than_a_path)
{
    enum { DEPTH = 40 };
    struct watch_tree *t = NULL;
    char name[201];
    int fd, next;

    begin();
    CHECK_EQ(watch_tree_new(root_fd, &with_details, hear, NULL, &t), 0);
    memset(name, 'n', 200);
    name[200] = 0;
    fd = dup(root_fd);
    for (int i = 0; i < DEPTH; i++) {
        CHECK_EQ(mkdirat(fd, name, 0700), 0);
        next = openat(fd, name, O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_EQ(count, DEPTH);
    CHECK_EQ(longest, DEPTH * 201 - 1);
    close(openat(fd, "x", O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_EQ(longest, DEPTH * 201 + 1);
    CHECK_EQ(last.info.index, inode(fd, "x"));
    CHECK_EQ(last.parent, inode(fd, "."));
    unlinkat(fd, "x", 0);
    close(fd);
    for (int depth = DEPTH; depth > 0; depth--) { /* nftw's names are not long enough */
        fd = dup(root_fd);
        for (int i = 1; i < depth; i++) {
            next = openat(fd, name, O_RDONLY | O_DIRECTORY);
            close(fd);
            fd = next;
        }
        CHECK_EQ(unlinkat(fd, name, AT_REMOVEDIR), 0);
        close(fd);
    }
    end(t);
}

/* ---- parts ---- */

TEST(names)
{
    struct watch_names set = {0};
    char name[16];

    CHECK(!watch_names_remove(&set, "a"));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        CHECK(watch_names_add(&set, name));
        CHECK(watch_names_add(&set, name));
        if (i % 3 == 0)
            CHECK(watch_names_remove(&set, name));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        CHECK_EQ(watch_names_remove(&set, name), i % 3 != 0);
        CHECK(!watch_names_remove(&set, name));
    }
    watch_names_clear(&set);
}

static void add(struct watch_records *w, uint32_t action, const char *name)
{
    struct watch_details details = {.info = {.size = strlen(name), .index = action}, .parent = 7};
    struct watch_change change = {action, name, strlen(name), w->detailed ? &details : NULL};

    watch_records_add(w, &change);
}

TEST(records)
{
    struct watch_records w;
    DWORD out[64];
    uint32_t bytes;

    watch_records_init(&w, sizeof out, false);
    CHECK(!watch_records_any(&w));
    add(&w, FILE_ACTION_MODIFIED, "abc");
    add(&w, FILE_ACTION_MODIFIED, "abc"); /* the same again */
    add(&w, FILE_ACTION_ADDED, "x");
    CHECK_EQ(watch_records_take(&w, out, sizeof out, &bytes), STATUS_SUCCESS);
    CHECK_EQ(bytes, 20 + 14);
    CHECK_EQ(out[0], 20);
    CHECK_EQ(out[5], 0);
    CHECK(!watch_records_any(&w));
    add(&w, FILE_ACTION_ADDED, "x");
    CHECK_EQ(watch_records_take(&w, (void *)16, sizeof out, &bytes), STATUS_ACCESS_VIOLATION);
    CHECK_EQ(watch_records_take(&w, out, 4, &bytes), STATUS_NOTIFY_ENUM_DIR);
    CHECK_EQ(bytes, 0);
    for (int i = 0; i < 20; i++)
        add(&w, FILE_ACTION_ADDED, "x");
    CHECK_EQ(watch_records_take(&w, out, sizeof out, &bytes), STATUS_NOTIFY_ENUM_DIR);
    watch_records_free(&w);
}

TEST(detailed_records)
{
    enum { HEAD = 84 }; /* before the name */
    _Alignas(8) char out[320];
    const FILE_NOTIFY_EXTENDED_INFORMATION *record = (const FILE_NOTIFY_EXTENDED_INFORMATION *)(void *)out;
    struct watch_records w;
    uint32_t bytes;

    watch_records_init(&w, sizeof out, true);
    add(&w, FILE_ACTION_MODIFIED, "abc");
    add(&w, FILE_ACTION_MODIFIED, "abc");
    add(&w, FILE_ACTION_MODIFIED, "abcd"); /* another */
    add(&w, FILE_ACTION_ADDED, "x");
    CHECK_EQ(watch_records_take(&w, out, sizeof out, &bytes), STATUS_SUCCESS);
    CHECK_EQ(bytes, 96 + 96 + HEAD + 2);
    CHECK_EQ(record->NextEntryOffset, 96);
    CHECK_EQ(record->FileNameLength, 6);
    CHECK_EQ(record->FileSize.QuadPart, 3);
    record = (const FILE_NOTIFY_EXTENDED_INFORMATION *)(void *)(out + 96);
    CHECK_EQ(record->NextEntryOffset, 96);
    CHECK_EQ(record->FileNameLength, 8);
    record = (const FILE_NOTIFY_EXTENDED_INFORMATION *)(void *)(out + 192);
    CHECK_EQ(record->NextEntryOffset, 0);
    CHECK_EQ(record->Action, FILE_ACTION_ADDED);
    CHECK_EQ(record->FileId.QuadPart, FILE_ACTION_ADDED);
    CHECK_EQ(record->ParentFileId.QuadPart, 7);
    CHECK_EQ(record->FileNameLength, 2);
    CHECK_EQ(record->FileName[0], 'x');
    for (int i = 0; i < 4; i++) /* the fourth does not fit */
        add(&w, FILE_ACTION_ADDED, "x");
    CHECK_EQ(watch_records_take(&w, out, sizeof out, &bytes), STATUS_NOTIFY_ENUM_DIR);
    watch_records_free(&w);
}

static struct watch_details details[8];

static void hear_details(void *ctx, const struct watch_change *change)
{
    size_t at = strlen(said);

    (void)ctx;
    if (CHECK(count < 8))
        details[count++] = *change->details;
    snprintf(said + at, sizeof said - at, "%c%.1s ", "?+-*<>"[change->action], change->path);
}

TEST(details_of_changes)
{
    struct watch_tree *t = NULL;
    ino_t top, sub;

    begin();
    top = inode(root_fd, ".");
    CHECK_EQ(watch_tree_new(root_fd, &with_details, hear_details, NULL, &t), 0);
    CHECK_EQ(mkdirat(root_fd, "d", 0700), 0);
    make("a");
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+d +a ");
    sub = inode(root_fd, "d");
    CHECK_EQ(details[0].info.index, sub);
    CHECK_EQ(details[0].info.attributes, FILE_ATTRIBUTE_DIRECTORY);
    CHECK_EQ(details[0].parent, top);
    CHECK_EQ(details[1].info.index, inode(root_fd, "a"));
    CHECK_EQ(renameat(root_fd, "a", root_fd, "d/b"), 0);
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+d +a -a +d ");
    CHECK_EQ(details[2].info.index, inode(root_fd, "d/b")); /* it has only moved */
    CHECK_EQ(details[2].parent, top);
    CHECK_EQ(details[3].info.index, details[2].info.index);
    CHECK_EQ(details[3].parent, sub);
    CHECK_EQ(unlinkat(root_fd, "d/b", 0), 0);
    CHECK_EQ(unlinkat(root_fd, "d", AT_REMOVEDIR), 0);
    CHECK_EQ(watch_tree_read(t, false), WATCH_QUIET);
    CHECK_STR(said, "+d +a -a +d -d -d ");
    CHECK_EQ(details[4].info.index, 0);
    CHECK_EQ(details[4].info.attributes, FILE_ATTRIBUTE_ARCHIVE);
    CHECK_EQ(details[4].parent, sub);
    CHECK_EQ(details[5].parent, top);
    CHECK_EQ(details[5].info.attributes, FILE_ATTRIBUTE_DIRECTORY);
    CHECK_EQ(details[5].info.created, 0);
    end(t);
}
