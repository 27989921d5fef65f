/* SPDX-License-Identifier: MIT */
/*
 * A load client for an echo server: one thread, raw epoll, nothing of the library. Each connection
 * keeps a few messages in flight; what comes back is compared byte by byte with the connection's
 * own pattern, so a byte lost, doubled, changed or sent to the wrong connection is seen. Prints
 * rate and latency percentiles and, given the process ids of the server, the CPU time it spent per
 * message. With --warm the clock starts when every connection has had its first answer. With --once
 * every connection is closed after its first answer and made anew: then connections are counted, and
 * latency begins with the connect.
 *
 * Exit code: 0 all bytes right; 1 a byte wrong or missing, or a connection lost; 2 could not start.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATTERN_SIZE (1u << 16) /* bytes after which a connection's pattern repeats */
#define PIPELINE_MAX 64
#define RECEIVE_SIZE 65536
#define DRAIN_NS     5000000000 /* how long the last answers may take */
#define WARM_NS      60000000000 /* and the first ones, of very many connections */
#define PIDS_MAX     8
#define SPREAD_FIRST 0x7F010001u /* 127.1.0.1: the first of the client addresses */
#define SPREAD_MAX   1000000

/* Latencies, log-linear: 64 steps per power of two, so a bucket is at most 1.6 % wide. */
#define STEPS   64
#define BUCKETS (STEPS * 40)

struct connection {
    int fd;
    uint32_t shift;                  /* where in the pattern this connection begins */
    uint64_t queued, sent, received; /* bytes: handed out, written to the socket, verified */
    uint64_t sent_ns[PIPELINE_MAX];  /* when message n went out, at n modulo the pipeline */
    bool writable_wanted;
};

static struct {
    int conns, size, pipeline, port, pin;
    int spread; /* client addresses that are used in turn; 0: the system's choice */
    int pids[PIDS_MAX], pid_count;
    double seconds;
    bool terse, once, warm;
} option = {.conns = 500, .size = 64, .pipeline = 4, .port = 7777, .pin = -1, .seconds = 10};

static unsigned char pattern[2 * PATTERN_SIZE];
static unsigned char incoming[RECEIVE_SIZE];
static struct connection *connections;
static uint64_t histogram[BUCKETS];
static uint64_t messages, bad_bytes, lost_connections;
static bool sending = true;
static int poller;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(2);
}

/* -- latency -- */

static int bucket_of(uint64_t ns) {
    if (ns < STEPS)
        return (int)ns;
    int power = 63 - __builtin_clzll(ns);
    int index = (power - 5) * STEPS + (int)((ns >> (power - 6)) & (STEPS - 1));
    return index < BUCKETS ? index : BUCKETS - 1;
}

static double bucket_us(int index) {
    if (index < STEPS)
        return index / 1e3;
    int power = index / STEPS + 5;
    return (double)((uint64_t)(STEPS + index % STEPS) << (power - 6)) / 1e3;
}

static double percentile_us(double part) {
    uint64_t want = (uint64_t)((double)messages * part), seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (seen > want)
            return bucket_us(i);
    }
    return bucket_us(BUCKETS - 1);
}

/* -- the server's CPU time -- */

/* Nanoseconds that all threads of the process have run: from schedstat where the kernel keeps it,
 * else from the clock ticks of stat. */
static uint64_t process_cpu_ns(int pid) {
    char path[300];
    uint64_t total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        unsigned long long ran = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file && fscanf(file, "%llu", &ran) == 1)
            total += ran;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    if (total)
        return total;

    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                        &user, &system) != 2)
        user = system = 0;
    if (file)
        fclose(file);
    return (uint64_t)(user + system) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* A server may be several processes: one under Wine makes wineserver work. */
static uint64_t cpu_ns(void) {
    uint64_t total = 0;
    for (int i = 0; i < option.pid_count; i++)
        total += process_cpu_ns(option.pids[i]);
    return total;
}

/* -- one connection -- */

/* The pattern of a connection is the common random table from its own place on. */
static const unsigned char *pattern_at(const struct connection *c, uint64_t offset) {
    return pattern + (c->shift + offset) % PATTERN_SIZE;
}

static void lose(struct connection *c, const char *why) {
    if (lost_connections++ < 5)
        fprintf(stderr, "load: connection %d lost: %s (sent %llu, received %llu)\n",
                (int)(c - connections), why, (unsigned long long)c->sent,
                (unsigned long long)c->received);
    close(c->fd);
    c->fd = -1;
}

static void want_writable(struct connection *c, bool wanted) {
    if (c->writable_wanted == wanted)
        return;
    c->writable_wanted = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event))
        die("epoll_ctl: %s", strerror(errno));
}

/* Fills the pipeline and writes as much of it as the socket takes. */
static void feed(struct connection *c) {
    uint64_t size = (uint64_t)option.size, window = size * (uint64_t)option.pipeline;
    if (sending && c->queued < c->received / size * size + window) {
        uint64_t now = now_ns(), until = c->received / size * size + window;
        for (; c->queued < until; c->queued += size)
            c->sent_ns[c->queued / size % (uint64_t)option.pipeline] = now;
    }
    while (c->sent < c->queued) {
        uint64_t left = c->queued - c->sent;
        ssize_t n = send(c->fd, pattern_at(c, c->sent), left < PATTERN_SIZE ? left : PATTERN_SIZE,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0) {
            lose(c, strerror(errno));
            return;
        }
        c->sent += (uint64_t)n;
    }
    want_writable(c, c->sent < c->queued);
}

static void verify(struct connection *c, size_t size) {
    const unsigned char *expected = pattern_at(c, c->received);
    if (memcmp(incoming, expected, size) == 0)
        return;
    for (size_t i = 0; i < size; i++)
        if (incoming[i] != expected[i] && bad_bytes++ < 5)
            fprintf(stderr, "load: connection %d, byte %llu: expected %02x, came %02x\n",
                    (int)(c - connections), (unsigned long long)(c->received + i), expected[i],
                    incoming[i]);
}

/* Connects, from an address of its own if that was asked for: one address has ports for some 28 000
 * connections, those in TIME_WAIT included. Only the replacing of connections must not block. */
static void open_one(struct connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    int one = 1, number = (int)(c - connections);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (option.once ? SOCK_NONBLOCK : 0), 0);
    if (c->fd < 0)
        die("connection %d: %s", number, strerror(errno));
    if (option.spread) {
        address.sin_addr.s_addr = htonl(SPREAD_FIRST + (uint32_t)(number % option.spread));
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&address, sizeof address))
            die("connection %d from %s: %s", number, inet_ntoa(address.sin_addr), strerror(errno));
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)option.port);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        die("connection %d to port %d: %s", number, option.port, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event))
        die("epoll_ctl: %s", strerror(errno));
}

/* It has had its answer; the next one under this number has another place in the pattern. */
static void replace(struct connection *c) {
    close(c->fd);
    *c = (struct connection){.fd = -1, .shift = (c->shift + 104729u) % PATTERN_SIZE};
    if (sending)
        open_one(c);
}

static void take(struct connection *c) {
    uint64_t size = (uint64_t)option.size, done = c->received / size;
    ssize_t n = recv(c->fd, incoming, sizeof incoming, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lose(c, n ? strerror(errno) : "closed by the server");
        return;
    }
    if (c->received + (uint64_t)n > c->sent) {
        bad_bytes += c->received + (uint64_t)n - c->sent;
        lose(c, "more came back than was sent");
        return;
    }
    verify(c, (size_t)n);
    c->received += (uint64_t)n;
    if (c->received / size > done) {
        uint64_t now = now_ns();
        for (; done < c->received / size; done++, messages++)
            histogram[bucket_of(now - c->sent_ns[done % (uint64_t)option.pipeline])]++;
        if (option.once && c->received == c->queued)
            replace(c);
    }
}

/* -- the run -- */

static void open_all(void) {
    connections = calloc((size_t)option.conns, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || poller < 0)
        die("%s", strerror(errno));
    for (int i = 0; i < option.conns; i++) {
        connections[i].shift = (uint32_t)i * 7919u % PATTERN_SIZE;
        open_one(&connections[i]);
    }
}

static bool all_answered(void) {
    for (int i = 0; i < option.conns; i++)
        if (connections[i].fd >= 0 && connections[i].received < connections[i].queued)
            return false;
    return true;
}

static void turn(int timeout_ms) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            take(c);
        if (c->fd >= 0)
            feed(c);
    }
}

/* One answer for each: then the server has accepted all of them, and none of that is measured. */
static void warm_up(void) {
    uint64_t end = now_ns() + WARM_NS;
    int cold = 0;
    for (int i = 0; i < option.conns; i++)
        feed(&connections[i]);
    while (cold < option.conns && now_ns() < end) {
        if (connections[cold].fd >= 0 && connections[cold].received < (uint64_t)option.size)
            turn(100);
        else
            cold++;
    }
    memset(histogram, 0, sizeof histogram);
    messages = 0;
}

/* Runs for the time asked for, then stops sending and collects what is still on its way. */
static double run(void) {
    uint64_t start = now_ns(), end = start + (uint64_t)(option.seconds * 1e9), shown = start,
             shown_messages = 0;
    for (int i = 0; i < option.conns; i++)
        feed(&connections[i]);
    for (uint64_t now = start;
         (now = now_ns()) < end && lost_connections < (uint64_t)option.conns;) {
        turn(100);
        if (!option.terse && now - shown >= 1000000000) {
            printf("  %2.0f s  %9.0f messages/s  %llu verified, %llu bad bytes\n",
                   (double)(now - start) / 1e9,
                   (double)(messages - shown_messages) * 1e9 / (double)(now - shown),
                   (unsigned long long)messages, (unsigned long long)bad_bytes);
            fflush(stdout);
            shown = now;
            shown_messages = messages;
        }
    }
    return (double)(now_ns() - start) / 1e9;
}

static void drain(void) {
    sending = false;
    for (uint64_t end = now_ns() + DRAIN_NS; !all_answered() && now_ns() < end;)
        turn(100);
    for (int i = 0; i < option.conns; i++) {
        struct connection *c = &connections[i];
        if (c->fd >= 0 && c->received < c->queued)
            lose(c, "the last answers did not come");
        if (c->fd >= 0)
            close(c->fd);
    }
}

static void report(double elapsed, uint64_t counted, uint64_t cpu) {
    double rate = (double)counted / elapsed, us = counted ? (double)cpu / 1e3 / (double)counted : 0;
    double p50 = percentile_us(.5), p90 = percentile_us(.9), p99 = percentile_us(.99),
           p999 = percentile_us(.999);
    if (option.terse) {
        printf("conns=%d size=%d pipeline=%d rate=%.0f p50=%.1f p90=%.1f p99=%.1f p999=%.1f "
               "cpu=%.3f bad=%llu lost=%llu\n",
               option.conns, option.size, option.pipeline, rate, p50, p90, p99, p999, us,
               (unsigned long long)bad_bytes, (unsigned long long)lost_connections);
        return;
    }
    const char *unit = option.once ? "connection" : "message";
    printf("%d connections%s, %d-byte messages, %d in flight on each, %.1f s\n", option.conns,
           option.once ? " at a time" : "", option.size, option.pipeline, elapsed);
    printf("rate        %.0f %ss/s, %.1f MB/s each way\n", rate, unit, rate * option.size / 1e6);
    printf("latency us  p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f\n", p50, p90, p99, p999);
    if (option.pid_count)
        printf("server CPU  %.2f us per %s, %.0f %% of one CPU\n", us, unit,
               (double)cpu / 1e7 / elapsed);
    printf("verified    %llu messages, %llu bad bytes, %llu connections lost\n",
           (unsigned long long)messages, (unsigned long long)bad_bytes,
           (unsigned long long)lost_connections);
}

static void usage(void) {
    die("usage: load [--port N] [--conns N] [--size BYTES] [--pipeline N] [--seconds S] "
        "[--pid SERVER]... [--pin CPU] [--spread ADDRESSES] [--once] "
        "[--warm] [--terse]");
}

/* An option with a value; false if it is none. */
static bool parse_valued(const char *name, const char *value) {
    static const char *const names[] = {"--port", "--conns", "--size", "--pipeline", "--pin", "--spread"};
    int *const values[] = {&option.port,     &option.conns, &option.size,
                           &option.pipeline, &option.pin,   &option.spread};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(name, names[k]) == 0) {
            *values[k] = atoi(value);
            return true;
        }
    if (strcmp(name, "--seconds") == 0)
        option.seconds = atof(value);
    else if (strcmp(name, "--pid") == 0 && option.pid_count < PIDS_MAX)
        option.pids[option.pid_count++] = atoi(value);
    else
        return false;
    return true;
}

static void parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--terse") == 0)
            option.terse = true;
        else if (strcmp(argv[i], "--once") == 0)
            option.once = true;
        else if (strcmp(argv[i], "--warm") == 0)
            option.warm = true;
        else if (i + 1 < argc && parse_valued(argv[i], argv[i + 1]))
            i++;
        else
            usage();
    }
    if (option.once)
        option.pipeline = 1;
    if (option.conns < 1 || option.size < 1 || option.size > (int)PATTERN_SIZE ||
        option.pipeline < 1 || option.pipeline > PIPELINE_MAX || option.seconds <= 0 ||
        option.spread < 0 || option.spread > SPREAD_MAX)
        usage();
}

static void prepare(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (option.pin >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)option.pin, &set);
        if (sched_setaffinity(0, sizeof set, &set))
            die("--pin %d: %s", option.pin, strerror(errno));
    }
    uint64_t state = 88172645463325252u; /* xorshift64, always the same pattern */
    for (size_t i = 0; i < PATTERN_SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pattern[i] = pattern[i + PATTERN_SIZE] = (unsigned char)(state >> 32);
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    prepare();
    signal(SIGPIPE, SIG_IGN);
    open_all();
    if (option.warm && !option.once)
        warm_up();
    uint64_t cpu = cpu_ns();
    double elapsed = run();
    uint64_t counted = messages;
    cpu = cpu_ns() - cpu;
    drain();
    report(elapsed, counted, cpu);
    return bad_bytes || lost_connections || !counted ? 1 : 0;
}
