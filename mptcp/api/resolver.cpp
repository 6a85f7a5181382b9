#include "mptcp/api/resolver.hpp"

#include <cstdint>
#include <optional>

#include "dataplane/base/decimal.hpp"

namespace mptcp::api {
namespace {

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

ResolverResults resolve(std::string_view host, std::string_view service, error_code& error) {
  const std::string_view literal = without_brackets(host);
  const auto address = dataplane::IpAddress::parse(literal);
  // Brackets are the URL's way to write IPv6 only (RFC 3986 §3.2.2).
  if (!address || (literal.size() != host.size() && address->is_v4())) {
    error = Errc::NotALiteralAddress;
    return {};
  }
  const auto port = dataplane::parse_decimal<std::uint16_t>(service);
  if (!port) {
    error = Errc::NotAPortNumber;
    return {};
  }
  error = {};
  return {Endpoint{*address, *port}};
}

}  // namespace mptcp::api
