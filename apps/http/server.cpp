#include "apps/http/server.hpp"

#include <utility>

#include <fmt/format.h>

#include "apps/http/session.hpp"

namespace apps::http {

struct Server::Impl {
  std::shared_ptr<ServerState> state;
};

Outcome<std::unique_ptr<Server>> Server::open(ServerOptions options) {
  auto root = files::Root::open(options.root);
  if (!root) {
    const bool is_old = root.error() == std::errc::function_not_supported;
    return fail(ErrorKind::LocalFile,
                fmt::format("cannot serve '{}': {}", options.root, root.error().message()),
                is_old ? "The kernel must be Linux 5.6 or later (openat2)."
                       : "Name an existing directory that you may read.");
  }
  auto impl = std::make_unique<Impl>();
  impl->state = std::make_shared<ServerState>(std::move(options), std::move(*root));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  // Sessions that were not run to their end hold on to the state; the threads must not outlive the
  // executor.
  impl_->state->digests.cancel();
  impl_->state->background.join();
}

asio::awaitable<void> Server::serve(StreamPtr stream) {
  const auto state = impl_->state;
  if (state->is_stopping) {
    stream->abort();
    co_return;
  }
  Session session(state, std::move(stream));
  state->sessions.insert(&session);
  ++state->stats.sessions_total;
  co_await session.run();
  state->sessions.erase(&session);
}

void Server::stop() {
  impl_->state->is_stopping = true;
  for (Session* session : impl_->state->sessions)
    session->stop();
}

void Server::abort() {
  impl_->state->is_stopping = true;
  for (Session* session : impl_->state->sessions)
    session->abort();
}

ServerStats Server::stats() const {
  ServerStats stats = impl_->state->stats;
  stats.sessions_open = impl_->state->sessions.size();
  return stats;
}

}  // namespace apps::http
