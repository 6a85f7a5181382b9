#include "dataplane/base/address.hpp"

#include <arpa/inet.h>

#include "dataplane/base/decimal.hpp"

namespace dataplane {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton wants a terminated string; no literal is longer than this.
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.size() >= buffer.size()) return std::nullopt;
  text.copy(buffer.data(), text.size());
  std::array<std::byte, 16> octets{};
  if (inet_pton(AF_INET, buffer.data(), octets.data()) == 1) return from_network_v4(octets.data());
  if (inet_pton(AF_INET6, buffer.data(), octets.data()) == 1) return from_network_v6(octets.data());
  return std::nullopt;
}

bool IpAddress::is_unspecified() const {
  return *this == IpAddress{} || (is_v4() && v4_host_order() == 0);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return octets_[12] == 127;
  for (std::size_t i = 0; i < 15; ++i)
    if (octets_[i] != 0) return false;
  return octets_[15] == 1;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (octets_[12] & 0xf0) == 0xe0 : octets_[0] == 0xff;
}

bool IpAddress::is_broadcast() const { return is_v4() && v4_host_order() == 0xffff'ffff; }

bool IpAddress::is_link_local() const { return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80; }

bool IpAddress::same_subnet(const IpAddress& other, unsigned prefix_length) const {
  if (is_v4() != other.is_v4()) return false;
  const unsigned bits = is_v4() ? prefix_length + 96 : prefix_length;
  const std::size_t whole = bits / 8;
  if (std::memcmp(octets_.data(), other.octets_.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffU << (8 - bits % 8);
  return ((octets_[whole] ^ other.octets_[whole]) & mask) == 0;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, network_bytes().data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = parse_decimal<unsigned>(text.substr(slash + 1), address->is_v4() ? 32 : 128);
  if (!length) return std::nullopt;
  return Prefix{*address, *length};
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_decimal<unsigned>(text.substr(colon + 1), 65'535);
  if (!address || !port || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::string FourTuple::to_string() const { return local.to_string() + " -> " + remote.to_string(); }

}  // namespace dataplane
