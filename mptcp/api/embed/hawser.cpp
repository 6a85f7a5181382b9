#include "mptcp/api/hawser.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "mptcp/api/embed/instance.hpp"
#include "mptcp/api/embed/sockaddr.hpp"

using mptcp::api::embed::Instance;
using mptcp::api::embed::Socket;
namespace embed = mptcp::api::embed;

namespace {

constexpr int kMptcp = 262;  // IPPROTO_MPTCP; older C libraries do not name it.
/// hawser_config of version 1.
constexpr std::size_t kLeastConfig = sizeof(hawser_config);

/// Calls `f` with a socket, or says that there is none.
template <class F>
auto with_socket(hawser* instance, int number, F&& f) -> decltype(f(std::declval<Socket&>())) {
  Socket* const socket = instance->sockets().find(number);
  if (socket == nullptr) return -EBADF;
  return f(*socket);
}

}  // namespace

extern "C" {

unsigned hawser_version(void) { return HAWSER_API_VERSION; }

int hawser_open(const hawser_config* config, hawser** out) {
  if (config == nullptr || out == nullptr || config->size < kLeastConfig) return -EINVAL;
  auto core = Instance::core_config(*config);
  if (!core) return -EINVAL;
  *out = std::make_unique<hawser>(*config, std::move(*core)).release();
  return 0;
}

void hawser_free(hawser* instance) { const std::unique_ptr<hawser> last(instance); }

void hawser_set_now(hawser* instance, uint64_t nanoseconds) { instance->set_now(nanoseconds); }
uint64_t hawser_next_deadline(const hawser* instance) { return instance->next_deadline(); }
void hawser_run(hawser* instance) { instance->run(); }

int hawser_input(hawser* instance, const void* packet, size_t length) {
  return instance->input({static_cast<const std::byte*>(packet), length});
}

ssize_t hawser_command(hawser* instance, const char* line, char* answer, size_t size) {
  std::string text;
  const int result = instance->command(line, text);
  if (result != 0) return result;
  if (size != 0) {
    const std::size_t length = std::min(text.size(), size - 1);
    std::memcpy(answer, text.data(), length);
    answer[length] = '\0';
  }
  return static_cast<ssize_t>(text.size());
}

int hawser_socket(hawser* instance, int family, int type, int protocol) {
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (kind < 0 || kind > SOCK_PACKET) return -EINVAL;
  if (kind != SOCK_STREAM) return -ESOCKTNOSUPPORT;
  if (protocol < 0 || protocol > kMptcp) return -EINVAL;
  if (protocol != 0 && protocol != IPPROTO_TCP && protocol != kMptcp) return -EPROTONOSUPPORT;
  const int number = instance->sockets().open(family, protocol == kMptcp);
  instance->sockets().find(number)->non_blocking = (type & SOCK_NONBLOCK) != 0;
  return number;
}

int hawser_close(hawser* instance, int socket) { return instance->sockets().close(socket); }

int hawser_bind(hawser* instance, int number, const sockaddr* address, socklen_t length) {
  return with_socket(instance, number, [&](Socket& socket) {
    mptcp::Endpoint local;
    const int result = embed::read_sockaddr(socket.family(), address, length, local);
    return result != 0 ? result : instance->sockets().bind(socket, local);
  });
}

int hawser_listen(hawser* instance, int number, int backlog) {
  return with_socket(instance, number,
                     [&](Socket& socket) { return instance->sockets().listen(socket, backlog); });
}

int hawser_accept4(hawser* instance, int number, sockaddr* address, socklen_t* length, int flags) {
  if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return -EINVAL;
  return with_socket(instance, number, [&](Socket& listener) {
    const int accepted = instance->sockets().accept(listener);
    if (accepted < 0) return accepted;
    Socket& socket = *instance->sockets().find(accepted);
    socket.non_blocking = (flags & SOCK_NONBLOCK) != 0;
    embed::write_sockaddr(socket.family(), socket.remote(), address, length);
    return accepted;
  });
}

int hawser_accept(hawser* instance, int number, sockaddr* address, socklen_t* length) {
  return hawser_accept4(instance, number, address, length, 0);
}

int hawser_connect(hawser* instance, int number, const sockaddr* address, socklen_t length) {
  return with_socket(instance, number, [&](Socket& socket) {
    if (length < sizeof address->sa_family) return -EINVAL;
    if (address->sa_family == AF_UNSPEC) return instance->sockets().disconnect(socket);
    mptcp::Endpoint remote;
    const int result = embed::read_sockaddr(socket.family(), address, length, remote);
    if (result != 0 && !socket.is_connect_open()) return result;
    return instance->sockets().connect(socket, remote);
  });
}

int hawser_shutdown(hawser* instance, int number, int how) {
  return with_socket(instance, number,
                     [&](Socket& socket) { return instance->sockets().shutdown(socket, how); });
}

int hawser_getsockname(hawser* instance, int number, sockaddr* address, socklen_t* length) {
  return with_socket(instance, number, [&](Socket& socket) {
    mptcp::Endpoint local = socket.local();
    if (!socket.has_port()) local = {embed::any_address(socket.family()), 0};
    embed::write_sockaddr(socket.family(), local, address, length);
    return 0;
  });
}

int hawser_getpeername(hawser* instance, int number, sockaddr* address, socklen_t* length) {
  return with_socket(instance, number, [&](Socket& socket) {
    if (socket.state() != Socket::State::Connected) return -ENOTCONN;
    embed::write_sockaddr(socket.family(), socket.remote(), address, length);
    return 0;
  });
}

int hawser_setsockopt(hawser* instance, int number, int level, int name, const void* value,
                      socklen_t length) {
  return with_socket(instance, number, [&](Socket& socket) {
    return socket.set_option(level, name, {static_cast<const std::byte*>(value), length});
  });
}

int hawser_getsockopt(hawser* instance, int number, int level, int name, void* value,
                      socklen_t* length) {
  return with_socket(instance, number, [&](Socket& socket) {
    const int result = socket.option(level, name, {static_cast<std::byte*>(value), *length});
    if (result < 0) return result;
    *length = static_cast<socklen_t>(result);
    return 0;
  });
}

int hawser_poll(hawser* instance, pollfd* sockets, nfds_t count) {
  int told = 0;
  for (pollfd& each : std::span(sockets, count)) {
    each.revents = 0;
    if (each.fd < 0) continue;
    Socket* const socket = instance->sockets().find(each.fd);
    const int wanted = each.events | POLLERR | POLLHUP;
    each.revents =
        socket == nullptr ? short{POLLNVAL} : static_cast<short>(socket->poll() & wanted);
    if (each.revents != 0) ++told;
  }
  return told;
}

int hawser_fcntl(hawser* instance, int number, int command, int argument) {
  return with_socket(instance, number, [&](Socket& socket) {
    switch (command) {
      case F_GETFL:
        return O_RDWR | (socket.non_blocking ? O_NONBLOCK : 0);
      case F_SETFL:
        socket.non_blocking = (argument & O_NONBLOCK) != 0;
        return 0;
      case F_GETFD:
      case F_SETFD:
        return 0;
      default:
        return -EINVAL;
    }
  });
}

}  // extern "C"
