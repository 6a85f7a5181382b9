#include "dataplane/dpdk/pcapng.hpp"

#include <cstring>
#include <span>

namespace dataplane::dpdk {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d'0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b'3c4d;
constexpr std::uint16_t kLinkTypeEthernet = 1;

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kShbApplication = 4;
constexpr std::uint16_t kIfName = 2;
constexpr std::uint16_t kIfDescription = 3;
constexpr std::uint16_t kIfTimestampResolution = 9;
constexpr std::uint16_t kEpbFlags = 2;
constexpr std::uint16_t kIsbStartTime = 2;
constexpr std::uint16_t kIsbEndTime = 3;
constexpr std::uint16_t kIsbReceived = 4;
constexpr std::uint16_t kIsbDropped = 5;
constexpr std::byte kNanoseconds{9};  ///< Timestamps count 10^-9 seconds.

ByteSpan octets_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

template <class T>
void PcapngBlocks::put(T value) {
  const std::size_t at = out_.size();
  out_.resize(at + sizeof value);
  std::memcpy(out_.data() + at, &value, sizeof value);
}

void PcapngBlocks::put_bytes(ByteSpan octets) {
  out_.insert(out_.end(), octets.begin(), octets.end());
  out_.resize((out_.size() + 3) / 4 * 4);
}

void PcapngBlocks::put_option(std::uint16_t code, ByteSpan octets) {
  put(code);
  put(static_cast<std::uint16_t>(octets.size()));
  put_bytes(octets);
}

void PcapngBlocks::put_option_u64(std::uint16_t code, std::uint64_t value) {
  put_option(code, std::as_bytes(std::span(&value, 1)));
}

void PcapngBlocks::put_option_time(std::uint16_t code, std::uint64_t time_ns) {
  put(code);
  put(std::uint16_t{8});
  put(static_cast<std::uint32_t>(time_ns >> 32));  // The upper half first, in either byte order.
  put(static_cast<std::uint32_t>(time_ns));
}

std::size_t PcapngBlocks::open(std::uint32_t type) {
  const std::size_t block = out_.size();
  put(type);
  put(std::uint32_t{0});
  return block;
}

void PcapngBlocks::close(std::size_t block) {
  const auto length = static_cast<std::uint32_t>(out_.size() - block + sizeof(std::uint32_t));
  put(length);
  std::memcpy(out_.data() + block + sizeof(std::uint32_t), &length, sizeof length);
}

void PcapngBlocks::section_header(std::string_view application) {
  const std::size_t block = open(kSectionHeader);
  put(kByteOrderMagic);
  put(std::uint16_t{1});  // Version 1.0.
  put(std::uint16_t{0});
  put(~std::uint64_t{0});  // The length of the section is not known.
  put_option(kShbApplication, octets_of(application));
  put_option(kEndOfOptions, {});
  close(block);
}

void PcapngBlocks::interface_description(std::string_view name, std::string_view description,
                                         std::uint32_t snap_length) {
  const std::size_t block = open(kInterfaceDescription);
  put(kLinkTypeEthernet);
  put(std::uint16_t{0});
  put(snap_length);
  put_option(kIfName, octets_of(name));
  put_option(kIfDescription, octets_of(description));
  put_option(kIfTimestampResolution, {&kNanoseconds, 1});
  put_option(kEndOfOptions, {});
  close(block);
}

void PcapngBlocks::enhanced_packet(const Frame& frame) {
  const std::size_t block = open(kEnhancedPacket);
  put(frame.interface);
  put(static_cast<std::uint32_t>(frame.time_ns >> 32));
  put(static_cast<std::uint32_t>(frame.time_ns));
  put(static_cast<std::uint32_t>(frame.kept.size()));
  put(frame.length);
  put_bytes(frame.kept);
  const auto flags = static_cast<std::uint32_t>(frame.direction);
  put_option(kEpbFlags, std::as_bytes(std::span(&flags, 1)));
  put_option(kEndOfOptions, {});
  close(block);
}

void PcapngBlocks::interface_statistics(const Statistics& statistics) {
  const std::size_t block = open(kInterfaceStatistics);
  put(statistics.interface);
  put(static_cast<std::uint32_t>(statistics.time_ns >> 32));
  put(static_cast<std::uint32_t>(statistics.time_ns));
  put_option_time(kIsbStartTime, statistics.start_ns);
  put_option_time(kIsbEndTime, statistics.time_ns);
  put_option_u64(kIsbReceived, statistics.received);
  put_option_u64(kIsbDropped, statistics.dropped);
  put_option(kEndOfOptions, {});
  close(block);
}

}  // namespace dataplane::dpdk
