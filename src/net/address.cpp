#include "net/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>
#include <system_error>

namespace qsp::net {
namespace {

/// RFC 1035 §2.3.4: a name has at most 255 octets.
constexpr std::size_t kMaxHost = 255;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return port;
}

bool plausible_host(std::string_view host) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '%';
  };
  return !host.empty() && host.size() <= kMaxHost && std::ranges::all_of(host, plain);
}

bool is_v6(std::string_view text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address_v6(std::string(text), failed);
  return !failed;
}

/// Why a text with several colons and no brackets may not be meant as an IPv6 address, if so: "::1:7155" is one, but a
/// user who writes it means port 7155 of ::1.
std::optional<std::string> doubt_v6(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view before = text.substr(0, colon);
  const std::string_view last = text.substr(colon + 1);
  if (is_v6(before) && parse_port(last)) {
    return fmt::format("address: is {} the port? Put an IPv6 address in brackets: [{}]:{} (or [{}] without a port)",
                       last, before, last, text);
  }
  if (!is_v6(text)) return "address: this is not an IPv6 address; write one in brackets, such as [::1]:7155";
  return std::nullopt;
}

}  // namespace

Result<Address, std::string> parse_address(std::string_view text) {
  std::string_view host = text;
  std::optional<std::string_view> port_text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::unexpected("address: '[' without ']' (write [::1]:7155)");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::unexpected("address: write [::1]:7155");
    if (!rest.empty()) port_text = rest.substr(1);
  } else if (std::ranges::count(text, ':') == 1) {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
  }
  if (!text.starts_with('[') && std::ranges::count(text, ':') > 1 && plausible_host(text)) {
    if (std::optional<std::string> doubt = doubt_v6(text)) return std::unexpected(std::move(*doubt));
  }
  if (!plausible_host(host)) return std::unexpected("address: write HOST:PORT, such as localhost:7155 or [::1]:7155");

  if (!port_text && parse_port(host)) {
    return std::unexpected(fmt::format(
        "address: {0} is a port without a host: write 127.0.0.1:{0} for this machine, 0.0.0.0:{0} or [::]:{0} for all",
        host));
  }

  Address address{.host = std::string(host)};
  if (port_text) {
    const std::optional<std::uint16_t> port = parse_port(*port_text);
    if (!port) return std::unexpected("address: the port is a number from 0 to 65535");
    address.port = *port;
  }
  return address;
}

std::string to_string(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address.host, address.port) : fmt::format("{}:{}", address.host, address.port);
}

std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint) {
  return to_string(Address{.host = endpoint.address().to_string(), .port = endpoint.port()});
}

}  // namespace qsp::net
