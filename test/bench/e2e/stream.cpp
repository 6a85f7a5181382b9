// One TCP connection, memory to memory, with nothing but the engine and the port layer: what the
// programs above them are held against. Prints one JSON object.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "dataplane/dpdk/node.hpp"
#include "mptcp/core.hpp"

namespace {

using namespace std::chrono_literals;
using dataplane::Duration;
using dataplane::Endpoint;
using dataplane::Instant;
using dataplane::IpAddress;
using dataplane::PortIndex;
using dataplane::Prefix;
using dataplane::dpdk::CoreSeat;
using dataplane::dpdk::NodeConfig;
using mptcp::Core;
using mptcp::Event;
using mptcp::SocketId;
using StreamNode = dataplane::dpdk::Node<Core>;

constexpr std::uint16_t kTcpPort = 5001;
constexpr std::size_t kChunk = 256 * 1024;

struct Options {
  bool send = false;
  std::string device;
  std::string local;
  std::string remote;
  Duration length = 5s;
  int cpu = -1;
  bool hugepages = false;
  bool busy = false;
  std::uint32_t window = 4U << 20;
  std::size_t memory = 256UL << 20;
};

/// Sends for a while, or receives to the end; counts.
class Stream {
 public:
  Stream(StreamNode& node, const Options& options)
      : node_(node), core_(node.core(0)), options_(options), buffer_(kChunk, std::byte{0x5a}) {}

  bool start() {
    if (!options_.send) {
      const auto listener = core_.listen({IpAddress(), kTcpPort});
      if (listener) listener_ = *listener;
      return listener.has_value();
    }
    Core::ConnectOptions connect{};
    connect.remote = {*IpAddress::parse(options_.remote), kTcpPort};
    const auto socket = core_.connect(node_.now(), connect);
    if (socket) socket_ = *socket;
    return socket.has_value();
  }

  bool poll(Instant now) {
    bool did = false;
    while (const auto event = core_.next_event()) {
      did = true;
      on_event(now, *event);
    }
    if (!open_) return did;
    return (options_.send ? fill(now) : drain(now)) || did;
  }

  std::string report() const {
    const double seconds = std::chrono::duration<double>(last_ - first_).count();
    const auto& loop = node_.loop_stats(0);
    const auto port = node_.port_stats(PortIndex{});
    const double packets = static_cast<double>(port.rx_frames + port.tx_frames);
    const auto per_packet = [packets](std::uint64_t cycles) {
      return packets > 0 ? static_cast<double>(cycles) / packets : 0.0;
    };
    return fmt::format(
        R"({{"role": "{}", "bytes": {}, "seconds": {:.3f}, "gbps": {:.3f}, "rx_frames": {}, "tx_frames": {}, )"
        R"("tx_refusals": {}, "turns": {}, "busy_turns": {}, "sleeps": {}, "busy_share": {:.3f}, )"
        R"("cycles_per_frame": {{"rx": {:.0f}, "engine": {:.0f}, "app": {:.0f}, "tx": {:.0f}}}, )"
        R"("retransmitted": {}, "srtt_us": {}, "cwnd": {}, "reason": {}}})",
        options_.send ? "send" : "receive", bytes_, seconds,
        seconds > 0 ? static_cast<double>(bytes_) * 8e-9 / seconds : 0.0, port.rx_frames,
        port.tx_frames, port.tx_refusals, loop.turns, loop.busy_turns, loop.sleeps,
        static_cast<double>(loop.busy_cycles) /
            static_cast<double>(loop.busy_cycles + loop.idle_cycles + 1),
        per_packet(loop.rx_cycles), per_packet(loop.engine_cycles), per_packet(loop.app_cycles),
        per_packet(loop.tx_cycles), info_.segments_retransmitted, info_.srtt.count() / 1000,
        info_.cwnd, static_cast<int>(info_.reason));
  }

 private:
  void on_event(Instant now, const Event& event) {
    if (event.kind == Event::Kind::Connected) {
      open_ = true;
      first_ = last_ = now;
    } else if (event.kind == Event::Kind::Acceptable) {
      if (const auto accepted = core_.accept(listener_)) {
        socket_ = *accepted;
        open_ = true;
        first_ = last_ = now;
      }
    } else if (event.kind == Event::Kind::Closed ||
               (options_.send && event.kind == Event::Kind::EndOfStream)) {
      // The sender does not wait for the end of TIME-WAIT.
      if (!options_.send) info_ = core_.info(socket_).value_or(info_);
      node_.stop();
      open_ = false;
    }
  }
  bool fill(Instant now) {
    if (done_) return false;
    if (now - first_ >= options_.length) {
      done_ = true;
      info_ = core_.info(socket_).value_or(info_);
      core_.shutdown(now, socket_);
      return true;
    }
    const std::size_t taken = core_.write(now, socket_, buffer_);
    bytes_ += taken;
    last_ = now;
    return taken > 0;
  }
  bool drain(Instant now) {
    bool did = false;
    for (std::size_t budget = 4; budget > 0; --budget) {
      const std::size_t got = core_.read(now, socket_, buffer_);
      if (got == 0) break;
      bytes_ += got;
      last_ = now;
      did = true;
    }
    if (!did && core_.at_end_of_stream(socket_) && !done_) {
      done_ = true;
      core_.shutdown(now, socket_);
    }
    return did;
  }

  StreamNode& node_;
  Core& core_;
  const Options& options_;
  std::vector<std::byte> buffer_;
  SocketId listener_{};
  SocketId socket_{};
  bool open_ = false;
  bool done_ = false;
  std::uint64_t bytes_ = 0;
  Instant first_{};
  Instant last_{};
  mptcp::SocketInfo info_;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (key == "--send") {
      options.send = true;
    } else if (key == "--hugepages") {
      options.hugepages = true;
    } else if (key == "--busy") {
      options.busy = true;
    } else if (i + 1 >= argc) {
      return false;
    } else {
      const std::string value = argv[++i];
      if (key == "--device") options.device = value;
      if (key == "--local") options.local = value;
      if (key == "--remote") options.remote = value;
      if (key == "--cpu") options.cpu = std::stoi(value);
      if (key == "--seconds") options.length = std::chrono::seconds(std::stoi(value));
      if (key == "--window-kib")
        options.window = static_cast<std::uint32_t>(std::stoul(value)) << 10;
      if (key == "--memory-mib") options.memory = std::stoul(value) << 20;
    }
  }
  return !options.device.empty() && Prefix::parse(options.local) &&
         (!options.send || IpAddress::parse(options.remote));
}

NodeConfig node_config_of(const Options& options) {
  NodeConfig config;
  if (options.cpu >= 0) config.cores = {static_cast<unsigned>(options.cpu)};
  config.memory = options.memory;
  config.hugepages = options.hugepages;
  config.idle.mode =
      options.busy ? dataplane::dpdk::IdleMode::Busy : dataplane::dpdk::IdleMode::Adaptive;
  dataplane::dpdk::PortConfig port;
  port.id = "p0";
  port.device = options.device;
  port.addresses = {*Prefix::parse(options.local)};
  config.ports = {port};
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(
        "bench_stream --device DEVICE --local ADDRESS/LENGTH [--send --remote ADDRESS] [--seconds "
        "S] "
        "[--cpu N] [--hugepages] [--busy] [--window-kib K] [--memory-mib M]\n",
        stderr);
    return 2;
  }
  auto node = StreamNode::start(node_config_of(options),
                                [&options](const CoreSeat& seat, dataplane::PacketPool& pool) {
                                  mptcp::CoreConfig config{};
                                  config.ports = seat.ports;
                                  config.seed = seat.seed;
                                  config.tcp.receive_buffer_max = options.window;
                                  config.tcp.send_buffer_max = options.window;
                                  return std::make_unique<Core>(std::move(config), pool);
                                });
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().c_str());
    return 1;
  }
  Stream stream(**node, options);
  if (!stream.start()) {
    std::fputs("the connection could not be started\n", stderr);
    return 1;
  }
  (*node)->run(stream);
  std::puts(stream.report().c_str());
  return 0;
}
