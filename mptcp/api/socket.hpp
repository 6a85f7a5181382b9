#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "mptcp/core.hpp"

namespace mptcp::api {

/// The sole owner of one socket of a core: non-blocking calls, closed on destruction. For use on
/// the core's thread only.
///
/// `clock` is where the owner keeps the time of the turn; it and the core outlive the socket.
class Socket {
 public:
  Socket() = default;
  Socket(Core& core, const Instant& clock, SocketId id) : core_(&core), clock_(&clock), id_(id) {}
  Socket(Socket&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), clock_(other.clock_), id_(other.id_) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      core_ = std::exchange(other.core_, nullptr);
      clock_ = other.clock_;
      id_ = other.id_;
    }
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  /// Whether it owns a socket. The calls below need one.
  explicit operator bool() const { return core_ != nullptr; }
  SocketId id() const { return id_; }

  /// As Core::write, read, read_packet, shutdown.
  std::size_t write(ByteSpan octets) { return core_->write(*clock_, id_, octets); }
  std::size_t read(MutableByteSpan out) { return core_->read(*clock_, id_, out); }
  Packet read_packet() { return core_->read_packet(*clock_, id_); }
  void shutdown() { core_->shutdown(*clock_, id_); }
  /// As Core::close and abort; does nothing when it owns none.
  void close() {
    if (Core* const core = std::exchange(core_, nullptr)) core->close(*clock_, id_);
  }
  void abort() {
    if (Core* const core = std::exchange(core_, nullptr)) core->abort(*clock_, id_);
  }

  std::optional<SocketId> accept() { return core_->accept(id_); }
  SocketResult<void> command(const PathCommand& command) {
    return core_->command(*clock_, id_, command);
  }
  std::optional<PathChange> next_path_change() { return core_->next_path_change(id_); }
  std::optional<SocketInfo> info() const { return core_->info(id_); }
  std::size_t writable() const { return core_->writable(id_); }
  std::size_t readable() const { return core_->readable(id_); }
  bool at_end_of_stream() const { return core_->at_end_of_stream(id_); }

 private:
  Core* core_ = nullptr;
  const Instant* clock_ = nullptr;
  SocketId id_{};
};

}  // namespace mptcp::api
