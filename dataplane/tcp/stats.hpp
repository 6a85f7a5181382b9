#pragma once

#include <cstdint>

namespace dataplane::tcp {

/// Counters of one core, named after what happened; the MIB object (RFC 4022, or Linux's TcpExt)
/// where there is one.
struct Stats {
  std::uint64_t active_opens = 0;            ///< tcpActiveOpens
  std::uint64_t passive_opens = 0;           ///< tcpPassiveOpens
  std::uint64_t attempts_failed = 0;         ///< tcpAttemptFails
  std::uint64_t established_resets = 0;      ///< tcpEstabResets
  std::uint64_t segments_received = 0;       ///< tcpInSegs
  std::uint64_t segments_sent = 0;           ///< tcpOutSegs
  std::uint64_t segments_retransmitted = 0;  ///< tcpRetransSegs
  std::uint64_t resets_sent = 0;             ///< tcpOutRsts
  std::uint64_t segments_out_of_window = 0;
  std::uint64_t segments_out_of_order = 0;  ///< TCPOFOQueue
  std::uint64_t segments_duplicate = 0;
  std::uint64_t segments_after_close =
      0;                            ///< Data for a receiver that has gone: answered with a reset.
  std::uint64_t paws_rejected = 0;  ///< PAWSEstab
  std::uint64_t acks_overtaken =
      0;  ///< Older by their timestamp than one that was there first; taken all the same.
  std::uint64_t acks_unacceptable =
      0;  ///< ACK of what was never sent, or older than RFC 5961 §5.2 allows.
  std::uint64_t challenge_acks = 0;  ///< TCPChallengeACK
  std::uint64_t challenge_acks_limited = 0;
  std::uint64_t fast_recoveries = 0;     ///< TCPSackRecovery, TCPRenoRecovery
  std::uint64_t timeouts = 0;            ///< TCPTimeouts
  std::uint64_t timeouts_spurious = 0;   ///< TCPSpuriousRTOs: undone, nothing was sent again.
  std::uint64_t tail_probes = 0;         ///< TCPLossProbes
  std::uint64_t tail_losses = 0;         ///< TCPLossProbeRecovery: repaired by a tail probe.
  std::uint64_t recoveries_undone = 0;   ///< TCPDSACKUndo: nothing had been lost.
  std::uint64_t sacks_reneged = 0;       ///< TCPSACKReneging
  std::uint64_t dsacks_received = 0;     ///< TCPDSACKRecv
  std::uint64_t zero_window_probes = 0;  ///< TCPWinProbe
  std::uint64_t keepalive_probes = 0;    ///< TCPKeepAlive
  std::uint64_t ecn_negotiated = 0;      ///< Connections whose ends agreed on ECN.
  std::uint64_t marks_received = 0;      ///< Segments of data, or runs of them, with CE.
  std::uint64_t ecn_reductions = 0;      ///< Windows reduced because the peer reported marks.
  std::uint64_t path_mtu_reduced = 0;
  std::uint64_t black_holes = 0;   ///< Whole segments vanished, and short ones did not.
  std::uint64_t size_probes = 0;   ///< Segments of more than the size that was known to pass.
  std::uint64_t sizes_raised = 0;  ///< TCPMTUPSuccess: one of them arrived.
  std::uint64_t icmp_ignored = 0;  ///< Quoted sequence number outside the window (RFC 5927 §4.1).
  std::uint64_t syns_received = 0;
  std::uint64_t syns_dropped = 0;          ///< No listener room and no cookie possible.
  std::uint64_t syn_cookies_sent = 0;      ///< SyncookiesSent
  std::uint64_t syn_cookies_accepted = 0;  ///< SyncookiesRecv
  std::uint64_t syn_cookies_refused = 0;   ///< SyncookiesFailed
  std::uint64_t accept_overflows = 0;      ///< ListenOverflows
  std::uint64_t no_memory = 0;             ///< A connection or payload that found no memory.
  std::uint64_t time_wait_reused = 0;      ///< A new SYN took the place of TIME-WAIT (RFC 6191).
  std::uint64_t time_wait_recycled = 0;    ///< TIME-WAIT ended early because the table was full.

  /// Calls `visit(name, value)` for each counter, in the order above.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit("active_opens", active_opens);
    visit("passive_opens", passive_opens);
    visit("attempts_failed", attempts_failed);
    visit("established_resets", established_resets);
    visit("segments_received", segments_received);
    visit("segments_sent", segments_sent);
    visit("segments_retransmitted", segments_retransmitted);
    visit("resets_sent", resets_sent);
    visit("segments_out_of_window", segments_out_of_window);
    visit("segments_out_of_order", segments_out_of_order);
    visit("segments_duplicate", segments_duplicate);
    visit("segments_after_close", segments_after_close);
    visit("paws_rejected", paws_rejected);
    visit("acks_overtaken", acks_overtaken);
    visit("acks_unacceptable", acks_unacceptable);
    visit("challenge_acks", challenge_acks);
    visit("challenge_acks_limited", challenge_acks_limited);
    visit("fast_recoveries", fast_recoveries);
    visit("timeouts", timeouts);
    visit("timeouts_spurious", timeouts_spurious);
    visit("tail_probes", tail_probes);
    visit("tail_losses", tail_losses);
    visit("recoveries_undone", recoveries_undone);
    visit("sacks_reneged", sacks_reneged);
    visit("dsacks_received", dsacks_received);
    visit("zero_window_probes", zero_window_probes);
    visit("keepalive_probes", keepalive_probes);
    visit("ecn_negotiated", ecn_negotiated);
    visit("marks_received", marks_received);
    visit("ecn_reductions", ecn_reductions);
    visit("path_mtu_reduced", path_mtu_reduced);
    visit("black_holes", black_holes);
    visit("size_probes", size_probes);
    visit("sizes_raised", sizes_raised);
    visit("icmp_ignored", icmp_ignored);
    visit("syns_received", syns_received);
    visit("syns_dropped", syns_dropped);
    visit("syn_cookies_sent", syn_cookies_sent);
    visit("syn_cookies_accepted", syn_cookies_accepted);
    visit("syn_cookies_refused", syn_cookies_refused);
    visit("accept_overflows", accept_overflows);
    visit("no_memory", no_memory);
    visit("time_wait_reused", time_wait_reused);
    visit("time_wait_recycled", time_wait_recycled);
  }
};

}  // namespace dataplane::tcp
