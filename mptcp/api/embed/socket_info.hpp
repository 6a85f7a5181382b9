#pragma once

#include "mptcp/api/embed/socket.hpp"

/// What Linux tells of a connection in structures: TCP_INFO and the options of SOL_MPTCP. Each
/// writes at most `out` and returns how much, or a negative errno value.
namespace mptcp::api::embed {

int write_tcp_info(const Socket& socket, dataplane::MutableByteSpan out);
int write_mptcp_info(const Socket& socket, dataplane::MutableByteSpan out);
/// MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS: a mptcp_subflow_data, which is read first, and an array.
int write_subflow_tcp_infos(const Socket& socket, dataplane::MutableByteSpan out);
int write_subflow_addresses(const Socket& socket, dataplane::MutableByteSpan out);
/// MPTCP_FULL_INFO: a mptcp_full_info, which is read first and says where the arrays lie.
int write_full_info(const Socket& socket, dataplane::MutableByteSpan out);

}  // namespace mptcp::api::embed
