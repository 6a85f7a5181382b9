#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/packet.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/config.hpp"

namespace dataplane::net {

/// A next hop: its address on the link of a port.
struct Neighbor {
  PortIndex port{};
  IpAddress address;
  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

/// What the cache wants done. Filled by its calls, emptied by its owner.
struct NeighborActions {
  /// Ask for a neighbour: the one at `mac` only, or everybody.
  struct Solicitation {
    Neighbor neighbor;
    std::optional<MacAddress> mac;
  };
  /// A frame that waited, and where it may go now.
  struct Released {
    PortIndex port{};
    MacAddress destination;
    Packet frame;
  };
  std::vector<Solicitation> solicitations;
  std::vector<Released> released;
  std::vector<Neighbor> failed;
  std::size_t frames_dropped = 0;
  std::size_t evicted = 0;

  bool empty() const {
    return solicitations.empty() && released.empty() && failed.empty() && frames_dropped == 0 &&
           evicted == 0;
  }
  void clear() {
    solicitations.clear();
    released.clear();
    failed.clear();
    frames_dropped = evicted = 0;
  }
};

/// Which link address a next hop has (RFC 826, RFC 4861 §7.3), for all ports of a core.
///
///   (use) -> Incomplete -- answer --> Reachable -- time --> Stale -- use --> Probe -- answer -->
///   Reachable
///                |                                            ^               |
///                +-- no answer: failed       unasked news ----+               +-- no answer:
///                Incomplete
///
/// An entry that nobody uses costs no timer: Reachable becomes Stale when it is looked at. Of a
/// full cache, an entry gives way that was not used since the last round of the clock hand.
class NeighborCache {
 public:
  /// Where an entry was last found: a hint that a caller may keep, never wrong, at worst slow.
  enum class Slot : std::uint32_t { None = 0xffff'ffff };

  explicit NeighborCache(const HostConfig& config);

  /// The link address of a next hop that a frame is about to go to, or nullptr: then enqueue() the
  /// frame.
  const MacAddress* use(Instant now, const Neighbor& neighbor, Slot& hint, NeighborActions& out);
  /// Keeps a frame until its next hop is resolved. `slot` is what use() has just given. The oldest
  /// frame gives way.
  void enqueue(Slot slot, Packet frame, NeighborActions& out);

  /// The neighbour answered a solicitation of ours.
  void confirm(Instant now, const Neighbor& neighbor, const MacAddress& mac, NeighborActions& out);
  /// The neighbour was heard saying so, unasked. Not a proof that it hears us (RFC 4861 §7.2.3).
  enum class Unknown : bool { Ignore, Add };
  void learn(const Neighbor& neighbor, const MacAddress& mac, Unknown unknown,
             NeighborActions& out);
  /// The address that is known for a neighbour.
  const MacAddress* find(const Neighbor& neighbor) const;
  /// Whether a solicitation of ours is under way.
  bool is_asking(const Neighbor& neighbor) const;
  /// Whether its address was confirmed less than the reachable time ago.
  bool is_reachable(Instant now, const Neighbor& neighbor) const;
  /// Holds the address for doubtful: it is asked again when used.
  void doubt(const Neighbor& neighbor);

  /// Solicits again what did not answer, and gives up after the last attempt.
  void on_deadline(Instant now, NeighborActions& out);
  Instant next_deadline() const { return next_deadline_; }
  std::size_t size() const { return used_; }

 private:
  enum class State : std::uint8_t { Free, Incomplete, Reachable, Stale, Probe };
  struct Entry {
    Neighbor neighbor;
    MacAddress mac;
    State state = State::Free;
    bool was_used = false;  ///< Since the clock hand last passed.
    bool is_timed = false;  ///< Its index is in timed_.
    std::uint8_t attempts = 0;
    std::uint32_t next = kNone;  ///< In its hash chain, or in the free list.
    std::uint32_t first_frame = 0;
    std::uint32_t frame_count = 0;
    Instant deadline{};  ///< Incomplete, Probe: of the answer. Reachable: of the trust.
  };
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  std::uint32_t find_index(const Neighbor& neighbor) const;
  std::uint32_t add(const Neighbor& neighbor, NeighborActions& out);
  std::uint32_t evict(NeighborActions& out);
  void remove(std::uint32_t index, NeighborActions& out);
  void resolve(std::uint32_t index, const MacAddress& mac, NeighborActions& out);
  void drop_oldest(Entry& entry, NeighborActions& out);
  Packet& frame_slot(const Entry& entry, std::uint32_t at);
  void solicit(Instant now, std::uint32_t index, NeighborActions& out);
  void on_no_answer(Instant now, std::uint32_t index, NeighborActions& out);
  std::size_t bucket_of(const Neighbor& neighbor) const;

  const Duration reachable_;
  const Duration retry_;
  const std::uint8_t max_attempts_;
  const std::uint32_t frames_per_entry_;
  const std::size_t max_frames_;
  const std::uint64_t secret_;

  std::vector<Entry> entries_;
  std::vector<Packet> frames_;          ///< A ring of frames_per_entry_ for each entry.
  std::vector<std::uint32_t> buckets_;  ///< Heads of the hash chains.
  std::vector<std::uint32_t> timed_;    ///< Entries that may wait for an answer.
  std::uint32_t free_ = kNone;
  std::uint32_t hand_ = 0;
  std::size_t used_ = 0;
  std::size_t frame_total_ = 0;
  Instant next_deadline_ = kNever;
};

}  // namespace dataplane::net
