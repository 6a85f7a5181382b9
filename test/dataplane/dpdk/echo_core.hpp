#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/dpdk/platform.hpp"
#include "dataplane/net/host.hpp"

namespace dataplane::dpdk::test {

/// Stands in for an engine: counts frames, sends those back that ask for it, and gives those away
/// that another core owns.
///
/// A frame is a MAC header and then one octet: what to do with it.
class EchoCore {
 public:
  static constexpr std::byte kEcho{1};
  static constexpr std::byte kKeep{2};
  static constexpr std::byte kForAll{3};
  /// From here on: for the core of this number minus kForCore.
  static constexpr std::byte kForCore{16};
  static constexpr std::uint32_t kActionAt = 14;

  struct Foreign {
    std::uint16_t owner;
    PortIndex port;
    Packet frame;
  };

  EchoCore(const CoreSeat& seat, PacketPool& pool) : seat_(seat), pool_(pool) {
    for (std::size_t i = 0; i < seat.ports.size(); ++i)
      queues_.emplace_back(1024);
  }

  void on_frames(Instant now, PortIndex port, std::span<Packet> frames) {
    time_went_back_ |= now < last_now_;
    last_now_ = now;
    for (Packet& frame : frames) {
      Packet mine = std::move(frame);
      ++received_;
      if (mine.size() <= kActionAt) continue;
      last_length_ = mine.size();
      std::byte& action = mine.begin()[kActionAt];
      if (action == kForAll) {
        foreign_.push_back({kEveryCore, port, std::move(mine)});
      } else if (action >= kForCore &&
                 static_cast<std::uint16_t>(action) - 16 != seat_.core_index) {
        foreign_.push_back({static_cast<std::uint16_t>(static_cast<std::uint16_t>(action) - 16),
                            port, std::move(mine)});
      } else if (action == kEcho) {
        std::swap_ranges(mine.begin(), mine.begin() + 6, mine.begin() + 6);
        action = kKeep;
        queues_[index_of(port)].push(std::move(mine));
      } else {
        ++kept_;
      }
    }
  }
  void on_passed_frames(Instant now, PortIndex port, std::span<Packet> frames) {
    on_frames(now, port, frames);
  }
  void on_shared_frames(Instant /*now*/, PortIndex /*port*/, std::span<Packet> frames) {
    for (Packet& frame : frames) {
      const Packet mine = std::move(frame);
      ++shared_;
    }
  }
  void on_deadline(Instant /*now*/) {}
  void poll_transmit(Instant /*now*/) {}
  net::FrameQueue& tx_queue(PortIndex port) { return queues_[index_of(port)]; }
  Instant next_deadline() const { return kNever; }
  bool has_pending_transmit() const { return false; }
  std::optional<Foreign> next_foreign() {
    if (foreign_.empty()) return std::nullopt;
    Foreign first = std::move(foreign_.front());
    foreign_.erase(foreign_.begin());
    return first;
  }

  /// Queues a broadcast frame of `length` octets, at least 60.
  bool send(PortIndex port, std::byte action, std::uint32_t length = 60) {
    Packet frame = pool_.alloc();
    if (!frame || frame.tailroom() < length) return false;
    std::byte* at = frame.append(length);
    std::fill_n(at, length, std::byte{0xff});
    for (std::size_t i = 0; i < 6; ++i)
      at[6 + i] = static_cast<std::byte>(seat_.ports[index_of(port)].mac.octets[i]);
    at[12] = std::byte{0x88};
    at[13] = std::byte{0xb5};  // The EtherType for experiments.
    at[kActionAt] = action;
    return queues_[index_of(port)].push(std::move(frame));
  }

  const CoreSeat& seat() const { return seat_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t shared() const { return shared_; }
  std::uint64_t kept() const { return kept_; }
  std::uint32_t last_length() const { return last_length_; }
  bool time_went_back() const { return time_went_back_; }

 private:
  CoreSeat seat_;
  PacketPool& pool_;
  std::vector<net::FrameQueue> queues_;
  std::vector<Foreign> foreign_;
  std::uint64_t received_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t shared_ = 0;
  std::uint32_t last_length_ = 0;
  bool time_went_back_ = false;
  Instant last_now_{};
};

/// An application that does nothing.
struct NoApp {
  bool poll(Instant /*now*/) { return false; }
};

}  // namespace dataplane::dpdk::test
