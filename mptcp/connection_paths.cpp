#include <algorithm>

#include "mptcp/connection.hpp"

namespace mptcp {
namespace {

using namespace std::chrono_literals;

/// Addresses of the peer that are remembered.
constexpr std::size_t kMostRemotes = 32;
/// An announcement is repeated so often while no echo comes (RFC 8684 §3.4.1).
constexpr std::uint8_t kMostAnnouncements = 4;
/// And so often in version 0, which has no echo: a lost ACK is not the end of it (RFC 6824 §3.4.1).
constexpr std::uint8_t kBlindAnnouncements = 2;
/// An echo is awaited for two retransmission timeouts, or at least so long: Linux counts one that
/// comes again while it looks at it as dropped. Twice that next time.
constexpr Duration kLeastPatience = 1s;
/// What the peer has, besides a round trip, to announce its addresses. Linux does it in a work
/// queue.
constexpr Duration kTimeToAnnounce = 100ms;

}  // namespace

void Connection::know_first_addresses() {
  locals_ = env_.addresses.all;
  for (LocalAddress& local : locals_)
    if (local.address == first_tuple_.local.address) local.id = AddressId{};
  remotes_.push_back({AddressId{}, first_tuple_.remote, true});
}

void Connection::on_ready(Instant now, Subflow& subflow) {
  rests_.on_established({subflow.local_id, subflow.remote_id});
  tell(PathChange::Kind::Established, subflow);
  alone_until_ = kNever;
  if (settled_at_ == kNever) {
    settled_at_ = now + subflow.tcp.srtt() + kTimeToAnnounce;
    plan(settled_at_);
    if (!active_ && config_.announce) announce_addresses(now);
  }
  plan(now);
}

std::optional<JoinWish> Connection::next_join(Instant now) {
  if (plan_at_ > now) return std::nullopt;
  plan_at_ = kNever;
  if (!active_ || over_ || closing_ || !fallback_.is_established()) return std::nullopt;
  std::array<AddressPair, kMaxSubflows> pairs;
  std::array<AddressPair, kMaxSubflows> attempts;
  std::size_t count = 0;
  std::size_t attempt_count = 0;
  for_each_alive([&](const Subflow& subflow) {
    const AddressPair pair{subflow.local_id, subflow.remote_id};
    pairs[count++] = pair;
    if (subflow.phase == Subflow::Phase::Opening) attempts[attempt_count++] = pair;
  });
  const PathView view{.locals = locals_,
                      .remotes = remotes_,
                      .subflows = std::span(pairs).first(count),
                      .attempts = std::span(attempts).first(attempt_count),
                      .resting = rests_.resting(now),
                      .settled = now >= settled_at_,
                      .max_subflows = std::min<std::size_t>(config_.max_subflows, kMaxSubflows)};
  const Joins joins = next_joins(config_.path_manager, view);
  // Of more pairs than the table knows all may be refused: the forgotten ones wait with the others.
  if (joins.size() == 0 || rests_.is_full(now)) {
    if (now < settled_at_) plan(settled_at_);
    if (const auto rested = rests_.next_deadline(now)) plan(*rested);
    return std::nullopt;
  }
  plan(now);
  const AddressPair pair = joins.pairs().front();
  JoinWish wish{.pair = pair, .local = {}, .remote = {}};
  for (const LocalAddress& local : locals_) {
    if (local.id != pair.local) continue;
    wish.local = local.address;
    wish.backup = env_.addresses.is_backup(local.port);
  }
  for (const RemoteAddress& remote : remotes_)
    if (remote.id == pair.remote) wish.remote = remote.endpoint;
  return wish;
}

void Connection::on_join_refused(const JoinWish& wish, Instant now) {
  rests_.on_failed(wish.pair, now);
  plan(now);
}

void Connection::announce_addresses(Instant now) {
  PortIndex first_port{};
  for (const LocalAddress& local : locals_)
    if (local.id == AddressId{}) first_port = local.port;
  for (const LocalAddress& local : locals_) {
    if (local.id == AddressId{} || local.address.is_link_local()) continue;
    announcements_.push_back({local.id, local.address, {}, 0, now, false});
  }
  // First what is a new path for every peer: an address of this family, then one of another port.
  const bool v4 = first_tuple_.local.address.is_v4();
  const auto rank = [&](const Announcement& announcement) {
    const auto whose = std::find_if(locals_.begin(), locals_.end(), [&](const LocalAddress& local) {
      return local.id == announcement.id;
    });
    return (announcement.address.is_v4() == v4 ? 0 : 2) + (whose->port == first_port ? 1 : 0);
  };
  std::stable_sort(announcements_.begin(), announcements_.end(),
                   [&](const Announcement& a, const Announcement& b) { return rank(a) < rank(b); });
  on_announcement_timer(now);
}

/// One at a time, as Linux does: it drops an ADD_ADDR that comes while another one waits to be
/// looked at. Without an echo none would wait for another.
std::size_t Connection::announcement_under_way() const {
  const std::size_t none = announcements_.size();
  std::size_t found = none;
  for (std::size_t i = 0; i < none; ++i) {
    if (announcements_[i].echoed) continue;
    if (version_ != Version::V0) return i;
    if (found == none || announcements_[i].next < announcements_[found].next) found = i;
  }
  return found;
}

Instant Connection::next_announcement() const {
  const std::size_t at = announcement_under_way();
  return at == announcements_.size() ? kNever : announcements_[at].next;
}

void Connection::on_announcement_timer(Instant now) {
  Subflow* carrier = nullptr;
  for_each_alive([&](Subflow& subflow) {
    if (subflow.phase == Subflow::Phase::Ready && (carrier == nullptr || carrier->stale))
      carrier = &subflow;
  });
  const std::uint8_t most = version_ == Version::V0 ? kBlindAnnouncements : kMostAnnouncements;
  while (next_announcement() <= now) {
    Announcement& announcement = announcements_[announcement_under_way()];
    if (announcement.sent >= most || fallback_.is_infinite() || closing_) {
      announcement.echoed = true;
      continue;
    }
    const Duration patience =
        carrier == nullptr ? kLeastPatience : std::max(2 * carrier->tcp.rto(), kLeastPatience);
    announcement.next = now + patience * (1 << announcement.sent);
    if (carrier == nullptr) continue;
    ++announcement.sent;
    announce(*carrier, announcement);
  }
}

void Connection::announce(Subflow& carrier, const Announcement& announcement) {
  AddAddr option{.id = announcement.id,
                 .address = announcement.address,
                 .port = announcement.port,
                 .hmac = {}};
  if (version_ != Version::V0)
    option.hmac = add_addr_hmac(local_key_, remote_key_, announcement.id,
                                {announcement.address, announcement.port.value_or(0)});
  if (say(carrier, option)) ++env_.stats.add_addr_tx;
}

void Connection::on_echo(AddressId id, const IpAddress& address) {
  for (Announcement& announcement : announcements_)
    if (announcement.id == id && announcement.address == address) announcement.echoed = true;
}

/// Version 0 has neither an HMAC, so that whoever can put a segment into a subflow is believed, nor
/// an echo (RFC 6824 §3.4.1).
bool Connection::is_genuine(const AddAddr& option) const {
  if (version_ == Version::V0) return !option.hmac;
  const Endpoint named{option.address, option.port.value_or(0)};
  return option.hmac && *option.hmac == add_addr_hmac(remote_key_, local_key_, option.id, named);
}

void Connection::echo(Subflow& subflow, AddAddr option) {
  if (version_ == Version::V0) return;
  option.echo = true;
  option.hmac.reset();
  // One that is not sent is asked for again.
  if (say(subflow, option)) ++env_.stats.echo_add_tx;
}

void Connection::on_add_addr(Instant now, Subflow& subflow, const AddAddr& option) {
  if (option.echo) {
    ++env_.stats.echo_add;
    on_echo(option.id, option.address);
    return;
  }
  if (!is_genuine(option)) {
    ++env_.stats.add_addr_bad_hmac;
    return;
  }
  ++env_.stats.add_addr;
  const auto known = std::find_if(remotes_.begin(), remotes_.end(),
                                  [&](const RemoteAddress& each) { return each.id == option.id; });
  if (known != remotes_.end() && known->endpoint.address != option.address) {
    // RFC 8684 §3.4.1: an id keeps its address until it is removed.
    ++env_.stats.add_addr_drop;
    return;
  }
  echo(subflow, option);
  // Without a port it is that of the first subflow (RFC 8684 §3.4.1).
  const Endpoint endpoint{option.address, option.port.value_or(first_tuple_.remote.port)};
  bool is_news = true;
  if (option.address.is_unspecified()) {
    ++env_.stats.add_addr_drop;
    return;
  }
  if (known != remotes_.end()) {
    // The first address too, whatever was said of it before: what is announced may be joined.
    is_news = known->endpoint != endpoint || !known->joinable;
    known->endpoint = endpoint;
    known->joinable = true;
  } else if (remotes_.size() < kMostRemotes) {
    remotes_.push_back({option.id, endpoint, true});
  } else {
    ++env_.stats.add_addr_drop;
    return;
  }
  PathChange change{.kind = PathChange::Kind::AddressAnnounced};
  change.tuple.remote = endpoint;
  change.address_id = option.id;
  if (is_news) tell(change);
  rests_.on_remote_revived(option.id);
  plan(now);
}

void Connection::on_remove_addr(Instant now, const RemoveAddr& option) {
  ++env_.stats.rm_addr;
  for (const AddressId id : option.ids()) {
    PathChange change{.kind = PathChange::Kind::AddressRemoved};
    change.address_id = id;
    tell(change);
    if (id != AddressId{}) {
      std::erase_if(remotes_, [&](const RemoteAddress& remote) { return remote.id == id; });
    } else {
      remotes_.front().joinable = false;
    }
    for_each_alive([&](Subflow& each) {
      if (each.remote_id != id || each.phase == Subflow::Phase::Opening) return;
      ++env_.stats.rm_subflow;
      // Its way is gone: what it carries goes by another (RFC 8684 §3.4.2).
      reset_subflow(each, ResetReason::AdministrativelyProhibited);
    });
  }
  plan(now);
}

void Connection::on_priority(Subflow& subflow, const MpPrio& option) {
  ++env_.stats.mp_prio_rx;
  const auto take = [&](Subflow& which) {
    if (which.backup_there == option.backup) return;
    which.backup_there = option.backup;
    tell(PathChange::Kind::BackupChanged, which);
  };
  if (!option.address_id) {
    take(subflow);
    return;
  }
  // Version 0 could speak of other subflows (RFC 6824 §3.3.8).
  for_each_alive([&](Subflow& each) {
    if (each.remote_id == *option.address_id) take(each);
  });
}

}  // namespace mptcp
