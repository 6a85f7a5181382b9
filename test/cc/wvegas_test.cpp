#include "cc/wvegas.hpp"

#include <catch2/catch.hpp>

#include "test/cc/path.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr double kSegment = Path::kSegment;
/// 100 Mbit/s.
constexpr double kRate = 12'500'000;

/// The path of a subflow that has found its window, with a queue that loses nothing.
Path settled(const PathConfig& config, Duration span) {
  Path path(Kind::Wvegas, config);
  path.run(span);
  path.take_longest_wait();
  return path;
}

/// What of the window is more than the path holds, in segments.
double queued_segments(Path& path) {
  const double held =
      path.config().rate * std::chrono::duration<double>(path.config().round_trip).count();
  return (static_cast<double>(window(path.controller())) - held) / kSegment;
}

}  // namespace

TEST_CASE("wVegas alone keeps ten segments in the queue and loses none", "[cc][wvegas]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 5s);
  CHECK(path.utilisation(10s) > 0.99);
  const double queued = queued_segments(path);
  CHECK(queued > 6);
  CHECK(queued < 14);
  CHECK(path.lost() == 0);
}

TEST_CASE("wVegas holds at 100 Gbit/s and 20 us", "[cc][wvegas]") {
  Path path = settled({.rate = 12.5e9, .round_trip = 20us, .buffer = 4'000'000}, 20ms);
  CHECK(path.utilisation(20ms) > 0.97);
  CHECK(queued_segments(path) < 20);
  CHECK(path.lost() == 0);
}

TEST_CASE("the target of all subflows is shared out by their rates", "[cc][wvegas][coupled]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 5s);
  const double alone = queued_segments(path);
  // This one has half of the rate of all, and then a hundredth.
  const auto share = [&](double part) {
    on_coupling(path.controller(), {.paths = 2, .total = 0, .rate = kRate / part});
    path.run(3s);
    return queued_segments(path);
  };
  const double half = share(0.5);
  CHECK(half == Approx(alone / 2).margin(2));
  // Two segments at the least: a path with none would never be seen to be free.
  CHECK(share(0.01) < half);
  CHECK(path.utilisation(2s) > 0.94);
}

TEST_CASE("a subflow of wVegas tells its window and its round trip", "[cc][wvegas][coupled]") {
  Path path(Kind::Wvegas, {.rate = kRate, .round_trip = 20ms, .buffer = 400'000});
  CHECK(sibling(path.controller())->rtt == 0);
  path.run(2s);
  const Sibling own = sibling(path.controller()).value();
  CHECK(own.rtt == Approx(0.021).epsilon(0.1));
  CHECK(own.cwnd / own.rtt == Approx(kRate).epsilon(0.1));
}

TEST_CASE("a window of two segments grows", "[cc][wvegas]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 1s);
  for (int i = 0; i < 20; ++i)
    on_ecn(path.controller(), path.now(), window(path.controller()));
  REQUIRE(window(path.controller()) == 2 * Path::kSegment);
  path.run(400ms);
  CHECK(window(path.controller()) > 10 * Path::kSegment);
}

TEST_CASE("where others fill the queue wVegas makes room", "[cc][wvegas]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 5s);
  const std::uint64_t before = window(path.controller());
  path.config().rate /= 4;
  path.run(5s);
  CHECK(window(path.controller()) < before / 2);
  CHECK(path.utilisation(5s) > 0.97);
}

TEST_CASE("losses and marks halve the window of wVegas", "[cc][wvegas]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 5s);
  AnyController& controller = path.controller();
  const std::uint64_t before = window(controller);
  SECTION("a loss, which may be undone") {
    on_loss(controller, path.now(), before);
    CHECK(window(controller) == before / 2);
    on_undo(controller);
    CHECK(window(controller) == before);
  }
  SECTION("a mark, which is never undone") {
    on_ecn(controller, path.now(), before);
    CHECK(window(controller) == before / 2);
    on_undo(controller);
    CHECK(window(controller) == before / 2);
  }
}

TEST_CASE("a path that has become longer is measured anew", "[cc][wvegas]") {
  Path path = settled({.rate = kRate, .round_trip = 20ms, .buffer = 400'000}, 5s);
  path.config().round_trip = 40ms;  // Which looks like a queue of 20 ms.
  path.run(15s);
  CHECK(path.utilisation(20s) > 0.97);
  CHECK(queued_segments(path) < 14);
}
