#include "net/dial.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace qsp::net {
namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
using Resolver = asio::ip::basic_resolver<tcp, Executor>;

std::string explain(const Address& address, const error_code& why) {
  const std::string target = to_string(address);
  if (why == asio::error::connection_refused) {
    return fmt::format("{} refused the connection: nothing listens there (check the port, or start qsp serve)", target);
  }
  if (why == asio::error::host_not_found || why == asio::error::host_not_found_try_again ||
      why == asio::error::no_data || why == asio::error::service_not_found) {
    return fmt::format("no such host: {} (check the name, or give an IP address)", address.host);
  }
  if (why == asio::error::network_unreachable || why == asio::error::host_unreachable) {
    return fmt::format("no route to {}: {} (check the network)", target, why.message());
  }
  return fmt::format("cannot connect to {}: {}", target, why.message());
}

}  // namespace

asio::awaitable<std::expected<Dialled, std::string>> dial(Loop& loop, Address address, std::chrono::seconds timeout) {
  Resolver resolver(loop.executor());
  Socket socket(loop.executor());
  bool late = false;
  Timer timer(loop.executor());
  timer.expires_after(timeout);
  timer.async_wait([&late, &resolver, &socket](const error_code& cancelled) {
    if (cancelled) return;
    late = true;
    resolver.cancel();
    error_code ignored;  // closing is what ends the connect; there is nothing to lose
    socket.close(ignored);
  });

  const std::string port = std::to_string(address.port);
  auto [unresolved, found] = co_await resolver.async_resolve(address.host, port, Resolver::numeric_service, kTuple);
  error_code failed = unresolved;
  tcp::endpoint peer;
  if (!failed && !late) {
    auto [unconnected, answered] = co_await asio::async_connect(socket, found, kTuple);
    failed = unconnected;
    peer = answered;
  }
  // A timer that has fired but not run yet must not find these gone.
  if (timer.cancel() == 0 && !late) co_await asio::post(loop.executor(), asio::use_awaitable);
  if (late) {
    co_return std::unexpected(fmt::format("no answer from {} within {} s (check the address, and firewalls on the way)",
                                          to_string(address), timeout.count()));
  }
  if (failed) co_return std::unexpected(explain(address, failed));
  co_return Dialled{.socket = std::move(socket), .peer = peer};
}

}  // namespace qsp::net
