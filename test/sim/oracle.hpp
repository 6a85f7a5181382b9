#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataplane/tcp/config.hpp"
#include "test/sim/witness.hpp"

namespace sim {

using dataplane::Endpoint;
using dataplane::FourTuple;

/// What went wrong, when, where, and the frame that showed it.
struct Violation {
  Instant at;
  std::string host;
  std::string what;
  std::string frame;
  std::string to_string() const;
};

struct TupleHash {
  std::size_t operator()(const FourTuple& tuple) const;
};

/// One end of one connection, as its host's wire and its application see it.
struct End {
  End(const Content& content, std::uint64_t key, std::size_t solid, std::string name)
      : witness(content, key, solid), label(std::move(name)) {}

  Witness witness;
  std::string label;  ///< The four-tuple.
  // The application's view.
  bool opened = false;    ///< connect() or accept() gave it an id.
  bool released = false;  ///< close(), abort(), or the Closed event came.
  bool aborted = false;
  bool shut_down = false;  ///< shutdown() or close(): no more octets will be written.
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  std::optional<Segment> last_syn;          ///< That arrived, without its payload.
  std::optional<std::uint32_t> forged_syn;  ///< SEQ of the last one that an attacker sent.
  unsigned state = 0;                       ///< Index of the state seen last, 0 for none.
  std::uint64_t window_edge = 0;
  /// Its subflow speaks MPTCP: what it carries, and when it ends, is not the stream's.
  bool multipath = false;
  bool reset_sent = false;

  bool is_live() const { return opened && !released; }
  void carry_anything() {
    multipath = true;
    witness.carry_anything();
  }
};

/// A host as the oracle needs to know it.
struct HostFacts {
  std::string name;
  std::vector<dataplane::MacAddress> macs;  ///< Of its ports.
  std::uint16_t mtu = 1500;
  std::optional<std::uint16_t> vlan;
  std::size_t packet_room = 2048;  ///< Octets that each packet of its pool holds.
  bool is_client = false;          ///< Which of the two streams of a connection it sends.
};

/// Watches the wire of every host and what its application is told. It knows nothing of the
/// engine's insides. The first violation is kept and ends the run.
class Oracle {
 public:
  explicit Oracle(const Content& content) : content_(content) {}

  std::size_t add_host(HostFacts facts);
  /// Connections with this address are watched; all others get the checks that need no history.
  void watch_peer(const IpAddress& address) { peers_.push_back(address); }

  // The wire.
  void on_sent(Instant now, std::size_t host, ByteSpan frame);
  void on_delivered(Instant now, std::size_t host, const Frame& frame);
  /// What the host says it dropped so far because no next hop answered (RFC 1122 §2.3.2.2).
  void on_unresolved_drops(std::size_t host, std::uint64_t frames) {
    hosts_[host].unresolved_drops = frames;
  }

  // The application's view. `end` stays valid for the whole run.
  End& end_of(std::size_t host, const FourTuple& tuple);
  void on_wrote(Instant now, End& end, std::size_t offered, std::size_t taken);
  void on_read(Instant now, std::size_t host, End& end, std::uint64_t key, ByteSpan octets);
  void on_end_of_stream(Instant now, std::size_t host, const End& end);
  void on_state(Instant now, std::size_t host, End& end, std::string_view state);
  /// The right edge of the window that a connection of several paths announced, as a position in
  /// the stream.
  void on_window(Instant now, std::size_t host, End& end, std::uint64_t edge);
  void on_closed(Instant now, std::size_t host, End& end, dataplane::tcp::CloseReason reason);
  /// Timers that only the passing of time breaks.
  void check_overdue(Instant now, std::size_t host, const End& end);
  void fail(Instant now, std::size_t host, std::string what, ByteSpan frame = {});

  /// Whether a connection may fail because nothing came through for too long.
  void allow_timeouts(bool allowed) { timeouts_allowed_ = allowed; }
  /// Whether a call may fail because the host was cut off when it was looked for.
  void allow_unreachable(bool allowed) { unreachable_allowed_ = allowed; }
  bool may_be_unreachable() const { return unreachable_allowed_; }
  /// Whether acknowledgments may be late, because packets ran out.
  void allow_late_acks(bool allowed) { late_acks_allowed_ = allowed; }

  const std::optional<Violation>& violation() const { return violation_; }
  std::uint64_t frames_checked() const { return frames_checked_; }
  const HostFacts& facts(std::size_t host) const { return hosts_[host].facts; }
  /// The connection that a host spoke on last; what a well-informed attacker aims at.
  const End* busiest(std::size_t host) const { return hosts_[host].cached; }
  const FourTuple& busiest_tuple(std::size_t host) const { return hosts_[host].cached_tuple; }
  std::uint64_t resent_octets() const;

 private:
  struct Host {
    HostFacts facts;
    std::unordered_map<FourTuple, std::vector<std::unique_ptr<End>>, TupleHash> ends;
    std::uint64_t unresolved_drops = 0;
    End* cached = nullptr;  ///< Of `cached_tuple`.
    FourTuple cached_tuple;
  };

  bool is_watched(const IpAddress& remote) const;
  static void note_multipath(End& end, const Segment& segment);
  End& current(Host& host, const FourTuple& tuple);
  End& fresh(Host& host, const FourTuple& tuple);
  std::optional<std::string> check_frame(const Host& host, ByteSpan frame) const;
  std::optional<std::string> check_reset(const End& end, const Segment& s) const;
  std::optional<std::string> check_against_wire(const End& end, std::string_view state) const;

  const Content& content_;
  std::vector<Host> hosts_;
  std::vector<IpAddress> peers_;
  bool timeouts_allowed_ = false;
  bool unreachable_allowed_ = false;
  bool late_acks_allowed_ = false;
  std::uint64_t frames_checked_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace sim
