#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/seq.hpp"

namespace dataplane::tcp {

/// Whether a retransmission timeout was spurious, so that what was in flight still is: told by the
/// timestamp that the first ACK echoes (Eifel detection, RFC 3522 §3.2); without timestamps by what
/// the second one acknowledges after two new segments (Forward RTO-Recovery, RFC 5682 §2.1; with
/// SACK §3.1).
class Frto {
 public:
  /// What an ACK says.
  struct Ack {
    SeqNum ack;
    SeqNum highest;         ///< Of the ACK and its SACK blocks.
    bool advanced = false;  ///< SND.UNA moves.
    /// A duplicate ACK without SACK, or the ACK of a piece that was cut off after the timeout, or
    /// one whose D-SACK says that only ACKs had been lost (RFC 3522 §3.3).
    bool shows_loss = false;
    /// It is the first report of a segment that was sent only once.
    bool reports_original = false;
    std::optional<std::uint32_t> echo{};  ///< TSecr.
  };

  /// Step 1: the timer fires while no other recovery is on. `timestamp`: what a segment sent now
  /// carries.
  void start(SeqNum snd_nxt, std::uint32_t timestamp) {
    step_ = Step::First;
    end_ = snd_nxt;
    timestamp_ = timestamp;
  }
  /// The timer fires again. Only as long as nothing was acknowledged can the answer to the first
  /// timeout still come.
  void on_timeout_again() {
    if (step_ != Step::First) stop();
  }
  bool is_on() const { return step_ != Step::Off; }
  /// True: the timeout was spurious.
  bool on_ack(const Ack& seen) {
    switch (step_) {
      case Step::Off:
        return false;
      case Step::First:
        return on_first(seen);
      case Step::Second:
        return on_second(seen);
    }
    return false;
  }
  /// Step 2b: new segments go before any that is held to be lost.
  bool wants_new_data() const { return step_ == Step::Second && new_left_ != 0; }
  void on_new_data_sent() { --new_left_; }
  /// Nothing more is sent again before the ACK of step 3.
  bool holds_back() const { return step_ == Step::Second; }
  /// The conventional recovery goes on.
  void stop() { step_ = Step::Off; }

 private:
  enum class Step : std::uint8_t { Off, First, Second };

  bool on_first(const Ack& seen) {
    if (seen.shows_loss) stop();
    if (seen.shows_loss || !seen.advanced) return false;
    // RFC 3522 §3.2 step 4: what it answers was sent before the timeout, or after it.
    const bool is_older = seen.echo && static_cast<std::int32_t>(*seen.echo - timestamp_) < 0;
    if (seen.echo || seen.ack >= end_) {
      stop();
      return is_older;
    }
    step_ = Step::Second;
    new_left_ = 2;
    return false;
  }
  bool on_second(const Ack& seen) {
    // Step 3a: the new segments have arrived, and what was sent before them has not.
    const bool is_over = seen.shows_loss || seen.highest > end_;
    if (!is_over && !seen.reports_original) return false;
    stop();
    return !is_over;
  }

  Step step_ = Step::Off;
  std::uint8_t new_left_ = 0;
  SeqNum end_;
  std::uint32_t timestamp_ = 0;
};

}  // namespace dataplane::tcp
