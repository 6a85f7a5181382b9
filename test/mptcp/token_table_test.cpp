#include "mptcp/token_table.hpp"

#include <map>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"

namespace mptcp {
namespace {

TEST_CASE("a token leads to its connection until it is erased", "[mptcp][token_table]") {
  TokenTable table(4);
  CHECK_FALSE(table.find(Token{7}));
  REQUIRE(table.insert(Token{7}, 3));
  CHECK(table.find(Token{7}) == 3U);
  table.erase(Token{7});
  CHECK_FALSE(table.find(Token{7}));
  CHECK(table.size() == 0);
}

TEST_CASE("a token that is taken is refused", "[mptcp][token_table][rfc8684-3.1]") {
  TokenTable table(4);
  REQUIRE(table.insert(Token{7}, 3));
  CHECK_FALSE(table.insert(Token{7}, 4));
  CHECK(table.find(Token{7}) == 3U);
}

TEST_CASE("a full table takes no further token", "[mptcp][token_table]") {
  const auto most = GENERATE(as<std::size_t>(), 0, 1, 3, 8);
  TokenTable table(most);
  for (std::uint32_t i = 0; i < most; ++i)
    CHECK(table.insert(Token{i * 64}, i));
  CHECK_FALSE(table.insert(Token{1}, 1));
  CHECK_FALSE(table.find(Token{1}));
}

TEST_CASE("tokens come and go as in a map, however they collide", "[mptcp][token_table]") {
  constexpr std::size_t kMost = 64;
  TokenTable table(kMost);
  std::map<std::uint32_t, std::uint32_t> expected;
  dataplane::Rng rng(1);
  for (std::uint32_t step = 0; step < 20'000; ++step) {
    // Few homes, some of them at the end of the table, and many tokens for each.
    const auto token = static_cast<std::uint32_t>((rng.below(32) << 20) + 124 + rng.below(8));
    if (expected.erase(token) != 0) {
      table.erase(Token{token});
    } else if (expected.size() < kMost) {
      expected[token] = step;
      REQUIRE(table.insert(Token{token}, step));
    }
    REQUIRE(table.size() == expected.size());
    if (step % 64 != 0) continue;
    for (const auto& [known, place] : expected)
      REQUIRE(table.find(Token{known}) == place);
  }
}

}  // namespace
}  // namespace mptcp
