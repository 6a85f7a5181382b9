#pragma once

#include <cstddef>
#include <variant>

#include "dataplane/base/ring.hpp"
#include "dataplane/base/seq.hpp"
#include "dataplane/base/time.hpp"
#include "mptcp/wire/option.hpp"

namespace mptcp {

/// Options other than DSS that wait to be said by one subflow, on ACKs without payload and in this
/// order. To what looks at TCP alone those are duplicate ACKs: no more than two go in a row (RFC
/// 8684 §3), unless the acknowledgment moved on or a while has passed.
class SignalQueue {
 public:
  using Duration = dataplane::Duration;
  using Instant = dataplane::Instant;

  /// A peer can ask for no more echoes than these at a time.
  static constexpr std::size_t kMost = 16;
  static constexpr std::size_t kMostInRow = 2;

  bool empty() const { return waiting_.empty(); }

  /// What waits already is not said twice, and of the words on one priority the last counts. False
  /// when too much waits: the option is not taken.
  bool push(const Option& option);
  /// An option behind which nothing else matters: it is taken, and alone.
  void push_last(const Option& option);

  /// The next option if it may go with an ACK of `ack`, or nullptr.
  const Option* next(Instant now, dataplane::SeqNum ack) const;
  /// It went with an ACK of `ack`, which stands for `acks` of them: the last for `pause`, should
  /// it be the second in a row.
  void pop(Instant now, dataplane::SeqNum ack, std::size_t acks, Duration pause);

  /// Whether an ACK is to be asked for now; if not, it is at due().
  bool may_go() const { return in_row_ < kMostInRow; }
  /// When an ACK is to be asked for because a pause is over; kNever when nothing waits for that.
  Instant due() const { return empty() || may_go() ? dataplane::kNever : rests_until_; }
  /// The pause is over.
  void wake() { in_row_ = 0; }

  template <class T>
  const T* find() const {
    for (std::size_t i = 0; i < waiting_.size(); ++i)
      if (const T* found = std::get_if<T>(&waiting_[i])) return found;
    return nullptr;
  }

 private:
  dataplane::Ring<Option> waiting_;
  std::size_t in_row_ = 0;  ///< ACKs of `ack_` that went for an option only.
  dataplane::SeqNum ack_;
  Instant rests_until_{};
};

}  // namespace mptcp
