// SPDX-License-Identifier: MIT
// C++ of its own that uses Winsock's names for other things, as it may on Windows.
#define NOMINMAX
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace net {
class connection {
public:
    explicit connection(SOCKET s) : socket_(s) {}
    int send(const std::string &text) { return ::send(socket_, text.data(), static_cast<int>(text.size()), 0); }
    int recv(char *data, int size) { return ::recv(socket_, data, size, 0); }
    bool connect(const sockaddr *address, int length) { return ::connect(socket_, address, length) == 0; }
    bool bind(const sockaddr *address, int length) { return ::bind(socket_, address, length) == 0; }
    bool listen() { return ::listen(socket_, SOMAXCONN) == 0; }
    connection accept() { return connection(::accept(socket_, nullptr, nullptr)); }
    void shutdown() { ::shutdown(socket_, SD_BOTH); }
    int socket() const { return static_cast<int>(socket_); }
    void close() { ::closesocket(socket_); }
    int select(int which) { return which; }
    HANDLE handle() const { return reinterpret_cast<HANDLE>(socket_); }

private:
    SOCKET socket_;
};
struct message {
    int send, recv, bind, accept, connect, listen;
};
} // namespace net

static int twice(int value, int by) { return value * by; }

struct context : OVERLAPPED {
    context() : OVERLAPPED() {}
    int operation = 0;
};

int main()
{
    using namespace std;
    using namespace std::placeholders;
    net::connection c(INVALID_SOCKET);
    auto sender = std::bind(&net::connection::send, &c, _1);
    auto plain = bind(twice, _1, 3); // std::bind, beside ::bind
    auto pointer = &net::connection::connect;
    LPFN_ACCEPTEX accept_ex = &AcceptEx;
    std::function<int(SOCKET, const char *, int, int)> function = ::send;
    unique_ptr<context> operation(new context);
    OVERLAPPED *overlapped = operation.get();
    static_assert(INVALID_SOCKET == static_cast<SOCKET>(~0), "a constant");
    std::thread thread([] { Sleep(0); });
    fd_set set;

    FD_ZERO(&set);
    thread.join();
    cout << std::min(1, 2) << (std::max)(1, 2) << numeric_limits<int>::max() << sender("x") << plain(2)
         << (c.*pointer)(nullptr, 0) << (accept_ex != nullptr) << c.select(1) << c.send("y");
    return static_cast<context *>(overlapped)->operation + static_cast<int>(function != nullptr);
}
