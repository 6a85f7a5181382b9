// What tshark reads in each option that we emit.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "dataplane/wire/ipv4.hpp"
#include "dataplane/wire/tcp_header.hpp"
#include "test/apps/files/scratch.hpp"
#include "test/mptcp/wire/every_option.hpp"

namespace mptcp {
namespace {

namespace wire = dataplane::wire;
using Fields = std::map<std::string_view, std::uint64_t>;

/// Fields of tshark below tcp.options.mptcp that are numbers.
constexpr std::string_view kChecksum = "checksum";
constexpr std::array<std::string_view, 28> kNumbers{"subtype",
                                                    "version",
                                                    "checksumreq.flags",
                                                    "extensibility.flag",
                                                    "nomoresubflows.flag",
                                                    "sendkey",
                                                    "recvkey",
                                                    "backup.flag",
                                                    "addrid",
                                                    "recvtok",
                                                    "sendrand",
                                                    "sendtrunchmac",
                                                    "datafin.flag",
                                                    "dseqn8.flag",
                                                    "dseqnpresent.flag",
                                                    "dataack8.flag",
                                                    "dataackpresent.flag",
                                                    "rawdataack",
                                                    "rawdataseqno",
                                                    "subflowseqno",
                                                    "datalvllen",
                                                    kChecksum,
                                                    "ipver",
                                                    "echo",
                                                    "port",
                                                    "addaddrtrunchmac",
                                                    "flag_T.flag",
                                                    "rst_reason"};
constexpr std::array<std::string_view, 3> kTexts{"sendhmac", "ipv4", "ipv6"};

/// What tshark is to say of one option.
struct Expected {
  Fields numbers;
  std::map<std::string_view, std::string> texts;
  /// tshark 4.0 shows the checksum of a DSS only when two more octets follow.
  bool may_miss_checksum = false;
};

struct Expect {
  Expected operator()(const MpCapable& option) const {
    Fields fields{{"subtype", 0},
                  {"version", option.version},
                  {"checksumreq.flags", option.checksum},
                  {"extensibility.flag", option.extensibility}};
    if (option.version == 1) fields["nomoresubflows.flag"] = option.no_join_here;
    if (option.sender_key) fields["sendkey"] = raw(*option.sender_key);
    if (option.receiver_key) fields["recvkey"] = raw(*option.receiver_key);
    if (option.data_length) fields["datalvllen"] = *option.data_length;
    if (option.data_checksum) fields["checksum"] = *option.data_checksum;
    return {fields, {}};
  }
  Expected operator()(const MpJoinSyn& option) const {
    return {{{"subtype", 1},
             {"backup.flag", option.backup},
             {"addrid", raw(option.address_id)},
             {"recvtok", raw(option.token)},
             {"sendrand", raw(option.nonce)}},
            {}};
  }
  Expected operator()(const MpJoinSynAck& option) const {
    return {{{"subtype", 1},
             {"backup.flag", option.backup},
             {"addrid", raw(option.address_id)},
             {"sendtrunchmac", option.hmac},
             {"sendrand", raw(option.nonce)}},
            {}};
  }
  Expected operator()(const MpJoinAck& option) const {
    std::string hmac;
    for (const std::byte octet : option.hmac) {
      std::array<char, 3> text{};
      std::snprintf(text.data(), text.size(), "%02x", static_cast<unsigned>(octet));
      hmac += text.data();
    }
    return {{{"subtype", 1}}, {{"sendhmac", hmac}}};
  }
  Expected operator()(const Dss& option) const {
    Fields fields{{"subtype", 2},
                  {"datafin.flag", option.data_fin},
                  {"dseqn8.flag", option.mapping && option.mapping->dsn.wide},
                  {"dseqnpresent.flag", option.mapping.has_value()},
                  {"dataack8.flag", option.data_ack && option.data_ack->wide},
                  {"dataackpresent.flag", option.data_ack.has_value()}};
    if (option.data_ack) fields["rawdataack"] = option.data_ack->value;
    if (option.mapping) {
      fields["rawdataseqno"] = option.mapping->dsn.value;
      fields["subflowseqno"] = option.mapping->subflow_seq;
      fields["datalvllen"] = option.mapping->length;
      if (option.mapping->checksum) fields["checksum"] = *option.mapping->checksum;
    }
    return {fields, {}, true};
  }
  Expected operator()(const AddAddr& option) const {
    const bool v4 = option.address.is_v4();
    Fields fields{{"subtype", 3}, {"addrid", raw(option.id)}};
    if (option.echo || option.hmac)
      fields["echo"] = option.echo;
    else
      fields["ipver"] = v4 ? 4 : 6;
    if (option.port) fields["port"] = *option.port;
    if (option.hmac) fields["addaddrtrunchmac"] = *option.hmac;
    return {fields, {{v4 ? "ipv4" : "ipv6", option.address.to_string()}}};
  }
  Expected operator()(const RemoveAddr& option) const {
    // Of several ids tshark's line has one each; the comparison is of the first.
    return {{{"subtype", 4}, {"addrid", raw(option.ids().front())}}, {}};
  }
  Expected operator()(const MpPrio& option) const {
    Fields fields{{"subtype", 5}, {"backup.flag", option.backup}};
    if (option.address_id) fields["addrid"] = raw(*option.address_id);
    return {fields, {}};
  }
  Expected operator()(const MpFail& option) const {
    return {{{"subtype", 6}, {"rawdataseqno", option.dsn.raw()}}, {}};
  }
  Expected operator()(const MpFastclose& option) const {
    return {{{"subtype", 7}, {"recvkey", raw(option.receiver_key)}}, {}};
  }
  Expected operator()(const MpTcprst& option) const {
    return {{{"subtype", 8},
             {"flag_T.flag", option.transient},
             {"rst_reason", static_cast<std::uint64_t>(option.reason)}},
            {}};
  }
  Expected operator()(const UnknownOption&) const { return {}; }
};

void append(std::vector<std::byte>& to, std::initializer_list<std::uint32_t> words) {
  for (const std::uint32_t word : words) {
    const auto octets = std::as_bytes(std::span(&word, 1));
    to.insert(to.end(), octets.begin(), octets.end());
  }
}

/// An IPv4 packet of a connection of its own, which carries the option and nothing else.
std::vector<std::byte> packet_with(const Option& option, std::uint16_t port) {
  std::array<std::byte, kMaxOptionLength> octets;
  wire::TcpHeader header;
  header.source_port = port;
  header.destination_port = 80;
  const bool syn =
      (std::holds_alternative<MpCapable>(option) && !std::get<MpCapable>(option).receiver_key) ||
      std::holds_alternative<MpJoinSyn>(option);
  header.flags = syn ? wire::TcpFlags::Syn : wire::TcpFlags::Ack;
  header.options.mptcp = ByteSpan(octets).first(emit(option, octets));
  std::vector<std::byte> packet(wire::kIpv4HeaderLength + 60);
  const auto tcp = std::span(packet).subspan(wire::kIpv4HeaderLength);
  const std::size_t length = wire::emit_tcp(header, tcp);
  const IpAddress source = IpAddress::v4(0x0a00'0001);
  const IpAddress destination = IpAddress::v4(0x0a00'0002);
  wire::Checksum sum;
  sum.add_pseudo_header(source, destination, 6, static_cast<std::uint32_t>(length));
  sum.add(tcp.first(length));
  dataplane::store_be(tcp.data() + 16, sum.finish());
  wire::Ipv4Header ip;
  ip.source = source;
  ip.destination = destination;
  ip.protocol = wire::IpProtocol::Tcp;
  ip.payload_length = static_cast<std::uint16_t>(length);
  wire::emit_ipv4(ip, packet);
  packet.resize(wire::kIpv4HeaderLength + length);
  return packet;
}

void write_capture(const std::string& path, const std::vector<test::NamedOption>& options) {
  constexpr std::uint32_t kMagic = 0xa1b2'c3d4;
  constexpr std::uint32_t kLinkTypeRawIp = 101;
  std::vector<std::byte> file;
  append(file, {kMagic, 2 | 4U << 16, 0, 0, 65'535, kLinkTypeRawIp});
  std::uint16_t port = 20'000;
  for (const test::NamedOption& named : options) {
    const auto packet = packet_with(named.option, port++);
    const auto length = static_cast<std::uint32_t>(packet.size());
    append(file, {port, 0, length, length});
    file.insert(file.end(), packet.begin(), packet.end());
  }
  std::ofstream out(path, std::ios::binary);
  for (const std::byte octet : file)
    out.put(static_cast<char>(octet));
}

/// The columns of what tshark says, a line for each packet.
std::vector<std::vector<std::string>> dissect(const std::string& path) {
  std::string command = "tshark -n -r " + path + " -T fields -E occurrence=f -E separator='|'";
  for (const std::string_view field : kNumbers)
    command += " -e tcp.options.mptcp." + std::string(field);
  for (const std::string_view field : kTexts)
    command += " -e tcp.options.mptcp." + std::string(field);
  command += " -e _ws.malformed 2>/dev/null >" + path + ".fields";
  REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe): one thread.
  std::vector<std::vector<std::string>> lines;
  std::ifstream in(path + ".fields");
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string>& columns = lines.emplace_back();
    std::istringstream row(line + "|");
    for (std::string column; std::getline(row, column, '|');)
      columns.push_back(column);
  }
  return lines;
}

bool has_tshark() {
  return std::system("tshark --version >/dev/null 2>&1") == 0;  // NOLINT(concurrency-mt-unsafe)
}

void compare(const std::vector<std::string>& columns, const Expected& expected) {
  REQUIRE(columns.size() == kNumbers.size() + kTexts.size() + 1);
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    INFO(kNumbers[i]);
    const auto field = expected.numbers.find(kNumbers[i]);
    if (field == expected.numbers.end()) {
      CHECK(columns[i].empty());
    } else {
      if (columns[i].empty() && expected.may_miss_checksum && kNumbers[i] == kChecksum) continue;
      REQUIRE_FALSE(columns[i].empty());
      CHECK(std::stoull(columns[i], nullptr, 0) == field->second);
    }
  }
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    INFO(kTexts[i]);
    const auto field = expected.texts.find(kTexts[i]);
    CHECK(columns[kNumbers.size() + i] == (field == expected.texts.end() ? "" : field->second));
  }
  CHECK(columns.back().empty());
}

TEST_CASE("tshark reads in every option what we wrote", "[mptcp][wire][option][tshark]") {
  if (!has_tshark()) return;
  const apps::files::Scratch scratch;
  const auto options = test::every_option();
  const std::string path = scratch.path("options.pcap");
  write_capture(path, options);
  const auto lines = dissect(path);
  REQUIRE(lines.size() == options.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    INFO(options[i].name);
    compare(lines[i], std::visit(Expect{}, options[i].option));
  }
}

}  // namespace
}  // namespace mptcp
