#pragma once

#include <array>
#include <cstddef>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"

namespace mptcp {

/// Destinations on whose way something drops SYNs with MP_CAPABLE (RFC 8684 §3.7 has a connection
/// go on without; this spares the next one the wait). Few are worth remembering: where one comes
/// too many, that which is forgotten first goes.
class BlackholeTable {
 public:
  static constexpr std::size_t kMost = 64;

  void add(const dataplane::IpAddress& destination, dataplane::Instant until);
  bool has(const dataplane::IpAddress& destination, dataplane::Instant now) const;

 private:
  struct Entry {
    dataplane::IpAddress destination;
    dataplane::Instant until{};
  };
  std::array<Entry, kMost> entries_{};
};

}  // namespace mptcp
