#include <array>
#include <bit>
#include <span>
#include <utility>

#include "dataplane/base/siphash.hpp"
#include "dataplane/tcp/listener.hpp"
#include "mptcp/core_impl.hpp"
#include "mptcp/find_option.hpp"

/// What is answered when the SYN table is full (RFC 4987 §3.6).
namespace mptcp {
namespace {

using wire::TcpFlags;

/// Keys tried for one that has a token of this core, times the number of cores.
constexpr std::uint32_t kKeyAttempts = 8;
/// Joins whose SYN is remembered beside the SYN table. A cookie has no room for what the third
/// segment of a join is checked against; so the newest of these that share a place is kept, as
/// Linux does it. Who joins knows a token, which a flood from off the path does not.
constexpr std::size_t kJoinsAside = 256;

std::array<std::byte, 44> octets_of(const FourTuple& tuple) {
  std::array<std::byte, 44> out{};
  std::memcpy(out.data(), tuple.local.address.octets().data(), 16);
  std::memcpy(out.data() + 16, tuple.remote.address.octets().data(), 16);
  dataplane::store_be(out.data() + 32, tuple.local.port);
  dataplane::store_be(out.data() + 34, tuple.remote.port);
  return out;
}

}  // namespace

/// A key that can be told from the cookie alone, and by nobody else. The cookie has a clock, so
/// that the same four-tuple has another one later. Which attempt was offered the peer says, as it
/// repeats the key.
Key Core::Impl::key_of_cookie(const FourTuple& tuple, dataplane::SeqNum cookie,
                              std::uint32_t attempt) const {
  auto input = octets_of(tuple);
  dataplane::store_be(input.data() + 36, cookie.raw());
  dataplane::store_be(input.data() + 40, attempt);
  return Key{dataplane::siphash24(cookie_secret[0], cookie_secret[1], input)};
}

template <class Accepts>
std::optional<Key> Core::Impl::find_key_of_cookie(const FourTuple& tuple, dataplane::SeqNum cookie,
                                                  Accepts accepts) const {
  const auto attempts = kKeyAttempts * config.core_count;
  for (std::uint32_t i = 0; i < attempts; ++i)
    if (const Key key = key_of_cookie(tuple, cookie, i); accepts(key)) return key;
  return std::nullopt;
}

void Core::Impl::send_cookie(Instant now, std::uint32_t listener,
                             const wire::ReceivedSegment& received) {
  const Listener& service = listeners[listener];
  // What the cookie remembers beside the MSS lies in the timestamp: without one, offer no more.
  tcp::PeerSyn kept = tcp::PeerSyn::from(received.segment.header);
  if (!service.tcp.timestamps || !kept.ts_recent) {
    kept.window_scale.reset();
    kept.sack_permitted = false;
  }
  kept.ecn = false;  // There is no room for it.
  const auto cookie = secrets.make_cookie(received.tuple, kept, now);
  ++stats.tcp.syn_cookies_sent;
  last_cookie = now;
  wire::TxSegment answer = tcp::syn_ack(
      kept, {cookie.iss, mss_for(received.tuple), cookie.ts_value.value_or(0)}, service.tcp);
  std::array<std::byte, kMaxOptionLength> options;
  if (const auto version = asks_for_multipath(received, service.mptcp)) {
    MpCapable capable = capable_of(*version, service.mptcp);
    capable.sender_key = find_key_of_cookie(received.tuple, cookie.iss,
                                            [&](Key key) { return may_use(key, *version); });
    const auto asked = find_option<MpCapable>(received.segment.header);
    capable.checksum = service.mptcp.checksum || asked->checksum;
    if (capable.sender_key)
      answer.header.options.mptcp = std::span(options).first(emit(capable, options));
  }
  send(now, received.tuple, answer);
}

bool Core::Impl::on_cookie(Instant now, wire::ReceivedSegment& received) {
  // A cookie means nothing unless some were sent: without a flood an ACK from nowhere is refused at
  // once.
  if (!last_cookie || now - *last_cookie >= tcp::SequenceSecrets::kOldestCookie) return false;
  const wire::TcpHeader& header = received.segment.header;
  const auto listener = listener_for(received.tuple.local);
  if (!listener) return false;
  const auto syn = secrets.check_cookie(received.tuple, header, now);
  if (!syn) {
    // Only the segment that begins where the SYN ended can prove its cookie. When it is lost and
    // another comes first, a reset would end a connection that is only late.
    ++stats.tcp.syn_cookies_refused;
    return tcp::SequenceSecrets::may_answer_cookie(header.ack, now);
  }
  tcp::HalfOpen half{.tuple = received.tuple,
                     .syn = *syn,
                     .iss = header.ack - 1U,
                     .timestamp_offset = secrets.timestamp_offset(received.tuple),
                     .listener = *listener,
                     .mss = mss_for(received.tuple)};
  // Who answers with options was offered them. With data and without the keys it is a peer of
  // version 0 whose third segment was lost; what the SYN said of its key is forgotten, and so the
  // connection goes on as TCP. In version 1 the first data has the keys (RFC 8684 §3.1).
  const auto third = find_option<MpCapable>(header);
  const bool lost = !third && received.segment.payload_length() != 0;
  if (listeners[*listener].mptcp.enabled && !header.options.mptcp.empty() && !lost) {
    Offer offer;
    offer.kind = Offer::Kind::Capable;
    if (third && third->version == 0 && listeners[*listener].mptcp.oldest_version == Version::V0)
      offer.version = Version::V0;
    offer.local_key = find_key_of_cookie(received.tuple, half.iss, [&](Key key) {
                        return third && third->receiver_key == key;
                      }).value_or(Key{});
    half.upper = std::bit_cast<decltype(half.upper)>(offer);
  }
  if (on_third_segment(now, half, false, received)) ++stats.tcp.syn_cookies_accepted;
  return true;
}

tcp::HalfOpen& Core::Impl::aside_for(const FourTuple& tuple) {
  if (joins_aside.empty()) joins_aside.resize(kJoinsAside);
  const auto input = octets_of(tuple);
  const std::uint64_t mixed = dataplane::siphash24(cookie_secret[0], cookie_secret[1], input);
  return joins_aside[mixed % kJoinsAside];
}

tcp::HalfOpen* Core::Impl::find_aside(const FourTuple& tuple) {
  if (joins_aside.empty()) return nullptr;
  tcp::HalfOpen& half = aside_for(tuple);
  return half.tuple == tuple ? &half : nullptr;
}

bool Core::Impl::on_join_aside(Instant now, wire::ReceivedSegment& received) {
  tcp::HalfOpen* const half = find_aside(received.tuple);
  if (half == nullptr || received.segment.header.ack != half->iss + 1U) return false;
  const tcp::HalfOpen copy = *half;
  if (on_third_segment(now, copy, false, received)) *half = {};
  return true;
}

}  // namespace mptcp
