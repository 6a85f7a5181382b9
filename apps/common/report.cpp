#include "apps/common/report.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "apps/common/units.hpp"

namespace apps {

namespace {

using dataplane::Duration;
using dataplane::Instant;
using namespace std::chrono_literals;

constexpr Duration kRedraw = 100ms;
constexpr Duration kReport = 1s;
/// Over how long a shown rate is averaged: steady enough to read, quick enough to see a stall.
constexpr double kRateSeconds = 2.0;

double smoothed(double old_rate, std::uint64_t bytes, double seconds, bool first) {
  const double rate = static_cast<double>(bytes) * 8 / seconds;
  if (first) return rate;
  const double weight = std::min(seconds / kRateSeconds, 1.0);
  return old_rate + (rate - old_rate) * weight;
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

Style choose_style(bool json, bool quiet, bool is_terminal) {
  if (json) return Style::Json;
  if (quiet) return Style::Quiet;
  return is_terminal ? Style::Terminal : Style::Lines;
}

std::string format_bar(const Progress& progress, double bits_per_second, unsigned columns) {
  constexpr std::size_t kLabel = 24;
  std::string label = progress.label;
  if (label.size() > kLabel) label = "..." + label.substr(label.size() - kLabel + 3);
  const std::string rate = format_rate(bits_per_second);
  if (!progress.total)
    return fmt::format("{}  {}  {}", label, format_size(progress.done), rate).substr(0, columns);

  const double share = *progress.total == 0
                           ? 1.0
                           : std::min(1.0, static_cast<double>(progress.done) /
                                               static_cast<double>(*progress.total));
  std::string tail = fmt::format("  {:5.1f}%  {} of {}  {}", share * 100,
                                 format_size(progress.done), format_size(*progress.total), rate);
  const std::uint64_t rest = *progress.total - std::min(progress.done, *progress.total);
  if (rest != 0 && bits_per_second > 0)
    tail +=
        fmt::format("  {} left", format_elapsed(static_cast<double>(rest) * 8 / bits_per_second));
  // What the bar gets is what the numbers leave.
  const std::size_t taken = label.size() + 4 + tail.size();
  std::string bar;
  if (columns > taken + 4) {
    const std::size_t width = std::min<std::size_t>(columns - taken, 40);
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    bar = std::string(filled, '#');
    if (filled < width) bar += '>';
    bar.resize(width, ' ');
    bar = "  [" + bar + "]";
  }
  return (label + bar + tail).substr(0, columns);
}

std::string_view name_of(PathState state) {
  switch (state) {
    case PathState::Up:
      return "up";
    case PathState::Backup:
      return "backup";
    case PathState::Stale:
      return "stale";
  }
  return "unknown";
}

std::string format_path(const PathSample& path, double bits_per_second) {
  std::string text =
      fmt::format("{} > {}  {}  rtt {}  cwnd {}  {} retransmitted", path.tuple.local.to_string(),
                  path.tuple.remote.to_string(), format_rate(bits_per_second),
                  format_short(path.srtt), format_size(path.cwnd), path.retransmitted);
  if (path.state != PathState::Up) text += fmt::format("  {}", name_of(path.state));
  return text;
}

boost::json::object path_fields(const PathSample& path, double bits_per_second) {
  return {{"local", path.tuple.local.to_string()},
          {"remote", path.tuple.remote.to_string()},
          {"bytes", path.bytes},
          {"rate_bps", std::round(bits_per_second)},
          {"segments_retransmitted", path.retransmitted},
          {"srtt_us", rounded(static_cast<double>(path.srtt.count()) / 1e3)},
          {"cwnd_bytes", path.cwnd},
          {"state", name_of(path.state)}};
}

Reporter::Reporter(Style style, std::ostream& out, std::ostream& screen, unsigned columns)
    : style_(style), out_(&out), screen_(&screen), columns_(columns) {}

Reporter Reporter::of_process(bool json, bool quiet, bool stdout_is_taken) {
  const bool is_terminal = isatty(STDERR_FILENO) == 1;
  winsize size{};
  unsigned columns = 80;
  if (is_terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
    columns = size.ws_col;
  return Reporter(choose_style(json, quiet, is_terminal), stdout_is_taken ? std::cerr : std::cout,
                  std::cerr, columns);
}

void Reporter::event(std::string_view name, const boost::json::object& fields) {
  const std::scoped_lock lock(mutex_);
  write_event(name, fields);
}

void Reporter::write_event(std::string_view name, const boost::json::object& fields) {
  if (style_ != Style::Json) return;
  boost::json::object all{{"event", name}};
  for (auto& [key, value] : fields)
    all[key] = std::move(value);
  *out_ << boost::json::serialize(all) << '\n' << std::flush;
}

void Reporter::line(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (style_ != Style::Terminal && style_ != Style::Lines) return;
  clear_bar();
  *screen_ << text << '\n' << std::flush;
}

void Reporter::result(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  write_result(text);
}

void Reporter::write_result(std::string_view text) {
  if (style_ == Style::Json || style_ == Style::Quiet) return;
  clear_bar();
  *out_ << text << '\n' << std::flush;
}

void Reporter::progress(Instant now, const Progress& progress) {
  const std::scoped_lock lock(mutex_);
  if (style_ == Style::Quiet) return;
  if (!start_) {
    start_ = last_ = now;
    last_bytes_ = progress.done;
    return;
  }
  if (now - last_ < (style_ == Style::Terminal ? kRedraw : kReport)) return;
  update_rates(now, progress);
  switch (style_) {
    case Style::Terminal:
      draw(progress);
      break;
    case Style::Lines:
      print_line(progress);
      break;
    case Style::Json:
      emit_event(progress);
      break;
    case Style::Quiet:
      break;
  }
}

void Reporter::update_rates(Instant now, const Progress& progress) {
  const double seconds = to_seconds(now - last_);
  const bool first = last_ == *start_;
  rate_ = smoothed(rate_, progress.done - std::min(last_bytes_, progress.done), seconds, first);
  std::vector<Rate> rates;
  for (const PathSample& path : progress.paths) {
    const auto old = std::ranges::find(path_rates_, path.tuple, &Rate::tuple);
    const bool is_new = old == path_rates_.end();
    const std::uint64_t before = is_new ? 0 : std::min(old->bytes, path.bytes);
    rates.push_back(
        {path.tuple, path.bytes,
         smoothed(is_new ? 0 : old->bits_per_second, path.bytes - before, seconds, is_new)});
  }
  path_rates_ = std::move(rates);
  last_ = now;
  last_bytes_ = progress.done;
}

double Reporter::path_rate(const PathSample& path) const {
  const auto at = std::ranges::find(path_rates_, path.tuple, &Rate::tuple);
  return at == path_rates_.end() ? 0 : at->bits_per_second;
}

double Reporter::elapsed() const { return start_ ? to_seconds(last_ - *start_) : 0; }

void Reporter::draw(const Progress& progress) {
  clear_bar();
  *screen_ << format_bar(progress, rate_, columns_) << '\n';
  for (const PathSample& path : progress.paths)
    *screen_ << ("  " + format_path(path, path_rate(path))).substr(0, columns_) << '\n';
  bar_lines_ = 1 + static_cast<unsigned>(progress.paths.size());
  *screen_ << std::flush;
}

void Reporter::print_line(const Progress& progress) {
  std::string text = fmt::format("{}  {}", progress.label, format_size(progress.done));
  if (progress.total) text += fmt::format(" of {}", format_size(*progress.total));
  text += "  " + format_rate(rate_);
  for (const PathSample& path : progress.paths)
    text += "  |  " + format_path(path, path_rate(path));
  *screen_ << text << '\n' << std::flush;
}

void Reporter::emit_event(const Progress& progress) {
  boost::json::array paths;
  for (const PathSample& path : progress.paths)
    paths.push_back(path_fields(path, path_rate(path)));
  boost::json::object fields{{"label", progress.label},
                             {"elapsed_s", rounded(elapsed())},
                             {"bytes", progress.done},
                             {"rate_bps", std::round(rate_)},
                             {"paths", std::move(paths)}};
  if (progress.total) fields["total"] = *progress.total;
  write_event("progress", fields);
}

void Reporter::clear_bar() {
  // Up over the lines of the last drawing, erasing from there to the end of the screen.
  if (bar_lines_ != 0) *screen_ << fmt::format("\x1b[{}A\r\x1b[J", bar_lines_);
  bar_lines_ = 0;
}

void Reporter::error(ExitCode code, std::string_view message) {
  const std::scoped_lock lock(mutex_);
  clear_bar();
  *screen_ << "hawser: " << message << '\n' << std::flush;
  write_event("error", {{"kind", name_of(code)}, {"message", message}});
}

void Reporter::summary(ExitCode code, std::string_view text, const boost::json::object& fields) {
  const std::scoped_lock lock(mutex_);
  boost::json::object all{{"status", name_of(code)}, {"exit_code", static_cast<unsigned>(code)}};
  for (auto& [key, value] : fields)
    all[key] = std::move(value);
  write_event("summary", all);
  if (!text.empty()) write_result(text);
}

}  // namespace apps
