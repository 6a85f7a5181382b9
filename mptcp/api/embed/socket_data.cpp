#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "mptcp/api/embed/socket.hpp"

/// Octets in and out of a socket, in the order of questions that tcp_recvmsg() and tcp_sendmsg() of
/// Linux ask.
namespace mptcp::api::embed {
namespace {

constexpr std::size_t kDiscardAtOnce = 4096;
/// How long a cork holds less than a segment back (tcp(7), TCP_CORK).
constexpr dataplane::Duration kLongestCork = std::chrono::milliseconds(200);

std::span<std::byte> octets_of(const iovec& part) {
  return {static_cast<std::byte*>(part.iov_base), part.iov_len};
}

}  // namespace

std::size_t total_of(std::span<const iovec> parts) {
  std::size_t total = 0;
  for (const iovec& part : parts)
    total += part.iov_len;
  return total;
}

std::size_t Socket::unread() const {
  if (ids_.empty() || state_ == State::Listening) return 0;
  return peeked_.size() + core().readable(id());
}

void Socket::fill_peeked(std::size_t octets) {
  const std::size_t had = peeked_.size();
  if (octets <= had) return;
  const std::size_t more = std::min(octets - had, core().readable(id()));
  peeked_.resize(had + more);
  const std::size_t got = core().read(node_->now, id(), std::span(peeked_).subspan(had));
  peeked_.resize(had + got);
}

std::size_t Socket::take_peeked(std::span<std::byte> out, bool keep, std::size_t from) {
  const std::size_t count = std::min(out.size(), peeked_.size() - std::min(from, peeked_.size()));
  if (count == 0) return 0;
  std::memcpy(out.data(), peeked_.data() + from, count);
  if (!keep) peeked_.erase(peeked_.begin(), peeked_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

std::size_t Socket::take(std::span<const iovec> parts, int flags) {
  const bool peeking = (flags & MSG_PEEK) != 0;
  if (peeking) fill_peeked(total_of(parts));
  std::size_t total = 0;
  for (const iovec& part : parts) {
    std::span<std::byte> out = octets_of(part);
    std::byte thrown_away[kDiscardAtOnce];
    while (!out.empty()) {
      std::span<std::byte> into = out;
      if ((flags & MSG_TRUNC) != 0)
        into = std::span(thrown_away).first(std::min(out.size(), kDiscardAtOnce));
      std::size_t count = take_peeked(into, peeking, peeking ? total : 0);
      if (count == 0 && !peeking) count = core().read(node_->now, id(), into);
      if (count == 0) return total;
      total += count;
      out = out.subspan(count);
    }
  }
  return total;
}

ssize_t Socket::receive(std::span<const iovec> parts, int flags) {
  if (state_ == State::Listening) return -ENOTCONN;
  if ((flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
  if ((flags & MSG_OOB) != 0 && !multipath_) return -EINVAL;  // There is never urgent data.
  const std::size_t asked = total_of(parts);
  if (!ids_.empty()) {
    const bool had_some = unread() != 0;
    const std::size_t count = take(parts, flags);
    if (count != 0 || (had_some && asked == 0)) return static_cast<ssize_t>(count);
  }
  return why_nothing(asked);
}

ssize_t Socket::why_nothing(std::size_t asked) {
  if (asked == 0 && multipath_) return 0;
  if (error_ != 0) return -take_error();
  if (is_read_shut()) return 0;
  if (state_ == State::Closed) return -ENOTCONN;
  return -EAGAIN;
}

std::size_t Socket::write(std::span<const iovec> parts) {
  std::size_t total = 0;
  for (const iovec& part : parts) {
    const std::size_t taken = core().write(node_->now, id(), octets_of(part));
    total += taken;
    if (taken < part.iov_len) break;
  }
  return total;
}

/// Takes no more than what the core has room for, so that it can be sent when the cork is drawn.
std::size_t Socket::write_corked(std::span<const iovec> parts, bool more) {
  const std::size_t room = core().writable(id());
  std::size_t total = 0;
  for (const iovec& part : parts) {
    const auto octets = octets_of(part);
    const std::size_t count = std::min(octets.size(), room - std::min(room, corked_.size()));
    corked_.insert(corked_.end(), octets.begin(),
                   octets.begin() + static_cast<std::ptrdiff_t>(count));
    total += count;
  }
  const auto info = core().info(id());
  const std::size_t segment = more && info && info->mss != 0 ? info->mss : 1;
  const std::size_t full = corked_.size() / segment * segment;
  const std::size_t taken = core().write(node_->now, id(), std::span(corked_).first(full));
  corked_.erase(corked_.begin(), corked_.begin() + static_cast<std::ptrdiff_t>(taken));
  hold(!corked_.empty());
  return total;
}

void Socket::hold(bool anything) {
  const bool held = uncork_at_ != dataplane::kNever;
  if (anything == held) return;
  node_->corked += anything ? 1U : std::size_t{0} - 1U;
  uncork_at_ = anything ? node_->now + kLongestCork : dataplane::kNever;
}

void Socket::uncork() {
  if (!corked_.empty()) write_corked({}, false);
}

void Socket::uncork_by(Instant now) {
  if (uncork_at_ <= now) uncork();
}

void Socket::drop_corked() {
  corked_.clear();
  hold(false);
}

ssize_t Socket::send(std::span<const iovec> parts, int flags) {
  if ((flags & MSG_OOB) != 0) return -EOPNOTSUPP;
  if (state_ == State::Connecting) return -EAGAIN;
  if (error_ != 0) return -take_error();
  if (state_ != State::Connected || write_shut_) return -EPIPE;
  const bool more = (flags & MSG_MORE) != 0 || kept(IPPROTO_TCP, TCP_CORK) != 0;
  const bool held = more || !corked_.empty();
  const std::size_t total = held ? write_corked(parts, more) : write(parts);
  written_ += total;
  if (total == 0 && total_of(parts) != 0) return -EAGAIN;
  return static_cast<ssize_t>(total);
}

std::uint64_t Socket::unacknowledged() const {
  if (state_ != State::Connected) return 0;
  const auto info = core().info(id());
  return info && info->bytes_acked < written_ ? written_ - info->bytes_acked : 0;
}

std::uint64_t Socket::unsent() const {
  if (state_ != State::Connected) return 0;
  const auto info = core().info(id());
  return info && info->bytes_sent < written_ ? written_ - info->bytes_sent : 0;
}

}  // namespace mptcp::api::embed
