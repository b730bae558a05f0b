#include "https/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <expected>

#include "https/https.hpp"

namespace qsp::https {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

std::unexpected<std::string> wrong(std::string_view text) {
  // What cannot be printed is not repeated: it could trick a terminal.
  return std::unexpected(fmt::format("URL{}{}: write https://HOST[:PORT][/PREFIX], such as https://kme.example:8443",
                                     is_visible(text) ? " " : "", is_visible(text) ? text : std::string_view()));
}

}  // namespace

bool is_visible(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string Url::host() const {
  if (address.port != kHttpsPort) return net::to_string(address);
  return address.host.contains(':') ? "[" + address.host + "]" : address.host;
}

files::OrText<Url> parse_url(std::string_view text) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  const bool plain = text.starts_with(kPlain);
  if (!(plain || text.starts_with(kSecure)) || !is_visible(text) || text.size() > kMaxTargetSize) return wrong(text);
  const std::string_view rest = text.substr(plain ? kPlain.size() : kSecure.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string authority(rest.substr(0, slash));
  std::string prefix(rest.substr(slash));
  while (prefix.ends_with('/')) prefix.pop_back();
  const bool bracketed = authority.starts_with('[');
  if (!bracketed && std::ranges::count(authority, ':') > 1) return wrong(text);
  if (authority.ends_with(':') || prefix.find_first_of("?#") != std::string::npos) return wrong(text);
  if (authority.ends_with(']') || !authority.contains(':')) authority += fmt::format(":{}", kHttpsPort);
  std::expected<net::Address, std::string> address = net::parse_address(authority);
  if (!address || address->port == 0) return wrong(text);
  // Keys in the clear never leave the machine, whatever somebody configured.
  boost::system::error_code no_address;
  if (plain && (!boost::asio::ip::make_address(address->host, no_address).is_loopback() || no_address))
    return wrong(text);
  return Url{.address = std::move(*address), .prefix = std::move(prefix), .tls = !plain};
}

}  // namespace qsp::https
