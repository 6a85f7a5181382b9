#pragma once

#include <string>
#include <vector>

#include "mptcp/wire/option.hpp"

namespace mptcp::test {

struct NamedOption {
  std::string name;
  Option option;
  std::size_t length;  ///< On the wire, with padding.
};

inline std::vector<NamedOption> every_mp_capable() {
  const Key a{0x0123'4567'89ab'cdef};
  const Key b{0xfedc'ba98'7654'3210};
  MpCapable flagged{.checksum = true, .extensibility = true, .no_join_here = true};
  return {
      {"mp_capable syn", MpCapable{}, 4},
      {"mp_capable syn flags", flagged, 4},
      {"mp_capable syn_ack", MpCapable{.sender_key = a}, 12},
      {"mp_capable ack", MpCapable{.sender_key = a, .receiver_key = b}, 20},
      {"mp_capable data",
       MpCapable{.sender_key = a, .receiver_key = b, .data_length = 1448, .data_checksum = {}}, 24},
      {"mp_capable data checksum",
       MpCapable{.checksum = true,
                 .sender_key = a,
                 .receiver_key = b,
                 .data_length = 1448,
                 .data_checksum = 0xabcd},
       24},
      {"mp_capable v0 syn", MpCapable{.version = 0, .sender_key = a}, 12},
      {"mp_capable v0 ack", MpCapable{.version = 0, .sender_key = a, .receiver_key = b}, 20},
  };
}

inline std::vector<NamedOption> every_mp_join() {
  MpJoinAck ack;
  for (std::size_t i = 0; i < ack.hmac.size(); ++i)
    ack.hmac[i] = static_cast<std::byte>(0x10 + i);
  return {
      {"mp_join syn", MpJoinSyn{false, AddressId{3}, Token{0x8899'aabb}, Nonce{0x1122'3344}}, 12},
      {"mp_join syn backup", MpJoinSyn{true, AddressId{255}, Token{1}, Nonce{2}}, 12},
      {"mp_join syn_ack",
       MpJoinSynAck{true, AddressId{4}, 0x0102'0304'0506'0708, Nonce{0x5566'7788}}, 16},
      {"mp_join ack", ack, 24},
  };
}

/// Each choice of DATA_ACK, mapping, their widths, checksum and DATA_FIN.
inline std::vector<NamedOption> every_dss() {
  std::vector<NamedOption> options;
  for (unsigned which = 0; which < 64; ++which) {
    const bool ack = (which & 1) != 0;
    const bool wide_ack = (which & 2) != 0;
    const bool map = (which & 4) != 0;
    const bool wide_dsn = (which & 8) != 0;
    const bool checksum = (which & 16) != 0;
    const bool fin = (which & 32) != 0;
    if ((!ack && wide_ack) || (!map && (wide_dsn || checksum || fin)) || (!ack && !map)) continue;
    Dss dss;
    if (ack) dss.data_ack = WireDsn{wide_ack ? 0x8123'4567'89ab'cdefULL : 0x89ab'cdefULL, wide_ack};
    if (map) {
      dss.mapping = DssMapping{{wide_dsn ? 0x7123'4567'89ab'cdf0ULL : 0x89ab'cdf0ULL, wide_dsn},
                               0x0a0b'0c0d,
                               0x1234,
                               {}};
      if (checksum) dss.mapping->checksum = 0xbeef;
    }
    dss.data_fin = fin;
    std::size_t length = 4;
    if (ack) length += wide_ack ? 8 : 4;
    // A checksum takes the place of the two octets of padding.
    if (map) length += (wide_dsn ? 8U : 4U) + 8;
    options.push_back({"dss " + std::to_string(which), dss, length});
  }
  return options;
}

inline std::vector<NamedOption> every_address_option() {
  const IpAddress v4 = IpAddress::v4(0x0a09'0001);
  const IpAddress v6 = IpAddress::v6({0xfd, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const std::uint64_t hmac = 0x1827'3645'5463'7281;
  std::vector<NamedOption> options;
  for (const bool with_port : {false, true}) {
    const auto port = with_port ? std::optional<std::uint16_t>(8080) : std::nullopt;
    const std::string name = with_port ? " port" : "";
    const std::size_t more = with_port ? 4 : 0;
    options.push_back(
        {"add_addr v4" + name, AddAddr{AddressId{1}, v4, port, false, hmac}, 16 + more});
    options.push_back(
        {"add_addr v6" + name, AddAddr{AddressId{2}, v6, port, false, hmac}, 28 + more});
    options.push_back(
        {"add_addr v4 echo" + name, AddAddr{AddressId{1}, v4, port, true, {}}, 8 + more});
    options.push_back(
        {"add_addr v6 echo" + name, AddAddr{AddressId{2}, v6, port, true, {}}, 20 + more});
    options.push_back(
        {"add_addr v0 v4" + name, AddAddr{AddressId{1}, v4, port, false, {}}, 8 + more});
    options.push_back(
        {"add_addr v0 v6" + name, AddAddr{AddressId{2}, v6, port, false, {}}, 20 + more});
  }
  RemoveAddr remove;
  for (std::uint8_t id = 1; id <= RemoveAddr::kMaxIds; ++id) {
    remove.add(AddressId{id});
    if (id < 8 || id == RemoveAddr::kMaxIds)
      options.push_back({"remove_addr " + std::to_string(id), remove, (3U + id + 3) / 4 * 4});
  }
  return options;
}

inline std::vector<NamedOption> every_small_option() {
  return {
      {"mp_prio", MpPrio{false, {}}, 4},
      {"mp_prio backup", MpPrio{true, {}}, 4},
      {"mp_prio v0", MpPrio{true, AddressId{9}}, 4},
      {"mp_fail", MpFail{Dsn(0x8070'6050'4030'2010)}, 12},
      {"mp_fastclose", MpFastclose{Key{0x0123'4567'89ab'cdef}}, 12},
      {"mp_tcprst", MpTcprst{false, ResetReason::MptcpSpecific}, 4},
      {"mp_tcprst transient", MpTcprst{true, ResetReason::MiddleboxInterference}, 4},
  };
}

/// Every form of every option that is ever emitted.
inline std::vector<NamedOption> every_option() {
  std::vector<NamedOption> all = every_mp_capable();
  for (const auto& some :
       {every_mp_join(), every_dss(), every_address_option(), every_small_option()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace mptcp::test
