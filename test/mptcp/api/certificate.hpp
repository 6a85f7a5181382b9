#pragma once

#include <boost/asio/ssl/context.hpp>

namespace mptcp::api::test {

/// Gives a TLS server a fresh key and a certificate for it that the key itself signed, and a client
/// that certificate to trust.
void make_certificate(boost::asio::ssl::context& server, boost::asio::ssl::context& client);

}  // namespace mptcp::api::test
