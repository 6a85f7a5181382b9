#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "mptcp/core.hpp"
#include "test/lab/timeline.hpp"

namespace lab {

class Machine;

/// One connection: who sends how much to whom, from when on.
struct FlowPlan {
  Machine* from = nullptr;  ///< Sends, and opens the connection unless it is a download.
  Machine* to = nullptr;
  bool download = false;
  std::size_t port = 0;  ///< Of both machines, for the first subflow.
  Duration start{};
  std::uint64_t octets = 0;       ///< 0: for ever.
  std::uint64_t rate_bps = 0;     ///< What the application writes; 0: as much as it can.
  std::uint32_t chunk = 1 << 16;  ///< Octets that it writes at a time when it has a rate.
  bool multipath = false;
  dataplane::tcp::Config tcp;
  mptcp::Config mptcp;
};

/// A flow and what became of it.
class Flow {
 public:
  Flow(const FlowPlan& plan, std::uint16_t tcp_port) : plan_(plan), tcp_port_(tcp_port) {}

  const FlowPlan& plan() const { return plan_; }
  std::uint16_t tcp_port() const { return tcp_port_; }
  Instant starts_at() const { return kStart + plan_.start; }

  /// Octets that the receiver's application has read.
  std::uint64_t received() const { return received_; }
  /// The same, up to a time.
  std::uint64_t received_until(Instant at) const;
  /// Payload between two times after the start of the run, bits per second.
  double rate_between(Duration from, Duration until) const;
  /// From its start until the last octet was read; zero: not over.
  Duration completion() const {
    return ended_at_ == kNever ? Duration{0} : ended_at_ - starts_at();
  }
  bool is_over() const { return plan_.octets == 0 || ended_at_ != kNever; }
  /// What the sender's engine says of it.
  mptcp::SocketInfo info() const;
  /// For a flow with a rate: how long its octets took from the write to the read, each chunk once.
  const std::vector<Duration>& delays() const { return delays_; }
  /// The longest time without an octet, of those that began after `from` and before `until`.
  Duration longest_silence(Duration from, Duration until = 24h) const;

  // The sender's application.
  void on_connected(mptcp::Core& core, mptcp::SocketId socket);
  void on_closed() { socket_open_ = false; }
  /// Writes what there is room for; when it wants to write next without an event.
  Instant write(Instant now);
  bool is_open() const { return socket_open_; }
  mptcp::SocketId socket() const { return socket_; }
  // The receiver's.
  void read(Instant now, mptcp::Core& core, mptcp::SocketId socket);

 private:
  static constexpr Duration kBucket = 10ms;

  std::uint64_t allowed(Instant now) const;
  void note_arrival(Instant now, std::uint64_t octets);

  FlowPlan plan_;
  std::uint16_t tcp_port_;
  mptcp::Core* core_ = nullptr;
  mptcp::SocketId socket_{};
  bool socket_open_ = false;
  bool shut_down_ = false;
  Instant connected_at_ = kNever;
  std::uint64_t written_ = 0;
  std::uint64_t received_ = 0;
  Instant ended_at_ = kNever;
  Instant last_arrival_ = kStart;
  struct Silence {
    Instant begin;
    Duration length;
  };
  std::vector<Silence> silences_;       ///< Longer than kBucket.
  std::vector<std::uint64_t> buckets_;  ///< Received, in each kBucket since kStart.
  std::vector<Instant> chunk_written_;  ///< With a rate: when each chunk was due.
  std::vector<Duration> delays_;
};

}  // namespace lab
