#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "apps/common/exit_code.hpp"
#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"

namespace apps {

/// How a path stands: in use, kept for when nothing else works (RFC 8684 §3.3.8), or silent.
enum class PathState : std::uint8_t { Up, Backup, Stale };
std::string_view name_of(PathState state);

/// What one path of a transfer has done so far: a subflow, or a connection that has but one.
struct PathSample {
  dataplane::FourTuple tuple;
  std::uint64_t bytes = 0;          ///< Payload in both directions.
  std::uint64_t retransmitted = 0;  ///< Segments.
  dataplane::Duration srtt{};
  std::uint64_t cwnd = 0;  ///< Octets.
  PathState state = PathState::Up;
};

/// Where a command stands.
struct Progress {
  std::string label;                   ///< What is moved, such as a file's name.
  std::uint64_t done = 0;              ///< Octets.
  std::optional<std::uint64_t> total;  ///< Octets, when known.
  std::vector<PathSample> paths;
};

/// How a command speaks to whoever started it.
enum class Style : std::uint8_t {
  Terminal,  ///< A bar that is redrawn.
  Lines,     ///< A line every second.
  Json,      ///< One object per line.
  Quiet,     ///< Errors only.
};
Style choose_style(bool json, bool quiet, bool is_terminal);

/// Tells the person or the program that started a command what goes on. People read `screen`
/// (stderr) for progress and errors, and `out` (stdout) for results; programs read JSON on `out`,
/// with errors on `screen` as well.
class Reporter {
 public:
  Reporter(Style style, std::ostream& out, std::ostream& screen, unsigned columns = 80);
  /// For this process: stdout, stderr, and what kind of terminal that is. With `stdout_is_taken`
  /// results go to stderr.
  static Reporter of_process(bool json, bool quiet, bool stdout_is_taken = false);

  Style style() const { return style_; }

  /// A JSON event; people do not see it.
  void event(std::string_view name, const boost::json::object& fields);
  /// A line for people; JSON does not have it.
  void line(std::string_view text);
  /// A result for people, on `out`.
  void result(std::string_view text);
  /// Shows where things stand if it is time to: ten times a second on a terminal, else once.
  void progress(dataplane::Instant now, const Progress& progress);
  /// Says what went wrong, to both.
  void error(ExitCode code, std::string_view message);
  /// The last word: `text` for people, `fields` with the exit code for programs.
  void summary(ExitCode code, std::string_view text, const boost::json::object& fields);

 private:
  struct Rate {
    dataplane::FourTuple tuple;
    std::uint64_t bytes = 0;
    double bits_per_second = 0;
  };

  void update_rates(dataplane::Instant now, const Progress& progress);
  void write_event(std::string_view name, const boost::json::object& fields);
  void write_result(std::string_view text);
  void draw(const Progress& progress);
  void print_line(const Progress& progress);
  void emit_event(const Progress& progress);
  double path_rate(const PathSample& path) const;
  void clear_bar();
  double elapsed() const;

  std::mutex mutex_;
  Style style_;
  std::ostream* out_;
  std::ostream* screen_;
  unsigned columns_;
  unsigned bar_lines_ = 0;  ///< Lines on the screen that the next drawing replaces.
  std::optional<dataplane::Instant> start_;
  dataplane::Instant last_{};
  std::uint64_t last_bytes_ = 0;
  double rate_ = 0;  ///< bit/s, smoothed.
  std::vector<Rate> path_rates_;
};

/// The bar itself: "big.bin  [####>     ]  45.2%  230.1 MiB of 512.0 MiB  9.41 Gbit/s  3s left",
/// cut to `columns`.
std::string format_bar(const Progress& progress, double bits_per_second, unsigned columns);
/// "10.9.0.1:41234 > 10.9.0.2:8080  9.41 Gbit/s  rtt 120us  cwnd 1.2 MiB  0 retransmitted".
std::string format_path(const PathSample& path, double bits_per_second);
/// The same for programs.
boost::json::object path_fields(const PathSample& path, double bits_per_second);

}  // namespace apps
