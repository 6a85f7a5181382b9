#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace apps::http {

/// Ends what takes too long. Arming costs one look at the clock: the timer behind it is lazy, it
/// looks when it fires whether there is a later deadline by now. So it is cheap to arm once per
/// buffer, on thousands of connections.
class Watchdog {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// `bite` is called at most once for each time the watchdog is armed, on the executor.
  Watchdog(const boost::asio::any_io_executor& executor, std::function<void()> bite);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Bites after `limit`, whatever happens.
  void arm(Duration limit);
  /// Bites when fewer than `minimum` octets moved for `limit`.
  void arm_stall(Duration limit, std::size_t minimum);
  void disarm();
  /// Octets moved.
  void on_progress(std::size_t octets);
  bool has_bitten() const;
  /// What it was armed with last.
  std::chrono::milliseconds limit() const;

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace apps::http
