#include "dataplane/dpdk/node_config.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "dataplane/dpdk/device_string.hpp"

namespace dataplane::dpdk {
namespace {

constexpr std::uint16_t kMinDescriptors = 64;
constexpr std::uint16_t kMaxVlan = 4094;

using Verdict = OrMessage<void>;

template <class... Args>
Verdict refuse(fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected(fmt::format(text, std::forward<Args>(args)...));
}

Verdict check_address(const PortConfig& port, const Prefix& prefix) {
  const IpAddress& address = prefix.address;
  const unsigned longest = address.is_v4() ? 32 : 128;
  if (prefix.length == 0 || prefix.length > longest)
    return refuse("port {}: the prefix length of {} must be 1 to {}", port.id, prefix.to_string(),
                  longest);
  if (address.is_unspecified() || address.is_multicast() || address.is_broadcast() ||
      address.is_loopback())
    return refuse("port {}: {} cannot be the address of a port", port.id, address.to_string());
  return {};
}

Verdict check_gateway(const PortConfig& port, const std::optional<IpAddress>& gateway, bool v4) {
  if (!gateway) return {};
  if (gateway->is_v4() != v4)
    return refuse("port {}: {} is no IPv{} gateway", port.id, gateway->to_string(), v4 ? 4 : 6);
  const bool reachable =
      gateway->is_link_local() || std::ranges::any_of(port.addresses, [&](const Prefix& prefix) {
        return prefix.address.is_v4() == v4 && prefix.contains(*gateway);
      });
  if (!reachable)
    return refuse("port {}: the gateway {} lies in no subnet of the port's addresses", port.id,
                  gateway->to_string());
  return {};
}

Verdict check_port(const PortConfig& port) {
  if (port.id.empty()) return refuse("a port has no id; write id = \"p0\"");
  if (const auto device = DeviceString::parse(port.device); !device)
    return refuse("port {}: {}", port.id, device.error());
  if (port.addresses.empty())
    return refuse("port {}: it has no address; write address = [\"10.9.0.1/24\"]", port.id);
  for (const Prefix& prefix : port.addresses)
    if (Verdict ok = check_address(port, prefix); !ok) return ok;
  if (Verdict ok = check_gateway(port, port.gateway_v4, true); !ok) return ok;
  if (Verdict ok = check_gateway(port, port.gateway_v6, false); !ok) return ok;
  if (port.mtu < kMinMtu || port.mtu > kMaxMtu)
    return refuse("port {}: mtu = {} must be {} to {}", port.id, port.mtu, kMinMtu, kMaxMtu);
  if (port.vlan && (*port.vlan == 0 || *port.vlan > kMaxVlan))
    return refuse("port {}: vlan = {} must be 1 to {}", port.id, *port.vlan, kMaxVlan);
  if (port.rx_descriptors < kMinDescriptors || port.tx_descriptors < kMinDescriptors)
    return refuse("port {}: a queue needs at least {} descriptors", port.id, kMinDescriptors);
  return {};
}

Verdict check_pair(const PortConfig& a, const PortConfig& b) {
  if (a.id == b.id) return refuse("two ports have the id {}", a.id);
  if (DeviceString::parse(a.device)->name() == DeviceString::parse(b.device)->name())
    return refuse(
        "ports {} and {} name the same device {}; number virtual devices, as in "
        "net_af_packet0 and net_af_packet1",
        a.id, b.id, DeviceString::parse(a.device)->name());
  for (const Prefix& prefix : a.addresses)
    for (const Prefix& other : b.addresses)
      if (prefix.address == other.address)
        return refuse("ports {} and {} both have the address {}", a.id, b.id,
                      prefix.address.to_string());
  return {};
}

Verdict check_capture(const CaptureConfig& capture) {
  if (capture.path.empty()) return refuse("the capture has no file name");
  if (capture.snap_length == 0) return refuse("a capture of 0 octets per frame keeps nothing");
  if (!std::has_single_bit(capture.queue_bytes) || capture.queue_bytes < (1UL << 20))
    return refuse("the capture's queue must be a power of two of at least 1 MiB");
  return {};
}

}  // namespace

OrMessage<void> validate(const NodeConfig& config) {
  if (config.cores.size() > kMaxCores)
    return refuse("{} cores are too many; {} at most", config.cores.size(), kMaxCores);
  for (auto core = config.cores.begin(); core != config.cores.end(); ++core)
    if (std::find(core + 1, config.cores.end(), *core) != config.cores.end())
      return refuse("cores names CPU {} twice", *core);
  if (config.memory < kMinMemory)
    return refuse("memory = {} KiB is too small; {} MiB at least", config.memory >> 10,
                  kMinMemory >> 20);
  if (config.ports.empty()) return refuse("there is no port; add a [[port]]");
  if (config.ports.size() > kMaxPorts)
    return refuse("{} ports are too many; {} at most", config.ports.size(), kMaxPorts);
  for (auto port = config.ports.begin(); port != config.ports.end(); ++port) {
    if (Verdict ok = check_port(*port); !ok) return ok;
    for (auto other = config.ports.begin(); other != port; ++other)
      if (Verdict ok = check_pair(*other, *port); !ok) return ok;
    for (auto a = port->addresses.begin(); a != port->addresses.end(); ++a)
      for (auto b = a + 1; b != port->addresses.end(); ++b)
        if (a->address == b->address)
          return refuse("port {} has the address {} twice", port->id, a->address.to_string());
  }
  if (config.capture) return check_capture(*config.capture);
  return {};
}

}  // namespace dataplane::dpdk
