#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "mptcp/api/embed/socket.hpp"
#include "mptcp/api/embed/socket_info.hpp"

/// getsockopt() and setsockopt(): the table's ints, and what is none.
namespace mptcp::api::embed {
namespace {

using dataplane::ByteSpan;
using dataplane::Duration;
using dataplane::MutableByteSpan;

constexpr int kProtocolMptcp = 262;       // IPPROTO_MPTCP
constexpr std::size_t kLongestName = 16;  // TCP_CA_NAME_MAX

template <class T>
int read_whole(ByteSpan from, T& to) {
  if (from.size() < sizeof to) return -EINVAL;
  std::memcpy(&to, from.data(), sizeof to);
  return 0;
}

int write_cut(ByteSpan all, MutableByteSpan out) {
  const std::size_t length = std::min(all.size(), out.size());
  if (length != 0) std::memcpy(out.data(), all.data(), length);
  return static_cast<int>(length);
}

template <class T>
ByteSpan octets_of(const T& object) {
  return std::as_bytes(std::span(&object, 1));
}

/// What a socket says to an option that it does not have.
int refusal_to_set(int level, bool multipath, bool is_known) {
  if (!multipath || level == IPPROTO_TCP) return -ENOPROTOOPT;
  if (level == SOL_SOCKET) return -EOPNOTSUPP;
  return is_known ? -EOPNOTSUPP : -ENOPROTOOPT;
}
int refusal_to_tell(int level, bool multipath) {
  const bool has_level =
      level == SOL_SOCKET || level == IPPROTO_TCP || level == IPPROTO_IP || level == IPPROTO_IPV6;
  return level == SOL_SOCKET || (has_level && !multipath) ? -ENOPROTOOPT : -EOPNOTSUPP;
}

/// A traffic class without what is TCP's of it (RFC 3168 §5).
constexpr int kOwnBits = 0xfc;

/// A number as it is kept; nothing: it cannot be set.
std::optional<int> fit_number(const OptionRule& rule, int number) {
  const bool is_ip = rule.level == IPPROTO_IP || rule.level == IPPROTO_IPV6;
  if (rule.level == IPPROTO_IP && rule.name == IP_TOS) return number & kOwnBits;
  if (is_ip && number == -1) return rule.initial;
  if (rule.level == IPPROTO_TCP && rule.name == TCP_LINGER2)
    return std::clamp(number, rule.least, rule.most);
  if (number < rule.least || number > rule.most) return std::nullopt;
  const bool is_class = rule.level == IPPROTO_IPV6 && rule.name == IPV6_TCLASS;
  return is_class ? number & kOwnBits : number;
}

std::optional<int> fit(const OptionRule& rule, int number) {
  switch (rule.kind) {
    case OptionRule::Kind::Told:
      return std::nullopt;
    case OptionRule::Kind::Flag:
      return number != 0 ? 1 : 0;
    case OptionRule::Kind::Buffer:
      if (number < 0 || number > rule.most / 2) return rule.most;
      return std::max(2 * number, rule.least);
    case OptionRule::Kind::Octet:
    case OptionRule::Kind::Number:
      return fit_number(rule, number);
  }
  return std::nullopt;
}

}  // namespace

int Socket::kept(int level, int name) const {
  const auto at = kept_.find({level, name});
  return at != kept_.end() ? at->second : find_rule(level, name)->initial;
}

bool Socket::was_set(int level, int name) const { return kept_.contains({level, name}); }

int Socket::set_option(int level, int name, ByteSpan value) {
  if (level == IPPROTO_IPV6 && family_ != AF_INET6) return -ENOPROTOOPT;
  if (level == IPPROTO_TCP && name == TCP_CONGESTION) return set_congestion(value);
  if (level == SOL_SOCKET) {
    if (name == SO_LINGER) return set_linger(value);
    if (name == SO_RCVTIMEO) return set_timeout(0, value);
    if (name == SO_SNDTIMEO) return set_timeout(1, value);
  }
  return set_by_rule(level, name, value);
}

int Socket::set_by_rule(int level, int name, ByteSpan value) {
  const OptionRule* const rule = find_rule(level, name);
  if (rule == nullptr) return refusal_to_set(level, multipath_, false);
  if (multipath_ && rule->multipath == OptionRule::Multipath::Ignored) return 0;
  const bool refused = multipath_ && rule->multipath == OptionRule::Multipath::Refused;
  if (refused || (multipath_ && rule->kind == OptionRule::Kind::Told))
    return refusal_to_set(level, multipath_, true);
  int number = 0;
  if (rule->kind == OptionRule::Kind::Octet && value.size() < sizeof number) {
    if (!value.empty()) number = std::to_integer<int>(value[0]);
  } else if (const int result = read_whole(value, number); result != 0) {
    return result;
  }
  return set_number(*rule, number);
}

int Socket::set_number(const OptionRule& rule, int number) {
  const auto fitting = fit(rule, number);
  if (rule.kind == OptionRule::Kind::Told) return -ENOPROTOOPT;
  if (!fitting) return -EINVAL;
  if (rule.level == IPPROTO_IPV6 && rule.name == IPV6_V6ONLY && has_port()) return -EINVAL;
  kept_[{rule.level, rule.name}] = *fitting;
  if (rule.level != IPPROTO_TCP) return 0;
  const bool drawn = rule.name == TCP_CORK && *fitting == 0;
  if (drawn || (rule.name == TCP_NODELAY && *fitting != 0)) uncork();
  return 0;
}

int Socket::set_linger(ByteSpan value) {
  linger asked{};
  if (const int result = read_whole(value, asked); result != 0) return result;
  linger_on_ = asked.l_onoff != 0;
  if (linger_on_) linger_seconds_ = asked.l_linger;
  return 0;
}

int Socket::set_timeout(std::size_t which, ByteSpan value) {
  timeval asked{};
  if (const int result = read_whole(value, asked); result != 0) return result;
  if (asked.tv_usec < 0 || asked.tv_usec >= 1'000'000) return -EDOM;
  timeouts_[which] = asked;
  return 0;
}

int Socket::set_congestion(ByteSpan value) {
  if (value.empty()) return -EINVAL;
  char name[kLongestName] = {};
  std::memcpy(name, value.data(), std::min(value.size(), sizeof name - 1));
  const auto kind = cc::kind_named(name);
  if (!kind) return -ENOENT;
  congestion_ = *kind;
  return 0;
}

int Socket::option(int level, int name, MutableByteSpan out) {
  if (level == kSolMptcp) return mptcp_option(name, out);
  if (level == IPPROTO_IPV6 && family_ != AF_INET6) return -EOPNOTSUPP;
  if (level == SOL_SOCKET && name == SO_LINGER) {
    const linger told{linger_on_ ? 1 : 0, linger_seconds_};
    return write_cut(octets_of(told), out);
  }
  if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
    return write_cut(octets_of(timeouts_[name == SO_RCVTIMEO ? 0 : 1]), out);
  if (level == IPPROTO_TCP && name == TCP_INFO) return write_tcp_info(*this, out);
  if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
    char text[kLongestName] = {};
    const std::string_view said = cc::name_of(congestion_.value_or(node_->tcp.congestion_control));
    std::memcpy(text, said.data(), std::min(said.size(), sizeof text - 1));
    return write_cut(octets_of(text), out);
  }
  const OptionRule* const rule = find_rule(level, name);
  const bool refused = rule != nullptr && multipath_ && level != SOL_SOCKET &&
                       rule->multipath == OptionRule::Multipath::Refused;
  if (rule == nullptr || refused) return refusal_to_tell(level, multipath_);
  const int number = told_number(*rule);
  return write_cut(octets_of(number), out);
}

int Socket::told_number(const OptionRule& rule) {
  if (rule.level == SOL_SOCKET) return told_of_socket(rule);
  if (rule.level != IPPROTO_TCP) return kept(rule.level, rule.name);
  const bool is_open = state_ == State::Connected;
  const auto info = is_open ? core().info(id()) : std::nullopt;
  if (rule.name == kTcpIsMptcp) return multipath_ && (!info || info->multipath) ? 1 : 0;
  if (rule.name == TCP_MAXSEG && info) return static_cast<int>(info->mss);
  return kept(rule.level, rule.name);
}

int Socket::told_of_socket(const OptionRule& rule) {
  switch (rule.name) {
    case SO_ERROR:
      return take_error();
    case SO_ACCEPTCONN:
      return state_ == State::Listening ? 1 : 0;
    case SO_PROTOCOL:
      return multipath_ ? kProtocolMptcp : IPPROTO_TCP;
    case SO_DOMAIN:
      return family_;
    default:
      return kept(rule.level, rule.name);
  }
}

int Socket::mptcp_option(int name, MutableByteSpan out) const {
  if (!multipath_) return -EOPNOTSUPP;
  switch (name) {
    case kMptcpInfo:
      return write_mptcp_info(*this, out);
    case kMptcpTcpInfo:
      return write_subflow_tcp_infos(*this, out);
    case kMptcpSubflowAddrs:
      return write_subflow_addresses(*this, out);
    case kMptcpFullInfo:
      return write_full_info(*this, out);
    default:
      return -EOPNOTSUPP;
  }
}

std::optional<PacketMark> Socket::mark(bool v4) const {
  const PacketMark plain{0, 64};
  const PacketMark mark =
      v4 ? PacketMark{kept(IPPROTO_IP, IP_TOS), kept(IPPROTO_IP, IP_TTL)}
         : PacketMark{kept(IPPROTO_IPV6, IPV6_TCLASS), kept(IPPROTO_IPV6, IPV6_UNICAST_HOPS)};
  if (mark == plain) return std::nullopt;
  return mark;
}

/// What the engine is told when a connection begins.
dataplane::tcp::Config Socket::tcp_config() const {
  dataplane::tcp::Config config = node_->tcp;
  if (congestion_) config.congestion_control = *congestion_;
  if (kept(IPPROTO_TCP, TCP_NODELAY) != 0) config.nagle = false;
  if (kept(SOL_SOCKET, SO_KEEPALIVE) != 0) {
    config.keepalive_idle = std::chrono::seconds(kept(IPPROTO_TCP, TCP_KEEPIDLE));
    config.keepalive_interval = std::chrono::seconds(kept(IPPROTO_TCP, TCP_KEEPINTVL));
    config.keepalive_probes = static_cast<std::uint8_t>(kept(IPPROTO_TCP, TCP_KEEPCNT));
  }
  if (was_set(IPPROTO_TCP, TCP_SYNCNT))
    config.syn_retries = static_cast<std::uint8_t>(kept(IPPROTO_TCP, TCP_SYNCNT));
  if (const int longest = kept(IPPROTO_TCP, TCP_USER_TIMEOUT); longest != 0)
    config.user_timeout = std::chrono::milliseconds(longest);
  if (was_set(IPPROTO_TCP, TCP_LINGER2))
    config.fin_wait_2 = std::chrono::seconds(std::max(kept(IPPROTO_TCP, TCP_LINGER2), 0));
  // Linux keeps room in the doubled number for what is no payload.
  if (was_set(SOL_SOCKET, SO_SNDBUF))
    config.send_buffer_initial = config.send_buffer_max =
        static_cast<std::uint32_t>(kept(SOL_SOCKET, SO_SNDBUF));
  if (was_set(SOL_SOCKET, SO_RCVBUF))
    config.receive_buffer_initial = config.receive_buffer_max =
        static_cast<std::uint32_t>(kept(SOL_SOCKET, SO_RCVBUF));
  return config;
}

}  // namespace mptcp::api::embed
