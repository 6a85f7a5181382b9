#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/base/ring.hpp"
#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// Which octets of the data sequence space a run of a subflow's payload is (RFC 8684 §3.3.1).
/// Positions count payload octets since the start of the subflow, so position 0 is relative
/// subflow sequence number 1.
struct Mapping {
  std::uint64_t position = 0;
  Dsn dsn;
  std::uint32_t length = 0;
  std::optional<std::uint16_t> checksum;  ///< Over exactly these octets, when they are received.

  std::uint64_t end() const { return position + length; }
  Dsn dsn_end() const { return dsn + length; }
  Dsn dsn_at(std::uint64_t at) const { return dsn + (at - position); }
};

/// The mappings of one subflow in one direction, by position, without overlap. Mappings that
/// continue each other in both spaces become one, unless they have checksums.
class MappingList {
 public:
  /// More are refused: a peer that maps single octets cannot fill the memory.
  static constexpr std::size_t kMost = 16'384;

  /// `mapping` starts at or behind the end of the last.
  void append(const Mapping& mapping);

  enum class Added : std::uint8_t {
    New,            ///< All of it, or what was not known.
    Known,          ///< It says nothing new.
    Contradiction,  ///< It maps octets elsewhere than before; nothing was taken from there on.
    Full,
  };
  /// A mapping that was received; it may lie anywhere and repeat what is known.
  Added insert(Mapping mapping);

  /// The mapping that holds `position`, or nullptr.
  const Mapping* find(std::uint64_t position) const;
  /// Where in the list what ends behind `position` begins; size() where nothing does.
  std::size_t first_ending_after(std::uint64_t position) const;
  /// Where the octets that are mapped without a gap from `position` on end.
  std::uint64_t covered_until(std::uint64_t position) const;
  /// Forgets what lies before `position`, and tells each run that goes to `gone(dsn, length)`.
  template <class Gone>
  void release_below(std::uint64_t position, Gone&& gone) {
    while (!list_.empty() && list_.front().position < position) {
      Mapping& first = list_.front();
      const auto count = static_cast<std::uint32_t>(
          first.end() <= position ? first.length : position - first.position);
      gone(first.dsn, count);
      first.position += count;
      first.dsn += count;
      first.length -= count;
      first.checksum.reset();
      if (first.length == 0) list_.pop_front();
    }
  }

  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  const Mapping& operator[](std::size_t i) const { return list_[i]; }
  const Mapping& back() const { return list_.back(); }
  void clear() { list_.clear(); }

 private:
  void place(std::size_t at, const Mapping& mapping);

  dataplane::Ring<Mapping> list_;
};

}  // namespace mptcp
