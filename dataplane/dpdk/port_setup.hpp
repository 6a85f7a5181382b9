#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rte_ethdev.h>

#include "dataplane/dpdk/device_string.hpp"
#include "dataplane/dpdk/port_info.hpp"

namespace dataplane::dpdk {

/// What an operator can do when DPDK does not open a device; starts with "; ".
std::string attach_remedy(const DeviceString& device);

/// The offloads that matter to TCP, whether the device has them and whether we switched them on.
std::vector<OffloadInfo> offload_table(const rte_eth_dev_info& device, std::uint64_t rx_used,
                                       std::uint64_t tx_used, bool rss_used);

}  // namespace dataplane::dpdk
