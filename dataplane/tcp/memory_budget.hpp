#pragma once

#include <cstddef>

namespace dataplane::tcp {

/// Packet memory that received octets of all connections of a core may hold, so that readers that
/// stand still cannot take the packets with which everybody else goes on.
class MemoryBudget {
 public:
  /// What each connection may hold whatever the others do: with less it would never get anywhere.
  static constexpr std::size_t kGuaranteed = 16UL * 1024;

  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

  /// Whether a connection that holds `held` octets may take `more`.
  bool allows(std::size_t held, std::size_t more) const {
    return used_ + more <= limit_ || held + more <= kGuaranteed;
  }
  std::size_t room() const { return limit_ > used_ ? limit_ - used_ : 0; }
  void take(std::size_t octets) { used_ += octets; }
  void give_back(std::size_t octets) { used_ -= octets; }
  std::size_t used() const { return used_; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace dataplane::tcp
