/* SPDX-License-Identifier: MIT */
/* iocp.h: what is pending, for people and programs that look, and the verifier's two calls. */
#include "base/clock.h"
#include "base/fork.h"
#include "base/os.h"
#include "engine/engine.h"
#include "engine/home.h"
#include "io/pending.h"
#include "io/verify.h"

#include <iocp.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t age_ms(const struct pending_operation *o)
{
    return o->began_ns ? (clock_now_ns() - o->began_ns) / NS_PER_MS : 0;
}

size_t iocp_pending(struct iocp_pending *out, size_t room)
{
    struct pending_snapshot s;
    size_t count;

    pending_take(&s);
    count = s.operation_count;
    for (size_t i = 0; i < count && i < room; i++) {
        const struct pending_operation *o = &s.operations[i];

        out[i] = (struct iocp_pending){
            .handle = (HANDLE)(uintptr_t)o->fd, .operation = o->name, .overlapped = o->ov, .size = o->size,
            .port = (HANDLE)o->port, .key = o->key, .thread = o->tid, .milliseconds = age_ms(o)};
    }
    pending_free(&s);
    return count;
}

/* ---- the same as text ---- */

static void print_ports(FILE *f, const struct pending_snapshot *s)
{
    for (size_t i = 0; i < s->port_count; i++) {
        const struct pending_port *p = &s->ports[i];

        fprintf(f, "  port 0x%zx: concurrency %u, %u running, %u blocked outside, %u waiting; %u handles, "
                   "%u packets queued, %u handles ready\n",
                (size_t)p->handle, p->active_max, p->active, p->taken, p->waiters, p->files, p->packets,
                p->ready);
    }
}

static void print_operation(FILE *f, const struct pending_operation *o)
{
    fprintf(f, "    %s, OVERLAPPED %p, %u bytes", o->name, (void *)o->ov, o->size);
    if (o->port)
        fprintf(f, ", to port 0x%zx with key 0x%zx", (size_t)o->port, (size_t)o->key);
    if (o->began_ns)
        fprintf(f, ", for %llu ms, by thread %u", (unsigned long long)age_ms(o), o->tid);
    fputs(o->cancelled ? ", cancelled\n" : "\n", f);
}

/* Operations stand in the order of their files. */
static void print_files(FILE *f, const struct pending_snapshot *s)
{
    size_t next = 0;

    for (size_t i = 0; i < s->file_count; i++) {
        const struct pending_file *file = &s->files[i];

        if (file->operations == 0 && file->blocked == 0)
            continue;
        fprintf(f, "  %s %d: %u in flight", file->kind, file->fd, file->operations);
        if (file->blocked)
            fprintf(f, ", %u threads in blocking calls", file->blocked);
        fputc('\n', f);
        while (next < s->operation_count && s->operations[next].fd != file->fd)
            next++;
        for (; next < s->operation_count && s->operations[next].fd == file->fd; next++)
            print_operation(f, &s->operations[next]);
    }
}

static void print_all(FILE *f)
{
    struct pending_snapshot s;
    struct iocp_ledger l;

    pending_take(&s);
    iocp_ledger(&l);
    fprintf(f, "iocp: process %d, %s\n", (int)getpid(), engine_info());
    fprintf(f, "  operations: %llu started, %llu completed, %llu refused; packets and routines: %llu queued "
               "(%llu posted), %llu delivered, %llu dropped\n",
            (unsigned long long)l.started, (unsigned long long)l.completed, (unsigned long long)l.refused,
            (unsigned long long)l.queued, (unsigned long long)l.posted, (unsigned long long)l.delivered,
            (unsigned long long)l.dropped);
    if (atomic_load(&verify_mode) != VERIFY_OFF)
        fprintf(f, "  verifier: %llu faults\n", (unsigned long long)verify_faults());
    print_ports(f, &s);
    fprintf(f, "  %zu operations in flight on %zu handles with a descriptor\n", s.operation_count,
            s.file_count);
    print_files(f, &s);
    if (s.incomplete)
        fputs("  there was not enough memory to list all\n", f);
    pending_free(&s);
}

void iocp_dump(int fd)
{
    char *text = NULL;
    size_t size = 0, done = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    print_all(f);
    fclose(f);
    while (done < size) {
        ssize_t n = write(fd, text + done, size - done);

        if (n <= 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    free(text);
}

uint64_t iocp_verify_faults(void)
{
    return verify_faults();
}

void iocp_verify_freed(const void *memory, size_t size)
{
    verify_freed(memory, size);
}

/* ---- IOCP_DUMP_SIGNAL ---- */

/*
 * The signal's handler rings, a thread prints. It has no descriptor: a program that becomes a daemon closes
 * what it does not know and opens its own, and a handler must not write there. A forked child gets a
 * thread of its own with its home thread, that is, when anything of it can pend.
 */
static sem_t bell;
static _Atomic bool answers; /* there is a thread in this process */

static void on_signal(int signal)
{
    int saved = errno;

    (void)signal;
    sem_post(&bell);
    errno = saved;
}

static void *answer(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "iocp-dump");
    for (;;) {
        if (sem_wait(&bell) == 0)
            iocp_dump(2);
    }
    return NULL;
}

static void start_answering(void)
{
    if (!atomic_exchange(&answers, true) && os_thread(answer, NULL) != 0)
        atomic_store(&answers, false);
}

static void forget(void)
{
    sem_init(&bell, 0, 0); /* a copy of one that somebody waits for */
    atomic_store(&answers, false);
}

FORK_HOOK(NULL, LOCK_GLOBAL, forget);

static int signal_of(const char *name)
{
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    if (strcmp(name, "USR1") == 0)
        return SIGUSR1;
    return strcmp(name, "USR2") == 0 ? SIGUSR2 : atoi(name);
}

static __attribute__((constructor)) void arm_signal(void)
{
    const char *name = getenv("IOCP_DUMP_SIGNAL");
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sem_init(&bell, 0, 0);
    if (!name || !*name)
        return;
    home_set_start_hook(start_answering);
    start_answering();
    if (sigaction(signal_of(name), &action, NULL) != 0)
        fprintf(stderr, "iocp: IOCP_DUMP_SIGNAL=%s is no signal that can be caught\n", name);
}
