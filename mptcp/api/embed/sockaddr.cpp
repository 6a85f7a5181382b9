#include "mptcp/api/embed/sockaddr.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>

namespace mptcp::api::embed {

using dataplane::Endpoint;
using dataplane::IpAddress;

namespace {

/// What AF_INET6 needs at least: all but the scope (RFC 2133 had none).
constexpr socklen_t kLeastIpv6 = 24;

IpAddress ipv4_of(const in_addr& address) { return IpAddress::v4(ntohl(address.s_addr)); }

template <class Sockaddr>
void store(const Sockaddr& all, sockaddr* to, socklen_t* length) {
  std::memcpy(to, &all, std::min<std::size_t>(*length, sizeof all));
  *length = sizeof all;
}

}  // namespace

IpAddress any_address(int family) { return family == AF_INET ? IpAddress::v4(0) : IpAddress(); }

int read_sockaddr(int family, const sockaddr* from, socklen_t length, Endpoint& out) {
  sockaddr_in v4{};
  if (length < (family == AF_INET ? sizeof v4 : kLeastIpv6)) return -EINVAL;
  if (from->sa_family != family) return -EAFNOSUPPORT;
  if (family == AF_INET) {
    std::memcpy(&v4, from, sizeof v4);
    out = {ipv4_of(v4.sin_addr), ntohs(v4.sin_port)};
    return 0;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, std::min<std::size_t>(length, sizeof v6));
  IpAddress::Octets octets;
  std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
  out = {IpAddress::v6(octets), ntohs(v6.sin6_port)};
  return 0;
}

void write_sockaddr(int family, const Endpoint& endpoint, sockaddr* to, socklen_t* length) {
  if (to == nullptr || length == nullptr) return;
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr.s_addr = htonl(endpoint.address.v4_host_order());
    store(v4, to, length);
    return;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  std::memcpy(&v6.sin6_addr, endpoint.address.octets().data(), sizeof v6.sin6_addr);
  store(v6, to, length);
}

}  // namespace mptcp::api::embed
