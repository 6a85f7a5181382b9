#include "mptcp/api/embed/option_table.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace mptcp::api::embed {
namespace {

using enum OptionRule::Kind;
using enum OptionRule::Multipath;

constexpr int kMostBuffer = 8'388'608;

/// Defaults, bounds and what MPTCP sockets refuse are those of Linux 6.18.
constexpr std::array kRules{
    OptionRule{SOL_SOCKET, SO_REUSEADDR, Flag, 0, 0, 1},
    OptionRule{SOL_SOCKET, SO_TYPE, Told, SOCK_STREAM, 0, 0},
    OptionRule{SOL_SOCKET, SO_ERROR, Told, 0, 0, 0},
    OptionRule{SOL_SOCKET, SO_DONTROUTE, Flag, 0, 0, 1, Ignored},
    OptionRule{SOL_SOCKET, SO_BROADCAST, Flag, 0, 0, 1, Ignored},
    OptionRule{SOL_SOCKET, SO_SNDBUF, Buffer, 16'384, 4'608, kMostBuffer},
    OptionRule{SOL_SOCKET, SO_RCVBUF, Buffer, 131'072, 2'304, kMostBuffer},
    OptionRule{SOL_SOCKET, SO_KEEPALIVE, Flag, 0, 0, 1},
    OptionRule{SOL_SOCKET, SO_OOBINLINE, Flag, 0, 0, 1, Refused},
    OptionRule{SOL_SOCKET, SO_PRIORITY, Number, 0, INT_MIN, INT_MAX},
    OptionRule{SOL_SOCKET, SO_REUSEPORT, Flag, 0, 0, 1},
    OptionRule{SOL_SOCKET, SO_RCVLOWAT, Told, 1, 0, 0},
    OptionRule{SOL_SOCKET, SO_SNDLOWAT, Told, 1, 0, 0},
    OptionRule{SOL_SOCKET, SO_ACCEPTCONN, Told, 0, 0, 0},
    OptionRule{SOL_SOCKET, SO_MARK, Number, 0, INT_MIN, INT_MAX},
    OptionRule{SOL_SOCKET, SO_PROTOCOL, Told, 0, 0, 0},
    OptionRule{SOL_SOCKET, SO_DOMAIN, Told, 0, 0, 0},
    OptionRule{IPPROTO_IP, IP_TOS, Octet, 0, 0, 255},
    OptionRule{IPPROTO_IP, IP_TTL, Octet, 64, 1, 255, Refused},
    OptionRule{IPPROTO_IPV6, IPV6_UNICAST_HOPS, Number, 64, -1, 255, Refused},
    OptionRule{IPPROTO_IPV6, IPV6_TCLASS, Number, 0, -1, 255, Refused},
    OptionRule{IPPROTO_IPV6, IPV6_V6ONLY, Flag, 0, 0, 1},
    OptionRule{IPPROTO_TCP, TCP_NODELAY, Flag, 0, 0, 1},
    OptionRule{IPPROTO_TCP, TCP_MAXSEG, Told, 536, 0, 0},
    OptionRule{IPPROTO_TCP, TCP_CORK, Flag, 0, 0, 1},
    OptionRule{IPPROTO_TCP, TCP_KEEPIDLE, Number, 7'200, 1, 32'767},
    OptionRule{IPPROTO_TCP, TCP_KEEPINTVL, Number, 75, 1, 32'767},
    OptionRule{IPPROTO_TCP, TCP_KEEPCNT, Number, 9, 1, 127},
    OptionRule{IPPROTO_TCP, TCP_SYNCNT, Number, 6, 1, 127, Refused},
    OptionRule{IPPROTO_TCP, TCP_LINGER2, Number, 60, -1, 120, Refused},
    OptionRule{IPPROTO_TCP, TCP_QUICKACK, Flag, 1, 0, 1, Refused},
    OptionRule{IPPROTO_TCP, TCP_USER_TIMEOUT, Number, 0, 0, INT_MAX, Refused},
    OptionRule{IPPROTO_TCP, kTcpIsMptcp, Told, 0, 0, 0},
};

}  // namespace

const OptionRule* find_rule(int level, int name) {
  const auto* const at = std::find_if(kRules.begin(), kRules.end(), [&](const OptionRule& rule) {
    return rule.level == level && rule.name == name;
  });
  return at == kRules.end() ? nullptr : at;
}

}  // namespace mptcp::api::embed
