#include "mptcp/path/rest_table.hpp"

#include <catch2/catch.hpp>

namespace mptcp {
namespace {

using namespace std::chrono_literals;

constexpr AddressPair kPair{AddressId{1}, AddressId{2}};

TEST_CASE("a pair that fails rests ever longer, up to some seconds", "[mptcp][path]") {
  RestTable table;
  Instant now{1s};
  CHECK(table.resting(now).empty());
  for (const Duration rest : {250ms, 500ms, 1'000ms, 2'000ms, 4'000ms, 4'000ms}) {
    table.on_failed(kPair, now);
    CHECK(table.resting(now).size() == 1);
    CHECK(table.next_deadline(now) == now + rest);
    now += rest;
    CHECK(table.resting(now).empty());
    CHECK_FALSE(table.next_deadline(now));
  }
}

TEST_CASE("what ends a rest", "[mptcp][path]") {
  RestTable table;
  const Instant now{1s};
  table.on_failed(kPair, now);
  table.on_failed(kPair, now);
  SECTION("a subflow") { table.on_established(kPair); }
  SECTION("a link that is there again") { table.on_local_revived(AddressId{1}); }
  SECTION("an address announced anew") { table.on_remote_revived(AddressId{2}); }
  CHECK(table.resting(now).empty());
  table.on_failed(kPair, now);
  CHECK(table.next_deadline(now) == now + RestTable::kFirst);
}

TEST_CASE("what the program ended rests until it is established again", "[mptcp][path]") {
  RestTable table;
  table.bar(kPair);
  table.on_failed(kPair, Instant{1s});
  table.on_local_revived(AddressId{1});
  table.on_remote_revived(AddressId{2});
  CHECK(table.resting(Instant{24h}).size() == 1);
  CHECK(table.next_deadline(Instant{24h}) == dataplane::kNever);
  table.on_established(kPair);
  CHECK(table.resting(Instant{1s}).empty());
}

TEST_CASE("a full table forgets the rest that ends first", "[mptcp][path]") {
  RestTable table;
  for (std::uint8_t i = 0; i <= RestTable::kMost; ++i)
    table.on_failed({AddressId{i}, AddressId{0}}, Instant{1s} + i * 1ms);
  const auto resting = table.resting(Instant{1s});
  CHECK(resting.size() == RestTable::kMost);
  for (const AddressPair& pair : resting)
    CHECK(pair.local != AddressId{0});
}

TEST_CASE("a table is full while all it knows rests and a rest will end", "[mptcp][path]") {
  RestTable table;
  for (std::uint8_t i = 0; i < RestTable::kMost; ++i) {
    CHECK_FALSE(table.is_full(Instant{1s}));
    table.on_failed({AddressId{i}, AddressId{0}}, Instant{1s});
  }
  CHECK(table.is_full(Instant{1s}));
  CHECK_FALSE(table.is_full(Instant{1s} + RestTable::kFirst));
  for (std::uint8_t i = 0; i < RestTable::kMost; ++i)
    table.bar({AddressId{i}, AddressId{0}});
  CHECK_FALSE(table.is_full(Instant{1s}));
}

}  // namespace
}  // namespace mptcp
