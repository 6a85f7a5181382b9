#include <catch2/catch.hpp>

#include "dataplane/tcp/isn.hpp"
#include "test/mptcp/core_pair.hpp"

// Requirements that show only where listeners, ports and secrets come together.
namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using tcp::SequenceSecrets;

FourTuple tuple(std::uint16_t remote_port) {
  return {{*IpAddress::parse("10.0.0.1"), 80}, {*IpAddress::parse("10.0.0.2"), remote_port}};
}

TEST_CASE("the initial sequence number follows a clock of 4 us, on a secret of the four-tuple",
          "[tcp][isn][rfc9293-3.4.1]") {
  const SequenceSecrets secrets(1, 2);
  const Instant start(1'000s);
  const SeqNum first = secrets.initial_sequence(tuple(5'000), start);
  CHECK(secrets.initial_sequence(tuple(5'000), start + 4ms) - first == 1'000);
  CHECK(secrets.initial_sequence(tuple(5'001), start) != first);
  CHECK(SequenceSecrets(1, 3).initial_sequence(tuple(5'000), start) != first);
}

TEST_CASE("the timestamp offset is a secret of the four-tuple", "[tcp][isn][rfc7323-7]") {
  const SequenceSecrets secrets(1, 2);
  CHECK(secrets.timestamp_offset(tuple(5'000)) == secrets.timestamp_offset(tuple(5'000)));
  CHECK(secrets.timestamp_offset(tuple(5'000)) != secrets.timestamp_offset(tuple(5'001)));
  CHECK(SequenceSecrets(1, 3).timestamp_offset(tuple(5'000)) !=
        secrets.timestamp_offset(tuple(5'000)));
}

TEST_CASE("a connection to a group or to all is refused", "[mptcp][core][rfc9293-3.9.2.3]") {
  CorePair pair;
  const auto to = GENERATE("224.0.0.1", "255.255.255.255", "10.0.0.255", "ff02::1");
  const auto id = pair.a.core.connect(
      pair.now, {.remote = {*IpAddress::parse(to), 80}, .local = {}, .tcp = {}});
  CHECK_FALSE(id.has_value());
}

TEST_CASE("an attempt that is broken off leaves the listener as it was",
          "[mptcp][core][rfc9293-3.5]") {
  CorePair pair;
  const Endpoint at{*IpAddress::parse("10.0.0.2"), 80};
  const auto listener = pair.b.core.listen(at);
  REQUIRE(listener.has_value());
  pair.run(1ms);  // Both have announced their addresses.
  const auto attempt = pair.a.core.connect(pair.now, {.remote = at, .local = {}, .tcp = {}});
  REQUIRE(attempt.has_value());
  // The SYN-ACK is lost, and the client gives up with a reset.
  int answers = 0;  // The first is that of ARP.
  pair.drop = [&](int direction) { return direction == 1 && ++answers > 1; };
  pair.run(10ms);
  pair.drop = nullptr;
  pair.a.core.abort(pair.now, *attempt);
  pair.run(100ms);
  CHECK(pair.b.core.connection_count() == 0);
  CHECK_FALSE(pair.b.core.accept(*listener).has_value());
  REQUIRE(pair.a.core.connect(pair.now, {.remote = at, .local = {}, .tcp = {}}).has_value());
  pair.run(100ms);
  CHECK(pair.b.core.accept(*listener).has_value());
}

}  // namespace
}  // namespace mptcp::test
