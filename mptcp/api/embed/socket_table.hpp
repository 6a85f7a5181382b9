#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mptcp/api/embed/socket.hpp"

namespace mptcp::api::embed {

/// The sockets of an instance by their numbers, and who has which port.
class SocketTable {
 public:
  explicit SocketTable(Node& node) : node_(node) {}

  /// The number of a new socket.
  int open(int family, bool multipath);
  /// nullptr: there is none, which is -EBADF.
  Socket* find(int number);
  int close(int number);
  int bind(Socket& socket, const Endpoint& local);
  /// Binds to a free port where none was chosen, as listen() does.
  int listen(Socket& socket, int backlog);
  int connect(Socket& socket, const Endpoint& remote);
  /// The number of an accepted connection, or -EAGAIN or -EINVAL.
  int accept(Socket& listener);
  int disconnect(Socket& socket);
  int shutdown(Socket& socket, int how);

  /// Gives a socket what the core tells of it; its number, or -1 if nobody cares.
  int on_event(const Event& event);
  /// The socket that an event is for, or nullptr.
  Socket* socket_of(const Event& event);
  template <class F>
  void for_each(F&& visit) {
    for (const auto& socket : sockets_)
      if (socket != nullptr) visit(*socket);
  }

  /// Accepted sockets that nobody was told of yet: what happened before went by unheard.
  std::vector<int> take_accepted() { return std::exchange(accepted_, {}); }
  bool has_accepted() const { return !accepted_.empty(); }

  /// Sends what corks have held back for long enough.
  void uncork(Instant now);
  Instant next_deadline() const;
  /// Whether any socket wants something in its IP headers, and what the one of a packet wants.
  bool has_marks() const;
  std::optional<PacketMark> mark_of(const dataplane::FourTuple& tuple) const;

 private:
  bool conflicts(const Socket& socket, const Endpoint& local) const;
  int choose_port(const Socket& socket, Endpoint& local);
  void remember(int number);
  void forget(const Socket& socket);
  int number_of(const Socket& socket) const;

  Node& node_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<int> accepted_;
  std::unordered_map<std::uint64_t, int> numbers_;  ///< Of what the core has, by SocketId.
};

}  // namespace mptcp::api::embed
