#include "dataplane/dpdk/capture.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace dataplane::dpdk {
namespace {

constexpr std::size_t kWriteAt = 1UL << 20;  ///< Octets that one write() carries.
constexpr auto kWriterNap = std::chrono::milliseconds(2);
constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr std::uint16_t kEtherTypeVlan = 0x8100;
constexpr std::uint8_t kProtocolTcp = 6;

/// What the filter looks at.
struct Glance {
  bool is_ip = false;
  IpAddress source;
  IpAddress destination;
  bool is_tcp = false;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

Glance glance_at(ByteSpan frame) {
  Glance seen;
  Reader reader(frame);
  reader.skip(12);
  std::uint16_t type = reader.u16();
  if (type == kEtherTypeVlan) {
    reader.skip(2);
    type = reader.u16();
  }
  std::uint8_t protocol = 0;
  if (type == kEtherTypeIpv4) {
    const std::size_t header = (reader.u8() & 0x0fU) * std::size_t{4};
    reader.skip(8);
    protocol = reader.u8();
    reader.skip(2);
    seen.source = IpAddress::v4(reader.u32());
    seen.destination = IpAddress::v4(reader.u32());
    reader.skip(header < 20 ? 0 : header - 20);
  } else if (type == kEtherTypeIpv6) {
    reader.skip(6);
    protocol = reader.u8();
    reader.skip(1);
    const ByteSpan addresses = reader.bytes(32);
    if (!reader.ok()) return {};
    seen.source = IpAddress::from_network_v6(addresses.data());
    seen.destination = IpAddress::from_network_v6(addresses.data() + 16);
  } else {
    return {};
  }
  if (!reader.ok()) return {};
  seen.is_ip = true;
  seen.source_port = reader.u16();
  seen.destination_port = reader.u16();
  seen.is_tcp = protocol == kProtocolTcp && reader.ok();
  return seen;
}

std::int64_t wall_now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

bool matches(const CaptureFilter& filter, ByteSpan frame) {
  if (!filter.host && !filter.tcp_port) return true;
  const Glance seen = glance_at(frame);
  if (filter.host &&
      !(seen.is_ip && (seen.source == *filter.host || seen.destination == *filter.host)))
    return false;
  return !filter.tcp_port || (seen.is_tcp && (seen.source_port == *filter.tcp_port ||
                                              seen.destination_port == *filter.tcp_port));
}

CaptureTap::CaptureTap(const CaptureConfig& config)
    : filter_(config.filter), snap_length_(config.snap_length), ring_(config.queue_bytes) {}

void CaptureTap::keep(Instant now, PortIndex port, Direction direction, ByteSpan frame) {
  if (!matches(filter_, frame)) return;
  Counters& counters = counters_[index_of(port)];
  counters.chosen.fetch_add(1, std::memory_order_relaxed);
  const ByteSpan kept = frame.first(std::min<std::size_t>(frame.size(), snap_length_));
  const MutableByteSpan room = ring_.reserve(sizeof(Record) + kept.size());
  if (room.empty()) {
    counters.dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const Record record{now.time_since_epoch().count(), static_cast<std::uint32_t>(index_of(port)),
                      direction, static_cast<std::uint32_t>(frame.size())};
  std::memcpy(room.data(), &record, sizeof record);
  std::memcpy(room.data() + sizeof record, kept.data(), kept.size());
  ring_.commit();
}

OrMessage<std::unique_ptr<Capture>> Capture::start(const CaptureConfig& config, const Eal& eal,
                                                   const TscClock& clock,
                                                   std::vector<Interface> interfaces,
                                                   std::size_t cores) {
  const int fd = ::open(config.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return tl::unexpected(fmt::format("cannot write the capture to {}: {}", config.path,
                                      std::generic_category().message(errno)));
  std::unique_ptr<Capture> capture(new Capture(config, clock, std::move(interfaces), cores, fd));
  capture->thread_ = std::thread([raw = capture.get(), &eal] {
    eal.unpin_this_thread();
    raw->run();
  });
  return capture;
}

Capture::Capture(const CaptureConfig& config, const TscClock& clock,
                 std::vector<Interface> interfaces, std::size_t cores, int fd)
    : clock_(clock), interfaces_(std::move(interfaces)), fd_(fd), lost_(interfaces_.size()) {
  for (std::size_t core = 0; core < cores; ++core)
    taps_.push_back(std::make_unique<CaptureTap>(config));
  compare_clocks();
  start_ns_ = wall_time(clock_.now().time_since_epoch().count());
  PcapngBlocks blocks(pending_);
  blocks.section_header("Hawser");
  for (const Interface& interface : interfaces_)
    blocks.interface_description(interface.name, interface.description, config.snap_length);
  write_out();
}

Capture::~Capture() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  while (drain())
    write_out();
  write_statistics();
  write_out();
  ::close(fd_);
}

void Capture::compare_clocks() {
  compared_at_ = clock_.now();
  wall_minus_engine_ns_ = wall_now_ns() - compared_at_.time_since_epoch().count();
}

std::uint64_t Capture::wall_time(std::int64_t instant_ns) const {
  return static_cast<std::uint64_t>(instant_ns + wall_minus_engine_ns_);
}

void Capture::run() {
  while (!stop_.load(std::memory_order_acquire)) {
    // The counter's rate is known to a few parts in a million, the wall clock is disciplined:
    // follow it.
    if (clock_.now() - compared_at_ > 1s) compare_clocks();
    const bool found = drain();
    write_out();
    if (!found) std::this_thread::sleep_for(kWriterNap);
  }
}

bool Capture::drain() {
  PcapngBlocks blocks(pending_);
  bool found = false;
  for (const auto& tap : taps_) {
    while (pending_.size() < kWriteAt) {
      const ByteSpan octets = tap->ring_.front();
      if (octets.empty()) break;
      found = true;
      CaptureTap::Record record;
      std::memcpy(&record, octets.data(), sizeof record);
      if (write_failed_) {
        ++lost_[record.interface];
      } else {
        blocks.enhanced_packet({.interface = record.interface,
                                .time_ns = wall_time(record.instant_ns),
                                .direction = record.direction,
                                .length = record.length,
                                .kept = octets.subspan(sizeof record)});
      }
      tap->ring_.pop();
    }
  }
  return found;
}

void Capture::write_out() {
  ByteSpan rest(pending_);
  while (!rest.empty() && !write_failed_) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    write_failed_ = written <= 0;
    if (written > 0) rest = rest.subspan(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

void Capture::write_statistics() {
  PcapngBlocks blocks(pending_);
  for (std::uint32_t i = 0; i < interfaces_.size(); ++i) {
    PcapngBlocks::Statistics statistics{
        .interface = i,
        .time_ns = wall_time(clock_.now().time_since_epoch().count()),
        .start_ns = start_ns_,
        .dropped = lost_[i]};
    for (const auto& tap : taps_) {
      statistics.received += tap->counters_[i].chosen.load(std::memory_order_relaxed);
      statistics.dropped += tap->counters_[i].dropped.load(std::memory_order_relaxed);
    }
    blocks.interface_statistics(statistics);
  }
}

}  // namespace dataplane::dpdk
