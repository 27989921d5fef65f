/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libevent: one base, one bufferevent per connection, what came is moved (not copied)
 * from its input to its output, as libevent's own manual does it. The buffers are libevent's; --buffer
 * only raises what it may read at once, and libevent 2.1 takes at most 4 KiB all the same.
 */
#include "echo_peer.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void on_read(struct bufferevent *connection, void *argument) {
    (void)argument;
    if (bufferevent_write_buffer(connection, bufferevent_get_input(connection)))
        bufferevent_free(connection);
}

static void on_event(struct bufferevent *connection, short what, void *argument) {
    (void)argument;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                          int size, void *argument) {
    struct event_base *base = evconnlistener_get_base(listener);
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    (void)address;
    (void)size;
    (void)argument;
    if (!connection)
        die("bufferevent_socket_new", ENOMEM);
    no_delay(fd);
    bufferevent_set_max_single_read(connection, echo_size);
    bufferevent_setcb(connection, on_read, NULL, on_event, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    prepare_process();
    struct event_base *base = event_base_new();
    if (!base)
        die("event_base_new", ENOMEM);
    int fd = listen_anywhere(SOCK_NONBLOCK);
    struct evconnlistener *listener =
        evconnlistener_new(base, on_connection, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!listener)
        die("evconnlistener_new", ENOMEM);
    return event_base_dispatch(base) ? 1 : 0;
}
