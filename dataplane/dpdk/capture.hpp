#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/dpdk/byte_ring.hpp"
#include "dataplane/dpdk/clock.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/node_config.hpp"
#include "dataplane/dpdk/pcapng.hpp"

namespace dataplane::dpdk {

/// Whether the filter chooses a frame: Ethernet, at most one VLAN tag, IPv4 or IPv6, TCP.
bool matches(const CaptureFilter& filter, ByteSpan frame);

/// The end of the capture that a core sees: copies frames, never waits.
class CaptureTap {
 public:
  explicit CaptureTap(const CaptureConfig& config);

  void keep(Instant now, PortIndex port, Direction direction, ByteSpan frame);

 private:
  friend class Capture;
  /// What stands before the octets of a frame in the ring.
  struct Record {
    std::int64_t instant_ns = 0;
    std::uint32_t interface = 0;
    Direction direction{};
    std::uint32_t length = 0;
  };
  struct Counters {
    std::atomic<std::uint64_t> chosen = 0;
    std::atomic<std::uint64_t> dropped = 0;  ///< The writer was behind.
  };

  CaptureFilter filter_;
  std::uint32_t snap_length_;
  ByteRing ring_;
  std::array<Counters, kMaxPorts> counters_;
};

/// Writes chosen frames of all cores into one pcapng file, on a thread of its own.
class Capture {
 public:
  struct Interface {
    std::string name;
    std::string description;
  };
  static OrMessage<std::unique_ptr<Capture>> start(const CaptureConfig& config, const Eal& eal,
                                                   const TscClock& clock,
                                                   std::vector<Interface> interfaces,
                                                   std::size_t cores);
  /// Writes what waits, then the statistics, and closes the file.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  CaptureTap& tap(std::size_t core) { return *taps_[core]; }

 private:
  Capture(const CaptureConfig& config, const TscClock& clock, std::vector<Interface> interfaces,
          std::size_t cores, int fd);
  void run();
  bool drain();
  void write_out();
  void write_statistics();
  void compare_clocks();
  std::uint64_t wall_time(std::int64_t instant_ns) const;

  TscClock clock_;
  std::vector<Interface> interfaces_;
  std::vector<std::unique_ptr<CaptureTap>> taps_;
  int fd_;
  std::uint64_t start_ns_ = 0;
  std::int64_t wall_minus_engine_ns_ = 0;
  Instant compared_at_{};
  bool write_failed_ = false;        ///< Such as a full disk; what follows is dropped.
  std::vector<std::uint64_t> lost_;  ///< Per interface: after a write failed.
  std::vector<std::byte> pending_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace dataplane::dpdk
