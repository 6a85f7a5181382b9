#include "cc/window.hpp"

namespace cc {

std::uint64_t initial_window(std::uint64_t segments, std::uint64_t mss) {
  constexpr std::uint64_t kEthernetMss = 1460;
  return std::min(segments * mss, std::max(2 * mss, segments * kEthernetMss));
}

Window::Window(const ControllerConfig& config)
    : mss(config.mss),
      initial_segments(static_cast<std::uint16_t>(config.initial_window_segments)),
      slow_start_limit(static_cast<std::uint8_t>(config.slow_start_limit_segments)) {
  cwnd = static_cast<double>(initial());
}

std::uint64_t Window::initial() const { return initial_window(initial_segments, mss); }

void Window::grow_in_slow_start(std::uint32_t acked_bytes, std::uint32_t divisor) {
  const std::uint64_t limit = std::uint64_t{slow_start_limit} * mss;
  cwnd += static_cast<double>(std::min<std::uint64_t>(acked_bytes, limit)) / divisor;
  cwnd = std::min(cwnd, static_cast<double>(ssthresh));
}

void Window::reduce(std::uint64_t threshold) {
  ssthresh = std::max(threshold, least_threshold());
  cwnd = static_cast<double>(ssthresh);
}

void Window::collapse(std::uint64_t threshold) {
  if (!timed_out) ssthresh = std::max(threshold, least_threshold());
  timed_out = true;
  cwnd = mss;
}

void Window::validate_after_idle(Duration idle) {
  constexpr Duration kNonvalidatedPeriod = std::chrono::minutes(5);
  const auto restart = static_cast<double>(initial());
  // Deviation: RFC 5681 §4.1 restarts from the first window when the RTO has passed. A fast path
  // that was idle because a slow one had the rest would be slow, too, each time that it is given
  // something.
  if (idle <= kNonvalidatedPeriod || cwnd <= restart) return;
  if (ssthresh != kNoThreshold) ssthresh = std::max(ssthresh, octets() / 4 * 3);
  cwnd = std::max(restart, cwnd / 2);
}

void Window::change_mss(std::uint32_t octets) {
  const bool untouched = ssthresh == kNoThreshold && cwnd == static_cast<double>(initial());
  mss = octets;
  // RFC 6928 §2 and RFC 5681 §3.1: the initial window counts segments of the size that is really
  // sent.
  cwnd = untouched ? static_cast<double>(initial()) : std::max(cwnd, static_cast<double>(mss));
  if (ssthresh != kNoThreshold) ssthresh = std::max(ssthresh, least_threshold());
}

}  // namespace cc
