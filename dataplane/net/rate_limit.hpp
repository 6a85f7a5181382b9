#pragma once

#include <cstdint>

#include "dataplane/base/time.hpp"

namespace dataplane::net {

/// So many events in each second, counted from the first.
class RateLimit {
 public:
  explicit RateLimit(std::uint32_t per_second) : per_second_(per_second) {}

  bool allow(Instant now) {
    if (count_ == 0 || now - started_ >= 1s) {
      started_ = now;
      count_ = 0;
    }
    if (count_ == per_second_) return false;
    ++count_;
    return true;
  }

 private:
  std::uint32_t per_second_;
  std::uint32_t count_ = 0;
  Instant started_{};
};

}  // namespace dataplane::net
