#include <algorithm>

#include "mptcp/connection.hpp"

/// What a program wants of the paths, and what it is told of them.
namespace mptcp {
namespace {

using Kind = PathChange::Kind;

/// Changes that wait for a program to ask; then the oldest are lost.
constexpr std::size_t kMostChanges = 64;

}  // namespace

/// Who opened the connection waits for a word of the peer (RFC 8684 §3.1); the other side has the
/// keys from its first one.
bool Connection::is_commanded() const {
  const bool has_keys = !active_ && fallback_.phase() == Fallback::Phase::Unconfirmed;
  return !over_ && !closing_ && (fallback_.is_established() || has_keys);
}

Subflow* Connection::find_path(const FourTuple& path) {
  Subflow* found = nullptr;
  for_each_alive([&](Subflow& subflow) {
    if (subflow.tuple == path) found = &subflow;
  });
  return found;
}

/// A subflow that carries data, best one that answers, from none of these addresses of ours.
Subflow* Connection::carrier_beside(std::span<const AddressId> locals) {
  Subflow* carrier = nullptr;
  for_each_alive([&](Subflow& subflow) {
    const bool excluded = std::find(locals.begin(), locals.end(), subflow.local_id) != locals.end();
    if (excluded || subflow.phase != Subflow::Phase::Ready) return;
    if (carrier == nullptr || carrier->stale) carrier = &subflow;
  });
  return carrier;
}

SocketResult<JoinWish> Connection::wish_for(const OpenPath& command) const {
  if (!is_commanded()) return tl::unexpected(SocketError::NotMultipath);
  if (subflow_count() >= std::min<std::size_t>(config_.max_subflows, kMaxSubflows))
    return tl::unexpected(SocketError::TooManyPaths);
  const auto own = std::find_if(locals_.begin(), locals_.end(), [&](const LocalAddress& local) {
    return local.address == command.local && !local.withdrawn;
  });
  if (own == locals_.end()) return tl::unexpected(SocketError::AddressNotAvailable);
  JoinWish wish{.pair = {own->id, {}}, .local = command.local, .remote = command.remote};
  wish.backup = command.backup;
  // An address that the peer has not announced is known when it answers.
  for (const RemoteAddress& remote : remotes_) {
    if (remote.endpoint.address != command.remote.address) continue;
    wish.pair.remote = remote.id;
    // It said that it takes no joins there (RFC 8684 §3.1), or took the address back.
    if (!remote.joinable && remote.endpoint == command.remote)
      return tl::unexpected(SocketError::AddressNotAvailable);
  }
  return wish;
}

Connection::Commanded Connection::command(Instant now, const ClosePath& command) {
  if (!is_commanded()) return tl::unexpected(SocketError::NotMultipath);
  Subflow* const subflow = find_path(command.path);
  if (subflow == nullptr) return tl::unexpected(SocketError::NoSuchPath);
  bool others = false;
  for_each_alive([&](const Subflow& each) {
    others = others || (&each != subflow && each.may_carry() && !each.stale);
  });
  if (!others) return tl::unexpected(SocketError::OnlyPath);
  rests_.bar({subflow->local_id, subflow->remote_id});
  if (subflow->stale || !subflow->may_carry()) {
    reset_subflow(*subflow, ResetReason::AdministrativelyProhibited);
  } else {
    subflow->phase = Subflow::Phase::Draining;
    subflow->tcp.close();
  }
  tcp::Outcome up;
  check_over(now, up);
  return up;
}

Connection::Commanded Connection::command(Instant /*now*/, const SetBackup& command) {
  if (!is_commanded()) return tl::unexpected(SocketError::NotMultipath);
  Subflow* const subflow = find_path(command.path);
  if (subflow == nullptr || !subflow->may_carry()) return tl::unexpected(SocketError::NoSuchPath);
  if (subflow->backup_here == command.backup) return tcp::Outcome{};
  // Version 1 speaks of the subflow that carries the option, and of no other (RFC 8684 §3.3.8);
  // version 0 may name one that does not answer (RFC 6824 §3.3.8).
  MpPrio option{.backup = command.backup};
  Subflow* carrier = subflow;
  const std::array<AddressId, 1> asked{subflow->local_id};
  if (version_ == Version::V0 && subflow->stale) {
    if (Subflow* const other = carrier_beside(asked)) {
      option.address_id = subflow->local_id;
      carrier = other;
    }
  }
  if (!say(*carrier, option)) return tl::unexpected(SocketError::Busy);
  ++env_.stats.mp_prio_tx;
  subflow->backup_here = command.backup;
  tell(Kind::BackupChanged, *subflow);
  return tcp::Outcome{};
}

Connection::Commanded Connection::command(Instant now, const AnnounceAddress& command) {
  if (!is_commanded()) return tl::unexpected(SocketError::NotMultipath);
  const auto own = std::find_if(locals_.begin(), locals_.end(), [&](const LocalAddress& local) {
    return local.address == command.address;
  });
  if (own == locals_.end()) return tl::unexpected(SocketError::AddressNotAvailable);
  own->withdrawn = false;
  std::erase_if(announcements_, [&](const Announcement& each) { return each.id == own->id; });
  announcements_.push_back({own->id, own->address, command.port, 0, now, false});
  on_announcement_timer(now);
  plan(now);
  return tcp::Outcome{};
}

Connection::Commanded Connection::command(Instant now, const WithdrawAddresses& command) {
  if (!is_commanded()) return tl::unexpected(SocketError::NotMultipath);
  RemoveAddr option;
  for (const IpAddress& address : command.addresses) {
    const auto own = std::find_if(locals_.begin(), locals_.end(), [&](const LocalAddress& local) {
      return local.address == address;
    });
    if (own == locals_.end() || option.count == RemoveAddr::kMaxIds)
      return tl::unexpected(SocketError::AddressNotAvailable);
    option.add(own->id);
  }
  if (option.count == 0) return tcp::Outcome{};
  const auto gone = option.ids();
  const auto is_gone = [&](AddressId id) {
    return std::find(gone.begin(), gone.end(), id) != gone.end();
  };
  Subflow* const carrier = carrier_beside(gone);
  if (carrier == nullptr) return tl::unexpected(SocketError::OnlyPath);
  if (!say(*carrier, option)) return tl::unexpected(SocketError::Busy);
  for (LocalAddress& local : locals_)
    if (is_gone(local.id)) local.withdrawn = true;
  std::erase_if(announcements_, [&](const Announcement& each) { return is_gone(each.id); });
  ++env_.stats.rm_addr_tx;
  for_each_alive([&](Subflow& each) {
    if (is_gone(each.local_id)) reset_subflow(each, ResetReason::AdministrativelyProhibited);
  });
  tcp::Outcome up;
  check_over(now, up);
  return up;
}

void Connection::tell(const PathChange& change) {
  if (changes_.size() == kMostChanges) changes_.pop_front();
  changes_.push_back(change);
}

void Connection::tell(Kind kind, const Subflow& subflow) {
  PathChange change{.kind = kind, .tuple = subflow.tuple};
  change.address_id = subflow.remote_id;
  change.backup = subflow.is_backup();
  tell(change);
}

void Connection::tell_end(const Subflow& subflow, bool was_opening) {
  // The end of the whole connection has an event of its own.
  if (closing_ || over_ || !established_) return;
  PathChange change{.kind = was_opening ? Kind::Failed : Kind::Closed, .tuple = subflow.tuple};
  change.address_id = subflow.remote_id;
  change.backup = subflow.is_backup();
  change.close_reason = subflow.tcp.close_reason();
  change.reset_reason = subflow.reset_reason;
  tell(change);
}

std::optional<PathChange> Connection::next_path_change() {
  if (changes_.empty()) return std::nullopt;
  return changes_.take_front();
}

}  // namespace mptcp
