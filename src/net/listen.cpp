#include "net/listen.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>
#include <utility>

#include "net/own_socket.hpp"

namespace qsp::net {
namespace {

using Resolver = asio::ip::basic_resolver<tcp, Executor>;
constexpr auto kListenFlags =
    static_cast<Resolver::flags>(std::to_underlying(Resolver::numeric_service) | std::to_underlying(Resolver::passive));

Result<Acceptor, error_code> listen_on(const Executor& executor, const tcp::endpoint& endpoint, bool among_others) {
  Acceptor acceptor(executor);
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) keep_from_children(acceptor);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(among_others), failed);  // alone, [::] takes IPv4 as well
  }
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return std::unexpected(failed);
  return acceptor;
}

}  // namespace

Result<std::vector<Acceptor>, std::string> listen_all(const Executor& executor, const Address& address) {
  Resolver resolver(executor);
  error_code failed;
  const auto found = resolver.resolve(address.host, std::to_string(address.port), kListenFlags, failed);
  if (failed || found.empty()) {
    return std::unexpected(fmt::format("no such host: {} (check the name, or give an IP address)", address.host));
  }
  std::vector<Acceptor> acceptors;
  for (const auto& entry : found) {
    tcp::endpoint endpoint = entry.endpoint();
    if (!acceptors.empty()) endpoint.port(acceptors.front().local_endpoint(failed).port());
    Result<Acceptor, error_code> acceptor = listen_on(executor, endpoint, found.size() > 1);
    if (acceptor) {
      acceptors.push_back(std::move(*acceptor));
    } else if (acceptor.error().value() == EADDRNOTAVAIL || acceptor.error().value() == EAFNOSUPPORT) {
      failed = acceptor.error();
    } else {
      return std::unexpected(explain_listen(to_string(endpoint), acceptor.error()));
    }
  }
  if (acceptors.empty()) return std::unexpected(explain_listen(to_string(address), failed));
  return acceptors;
}

std::string explain_listen(const std::string& target, const boost::system::error_code& why) {
  if (why == boost::asio::error::address_in_use) {
    return fmt::format("cannot listen on {}: the port is in use (stop the other program, or choose another port)",
                       target);
  }
  if (why == boost::asio::error::access_denied) {
    return fmt::format("cannot listen on {}: permission denied (choose a port above 1023)", target);
  }
  if (why.value() == EADDRNOTAVAIL) {
    return fmt::format("cannot listen on {}: this machine has no such address (see: ip address)", target);
  }
  return fmt::format("cannot listen on {}: {}", target, why.message());
}

}  // namespace qsp::net
