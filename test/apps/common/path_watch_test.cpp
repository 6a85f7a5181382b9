#include "apps/common/path_watch.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace apps {
namespace {

using namespace std::chrono_literals;
using dataplane::Instant;

PathSample path(std::uint8_t number, std::uint64_t bytes = 0, PathState state = PathState::Up) {
  PathSample out;
  out.tuple = {{dataplane::IpAddress::v4(0x0a09'0001U + number * 256U), 5000},
               {dataplane::IpAddress::v4(0x0a09'0002U + number * 256U), 8080}};
  out.bytes = bytes;
  out.state = state;
  return out;
}

std::vector<std::string> words(const std::vector<PathWatch::Change>& changes) {
  std::vector<std::string> out;
  for (const PathWatch::Change& change : changes)
    out.emplace_back(change.what);
  return out;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("one path after another has nothing to tell", "[apps][paths]") {
  PathWatch watch;
  CHECK(watch.look(Instant(1s), std::vector{path(0, 10)}).empty());
  CHECK(watch.look(Instant(2s), {}).empty());
  CHECK(watch.look(Instant(3s), std::vector{path(1, 5)}).empty());
  REQUIRE(watch.all().size() == 2);
  CHECK(watch.all()[0].bytes == 10);
  CHECK(watch.all()[1].bytes == 5);
}

TEST_CASE("paths join, fall silent, live again and go", "[apps][paths]") {
  PathWatch watch;
  CHECK(watch.look(Instant(1s), std::vector{path(0)}).empty());
  const auto joined = watch.look(Instant(2s), std::vector{path(0), path(1)});
  CHECK(words(joined) == Words{"joined"});
  CHECK(joined.front().path.tuple == path(1).tuple);
  CHECK(watch.look(Instant(3s), std::vector{path(0, 9), path(1, 7)}).empty());
  const auto stale = watch.look(Instant(5s), std::vector{path(0), path(1, 7, PathState::Stale)});
  CHECK(words(stale) == Words{"is stale"});
  CHECK(stale.front().after == 3s);
  CHECK(words(watch.look(Instant(6s), std::vector{path(0), path(1, 8)})) == Words{"lives again"});
  CHECK(words(watch.look(Instant(7s), std::vector{path(0)})) == Words{"is gone"});
  CHECK(watch.look(Instant(8s), std::vector{path(0)}).empty());
  CHECK(words(watch.look(Instant(9s), std::vector{path(0), path(1, 9)})) == Words{"joined"});
  REQUIRE(watch.all().size() == 2);
  CHECK(watch.all()[1].bytes == 9);
}

TEST_CASE("a backup is a path like another", "[apps][paths]") {
  PathWatch watch;
  watch.look(Instant(1s), std::vector{path(0)});
  CHECK(words(watch.look(Instant(2s), std::vector{path(0), path(1, 0, PathState::Backup)})) ==
        Words{"joined"});
  CHECK(watch.look(Instant(3s), std::vector{path(0), path(1, 5, PathState::Up)}).empty());
}

}  // namespace apps
