#pragma once

#include <string>
#include <string_view>

#include "files/file.hpp"
#include "net/address.hpp"

namespace qsp::https {

/// Where a client's server is.
struct Url {
  net::Address address;
  std::string prefix;  ///< of every target; empty, or begins with a slash and does not end with one
  bool tls = true;     ///< false only for an address of the loopback interface

  /// What the header field Host says: without a port where it is the usual one.
  [[nodiscard]] std::string host() const;
  /// "https://host:port/prefix", for texts.
  [[nodiscard]] std::string text() const { return (tls ? "https://" : "http://") + host() + prefix; }
};

/// Parses "https://HOST[:PORT][/PREFIX]", or "http://…" with an IP address of the loopback interface and a port. The
/// error is one line for a person, which quotes the text.
files::OrText<Url> parse_url(std::string_view text);

/// True for a target, or a part of one, that can stand in a request line as it is: nothing but visible ASCII.
bool is_visible(std::string_view text) noexcept;

}  // namespace qsp::https
