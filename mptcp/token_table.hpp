#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mptcp/wire/ids.hpp"

namespace mptcp {

/// From the tokens of this core's connections to their places. Open addressing with linear probing,
/// at most half full, all memory taken at start. Tokens are hashes of keys of our own making, so
/// nobody else can choose where they fall.
class TokenTable {
 public:
  /// For `most` connections.
  explicit TokenTable(std::size_t most);

  /// False: the token is taken, as by chance one in 2^32 is, or the table is full. The caller makes
  /// another key, or goes on as TCP (RFC 8684 §3.1).
  bool insert(Token token, std::uint32_t place);
  std::optional<std::uint32_t> find(Token token) const;
  void erase(Token token);
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    Token token{};
    std::uint32_t place = kFree;
  };
  static constexpr std::uint32_t kFree = 0xffff'ffff;

  std::size_t home_of(Token token) const { return raw(token) & mask_; }
  /// Where the token is, or the free slot at which a search for it ends.
  std::size_t slot_of(Token token) const;

  std::vector<Slot> slots_;
  std::size_t mask_;
  std::size_t most_;
  std::size_t size_ = 0;
};

}  // namespace mptcp
