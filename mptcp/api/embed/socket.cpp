#include "mptcp/api/embed/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include "mptcp/api/embed/sockaddr.hpp"

namespace mptcp::api::embed {
namespace {

using dataplane::tcp::CloseReason;

int errno_of(SocketError error) {
  switch (error) {
    case SocketError::AddressInUse:
      return EADDRINUSE;
    case SocketError::AddressNotAvailable:
      return EADDRNOTAVAIL;
    case SocketError::NoRoute:
      return ENETUNREACH;
    case SocketError::TooManyConnections:
      return ENOBUFS;
    default:
      return EINVAL;
  }
}

/// What sk_err says when a connection has ended for this reason.
int errno_of(CloseReason reason, bool peer_had_finished) {
  switch (reason) {
    case CloseReason::None:
    case CloseReason::Finished:
      return 0;
    case CloseReason::Refused:
      return ECONNREFUSED;
    case CloseReason::Reset:
      return peer_had_finished ? EPIPE : ECONNRESET;
    case CloseReason::Aborted:
      return ECONNABORTED;
    case CloseReason::TimedOut:
      return ETIMEDOUT;
    case CloseReason::Unreachable:
      return EHOSTUNREACH;
  }
  return EIO;
}

}  // namespace

Socket::~Socket() { let_go(); }

void Socket::let_go() {
  if (accepted_) core().abort(node_->now, *accepted_);
  accepted_.reset();
  if (state_ == State::Connected) uncork();
  // Octets that nobody has read: the peer must hear of it (RFC 1122 §4.2.2.13).
  const bool hard = !peeked_.empty() || (linger_on_ && linger_seconds_ == 0);
  for (const SocketId each : ids_) {
    if (hard && state_ != State::Listening) {
      core().abort(node_->now, each);
    } else {
      core().close(node_->now, each);
    }
  }
  ids_.clear();
  peeked_.clear();
  drop_corked();
}

int Socket::listen_on(const dataplane::IpAddress& address) {
  Config mptcp = node_->mptcp;
  mptcp.enabled = multipath_;
  const auto id = core().listen({address, local_.port}, tcp_config(), mptcp);
  if (!id) return -errno_of(id.error());
  ids_.push_back(*id);
  return 0;
}

/// A listener on `::` would take IPv4, too.
int Socket::listen_on_each_v6() {
  const auto& host = core().host();
  for (std::size_t port = 0; port < host.port_count(); ++port) {
    for (const dataplane::Prefix& own : host.config(static_cast<PortIndex>(port)).addresses) {
      if (own.address.is_v4()) continue;
      if (const int result = listen_on(own.address); result != 0) return result;
    }
  }
  return 0;
}

int Socket::listen(int /*backlog*/) {
  if (phase_ != Phase::Unconnected) return -EINVAL;
  if (state_ == State::Listening) return 0;
  if (state_ != State::Closed) return -EINVAL;
  const bool on_v6_only = is_v6_only() && local_.address == dataplane::IpAddress();
  const int result = on_v6_only ? listen_on_each_v6() : listen_on(local_.address);
  if (result != 0) {
    let_go();
    return result;
  }
  state_ = State::Listening;
  read_shut_ = write_shut_ = false;
  return 0;
}

std::optional<SocketId> Socket::accept() {
  if (accepted_) return std::exchange(accepted_, std::nullopt);
  for (const SocketId listener : ids_)
    if (const auto accepted = core().accept(listener)) return accepted;
  return std::nullopt;
}

void Socket::adopt(const Socket& listener, SocketId id) {
  ids_ = {id};
  state_ = State::Connected;
  phase_ = Phase::Connected;
  non_blocking = false;
  kept_ = listener.kept_;
  congestion_ = listener.congestion_;
  linger_on_ = listener.linger_on_;
  linger_seconds_ = listener.linger_seconds_;
  timeouts_ = listener.timeouts_;
  const auto info = core().info(id);
  if (!info) return;
  local_ = info->tuple.local;
  remote_ = info->tuple.remote;
  multipath_ = info->multipath;
  // What happened to it before was told to nobody.
  if (info->reason != CloseReason::None)
    on_event({.socket = id, .kind = Event::Kind::Closed, .reason = info->reason});
}

int Socket::connect(const Endpoint& remote) {
  if (phase_ == Phase::Connected) return -EISCONN;
  if (phase_ == Phase::Connecting) return finish_connect(-EALREADY);
  if (state_ != State::Closed) return -EISCONN;
  if (is_v6_only() && remote.address.is_v4()) return -ENETUNREACH;
  if (remote.port == 0) return -ECONNREFUSED;  // Nobody listens there.
  Config mptcp = node_->mptcp;
  mptcp.enabled = multipath_;
  const auto id = core().connect(
      node_->now, {.remote = remote, .local = local_, .tcp = tcp_config(), .mptcp = mptcp});
  if (!id) return id.error() == SocketError::AddressInUse ? -EADDRNOTAVAIL : -errno_of(id.error());
  ids_ = {*id};
  paths = {};
  error_ = 0;
  written_ = 0;
  read_shut_ = write_shut_ = false;
  remote_ = remote;
  if (const auto info = core().info(*id)) local_ = info->tuple.local;
  state_ = State::Connecting;
  phase_ = Phase::Connecting;
  return -EINPROGRESS;
}

/// A further connect() tells how the first one has ended, once.
int Socket::finish_connect(int when_open) {
  if (state_ == State::Connecting) return when_open;
  if (state_ == State::Connected) {
    phase_ = Phase::Connected;
    return 0;
  }
  const int error = take_error();
  phase_ = Phase::Unconnected;
  disconnect();
  return -(error != 0 ? error : ECONNABORTED);
}

int Socket::disconnect() {
  const State was = state_;
  if (was != State::Listening)
    for (const SocketId each : ids_)
      core().abort(node_->now, each);
  drop_corked();
  let_go();
  if (!multipath_ && (was == State::Connecting || was == State::Connected)) error_ = ECONNRESET;
  state_ = State::Closed;
  phase_ = Phase::Unconnected;
  read_shut_ = write_shut_ = false;
  remote_ = {};
  local_ = is_bound_ ? bound_ : Endpoint{any_address(family_), 0};
  return 0;
}

int Socket::shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  const bool reading = how != SHUT_WR;
  const bool writing = how != SHUT_RD;
  switch (state_) {
    case State::Closed:
      read_shut_ = read_shut_ || reading;
      write_shut_ = write_shut_ || writing;
      return -ENOTCONN;
    case State::Listening:
      return reading ? disconnect() : 0;
    case State::Connecting:
      return disconnect();
    case State::Connected:
      break;
  }
  phase_ = Phase::Connected;
  read_shut_ = read_shut_ || reading;
  if (writing && !write_shut_) {
    uncork();
    write_shut_ = true;
    core().shutdown(node_->now, id());
  }
  return 0;
}

bool Socket::on_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::Connected:
      if (state_ != State::Connecting) return false;
      state_ = State::Connected;
      return true;
    case Event::Kind::EndOfStream:
      read_shut_ = true;
      return true;
    case Event::Kind::Closed: {
      const int why = errno_of(event.reason, read_shut_);
      if (why != 0) error_ = why;
      // An attempt of MPTCP that failed leaves a socket that is only not connected.
      const bool was_open = state_ == State::Connected || !multipath_;
      read_shut_ = read_shut_ || was_open;
      write_shut_ = write_shut_ || was_open;
      state_ = State::Closed;
      return true;
    }
    case Event::Kind::PathChanged:
      return false;
    case Event::Kind::Acceptable:
    case Event::Kind::Readable:
    case Event::Kind::Writable:
      return true;
  }
  return false;
}

bool Socket::carries(const dataplane::FourTuple& tuple) const {
  const auto info = ids_.empty() ? std::nullopt : core().info(id());
  if (!info) return false;
  const auto is_it = [&](const SubflowInfo& subflow) { return subflow.tuple == tuple; };
  return info->tuple == tuple || std::any_of(info->subflows.begin(), info->subflows.end(), is_it);
}

bool Socket::is_read_shut() const {
  return read_shut_ || (state_ == State::Connected && core().at_end_of_stream(id()));
}

short Socket::poll() {
  constexpr int kIn = POLLIN | POLLRDNORM;
  constexpr int kOut = POLLOUT | POLLWRNORM;
  int events = 0;
  if (state_ == State::Listening) {
    accepted_ = accept();
    return accepted_ ? kIn : 0;
  }
  const bool read_shut = is_read_shut();
  if ((read_shut && write_shut_) || state_ == State::Closed) events |= POLLHUP;
  if (read_shut) events |= kIn | POLLRDHUP;
  if (state_ != State::Connecting) {
    if (unread() != 0) events |= kIn;
    const bool may_write = state_ != State::Connected || write_shut_ || core().writable(id()) != 0;
    if (may_write) events |= kOut;
  }
  if (error_ != 0) events |= POLLERR;
  return static_cast<short>(events);
}

}  // namespace mptcp::api::embed
