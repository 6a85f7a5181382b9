#pragma once

#include <memory>
#include <optional>
#include <system_error>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include "apps/files/sha256.hpp"
#include "apps/http/background.hpp"

namespace apps::http {

/// Writes (and hashes) one buffer in the background while the next one is filled from the network.
class FileSink {
 public:
  struct Options {
    std::uint64_t offset = 0;  ///< Where the first octet goes.
    bool is_seekable = true;   ///< False for pipes and terminals.
    std::size_t buffer_size = 512 * 1024;
    bool is_flushed_early = false;  ///< Begins to write to the disk at once: an fsync is to follow.
    std::optional<files::Sha256> hash;  ///< Goes on from what it has seen, if there is one.
  };

  /// Keeps a descriptor of its own to the file.
  FileSink(Background& background, const asio::any_io_executor& executor, int fd, Options options);

  /// The buffer to fill next.
  asio::mutable_buffer room();
  /// Takes the first `bytes` of room() once the write before is through, whose error it returns.
  asio::awaitable<std::error_code> put(std::size_t bytes);
  /// Waits for the last write. After it there is nothing that still runs.
  asio::awaitable<std::error_code> drain();
  /// Of all octets; after drain(), and only if there was a hash in the options.
  files::Sha256Value digest();

 private:
  struct State;
  Background& background_;
  asio::any_io_executor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace apps::http
