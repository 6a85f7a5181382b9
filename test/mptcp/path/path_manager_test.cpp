#include "mptcp/path/path_manager.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace mptcp {
namespace {

using dataplane::Prefix;
using Pairs = std::vector<AddressPair>;

constexpr AddressPair pair(unsigned local, unsigned remote) {
  return {static_cast<AddressId>(local), static_cast<AddressId>(remote)};
}

/// Addresses of both hosts, ids from 0 on in the order of their names.
struct Paths {
  std::vector<LocalAddress> locals;
  std::vector<RemoteAddress> remotes;
  Pairs subflows{pair(0, 0)};
  Pairs attempts{};
  Pairs resting{};
  bool settled = true;
  std::size_t max_subflows = 8;

  Paths(const std::vector<std::string_view>& ours, const std::vector<std::string_view>& theirs) {
    for (const std::string_view text : ours) {
      const Prefix prefix = Prefix::parse(text).value();
      const auto place = static_cast<std::uint8_t>(locals.size());
      locals.push_back({AddressId{place}, prefix.address, static_cast<std::uint8_t>(prefix.length),
                        PortIndex{place}, true});
    }
    for (const std::string_view text : theirs) {
      const auto place = static_cast<std::uint8_t>(remotes.size());
      remotes.push_back({AddressId{place}, {*IpAddress::parse(text), 80}, true});
    }
  }

  Pairs joins(PathManagerKind kind) const {
    const Joins found =
        next_joins(kind, {locals, remotes, subflows, attempts, resting, settled, max_subflows});
    return {found.pairs().begin(), found.pairs().end()};
  }
  Pairs fixed_pairs() const { return joins(PathManagerKind::FixedPairs); }
};

Paths two_subnets() { return {{"10.0.0.1/24", "10.0.1.1/24"}, {"10.0.0.2", "10.0.1.2"}}; }

TEST_CASE("a path manager is found by the name in the configuration", "[mptcp][path]") {
  for (const std::string_view name : {"none", "fixed-pairs", "full-mesh"})
    CHECK(name_of(path_manager_named(name).value()) == name);
  CHECK_FALSE(path_manager_named("ndiffports"));
}

TEST_CASE("the path manager none joins nothing", "[mptcp][path]") {
  CHECK(two_subnets().joins(PathManagerKind::None).empty());
}

TEST_CASE("ports in the same subnet are paired at once", "[mptcp][path][fixed_pairs]") {
  Paths paths = two_subnets();
  paths.settled = false;
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 1)});
  paths.subflows.push_back(pair(1, 1));
  CHECK(paths.fixed_pairs().empty());
}

TEST_CASE("subnets decide even when the order says something else", "[mptcp][path][fixed_pairs]") {
  const Paths paths({"10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24"},
                    {"10.0.0.2", "10.0.2.2", "10.0.1.2"});
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 2), pair(2, 1)});
}

TEST_CASE("ports without a common subnet are paired in order once the peer had time to announce",
          "[mptcp][path][fixed_pairs]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24"}, {"192.0.2.1", "192.0.2.2"});
  paths.settled = false;
  CHECK(paths.fixed_pairs().empty());
  paths.settled = true;
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 1), pair(2, 0)});
}

TEST_CASE("a peer with one address is joined from every port", "[mptcp][path][fixed_pairs]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24", "10.0.2.1/24"}, {"192.0.2.1"});
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 0), pair(2, 0)});
  SECTION("but not when it asked for no joins to that address") {
    paths.remotes[0].joinable = false;
    CHECK(paths.fixed_pairs().empty());
  }
  SECTION("but not from a port without a link") {
    paths.locals[1].usable = false;
    CHECK(paths.fixed_pairs() == Pairs{pair(2, 0)});
  }
  SECTION("but never beyond the limit") {
    paths.max_subflows = 2;
    CHECK(paths.fixed_pairs() == Pairs{pair(1, 0)});
  }
}

TEST_CASE("each address of a peer with more of them gets a subflow", "[mptcp][path][fixed_pairs]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24"}, {"10.0.0.2", "10.0.0.3", "10.0.1.3", "192.0.2.1"});
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 2), pair(0, 1), pair(1, 3)});
}

TEST_CASE("a pair that rests leaves its port to another pair", "[mptcp][path][fixed_pairs]") {
  Paths paths = two_subnets();
  paths.resting = {pair(1, 1)};
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 0), pair(0, 1)});
}

TEST_CASE("a port whose subflow is gone is joined again", "[mptcp][path][fixed_pairs]") {
  Paths paths = two_subnets();
  paths.subflows = {pair(1, 1)};
  CHECK(paths.fixed_pairs() == Pairs{pair(0, 0)});
}

TEST_CASE("a port with both families is used once, in the first subflow's family",
          "[mptcp][path][fixed_pairs]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24", "fd00:0::1/64", "fd00:0:0:1::1/64"},
              {"10.0.0.2", "10.0.1.2", "fd00:0::2", "fd00:0:0:1::2"});
  paths.locals[2].port = PortIndex{0};
  paths.locals[3].port = PortIndex{1};
  CHECK(paths.fixed_pairs() == Pairs{pair(1, 1)});
  SECTION("or in the other, where only that has a way") {
    paths.remotes.erase(paths.remotes.begin() + 1);
    paths.remotes[0].joinable = false;
    CHECK(paths.fixed_pairs() == Pairs{pair(3, 3)});
  }
  SECTION("a neighbour of the other family is better than a stranger of this one") {
    paths.remotes.erase(paths.remotes.begin() + 1);
    CHECK(paths.fixed_pairs() == Pairs{pair(3, 3)});
  }
  SECTION("in IPv6 when the connection began with it") {
    paths.subflows = {pair(2, 2)};
    CHECK(paths.fixed_pairs() == Pairs{pair(3, 3)});
  }
}

TEST_CASE("a neighbour that is announced late does not wait for an attempt in vain",
          "[mptcp][path][fixed_pairs]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24", "fd00:0:0:1::1/64"}, {"10.0.0.2"});
  paths.locals[2].port = PortIndex{1};
  paths.subflows = {pair(0, 0), pair(1, 0)};
  paths.attempts = {pair(1, 0)};
  CHECK(paths.fixed_pairs().empty());
  const bool v4 = GENERATE(true, false);
  paths.remotes.push_back(
      {AddressId{1}, {*IpAddress::parse(v4 ? "10.0.1.2" : "fd00:0:0:1::2"), 80}, true});
  CHECK(paths.fixed_pairs() == Pairs{pair(v4 ? 1 : 2, 1)});
  paths.subflows.push_back(pair(v4 ? 1 : 2, 1));
  paths.attempts.push_back(pair(v4 ? 1 : 2, 1));
  CHECK(paths.fixed_pairs().empty());
}

TEST_CASE("a full mesh has every pair of one family", "[mptcp][path][full_mesh]") {
  Paths paths({"10.0.0.1/24", "10.0.1.1/24", "fd00::1/64"}, {"10.0.0.2", "192.0.2.1", "fd00::2"});
  CHECK(paths.joins(PathManagerKind::FullMesh) ==
        Pairs{pair(0, 1), pair(1, 0), pair(1, 1), pair(2, 2)});
  paths.remotes[0].joinable = false;
  paths.resting = {pair(2, 2)};
  CHECK(paths.joins(PathManagerKind::FullMesh) == Pairs{pair(0, 1), pair(1, 1)});
  paths.max_subflows = 2;
  CHECK(paths.joins(PathManagerKind::FullMesh) == Pairs{pair(0, 1)});
}

}  // namespace
}  // namespace mptcp
