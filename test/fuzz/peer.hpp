#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/wire/segment.hpp"
#include "mptcp/core.hpp"
#include "test/fuzz/input.hpp"

namespace fuzz {

namespace net = dataplane::net;
namespace tcp = dataplane::tcp;
namespace wire = dataplane::wire;
using dataplane::ByteSpan;
using dataplane::Duration;
using dataplane::Endpoint;
using dataplane::FourTuple;
using dataplane::Instant;
using dataplane::IpAddress;
using dataplane::MacAddress;
using dataplane::MutableByteSpan;
using dataplane::Packet;
using dataplane::PacketPool;
using dataplane::PortIndex;
using dataplane::Prefix;
using dataplane::SeqNum;
using dataplane::store_be;
using namespace std::chrono_literals;

inline constexpr PortIndex kPort{0};
inline constexpr MacAddress kCoreMac{{2, 0, 0, 0, 0, 1}};
inline constexpr MacAddress kPeerMac{{2, 0, 0, 0, 0, 2}};
inline constexpr std::uint32_t kCoreV4 = 0x0a00'0001;
inline constexpr std::uint32_t kPeerV4 = 0x0a00'0002;
/// The core listens here; what it connects to is kFirstActive and up.
inline constexpr std::uint16_t kListening = 80;
inline constexpr std::size_t kFlows = 6;
inline constexpr std::size_t kPassiveFlows = 3;
inline constexpr std::size_t kFamilies = 2;

/// The octet that stands at a place of a stream: what is at the wrong place is seen.
inline std::byte octet_at(std::uint32_t place) {
  return static_cast<std::byte>((place * 0x9e37'79b1U) >> 24);
}

/// Both ends of a flow: its number decides the family, who opens, and the ports.
FourTuple tuple_of(std::size_t flow);
/// The flow of one of the core's segments, if it is one of ours.
std::optional<std::size_t> flow_of(const FourTuple& tuple);

/// What the peer of one flow knows, and what it holds the core to.
class PeerFlow {
 public:
  /// Chooses where the next connection starts; the octets of the peer's stream depend on their
  /// sequence number alone.
  explicit PeerFlow(SeqNum iss = {}) : iss_(iss), nxt_(iss) {}

  /// A segment of the core's: checks its text against the stream and its window against the edge
  /// announced before.
  void on_segment(const wire::TcpHeader& header, ByteSpan payload);
  /// A segment near what the core expects, as the input chooses.
  wire::TcpHeader choose_header(Input& input) const;
  /// What an honest peer would say now.
  wire::TcpHeader honest_header(bool fin) const;
  /// The peer sent this.
  void note_sent(const wire::TcpHeader& header, std::uint32_t payload_length);

  SeqNum first_octet() const { return iss_ + 1U; }

 private:
  void on_syn(const wire::TcpHeader& header);
  void check_text(SeqNum seq, ByteSpan payload) const;
  void check_edge(const wire::TcpHeader& header);
  void choose_options(Input& input, wire::TcpHeader& header) const;

  SeqNum iss_;
  SeqNum nxt_;          ///< Behind the last octet that the peer sent in order.
  bool heard_ = false;  ///< The core has sent a SYN, and no reset since.
  bool acked_ = false;  ///< And has acknowledged something.
  SeqNum core_nxt_;     ///< Behind the last octet that the core sent.
  SeqNum core_ack_;     ///< The core's last acknowledgment.
  std::uint32_t core_timestamp_ = 0;
  std::uint32_t core_window_ = 0;
  std::uint8_t core_scale_ = 0;
  bool scale_is_certain_ = true;  ///< Every SYN so far, of either side, says the same of scaling.
  bool syn_seen_ = false;
  std::optional<SeqNum> edge_;
  /// Initial sequence numbers of the core's, newest first: a SYN cookie may bring back an older
  /// one.
  std::array<std::optional<SeqNum>, 4> core_iss_;
};

/// A frame of the flow with right lengths and checksums.
std::vector<std::byte> frame_of(std::size_t flow, wire::TcpHeader header, ByteSpan payload);
/// A Neighbor Discovery message to the core.
std::vector<std::byte> ndp_frame(ByteSpan message);
/// An ICMP error that quotes a segment of the core's with sequence number `seq`.
std::vector<std::byte> icmp_frame(std::size_t flow, SeqNum seq, std::uint8_t code,
                                  std::uint16_t mtu);

}  // namespace fuzz
