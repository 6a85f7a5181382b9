#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/exit_code.hpp"
#include "apps/common/path_watch.hpp"
#include "apps/hawser/perf_pattern.hpp"
#include "apps/hawser/perf_protocol.hpp"
#include "mptcp/core.hpp"

namespace apps::hawser {

using dataplane::Duration;
using dataplane::Instant;

/// What one end of a perf connection does.
struct PerfPlan {
  enum class Role : std::uint8_t {
    Client,  ///< Sends a request, reads a result (perf_protocol.hpp).
    Server,  ///< Does what the request says.
    Plain,   ///< No protocol: the peer is any TCP sink or source.
  };
  Role role = Role::Server;
  bool sends = false;
  bool receives = false;  ///< Plain: the end of its stream, or a limit, ends the session.
  bool verify = false;
  /// Limits of the payload that we send (for Plain also of what we receive); neither: until the
  /// peer closes.
  std::optional<std::uint64_t> octets;
  std::optional<Duration> time;
  PerfRequest request;  ///< Client: what the server is asked for.
};

/// Why a session failed.
struct PerfFailure {
  ExitCode code = ExitCode::Peer;
  std::string message;
};

/// One connection of perf: moves octets between the engine and a table, with no copy on the
/// receiving side.
class PerfSession {
 public:
  /// `pattern` and `core` outlive the session. Server and Plain start with a connected socket,
  /// Client and a Plain that has connected itself with `is_connected` unset.
  PerfSession(mptcp::Core& core, const PerfPattern& pattern, mptcp::SocketId socket,
              const PerfPlan& plan, bool is_connected);

  void on_event(Instant now, const mptcp::Event& event);
  /// Moves what can be moved, at most a fixed number of octets; whether any was.
  bool poll(Instant now);
  /// Resets the connection, unless it is over.
  void abort(Instant now);
  /// The same, because nothing moved for `timeout`.
  void give_up(Instant now, Duration timeout);

  bool is_over() const { return phase_ == Phase::Over; }
  const PerfFailure* failure() const { return failure_.get(); }
  /// Client: what the server said at the end.
  const PerfResult* result() const { return result_.get(); }
  const PerfPlan& plan() const { return plan_; }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return receiver_.payload(); }
  std::uint64_t mismatches() const { return receiver_.mismatches(); }
  /// From the first octet that could be sent to the end of both streams.
  Duration elapsed(Instant now) const;
  /// What the engine knows of the connection; as it was last, when it is over.
  mptcp::SocketInfo info() const;
  /// Looks at the paths as they are now; paths() are all that there ever were, as seen last.
  void look_at_paths(Instant now);
  std::vector<PathSample> paths() const { return paths_.all(); }
  /// When something was last sent, acknowledged or received; for a timeout. Looks at the
  /// connection.
  Instant last_progress(Instant now);
  /// Where the result of a server takes the cycles from: the count at the session's start and now.
  void set_cycles(std::uint64_t busy_cycles);

 private:
  enum class Phase : std::uint8_t { Connecting, AwaitingRequest, Running, Over };

  void start(Instant now);
  void on_closed(Instant now, dataplane::tcp::CloseReason reason);
  bool read_request(Instant now);
  bool read_payload(Instant now);
  bool write_out(Instant now);
  bool write_control(Instant now);
  bool write_payload(Instant now);
  bool payload_is_out(Instant now) const;
  void check_end(Instant now);
  void check_end_of_plain(Instant now);
  void end_of_server(Instant now);
  void end_of_client(Instant now);
  void finish(Instant now);
  void keep_info(Instant now);
  void fail(Instant now, ExitCode code, std::string message);
  void queue_control(ByteSpan octets);

  mptcp::Core& core_;
  const PerfPattern& pattern_;
  mptcp::SocketId socket_;
  PerfPlan plan_;
  Phase phase_;
  PerfReceiver receiver_;
  std::array<std::byte, PerfRequest::kSize> request_{};
  std::size_t request_size_ = 0;
  std::array<std::byte, PerfResult::kSize> control_{};  ///< A request or result on its way out.
  std::size_t control_size_ = 0;
  std::size_t control_sent_ = 0;
  std::uint64_t sent_ = 0;
  bool may_read_ = true;
  bool may_write_ = true;
  bool input_ended_ = false;
  bool output_closed_ = false;
  bool result_queued_ = false;
  std::optional<Instant> started_;
  std::optional<Instant> ended_;
  std::uint64_t progress_mark_ = 0;
  std::optional<Instant> progress_at_;
  std::uint64_t cycles_at_start_ = 0;
  std::uint64_t cycles_now_ = 0;
  PathWatch paths_;
  // Of a session that is over: of those that are not there may be very many.
  std::unique_ptr<mptcp::SocketInfo> last_info_;
  std::unique_ptr<PerfResult> result_;
  std::unique_ptr<PerfFailure> failure_;
};

}  // namespace apps::hawser
