#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/dpdk/idle.hpp"
#include "dataplane/dpdk/loop_stats.hpp"
#include "dataplane/dpdk/mesh.hpp"
#include "dataplane/dpdk/platform.hpp"
#include "dataplane/net/host.hpp"

namespace dataplane::dpdk {

/// What the poll loop asks of an engine core; mptcp::Core is one.
template <class C>
concept CoreLike = requires(C core, const C constant, Instant now, PortIndex port,
                            std::span<Packet> frames) {
  core.on_frames(now, port, frames);
  core.on_passed_frames(now, port, frames);
  core.on_shared_frames(now, port, frames);
  core.on_deadline(now);
  core.poll_transmit(now);
  { core.tx_queue(port) } -> std::same_as<net::FrameQueue&>;
  { constant.next_deadline() } -> std::same_as<Instant>;
  { constant.has_pending_transmit() } -> std::same_as<bool>;
  { core.next_foreign()->owner } -> std::convertible_to<std::uint16_t>;
  { core.next_foreign()->port } -> std::convertible_to<PortIndex>;
  { core.next_foreign()->frame } -> std::convertible_to<const Packet&>;
};

/// What runs on top of a core, once per turn; true when it did something.
template <class A>
concept Application = requires(A app, Instant now) {
  { app.poll(now) } -> std::same_as<bool>;
};

/// The turns of one core, in this order: the clock, received frames of each port, frames from other
/// cores, deadlines, the application, output, frames to send on each port. Only the owner thread
/// calls it.
template <CoreLike CoreT>
class CoreLoop {
 public:
  CoreLoop(CoreT& core, Platform& platform, std::size_t index);

  /// One turn; whether it found work.
  template <Application App>
  bool turn(App& app);
  /// Turns until `stop`, and rests between them as configured.
  template <Application App>
  void run(App& app, const std::atomic<bool>& stop);

  const LoopStats& stats() const { return stats_; }

 private:
  std::size_t receive(Instant now);
  std::size_t receive_from_cores(Instant now);
  void forward_foreign();
  std::size_t transmit(Instant now);
  std::size_t transmit_on(Instant now, std::size_t port);
  std::size_t pass_to_core_0(std::size_t port);
  std::size_t take_frames_to_send();
  /// Adds the cycles since the last call to `account`.
  void lap(std::uint64_t& account) {
    const std::uint64_t cycles = TscClock::cycles();
    account += cycles - lap_;
    lap_ = cycles;
  }

  CoreT& core_;
  Platform& platform_;
  std::size_t index_;
  CaptureTap* tap_;
  Idler idler_;
  Outbox outbox_;
  std::vector<std::size_t>
      captured_;  ///< Per port: frames at the head of its queue that the tap has seen.
  std::array<Packet, kBurst> burst_;
  std::array<Parcel, Mesh::kBatch> parcels_;
  LoopStats stats_;
  LoopStats
      turn_cycles_;  ///< The laps of the turn at hand, kept apart until it is known to be busy.
  std::uint64_t lap_ = 0;
};

template <CoreLike CoreT>
CoreLoop<CoreT>::CoreLoop(CoreT& core, Platform& platform, std::size_t index)
    : core_(core),
      platform_(platform),
      index_(index),
      tap_(platform.tap(index)),
      idler_(platform.idle(), platform.mesh().doorbell(index)),
      outbox_(platform.mesh(), index),
      captured_(platform.ports().size()) {}

template <CoreLike CoreT>
template <Application App>
bool CoreLoop<CoreT>::turn(App& app) {
  const std::uint64_t start = TscClock::cycles();
  const Instant now = platform_.clock().at(start);
  LoopStats spent;
  lap_ = start;
  std::size_t frames = receive(now);
  if (platform_.core_count() > 1) {
    forward_foreign();
    frames += receive_from_cores(now);
  }
  core_.on_deadline(now);
  lap(spent.engine_cycles);
  const bool app_busy = app.poll(now);
  lap(spent.app_cycles);
  core_.poll_transmit(now);
  lap(spent.engine_cycles);
  frames += transmit(now);
  lap(spent.tx_cycles);

  ++stats_.turns;
  const bool busy = frames != 0 || app_busy;
  if (busy) {
    ++stats_.busy_turns;
    stats_.busy_cycles += lap_ - start;
    stats_.rx_cycles += turn_cycles_.rx_cycles;
    stats_.engine_cycles += turn_cycles_.engine_cycles + spent.engine_cycles;
    stats_.app_cycles += spent.app_cycles;
    stats_.tx_cycles += spent.tx_cycles;
    // Its end, not `now`: a long turn would else use up the time to spin before it began.
    idler_.on_work(platform_.clock().at(lap_));
  } else {
    stats_.idle_cycles += lap_ - start;
  }
  turn_cycles_ = {};
  return busy;
}

template <CoreLike CoreT>
template <Application App>
void CoreLoop<CoreT>::run(App& app, const std::atomic<bool>& stop) {
  sharpen_sleeps_of_this_thread();
  while (!stop.load(std::memory_order_relaxed)) {
    if (turn(app)) continue;
    if (core_.has_pending_transmit()) continue;
    const std::uint64_t start = TscClock::cycles();
    if (idler_.rest(platform_.clock().at(start), core_.next_deadline())) ++stats_.sleeps;
    stats_.idle_cycles += TscClock::cycles() - start;
  }
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::receive(Instant now) {
  const auto& ports = platform_.ports();
  std::size_t total = 0;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (index_ >= ports[i]->rx_queue_count()) continue;
    const std::size_t count = ports[i]->rx_burst(static_cast<std::uint16_t>(index_), burst_);
    lap(turn_cycles_.rx_cycles);
    if (count == 0) continue;
    const auto port = static_cast<PortIndex>(i);
    const std::span<Packet> frames(burst_.data(), count);
    if (tap_ != nullptr) [[unlikely]]
      for (const Packet& frame : frames)
        tap_->keep(now, port, Direction::Inbound, frame.data());
    core_.on_frames(now, port, frames);
    lap(turn_cycles_.engine_cycles);
    ++stats_.rx_bursts;
    total += count;
  }
  stats_.rx_frames += total;
  return total;
}

template <CoreLike CoreT>
void CoreLoop<CoreT>::forward_foreign() {
  while (auto foreign = core_.next_foreign()) {
    if (foreign->owner == kEveryCore) {
      outbox_.send_to_all(foreign->port, foreign->frame, platform_.pool(index_));
    } else {
      outbox_.send(foreign->owner, {foreign->port, false, std::move(foreign->frame)});
    }
  }
  outbox_.flush();
  stats_.frames_forwarded = outbox_.sent();
  stats_.frames_forward_dropped = outbox_.dropped();
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::receive_from_cores(Instant now) {
  Mesh& mesh = platform_.mesh();
  std::size_t total = 0;
  for (std::size_t from = 0; from < mesh.core_count(); ++from) {
    if (from == index_) continue;
    const std::size_t count = mesh.received(from, index_).pop_batch(parcels_);
    total += count;
    // Runs of one port go in together, as a burst of that port would.
    for (std::size_t begin = 0; begin < count;) {
      const PortIndex port = parcels_[begin].port;
      const bool is_shared = parcels_[begin].is_shared;
      std::size_t run = 0;
      for (; begin + run < count; ++run) {
        Parcel& parcel = parcels_[begin + run];
        if (parcel.port != port || parcel.is_shared != is_shared) break;
        burst_[run] = std::move(parcel.frame);
      }
      const std::span<Packet> frames(burst_.data(), run);
      if (is_shared) {
        core_.on_shared_frames(now, port, frames);
      } else {
        core_.on_passed_frames(now, port, frames);
      }
      begin += run;
    }
  }
  return total;
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::transmit(Instant now) {
  std::size_t total = index_ == 0 && platform_.core_count() > 1 ? take_frames_to_send() : 0;
  for (std::size_t i = 0; i < platform_.ports().size(); ++i)
    total +=
        index_ < platform_.ports()[i]->tx_queue_count() ? transmit_on(now, i) : pass_to_core_0(i);
  return total;
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::transmit_on(Instant now, std::size_t port) {
  Port& device = *platform_.ports()[port];
  net::FrameQueue& queue = core_.tx_queue(static_cast<PortIndex>(port));
  std::size_t total = 0;
  while (!queue.empty()) {
    const std::span<rte_mbuf*> front = queue.front();
    if (tap_ != nullptr) [[unlikely]] {
      // What the device refused before has been seen; it waits at the head.
      for (const rte_mbuf* mbuf : front.subspan(std::min(captured_[port], front.size())))
        tap_->keep(now, static_cast<PortIndex>(port), Direction::Outbound,
                   {rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len});
      captured_[port] = std::max(captured_[port], front.size());
    }
    const std::size_t sent = device.tx_burst(static_cast<std::uint16_t>(index_), front);
    queue.release_front(sent);
    if (tap_ != nullptr) captured_[port] -= sent;
    total += sent;
    stats_.tx_bursts += sent != 0 ? 1 : 0;
    if (sent < front.size()) break;
  }
  stats_.tx_frames += total;
  return total;
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::pass_to_core_0(std::size_t port) {
  net::FrameQueue& queue = core_.tx_queue(static_cast<PortIndex>(port));
  Mesh::Ring& ring = platform_.mesh().to_send(index_);
  std::size_t room = ring.capacity() - ring.size_estimate();
  std::size_t total = 0;
  for (; room > 0 && !queue.empty(); --room, ++total)
    ring.push({static_cast<PortIndex>(port), false, queue.pop()});
  if (total != 0) platform_.mesh().doorbell(0).ring();
  return total;
}

template <CoreLike CoreT>
std::size_t CoreLoop<CoreT>::take_frames_to_send() {
  std::size_t total = 0;
  for (std::size_t from = 1; from < platform_.core_count(); ++from) {
    std::size_t room = parcels_.size();
    for (std::size_t i = 0; i < platform_.ports().size(); ++i)
      room = std::min(room, core_.tx_queue(static_cast<PortIndex>(i)).room());
    const std::size_t count =
        platform_.mesh().to_send(from).pop_batch(std::span(parcels_).first(room));
    for (Parcel& parcel : std::span(parcels_).first(count))
      core_.tx_queue(parcel.port).push(std::move(parcel.frame));
    total += count;
  }
  return total;
}

}  // namespace dataplane::dpdk
