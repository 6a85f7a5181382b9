#include "mptcp/api/socket_state.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>

#include "dataplane/base/assert.hpp"

namespace mptcp::api::detail {

namespace asio = boost::asio;

void SocketState::open(SocketId id) {
  socket_ = Socket(runtime()->core(), runtime()->now(), id);
  closed_ = false;
  write_closed_ = false;
  reason_ = {};
  is_open_.store(true, std::memory_order_relaxed);
  runtime()->add(id, std::static_pointer_cast<SocketState>(shared_from_this()));
}

void SocketState::take_endpoints() {
  const std::optional<SocketInfo> info = socket_.info();
  if (!info) return;
  local_ = info->tuple.local;
  remote_ = info->tuple.remote;
}

void SocketState::start(Direction direction, OperationPtr<IoOperation> operation) {
  if (!socket_) return finish(std::move(operation), asio::error::bad_descriptor);
  OperationQueue<IoOperation>& queue = pending(direction);
  // A path may live as long as the connection: to wait for its end is no exchange that hangs.
  operation->deadline = direction == Direction::Paths ? kNever : deadline_;
  if (operation->deadline <= runtime()->now()) {
    // As if it had waited and the deadline had come at once.
    IoOperation& late = *operation;
    queue.push(std::move(operation));
    return on_expired(late);
  }
  if ((queue.empty() || operation->is_empty()) && operation->perform(*this))
    return runtime()->finish(std::move(operation));
  runtime()->deadlines().insert(*operation);
  queue.push(std::move(operation));
}

void SocketState::connect(OperationPtr<ConnectOperation> operation) {
  if (connecting_ != nullptr) return finish(std::move(operation), asio::error::already_started);
  if (socket_) return finish(std::move(operation), asio::error::already_connected);
  operation->deadline = deadline_;
  connecting_ = std::move(operation);
  if (deadline_ <= runtime()->now()) return on_expired(*connecting_);
  runtime()->deadlines().insert(*connecting_);
  try_connect();
}

void SocketState::try_connect() {
  for (;;) {
    const SocketResult<SocketId> id =
        runtime()->core().connect(runtime()->now(), connecting_->options());
    if (id) return open(*id);
    if (!connecting_->advance()) return end(End::Abort, to_error_code(id.error()));
  }
}

void SocketState::on_connect_failed() {
  if (!connecting_->advance()) return end(End::Abort, to_read_error(reason_));
  runtime()->remove(socket_.id());
  socket_.abort();
  try_connect();
}

error_code SocketState::listen(const Endpoint& local,
                               const std::optional<dataplane::tcp::Config>& tcp,
                               const std::optional<Config>& mptcp) {
  if (socket_) return asio::error::already_open;
  const SocketResult<SocketId> id = runtime()->core().listen(local, tcp, mptcp);
  if (!id) return to_error_code(id.error());
  local_ = local;
  open(*id);
  return {};
}

std::shared_ptr<SocketState> SocketState::accept() {
  const std::optional<SocketId> id = socket_.accept();
  if (!id) return nullptr;
  auto accepted = std::make_shared<SocketState>(*runtime());
  accepted->open(*id);
  accepted->take_endpoints();
  // What happened to it before was told to nobody.
  if (const auto info = accepted->socket_.info();
      info && info->reason != dataplane::tcp::CloseReason::None) {
    accepted->closed_ = true;
    accepted->reason_ = info->reason;
  }
  return accepted;
}

void SocketState::shutdown() {
  if (!socket_ || write_closed_) return;
  write_closed_ = true;
  socket_.shutdown();
  run(Direction::Write);
}

void SocketState::cancel_all() {
  if (connecting_ != nullptr) return abort();
  finish_pending(asio::error::operation_aborted);
}

std::optional<PathChange> SocketState::next_path_change() { return socket_.next_path_change(); }

std::size_t SocketState::read(MutableByteSpan out) {
  const std::size_t octets = socket_.read(out);
  runtime()->count_octets(octets);
  return octets;
}

std::size_t SocketState::write(ByteSpan octets) {
  const std::size_t taken = socket_.write(octets);
  runtime()->count_octets(taken);
  return taken;
}

bool SocketState::is_read_over(error_code& why) const {
  if (socket_.at_end_of_stream()) {
    why = asio::error::eof;
  } else if (closed_) {
    why = to_read_error(reason_);
  } else {
    return false;
  }
  return true;
}

bool SocketState::is_write_over(error_code& why) const {
  if (closed_) {
    why = to_write_error(reason_);
  } else if (write_closed_) {
    why = asio::error::broken_pipe;
  } else {
    return false;
  }
  return true;
}

bool SocketState::is_ready(Direction direction) {
  error_code ignored;
  std::byte octet{};
  const bool reading = direction == Direction::Read;
  if (reading ? socket_.readable() > 0 || is_read_over(ignored)
              : socket_.writable() > 0 || is_write_over(ignored))
    return true;
  // The core tells of the next change only after a call that came back empty.
  const std::size_t moved = reading ? socket_.read({&octet, 1}) : socket_.write({&octet, 1});
  ASSERT(moved == 0);
  return false;
}

void SocketState::on_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::Connected:
      take_endpoints();
      if (connecting_ != nullptr) finish(std::move(connecting_), {});
      break;
    case Event::Kind::Acceptable:
    case Event::Kind::Readable:
    case Event::Kind::EndOfStream:
      run(Direction::Read);
      break;
    case Event::Kind::Writable:
      run(Direction::Write);
      break;
    case Event::Kind::PathChanged:
      run(Direction::Paths);
      break;
    case Event::Kind::Closed:
      closed_ = true;
      reason_ = event.reason;
      if (connecting_ != nullptr) return on_connect_failed();
      run(Direction::Read);
      run(Direction::Write);
      run(Direction::Paths);
      break;
  }
}

void SocketState::run(Direction direction) {
  OperationQueue<IoOperation>& queue = pending(direction);
  while (!queue.empty() && queue.front()->perform(*this)) {
    runtime()->deadlines().erase(*queue.front());
    runtime()->finish(queue.pop());
  }
}

template <class Predicate>
OperationPtr<IoOperation> SocketState::take_pending(Predicate matches) {
  for (OperationQueue<IoOperation>& queue : pending_)
    if (OperationPtr<IoOperation> taken = queue.take(matches)) return taken;
  return nullptr;
}

OperationPtr<Operation> SocketState::take(const Operation& operation) {
  const auto matches = [&](const Operation& other) { return &other == &operation; };
  if (connecting_.get() == &operation) return std::move(connecting_);
  return take_pending(matches);
}

void SocketState::on_expired(Operation& operation) {
  finish(take(operation), boost::beast::error::timeout);
  abort();
}

void SocketState::cancel(std::uint64_t serial) {
  const auto matches = [&](const Operation& operation) { return operation.serial == serial; };
  if (connecting_ != nullptr && matches(*connecting_)) return abort();
  if (auto taken = take_pending(matches)) finish(std::move(taken), asio::error::operation_aborted);
}

void SocketState::drop(Operation& operation) { take(operation).reset(); }

void SocketState::drop_all() {
  is_open_.store(false, std::memory_order_relaxed);
  socket_.abort();
  const OperationPtr<ConnectOperation> connecting = std::move(connecting_);
  const auto pending = std::move(pending_);
}

void SocketState::end(End how, error_code why) {
  const auto self = shared_from_this();
  is_open_.store(false, std::memory_order_relaxed);
  if (socket_) {
    runtime()->remove(socket_.id());
    if (how == End::Close) {
      socket_.close();
    } else {
      socket_.abort();
    }
  }
  finish_pending(why);
}

void SocketState::finish(OperationPtr<Operation> operation, error_code why) {
  runtime()->deadlines().erase(*operation);
  operation->error = why;
  runtime()->finish(std::move(operation));
}

void SocketState::finish_pending(error_code why) {
  if (connecting_ != nullptr) finish(std::move(connecting_), why);
  for (OperationQueue<IoOperation>& queue : pending_) {
    while (!queue.empty())
      finish(queue.pop(), why);
  }
}

void release(const std::shared_ptr<SocketState>& socket) noexcept {
  if (socket == nullptr || socket->runtime() == nullptr) return;
  try {
    socket->runtime()->run([socket] { socket->close(); });
  } catch (...) {
    // No memory to tell the core's thread: the socket stays open until the runtime ends.
    return;
  }
}

}  // namespace mptcp::api::detail
