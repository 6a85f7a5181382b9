#include "test/sim/link.hpp"

#include <algorithm>

namespace sim {

using dataplane::load_be;
using dataplane::store_be;

Link::Link(LinkConfig config, FramePool& frames, Rng rng, FrameSink& out)
    : config_(std::move(config)), frames_(frames), rng_(rng), out_(out) {}

void Link::forget_departed(Instant now) {
  while (!departures_.empty() && departures_.front().at <= now) {
    queued_octets_ -= departures_.front().octets;
    departures_.pop_front();
  }
}

bool Link::has_room(Instant now) {
  forget_departed(now);
  return departures_.size() < config_.queue_frames && queued_octets_ < config_.queue_octets;
}

Instant Link::serialise(Instant now, std::size_t octets) {
  const std::uint64_t scaled = octets * 8 * 1'000'000'000 + remainder_;
  remainder_ = scaled % config_.rate_bps;
  free_at_ = std::max(free_at_, now) + Duration(scaled / config_.rate_bps);
  departures_.push_back({free_at_, static_cast<std::uint32_t>(octets)});
  queued_octets_ += octets;
  stats_.peak_queue_octets = std::max(stats_.peak_queue_octets, queued_octets_);
  return free_at_;
}

void Link::mark(Frame& frame) {
  const std::optional<Layout> ip = find_ip(frame.data());
  if (!ip || ecn_of(frame.data(), *ip) == kNotEct) return;
  ++stats_.marked;
  set_ecn(frame.data(), *ip, kCe);
}

bool Link::is_cut(Instant at) const {
  for (const Cut& cut : config_.faults.cuts)
    if (at >= cut.from && at < cut.until) return true;
  return false;
}

Duration Link::detour(Instant at) const {
  Duration out{};
  for (const Detour& detour : config_.faults.detours)
    if (at >= detour.from && at < detour.until) out += detour.extra;
  return out;
}

bool Link::is_lost() {
  const Faults& faults = config_.faults;
  if (rng_.chance(in_bad_state_ ? faults.burst.bad_to_good : faults.burst.good_to_bad))
    in_bad_state_ = !in_bad_state_;
  return rng_.chance(faults.loss) || (in_bad_state_ && rng_.chance(faults.burst.loss_in_bad));
}

void Link::take(Instant now, Frame frame) {
  ++stats_.frames;
  stats_.octets += frame.size();
  if (!has_room(now)) {
    ++stats_.queue_drops;
    return;
  }
  if (config_.mark_octets != 0 && queued_octets_ > config_.mark_octets) mark(frame);
  const Instant departure = serialise(now, frame.size());
  Instant arrival = departure + config_.delay + detour(departure);
  if (config_.jitter > 0ns) arrival += rng_.between(0ns, config_.jitter);
  arrival = last_arrival_ = std::max(arrival, last_arrival_);
  if (is_cut(departure) || is_cut(arrival)) {
    ++stats_.cut_losses;
    return;
  }
  const Faults& faults = config_.faults;
  if (now >= faults.end || (faults.spare_neighbors && is_neighbor_traffic(frame.data()))) {
    launch(arrival, std::move(frame));
    return;
  }
  if (is_lost()) {
    ++stats_.losses;
    return;
  }
  impair(arrival, std::move(frame));
}

void Link::impair(Instant arrival, Frame frame) {
  const Faults& faults = config_.faults;
  if (rng_.chance(faults.duplicate)) {
    ++stats_.duplicated;
    launch(arrival + rng_.between(0ns, faults.reorder_delay), frames_.copy(frame));
  }
  if (rng_.chance(faults.reorder)) {
    ++stats_.reordered;
    arrival += rng_.between(0ns, faults.reorder_delay);
  }
  if (rng_.chance(faults.corrupt)) {
    ++stats_.corrupted;
    if (!find_tcp(frame.data())) return;  // ARP has no checksum; a device would drop it.
    corrupt(rng_, frame.data());
    frame.set_damaged();
  } else if (rng_.chance(faults.deface)) {
    ++stats_.defaced;
    if (deface(rng_, frame.data())) frame.set_damaged();
  }
  launch(arrival, std::move(frame));
}

void Link::launch(Instant arrival, Frame frame) {
  flight_.push_back({arrival, order_++, std::move(frame)});
  std::push_heap(flight_.begin(), flight_.end(), later);
}

void Link::run(Instant now) {
  while (!flight_.empty() && flight_.front().at <= now) {
    std::pop_heap(flight_.begin(), flight_.end(), later);
    Frame frame = std::move(flight_.back().frame);
    flight_.pop_back();
    out_.take(now, std::move(frame));
  }
}

void corrupt(Rng& rng, MutableByteSpan frame) {
  const std::optional<Layout> layout = find_tcp(frame);
  if (!layout) return;
  // The checksums cover the IPv4 header, the IPv6 addresses, length and protocol, and the whole
  // segment.
  const std::size_t first = layout->ip + (layout->v6 ? 8 : 0);
  const std::size_t span = layout->end - first;
  const std::uint64_t flips = rng.between(1, rng.chance(0.2) ? 64 : 3);
  for (std::uint64_t i = 0; i < flips; ++i)
    frame[first + rng.below(span)] ^= static_cast<std::byte>(1U << rng.below(8));
  // Two flips of the same weight may cancel out; one more bit in the payload or the window does
  // not.
  const std::optional<Layout> now = find_tcp(frame);
  if (now && checksums_match(frame, *now)) frame[layout->transport + 15] ^= std::byte{0x10};
}

bool deface(Rng& rng, MutableByteSpan frame) {
  const std::optional<Layout> layout = find_tcp(frame);
  if (!layout) return false;
  std::byte* ip = &frame[layout->ip];
  std::byte* tcp = &frame[layout->transport];
  bool refused = false;
  switch (rng.below(7)) {
    case 0:  // DSCP; the ECN bits stay, they would mean something.
      if (!layout->v6) ip[1] = (ip[1] & std::byte{3}) | static_cast<std::byte>(rng.below(64) << 2);
      break;
    case 1:  // Time to live, hop limit.
      ip[layout->v6 ? 7 : 8] = static_cast<std::byte>(rng.between(1, 255));
      break;
    case 2:  // Urgent pointer without its flag.
      store_be(tcp + 18, static_cast<std::uint16_t>(rng.next()));
      break;
    case 3:  // Urgent data is ignored by policy.
      tcp[13] ^= std::byte{kUrg};
      store_be(tcp + 18, static_cast<std::uint16_t>(rng.next()));
      break;
    case 4:  // Reserved bits, PSH.
      tcp[12] = (tcp[12] & std::byte{0xf0}) | static_cast<std::byte>(rng.below(8) << 1);
      tcp[13] ^= std::byte{kPsh};
      break;
    case 5:  // A data offset that cannot be.
      tcp[12] = static_cast<std::byte>(rng.below(5) << 4);
      refused = true;
      break;
    default:  // An option with a length of 0 or 1.
      if (layout->payload >= layout->transport + 24) {
        tcp[20] = std::byte{8};
        tcp[21] = static_cast<std::byte>(rng.below(2));
        refused = true;
      }
      break;
  }
  fix_checksums(frame, *layout);
  return refused;
}

}  // namespace sim
