#include "apps/common/report.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace apps;
using namespace std::chrono_literals;
using Catch::Contains;
using dataplane::Instant;

namespace {

struct Spoken {
  explicit Spoken(Style style) : reporter(style, out, screen, 100) {}
  std::ostringstream out;
  std::ostringstream screen;
  Reporter reporter;
};

Progress at(std::uint64_t done) {
  Progress progress{"big.bin", done, 1'000'000, {}};
  PathSample path;
  path.tuple.local = *dataplane::Endpoint::parse("10.0.0.1:5000");
  path.tuple.remote = *dataplane::Endpoint::parse("10.0.0.2:8080");
  path.bytes = done;
  path.retransmitted = 3;
  path.srtt = 120us;
  path.cwnd = 14'480;
  progress.paths.push_back(path);
  return progress;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("the bar shows share, size, rate and time left within its columns", "[apps][report]") {
  const Progress half{"big.bin", 512UL << 20, 1UL << 30, {}};
  CHECK(format_bar(half, 8e9, 100) ==
        "big.bin  [#################>                 ]   50.0%  512.0 MiB of 1.0 GiB  8.00 "
        "Gbit/s  0.5s left");
  for (unsigned columns : {10U, 40U, 60U, 80U, 200U})
    CHECK(format_bar(half, 8e9, columns).size() <= columns);
  CHECK_THAT(format_bar({"empty", 0, 0, {}}, 0, 80), Contains("100.0%"));
  CHECK(format_bar({"stream", 2048, std::nullopt, {}}, 1e6, 80) == "stream  2.0 KiB  1.00 Mbit/s");
}

TEST_CASE("without a terminal there is one line a second", "[apps][report]") {
  Spoken spoken(Style::Lines);
  for (int i = 0; i <= 30; ++i)
    spoken.reporter.progress(Instant(i * 100ms), at(static_cast<std::uint64_t>(i) * 10'000));
  CHECK(lines_of(spoken.screen.str()) == 3);
  CHECK_THAT(spoken.screen.str(), Contains("800.0 kbit/s"));
  CHECK_THAT(spoken.screen.str(), Contains("10.0.0.1:5000 > 10.0.0.2:8080"));
  CHECK_THAT(spoken.screen.str(), Contains("rtt 120us") && Contains("3 retransmitted"));
  CHECK(spoken.out.str().empty());
}

TEST_CASE("on a terminal the bar is drawn over the one before", "[apps][report]") {
  Spoken spoken(Style::Terminal);
  for (int i = 0; i <= 2; ++i)
    spoken.reporter.progress(Instant(i * 100ms), at(static_cast<std::uint64_t>(i) * 10'000));
  CHECK_THAT(spoken.screen.str(), Contains("\x1b[2A\r\x1b[J"));
}

TEST_CASE("json is one object per line, each with its event", "[apps][report]") {
  Spoken spoken(Style::Json);
  spoken.reporter.event("start", {{"command", "get"}});
  spoken.reporter.progress(Instant(0s), at(0));
  spoken.reporter.progress(Instant(1s), at(125'000));
  spoken.reporter.line("people only");
  spoken.reporter.error(ExitCode::TimedOut, "nothing for 30 s");
  spoken.reporter.summary(ExitCode::TimedOut, "text", {{"bytes", 125'000}});
  std::istringstream lines(spoken.out.str());
  std::vector<boost::json::value> events;
  for (std::string line; std::getline(lines, line);)
    events.push_back(boost::json::parse(line));
  REQUIRE(events.size() == 4);
  CHECK(events[0].at("event").as_string() == "start");
  CHECK(events[1].at("event").as_string() == "progress");
  CHECK(events[1].at("rate_bps").to_number<double>() == 1e6);
  CHECK(events[1].at("paths").at(0).at("remote").as_string() == "10.0.0.2:8080");
  CHECK(events[2].at("kind").as_string() == "timed-out");
  CHECK(events[3].at("exit_code").to_number<int>() == 6);
  CHECK_THAT(spoken.screen.str(), Contains("nothing for 30 s"));
}

TEST_CASE("quiet says errors only", "[apps][report]") {
  Spoken spoken(Style::Quiet);
  spoken.reporter.progress(Instant(0s), at(0));
  spoken.reporter.progress(Instant(5s), at(1));
  spoken.reporter.line("hello");
  spoken.reporter.summary(ExitCode::Ok, "done", {});
  CHECK(spoken.screen.str().empty());
  CHECK(spoken.out.str().empty());
  spoken.reporter.error(ExitCode::Peer, "404");
  CHECK(spoken.screen.str() == "hawser: 404\n");
}

TEST_CASE("json wins over a terminal, and a terminal over lines", "[apps][report]") {
  CHECK(choose_style(true, true, true) == Style::Json);
  CHECK(choose_style(false, true, true) == Style::Quiet);
  CHECK(choose_style(false, false, true) == Style::Terminal);
  CHECK(choose_style(false, false, false) == Style::Lines);
}
