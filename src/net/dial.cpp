#include "net/dial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace qsp::net {
namespace {

/// Why the only address, or all of them alike, did not answer.
std::string explain(const Address& address, const error_code& why, std::chrono::nanoseconds timeout) {
  const std::string target = to_string(address);
  if (why == asio::error::connection_refused) {
    return fmt::format("{} refused the connection: nothing listens there (check the port, or start qsp serve)", target);
  }
  if (why == asio::error::timed_out) {
    return fmt::format("no answer from {} within {:.3g} s (check the address, and firewalls on the way)", target,
                       std::chrono::duration<double>(timeout).count());
  }
  if (why == asio::error::network_unreachable || why == asio::error::host_unreachable) {
    return fmt::format("no route to {}: {} (check the network)", target, why.message());
  }
  if (why == asio::error::no_descriptors) {
    return fmt::format("cannot connect to {}: {} (see: ulimit -n)", target, why.message());
  }
  return fmt::format("cannot connect to {}: {}", target, why.message());
}

std::string explain(const Address& address, const DialFailure& failure, std::chrono::nanoseconds timeout) {
  const error_code& unresolved = failure.unresolved;
  if (unresolved == asio::error::host_not_found || unresolved == asio::error::host_not_found_try_again ||
      unresolved == asio::error::no_data || unresolved == asio::error::service_not_found) {
    return fmt::format("no such host: {} (check the name, or give an IP address)", address.host);
  }
  if (unresolved) return explain(address, unresolved, timeout);
  if (failure.tried.empty()) return explain(address, asio::error::timed_out, timeout);
  if (failure.tried.size() == 1) return explain(address, failure.tried.front().why, timeout);
  const bool refused = std::ranges::all_of(
      failure.tried, [](const Unreached& each) { return each.why == asio::error::connection_refused; });
  if (refused) {
    return fmt::format("{} refused the connection: nothing listens there: {} (check the port, or start qsp serve)",
                       to_string(address), describe(failure.tried));
  }
  return fmt::format("cannot connect to {}: {} (check the address, and firewalls on the way)", to_string(address),
                     describe(failure.tried));
}

}  // namespace

asio::awaitable<Result<Dialled, std::string>> dial(Loop& loop, Address address, std::chrono::nanoseconds timeout) {
  using Outcome = Result<Dialled, std::string>;
  HappyEyeballs race(loop.executor(), {.overall = timeout, .each = std::min(timeout, DialLimits().each)});
  auto running = race.run(address);
  auto dialled = co_await std::move(running);
  if (!dialled) co_return Outcome(std::unexpect, explain(address, dialled.error(), timeout));
  co_return Outcome(std::move(*dialled));
}

}  // namespace qsp::net
