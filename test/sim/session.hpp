#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mptcp/core.hpp"
#include "test/sim/oracle.hpp"
#include "test/sim/path_driver.hpp"

namespace sim {

inline constexpr std::uint64_t kNeverReached = std::numeric_limits<std::uint64_t>::max();

/// What the application at one end does with its connection.
struct AppPlan {
  std::uint64_t octets = 0;                ///< To write.
  std::uint64_t expected = kNeverReached;  ///< To read, if that is known.
  std::uint32_t write_chunk = 65'536;
  Duration write_pause{};  ///< After each chunk.
  std::uint32_t read_chunk = 65'536;
  Duration read_pause{};                   ///< After each chunk: a slow reader.
  std::uint64_t stop_at = kNeverReached;   ///< The reader stops once, when it has read so much ...
  Duration stop_for{};                     ///< ... and for so long: the window closes.
  std::uint64_t abort_at = kNeverReached;  ///< Aborts when it has read and written so much in all.
  bool answer_last = false;                ///< Writes only after the peer's end of stream.
  bool close_early = false;    ///< Closes after its last octet instead of shutting down; for peers
                               ///< that write nothing.
  bool await_closed = false;   ///< Keeps the id until the Closed event.
  bool whole_packets = false;  ///< Reads with read_packet().
  Duration path_pause{};       ///< Between commands for the paths; 0: none.
  std::uint64_t path_seed = 0;
};

/// What all sessions of one host share.
struct SessionContext {
  mptcp::Core& core;
  Oracle& oracle;
  const Content& content;
  std::size_t host = 0;
  bool is_client = false;
  std::vector<dataplane::IpAddress> addresses{};  ///< Of the host.
};

/// The application at one end of one connection. It follows the rule of edge-triggered events to
/// the letter.
class Session {
 public:
  Session(const SessionContext& context, mptcp::SocketId id, std::uint16_t server_port,
          const AppPlan& plan);

  mptcp::SocketId id() const { return id_; }
  /// An accepted connection: octets and the end of the stream may be there already.
  void adopt() { can_read_ = true; }
  void on_event(Instant now, const mptcp::Event& event);
  /// Does what can be done now.
  void run(Instant now);
  /// When run() has something to do without an event.
  Instant next_wake() const;
  bool is_done() const { return done_; }
  /// Ended by an abort of either side.
  bool is_cut_short() const { return cut_short_; }
  void expect_cut() { cut_expected_ = true; }
  /// Shows the oracle in which state the engine says that the connection is.
  void show_state(Instant now);
  std::uint64_t octets_read() const { return read_; }
  Instant last_read_at() const { return last_read_at_; }
  /// The longest time between two reads that gave octets.
  Duration longest_silence() const { return longest_silence_; }
  Instant connected_at() const { return connected_at_; }
  std::string describe() const;
  /// What each path does now, a line for each.
  std::vector<std::string> describe_paths() const;

 private:
  void on_connected(Instant now);
  void on_closed(Instant now, dataplane::tcp::CloseReason reason);
  void write(Instant now);
  void read(Instant now);
  std::size_t read_once(Instant now, std::size_t room);
  void finish(Instant now);
  void check_end_of_stream(Instant now);
  void fail(Instant now, const std::string& what) {
    context_.oracle.fail(now, context_.host, describe() + ": " + what);
  }
  bool wants_to_write() const {
    return written_ < plan_.octets && (!plan_.answer_last || end_of_stream_);
  }

  SessionContext context_;
  mptcp::SocketId id_;
  AppPlan plan_;
  std::uint64_t key_out_;
  std::uint64_t key_in_;
  End* end_ = nullptr;
  bool connected_ = false;
  bool can_read_ = false;
  bool can_write_ = false;
  bool end_of_stream_ = false;
  bool shut_down_ = false;
  bool closed_event_ = false;
  bool stopped_once_ = false;
  bool cut_expected_ = false;
  bool cut_short_ = false;
  bool done_ = false;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t chunk_written_ = 0;
  std::uint64_t chunk_read_ = 0;
  Instant next_write_ = kStart;
  Instant next_read_ = kStart;
  Instant last_read_at_ = kStart;
  Duration longest_silence_{};
  Instant connected_at_ = kStart;
  PathDriver driver_;
};

}  // namespace sim
