// Every parser of dataplane/wire over any octets: no read out of bounds, and what was understood is
// emitted in a form that is understood the same. The first octet chooses the parser.

#include <cstdlib>
#include <vector>

#include "dataplane/wire/arp.hpp"
#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ethernet.hpp"
#include "dataplane/wire/icmp.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/ipv6.hpp"
#include "dataplane/wire/ndp.hpp"
#include "dataplane/wire/tcp_header.hpp"

namespace dataplane::wire {
namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void try_ethernet(ByteSpan octets) {
  const auto header = parse_ethernet(octets);
  if (!header) return;
  std::vector<std::byte> out(header->length());
  emit_ethernet(*header, out);
  require(parse_ethernet(out) == header);
}

void try_arp(ByteSpan octets) {
  const auto packet = parse_arp(octets);
  if (!packet) return;
  std::vector<std::byte> out(kArpLength);
  emit_arp(*packet, out);
  require(parse_arp(out) == packet);
}

void try_ipv4(ByteSpan octets) {
  const auto parsed = parse_ipv4(octets, ChecksumCheck::Skip);
  if (!parsed) return;
  require(parsed->header_length + parsed->header.payload_length <= octets.size());
  std::vector<std::byte> out(kIpv4HeaderLength + parsed->header.payload_length);
  emit_ipv4(parsed->header, out);
  const auto again = parse_ipv4(out, ChecksumCheck::Verify);
  require(again.has_value() && again->header == parsed->header);
}

void try_ipv6(ByteSpan octets) {
  const auto parsed = parse_ipv6(octets);
  if (!parsed) return;
  require(parsed->header_length + parsed->header.payload_length <= octets.size());
  std::vector<std::byte> out(kIpv6HeaderLength + parsed->header.payload_length);
  emit_ipv6(parsed->header, out);
  const auto again = parse_ipv6(out);
  require(again.has_value() && again->header == parsed->header);
}

void try_tcp(ByteSpan octets) {
  const auto parsed = parse_tcp(octets);
  if (!parsed) return;
  TcpHeader header = parsed->header;
  // What came may say things twice or take more room than we would; then there is nothing to emit.
  header.options.mptcp = {};
  if (header.options.timestamps && header.options.sack_count == kMaxSackBlocks) return;
  header.options.mss.reset();
  header.options.window_scale.reset();
  header.options.sack_permitted = false;
  std::vector<std::byte> out(60);
  out.resize(emit_tcp(header, out));
  const auto again = parse_tcp(out);
  require(again.has_value() && again->header.seq == header.seq &&
          again->header.flags == header.flags &&
          again->header.options.timestamps == header.options.timestamps &&
          again->header.options.sack_count == header.options.sack_count);
}

void try_icmp(ByteSpan octets) {
  const Icmpv6Addresses addresses{IpAddress::v6({1}), IpAddress::v6({2})};
  for (const bool v4 : {true, false}) {
    std::vector<std::byte> message(octets.begin(), octets.end());
    if (message.size() >= kIcmpHeaderLength) {
      // No fuzzer guesses a checksum.
      store_be(message.data() + 2, std::uint16_t{0});
      Checksum sum;
      if (!v4)
        sum.add_pseudo_header(addresses.source, addresses.destination, 58,
                              static_cast<std::uint32_t>(message.size()));
      sum.add(message);
      store_be(message.data() + 2, sum.finish());
    }
    const auto parsed = v4 ? parse_icmpv4(message) : parse_icmpv6(message, addresses);
    if (!parsed || std::holds_alternative<IcmpOther>(*parsed) ||
        std::holds_alternative<IcmpProblem>(*parsed))
      continue;
    std::vector<std::byte> out(emitted_length(*parsed));
    if (v4)
      emit_icmpv4(*parsed, out);
    else
      emit_icmpv6(*parsed, addresses, out);
    const auto again = v4 ? parse_icmpv4(out) : parse_icmpv6(out, addresses);
    require(again.has_value() && again->index() == parsed->index());
  }
}

void try_ndp(ByteSpan octets) {
  const auto parsed = parse_ndp(octets);
  if (!parsed || std::holds_alternative<RouterMessage>(*parsed)) return;
  std::vector<std::byte> out(emitted_length(*parsed));
  emit_ndp(*parsed, {IpAddress::v6({1}), IpAddress::v6({2})}, out);
  require(parse_ndp(out) == parsed);
}

void try_quoted(ByteSpan octets) {
  (void)parse_quoted_v4(octets);
  (void)parse_quoted_v6(octets);
}

void try_checksum(ByteSpan octets) {
  const std::uint16_t expected = fold_sum(checksum_kernels()[0].sum(octets.data(), octets.size()));
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    std::vector<std::byte> copy(octets.size());
    require(fold_sum(kernel.sum(octets.data(), octets.size())) == expected);
    require(fold_sum(kernel.copy_and_sum(octets.data(), copy.data(), octets.size())) == expected);
    require(std::equal(copy.begin(), copy.end(), octets.begin()));
  }
}

}  // namespace
}  // namespace dataplane::wire

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace dataplane::wire;
  if (size == 0) return 0;
  constexpr std::array kParsers{try_ethernet, try_arp, try_ipv4,   try_ipv6,    try_tcp,
                                try_icmp,     try_ndp, try_quoted, try_checksum};
  const std::vector<unsigned char> exact(data + 1, data + size);
  kParsers[data[0] % kParsers.size()](std::as_bytes(std::span(exact)));
  return 0;
}
