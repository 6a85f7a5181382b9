#include <catch2/catch.hpp>

#include "dataplane/wire/checksum.hpp"
#include "test/mptcp/multipath_pair.hpp"

namespace mptcp::test {
namespace {

using namespace std::chrono_literals;
using dataplane::load_be;
using dataplane::store_be;

constexpr std::size_t kIp = 14;
constexpr std::size_t kTcp = kIp + 20;

/// A frame of these tests whose TCP segment can be changed.
class Opening {
 public:
  explicit Opening(std::vector<std::byte>& frame) : frame_(frame) {}

  bool is_tcp() const { return frame_.size() >= kTcp + 20 && frame_[kIp + 9] == std::byte{6}; }
  std::size_t payload() const {
    return kTcp + 4 * (std::to_integer<std::size_t>(frame_[kTcp + 12]) >> 4);
  }
  std::size_t end() const { return kIp + load_be<std::uint16_t>(&frame_[kIp + 2]); }
  /// Where the DSS option stands, or 0.
  std::size_t dss() const {
    for (std::size_t at = kTcp + 20; at < payload();) {
      const auto kind = std::to_integer<unsigned>(frame_[at]);
      if (kind == 0) break;
      if (kind == 30 && (std::to_integer<unsigned>(frame_[at + 2]) >> 4) == 2) return at;
      at += kind == 1 ? 1 : std::to_integer<std::size_t>(frame_[at + 1]);
    }
    return 0;
  }
  /// Makes the TCP checksum right again.
  void seal() {
    store_be(&frame_[kTcp + 16], std::uint16_t{0});
    dataplane::wire::Checksum sum;
    sum.add_pseudo_header(address(kIp + 12), address(kIp + 16), 6,
                          static_cast<std::uint32_t>(end() - kTcp));
    sum.add(std::span(frame_).subspan(kTcp, end() - kTcp));
    store_be(&frame_[kTcp + 16], static_cast<std::uint16_t>(~sum.folded()));
  }

 private:
  dataplane::IpAddress address(std::size_t at) const {
    return dataplane::IpAddress::v4(load_be<std::uint32_t>(&frame_[at]));
  }

  std::vector<std::byte>& frame_;
};

TEST_CASE("a DATA_ACK of octets that were never sent is ignored and counted",
          "[mptcp][core][rfc8684-3.3.2]") {
  MultipathPair pair;
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  int forged = 0;
  pair.box = [&](int direction, std::size_t, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction == 0 || forged != 0 || !segment.is_tcp()) return true;
    const std::size_t at = segment.dss();
    if (at == 0 || (frame[at + 3] & std::byte{1}) == std::byte{0}) return true;
    // The low half of a DATA_ACK of eight octets, or all of one of four.
    const std::size_t low = at + ((frame[at + 3] & std::byte{2}) != std::byte{0} ? 8 : 4);
    store_be(&frame[low], load_be<std::uint32_t>(&frame[low]) + 1'000'000);
    segment.seal();
    ++forged;
    return true;
  };
  CHECK(opened.up(100'000));
  CHECK(forged == 1);
  CHECK(pair.a.core.stats().mptcp.data_acks_unacceptable == 1);
}

TEST_CASE("what TCP acknowledged and the data checksum refused comes by the other path",
          "[mptcp][core][rfc8684-3.7]") {
  CoreConfig config = MultipathPair::multipath();
  config.mptcp.checksum = true;
  MultipathPair pair(2, config, config);
  Opened opened(pair);
  REQUIRE(opened.up(100'000));
  // From now on something changes the payload on the second path, and makes TCP's checksum fit.
  int changed = 0;
  pair.box = [&](int direction, std::size_t path, std::vector<std::byte>& frame) {
    Opening segment(frame);
    if (direction != 0 || path != 1 || !segment.is_tcp()) return true;
    if (segment.payload() >= segment.end()) return true;
    frame[segment.payload()] ^= std::byte{0x55};
    segment.seal();
    ++changed;
    return true;
  };
  CHECK(opened.up(3'000'000));
  CHECK(changed > 0);
  CHECK(pair.b.core.stats().mptcp.data_csum_err > 0);
  CHECK(pair.b.core.stats().mptcp.dss_corruption_reset > 0);
}

}  // namespace
}  // namespace mptcp::test
