#include <catch2/catch.hpp>

#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

namespace {

/// Past slow start, with a window of about `segments`.
Flow settled(Kind kind, std::uint64_t segments) {
  Flow flow(kind);
  flow.open_to(segments);
  on_loss(flow.controller(), flow.now(), segments * kMss);
  flow.round(true, true);
  flow.round();
  return flow;
}

double kept_after_mark(Flow& flow) {
  const auto before = static_cast<double>(flow.window_octets());
  on_ecn(flow.controller(), flow.now(), flow.window_octets());
  CHECK(ssthresh(flow.controller()) == flow.window_octets());
  return static_cast<double>(flow.window_octets()) / before;
}

}  // namespace

TEST_CASE("a mark leaves more of the window than a loss does", "[cc][ecn][rfc8511-3.1]") {
  Flow reno = settled(Kind::NewReno, 640);
  CHECK(kept_after_mark(reno) == Approx(0.8).epsilon(0.01));
  Flow cubic = settled(Kind::Cubic, 640);
  CHECK(kept_after_mark(cubic) == Approx(0.85).epsilon(0.01));
}

TEST_CASE("a mark in slow start is answered like a loss", "[cc][ecn][rfc8511-1]") {
  Flow reno(Kind::NewReno);
  reno.open_to(640);
  CHECK(kept_after_mark(reno) == Approx(0.5).epsilon(0.01));
  Flow cubic(Kind::Cubic);
  cubic.open_to(640);
  CHECK(kept_after_mark(cubic) == Approx(0.7).epsilon(0.01));
}

TEST_CASE("coupled controllers answer a mark like a loss", "[cc][ecn][coupled]") {
  Flow flow = settled(GENERATE(Kind::Lia, Kind::Olia, Kind::Balia), 640);
  CHECK(kept_after_mark(flow) == Approx(0.5).epsilon(0.01));
}

TEST_CASE("no undo takes the answer to a mark back", "[cc][ecn]") {
  Flow flow = settled(GENERATE(Kind::NewReno, Kind::Cubic, Kind::Lia), 640);
  kept_after_mark(flow);
  const auto after = flow.window_octets();
  on_undo(flow.controller());
  CHECK(flow.window_octets() == after);
}

TEST_CASE("marks leave two segments", "[cc][ecn][rfc5681-3.1]") {
  Flow flow(GENERATE(Kind::NewReno, Kind::Cubic, Kind::Lia));
  for (int i = 0; i < 30; ++i)
    on_ecn(flow.controller(), flow.now(), flow.window_octets());
  CHECK(flow.segments() == 2);
}

TEST_CASE("BBR does not answer marks, and says so", "[cc][ecn]") {
  Flow flow(Kind::Bbr);
  CHECK_FALSE(heeds_ecn(flow.controller()));
  CHECK(heeds_ecn(Flow(Kind::Cubic).controller()));
}
