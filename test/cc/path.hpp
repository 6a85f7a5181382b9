#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "cc/controller.hpp"
#include "dataplane/base/rng.hpp"
#include "dataplane/tcp/delivery_rate.hpp"
#include "dataplane/tcp/pacer.hpp"

namespace cc::test {

using namespace std::chrono_literals;

struct PathConfig {
  double rate = 12'500'000;  ///< Octets per second.
  Duration round_trip = 20ms;
  double buffer = 500'000;  ///< Octets before the bottleneck.
  double loss = 0;          ///< Chance of each segment.
  double mark = 0;          ///< Octets in the buffer beyond which segments are marked; 0: none are.
};

/// A sender that always has more to send, its controller, and one bottleneck: each segment is
/// acknowledged, and what three later ones overtook is lost. Virtual time.
class Path {
 public:
  explicit Path(Kind kind, const PathConfig& config)
      : config_(config),
        controller_(make_controller(kind, {.mss = kSegment, .now = now_, .seed = 7})) {}

  PathConfig& config() { return config_; }
  AnyController& controller() { return controller_; }
  Instant now() const { return now_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t lost() const { return lost_; }
  /// Longest time that a segment waited before the bottleneck since the last call.
  Duration take_longest_wait() { return std::exchange(longest_wait_, Duration::zero()); }
  std::uint32_t in_flight() const { return in_flight_; }

  /// Calls `look` after each ACK.
  template <class Look>
  void run(Duration span, Look&& look) {
    const Instant end = now_ + span;
    while (now_ < end) {
      send();
      Instant next = arrivals_.empty() ? now_ + 1s : arrivals_.front().acked_at;
      if (in_flight_ + kSegment <= window(controller_) && !pacer_.allows(now_))
        next = std::min(next, pacer_.next_visit());
      if (arrivals_.empty() && in_flight_ > 0) return time_out();
      now_ = std::min(std::max(next, now_), end);
      while (!arrivals_.empty() && arrivals_.front().acked_at <= now_) {
        acknowledge();
        look();
      }
    }
  }
  void run(Duration span) {
    run(span, [] {});
  }
  /// The share of the bottleneck that `span` uses.
  double utilisation(Duration span) {
    const std::uint64_t before = delivered_;
    run(span);
    return static_cast<double>(delivered_ - before) /
           (config_.rate * std::chrono::duration<double>(span).count());
  }
  void time_out() {
    on_timeout(controller_, now_, in_flight_);
    in_flight_ = 0;
    arrivals_.clear();
    recovery_until_ = next_;
    in_recovery_ = false;
  }

  static constexpr std::uint32_t kSegment = 1'448;

 private:
  struct Sent {
    std::uint64_t number;
    Instant sent_at;
    dataplane::tcp::DeliveryRate::Snapshot path;
    Instant acked_at{};
    bool marked = false;
  };

  void send() {
    while (in_flight_ + kSegment <= window(controller_) && pacer_.allows(now_)) {
      const bool first = in_flight_ == 0;
      in_flight_ += kSegment;
      sent_ += kSegment;
      Sent segment{next_++, now_, rate_.on_sent(now_, in_flight_, first)};
      pacer_.on_sent(now_, kSegment);
      const Duration waiting = std::max<Duration>(free_at_ - now_, 0ns);
      const double queued = std::chrono::duration<double>(waiting).count() * config_.rate;
      if (queued + kSegment > config_.buffer || rng_.unit() < config_.loss) {
        dropped_.push_back(segment);
        continue;
      }
      segment.marked = config_.mark != 0 && queued > config_.mark;
      longest_wait_ = std::max(longest_wait_, waiting);
      free_at_ = std::max(free_at_, now_) +
                 Duration(static_cast<std::int64_t>(1e9 * kSegment / config_.rate));
      segment.acked_at = free_at_ + config_.round_trip;
      arrivals_.push_back(segment);
    }
  }

  void acknowledge() {
    const Sent segment = arrivals_.front();
    arrivals_.pop_front();
    const std::uint64_t before = in_flight_;
    AckSample ack{.now = now_, .acked_bytes = kSegment, .delivered = kSegment, .in_flight = before};
    in_flight_ -= kSegment;
    delivered_ += kSegment;
    ack.rtt = now_ - segment.sent_at;
    rate_.on_delivered(segment.path, segment.sent_at, false, kSegment, now_, ack.rate);
    min_rtt_ = std::min(min_rtt_, ack.rtt);
    rate_.finish(ack.rate, min_rtt_);
    while (!dropped_.empty() && dropped_.front().number + 3 <= segment.number)
      note_lost(ack.loss);
    if (in_recovery_ && segment.number >= recovery_until_) in_recovery_ = false;
    if (ack.loss.octets != 0 && !in_recovery_) {
      in_recovery_ = true;
      recovery_until_ = next_;
      on_loss(controller_, now_, before);
    }
    ack.pipe = in_flight_;
    ack.srtt = srtt_ = srtt_ == 0ns ? ack.rtt : srtt_ + (ack.rtt - srtt_) / 8;
    ack.cwnd_limited = ack.window_full = before + kSegment > window(controller_);
    ack.repairing = in_recovery_;
    if (segment.number > answered_until_) is_answered_ = false;
    ack.in_recovery = in_recovery_ || is_answered_;
    ack.marked = segment.marked ? kSegment : 0;
    on_ack(controller_, ack);
    if (segment.marked && !is_answered_ && !in_recovery_) {
      is_answered_ = true;
      answered_until_ = next_;
      on_ecn(controller_, now_, before);
    }
    pacer_.set_rate(pacing_rate(controller_));
  }
  void note_lost(LossSample& out) {
    const Sent& segment = dropped_.front();
    in_flight_ -= std::min(in_flight_, kSegment);
    lost_ += kSegment;
    rate_.on_lost(kSegment);
    if (segment.number != last_lost_ + 1) ++out.ranges;
    last_lost_ = segment.number;
    out.octets += kSegment;
    out.in_flight = segment.path.in_flight;
    out.lost = rate_.lost_since(segment.path);
    dropped_.pop_front();
  }

  PathConfig config_;
  Instant now_{100s};
  AnyController controller_;
  dataplane::tcp::DeliveryRate rate_;
  dataplane::tcp::Pacer pacer_;
  dataplane::Rng rng_{3};
  std::deque<Sent> arrivals_;
  std::deque<Sent> dropped_;
  std::uint64_t next_ = 1;
  std::uint64_t last_lost_ = 0;
  std::uint64_t recovery_until_ = 0;
  std::uint64_t answered_until_ = 0;
  bool is_answered_ = false;
  bool in_recovery_ = false;
  std::uint32_t in_flight_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
  Duration srtt_{};
  Duration min_rtt_ = 1h;
  Duration longest_wait_{};
  Instant free_at_{};
};

}  // namespace cc::test
