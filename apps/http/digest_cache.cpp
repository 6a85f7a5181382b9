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
    finish(etag, value);
  };
  asio::co_spawn(executor, std::move(compute), asio::detached);
}

void DigestCache::finish(const std::string& etag, const files::Result<files::Sha256Value>& value) {
  if (value) store(etag, *value);
  for (asio::steady_timer* waiter : pending_[etag])
    waiter->cancel();
  pending_.erase(etag);
}

asio::awaitable<bool> DigestCache::wait(const std::string& etag, std::chrono::milliseconds limit) {
  const auto found = pending_.find(etag);
  if (found == pending_.end()) co_return true;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  const auto place = found->second.insert(found->second.end(), &timer);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  // finish() takes the list away with everyone in it.
  const auto still = pending_.find(etag);
  if (still == pending_.end()) co_return true;
  still->second.erase(place);
  co_return false;
}

}  // namespace apps::http
