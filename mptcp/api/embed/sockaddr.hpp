#pragma once

#include <sys/socket.h>

#include "dataplane/base/address.hpp"

namespace mptcp::api::embed {

/// Reads the address of a socket of `family` as bind() and connect() do: 0, -EINVAL (too short) or
/// -EAFNOSUPPORT. Of an AF_INET6 socket a v4-mapped address is an IPv4 one.
int read_sockaddr(int family, const sockaddr* from, socklen_t length, dataplane::Endpoint& out);
/// Writes an address as a socket of `family` tells it, cut to `*length`, which becomes the length
/// of all of it. Null pointers are left alone.
void write_sockaddr(int family, const dataplane::Endpoint& endpoint, sockaddr* to,
                    socklen_t* length);
/// 0.0.0.0 or `::`.
dataplane::IpAddress any_address(int family);

}  // namespace mptcp::api::embed
