#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "mptcp/api/error.hpp"
#include "mptcp/api/operation.hpp"
#include "mptcp/api/owner.hpp"
#include "mptcp/api/socket.hpp"

namespace mptcp::api::detail {

class SocketState;

/// What an operation waits for. Paths: for a PathChange, however long that takes.
enum class Direction : std::uint8_t { Read, Write, Paths };

/// An operation that waits until the socket allows some progress.
class IoOperation : public Operation {
 public:
  /// Does what can be done now; whether the operation is over.
  virtual bool perform(SocketState& socket) = 0;
  /// Nothing to transfer, so it need not wait for those before it.
  virtual bool is_empty() const { return false; }
  std::tuple<error_code, std::size_t> take_results() const { return {error, octets}; }

  std::size_t octets = 0;  ///< Transferred.

 protected:
  ~IoOperation() = default;
};

/// An operation that makes a connection, to the first remote endpoint that answers.
class ConnectOperation : public Operation {
 public:
  ConnectOperation(const Core::ConnectOptions& first, std::vector<Endpoint> others)
      : options_(first), others_(std::move(others)) {}

  const Core::ConnectOptions& options() const { return options_; }
  /// Turns to the next endpoint; false if there is none.
  bool advance() {
    if (next_ == others_.size()) return false;
    options_.remote = others_[next_++];
    return true;
  }
  std::tuple<error_code> take_results() const { return {error}; }

 protected:
  ~ConnectOperation() = default;

 private:
  Core::ConnectOptions options_;
  std::vector<Endpoint> others_;
  std::size_t next_ = 0;
};

/// What a stream or an acceptor is on the core's thread: the socket, what is pending on it, and its
/// deadline.
class SocketState final : public Owner {
 public:
  explicit SocketState(Runtime& runtime) : Owner(runtime) {}

  // Operations. They end through Runtime::finish().
  void start(Direction direction, OperationPtr<IoOperation> operation);
  void connect(OperationPtr<ConnectOperation> operation);
  error_code listen(const Endpoint& local, const std::optional<dataplane::tcp::Config>& tcp,
                    const std::optional<Config>& mptcp);
  /// The next connection that waits on this listener, or nullptr.
  std::shared_ptr<SocketState> accept();

  // Commands. Each does nothing when the socket is not open.
  void shutdown();
  void close() { end(End::Close, boost::asio::error::operation_aborted); }
  void abort() { end(End::Abort, boost::asio::error::operation_aborted); }
  /// Ends what is pending; the socket stays open.
  void cancel_all();
  void expires_at(Instant deadline) { deadline_ = deadline; }

  // What operations perform.
  std::size_t read(MutableByteSpan out);
  std::size_t write(ByteSpan octets);
  /// Whether reading is over for good, and why.
  bool is_read_over(error_code& why) const;
  bool is_write_over(error_code& why) const;
  bool is_ready(Direction direction);
  std::optional<PathChange> next_path_change();
  bool is_closed() const { return closed_; }

  void on_event(const Event& event);
  void on_expired(Operation& operation) override;
  void cancel(std::uint64_t serial) override;
  void drop(Operation& operation) override;
  /// Frees what is pending without a call of its handlers, and the socket.
  void drop_all();

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }
  /// Any thread.
  bool is_open() const { return is_open_.load(std::memory_order_relaxed); }
  const Endpoint& local() const { return local_; }
  const Endpoint& remote() const { return remote_; }

 private:
  enum class End : std::uint8_t { Close, Abort };

  OperationQueue<IoOperation>& pending(Direction direction) {
    return pending_[static_cast<std::size_t>(direction)];
  }
  template <class Predicate>
  OperationPtr<IoOperation> take_pending(Predicate matches);
  void open(SocketId id);
  void take_endpoints();
  void try_connect();
  void on_connect_failed();
  void run(Direction direction);
  void end(End how, error_code why);
  OperationPtr<Operation> take(const Operation& operation);
  void finish(OperationPtr<Operation> operation, error_code why);
  void finish_pending(error_code why);

  Socket socket_;
  std::atomic<bool> is_open_{false};
  bool closed_ = false;        ///< The core said Closed, `reason_` says why.
  bool write_closed_ = false;  ///< shutdown() was called.
  dataplane::tcp::CloseReason reason_{};
  Instant deadline_ = kNever;  ///< Of the operations that start from now on.
  Endpoint local_;
  Endpoint remote_;
  OperationPtr<ConnectOperation> connecting_;
  std::array<OperationQueue<IoOperation>, 3> pending_;  ///< By Direction; accepts are reads.
};

/// Closes the socket of an object that goes away. Any thread.
void release(const std::shared_ptr<SocketState>& socket) noexcept;

/// The most that one operation copies: it stays in the L2 cache, and others get their turn.
inline constexpr std::size_t kMaxOctetsPerOperation = 256UL << 10;

/// Calls `transfer` with the pieces of a buffer sequence until it takes less than all of a piece.
template <class Span, class Buffer, class Buffers, class Transfer>
std::size_t transfer_each(const Buffers& buffers, Transfer transfer) {
  std::size_t total = 0;
  const auto end = boost::asio::buffer_sequence_end(buffers);
  for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
    const Buffer buffer(*at);
    const std::size_t wanted = std::min(buffer.size(), kMaxOctetsPerOperation - total);
    if (wanted == 0) continue;
    const std::size_t done =
        transfer(Span(static_cast<typename Span::pointer>(buffer.data()), wanted));
    total += done;
    if (done < wanted) break;
  }
  return total;
}

template <class Buffers>
class ReadOperation : public IoOperation {
 public:
  explicit ReadOperation(const Buffers& buffers) : buffers_(buffers) {}

  bool perform(SocketState& socket) override {
    octets = transfer_each<MutableByteSpan, boost::asio::mutable_buffer>(
        buffers_, [&](MutableByteSpan out) { return socket.read(out); });
    return octets > 0 || is_empty() || socket.is_read_over(error);
  }
  bool is_empty() const override { return boost::asio::buffer_size(buffers_) == 0; }

 protected:
  ~ReadOperation() = default;

 private:
  Buffers buffers_;
};

template <class Buffers>
class WriteOperation : public IoOperation {
 public:
  explicit WriteOperation(const Buffers& buffers) : buffers_(buffers) {}

  bool perform(SocketState& socket) override {
    if (is_empty() || socket.is_write_over(error)) return true;
    octets = transfer_each<ByteSpan, boost::asio::const_buffer>(
        buffers_, [&](ByteSpan piece) { return socket.write(piece); });
    return octets > 0;
  }
  bool is_empty() const override { return boost::asio::buffer_size(buffers_) == 0; }

 protected:
  ~WriteOperation() = default;

 private:
  Buffers buffers_;
};

/// Waits until a read or a write would not: there is something to take, or an error to tell.
class WaitOperation : public IoOperation {
 public:
  explicit WaitOperation(Direction direction) : direction_(direction) {}

  bool perform(SocketState& socket) override { return socket.is_ready(direction_); }
  std::tuple<error_code> take_results() const { return {error}; }

 protected:
  ~WaitOperation() = default;

 private:
  Direction direction_;
};

/// Looks at the connection's counters.
class InfoOperation : public Operation {
 public:
  void look(const SocketState& socket) {
    if (socket.socket()) info_ = socket.socket().info();
    if (!info_) error = boost::asio::error::bad_descriptor;
  }
  std::tuple<error_code, SocketInfo> take_results() const {
    return {error, info_.value_or(SocketInfo{})};
  }

 protected:
  ~InfoOperation() = default;

 private:
  std::optional<SocketInfo> info_;
};

/// Carries out a command on the paths.
class PathCommandOperation : public Operation {
 public:
  explicit PathCommandOperation(PathCommand command) : command_(std::move(command)) {}

  void carry_out(SocketState& socket) {
    if (!socket.socket()) {
      error = boost::asio::error::bad_descriptor;
    } else if (const auto done = socket.socket().command(command_); !done) {
      error = to_error_code(done.error());
    }
  }
  std::tuple<error_code> take_results() const { return {error}; }

 protected:
  ~PathCommandOperation() = default;

 private:
  PathCommand command_;
};

/// Waits for a change of the paths.
class PathChangeOperation : public IoOperation {
 public:
  bool perform(SocketState& socket) override {
    if (const auto change = socket.next_path_change()) {
      change_ = *change;
      return true;
    }
    if (socket.is_closed()) error = boost::asio::error::eof;
    return socket.is_closed();
  }
  std::tuple<error_code, PathChange> take_results() const { return {error, change_}; }

 protected:
  ~PathChangeOperation() = default;

 private:
  PathChange change_{};
};

/// Takes a connection from a listener.
class AcceptOperationBase : public IoOperation {
 public:
  bool perform(SocketState& listener) override {
    accepted = listener.accept();
    return accepted != nullptr;
  }

  std::shared_ptr<SocketState> accepted;

 protected:
  ~AcceptOperationBase() = default;
};

}  // namespace mptcp::api::detail
