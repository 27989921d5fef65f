/* SPDX-License-Identifier: MIT */
/*
 * Telling other processes: see shared_bell.h. A bell is called by its process' place, so that there are only
 * so many, and whoever has the place next makes it anew. Who rings notes the slot in the file, and sends a
 * message only if nobody has since the last was heard: `rung` says who. So there lies one message before each
 * process, and one that is stopped fills nobody's buffers. If `rung` names a process that has died, it may
 * not have come to sending: who finds that sends instead; and who hears looks again until nobody is named.
 */
#include "wait/shared_bell.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/user_dir.h"
#include "engine/home.h"
#include "wait/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* How often to ask who lives where the kernel does not tell of ends. */
#define ASK_NS (100 * NS_PER_MS)
#define BELL UINT64_MAX

static void ask_again(struct timer *timer);
static void look_around(struct timer *timer);

/* Rules: (1) constant while open: fd, epoll_fd, dir. (2) under lock: the rest. */
static struct {
    struct lock lock;
    int fd;          /* the socket; -1: not open */
    int epoll_fd;    /* it, and pidfds */
    int dir_fd;      /* of a directory whose name is too long for an address, else -1 */
    char dir[USER_DIR_SIZE];
    bool hears;      /* the home thread looks at the set */
    bool asking;     /* the timer is set */
    _Atomic bool reserved; /* `later` can be set without fail */
    struct timer timer;
    struct timer soon, later; /* to look at everything */
    struct {
        uint32_t who; /* whose end is watched; 0: nobody's */
        int pidfd;    /* -1: by the timer */
    } watched[SHARED_PROCESSES];
} bell = {
    .lock = LOCK_INIT(LOCK_GLOBAL),
    .fd = -1,
    .epoll_fd = -1,
    .dir_fd = -1,
    .timer = {.heap_index = SIZE_MAX, .fire = ask_again},
    .soon = {.heap_index = SIZE_MAX, .fire = look_around},
    .later = {.heap_index = SIZE_MAX, .fire = look_around},
};

/* ---- addresses ---- */

static void address_of(struct sockaddr_un *address, int place)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (bell.dir_fd < 0) /* it fits: open_directory has measured */
        snprintf(address->sun_path, sizeof address->sun_path, "%.*s/bell-%d", 95, bell.dir, place);
    else
        snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/bell-%d", bell.dir_fd, place);
}

static int open_directory(const char *dir)
{
    int fd;

    snprintf(bell.dir, sizeof bell.dir, "%s", dir);
    if (strlen(dir) <= 95)
        return 0;
    fd = os_open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bell.dir_fd = own_fd(fd);
    return fd < 0 ? fd : 0;
}

/* ---- opening ---- */

static int open_bell(void)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = BELL};
    struct sockaddr_un address;

    bell.fd = own_fd(fd_above_std(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
    bell.epoll_fd = own_fd(os_epoll_create());
    if (bell.fd < 0 || bell.epoll_fd < 0)
        return bell.fd < 0 ? bell.fd : bell.epoll_fd;
    address_of(&address, shared_file.place);
    unlink(address.sun_path); /* an earlier tenant's */
    fchmod(bell.fd, 0600);
    if (bind(bell.fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        os_epoll_ctl(bell.epoll_fd, EPOLL_CTL_ADD, bell.fd, &ev) < 0)
        return -errno;
    return 0;
}

static void close_all(void)
{
    int *const fds[] = {&bell.fd, &bell.epoll_fd, &bell.dir_fd};

    for (int i = 0; i < 3; i++) {
        if (*fds[i] >= 0)
            own_fd_close(*fds[i]);
        *fds[i] = -1;
    }
}

int shared_bell_open(const char *dir)
{
    int err = open_directory(dir);

    if (!err)
        err = open_bell();
    if (err)
        close_all();
    return err;
}

/* In a forked child: all that is the parent's. */
static void forget(void)
{
    close_all();
    for (int i = 0; i < SHARED_PROCESSES; i++) {
        if (bell.watched[i].who && bell.watched[i].pidfd >= 0)
            own_fd_close(bell.watched[i].pidfd);
        bell.watched[i].who = 0;
    }
    bell.hears = bell.asking = false;
    bell.reserved = false;
    timer_init(&bell.timer, ask_again);
    timer_init(&bell.soon, look_around);
    timer_init(&bell.later, look_around);
}

FORK_HOOK(&bell.lock, LOCK_GLOBAL, forget);

/* ---- ringing ---- */

enum { SEND_TRIES = 1000, HEAR_ROUNDS = 16 };

static void send_to(int place)
{
    struct sockaddr_un address;

    address_of(&address, place);
    for (int i = 0; i < SEND_TRIES; i++) {
        /* Not the C library's, which may end the thread (pthread_cancel). */
        if (syscall(SYS_sendto, bell.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, &address, sizeof address) >= 0)
            return;
        if (errno == ENOENT || errno == ECONNREFUSED)
            return; /* it has ended */
        sched_yield(); /* no memory: there is no other reason, with one message at a time */
    }
}

static void tell(int place, int index)
{
    _Atomic uint32_t *rung = &shared_file.layout->processes[place].rung;
    uint32_t who = 0;

    atomic_fetch_or(&shared_file.layout->processes[place].pending[index / 64], UINT64_C(1) << index % 64);
    if (!atomic_compare_exchange_strong(rung, &who, shared_file.who) &&
        (!shared_is_dead(who) || !atomic_compare_exchange_strong(rung, &who, shared_file.who)))
        return; /* the message of that one is on its way */
    send_to(place);
}

static void tell_all(int index, int but)
{
    const struct shared_set *waiting = &shared_file.layout->slots[index].waiting;

    for (int place = 0; (place = shared_set_next(waiting, place)) != SHARED_NOBODY; place++) {
        if (place != but)
            tell(place, index);
    }
}

void shared_bell_ring(int index)
{
    tell_all(index, shared_file.place);
}

void shared_bell_ring_all(int index)
{
    tell_all(index, SHARED_NOBODY);
}

/* ---- hearing; on the home thread ---- */

static void look_at_word(int word)
{
    _Atomic uint64_t *pending = &shared_file.layout->processes[shared_file.place].pending[word];
    uint64_t bits = atomic_load(pending) ? atomic_exchange(pending, 0) : 0; /* mostly nothing */

    for (; bits; bits &= bits - 1)
        shared_look(word * 64 + __builtin_ctzll(bits));
}

static void hear(void)
{
    _Atomic uint32_t *rung = &shared_file.layout->processes[shared_file.place].rung;
    char message;
    int rounds = 0;

    do {
        while (os_recv(bell.fd, &message, sizeof message, MSG_DONTWAIT) >= 0 || errno == EINTR)
            ;
        atomic_store(rung, 0); /* before looking: what comes later is sent again */
        for (int i = 0; i < SHARED_SLOTS / 64; i++)
            look_at_word(i);
    } while (atomic_load(rung) && ++rounds < HEAR_ROUNDS);
    if (rounds == HEAR_ROUNDS)
        send_to(shared_file.place); /* the home thread has other things to do as well */
}

/* Whoever was in that place has ended, or is believed to. True: it has left something. */
static bool bury(uint32_t who)
{
    int place = shared_place_of(who);

    lock_acquire(&bell.lock);
    if (bell.watched[place].who == who) {
        if (bell.watched[place].pidfd >= 0)
            own_fd_close(bell.watched[place].pidfd);
        bell.watched[place].who = 0;
    }
    lock_release(&bell.lock);
    return shared_reap(place);
}

static void ready(void *ctx)
{
    struct epoll_event events[16];
    int n;

    (void)ctx;
    while ((n = os_epoll_wait(bell.epoll_fd, events, 16, 0)) > 0) {
        bool ended = false;

        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == BELL)
                hear();
            else
                bury((uint32_t)events[i].data.u64), ended = true;
        }
        if (ended) {
            hear(); /* they may have left it unsaid */
            shared_look_at_all();
        }
    }
}

/* Where there are no pidfds. */
static void ask_again(struct timer *timer)
{
    uint32_t dead[SHARED_PROCESSES];
    unsigned n = 0;
    bool more = false;

    (void)timer;
    lock_acquire(&bell.lock);
    for (int i = 0; i < SHARED_PROCESSES; i++) {
        uint32_t who = bell.watched[i].who;

        if (who == 0 || bell.watched[i].pidfd >= 0)
            continue;
        if (shared_is_dead(who))
            dead[n++] = who;
        else
            more = true;
    }
    bell.asking = more && timer_set(&bell.timer, clock_now_ns() + ASK_NS) == 0;
    lock_release(&bell.lock);
    for (unsigned i = 0; i < n; i++)
        bury(dead[i]);
    if (n > 0) {
        hear();
        shared_look_at_all();
    }
}

/* ---- attending ---- */

static int open_pidfd(uint32_t who)
{
    int32_t pid = shared_pid(who);
    int fd = pid > 0 ? os_pidfd_open(pid) : -1;

    if (fd >= 0 && shared_pid(who) != pid) { /* the number may be somebody else's already */
        close(fd);
        return -1;
    }
    return own_fd(fd);
}

/* False: it has ended already. Lock held. */
static bool watch_locked(uint32_t who, int *err)
{
    int place = shared_place_of(who);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = who};
    int fd;

    lock_assert_held(&bell.lock);
    if (bell.watched[place].who == who)
        return true;
    if (shared_is_dead(who))
        return false;
    if (bell.watched[place].who && bell.watched[place].pidfd >= 0)
        own_fd_close(bell.watched[place].pidfd); /* of an earlier tenant */
    fd = open_pidfd(who);
    if (fd >= 0 && os_epoll_ctl(bell.epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        own_fd_close(fd);
        fd = -1;
    }
    bell.watched[place].who = who;
    bell.watched[place].pidfd = fd;
    if (fd < 0 && !bell.asking) {
        *err = timer_set(&bell.timer, clock_now_ns() + ASK_NS);
        bell.asking = *err == 0;
    }
    return true;
}

static int begin_to_hear(void)
{
    int err = home_start();

    if (err)
        return err;
    lock_acquire(&bell.lock);
    if (!bell.reserved)
        err = timer_reserve(&bell.later);
    bell.reserved = err == 0;
    if (!err && !bell.hears)
        err = home_add_fd(bell.epoll_fd, ready, NULL);
    bell.hears = bell.hears || err == 0;
    lock_release(&bell.lock);
    return err;
}

int shared_bell_attend(int index)
{
    const struct shared_set *users = &shared_file.layout->slots[index].users;
    int err = begin_to_hear();

    for (int i = 0; !err && (i = shared_set_next(users, i)) != SHARED_NOBODY; i++) {
        uint32_t who = shared_who(i);
        bool lives;

        if (i == shared_file.place)
            continue;
        lock_acquire(&bell.lock);
        lives = watch_locked(who, &err);
        lock_release(&bell.lock);
        /* Not from here: that would come back to here. */
        if (!lives && bury(who))
            err = shared_bell_attend_soon();
    }
    /* Whoever died before we could watch it, having begun to ring. */
    if (!err && !home_is_current() && atomic_load(&shared_file.layout->processes[shared_file.place].rung))
        send_to(shared_file.place);
    return err;
}

int shared_bell_attend_soon(void)
{
    return timer_set(&bell.soon, clock_now_ns());
}

void shared_bell_attend_later(void)
{
    timer_set(bell.reserved ? &bell.later : &bell.soon, clock_now_ns() + ASK_NS);
}

static void look_around(struct timer *timer)
{
    (void)timer;
    if (begin_to_hear() != 0) {
        shared_bell_attend_later();
        return;
    }
    hear();
    shared_look_at_all();
}
