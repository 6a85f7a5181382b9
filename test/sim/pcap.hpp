#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "test/sim/world.hpp"

namespace sim {

/// A capture file with times in nanoseconds, for tshark and for eyes.
class Pcap {
 public:
  /// Throws std::runtime_error when the file cannot be made.
  explicit Pcap(const std::string& path);
  void write(Instant at, ByteSpan frame);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace sim
