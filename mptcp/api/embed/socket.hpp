#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>
#include <vector>

#include "mptcp/api/embed/node.hpp"
#include "mptcp/api/embed/option_table.hpp"

namespace mptcp::api::embed {

/// What a socket wants in the IP headers of its packets.
struct PacketMark {
  int traffic_class;  ///< Without the two bits of ECN.
  int hop_limit;
  friend bool operator==(const PacketMark&, const PacketMark&) = default;
};

/// A socket as Linux has it: what the core knows as a listener or a connection, and around it the
/// states and errors that a program sees. Calls return what hawser.h says: a negative errno value,
/// or a result that is none.
class Socket {
 public:
  /// sk_state of Linux, as far as a program can tell the states apart.
  enum class State : std::uint8_t { Closed, Listening, Connecting, Connected };

  Socket(Node& node, int family, bool multipath)
      : node_(&node), family_(family), multipath_(multipath) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  // What a program calls. Binding needs a look at the other sockets: SocketTable does it.
  void bind_to(const Endpoint& local) {
    bound_ = local_ = local;
    is_bound_ = true;
  }
  int listen(int backlog);
  int connect(const Endpoint& remote);
  int disconnect();
  int shutdown(int how);
  ssize_t receive(std::span<const iovec> parts, int flags);
  ssize_t send(std::span<const iovec> parts, int flags);
  /// The next connection of a listening socket, or nothing.
  std::optional<SocketId> accept();
  /// Makes this the socket of a connection that `listener` accepted.
  void adopt(const Socket& listener, SocketId id);
  short poll();
  int set_option(int level, int name, dataplane::ByteSpan value);
  /// Writes at most `out` and returns how much, or a negative errno value.
  int option(int level, int name, dataplane::MutableByteSpan out);
  int take_error() { return std::exchange(error_, 0); }

  /// What the core tells of it. Returns false when that is nothing to tell a program of.
  bool on_event(const Event& event);

  // What it is.
  State state() const { return state_; }
  int family() const { return family_; }
  bool is_multipath() const { return multipath_; }
  bool is_connect_open() const { return phase_ != Phase::Unconnected; }
  bool has_port() const { return local_.port != 0; }
  bool was_bound() const { return is_bound_; }
  const Endpoint& local() const { return local_; }
  const Endpoint& remote() const { return remote_; }
  /// Names of what the core holds for it: one, or for a listener some, or none.
  std::span<const SocketId> ids() const { return ids_; }
  std::size_t unread() const;
  std::uint64_t unacknowledged() const;
  std::uint64_t unsent() const;
  bool reuses_address() const { return kept(SOL_SOCKET, SO_REUSEADDR) != 0; }
  bool reuses_port() const { return kept(SOL_SOCKET, SO_REUSEPORT) != 0; }
  bool is_v6_only() const { return kept(IPPROTO_IPV6, IPV6_V6ONLY) != 0; }
  Core& core() const { return node_->core; }
  /// Nothing: its packets are as the engine makes them.
  std::optional<PacketMark> mark(bool v4) const;
  /// Whether it is the tuple of its connection, or of a subflow of it.
  bool carries(const dataplane::FourTuple& tuple) const;
  /// Sends what a cork holds back, when its time is over.
  void uncork_by(Instant now);
  Instant uncork_at() const { return uncork_at_; }

  bool non_blocking = false;

  /// What the endpoints' path manager has done for its connection.
  struct Paths {
    std::vector<std::uint8_t> used;  ///< Ids of endpoints.
    std::size_t accepted = 0;        ///< Addresses of the peer that were joined.
  };
  Paths paths;

 private:
  /// socket->state of Linux (SS_...): how far connect() has come.
  enum class Phase : std::uint8_t { Unconnected, Connecting, Connected };

  SocketId id() const { return ids_.front(); }
  int finish_connect(int when_open);
  void let_go();
  bool is_read_shut() const;
  std::size_t take(std::span<const iovec> parts, int flags);
  std::size_t take_peeked(std::span<std::byte> out, bool keep, std::size_t from);
  void fill_peeked(std::size_t octets);
  ssize_t why_nothing(std::size_t asked);
  std::size_t write(std::span<const iovec> parts);
  std::size_t write_corked(std::span<const iovec> parts, bool more);
  void uncork();
  void drop_corked();
  void hold(bool anything);
  int kept(int level, int name) const;
  bool was_set(int level, int name) const;
  int set_by_rule(int level, int name, dataplane::ByteSpan value);
  int set_number(const OptionRule& rule, int number);
  int set_linger(dataplane::ByteSpan value);
  int set_timeout(std::size_t which, dataplane::ByteSpan value);
  int set_congestion(dataplane::ByteSpan value);
  int told_number(const OptionRule& rule);
  int told_of_socket(const OptionRule& rule);
  int mptcp_option(int name, dataplane::MutableByteSpan out) const;
  dataplane::tcp::Config tcp_config() const;
  int listen_on(const dataplane::IpAddress& address);
  int listen_on_each_v6();

  Node* node_;
  int family_;
  bool multipath_;
  State state_ = State::Closed;
  Phase phase_ = Phase::Unconnected;
  bool is_bound_ = false;
  bool read_shut_ = false;   ///< By us or by the peer's FIN.
  bool write_shut_ = false;  ///< By us, or the connection is over.
  int error_ = 0;            ///< SO_ERROR, positive.
  Endpoint bound_;           ///< As bind() said, for what a disconnect() leaves.
  Endpoint local_;
  Endpoint remote_;
  std::vector<SocketId> ids_;
  std::optional<SocketId> accepted_;  ///< Taken from the core by a poll(), for accept().
  std::vector<std::byte> peeked_;     ///< Taken from the core for MSG_PEEK, to be read first.
  std::uint64_t written_ = 0;
  std::vector<std::byte> corked_;  ///< Written, and held back until there is a segment full.
  Instant uncork_at_ = dataplane::kNever;

  // Options.
  std::map<std::pair<int, int>, int> kept_;  ///< By level and name.
  std::optional<cc::Kind> congestion_;
  bool linger_on_ = false;
  int linger_seconds_ = 0;
  std::array<timeval, 2> timeouts_{};  ///< SO_RCVTIMEO, SO_SNDTIMEO: kept, as nothing waits.
};

/// Octets in all parts.
std::size_t total_of(std::span<const iovec> parts);

}  // namespace mptcp::api::embed
