#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/append.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include "mptcp/api/error.hpp"
#include "mptcp/api/runtime.hpp"

namespace mptcp::api {

/// Where a host and a port are; at least one endpoint when there was no error.
using ResolverResults = std::vector<Endpoint>;

/// Resolves literal addresses: "10.0.0.1", "fd00::1" or "[fd00::1]", with a port number. A name is
/// an error that says so: this node has no resolver below it.
ResolverResults resolve(std::string_view host, std::string_view service, error_code& error);

/// The same in the form of asio::ip::tcp::resolver, for code that is written for one. Any thread.
template <class Executor = Runtime::Executor>
class BasicResolver {
 public:
  using executor_type = Executor;
  using endpoint_type = Endpoint;
  using results_type = ResolverResults;

  explicit BasicResolver(const Executor& executor) : executor_(executor) {}
  explicit BasicResolver(Runtime& runtime) : BasicResolver(Executor(runtime.get_executor())) {}

  executor_type get_executor() noexcept { return executor_; }

  results_type resolve(std::string_view host, std::string_view service, error_code& error) const {
    return api::resolve(host, service, error);
  }
  /// void(error_code, results_type).
  template <class Token = boost::asio::default_completion_token_t<Executor>>
  auto async_resolve(std::string_view host, std::string_view service, Token&& token = Token()) {
    return boost::asio::async_initiate<Token, void(error_code, results_type)>(
        Initiation{executor_}, token, std::string(host), std::string(service));
  }

 private:
  struct Initiation {
    using executor_type = Executor;
    executor_type get_executor() const noexcept { return executor; }
    template <class Handler>
    void operator()(Handler&& handler, const std::string& host, const std::string& service) const {
      error_code error;
      results_type results = api::resolve(host, service, error);
      boost::asio::post(
          executor, boost::asio::append(std::forward<Handler>(handler), error, std::move(results)));
    }
    Executor executor;
  };

  Executor executor_;
};

using Resolver = BasicResolver<>;

}  // namespace mptcp::api
