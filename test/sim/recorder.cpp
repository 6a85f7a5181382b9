#include "test/sim/recorder.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace sim {

namespace {

std::uint64_t absorb(std::uint64_t state, std::uint64_t word) {
  state = (state ^ word) * 0x9e37'79b9'7f4a'7c15;
  return state ^ (state >> 32);
}

double seconds(Instant at) { return std::chrono::duration<double>(at - kStart).count(); }

}  // namespace

void Recorder::add_host(const std::string& name) {
  hosts_.push_back(name);
  if (!config_.pcap_folder.empty())
    pcaps_.emplace_back(fmt::format("{}/{}-{}.pcap", config_.pcap_folder, config_.name, name));
}

void Recorder::note(Instant at, std::size_t host, const std::string& line) {
  if (config_.trace) fmt::print("{:14.9f} {:8} | {}\n", seconds(at), hosts_[host], line);
}

void Recorder::show(Instant at, std::size_t host, const std::string& line) const {
  fmt::print("{:9.3f} {:8} {}\n", seconds(at), hosts_[host], line);
}

void Recorder::record(Instant at, std::size_t host, bool sent, ByteSpan frame) {
  if (config_.digest) {
    digest_ = absorb(digest_, static_cast<std::uint64_t>(at.time_since_epoch().count()));
    digest_ = absorb(digest_, host * 2 + (sent ? 1 : 0) + (std::uint64_t{frame.size()} << 8));
    for (std::size_t i = 0; i < frame.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, &frame[i], std::min<std::size_t>(8, frame.size() - i));
      digest_ = absorb(digest_, word);
    }
  }
  if (config_.trace)
    fmt::print("{:14.9f} {:8} {} {}\n", seconds(at), hosts_[host], sent ? '>' : '<',
               describe(frame));
  if (!pcaps_.empty()) pcaps_[host].write(at, frame);
}

}  // namespace sim
