#include "dataplane/dpdk/host_facts.hpp"

#include <cstring>
#include <fstream>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dataplane::dpdk {
namespace {

std::size_t number_in(const char* path) {
  std::ifstream file(path);
  std::size_t number = 0;
  file >> number;
  return file ? number : 0;
}

/// A socket that only carries ioctl calls.
class ControlSocket {
 public:
  ControlSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~ControlSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  bool ask(unsigned long request, ifreq& about) const {
    return fd_ >= 0 && ::ioctl(fd_, request, &about) == 0;
  }

 private:
  int fd_;
};

std::optional<IpAddress> address_in(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    IpAddress::Octets octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return IpAddress::v6(octets);
  }
  return std::nullopt;
}

}  // namespace

HugepageFacts hugepage_facts() {
  HugepageFacts facts;
  std::ifstream total("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  if (!total) return facts;
  facts.page_bytes = 2UL << 20;
  total >> facts.total_pages;
  facts.free_pages = number_in("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  return facts;
}

std::optional<InterfaceFacts> interface_facts(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const ControlSocket control;
  ifreq about{};
  std::memcpy(about.ifr_name, name.c_str(), name.size() + 1);
  if (!control.ask(SIOCGIFFLAGS, about)) return std::nullopt;
  InterfaceFacts facts;
  facts.is_up = (about.ifr_flags & IFF_UP) != 0;
  if (control.ask(SIOCGIFMTU, about)) facts.mtu = static_cast<unsigned>(about.ifr_mtu);
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  about.ifr_data = static_cast<char*>(static_cast<void*>(&driver));
  if (control.ask(SIOCETHTOOL, about)) facts.driver = driver.driver;
  return facts;
}

std::string interface_names() {
  struct if_nameindex* all = ::if_nameindex();
  std::string names;
  for (const struct if_nameindex* at = all; at != nullptr && at->if_index != 0; ++at) {
    if (std::string_view(at->if_name) == "lo") continue;
    names += (names.empty() ? "" : ", ");
    names += at->if_name;
  }
  if (all != nullptr) ::if_freenameindex(all);
  return names;
}

std::optional<std::string> interface_with(const IpAddress& address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  std::optional<std::string> found;
  for (const ifaddrs* at = all; at != nullptr && !found; at = at->ifa_next)
    if (address_in(at->ifa_addr) == address) found = at->ifa_name;
  ::freeifaddrs(all);
  return found;
}

bool may_open_packet_sockets() {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

}  // namespace dataplane::dpdk
