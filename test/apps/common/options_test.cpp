#include "apps/common/options.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "apps/common/config.hpp"

using namespace apps;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

std::variant<Options, Farewell> parse(const std::vector<const char*>& words) {
  std::vector<const char*> argv = {"hawser"};
  argv.insert(argv.end(), words.begin(), words.end());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

Options parsed(const std::vector<const char*>& words) {
  const auto result = parse(words);
  if (const auto* farewell = std::get_if<Farewell>(&result)) FAIL(farewell->text);
  return std::get<Options>(result);
}

template <class T>
T command(const std::vector<const char*>& words) {
  return std::get<T>(parsed(words).command);
}

Farewell farewell(const std::vector<const char*>& words) {
  return std::get<Farewell>(parse(words));
}

}  // namespace

TEST_CASE("serve listens on port 8080 of every address unless told", "[apps][options]") {
  const auto serve = command<ServeOptions>({"serve", "--root", "/srv"});
  CHECK(serve.root == "/srv");
  CHECK(serve.listen.port == 8080);
  CHECK_FALSE(serve.listen.address);
  CHECK(command<ServeOptions>({"serve", "--root", "/", "--listen", "[fd00::1]:80"})
            .listen.address->to_string() == "fd00::1");
  CHECK(command<ServeOptions>({"serve", "--root", "/", "--listen", "81"}).listen.port == 81);
}

TEST_CASE("a listening address is a port, or an address and a port", "[apps][options]") {
  CHECK(ListenAddress::parse(":80")->port == 80);
  CHECK(ListenAddress::parse("10.0.0.1:80")->address->to_string() == "10.0.0.1");
  CHECK_FALSE(ListenAddress::parse("0.0.0.0:80")->address);
  for (const char* bad : {"", "0", "65536", "10.0.0.1", "10.0.0.1:0", "host:80", "80x"})
    CHECK_FALSE(ListenAddress::parse(bad));
}

TEST_CASE("get takes a URL, a destination and what it must verify", "[apps][options]") {
  const std::string digest(64, 'A');
  const Options options =
      parsed({"get", "--config", "a.toml", "--json", "-c", "--sha256", digest.c_str(), "--timeout",
              "500ms", "http://10.0.0.2:8080/f", "out"});
  CHECK(options.common.config == "a.toml");
  CHECK(options.common.json);
  const auto& get = std::get<GetOptions>(options.command);
  CHECK(get.url == "http://10.0.0.2:8080/f");
  CHECK(get.destination == "out");
  CHECK(get.resume);
  CHECK(get.sha256 == std::string(64, 'a'));
  CHECK(get.timeout == 500ms);
}

TEST_CASE("the last word of put is the URL", "[apps][options]") {
  const auto put = command<PutOptions>({"put", "a", "b", "http://10.0.0.2/"});
  CHECK(put.files == std::vector<std::string>{"a", "b"});
  CHECK(put.url == "http://10.0.0.2/");
  CHECK(put.timeout == 30s);
  CHECK(farewell({"put", "a"}).code == ExitCode::Usage);
}

TEST_CASE("perf run knows directions, limits and plain peers", "[apps][options]") {
  using Direction = PerfRunOptions::Direction;
  const auto run = command<PerfRunOptions>(
      {"perf", "run", "10.0.0.2", "--reverse", "--connections", "4", "--time", "5s"});
  CHECK(run.host == "10.0.0.2");
  CHECK(run.direction == Direction::Receive);
  CHECK(run.connections == 4);
  CHECK(run.time == 5s);
  CHECK_FALSE(run.bytes);
  CHECK(command<PerfRunOptions>({"perf", "run", "x", "--bytes", "10GiB"}).bytes == 10UL << 30);
  CHECK(command<PerfRunOptions>({"perf", "run", "x", "--bidir"}).direction == Direction::Both);
  CHECK(farewell({"perf", "run", "x", "--bidir", "--reverse"}).code == ExitCode::Usage);
  CHECK(farewell({"perf", "run", "x", "--time", "1s", "--bytes", "1"}).code == ExitCode::Usage);
  CHECK(farewell({"perf", "run", "x", "--plain", "--verify"}).code == ExitCode::Usage);
  CHECK(farewell({"perf", "serve", "--sink", "--source"}).code == ExitCode::Usage);
  CHECK(command<PerfServeOptions>({"perf", "serve", "--source"}).mode ==
        PerfServeOptions::Mode::Source);
}

TEST_CASE("a wrong command line says what is wrong and where help is", "[apps][options]") {
  CHECK_THAT(farewell({"get", "--timeuot", "5s", "u", "d"}).text,
             Contains("hawser get:") && Contains("Did you mean --timeout?") &&
                 Contains("See hawser get --help."));
  CHECK_THAT(farewell({"get", "u", "d", "--timeout", "5"}).text, Contains("5 is not a time"));
  CHECK_THAT(farewell({"get", "u", "d", "--sha256", "abc"}).text, Contains("64 hexadecimal"));
  CHECK_THAT(farewell({"serve"}).text, Contains("--root"));
  CHECK_THAT(farewell({"sevre"}).text, Contains("Did you mean serve?"));
  for (const auto& words : {std::vector<const char*>{}, {"perf"}, {"serve"}, {"sevre"}})
    CHECK(farewell(words).code == ExitCode::Usage);
}

TEST_CASE("every command's help has examples", "[apps][options]") {
  for (const auto& words : {std::vector<const char*>{"serve"},
                            {"get"},
                            {"put"},
                            {"perf", "serve"},
                            {"perf", "run"},
                            {"ports"}}) {
    std::vector<const char*> with_help = words;
    with_help.push_back("--help");
    const Farewell help = farewell(with_help);
    CHECK(help.code == ExitCode::Ok);
    CHECK_THAT(help.text, Contains("Examples:") && Contains("--config") && Contains("--json"));
  }
  CHECK_THAT(farewell({"--help"}).text, Contains("Exit codes:") && Contains("[[port]]"));
  CHECK_THAT(farewell({"--version"}).text, Contains("hawser 0."));
}

TEST_CASE("exit codes have distinct names", "[apps][options]") {
  CHECK(name_of(ExitCode::Ok) == "ok");
  CHECK(name_of(ExitCode::TimedOut) == "timed-out");
  CHECK_THAT(exit_code_help(), Contains("130  interrupted"));
}

TEST_CASE("what moves data chooses scheduler, paths and congestion control", "[apps][options]") {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"get", "http://10.0.0.2/f", "."},
        {"put", "f", "http://10.0.0.2/"},
        {"serve", "--root", "/"},
        {"perf", "serve"},
        {"perf", "run", "10.0.0.2"}}) {
    std::vector<const char*> more = words;
    CHECK_FALSE(parsed(more).common.multipath.scheduler);
    more.insert(more.end(), {"--scheduler", "blest", "--paths", "none", "--cc", "olia"});
    Config config;
    parsed(more).common.multipath.apply_to(config);
    CHECK(config.mptcp.scheduler == mptcp::SchedulerKind::Blest);
    CHECK(config.mptcp.path_manager == mptcp::PathManagerKind::None);
    CHECK(config.tcp.congestion_control == cc::Kind::Olia);
  }
  CHECK(farewell({"ports", "--cc", "cubic"}).code == ExitCode::Usage);
}

TEST_CASE("a name that is not in the list is answered with the list", "[apps][options]") {
  const Farewell scheduler = farewell({"perf", "serve", "--scheduler", "minrtt"});
  CHECK(scheduler.code == ExitCode::Usage);
  CHECK_THAT(scheduler.text, Contains("did you mean min-rtt?"));
  CHECK_THAT(scheduler.text, Contains("min-rtt, round-robin, redundant, blest, ecf"));
  CHECK_THAT(farewell({"perf", "serve", "--cc", "vegas"}).text,
             Contains("reno, cubic, bbr, lia, olia, balia, wvegas, dctcp"));
  CHECK_THAT(farewell({"perf", "serve", "--paths", "mesh"}).text,
             Contains("none, fixed-pairs, full-mesh"));
  const Farewell help = farewell({"get", "--help"});
  CHECK_THAT(help.text, Contains("--scheduler"));
}
