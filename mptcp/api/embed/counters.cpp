#include "mptcp/api/embed/counters.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mptcp::api::embed {
namespace {

enum class Group : std::uint8_t { Tcp, TcpExt, MptcpExt, Own };
constexpr std::array<std::string_view, 4> kGroups{"Tcp", "TcpExt", "MPTcpExt", "Hawser"};

struct MibName {
  std::string_view ours;
  Group group;
  std::string_view theirs;
};

/// What dataplane::tcp::Stats counts under the names of /proc/net/snmp and /proc/net/netstat.
constexpr std::array kMibNames{
    MibName{"active_opens", Group::Tcp, "ActiveOpens"},
    MibName{"passive_opens", Group::Tcp, "PassiveOpens"},
    MibName{"attempts_failed", Group::Tcp, "AttemptFails"},
    MibName{"established_resets", Group::Tcp, "EstabResets"},
    MibName{"segments_received", Group::Tcp, "InSegs"},
    MibName{"segments_sent", Group::Tcp, "OutSegs"},
    MibName{"segments_retransmitted", Group::Tcp, "RetransSegs"},
    MibName{"resets_sent", Group::Tcp, "OutRsts"},
    MibName{"segments_out_of_order", Group::TcpExt, "TCPOFOQueue"},
    MibName{"paws_rejected", Group::TcpExt, "PAWSEstab"},
    MibName{"challenge_acks", Group::TcpExt, "TCPChallengeACK"},
    MibName{"fast_recoveries", Group::TcpExt, "TCPSackRecovery"},
    MibName{"timeouts", Group::TcpExt, "TCPTimeouts"},
    MibName{"timeouts_spurious", Group::TcpExt, "TCPSpuriousRTOs"},
    MibName{"tail_probes", Group::TcpExt, "TCPLossProbes"},
    MibName{"tail_losses", Group::TcpExt, "TCPLossProbeRecovery"},
    MibName{"recoveries_undone", Group::TcpExt, "TCPDSACKUndo"},
    MibName{"sacks_reneged", Group::TcpExt, "TCPSACKReneging"},
    MibName{"dsacks_received", Group::TcpExt, "TCPDSACKRecv"},
    MibName{"zero_window_probes", Group::TcpExt, "TCPWinProbe"},
    MibName{"keepalive_probes", Group::TcpExt, "TCPKeepAlive"},
    MibName{"sizes_raised", Group::TcpExt, "TCPMTUPSuccess"},
    MibName{"syn_cookies_sent", Group::TcpExt, "SyncookiesSent"},
    MibName{"syn_cookies_accepted", Group::TcpExt, "SyncookiesRecv"},
    MibName{"syn_cookies_refused", Group::TcpExt, "SyncookiesFailed"},
    MibName{"accept_overflows", Group::TcpExt, "ListenOverflows"},
};

MibName mib_name_of(std::string_view name) {
  const auto* const at = std::find_if(kMibNames.begin(), kMibNames.end(),
                                      [&](const MibName& each) { return each.ours == name; });
  if (at != kMibNames.end()) return *at;
  // Those of mptcp::Stats have Linux's names already, but for those that are ours.
  const bool is_theirs = name.front() >= 'A' && name.front() <= 'Z';
  return {name, is_theirs ? Group::MptcpExt : Group::Own, name};
}

}  // namespace

std::string counters_json(const Core& core) {
  std::array<std::string, kGroups.size()> groups;
  const auto add = [&](std::string_view name, std::uint64_t value) {
    const MibName mib = mib_name_of(name);
    std::string& group = groups[static_cast<std::size_t>(mib.group)];
    if (!group.empty()) group += ',';
    group += '"';
    group += mib.theirs;
    group += "\":" + std::to_string(value);
  };
  core.stats().for_each(add);
  for (const auto& counter : dataplane::net::counters_of(core.host().stats()))
    add(counter.name, counter.value);
  std::string out = "{";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i != 0) out += ',';
    out += '"';
    out += kGroups[i];
    out += "\":{" + groups[i] + '}';
  }
  return out + '}';
}

}  // namespace mptcp::api::embed
