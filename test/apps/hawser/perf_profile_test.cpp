#include "apps/hawser/perf_profile.hpp"

#include <catch2/catch.hpp>

namespace apps::hawser::test {
namespace {

TEST_CASE("a profile counts from the first note to the last", "[hawser][perf]") {
  dataplane::dpdk::LoopStats stats;
  stats.rx_frames = stats.rx_bursts = stats.busy_cycles = stats.engine_cycles = 1'000'000;
  PerfProfile profile;
  profile.note(stats);
  stats.rx_frames += 900;
  stats.rx_bursts += 30;
  stats.tx_frames += 100;
  stats.tx_bursts += 100;
  stats.rx_cycles += 200'000;
  stats.engine_cycles += 300'000;
  stats.busy_cycles += 600'000;
  profile.note(stats);
  stats.idle_cycles += 200'000;
  profile.note(stats);

  const boost::json::object fields = profile.fields(3);
  CHECK(fields.at("core").to_number<int>() == 3);
  CHECK(fields.at("busy_share").as_double() == Approx(0.75));
  CHECK(fields.at("rx_frames").to_number<int>() == 900);
  CHECK(fields.at("rx_frames_per_burst").as_double() == Approx(30));
  CHECK(fields.at("tx_frames_per_burst").as_double() == Approx(1));
  const auto& cycles = fields.at("cycles_per_frame").as_object();
  CHECK(cycles.at("rx").as_double() == Approx(200));
  CHECK(cycles.at("engine").as_double() == Approx(300));
  CHECK(cycles.at("tx").as_double() == Approx(0));
  CHECK(profile.text(3) ==
        "core 3: 75 % busy; 900 frames in, 30.0 a burst; 100 out, 1.0 a burst; 0 sleeps\n"
        "  cycles per frame: device in 200, engine 300, application 0, device out 0");
}

TEST_CASE("a profile of nothing divides by nothing", "[hawser][perf]") {
  CHECK(PerfProfile().fields(0).at("busy_share").as_double() == 0);
}

}  // namespace
}  // namespace apps::hawser::test
