#include <algorithm>

#include <catch2/catch.hpp>

#include "test/mptcp/multipath_pair.hpp"
#include "test/mptcp/opening.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;

using dataplane::FourTuple;
using dataplane::IpAddress;
using Kind = PathChange::Kind;

CoreConfig driven_by_the_program() {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.path_manager = PathManagerKind::None;
  config.mptcp.announce = false;
  return config;
}

std::vector<PathChange> changes(Core& core, SocketId socket) {
  std::vector<PathChange> out;
  while (const auto change = core.next_path_change(socket))
    out.push_back(*change);
  return out;
}
bool has(const std::vector<PathChange>& changes, Kind kind) {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const PathChange& change) { return change.kind == kind; });
}
IpAddress address(const char* text) { return *IpAddress::parse(text); }
Endpoint endpoint(const char* text) { return *Endpoint::parse(text); }

std::vector<SubflowInfo> paths(Core& core, SocketId socket) { return core.info(socket)->subflows; }
bool any_backup(Core& core, SocketId socket) {
  const auto all = paths(core, socket);
  return std::any_of(all.begin(), all.end(), [](const SubflowInfo& path) { return path.backup; });
}
FourTuple path_on(Core& core, SocketId socket, std::size_t port) {
  for (const SubflowInfo& path : paths(core, socket))
    if (path.port == static_cast<PortIndex>(port)) return path.tuple;
  FAIL("no path on that port");
  return {};
}
std::size_t path_count(Core& core, SocketId socket) { return paths(core, socket).size(); }

TEST_CASE("a program opens and closes paths itself", "[mptcp][path][api][rfc8684-3.2]") {
  MultipathPair pair(2, driven_by_the_program(), driven_by_the_program());
  Opened opened(pair);
  REQUIRE(path_count(pair.a.core, opened.client) == 1);
  REQUIRE(opened.up(1'000));
  pair.run(10ms);
  changes(pair.a.core, opened.client);
  changes(pair.b.core, opened.server);

  const bool from_server = GENERATE(false, true);
  Core& opener = from_server ? pair.b.core : pair.a.core;
  const SocketId socket = from_server ? opened.server : opened.client;
  const Endpoint peer = from_server
                            ? Endpoint{address("10.0.1.1"), opener.info(socket)->tuple.remote.port}
                            : endpoint("10.0.1.2:80");
  const IpAddress own = address(from_server ? "10.0.1.2" : "10.0.1.1");
  REQUIRE(opener.command(pair.now, socket, OpenPath{own, peer}));
  pair.run(100ms);
  CHECK(path_count(pair.a.core, opened.client) == 2);
  CHECK(path_count(pair.b.core, opened.server) == 2);
  CHECK(has(changes(pair.a.core, opened.client), Kind::Established));
  CHECK(has(changes(pair.b.core, opened.server), Kind::Established));
  CHECK(opened.up(1'000'000));
  CHECK(pair.carried[1] > 100'000);

  REQUIRE(opener.command(pair.now, socket, ClosePath{path_on(opener, socket, 1)}));
  CHECK(opened.up(1'000'000));
  pair.run(2min);
  CHECK(path_count(opener, socket) == 1);
  const auto told = changes(opener, socket);
  REQUIRE(has(told, Kind::Closed));
  CHECK(has(
      changes(from_server ? pair.a.core : pair.b.core, from_server ? opened.client : opened.server),
      Kind::Closed));
}

TEST_CASE("a path that the program closed stays closed", "[mptcp][path][api]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(path_count(pair.a.core, opened.client) == 2);
  const FourTuple path = path_on(pair.a.core, opened.client, 1);
  // Also when nothing answers there, where a FIN would wait for ever.
  const bool dead = GENERATE(false, true);
  if (dead) {
    pair.dead[1] = true;
    REQUIRE(opened.up(500'000));
  }
  REQUIRE(pair.a.core.command(pair.now, opened.client, ClosePath{path}));
  CHECK(opened.up(300'000));
  pair.dead[1] = false;
  pair.run(3min);
  CHECK(path_count(pair.a.core, opened.client) == 1);
  // Until it asks for it.
  REQUIRE(pair.a.core.command(pair.now, opened.client,
                              OpenPath{path.local.address, path.remote, true}));
  pair.run(100ms);
  REQUIRE(path_count(pair.a.core, opened.client) == 2);
  CHECK(any_backup(pair.a.core, opened.client));
  CHECK(any_backup(pair.b.core, opened.server));
}

TEST_CASE("either side makes a path a backup", "[mptcp][path][api][rfc8684-3.3.8]") {
  MultipathPair pair;
  Opened opened(pair);
  const bool by_server = GENERATE(false, true);
  Core& core = by_server ? pair.b.core : pair.a.core;
  const SocketId socket = by_server ? opened.server : opened.client;
  changes(pair.a.core, opened.client);
  changes(pair.b.core, opened.server);
  REQUIRE(core.command(pair.now, socket, SetBackup{path_on(core, socket, 1), true}));
  pair.run(50ms);
  CHECK(pair.a.core.stats().mptcp.mp_prio_tx + pair.b.core.stats().mptcp.mp_prio_tx == 1);
  CHECK(pair.a.core.stats().mptcp.mp_prio_rx + pair.b.core.stats().mptcp.mp_prio_rx == 1);
  CHECK(has(changes(pair.a.core, opened.client), Kind::BackupChanged));
  CHECK(has(changes(pair.b.core, opened.server), Kind::BackupChanged));
  const auto before = pair.carried[1];
  CHECK(opened.up(1'000'000));
  CHECK(opened.down(1'000'000));
  CHECK(pair.carried[1] - before < 50'000);
  REQUIRE(core.command(pair.now, socket, SetBackup{path_on(core, socket, 1), false}));
  pair.run(50ms);
  CHECK(opened.up(4'000'000));
  CHECK(pair.carried[1] - before > 100'000);
}

TEST_CASE("an address is announced and withdrawn while data flows",
          "[mptcp][path][api][rfc8684-3.4]") {
  CoreConfig quiet = MultipathPair::multipath();
  quiet.mptcp.announce = false;
  MultipathPair pair(2, MultipathPair::multipath(), quiet);
  Opened opened(pair);
  // Each port of the client has a way to the server's only known address already.
  pair.run(1s);
  changes(pair.a.core, opened.client);
  REQUIRE(pair.b.core.command(pair.now, opened.server, AnnounceAddress{address("10.0.1.2")}));
  pair.run(1s);
  auto told = changes(pair.a.core, opened.client);
  REQUIRE(has(told, Kind::AddressAnnounced));
  const auto announced = std::find_if(told.begin(), told.end(), [](const PathChange& change) {
    return change.kind == Kind::AddressAnnounced;
  });
  CHECK(announced->tuple.remote == endpoint("10.0.1.2:80"));
  CHECK(announced->address_id == AddressId{2});
  CHECK(pair.b.core.stats().mptcp.echo_add == 1);
  CHECK(opened.up(500'000));
  CHECK(pair.carried[1] > 100'000);

  const auto octets = noise(300'000);
  const std::size_t written = pair.a.core.write(pair.now, opened.client, octets);
  pair.run(2ms);
  REQUIRE(pair.b.core.command(pair.now, opened.server, WithdrawAddresses{{address("10.0.1.2")}}));
  pair.run(2s);
  std::vector<std::byte> got;
  while (Packet packet = pair.b.core.read_packet(pair.now, opened.server))
    got.insert(got.end(), packet.data().begin(), packet.data().end());
  CHECK(got.size() == written);
  CHECK(std::equal(got.begin(), got.end(), octets.begin()));
  told = changes(pair.a.core, opened.client);
  CHECK(has(told, Kind::AddressRemoved));
  CHECK(pair.b.core.stats().mptcp.rm_addr_tx == 1);
  CHECK(pair.a.core.stats().mptcp.rm_addr == 1);
  for (const SubflowInfo& path : paths(pair.b.core, opened.server))
    CHECK(path.tuple.local.address == address("10.0.0.2"));
  // It is not to be had by asking either.
  const auto refused = pair.b.core.stats().mptcp.mp_join_rejected;
  REQUIRE(pair.a.core.command(pair.now, opened.client,
                              OpenPath{address("10.0.1.1"), endpoint("10.0.1.2:80")}));
  pair.run(1s);
  CHECK(pair.b.core.stats().mptcp.mp_join_rejected > refused);
  CHECK(has(changes(pair.a.core, opened.client), Kind::Failed));
}

TEST_CASE("a host that has no room for further subflows does not try without end",
          "[mptcp][path]") {
  CoreConfig full = MultipathPair::multipath();
  full.max_connections = 1;
  // With seven announced addresses there are more pairs than the table of failed ones knows.
  MultipathPair pair(8, full);
  Opened opened(pair);
  pair.run(10s);
  CHECK(path_count(pair.a.core, opened.client) == 1);
  CHECK(opened.up(1'000));
}

TEST_CASE("no more than two ACKs in a row are there for their options",
          "[mptcp][path][api][rfc8684-3]") {
  MultipathPair pair(6, driven_by_the_program(), driven_by_the_program());
  Opened opened(pair);
  std::vector<Instant> said;
  pair.box = [&](int, std::size_t, std::vector<std::byte>& frame) {
    if (Opening(frame).option(kRemoveAddr) != 0) said.push_back(pair.now);
    return true;
  };
  for (const char* text : {"10.0.1.2", "10.0.2.2", "10.0.3.2", "10.0.4.2", "10.0.5.2"})
    REQUIRE(pair.b.core.command(pair.now, opened.server, WithdrawAddresses{{address(text)}}));
  pair.run(5s);
  REQUIRE(said.size() == 5);
  CHECK(pair.a.core.stats().mptcp.rm_addr == 5);
  CHECK(said[1] - said[0] < 1ms);
  CHECK(said[2] - said[1] > 100ms);
  CHECK(said[4] - said[3] > 100ms);
  CHECK(opened.up(100'000));
}

TEST_CASE("the first address goes as any other", "[mptcp][path][api][rfc8684-3.4.2]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(path_count(pair.a.core, opened.client) == 2);
  const bool by_server = GENERATE(false, true);
  Core& core = by_server ? pair.b.core : pair.a.core;
  const SocketId socket = by_server ? opened.server : opened.client;
  const IpAddress first = address(by_server ? "10.0.0.2" : "10.0.0.1");
  REQUIRE(core.command(pair.now, socket, WithdrawAddresses{{first}}));
  pair.run(5s);
  for (const SubflowInfo& path : paths(core, socket))
    CHECK(path.tuple.local.address != first);
  CHECK(opened.up(500'000));
  CHECK(opened.down(500'000));
}

TEST_CASE("an address has the id that the program gave it", "[mptcp][path][api][rfc8684-3.2]") {
  MultipathPair pair(2, driven_by_the_program(), driven_by_the_program());
  CHECK_FALSE(pair.b.core.number_address(address("10.0.9.9"), AddressId{7}));
  CHECK_FALSE(pair.b.core.number_address(address("10.0.1.2"), AddressId{0}));
  REQUIRE(pair.b.core.number_address(address("10.0.1.2"), AddressId{7}));
  // 10.0.0.2 had 1, which goes to the other.
  REQUIRE(pair.b.core.number_address(address("10.0.1.2"), AddressId{1}));
  REQUIRE(pair.b.core.number_address(address("10.0.0.2"), AddressId{9}));
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  REQUIRE(pair.b.core.command(pair.now, opened.server, AnnounceAddress{address("10.0.1.2")}));
  pair.run(50ms);
  const auto heard = changes(pair.a.core, opened.client);
  const auto announced = std::find_if(heard.begin(), heard.end(), [](const PathChange& change) {
    return change.kind == Kind::AddressAnnounced;
  });
  REQUIRE(announced != heard.end());
  CHECK(announced->address_id == AddressId{1});
}

TEST_CASE("commands that cannot be carried out say why", "[mptcp][path][api]") {
  CoreConfig config = driven_by_the_program();
  config.mptcp.max_subflows = 2;
  MultipathPair pair(2, config, config);
  Opened opened(pair);
  REQUIRE(opened.up(1'000));
  pair.run(10ms);
  Core& core = pair.a.core;
  const auto why = [&](const PathCommand& command) {
    const auto done = core.command(pair.now, opened.client, command);
    REQUIRE_FALSE(done);
    return done.error();
  };
  const FourTuple first = path_on(core, opened.client, 0);
  CHECK(why(ClosePath{first}) == SocketError::OnlyPath);
  CHECK(why(WithdrawAddresses{{first.local.address}}) == SocketError::OnlyPath);
  CHECK(why(ClosePath{{first.local, endpoint("10.0.0.2:81")}}) == SocketError::NoSuchPath);
  CHECK(why(SetBackup{{first.local, endpoint("10.0.0.2:81")}}) == SocketError::NoSuchPath);
  CHECK(why(AnnounceAddress{address("10.0.0.77")}) == SocketError::AddressNotAvailable);
  CHECK(why(WithdrawAddresses{{address("10.0.0.77")}}) == SocketError::AddressNotAvailable);
  CHECK(why(OpenPath{address("10.0.0.77"), first.remote}) == SocketError::AddressNotAvailable);
  CHECK(why(OpenPath{address("10.0.1.1"), endpoint("[fd00::2]:80")}) == SocketError::NoRoute);
  REQUIRE(core.command(pair.now, opened.client,
                       OpenPath{address("10.0.1.1"), endpoint("10.0.1.2:80")}));
  CHECK(why(OpenPath{address("10.0.1.1"), endpoint("10.0.1.2:80")}) == SocketError::TooManyPaths);
  core.close(pair.now, opened.client);
  CHECK(why(ClosePath{first}) == SocketError::NoSuchSocket);
}

TEST_CASE("a program hears of a path that dies and comes back", "[mptcp][path][api]") {
  MultipathPair pair;
  Opened opened(pair);
  changes(pair.a.core, opened.client);
  MultipathPair::events(pair.a);
  pair.dead[1] = true;
  REQUIRE(opened.up(500'000));
  const auto events = MultipathPair::events(pair.a);
  CHECK(std::count_if(events.begin(), events.end(), [](const Event& event) {
          return event.kind == Event::Kind::PathChanged;
        }) == 1);
  CHECK(has(changes(pair.a.core, opened.client), Kind::Stale));
  pair.dead[1] = false;
  pair.run(5s);
  const auto told = changes(pair.a.core, opened.client);
  CHECK((has(told, Kind::Recovered) || has(told, Kind::Established)));
}

TEST_CASE("a program hears of the fallback and its cause", "[mptcp][fallback][api]") {
  MultipathPair pair(2, MultipathPair::multipath(), CoreConfig{});
  Opened opened(pair);
  const auto told = changes(pair.a.core, opened.client);
  REQUIRE(told.size() >= 1);
  CHECK(told.front().kind == Kind::FellBack);
  CHECK(told.front().cause == FallbackCause::SynAckWithoutOption);
  const auto refused =
      pair.a.core.command(pair.now, opened.client, AnnounceAddress{address("10.0.1.1")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == SocketError::NotMultipath);
}

}  // namespace
}  // namespace mptcp::test
