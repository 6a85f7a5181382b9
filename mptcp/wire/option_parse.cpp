#include "mptcp/wire/flags.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {
namespace {

using dataplane::Reader;

constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;

/// A body: what stands behind kind and length, from the subtype's octet on.
using Body = ByteSpan;

std::uint8_t octet(Body body, std::size_t at) { return static_cast<std::uint8_t>(body[at]); }
bool has(std::uint8_t octet, std::uint8_t flag) { return (octet & flag) != 0; }

Result<Option> parse_mp_capable(Body body) {
  if (body.size() < 2) return Refused(Error::BadOption);
  Reader in(body);
  MpCapable option;
  option.version = in.u8() & 0x0f;
  const std::uint8_t bits = in.u8();
  option.checksum = has(bits, flags::kChecksum);
  option.extensibility = has(bits, flags::kExtensibility);
  option.no_join_here = option.version != 0 && has(bits, flags::kNoJoinHere);
  option.hmac = has(bits, flags::kHmac);
  const std::size_t length = body.size() + 2;
  const bool v0 = option.version == 0;
  if (length != 12 && length != 20 && (v0 || (length != 4 && length != 22 && length != 24)))
    return Refused(Error::BadOption);
  if (length >= 12) option.sender_key = Key{in.u64()};
  if (length >= 20) option.receiver_key = Key{in.u64()};
  if (length >= 22) option.data_length = in.u16();
  if (length >= 24) option.data_checksum = in.u16();
  return option;
}

Result<Option> parse_mp_join(Body body) {
  Reader in(body);
  const bool backup = has(in.u8(), flags::kBackup);
  const std::uint8_t id = in.u8();
  switch (body.size() + 2) {
    case 12: {
      MpJoinSyn syn{backup, AddressId{id}, {}, {}};
      syn.token = Token{in.u32()};
      syn.nonce = Nonce{in.u32()};
      return syn;
    }
    case 16: {
      MpJoinSynAck answer{backup, AddressId{id}, 0, {}};
      answer.hmac = in.u64();
      answer.nonce = Nonce{in.u32()};
      return answer;
    }
    case 24: {
      MpJoinAck ack;
      std::memcpy(ack.hmac.data(), in.rest().data(), ack.hmac.size());
      return ack;
    }
    default:
      return Refused(Error::BadOption);
  }
}

WireDsn read_dsn(Reader& in, bool wide) {
  WireDsn dsn;
  dsn.wide = wide;
  dsn.value = wide ? in.u64() : in.u32();
  return dsn;
}

Result<Option> parse_dss(Body body) {
  if (body.size() < 2) return Refused(Error::BadOption);
  const std::uint8_t bits = octet(body, 1);
  Reader in(body.subspan(2));
  Dss dss;
  if (has(bits, flags::kDataAck)) dss.data_ack = read_dsn(in, has(bits, flags::kWideDataAck));
  if (has(bits, flags::kMapping)) {
    DssMapping mapping;
    mapping.dsn = read_dsn(in, has(bits, flags::kWideDsn));
    mapping.subflow_seq = in.u32();
    mapping.length = in.u16();
    if (in.remaining() == 2) mapping.checksum = in.u16();
    dss.mapping = mapping;
    dss.data_fin = has(bits, flags::kDataFin);
  }
  if (!in.ok() || in.remaining() != 0) return Refused(Error::BadOption);
  return dss;
}

/// The length decides: only the announcement of version 1 has the eight octets of an HMAC. Without
/// them the low bits of the subtype's octet are E in version 1, and in version 0 the IP version.
Result<Option> parse_add_addr(Body body) {
  if (body.size() < 2) return Refused(Error::BadOption);
  const std::uint8_t bits = octet(body, 0) & 0x0f;
  std::size_t rest = body.size() - 2;
  const bool announced = rest == 12 || rest == 14 || rest == 24 || rest == 26;
  if (announced) rest -= 8;
  const bool v4 = rest == 4 || rest == 6;
  if (!v4 && rest != 16 && rest != 18) return Refused(Error::BadOption);
  AddAddr option;
  option.echo = has(bits, flags::kEcho);
  if (option.echo ? announced : !announced && bits != (v4 ? 4 : 6))
    return Refused(Error::BadOption);
  option.id = AddressId{octet(body, 1)};
  Reader in(body.subspan(2));
  const ByteSpan address = in.bytes(v4 ? 4 : 16);
  option.address =
      v4 ? IpAddress::from_network_v4(address.data()) : IpAddress::from_network_v6(address.data());
  if (rest == 6 || rest == 18) option.port = in.u16();
  if (announced) option.hmac = in.u64();
  return option;
}

Result<Option> parse_remove_addr(Body body) {
  if (body.size() < 2 || body.size() - 1 > RemoveAddr::kMaxIds) return Refused(Error::BadOption);
  RemoveAddr option;
  for (std::size_t at = 1; at < body.size(); ++at)
    option.add(AddressId{octet(body, at)});
  return option;
}

Result<Option> parse_mp_prio(Body body) {
  if (body.size() > 2) return Refused(Error::BadOption);
  MpPrio option{has(octet(body, 0), flags::kBackup), {}};
  if (body.size() == 2) option.address_id = AddressId{octet(body, 1)};
  return option;
}

Result<Option> parse_mp_fail(Body body) {
  if (body.size() != 10) return Refused(Error::BadOption);
  return MpFail{Dsn(dataplane::load_be<std::uint64_t>(body.data() + 2))};
}

Result<Option> parse_mp_fastclose(Body body) {
  if (body.size() != 10) return Refused(Error::BadOption);
  return MpFastclose{Key{dataplane::load_be<std::uint64_t>(body.data() + 2)}};
}

Result<Option> parse_mp_tcprst(Body body) {
  if (body.size() != 2) return Refused(Error::BadOption);
  return MpTcprst{has(octet(body, 0), flags::kTransient), ResetReason{octet(body, 1)}};
}

}  // namespace

Result<Option> parse_option(ByteSpan octets) {
  if (octets.size() < 3 || octets.size() > kMaxOptionLength ||
      octets[0] != std::byte{kOptionKind} || static_cast<std::size_t>(octets[1]) != octets.size())
    return Refused(Error::BadOption);
  const Body body = octets.subspan(2);
  const auto subtype = static_cast<std::uint8_t>(octet(body, 0) >> 4);
  switch (Subtype{subtype}) {
    case Subtype::MpCapable:
      return parse_mp_capable(body);
    case Subtype::MpJoin:
      return parse_mp_join(body);
    case Subtype::Dss:
      return parse_dss(body);
    case Subtype::AddAddr:
      return parse_add_addr(body);
    case Subtype::RemoveAddr:
      return parse_remove_addr(body);
    case Subtype::MpPrio:
      return parse_mp_prio(body);
    case Subtype::MpFail:
      return parse_mp_fail(body);
    case Subtype::MpFastclose:
      return parse_mp_fastclose(body);
    case Subtype::MpTcprst:
      return parse_mp_tcprst(body);
  }
  return UnknownOption{subtype};
}

std::optional<Result<Option>> OptionReader::next() {
  while (!rest_.empty()) {
    const auto kind = static_cast<std::uint8_t>(rest_[0]);
    if (kind == kEnd) break;
    if (kind == kNop) {
      rest_ = rest_.subspan(1);
      continue;
    }
    const std::size_t length = rest_.size() < 2 ? 0 : static_cast<std::size_t>(rest_[1]);
    if (length < 2 || length > rest_.size()) {
      rest_ = {};
      return Refused(Error::BadOption);
    }
    const ByteSpan octets = rest_.first(length);
    rest_ = rest_.subspan(length);
    if (kind == kOptionKind) return parse_option(octets);
  }
  return std::nullopt;
}

}  // namespace mptcp
