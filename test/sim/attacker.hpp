#pragma once

#include <cstdint>
#include <vector>

#include "test/sim/oracle.hpp"
#include "test/sim/rng.hpp"
#include "test/sim/world.hpp"

namespace sim {

/// What an attacker beside the path does; several at once. Chances are relative weights.
struct AttackPlan {
  unsigned syn_flood = 0;  ///< SYNs from invented addresses to a port that listens.
  unsigned garbage = 0;    ///< Random octets, cut and damaged copies of plausible segments.
  unsigned blind =
      0;  ///< RST, SYN, FIN and data with the right four-tuple and a good guess of the window.
  unsigned scan = 0;  ///< All kinds of flags to closed ports.
  double frames_per_second = 0;
  Instant from = kStart;
  Instant until = kStart;
  std::uint32_t invented_addresses = 1000;
  bool answers_neighbors =
      true;  ///< Answers ARP and Neighbor Discovery for the invented addresses.

  bool is_on() const { return syn_flood + garbage + blind + scan > 0 && frames_per_second > 0; }
};

/// A host that an attack is aimed at.
struct Victim {
  std::size_t host = 0;
  MacAddress mac;
  IpAddress address;
  std::vector<std::uint16_t> open_ports;
};

/// Stands at the same switch as the server. It cannot see the traffic of others, but it is told
/// what a lucky guess would give.
class Attacker final : public Actor, public FrameSink {
 public:
  Attacker(const AttackPlan& plan, FramePool& frames, const Oracle& oracle, Rng rng);

  void aim_at(Victim victim) { victims_.push_back(std::move(victim)); }
  void connect(FrameSink& out) { out_ = &out; }
  static MacAddress mac() { return {{0x02, 0, 0, 0, 0x66, 0x66}}; }
  std::uint64_t frames_sent() const { return sent_; }

  void take(Instant now, Frame frame) override;
  Instant next_event() const override { return next_; }
  void run(Instant now) override;

 private:
  void send(Instant now, Frame frame);
  Craft towards(const Victim& victim) const;
  IpAddress invented(const Victim& victim);
  Frame syn(const Victim& victim);
  Frame scan(const Victim& victim);
  Frame garbage(const Victim& victim);
  Frame blind(const Victim& victim);
  void answer_arp(Instant now, ByteSpan request, std::size_t at);
  void answer_solicitation(Instant now, ByteSpan request, const Layout& layout);

  AttackPlan plan_;
  FramePool& frames_;
  const Oracle& oracle_;
  Rng rng_;
  FrameSink* out_ = nullptr;
  std::vector<Victim> victims_;
  Instant next_;
  std::uint64_t sent_ = 0;
};

}  // namespace sim
