#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/address.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/tcp/peer_syn.hpp"

namespace dataplane::tcp {

/// Initial sequence numbers, timestamp offsets and SYN cookies: all that an attacker off the path
/// must not guess.
class SequenceSecrets {
 public:
  SequenceSecrets(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}

  /// RFC 6528 §3: a clock of 4 us plus a keyed hash of the four-tuple.
  SeqNum initial_sequence(const FourTuple& tuple, Instant now) const;
  /// RFC 7323 §7.1: the same for every connection of a four-tuple, so that time goes on across
  /// them.
  std::uint32_t timestamp_offset(const FourTuple& tuple) const;

  /// What a SYN cookie answers (RFC 4987 §3.6). The window scale and SACK travel in the timestamp,
  /// so a SYN without timestamps loses them.
  struct Cookie {
    SeqNum iss;
    std::optional<std::uint32_t> ts_value;
  };
  /// No cookie is taken that is older.
  static constexpr Duration kOldestCookie = std::chrono::seconds(3 * 64);
  Cookie make_cookie(const FourTuple& tuple, const PeerSyn& syn, Instant now) const;
  /// The SYN that `ack` (the segment that completes the handshake) must have answered, if its
  /// cookie is ours and younger than kOldestCookie.
  std::optional<PeerSyn> check_cookie(const FourTuple& tuple, const wire::TcpHeader& ack,
                                      Instant now) const;
  /// Whether `ack` may be that of a cookie that is young enough: true for all of those, and for one
  /// in ten of others. Tells more than nothing where a segment lacks what check_cookie() needs.
  static bool may_answer_cookie(SeqNum ack, Instant now);

 private:
  std::uint64_t hash(const FourTuple& tuple, std::uint64_t purpose) const;
  std::uint32_t cookie_bits(const FourTuple& tuple, SeqNum irs, std::uint32_t low) const;

  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace dataplane::tcp
