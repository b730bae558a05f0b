#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "qsp/error.hpp"

namespace qsp::net {

inline constexpr std::uint16_t kDefaultPort = 7155;

/// A host name or address as a person types it, and a TCP port.
struct Address {
  std::string host;
  std::uint16_t port = kDefaultPort;
};

/// Parses "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address whose end could not be taken for a port;
/// without a port it is kDefaultPort. The error is one line for a person.
Result<Address, std::string> parse_address(std::string_view text);

/// "host:port", with an IPv6 address in brackets. Characters that could trick a terminal never get past parse_address.
std::string to_string(const Address& address);
std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace qsp::net
