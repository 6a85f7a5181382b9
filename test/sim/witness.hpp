#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/sim/content.hpp"
#include "test/sim/frame.hpp"
#include "test/sim/world.hpp"

namespace sim {

/// Octets that arrived, as positions in the stream: [0, contiguous) and islands above it.
class Arrived {
 public:
  void add(std::uint64_t begin, std::uint64_t end);
  std::uint64_t contiguous() const { return contiguous_; }
  bool contains(std::uint64_t begin, std::uint64_t end) const;

 private:
  std::uint64_t contiguous_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      islands_;  ///< Sorted, apart from each other.
};

/// What one end of a connection may send, told from the frames alone that went in and out of its
/// host.
///
/// Stream positions are 64 bits wide; position 0 is the octet behind the SYN. Each on_ call returns
/// what was wrong, or nothing.
class Witness {
 public:
  using Complaint = std::optional<std::string>;

  /// `key` names the stream that this end sends. Payload of fewer than `solid` octets may be
  /// refused for the memory that its packet holds.
  Witness(const Content& content, std::uint64_t key, std::size_t solid)
      : content_(&content), key_(key), solid_(solid) {}

  /// A segment that the host sent; not a reset.
  Complaint on_sent(Instant now, const Segment& segment);
  /// A genuine segment that was handed to the host.
  void on_delivered(Instant now, const Segment& segment);
  /// The host has thrown away up to so many octets of its own, all in all, for want of a next hop:
  /// what it sends may skip as many.
  void allow_skipped(std::uint64_t octets) { skipped_allowed_ = octets; }
  /// Whether an acknowledgment is overdue (RFC 9293 §3.8.6.3: within 500 ms).
  Complaint check_delayed_ack(Instant now) const;

  bool syn_sent() const { return syn_sent_; }
  bool syn_arrived() const { return syn_arrived_; }
  std::uint32_t iss() const { return iss_; }
  /// Whether the SYN was acknowledged, as far as this end can know.
  bool syn_acked() const { return syn_sent_ && syn_acked_; }
  std::uint64_t sent_end() const { return sent_end_; }  ///< Stream position behind all octets sent.
  std::uint64_t acked() const { return acked_; }  ///< Acknowledged by the peer, without the FIN.
  std::uint64_t arrived() const { return arrived_.contiguous(); }
  bool fin_sent() const { return fin_sent_; }
  bool fin_acked() const { return fin_acked_; }
  /// Whether the peer's FIN and all before it have arrived.
  bool fin_reached() const { return fin_at_ && arrived_.contiguous() >= *fin_at_; }
  /// What is sent here is a part of a stream that other paths carry too (RFC 8684): its octets are
  /// not those of the stream from its start, and the window is not its own.
  void owe_nothing() {
    certain_ = {};
    ack_owed_since_.reset();
  }
  void carry_anything() { carries_anything_ = true; }
  bool reset_arrived() const { return reset_arrived_; }
  void note_reset() { reset_arrived_ = true; }
  std::uint64_t resent_octets() const { return resent_octets_; }

  // For an attacker who is allowed to guess well.
  std::uint32_t last_ack() const { return last_ack_; }
  std::uint32_t announced_edge() const { return announced_edge_; }
  std::uint32_t snd_max() const { return iss_ + 1 + static_cast<std::uint32_t>(sent_end_); }
  std::optional<Timestamps> last_timestamps_arrived() const { return last_timestamps_; }

 private:
  struct Offer {
    std::optional<std::uint8_t> scale;
    bool sack = false;
    bool timestamps = false;
    std::uint16_t mss = 0;
    bool ecn = false;  ///< RFC 3168 §6.1.1.
  };
  static Offer offer_of(const Segment& syn, std::uint16_t default_mss);

  Complaint check_syn(const Segment& s);
  Complaint check_sequence(const Segment& s);
  Complaint check_text(const Segment& s);
  Complaint check_fin(const Segment& s);
  Complaint check_ecn(const Segment& s);
  Complaint check_ack(Instant now, const Segment& s);
  Complaint check_window(const Segment& s);
  Complaint check_timestamps(const Segment& s);
  Complaint check_sacks(const Segment& s);

  /// Stream position of one of our sequence numbers, near what was sent last.
  std::int64_t sent_position(std::uint32_t seq) const {
    return static_cast<std::int64_t>(sent_end_) + static_cast<std::int32_t>(seq - snd_max());
  }
  /// Stream position of one of the peer's sequence numbers, near what arrived in order.
  std::int64_t arrived_position(std::uint32_t seq) const {
    const auto next = irs_ + 1 + static_cast<std::uint32_t>(arrived_.contiguous());
    return static_cast<std::int64_t>(arrived_.contiguous()) + static_cast<std::int32_t>(seq - next);
  }
  void on_ack_arrived(const Segment& s);
  void on_text_arrived(Instant now, const Segment& s);
  bool both_scale() const { return mine_.scale && theirs_.scale; }

  const Content* content_;
  std::uint64_t key_;
  std::size_t solid_;

  bool carries_anything_ = false;

  // What this end sent.
  bool syn_sent_ = false;
  std::uint32_t iss_ = 0;
  Offer mine_;
  std::uint64_t sent_end_ = 0;
  bool fin_sent_ = false;
  bool ecn_offered_ = false;  ///< By a SYN or SYN-ACK, some time.
  std::uint64_t fin_position_ = 0;
  bool ack_sent_ = false;
  std::uint32_t last_ack_ = 0;
  bool edge_announced_ = false;
  std::uint32_t announced_edge_ = 0;
  std::optional<std::uint32_t> last_ts_value_;
  std::uint64_t resent_octets_ = 0;
  std::uint64_t skipped_allowed_ = 0;

  // What reached it.
  bool syn_arrived_ = false;
  std::uint32_t irs_ = 0;
  Offer theirs_;
  bool ecn_arrived_ = false;  ///< The same of theirs.
  bool mark_arrived_ = false;
  Arrived arrived_;  ///< May have been accepted: the upper bound of acknowledgments.
  Arrived certain_;  ///< Must have been accepted: what an acknowledgment is owed for.
  std::optional<std::uint64_t> fin_at_;
  bool syn_acked_ = false;
  std::uint64_t acked_ = 0;
  bool fin_acked_ = false;
  bool edge_arrived_ = false;
  std::int64_t allowed_end_ = 0;  ///< Stream position of the right edge of the peer's window.
  std::optional<Timestamps> last_timestamps_;  ///< With the largest value.
  bool reset_arrived_ = false;
  std::optional<Instant> ack_owed_since_;
};

}  // namespace sim
