#include "mptcp/connection.hpp"

#include <algorithm>
#include <utility>

namespace mptcp {

using namespace std::chrono_literals;

namespace {

/// Round trips of a path until something lost on it is acknowledged: its own, as long again for
/// what goes once more, and what lies between them until the loss is seen.
constexpr double kRoundsOfLoss = 3.0;
/// Stands for the round-trip time in buffer autotuning while there is no sample.
constexpr Duration kUnknownRound = 50ms;

}  // namespace

Connection::Connection(const Environment& environment, const tcp::Config& tcp, const Config& config,
                       Version version, Key local_key, Instant now)
    : env_(environment),
      tcp_config_(tcp),
      config_(config),
      version_(version),
      local_key_(local_key),
      local_(digest_of(local_key, version)),
      checksum_(config.checksum),
      send_(environment.tcp.blocks, local_.idsn + 1U),
      data_nxt_(send_.begin()),
      snd_edge_(send_.begin()),
      scheduler_(make_scheduler(config.scheduler)),
      receive_(environment.tcp.receive_memory),
      rcv_edge_(tcp.receive_buffer_initial),
      rcv_buffer_(tcp.receive_buffer_initial),
      rate_epoch_(now),
      meta_una_(send_.begin()),
      recover_(send_.begin()) {}

Connection::~Connection() = default;

tcp::Config Connection::subflow_config(bool is_join) const {
  tcp::Config out = tcp_config_;
  // What a subflow may hold is decided by what it is given.
  out.send_buffer_initial = out.send_buffer_max = tcp::kMaxReceiveBuffer;
  if (is_join) {
    out.rto_max = std::min(out.rto_max, config_.probe_interval);
    out.syn_retries = std::min<std::uint8_t>(out.syn_retries, 3);
  }
  return out;
}

SubflowId Connection::add(std::unique_ptr<Subflow> subflow, bool is_join) {
  const auto free = std::find(subflows_.begin(), subflows_.end(), nullptr);
  ASSERT(free != subflows_.end());
  subflow->is_join = is_join;
  subflow->granted_until = send_.begin();
  *free = std::move(subflow);
  const auto id = static_cast<SubflowId>(free - subflows_.begin());
  place_count_ = std::max(place_count_, static_cast<SubflowId>(id + 1));
  return id;
}

SubflowId Connection::open_first(const SubflowOpen& open, Instant now) {
  active_ = true;
  first_tuple_ = open.tuple;
  know_first_addresses();
  return add(std::make_unique<Subflow>(env_.tcp, open, subflow_config(false), now), false);
}

SubflowId Connection::accept_first(const SubflowOpen& open, const tcp::PeerSyn& syn, Instant now,
                                   std::optional<Instant> syn_ack_sent, const MpCapable& third) {
  first_tuple_ = open.tuple;
  know_first_addresses();
  checksum_ = checksum_ || third.checksum;
  remotes_.front().joinable = !third.no_join_here;
  set_remote_key(*third.sender_key);
  const SubflowId id =
      add(std::make_unique<Subflow>(env_.tcp, open, subflow_config(false), syn, now, syn_ack_sent),
          false);
  ++env_.stats.mp_capable_ack_rx;
  return id;
}

void Connection::set_remote_key(Key key) {
  remote_key_ = key;
  remote_ = digest_of(key, version_);
  first_rcv_ = remote_.idsn + 1U;
  fallback_.on_keys_known();
}

SubflowId Connection::open_join(const SubflowOpen& open, const JoinWish& wish, Nonce nonce,
                                Instant now) {
  auto subflow = std::make_unique<Subflow>(env_.tcp, open, subflow_config(true), now);
  subflow->local_id = wish.pair.local;
  subflow->remote_id = wish.pair.remote;
  subflow->backup_here = wish.backup;
  subflow->local_nonce = nonce;
  return add(std::move(subflow), true);
}

bool Connection::met_a_blackhole() const {
  const Subflow* const first = subflows_.front().get();
  return active_ && established_ && fallback_.is_infinite() && first != nullptr &&
         !first->is_join && first->syns_sent > config_.syns_with_option;
}

bool Connection::may_be_joined(const Endpoint& local) const {
  if (!config_.join_first_address && local == first_tuple_.local) return false;
  const bool withdrawn = std::any_of(locals_.begin(), locals_.end(), [&](const LocalAddress& own) {
    return own.address == local.address && own.withdrawn;
  });
  return !withdrawn && !over_ && !closing_ && !fallback_.is_infinite() &&
         fallback_.phase() != Fallback::Phase::Offered &&
         subflow_count() < std::min<std::size_t>(config_.max_subflows, kMaxSubflows);
}

AddressId Connection::id_of(const IpAddress& local) const {
  for (const LocalAddress& own : locals_)
    if (own.address == local) return own.id;
  return AddressId{};
}

bool Connection::is_backup(const IpAddress& local) const {
  for (const LocalAddress& own : locals_)
    if (own.address == local) return env_.addresses.is_backup(own.port);
  return false;
}

MpJoinSynAck Connection::answer_join(const MpJoinSyn& syn, Nonce local_nonce,
                                     const IpAddress& local) const {
  const Hmac hmac = join_hmac({local_key_, remote_key_, local_nonce, syn.nonce}, version_);
  return {.backup = is_backup(local),
          .address_id = id_of(local),
          .hmac = leftmost_64(hmac),
          .nonce = local_nonce};
}

bool Connection::proves_keys(const MpJoinAck& third, Nonce local_nonce, Nonce remote_nonce) const {
  const Hmac hmac = join_hmac({remote_key_, local_key_, remote_nonce, local_nonce}, version_);
  return equal_in_constant_time(leftmost_160(hmac), third.hmac);
}

SubflowId Connection::accept_join(const SubflowOpen& open, const tcp::PeerSyn& syn, Instant now,
                                  std::optional<Instant> syn_ack_sent, const PeerJoin& join) {
  auto subflow =
      std::make_unique<Subflow>(env_.tcp, open, subflow_config(true), syn, now, syn_ack_sent);
  subflow->local_id = id_of(open.tuple.local.address);
  subflow->remote_id = join.remote_id;
  subflow->local_nonce = join.local_nonce;
  subflow->remote_nonce = join.remote_nonce;
  subflow->backup_there = join.backup;
  subflow->backup_here = is_backup(open.tuple.local.address);
  // Nothing else in version 0 tells that an announcement has come (RFC 6824 §3.4.1).
  if (version_ == Version::V0) on_echo(subflow->local_id, open.tuple.local.address);
  return add(std::move(subflow), true);
}

std::size_t Connection::subflow_count() const {
  return static_cast<std::size_t>(std::count_if(subflows_.begin(), subflows_.end(),
                                                [](const auto& subflow) { return !!subflow; }));
}

std::uint32_t Connection::send_limit() const {
  const Duration longest = longest_rtt();
  double wanted = 0;
  for_each_alive([&](const Subflow& subflow) {
    const auto info = subflow.tcp.info();
    const Duration rtt = subflow.tcp.srtt();
    if (!subflow.may_carry() || rtt == 0ns) return;
    // What all paths send until something lost on the longest is acknowledged (RFC 8684 §3.3.5).
    const double rounds = static_cast<double>(longest / 1ns) / static_cast<double>(rtt / 1ns);
    wanted += kRoundsOfLoss * static_cast<double>(info.cwnd) * std::max(1.0, rounds);
  });
  const double limit =
      std::min(std::max(wanted, static_cast<double>(tcp_config_.send_buffer_initial)),
               static_cast<double>(tcp_config_.send_buffer_max));
  return static_cast<std::uint32_t>(limit);
}

std::size_t Connection::writable() const {
  if (over_ || fin_queued_) return 0;
  const std::size_t limit = send_limit();
  return limit > send_.size() ? limit - static_cast<std::size_t>(send_.size()) : 0;
}

std::size_t Connection::write(dataplane::ByteSpan octets) {
  const std::size_t taken = send_.append(octets.first(std::min(octets.size(), writable())));
  was_full_ = taken < octets.size();
  return taken;
}

std::size_t Connection::write_reference(dataplane::ByteSpan octets) {
  const std::size_t taken = std::min(octets.size(), writable());
  send_.append_reference(octets.first(taken));
  was_full_ = taken < octets.size();
  return taken;
}

std::size_t Connection::read(Instant now, dataplane::MutableByteSpan out) {
  const std::size_t count = receive_.read(out);
  if (count == 0) return 0;
  size_receive_buffer(now);
  offer_window();
  return count;
}

Packet Connection::take_packet(Instant now) {
  Packet packet = receive_.take_packet();
  if (!packet) return packet;
  size_receive_buffer(now);
  offer_window();
  return packet;
}

Duration Connection::longest_rtt() const {
  Duration longest{};
  for_each_alive([&](const Subflow& subflow) { longest = std::max(longest, subflow.tcp.srtt()); });
  return longest;
}

Duration Connection::shortest_rtt() const {
  Duration shortest{};
  for_each_alive([&](const Subflow& subflow) {
    const Duration rtt = subflow.tcp.srtt();
    if (rtt > 0ns && (shortest == 0ns || rtt < shortest)) shortest = rtt;
  });
  return shortest;
}

std::uint32_t Connection::largest_mss() const {
  std::uint32_t largest = 0;
  for_each_alive([&](const Subflow& subflow) { largest = std::max(largest, subflow.tcp.mss()); });
  return largest == 0 ? tcp::kDefaultMss : largest;
}

void Connection::size_receive_buffer(Instant now) {
  constexpr Duration kShortestRound = 100us;
  const Duration since = now - rate_epoch_;
  // Once in a turn is enough.
  if (now == rate_seen_ || since < kShortestRound) return;
  rate_seen_ = now;
  // The fastest path's slow start grows by its own round trip: counted over a longer one, the
  // window would come too late for it.
  const Duration shortest = shortest_rtt();
  if (since < (shortest > 0ns ? shortest : kUnknownRound)) return;
  // All paths together, over the round trip of the longest (RFC 8684 §3.3.5), what waits behind a
  // hole included: that is when the window must not be what stops the others.
  const Duration longest = std::max({longest_rtt(), since});
  const double rounds = static_cast<double>(longest.count()) / static_cast<double>(since.count());
  const auto arrived = static_cast<std::uint64_t>(static_cast<double>(rate_arrived_) * rounds);
  // A reader that lags behind needs no more room.
  const bool reads = receive_.readable() <= rcv_buffer_ / 2;
  if (reads && arrived > rate_best_) {
    rate_best_ = arrived;
    // A sender in slow start sends twice as much in the next round.
    const std::uint64_t wanted = 3 * rate_best_ + 16 * largest_mss();
    rcv_buffer_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        wanted, rcv_buffer_, std::max(rcv_buffer_, tcp_config_.receive_buffer_max)));
  }
  rate_arrived_ = 0;
  rate_epoch_ = now;
}

void Connection::offer_window() {
  if (over_ || fin_received_) return;
  const auto used = static_cast<std::uint32_t>(receive_.readable());
  const std::uint32_t room = rcv_buffer_ > used ? rcv_buffer_ - used : 0;
  const std::uint64_t announced = rcv_edge_ - receive_.next();
  if (room < 2 * announced || room - announced < std::min(2 * largest_mss(), rcv_buffer_ / 2))
    return;
  // The window is one for all, and any of the paths may be the one that stands still without it.
  for_each_alive([](Subflow& subflow) {
    if (subflow.phase != Subflow::Phase::Opening) subflow.tcp.request_ack();
  });
  ack_wanted_ = true;
}

void Connection::make_room_behind_holes() {
  // How far the fast path comes while a slow one brings what is first shows what the window must
  // hold, whatever either's round trip time: as much again has to be under way (RFC 8684 §3.3.5).
  const std::uint64_t span = receive_.span();
  if (2 * span <= rcv_buffer_) return;
  rcv_buffer_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(2 * span, std::max(rcv_buffer_, tcp_config_.receive_buffer_max)));
}

std::uint64_t Connection::next_edge() const {
  const auto used = static_cast<std::uint32_t>(receive_.readable());
  std::uint32_t room = rcv_buffer_ > used ? rcv_buffer_ - used : 0;
  if (!env_.tcp.receive_memory.allows(receive_.held(), room)) {
    room =
        static_cast<std::uint32_t>(std::min<std::size_t>(room, env_.tcp.receive_memory.room() / 2));
  }
  const std::uint64_t edge = receive_.next() + room;
  // RFC 9293 §3.8.6.2.2: the edge moves by a whole segment or not at all; and never back.
  const bool moves =
      edge > rcv_edge_ && edge - rcv_edge_ >= std::min(largest_mss(), rcv_buffer_ / 2);
  return moves ? edge : rcv_edge_;
}

void Connection::close(Instant now) {
  if (fin_queued_ || over_) return;
  fin_queued_ = true;
  fin_before_peers_ = !fin_received_;
  if (!established_) {
    // Nothing was exchanged: forget the attempt (RFC 9293 §3.10.4).
    for_each_alive([](Subflow& subflow) {
      subflow.tcp.close();
      subflow.phase = Subflow::Phase::Over;
    });
    reason_ = tcp::CloseReason::Aborted;
    over_ = true;
    return;
  }
  rearm_meta(now);
  if (fallback_.is_infinite()) return;
  for_each_alive([](Subflow& subflow) {
    if (subflow.may_carry()) subflow.tcp.request_ack();
  });
}

void Connection::detach(Instant now) {
  detached_ = true;
  if (fallback_.is_infinite()) for_each_alive([&](Subflow& subflow) { subflow.tcp.detach(now); });
  if (fin_acked_ && !fin_received_ && !over_) linger_until_ = now + tcp_config_.fin_wait_2;
}

bool Connection::is_time_wait() const {
  if (!over_) return false;
  for (const auto& subflow : subflows_)
    if (subflow && !subflow->tcp.is_time_wait() && !subflow->tcp.is_finished()) return false;
  return true;
}

std::string_view Connection::state_of_the_only_subflow() const {
  for (const auto& subflow : subflows_) {
    if (!subflow) continue;
    const tcp::State state = subflow->tcp.state();
    // The FIN waits behind what this connection has not given to the subflow yet.
    if (fin_queued_ && state == tcp::State::Established) return name_of(tcp::State::FinWait1);
    if (fin_queued_ && (state == tcp::State::CloseWait || state == tcp::State::LastAck))
      return name_of(fin_before_peers_ ? tcp::State::Closing : tcp::State::LastAck);
    return tcp::name_of(state);
  }
  return "CLOSED";
}

std::string_view Connection::state_name() const {
  if (over_) {
    const bool closed_first = fallback_.is_infinite() || fin_before_peers_;
    const bool waits = std::any_of(subflows_.begin(), subflows_.end(), [](const auto& subflow) {
      return subflow && subflow->tcp.is_time_wait();
    });
    return reason_ == tcp::CloseReason::Finished && closed_first && waits ? "TIME-WAIT" : "CLOSED";
  }
  if (!established_ || fallback_.is_infinite()) return state_of_the_only_subflow();
  // The states of the data level are those of TCP (RFC 8684 §3.3.3, appendix D).
  if (!fin_queued_) return fin_received_ ? "CLOSE-WAIT" : "ESTABLISHED";
  if (!fin_received_) return fin_acked_ ? "FIN-WAIT-2" : "FIN-WAIT-1";
  if (!fin_before_peers_) return "LAST-ACK";
  return fin_acked_ ? "TIME-WAIT" : "CLOSING";
}

Connection::Info Connection::info() const {
  const Dsn first = local_.idsn + 1U;
  return {.tuple = first_tuple_,
          .bytes_sent = data_nxt_ - first,
          .bytes_acked = send_.memory_begin() - first,
          .bytes_received = receive_.next(),
          .snd_wnd = snd_edge_ > send_.begin() ? snd_edge_ - send_.begin() : 0,
          .rcv_wnd = rcv_edge_ > receive_.next() ? rcv_edge_ - receive_.next() : 0};
}

std::vector<SubflowInfo> Connection::subflow_infos() const {
  std::vector<SubflowInfo> out;
  for (const auto& subflow : subflows_) {
    if (!subflow) continue;
    const auto tcp = subflow->tcp.info();
    out.push_back({.tuple = subflow->tuple,
                   .port = subflow->port,
                   .state = tcp::name_of(subflow->tcp.state()),
                   .backup = subflow->is_backup(),
                   .stale = subflow->stale,
                   .bytes_sent = tcp.bytes_sent,
                   .bytes_acked = tcp.bytes_acked,
                   .bytes_received = tcp.bytes_received,
                   .segments_sent = tcp.segments_sent,
                   .segments_received = tcp.segments_received,
                   .segments_retransmitted = tcp.segments_retransmitted,
                   .srtt = tcp.srtt,
                   .rto = tcp.rto,
                   .cwnd = tcp.cwnd,
                   .in_flight = tcp.in_flight,
                   .mss = tcp.mss});
  }
  return out;
}

}  // namespace mptcp
