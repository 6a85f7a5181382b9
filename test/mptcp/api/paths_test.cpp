#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "test/mptcp/api/connected.hpp"

namespace mptcp::api::test {
namespace {

using Kind = PathChange::Kind;

/// Two nodes with one connection that has one path, and what a learns of its paths.
struct Driven : TwoNodes {
  Driven() {
    Config choice;
    choice.enabled = true;
    choice.path_manager = PathManagerKind::None;
    choice.scheduler = SchedulerKind::RoundRobin;
    error_code refused;
    acceptor.listen(kServer, refused, std::nullopt, choice);
    REQUIRE(!refused);
    Told connected;
    Told accepted;
    acceptor.async_accept([&](error_code why, Stream stream) {
      accepted.error = why;
      server = std::move(stream);
    });
    client.async_connect(
        Core::ConnectOptions{.remote = kServer, .local = {}, .tcp = {}, .mptcp = choice},
        connected.handler());
    REQUIRE(run_until([&] { return connected && accepted; }));
    // Until the peer has spoken there is one path (RFC 8684 §3.1).
    Told written;
    client.async_write_some(asio::buffer("ahoy", 4), written.handler());
    run_for(10ms);
    REQUIRE(client.info()->multipath);
    listen_for_changes();
  }
  void listen_for_changes() {
    client.async_path_change([this](error_code why, const PathChange& change) {
      end = why;
      if (why) return;
      changes.push_back(change);
      listen_for_changes();
    });
  }
  error_code command(const PathCommand& what) {
    Told told;
    client.async_command(what, told.handler());
    REQUIRE(run_until([&] { return bool(told); }));
    return *told.error;
  }
  std::size_t heard(Kind kind) const {
    return static_cast<std::size_t>(std::count_if(
        changes.begin(), changes.end(), [&](const PathChange& each) { return each.kind == kind; }));
  }

  Acceptor acceptor{b.runtime};
  Stream client{a.runtime};
  Stream server{b.runtime};
  std::vector<PathChange> changes;
  error_code end;
};

TEST_CASE("a stream opens, ranks and closes a path, and hears of it", "[api][path]") {
  Driven nodes;
  const OpenPath open{*dataplane::IpAddress::parse("fd00::1"), kServer6};
  CHECK(nodes.command(open) == error_code());
  nodes.run_for(10ms);
  REQUIRE(nodes.client.info()->subflows.size() == 2);
  CHECK(nodes.heard(Kind::Established) == 2);
  const auto path = nodes.client.info()->subflows[1].tuple;
  CHECK(nodes.command(SetBackup{path}) == error_code());
  nodes.run_for(10ms);
  CHECK(nodes.heard(Kind::BackupChanged) == 1);
  CHECK(nodes.server.info()->subflows[1].backup);
  CHECK(nodes.command(ClosePath{path}) == error_code());
  nodes.run_for(10ms);
  CHECK(nodes.heard(Kind::Closed) == 1);
  CHECK(nodes.changes.back().tuple == path);
}

TEST_CASE("a stream's command that is refused says why", "[api][path]") {
  Driven nodes;
  const auto path = nodes.client.info()->subflows[0].tuple;
  CHECK(nodes.command(ClosePath{path}) == make_error_code(Errc::OnlyPath));
  CHECK(nodes.command(SetBackup{{path.remote, path.local}}) == make_error_code(Errc::NoSuchPath));
  Stream closed(nodes.a.runtime);
  Told told;
  closed.async_command(ClosePath{path}, told.handler());
  REQUIRE(nodes.run_until([&] { return bool(told); }));
  CHECK(*told.error == asio::error::bad_descriptor);
}

TEST_CASE("no deadline cuts the wait for a change, the end of the connection does", "[api][path]") {
  Driven nodes;
  nodes.client.expires_after(1s);
  nodes.run_for(1ms);
  nodes.client.cancel();
  nodes.run_for(1ms);
  CHECK(nodes.end == asio::error::operation_aborted);
  nodes.listen_for_changes();
  nodes.run_for(5s);
  CHECK(nodes.client.is_open());
  nodes.server.abort();
  nodes.run_for(1s);
  CHECK(nodes.end == asio::error::eof);
}

}  // namespace
}  // namespace mptcp::api::test
