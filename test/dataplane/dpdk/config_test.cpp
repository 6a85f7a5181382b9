#include <string>

#include <catch2/catch.hpp>

#include "dataplane/dpdk/device_string.hpp"
#include "dataplane/dpdk/host_facts.hpp"
#include "dataplane/dpdk/node_config.hpp"

namespace dataplane::dpdk {
namespace {

using Catch::Matchers::Contains;

PortConfig valid_port(int number) {
  PortConfig port;
  port.id = "p" + std::to_string(number);
  port.device = "net_null" + std::to_string(number);
  port.addresses = {*Prefix::parse("10.9." + std::to_string(number) + ".1/24")};
  return port;
}

NodeConfig valid_config() {
  NodeConfig config;
  config.ports = {valid_port(0), valid_port(1)};
  return config;
}

std::string complaint(const NodeConfig& config) {
  const auto verdict = validate(config);
  return verdict ? "" : verdict.error();
}

}  // namespace

TEST_CASE("a configuration of two ports is accepted", "[dpdk][config]") {
  CHECK(complaint(valid_config()).empty());
}

TEST_CASE("what an operator gets wrong is said with the name of the port", "[dpdk][config]") {
  NodeConfig config = valid_config();
  SECTION("no port") {
    config.ports.clear();
    CHECK_THAT(complaint(config), Contains("[[port]]"));
  }
  SECTION("an id twice") {
    config.ports[1].id = "p0";
    CHECK(complaint(config) == "two ports have the id p0");
  }
  SECTION("a device twice") {
    config.ports[1].device = "net_null0,size=64";
    CHECK_THAT(complaint(config), Contains("ports p0 and p1 name the same device net_null0"));
  }
  SECTION("an address twice, in two ports") {
    config.ports[1].addresses.push_back(*Prefix::parse("10.9.0.1/16"));
    CHECK(complaint(config) == "ports p0 and p1 both have the address 10.9.0.1");
  }
  SECTION("an address twice, in one port") {
    config.ports[1].addresses.push_back(config.ports[1].addresses[0]);
    CHECK(complaint(config) == "port p1 has the address 10.9.1.1 twice");
  }
  SECTION("no address") {
    config.ports[0].addresses.clear();
    CHECK_THAT(complaint(config), Contains("port p0") && Contains("no address"));
  }
  SECTION("an address that is none of a host") {
    config.ports[0].addresses = {*Prefix::parse("224.0.0.1/24")};
    CHECK_THAT(complaint(config), Contains("224.0.0.1 cannot be the address of a port"));
  }
  SECTION("a gateway out of reach") {
    config.ports[0].gateway_v4 = IpAddress::parse("10.8.0.1");
    CHECK_THAT(complaint(config), Contains("the gateway 10.8.0.1 lies in no subnet"));
  }
  SECTION("a gateway of the other family") {
    config.ports[0].gateway_v6 = IpAddress::parse("10.9.0.2");
    CHECK_THAT(complaint(config), Contains("10.9.0.2 is no IPv6 gateway"));
  }
  SECTION("an MTU below the least of IPv6 and above what we support") {
    config.ports[0].mtu = GENERATE(as<std::uint16_t>{}, 0, 1279, 9217, 65535);
    CHECK_THAT(complaint(config), Contains("mtu = ") && Contains("1280 to 9216"));
  }
  SECTION("a VLAN that does not exist") {
    config.ports[0].vlan = GENERATE(as<std::uint16_t>{}, 0, 4095);
    CHECK_THAT(complaint(config), Contains("must be 1 to 4094"));
  }
  SECTION("a CPU twice") {
    config.cores = {0, 1, 0};
    CHECK(complaint(config) == "cores names CPU 0 twice");
  }
  SECTION("little memory") {
    config.memory = 1UL << 20;
    CHECK_THAT(complaint(config), Contains("too small") && Contains("32 MiB"));
  }
  SECTION("a device string that is none") {
    config.ports[0].device =
        GENERATE(as<std::string>{}, "", "net_null0,size", ",a=b", "net_null0,=5");
    CHECK_THAT(complaint(config), Contains("port p0") && Contains("device string"));
  }
  SECTION("a capture without a name") {
    config.capture = CaptureConfig{};
    CHECK_THAT(complaint(config), Contains("no file name"));
  }
}

TEST_CASE("a device string is taken apart and put together again", "[dpdk][device]") {
  auto device = DeviceString::parse("net_af_packet0,iface=veth-a0,framecnt=512");
  REQUIRE(device);
  CHECK(device->name() == "net_af_packet0");
  CHECK(device->driver() == "net_af_packet");
  CHECK_FALSE(device->is_pci());
  CHECK(device->value_of("iface") == "veth-a0");
  CHECK(device->number_of("framecnt") == 512UL);
  CHECK_FALSE(device->number_of("iface"));
  device->set_default("framecnt", "1024");
  device->set_default("qpairs", "2");
  CHECK(device->to_string() == "net_af_packet0,iface=veth-a0,framecnt=512,qpairs=2");
}

TEST_CASE("a PCI address is told from a virtual device", "[dpdk][device]") {
  CHECK(DeviceString::parse("0000:3b:00.0")->is_pci());
  CHECK(DeviceString::parse("3b:00.1,arg=1")->is_pci());
  CHECK_FALSE(DeviceString::parse("net_null0")->is_pci());
  CHECK_FALSE(DeviceString::parse("eth0.5")->is_pci());
  CHECK(DeviceString::parse("0000:3b:00.0")->driver().empty());
}

TEST_CASE("packets have room for the frames of the rings that a device copies from",
          "[dpdk][device]") {
  CHECK(data_room_for(*DeviceString::parse("net_null0"), 1500) == 1536);
  CHECK(data_room_for(*DeviceString::parse("0000:3b:00.0"), 1500) == 2048);
  CHECK(data_room_for(*DeviceString::parse("net_null0"), 9000) >= 9022);
  CHECK(data_room_for(*DeviceString::parse("net_af_packet0,framesz=4096"), 1500) == 4096);
}

TEST_CASE("a packet socket's interface is looked at before DPDK is", "[dpdk][device]") {
  PortConfig port = valid_port(0);
  SECTION("none is named") {
    port.device = "net_af_packet0";
    CHECK_THAT(adapt_device(port, 1).error(), Contains("port p0") && Contains("iface=NAME"));
  }
  SECTION("the named one does not exist") {
    port.device = "net_af_packet0,iface=no-such-if";
    CHECK_THAT(adapt_device(port, 1).error(), Contains("no network interface \"no-such-if\""));
  }
  SECTION("a name that no interface can have") {
    port.device = "net_af_packet0,iface=a-name-of-more-than-fifteen-octets";
    CHECK_THAT(adapt_device(port, 1).error(), Contains("no network interface"));
  }
}

TEST_CASE("a vhost-user port needs its socket", "[dpdk][device]") {
  PortConfig port = valid_port(0);
  port.device = "net_virtio_user0";
  CHECK_THAT(adapt_device(port, 1).error(), Contains("names no socket; add path="));
  port.device = "net_virtio_user0,path=/nowhere/at/all.sock";
  CHECK_THAT(adapt_device(port, 1).error(), Contains("there is no socket /nowhere/at/all.sock"));
  port.device = "net_virtio_user0,server=1,path=/nowhere/at/all.sock";
  CHECK(adapt_device(port, 2)->value_of("queues") == "2");
}

TEST_CASE("the loopback interface and its address are found", "[dpdk][host]") {
  REQUIRE(interface_facts("lo"));
  CHECK(interface_facts("lo")->mtu > 1500);
  CHECK_FALSE(interface_facts("no-such-if"));
  CHECK_FALSE(interface_with(*IpAddress::parse("198.51.100.77")));
}

}  // namespace dataplane::dpdk
