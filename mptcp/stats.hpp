#pragma once

#include <cstdint>

namespace mptcp {

/// Counters of one core, under the names that Linux's MPTcpExt MIB gives them; those that Linux
/// does not have come last.
struct Stats {
  std::uint64_t mp_capable_syn_rx = 0;
  std::uint64_t mp_capable_syn_tx = 0;
  std::uint64_t mp_capable_syn_ack_rx = 0;
  std::uint64_t mp_capable_ack_rx = 0;
  std::uint64_t mp_capable_fallback_ack = 0;      ///< The third segment had no option.
  std::uint64_t mp_capable_fallback_syn_ack = 0;  ///< The SYN-ACK had none.
  std::uint64_t mp_capable_syn_tx_drop = 0;       ///< SYNs sent without, after some in vain.
  std::uint64_t mp_fallback_token_init = 0;       ///< No token was free.
  std::uint64_t mptcp_retrans = 0;                ///< Octets sent on another subflow once more.
  std::uint64_t mp_join_no_token_found = 0;
  std::uint64_t mp_join_syn_rx = 0;
  std::uint64_t mp_join_syn_ack_rx = 0;
  std::uint64_t mp_join_syn_ack_hmac_failure = 0;
  std::uint64_t mp_join_ack_rx = 0;
  std::uint64_t mp_join_ack_hmac_failure = 0;
  std::uint64_t mp_join_rejected = 0;
  std::uint64_t mp_join_syn_tx = 0;
  std::uint64_t dss_not_matching = 0;
  std::uint64_t dss_corruption_fallback = 0;
  std::uint64_t dss_corruption_reset = 0;
  std::uint64_t infinite_map_tx = 0;
  std::uint64_t infinite_map_rx = 0;
  std::uint64_t dss_no_match_tcp = 0;
  std::uint64_t data_csum_err = 0;
  std::uint64_t ofo_queue = 0;
  std::uint64_t no_dss_in_window = 0;
  std::uint64_t duplicate_data = 0;
  std::uint64_t add_addr = 0;
  std::uint64_t add_addr_tx = 0;
  std::uint64_t echo_add = 0;
  std::uint64_t echo_add_tx = 0;
  std::uint64_t add_addr_drop = 0;
  std::uint64_t rm_addr = 0;
  std::uint64_t rm_addr_tx = 0;
  std::uint64_t rm_subflow = 0;
  std::uint64_t mp_prio_tx = 0;
  std::uint64_t mp_prio_rx = 0;
  std::uint64_t mp_fail_tx = 0;
  std::uint64_t mp_fail_rx = 0;
  std::uint64_t mp_fastclose_tx = 0;
  std::uint64_t mp_fastclose_rx = 0;
  std::uint64_t mp_rst_tx = 0;
  std::uint64_t mp_rst_rx = 0;
  std::uint64_t subflow_stale = 0;
  std::uint64_t subflow_recover = 0;
  std::uint64_t mp_capable_data_fallback = 0;  ///< The first segment from the peer had no option.
  std::uint64_t dss_fallback = 0;              ///< Octets without a mapping while that was allowed.
  std::uint64_t simult_connect_fallback = 0;
  std::uint64_t fallback_failed = 0;
  std::uint64_t win_probe = 0;
  std::uint64_t blackhole = 0;  ///< Destinations where only a SYN without the option was answered.
  // Ours.
  std::uint64_t options_refused = 0;    ///< Kind 30 with a length that no subtype has.
  std::uint64_t add_addr_bad_hmac = 0;  ///< Linux counts them in AddAddrDrop.
  std::uint64_t fastclose_wrong_key = 0;
  std::uint64_t signals_dropped = 0;  ///< Options that found too many others waiting to be said.
  std::uint64_t data_acks_unacceptable = 0;
  std::uint64_t joins_on_foreign_core = 0;  ///< Passed to the core that has the connection.
  std::uint64_t blackhole_spared = 0;       ///< Connects that went without because of one.
  std::uint64_t joins_kept_aside = 0;       ///< Answered although the SYN table was full.
  std::uint64_t opportunistic = 0;       ///< Of MPTCPRetrans, octets sent again because of a stall.
  std::uint64_t penalties = 0;           ///< Windows of slow subflows reduced for a stall.
  std::uint64_t third_acks_awaited = 0;  ///< A DSS came before the keys; the peer sends again.

  /// Calls `visit(name, value)` for each counter.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit("MPCapableSYNRX", mp_capable_syn_rx);
    visit("MPCapableSYNTX", mp_capable_syn_tx);
    visit("MPCapableSYNACKRX", mp_capable_syn_ack_rx);
    visit("MPCapableACKRX", mp_capable_ack_rx);
    visit("MPCapableFallbackACK", mp_capable_fallback_ack);
    visit("MPCapableFallbackSYNACK", mp_capable_fallback_syn_ack);
    visit("MPCapableSYNTXDrop", mp_capable_syn_tx_drop);
    visit("MPFallbackTokenInit", mp_fallback_token_init);
    visit("MPTCPRetrans", mptcp_retrans);
    visit("MPJoinNoTokenFound", mp_join_no_token_found);
    visit("MPJoinSynRx", mp_join_syn_rx);
    visit("MPJoinSynAckRx", mp_join_syn_ack_rx);
    visit("MPJoinSynAckHMacFailure", mp_join_syn_ack_hmac_failure);
    visit("MPJoinAckRx", mp_join_ack_rx);
    visit("MPJoinAckHMacFailure", mp_join_ack_hmac_failure);
    visit("MPJoinRejected", mp_join_rejected);
    visit("MPJoinSynTx", mp_join_syn_tx);
    visit("DSSNotMatching", dss_not_matching);
    visit("DSSCorruptionFallback", dss_corruption_fallback);
    visit("DSSCorruptionReset", dss_corruption_reset);
    visit("InfiniteMapTx", infinite_map_tx);
    visit("InfiniteMapRx", infinite_map_rx);
    visit("DSSNoMatchTCP", dss_no_match_tcp);
    visit("DataCsumErr", data_csum_err);
    visit("OFOQueue", ofo_queue);
    visit("NoDSSInWindow", no_dss_in_window);
    visit("DuplicateData", duplicate_data);
    visit("AddAddr", add_addr);
    visit("AddAddrTx", add_addr_tx);
    visit("EchoAdd", echo_add);
    visit("EchoAddTx", echo_add_tx);
    visit("AddAddrDrop", add_addr_drop);
    visit("RmAddr", rm_addr);
    visit("RmAddrTx", rm_addr_tx);
    visit("RmSubflow", rm_subflow);
    visit("MPPrioTx", mp_prio_tx);
    visit("MPPrioRx", mp_prio_rx);
    visit("MPFailTx", mp_fail_tx);
    visit("MPFailRx", mp_fail_rx);
    visit("MPFastcloseTx", mp_fastclose_tx);
    visit("MPFastcloseRx", mp_fastclose_rx);
    visit("MPRstTx", mp_rst_tx);
    visit("MPRstRx", mp_rst_rx);
    visit("SubflowStale", subflow_stale);
    visit("SubflowRecover", subflow_recover);
    visit("MPCapableDataFallback", mp_capable_data_fallback);
    visit("DssFallback", dss_fallback);
    visit("SimultConnectFallback", simult_connect_fallback);
    visit("FallbackFailed", fallback_failed);
    visit("WinProbe", win_probe);
    visit("Blackhole", blackhole);
    visit("mptcp_options_refused", options_refused);
    visit("mptcp_add_addr_bad_hmac", add_addr_bad_hmac);
    visit("mptcp_fastclose_wrong_key", fastclose_wrong_key);
    visit("mptcp_signals_dropped", signals_dropped);
    visit("mptcp_data_acks_unacceptable", data_acks_unacceptable);
    visit("mptcp_joins_on_foreign_core", joins_on_foreign_core);
    visit("mptcp_blackhole_spared", blackhole_spared);
    visit("mptcp_joins_kept_aside", joins_kept_aside);
    visit("mptcp_opportunistic", opportunistic);
    visit("mptcp_penalties", penalties);
    visit("mptcp_third_acks_awaited", third_acks_awaited);
  }
};

}  // namespace mptcp
