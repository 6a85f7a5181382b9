#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/address.hpp"

namespace dataplane::dpdk {

/// Hugepages of 2 MiB; all zero where the kernel has none.
struct HugepageFacts {
  std::size_t page_bytes = 0;
  std::size_t total_pages = 0;
  std::size_t free_pages = 0;
};
HugepageFacts hugepage_facts();

/// A network interface of the kernel, in this process's network namespace.
struct InterfaceFacts {
  bool is_up = false;
  unsigned mtu = 0;
  std::string driver;  ///< Of the kernel, such as "veth"; empty when it does not say.
};
std::optional<InterfaceFacts> interface_facts(const std::string& name);

/// The names of the kernel's interfaces here, except loopback, with commas.
std::string interface_names();

/// The kernel's interface that has this address; it would answer for it behind our back.
std::optional<std::string> interface_with(const IpAddress& address);

/// Whether this process may open packet sockets (CAP_NET_RAW).
bool may_open_packet_sockets();

}  // namespace dataplane::dpdk
