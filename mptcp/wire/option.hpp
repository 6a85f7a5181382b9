#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "dataplane/base/address.hpp"
#include "dataplane/base/byte_io.hpp"
#include "dataplane/base/result.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

using dataplane::ByteSpan;
using dataplane::Error;
using dataplane::IpAddress;
using dataplane::MutableByteSpan;
using dataplane::Refused;
using dataplane::Result;

inline constexpr std::uint8_t kOptionKind = 30;      ///< RFC 8684 §3
inline constexpr std::size_t kMaxOptionLength = 40;  ///< All the option space of a TCP header.

/// RFC 8684 §7.2.
enum class Subtype : std::uint8_t {
  MpCapable = 0,
  MpJoin = 1,
  Dss = 2,
  AddAddr = 3,
  RemoveAddr = 4,
  MpPrio = 5,
  MpFail = 6,
  MpFastclose = 7,
  MpTcprst = 8,
};

/// MP_CAPABLE (RFC 8684 §3.1). Which fields it has says which segment of the handshake it is on:
/// none: the SYN of version 1; the sender's key: SYN-ACK, or the SYN of version 0; both keys: ACK;
/// a data length too: the first segment with data, in version 1.
struct MpCapable {
  /// Four bits as they came; versions above 1 have the lengths of version 1.
  std::uint8_t version = 1;
  bool checksum = false;       ///< A: the sender wants checksums.
  bool extensibility = false;  ///< B: something unknown follows; the option is to be ignored.
  bool no_join_here = false;   ///< C: no further subflows to this address and port (version 1).
  bool hmac = true;            ///< H: HMAC-SHA256, in version 0 HMAC-SHA1.
  std::optional<Key> sender_key{};
  std::optional<Key> receiver_key{};
  std::optional<std::uint16_t> data_length{};
  std::optional<std::uint16_t> data_checksum{};

  friend bool operator==(const MpCapable&, const MpCapable&) = default;
};

/// MP_JOIN on a SYN (RFC 8684 §3.2, figure 5).
struct MpJoinSyn {
  bool backup = false;
  AddressId address_id{};
  Token token{};  ///< Of the receiver.
  Nonce nonce{};
  friend bool operator==(const MpJoinSyn&, const MpJoinSyn&) = default;
};

/// MP_JOIN on a SYN-ACK (RFC 8684 §3.2, figure 6).
struct MpJoinSynAck {
  bool backup = false;
  AddressId address_id{};
  std::uint64_t hmac = 0;  ///< The leftmost 64 bits.
  Nonce nonce{};
  friend bool operator==(const MpJoinSynAck&, const MpJoinSynAck&) = default;
};

/// The leftmost 160 bits of an HMAC.
using Hmac160 = std::array<std::byte, 20>;

/// MP_JOIN on the third segment (RFC 8684 §3.2, figure 7).
struct MpJoinAck {
  Hmac160 hmac{};
  friend bool operator==(const MpJoinAck&, const MpJoinAck&) = default;
};

/// A position in the data sequence space as it is on the wire: all of it, or its low 32 bits, which
/// the receiver completes with what it expects (RFC 8684 §3.3.1).
struct WireDsn {
  std::uint64_t value = 0;
  bool wide = true;
  friend bool operator==(const WireDsn&, const WireDsn&) = default;
};

/// `length` octets from `dsn` on are those of the subflow from `subflow_seq` on. A length of 0 is
/// the infinite mapping (RFC 8684 §3.7).
struct DssMapping {
  WireDsn dsn;
  std::uint32_t subflow_seq = 0;  ///< Relative to the subflow's ISN: the first octet has 1.
  std::uint16_t length = 0;       ///< The DATA_FIN counts as one.
  std::optional<std::uint16_t> checksum{};
  friend bool operator==(const DssMapping&, const DssMapping&) = default;
};

/// DSS (RFC 8684 §3.3).
struct Dss {
  std::optional<WireDsn> data_ack{};
  std::optional<DssMapping> mapping{};
  bool data_fin = false;  ///< Only with a mapping, whose last octet it is.
  friend bool operator==(const Dss&, const Dss&) = default;
};

/// ADD_ADDR (RFC 8684 §3.4.1): announced with an HMAC, or echoed without. Neither: the form of
/// version 0.
struct AddAddr {
  AddressId id{};
  IpAddress address;
  std::optional<std::uint16_t> port{};
  bool echo = false;
  std::optional<std::uint64_t> hmac{};  ///< The rightmost 64 bits.
  friend bool operator==(const AddAddr&, const AddAddr&) = default;
};

/// REMOVE_ADDR (RFC 8684 §3.4.2).
struct RemoveAddr {
  static constexpr std::size_t kMaxIds = kMaxOptionLength - 3;

  std::array<AddressId, kMaxIds> id_list{};
  std::uint8_t count = 0;  ///< At least 1.

  std::span<const AddressId> ids() const { return {id_list.data(), count}; }
  void add(AddressId id) { id_list[count++] = id; }
  friend bool operator==(const RemoveAddr&, const RemoveAddr&) = default;
};

/// MP_PRIO (RFC 8684 §3.3.8), of the subflow that carries it.
struct MpPrio {
  bool backup = false;
  std::optional<AddressId> address_id{};  ///< Version 0: another subflow of the sender.
  friend bool operator==(const MpPrio&, const MpPrio&) = default;
};

/// MP_FAIL (RFC 8684 §3.7): the first octet of the mapping whose checksum was wrong.
struct MpFail {
  Dsn dsn;
  friend bool operator==(const MpFail&, const MpFail&) = default;
};

/// MP_FASTCLOSE (RFC 8684 §3.5).
struct MpFastclose {
  Key receiver_key{};
  friend bool operator==(const MpFastclose&, const MpFastclose&) = default;
};

/// RFC 8684 §3.6, table 3.
enum class ResetReason : std::uint8_t {
  Unspecified = 0,
  MptcpSpecific = 1,
  LackOfResources = 2,
  AdministrativelyProhibited = 3,
  TooMuchOutstandingData = 4,
  UnacceptablePerformance = 5,
  MiddleboxInterference = 6,
};

/// MP_TCPRST (RFC 8684 §3.6).
struct MpTcprst {
  bool transient = false;  ///< T: the subflow may be tried again.
  ResetReason reason = ResetReason::Unspecified;
  friend bool operator==(const MpTcprst&, const MpTcprst&) = default;
};

/// A subtype that we do not know, to be ignored.
struct UnknownOption {
  std::uint8_t subtype = 0;
  friend bool operator==(const UnknownOption&, const UnknownOption&) = default;
};

using Option = std::variant<MpCapable, MpJoinSyn, MpJoinSynAck, MpJoinAck, Dss, AddAddr, RemoveAddr,
                            MpPrio, MpFail, MpFastclose, MpTcprst, UnknownOption>;

/// Reads one option, from its kind octet to its end. Refuses every length that RFC 8684 and RFC
/// 6824 do not give to its subtype. Reserved bits are not looked at.
Result<Option> parse_option(ByteSpan octets);

/// Walks the kind-30 octets of one segment (dataplane::wire::TcpOptions::mptcp); other kinds
/// between them are skipped.
class OptionReader {
 public:
  explicit OptionReader(ByteSpan octets) : rest_(octets) {}

  /// The next option, or why it was refused; nothing behind the last one.
  std::optional<Result<Option>> next();

 private:
  ByteSpan rest_;
};

/// Octets that emit() writes: the option, filled up with NOPs to a multiple of 4, as Linux sends
/// it.
std::size_t emitted_length(const MpCapable& option);
std::size_t emitted_length(const MpJoinSyn& option);
std::size_t emitted_length(const MpJoinSynAck& option);
std::size_t emitted_length(const MpJoinAck& option);
std::size_t emitted_length(const Dss& option);
std::size_t emitted_length(const AddAddr& option);
std::size_t emitted_length(const RemoveAddr& option);
std::size_t emitted_length(const MpPrio& option);
std::size_t emitted_length(const MpFail& option);
std::size_t emitted_length(const MpFastclose& option);
std::size_t emitted_length(const MpTcprst& option);
std::size_t emitted_length(const Option& option);  ///< Not for an UnknownOption.

/// Writes the option and returns emitted_length(), which `out` holds at least.
std::size_t emit(const MpCapable& option, MutableByteSpan out);
std::size_t emit(const MpJoinSyn& option, MutableByteSpan out);
std::size_t emit(const MpJoinSynAck& option, MutableByteSpan out);
std::size_t emit(const MpJoinAck& option, MutableByteSpan out);
std::size_t emit(const Dss& option, MutableByteSpan out);
std::size_t emit(const AddAddr& option, MutableByteSpan out);
std::size_t emit(const RemoveAddr& option, MutableByteSpan out);
std::size_t emit(const MpPrio& option, MutableByteSpan out);
std::size_t emit(const MpFail& option, MutableByteSpan out);
std::size_t emit(const MpFastclose& option, MutableByteSpan out);
std::size_t emit(const MpTcprst& option, MutableByteSpan out);
std::size_t emit(const Option& option, MutableByteSpan out);  ///< Not for an UnknownOption.

}  // namespace mptcp
