#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "test/sim/world.hpp"

namespace sim {

/// Forwards by destination MAC address, and to all when it does not know it. Takes no time.
class Switch {
 public:
  explicit Switch(FramePool& frames) : frames_(frames) {}

  /// A new port, behind which `out` stands; returns where that station's frames come in.
  FrameSink& add_port(FrameSink& out) {
    ports_.push_back(std::make_unique<Port>(*this, out));
    return *ports_.back();
  }
  /// The station behind the port added last.
  void learn(const MacAddress& mac) { table_.push_back({mac, ports_.back().get()}); }

 private:
  struct Port final : FrameSink {
    Port(Switch& owner, FrameSink& sink) : device(owner), out(sink) {}
    void take(Instant now, Frame frame) override { device.forward(now, *this, std::move(frame)); }
    Switch& device;
    FrameSink& out;
  };
  struct Station {
    MacAddress mac;
    Port* port;
  };

  void forward(Instant now, const Port& from, Frame frame) {
    for (const Station& station : table_) {
      if (std::memcmp(station.mac.octets.data(), frame.data().data(), 6) != 0) continue;
      if (station.port != &from) station.port->out.take(now, std::move(frame));
      return;
    }
    for (const auto& port : ports_)
      if (port.get() != &from) port->out.take(now, frames_.copy(frame));
  }

  FramePool& frames_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<Station> table_;
};

}  // namespace sim
