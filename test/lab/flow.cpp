#include "test/lab/flow.hpp"

#include <algorithm>
#include <array>

namespace lab {

namespace {

/// What is sent; nobody looks at it.
constexpr std::array<std::byte, 1 << 16> kPayload{};

std::uint64_t octets_in(Duration span, std::uint64_t rate_bps) {
  return static_cast<std::uint64_t>(std::chrono::duration<double>(span).count() *
                                    static_cast<double>(rate_bps) / 8);
}

}  // namespace

std::uint64_t Flow::received_until(Instant at) const {
  const auto end = static_cast<std::size_t>((at - kStart) / kBucket);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < std::min(end, buckets_.size()); ++i)
    sum += buckets_[i];
  return sum;
}

double Flow::rate_between(Duration from, Duration until) const {
  const std::uint64_t octets = received_until(kStart + until) - received_until(kStart + from);
  return static_cast<double>(octets) * 8 / std::chrono::duration<double>(until - from).count();
}

mptcp::SocketInfo Flow::info() const {
  if (core_ == nullptr) return {};
  return core_->info(socket_).value_or(mptcp::SocketInfo{});
}

Duration Flow::longest_silence(Duration from, Duration until) const {
  Duration longest{};
  for (const Silence& silence : silences_)
    if (silence.begin >= kStart + from && silence.begin < kStart + until)
      longest = std::max(longest, silence.length);
  return longest;
}

void Flow::on_connected(mptcp::Core& core, mptcp::SocketId socket) {
  core_ = &core;
  socket_ = socket;
  socket_open_ = true;
}

std::uint64_t Flow::allowed(Instant now) const {
  const std::uint64_t most =
      plan_.octets == 0 ? std::numeric_limits<std::uint64_t>::max() : plan_.octets;
  if (plan_.rate_bps == 0) return most;
  const std::uint64_t chunks = octets_in(now - connected_at_, plan_.rate_bps) / plan_.chunk + 1;
  return std::min(most, chunks * plan_.chunk);
}

Instant Flow::write(Instant now) {
  if (!socket_open_ || shut_down_) return kNever;
  if (connected_at_ == kNever) connected_at_ = now;
  const std::uint64_t until = allowed(now);
  while (written_ < until) {
    const auto offered =
        static_cast<std::size_t>(std::min<std::uint64_t>(until - written_, kPayload.size()));
    const std::size_t taken =
        core_->write_reference(now, socket_, dataplane::ByteSpan(kPayload).first(offered));
    written_ += taken;
    if (taken < offered) break;
  }
  if (plan_.octets != 0 && written_ == plan_.octets) {
    core_->shutdown(now, socket_);
    shut_down_ = true;
    return kNever;
  }
  if (plan_.rate_bps == 0) return kNever;
  const double chunk_s = static_cast<double>(plan_.chunk) * 8 / static_cast<double>(plan_.rate_bps);
  while (chunk_written_.size() * plan_.chunk < until)
    chunk_written_.push_back(now);
  const double next_s = chunk_s * static_cast<double>(chunk_written_.size());
  return connected_at_ +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(next_s)) + 1us;
}

void Flow::read(Instant now, mptcp::Core& core, mptcp::SocketId socket) {
  std::uint64_t octets = 0;
  while (const dataplane::Packet packet = core.read_packet(now, socket))
    octets += static_cast<std::uint64_t>(packet.data().size());
  if (octets != 0) note_arrival(now, octets);
  if (core.at_end_of_stream(socket) && ended_at_ == kNever) ended_at_ = now;
}

void Flow::note_arrival(Instant now, std::uint64_t octets) {
  const auto bucket = static_cast<std::size_t>((now - kStart) / kBucket);
  if (buckets_.size() <= bucket) buckets_.resize(bucket + 1);
  buckets_[bucket] += octets;
  if (received_ != 0 && now - last_arrival_ > kBucket)
    silences_.push_back({last_arrival_, now - last_arrival_});
  last_arrival_ = now;
  received_ += octets;
  while (delays_.size() < chunk_written_.size() && received_ >= (delays_.size() + 1) * plan_.chunk)
    delays_.push_back(now - chunk_written_[delays_.size()]);
}

}  // namespace lab
