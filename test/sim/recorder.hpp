#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/sim/pcap.hpp"

namespace sim {

/// What a run leaves behind for eyes and for comparison; all of it off unless asked for.
struct RecorderConfig {
  bool digest = false;
  bool trace = false;       ///< One line per frame to stdout.
  Duration watch{};         ///< How often a line for each path goes to stdout; 0: never.
  std::string pcap_folder;  ///< One file per host's link, named NAME-HOST.pcap; empty: none.
  std::string name;
};

class Recorder {
 public:
  explicit Recorder(RecorderConfig config) : config_(std::move(config)) {}

  void add_host(const std::string& name);
  void on_sent(Instant at, std::size_t host, ByteSpan frame) {
    if (is_on()) record(at, host, true, frame);
  }
  void on_delivered(Instant at, std::size_t host, ByteSpan frame) {
    if (is_on()) record(at, host, false, frame);
  }
  void note(Instant at, std::size_t host, const std::string& line);
  /// Of all frames that hosts sent and got, with their times; two runs of one seed have the same.
  std::uint64_t digest() const { return digest_; }
  bool is_tracing() const { return config_.trace; }
  /// A line of --watch.
  void show(Instant at, std::size_t host, const std::string& line) const;
  Duration watch() const { return config_.watch; }

 private:
  bool is_on() const { return config_.digest || config_.trace || !pcaps_.empty(); }
  void record(Instant at, std::size_t host, bool sent, ByteSpan frame);

  RecorderConfig config_;
  std::vector<std::string> hosts_;
  std::vector<Pcap> pcaps_;
  std::uint64_t digest_ = 0;
};

}  // namespace sim
