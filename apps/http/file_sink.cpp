#include "apps/http/file_sink.hpp"

#include <array>
#include <cstddef>
#include <fcntl.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apps/files/file_io.hpp"
#include "apps/files/unique_fd.hpp"

namespace apps::http {
namespace {

using Buffer =
    std::unique_ptr<std::byte[]>;  // NOLINT(modernize-avoid-c-arrays): left uninitialised.

}  // namespace

struct FileSink::State {
  State(const asio::any_io_executor& executor, int fd, Options wishes)
      : file(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), options(std::move(wishes)), done(executor) {
    if (!file) error = files::last_error();
  }

  std::error_code write(files::Bytes octets) {
    if (options.hash) options.hash->update(octets);
    if (!options.is_seekable) return files::write_all(file.raw(), octets);
    const auto result = files::write_at(file.raw(), octets, options.offset);
    if (options.is_flushed_early) files::start_writeback(file.raw(), options.offset, octets.size());
    options.offset += octets.size();
    return result;
  }

  files::UniqueFd file;
  Options options;
  std::array<Buffer, 2> buffers;
  std::size_t filling =
      0;  ///< Which buffer room() gives; the other one may be on its way to the disk.
  bool is_busy = false;
  std::error_code error;
  asio::steady_timer done;  ///< Cancelled when a write is through.
};

FileSink::FileSink(Background& background, const asio::any_io_executor& executor, int fd,
                   Options options)
    : background_(background),
      executor_(executor),
      state_(std::make_shared<State>(executor, fd, std::move(options))) {}

asio::mutable_buffer FileSink::room() {
  Buffer& buffer = state_->buffers.at(state_->filling);
  if (!buffer) buffer = std::make_unique_for_overwrite<std::byte[]>(state_->options.buffer_size);
  return {buffer.get(), state_->options.buffer_size};
}

asio::awaitable<std::error_code> FileSink::put(std::size_t bytes) {
  const std::error_code earlier = co_await drain();
  if (earlier) co_return earlier;
  const files::Bytes octets(state_->buffers.at(state_->filling).get(), bytes);
  state_->filling = 1 - state_->filling;
  state_->is_busy = true;
  // A loop that has nothing else to do must not end while the write is on its way.
  auto home = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
  background_.start([state = state_, home = std::move(home), octets] {
    const auto error = state->write(octets);
    asio::post(home, [state, error] {
      state->is_busy = false;
      state->error = error;
      state->done.cancel();
    });
  });
  co_return std::error_code{};
}

asio::awaitable<std::error_code> FileSink::drain() {
  while (state_->is_busy) {
    state_->done.expires_at(asio::steady_timer::time_point::max());
    co_await state_->done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return state_->error;
}

files::Sha256Value FileSink::digest() { return state_->options.hash->finish(); }

}  // namespace apps::http
