#pragma once

#include <cstdint>

#include "cc/controller.hpp"

namespace cc::test {

using namespace std::chrono_literals;

inline constexpr std::uint32_t kMss = 1448;

/// A sender that always has more to send, over a path of one round trip time: it turns whole
/// windows into ACKs.
class Flow {
 public:
  explicit Flow(Kind kind, Duration rtt = 100ms)
      : rtt_(rtt), controller_(make_controller(kind, config())) {}

  static ControllerConfig config() {
    return {.mss = kMss, .initial_window_segments = 10, .now = Instant(1s)};
  }

  std::uint64_t segments() const { return window(controller_) / kMss; }
  std::uint64_t window_octets() const { return window(controller_); }
  AnyController& controller() { return controller_; }
  Instant now() const { return now_; }
  void wait(Duration span) { now_ += span; }

  /// One ACK, at once.
  void ack(std::uint32_t octets, bool cwnd_limited = true, bool in_recovery = false) {
    on_ack(controller_, {.now = now_,
                         .acked_bytes = octets,
                         .in_flight = window_octets(),
                         .rtt = rtt_,
                         .srtt = rtt_,
                         .cwnd_limited = cwnd_limited,
                         .in_recovery = in_recovery});
  }
  /// One round trip: each segment of the window is acknowledged, except `lost` of them.
  void round(bool cwnd_limited = true, bool in_recovery = false, std::uint64_t lost = 0) {
    const std::uint64_t count = segments() - std::min(segments(), lost);
    const Instant end = now_ + rtt_;
    for (std::uint64_t i = 0; i < count; ++i) {
      now_ += rtt_ / static_cast<std::int64_t>(count);
      ack(kMss, cwnd_limited, in_recovery);
    }
    now_ = end;
  }
  void lose() { on_loss(controller_, now_, window_octets()); }
  void time_out() { on_timeout(controller_, now_, window_octets()); }
  /// Slow start up to at least `target` segments.
  void open_to(std::uint64_t target) {
    while (segments() < target)
      round();
  }

 private:
  Duration rtt_;
  Instant now_{1s};
  AnyController controller_;
};

}  // namespace cc::test
