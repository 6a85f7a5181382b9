#pragma once

#include <vector>

#include "test/sim/frame.hpp"
#include "test/sim/world.hpp"

namespace sim::testing {

/// A segment from 10.0.1.1:4000 to 10.0.0.1:8000, or back; tests change what matters.
inline Craft segment(bool from_client = true) {
  Craft out;
  out.source_mac = {{2, 0, 0, 0, 1, 1}};
  out.destination_mac = {{2, 0, 0, 0, 0, 1}};
  out.source = IpAddress::v4(0x0a00'0101);
  out.destination = IpAddress::v4(0x0a00'0001);
  out.source_port = 4000;
  out.destination_port = 8000;
  out.flags = kAck;
  out.window = 1000;
  if (from_client) return out;
  std::swap(out.source_mac, out.destination_mac);
  std::swap(out.source, out.destination);
  std::swap(out.source_port, out.destination_port);
  return out;
}

/// Keeps what arrives, with the times.
class Inbox final : public FrameSink {
 public:
  void take(Instant now, Frame frame) override {
    times.push_back(now);
    frames.push_back(std::move(frame));
  }
  Segment at(std::size_t index) const {
    const ByteSpan octets = frames.at(index).data();
    return decode(octets, *find_tcp(octets));
  }
  bool all_match() const {
    for (const Frame& frame : frames) {
      const auto layout = find_tcp(frame.data());
      if (!layout || !checksums_match(frame.data(), *layout)) return false;
    }
    return true;
  }
  std::vector<Instant> times;
  std::vector<Frame> frames;
};

}  // namespace sim::testing
