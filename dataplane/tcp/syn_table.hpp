#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/tcp/peer_syn.hpp"

namespace dataplane::tcp {

/// A passive open that waits for the last ACK of the handshake.
struct HalfOpen {
  FourTuple tuple;
  PeerSyn syn;
  SeqNum iss;
  std::uint32_t timestamp_offset = 0;
  std::uint32_t listener = 0;  ///< The owner's name for it.
  std::uint16_t mss = 0;       ///< What we announced.
  /// The owner's, about what it said in the options that TCP does not know.
  std::array<std::uint64_t, 5> upper{};
  std::uint8_t retries = 0;
  Instant sent_at{};          ///< The first SYN-ACK.
  Instant deadline = kNever;  ///< When it is sent again; kNever: the slot is free.
};

/// The bounded table of half-open connections of one core. Each four-tuple has kWays slots that it
/// may use; when they are taken the listener answers with a SYN cookie, so a flood costs no more
/// than this memory.
class SynTable {
 public:
  static constexpr std::size_t kWays = 8;

  /// `slots` is rounded up to a power of two, at least kWays.
  SynTable(std::size_t slots, std::uint64_t key0, std::uint64_t key1);

  HalfOpen* find(const FourTuple& tuple);
  /// A free slot with its tuple set, or nullptr. The caller sets the deadline before the next call.
  HalfOpen* add(const FourTuple& tuple);
  void set_deadline(HalfOpen& entry, Instant deadline);
  void remove(HalfOpen& entry);
  /// Removes all of one listener.
  void remove_listener(std::uint32_t listener);

  /// An entry whose deadline has come. The caller removes it or sets a new deadline.
  HalfOpen* next_expired(Instant now);
  /// Not later than the earliest deadline.
  Instant next_deadline() const { return next_deadline_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t bucket_of(const FourTuple& tuple) const;

  std::vector<HalfOpen> slots_;
  std::uint64_t key0_;
  std::uint64_t key1_;
  std::size_t size_ = 0;
  std::size_t scan_ = 0;  ///< Where next_expired() goes on.
  Instant next_deadline_ = kNever;
};

}  // namespace dataplane::tcp
