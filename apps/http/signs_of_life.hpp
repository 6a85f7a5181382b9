#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "apps/http/connection.hpp"

namespace apps::http {

/// Tells a client that waits that its request is still being worked on: "102 Processing", every few
/// seconds. A server may need minutes to hash a large file, or to get it onto the disk.
class SignsOfLife {
 public:
  /// `limit` is how long one of them may take to be sent.
  SignsOfLife(Connection& connection, std::chrono::milliseconds limit);

  void start();
  /// Nothing is being sent any more when it returns. Must follow each start().
  asio::awaitable<void> stop();

 private:
  struct State;
  Connection& connection_;
  std::shared_ptr<State> state_;
};

}  // namespace apps::http
