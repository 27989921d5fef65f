/* SPDX-License-Identifier: MIT */
/*
 * Socket options. Most numbers and values are Linux's and pass through; those whose shape or
 * meaning is Windows' (time-outs in milliseconds, linger, address sharing, the UPDATE_CONTEXT
 * family) are listed here. What a program sets on a stream is kept, to be set again on the
 * descriptor that AcceptEx or DisconnectEx puts in the socket's place.
 */
#include "io/sock.h"

#include "base/clock.h"
#include "base/status.h"
#include "io/accept.h"
#include "ntstatus.h"
#include "winerror.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* ---- values ---- */

/* Windows takes a BOOL of one byte too. */
static uint32_t read_int(const void *value, int32_t size, int *out)
{
    if (!value || size < 1)
        return status_from_wsa(WSAEFAULT);
    if (size >= (int32_t)sizeof *out)
        memcpy(out, value, sizeof *out);
    else
        *out = *(const unsigned char *)value;
    return STATUS_SUCCESS;
}

static uint32_t write_value(const void *from, size_t need, void *value, int32_t *size)
{
    if (!value || !size || *size < (int32_t)need)
        return status_from_wsa(WSAEFAULT);
    memcpy(value, from, need);
    *size = (int32_t)need;
    return STATUS_SUCCESS;
}

/* A BOOL option asked with less room than an int is answered with what fits: on or off. */
static uint32_t write_int(int from, void *value, int32_t *size)
{
    if (value && size && *size >= 1 && *size < (int32_t)sizeof from) {
        *(unsigned char *)value = (unsigned char)from;
        *size = 1;
        return STATUS_SUCCESS;
    }
    return write_value(&from, sizeof from, value, size);
}

/* ---- what was set ---- */

static struct sock_option *find_kept(struct sock *s, int level, int name)
{
    for (unsigned i = 0; s->options && i < s->options->count; i++)
        if (s->options->of[i].level == level && s->options->of[i].name == name)
            return &s->options->of[i];
    return NULL;
}

/* Room for one more; NULL: there are too many, or no memory. */
static struct sock_option *another_kept(struct sock *s)
{
    unsigned count = s->options ? s->options->count : 0;
    struct sock_options *more;

    if (count == SOCK_OPTIONS_MAX)
        return NULL;
    more = realloc(s->options, sizeof *more + (count + 1) * sizeof more->of[0]);
    if (!more)
        return NULL;
    s->options = more;
    more->count = count + 1;
    return &more->of[count];
}

static void keep_option(struct file *f, int level, int name, const void *value, uint32_t size)
{
    struct sock *s = sock_of(f);
    struct sock_option *o;

    if (!sock_is_stream(s) || size > SOCK_OPTION_SIZE)
        return;
    lock_acquire(&f->lock);
    o = find_kept(s, level, name);
    if (!o)
        o = another_kept(s);
    if (o) {
        o->level = level;
        o->name = name;
        o->size = size;
        memcpy(o->value, value, size);
    }
    lock_release(&f->lock);
}

void sock_replay_options(struct file *f)
{
    struct sock *s = sock_of(f);
    struct sock_option copy[SOCK_OPTIONS_MAX];
    unsigned count;

    lock_acquire(&f->lock);
    count = s->options ? s->options->count : 0;
    if (count)
        memcpy(copy, s->options->of, count * sizeof *copy);
    lock_release(&f->lock);
    for (unsigned i = 0; i < count; i++)
        setsockopt(f->fd, copy[i].level, copy[i].name, copy[i].value, copy[i].size);
}

static uint32_t set_kernel(struct file *f, int level, int name, const void *value, uint32_t size)
{
    if (setsockopt(f->fd, level, name, value, size) < 0)
        return status_from_errno_socket(errno);
    keep_option(f, level, name, value, size);
    return STATUS_SUCCESS;
}

/* ---- setting: SOL_SOCKET ---- */

static uint32_t set_linger(struct file *f, bool on, int seconds)
{
    struct linger l = {.l_onoff = on, .l_linger = seconds};

    return set_kernel(f, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

/*
 * SO_REUSEADDR on Windows: may share a port that is in use. Linux allows that to datagrams by the
 * option of this name, to streams by SO_REUSEPORT, if all that share it ask for it.
 */
static uint32_t set_sharing(struct file *f, bool reuse, int on)
{
    struct sock *s = sock_of(f);

    if (atomic_load(&s->bound) && !(f->flags & FILE_ADOPTED) && !reuse)
        return status_from_wsa(WSAEINVAL);
    if (on && atomic_load(reuse ? &s->exclusive : &s->reuse))
        return status_from_wsa(WSAEINVAL);
    if (!reuse) {
        atomic_store(&s->exclusive, on != 0);
        return STATUS_SUCCESS;
    }
    if (setsockopt(f->fd, SOL_SOCKET, sock_is_stream(s) ? SO_REUSEPORT : SO_REUSEADDR, &on, sizeof on) < 0)
        return status_from_errno_socket(errno);
    atomic_store(&s->reuse, on != 0);
    return STATUS_SUCCESS;
}

static uint32_t update_accept(struct file *f, const void *value, int32_t size)
{
    uint64_t listener = 0;

    if (!value || (size != 4 && size != 8))
        return status_from_wsa(WSAEFAULT);
    memcpy(&listener, value, (size_t)size);
    return accept_update(f, (uintptr_t)listener);
}

/* What Linux keeps as a struct timeval, or rather we keep ourselves. */
static bool set_timeout(struct sock *s, int name, int ms)
{
    if (name != SO_RCVTIMEO && name != SO_SNDTIMEO)
        return false;
    atomic_store(name == SO_RCVTIMEO ? &s->recv_ms : &s->send_ms, (uint32_t)ms);
    return true;
}

static uint32_t set_linger_pair(struct file *f, const void *value, int32_t size)
{
    uint16_t pair[2]; /* Windows' struct linger */

    if (!value || size < (int32_t)sizeof pair)
        return status_from_wsa(WSAEFAULT);
    memcpy(pair, value, sizeof pair);
    return set_linger(f, pair[0] != 0, pair[1]);
}

static uint32_t set_socket_option(struct file *f, int name, const void *value, int32_t size)
{
    struct sock *s = sock_of(f);
    uint32_t status;
    int number;

    if (name == SO_LINGER)
        return set_linger_pair(f, value, size);
    if (name == SOPT_UPDATE_ACCEPT_CONTEXT)
        return update_accept(f, value, size);
    if (name == SOPT_UPDATE_CONNECT_CONTEXT)
        return sock_require_connected(f);
    status = read_int(value, size, &number);
    if (status != STATUS_SUCCESS || set_timeout(s, name, number))
        return status;
    switch (name) {
    case SOPT_DONTLINGER:
        return number ? set_linger(f, false, 0) : (uint32_t)STATUS_SUCCESS;
    case SO_REUSEADDR:
        return set_sharing(f, true, number);
    case SOPT_EXCLUSIVEADDRUSE:
        return set_sharing(f, false, number);
    case SOPT_CONDITIONAL_ACCEPT:
        atomic_store(&s->conditional, number != 0);
        return STATUS_SUCCESS;
    case SO_ERROR:
    case SO_TYPE:
    case SO_ACCEPTCONN:
    case SOPT_CONNECT_TIME:
    case SOPT_MAX_MSG_SIZE:
        return status_from_wsa(WSAENOPROTOOPT); /* to be read only */
    default:
        return set_kernel(f, SOL_SOCKET, name, &number, sizeof number);
    }
}

/* ---- setting: the protocols ---- */

/* Windows' IP_MULTICAST_IF takes an address, or an interface's number as address 0.0.0.n. */
static uint32_t set_multicast_if(struct file *f, int number)
{
    struct ip_mreqn m;
    uint32_t index = ntohl((uint32_t)number);

    memset(&m, 0, sizeof m);
    if (index < 0x1000000)
        m.imr_ifindex = (int)index;
    else
        m.imr_address.s_addr = (uint32_t)number;
    return set_kernel(f, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m);
}

static uint32_t set_ip_option(struct file *f, int name, int number)
{
    switch (name) {
    case SOPT_IP_DONTFRAGMENT:
        number = number ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
        return set_kernel(f, IPPROTO_IP, IP_MTU_DISCOVER, &number, sizeof number);
    case IP_MULTICAST_IF:
        return set_multicast_if(f, number);
    default:
        return set_kernel(f, IPPROTO_IP, name, &number, sizeof number);
    }
}

/* Windows has one name for "tell me" and for the control data; Linux has a second one for the first. */
static int ipv6_name(int name)
{
    switch (name) {
    case IPV6_PKTINFO:
        return IPV6_RECVPKTINFO;
    case IPV6_HOPLIMIT:
        return IPV6_RECVHOPLIMIT;
    default:
        return name;
    }
}

static uint32_t set_tcp_option(struct file *f, int name, int number)
{
    if (name == SOPT_TCP_MAXRT) { /* seconds, -1 for ever; Linux: milliseconds, 0 for its default */
        number = number < 0 ? 0 : number > 2147483 ? 2147483647 : number * 1000;
        name = TCP_USER_TIMEOUT;
    }
    return set_kernel(f, IPPROTO_TCP, name, &number, sizeof number);
}

uint32_t sock_set_option(struct file *f, int level, int name, const void *value, int32_t size)
{
    uint32_t status;
    int number;

    if (level == SOL_SOCKET)
        return set_socket_option(f, name, value, size);
    if (!value || size < 1)
        return status_from_wsa(WSAEFAULT);
    if (size > (int32_t)sizeof number) { /* a structure: memberships and the like, as Linux has them */
        if (level == IPPROTO_IPV6)
            name = ipv6_name(name);
        return set_kernel(f, level, name, value, (uint32_t)size);
    }
    status = read_int(value, size, &number);
    if (status != STATUS_SUCCESS)
        return status;
    switch (level) {
    case IPPROTO_IP:
        return set_ip_option(f, name, number);
    case IPPROTO_IPV6:
        return set_kernel(f, level, ipv6_name(name), &number, sizeof number);
    case IPPROTO_TCP:
        return set_tcp_option(f, name, number);
    default:
        return set_kernel(f, level, name, &number, sizeof number);
    }
}

/* ---- asking ---- */

static uint32_t get_kernel(struct file *f, int level, int name, void *value, int32_t *size)
{
    unsigned char room[256];
    socklen_t len = sizeof room;
    int number;

    if (getsockopt(f->fd, level, name, room, &len) < 0)
        return status_from_errno_socket(errno);
    if (len != sizeof number)
        return write_value(room, len, value, size);
    memcpy(&number, room, sizeof number);
    return write_int(number, value, size);
}

static uint32_t get_linger(struct file *f, struct linger *l)
{
    socklen_t len = sizeof *l;

    return getsockopt(f->fd, SOL_SOCKET, SO_LINGER, l, &len) < 0 ? status_from_errno_socket(errno)
                                                                   : (uint32_t)STATUS_SUCCESS;
}

static uint32_t get_linger_pair(struct file *f, void *value, int32_t *size)
{
    struct linger l;
    uint32_t status = get_linger(f, &l);
    uint16_t pair[2];

    if (status != STATUS_SUCCESS)
        return status;
    pair[0] = (uint16_t)l.l_onoff;
    pair[1] = (uint16_t)l.l_linger;
    return write_value(pair, sizeof pair, value, size);
}

static uint32_t get_dontlinger(struct file *f, void *value, int32_t *size)
{
    struct linger l;
    uint32_t status = get_linger(f, &l);

    return status == STATUS_SUCCESS ? write_int(!l.l_onoff, value, size) : status;
}

static int connect_seconds(const struct sock *s)
{
    uint64_t since = atomic_load(&s->connected_ns);

    return since ? (int)((clock_now_ns() - since) / NS_PER_SEC) : -1;
}

/* The largest datagram of the family; a stream has none. */
static int max_message(const struct sock *s)
{
    if (s->type != SOCK_DGRAM)
        return 0;
    return s->family == AF_INET6 ? 65527 : 65507;
}

/* Linux tells twice what was asked for (its own share included); the program gets what it asked. */
static uint32_t get_buffer_size(struct file *f, int name, void *value, int32_t *size)
{
    struct sock *s = sock_of(f);
    struct sock_option *o;
    int number = 0;
    bool kept;

    lock_acquire(&f->lock);
    o = find_kept(s, SOL_SOCKET, name);
    kept = o != NULL;
    if (kept)
        memcpy(&number, o->value, sizeof number);
    lock_release(&f->lock);
    return kept ? write_int(number, value, size) : get_kernel(f, SOL_SOCKET, name, value, size);
}

/* Numbers: one byte of them says nothing. */
static bool is_number(int name)
{
    return name == SO_TYPE || name == SO_ERROR || name == SO_SNDBUF || name == SO_RCVBUF ||
           name == SO_SNDTIMEO || name == SO_RCVTIMEO || name == SOPT_CONNECT_TIME ||
           name == SOPT_MAX_MSG_SIZE;
}

static uint32_t get_socket_option(struct file *f, int name, void *value, int32_t *size)
{
    struct sock *s = sock_of(f);

    if (is_number(name) && (!size || *size < (int32_t)sizeof(int)))
        return status_from_wsa(WSAEFAULT);
    switch (name) {
    case SO_LINGER:
        return get_linger_pair(f, value, size);
    case SOPT_DONTLINGER:
        return get_dontlinger(f, value, size);
    case SO_RCVTIMEO:
        return write_int((int)atomic_load(&s->recv_ms), value, size);
    case SO_SNDTIMEO:
        return write_int((int)atomic_load(&s->send_ms), value, size);
    case SO_REUSEADDR:
        return write_int(atomic_load(&s->reuse), value, size);
    case SOPT_EXCLUSIVEADDRUSE:
        return write_int(atomic_load(&s->exclusive), value, size);
    case SOPT_CONDITIONAL_ACCEPT:
        return write_int(atomic_load(&s->conditional), value, size);
    case SO_ERROR:
        return write_int((int)status_to_wsa(status_from_errno_socket(sock_take_error(f))), value, size);
    case SOPT_CONNECT_TIME:
        return write_int(connect_seconds(s), value, size);
    case SOPT_MAX_MSG_SIZE:
        return write_int(max_message(s), value, size);
    case SO_SNDBUF:
    case SO_RCVBUF:
        return get_buffer_size(f, name, value, size);
    case SOPT_UPDATE_ACCEPT_CONTEXT:
    case SOPT_UPDATE_CONNECT_CONTEXT:
        return status_from_wsa(WSAENOPROTOOPT); /* to be set only */
    default:
        return get_kernel(f, SOL_SOCKET, name, value, size);
    }
}

static uint32_t get_dontfragment(struct file *f, void *value, int32_t *size)
{
    int mode = 0;
    socklen_t len = sizeof mode;

    if (getsockopt(f->fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, &len) < 0)
        return status_from_errno_socket(errno);
    return write_int(mode == IP_PMTUDISC_DO, value, size);
}

static uint32_t get_maxrt(struct file *f, void *value, int32_t *size)
{
    int ms = 0;
    socklen_t len = sizeof ms;

    if (getsockopt(f->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len) < 0)
        return status_from_errno_socket(errno);
    return write_int(ms ? ms / 1000 : -1, value, size);
}

uint32_t sock_get_option(struct file *f, int level, int name, void *value, int32_t *size)
{
    if (!value || !size || *size < 1)
        return status_from_wsa(WSAEFAULT);
    if (level == SOL_SOCKET)
        return get_socket_option(f, name, value, size);
    if (level == IPPROTO_IP && name == SOPT_IP_DONTFRAGMENT)
        return get_dontfragment(f, value, size);
    if (level == IPPROTO_TCP && name == SOPT_TCP_MAXRT)
        return get_maxrt(f, value, size);
    return get_kernel(f, level, level == IPPROTO_IPV6 ? ipv6_name(name) : name, value, size);
}

/* ---- ioctls ---- */

uint32_t sock_bytes_available(struct file *f, uint32_t *bytes)
{
    int n = 0;

    if (ioctl(f->fd, FIONREAD, &n) < 0)
        return status_from_errno_socket(errno);
    *bytes = n > 0 ? (uint32_t)n : 0;
    return STATUS_SUCCESS;
}

/* "No" only while urgent data lies ahead: Windows' question is whether all of it has been read. */
uint32_t sock_at_mark(struct file *f, uint32_t *yes)
{
    struct pollfd p = {.fd = f->fd, .events = POLLPRI};
    int at = 0;

    if (ioctl(f->fd, SIOCATMARK, &at) < 0)
        return status_from_errno_socket(errno);
    *yes = at || poll(&p, 1, 0) <= 0 || !(p.revents & POLLPRI);
    return STATUS_SUCCESS;
}

static int whole_seconds(uint32_t ms)
{
    uint32_t seconds = ms / 1000 + (ms % 1000 != 0);

    return seconds < 1 ? 1 : seconds > 32767 ? 32767 : (int)seconds;
}

uint32_t sock_keepalive(struct file *f, bool on, uint32_t idle_ms, uint32_t interval_ms)
{
    int enable = on;
    int idle = whole_seconds(idle_ms), interval = whole_seconds(interval_ms);
    uint32_t status = set_kernel(f, SOL_SOCKET, SO_KEEPALIVE, &enable, sizeof enable);

    if (status != STATUS_SUCCESS || !on)
        return status;
    status = set_kernel(f, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    if (status == STATUS_SUCCESS)
        status = set_kernel(f, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    return status;
}

uint32_t sock_report_resets(struct file *f, bool on)
{
    struct sock *s = sock_of(f);
    bool v6 = s->family == AF_INET6;
    int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int value = on;

    if (s->type != SOCK_DGRAM)
        return status_from_wsa(WSAEINVAL);
    if (setsockopt(f->fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, &value, sizeof value) < 0)
        return status_from_errno_socket(errno);
    if (!on)
        atomic_store(&s->reset_seen, false);
    return STATUS_SUCCESS;
}
