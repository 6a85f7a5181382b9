#include "apps/http/part_reader.hpp"

#include <algorithm>
#include <cstring>

#include "apps/files/file_io.hpp"

namespace apps::http {

asio::awaitable<files::Result<std::size_t>> PartReader::fill(files::MutableBytes into) {
  std::size_t done = 0;
  while (done < into.size() && current_ < parts_.size()) {
    const Part& part = parts_[current_];
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(part.size() - position_, into.size() - done));
    const auto target = into.subspan(done, n);
    if (part.length == 0) {
      std::memcpy(target.data(), part.text.data() + position_, n);
      done += n;
      position_ += n;
    } else {
      const auto read = co_await read_file(target, part.offset + position_);
      if (!read) co_return files::Refused(read.error());
      done += *read;
      position_ += *read;
    }
    if (position_ == part.size()) {
      ++current_;
      position_ = 0;
    }
  }
  co_return done;
}

asio::awaitable<files::Result<std::size_t>> PartReader::read_file(files::MutableBytes into,
                                                                  std::uint64_t offset) {
  auto read = files::read_cached_at(fd_, into, offset);
  if (!read && read.error() == std::errc::resource_unavailable_try_again) {
    auto job = [this, into, offset] { return files::read_at(fd_, into, offset); };
    read = co_await background_.run(job);
  }
  // The length was promised: an end before it cannot be told but by breaking off.
  if (read && *read == 0 && !into.empty()) co_return files::refused(std::errc::io_error);
  co_return read;
}

}  // namespace apps::http
