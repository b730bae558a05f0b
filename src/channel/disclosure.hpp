#pragma once

#include <string_view>

#include "qsp/endpoint.hpp"
#include "qsp/error.hpp"

namespace qsp::channel {

/// What a peer learns of a failure, by how far it has proved who it is.
struct Disclosure {
  Reason reason;
  std::string_view text;
};

enum class Audience : std::uint8_t {
  Unauthenticated,  ///< the peer's signature has not verified yet
  Authenticated,    ///< it has, and the handshake goes on
  Established,
};

/// The one place that decides it (SPEC §5 ALERT, §8 CLOSE). Total.
Disclosure disclose(const Error& error, Audience audience) noexcept;

}  // namespace qsp::channel
