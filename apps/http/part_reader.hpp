#pragma once

#include <cstdint>
#include <system_error>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "apps/files/result.hpp"
#include "apps/http/background.hpp"
#include "apps/http/reply.hpp"

namespace apps::http {

/// Hands out parts of text and file as one stream of octets. What is in the page cache is copied at
/// once, what has to come from the disk is read in the background.
class PartReader {
 public:
  PartReader(Background& background, int fd, std::vector<Part> parts)
      : background_(background), fd_(fd), parts_(std::move(parts)) {}

  /// Fills `into`; fewer octets only at the end. io_error when the file has become shorter.
  asio::awaitable<files::Result<std::size_t>> fill(files::MutableBytes into);

 private:
  asio::awaitable<files::Result<std::size_t>> read_file(files::MutableBytes into,
                                                        std::uint64_t offset);

  Background& background_;
  int fd_;
  std::vector<Part> parts_;
  std::size_t current_ = 0;
  std::uint64_t position_ = 0;  ///< Octets of the current part that are out.
};

}  // namespace apps::http
