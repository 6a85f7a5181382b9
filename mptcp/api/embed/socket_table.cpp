#include "mptcp/api/embed/socket_table.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include "mptcp/api/embed/sockaddr.hpp"

namespace mptcp::api::embed {
namespace {

/// Numbers below are those of a process's standard streams, which a caller may mix up with ours.
constexpr int kFirstNumber = 3;
/// net.ipv4.ip_local_port_range of Linux.
constexpr std::uint32_t kFirstPort = 32'768;
constexpr std::uint32_t kPorts = 60'999 - kFirstPort + 1;

/// Whether a packet could be for both, as sockets of these kinds are bound.
bool overlap(const Socket& a, const Endpoint& at, const Socket& b, const Endpoint& bt) {
  if (at.port != bt.port) return false;
  if (at.address == bt.address) return true;
  const auto takes = [](const Socket& socket, const dataplane::IpAddress& bound,
                        const dataplane::IpAddress& other) {
    if (!bound.is_unspecified()) return false;
    if (bound.is_v4()) return other.is_v4();
    return !other.is_v4() || !socket.is_v6_only();
  };
  return takes(a, at.address, bt.address) || takes(b, bt.address, at.address);
}

}  // namespace

int SocketTable::open(int family, bool multipath) {
  auto free = std::find(sockets_.begin(), sockets_.end(), nullptr);
  if (free == sockets_.end()) free = sockets_.emplace(free);
  *free = std::make_unique<Socket>(node_, family, multipath);
  return static_cast<int>(free - sockets_.begin()) + kFirstNumber;
}

Socket* SocketTable::find(int number) {
  const auto index = static_cast<std::size_t>(number) - kFirstNumber;
  return number >= kFirstNumber && index < sockets_.size() ? sockets_[index].get() : nullptr;
}

int SocketTable::number_of(const Socket& socket) const {
  const auto at = std::find_if(sockets_.begin(), sockets_.end(),
                               [&](const auto& each) { return each.get() == &socket; });
  return static_cast<int>(at - sockets_.begin()) + kFirstNumber;
}

void SocketTable::remember(int number) {
  for (const SocketId id : find(number)->ids())
    numbers_[static_cast<std::uint64_t>(id)] = number;
}

void SocketTable::forget(const Socket& socket) {
  for (const SocketId id : socket.ids())
    numbers_.erase(static_cast<std::uint64_t>(id));
}

int SocketTable::close(int number) {
  Socket* const socket = find(number);
  if (socket == nullptr) return -EBADF;
  forget(*socket);
  sockets_[static_cast<std::size_t>(number - kFirstNumber)].reset();
  return 0;
}

bool SocketTable::conflicts(const Socket& socket, const Endpoint& local) const {
  return std::any_of(sockets_.begin(), sockets_.end(), [&](const auto& other) {
    if (other == nullptr || other.get() == &socket || !other->has_port()) return false;
    if (!overlap(socket, local, *other, other->local())) return false;
    const bool reused = socket.reuses_address() && other->reuses_address() &&
                        other->state() != Socket::State::Listening;
    return !reused && !(socket.reuses_port() && other->reuses_port());
  });
}

int SocketTable::choose_port(const Socket& socket, Endpoint& local) {
  const std::uint64_t start = node_.rng.next();
  for (std::uint32_t i = 0; i < kPorts; ++i) {
    local.port = static_cast<std::uint16_t>(kFirstPort + (start + i) % kPorts);
    if (!conflicts(socket, local)) return 0;
  }
  return -EADDRINUSE;
}

int SocketTable::bind(Socket& socket, const Endpoint& local) {
  if (socket.state() != Socket::State::Closed || socket.has_port()) return -EINVAL;
  const bool v4_only = socket.is_v6_only() && local.address.is_v4() && socket.family() == AF_INET6;
  if (v4_only) return -EINVAL;
  if (!local.address.is_unspecified() && !node_.core.host().is_local(local.address))
    return -EADDRNOTAVAIL;
  Endpoint chosen = local;
  if (local.port == 0) {
    if (const int result = choose_port(socket, chosen); result != 0) return result;
  } else if (conflicts(socket, local)) {
    return -EADDRINUSE;
  }
  socket.bind_to(chosen);
  return 0;
}

int SocketTable::listen(Socket& socket, int backlog) {
  if (socket.state() == Socket::State::Closed && !socket.is_connect_open()) {
    if (!socket.has_port()) {
      const int result = bind(socket, {any_address(socket.family()), 0});
      if (result != 0) return result;
    } else if (conflicts(socket, socket.local())) {
      return -EADDRINUSE;
    }
  }
  const int result = socket.listen(backlog);
  if (result == 0) remember(number_of(socket));
  return result;
}

int SocketTable::connect(Socket& socket, const Endpoint& remote) {
  const int result = socket.connect(remote);
  if (result == -EINPROGRESS) remember(number_of(socket));
  return result;
}

int SocketTable::accept(Socket& listener) {
  if (listener.state() != Socket::State::Listening) return -EINVAL;
  const auto id = listener.accept();
  if (!id) return -EAGAIN;
  const int number = open(listener.family(), listener.is_multipath());
  find(number)->adopt(listener, *id);
  remember(number);
  accepted_.push_back(number);
  return number;
}

int SocketTable::disconnect(Socket& socket) {
  forget(socket);
  return socket.disconnect();
}

int SocketTable::shutdown(Socket& socket, int how) {
  const std::vector<SocketId> ids(socket.ids().begin(), socket.ids().end());
  const int result = socket.shutdown(how);
  if (socket.ids().empty())
    for (const SocketId id : ids)
      numbers_.erase(static_cast<std::uint64_t>(id));
  return result;
}

void SocketTable::uncork(Instant now) {
  if (node_.corked == 0) return;
  for (const auto& socket : sockets_)
    if (socket != nullptr) socket->uncork_by(now);
}

Instant SocketTable::next_deadline() const {
  Instant next = dataplane::kNever;
  if (node_.corked == 0) return next;
  for (const auto& socket : sockets_)
    if (socket != nullptr) next = std::min(next, socket->uncork_at());
  return next;
}

bool SocketTable::has_marks() const {
  return std::any_of(sockets_.begin(), sockets_.end(), [](const auto& socket) {
    return socket != nullptr && (socket->mark(true) || socket->mark(false));
  });
}

std::optional<PacketMark> SocketTable::mark_of(const dataplane::FourTuple& tuple) const {
  for (const auto& socket : sockets_) {
    if (socket == nullptr || socket->ids().empty()) continue;
    const auto mark = socket->mark(tuple.local.address.is_v4());
    if (!mark) continue;
    // What answers a SYN has the marks of the listener.
    const bool listening = socket->state() == Socket::State::Listening;
    if (listening ? socket->local().port == tuple.local.port : socket->carries(tuple)) return mark;
  }
  return std::nullopt;
}

Socket* SocketTable::socket_of(const Event& event) {
  const auto at = numbers_.find(static_cast<std::uint64_t>(event.socket));
  return at == numbers_.end() ? nullptr : find(at->second);
}

int SocketTable::on_event(const Event& event) {
  const auto at = numbers_.find(static_cast<std::uint64_t>(event.socket));
  if (at == numbers_.end()) return -1;
  return find(at->second)->on_event(event) ? at->second : -1;
}

}  // namespace mptcp::api::embed
