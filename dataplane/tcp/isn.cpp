#include "dataplane/tcp/isn.hpp"

#include <array>
#include <cstring>

#include "dataplane/base/siphash.hpp"

namespace dataplane::tcp {
namespace {

// A cookie: 24 bits of hash, 3 bits that choose an MSS, 5 bits of a clock that ticks every 64 s.
constexpr unsigned kClockBits = 5;
constexpr unsigned kMssBits = 3;
constexpr std::uint32_t kLowMask = (1U << (kClockBits + kMssBits)) - 1;
constexpr std::uint32_t kClockMask = (1U << kClockBits) - 1;
constexpr Duration kClockTick = 64s;
/// Ascending. What is between two is rounded down.
constexpr std::array<std::uint16_t, 1U << kMssBits> kMssTable{64,   536,  1220, 1300,
                                                              1400, 1440, 1460, 8940};

// The low bits of a cookie's TSval: 4 bits of window scale, of which 15 says that there was none,
// and SACK-permitted.
constexpr std::uint32_t kTimestampMask = 0x1f;
constexpr std::uint32_t kNoWindowScale = 15;
constexpr std::uint32_t kSackBit = 0x10;

enum Purpose : std::uint64_t { Sequence, Timestamp, Cookie };

std::uint32_t cookie_clock(Instant now) {
  return static_cast<std::uint32_t>(now.time_since_epoch() / kClockTick) & kClockMask;
}

std::uint32_t mss_index(std::uint16_t mss) {
  std::uint32_t index = kMssTable.size() - 1;
  while (index > 0 && kMssTable[index] > mss)
    --index;
  return index;
}

}  // namespace

std::uint64_t SequenceSecrets::hash(const FourTuple& tuple, std::uint64_t purpose) const {
  std::array<std::byte, 44> input{};
  std::memcpy(input.data(), tuple.local.address.octets().data(), 16);
  std::memcpy(input.data() + 16, tuple.remote.address.octets().data(), 16);
  store_be(input.data() + 32, tuple.local.port);
  store_be(input.data() + 34, tuple.remote.port);
  store_be(input.data() + 36, purpose);
  return siphash24(key0_, key1_, input);
}

SeqNum SequenceSecrets::initial_sequence(const FourTuple& tuple, Instant now) const {
  const auto clock = static_cast<std::uint32_t>(now.time_since_epoch() / 4us);
  return SeqNum(clock + static_cast<std::uint32_t>(hash(tuple, Purpose::Sequence)));
}

std::uint32_t SequenceSecrets::timestamp_offset(const FourTuple& tuple) const {
  return static_cast<std::uint32_t>(hash(tuple, Purpose::Timestamp));
}

std::uint32_t SequenceSecrets::cookie_bits(const FourTuple& tuple, SeqNum irs,
                                           std::uint32_t low) const {
  const std::uint64_t mixed =
      hash(tuple, Purpose::Cookie + (std::uint64_t{irs.raw()} << 16 | low << 8));
  return static_cast<std::uint32_t>(mixed) & ~kLowMask;
}

SequenceSecrets::Cookie SequenceSecrets::make_cookie(const FourTuple& tuple, const PeerSyn& syn,
                                                     Instant now) const {
  const std::uint32_t low = mss_index(syn.mss) << kClockBits | cookie_clock(now);
  Cookie cookie{SeqNum(cookie_bits(tuple, syn.irs, low) | low), std::nullopt};
  if (syn.ts_recent) {
    const auto clock =
        static_cast<std::uint32_t>(now.time_since_epoch() / 1ms) + timestamp_offset(tuple);
    const std::uint32_t bits =
        syn.window_scale.value_or(kNoWindowScale) | (syn.sack_permitted ? kSackBit : 0);
    std::uint32_t value = (clock & ~kTimestampMask) | bits;
    // Never ahead of the clock: the timestamps that follow must not seem old (RFC 7323 §5.2).
    if (static_cast<std::int32_t>(value - clock) > 0) value -= kTimestampMask + 1;
    cookie.ts_value = value;
  }
  return cookie;
}

bool SequenceSecrets::may_answer_cookie(SeqNum ack, Instant now) {
  const std::uint32_t age = (cookie_clock(now) - (ack - 1U).raw()) & kClockMask;
  return age < kOldestCookie / kClockTick;
}

std::optional<PeerSyn> SequenceSecrets::check_cookie(const FourTuple& tuple,
                                                     const wire::TcpHeader& ack,
                                                     Instant now) const {
  const std::uint32_t cookie = (ack.ack - 1U).raw();
  const std::uint32_t low = cookie & kLowMask;
  const SeqNum irs = ack.seq - 1U;
  if (!may_answer_cookie(ack.ack, now) || cookie_bits(tuple, irs, low) != (cookie & ~kLowMask))
    return {};
  PeerSyn syn{.irs = irs,
              .window = ack.window,
              .mss = kMssTable[low >> kClockBits],
              .window_scale = {},
              .ts_recent = {}};
  if (ack.options.timestamps) {
    const std::uint32_t echoed = ack.options.timestamps->echo_reply;
    syn.ts_recent = ack.options.timestamps->value;
    syn.sack_permitted = (echoed & kSackBit) != 0;
    const std::uint32_t scale = echoed & (kSackBit - 1);
    if (scale != kNoWindowScale) syn.window_scale = static_cast<std::uint8_t>(scale);
  }
  return syn;
}

}  // namespace dataplane::tcp
