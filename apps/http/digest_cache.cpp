#include "apps/http/digest_cache.hpp"

#include <fcntl.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "apps/files/unique_fd.hpp"

namespace apps::http {

std::optional<files::Sha256Value> DigestCache::find(const std::string& etag) {
  const auto found = index_.find(etag);
  if (found == index_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->value;
}

void DigestCache::store(const std::string& etag, const files::Sha256Value& value) {
  if (index_.contains(etag)) return;
  if (entries_.size() == kMaxEntries) {
    index_.erase(entries_.back().etag);
    entries_.pop_back();
  }
  entries_.push_front({etag, value});
  index_[etag] = entries_.begin();
}

void DigestCache::start(const asio::any_io_executor& executor, const std::string& etag, int fd,
                        std::uint64_t size) {
  if (index_.contains(etag) || pending_.contains(etag) || pending_.size() >= kMaxPending) return;
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return;
  pending_[etag];
  auto compute = [this, etag, file = files::UniqueFd(copy), size,
                  cancelled = is_cancelled_]() -> asio::awaitable<void> {
    auto job = [&] { return files::sha256_of(file.raw(), 0, size, *cancelled); };
    const auto value = co_await background_.run(job);
    on_computed(etag, value);
  };
  asio::co_spawn(executor, std::move(compute), asio::detached);
}

void DigestCache::on_computed(const std::string& etag,
                              const files::Result<files::Sha256Value>& value) {
  if (value) store(etag, *value);
  for (asio::steady_timer* waiter : pending_[etag])
    waiter->cancel();
  pending_.erase(etag);
}

asio::awaitable<void> DigestCache::wait(const std::string& etag) {
  const auto found = pending_.find(etag);
  if (found == pending_.end()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  found->second.push_back(&timer);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace apps::http
