#include "cc/coupled.hpp"

#include <algorithm>

namespace cc {
namespace {

double quality(const Sibling& s) { return s.between_losses * s.between_losses / s.rtt; }

/// The sets of draft-khalili-mptcp-congestion-control §3: a subflow that could carry more than its
/// window says gains what those with the largest windows lose.
class OliaSets {
 public:
  explicit OliaSets(std::span<const Sibling> siblings) {
    for (const Sibling& s : siblings) {
      if (s.rtt <= 0) continue;
      best_quality_ = std::max(best_quality_, quality(s));
      largest_ = std::max(largest_, s.cwnd);
      ++paths_;
    }
    for (const Sibling& s : siblings) {
      if (is_collected(s)) ++collected_;
      if (is_largest(s)) ++largest_count_;
    }
  }

  double alpha_of(const Sibling& s) const {
    if (collected_ == 0) return 0;
    if (is_collected(s)) return 1 / (paths_ * collected_);
    return is_largest(s) ? -1 / (paths_ * largest_count_) : 0;
  }

 private:
  bool is_largest(const Sibling& s) const { return s.rtt > 0 && s.cwnd >= largest_; }
  bool is_collected(const Sibling& s) const {
    return s.rtt > 0 && quality(s) >= best_quality_ && !is_largest(s);
  }

  double best_quality_ = 0;
  double largest_ = 0;
  double paths_ = 0;
  double collected_ = 0;
  double largest_count_ = 0;
};

}  // namespace

Coupling couple(std::span<const Sibling> siblings, std::size_t own) {
  Coupling out;
  for (const Sibling& s : siblings) {
    if (s.rtt <= 0) continue;
    const double rate = s.cwnd / s.rtt;
    ++out.paths;
    out.total += s.cwnd;
    out.rate += rate;
    out.best_rate = std::max(out.best_rate, rate);
    out.best_quality = std::max(out.best_quality, rate / s.rtt);
  }
  if (siblings[own].rtt > 0) out.olia_alpha = OliaSets(siblings).alpha_of(siblings[own]);
  return out;
}

}  // namespace cc
