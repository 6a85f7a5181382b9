#include "apps/common/config.hpp"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace apps;
using namespace std::chrono_literals;

namespace {

Machine two_cores() { return {{0, 1}}; }

constexpr const char* kPort = R"([[port]]
id = "p0"
device = "net_af_packet0,iface=veth-a0"
address = "10.9.0.1/24"
)";

Config accepted(const std::string& text) {
  ConfigResult result = parse_config(text, "a.toml", two_cores());
  if (!result) FAIL(to_string(result.error().front()));
  return *std::move(result);
}

/// All that is said about a file that is refused.
std::string refusal(const std::string& text) {
  const ConfigResult result = parse_config(text, "a.toml", two_cores());
  REQUIRE_FALSE(result);
  std::string all;
  for (const Diagnostic& diagnostic : result.error())
    all += to_string(diagnostic) + "\n";
  return all;
}

using Catch::Contains;
using Catch::StartsWith;

}  // namespace

TEST_CASE("the file of the design reads as it is meant", "[apps][config]") {
  const Config config = accepted(R"([engine]
cores = [0]
memory = "512MiB"
hugepages = false
idle = "adaptive"

[[port]]
id = "p0"
device = "net_af_packet0,iface=veth-a0"
address = ["10.9.0.1/24", "fd00:9:0::1/64"]
gateway = "10.9.0.254"
mtu = 1500
backup = false

[mptcp]
scheduler = "min-rtt"
path_manager = "fixed-pairs"
congestion_control = "cubic"
checksum = false
)");
  CHECK(config.node.cores == std::vector<unsigned>{0});
  CHECK(config.node.memory == 512UL << 20);
  CHECK_FALSE(config.node.hugepages);
  CHECK(config.node.idle.mode == dataplane::dpdk::IdleMode::Adaptive);
  REQUIRE(config.node.ports.size() == 1);
  const auto& port = config.node.ports[0];
  CHECK(port.id == "p0");
  CHECK(port.device == "net_af_packet0,iface=veth-a0");
  REQUIRE(port.addresses.size() == 2);
  CHECK(port.addresses[0].to_string() == "10.9.0.1/24");
  CHECK(port.addresses[1].to_string() == "fd00:9::1/64");
  REQUIRE(port.gateway_v4);
  CHECK(port.gateway_v4->to_string() == "10.9.0.254");
  CHECK_FALSE(port.gateway_v6);
  CHECK(port.mtu == 1500);
  CHECK(config.tcp.congestion_control == cc::Kind::Cubic);
  CHECK(config.notes.empty());
}

TEST_CASE("the example of --help is a valid file without notes", "[apps][config]") {
  CHECK(accepted(std::string(example_config())).notes.empty());
}

TEST_CASE("a file with one port has defaults for all else", "[apps][config]") {
  const Config config = accepted(kPort);
  CHECK(config.node.ports[0].mtu == 1500);
  CHECK(config.node.cores.empty());
  CHECK(config.notes.empty());
}

TEST_CASE("every tcp key reaches the engine's configuration", "[apps][config]") {
  const dataplane::tcp::Config tcp = accepted(std::string(kPort) + R"([tcp]
rto_min = "5ms"
rto_max = "30s"
rto_initial = "500ms"
syn_retries = 3
user_timeout = "2min"
keepalive_idle = "1h"
keepalive_interval = "5s"
keepalive_probes = 4
delayed_ack = "10ms"
time_wait = "1s"
fin_wait_2 = "2s"
ecn = "on"
nagle = true
timestamps = false
sack = false
window_scaling = false
mtu_probing = "off"
receive_buffer_initial = "64KiB"
receive_buffer_max = "1GiB"
send_buffer_initial = 65536
send_buffer_max = "32MiB"
initial_window_segments = 32
[mptcp]
congestion_control = "reno"
)")
                                         .tcp;
  CHECK(tcp.rto_min == 5ms);
  CHECK(tcp.rto_max == 30s);
  CHECK(tcp.rto_initial == 500ms);
  CHECK(tcp.syn_retries == 3);
  CHECK(tcp.user_timeout == 120s);
  CHECK(tcp.keepalive_idle == 1h);
  CHECK(tcp.keepalive_interval == 5s);
  CHECK(tcp.keepalive_probes == 4);
  CHECK_FALSE(tcp.mtu_probing);
  CHECK(tcp.delayed_ack == 10ms);
  CHECK(tcp.time_wait == 1s);
  CHECK(tcp.fin_wait_2 == 2s);
  CHECK(tcp.ecn == dataplane::tcp::EcnMode::On);
  CHECK(tcp.nagle);
  CHECK_FALSE(tcp.timestamps);
  CHECK_FALSE(tcp.sack);
  CHECK_FALSE(tcp.window_scaling);
  CHECK(tcp.receive_buffer_initial == 65'536);
  CHECK(tcp.receive_buffer_max == 1U << 30);
  CHECK(tcp.send_buffer_initial == 65'536);
  CHECK(tcp.send_buffer_max == 32U << 20);
  CHECK(tcp.initial_window_segments == 32);
  CHECK(tcp.congestion_control == cc::Kind::NewReno);
}

TEST_CASE("an unknown key is an error with its line and the likely name", "[apps][config]") {
  const std::string text = refusal(std::string(kPort) + "adress = \"10.9.0.2/24\"\n");
  CHECK_THAT(text, StartsWith("a.toml:5: unknown key \"adress\" in [[port]]"));
  CHECK_THAT(text, Contains("Did you mean \"address\"?"));
}

TEST_CASE("a key that resembles none is answered with the list", "[apps][config]") {
  CHECK_THAT(refusal(std::string("[engine]\nxyzzy = 1\n") + kPort),
             Contains("a.toml:2: unknown key \"xyzzy\" in [engine]") &&
                 Contains("The keys are cores, memory, hugepages, idle."));
}

TEST_CASE("an unknown table is an error", "[apps][config]") {
  CHECK_THAT(refusal(std::string(kPort) + "[engin]\n"),
             Contains("a.toml:5: unknown table \"engin\"") && Contains("Did you mean [engine]?"));
}

TEST_CASE("all mistakes are told at once, in the order of the lines", "[apps][config]") {
  const ConfigResult result = parse_config(R"([engine]
idle = "lazy"
[[port]]
id = "p0"
device = "net_af_packet0,iface=a"
address = "10.9.0.1"
mtu = 40000
)",
                                           "a.toml", two_cores());
  REQUIRE_FALSE(result);
  REQUIRE(result.error().size() == 3);
  CHECK(result.error()[0].line == 2);
  CHECK(result.error()[1].line == 6);
  CHECK(result.error()[2].line == 7);
}

TEST_CASE("an address twice names both lines", "[apps][config]") {
  CHECK_THAT(refusal(std::string(kPort) + R"([[port]]
id = "p1"
device = "net_af_packet1,iface=veth-a1"
address = "10.9.0.1/16"
)"),
             Contains("a.toml:8: 10.9.0.1 is given twice, first on line 4"));
}

TEST_CASE("a port id twice, and a device twice, name both lines", "[apps][config]") {
  CHECK_THAT(refusal(std::string(kPort) + R"([[port]]
id = "p0"
device = "net_af_packet0,iface=veth-a1"
address = "10.9.1.1/24"
)"),
             Contains("a.toml:6: port id \"p0\" is given twice, first on line 2") &&
                 Contains("a.toml:7: device \"net_af_packet0\" is given twice, first on line 3"));
}

TEST_CASE("a bad address is an error with its line", "[apps][config]") {
  const std::string address =
      GENERATE("10.9.0.1", "10.9.0.1/33", "10.9.0/24", "fd00::1/129", "localhost/8", "");
  CHECK_THAT(refusal("[[port]]\nid = \"a\"\ndevice = \"d\"\naddress = [\"" + address + "\"]\n"),
             StartsWith("a.toml:4: \"" + address + "\" is not an address with a prefix length"));
}

TEST_CASE("an address that no port can have is refused", "[apps][config]") {
  const std::string address = GENERATE("0.0.0.0/8", "127.0.0.1/8", "224.0.0.1/4",
                                       "255.255.255.255/24", "::1/128", "::/64", "ff02::1/64");
  CHECK_THAT(refusal("[[port]]\nid = \"a\"\ndevice = \"d\"\naddress = \"" + address + "\"\n"),
             Contains("a.toml:4:") && Contains("cannot be the address of a port"));
}

TEST_CASE("the mtu has bounds", "[apps][config]") {
  const auto mtu = GENERATE(1280, 9216);
  CHECK(accepted(kPort + fmt::format("mtu = {}\n", mtu)).node.ports[0].mtu == mtu);
  const auto bad = GENERATE(-1, 0, 1279, 9217, 100'000);
  CHECK_THAT(refusal(kPort + fmt::format("mtu = {}\n", bad)),
             Contains("a.toml:5: mtu of [[port]] is") && Contains("from 1280 to 9216"));
}

TEST_CASE("a gateway must lie in a subnet of its port", "[apps][config]") {
  CHECK_THAT(refusal(std::string(kPort) + "gateway = \"10.8.0.254\"\n"),
             Contains("a.toml:5: gateway 10.8.0.254 lies in no subnet of port \"p0\""));
  CHECK_THAT(refusal(std::string(kPort) + "gateway = \"10.9.0.1\"\n"),
             Contains("a.toml:5: gateway 10.9.0.1 is the port's own address"));
  CHECK_THAT(refusal(std::string(kPort) + "gateway = \"10.9.0.0/24\"\n"),
             Contains("is not an address"));
  CHECK_THAT(refusal(std::string(kPort) + "gateway = [\"10.9.0.2\", \"10.9.0.3\"]\n"),
             Contains("has two IPv4 gateways"));
  CHECK(accepted(std::string(kPort) + "gateway = [\"10.9.0.2\", \"fe80::1\"]\n")
            .node.ports[0]
            .gateway_v6->to_string() == "fe80::1");
}

TEST_CASE("a file without ports is refused", "[apps][config]") {
  CHECK_THAT(refusal(""), Contains("a.toml: there is no port"));
  CHECK_THAT(refusal("[port]\nid = \"p0\"\n"), Contains("a.toml:1: [port] must be [[port]]"));
}

TEST_CASE("a port without id, device or address is refused", "[apps][config]") {
  const std::string text = refusal("\n[[port]]\nmtu = 1500\n");
  CHECK_THAT(text, Contains("a.toml:2: this [[port]] has no id"));
  CHECK_THAT(text, Contains("a.toml:2: port \"\" has no device"));
  CHECK_THAT(text, Contains("a.toml:2: port \"\" has no address"));
}

TEST_CASE("cores must exist, once each", "[apps][config]") {
  CHECK_THAT(
      refusal(std::string("[engine]\ncores = [0, 7]\n") + kPort),
      Contains("a.toml:2: core 7 does not exist here") && Contains("This process may use 0, 1."));
  CHECK_THAT(refusal(std::string("[engine]\ncores = [1, 1]\n") + kPort),
             Contains("core 1 is listed twice"));
  CHECK_THAT(refusal(std::string("[engine]\ncores = []\n") + kPort), Contains("is empty"));
  CHECK(accepted(std::string("[engine]\ncores = [1, 0]\n") + kPort).node.cores ==
        std::vector<unsigned>{1, 0});
}

TEST_CASE("a value of the wrong type says what it should be", "[apps][config]") {
  CHECK_THAT(refusal(std::string(kPort) + "mtu = \"1500\"\n"),
             Contains("mtu of [[port]] must be an integer from 1280 to 9216, not a string"));
  CHECK_THAT(refusal(std::string("[engine]\nhugepages = 1\n") + kPort),
             Contains("hugepages of [engine] must be true or false, not an integer"));
  CHECK_THAT(refusal(std::string(kPort) + "[tcp]\nrto_min = 200\n"), Contains("is not a time"));
  CHECK_THAT(refusal(std::string("[engine]\nmemory = \"much\"\n") + kPort),
             Contains("is not a size"));
  CHECK_THAT(refusal(std::string("engine = 3\n") + kPort), Contains("engine must be a table"));
}

TEST_CASE("a word that means nothing is answered with one that does", "[apps][config]") {
  const std::string port = kPort;
  CHECK_THAT(refusal(port + "[mptcp]\ncongestion_control = \"vegas\"\n"),
             Contains("Did you mean \"wvegas\"?"));
  for (std::size_t i = 0; i < cc::kKindCount; ++i) {
    const std::string name(cc::name_of(static_cast<cc::Kind>(i)));
    const Config config = accepted(port + "[mptcp]\ncongestion_control = \"" + name + "\"\n");
    CHECK(cc::name_of(config.tcp.congestion_control) == name);
  }
  CHECK_THAT(refusal(port + "[mptcp]\nscheduler = \"min-rt\"\n"),
             Contains("Did you mean \"min-rtt\"?"));
}

TEST_CASE("[mptcp] says how a connection uses its paths", "[apps][config]") {
  const std::string port = kPort;
  const mptcp::Config usual = accepted(port).mptcp;
  CHECK(usual.enabled);
  CHECK_FALSE(usual.checksum);
  CHECK(usual.opportunistic_retransmission);
  CHECK(usual.penalisation);
  CHECK(usual.scheduler == mptcp::SchedulerKind::MinRtt);
  CHECK(usual.path_manager == mptcp::PathManagerKind::FixedPairs);
  CHECK(usual.join_first_address);
  CHECK(usual.blackhole_time == 1h);
  CHECK(usual.version == mptcp::Version::V1);
  CHECK(usual.oldest_version == mptcp::Version::V0);
  const mptcp::Config other = accepted(port +
                                       "[mptcp]\nenabled = false\nscheduler = \"redundant\"\n"
                                       "path_manager = \"full-mesh\"\nchecksum = true\n"
                                       "opportunistic = false\npenalisation = false\n"
                                       "max_subflows = 32\njoin_first_address = false\n"
                                       "blackhole_time = \"0s\"\nversion = 0\n")
                                  .mptcp;
  CHECK_FALSE(other.enabled);
  CHECK(other.checksum);
  CHECK_FALSE(other.opportunistic_retransmission);
  CHECK_FALSE(other.penalisation);
  CHECK(other.scheduler == mptcp::SchedulerKind::Redundant);
  CHECK(other.path_manager == mptcp::PathManagerKind::FullMesh);
  CHECK(other.max_subflows == 32);
  CHECK_FALSE(other.join_first_address);
  CHECK(other.blackhole_time == 0s);
  CHECK(other.version == mptcp::Version::V0);
  CHECK(accepted(port + "[mptcp]\noldest_version = 1\n").mptcp.oldest_version ==
        mptcp::Version::V1);
  CHECK_THAT(refusal(port + "[mptcp]\nversion = 2\n"), Contains("version"));
  CHECK_THAT(refusal(port + "[mptcp]\nversion = 0\noldest_version = 1\n"),
             Contains("oldest_version is above version"));
  CHECK_THAT(refusal(port + "[mptcp]\nmax_subflows = 33\n"), Contains("max_subflows"));
}

TEST_CASE("what is not TOML is an error with its line", "[apps][config]") {
  CHECK_THAT(refusal("[engine]\ncores = [0\n[[port]]\n"), StartsWith("a.toml:"));
  CHECK_THAT(refusal("[engine]\nidle = \"busy\"\nidle = \"busy\"\n"), StartsWith("a.toml:3:"));
}

TEST_CASE("a file that cannot be read is named with the reason", "[apps][config]") {
  const ConfigResult result = load_config("/nonexistent/a.toml", two_cores());
  REQUIRE_FALSE(result);
  CHECK_THAT(to_string(result.error().front()),
             StartsWith("/nonexistent/a.toml: cannot read the node file: No such file"));
}
