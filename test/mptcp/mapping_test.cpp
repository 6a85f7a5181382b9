#include "mptcp/mapping.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace mptcp::test {
namespace {

constexpr std::uint64_t kNearWrap = 0xffff'ffff'ffff'ff00;

Mapping map(std::uint64_t position, std::uint64_t dsn, std::uint32_t length) {
  return {position, Dsn(dsn), length, {}};
}

TEST_CASE("mappings that continue each other are one, across the wrap of the DSN",
          "[mptcp][mapping][rfc8684-3.3.1]") {
  MappingList list;
  list.append(map(0, kNearWrap, 0x80));
  list.append(map(0x80, kNearWrap + 0x80, 0x100));
  CHECK(list.size() == 1);
  REQUIRE(list.find(0x170) != nullptr);
  CHECK(list.find(0x170)->dsn_at(0x170) == Dsn(0x70));
  list.append(map(0x180, 0x1000, 0x10));
  CHECK(list.size() == 2);
  CHECK(list.find(0x190) == nullptr);
}

TEST_CASE("a mapping may come late, twice, or in parts", "[mptcp][mapping]") {
  MappingList list;
  CHECK(list.insert(map(200, 1200, 100)) == MappingList::Added::New);
  CHECK(list.insert(map(0, 1000, 100)) == MappingList::Added::New);
  CHECK(list.find(150) == nullptr);
  CHECK(list.covered_until(0) == 100);
  CHECK(list.insert(map(50, 1050, 200)) == MappingList::Added::New);
  CHECK(list.covered_until(0) == 300);
  CHECK(list.find(150)->dsn_at(150) == Dsn(1150));
  CHECK(list.insert(map(0, 1000, 300)) == MappingList::Added::Known);
}

TEST_CASE("what is mapped stays where it was mapped first", "[mptcp][mapping][rfc8684-3.3.1]") {
  MappingList list;
  list.insert(map(0, 1000, 100));
  CHECK(list.insert(map(50, 5000, 100)) == MappingList::Added::Contradiction);
  CHECK(list.find(60)->dsn_at(60) == Dsn(1060));
  CHECK(list.find(120) == nullptr);
}

TEST_CASE("a checksum is of the whole mapping only", "[mptcp][mapping][rfc8684-3.3.1]") {
  MappingList list;
  Mapping with = map(0, 1000, 100);
  with.checksum = 7;
  CHECK(list.insert(with) == MappingList::Added::New);
  Mapping next = map(100, 1100, 100);
  next.checksum = 8;
  list.insert(next);
  CHECK(list.size() == 2);
  CHECK(list.find(0)->checksum == 7);
  Mapping across = map(150, 1150, 100);
  across.checksum = 9;
  list.insert(across);
  CHECK_FALSE(list.find(220)->checksum.has_value());
}

TEST_CASE("what was acknowledged is forgotten, run by run", "[mptcp][mapping]") {
  MappingList list;
  list.append(map(0, 1000, 100));
  list.append(map(100, 5000, 100));
  std::vector<std::pair<std::uint64_t, std::uint32_t>> gone;
  const auto note = [&](Dsn dsn, std::uint32_t count) { gone.emplace_back(dsn.raw(), count); };
  list.release_below(150, note);
  CHECK(gone == std::vector<std::pair<std::uint64_t, std::uint32_t>>{{1000, 100}, {5000, 50}});
  CHECK(list.size() == 1);
  CHECK(list.find(150)->dsn_at(150) == Dsn(5050));
  list.release_below(200, note);
  CHECK(list.empty());
}

TEST_CASE("a peer that maps single octets is stopped", "[mptcp][mapping]") {
  MappingList list;
  for (std::uint64_t i = 0; i < MappingList::kMost; ++i)
    REQUIRE(list.insert(map(2 * i, 7 * i, 1)) == MappingList::Added::New);
  CHECK(list.insert(map(2 * MappingList::kMost, 1, 1)) == MappingList::Added::Full);
}

}  // namespace
}  // namespace mptcp::test
