#include "mptcp/wire/option.hpp"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "test/dataplane/wire/octets.hpp"
#include "test/mptcp/wire/every_option.hpp"

namespace mptcp {
namespace {

using dataplane::wire::Octets;
using dataplane::wire::octets_of;
using dataplane::wire::refuses_every_truncation;
using test::every_option;
using test::NamedOption;

Octets emitted(const Option& option) {
  Octets octets(emitted_length(option));
  CHECK(emit(option, octets) == octets.size());
  return octets;
}

/// The octets without padding.
ByteSpan bare(const Octets& octets) {
  return ByteSpan(octets).first(static_cast<std::size_t>(octets[1]));
}

TEST_CASE("every form of every option survives its way over the wire", "[mptcp][wire][option]") {
  for (const NamedOption& named : every_option()) {
    INFO(named.name);
    const Octets octets = emitted(named.option);
    CHECK(octets.size() == named.length);
    const auto parsed = parse_option(bare(octets));
    REQUIRE(parsed);
    CHECK(*parsed == named.option);
    for (std::size_t at = bare(octets).size(); at < octets.size(); ++at)
      CHECK(octets[at] == std::byte{1});
    CHECK(refuses_every_truncation(bare(octets), parse_option));
  }
}

TEST_CASE("options are laid out as RFC 8684 draws them", "[mptcp][wire][option][rfc8684-3]") {
  CHECK(emitted(MpCapable{.checksum = true}) == octets_of({30, 4, 0x01, 0x81}));
  CHECK(emitted(MpCapable{.version = 0, .sender_key = Key{1}}) ==
        octets_of({30, 12, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 1}));
  CHECK(emitted(MpJoinSyn{true, AddressId{5}, Token{0x0102'0304}, Nonce{0x0506'0708}}) ==
        octets_of({30, 12, 0x11, 5, 1, 2, 3, 4, 5, 6, 7, 8}));
  Dss dss;
  dss.data_ack = WireDsn{0x0102'0304, false};
  dss.mapping = DssMapping{{0x1112'1314'1516'1718, true}, 0x2122'2324, 0x3132, {}};
  dss.data_fin = true;
  CHECK(emitted(dss) ==
        octets_of({30,   22,   0x20, 0x1d, 1,    2,    3,    4,    0x11, 0x12, 0x13, 0x14,
                   0x15, 0x16, 0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 1,    1}));
  CHECK(emitted(AddAddr{AddressId{2}, IpAddress::v4(0x0a00'0001), 80, true, {}}) ==
        octets_of({30, 10, 0x31, 2, 10, 0, 0, 1, 0, 80, 1, 1}));
  RemoveAddr remove;
  remove.add(AddressId{7});
  remove.add(AddressId{0});
  CHECK(emitted(remove) == octets_of({30, 5, 0x40, 7, 0, 1, 1, 1}));
  CHECK(emitted(MpPrio{true, {}}) == octets_of({30, 3, 0x51, 1}));
  CHECK(emitted(MpFail{Dsn(3)}) == octets_of({30, 12, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 3}));
  CHECK(emitted(MpFastclose{Key{4}}) == octets_of({30, 12, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 4}));
  CHECK(emitted(MpTcprst{true, ResetReason::LackOfResources}) == octets_of({30, 4, 0x81, 2}));
}

/// The lengths that a subtype may have, when the octets behind the length are `low` and `flags`.
std::set<unsigned> accepted_lengths(unsigned subtype_octet, unsigned flags) {
  std::set<unsigned> lengths;
  for (unsigned length = 2; length <= 40; ++length) {
    Octets octets(length);
    octets[0] = std::byte{30};
    octets[1] = static_cast<std::byte>(length);
    if (length > 2) octets[2] = static_cast<std::byte>(subtype_octet);
    if (length > 3) octets[3] = static_cast<std::byte>(flags);
    if (parse_option(octets)) lengths.insert(length);
  }
  return lengths;
}

TEST_CASE("an option has one of the lengths of its subtype", "[mptcp][wire][option][rfc8684-3]") {
  using Lengths = std::set<unsigned>;
  CHECK(accepted_lengths(0x01, 0x01) == Lengths{4, 12, 20, 22, 24});
  CHECK(accepted_lengths(0x00, 0x01) == Lengths{12, 20});
  CHECK(accepted_lengths(0x02, 0x01) == Lengths{4, 12, 20, 22, 24});
  CHECK(accepted_lengths(0x10, 0) == Lengths{12, 16, 24});
  CHECK(accepted_lengths(0x50, 0) == Lengths{3, 4});
  CHECK(accepted_lengths(0x60, 0) == Lengths{12});
  CHECK(accepted_lengths(0x70, 0) == Lengths{12});
  CHECK(accepted_lengths(0x80, 0) == Lengths{4});
  const Lengths ids = accepted_lengths(0x40, 1);
  CHECK(ids.size() == RemoveAddr::kMaxIds);
  CHECK(*ids.begin() == 4);
}

TEST_CASE("the flags of a DSS say how long it is", "[mptcp][wire][option][rfc8684-3.3]") {
  for (unsigned flags = 0; flags < 256; ++flags) {
    unsigned length = 4;
    if ((flags & 1) != 0) length += (flags & 2) != 0 ? 8 : 4;
    const bool mapping = (flags & 4) != 0;
    if (mapping) length += (flags & 8) != 0 ? 14 : 10;
    std::set<unsigned> expected{length};
    if (mapping) expected.insert(length + 2);
    CHECK(accepted_lengths(0x20, flags) == expected);
  }
}

TEST_CASE("a DATA_FIN without a mapping says nothing", "[mptcp][wire][option][rfc8684-3.3.3]") {
  const auto parsed = parse_option(octets_of({30, 8, 0x20, 0x11, 0, 0, 0, 9}));
  REQUIRE(parsed);
  const Dss* dss = std::get_if<Dss>(&*parsed);
  REQUIRE(dss != nullptr);
  CHECK_FALSE(dss->data_fin);
  CHECK(dss->data_ack == WireDsn{9, false});
}

TEST_CASE("the two versions of ADD_ADDR are told apart", "[mptcp][wire][option][rfc8684-3.4.1]") {
  using Lengths = std::set<unsigned>;
  CHECK(accepted_lengths(0x30, 1) == Lengths{16, 18, 28, 30});
  CHECK(accepted_lengths(0x31, 1) == Lengths{8, 10, 20, 22});
  CHECK(accepted_lengths(0x34, 1) == Lengths{8, 10, 16, 18, 28, 30});
  CHECK(accepted_lengths(0x36, 1) == Lengths{16, 18, 20, 22, 28, 30});
}

TEST_CASE("reserved bits are not looked at", "[mptcp][wire][option][rfc8684-3]") {
  CHECK(*parse_option(octets_of({30, 4, 0x01, 0x1f})) == Option(MpCapable{}));
  CHECK(*parse_option(octets_of({30, 3, 0x5f})) == Option(MpPrio{true, {}}));
  CHECK(*parse_option(octets_of({30, 4, 0x8e, 6})) ==
        Option(MpTcprst{false, ResetReason::MiddleboxInterference}));
  CHECK(*parse_option(octets_of({30, 4, 0x4f, 6})) == *parse_option(octets_of({30, 4, 0x40, 6})));
}

TEST_CASE("an unknown subtype is a value of any length", "[mptcp][wire][option][rfc8684-3]") {
  for (unsigned subtype = 9; subtype < 16; ++subtype) {
    CHECK(accepted_lengths(subtype << 4, 0).size() == 38);
    CHECK(*parse_option(octets_of({30, 3, subtype << 4})) ==
          Option(UnknownOption{static_cast<std::uint8_t>(subtype)}));
  }
}

TEST_CASE("what is not one whole option of kind 30 is refused", "[mptcp][wire][option]") {
  CHECK_FALSE(parse_option({}));
  CHECK_FALSE(parse_option(octets_of({30})));
  CHECK_FALSE(parse_option(octets_of({30, 2})));
  CHECK_FALSE(parse_option(octets_of({30, 3, 0x50, 1})));
  CHECK_FALSE(parse_option(octets_of({30, 4, 0x50})));
  CHECK_FALSE(parse_option(octets_of({31, 3, 0x50})));
}

TEST_CASE("the options of a segment are read one after another", "[mptcp][wire][option]") {
  const Octets octets = octets_of(
      {30, 3, 0x51, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 5, 0x10, 0, 0, 30, 4, 0x80, 1, 1});
  OptionReader reader(octets);
  CHECK(reader.next()->value() == Option(MpPrio{true, {}}));
  CHECK(reader.next()->error() == Error::BadOption);
  CHECK(reader.next()->value() == Option(MpTcprst{false, ResetReason::MptcpSpecific}));
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.next());
}

TEST_CASE("an option that runs past the end is the last one read", "[mptcp][wire][option]") {
  for (const Octets& octets : {octets_of({30}), octets_of({30, 1, 0x50}), octets_of({30, 0}),
                               octets_of({30, 4, 0x80}), octets_of({8, 10, 0})}) {
    OptionReader reader(octets);
    const auto first = reader.next();
    REQUIRE(first);
    CHECK_FALSE(first->has_value());
    CHECK_FALSE(reader.next());
  }
  const Octets behind_the_end = octets_of({0, 30, 3, 0x50});
  OptionReader ended(behind_the_end);
  CHECK_FALSE(ended.next());
}

TEST_CASE("the fullest segment has no octet left", "[mptcp][wire][option]") {
  Dss dss;
  dss.data_ack = WireDsn{1, true};
  dss.mapping = DssMapping{{2, true}, 3, 4, 5};
  // With the 12 octets of timestamps (RFC 7323 appendix A).
  CHECK(emitted_length(dss) + 12 == kMaxOptionLength);
}

}  // namespace
}  // namespace mptcp
