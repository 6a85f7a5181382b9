#include "test/sim/pcap.hpp"

#include <array>
#include <stdexcept>

namespace sim {

namespace {

constexpr std::uint32_t kNanosecondMagic = 0xa1b2'3c4d;
constexpr std::uint32_t kLinkTypeEthernet = 1;

}  // namespace

Pcap::Pcap(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
  if (!file_) throw std::runtime_error("cannot write " + path);
  const std::array<std::uint32_t, 6> header = {kNanosecondMagic, 2 | 4U << 16,     0, 0,
                                               65'535,           kLinkTypeEthernet};
  std::fwrite(header.data(), sizeof header, 1, file_.get());
}

void Pcap::write(Instant at, ByteSpan frame) {
  const auto ns = static_cast<std::uint64_t>(at.time_since_epoch().count());
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::array<std::uint32_t, 4> record = {static_cast<std::uint32_t>(ns / 1'000'000'000),
                                               static_cast<std::uint32_t>(ns % 1'000'000'000), size,
                                               size};
  std::fwrite(record.data(), sizeof record, 1, file_.get());
  std::fwrite(frame.data(), 1, frame.size(), file_.get());
}

}  // namespace sim
