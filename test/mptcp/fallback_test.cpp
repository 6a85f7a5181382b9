#include "mptcp/fallback.hpp"

#include <catch2/catch.hpp>

namespace mptcp::test {
namespace {

TEST_CASE("each cause of the fallback has its counter", "[mptcp][fallback][rfc8684-3.7]") {
  struct Row {
    FallbackCause cause;
    std::uint64_t Stats::*counter;
  };
  const Row row =
      GENERATE(Row{FallbackCause::SynAckWithoutOption, &Stats::mp_capable_fallback_syn_ack},
               Row{FallbackCause::AckWithoutOption, &Stats::mp_capable_fallback_ack},
               Row{FallbackCause::FirstSegmentWithout, &Stats::mp_capable_data_fallback},
               Row{FallbackCause::NeverDataAcked, &Stats::mp_capable_data_fallback},
               Row{FallbackCause::DataWithoutMapping, &Stats::dss_fallback},
               Row{FallbackCause::BadChecksum, &Stats::dss_corruption_fallback},
               Row{FallbackCause::PeerFellBack, &Stats::infinite_map_rx},
               Row{FallbackCause::SimultaneousOpen, &Stats::simult_connect_fallback});
  Fallback state;
  Stats stats;
  CHECK(state.enter(row.cause, true, true, stats));
  CHECK(state.is_infinite());
  CHECK(stats.*row.counter == 1);
  CHECK(state.enter(row.cause, true, true, stats));  // There is no way back, and no second fall.
  CHECK(stats.*row.counter == 1);
}

TEST_CASE("with another subflow or a hole there is no fallback", "[mptcp][fallback][rfc8684-3.7]") {
  Stats stats;
  Fallback state;
  state.on_keys_known();
  state.on_peer_confirmed();
  CHECK_FALSE(state.enter(FallbackCause::DataWithoutMapping, false, true, stats));
  CHECK_FALSE(state.enter(FallbackCause::DataWithoutMapping, true, false, stats));
  CHECK(stats.fallback_failed == 2);
  CHECK_FALSE(state.enter(FallbackCause::BadChecksum, false, true, stats));
  CHECK(stats.dss_corruption_reset == 1);
  CHECK(state.is_established());
}

TEST_CASE("a mapping that was seen rules out that the path takes all of them",
          "[mptcp][fallback][rfc8684-3.7]") {
  Stats stats;
  Fallback state;
  state.on_keys_known();
  CHECK(state.phase() == Fallback::Phase::Unconfirmed);
  state.on_peer_confirmed();
  state.on_mapping();
  CHECK_FALSE(state.enter(FallbackCause::DataWithoutMapping, true, true, stats));
  CHECK(state.enter(FallbackCause::PeerFellBack, true, true, stats));
}

}  // namespace
}  // namespace mptcp::test
