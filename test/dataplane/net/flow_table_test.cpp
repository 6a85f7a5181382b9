#include "dataplane/net/flow_table.hpp"

#include <unordered_map>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"
#include "dataplane/net/steering.hpp"
#include "test/dataplane/net/two_hosts.hpp"

namespace dataplane::net {
namespace {

FourTuple tuple_number(std::uint32_t n) {
  return {{ip("10.9.0.1"), 8080},
          {IpAddress::v4(0x0a09'0000 + (n >> 16)), static_cast<std::uint16_t>(n)}};
}

TEST_CASE("a flow is found until it is erased", "[net][flow_table]") {
  FlowTable table(8, 1);
  CHECK(table.find(tuple_v4()) == FlowTable::kNone);
  CHECK(table.insert(tuple_v4(), 5));
  CHECK(table.insert(tuple_v6(), 6));
  CHECK_FALSE(table.insert(tuple_v4(), 7));
  CHECK(table.find(tuple_v4()) == 5);
  CHECK(table.find(tuple_v6()) == 6);
  CHECK(table.find({tuple_v4().remote, tuple_v4().local}) == FlowTable::kNone);
  CHECK(table.erase(tuple_v4()));
  CHECK_FALSE(table.erase(tuple_v4()));
  CHECK(table.find(tuple_v4()) == FlowTable::kNone);
  CHECK(table.find(tuple_v6()) == 6);
  CHECK(table.size() == 1);
}

TEST_CASE("a full flow table takes no more", "[net][flow_table]") {
  const std::uint32_t most = GENERATE(1U, 3U, 64U, 1000U);
  FlowTable table(most, 1);
  for (std::uint32_t n = 0; n < most; ++n)
    REQUIRE(table.insert(tuple_number(n), n));
  CHECK_FALSE(table.insert(tuple_number(most), most));
  for (std::uint32_t n = 0; n < most; ++n)
    REQUIRE(table.find(tuple_number(n)) == n);
}

TEST_CASE("a flow table agrees with a map over any history", "[net][flow_table]") {
  FlowTable table(200, 9);
  std::unordered_map<std::uint32_t, std::uint32_t> model;
  Rng rng(4);
  for (std::uint32_t step = 0; step < 50'000; ++step) {
    const auto n = static_cast<std::uint32_t>(rng.below(300));
    if (rng.below(2) == 0) {
      const bool fits = model.size() < 200 && !model.contains(n);
      REQUIRE(table.insert(tuple_number(n), step) == fits);
      if (fits) model[n] = step;
    } else {
      REQUIRE(table.erase(tuple_number(n)) == (model.erase(n) == 1));
    }
    const auto other = static_cast<std::uint32_t>(rng.below(300));
    const auto found = model.find(other);
    REQUIRE(table.find(tuple_number(other)) ==
            (found == model.end() ? FlowTable::kNone : found->second));
    REQUIRE(table.size() == model.size());
  }
}

TEST_CASE("a burst is looked up as one by one", "[net][flow_table]") {
  FlowTable table(64, 2);
  for (std::uint32_t n = 0; n < 64; n += 2)
    table.insert(tuple_number(n), n);
  std::vector<wire::ReceivedSegment> burst(64);
  for (std::uint32_t n = 0; n < 64; ++n)
    burst[n].tuple = tuple_number(n);
  std::vector<std::uint32_t> values(64);
  table.find_all(burst, values);
  for (std::uint32_t n = 0; n < 64; ++n)
    CHECK(values[n] == (n % 2 == 0 ? n : FlowTable::kNone));
}

TEST_CASE("another secret gives other hashes", "[net][flow_table]") {
  const FlowTable a(8, 1);
  const FlowTable b(8, 2);
  CHECK(a.hash_of(tuple_v4()) != b.hash_of(tuple_v4()));
}

/// Toeplitz bit by bit, as devices describe it.
std::uint32_t toeplitz(const std::vector<std::uint8_t>& input) {
  const auto key = Steering::rss_key();
  std::uint32_t hash = 0;
  for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
    if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0) continue;
    std::uint32_t window = 0;
    for (std::size_t i = bit; i < bit + 32; ++i)
      window = window << 1 | (static_cast<std::uint32_t>(key[i / 8]) >> (7 - i % 8) & 1);
    hash ^= window;
  }
  return hash;
}

std::vector<std::uint8_t> rss_input(const Endpoint& source, const Endpoint& destination) {
  std::vector<std::uint8_t> input;
  for (const Endpoint* end : {&source, &destination})
    for (const std::byte octet : end->address.network_bytes())
      input.push_back(static_cast<std::uint8_t>(octet));
  for (const Endpoint* end : {&source, &destination}) {
    input.push_back(static_cast<std::uint8_t>(end->port >> 8));
    input.push_back(static_cast<std::uint8_t>(end->port & 0xff));
  }
  return input;
}

TEST_CASE("the owner of a flow is the one that the device computes, both ways", "[net][steering]") {
  for (const FourTuple& tuple : {tuple_v4(), tuple_v6(), tuple_number(77'777)}) {
    CHECK(Steering::rss_hash(tuple) == toeplitz(rss_input(tuple.remote, tuple.local)));
    CHECK(Steering::rss_hash(tuple) == toeplitz(rss_input(tuple.local, tuple.remote)));
    CHECK(Steering::rss_hash(tuple) == Steering::rss_hash({tuple.remote, tuple.local}));
  }
}

TEST_CASE("a core finds ports whose flows it owns", "[net][steering]") {
  const Steering steering(3);
  for (std::uint16_t core = 0; core < 3; ++core) {
    FourTuple tuple = tuple_v4();
    const auto port = steering.next_port(tuple, 50'000, 60'000, core);
    REQUIRE(port);
    CHECK(*port < 50'100);
    tuple.local.port = *port;
    CHECK(steering.owner_of(tuple) == core);
  }
  CHECK(steering.next_port(tuple_v4(), 65'535, 65'535, steering.owner_of([] {
    FourTuple last = tuple_v4();
    last.local.port = 65'535;
    return last;
  }())) == 65'535);
  CHECK_FALSE(Steering(1).next_port(tuple_v4(), 2, 1, 0));
}

TEST_CASE("flows spread over the cores", "[net][steering]") {
  const Steering steering(4);
  std::array<unsigned, 4> flows{};
  for (std::uint16_t port = 40'000; port < 44'000; ++port) {
    FourTuple tuple = tuple_v4();
    tuple.local.port = port;
    ++flows[steering.owner_of(tuple)];
  }
  for (const unsigned count : flows)
    CHECK(count > 700);
}

}  // namespace
}  // namespace dataplane::net
