#include <filesystem>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "apps/common/units.hpp"
#include "apps/hawser/context.hpp"
#include "apps/hawser/http_error.hpp"
#include "apps/hawser/transfer.hpp"
#include "apps/http/url.hpp"

namespace apps::hawser {

namespace {

using namespace std::chrono_literals;

/// How long a server may hash and sync a file before it answers.
constexpr dataplane::Duration kStoring = 600s;

/// Sends the files one after the other; what arrived is in `results`.
boost::asio::awaitable<TransferOutcome> put_all(Transfer& transfer, const PutOptions& options,
                                                const http::Url& url,
                                                std::vector<http::PutResult>& results) {
  for (const std::string& file : options.files) {
    std::string label = std::filesystem::path(file).filename().string();
    if (options.files.size() > 1)
      label += fmt::format(" ({}/{})", results.size() + 1, options.files.size());
    transfer.set_label(label);
    transfer.progress().done = 0;
    transfer.progress().total = http::Progress::kUnknown;
    auto outcome = co_await transfer.client().put(file, url, {.digest = http::PutDigest::Header},
                                                  transfer.progress());
    if (!outcome) co_return outcome.error();
    results.push_back(*std::move(outcome));
  }
  co_return std::nullopt;
}

void say_summary(Context& context, ExitCode code, const PutOptions& options,
                 const std::vector<http::PutResult>& results, const Transfer& transfer) {
  const double seconds = std::max(transfer.elapsed_seconds(), 1e-9);
  std::uint64_t bytes = 0;
  boost::json::array files;
  for (std::size_t i = 0; i < results.size(); ++i) {
    bytes += results[i].bytes;
    files.push_back({{"file", options.files[i]},
                     {"url", http::to_string(results[i].url)},
                     {"bytes", results[i].bytes},
                     {"created", results[i].created},
                     {"sha256", results[i].sha256}});
  }
  const double rate = static_cast<double>(bytes) * 8 / seconds;
  std::string text;
  if (!results.empty())
    text = fmt::format("{}: {} in {} ({})",
                       results.size() == 1 ? http::to_string(results.front().url)
                                           : fmt::format("{} files", results.size()),
                       format_size(bytes), format_elapsed(seconds), format_rate(rate));
  if (!text.empty()) text += transfer.paths_text();
  context.reporter.summary(code, text,
                           {{"url", options.url},
                            {"files", files},
                            {"bytes", bytes},
                            {"elapsed_s", seconds},
                            {"rate_bps", std::round(rate)},
                            {"segments_retransmitted", transfer.retransmitted()},
                            {"longest_pause_s", transfer.longest_pause_seconds()},
                            {"paths", transfer.paths_fields()}});
}

}  // namespace

ExitCode run_put(Context& context, const PutOptions& options) {
  const http::Outcome<http::Url> url = http::parse_url(options.url);
  if (!url || (options.files.size() > 1 && !http::names_directory(*url))) {
    context.reporter.error(ExitCode::Usage,
                           url ? "several files need a URL that ends in / : it names a directory"
                               : text_of(url.error()));
    return ExitCode::Usage;
  }
  Transfer transfer(context, {.stall = options.timeout,
                              .answer = std::max<dataplane::Duration>(options.timeout, kStoring)});
  context.reporter.event("start", {{"command", "put"}, {"url", options.url}});
  std::vector<http::PutResult> results;
  const TransferOutcome failure =
      transfer.run([&] { return put_all(transfer, options, *url, results); });
  const ExitCode code = failure ? exit_code_of(failure->kind) : ExitCode::Ok;
  if (failure) context.reporter.error(code, text_of(*failure));
  say_summary(context, code, options, results, transfer);
  return code;
}

}  // namespace apps::hawser
