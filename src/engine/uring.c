/* SPDX-License-Identifier: MIT */
/*
 * The ring. The home thread alone submits to it and reaps it: a thread of the program that
 * submitted would take its operations down with it when it exits, and would have its own sleeps
 * interrupted by their completions. Everybody else puts ops into a list and wakes the home thread.
 *
 * The kernel sees slot numbers with a generation, never pointers, so that a cancel that arrives
 * late finds nobody. An op waits in the list while all slots are taken, and slots never outnumber the
 * completion queue; the answers to cancels come on top, and the kernel keeps what does not fit (NODROP).
 *
 * The ring is created disabled, restricted to the opcodes and the flag used here, then enabled. An opcode
 * that the kernel lacks is left out, and threads do its work; never is a polling kernel thread asked for.
 */
#include "engine/backends.h"

#ifdef IOCP_HAVE_LIBURING

#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_SIZE = 256, SLOTS = 2 * RING_SIZE, NO_SLOT = -1, ANSWERS_AT_ONCE = SLOTS };
/* One bad entry does not hold up those behind it; a completion does not interrupt the home thread while it
 * runs, as it is always about to enter the kernel. */
#if defined(IORING_SETUP_SUBMIT_ALL) && defined(IORING_SETUP_COOP_TASKRUN)
#define SETUP_WISHES (IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN)
#else
#define SETUP_WISHES 0u
#endif
#define USER_CANCEL UINT64_MAX /* user_data of cancels: their own answers say nothing */

/* The first three in the order of enum op_code, which they carry out. */
static const struct opcode {
    uint8_t number;
    const char *name; /* for os_refusal */
    const char *without;
} opcodes[] = {
    {IORING_OP_READV, "IORING_OP_READV", "threads read"},
    {IORING_OP_WRITEV, "IORING_OP_WRITEV", "threads write"},
    {IORING_OP_FSYNC, "IORING_OP_FSYNC", "threads flush"},
    {IORING_OP_ASYNC_CANCEL, "IORING_OP_ASYNC_CANCEL", "nothing is called back"},
};
enum { OPCODES = sizeof opcodes / sizeof opcodes[0], CANCEL = OPCODES - 1 };
_Static_assert(OP_READ == 0 && OP_WRITE == 1 && OP_FSYNC == 2, "opcodes[] is indexed by them");

struct slot {
    struct op *op; /* borrowed from start to done; NULL: free */
    uint32_t generation;
    bool cancel;   /* the kernel is to be asked */
    int next_free;
};

static void serve(struct home_work *w);

static struct ring {
    struct io_uring uring;  /* home thread only, after uring_open */
    bool open;              /* uring is there; changed by uring_open and in a forked child only */
    bool has[OPCODES];      /* constant after uring_open */
    _Atomic bool watched;   /* the home thread looks after it; set under watch_lock */
    struct lock watch_lock;
    bool unsubmitted;       /* home thread only: the kernel would not take all entries */
    struct lock lock;       /* everything below; op.state, op.link of ops that are here */
    struct list waiting;    /* struct op.link, no slot yet */
    struct list withdrawn;  /* cancelled before they had a slot */
    struct slot slots[SLOTS];
    int free;               /* first free slot */
    unsigned cancels;       /* slots with `cancel` set */
    bool serving;           /* `work` is queued to the home thread */
    struct home_work work;
} ring = {
    .lock = LOCK_INIT(LOCK_ENGINE),
    .waiting = LIST_INIT(ring.waiting),
    .withdrawn = LIST_INIT(ring.withdrawn),
    .work = {.run = serve},
    .watch_lock = LOCK_INIT(LOCK_GLOBAL),
};

/* The place of an op that has been submitted is kept in the op itself, in its idle list node. */
static void op_set_slot(struct op *op, int slot)
{
    op->link.prev = (struct list *)(intptr_t)slot;
}

static int op_slot(const struct op *op)
{
    return (int)(intptr_t)op->link.prev;
}

static uint64_t user_data_of(int slot)
{
    return (uint64_t)ring.slots[slot].generation << 32 | (uint32_t)slot;
}

static void request_service(void)
{
    bool submit;

    lock_acquire(&ring.lock);
    submit = !ring.serving;
    ring.serving = true;
    lock_release(&ring.lock);
    if (submit)
        home_submit(&ring.work);
}

static void fill(struct io_uring_sqe *sqe, const struct op *op)
{
    switch (op->code) {
    case OP_READ:
        io_uring_prep_readv(sqe, op->fd, op->iov, op->iov_count, op->offset);
        sqe->rw_flags = (int)op->rw_flags;
        break;
    case OP_WRITE:
        io_uring_prep_writev(sqe, op->fd, op->iov, op->iov_count, op->offset);
        sqe->rw_flags = (int)op->rw_flags;
        /* A first try without blocking may write a part, and the rest behind somebody else's bytes. */
        if (op->rw_flags & RWF_APPEND)
            sqe->flags |= IOSQE_ASYNC;
        break;
    default:
        assert(op->code == OP_FSYNC);
        io_uring_prep_fsync(sqe, op->fd, op->rw_flags == 1 ? IORING_FSYNC_DATASYNC : 0);
        break;
    }
}

/* An entry of the submission queue; NULL while the kernel takes none. */
static struct io_uring_sqe *get_entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring.uring);

    if (!sqe) {
        io_uring_submit(&ring.uring);
        sqe = io_uring_get_sqe(&ring.uring);
    }
    return sqe;
}

/* Gives the first waiting op a slot. NULL: nobody waits, or no slot is free. */
static struct op *admit_locked(int *slot)
{
    struct op *op;

    lock_assert_held(&ring.lock);
    if (list_empty(&ring.waiting) || ring.free == NO_SLOT)
        return NULL;
    op = container_of(list_pop_front(&ring.waiting), struct op, link);
    *slot = ring.free;
    ring.free = ring.slots[*slot].next_free;
    ring.slots[*slot].op = op;
    op_set_slot(op, *slot);
    op->state = OP_RUNNING;
    return op;
}

static void free_slot_locked(int slot)
{
    lock_assert_held(&ring.lock);
    if (ring.slots[slot].cancel)
        ring.cancels--;
    ring.slots[slot].cancel = false;
    ring.slots[slot].op = NULL;
    ring.slots[slot].generation++;
    ring.slots[slot].next_free = ring.free;
    ring.free = slot;
}

/* The submission queue is full and the kernel takes none: the op goes back to where it was. */
static void readmit(struct op *op, int slot)
{
    lock_acquire(&ring.lock);
    free_slot_locked(slot);
    op->state = OP_WAITING;
    list_push_front(&ring.waiting, &op->link);
    lock_release(&ring.lock);
    ring.unsubmitted = true;
}

static void submit_waiting(void)
{
    for (;;) {
        struct io_uring_sqe *sqe;
        struct op *op;
        int slot;

        lock_acquire(&ring.lock);
        op = admit_locked(&slot);
        lock_release(&ring.lock);
        if (!op)
            return;
        sqe = get_entry();
        if (!sqe) {
            readmit(op, slot);
            return;
        }
        fill(sqe, op);
        sqe->user_data = user_data_of(slot);
    }
}

/* The user_data of one op to be cancelled; 0 if there is none (slot 0 starts at generation 1). */
static uint64_t next_cancel(void)
{
    uint64_t user_data = 0;

    lock_acquire(&ring.lock);
    for (int i = 0; ring.cancels > 0 && user_data == 0; i++) {
        if (ring.slots[i].cancel) {
            ring.slots[i].cancel = false;
            ring.cancels--;
            user_data = user_data_of(i);
        }
    }
    lock_release(&ring.lock);
    return user_data;
}

static void submit_cancels(void)
{
    uint64_t user_data;

    while ((user_data = next_cancel()) != 0) {
        struct io_uring_sqe *sqe = get_entry();

        if (!sqe)
            return; /* only asked: the op is answered all the same */
        io_uring_prep_rw(IORING_OP_ASYNC_CANCEL, sqe, -1, (void *)(uintptr_t)user_data, 0, 0);
        sqe->user_data = USER_CANCEL;
    }
}

static void answer_withdrawn(void)
{
    struct list ops;
    struct list *n;

    list_init(&ops);
    lock_acquire(&ring.lock);
    list_splice_back(&ops, &ring.withdrawn);
    lock_release(&ring.lock);
    while ((n = list_pop_front(&ops)) != NULL) {
        struct op *op = container_of(n, struct op, link);

        op->done(op, -ECANCELED);
    }
}

/* The op that a completion belongs to, its slot freed. */
static struct op *retire(uint64_t user_data)
{
    uint32_t slot = (uint32_t)user_data;
    struct op *op = NULL;

    if (user_data == USER_CANCEL)
        return NULL;
    lock_acquire(&ring.lock);
    assert(slot < SLOTS);
    assert(ring.slots[slot].generation == user_data >> 32);
    op = ring.slots[slot].op;
    free_slot_locked((int)slot);
    list_init(&op->link);
    op->state = OP_IDLE;
    lock_release(&ring.lock);
    return op;
}

/*
 * -EAGAIN and -EINTR are not handed up: such an op goes on with a pool thread, which may block. No
 * cancel finds it there (generation 0), since the two backends have a lock each.
 */
static void answer(struct op *op, int64_t result)
{
    if (result == -EAGAIN || result == -EINTR) {
        lock_acquire(&ring.lock);
        op->generation = 0;
        lock_release(&ring.lock);
        if (threads_start(op) == 0)
            return;
    }
    op->done(op, result);
}

static unsigned reap(unsigned max)
{
    struct io_uring_cqe *cqe;
    unsigned n = 0;

    while (n < max && io_uring_peek_cqe(&ring.uring, &cqe) == 0) {
        uint64_t user_data = cqe->user_data;
        int64_t result = os_answer("io_uring_cqe", cqe->res);
        struct op *op;

        io_uring_cqe_seen(&ring.uring, cqe);
        op = retire(user_data);
        if (op)
            answer(op, result);
        n++;
    }
    return n;
}

/* Everything the ring needs, on the home thread. There may be no end of it while answers start new
 * operations: after so many of them the rest waits for the next turn, before which others have theirs. */
static void turn(void)
{
    unsigned answers = 0, n;
    int err;

    do {
        ring.unsubmitted = false;
        answer_withdrawn();
        submit_waiting();
        submit_cancels();
        err = io_uring_submit(&ring.uring);
        if (err < 0 || io_uring_sq_ready(&ring.uring) > 0) /* or the kernel took the first ones only */
            ring.unsubmitted = true;
        n = reap(ANSWERS_AT_ONCE - answers);
        answers += n;
        /* Freed slots admit more; what is done within the call needs no edge. */
    } while (n > 0 && answers < ANSWERS_AT_ONCE);
    /* The kernel is short of something, or answers lie there still: once more, after others had a turn. */
    if (ring.unsubmitted || answers == ANSWERS_AT_ONCE)
        request_service();
}

static void serve(struct home_work *w)
{
    (void)w;
    lock_acquire(&ring.lock);
    ring.serving = false;
    lock_release(&ring.lock);
    turn();
}

static void on_completions(void *ctx)
{
    (void)ctx;
    turn();
}

/* The home thread is not started for having a ring, only for using it. What fails for want of a
 * descriptor or of memory may be had the next time. */
static int watch(void)
{
    int err = 0;

    if (atomic_load_explicit(&ring.watched, memory_order_acquire))
        return 0;
    lock_acquire(&ring.watch_lock);
    if (!atomic_load(&ring.watched))
        err = home_add_fd(ring.uring.ring_fd, on_completions, NULL);
    if (!err)
        atomic_store(&ring.watched, true);
    lock_release(&ring.watch_lock);
    return err;
}

bool uring_takes(const struct op *op)
{
    return op->code != OP_CALL && ring.has[op->code];
}

int uring_start(struct op *op)
{
    int err = watch();

    if (err)
        return err;
    lock_acquire(&ring.lock);
    op->state = OP_WAITING;
    list_push_back(&ring.waiting, &op->link);
    lock_release(&ring.lock);
    /* op may be done and gone as soon as somebody serves */
    request_service();
    return 0;
}

void uring_cancel(struct op *op, uint32_t generation)
{
    bool ask = true;

    lock_acquire(&ring.lock);
    if (generation == 0 || op->generation != generation) {
        ask = false; /* 0: a pool thread has it, and its state is not ours to read */
    } else if (op->state == OP_WAITING) {
        list_remove(&op->link);
        list_push_back(&ring.withdrawn, &op->link);
        op->state = OP_WITHDRAWN;
    } else if (op->state == OP_RUNNING && ring.has[CANCEL] && !ring.slots[op_slot(op)].cancel) {
        ring.slots[op_slot(op)].cancel = true;
        ring.cancels++;
    } else {
        ask = false; /* answered, or asked already */
    }
    lock_release(&ring.lock);
    if (ask)
        request_service();
}

/* The system call itself: liburing 2.3 declares what is asked here but does not export all of it. */
static int control(struct io_uring *uring, unsigned opcode, void *arg, unsigned count)
{
    long n = syscall(__NR_io_uring_register, uring->ring_fd, opcode, arg, count);

    return n < 0 ? -errno : 0;
}

/* Which opcodes there are. *lacks: what it means that one is missing. */
static int check_opcodes(struct io_uring *uring, const char **why, const char **lacks)
{
    union { /* the head ends in an array of what follows it */
        struct io_uring_probe head;
        unsigned char room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
    } probe;
    bool works = false;
    int err;

    memset(&probe, 0, sizeof probe);
    *why = "io_uring_register is refused";
    err = control(uring, IORING_REGISTER_PROBE, &probe, 256);
    if (err)
        return err;
    for (int i = 0; i < OPCODES; i++) {
        ring.has[i] = io_uring_opcode_supported(&probe.head, opcodes[i].number) &&
                      os_refusal(opcodes[i].name) == 0;
        if (!ring.has[i])
            *lacks = opcodes[i].without;
        else if (i != CANCEL)
            works = true;
    }
    *why = "io_uring lacks every opcode";
    return works ? 0 : -EOPNOTSUPP;
}

static int restrict_and_enable(struct io_uring *uring, const char **why)
{
    struct io_uring_restriction rules[OPCODES + 1];
    unsigned n = 0;
    int err;

    memset(rules, 0, sizeof rules);
    for (int i = 0; i < OPCODES; i++) {
        if (!ring.has[i])
            continue;
        rules[n].opcode = IORING_RESTRICTION_SQE_OP;
        rules[n++].sqe_op = opcodes[i].number;
    }
    rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    rules[n++].sqe_flags = IOSQE_ASYNC;
    *why = "io_uring restrictions are refused";
    err = control(uring, IORING_REGISTER_RESTRICTIONS, rules, n);
    if (err)
        return err;
    *why = "the ring cannot be enabled";
    return control(uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* A filter may let a ring be made and then refuse its use. */
static int check_enter(struct io_uring *uring, const char **why)
{
    *why = "io_uring_enter is refused";
    return syscall(__NR_io_uring_enter, uring->ring_fd, 0, 0, 0, NULL, 0) < 0 ? -errno : 0;
}

/* Where a standard descriptor was closed the ring has got its number. */
static int move_above_std(struct io_uring *uring)
{
    int fd = uring->ring_fd > 2 ? uring->ring_fd : fcntl(uring->ring_fd, F_DUPFD_CLOEXEC, 3);
    int err = fd < 0 ? -errno : 0;

    if (err) {
        io_uring_queue_exit(uring);
        return err;
    }
    if (fd != uring->ring_fd)
        close(uring->ring_fd);
    uring->ring_fd = uring->enter_ring_fd = fd;
    return 0;
}

/* With what this kernel may not know yet, or without. */
static int make_ring(struct io_uring *uring)
{
    struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED | SETUP_WISHES};
    int err = io_uring_queue_init_params(RING_SIZE, uring, &params);

    if (err == -EINVAL && SETUP_WISHES != 0) {
        params = (struct io_uring_params){.flags = IORING_SETUP_R_DISABLED};
        err = io_uring_queue_init_params(RING_SIZE, uring, &params);
    }
    return err ? err : move_above_std(uring);
}

int uring_open(const char **why)
{
    const char *lacks = NULL;
    int err = make_ring(&ring.uring);

    *why = "io_uring_setup is refused";
    if (err == -ENOMEM || err == -EMFILE || err == -ENFILE) /* it would be given another time */
        *why = "io_uring_setup is short of resources";
    if (err)
        return err;
    for (int i = 0; i < SLOTS; i++) {
        ring.slots[i].generation = 1;
        ring.slots[i].next_free = i + 1 < SLOTS ? i + 1 : NO_SLOT;
    }
    ring.free = 0;
    err = check_opcodes(&ring.uring, why, &lacks);
    if (!err)
        err = restrict_and_enable(&ring.uring, why);
    if (!err)
        err = check_enter(&ring.uring, why);
    if (err)
        io_uring_queue_exit(&ring.uring);
    else
        own_fd(ring.uring.ring_fd);
    ring.open = err == 0;
    if (!err)
        *why = lacks;
    return err;
}

/* The ring is the parent's, and so is what it has been given. Closed here, it goes on there. */
static void leave_to_parent(void)
{
    if (ring.open) {
        own_fd_forget(ring.uring.ring_fd);
        io_uring_queue_exit(&ring.uring);
    }
    ring.open = ring.serving = ring.unsubmitted = false;
    atomic_store(&ring.watched, false);
    ring.cancels = 0;
    memset(ring.slots, 0, sizeof ring.slots);
    list_init(&ring.waiting);
    list_init(&ring.withdrawn);
}

FORK_HOOK(&ring.lock, LOCK_ENGINE, leave_to_parent);

static struct fork_hook watch_hook = {.lock = &ring.watch_lock, .rank = LOCK_GLOBAL};

static __attribute__((constructor)) void add_watch_hook(void)
{
    fork_register(&watch_hook);
}

#else
typedef int uring_is_not_built; /* a translation unit may not be empty */
#endif
