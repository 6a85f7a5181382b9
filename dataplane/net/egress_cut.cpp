#include <algorithm>
#include <array>

#include "dataplane/net/egress.hpp"
#include "dataplane/wire/checksum.hpp"

namespace dataplane::net {
namespace {

/// Where a full frame begins, before a fresh packet's data: on 16 octets, where the copies of
/// virtual devices are fast, and with the header that such a device puts before it in one cache
/// line.
constexpr std::uint32_t kFrameHeadroom = 48;
static_assert(kFrameHeadroom < PacketPool::kHeadroom && kFrameHeadroom % 16 == 0);

/// The payload of several segments, taken from the front.
class Pieces {
 public:
  explicit Pieces(std::span<const ByteSpan> pieces) : pieces_(pieces) {}

  /// Calls take(octets) for each run of the next `length` octets.
  template <class Take>
  void next(std::size_t length, Take&& take) {
    while (length != 0) {
      const ByteSpan piece = pieces_.front().subspan(skip_);
      const ByteSpan run = piece.first(std::min(length, piece.size()));
      take(run);
      length -= run.size();
      skip_ += run.size();
      if (skip_ < pieces_.front().size()) continue;
      pieces_ = pieces_.subspan(1);
      skip_ = 0;
    }
  }

 private:
  std::span<const ByteSpan> pieces_;
  std::size_t skip_ = 0;  ///< Octets of the first piece that were taken.
};

/// Where the fields that differ from segment to segment lie in the TCP header (RFC 9293 §3.1).
constexpr std::size_t kSeq = 4;
constexpr std::size_t kFlags = 13;
constexpr std::size_t kChecksum = 16;

/// The TCP headers of segments cut from one: all but the sequence number, the flags of the last
/// and the checksum are alike.
class HeaderCutter {
 public:
  /// Lays the common header out in `tcp`. `sum`: of the pseudo header with the length.
  HeaderCutter(const FourTuple& tuple, const wire::TxSegment& segment, bool offload,
               wire::Checksum sum, MutableByteSpan tcp)
      : sum_(sum), seq_(segment.header.seq), flags_(segment.header.flags), offload_(offload) {
    wire::emit_tcp(segment.header, tcp);
    store_be(tcp.data(), tuple.local.port);
    store_be(tcp.data() + 2, tuple.remote.port);
    store_be(tcp.data() + kSeq, std::uint32_t{0});
    tcp[kFlags] = std::byte{0};
    if (!offload) sum_.add_header(tcp);
  }

  /// Fills in the next header, and copies its payload behind it.
  void next(Pieces& pieces, std::size_t length, bool is_last, MutableByteSpan tcp) {
    const std::uint16_t flags = flags_of(is_last);
    store_be(tcp.data() + kSeq, seq_.raw());
    tcp[kFlags] = std::byte{static_cast<std::uint8_t>(flags)};
    std::byte* to = tcp.data() + tcp.size();
    wire::Checksum sum = sum_;
    if (!offload_) {
      sum.add_header(tcp.subspan(kSeq, sizeof(std::uint32_t)));
      sum.add_u16(flags);
    }
    pieces.next(length, [&](ByteSpan run) {
      if (offload_) {
        std::memcpy(to, run.data(), run.size());
      } else {
        sum.add_copy(run, to);
      }
      to += run.size();
    });
    store_be(tcp.data() + kChecksum, offload_ ? sum.folded() : sum.finish());
    seq_ += static_cast<std::uint32_t>(length);
  }

 private:
  std::uint16_t flags_of(bool is_last) const {
    constexpr auto kAtTheEnd = static_cast<std::uint8_t>(wire::TcpFlags::Fin | wire::TcpFlags::Psh);
    const auto all = static_cast<std::uint8_t>(flags_);
    return is_last ? all : static_cast<std::uint8_t>(all & ~kAtTheEnd);
  }

  wire::Checksum sum_;
  SeqNum seq_;
  wire::TcpFlags flags_;
  bool offload_;
};

}  // namespace

Result<void> Egress::send_cut(const FourTuple& tuple, const wire::TxSegment& segment, Path& path,
                              const MacAddress* mac) {
  ASSERT(segment.payload_length % segment.segment_size == 0);
  Interface& port = host_.ports[index_of(path.route.port)];
  const bool offload = port.config().offloads.tx_tcp_checksum;
  const std::size_t tcp_header = tcp_header_length(segment);
  const std::size_t front_length = path.headers_length + tcp_header;
  const auto length = static_cast<std::uint16_t>(tcp_header + segment.segment_size);

  std::array<std::byte, PacketPool::kHeadroom> front{};
  emit_headers(path, length, segment.ecn, front.data());
  wire::Checksum sum = path.pseudo_header;
  sum.add_u16(length);
  HeaderCutter cutter(tuple, segment, offload, sum,
                      {front.data() + path.headers_length, tcp_header});
  Pieces pieces(segment.payload());
  const auto frame_length = static_cast<std::uint32_t>(front_length + segment.segment_size);
  for (std::uint32_t left = segment.segments(); left != 0; --left) {
    Packet packet = host_.pool.alloc_in_run(frame_length);
    if (!packet) return Refused(Error::NoBuffers);
    if (kFrameHeadroom + packet.tailroom() < frame_length) return Refused(Error::BadLength);
    std::byte* const begin = packet.prepend(kFrameHeadroom);
    packet.append(frame_length - kFrameHeadroom);
    std::memcpy(begin, front.data(), front_length);
    cutter.next(pieces, segment.segment_size, left == 1, {begin + path.headers_length, tcp_header});
    if (offload) ask_device(port, path, tcp_header, 0, packet);
    const auto sent = enqueue(port, path, mac != nullptr, std::move(packet));
    if (!sent) return sent;
    ++host_.stats.tcp_segments_sent;
  }
  return {};
}

}  // namespace dataplane::net
