/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libuv: one loop, one buffer per connection, uv_try_write first and a queued write for
 * what is left, as a libuv program that cares for speed has it.
 */
#include "echo_peer.h"
#include <uv.h>

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    char buffer[]; /* echo_size */
};

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *c = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(c->buffer, (unsigned)echo_size);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_written(uv_write_t *write, int status) {
    struct connection *c = write->data;
    if (status < 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    else
        uv_read_start((uv_stream_t *)&c->tcp, on_buffer, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
    struct connection *c = stream->data;
    if (size == 0)
        return;
    if (size < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    uv_buf_t out = uv_buf_init(buffer->base, (unsigned)size);
    int sent = uv_try_write(stream, &out, 1);
    if (sent == size)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    if (sent > 0) {
        out.base += sent;
        out.len -= (size_t)sent;
    }
    uv_read_stop(stream); /* the one buffer is taken until the rest is out */
    c->write.data = c;
    if (uv_write(&c->write, stream, &out, 1, on_written))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connection(uv_stream_t *listener, int status) {
    if (status < 0)
        return;
    struct connection *c = calloc(1, sizeof *c + echo_size);
    if (!c)
        die("calloc", errno);
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp)) {
        uv_close((uv_handle_t *)&c->tcp, on_closed);
        return;
    }
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_buffer, on_read);
}

int main(int argc, char **argv) {
    uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    parse_options(argc, argv);
    prepare_process();
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    int error = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (!error)
        error = uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection);
    if (!error)
        error = uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size);
    if (error)
        die("uv_listen", -error);
    announce(ntohs(address.sin_port));
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
