#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "dataplane/base/ring.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/tcp/delivery_rate.hpp"
#include "dataplane/tcp/rack.hpp"
#include "dataplane/wire/tcp_options.hpp"

namespace dataplane::tcp {

/// What is in flight between SND.UNA and SND.NXT, segment by segment: when it was sent, whether it
/// was SACKed, is held to be lost, was sent again. It decides what is lost (RFC 8985 §6, RFC 6675
/// §4) and how much is in the network (pipe), not when to send. Lengths are in sequence space: a
/// FIN counts one.
class Scoreboard {
 public:
  /// One transmission unit. A segment that must be cut smaller on retransmission is split.
  struct Sent {
    SeqNum begin;
    std::uint32_t length = 0;
    Instant sent_at{};              ///< Of the last transmission.
    DeliveryRate::Snapshot path{};  ///< Of the last transmission.
    bool sacked : 1 = false;
    bool lost : 1 = false;           ///< Held to be lost; stays set when sent again.
    bool retransmitted : 1 = false;  ///< Sent again since it was held to be lost.
    bool sent_once : 1 = true;       ///< Never sent again: gives RTT samples (Karn).
    bool app_limited : 1 = false;    ///< The application was the limit at the last transmission.
    SeqNum end() const { return begin + length; }
  };
  static_assert(sizeof(Sent) == 40);

  /// What one ACK taught.
  struct Acked {
    std::uint32_t cumulative = 0;     ///< Octets by which SND.UNA moved.
    std::uint32_t sacked = 0;         ///< Octets that a SACK block reported for the first time.
    std::optional<Duration> rtt;      ///< From the latest sent segment that was sent once.
    bool duplicate_reported = false;  ///< The first block was a D-SACK (RFC 2883 §4).
    bool reordered = false;     ///< A segment that was sent once came later than one behind it.
    bool original = false;      ///< A segment that was sent once came.
    std::uint32_t longest = 0;  ///< Length of the longest segment that came.
    /// Octets delivered that no earlier ACK had reported.
    std::uint32_t delivered = 0;
    cc::RateSample rate{};
  };

  /// New octets left: [SND.NXT, SND.NXT + length).
  void on_sent(SeqNum begin, std::uint32_t length, Instant now);
  /// `ack` is within [SND.UNA, SND.NXT]. Blocks that make no sense are ignored. `min_rtt`: no rate
  /// sample is shorter.
  Acked on_ack(SeqNum snd_una, SeqNum ack, std::span<const wire::SackBlock> sacks, Instant now,
               Duration min_rtt, Rack& rack);
  /// The application has nothing to send although it might.
  void on_app_limited() { rate_.on_app_limited(pipe()); }
  /// Octets in the network when the segment that was marked lost last left, with it.
  std::uint32_t flight_of_loss() const { return newly_lost_.in_flight; }
  /// What was marked lost since the last call.
  cc::LossSample take_newly_lost() { return std::exchange(newly_lost_, {}); }

  /// RFC 6675 §4 IsLost: marks every segment with enough SACKed octets above it and tells whether
  /// any is new.
  bool mark_lost_by_sack(std::uint32_t mss);
  /// RFC 8985 §6.2 step 5: marks all that was sent before what has arrived and is `window` too
  /// late, also what was sent again. Returns when to look again; kNever: nothing waits.
  Instant mark_lost_by_time(const Rack& rack, Duration window, Instant now);
  /// Without SACK: the first segment is lost (RFC 6582 §3.2).
  void mark_first_lost();
  /// After a retransmission timeout (RFC 6675 §5.1): all that is not SACKed is lost, also what was
  /// sent again; with times to go by (RFC 8985 §6.3), the first and what is as old as that.
  void mark_lost_by_timeout(const Rack& rack, Duration window, Instant now);
  void mark_all_lost();
  /// Segments of more than `length` octets did not fit the path.
  void mark_longer_lost(std::uint32_t length);
  /// What was held to be lost is in flight after all.
  void forget_losses();
  /// The receiver dropped what it had SACKed (RFC 2018 §8): forget all SACKs.
  void forget_sacks();
  bool first_is_sacked() const { return !sent_.empty() && sent_.front().sacked; }

  /// The first lost segment that was not sent again.
  const Sent* next_lost();
  /// The segment with the lowest sequence number; there is one.
  const Sent& first() const { return sent_.front(); }
  /// The segment with the highest sequence number; there is one.
  const Sent& last() const { return sent_.back(); }
  /// The segment that starts at `begin` was sent again; only its first `length` octets when that is
  /// less.
  void on_retransmitted(SeqNum begin, std::uint32_t length, Instant now);

  /// Octets held to be in the network (RFC 6675 §4 SetPipe).
  std::uint32_t pipe() const { return total_ - sacked_ - lost_ + retransmitted_; }
  std::uint32_t sacked() const { return sacked_; }
  std::size_t sacked_segments() const { return sacked_segments_; }
  /// Octets that are missing below the highest that was SACKed.
  std::uint32_t missing() const {
    return sacked_ == 0 ? 0 : highest_sacked_ - sent_.front().begin - sacked_;
  }
  bool has_lost() const { return lost_ != retransmitted_; }
  /// Octets that are to be sent again.
  std::uint32_t waiting() const { return lost_ - retransmitted_; }
  bool empty() const { return sent_.empty(); }
  std::size_t segments() const { return sent_.size(); }
  void clear();
  void trim() {
    sent_.release_memory();
    resent_.release_memory();
  }

 private:
  /// A transmission that was not the first.
  struct Resent {
    SeqNum begin;
    Instant sent_at{};
  };
  /// What the steps of one ACK share.
  struct Pass {
    Instant now;
    Duration min_rtt{};
    Rack& rack;
    SeqNum highest;    ///< End of the highest segment that had arrived before.
    Instant latest{};  ///< When the segment of out.rtt was sent.
    Acked out{};
  };

  void apply(SeqNum snd_una, SeqNum ack, std::span<const wire::SackBlock> sacks, Pass& pass);
  std::size_t index_at(SeqNum seq) const;
  void split(std::size_t index, std::uint32_t length);
  void mark_lost(Sent& segment);
  void unmark(Sent& segment);
  bool is_sensible(const wire::SackBlock& block) const;
  bool may_split() const;
  void on_sack(const wire::SackBlock& block, Pass& pass);
  void sack_range(SeqNum begin, SeqNum end, Pass& pass);
  bool is_in_flight(const Resent& resent, std::size_t index) const;
  void note_transmission(Sent& segment, Instant now, bool first);
  void on_delivered(const Sent& segment, Pass& pass);
  void pop_acked(SeqNum ack, Pass& pass);

  Ring<Sent> sent_;
  Ring<Resent> resent_;  ///< In the order of their times; those settled are dropped at the front.
  DeliveryRate rate_;
  cc::LossSample newly_lost_;
  SeqNum newly_lost_end_;    ///< Where the last run of newly_lost_ ends.
  std::uint32_t total_ = 0;  ///< Octets in sent_.
  std::uint32_t sacked_ = 0;
  std::uint32_t sacked_segments_ = 0;
  std::uint32_t lost_ = 0;           ///< Never SACKed ones.
  std::uint32_t retransmitted_ = 0;  ///< Those of lost_ that were sent again.
  SeqNum highest_sacked_;            ///< End of the highest SACKed segment, while sacked_ != 0.
  SeqNum lost_below_;   ///< mark_lost_by_sack() has looked at everything below, while sacked_ != 0.
  SeqNum timed_below_;  ///< mark_lost_by_time() has settled all first transmissions below.
  SeqNum arrived_;      ///< End of the highest segment that has arrived.
  SeqNum next_lost_;    ///< No lost segment below waits to be sent again.
  /// The blocks of the last ACK: a block that only grew is looked at only where it is new.
  std::array<wire::SackBlock, wire::kMaxSackBlocks> known_{};
  std::uint8_t known_count_ = 0;
};

}  // namespace dataplane::tcp
