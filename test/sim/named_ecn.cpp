#include "test/sim/scenario.hpp"

namespace sim {

namespace {

using dataplane::tcp::EcnMode;

/// A download through a link that marks beyond `mark` octets of a queue for `queue`.
Scenario marked(const char* name, const char* about, std::uint64_t rate_bps, Duration one_way,
                std::size_t mark, std::size_t queue) {
  Scenario out;
  out.name = name;
  out.about = about;
  out.seed = 1;
  for (LinkConfig* link : {&out.up, &out.down}) {
    link->rate_bps = rate_bps;
    link->delay = one_way;
    link->mark_octets = mark;
    link->queue_octets = queue;
    link->queue_frames = 1'000'000;
  }
  for (Station* station : {&out.client, &out.server}) {
    station->tcp.ecn = EcnMode::On;
    station->tcp.time_wait = 1s;
    station->pool_packets = 20'000;
    station->burst = 64;
    station->turn_interval = 5us;
    station->back_pressure = false;
  }
  out.connections.resize(1);
  out.connections[0].server_app.octets = 60'000'000;
  out.connections[0].server_app.write_chunk = 1 << 20;
  out.connections[0].client_app.read_chunk = 1 << 20;
  out.goal = Goal{.quick = true};
  return out;
}

Scenario wide(const char* name, const char* about) {
  // A product of bandwidth and delay of 250,000 octets.
  return marked(name, about, 100'000'000, 10ms, 125'000, 1'000'000);
}

}  // namespace

std::vector<Scenario> ecn_scenarios() {
  std::vector<Scenario> all;

  Scenario cubic = wide("ecn-cubic", "100 Mbit/s, 20 ms, marks at half a window: nothing is lost");
  cubic.goal->utilisation = 0.90;
  cubic.goal->resends_nothing = cubic.goal->wants_marks = true;
  all.push_back(cubic);

  cubic.name = "ecn-lia-two-paths";
  cubic.about = "the same over two such paths, coupled";
  cubic.more_paths.resize(1);
  cubic.more_paths[0].up = cubic.up;
  cubic.more_paths[0].down = cubic.down;
  for (Station* station : {&cubic.client, &cubic.server}) {
    station->mptcp.enabled = true;
    station->tcp.congestion_control = cc::Kind::Lia;
  }
  all.push_back(cubic);

  // Queues that DCTCP keeps at the marking threshold; CUBIC and losses would fill all of it, 4 ms.
  Scenario dctcp = marked("dctcp-short-queue", "1 Gbit/s, 200 us, marks at a queue of 20 frames",
                          1'000'000'000, 100us, 30'000, 500'000);
  for (Station* station : {&dctcp.client, &dctcp.server}) {
    station->tcp.congestion_control = cc::Kind::Dctcp;
    station->tcp.ecn = EcnMode::Answer;  // It asks by itself.
  }
  dctcp.connections[0].server_app.octets = 200'000'000;
  dctcp.goal->utilisation = 0.95;
  dctcp.goal->resends_nothing = dctcp.goal->wants_marks = true;
  dctcp.goal->queue_at_most = 800us;
  all.push_back(dctcp);

  Scenario wvegas = wide("wvegas-two-paths", "two paths of 100 Mbit/s and 20 ms, by delay alone");
  wvegas.up.mark_octets = wvegas.down.mark_octets = 0;
  wvegas.more_paths.resize(1);
  wvegas.more_paths[0].up = wvegas.up;
  wvegas.more_paths[0].down = wvegas.down;
  for (Station* station : {&wvegas.client, &wvegas.server}) {
    station->mptcp.enabled = true;
    station->tcp.congestion_control = cc::Kind::Wvegas;
  }
  wvegas.goal->utilisation = 0.85;
  wvegas.goal->resends_nothing = true;
  wvegas.goal->queue_at_most = 20ms;
  all.push_back(wvegas);

  // Marks that nobody hears of: what fills the queue is lost in the end, as without ECN.
  for (const auto& [name, from] :
       {std::pair("ecn-bleached", kBleachIp), std::pair("ecn-bleached-answer", kBleachSynAck),
        std::pair("ecn-bleached-echo", kBleachLater)}) {
    Scenario bleached = wide(name, "the same behind a box that clears ECN");
    bleached.boxes = {{BoxKind::Bleach, from}};
    bleached.down.queue_octets = 300'000;
    bleached.goal->utilisation = 0.90;
    all.push_back(bleached);
  }
  return all;
}

}  // namespace sim
