#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "test/sim/rng.hpp"
#include "test/sim/world.hpp"

namespace sim {

/// An interval in which a link carries nothing and says nothing.
struct Cut {
  Instant from;
  Instant until;
};

/// An interval in which a link's way is longer: what leaves then is `extra` later, and nothing that
/// follows overtakes it.
struct Detour {
  Instant from;
  Instant until;
  Duration extra;
};

/// Loss in bursts (Gilbert, Elliott): the chances are per frame.
struct BurstLoss {
  double good_to_bad = 0;
  double bad_to_good = 1;
  double loss_in_bad = 0;
};

/// What befalls frames on their way. Chances are per frame.
struct Faults {
  double loss = 0;
  BurstLoss burst;
  double reorder = 0;  ///< Chance of an extra delay, which lets others overtake.
  Duration reorder_delay{};
  double duplicate = 0;
  double corrupt = 0;  ///< Random bits flip, in a way that a checksum catches.
  double deface =
      0;  ///< Header fields that carry no data are overwritten, and the checksums set right again.
  std::vector<Cut> cuts;
  std::vector<Detour> detours;
  Instant end = kNever;         ///< From here on there are none of the above, but cuts and detours.
  bool spare_neighbors = true;  ///< Only cuts touch ARP and Neighbor Discovery.
};

struct LinkConfig {
  std::uint64_t rate_bps = 1'000'000'000;
  Duration delay = 1ms;  ///< Propagation.
  Duration jitter{};     ///< Added, uniform in [0, jitter]; never reorders.
  std::size_t queue_frames = 1000;
  std::size_t queue_octets = 10'000'000;
  /// A frame that may be marked (RFC 3168 §5) and finds more octets than this in the queue gets CE;
  /// 0: none does.
  std::size_t mark_octets = 0;
  Faults faults;
  /// Names its chances: links of one name, in runs of one seed, lose the same frames of those that
  /// they carry; 0: a link of its own.
  std::uint64_t luck = 0;
};

struct LinkStats {
  std::uint64_t frames = 0;  ///< Offered.
  std::uint64_t octets = 0;
  std::uint64_t queue_drops = 0;
  std::uint64_t marked = 0;
  std::uint64_t losses = 0;
  std::uint64_t cut_losses = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t defaced = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::size_t peak_queue_octets = 0;
};

/// One direction of a link: a queue that drops at its tail, a serialiser, and the way.
class Link final : public Actor, public FrameSink {
 public:
  Link(LinkConfig config, FramePool& frames, Rng rng, FrameSink& out);

  void take(Instant now, Frame frame) override;
  /// From here on the link is another; what is on its way stays so.
  void change(LinkConfig config) { config_ = std::move(config); }
  Instant next_event() const override { return flight_.empty() ? kNever : flight_.front().at; }
  void run(Instant now) override;

  /// Whether the queue has room for one more frame; a host that asks never loses frames here.
  bool has_room(Instant now);
  /// When the frame at the head of the queue leaves it; meaningful when there is no room.
  Instant next_room() const { return departures_.front().at; }
  const LinkStats& stats() const { return stats_; }
  const LinkConfig& config() const { return config_; }

 private:
  struct Departure {
    Instant at;
    std::uint32_t octets;
  };
  struct InFlight {
    Instant at;
    std::uint64_t order;
    Frame frame;
  };
  static bool later(const InFlight& a, const InFlight& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  void forget_departed(Instant now);
  Instant serialise(Instant now, std::size_t octets);
  void mark(Frame& frame);
  bool is_cut(Instant at) const;
  Duration detour(Instant at) const;
  /// Whether chance takes the frame; moves the burst model on.
  bool is_lost();
  /// Faults that change or multiply a frame; the frame arrives at `arrival` or later.
  void impair(Instant arrival, Frame frame);
  void launch(Instant arrival, Frame frame);

  LinkConfig config_;
  FramePool& frames_;
  Rng rng_;
  FrameSink& out_;
  LinkStats stats_;

  std::deque<Departure> departures_;  ///< Frames in the queue and the serialiser.
  std::size_t queued_octets_ = 0;
  Instant free_at_ = kStart;  ///< When the serialiser has sent all that is queued.
  std::uint64_t remainder_ =
      0;  ///< Of the division by the rate, so that no time is lost to rounding.
  Instant last_arrival_ = kStart;
  bool in_bad_state_ = false;
  std::vector<InFlight> flight_;  ///< A heap, earliest first.
  std::uint64_t order_ = 0;
};

/// Flips bits until a checksum catches it. Nothing that no checksum protects is touched.
void corrupt(Rng& rng, MutableByteSpan frame);
/// Overwrites fields that must not matter, or breaks the header so that it must be refused; the
/// checksums stay right. Returns whether the segment must be refused.
bool deface(Rng& rng, MutableByteSpan frame);

}  // namespace sim
