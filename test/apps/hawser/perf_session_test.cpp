#include "apps/hawser/perf_session.hpp"

#include <functional>
#include <memory>
#include <optional>

#include <catch2/catch.hpp>

#include "apps/hawser/path_samples.hpp"
#include "test/mptcp/core_pair.hpp"

using namespace apps;
using namespace apps::hawser;
using namespace std::chrono_literals;
using mptcp::test::CorePair;
using mptcp::test::TestHost;
using Role = PerfPlan::Role;

namespace {

/// One session at each end of a wire in virtual time.
struct PerfPair {
  PerfPair(const PerfPlan& client_plan, const PerfPlan& server_plan,
           const mptcp::CoreConfig& config = {})
      : wire(config), server_plan_(server_plan) {
    const dataplane::Endpoint at{*dataplane::IpAddress::parse("10.0.0.2"), 5201};
    REQUIRE(wire.b.core.listen(at));
    const auto socket = wire.a.core.connect(wire.now, {.remote = at, .local = {}, .tcp = {}});
    REQUIRE(socket);
    client = std::make_unique<PerfSession>(wire.a.core, pattern, *socket, client_plan, false);
  }

  /// Turns both hosts until `done`, or for ten minutes of their time.
  void run(const std::function<bool()>& done) {
    const Instant end = wire.now + 600s;
    while (!done() && wire.now < end) {
      take_events(wire.a, client);
      take_events(wire.b, server);
      bool busy = client && client->poll(wire.now);
      busy |= server && server->poll(wire.now);
      // A turn takes a while; without work, the next one comes later.
      wire.run(busy ? 50us : 1ms);
    }
    CHECK(done());
  }
  void run() {
    run([this] { return client->is_over() && server && server->is_over(); });
  }

  PerfPattern pattern;
  CorePair wire;
  std::unique_ptr<PerfSession> client;
  std::unique_ptr<PerfSession> server;

 private:
  void take_events(TestHost& host, std::unique_ptr<PerfSession>& session) {
    for (const mptcp::Event& event : CorePair::events(host)) {
      if (event.kind == mptcp::Event::Kind::Acceptable) {
        const auto socket = host.core.accept(event.socket);
        REQUIRE(socket);
        session = std::make_unique<PerfSession>(host.core, pattern, *socket, server_plan_, true);
      } else if (session && !session->is_over()) {
        session->on_event(wire.now, event);
      }
    }
  }

  PerfPlan server_plan_;
};

PerfPlan client_of(bool sends, bool receives, std::uint64_t octets) {
  PerfPlan plan;
  plan.role = Role::Client;
  plan.sends = sends;
  plan.receives = receives;
  plan.verify = true;
  plan.octets = octets;
  plan.request = {.client_sends = sends,
                  .server_sends = receives,
                  .verify = true,
                  .send_octets = receives ? octets : 0,
                  .send_time = {}};
  return plan;
}

PerfPlan plain(bool sends, bool receives) {
  PerfPlan plan;
  plan.role = Role::Plain;
  plan.sends = sends;
  plan.receives = receives;
  plan.verify = true;
  return plan;
}

}  // namespace

TEST_CASE("a perf test moves its octets in the directions it was asked to", "[apps][perf]") {
  const bool sends = GENERATE(true, false);
  const bool receives = GENERATE(true, false);
  const std::uint64_t octets = GENERATE(1U, 64U, 65'521U, 3'000'000U);
  if (!sends && !receives) return;
  PerfPair pair(client_of(sends, receives, octets), {});
  pair.run();
  CHECK_FALSE(pair.client->failure());
  CHECK_FALSE(pair.server->failure());
  CHECK(pair.server->received() == (sends ? octets : 0));
  CHECK(pair.client->received() == (receives ? octets : 0));
  CHECK(pair.client->mismatches() + pair.server->mismatches() == 0);
  REQUIRE(pair.client->result());
  CHECK(pair.client->result()->received == pair.server->received());
  CHECK(pair.client->result()->sent == pair.client->received());
}

TEST_CASE("a perf session remembers what its paths carried", "[apps][perf]") {
  mptcp::CoreConfig config;
  config.mptcp.enabled = true;
  PerfPair pair(client_of(true, false, 3'000'000), {}, config);
  pair.run();
  REQUIRE(pair.client->paths().size() == 1);
  CHECK(pair.client->paths()[0].bytes >= 3'000'000);
  auto paths = pair.client->paths();
  paths.push_back(paths[0]);
  paths.back().tuple.local.port ^= 1U;
  const auto links = by_addresses(paths);
  REQUIRE(links.size() == 1);
  CHECK(links[0].bytes == 2 * paths[0].bytes);
  CHECK_THAT(format_links(links, 1s), Catch::Contains("path 10.0.0.1 > 10.0.0.2: "));
  CHECK_THAT(format_links(links, 1s), Catch::Contains("100 %"));
  CHECK(path_array(paths, 1s).size() == 2);
}

TEST_CASE("a perf test ends when its time is over", "[apps][perf]") {
  PerfPlan plan = client_of(true, true, 0);
  plan.octets = std::nullopt;
  plan.time = 5ms;
  plan.request.send_time = 5ms;
  PerfPair pair(plan, {});
  const Instant start = pair.wire.now;
  pair.run();
  CHECK_FALSE(pair.client->failure());
  CHECK(pair.wire.now - start >= 5ms);
  CHECK(pair.wire.now - start < 50ms);
  CHECK(pair.client->received() > 0);
  CHECK(pair.server->received() == pair.client->sent());
}

TEST_CASE("a plain sender knows what a sink has taken", "[apps][perf]") {
  PerfPlan plan = plain(true, false);
  plan.octets = 1'000'000;
  PerfPair pair(plan, plain(false, true));
  pair.run();
  CHECK_FALSE(pair.client->failure());
  CHECK(pair.client->info().bytes_acked >= 1'000'000);
  CHECK(pair.server->received() == 1'000'000);
  CHECK(pair.server->mismatches() == 0);
}

TEST_CASE("a plain reader leaves a source when it has enough", "[apps][perf]") {
  PerfPlan plan = plain(false, true);
  plan.octets = 1'000'000;
  PerfPair pair(plan, plain(true, false));
  pair.run();
  CHECK_FALSE(pair.client->failure());
  CHECK_FALSE(pair.server->failure());
  CHECK(pair.client->received() >= 1'000'000);
  CHECK(pair.client->mismatches() == 0);
}

TEST_CASE("a peer that speaks no perf is refused with a word on what to use", "[apps][perf]") {
  PerfPlan plan = plain(true, false);
  plan.octets = 1000;
  PerfPair pair(plan, {});
  pair.run();
  REQUIRE(pair.server->failure());
  CHECK(pair.server->failure()->code == ExitCode::Peer);
  CHECK_THAT(pair.server->failure()->message, Catch::Contains("--sink"));
}

TEST_CASE("a peer that vanishes is noticed by what does not move", "[apps][perf]") {
  PerfPlan plan = client_of(true, false, 0);
  plan.octets = std::nullopt;
  plan.time = 1h;
  PerfPair pair(plan, {});
  pair.run([&] { return pair.server && pair.server->received() > 100'000; });
  pair.wire.drop = [](int) { return true; };
  pair.run([&] {
    if (pair.wire.now - pair.client->last_progress(pair.wire.now) > 5s)
      pair.client->give_up(pair.wire.now, 5s);
    return pair.client->is_over();
  });
  REQUIRE(pair.client->failure());
  CHECK(pair.client->failure()->code == ExitCode::TimedOut);
}

TEST_CASE("a port where nobody listens is a connection that fails", "[apps][perf]") {
  PerfPattern pattern;
  CorePair wire;
  const dataplane::Endpoint at{*dataplane::IpAddress::parse("10.0.0.2"), 9};
  const auto socket = wire.a.core.connect(wire.now, {.remote = at, .local = {}, .tcp = {}});
  REQUIRE(socket);
  PerfSession client(wire.a.core, pattern, *socket, client_of(true, false, 1), false);
  wire.run(10ms);
  for (const mptcp::Event& event : CorePair::events(wire.a))
    client.on_event(wire.now, event);
  REQUIRE(client.failure());
  CHECK(client.failure()->code == ExitCode::Connect);
}
