#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include "apps/common/path_watch.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/engine_stream.hpp"
#include "apps/http/client.hpp"
#include "apps/http/error.hpp"
#include "mptcp/api/runtime.hpp"

namespace apps::hawser {

/// What one run of get or put hands back.
using TransferOutcome = std::optional<http::Error>;

/// How long a transfer waits for what.
struct TransferTimeouts {
  dataplane::Duration stall{};  ///< Nothing moves.
  dataplane::Duration
      answer{};  ///< A server that must read or write a whole file before it answers.
};

/// Runs an HTTP client on core 0: its coroutine, the progress that it makes, and what interrupts
/// it.
class Transfer final : public CoreApplication {
 public:
  Transfer(Context& context, const TransferTimeouts& timeouts);

  http::Client& client() { return *client_; }
  http::Progress& progress() { return progress_; }
  /// What the progress lines call what is moved.
  void set_label(std::string label) { label_ = std::move(label); }

  /// Turns the engine until `work` is done, was interrupted or failed.
  TransferOutcome run(std::function<boost::asio::awaitable<TransferOutcome>()> work);

  bool poll(dataplane::Instant now) override;

  std::uint64_t retransmitted() const { return paths_->retransmitted(); }
  /// A line for each path of several: what it moved, and its share.
  std::string paths_text() const;
  boost::json::array paths_fields() const;
  /// The longest time in which nothing moved, between the first octet and the last.
  double longest_pause_seconds() const;
  double elapsed_seconds() const;

 private:
  boost::asio::awaitable<http::Outcome<http::StreamPtr>> connect(const http::Url& url);
  void look_around(dataplane::Instant now);
  void watch_paths(dataplane::Instant now);
  void watch_pauses(dataplane::Instant now);

  Context& context_;
  TransferTimeouts timeouts_;
  mptcp::api::Runtime runtime_;
  std::shared_ptr<Paths> paths_ = std::make_shared<Paths>();
  PathWatch watch_;
  std::uint64_t moved_ = 0;                     ///< Octets, when looked at last.
  std::optional<dataplane::Instant> moved_at_;  ///< When they changed last.
  dataplane::Duration longest_pause_{};
  http::Progress progress_;
  std::string label_;
  std::unique_ptr<http::Client> client_;
  TransferOutcome outcome_;
  bool done_ = false;
  std::optional<dataplane::Instant> done_at_;
  dataplane::Instant started_{};
  dataplane::Instant ended_{};
  dataplane::Instant next_look_{};
};

}  // namespace apps::hawser
