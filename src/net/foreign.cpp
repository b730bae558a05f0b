#include "net/foreign.hpp"

#include <algorithm>
#include <array>

namespace qsp::net {
namespace {

bool begins_with(Bytes bytes, std::string_view text) noexcept {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(),
                    [](char c, std::uint8_t byte) { return static_cast<std::uint8_t>(c) == byte; });
}

}  // namespace

std::optional<Foreign> foreign_protocol(Bytes first) noexcept {
  constexpr Foreign kSsh{"SSH", "an"};
  constexpr Foreign kHttp{"HTTP", "an"};
  constexpr Foreign kTls{"TLS", "a"};
  // RFC 9110 §9.3, RFC 5789; a status line; the preface of HTTP/2.
  constexpr std::array<std::string_view, 11> kHttpStarts{"GET ",     "HEAD ",  "POST ",  "PUT ",  "DELETE ", "CONNECT ",
                                                         "OPTIONS ", "TRACE ", "PATCH ", "HTTP/", "PRI * "};
  if (begins_with(first, "SSH-")) return kSsh;
  if (std::ranges::any_of(kHttpStarts, [first](std::string_view start) { return begins_with(first, start); }))
    return kHttp;
  // RFC 8446 §5.1: an alert or a handshake record, whose version is 3.x.
  constexpr std::uint8_t kAlert = 21;
  constexpr std::uint8_t kHandshake = 22;
  if (first.size() >= 2 && (first[0] == kAlert || first[0] == kHandshake) && first[1] == 3) return kTls;
  return std::nullopt;
}

}  // namespace qsp::net
