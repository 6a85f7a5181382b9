#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::dpdk {

/// A value, or a sentence for the operator that says what is wrong and what to do about it.
template <class T>
using OrMessage = tl::expected<T, std::string>;

/// What a core does when a turn found no work.
enum class IdleMode : std::uint8_t {
  Busy,      ///< Turns for ever: lowest latency, one CPU per core.
  Adaptive,  ///< Spins a little, then sleeps for at most IdleConfig::longest_sleep.
};

struct IdleConfig {
  IdleMode mode = IdleMode::Adaptive;
  /// How long a core goes on polling after the last work before its first sleep.
  Duration spin = 20us;
  /// Sleeps double from the first to the second bound; a deadline or a wake-up ends them earlier.
  Duration shortest_sleep = 10us;
  Duration longest_sleep = 200us;
};

/// One port, as the operator wrote it.
struct PortConfig {
  std::string id;      ///< Unique, such as "p0".
  std::string device;  ///< A vdev string, "net_af_packet0,iface=veth-a0", or a PCI address.
  std::vector<Prefix> addresses;  ///< At least one.
  std::optional<IpAddress> gateway_v4 = {};
  std::optional<IpAddress> gateway_v6 = {};
  std::uint16_t mtu = 1500;                ///< Octets of an IP packet; kMinMtu to kMaxMtu.
  std::optional<std::uint16_t> vlan = {};  ///< 1 to 4094.
  bool backup = false;
  /// Descriptors per queue; the device's own bounds prevail.
  std::uint16_t rx_descriptors = 1024;
  std::uint16_t tx_descriptors = 1024;
};
inline constexpr std::uint16_t kMinMtu = 1280;  ///< RFC 8200 §5.
inline constexpr std::uint16_t kMaxMtu = 9216;

/// Which frames a capture keeps. Unset members match everything.
struct CaptureFilter {
  std::optional<IpAddress> host = {};          ///< Source or destination.
  std::optional<std::uint16_t> tcp_port = {};  ///< Source or destination.
};

/// `--capture FILE`: a pcapng of the frames of every port.
struct CaptureConfig {
  std::string path;
  CaptureFilter filter = {};
  std::uint32_t snap_length = 65'535;  ///< Octets kept of each frame.
  std::size_t queue_bytes =
      64UL << 20;  ///< Per core, between the core and the writer, a power of two.
};

/// All that the poll-mode side of a node needs; the engine's settings stand beside it.
struct NodeConfig {
  /// CPU numbers, one engine each. Empty: one engine that the kernel may move.
  std::vector<unsigned> cores;
  /// Octets for packet buffers and drivers, all cores together.
  std::size_t memory = 512UL << 20;
  bool hugepages = false;  ///< false: ordinary pages, and no preparation of the host.
  IdleConfig idle;
  std::vector<PortConfig> ports;
  std::optional<CaptureConfig> capture = {};
};
inline constexpr std::size_t kMinMemory = 32UL << 20;
inline constexpr std::size_t kMaxCores = 64;
inline constexpr std::size_t kMaxPorts = 32;

/// Says what in `config` cannot work, before anything is started.
OrMessage<void> validate(const NodeConfig& config);

}  // namespace dataplane::dpdk
