/* SPDX-License-Identifier: MIT */
/* Starting programs; see spawn.h. All that can fail for want of memory is made before there is a child. */
#include "io/spawn.h"

#include "base/status.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/* A standard descriptor that becomes another one is copied out of the way first: 1 and 2 may change
 * places. */
struct sources {
    int fd[3];
    bool copied[3];
};

static int take_sources(const struct spawn_how *how, struct sources *s)
{
    int err = 0;

    for (int i = 0; i < 3; i++) {
        s->fd[i] = how->std[i];
        s->copied[i] = s->fd[i] >= 0 && s->fd[i] <= 2 && s->fd[i] != i;
        if (!s->copied[i])
            continue;
        s->fd[i] = fcntl(how->std[i], F_DUPFD_CLOEXEC, 3);
        s->copied[i] = s->fd[i] >= 0;
        if (s->fd[i] < 0 && !err)
            err = errno;
    }
    return err;
}

static void drop_sources(struct sources *s)
{
    for (int i = 0; i < 3; i++) {
        if (s->copied[i])
            close(s->fd[i]);
    }
}

/* The first error of the file actions, in their order. */
static int plan_files(const struct spawn_how *how, const struct sources *s, posix_spawn_file_actions_t *files)
{
    int err = 0;

    for (int i = 0; i < 3 && !err; i++) {
        if (s->fd[i] >= 0)
            err = posix_spawn_file_actions_adddup2(files, s->fd[i], i); /* if it is i: stays open */
        else if (s->fd[i] == SPAWN_NULL)
            err = posix_spawn_file_actions_addopen(files, i, "/dev/null", O_RDWR, 0);
    }
#if __GLIBC_PREREQ(2, 34)
    if (!err && !how->inherit)
        err = posix_spawn_file_actions_addclosefrom_np(files, 3);
#else
    if (!err && !how->inherit)
        err = ENOSYS;
#endif
    if (!err && how->directory)
        err = posix_spawn_file_actions_addchdir_np(files, how->directory);
    return err;
}

static int plan_attributes(const struct spawn_how *how, posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETSIGMASK;
    sigset_t none;

    sigemptyset(&none);
    posix_spawnattr_setsigmask(attributes, &none);
    if (how->new_group)
        flags |= POSIX_SPAWN_SETPGROUP; /* a group of its own: 0 is the default */
#ifdef POSIX_SPAWN_SETSID
    if (how->new_session)
        flags |= POSIX_SPAWN_SETSID;
#endif
    return posix_spawnattr_setflags(attributes, flags);
}

static int spawn(const struct spawn_how *how, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    struct sources sources;
    int err = take_sources(how, &sources);

    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    if (!err)
        err = plan_files(how, &sources, &files);
    if (!err)
        err = plan_attributes(how, &attributes);
    if (!err)
        err = posix_spawn(pid, how->path, &files, &attributes, how->argv, how->envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    drop_sources(&sources);
    return err;
}

uint32_t spawn_process(const struct spawn_how *how, struct process **out)
{
    struct process *p;
    uint32_t status = process_new(&p);
    pid_t pid;
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    err = spawn(how, &pid);
    if (err) {
        object_put(&p->object);
        return err == ENOEXEC ? (uint32_t)STATUS_INVALID_IMAGE_FORMAT : status_from_errno(err);
    }
    status = process_watch_child(p, pid);
    if (status != STATUS_SUCCESS) { /* no descriptor left to know its end by: it was killed */
        object_put(&p->object);
        return status;
    }
    *out = p;
    return STATUS_SUCCESS;
}
