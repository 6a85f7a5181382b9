#include "mptcp/api/embed/socket_info.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <string_view>

#include "mptcp/api/embed/sockaddr.hpp"

namespace mptcp::api::embed {
namespace {

using dataplane::Duration;
using dataplane::MutableByteSpan;

/// mptcp_info of Linux 6.18, whose beginning is that of all before it.
struct MptcpInfo {
  std::uint8_t subflows, add_addr_signal, add_addr_accepted;
  std::uint8_t subflows_max, add_addr_signal_max, add_addr_accepted_max;
  std::uint32_t flags, token;
  std::uint64_t write_seq, snd_una, rcv_nxt;
  std::uint8_t local_addr_used, local_addr_max, csum_enabled;
  std::uint32_t retransmits;
  std::uint64_t bytes_retrans, bytes_sent, bytes_received, bytes_acked;
  std::uint8_t subflows_total;
  std::array<std::uint8_t, 3> reserved;
  std::uint32_t last_data_sent, last_data_recv, last_ack_recv;
};
static_assert(offsetof(MptcpInfo, csum_enabled) == offsetof(mptcp_info, mptcpi_csum_enabled));

/// mptcp_subflow_info and mptcp_full_info.
struct MptcpSubflowInfo {
  std::uint32_t id;
  mptcp_subflow_addrs addresses;
};
struct MptcpFullInfo {
  std::uint32_t size_tcpinfo_kernel, size_tcpinfo_user;
  std::uint32_t size_sfinfo_kernel, size_sfinfo_user;
  std::uint32_t num_subflows, size_arrays_user;
  std::uint64_t subflow_info, tcp_info;
  MptcpInfo mptcp_info;
};

std::uint32_t microseconds(Duration time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

/// TCP_ESTABLISHED and what follows it in Linux's include/net/tcp_states.h.
std::uint8_t state_number(std::string_view state) {
  constexpr std::array<std::string_view, 12> kNames{
      "",          "ESTABLISHED", "SYN-SENT",   "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2",
      "TIME-WAIT", "CLOSED",      "CLOSE-WAIT", "LAST-ACK",     "LISTEN",     "CLOSING"};
  const auto* const at = std::find(kNames.begin(), kNames.end(), state);
  return static_cast<std::uint8_t>(at == kNames.end() ? 7 : at - kNames.begin());
}

/// What SocketInfo and SubflowInfo have in common.
template <class Info>
tcp_info info_of(const Info& from) {
  tcp_info to{};
  const std::uint32_t mss = std::max<std::uint32_t>(from.mss, 1);
  to.tcpi_state = state_number(from.state);
  to.tcpi_rto = microseconds(from.rto);
  to.tcpi_snd_mss = to.tcpi_rcv_mss = to.tcpi_advmss = from.mss;
  to.tcpi_unacked = static_cast<std::uint32_t>((from.in_flight + mss - 1) / mss);
  to.tcpi_rtt = microseconds(from.srtt);
  to.tcpi_snd_cwnd = static_cast<std::uint32_t>(from.cwnd / mss);
  to.tcpi_total_retrans = static_cast<std::uint32_t>(from.segments_retransmitted);
  to.tcpi_bytes_acked = from.bytes_acked;
  to.tcpi_bytes_received = from.bytes_received;
  to.tcpi_bytes_sent = from.bytes_sent;
  to.tcpi_segs_out = static_cast<std::uint32_t>(from.segments_sent);
  to.tcpi_segs_in = static_cast<std::uint32_t>(from.segments_received);
  return to;
}

std::optional<SocketInfo> info_of(const Socket& socket) {
  if (socket.state() == Socket::State::Listening || socket.ids().empty()) return std::nullopt;
  return socket.core().info(socket.ids().front());
}

tcp_info whole_info_of(const Socket& socket) {
  tcp_info out{};
  out.tcpi_state = state_number(socket.state() == Socket::State::Listening ? "LISTEN" : "CLOSED");
  const auto info = info_of(socket);
  if (!info) return out;
  out = info_of(*info);
  out.tcpi_rttvar = microseconds(info->rttvar);
  out.tcpi_rcv_space = static_cast<std::uint32_t>(info->rcv_wnd);
  out.tcpi_snd_wnd = static_cast<std::uint32_t>(info->snd_wnd);
  out.tcpi_notsent_bytes = static_cast<std::uint32_t>(socket.unsent());
  return out;
}

/// The subflows of a connection; of one that is plain TCP, itself.
std::vector<SubflowInfo> subflows_of(const Socket& socket) {
  const auto info = info_of(socket);
  if (!info) return {};
  if (!info->subflows.empty()) return info->subflows;
  SubflowInfo only;
  only.tuple = info->tuple;
  only.state = info->state;
  only.bytes_sent = info->bytes_sent;
  only.bytes_acked = info->bytes_acked;
  only.bytes_received = info->bytes_received;
  only.segments_sent = info->segments_sent;
  only.segments_received = info->segments_received;
  only.segments_retransmitted = info->segments_retransmitted;
  only.srtt = info->srtt;
  only.rto = info->rto;
  only.cwnd = info->cwnd;
  only.in_flight = info->in_flight;
  only.mss = info->mss;
  return {only};
}

MptcpInfo mptcp_info_of(const Socket& socket) {
  MptcpInfo out{};
  const auto info = info_of(socket);
  if (!info) return out;
  const std::size_t subflows = subflows_of(socket).size();
  out.subflows_total = static_cast<std::uint8_t>(subflows);
  out.subflows = static_cast<std::uint8_t>(subflows == 0 ? 0 : subflows - 1);
  const bool open = socket.state() == Socket::State::Connected;
  if (open && !info->multipath) out.flags |= MPTCP_INFO_FLAG_FALLBACK;
  if (open && info->multipath) out.flags |= MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED;
  out.bytes_sent = info->bytes_sent;
  out.bytes_received = info->bytes_received;
  out.bytes_acked = info->bytes_acked;
  return out;
}

/// An address as the socket of a subflow tells it: of its own family, never v4-mapped.
mptcp_subflow_addrs addresses_of(const SubflowInfo& subflow) {
  mptcp_subflow_addrs out{};
  const int family = subflow.tuple.local.address.is_v4() ? AF_INET : AF_INET6;
  socklen_t length = sizeof out.ss_local;
  write_sockaddr(family, subflow.tuple.local, &out.sa_local, &length);
  length = sizeof out.ss_remote;
  write_sockaddr(family, subflow.tuple.remote, &out.sa_remote, &length);
  return out;
}

template <class T>
int write_cut(const T& all, MutableByteSpan out) {
  const std::size_t length = std::min(out.size(), sizeof all);
  std::memcpy(out.data(), &all, length);
  return static_cast<int>(length);
}

/// Writes an array of `Element`, each cut to what the caller takes of it, behind its header.
template <class Element, class Make>
int write_array(const Socket& socket, MutableByteSpan out, Make make) {
  mptcp_subflow_data header{};
  if (out.size() < sizeof header) return -EINVAL;
  std::memcpy(&header, out.data(), sizeof header);
  if (header.size_subflow_data < sizeof header || header.size_subflow_data > out.size())
    return -EINVAL;
  if (header.num_subflows != 0 || header.size_kernel != 0 || header.size_user > INT_MAX)
    return -EINVAL;
  header.size_kernel = sizeof(Element);
  header.size_user = std::min<std::uint32_t>(header.size_user, sizeof(Element));
  MutableByteSpan rest = out.subspan(header.size_subflow_data);
  for (const SubflowInfo& subflow : subflows_of(socket)) {
    ++header.num_subflows;
    if (rest.empty() || rest.size() < header.size_user) continue;
    const Element element = make(subflow);
    std::memcpy(rest.data(), &element, header.size_user);
    rest = rest.subspan(header.size_user);
  }
  std::memcpy(out.data(), &header, sizeof header);
  return static_cast<int>(out.size() - rest.size());
}

}  // namespace

int write_tcp_info(const Socket& socket, MutableByteSpan out) {
  return write_cut(whole_info_of(socket), out);
}

int write_mptcp_info(const Socket& socket, MutableByteSpan out) {
  return write_cut(mptcp_info_of(socket), out);
}

int write_subflow_tcp_infos(const Socket& socket, MutableByteSpan out) {
  return write_array<tcp_info>(socket, out, [](const SubflowInfo& each) { return info_of(each); });
}

int write_subflow_addresses(const Socket& socket, MutableByteSpan out) {
  return write_array<mptcp_subflow_addrs>(socket, out, addresses_of);
}

int write_full_info(const Socket& socket, MutableByteSpan out) {
  MptcpFullInfo info{};
  constexpr std::size_t kHead = offsetof(MptcpFullInfo, mptcp_info);
  if (out.size() < kHead) return -EINVAL;
  std::memcpy(&info, out.data(), kHead);
  if (info.num_subflows != 0 || info.size_tcpinfo_kernel != 0 || info.size_sfinfo_kernel != 0)
    return -EINVAL;
  info.size_tcpinfo_kernel = sizeof(tcp_info);
  info.size_sfinfo_kernel = sizeof(MptcpSubflowInfo);
  info.size_tcpinfo_user = std::min<std::uint32_t>(info.size_tcpinfo_user, sizeof(tcp_info));
  info.size_sfinfo_user = std::min<std::uint32_t>(info.size_sfinfo_user, sizeof(MptcpSubflowInfo));
  auto* tcp_infos = std::bit_cast<std::byte*>(info.tcp_info);
  auto* addresses = std::bit_cast<std::byte*>(info.subflow_info);
  for (const SubflowInfo& subflow : subflows_of(socket)) {
    const std::uint32_t at = info.num_subflows++;
    if (at >= info.size_arrays_user) continue;
    const tcp_info tcp = info_of(subflow);
    const MptcpSubflowInfo where{at, addresses_of(subflow)};
    if (tcp_infos != nullptr)
      std::memcpy(tcp_infos + std::size_t{at} * info.size_tcpinfo_user, &tcp,
                  info.size_tcpinfo_user);
    if (addresses != nullptr)
      std::memcpy(addresses + std::size_t{at} * info.size_sfinfo_user, &where,
                  info.size_sfinfo_user);
  }
  info.mptcp_info = mptcp_info_of(socket);
  return write_cut(info, out);
}

}  // namespace mptcp::api::embed
