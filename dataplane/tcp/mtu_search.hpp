#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"

namespace dataplane::tcp {

/// Which size of segment the path lets through, where no ICMP says so (RFC 4821): falls when a
/// short piece of a segment passes and whole ones do not, and is found again by probes. Sizes are
/// octets of payload.
class MtuSearch {
 public:
  /// The retransmission timer fires for a segment of `length` octets; `again`: nothing was
  /// acknowledged since the last time. True: what is longer than passed() vanishes (RFC 4821 §7.7).
  bool on_timeout(std::uint32_t length, bool again) {
    if (search_) search_->is_probe_out = false;
    if (passed_ != 0 && length > passed_) return true;
    piece_ = again ? step_below(length) : 0;
    return false;
  }
  /// Octets that the first segment is sent again with after a timeout; 0: all.
  std::uint32_t piece() const { return piece_; }
  std::uint32_t passed() const { return passed_; }
  /// The size becomes passed(), `failed` having been too long.
  void on_lowered(Instant now, std::uint32_t failed) {
    search_ = std::make_unique<Search>();
    search_->too_long = failed;
    search_->next_probe = now + kBetweenProbes;
    passed_ = piece_ = 0;
  }
  /// Others know the size.
  void stop() {
    piece_ = passed_ = 0;
    search_.reset();
  }

  /// An ACK: the longest segment that it reports, or 0, and whether SND.UNA moved. Returns the size
  /// that is known to pass from now on; 0: no news.
  std::uint32_t on_ack(Instant now, std::uint32_t longest, bool advanced, std::uint32_t size) {
    if (longest > passed_) passed_ = 0;
    if (advanced && piece_ != 0) {
      if (longest <= piece_) passed_ = piece_;
      piece_ = 0;
    }
    if (!search_ || longest <= size + kFin) return 0;
    search_->is_probe_out = false;
    settle(now, longest);
    return longest;
  }

  bool is_searching() const { return search_ != nullptr; }
  /// With which payload the next segment asks for more than `size`; 0: none does now. `most`: what
  /// both ends take.
  std::uint32_t probe_size(Instant now, std::uint32_t size, std::uint32_t most) const {
    if (!search_ || search_->is_probe_out || now < search_->next_probe || size >= most) return 0;
    return search_->from_top ? most : std::min(most, size + (search_->too_long - size) / 2);
  }
  void on_probe_sent(SeqNum begin, std::uint32_t length) {
    search_->is_probe_out = true;
    search_->probe = begin;
    search_->probe_length = length;
  }
  /// Whether `length` lost octets from `begin` on are a probe and nothing else.
  bool is_probe(SeqNum begin, std::uint32_t length) const {
    return search_ && search_->is_probe_out && begin == search_->probe &&
           length == search_->probe_length;
  }
  /// It was too long, or so we take it (RFC 4821 §7.6.2).
  void on_probe_lost(Instant now, std::uint32_t size) {
    search_->is_probe_out = search_->from_top = false;
    search_->too_long = search_->probe_length;
    settle(now, size);
  }
  /// Others were lost beside it: it says nothing (RFC 4821 §7.6.4).
  void forget_probe(Instant now) {
    if (!search_ || !search_->is_probe_out) return;
    search_->is_probe_out = false;
    search_->next_probe = now + kBetweenProbes;
  }

 private:
  struct Search {
    bool from_top = true;  ///< The next probe is as long as both ends allow.
    bool is_probe_out = false;
    SeqNum probe;
    std::uint32_t probe_length = 0;
    std::uint32_t too_long = 0;  ///< The shortest that did not pass.
    Instant next_probe{};
  };

  static constexpr Duration kBetweenProbes = 1s;
  static constexpr Duration kUntilNextSearch = 600s;  ///< Paths change (RFC 8201 §4).
  static constexpr std::uint32_t kFineEnough = 32;
  static constexpr std::uint32_t kFin = 1;  ///< It counts one in the sequence space.

  /// RFC 4821 §7.2 begins at 1024; 256 fits what any path must carry, whatever the options.
  static std::uint32_t step_below(std::uint32_t length) {
    for (const std::uint32_t step : {1024U, 512U, 256U})
      if (length > step) return step;
    return 0;
  }
  void settle(Instant now, std::uint32_t size) {
    const bool is_found = search_->too_long <= size + kFineEnough;
    search_->next_probe = now + (is_found ? kUntilNextSearch : kBetweenProbes);
    if (is_found) search_->from_top = true;
  }

  std::uint32_t piece_ = 0;         ///< Of the retransmission that is out.
  std::uint32_t passed_ = 0;        ///< A piece that was acknowledged, and nothing longer since.
  std::unique_ptr<Search> search_;  ///< Of a connection that met a black hole.
};

}  // namespace dataplane::tcp
