#pragma once

#include <cstdint>

#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// The pseudo header of a mapping (RFC 8684 §3.3.1, figure 10). The DSN is all of it, whatever the
/// option shows.
struct DataPseudoHeader {
  Dsn dsn;
  std::uint32_t subflow_seq = 0;  ///< Relative, as in the mapping.
  std::uint16_t length = 0;       ///< As in the mapping.
};

/// The checksum field of a mapping. `payload_sum` is dataplane::wire::Checksum::folded() over all
/// of its octets, which counts a DATA_FIN for nothing.
std::uint16_t data_checksum(const DataPseudoHeader& header, std::uint16_t payload_sum);

/// Whether a mapping's checksum field fits what came.
bool is_valid_data_checksum(const DataPseudoHeader& header, std::uint16_t payload_sum,
                            std::uint16_t checksum);

}  // namespace mptcp
