// The whole way of one segment through a core, in batches as a port gives and takes them.

#include <cstring>
#include <memory>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "mptcp/core.hpp"
#include "test/bench/micro/cycles.hpp"

namespace {

using namespace std::chrono_literals;
using bench::Meter;
using dataplane::HeapPacketPool;
using dataplane::Instant;
using dataplane::IpAddress;
using dataplane::Packet;
using dataplane::PortIndex;
using mptcp::Core;
using mptcp::SocketId;

constexpr std::size_t kBatch = 32;

struct Side {
  explicit Side(std::uint8_t number) : core(config_of(number), pool) {}

  static mptcp::CoreConfig config_of(std::uint8_t number) {
    dataplane::net::InterfaceConfig port;
    port.id = "p0";
    port.mac = {{2, 0, 0, 0, 0, number}};
    port.addresses.push_back({IpAddress::v4(0x0a09'0000U + number), 24});
    mptcp::CoreConfig config;
    config.ports = {port};
    config.seed = number;
    return config;
  }

  HeapPacketPool pool{8'192};
  Core core;
};

/// A sender and a receiver with a connection between them, on a wire of memory.
class Pair {
 public:
  bool establish() {
    const auto listener = to.core.listen({IpAddress(), 80});
    Core::ConnectOptions connect{};
    connect.remote = {IpAddress::v4(0x0a09'0002), 80};
    const auto socket = from.core.connect(now, connect);
    if (!listener || !socket) return false;
    sender = *socket;
    for (int turn = 0; turn < 8; ++turn)
      exchange();
    const auto accepted = to.core.accept(*listener);
    if (accepted) receiver = *accepted;
    return accepted.has_value();
  }
  /// Carries what both have to send until there is no more.
  void exchange() {
    now += 1us;
    from.core.poll_transmit(now);
    to.core.poll_transmit(now);
    deliver(carry(from, to), to);
    deliver(carry(to, from), from);
    drop_events();
  }
  /// What waits on the sender's port, as packets of the receiver.
  std::vector<Packet> carry(Side& source, Side& sink) const {
    std::vector<Packet> frames;
    while (const Packet sent = source.core.tx_queue(PortIndex{}).pop()) {
      Packet copy = sink.pool.alloc();
      std::memcpy(copy.append(sent.size()), sent.begin(), sent.size());
      frames.push_back(std::move(copy));
    }
    return frames;
  }
  void deliver(std::vector<Packet> frames, Side& sink) const {
    if (!frames.empty()) sink.core.on_frames(now, PortIndex{}, frames);
  }
  void drop_events() {
    while (from.core.next_event() || to.core.next_event()) {
    }
  }

  Side from{1}, to{2};
  SocketId sender{}, receiver{};
  Instant now = Instant(1'000s);
};

std::size_t write_batch(Pair& pair, const std::vector<std::byte>& data) {
  return pair.from.core.write(pair.now, pair.sender, data);
}

void drain(Pair& pair) {
  while (const Packet packet = pair.to.core.read_packet(pair.now, pair.receiver)) {
  }
}

/// From the application's octets to frames on the port: write, cut, headers, copy, checksum.
void transmit_segment(benchmark::State& state) {
  auto pair = std::make_unique<Pair>();
  if (!pair->establish()) return state.SkipWithError("no connection");
  const std::vector<std::byte> data(kBatch * 1'448, std::byte{0x5a});
  Meter meter;
  std::uint64_t frames = 0;
  for (auto _ : state) {
    pair->now += 10us;
    meter.start();
    write_batch(*pair, data);
    pair->from.core.poll_transmit(pair->now);
    meter.stop();
    state.PauseTiming();
    frames += pair->from.core.tx_queue(PortIndex{}).size();
    for (int turn = 0; turn < 3; ++turn) {
      pair->exchange();
      drain(*pair);
    }
    state.ResumeTiming();
  }
  meter.report(state, frames);
}

/// From frames of the port, in order, to packets at the application, with the ACKs they cause.
void receive_segment(benchmark::State& state) {
  auto pair = std::make_unique<Pair>();
  if (!pair->establish()) return state.SkipWithError("no connection");
  const std::vector<std::byte> data(kBatch * 1'448, std::byte{0x5a});
  Meter meter;
  std::uint64_t frames = 0;
  for (auto _ : state) {
    state.PauseTiming();
    pair->now += 10us;
    write_batch(*pair, data);
    pair->from.core.poll_transmit(pair->now);
    std::vector<Packet> burst = pair->carry(pair->from, pair->to);
    frames += burst.size();
    state.ResumeTiming();
    meter.start();
    pair->to.core.on_frames(pair->now, PortIndex{}, burst);
    drain(*pair);
    pair->to.core.poll_transmit(pair->now);
    meter.stop();
    state.PauseTiming();
    for (int turn = 0; turn < 3; ++turn) {
      pair->exchange();
      drain(*pair);
    }
    state.ResumeTiming();
  }
  meter.report(state, frames);
}

// Pausing costs about as much as a segment: the counter `cycles` is the figure to read.
BENCHMARK(transmit_segment);
BENCHMARK(receive_segment);

}  // namespace
