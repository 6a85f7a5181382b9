#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/http_error.hpp"
#include "apps/hawser/transfer.hpp"
#include "apps/http/url.hpp"

namespace apps::hawser {

namespace {

using namespace std::chrono_literals;

/// How long a server may hash a file before it answers; a dead one is noticed much earlier, by
/// keepalives.
constexpr dataplane::Duration kHashing = 600s;

void say_summary(Context& context, ExitCode code, const GetOptions& options,
                 const http::GetResult& result, const Transfer& transfer) {
  const double seconds = std::max(transfer.elapsed_seconds(), 1e-9);
  const std::uint64_t moved = result.bytes - result.resumed;
  const double rate = static_cast<double>(moved) * 8 / seconds;
  std::string text;
  if (code == ExitCode::Ok) {
    text = fmt::format("{}: {} in {} ({})", result.path, format_size(moved),
                       format_elapsed(seconds), format_rate(rate));
    if (result.resumed != 0) text += fmt::format(", {} were there", format_size(result.resumed));
    if (!result.sha256.empty()) text += fmt::format(", sha-256 {} verified", result.sha256);
  }
  boost::json::object fields{{"url", options.url},
                             {"bytes", result.bytes},
                             {"resumed_bytes", result.resumed},
                             {"elapsed_s", seconds},
                             {"rate_bps", std::round(rate)},
                             {"segments_retransmitted", transfer.retransmitted()},
                             {"longest_pause_s", transfer.longest_pause_seconds()},
                             {"paths", transfer.paths_fields()}};
  if (!result.path.empty()) fields["path"] = result.path;
  if (!result.sha256.empty()) fields["sha256"] = result.sha256;
  if (!text.empty()) text += transfer.paths_text();
  context.reporter.summary(code, text, fields);
}

}  // namespace

ExitCode run_get(Context& context, const GetOptions& options) {
  const http::Outcome<http::Url> url = http::parse_url(options.url);
  if (!url) {
    context.reporter.error(ExitCode::Usage, text_of(url.error()));
    return ExitCode::Usage;
  }
  http::GetOptions get;
  get.destination = options.destination;
  get.resume = options.resume;
  get.verify = options.verify;
  get.sha256 = options.sha256;
  Transfer transfer(
      context, {.stall = options.timeout,
                .answer = options.verify ? std::max<dataplane::Duration>(options.timeout, kHashing)
                                         : options.timeout});
  transfer.set_label(http::file_name_of(*url));
  context.reporter.event("start", {{"command", "get"}, {"url", options.url}});

  http::GetResult result;
  const TransferOutcome failure = transfer.run([&]() -> boost::asio::awaitable<TransferOutcome> {
    auto outcome = co_await transfer.client().get(*url, get, transfer.progress());
    if (!outcome) co_return outcome.error();
    result = *std::move(outcome);
    co_return std::nullopt;
  });

  const ExitCode code = failure ? exit_code_of(failure->kind) : ExitCode::Ok;
  if (failure) {
    context.reporter.error(code, text_of(*failure));
    result.bytes = transfer.progress().done;
    result.resumed = transfer.progress().resumed;
  }
  say_summary(context, code, options, result, transfer);
  return code;
}

}  // namespace apps::hawser
