#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/byte_io.hpp"

namespace dataplane::dpdk {

/// Which way a frame went, as the flags option of pcapng counts it.
enum class Direction : std::uint8_t { Inbound = 1, Outbound = 2 };

/// The blocks of a pcapng file (draft-ietf-opsawg-pcapng), appended to a buffer in host byte order
/// as the format asks. Timestamps are nanoseconds since 1970.
class PcapngBlocks {
 public:
  explicit PcapngBlocks(std::vector<std::byte>& out) : out_(out) {}

  void section_header(std::string_view application);
  /// Interfaces are numbered in the order of these calls, from 0.
  void interface_description(std::string_view name, std::string_view description,
                             std::uint32_t snap_length);
  struct Frame {
    std::uint32_t interface = 0;
    std::uint64_t time_ns = 0;
    Direction direction{};
    std::uint32_t length = 0;  ///< On the wire.
    ByteSpan kept;             ///< At most `length` octets.
  };
  void enhanced_packet(const Frame& frame);
  struct Statistics {
    std::uint32_t interface = 0;
    std::uint64_t time_ns = 0;
    std::uint64_t start_ns = 0;
    std::uint64_t received = 0;  ///< Frames that the filter chose.
    std::uint64_t dropped = 0;   ///< Of those, the ones that are not in the file.
  };
  void interface_statistics(const Statistics& statistics);

 private:
  template <class T>
  void put(T value);
  void put_bytes(ByteSpan octets);  ///< Padded to 4.
  void put_option(std::uint16_t code, ByteSpan octets);
  void put_option_u64(std::uint16_t code, std::uint64_t value);
  void put_option_time(std::uint16_t code, std::uint64_t time_ns);
  std::size_t open(std::uint32_t type);
  void close(std::size_t block);

  std::vector<std::byte>& out_;
};

}  // namespace dataplane::dpdk
