#include "mptcp/wire/data_checksum.hpp"

#include "dataplane/wire/checksum.hpp"

namespace mptcp {
namespace {

std::uint64_t sum_of(const DataPseudoHeader& header, std::uint16_t payload_sum) {
  // Whole words instead of their 16-bit halves: the carries come back when the sum is folded.
  const std::uint64_t dsn = header.dsn.raw();
  return (dsn >> 32) + (dsn & 0xffff'ffff) + header.subflow_seq + header.length + payload_sum;
}

}  // namespace

std::uint16_t data_checksum(const DataPseudoHeader& header, std::uint16_t payload_sum) {
  return static_cast<std::uint16_t>(~dataplane::wire::fold_sum(sum_of(header, payload_sum)));
}

bool is_valid_data_checksum(const DataPseudoHeader& header, std::uint16_t payload_sum,
                            std::uint16_t checksum) {
  return dataplane::wire::fold_sum(sum_of(header, payload_sum) + checksum) == 0xffff;
}

}  // namespace mptcp
