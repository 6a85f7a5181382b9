#include "apps/common/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "apps/common/config.hpp"
#include "apps/common/diagnostic.hpp"
#include "apps/common/units.hpp"
#include "dataplane/base/decimal.hpp"

namespace apps {

namespace {

using dataplane::Duration;
using namespace std::chrono_literals;

void add_duration(CLI::App& app, const std::string& name, Duration& target, Duration low,
                  const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target, name, low](const std::string& text) {
           const std::optional<Duration> time = parse_duration(text);
           if (!time)
             throw CLI::ValidationError(name, text + " is not a time; write it as 30s or 500ms");
           if (*time < low)
             throw CLI::ValidationError(name,
                                        text + " is too short; at least " + format_short(low));
           target = *time;
         },
         help)
      ->type_name("TIME")
      ->default_str(fmt::format("{}s", target / 1s));
}

void add_listen(CLI::App& app, ListenAddress& target, const std::string& help) {
  app.add_option_function<std::string>(
         "--listen",
         [&target](const std::string& text) {
           const std::optional<ListenAddress> listen = ListenAddress::parse(text);
           if (!listen)
             throw CLI::ValidationError(
                 "--listen", text + " is neither PORT nor ADDRESS:PORT ([ADDRESS]:PORT for IPv6)");
           target = *listen;
         },
         help)
      ->type_name("[ADDR:]PORT")
      ->default_str(fmt::format("{}", target.port));
}

void add_common(CLI::App& app, CommonOptions& common) {
  app.add_option("--config", common.config, "The node file: engine and ports")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--capture", common.capture, "Write what the ports send and receive as pcapng")
      ->type_name("FILE");
  app.add_option("--capture-port", common.capture_filter.tcp_port,
                 "Of these, only what comes from or goes to a TCP port")
      ->type_name("PORT");
  app.add_option_function<std::string>(
         "--capture-host",
         [&common](const std::string& text) {
           common.capture_filter.host = dataplane::IpAddress::parse(text);
           if (!common.capture_filter.host)
             throw CLI::ValidationError("--capture-host", text + " is not an address");
         },
         "Of these, only what comes from or goes to an address")
      ->type_name("ADDR");
  app.add_flag("--json", common.json, "Events and a summary on stdout, one JSON object per line");
  app.add_flag("-q,--quiet", common.quiet, "No progress, only errors");
}

CLI::App* add_serve(CLI::App& app, ServeOptions& serve) {
  CLI::App* sub = app.add_subcommand("serve", "Serve a directory over HTTP/1.1 on every port");
  sub->add_option("--root", serve.root, "The directory; nothing outside of it can be reached")
      ->required()
      ->type_name("DIR");
  add_listen(*sub, serve.listen, "Where to listen; a port alone means every address");
  sub->add_flag("--read-only", serve.read_only, "Refuse uploads");
  sub->footer(R"(
Examples:
  hawser serve --config b.toml --root /srv/files
      GET, HEAD, PUT and listings on port 8080 of every address of the node
  hawser serve --config b.toml --root /srv/files --listen 10.9.0.2:80 --read-only
  hawser serve --config b.toml --root /srv/files --scheduler redundant --cc bbr
  hawser serve --config b.toml --root /srv/files --json | tee access.log

Any HTTP client is a peer: curl -O http://10.9.0.2:8080/big.bin
Ctrl-C ends it; transfers that are under way are cut.
)");
  return sub;
}

CLI::App* add_get(CLI::App& app, GetOptions& get) {
  CLI::App* sub = app.add_subcommand("get", "Fetch a file from any HTTP/1.1 server");
  sub->add_option("URL", get.url, "http://ADDRESS[:PORT]/PATH; an address, not a name")->required();
  sub->add_option("DEST", get.destination, "The file to write, a directory to put it in, or -")
      ->required();
  sub->add_flag("-c,--continue", get.resume,
                "Keep what came of an attempt that fails, and go on from there");
  sub->add_option("--sha256", get.sha256, "Fail unless the file has this digest")
      ->type_name("HEX")
      ->check([](const std::string& text) {
        const bool is_hex = std::ranges::all_of(
            text, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
        return text.size() == 64 && is_hex ? std::string{}
                                           : std::string("a SHA-256 is 64 hexadecimal digits");
      });
  sub->add_flag("--verify", get.verify,
                "Ask the server for a SHA-256 (RFC 9530) and fail unless the file has it");
  add_duration(*sub, "--timeout", get.timeout, 1ms, "Give up when nothing moves for so long");
  sub->footer(R"(
Examples:
  hawser get --config a.toml http://10.9.0.2:8080/big.bin .
  hawser get --config a.toml http://[fd00:9::2]:8080/big.bin copy.bin --verify
  hawser get --config a.toml --scheduler blest --cc bbr http://10.9.0.2:8080/big.bin .
      over every path; hawser serve chooses for what it sends, with the same options
  hawser get --config a.toml -c --timeout 5s http://10.9.0.2:8080/big.bin big.bin
      after a break: goes on where the last -c stopped, if the server's file is still the same

The file appears under its name only when it is whole. A DEST of - is standard output.
)");
  return sub;
}

CLI::App* add_put(CLI::App& app, PutOptions& put) {
  CLI::App* sub = app.add_subcommand("put", "Send files to an HTTP/1.1 server");
  sub->add_option("FILE", put.files, "The files to send, then the URL")
      ->required()
      ->expected(2, 100'000)
      ->type_name("... URL");
  add_duration(*sub, "--timeout", put.timeout, 1ms, "Give up when nothing moves for so long");
  sub->footer(R"(
Examples:
  hawser put --config a.toml report.pdf http://10.9.0.2:8080/inbox/
      a URL that ends in / is a directory: the file keeps its name
  hawser put --config a.toml a.bin b.bin c.bin http://10.9.0.2:8080/
  hawser put --config a.toml a.bin http://[fd00:9::2]:8080/other-name.bin

Each file travels with its SHA-256 (RFC 9530); hawser serve keeps it only if that is right.
)");
  return sub;
}

void add_profile(CLI::App& sub, bool& profile) {
  sub.add_flag("--profile", profile, "Say at the end what the turns of each core cost");
}

CLI::App* add_perf_serve(CLI::App& perf, PerfServeOptions& serve) {
  CLI::App* sub = perf.add_subcommand("serve", "Wait for perf run, or for any TCP peer");
  add_listen(*sub, serve.listen, "Where to listen; a port alone means every address");
  CLI::Option* sink = sub->add_flag_callback(
      "--sink", [&serve] { serve.mode = PerfServeOptions::Mode::Sink; },
      "Discard what any TCP peer sends");
  sub->add_flag_callback(
         "--source", [&serve] { serve.mode = PerfServeOptions::Mode::Source; },
         "Send to any TCP peer until it closes")
      ->excludes(sink);
  sub->add_flag("--verify", serve.verify,
                "Check the pattern of what comes (perf run --verify sends it)");
  sub->add_flag("--once", serve.once, "End after the first test");
  add_profile(*sub, serve.profile);
  add_duration(*sub, "--interval", serve.interval, 100ms, "Time between two reports");
  sub->footer(R"(
Examples:
  hawser perf serve --config b.toml
  hawser perf serve --config b.toml --sink      # then on a kernel: nc 10.9.0.2 5201 < /dev/zero
  hawser perf serve --config b.toml --source    # then on a kernel: nc 10.9.0.2 5201 > /dev/null
)");
  return sub;
}

void add_perf_limits(CLI::App& sub, PerfRunOptions& run) {
  CLI::Option* time = sub.add_option_function<std::string>(
      "--time",
      [&run](const std::string& text) {
        run.time = parse_duration(text);
        if (!run.time || *run.time < 10ms)
          throw CLI::ValidationError("--time", text + " is not a time such as 10s or 500ms");
      },
      "How long to send [10s]");
  time->type_name("TIME");
  sub.add_option_function<std::string>(
         "--bytes",
         [&run](const std::string& text) {
           run.bytes = parse_size(text);
           if (!run.bytes || *run.bytes == 0)
             throw CLI::ValidationError("--bytes", text + " is not a size such as 10GiB");
         },
         "How much to send in each direction, instead of --time")
      ->type_name("SIZE")
      ->excludes(time);
}

CLI::App* add_perf_run(CLI::App& perf, PerfRunOptions& run) {
  using Direction = PerfRunOptions::Direction;
  CLI::App* sub = perf.add_subcommand("run", "Measure against perf serve, or any TCP peer");
  sub->add_option("HOST", run.host, "The peer's address")->required();
  sub->add_option("--port", run.port, "The peer's port")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  add_perf_limits(*sub, run);
  CLI::Option* reverse = sub->add_flag_callback(
      "--reverse", [&run] { run.direction = Direction::Receive; }, "The peer sends");
  CLI::Option* bidir = sub->add_flag_callback(
      "--bidir", [&run] { run.direction = Direction::Both; }, "Both send");
  bidir->excludes(reverse);
  sub->add_option("--connections", run.connections, "Connections side by side")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* plain = sub->add_flag(
      "--plain", run.plain, "The peer is any TCP sink (or source, with --reverse), not perf serve");
  sub->add_flag("--verify", run.verify, "Send, and check, a pattern that depends on the position")
      ->excludes(plain);
  add_profile(*sub, run.profile);
  add_duration(*sub, "--interval", run.interval, 100ms, "Time between two reports");
  add_duration(*sub, "--timeout", run.timeout, 1ms, "Give up when nothing moves for so long");
  sub->footer(R"(
Examples:
  hawser perf run --config a.toml 10.9.0.2
  hawser perf run --config a.toml 10.9.0.2 --reverse --time 5s --connections 4
  hawser perf run --config a.toml fd00:9::2 --bytes 10GiB --verify --json
  hawser perf run --config a.toml 10.9.0.2 --scheduler ecf --paths full-mesh --cc lia
      for this run; with --reverse it is perf serve that chooses scheduler and --cc
  hawser perf run --config a.toml 10.9.0.2 --profile
      cycles per frame in device, engine and application, and frames a burst
  hawser perf run --config a.toml 10.9.0.2 --plain --port 9000
      with a kernel's sink: socat -u TCP-LISTEN:9000 /dev/null

Goodput counts payload only, the line of each path what that path carried, copies too. Cycles per byte are busy TSC cycles of the engine's cores.
)");
  return sub;
}

CLI::App* add_ports(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("ports", "Say what each port's device is, can do, and is used for");
  sub->footer(R"(
Examples:
  hawser ports --config a.toml
  hawser ports --config a.toml --json
)");
  return sub;
}

std::string main_footer() {
  return fmt::format(R"(
Start here:
  hawser ports --config a.toml                             what the devices can do
  hawser serve --config b.toml --root DIR                  on one machine
  hawser get   --config a.toml http://10.9.0.2:8080/f .    on another
  hawser COMMAND --help                                    shows examples of each

A node file (--config):

{}
{})",
                     example_config(), exit_code_help());
}

/// The option that was probably meant by one that does not exist.
std::string suggestion(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      known.push_back("--" + name);
  for (const CLI::App* sub : app.get_subcommands({}))
    known.push_back(sub->get_name());
  const std::string near = nearest_name(word, known);
  return near.empty() ? std::string{} : fmt::format("Did you mean {}? ", near);
}

/// The innermost subcommand that the command line names.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty())
    at = at->get_subcommands().front();
  return *at;
}

std::string path_of(const CLI::App& app) {
  std::string path = app.get_name();
  for (const CLI::App* at = app.get_parent(); at != nullptr; at = at->get_parent())
    path.insert(0, at->get_name() + " ");
  return path;
}

Farewell usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = innermost(root);
  const std::vector<std::string> extras = root.remaining(true);
  const bool is_no_command = !app.get_subcommands({}).empty() && !extras.empty();
  const std::string what = is_no_command ? fmt::format("there is no command \"{}\"", extras.front())
                                         : std::string(error.what());
  return {
      ExitCode::Usage,
      fmt::format("{}: {}\n{}See {} --help.\n", path_of(app), what,
                  extras.empty() ? std::string{} : suggestion(app, extras.front()), path_of(app))};
}

}  // namespace

std::optional<ListenAddress> ListenAddress::parse(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with(':')) digits.remove_prefix(1);
  const auto port = dataplane::parse_decimal<std::uint16_t>(digits);
  if (port && *port != 0) return ListenAddress{{}, *port};
  const std::optional<dataplane::Endpoint> endpoint = dataplane::Endpoint::parse(text);
  if (!endpoint || endpoint->port == 0) return std::nullopt;
  if (endpoint->address.is_unspecified()) return ListenAddress{{}, endpoint->port};
  return ListenAddress{endpoint->address, endpoint->port};
}

std::string_view version() { return HAWSER_VERSION; }

std::string_view name_of(const Command& command) {
  constexpr std::array<std::string_view, std::variant_size_v<Command>> kNames = {
      "serve", "get", "put", "perf serve", "perf run", "ports"};
  return kNames[command.index()];
}

std::variant<Options, Farewell> parse_command_line(int argc, const char* const* argv) {
  Options options;
  ServeOptions serve;
  GetOptions get;
  PutOptions put;
  PerfServeOptions perf_serve;
  PerfRunOptions perf_run;

  CLI::App app("Hawser moves files over TCP in user space, on DPDK ports.", "hawser");
  app.set_version_flag("--version", fmt::format("hawser {}", version()));
  app.require_subcommand(1);
  app.footer(main_footer());
  CLI::App* serve_app = add_serve(app, serve);
  CLI::App* get_app = add_get(app, get);
  CLI::App* put_app = add_put(app, put);
  CLI::App* perf_app = app.add_subcommand("perf", "Measure goodput from memory to memory");
  perf_app->require_subcommand(1);
  CLI::App* perf_serve_app = add_perf_serve(*perf_app, perf_serve);
  CLI::App* perf_run_app = add_perf_run(*perf_app, perf_run);
  CLI::App* ports_app = add_ports(app);
  for (CLI::App* sub : {serve_app, get_app, put_app, perf_serve_app, perf_run_app, ports_app})
    add_common(*sub, options.common);
  for (CLI::App* sub : {serve_app, get_app, put_app, perf_serve_app, perf_run_app})
    add_multipath_options(*sub, options.common.multipath);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    return Farewell{ExitCode::Ok, fmt::format("{}\n", version.what())};
  } catch (const CLI::CallForHelp&) {
    return Farewell{ExitCode::Ok, innermost(app).help()};
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }

  if (serve_app->parsed()) options.command = serve;
  if (get_app->parsed()) {
    for (char& digit : get.sha256)
      digit = static_cast<char>(std::tolower(static_cast<unsigned char>(digit)));
    options.command = get;
  }
  if (put_app->parsed()) {
    put.url = put.files.back();
    put.files.pop_back();
    options.command = put;
  }
  if (perf_serve_app->parsed()) options.command = perf_serve;
  if (perf_run_app->parsed()) options.command = perf_run;
  if (ports_app->parsed()) options.command = PortsOptions{};
  return options;
}

}  // namespace apps
