#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/net/host.hpp"

namespace dataplane::dpdk {

/// One ability of a device, and whether we use it.
struct OffloadInfo {
  std::string name;  ///< Such as "tx-tcp-checksum".
  bool present = false;
  bool used = false;
};

/// What a port's device is and does, for `hawser ports`.
struct PortInfo {
  std::string id;
  std::string device;
  std::string driver;    ///< Such as "net_af_packet".
  std::string bus_info;  ///< The name that DPDK gives the device.
  MacAddress mac;
  std::uint16_t mtu = 0;
  std::uint16_t max_mtu = 0;
  std::uint16_t rx_queues = 0;
  std::uint16_t tx_queues = 0;
  std::uint16_t max_rx_queues = 0;
  std::uint16_t max_tx_queues = 0;
  std::uint16_t rx_descriptors = 0;
  std::uint16_t tx_descriptors = 0;
  bool link_up = false;
  std::uint32_t speed_mbps = 0;  ///< 0: unknown.
  int numa_node = -1;            ///< -1: any.
  std::vector<OffloadInfo> offloads;
  /// Sentences worth reading, such as what could not be enabled.
  std::vector<std::string> notes;
};

/// Counted by the port layer, per port and core.
struct PortStats {
  std::uint64_t rx_frames = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_frames = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_linearised = 0;     ///< Frames that the device gave in several pieces.
  std::uint64_t rx_too_long = 0;       ///< Of those, the ones that fit no packet: dropped.
  std::uint64_t tx_refusals = 0;       ///< Bursts of which the device took less than offered.
  std::uint64_t tx_unsendable = 0;     ///< Frames that the driver will never take: dropped.
  std::uint64_t device_rx_missed = 0;  ///< By the device: its ring or its buffers were full.
  std::uint64_t device_rx_errors = 0;
  std::uint64_t device_tx_errors = 0;
};

}  // namespace dataplane::dpdk
