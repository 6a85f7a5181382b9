#include "dataplane/base/assert.hpp"
#include "mptcp/wire/flags.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {
namespace {

using dataplane::Writer;

constexpr std::uint8_t kNop = 1;

std::uint8_t flag_if(bool on, std::uint8_t flag) { return on ? flag : std::uint8_t{0}; }
std::uint8_t bits(std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a | b); }

/// The option without its padding.
std::size_t bare_length(const MpCapable& option) {
  std::size_t length = 4;
  if (option.sender_key) length += 8;
  if (option.receiver_key) length += 8;
  if (option.data_length) length += 2;
  if (option.data_checksum) length += 2;
  return length;
}

std::size_t bare_length(const Dss& dss) {
  std::size_t length = 4;
  if (dss.data_ack) length += dss.data_ack->wide ? 8U : 4U;
  if (dss.mapping) {
    length += 6;
    length += dss.mapping->dsn.wide ? 8U : 4U;
    if (dss.mapping->checksum) length += 2;
  }
  return length;
}

std::size_t bare_length(const AddAddr& option) {
  std::size_t length = option.address.is_v4() ? 8 : 20;
  if (option.port) length += 2;
  if (option.hmac) length += 8;
  return length;
}

std::size_t bare_length(const RemoveAddr& option) { return 3 + std::size_t{option.count}; }
std::size_t bare_length(const MpPrio& option) { return option.address_id ? 4 : 3; }

constexpr std::size_t padded(std::size_t length) { return (length + 3) & ~std::size_t{3}; }

/// Writes kind, length and the octet of the subtype, then the body by `put`, then the padding.
template <class Put>
std::size_t emit_option(Subtype subtype, std::uint8_t low_bits, std::size_t length,
                        MutableByteSpan out, Put put) {
  const std::size_t total = padded(length);
  ASSERT(total <= kMaxOptionLength && total <= out.size());
  Writer writer(out.first(length));
  writer.u8(kOptionKind);
  writer.u8(static_cast<std::uint8_t>(length));
  writer.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(subtype) << 4 | low_bits));
  put(writer);
  ASSERT(writer.remaining() == 0);
  for (std::size_t at = length; at < total; ++at)
    out[at] = std::byte{kNop};
  return total;
}

void put_dsn(Writer& out, const WireDsn& dsn) {
  if (dsn.wide)
    out.u64(dsn.value);
  else
    out.u32(static_cast<std::uint32_t>(dsn.value));
}

}  // namespace

std::size_t emitted_length(const MpCapable& option) { return padded(bare_length(option)); }
std::size_t emitted_length(const MpJoinSyn&) { return 12; }
std::size_t emitted_length(const MpJoinSynAck&) { return 16; }
std::size_t emitted_length(const MpJoinAck&) { return 24; }
std::size_t emitted_length(const Dss& option) { return padded(bare_length(option)); }
std::size_t emitted_length(const AddAddr& option) { return padded(bare_length(option)); }
std::size_t emitted_length(const RemoveAddr& option) { return padded(bare_length(option)); }
std::size_t emitted_length(const MpPrio&) { return 4; }
std::size_t emitted_length(const MpFail&) { return 12; }
std::size_t emitted_length(const MpFastclose&) { return 12; }
std::size_t emitted_length(const MpTcprst&) { return 4; }

std::size_t emit(const MpCapable& option, MutableByteSpan out) {
  ASSERT(option.sender_key || !option.receiver_key);
  ASSERT(option.receiver_key || !option.data_length);
  ASSERT(option.data_length || !option.data_checksum);
  ASSERT(option.version != 0 || (option.sender_key && !option.data_length));
  const auto flag_bits = static_cast<std::uint8_t>(
      flag_if(option.checksum, flags::kChecksum) |
      flag_if(option.extensibility, flags::kExtensibility) |
      flag_if(option.no_join_here, flags::kNoJoinHere) | flag_if(option.hmac, flags::kHmac));
  return emit_option(Subtype::MpCapable, option.version, bare_length(option), out, [&](Writer& to) {
    to.u8(flag_bits);
    if (option.sender_key) to.u64(raw(*option.sender_key));
    if (option.receiver_key) to.u64(raw(*option.receiver_key));
    if (option.data_length) to.u16(*option.data_length);
    if (option.data_checksum) to.u16(*option.data_checksum);
  });
}

std::size_t emit(const MpJoinSyn& option, MutableByteSpan out) {
  return emit_option(Subtype::MpJoin, flag_if(option.backup, flags::kBackup), 12, out,
                     [&](Writer& to) {
                       to.u8(raw(option.address_id));
                       to.u32(raw(option.token));
                       to.u32(raw(option.nonce));
                     });
}

std::size_t emit(const MpJoinSynAck& option, MutableByteSpan out) {
  return emit_option(Subtype::MpJoin, flag_if(option.backup, flags::kBackup), 16, out,
                     [&](Writer& to) {
                       to.u8(raw(option.address_id));
                       to.u64(option.hmac);
                       to.u32(raw(option.nonce));
                     });
}

std::size_t emit(const MpJoinAck& option, MutableByteSpan out) {
  return emit_option(Subtype::MpJoin, 0, 24, out, [&](Writer& to) {
    to.u8(0);
    to.bytes(option.hmac);
  });
}

std::size_t emit(const Dss& option, MutableByteSpan out) {
  ASSERT(option.mapping || !option.data_fin);
  std::uint8_t flag_bits = 0;
  if (option.data_ack)
    flag_bits = bits(flags::kDataAck, flag_if(option.data_ack->wide, flags::kWideDataAck));
  if (option.mapping) {
    flag_bits = bits(flag_bits, flags::kMapping);
    flag_bits = bits(flag_bits, flag_if(option.mapping->dsn.wide, flags::kWideDsn));
    flag_bits = bits(flag_bits, flag_if(option.data_fin, flags::kDataFin));
  }
  return emit_option(Subtype::Dss, 0, bare_length(option), out, [&](Writer& to) {
    to.u8(flag_bits);
    if (option.data_ack) put_dsn(to, *option.data_ack);
    if (!option.mapping) return;
    put_dsn(to, option.mapping->dsn);
    to.u32(option.mapping->subflow_seq);
    to.u16(option.mapping->length);
    if (option.mapping->checksum) to.u16(*option.mapping->checksum);
  });
}

std::size_t emit(const AddAddr& option, MutableByteSpan out) {
  ASSERT(!option.echo || !option.hmac);
  const std::uint8_t family = option.address.is_v4() ? 4 : 6;
  const bool v0 = !option.echo && !option.hmac;
  const std::uint8_t low_bits = v0 ? family : flag_if(option.echo, flags::kEcho);
  return emit_option(Subtype::AddAddr, low_bits, bare_length(option), out, [&](Writer& to) {
    to.u8(raw(option.id));
    to.bytes(option.address.network_bytes());
    if (option.port) to.u16(*option.port);
    if (option.hmac) to.u64(*option.hmac);
  });
}

std::size_t emit(const RemoveAddr& option, MutableByteSpan out) {
  ASSERT(option.count > 0 && option.count <= RemoveAddr::kMaxIds);
  return emit_option(Subtype::RemoveAddr, 0, bare_length(option), out, [&](Writer& to) {
    for (const AddressId id : option.ids())
      to.u8(raw(id));
  });
}

std::size_t emit(const MpPrio& option, MutableByteSpan out) {
  return emit_option(Subtype::MpPrio, flag_if(option.backup, flags::kBackup), bare_length(option),
                     out, [&](Writer& to) {
                       if (option.address_id) to.u8(raw(*option.address_id));
                     });
}

std::size_t emit(const MpFail& option, MutableByteSpan out) {
  return emit_option(Subtype::MpFail, 0, 12, out, [&](Writer& to) {
    to.u8(0);
    to.u64(option.dsn.raw());
  });
}

std::size_t emit(const MpFastclose& option, MutableByteSpan out) {
  return emit_option(Subtype::MpFastclose, 0, 12, out, [&](Writer& to) {
    to.u8(0);
    to.u64(raw(option.receiver_key));
  });
}

std::size_t emit(const MpTcprst& option, MutableByteSpan out) {
  return emit_option(Subtype::MpTcprst, flag_if(option.transient, flags::kTransient), 4, out,
                     [&](Writer& to) { to.u8(static_cast<std::uint8_t>(option.reason)); });
}

namespace {

// What only we can cause: nobody emits what nobody understood.
std::size_t emitted_length(const UnknownOption&) {
  ASSERT(false);
  return 0;
}
std::size_t emit(const UnknownOption&, MutableByteSpan) {
  ASSERT(false);
  return 0;
}

}  // namespace

std::size_t emitted_length(const Option& option) {
  return std::visit([](const auto& one) { return emitted_length(one); }, option);
}

std::size_t emit(const Option& option, MutableByteSpan out) {
  return std::visit([&](const auto& one) { return emit(one, out); }, option);
}

}  // namespace mptcp
