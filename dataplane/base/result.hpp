#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace dataplane {

/// Why an input was refused. Each value is also a drop counter of the same name.
enum class Error : std::uint8_t {
  BadChecksum,      ///< IPv4, TCP, UDP or ICMP checksum does not match.
  BadLength,        ///< A length field contradicts the octets that are there.
  BadVersion,       ///< IP version, ARP hardware or protocol type that is not ours.
  BadAddress,       ///< A source or destination that no host may use there.
  BadHeader,        ///< A field with a value that its format forbids.
  BadOption,        ///< A TCP option whose length octet is wrong.
  Fragment,         ///< An IP fragment: refused and counted, TCP never needs one.
  NoBuffers,        ///< The packet pool is empty.
  NoRoute,          ///< No port owns the source address.
  NotForUs,         ///< A destination address (MAC or IP) that is not ours.
  QueueFull,        ///< A bounded queue is full.
  Truncated,        ///< Fewer octets than the format needs.
  UnknownProtocol,  ///< An EtherType or IP protocol that we do not speak.
  UnknownVlan,      ///< A VLAN tag that is not the port's.
};
inline constexpr std::size_t kErrorCount = static_cast<std::size_t>(Error::UnknownVlan) + 1;

/// The counter name of an error, such as "bad_checksum".
std::string_view name_of(Error error);

template <class T>
using Result = tl::expected<T, Error>;
using Refused = tl::unexpected<Error>;

}  // namespace dataplane
