/* SPDX-License-Identifier: MIT */
/*
 * An echo server on Boost.Asio: one io_context run by one thread or by several (--threads), one buffer
 * per connection, the next read begun when the write is done, so that a connection needs no strand.
 * Sockets are bound to the io_context's own executor type: nothing is paid for any_io_executor.
 */
#include "echo_peer.h"
#include <boost/asio.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;

namespace {

class connection : public std::enable_shared_from_this<connection> {
  public:
    explicit connection(tcp_socket s) : socket(std::move(s)), buffer(new char[echo_size]) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
    }

    void receive() {
        auto self = shared_from_this();
        socket.async_read_some(asio::buffer(buffer.get(), echo_size),
                               [self](error_code error, std::size_t size) {
                                   if (!error)
                                       self->send(size);
                               });
    }

  private:
    void send(std::size_t size) {
        auto self = shared_from_this();
        asio::async_write(socket, asio::buffer(buffer.get(), size), [self](error_code error, std::size_t) {
            if (!error)
                self->receive();
        });
    }

    tcp_socket socket;
    std::unique_ptr<char[]> buffer;
};

void take_new(tcp_acceptor &acceptor) {
    acceptor.async_accept([&acceptor](error_code error, tcp_socket socket) {
        if (!error)
            std::make_shared<connection>(std::move(socket))->receive();
        take_new(acceptor);
    });
}

} // namespace

int main(int argc, char **argv) {
    parse_options(argc, argv);
    prepare_process();
    asio::io_context context(echo_threads); /* told that there is one thread, it leaves out its wakes */
    tcp_acceptor acceptor(context.get_executor());
    acceptor.assign(tcp::v4(), listen_anywhere(0));
    take_new(acceptor);
    std::vector<std::thread> threads;
    for (int i = 1; i < echo_threads; i++)
        threads.emplace_back([&context] { context.run(); });
    context.run();
    for (auto &thread : threads)
        thread.join();
    return 0;
}
