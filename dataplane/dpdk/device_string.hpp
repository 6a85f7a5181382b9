#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/dpdk/node_config.hpp"

namespace dataplane::dpdk {

/// A device as DPDK writes it, taken apart: "net_af_packet0,iface=veth-a0" or "0000:3b:00.0".
class DeviceString {
 public:
  static OrMessage<DeviceString> parse(std::string_view text);

  /// The part before the first comma; it names the device within the process.
  const std::string& name() const { return name_; }
  /// The name without its number, such as "net_af_packet"; empty for a PCI address.
  std::string driver() const;
  bool is_pci() const;

  std::optional<std::string> value_of(std::string_view key) const;
  std::optional<unsigned long> number_of(std::string_view key) const;
  /// Adds key=value unless the operator gave the key.
  void set_default(std::string_view key, std::string value);
  /// What DPDK gets: everything after the name, and all of it.
  std::string arguments() const;
  std::string to_string() const;

 private:
  std::string name_;
  std::vector<std::pair<std::string, std::string>> arguments_;
};

/// Checks what can be checked about a device before DPDK is asked, and fills in what its driver
/// needs for this port: as many queues as cores, rings deep enough for a window of TCP.
OrMessage<DeviceString> adapt_device(const PortConfig& port, std::size_t cores);

/// Octets behind the headroom that a packet needs so that this device can put any of its frames
/// there.
std::uint32_t data_room_for(const DeviceString& device, std::uint16_t mtu);

}  // namespace dataplane::dpdk
