#pragma once

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apps/files/sha256.hpp"
#include "apps/http/background.hpp"

namespace apps::http {

/// Digests of whole files by their entity tag. Each is computed once, in the background, however
/// many ask.
class DigestCache {
 public:
  explicit DigestCache(Background& background) : background_(background) {}
  /// Ends computations that run; call before the background stops.
  void cancel() { *is_cancelled_ = true; }

  std::optional<files::Sha256Value> find(const std::string& etag);
  void store(const std::string& etag, const files::Sha256Value& value);
  /// Begins to compute unless it is known or under way. Does nothing when too many are under way.
  void start(const asio::any_io_executor& executor, const std::string& etag, int fd,
             std::uint64_t size);
  /// Waits while it is computed.
  asio::awaitable<void> wait(const std::string& etag);

 private:
  struct Entry {
    std::string etag;
    files::Sha256Value value;
  };
  using Waiters = std::vector<asio::steady_timer*>;
  void on_computed(const std::string& etag, const files::Result<files::Sha256Value>& value);

  static constexpr std::size_t kMaxEntries = 4096;
  static constexpr std::size_t kMaxPending = 64;

  Background& background_;
  std::shared_ptr<std::atomic<bool>> is_cancelled_ = std::make_shared<std::atomic<bool>>(false);
  std::list<Entry> entries_;  ///< Most recently used first.
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
  std::unordered_map<std::string, Waiters> pending_;
};

}  // namespace apps::http
